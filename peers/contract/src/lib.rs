//! The reqmtls peer contract, version 2: its types, and a server loop that Rust peers reuse.
//!
//! `peers/README.md` is the contract in words; this crate is the same in Rust. A peer written with
//! it implements [`Peer`] and [`Endpoint`] and calls [`main`]; the harness runs the in-tree rustls
//! peer through the same two traits without any socket.

mod blocking;
mod capability;
mod check;
mod describe;
mod exchange;
mod flags;
mod hex;
mod job;
mod line;
mod message;
mod names;
mod peer;
mod program;
mod report;
mod server;
mod session;
mod state;
#[cfg(feature = "testing")]
pub mod testing;

pub use blocking::{Blocking, BlockingEndpoint, BlockingStream};
pub use capability::Capabilities;
pub use describe::Description;
pub use exchange::{
    ANSWER_LIMIT, Answer, ClosedInstead, REQUEST, ask, read_answer, read_request, serve_answer,
    write_answer,
};
pub use flags::{MalformedFlags, SUPPORTED_VERSIONS, TLS_FLAGS, flag_is_set, offers_tls13};
pub use hex::Hex;
pub use job::{Edit, Identity, Job, PrepareError, Resumption, Setup};
pub use line::{LINE_LIMIT, read_line, write_line};
pub use message::{Ask, Open, Reply};
pub use names::{
    CipherSuite, Group, Keys, Message, Policy, Provenance, Revision, Sessions, Version,
};
pub use peer::{Endpoint, Peer, Stream, drive, prepare};
pub use program::main;
pub use report::{ConnectionReport, Outcome, Report};
pub use reqmtls_vocabulary::Side;
pub use server::serve;
pub use session::{Failure, Session, run_client, run_server};
pub use state::{ConnectionState, State};

/// The version of the contract that this crate speaks.
pub const VERSION: u32 = 2;

#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod alert;
#[cfg(feature = "tokio")]
mod asynchronous;
pub mod blocking;
mod client;
mod configs;
mod draft;
pub mod editors_copy;
mod error;
mod flags;
mod hello;
#[cfg(feature = "hyper")]
pub mod hyper;
mod info;
mod isolate;
mod policy;
mod probe;
mod reader;
#[cfg(feature = "seam")]
pub mod seam;
#[cfg(not(feature = "seam"))]
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "all of it is public with the feature"
)]
mod seam;
mod server;

#[cfg(feature = "tokio")]
pub use asynchronous::Accepted;
pub use client::{ConnectorBuilder, TlsFlagsConnector};
pub use configs::ServerConfigs;
pub use draft::{Codepoints, Revision};
pub use error::{AcceptError, AcceptorError, ConnectorError, flags_error};
pub use flags::{EARLY_TLS_FLAGS, Flags, FlagsError, MAX_FLAG, REQUEST_MTLS, TLS_FLAGS};
pub use hello::{flags_in_client_hello, raw_flags_in_client_hello};
pub use info::ClientInfo;
pub use policy::{ClientAuth, ClientAuthPolicy, Offer};
pub use seam::{EditedIo, OwnSessions};
pub use server::{Failed, TlsFlagsAcceptor};

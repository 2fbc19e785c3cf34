#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod alert;
mod client;
mod flags;
mod hello;
mod isolate;
mod policy;
mod probe;
pub mod rca;
mod reader;
pub mod seam;
mod server;

pub use client::{TlsFlagsConnector, provider};
pub use flags::{Flags, FlagsError, MAX_FLAG, REQUEST_MTLS, TLS_FLAGS};
pub use hello::{flags_in_client_hello, raw_flags_in_client_hello};
pub use policy::{ClientAuth, ClientAuthPolicy, Offer};
pub use server::{AcceptError, Accepted, AcceptorError, Failed, ServerConfigs, TlsFlagsAcceptor};

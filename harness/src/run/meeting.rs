//! One connection between an end of this harness and somebody else's: relayed and recorded.

use std::time::Duration;

use reqmtls_contract::{ConnectionReport, Endpoint, drive};
use reqmtls_vocabulary::Side;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::job::GRACE;
use super::relay::{Recorder, relay};
use crate::peer::{Link, MEMORY};

/// One connection between an end of this harness and somebody else's.
pub(crate) struct Meeting<'a> {
    /// Our end.
    pub(crate) end: &'a dyn Endpoint,
    /// Which side it is.
    pub(crate) side: Side,
    /// Which connection of its job this is, the first being 0.
    pub(crate) connection: u32,
    /// The most time that the connection may take.
    pub(crate) deadline: Duration,
}

impl Meeting<'_> {
    /// Relays and records until both ends have closed or the deadline has passed; returns what our end reports. What
    /// the other one leaves open then is closed.
    pub(crate) async fn with(self, other: TcpStream, recorder: &Recorder) -> ConnectionReport {
        let patience = self.deadline + GRACE;
        self.with_patience(other, recorder, patience).await
    }

    /// The same, but waits for the other end no longer than `patience` once ours has closed.
    pub(crate) async fn with_patience(
        self,
        other: TcpStream,
        recorder: &Recorder,
        patience: Duration,
    ) -> ConnectionReport {
        let (ours, mut theirs) = tokio::io::duplex(MEMORY);
        let drive =
            async move { drive(self.end, self.connection, &mut theirs, self.deadline).await };
        let (ours, other) = (Link::Memory(ours), Link::Socket(other));
        let (client, server) = match self.side {
            Side::Client => (ours, other),
            Side::Server => (other, ours),
        };
        let relay = timeout(self.deadline + GRACE, relay(client, server, recorder));
        let cut = async {
            recorder.closed(self.side).await;
            tokio::time::sleep(patience).await;
        };
        let relay = async {
            // Cut off: the recording has no close of the end that went on.
            tokio::select! {
                _ = relay => {}
                () = cut => {}
            }
        };
        tokio::join!(drive, relay).0
    }
}

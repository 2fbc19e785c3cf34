//! TLS connections whose other end is silent, gone, or no TLS at all.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqmtls_contract::{ConnectionReport, Outcome, Reply, Setup, Side};
use serde_json::json;

use super::Trouble;
use super::asks::prepared;
use super::capability::Material;
use super::line::{Line, unexpected};

/// The deadline of a connection whose other end says nothing.
const DEADLINE: Duration = Duration::from_millis(1500);
/// How late a report of it may come.
const GRACE: Duration = Duration::from_secs(3);
/// What a first flight might be that is no TLS.
const GARBAGE: &[u8] = b"GET / HTTP/1.1\r\nHost: server.reqmtls.test\r\n\r\n";

/// How the other end of a connection treats the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It sends nothing and closes nothing.
    Silent,
    /// It closes its direction at once.
    Closed,
    /// It resets the connection.
    Reset,
    /// It sends what is no TLS.
    Garbage,
}

impl Treatment {
    pub(super) const ALL: [Self; 4] = [Self::Silent, Self::Closed, Self::Reset, Self::Garbage];

    /// What the page says of it.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Silent => "a connection whose other end is silent is broken at its deadline",
            Self::Closed => "a connection that ends before TLS has is broken",
            Self::Reset => "a connection that is reset is broken",
            Self::Garbage => "what is no TLS is refused, and the connection closed in order",
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            Self::Silent | Self::Closed | Self::Reset => Outcome::Broken,
            Self::Garbage => Outcome::Refused,
        }
    }
}

/// Treats one connection of an end so, and looks at what it reports.
pub(super) async fn treat(
    address: SocketAddr,
    side: Side,
    material: &Material,
    treatment: Treatment,
) -> Result<(), Trouble> {
    let setup = Setup {
        deadline_ms: u64::try_from(DEADLINE.as_millis()).ok(),
        ..material.plain(side)
    };
    let id = format!("{side} {treatment:?}");
    let mut control = Line::control(address).await?;
    let prepare = json!({ "ask": "prepare", "job": { "id": id, "side": side, "setup": setup } });
    prepared(&mut control, &prepare).await?;
    let start = Instant::now();
    let mut tls = Line::tls(address, &id, 0).await?;
    match treatment {
        Treatment::Silent => {}
        Treatment::Closed => {
            tls.close().await?;
            tls.end().await?;
        }
        Treatment::Reset => {
            let reset = tls.0.get_ref().set_zero_linger();
            reset.map_err(|error| error.to_string())?;
            drop(tls);
            return check(&report(&mut control, &id).await?, side, treatment);
        }
        Treatment::Garbage => {
            // More than the peer's library will read, so that a socket that is closed too early resets.
            tls.write_octets(&GARBAGE.repeat(256)).await?;
            tls.end().await?;
            tls.close().await?;
        }
    }
    let reported = report(&mut control, &id).await?;
    check(&reported, side, treatment)?;
    let took = start.elapsed();
    let limits = DEADLINE..=DEADLINE + GRACE;
    if treatment == Treatment::Silent && !limits.contains(&took) {
        return Err(format!(
            "{side}: got the report after {} ms, expected it when deadline_ms = {} has passed",
            took.as_millis(),
            DEADLINE.as_millis()
        )
        .into());
    }
    Ok(())
}

async fn report(control: &mut Line, id: &str) -> Result<ConnectionReport, Trouble> {
    match control.ask(&json!({ "ask": "report", "job": id })).await? {
        Reply::Report(report) => match <[_; 1]>::try_from(report.connections) {
            Ok([connection]) => Ok(connection),
            Err(all) => Err(format!(
                "got {} connections in the report of a job with one",
                all.len()
            )
            .into()),
        },
        other => Err(unexpected("report", &other, "report")),
    }
}

fn check(report: &ConnectionReport, side: Side, treatment: Treatment) -> Result<(), Trouble> {
    if report.outcome == treatment.outcome() {
        return Ok(());
    }
    let error = report.error.as_deref().unwrap_or("no error");
    Err(format!(
        "{side}: got outcome {} ({error}), expected {}",
        report.outcome,
        treatment.outcome()
    )
    .into())
}

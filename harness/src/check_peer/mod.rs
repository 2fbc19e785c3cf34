//! Whether a program follows the peer contract: every ask, every error, every capability that it declares, and its
//! life as a process. Each check is a sentence of `peers/README.md`.

mod asks;
mod capability;
mod declared;
mod line;
mod program;
mod shown;
mod streams;

#[cfg(test)]
pub(crate) use self::capability::all as capabilities;

use std::time::Duration;

use reqmtls_contract::{Description, Side};
use rustix::process::Signal;
use tokio::time::timeout;

use self::capability::Material;
use self::line::Line;
use self::program::Started;
use self::streams::Treatment;
use crate::peer::Program;
use crate::scenario::Certificates;

/// The most time that one check may take.
const LONGEST: Duration = Duration::from_mins(1);

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the page says.
    Right,
    /// It is not: what was got, and what was expected.
    Wrong(String),
    /// It could not be looked at, and why.
    Skipped(String),
}

/// One check.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The rule, in the page's words.
    pub rule: String,
    /// Whether the peer follows it.
    pub verdict: Verdict,
}

/// Why the peer could not be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The program could not be started.
    #[error("{0}")]
    Start(String),
    /// No certificates.
    #[error("cannot make certificates: {0}")]
    Certificates(#[from] rcgen::Error),
}

/// Why a check did not succeed.
#[derive(Debug)]
enum Trouble {
    /// The peer does not follow the rule.
    Wrong(String),
    /// The rule could not be looked at.
    Skipped(String),
    /// The program could not be started.
    Start(String),
}

impl From<String> for Trouble {
    fn from(text: String) -> Self {
        Self::Wrong(text)
    }
}

impl From<&str> for Trouble {
    fn from(text: &str) -> Self {
        Self::Wrong(text.to_owned())
    }
}

/// Checks a program, by the rules that contain the words `only` if there are any. Each check is handed over as it is
/// done; those that the others build upon are handed over if they are wrong, or selected.
///
/// # Errors
///
/// What keeps the program from being checked at all; what is wrong with it is a [`Verdict`].
pub async fn check(
    program: &Program,
    only: Option<&str>,
    emit: impl FnMut(Checked),
) -> Result<(), CheckError> {
    let material = Material {
        certificates: Certificates::generate()?,
    };
    let mut checks = Checks {
        emit,
        only,
        start: None,
        program,
        material: &material,
    };
    // What waits longest goes on beside all else.
    let rule = "with --held it exits when no connection has asked hold within 10 s";
    let unheld = async {
        if only.is_none_or(|only| rule.contains(only)) {
            Some(timeout(LONGEST, program::exits_unheld(program)).await)
        } else {
            None
        }
    };
    let (unheld, ()) = tokio::join!(unheld, checks.run());
    if let Some(unheld) = unheld {
        checks.note(rule, unheld.unwrap_or_else(|_| Err(too_long())));
    }
    match checks.start {
        Some(error) => Err(CheckError::Start(error)),
        None => Ok(()),
    }
}

fn too_long() -> Trouble {
    format!("got no end within {} s", LONGEST.as_secs()).into()
}

struct Checks<'a, E> {
    emit: E,
    /// Words of the rules that are selected.
    only: Option<&'a str>,
    /// Why the program could not be started.
    start: Option<String>,
    program: &'a Program,
    material: &'a Material,
}

impl<E: FnMut(Checked)> Checks<'_, E> {
    /// Waits for a check if it is selected, and hands over what it says.
    async fn check<T>(
        &mut self,
        rule: impl Into<String>,
        check: impl Future<Output = Result<T, Trouble>>,
    ) {
        let rule = rule.into();
        if self.selects(&rule) {
            self.need(rule, check).await;
        }
    }

    /// Waits for a check that others build upon; its value if it succeeded.
    async fn need<T>(
        &mut self,
        rule: impl Into<String>,
        check: impl Future<Output = Result<T, Trouble>>,
    ) -> Option<T> {
        let outcome = timeout(LONGEST, check).await;
        self.note(rule, outcome.unwrap_or_else(|_| Err(too_long())))
    }

    fn selects(&self, rule: &str) -> bool {
        self.only.is_none_or(|only| rule.contains(only))
    }

    fn note<T>(&mut self, rule: impl Into<String>, outcome: Result<T, Trouble>) -> Option<T> {
        let (verdict, value) = match outcome {
            Ok(value) => (Verdict::Right, Some(value)),
            Err(Trouble::Wrong(text)) => (Verdict::Wrong(text), None),
            Err(Trouble::Skipped(text)) => (Verdict::Skipped(text), None),
            Err(Trouble::Start(text)) => {
                self.start.get_or_insert(text);
                return None;
            }
        };
        let rule = rule.into();
        if verdict != Verdict::Right || self.selects(&rule) {
            (self.emit)(Checked { rule, verdict });
        }
        value
    }

    async fn run(&mut self) {
        let path = self.program;
        let rule = "when it listens it writes one line to stdout that says where";
        let Some(mut program) = self.need(rule, Started::start(path, true)).await else {
            return;
        };
        let held = async {
            let mut holder = Line::control(program.address).await?;
            program::hold(&mut holder).await?;
            Ok(holder)
        };
        let Some(holder) = self.need("hold is replied to with held", held).await else {
            return;
        };
        let rule = "describe is replied to with the description";
        let address = program.address;
        if let Some(description) = self.need(rule, asks::describes(address)).await {
            self.asks(&program, &description).await;
            self.streams(&program, &description).await;
            self.shown(&description).await;
        }
        drop(holder);
        let exit = program.exit(LONGEST, "the end of the connection that asked hold");
        let rule = "stdout has one line and nothing else ever";
        self.check(rule, exit).await;
        self.process().await;
    }

    async fn process(&mut self) {
        let path = self.program;
        for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
            let rule = format!("it exits with code 0 at {name}");
            self.check(rule, program::exits_at(path, signal, name))
                .await;
        }
        for (resets, how) in [(false, "ends"), (true, "is reset")] {
            let rule = format!("with --held it exits when the connection that asked hold {how}");
            self.check(rule, program::exits_with_its_holder(path, resets))
                .await;
        }
        let rule = "without --held it serves until it is ended";
        self.check(rule, program::outlives_a_holder(path)).await;
        let rule = "hold on a second connection is replied to with error, and its end ends nothing";
        self.check(rule, program::has_one_holder(path)).await;
    }

    async fn asks(&mut self, program: &Started, description: &Description) {
        let (address, material) = (program.address, self.material);
        self.check(
            "a first line that makes no sense is answered error, and the connection is closed",
            asks::refuses_first_lines(address),
        )
        .await;
        self.check(
            "a TLS connection of a job that does not exist is answered error",
            asks::refuses_an_unknown_job(address),
        )
        .await;
        self.check(
            "a line may come octet by octet",
            asks::reads_slow_lines(address),
        )
        .await;
        self.check(
            "any number of connections is served at once",
            asks::serves_beside_silent_connections(address),
        )
        .await;
        self.check(
            "a line that is no ask is answered error, and the connection may ask more",
            asks::refuses_asks(address),
        )
        .await;
        self.check(
            "a line of more than 4 MiB is answered error",
            asks::refuses_long_lines(address),
        )
        .await;
        self.check("capabilities are the contract's", async {
            capability::declares(description)
        })
        .await;
        self.check(
            "what is declared is prepared, and what is not is answered unsupported",
            capability::prepares_what_it_declares(address, description, material),
        )
        .await;
        self.check(
            "a name that it does not know is answered unsupported with the capability named",
            capability::names_what_it_does_not_know(address, description, material),
        )
        .await;
        self.check(
            "a job that cannot be read, is there already or is not there is answered error",
            asks::refuses_jobs(address, description, material),
        )
        .await;
        self.check(
            "a connection number used twice is answered error",
            asks::refuses_a_second_connection_of_a_number(address, description, material),
        )
        .await;
        self.check(
            "a job lives until its control connection ends",
            asks::forgets_the_jobs_of_a_connection(address, description, material),
        )
        .await;
    }

    async fn streams(&mut self, program: &Started, description: &Description) {
        for side in sides(description) {
            for treatment in Treatment::ALL {
                let rule = format!("{side}: {}", treatment.rule());
                let treated = streams::treat(program.address, side, self.material, treatment);
                self.check(rule, treated).await;
            }
        }
    }
}

fn sides(description: &Description) -> impl Iterator<Item = Side> {
    let declared = |side: &Side| description.capabilities.has(side.as_str());
    Side::BOTH.into_iter().filter(declared)
}

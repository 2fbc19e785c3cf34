//! What a connection came to, as a sign in a table and in words.

use std::fmt;

use reqmtls_contract::Outcome;
use reqmtls_observer::AlertDescription;
use reqmtls_vocabulary::Side;

use crate::judge::{Facts, alert_name};
use crate::run::{Cell, Connection, Label};

/// The mark of a connection that completed without authentication although the policy requires it.
pub(super) const BYPASSED: &str = "⚠";

/// What a connection came to.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of one connection"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Sign {
    /// The server asked for a certificate in the main handshake.
    asked: bool,
    /// It resumed a session.
    resumed: bool,
    /// It authenticated the client.
    authenticated: bool,
    /// It went on without authentication although its policy requires a certificate of this client.
    pub(super) bypassed: bool,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum End {
    Completed,
    Refused(Side, AlertDescription),
    /// Without an alert or an orderly close.
    Cut,
}

impl Sign {
    /// The signs of a cell with the labels of their connections: that of its last connection, or of a sweep every
    /// one that there is.
    pub(super) fn of(cell: &Cell) -> Vec<(&Label, Self)> {
        let last = cell.connections.len().saturating_sub(1);
        let numbered = cell.connections.iter().enumerate();
        let shown = numbered.filter(|(number, connection)| {
            *number == last || matches!(connection.label, Label::Flags(_))
        });
        let signs = shown.filter_map(|(_, connection)| {
            let facts = connection.facts.as_ref()?;
            Some((&connection.label, Self::read(connection, facts)))
        });
        signs.collect()
    }

    fn read(connection: &Connection, facts: &Facts) -> Self {
        let end = match (facts.outcome, facts.alert) {
            (Outcome::Completed, _) => End::Completed,
            (_, Some((side, alert))) => End::Refused(side, alert.description),
            (_, None) => End::Cut,
        };
        Self {
            asked: facts.certificate_request,
            resumed: facts.resumed,
            authenticated: facts.authenticated.is_some(),
            bypassed: connection.bypassed,
            end,
        }
    }

    /// The alert by which a side ended the connection.
    pub(super) fn alert_of(self, side: Side) -> Option<AlertDescription> {
        match self.end {
            End::Refused(from, alert) if from == side => Some(alert),
            _ => None,
        }
    }

    /// What a server did about authentication.
    fn decision(self) -> &'static str {
        match (self.resumed, self.asked) {
            (true, _) => "resumes",
            (false, true) => "asks",
            (false, false) => "does not ask",
        }
    }

    /// What a side did, as a table of all peers has it.
    pub(super) fn short(self, side: Side) -> String {
        match self.end {
            End::Refused(from, alert) if from == side => alert.0.to_string(),
            End::Refused(from, alert) => format!("{from}: {}", alert.0),
            End::Cut => "no alert".to_owned(),
            End::Completed if side == Side::Client => "continues".to_owned(),
            End::Completed if self.bypassed => format!("{} {BYPASSED}", self.decision()),
            End::Completed => self.decision().to_owned(),
        }
    }

    /// What a side did, in words that follow its name.
    pub(super) fn words(self, side: Side) -> String {
        match self.end {
            End::Refused(from, alert) if from == side => format!("alert {}", alert_name(alert)),
            End::Refused(from, alert) => {
                format!("refused by the {from}, alert {}", alert_name(alert))
            }
            End::Cut => "ends without an alert".to_owned(),
            End::Completed if side == Side::Client => "continues".to_owned(),
            End::Completed => {
                let how = match self.decision() {
                    "resumes" => "resumes the session",
                    other => other,
                };
                let client = if self.authenticated {
                    "; the client is authenticated"
                } else if self.bypassed {
                    return format!(
                        "{how}; {BYPASSED} **the client is not authenticated, which the policy requires**"
                    );
                } else {
                    "; the client is not authenticated"
                };
                format!("{how}{client}")
            }
        }
    }
}

/// The signs of a cell as a table has them.
pub(super) fn text(cell: &Cell) -> String {
    let signs = Sign::of(cell).into_iter().map(|(label, sign)| match label {
        Label::Flags(_) => format!("{sign} ({label})"),
        Label::Only | Label::Number(_) => sign.to_string(),
    });
    signs.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.resumed {
            f.write_str("r ")?;
        }
        match self.end {
            End::Refused(side, alert) => write!(f, "{}{}", side.letter(), alert.0)?,
            End::Cut => f.write_str("end")?,
            End::Completed if self.authenticated && !self.asked && !self.resumed => {
                f.write_str("late auth")?;
            }
            End::Completed if self.authenticated => f.write_str("auth")?,
            End::Completed if self.asked => f.write_str("asked")?,
            End::Completed => f.write_str("·")?,
        }
        if self.bypassed {
            write!(f, " {BYPASSED}")?;
        }
        Ok(())
    }
}

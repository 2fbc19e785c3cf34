//! What a server does, as data: made of what was seen, and of nothing else.

use indexmap::IndexMap;
use reqmtls_contract::Revision;
use reqmtls_vocabulary::words;
use serde::Serialize;

use super::{Played, Reaction, Seen};

words! {
    /// Whom a server asks for a certificate in the main handshake.
    pub enum Asks {
        /// Neither who sets the flag nor who does not.
        Nobody = "nobody",
        /// Who sets the flag and who does not.
        Everyone = "everyone",
        /// Who sets the flag alone.
        OnFlag = "on-flag",
        /// Who does not set the flag alone.
        WithoutFlag = "without-flag",
    }
}

words! {
    /// How a server takes `tls_flags` that are malformed.
    pub enum Malformed {
        /// As if they were absent: as a server that does not know the extension does.
        Ignored = "ignored",
        /// It refuses each value.
        Refused = "refused",
        /// It refuses some values.
        Mixed = "mixed",
    }
}

/// What a server does. Whatever is absent was not seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whom it asks in the first handshake of TLS 1.3.
    pub asks: Option<Asks>,
    /// Whether its request acknowledges the flag as the editor's copy says; absent under another revision.
    pub acknowledges: Option<bool>,
    /// How it takes an empty Certificate of a client that does not set the flag.
    pub no_certificate: Option<Reaction>,
    /// How it takes an empty Certificate of a client that sets the flag.
    pub no_certificate_on_flag: Option<Reaction>,
    /// How it takes each certificate that it asked for, by the value of the axis `client.certificate`.
    pub certificates: IndexMap<&'static str, Reaction>,
    /// Whether flags that are not assigned change anything, and a value of 255 octets.
    pub other_flags_change_something: Option<bool>,
    /// How it takes malformed `tls_flags`.
    pub malformed: Option<Malformed>,
    /// The values that it took otherwise than absent flags, by the value of the axis `client.edit.value`.
    pub malformed_refused: IndexMap<&'static str, Reaction>,
    /// How it takes `tls_flags` twice in ClientHello.
    pub twice: Option<Reaction>,
    /// Whom it asks after HelloRetryRequest.
    pub asks_after_retry: Option<Asks>,
    /// Sessions that a second connection offered.
    pub sessions: Vec<Offered>,
    /// Whether it gave a client a session ticket; absent: no handshake was completed.
    pub gives_tickets: Option<bool>,
    /// Whether it accepted early data; absent: no session of its allowed any.
    pub accepts_early_data: Option<bool>,
    /// Whether it asked a client that offers post-handshake authentication after the handshake.
    pub asks_after_handshake: Option<bool>,
    /// Whom it asks where TLS 1.2 is negotiated; absent: it does not do TLS 1.2, or it was not tried.
    pub asks_in_tls12: Option<Asks>,
}

/// A session that a second connection offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing that is seen or not"
)]
pub struct Offered {
    /// Whether the first connection set the flag.
    pub flag_then: bool,
    /// Whether the second one does.
    pub flag_now: bool,
    /// Whether the server authenticated with it.
    pub resumed: bool,
    /// Whether the server asked in the second handshake.
    pub asked: bool,
}

impl Asks {
    fn of(without_flag: &Seen, with_flag: &Seen) -> Option<Self> {
        // Who was not answered was neither asked nor left alone.
        let asked = |seen: &Seen| seen.tls13.map(|_| seen.asked);
        Some(match (asked(without_flag)?, asked(with_flag)?) {
            (false, false) => Self::Nobody,
            (true, true) => Self::Everyone,
            (false, true) => Self::OnFlag,
            (true, false) => Self::WithoutFlag,
        })
    }
}

/// The connections of a probe, looked up by what their client was.
struct Lookup<'a>(&'a [Played]);

impl<'a> Lookup<'a> {
    fn of(&self, scenario: &str) -> impl Iterator<Item = &'a Played> {
        self.0.iter().filter(move |it| it.play.is_of(scenario))
    }

    /// The last connection of a scenario's client whose axes have these values.
    fn find(&self, scenario: &str, values: &[(&str, &str)]) -> Option<&'a Seen> {
        let mut all = self.of(scenario);
        let found = all.find(|it| {
            values
                .iter()
                .all(|(axis, value)| it.play.value(axis) == *value)
        });
        found.and_then(Played::last)
    }

    fn asks(&self, scenario: &str) -> Option<Asks> {
        let seen = |flag| self.find(scenario, &[("client.flag", flag)]);
        Asks::of(seen("unmodified")?, seen("set")?)
    }

    /// A client without flags, and without a certificate.
    fn plain(&self) -> Option<&'a Seen> {
        let values = [
            ("client.flag", "unmodified"),
            ("client.certificate", "absent"),
        ];
        self.find("request-mtls", &values)
    }
}

/// The values of `client.edit.value` that are well formed and leave the request flag out or have others beside it.
const WELL_FORMED: &[&str] = &["unknown"];
const BESIDE_REQUEST: &[&str] = &["request-and-unknown", "octets-255"];
const MALFORMED: &[&str] = &[
    "no-octets",
    "zero-length",
    "all-zero",
    "trailing-zero",
    "length-too-short",
    "length-too-long",
];

impl Verdict {
    /// What the connections show.
    #[must_use]
    pub fn of(played: &[Played], revision: Revision) -> Self {
        let all = Lookup(played);
        let absent = |flag| {
            let values = [("client.flag", flag), ("client.certificate", "absent")];
            all.find("request-mtls", &values)
        };
        let (plain, set) = (absent("unmodified"), absent("set"));
        let asked = |seen: Option<&Seen>| seen.filter(|seen| seen.asked).map(Seen::reaction);
        let mut verdict = Self {
            asks: plain.zip(set).and_then(|(plain, set)| Asks::of(plain, set)),
            acknowledges: set
                .filter(|set| set.asked && revision == Revision::EditorsCopy)
                .map(|set| set.acknowledged),
            no_certificate: asked(plain),
            no_certificate_on_flag: asked(set),
            twice: all.find("encoding-twice", &[]).map(Seen::reaction),
            asks_after_retry: all.asks("retry"),
            asks_in_tls12: tls12(&all),
            ..Self::default()
        };
        verdict.certificates(&all);
        verdict.flags(&all, set);
        verdict.sessions(&all);
        let mut late = all.of("post-handshake").filter_map(Played::last);
        let stood = all.of("post-handshake").filter_map(Played::last);
        let any_stood = stood.into_iter().any(|seen| seen.tls13.is_some());
        verdict.asks_after_handshake = any_stood.then(|| late.any(|seen| seen.asked_late));
        verdict
    }

    /// Whether what the server did depends on what `tls_flags` contain: it implements the extension.
    #[must_use]
    pub fn shows_flags(&self) -> bool {
        let on_flag = [Some(Asks::OnFlag), Some(Asks::WithoutFlag)].contains(&self.asks);
        let refuses = !self.malformed_refused.is_empty();
        on_flag || (refuses && self.other_flags_change_something == Some(false))
    }

    fn certificates(&mut self, all: &Lookup<'_>) {
        let scenarios = ["request-mtls", "certificates", "certificate-verify"];
        for it in scenarios.into_iter().flat_map(|scenario| all.of(scenario)) {
            let value = it.play.value("client.certificate");
            if let Some(seen) = it.last().filter(|seen| seen.asked && value != "absent") {
                self.certificates.entry(value).or_insert(seen.reaction());
            }
        }
    }

    fn flags(&mut self, all: &Lookup<'_>, set: Option<&Seen>) {
        let Some(plain) = all.plain() else { return };
        let value = |name| all.find("encoding", &[("client.edit.value", name)]);
        let like = |seen: &Seen, other: &Seen| {
            seen.asked == other.asked && seen.reaction().is_like(&other.reaction())
        };
        let swept = all.of("encoding-sweep").filter_map(Played::last);
        let alone = WELL_FORMED.iter().filter_map(|name| value(name));
        let beside = BESIDE_REQUEST.iter().filter_map(|name| value(name));
        let mut changes = swept.chain(alone).map(|seen| !like(seen, plain)).peekable();
        let beside = set.map(|set| beside.map(move |seen| !like(seen, set)));
        let mut beside = beside.into_iter().flatten().peekable();
        let is_tried = changes.peek().is_some() || beside.peek().is_some();
        let any = changes.any(|it| it) | beside.any(|it| it);
        self.other_flags_change_something = is_tried.then_some(any);
        let tried = MALFORMED
            .iter()
            .filter_map(|name| value(name).map(|seen| (*name, seen)));
        let tried: Vec<_> = tried.collect();
        let refused = tried.iter().filter(|(_, seen)| !like(seen, plain));
        self.malformed_refused = refused
            .map(|(name, seen)| (*name, seen.reaction()))
            .collect();
        self.malformed = match self.malformed_refused.len() {
            _ if tried.is_empty() => None,
            0 => Some(Malformed::Ignored),
            count if count == tried.len() => Some(Malformed::Refused),
            _ => Some(Malformed::Mixed),
        };
    }

    fn sessions(&mut self, all: &Lookup<'_>) {
        let connections = all.0.iter().flat_map(|it| &it.connections);
        let stood =
            connections.filter(|it| it.seen.outcome.stands() && it.seen.tls13 == Some(true));
        let tickets: Vec<_> = stood.map(|it| it.seen.ticket).collect();
        let gives = tickets.iter().any(|it| *it);
        self.gives_tickets = (!tickets.is_empty()).then_some(gives);
        for it in all.of("resumption") {
            let [first, second] = &it.connections[..] else {
                continue;
            };
            if first.seen.ticket && second.seen.tls13.is_some() {
                self.sessions.push(Offered {
                    flag_then: it.play.sets_flag(),
                    flag_now: it.play.value("client.resumption") == "flag-set",
                    resumed: second.seen.resumed,
                    asked: second.seen.asked,
                });
            }
        }
        let early = all.of("early-data").filter_map(Played::last);
        let early: Vec<_> = early.filter_map(|seen| seen.early_data).collect();
        let accepts = early.iter().any(|accepted| *accepted);
        self.accepts_early_data = (!early.is_empty()).then_some(accepts);
    }
}

fn tls12(all: &Lookup<'_>) -> Option<Asks> {
    let seen = |flag| {
        let seen = all.find("tls12", &[("client.flag", flag)])?;
        (seen.tls13 == Some(false)).then_some(seen)
    };
    Asks::of(seen("unmodified")?, seen("set")?)
}

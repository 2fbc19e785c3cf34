//! A verdict in a few sentences.

use super::verdict::{Asks, Malformed, Verdict};
use super::{AlertSeen, Reaction};

impl Verdict {
    /// What a person reads in ten seconds: each sentence says what was seen.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        [
            self.asking(),
            self.flags_text(),
            self.certificates_text(),
            self.later(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whom it asks, and how it takes who has none.
    fn asking(&self) -> Option<String> {
        let mut text = match self.asks? {
            Asks::Nobody => "asks nobody for a certificate, neither with the flag nor without",
            Asks::Everyone => "asks every client, with the flag and without",
            Asks::OnFlag => "asks only on the flag",
            Asks::WithoutFlag => "asks only clients that do not set the flag",
        }
        .to_owned();
        text.push_str(match self.acknowledges {
            Some(true) => ", and acknowledges it in CertificateRequest",
            Some(false) => ", and does not acknowledge it in CertificateRequest",
            None => "",
        });
        let taken = match (self.no_certificate, self.no_certificate_on_flag) {
            (Some(plain), Some(set)) if !plain.is_like(&set) => {
                format!("of clients without certificate it {plain}; with the flag it {set}")
            }
            (Some(taken), _) | (None, Some(taken)) => without_certificate(taken),
            (None, None) => return Some(text),
        };
        text.push_str("; ");
        text.push_str(&taken);
        Some(text)
    }

    fn flags_text(&self) -> Option<String> {
        let malformed = match self.malformed? {
            Malformed::Ignored if self.shows_flags() => "ignores them".to_owned(),
            Malformed::Ignored => {
                "ignores them, as a server that does not know the extension does".to_owned()
            }
            Malformed::Refused => format!("refuses them {}", self.how()),
            Malformed::Mixed => {
                let names: Vec<_> = self.malformed_refused.keys().copied().collect();
                format!(
                    "refuses {} {}, ignores the rest",
                    names.join(", "),
                    self.how()
                )
            }
        };
        let mut text = format!("malformed flags: {malformed}");
        match self.other_flags_change_something {
            Some(false) => text.push_str("; flags that are not assigned change nothing"),
            Some(true) => text.push_str("; flags that are not assigned change what it does"),
            None => {}
        }
        Some(text)
    }

    /// By which alerts malformed flags were refused.
    fn how(&self) -> String {
        let mut alerts: Vec<AlertSeen> = Vec::new();
        let mut others = false;
        for reaction in self.malformed_refused.values() {
            match reaction.alert {
                Some(alert) if !alerts.contains(&alert) => alerts.push(alert),
                Some(_) => {}
                None => others = true,
            }
        }
        let mut names: Vec<_> = alerts.iter().map(ToString::to_string).collect();
        if others {
            names.push("no alert".to_owned());
        }
        format!("by {}", names.join(" or "))
    }

    fn certificates_text(&self) -> Option<String> {
        let named = [
            ("present", "the certificate given"),
            ("untrusted", "a certificate of an unknown issuer"),
            ("bad-signature", "a CertificateVerify that does not verify"),
        ];
        let parts = named.iter().filter_map(|(value, name)| {
            let reaction = self.certificates.get(value)?;
            Some(format!("{name}: {reaction}"))
        });
        let parts: Vec<_> = parts.collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// Retry, sessions, early data, and the time after the handshake.
    fn later(&self) -> Option<String> {
        let mut parts = Vec::new();
        parts.extend(self.sessions_text());
        if self.accepts_early_data == Some(true) {
            parts.push("accepts early data".to_owned());
        }
        if let (Some(after), Some(before)) = (self.asks_after_retry, self.asks) {
            parts.push(if after == before {
                "asks after HelloRetryRequest as without".to_owned()
            } else {
                format!("after HelloRetryRequest asks {after}")
            });
        }
        if self.asks_after_handshake == Some(true) {
            parts.push("asks after the handshake".to_owned());
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn sessions_text(&self) -> Option<String> {
        if self.sessions.is_empty() {
            return (self.gives_tickets == Some(false))
                .then(|| "gives no session tickets".to_owned());
        }
        let resumed: Vec<_> = self.sessions.iter().filter(|it| it.resumed).collect();
        let mut changed = self
            .sessions
            .iter()
            .filter(|it| it.flag_then != it.flag_now);
        let only_alike = self.sessions.len() > resumed.len()
            && changed.all(|it| !it.resumed)
            && resumed.iter().all(|it| it.flag_then == it.flag_now);
        let mut text = match resumed.len() {
            0 => "gives session tickets and resumes none".to_owned(),
            count if count == self.sessions.len() => "resumes every session".to_owned(),
            _ if only_alike => "resumes sessions only where the flag is as it was".to_owned(),
            count => format!("resumes {count} of {} sessions", self.sessions.len()),
        };
        let before_flag = |it: &&&super::verdict::Offered| it.flag_now && !it.flag_then;
        if self.asks == Some(Asks::OnFlag) && resumed.iter().any(|it| before_flag(&it) && !it.asked)
        {
            text.push_str(
                ", one made without the flag and offered with it too: nobody is asked then",
            );
        }
        Some(text)
    }
}

fn without_certificate(taken: Reaction) -> String {
    let text = taken.to_string();
    match text.strip_prefix("refuses ") {
        Some(how) => format!("refuses clients without certificate {how}"),
        None if text == "goes on" => "goes on with clients without certificate".to_owned(),
        None => format!("with clients without certificate it {text}"),
    }
}

//! The documents, and places in them.

use std::fmt;

use reqmtls_vocabulary::words;

words! {
    /// A document that states requirements, by the short name that ids begin with.
    pub enum Document {
        /// The request mTLS flag, draft-jhoyla-req-mtls-flag-00; -01 and -02 have the same rules.
        Rm = "RM",
        /// Its editor's copy of June 2025, where the flag is called `request_client_auth`.
        Rca = "RCA",
        /// The flags extension, draft-ietf-tls-tlsflags-16; -15 has the same rules.
        Tf = "TF",
        /// TLS 1.3, RFC 9846, which obsoleted RFC 8446 in July 2026.
        Tls = "TLS",
    }
}

impl Document {
    /// The name that scenarios use.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Rm => Source::RM.title,
            Self::Rca => Source::RCA.title,
            Self::Tf => Source::TF.title,
            Self::Tls => Source::RFC9846.title,
        }
    }
}

/// A text in one version, and where it can be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// How it is cited.
    pub title: &'static str,
    /// Its address; a section's is `#section-` and the number behind it.
    pub address: &'static str,
}

impl Source {
    /// The request mTLS flag.
    pub const RM: Self = Self {
        title: "draft-jhoyla-req-mtls-flag-00",
        address: "https://datatracker.ietf.org/doc/html/draft-jhoyla-req-mtls-flag-00",
    };
    /// Its editor's copy.
    pub const RCA: Self = Self {
        title: "draft-jhoyla-req-mtls-flag, editor's copy of June 2025",
        address: "https://jhoyla.github.io/draft-jhoyla-req-mtls-flag/draft-jhoyla-req-mtls-flag.html",
    };
    /// The flags extension.
    pub const TF: Self = Self {
        title: "draft-ietf-tls-tlsflags-16",
        address: "https://datatracker.ietf.org/doc/html/draft-ietf-tls-tlsflags-16",
    };
    /// TLS 1.3.
    pub const RFC9846: Self = Self {
        title: "RFC 9846",
        address: "https://www.rfc-editor.org/rfc/rfc9846",
    };
    /// TLS 1.3, obsoleted.
    pub const RFC8446: Self = Self {
        title: "RFC 8446",
        address: "https://www.rfc-editor.org/rfc/rfc8446",
    };
    /// Certificate compression.
    pub const RFC8879: Self = Self {
        title: "RFC 8879",
        address: "https://www.rfc-editor.org/rfc/rfc8879",
    };
}

/// A section of a text.
#[derive(Debug)]
pub struct Section {
    source: &'static Source,
    number: &'static str,
}

impl Section {
    pub(super) const fn of(source: &'static Source, number: &'static str) -> Self {
        Self { source, number }
    }

    /// Where it can be read.
    #[must_use]
    pub fn link(&self) -> String {
        format!("{}#section-{}", self.source.address, self.number)
    }
}

/// `RFC 9846 §4.5.1.2, §4.5.1.3 (RFC 8446 §4.4.2.2)`: what is obsolete stands in brackets.
pub(super) fn citation(sections: &[Section]) -> String {
    let part = |is_obsolete: bool| {
        let wanted = |it: &&Section| (*it.source == Source::RFC8446) == is_obsolete;
        let mut parts: Vec<String> = Vec::new();
        let mut before = None;
        for section in sections.iter().filter(wanted) {
            match parts.last_mut() {
                Some(last) if before == Some(section.source) => {
                    last.push_str(", §");
                    last.push_str(section.number);
                }
                _ => parts.push(section.to_string()),
            }
            before = Some(section.source);
        }
        parts.join("; ")
    };
    let (current, obsolete) = (part(false), part(true));
    if obsolete.is_empty() {
        current
    } else {
        format!("{current} ({obsolete})")
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} §{}", self.source.title, self.number)
    }
}

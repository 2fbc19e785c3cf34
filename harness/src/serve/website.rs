//! What the server says to a client of the client's own connection: a page that a person reads, or JSON.

use askama::Template;

use super::exchange::Pages;
use super::http::{Page, Request};
use super::seen::{Flags, Hello, Presented, Seen};
use crate::judge::Connection;

/// Whatever is asked for, the answer is what the connection shows of its client.
#[derive(Debug)]
pub(crate) struct Website;

impl Pages for Website {
    fn page(&self, request: &Request, connection: &Connection) -> Page {
        let seen = Seen::of(connection);
        if wants_json(request) {
            let content = serde_json::to_string_pretty(&seen);
            return Page {
                status: "200 OK",
                content_type: "application/json",
                content: content
                    .unwrap_or_else(|error| format!("{{\"error\":{:?}}}", error.to_string()))
                    + "\n",
            };
        }
        let page = Website::html(&seen, connection.knowledge.flag);
        match page.render() {
            Ok(content) => Page {
                status: "200 OK",
                content_type: "text/html; charset=utf-8",
                content,
            },
            Err(error) => Page {
                status: "500 Internal Server Error",
                content_type: "text/plain",
                content: format!("{error}\n"),
            },
        }
    }
}

fn wants_json(request: &Request) -> bool {
    let accepts = |kind: &str| request.accept.to_ascii_lowercase().contains(kind);
    request.path == "/json" || accepts("application/json") && !accepts("text/html")
}

/// Names and what stands for them.
type Facts = Vec<(&'static str, String)>;

#[derive(Template)]
#[template(path = "website.html")]
struct Html<'a> {
    headline: &'static str,
    seen: &'a Seen,
    facts: Facts,
    hellos: Vec<Facts>,
}

impl Website {
    fn html(seen: &Seen, flag: u16) -> Html<'_> {
        Html {
            headline: headline(seen),
            seen,
            facts: facts(seen, flag),
            hellos: seen.client_hellos.iter().map(client_hello).collect(),
        }
    }
}

fn headline(seen: &Seen) -> &'static str {
    match seen.request_mtls {
        Some(true) => "Your client sets the request mTLS flag",
        Some(false) => "Your client does not set the request mTLS flag",
        None => "The tls_flags of your client are malformed",
    }
}

fn facts(seen: &Seen, flag: u16) -> Facts {
    let certificate = match &seen.client_certificate {
        Presented::Nothing => "no Certificate".to_owned(),
        Presented::Empty => "a Certificate message without a certificate".to_owned(),
        Presented::Unread => "a Certificate that could not be read".to_owned(),
        Presented::Sha256(sha256) => format!("a certificate with SHA-256 {sha256}"),
    };
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    vec![
        ("version", seen.version.clone().unwrap_or_default()),
        ("flag", format!("{flag} is request_mtls")),
        (
            "server's policy",
            seen.policy
                .map_or_else(String::new, |policy| policy.to_string()),
        ),
        ("asked for a certificate", yes(seen.certificate_requested)),
        ("your client sent", certificate),
        ("session resumed", yes(seen.resumed)),
        ("judged by", seen.revision.to_string()),
    ]
}

fn client_hello(hello: &Hello) -> Facts {
    let extensions = hello.extensions.iter();
    let extensions: Vec<_> = extensions
        .map(|extension| format!("{}({})", extension.name, extension.number))
        .collect();
    let flags: Vec<_> = hello.tls_flags.iter().map(flags_text).collect();
    let flags = if flags.is_empty() {
        "absent".to_owned()
    } else {
        flags.join("; ")
    };
    vec![
        ("tls_flags", flags),
        ("versions", hello.versions.join(", ")),
        ("groups", hello.groups.join(", ")),
        ("extensions, in their order", extensions.join(", ")),
        ("cipher suites", hello.cipher_suites.join(", ")),
    ]
}

fn flags_text(flags: &Flags) -> String {
    let Flags {
        extension, octets, ..
    } = flags;
    if let Some(error) = &flags.malformed {
        return format!("extension {extension}: malformed: {error} ({octets})");
    }
    let numbers: Vec<_> = flags.set.iter().map(u16::to_string).collect();
    format!(
        "extension {extension}: flags {} ({octets})",
        numbers.join(", ")
    )
}

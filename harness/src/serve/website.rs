//! What the server says to a client of the client's own connection: a page that a person reads, or JSON.

use maud::{DOCTYPE, Markup, html};

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
        Page {
            status: "200 OK",
            content_type: "text/html; charset=utf-8",
            content: page(&seen, connection.knowledge.flag).into_string(),
        }
    }
}

fn wants_json(request: &Request) -> bool {
    let accepts = |kind: &str| request.accept.to_ascii_lowercase().contains(kind);
    request.path == "/json" || accepts("application/json") && !accepts("text/html")
}

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\
table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.2em 1em .2em 0}\
pre{background:#f4f4f4;padding:1em;overflow:auto}";

fn page(seen: &Seen, flag: u16) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "Your client and the request mTLS flag" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { (headline(seen)) }
                table { @for (name, value) in facts(seen, flag) { tr { th { (name) } td { (value) } } } }
                h2 { "What is wrong" }
                (wrong(seen))
                @for (hello, number) in seen.client_hellos.iter().zip(1..) {
                    @if seen.client_hellos.len() > 1 { h2 { "ClientHello " (number) } } @else { h2 { "ClientHello" } }
                    (client_hello(hello))
                }
                h2 { "What passed by now" }
                pre { @for line in &seen.transcript { (line) "\n" } }
                p { "The same as JSON: " a href="/json" { "/json" } }
            }
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

fn facts(seen: &Seen, flag: u16) -> Vec<(&'static str, String)> {
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

fn wrong(seen: &Seen) -> Markup {
    html! {
        @if seen.findings.is_empty() {
            p { "Nothing by now." }
        } @else {
            ul {
                @for wrong in &seen.findings {
                    li {
                        (wrong.id.to_string()) ", " (wrong.side) ": " (wrong.got) "; expected " (wrong.expected)
                        br;
                        (wrong.document) ": " (wrong.statement)
                    }
                }
            }
        }
    }
}

fn client_hello(hello: &Hello) -> Markup {
    let extensions = hello.extensions.iter();
    let extensions: Vec<_> = extensions
        .map(|extension| format!("{}({})", extension.name, extension.number))
        .collect();
    html! {
        table {
            tr { th { "tls_flags" } td {
                @if hello.tls_flags.is_empty() { "absent" }
                @for flags in &hello.tls_flags { (flags_text(flags)) br; }
            } }
            tr { th { "versions" } td { (hello.versions.join(", ")) } }
            tr { th { "groups" } td { (hello.groups.join(", ")) } }
            tr { th { "extensions, in their order" } td { (extensions.join(", ")) } }
            tr { th { "cipher suites" } td { (hello.cipher_suites.join(", ")) } }
        }
    }
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

//! What the reference answers to a program: something of the cell's own, which the program's output then shows.

use crate::judge::Connection;
use crate::serve::{Page, Pages, Request};

/// Answers with a word that nothing else has.
#[derive(Debug)]
pub(super) struct Word(pub(super) String);

impl Pages for Word {
    fn page(&self, request: &Request, _connection: &Connection) -> Page {
        let Self(word) = self;
        let last = request.path.rsplit('/').next().unwrap_or_default();
        let text = |content: String| Page::text("200 OK", content);
        match last {
            // What git asks a server that knows nothing of git: gitprotocol-http(5), "Dumb Clients".
            "refs" => text(format!("{:040x}\trefs/heads/{word}\n", 1)),
            "HEAD" => text(format!("ref: refs/heads/{word}\n")),
            // What apt asks of a repository without signatures.
            "Packages" => text(format!(
                "Package: {word}\nVersion: 1\nArchitecture: all\nFilename: {word}.deb\nSize: 1\nMD5sum: {:032x}\n",
                1
            )),
            "" => Page {
                status: "200 OK",
                content_type: "text/html; charset=utf-8",
                content: format!("<!doctype html>\n<title>page</title>\n<p>{word}</p>\n"),
            },
            _ => Page::text("404 Not Found", "there is no such page\n".to_owned()),
        }
    }
}

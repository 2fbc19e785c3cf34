//! What others wrote, as it may stand in a message: bounded, and without anything that a terminal acts on.

use std::collections::VecDeque;
use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqmtls_contract::Reply;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The most characters of a text that a message repeats.
const MOST: usize = 300;

/// How many lines of stderr are repeated when a peer ends.
const LINES: usize = 3;

/// The text, cut after 300 characters, with escapes in place of characters that are not shown as they are.
pub(super) fn plain(text: &str) -> String {
    let text = text.trim_end();
    let mut plain = String::new();
    for (number, character) in text.chars().enumerate() {
        if number == MOST {
            plain.push('…');
            break;
        }
        if is_shown(character) {
            plain.push(character);
        } else {
            // A String takes whatever is written to it.
            let _ = write!(plain, "{}", character.escape_default());
        }
    }
    plain
}

/// Whether a terminal shows the character where it stands. Those left out besides control characters are invisible,
/// or turn the direction of what follows (Unicode Standard Annex #9).
fn is_shown(character: char) -> bool {
    let turns = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    !character.is_control() && !turns
}

/// A reply with all of its texts plain: the one place where they enter.
pub(super) fn plain_reply(mut reply: Reply) -> Reply {
    let change = |text: &mut String| *text = plain(text);
    match &mut reply {
        Reply::Error { message } => change(message),
        Reply::Unsupported { capability } => change(capability),
        Reply::Description(description) => {
            change(&mut description.name);
            change(&mut description.library);
        }
        Reply::Report(report) => {
            let errors = report.connections.iter_mut().map(|it| &mut it.error);
            errors.flatten().for_each(change);
        }
        Reply::Prepared {} | Reply::Held {} | Reply::Open {} => {}
    }
    reply
}

/// The last lines that a peer wrote to stderr.
#[derive(Clone, Debug, Default)]
pub(super) struct LastWords(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    whole: VecDeque<String>,
    open: Vec<u8>,
}

impl LastWords {
    /// Reads to the end of a stream.
    pub(super) async fn listen(&self, mut stream: impl AsyncRead + Unpin) -> io::Result<()> {
        let mut buffer = vec![0; 4 << 10];
        loop {
            match stream.read(&mut buffer).await? {
                0 => return Ok(()),
                length => self.take(&buffer[..length]),
            }
        }
    }

    /// Takes in what was written next.
    pub(super) fn take(&self, octets: &[u8]) {
        let mut lines = self.lock();
        for part in octets.split_inclusive(|octet| *octet == b'\n') {
            // Of a line that is longer than what is repeated, the rest is let go. A character has up to four octets.
            let room = (4 * (MOST + 1)).saturating_sub(lines.open.len());
            lines.open.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                lines.close();
            }
        }
    }

    /// The lines, as the end of a sentence; nothing where there are none.
    pub(super) fn text(&self) -> String {
        let mut lines = self.lock();
        lines.close();
        if lines.whole.is_empty() {
            return String::new();
        }
        let words: Vec<_> = lines.whole.iter().map(String::as_str).collect();
        format!("; its last words: {}", words.join(" / "))
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn close(&mut self) {
        let open = std::mem::take(&mut self.open);
        let line = plain(&String::from_utf8_lossy(&open));
        if line.is_empty() {
            return;
        }
        if self.whole.len() == LINES {
            self.whole.pop_front();
        }
        self.whole.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_acts_on() {
        assert_eq!(plain("\x1b[31mred\x07\r\n"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(plain("a\u{202e}b\u{9b}1m"), "a\\u{202e}b\\u{9b}1m");
        assert_eq!(plain("née | `x` <b>"), "née | `x` <b>");
    }

    #[test]
    fn cuts_long_texts() {
        let text = plain(&"é".repeat(4 << 20));
        assert_eq!(text.chars().count(), MOST + 1);
        assert!(text.ends_with('…'));
    }

    #[test]
    fn last_words_are_few_and_bounded_whatever_was_written() {
        let words = LastWords::default();
        assert_eq!(words.text(), "");
        words.take(b"first\nsecond\r\n\nthi");
        words.take(b"rd\n\xff\x1b[2J");
        assert_eq!(
            words.text(),
            "; its last words: second / third / \u{fffd}\\u{1b}[2J"
        );
        for _ in 0..1000 {
            words.take(&[b'x'; 10_000]);
        }
        assert!(words.lock().open.len() <= 4 * (MOST + 1));
        assert!(words.text().len() < 1000);
    }
}

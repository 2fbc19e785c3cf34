//! What a run writes to stdout as it comes, by a thread of its own: while a reader has stopped, cells stop too, but
//! signals are heard.

use std::future::Future;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

/// How many lines wait for the reader at most.
const MOST: usize = 512;

/// How many of them do not wait for room: those of peers, and of the end of the run.
const OTHERS: usize = 256;

/// How long the reader may take for what is left after an interrupt.
const HURRY: Duration = Duration::from_millis(500);

/// Takes whole lines, which wait to be written.
#[derive(Clone)]
pub(super) struct Queue {
    lines: mpsc::Sender<Vec<u8>>,
    /// Told of each line that was written, and of the end.
    written: Arc<Notify>,
}

/// Writes them, until every queue is dropped.
pub(super) struct Writing(JoinHandle<io::Result<()>>);

/// Begins to write to `out`.
///
/// # Panics
///
/// Outside of a runtime.
pub(super) fn queue(mut out: impl Write + Send + 'static) -> (Queue, Writing) {
    let (lines, mut taken) = mpsc::channel::<Vec<u8>>(MOST);
    let written = Arc::new(Notify::new());
    let queue = Queue {
        lines,
        written: Arc::clone(&written),
    };
    let writing = tokio::task::spawn_blocking(move || {
        let mut outcome = Ok(());
        while let Ok(()) = outcome
            && let Some(line) = taken.blocking_recv()
        {
            outcome = out.write_all(&line).and_then(|()| out.flush());
            written.notify_one();
        }
        drop(taken);
        written.notify_one();
        outcome
    });
    (queue, Writing(writing))
}

impl Queue {
    /// Waits until there is room for the lines of a cell, or nobody reads them.
    pub(super) async fn room(&self) {
        while self.lines.capacity() <= OTHERS && !self.lines.is_closed() {
            self.written.notified().await;
        }
    }
}

impl Write for Queue {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        match self.lines.try_send(lines.to_vec()) {
            Ok(()) => Ok(lines.len()),
            Err(TrySendError::Closed(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(TrySendError::Full(_)) => Err(io::Error::other("its reader has stopped")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writing {
    /// Waits for the end of it, or a moment from when `stop` is ready; whether it ended. That the reader has gone is no
    /// error.
    ///
    /// # Errors
    ///
    /// What writing failed with.
    pub(super) async fn end(self, stop: impl Future<Output = ()>) -> io::Result<bool> {
        let stopped = async {
            stop.await;
            tokio::time::sleep(HURRY).await;
        };
        let written = tokio::select! {
            written = self.0 => written.unwrap_or_else(|error| Err(io::Error::other(error))),
            () = stopped => return Ok(false),
        };
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::io::Read;

    use futures_util::FutureExt;

    use super::*;

    /// Lines of which none fits into the pipe with another.
    fn line() -> Vec<u8> {
        let mut line = vec![b'x'; 1 << 16];
        line.push(b'\n');
        line
    }

    #[tokio::test]
    async fn there_is_room_again_once_a_reader_goes_on() {
        let (mut reader, writer) = io::pipe().unwrap();
        let (mut queue, writing) = queue(writer);
        let mut count = 0;
        while queue.room().now_or_never().is_some() {
            queue.write_all(&line()).unwrap();
            count += 1;
        }
        assert!(
            (MOST - OTHERS..=MOST - OTHERS + 2).contains(&count),
            "{count}"
        );
        // What does not wait for room has some.
        queue.write_all(b"end\n").unwrap();
        let reading = tokio::task::spawn_blocking(move || {
            let mut text = Vec::new();
            reader.read_to_end(&mut text).map(|_| text)
        });
        queue.room().await;
        drop(queue);
        assert!(writing.end(pending()).await.unwrap());
        let text = reading.await.unwrap().unwrap();
        assert_eq!(text.len(), count * line().len() + 4);
        assert!(text.ends_with(b"x\nend\n"));
    }

    #[tokio::test]
    async fn a_reader_that_has_gone_is_no_error_and_one_that_has_stopped_is_not_waited_for() {
        let (reader, writer) = io::pipe().unwrap();
        let (mut gone, writing) = queue(writer);
        drop(reader);
        gone.write_all(b"line\n").unwrap();
        gone.lines.closed().await;
        let error = gone.write_all(b"line\n").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        gone.room().await;
        assert!(writing.end(pending()).await.unwrap());
        let (reader, writer) = io::pipe().unwrap();
        let (mut stopped, writing) = queue(writer);
        stopped.write_all(&line()).unwrap();
        assert!(!writing.end(ready(())).await.unwrap());
        drop(reader);
    }
}

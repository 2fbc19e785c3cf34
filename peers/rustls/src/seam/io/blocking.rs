//! An [`EditedIo`] over a blocking stream.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::task::{Context, Poll, Waker};

use super::EditedIo;
use crate::seam::records::HelloReader;
use crate::seam::transport::Transport;

/// A stream whose calls end in time: by success, by an error, or because the stream's own timeout has passed.
struct Below<'a, IO> {
    io: &'a mut IO,
    /// What the stream said instead of waiting any longer.
    timeout: Option<io::Error>,
}

impl<'a, IO> Below<'a, IO> {
    fn new(io: &'a mut IO) -> Self {
        Self { io, timeout: None }
    }

    /// Repeats a call as long as a signal interrupts it. A timeout may be tried again, so nothing is lost by it.
    fn call<T>(&mut self, mut call: impl FnMut(&mut IO) -> io::Result<T>) -> Poll<io::Result<T>> {
        loop {
            match call(self.io) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => {
                    self.timeout = Some(error);
                    return Poll::Pending;
                }
                done => return Poll::Ready(done),
            }
        }
    }

    /// What a caller gets who does not wait.
    fn outcome<T>(self, polled: Poll<io::Result<T>>) -> io::Result<T> {
        match polled {
            Poll::Ready(done) => done,
            Poll::Pending => Err(self.timeout.unwrap_or(ErrorKind::WouldBlock.into())),
        }
    }
}

/// Which of the two it is depends on the platform.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

impl<IO: Read + Write> Transport for Below<'_, IO> {
    fn poll_read(&mut self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.call(|io| io.read(buf))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.call(|io| io.write(buf))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.call(Write::flush)
    }
}

/// Nobody is woken: whoever calls waits for the outcome.
fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl<IO: Read + Write> EditedIo<IO> {
    /// Reads ahead as [`Self::read_client_hello`] does.
    pub(crate) fn read_client_hello_blocking(&mut self) -> io::Result<Option<HelloReader>> {
        let mut below = Below::new(&mut self.io);
        let read = self
            .stage
            .poll_client_hello(&mut below, &mut context(), &mut None);
        below.outcome(read)
    }
}

impl<IO: Read + Write> Read for EditedIo<IO> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.stage.is_over() {
            return self.io.read(buf);
        }
        let mut below = Below::new(&mut self.io);
        let read = self.stage.poll_read(&mut below, &mut context(), buf);
        below.outcome(read)
    }
}

impl<IO: Read + Write> Write for EditedIo<IO> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut below = Below::new(&mut self.io);
        let written = self.stage.poll_write(&mut below, &mut context(), bufs);
        match below.outcome(written)? {
            Some(taken) => Ok(taken),
            None => match bufs {
                [buf] => self.io.write(buf),
                bufs => self.io.write_vectored(bufs),
            },
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut below = Below::new(&mut self.io);
        let drained = self.stage.poll_drain_to_write(&mut below, &mut context());
        below.outcome(drained)?;
        self.io.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, record};
    use super::*;
    use crate::hello::tests::client_hello;

    /// Takes so many octets, and then its timeout passes.
    struct Gate {
        open: usize,
        taken: Vec<u8>,
        timeout: ErrorKind,
    }

    impl Read for Gate {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(self.timeout.into())
        }
    }

    impl Write for Gate {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            let most = self.open.min(buf.len());
            if most == 0 {
                return Err(self.timeout.into());
            }
            self.open -= most;
            self.taken.extend_from_slice(&buf[..most]);
            Ok(most)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_is_lost_or_sent_twice_by_a_timeout() {
        for timeout in [ErrorKind::WouldBlock, ErrorKind::TimedOut] {
            let (open, taken) = (20, Vec::new());
            let gate = Gate {
                open,
                taken,
                timeout,
            };
            let mut io = EditedIo::for_client(gate, &config());
            let hello = record(&client_hello(&[]));
            assert_eq!(io.write(&hello).unwrap(), hello.len());
            assert_eq!(io.flush().unwrap_err().kind(), timeout);
            assert_eq!(io.read(&mut [0; 8]).unwrap_err().kind(), timeout);
            io.get_mut().open = 1000;
            io.flush().unwrap();
            let edited = record(&client_hello(&[(62, &[1, 1])]));
            assert_eq!(io.get_ref().taken, edited);
        }
    }
}

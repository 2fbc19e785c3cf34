//! A transcript hash that takes in messages as they were sent.

use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};

use super::Plan;
use super::framer::{Framer, Place};

/// The hash of a suite, for handshakes whose messages are edited.
///
/// One-shot hashing, which rustls uses for other things than transcripts, is
/// left as it is.
pub(super) struct EditedHash {
    pub(super) inner: &'static dyn Hash,
    pub(super) plan: &'static Plan,
    pub(super) place: Place,
}

impl Hash for EditedHash {
    fn start(&self) -> Box<dyn Context> {
        if self.plan.edits.is_empty() {
            return self.inner.start();
        }
        Box::new(EditedContext {
            inner: self.inner.start(),
            framer: Framer::new(self.plan, self.place),
        })
    }

    fn hash(&self, data: &[u8]) -> Output {
        self.inner.hash(data)
    }

    fn output_len(&self) -> usize {
        self.inner.output_len()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.inner.algorithm()
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}

struct EditedContext {
    inner: Box<dyn Context>,
    framer: Framer,
}

impl Context for EditedContext {
    fn fork_finish(&self) -> Output {
        let rest = self.framer.rest();
        if rest.is_empty() {
            return self.inner.fork_finish();
        }
        let mut inner = self.inner.fork();
        inner.update(&rest);
        inner.finish()
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self {
            inner: self.inner.fork(),
            framer: self.framer.clone(),
        })
    }

    fn finish(mut self: Box<Self>) -> Output {
        self.inner.update(&self.framer.rest());
        self.inner.finish()
    }

    fn update(&mut self, data: &[u8]) {
        self.framer
            .push(data, &mut |edited| self.inner.update(edited));
    }
}

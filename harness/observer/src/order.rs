//! The order in which octets were relayed, which the canonical order of a transcript does not show.

use crate::{Entry, Transcript};

impl Transcript {
    /// The entries in the order in which they were complete. What one event of the recording completed stands in
    /// the order of its bytes.
    ///
    /// Application data that is joined to one entry stands where the last of it arrived; [`Entry::start`] says
    /// where the first of it did. An end may have sent something before it read what stands in front of it here:
    /// the order is that of the relay, or of the packets of a capture.
    #[must_use]
    pub fn by_arrival(&self) -> Vec<&Entry> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        // An event is of one side. The sort is stable: messages of one record are in the order of their bytes.
        entries.sort_by_key(|entry| (entry.arrival, entry.records.end));
        entries
    }
}

impl Entry {
    /// Whether this entry was complete before the first record of the other one began. Of one side that is the
    /// order of its records: of messages that share a record, neither is complete before the other began.
    ///
    /// If it is true for a message of the other side, the sender of `other` can have known the message; if it is
    /// false, part of `other` was on its way before.
    #[must_use]
    pub fn is_complete_before(&self, other: &Self) -> bool {
        if self.from == other.from {
            self.records.end <= other.records.start
        } else {
            self.arrival < other.start
        }
    }
}

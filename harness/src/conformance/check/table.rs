//! Which check stands for which requirement.

use super::{Shown, View, authentication, closure, extensions, rca, rm, tf, unknown};

/// How a requirement is checked.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// By what the transcript shows.
    Observed(fn(&View<'_>) -> Vec<Shown>),
    /// Not at all: why no transcript can show it.
    Unobservable(&'static str),
}

/// The check of every requirement, by its id.
pub const CHECKS: &[(&str, Check)] = &[
    ("RM-1", Check::Observed(rm::may_request)),
    ("RM-2", Check::Observed(rm::hint)),
    ("RM-3", Check::Observed(rm::absent_certificate)),
    ("RM-4", Check::Observed(rm::client_hello_only)),
    ("RM-5", Check::Observed(rm::asks_on_flag)),
    ("RCA-1", Check::Observed(rca::acknowledges)),
    ("RCA-2", Check::Observed(rca::other_reason)),
    ("RCA-3", Check::Observed(rca::answers_with_certificate)),
    ("RCA-4", Check::Observed(rca::does_not_end_early)),
    ("RCA-5", Check::Observed(rca::acknowledges_only_the_asked)),
    ("RCA-6", Check::Observed(rca::refuses_unasked)),
    ("RCA-7", Check::Observed(rca::client_refuses_misplaced)),
    ("RCA-8", Check::Observed(rca::server_refuses_misplaced)),
    (
        "RCA-9",
        Check::Unobservable("whether a person was prompted does not pass over the wire"),
    ),
    ("TF-1", Check::Observed(tf::encoding)),
    ("TF-2", Check::Observed(tf::minimal)),
    ("TF-3", Check::Observed(tf::refuses_zeros)),
    ("TF-4", Check::Observed(tf::refuses_invalid)),
    ("TF-5", Check::Observed(tf::zero_length)),
    ("TF-6", Check::Observed(tf::acknowledges_proposed)),
    ("TF-7", Check::Observed(tf::refuses_unsolicited)),
    ("TF-8", Check::Observed(unknown::ignores_flags)),
    ("TF-9", Check::Observed(tf::place)),
    ("TF-10", Check::Observed(tf::sends_flags)),
    ("TLS-1", Check::Observed(authentication::request_place)),
    ("TLS-2", Check::Observed(authentication::answers_request)),
    ("TLS-3", Check::Observed(authentication::verify_follows)),
    ("TLS-4", Check::Observed(authentication::empty_certificate)),
    ("TLS-5", Check::Observed(authentication::unacceptable_chain)),
    ("TLS-6", Check::Observed(authentication::bad_signature)),
    ("TLS-7", Check::Observed(unknown::unknown_extensions)),
    ("TLS-8", Check::Observed(extensions::known_or_twice)),
    ("TLS-9", Check::Observed(extensions::same_after_retry)),
    ("TLS-10", Check::Observed(closure::closes)),
    ("TLS-11", Check::Observed(extensions::meaningless_in_tls12)),
    ("TLS-12", Check::Observed(authentication::only_if_offered)),
];

/// The check of a requirement.
pub(super) fn find(id: &str) -> Option<Check> {
    let found = CHECKS.iter().find(|(other, _)| *other == id);
    found.map(|(_, check)| *check)
}

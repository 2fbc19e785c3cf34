//! The flags extension.

use super::{BOTH, CLIENT, Check, Level, NOBODY, RECOMMENDED, Requirement, Section, Source};
use crate::judge::check::{demand, tf, unknown};

pub(super) const ROWS: &[Requirement] = &[
    Requirement {
        id: "TF-1",
        level: Level::Statement,
        sections: &[Section::of(&Source::TF, "2")],
        statement: "extension_data is one length octet and that many octets (at least 1, at most 255); flag \
                    n is bit n mod 8, least significant first, of octet n div 8",
        binds: BOTH,
        check: Check::Observed(tf::encoding),
        unviolated: None,
    },
    Requirement {
        id: "TF-2",
        level: Level::Statement,
        sections: &[Section::of(&Source::TF, "2")],
        statement: "the octets are the fewest that hold the highest flag set: the last octet is not zero",
        binds: BOTH,
        check: Check::Observed(tf::minimal),
        unviolated: None,
    },
    Requirement {
        id: "TF-3",
        level: Level::Must,
        sections: &[Section::of(&Source::TF, "2")],
        statement: "a receiver of an all-zero value or of trailing zero octets sends fatal \
                    illegal_parameter",
        binds: BOTH,
        check: Check::Observed(demand::tf_3),
        unviolated: None,
    },
    Requirement {
        id: "TF-4",
        level: Level::Must,
        sections: &[Section::of(&Source::TF, "3")],
        statement: "a receiver of any other invalid `tls_flags` ends with fatal illegal_parameter. For what \
                    cannot be parsed this contradicts TLS-17 and TLS-18, which are MUST as well",
        binds: BOTH,
        check: Check::Observed(demand::tf_4),
        unviolated: None,
    },
    Requirement {
        id: "TF-5",
        level: Level::MustNot,
        sections: &[Section::of(&Source::TF, "3")],
        statement: "a client does not send the extension with zero length",
        binds: CLIENT,
        check: Check::Observed(tf::zero_length),
        unviolated: None,
    },
    Requirement {
        id: "TF-6",
        level: Level::MustNot,
        sections: &[Section::of(&Source::TF, "3")],
        statement: "a flag is not acknowledged in SH, EE, CT or HRR unless CH or CR proposed it",
        binds: BOTH,
        check: Check::Observed(tf::acknowledges_proposed),
        unviolated: None,
    },
    Requirement {
        id: "TF-7",
        level: Level::Must,
        sections: &[Section::of(&Source::TF, "3")],
        statement: "an endpoint that receives an unsolicited flag in HRR, SH, EE or CT sends fatal \
                    illegal_parameter. TLS-7 wants 110 if the endpoint had not sent `tls_flags` at all",
        binds: BOTH,
        check: Check::Observed(demand::tf_7),
        unviolated: None,
    },
    Requirement {
        id: "TF-8",
        level: Level::Inference,
        sections: &[Section::of(&Source::TF, "3")],
        statement: "unsolicited flags may appear in CH, CR and NST; a receiver ignores those it does not \
                    know",
        binds: BOTH,
        check: Check::Observed(unknown::ignores_flags),
        unviolated: Some("no end here refuses flags that it does not know"),
    },
    Requirement {
        id: "TF-9",
        level: Level::Statement,
        sections: &[Section::of(&Source::TF, "4")],
        statement: "the extension may stand in CH, SH, HRR, EE, CR, CT and NST of TLS 1.3 and nowhere else",
        binds: BOTH,
        check: Check::Observed(tf::place),
        unviolated: None,
    },
    Requirement {
        id: "TF-10",
        level: Level::Shall,
        sections: &[Section::of(&Source::TF, "3")],
        statement: "an endpoint that proposes a flag sends the extension with that bit set",
        binds: CLIENT,
        check: Check::Observed(tf::sends_flags),
        unviolated: None,
    },
    Requirement {
        id: "TF-11",
        level: Level::Should,
        sections: &[Section::of(&Source::TF, "3")],
        statement: "a flag that requires acknowledgement is acknowledged in SH, EE, CT or HRR (proposed in \
                    CH) or in the client's CT (proposed in CR). RCA acknowledges a CH flag in CR, which \
                    this list does not name",
        binds: BOTH,
        check: Check::Observed(tf::acknowledges),
        unviolated: RECOMMENDED,
    },
    Requirement {
        id: "TF-12",
        level: Level::MustNot,
        sections: &[Section::of(&Source::TF, "3")],
        statement: "the only response to a flag is the same flag in a flags extension",
        binds: BOTH,
        check: Check::Observed(tf::same_flag),
        unviolated: Some(
            "another response than the same flag is an unsolicited flag, which violates TF-6",
        ),
    },
    Requirement {
        id: "TF-13",
        level: Level::Must,
        sections: &[Section::of(&Source::TF, "3.1")],
        statement: "a document that defines a flag defines its interaction with 0-RTT. RM and RCA do not: a \
                    finding about the documents",
        binds: NOBODY,
        check: Check::Observed(tf::defines_early_data),
        unviolated: None,
    },
];

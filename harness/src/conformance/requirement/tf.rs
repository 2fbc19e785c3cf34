//! The flags extension.

use super::{
    Document,
    Level::{self, Must, MustNot, Shall, Statement},
    Requirement,
};

pub(super) const ROWS: &[Requirement] = &[
    row(
        "TF-1",
        Statement,
        "extension_data is one length octet and that many octets (at least 1, at most 255); \
         flag n is bit n mod 8, least significant first, of octet n div 8",
    ),
    row(
        "TF-2",
        Statement,
        "the octets are the fewest that hold the highest flag set: the last octet is not zero",
    ),
    row(
        "TF-3",
        Must,
        "a receiver of an all-zero value or of trailing zero octets sends fatal \
         illegal_parameter",
    ),
    row(
        "TF-4",
        Must,
        "a receiver of any other invalid `tls_flags` ends with fatal illegal_parameter",
    ),
    row(
        "TF-5",
        MustNot,
        "a client does not send the extension with zero length. What a receiver does is \
         ambiguous: the syntax `<1..255>` makes it a decode error (50), the sentence on \
         invalid values makes it illegal_parameter (47); a check accepts both and says which",
    ),
    row(
        "TF-6",
        MustNot,
        "a flag is not acknowledged in SH, EE, CT or HRR unless CH or CR proposed it",
    ),
    row(
        "TF-7",
        Must,
        "an endpoint that receives an unsolicited flag in HRR, SH, EE or CT sends fatal \
         illegal_parameter",
    ),
    row(
        "TF-8",
        Statement,
        "flags that a receiver does not know are allowed in CH, CR and NST, and ignored there",
    ),
    row(
        "TF-9",
        Statement,
        "the extension may stand in CH, SH, HRR, EE, CR, CT and NST of TLS 1.3 and nowhere \
         else",
    ),
    row(
        "TF-10",
        Shall,
        "an endpoint that proposes a flag sends the extension with that bit set",
    ),
];

const fn row(id: &'static str, level: Level, statement: &'static str) -> Requirement {
    Requirement {
        id,
        level,
        document: Document::Tf,
        section: "",
        statement,
    }
}

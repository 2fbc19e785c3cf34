//! `CompressedCertificate` (RFC 8879 §4).

use reqmtls_vocabulary::{CertificateCompressionAlgorithm, HandshakeType};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::certificate::Certificate;
use super::decompress::decompress;
use crate::reader::{ReadError, Reader};

/// A `CompressedCertificate`, which stands in the place of a Certificate of TLS 1.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompressedCertificate {
    /// How the Certificate was compressed.
    pub algorithm: CertificateCompressionAlgorithm,
    /// The length that the message declares for the Certificate, in bytes.
    pub uncompressed_length: usize,
    /// The Certificate, or why it could not be read.
    pub certificate: Result<Certificate, Unreadable>,
}

/// Why the Certificate in a `CompressedCertificate` could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// The observer does not know the algorithm.
    #[error("unknown algorithm")]
    UnknownAlgorithm,
    /// The octets are not what the algorithm gives, or end too early.
    #[error("does not decompress")]
    Damaged,
    /// More octets follow the compressed data.
    #[error("{0} bytes follow the compressed data")]
    Trailing(usize),
    /// It gives more than the observer decompresses: 1 MiB.
    #[error("decompresses to more than 1 MiB")]
    TooLong,
    /// The side has sent more such messages than the observer decompresses.
    #[error("too many before it")]
    TooMany,
    /// It gives another number of octets than it declares. A receiver aborts with `bad_certificate` (RFC 8879 §4).
    #[error("uncompressed_length says {declared}, got {got} bytes")]
    Length {
        /// The declared length.
        declared: usize,
        /// The length of what it gives.
        got: usize,
    },
    /// What it gives is no Certificate.
    #[error("malformed Certificate: {0}")]
    Malformed(String),
}

impl CompressedCertificate {
    /// Reads the message. Only if the observer is to decompress it, it does so.
    pub(super) fn read(reader: &mut Reader<'_>, decompresses: bool) -> Result<Self, ReadError> {
        let algorithm = CertificateCompressionAlgorithm(reader.u16("algorithm")?);
        let uncompressed_length = reader.u24("uncompressed_length")?;
        let compressed = reader.vec24("compressed_certificate_message")?.rest();
        let certificate = if decompresses {
            certificate(algorithm, uncompressed_length, compressed)
        } else {
            Err(Unreadable::TooMany)
        };
        Ok(Self {
            algorithm,
            uncompressed_length,
            certificate,
        })
    }
}

fn certificate(
    algorithm: CertificateCompressionAlgorithm,
    declared: usize,
    compressed: &[u8],
) -> Result<Certificate, Unreadable> {
    let octets = decompress(algorithm, compressed)?;
    if octets.len() != declared {
        let got = octets.len();
        return Err(Unreadable::Length { declared, got });
    }
    let mut reader = Reader::new(&octets);
    let certificate = Certificate::read(&mut reader).and_then(|certificate| {
        reader.end(HandshakeType::CERTIFICATE.name().unwrap_or_default())?;
        Ok(certificate)
    });
    certificate.map_err(|error| Unreadable::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::decompress::LIMIT;

    type Algorithm = CertificateCompressionAlgorithm;

    /// A Certificate of one entry, of which the DER is four times the digits from 0 to 9.
    fn body() -> Vec<u8> {
        let der = b"0123456789".repeat(4);
        [&[0, 0, 0, 45, 0, 0, 40][..], &der, &[0, 0]].concat()
    }

    /// The same as libraries compress it: zlib and brotli by Node.js 20, zstd with its checksum by zstd 1.5.4.
    fn compressed() -> [(Algorithm, Vec<u8>); 3] {
        [
            (
                Algorithm::ZLIB,
                "789c636060d06560d03030343236313533b7b0c4cf62600000c647088a",
            ),
            (
                Algorithm::BROTLI,
                "1b3000f8056463b8162dc2f9098224458502003d887964f5ec7d00",
            ),
            (
                Algorithm::ZSTD,
                "28b52ffd2431cd0000980000002d00002830313233343536373839000001002b962531ba6fc9",
            ),
        ]
        .map(|(algorithm, text)| (algorithm, hex::decode(text).unwrap()))
    }

    fn read(algorithm: Algorithm, declared: usize, compressed: &[u8]) -> CompressedCertificate {
        let u24 = |length: usize| u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec();
        let octets = [
            &algorithm.0.to_be_bytes()[..],
            &u24(declared),
            &u24(compressed.len()),
            compressed,
        ];
        CompressedCertificate::read(&mut Reader::new(&octets.concat()), true).unwrap()
    }

    fn unreadable(algorithm: Algorithm, declared: usize, compressed: &[u8]) -> Unreadable {
        read(algorithm, declared, compressed)
            .certificate
            .unwrap_err()
    }

    #[test]
    fn reads_what_libraries_compress() {
        let expected = Certificate::read(&mut Reader::new(&body())).unwrap();
        for (algorithm, octets) in compressed() {
            let message = read(algorithm, 49, &octets);
            assert_eq!(message.certificate.as_ref(), Ok(&expected), "{algorithm}");
            assert_eq!(message.uncompressed_length, 49);
            assert_eq!(message.algorithm, algorithm);
        }
    }

    #[test]
    fn an_empty_certificate_is_one_that_can_be_read() {
        // Four octets of zero.
        let empty = [
            (Algorithm::ZLIB, "789c63606060000000040001"),
            (Algorithm::BROTLI, "8b01800000000003"),
            (Algorithm::ZSTD, "28b52ffd005821000000000000"),
        ];
        for (algorithm, text) in empty {
            let message = read(algorithm, 4, &hex::decode(text).unwrap());
            let certificate = message.certificate.unwrap();
            assert_eq!(certificate.certificates, [], "{algorithm}");
        }
    }

    #[test]
    fn every_cut_of_compressed_data_is_damaged() {
        for (algorithm, octets) in compressed() {
            for length in 0..octets.len() {
                let reason = unreadable(algorithm, 49, &octets[..length]);
                assert_eq!(reason, Unreadable::Damaged, "{algorithm} {length}");
            }
        }
    }

    #[test]
    fn octets_behind_compressed_data_are_reported() {
        for (algorithm, octets) in compressed() {
            let reason = unreadable(algorithm, 49, &[&octets[..], b"abc"].concat());
            assert_eq!(reason, Unreadable::Trailing(3), "{algorithm}");
        }
    }

    #[test]
    fn a_checksum_that_does_not_fit_is_damage() {
        for (algorithm, mut octets) in compressed() {
            if algorithm != Algorithm::BROTLI {
                *octets.last_mut().unwrap() ^= 1;
                let reason = unreadable(algorithm, 49, &octets);
                assert_eq!(reason, Unreadable::Damaged, "{algorithm}");
            }
        }
    }

    #[test]
    fn the_declared_length_is_compared_and_not_trusted() {
        for (algorithm, octets) in compressed() {
            for declared in [0, 48, 50, 0x00ff_ffff] {
                let reason = unreadable(algorithm, declared, &octets);
                assert_eq!(reason, Unreadable::Length { declared, got: 49 });
            }
        }
    }

    #[test]
    fn stops_at_the_limit() {
        // One octet more than the limit, all of them zero.
        let zlib = {
            let zeros = vec![0; LIMIT + 1];
            let mut encoder =
                flate2::read::ZlibEncoder::new(&zeros[..], flate2::Compression::new(9));
            let mut octets = Vec::new();
            std::io::Read::read_to_end(&mut encoder, &mut octets).unwrap();
            octets
        };
        let brotli = hex::decode("9b000010f82700e2b14040f7fe01").unwrap();
        // A frame with a window of 8 MiB and nine blocks of 128 KiB that repeat one octet.
        let block = [0x02, 0x00, 0x10, 0];
        let zstd = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x68][..], &block.repeat(9)].concat();
        for (algorithm, octets) in [
            (Algorithm::ZLIB, zlib),
            (Algorithm::BROTLI, brotli),
            (Algorithm::ZSTD, zstd),
        ] {
            let reason = unreadable(algorithm, 49, &octets);
            assert_eq!(reason, Unreadable::TooLong, "{algorithm}");
        }
    }

    #[test]
    fn nothing_is_reserved_because_a_stream_announces_it() {
        // A metablock of 16 MiB in a window of 16 MiB, of which one octet follows (RFC 7932 §9.1, §9.2).
        let reason = unreadable(Algorithm::BROTLI, 49, &[0xcf, 0xff, 0xff, 0xff, b'x']);
        assert_eq!(reason, Unreadable::TooLong);
        // A frame with a window of 16 MiB.
        let wide = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x70, 1, 0, 0];
        let reason = unreadable(Algorithm::ZSTD, 49, &wide);
        assert_eq!(reason, Unreadable::Damaged);
    }

    #[test]
    fn names_an_algorithm_that_it_does_not_know_and_what_is_no_certificate() {
        let reason = unreadable(CertificateCompressionAlgorithm(16384), 49, b"?");
        assert_eq!(reason, Unreadable::UnknownAlgorithm);
        let stored = hex::decode("789c63606060040000050002").unwrap();
        let reason = unreadable(Algorithm::ZLIB, 4, &stored);
        assert_eq!(
            reason.to_string(),
            "malformed Certificate: certificate list needs 1 bytes, 0 left"
        );
    }
}

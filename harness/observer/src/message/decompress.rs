//! The algorithms of certificate compression (RFC 8879 §7.3), with a limit on what they give.

use std::io::Read;

use brotli_decompressor::{
    Allocator, BrotliDecoderErrorCode as Refused, BrotliDecompressStream, BrotliResult,
    BrotliState, StandardAlloc,
};
use flate2::bufread::ZlibDecoder;
use reqmtls_vocabulary::CertificateCompressionAlgorithm as Algorithm;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::compressed::Unreadable;

/// The most octets that one message is decompressed to.
pub(super) const LIMIT: usize = 1 << 20;

/// The largest window of a zstd frame, which every decoder has to support (RFC 8878 §3.1.1.1.2). Nothing of that size
/// is reserved.
const ZSTD_WINDOW: u64 = 8 << 20;

/// Decompresses the whole of some octets.
pub(super) fn decompress(algorithm: Algorithm, compressed: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let (octets, left) = match algorithm {
        Algorithm::ZLIB => zlib(compressed),
        Algorithm::BROTLI => brotli(compressed),
        Algorithm::ZSTD => zstd(compressed),
        _ => return Err(Unreadable::UnknownAlgorithm),
    }?;
    match left {
        0 => Ok(octets),
        left => Err(Unreadable::Trailing(left)),
    }
}

/// What was decompressed, and how many octets are left behind the compressed data.
type Decompressed = Result<(Vec<u8>, usize), Unreadable>;

fn zlib(compressed: &[u8]) -> Decompressed {
    let mut octets = Vec::new();
    let mut decoder = ZlibDecoder::new(compressed);
    // One octet more, by which what is too long is known.
    let mut limited = decoder.by_ref().take(LIMIT as u64 + 1);
    let outcome = limited.read_to_end(&mut octets);
    if octets.len() > LIMIT {
        return Err(Unreadable::TooLong);
    }
    outcome.map_err(|_| Unreadable::Damaged)?;
    Ok((octets, decoder.into_inner().len()))
}

fn brotli(compressed: &[u8]) -> Decompressed {
    let [hash, numbers] = [StandardAlloc::default(); 2];
    let mut state = BrotliState::new_strict(Bounded, numbers, hash);
    let mut octets = Vec::new();
    let (mut left, mut offset) = (compressed.len(), 0);
    loop {
        let mut chunk = [0; 4096];
        let (mut free, mut filled) = (chunk.len(), 0);
        let outcome = BrotliDecompressStream(
            &mut left,
            &mut offset,
            compressed,
            &mut free,
            &mut filled,
            &mut chunk,
            &mut 0,
            &mut state,
        );
        octets.extend_from_slice(&chunk[..filled]);
        if octets.len() > LIMIT {
            return Err(Unreadable::TooLong);
        }
        match outcome {
            BrotliResult::ResultSuccess => return Ok((octets, left)),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => return Err(Unreadable::Damaged),
            BrotliResult::ResultFailure => {
                return Err(match state.error_code {
                    Refused::BROTLI_DECODER_ERROR_ALLOC_RING_BUFFER_1
                    | Refused::BROTLI_DECODER_ERROR_ALLOC_RING_BUFFER_2 => Unreadable::TooLong,
                    _ => Unreadable::Damaged,
                });
            }
        }
    }
}

/// Refuses to reserve what only a content longer than the limit needs, whatever a stream announces.
#[derive(Clone, Copy)]
struct Bounded;

impl Allocator<u8> for Bounded {
    type AllocatedMemory = <StandardAlloc as Allocator<u8>>::AllocatedMemory;

    fn alloc_cell(&mut self, len: usize) -> Self::AllocatedMemory {
        // The decoder's ring buffer has some octets more than what it holds.
        if len > LIMIT + 4096 {
            return Self::AllocatedMemory::default();
        }
        StandardAlloc::default().alloc_cell(len)
    }

    fn free_cell(&mut self, _: Self::AllocatedMemory) {}
}

fn zstd(mut compressed: &[u8]) -> Decompressed {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(ZSTD_WINDOW);
    let damaged = |_| Unreadable::Damaged;
    decoder.init(&mut compressed).map_err(damaged)?;
    // A block is the smallest step, and has at most 128 KiB.
    let enough = BlockDecodingStrategy::UptoBytes(LIMIT + 1);
    let finished = decoder.decode_blocks(&mut compressed, enough);
    let finished = finished.map_err(damaged)?;
    let octets = decoder.collect().unwrap_or_default();
    if !finished || octets.len() > LIMIT {
        return Err(Unreadable::TooLong);
    }
    let announced = decoder.get_checksum_from_data();
    if announced.is_some() && announced != decoder.get_calculated_checksum() {
        return Err(Unreadable::Damaged);
    }
    Ok((octets, compressed.len()))
}

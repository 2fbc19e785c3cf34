//! What a client sends is answered by the server of the in-tree implementation as by unmodified tokio-rustls:
//! the same error and the same records, after the same write, wherever `tls_flags` is not concerned.
#![no_main]

#[path = "../../../peers/rustls/tests/stock/hello.rs"]
mod hello;
#[path = "../../../peers/rustls/tests/stock/parts.rs"]
mod parts;
#[path = "../../../peers/rustls/tests/stock/pieces.rs"]
mod pieces;
#[expect(dead_code, reason = "live conversations need more of it")]
#[path = "../../../peers/rustls/tests/stock/pipe.rs"]
mod pipe;
#[expect(dead_code, reason = "a test looks at more of it")]
#[path = "../../../peers/rustls/tests/stock/script.rs"]
mod script;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pieces::Pieces;
use pipe::Pipe;
use script::Servers;

static SERVERS: LazyLock<Servers> = LazyLock::new(Servers::new);
static PIECES: LazyLock<Pieces> = LazyLock::new(Pieces::new);

fuzz_target!(|octets: &[u8]| {
    let script = PIECES.script(octets);
    // The last octet is the one that the script needs least.
    let pipe = match octets.last() {
        Some(octet) if octet % 2 == 1 => || Pipe::cut(1),
        _ => Pipe::default,
    };
    let (unmodified, ours) = SERVERS.play(&script, pipe);
    if let Some(ours) = ours {
        assert_eq!(ours, unmodified);
    }
});

//! Scripts by chance, the same at every run.

use crate::pieces::Pieces;
use crate::pipe::{Pipe, Random};
use crate::script::Servers;

const SCRIPTS: u64 = 3000;

#[test]
fn random_scripts_are_answered_alike() {
    let (servers, pieces) = (Servers::new(), Pieces::new());
    let mut lengths = [0; 3];
    for seed in 0..SCRIPTS {
        let mut random = Random::new(seed);
        let length = 4 + random.below(40);
        let octets: Vec<u8> = (0..length)
            .map(|_| u8::try_from(random.below(256)).unwrap())
            .collect();
        let script = pieces.script(&octets);
        let pipe = if random.below(2) == 0 {
            Pipe::default
        } else {
            || Pipe::cut(3)
        };
        let (unmodified, ours) = servers.play(&script, pipe);
        lengths[unmodified.answers().min(2)] += 1;
        if let Some(ours) = ours {
            assert_eq!(ours, unmodified, "seed {seed}, octets {octets:?}");
        }
    }
    // Scripts that nobody answers would prove little.
    assert!(lengths.iter().all(|count| *count > 100), "{lengths:?}");
}

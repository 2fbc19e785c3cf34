//! Scripts out of arbitrary octets, which choose and spoil pieces that make sense.

use crate::hello::{client_hello, direct, fragments, record, retried, with_early_data};
use crate::parts::{hellos, no_hellos};
use crate::script::Script;

/// Octets that a script has at most: a few times of what a server reads before it gives up.
const LONGEST: usize = 1 << 18;

/// What scripts are made of.
pub(crate) struct Pieces {
    hellos: Vec<Vec<u8>>,
    others: Vec<Vec<u8>>,
}

impl Pieces {
    pub(crate) fn new() -> Self {
        let named = hellos(retried).into_iter().chain(hellos(direct));
        let mut hellos: Vec<_> = named.map(|(_, hello)| hello).collect();
        // The ones that get furthest are chosen more often.
        for extensions in [
            retried(),
            direct(),
            with_early_data(retried(), true),
            with_early_data(direct(), true),
        ] {
            let hello = client_hello(&extensions);
            hellos.extend([hello.clone(), hello.clone(), hello]);
        }
        let others = no_hellos().into_iter().map(|(_, octets)| octets).collect();
        Self { hellos, others }
    }

    pub(crate) fn script(&self, octets: &[u8]) -> Script {
        let mut octets = octets.iter().copied();
        let mut script = vec![Vec::new()];
        let mut length = 0;
        while let Some(operation) = octets.next() {
            let mut number = || usize::from(octets.next().unwrap_or(0));
            let piece = match operation % 12 {
                0..=3 => {
                    let hello = &self.hellos[number() % self.hellos.len()];
                    let lengths = [number() * 4 + 1, number() * 64 + 1];
                    fragments(hello, &lengths)
                }
                4 => self.others[number() % self.others.len()].clone(),
                5 => record(23, &vec![7; number() * 70]),
                6 => record(20, &[1]),
                7 => {
                    let length = number();
                    octets.by_ref().take(length).collect()
                }
                8 => {
                    let (typ, length) = (operation / 12 + 16, number());
                    record(typ, &octets.by_ref().take(length).collect::<Vec<_>>())
                }
                9 => {
                    let (at, value) = (number() * 256 + number(), number());
                    if let Some(last) = script.last_mut().filter(|last| !last.is_empty()) {
                        let at = at % last.len();
                        last[at] = u8::try_from(value).unwrap_or(0);
                    }
                    continue;
                }
                10 => {
                    let cut = number();
                    if let Some(last) = script.last_mut() {
                        last.truncate(last.len().saturating_sub(cut));
                    }
                    continue;
                }
                _ => {
                    script.push(Vec::new());
                    continue;
                }
            };
            length += piece.len();
            if length > LONGEST {
                break;
            }
            script.last_mut().expect("a first write").extend(piece);
        }
        script
    }
}

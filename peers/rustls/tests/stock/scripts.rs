//! Scripts that were once answered otherwise, and others like them.

use crate::hello::{client_hello, direct, fragments, record, retried, with_early_data};
use crate::parts::{hellos, no_hellos};
use crate::pipe::Pipe;
use crate::script::{Script, Servers};

/// Every hello with everything that is none behind it, and every hello as the second of two.
pub(crate) fn all() -> Vec<(String, Script)> {
    let mut all = Vec::new();
    for (name, octets) in no_hellos() {
        all.push((name.to_owned(), vec![octets.clone()]));
        let good = record(22, &client_hello(&direct()));
        all.push((format!("{name}, then a hello"), vec![octets, good]));
    }
    let lengths: [&[usize]; 4] = [&[1 << 14], &[1, 3, 900], &[40], &[1]];
    for base in [direct, retried] {
        let kind = if base() == direct() {
            "direct"
        } else {
            "retried"
        };
        for (name, hello) in hellos(base) {
            for lengths in lengths {
                let hello = fragments(&hello, lengths);
                let name = format!("{kind} {name} in records of {lengths:?}");
                all.push((name, vec![hello.clone()]));
            }
        }
        for (name, octets) in no_hellos() {
            let hello = record(22, &client_hello(&base()));
            let second = record(22, &client_hello(&direct()));
            all.push((
                format!("{kind} hello, then {name}"),
                vec![hello.clone(), octets.clone(), second.clone()],
            ));
            all.push((
                format!("{kind} hello and {name} at once"),
                vec![[hello, octets].concat(), second],
            ));
        }
    }
    for early in [false, true] {
        let first = || with_early_data(retried(), early);
        let first = record(22, &client_hello(&first()));
        for (name, second) in hellos(direct) {
            for lengths in lengths {
                let second = fragments(&second, lengths);
                let name = format!("early data {early}, then {name} in records of {lengths:?}");
                let data = record(23, &[7; 1000]).repeat(8);
                all.push((
                    format!("{name}, at once"),
                    vec![[&first[..], &data, &second].concat()],
                ));
                all.push((
                    format!("{name}, one by one"),
                    vec![
                        first.clone(),
                        record(20, &[1]),
                        data[..1500].to_vec(),
                        data[1500..].to_vec(),
                        second,
                        record(23, &[7; 40]),
                    ],
                ));
            }
        }
    }
    let twice = client_hello(&direct()).repeat(2);
    all.push((
        "two hellos in a record".to_owned(),
        vec![record(22, &twice)],
    ));
    let much = record(22, &[]).repeat(3000);
    let retried = record(22, &client_hello(&retried()));
    all.push((
        "empty records for ever after HelloRetryRequest".to_owned(),
        vec![retried.clone(), much.clone(), much],
    ));
    let much = record(23, &[0; 1 << 14]).repeat(10);
    all.push((
        "data for ever after HelloRetryRequest".to_owned(),
        vec![retried, record(22, &[1]), much.clone(), much],
    ));
    all
}

#[test]
fn every_script_is_answered_alike() {
    let servers = Servers::new();
    for (name, script) in all() {
        for pipe in [Pipe::default, || Pipe::cut(7)] {
            let (unmodified, ours) = servers.play(&script, pipe);
            assert_eq!(ours.as_ref(), Some(&unmodified), "{name}");
        }
    }
}

//! What scripts are made of: messages, and what is none.

use crate::hello::{Extensions, client_hello, direct, record, with_early_data};

/// What no server accepts in place of a ClientHello.
pub(crate) fn no_hellos() -> Vec<(&'static str, Vec<u8>)> {
    let mut versions = record(22, &client_hello(&direct()));
    versions[1] = 2;
    let mut empty_hello = record(22, &[1, 0, 0, 0]);
    empty_hello.extend(record(22, &[1, 0, 0, 0]));
    vec![
        (
            "plain text",
            b"GET / HTTP/1.1\r\nHost: server.test\r\n\r\n".to_vec(),
        ),
        ("unknown record type", record(99, &[0; 20])),
        ("heartbeat", record(24, &[1, 0, 0])),
        ("record too long", [22, 3, 3, 0x48, 0x01].to_vec()),
        (
            "longest record, in part",
            [22, 3, 3, 0x47, 0xff, 1].to_vec(),
        ),
        ("other version", versions),
        ("change_cipher_spec", record(20, &[1])),
        ("bad change_cipher_spec", record(20, &[2])),
        ("application data", record(23, &[7; 40])),
        ("empty application data", record(23, &[])),
        ("empty application data, often", record(23, &[]).repeat(40)),
        ("empty handshake record", record(22, &[])),
        ("empty handshake records", record(22, &[]).repeat(1000)),
        ("fatal alert", record(21, &[2, 40])),
        ("warning", record(21, &[1, 90])),
        ("warnings", record(21, &[1, 90]).repeat(6)),
        ("close_notify", record(21, &[1, 0])),
        ("alert of an unknown level", record(21, &[7, 254])),
        ("half an alert", record(21, &[2])),
        ("finished", record(22, &[20, 0, 0, 32])),
        (
            "whole finished",
            record(22, &[&[20, 0, 0, 32][..], &[5; 32]].concat()),
        ),
        (
            "server_hello",
            record(22, &[&[2, 0, 0, 40][..], &[3; 40]].concat()),
        ),
        ("key_update", record(22, &[24, 0, 0, 1, 0])),
        ("empty hello", empty_hello),
        (
            "hello of 65532 octets",
            record(22, &[1, 0, 0xff, 0xfc, 3, 3]),
        ),
        ("hello of 16 MB", record(22, &[1, 0xff, 0xff, 0xff, 3, 3])),
        (
            "interleaved hello",
            [record(22, &[1]), record(23, &[0; 300]).repeat(80)].concat(),
        ),
        (
            "hello interleaved with change_cipher_spec",
            [record(22, &[1, 0, 0, 9]), record(20, &[1])].concat(),
        ),
        (
            "hello interleaved with an alert",
            [record(22, &[1, 0, 0, 9]), record(21, &[1, 0])].concat(),
        ),
        ("nothing", Vec::new()),
    ]
}

/// Messages, most of which no server accepts.
pub(crate) fn hellos(base: fn() -> Extensions) -> Vec<(&'static str, Vec<u8>)> {
    let with = |edit: &dyn Fn(&mut Extensions)| {
        let mut extensions = base();
        edit(&mut extensions);
        client_hello(&extensions)
    };
    let cut = |end: usize, hello: Vec<u8>| {
        let length = hello.len() - 4 - end;
        let length = u32::try_from(length).unwrap().to_be_bytes();
        [&[1], &length[1..], &hello[4..hello.len() - end]].concat()
    };
    vec![
        ("good", with(&|_| ())),
        (
            "unknown extension",
            with(&|it| it.push((0xfafa, vec![1, 2]))),
        ),
        (
            "unknown extension twice",
            with(&|it| it.extend([(0xfafa, vec![]), (0xfafa, vec![])])),
        ),
        ("known extension twice", with(&|it| it.push(it[1].clone()))),
        ("no extension", with(&Vec::clear)),
        ("no key_share", with(&|it| drop(it.pop()))),
        ("no versions", with(&|it| drop(it.remove(0)))),
        (
            "extension behind pre_shared_key",
            with(&|it| {
                *it = with_early_data(it.clone(), false);
                it.push((0xfafa, vec![]));
            }),
        ),
        (
            "unknown session",
            with(&|it| *it = with_early_data(it.clone(), false)),
        ),
        (
            "early data",
            with(&|it| *it = with_early_data(it.clone(), true)),
        ),
        ("bad server_name", with(&|it| it.insert(0, (0, vec![9])))),
        (
            "server_name with an address",
            with(&|it| it.insert(0, (0, b"\0\x0a\0\0\x07127.0.1".to_vec()))),
        ),
        ("cut in the last extension", cut(5, with(&|_| ()))),
        ("cut to its fixed part", cut(100, with(&|_| ()))),
        ("octets behind its extensions", {
            let mut hello = with(&|_| ());
            let length = u32::try_from(hello.len() - 4 + 3).unwrap().to_be_bytes();
            hello[1..4].copy_from_slice(&length[1..]);
            hello.extend([0; 3]);
            hello
        }),
        ("long", with(&|it| it.insert(0, (0xfafa, vec![0; 30_000])))),
        (
            "very long",
            with(&|it| it.insert(0, (0xfafa, vec![0; 65_300]))),
        ),
    ]
}

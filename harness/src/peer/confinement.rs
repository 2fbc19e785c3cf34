//! What a peer in a container may do: accept connections. It opens none, on either side of any cell, and so the
//! kernel refuses that: no network of the engine's keeps a container from the services of its host.

use serde_json::{Value, json};

/// The most memory of a container, in octets.
pub(super) const MEMORY: i64 = 1 << 30;

/// The most processes and threads of a container.
pub(super) const PROCESSES: i64 = 256;

/// The most processor time in each 100,000 µs, in µs: two cores.
pub(super) const PROCESSOR: (i64, i64) = (200_000, 100_000);

/// The most that the engine keeps of what a peer writes.
pub(super) const LOG: &str = "1m";

/// What opens a connection, or does it beside system calls (`io_uring_setup(2)`).
const CONNECTS: [&str; 4] = [
    "connect",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
];

/// What an unprivileged process could otherwise reach the kernel or its neighbours by, and no peer needs.
const NEEDLESS: [&str; 18] = [
    "add_key",
    "bpf",
    "fanotify_init",
    "kcmp",
    "keyctl",
    "mount",
    "open_by_handle_at",
    "perf_event_open",
    "pidfd_getfd",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "request_key",
    "setns",
    "umount2",
    "unshare",
    "userfaultfd",
];

/// Every flag of `clone(2)` that makes a namespace.
const NAMESPACES: u32 = 0x7e02_0000;

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;
/// `SOCK_DGRAM`, within the mask of types (`socket(2)`).
const DATAGRAMS: (u32, u32) = (2, 0xf);
const IPPROTO_SCTP: u32 = 132;
const MSG_FASTOPEN: u32 = 0x2000_0000;

/// The seccomp profile, as the engine takes it.
pub(super) fn profile() -> Value {
    let refuse = |names: &[&str], args: Value| json!({ "names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": EPERM, "args": args });
    let masked = |index: u32, value: u32, mask: u32| json!([{ "index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ" }]);
    let equal =
        |index: u32, value: u32| json!([{ "index": index, "value": value, "op": "SCMP_CMP_EQ" }]);
    let mut rules = vec![
        refuse(&CONNECTS, json!([])),
        refuse(&NEEDLESS, json!([])),
        // What needs no connection to send.
        refuse(&["socket"], masked(1, DATAGRAMS.0, DATAGRAMS.1)),
        // It connects by an option.
        refuse(&["socket"], equal(2, IPPROTO_SCTP)),
        // A first segment with data in it connects.
        refuse(
            &["sendto", "sendmmsg"],
            masked(3, MSG_FASTOPEN, MSG_FASTOPEN),
        ),
        refuse(&["sendmsg"], masked(2, MSG_FASTOPEN, MSG_FASTOPEN)),
    ];
    for bit in (0..32)
        .map(|bit| 1 << bit)
        .filter(|bit| NAMESPACES & bit != 0)
    {
        rules.push(refuse(&["clone"], masked(0, bit, bit)));
    }
    // Its flags lie in memory, where nobody can look; without it, libraries call clone.
    rules.push(
        json!({ "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS, "args": [] }),
    );
    json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules })
}

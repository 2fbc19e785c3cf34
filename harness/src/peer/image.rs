//! Which files a program needs beside itself: those that the dynamic loader maps, and no others.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// How long it may take to list what a program links.
const PATIENCE: Duration = Duration::from_secs(10);

/// The files that a program links, the loader among them; none for a static one. If they cannot be told, why.
pub(super) async fn linked(program: &Path, octets: &[u8]) -> Result<Vec<PathBuf>, String> {
    match octets {
        [0x7f, b'E', b'L', b'F', ..] if has_interpreter(octets) => {}
        [0x7f, b'E', b'L', b'F', ..] => return Ok(Vec::new()),
        _ => return Err("the program is no ELF executable".to_owned()),
    }
    let list = Command::new("ldd")
        .arg(program)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, list)
        .await
        .map_err(|_| format!("ldd did not end within {} s", PATIENCE.as_secs()))?
        .map_err(|error| format!("ldd: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("ldd: {}: {}", output.status, text.trim_end()));
    }
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// Reads what `ldd` writes. The loader stands there without an arrow, and what the kernel provides without a path.
fn parse(text: &str) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for line in text.lines().map(str::trim) {
        let (name, place) = line.split_once(" => ").unwrap_or((line, line));
        if place == "not found" {
            return Err(format!("it links {name}, which is not on this machine"));
        }
        let path = place.split(" (").next().unwrap_or(place);
        if path.starts_with('/') {
            files.push(PathBuf::from(path));
        }
    }
    Ok(files)
}

/// Whether an executable names a program interpreter, which is the dynamic loader (gABI, chapter 5: `PT_INTERP`).
fn has_interpreter(octets: &[u8]) -> bool {
    const PT_INTERP: u32 = 3;
    const IS_64: u8 = 2;
    let number = |at: usize, length: usize| -> Option<usize> {
        let field = octets.get(at..at.checked_add(length)?)?;
        let mut wide = [0; 8];
        wide[..length].copy_from_slice(field);
        usize::try_from(u64::from_le_bytes(wide)).ok()
    };
    // Anything but a 64-bit header is left to ldd.
    if octets.get(4) != Some(&IS_64) {
        return true;
    }
    let (Some(table), Some(size), Some(count)) = (number(32, 8), number(54, 2), number(56, 2))
    else {
        return true;
    };
    (0..count).any(|index| {
        let at = index
            .checked_mul(size)
            .and_then(|offset| offset.checked_add(table));
        at.and_then(|at| number(at, 4)) == usize::try_from(PT_INTERP).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_paths_of_libraries_and_of_the_loader() {
        let text = "\tlinux-vdso.so.1 (0x00007ffd2d5f2000)\n\
                    \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f0f1c000000)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f0f1c3f0000)\n";
        let expected = [
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib64/ld-linux-x86-64.so.2",
        ];
        assert_eq!(parse(text).unwrap(), expected.map(PathBuf::from));
    }

    #[test]
    fn names_what_is_not_there() {
        assert_eq!(
            parse("\tlibtls.so.7 => not found\n").unwrap_err(),
            "it links libtls.so.7, which is not on this machine"
        );
    }

    #[tokio::test]
    async fn a_script_has_no_image() {
        let error = linked(Path::new("run"), b"#!/bin/sh\n").await.unwrap_err();
        assert_eq!(error, "the program is no ELF executable");
    }

    #[tokio::test]
    async fn this_program_links_the_files_that_it_needs() {
        let program = std::env::current_exe().unwrap();
        let octets = std::fs::read(&program).unwrap();
        let files = linked(&program, &octets).await.unwrap();
        assert_eq!(files.is_empty(), !has_interpreter(&octets));
        assert!(files.iter().all(|file| file.is_file()), "{files:?}");
    }
}

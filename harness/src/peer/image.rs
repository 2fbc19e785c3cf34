//! A peer's program, and which files it needs beside itself: those that the dynamic loader maps, and no others.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;

/// How long it may take to list what a program links.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a peer is started.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// What stands behind its name, before `--listen`.
    pub arguments: Vec<String>,
    /// The folder that holds all that it consists of, if it is more than the executable.
    pub folder: Option<PathBuf>,
    /// Shared libraries that it opens while it runs.
    pub loads: Vec<String>,
}

/// A root file system in which a program runs.
pub(super) struct Image {
    /// The command line in it.
    pub(super) command: Vec<String>,
    /// Its files and folders, by their places in it; where each is here.
    pub(super) files: BTreeMap<String, PathBuf>,
}

impl Program {
    /// An executable that is all there is.
    #[must_use]
    pub fn alone(path: PathBuf) -> Self {
        Self {
            path,
            ..Self::default()
        }
    }

    /// Its command line, as far as it is the same for every start.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments);
        command
    }

    /// What it consists of, which has its place in the image, what that links, and what it opens. If that cannot be
    /// told, why.
    pub(super) async fn image(&self, place: &str) -> Result<Image, String> {
        let mut linked = linked(&self.path).await?;
        let whole = self.folder.as_deref().unwrap_or(&self.path);
        let whole_folder = self.folder.iter().flat_map(|folder| executables(folder));
        for file in whole_folder.filter(|file| *file != self.path) {
            linked.extend(self::linked(&file).await?);
        }
        for name in &self.loads {
            let mut folders = linked.iter().filter_map(|file| file.parent());
            let found = folders.find_map(|it| Some(it.join(name)).filter(|it| it.is_file()));
            let file = found.ok_or_else(|| {
                format!("it opens {name}, which is in no folder of a library that it links")
            })?;
            linked.extend(self::linked(&file).await?);
            linked.push(file);
        }
        let mut files = BTreeMap::from([(place.to_owned(), whole.to_owned())]);
        for file in linked {
            if file.starts_with(whole) {
                continue;
            }
            // A link in the image would name what is not there.
            let real =
                fs::canonicalize(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            files.insert(file.display().to_string(), real);
        }
        let own = whole.display().to_string();
        let path = self.path.display().to_string();
        let words = std::iter::once(&path).chain(&self.arguments);
        Ok(Image {
            command: words.map(|word| word.replace(&own, place)).collect(),
            files,
        })
    }
}

/// The ELF files below a folder, in the order of names.
fn executables(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let of = |path: PathBuf| {
        if path.is_symlink() {
            Vec::new()
        } else if path.is_dir() {
            executables(&path)
        } else {
            let mut start = [0; 4];
            let read = fs::File::open(&path).and_then(|mut file| file.read_exact(&mut start));
            if read.is_ok() && start == *b"\x7fELF" {
                vec![path]
            } else {
                Vec::new()
            }
        }
    };
    paths.into_iter().flat_map(of).collect()
}

/// The files that an executable or a library links, the loader among them; none for a static one.
async fn linked(program: &Path) -> Result<Vec<PathBuf>, String> {
    let octets = fs::read(program).map_err(|error| format!("{}: {error}", program.display()))?;
    match &octets[..] {
        [0x7f, b'E', b'L', b'F', ..] if is_dynamic(&octets) => {}
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

/// Whether there is something for the dynamic loader to do (gABI, chapter 5: `PT_DYNAMIC`).
fn is_dynamic(octets: &[u8]) -> bool {
    const PT_DYNAMIC: u32 = 2;
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
        at.and_then(|at| number(at, 4)) == usize::try_from(PT_DYNAMIC).ok()
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
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("run");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        let error = Program::alone(script).image("/peer").await.err().unwrap();
        assert_eq!(error, "the program is no ELF executable");
    }

    fn this_program() -> PathBuf {
        std::env::current_exe().unwrap()
    }

    #[tokio::test]
    async fn this_program_links_the_files_that_it_needs() {
        let image = Program::alone(this_program()).image("/peer").await.unwrap();
        assert_eq!(image.command, ["/peer"]);
        assert!(image.files.values().all(|file| file.is_file()));
        assert!(image.files.len() > 1 || !is_dynamic(&fs::read(this_program()).unwrap()));
    }

    #[tokio::test]
    async fn a_folder_is_in_the_image_whole_with_what_its_executables_link() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        fs::copy(this_program(), bin.join("it")).unwrap();
        fs::write(folder.path().join("main"), "text").unwrap();
        let program = Program {
            path: bin.join("it"),
            arguments: vec![format!("-x={}/main", folder.path().display())],
            folder: Some(folder.path().to_owned()),
            loads: Vec::new(),
        };
        let image = program.image("/peer").await.unwrap();
        assert_eq!(image.command, ["/peer/bin/it", "-x=/peer/main"]);
        assert_eq!(image.files["/peer"], folder.path());
        let alone = Program::alone(this_program()).image("/peer").await.unwrap();
        assert_eq!(image.files.len(), alone.files.len());
    }

    #[tokio::test]
    async fn names_a_library_that_is_opened_and_not_there() {
        let program = Program {
            loads: vec!["libno.so".to_owned()],
            ..Program::alone(this_program())
        };
        let error = program.image("/peer").await.err().unwrap();
        assert_eq!(
            error,
            "it opens libno.so, which is in no folder of a library that it links"
        );
    }
}

//! What a build or a program needs on the machine, and whether it is there.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Something that a build needs on the machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// A program that must be in `PATH`.
    pub program: Option<String>,
    /// A shared library that must be installed, e.g. `libclang`.
    pub library: Option<String>,
    /// A header that must be installed, e.g. `gnutls/gnutls.h`: a library may be there without what it is built by.
    pub header: Option<String>,
    /// A file that must be there, e.g. `/usr/share/java/gson.jar`.
    pub file: Option<String>,
    /// An environment variable that must be set: what it names is in no package.
    pub variable: Option<String>,
    /// The Debian package that has it.
    pub package: Option<String>,
    /// How to come by it where no package has it.
    pub help: Option<String>,
}

impl Tool {
    /// Whether it says one thing to look for, and one way to come by it.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.kinds().count() != 1 {
            return Err(format!(
                "tool {:?}: expected exactly one of program, library, header, file and variable",
                self.source()
            ));
        }
        if self.package.is_some() == self.help.is_some() {
            return Err(format!(
                "tool {:?}: expected exactly one of package and help",
                self.name()
            ));
        }
        Ok(())
    }

    /// Every kind of thing that it names.
    fn kinds(&self) -> impl Iterator<Item = &String> {
        let kinds = [
            &self.program,
            &self.library,
            &self.header,
            &self.file,
            &self.variable,
        ];
        kinds.into_iter().flatten()
    }

    /// What is looked for: the name of the program, the library, the header, the file or the variable.
    #[must_use]
    pub fn name(&self) -> &str {
        self.kinds().next().map_or("", String::as_str)
    }

    /// Where it comes from, in words.
    #[must_use]
    pub fn source(&self) -> String {
        match (&self.package, &self.help) {
            (Some(package), _) => format!("Debian package {package}"),
            (None, help) => help.clone().unwrap_or_default(),
        }
    }

    /// Whether the machine has it.
    #[must_use]
    pub fn is_present(&self) -> bool {
        let program = |it: &str| in_folders(std::env::var_os("PATH"), |name| name == it);
        let variable = |it: &str| std::env::var_os(it).is_some_and(|value| !value.is_empty());
        let of = |kind: &Option<String>, check: &dyn Fn(&str) -> bool| {
            kind.as_deref().is_some_and(check)
        };
        of(&self.program, &program)
            || of(&self.library, &library_is_present)
            || of(&self.header, &header_is_present)
            || of(&self.file, &|it| Path::new(it).exists())
            || of(&self.variable, &variable)
    }
}

/// Looks where C compilers look.
fn header_is_present(header: &str) -> bool {
    let folders = ["/usr/include", "/usr/local/include"].map(Path::new);
    folders.iter().any(|folder| folder.join(header).is_file())
}

/// Looks where bindgen looks: `LIBCLANG_PATH`, then the folders of the system and of LLVM.
fn library_is_present(library: &str) -> bool {
    let matches = |name: &str| is_library(name, library);
    let mut folders: Vec<PathBuf> = ["/usr/lib", "/usr/lib64", "/usr/local/lib"]
        .map(PathBuf::from)
        .into();
    let below = fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()));
    for folder in below.filter(|folder| folder.is_dir()) {
        folders.push(folder.join("lib"));
        folders.push(folder);
    }
    let system = std::env::join_paths(folders).ok();
    in_folders(std::env::var_os("LIBCLANG_PATH"), matches) || in_folders(system, matches)
}

/// Whether a file is of the library, in some version: `libclang.so.1`, `libclang-14.so.1`, not `libclang-cpp.so.14`.
fn is_library(file: &str, library: &str) -> bool {
    let Some(rest) = file.strip_prefix(library) else {
        return false;
    };
    let version = rest.strip_prefix('-').filter(|it| it.contains(".so"));
    rest.starts_with(".so") || version.is_some_and(|it| it.starts_with(char::is_numeric))
}

fn in_folders(folders: Option<std::ffi::OsString>, matches: impl Fn(&str) -> bool) -> bool {
    let Some(folders) = folders else { return false };
    std::env::split_paths(&folders)
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_str().is_some_and(&matches))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_not_another_whose_name_begins_so() {
        let is = |file| is_library(file, "libclang");
        assert!(is("libclang.so") && is("libclang.so.1") && is("libclang-14.so.13"));
        assert!(!is("libclang-cpp.so.14") && !is("libclang-14.a") && !is("libclangd.so"));
    }

    #[test]
    fn finds_a_program_that_exists_and_none_that_does_not() {
        let is_present = |kind: &str, name: &str| {
            let text = format!("{kind} = {name:?}\npackage = 'p'\n");
            toml_edit::de::from_str::<Tool>(&text).unwrap().is_present()
        };
        for (kind, present) in [
            ("program", "sh"),
            ("header", "stdio.h"),
            ("file", "/etc/passwd"),
            ("variable", "PATH"),
        ] {
            assert!(is_present(kind, present), "{kind}");
            assert!(!is_present(kind, "no/such/thing"), "{kind}");
        }
    }
}

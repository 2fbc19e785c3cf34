//! From files and folders to scenarios.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::diagnostic::{Diagnostic, Diagnostics, Source};
use super::file::File;
use super::{Scenario, expand};

/// A file beside the scenarios that is none: what the published results ask and explain.
pub const PUBLISHED: &str = "published.toml";

/// The folder of the scenarios that test the harness.
pub const SELF_TEST: &str = "self-test";

/// Reads every scenario of a folder and of `self-test/` in it, sorted by id.
///
/// Every file that ends in `.toml` is one, but for `published.toml`.
///
/// # Errors
///
/// Everything that is wrong with any of the files, or that there is none.
pub fn load_dir(folder: &Path) -> Result<Vec<Scenario>, Diagnostics> {
    let mut files = files_of(folder)?;
    let self_test = folder.join(SELF_TEST);
    if self_test.is_dir() {
        files.extend(files_of(&self_test)?);
    }
    load_files(&files)
}

/// Reads these files, sorted by id.
///
/// # Errors
///
/// Everything that is wrong with any of the files, or that two have one id.
pub fn load_files(paths: &[PathBuf]) -> Result<Vec<Scenario>, Diagnostics> {
    collect(paths.iter().map(|path| (path.as_path(), load_file(path))))
}

/// The scenarios that are part of the program, sorted by id.
///
/// # Errors
///
/// None that a program has which was tested.
pub fn built_in() -> Result<Vec<Scenario>, Diagnostics> {
    const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));
    let files = FILES.iter().map(|(path, text)| (Path::new(path), *text));
    collect(files.map(|(path, text)| (path, parse(path, text))))
}

fn collect<'a>(
    files: impl Iterator<Item = (&'a Path, Result<Scenario, Diagnostics>)>,
) -> Result<Vec<Scenario>, Diagnostics> {
    let mut found: Vec<(&Path, Scenario)> = Vec::new();
    let mut wrong = Diagnostics::default();
    for (path, scenario) in files {
        match scenario {
            Ok(scenario) => found.push((path, scenario)),
            Err(more) => wrong.extend(more),
        }
    }
    found.sort_by(|(_, one), (_, other)| one.id.cmp(&other.id));
    for pair in found.windows(2) {
        let [(first, one), (second, other)] = pair else {
            continue;
        };
        if one.id == other.id {
            let message = format!("scenario `{}` is also in {}", one.id, first.display());
            wrong.push(Diagnostic::of_file(second, message));
        }
    }
    if wrong.is_empty() {
        Ok(found.into_iter().map(|(_, scenario)| scenario).collect())
    } else {
        Err(wrong)
    }
}

/// Reads one scenario from its file.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn load_file(path: &Path) -> Result<Scenario, Diagnostics> {
    let octets = fs::read(path).map_err(|error| unreadable(path, &error))?;
    match String::from_utf8(octets) {
        Ok(text) => parse(path, &text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
            let source = Source {
                path,
                text: &before,
            };
            let (line, column) = source.position(before.len());
            let message = format!("not UTF-8 from line {line}, column {column}");
            Err(Diagnostic::of_file(path, message).into())
        }
    }
}

/// Reads one scenario from its text. The path gives its id, and says whether it is a self-test; it is never
/// opened.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn parse(path: &Path, text: &str) -> Result<Scenario, Diagnostics> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let id = name.strip_suffix(".toml").filter(|id| is_kebab_case(id));
    let Some(id) = id else {
        let message = "got this file name, expected NAME.toml, where NAME is words of lower-case letters and \
             digits with single hyphens between them";
        return Err(Diagnostic::of_file(path, message).into());
    };
    let source = Source { path, text };
    let file = File::parse(source)?;
    let folder = path.parent().and_then(Path::file_name);
    expand::expand(id, folder == Some(SELF_TEST.as_ref()), source, &file)
}

/// The scenario files of a folder, sorted.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Diagnostics> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let ending = path.extension().unwrap_or_default();
        if ending.eq_ignore_ascii_case("toml") && !path.ends_with(PUBLISHED) {
            files.push(path);
        }
    }
    if files.is_empty() {
        let message = "no scenario here, expected at least one file NAME.toml";
        return Err(Diagnostic::of_file(folder, message).into());
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, error: &Error) -> Diagnostic {
    let why = match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        ErrorKind::NotADirectory => "not a folder".to_owned(),
        ErrorKind::IsADirectory => "a folder, expected a file".to_owned(),
        _ => error.to_string(),
    };
    Diagnostic::of_file(path, format!("cannot be read: {why}"))
}

fn is_kebab_case(id: &str) -> bool {
    let word = |word: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !word.is_empty() && word.chars().all(fits)
    };
    id.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = include_str!("../../../scenarios/request-mtls.toml");

    /// A folder with these files.
    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, octets) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, octets).unwrap();
        }
        folder
    }

    fn reported(folder: &Path, result: Result<Vec<Scenario>, Diagnostics>) -> String {
        let root = folder.display().to_string();
        result.unwrap_err().to_string().replace(&root, "DIR")
    }

    #[test]
    fn loads_what_is_a_scenario_sorted_by_id() {
        let folder = folder(&[
            ("b.toml", SOUND.as_bytes()),
            ("a-1.toml", SOUND.as_bytes()),
            ("published.toml", b"not read"),
            ("README.md", b"not read"),
        ]);
        let scenarios = load_dir(folder.path()).unwrap();
        let ids: Vec<_> = scenarios.iter().map(|scenario| &scenario.id).collect();
        assert_eq!(ids, ["a-1", "b"]);
    }

    #[test]
    fn what_is_built_in_is_what_the_folder_has() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
        let ids = |scenarios: Vec<Scenario>| {
            let ids = scenarios.into_iter();
            ids.map(|it| (it.id, it.self_test, it.cases.len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ids(built_in().unwrap()),
            ids(load_dir(folder.as_ref()).unwrap())
        );
    }

    #[test]
    fn reports_a_folder_without_scenarios() {
        let folder = folder(&[("published.toml", b"")]);
        assert_eq!(
            reported(folder.path(), load_dir(folder.path())),
            "error: DIR: no scenario here, expected at least one file NAME.toml"
        );
    }

    #[test]
    fn reports_a_folder_and_a_file_that_are_not_there() {
        let folder = folder(&[]);
        assert_eq!(
            reported(folder.path(), load_dir(&folder.path().join("none"))),
            "error: DIR/none: cannot be read: there is no such file or folder"
        );
        assert_eq!(
            reported(
                folder.path(),
                load_files(&[folder.path().join("none.toml")])
            ),
            "error: DIR/none.toml: cannot be read: there is no such file or folder"
        );
    }

    #[test]
    fn reports_a_folder_in_place_of_a_file_and_the_reverse() {
        let folder = folder(&[("some.toml/x", b""), ("file", b"")]);
        assert_eq!(
            reported(folder.path(), load_dir(folder.path())),
            "error: DIR/some.toml: cannot be read: a folder, expected a file"
        );
        assert_eq!(
            reported(folder.path(), load_dir(&folder.path().join("file"))),
            "error: DIR/file: cannot be read: not a folder"
        );
    }

    #[test]
    fn reports_where_a_file_is_not_utf_8() {
        let folder = folder(&[("some.toml", b"a = 1\n\xc3\xbc = \"\xff\"")]);
        assert_eq!(
            reported(folder.path(), load_dir(folder.path())),
            "error: DIR/some.toml: not UTF-8 from line 2, column 6"
        );
    }

    #[test]
    fn reports_every_bad_file_name() {
        let names = [
            "Some.toml",
            "some_.toml",
            "-some.toml",
            "so--me.toml",
            "some.TOML",
        ];
        for name in names {
            let folder = folder(&[(name, SOUND.as_bytes())]);
            assert_eq!(
                reported(folder.path(), load_dir(folder.path())),
                format!(
                    "error: DIR/{name}: got this file name, expected NAME.toml, where NAME is words of \
                     lower-case letters and digits with single hyphens between them"
                )
            );
        }
    }

    #[test]
    fn reports_two_scenarios_of_one_id() {
        let sound = SOUND.as_bytes();
        let folder = folder(&[("a/some.toml", sound), ("b/some.toml", sound)]);
        let paths = ["a/some.toml", "b/some.toml"].map(|name| folder.path().join(name));
        assert_eq!(
            reported(folder.path(), load_files(&paths)),
            "error: DIR/b/some.toml: scenario `some` is also in DIR/a/some.toml"
        );
    }

    #[test]
    fn reports_what_is_wrong_with_every_file() {
        let folder = folder(&[
            ("a.toml", b""),
            ("b.toml", SOUND.as_bytes()),
            ("c.toml", b"# c\n"),
        ]);
        let needs = "the file is empty, a scenario has `title`, `document`, [axes] and at least \
                     one [[expect]]";
        assert_eq!(
            reported(folder.path(), load_dir(folder.path())),
            format!("error: DIR/a.toml: {needs}\n\nerror: DIR/c.toml: {needs}")
        );
    }
}

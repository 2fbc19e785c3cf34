//! `peers/programs/NAME.toml`: a real program as an end, how it is started, and how it shows that it was successful.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqmtls_vocabulary::words;
use serde::Deserialize;

use super::place::Place;
use crate::peer::manifest::{ManifestError, check_name};
use crate::peer::tool::Tool;

/// What stands in a command for the arguments that give the program its certificate.
pub const IDENTITY: &str = "{identity}";

/// The longest deadline, in seconds.
const LONGEST: u64 = 120;

words! {
    /// Which end a program is.
    pub enum Role {
        /// It connects.
        Client = "client",
        /// It listens.
        Server = "server",
    }
}

words! {
    /// What kind of program it is, for the order of tables.
    pub enum Kind {
        /// A browser with windows, which asks its user.
        Browser = "browser",
        /// A program of the command line.
        CommandLine = "command-line",
        /// A library, in a program of a few lines.
        Library = "library",
    }
}

words! {
    /// How a program shows that it was successful.
    pub enum Shows {
        /// By exit code 0, and by what the server answered in its output.
        Output = "output",
        /// By exit code 0 alone; its output does not have the answer.
        Exit = "exit",
    }
}

/// One program. Every text may have placeholders.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The name of its file, without the ending.
    #[serde(skip)]
    pub name: String,
    /// What readers know it by.
    pub title: String,
    /// Which end it is.
    pub role: Role,
    /// What kind of program it is.
    pub kind: Kind,
    /// What the machine must have; the Debian package of each is named where it is absent.
    #[serde(rename = "tool")]
    pub tools: Vec<Tool>,
    /// Shows the version: the first line with a digit.
    pub version: Vec<String>,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Files to write into the folder before anything is started: name and content.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Variables of its environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Commands that come before it.
    #[serde(default)]
    pub prepare: Vec<Vec<String>>,
    /// How it gets a certificate; absent: it cannot have one.
    pub identity: Option<Given>,
    /// What it reads from stdin.
    #[serde(default)]
    pub input: String,
    /// How it shows that it was successful.
    pub shows: Shows,
    /// Where its error text begins: the first line of its output with this in it, from there on. Absent: the last line.
    pub error_from: Option<String>,
    /// The most seconds that it may take.
    #[serde(default = "deadline")]
    pub deadline_s: u64,
    /// What readers should know of it.
    pub note: Option<String>,
}

/// How a program gets its certificate.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// What stands in the command in the place of `{identity}`.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// More variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// More commands that come before it, after the others.
    #[serde(default)]
    pub prepare: Vec<Vec<String>>,
    /// More files.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

fn deadline() -> u64 {
    20
}

/// The manifests of a folder that are of a role, with their text.
pub(super) fn texts_of(folder: &Path, role: Role) -> Result<Vec<(PathBuf, String)>, ManifestError> {
    /// What says how the rest is to be read.
    #[derive(Deserialize)]
    struct Head {
        role: Role,
    }
    let read = |path: &Path, source| ManifestError::Read {
        path: path.to_owned(),
        source,
    };
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| read(folder, source))? {
        let path = entry.map_err(|source| read(folder, source))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|source| read(&path, source))?;
        let head = toml_edit::de::from_str::<Head>(&text);
        let head = head.map_err(|error| ManifestError::Parse {
            path: path.clone(),
            message: error.to_string(),
        })?;
        if head.role == role {
            texts.push((path, text));
        }
    }
    Ok(texts)
}

impl Manifest {
    /// Reads every manifest of a folder whose role is `client`: browsers first, then by name.
    pub fn load_all(folder: &Path) -> Result<Vec<Self>, ManifestError> {
        let mut manifests = Vec::new();
        for (path, text) in texts_of(folder, Role::Client)? {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let manifest = Self::parse(&name, &text);
            manifests.push(manifest.map_err(|message| ManifestError::Parse { path, message })?);
        }
        if manifests.is_empty() {
            return Err(ManifestError::None {
                folder: folder.to_owned(),
                expected: ".toml with role client",
            });
        }
        manifests.sort_by(|one, other| {
            let key = |manifest: &Self| (manifest.role, manifest.kind, manifest.name.clone());
            key(one).cmp(&key(other))
        });
        Ok(manifests)
    }

    /// Reads one manifest.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut manifest: Self = toml_edit::de::from_str(text).map_err(|it| it.to_string())?;
        name.clone_into(&mut manifest.name);
        manifest.check()?;
        Ok(manifest)
    }

    /// The most time that it may take.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_s)
    }

    /// What the machine lacks.
    #[must_use]
    pub fn missing(&self) -> Option<&Tool> {
        self.tools.iter().find(|tool| !tool.is_present())
    }

    fn check(&self) -> Result<(), String> {
        check(&self.name, &self.tools, self.commands(), self.files())?;
        if !(1..=LONGEST).contains(&self.deadline_s) {
            return Err(format!(
                "got deadline_s {}, expected 1 to {LONGEST}",
                self.deadline_s
            ));
        }
        let places = self.command.iter().filter(|it| *it == IDENTITY).count();
        let expected = usize::from(
            self.identity
                .as_ref()
                .is_some_and(|it| !it.arguments.is_empty()),
        );
        if places != expected {
            return Err(format!(
                "command: got {IDENTITY} {places} times, expected it {expected} times: once where identity.arguments stand"
            ));
        }
        for text in self.texts() {
            Place::check(text)?;
        }
        Ok(())
    }

    /// Whether a placeholder is used.
    pub(super) fn uses(&self, placeholder: &str) -> bool {
        self.texts().any(|text| text.contains(placeholder))
    }

    /// Every command, with the key under which it stands.
    fn commands(&self) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
        let given = self.identity.iter().flat_map(|given| &given.prepare);
        let alone = [("version", &self.version), ("command", &self.command)];
        let prepare = self.prepare.iter().map(|command| ("prepare", command));
        let given = given.map(|command| ("identity.prepare", command));
        alone.into_iter().chain(prepare).chain(given)
    }

    fn files(&self) -> impl Iterator<Item = (&String, &String)> {
        let given = self.identity.iter().flat_map(|given| &given.files);
        self.files.iter().chain(given)
    }

    /// Every text that may have placeholders.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let commands = self.commands().flat_map(|(_, command)| command);
        let commands = commands.filter(|word| *word != IDENTITY);
        let given = self.identity.iter();
        let given = given.flat_map(|given| given.arguments.iter().chain(given.env.values()));
        let files = self.files().map(|(_, content)| content);
        let texts = commands.chain(given).chain(files).chain(self.env.values());
        texts.chain([&self.input]).map(String::as_str)
    }
}

/// What has to hold of every program: its name becomes part of paths and pages, and its files stay in its folder.
pub(super) fn check<'a>(
    name: &str,
    tools: &[Tool],
    mut commands: impl Iterator<Item = (&'static str, &'a Vec<String>)>,
    mut files: impl Iterator<Item = (&'a String, &'a String)>,
) -> Result<(), String> {
    check_name(name)?;
    if tools.is_empty() {
        return Err("expected at least one [[tool]], the program".to_owned());
    }
    tools.iter().try_for_each(Tool::check)?;
    if let Some((key, _)) = commands.find(|(_, command)| command.is_empty()) {
        return Err(format!(
            "{key}: got no program, expected program and arguments"
        ));
    }
    match files.find(|(name, _)| !is_below(name)) {
        Some((name, _)) => Err(format!(
            "files: got {name:?}, expected a path below the folder"
        )),
        None => Ok(()),
    }
}

/// Whether a path stays in the folder that it starts in.
fn is_below(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, std::path::Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
        title = "Some"
        role = "client"
        kind = "command-line"
        version = ["some", "--version"]
        command = ["some", "{identity}", "--ca", "{authority}", "{url}"]
        shows = "output"
        [[tool]]
        program = "sh"
        package = "dash"
        [identity]
        arguments = ["--cert", "{certificate}"]
    "#;

    fn error(from: &str, to: &str) -> String {
        assert!(SOUND.contains(from), "{from}");
        Manifest::parse("some", &SOUND.replace(from, to)).unwrap_err()
    }

    #[test]
    fn reads_a_sound_manifest() {
        let manifest = Manifest::parse("some", SOUND).unwrap();
        assert_eq!(manifest.deadline(), Duration::from_secs(20));
        assert_eq!(manifest.missing().map(Tool::name), None);
        assert!(manifest.uses("{authority}") && !manifest.uses("{pkcs12}"));
    }

    #[test]
    fn every_mistake_is_named() {
        for (from, to, expected) in [
            ("title = ", "titel = ", "unknown field `titel`"),
            ("\"client\"", "\"proxy\"", "client, server"),
            ("{url}", "{uri}", "got placeholder {uri}, expected one of"),
            (
                "\"{identity}\", ",
                "",
                "got {identity} 0 times, expected it 1 times",
            ),
            ("[\"some\", \"--version\"]", "[]", "version: got no program"),
            ("shows = ", "deadline_s = 0\nshows = ", "got deadline_s 0"),
            (
                "[identity]",
                "[identity]\nfiles = { \"../x\" = \"\" }",
                "got \"../x\", expected a path below",
            ),
            (
                "package = \"dash\"",
                "",
                "expected exactly one of package and help",
            ),
        ] {
            let error = error(from, to);
            assert!(error.contains(expected), "{to}: {error}");
        }
        let error = Manifest::parse("No Name", SOUND).unwrap_err();
        assert!(error.starts_with("got name \"No Name\""), "{error}");
    }

    #[test]
    fn the_committed_manifests_are_sound() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers/programs");
        let manifests = Manifest::load_all(&folder).unwrap_or_else(|error| panic!("{error}"));
        let clients = manifests.iter().filter(|it| it.role == Role::Client);
        assert!(clients.count() >= 10);
    }
}

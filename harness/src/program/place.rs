//! What stands for the placeholders of a manifest in one cell.

use std::path::{Path, PathBuf};

/// What stands for the placeholders.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// A folder of the cell's own; `HOME` and what XDG names are there.
    pub(super) folder: PathBuf,
    /// The folder of the manifests, where scripts are.
    pub(super) programs: PathBuf,
    /// The port that the reference listens at, or that the program is to.
    pub(super) port: u16,
}

impl Place {
    /// The placeholders, with what each stands for.
    fn values(&self) -> [(&'static str, String); 13] {
        let file = |name: &str| path(&self.folder.join(name));
        [
            ("{address}", format!("localhost:{}", self.port)),
            ("{port}", self.port.to_string()),
            ("{url}", format!("https://localhost:{}/", self.port)),
            ("{authority}", file("authority.pem")),
            ("{certificate}", file("client.pem")),
            ("{key}", file("client-key.pem")),
            ("{certificate-and-key}", file("client-both.pem")),
            ("{pkcs12}", file("client.p12")),
            ("{server-certificate}", file("server.pem")),
            ("{server-key}", file("server-key.pem")),
            ("{server-certificate-and-key}", file("server-both.pem")),
            ("{folder}", path(&self.folder)),
            ("{programs}", path(&self.programs)),
        ]
    }

    /// Puts what it stands for in the place of each placeholder.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (placeholder, value) in self.values() {
            text = text.replace(placeholder, &value);
        }
        text
    }

    /// Puts a placeholder in the place of what differs from cell to cell.
    pub(super) fn generalise(&self, text: &str) -> String {
        let folder = text.replace(&path(&self.folder), "FOLDER");
        let programs = folder.replace(&path(&self.programs), "peers/programs");
        programs.replace(&self.port.to_string(), "PORT")
    }

    /// Whether every placeholder of a text is known. Braces around anything but small letters are none.
    pub(super) fn check(text: &str) -> Result<(), String> {
        let nowhere = Self {
            folder: PathBuf::new(),
            programs: PathBuf::new(),
            port: 0,
        };
        let known: Vec<_> = nowhere.values().iter().map(|(name, _)| *name).collect();
        let mut rest = text;
        while let Some((_, after)) = rest.split_once('{') {
            rest = after;
            let Some((name, _)) = after.split_once('}') else {
                break;
            };
            let is_name = !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            let placeholder = format!("{{{name}}}");
            if is_name && !known.contains(&placeholder.as_str()) {
                return Err(format!(
                    "got placeholder {placeholder}, expected one of {}",
                    known.join(", ")
                ));
            }
        }
        Ok(())
    }
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_taken_back() {
        let place = Place {
            folder: "/f".into(),
            programs: "/p".into(),
            port: 4433,
        };
        assert_eq!(
            place.fill("{url} {key}"),
            "https://localhost:4433/ /f/client-key.pem"
        );
        assert_eq!(place.generalise("/f/x at 4433"), "FOLDER/x at PORT");
        for sound in ["{ return }", "a { b", "{}", "{url}{port}"] {
            Place::check(sound).unwrap();
        }
        assert!(Place::check("x {uri}").unwrap_err().contains("{uri}"));
    }
}

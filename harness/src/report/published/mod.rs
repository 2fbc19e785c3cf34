//! The published results: `matrix.md`, `requirements.md`, `index.html`, and the findings of the README, all rendered from what
//! one reporter collected. They hold nothing that differs from run to run.

mod collect;
mod core;
mod differences;
mod findings;
mod fold;
mod headlines;
mod html;
mod matrix;
mod notes;
mod page;
mod peer_pages;
mod peers;
mod requirements;
mod savings;
mod sign;
mod subject;
mod tables;
mod tensions;
mod unsupported;

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::collect::Collected;
use super::Reporter;
use super::file::write_whole;
use crate::run::Event;

pub(super) use self::core::Core;
pub use self::notes::{Notes, NotesError};
pub(crate) use self::page::counted;
pub(super) use self::page::foreign;
pub use self::subject::Subject;

/// What begins and ends the findings in the README.
const MARKS: [&str; 2] = ["<!-- findings -->\n", "<!-- end of findings -->"];

/// The folder of the peers' pages.
pub const PAGES: &str = "peers";

/// The file of the page that holds the whole run.
pub const PAGE: &str = "index.html";

/// The case of the core question: who is asked on the flag, and authenticated.
const CORE: &str = "request-mtls/set/present/require-on-flag";

/// The file of the picture of the core question.
pub const PICTURE: &str = "matrix.svg";

/// Collects a run, and writes its results at the end.
#[derive(Debug)]
pub struct Published {
    subject: Subject,
    run: Collected,
    store: html::Store,
    latest: PathBuf,
    places: Option<Places>,
}

/// Where results are published.
#[derive(Clone, Debug)]
pub struct Places {
    /// The folder of `matrix.md` and `requirements.md`.
    pub folder: PathBuf,
    /// The file whose findings are replaced, if one's are.
    pub readme: Option<PathBuf>,
}

/// The texts that are published.
#[derive(Debug)]
pub struct Rendered {
    /// `matrix.md`.
    pub matrix: String,
    /// `requirements.md`.
    pub requirements: String,
    /// What stands between the marks of the README.
    pub findings: String,
    /// `index.html`.
    pub html: String,
    /// `matrix.svg`, where the run has cells of the core question.
    pub svg: Option<String>,
    /// The page of each peer, by its name.
    pub peers: Vec<(String, String)>,
}

impl Published {
    /// Writes into the folder `latest` in any case, and to `places` if nothing was left out, missing, interrupted
    /// or failed.
    #[must_use]
    pub fn new(subject: Subject, latest: PathBuf, places: Option<Places>) -> Self {
        Self {
            subject,
            run: Collected::default(),
            store: html::Store::default(),
            latest,
            places,
        }
    }

    /// The texts, once the run ended.
    ///
    /// # Errors
    ///
    /// The page cannot be rendered.
    pub fn rendered(&self) -> io::Result<Rendered> {
        Ok(Rendered {
            html: self.html(false)?,
            ..self.texts()?
        })
    }

    /// The same without the page, which is by far the largest.
    fn texts(&self) -> io::Result<Rendered> {
        Ok(Rendered {
            matrix: matrix::matrix(&self.subject, &self.run),
            requirements: requirements::requirements(&self.subject, &self.run),
            findings: headlines::table(&self.subject, &self.run, "results/peers"),
            html: String::new(),
            svg: html::picture(&self.subject, &self.run).map_err(io::Error::other)?,
            peers: peer_pages::peer_pages(&self.subject, &self.run),
        })
    }

    fn html(&self, said: bool) -> io::Result<String> {
        html::page(&self.subject, &self.run, &self.store, said).map_err(io::Error::other)
    }

    /// What the notes explain and this run does not show.
    #[must_use]
    pub fn unused_notes(&self) -> Vec<String> {
        differences::unused(&self.subject, &self.run)
    }

    fn write(&self) -> io::Result<()> {
        let mut rendered = self.texts()?;
        rendered.html = self.html(true)?;
        rendered.write(&self.latest)?;
        rendered.html = String::new();
        // Its links lead to the pages beside it.
        let findings = headlines::table(&self.subject, &self.run, PAGES);
        write_whole(&self.latest.join("findings.md"), findings.as_bytes())?;
        let Some(places) = self.places.as_ref().filter(|_| self.run.is_whole()) else {
            return Ok(());
        };
        let unused = self.unused_notes();
        if !unused.is_empty() {
            return Err(io::Error::other(unused.join("; ")));
        }
        rendered.html = self.html(false)?;
        rendered.write(&places.folder)?;
        rendered.remove_others(&places.folder.join(PAGES))?;
        if let Some(readme) = &places.readme {
            let text = rendered.readme(readme)?;
            write_whole(readme, text.as_bytes())?;
        }
        Ok(())
    }
}

impl Reporter for Published {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.run.take(&self.subject, event);
        match event {
            Event::Cell(cell, _) => {
                if let Some(case) = self.subject.number(&cell.case) {
                    self.store.take(case, cell);
                }
                Ok(())
            }
            Event::Ended(_) => {
                self.store.sort(&self.subject);
                self.write()
            }
            _ => Ok(()),
        }
    }
}

impl Rendered {
    fn write(&self, folder: &Path) -> io::Result<()> {
        write_whole(&folder.join("matrix.md"), self.matrix.as_bytes())?;
        write_whole(
            &folder.join("requirements.md"),
            self.requirements.as_bytes(),
        )?;
        write_whole(&folder.join(PAGE), self.html.as_bytes())?;
        if let Some(svg) = &self.svg {
            write_whole(&folder.join(PICTURE), svg.as_bytes())?;
        }
        let pages = folder.join(PAGES);
        fs::create_dir_all(&pages)?;
        for (name, text) in &self.peers {
            write_whole(&pages.join(format!("{name}.md")), text.as_bytes())?;
        }
        Ok(())
    }

    /// Removes the pages of peers that there are no longer.
    fn remove_others(&self, pages: &Path) -> io::Result<()> {
        for entry in fs::read_dir(pages)? {
            let path = entry?.path();
            let is_page = path.extension().is_some_and(|it| it == "md");
            let name = path.file_stem().unwrap_or_default();
            if is_page && !self.peers.iter().any(|(peer, _)| name == peer.as_str()) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// The text of a README with these findings.
    ///
    /// # Errors
    ///
    /// It cannot be read, or lacks the marks.
    pub fn readme(&self, path: &Path) -> io::Result<String> {
        let text = fs::read_to_string(path)?;
        let [begin, end] = MARKS;
        let parts = text.split_once(begin).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(end)?;
            Some(format!("{before}{begin}{}{end}{after}", self.findings))
        });
        parts.ok_or_else(|| {
            let path = path.display();
            io::Error::other(format!("{path}: expected {} and {end}", begin.trim_end()))
        })
    }
}

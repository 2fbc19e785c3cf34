//! Where scenarios and peers come from, and where results go: a checkout, or what is built into the program.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use reqmtls_contract::Revision;

use super::complain;
use crate::peer;
use crate::peer::manifest::{FILE, Manifest};
use crate::report::Notes;
use crate::run;
use crate::scenario::{self, KNOWN_DEVIATIONS, Known, PUBLISHED, Scenario};

/// A folder with scenarios and peers in it; where there is none, the current one for results.
pub(super) struct Root {
    pub(super) folder: PathBuf,
    /// Whether scenarios and peers are in the folder.
    pub(super) is_checkout: bool,
}

/// What there is to run.
pub(super) struct Material {
    /// Those of every revision.
    pub(super) scenarios: Vec<Scenario>,
    pub(super) peers: Vec<Manifest>,
    pub(super) known: Known,
    pub(super) notes: Notes,
}

impl Root {
    /// The folder that was given, else the nearest one upwards, else none. Absolute: builds run in folders of their own.
    pub(super) fn find(given: Option<&Path>) -> anyhow::Result<Self> {
        let is_checkout =
            |folder: &Path| folder.join("scenarios").is_dir() && folder.join("peers").is_dir();
        let checkout = |folder: &Path| Self {
            folder: folder.to_owned(),
            is_checkout: true,
        };
        if let Some(folder) = given {
            if !is_checkout(folder) {
                bail!(
                    "{}: expected a folder with scenarios/ and peers/ in it",
                    folder.display()
                );
            }
            let absolute = std::path::absolute(folder);
            return Ok(checkout(
                &absolute.with_context(|| folder.display().to_string())?,
            ));
        }
        let here = std::env::current_dir().context("cannot tell the current folder")?;
        if let Some(folder) = here.ancestors().find(|folder| is_checkout(folder)) {
            return Ok(checkout(folder));
        }
        complain(
            "no scenarios/ and peers/ here or above: the built-in scenarios, and the reference alone; --root names others",
        );
        Ok(Self {
            folder: here,
            is_checkout: false,
        })
    }

    /// Reads the scenarios of every revision.
    pub(super) fn scenarios(&self) -> anyhow::Result<Vec<Scenario>> {
        Ok(if self.is_checkout {
            scenario::load_dir(&self.folder.join("scenarios"))?
        } else {
            scenario::built_in()?
        })
    }

    /// Reads the peers' manifests.
    pub(super) fn peers(&self) -> anyhow::Result<Vec<Manifest>> {
        Ok(peer::present(&self.folder, self.manifests()?)?)
    }

    /// The same, with those of peers that are not there.
    fn manifests(&self) -> anyhow::Result<Vec<Manifest>> {
        Ok(if self.is_checkout {
            Manifest::load_all(&self.folder.join("peers"))?
        } else {
            vec![Manifest::reference()]
        })
    }

    /// What a run reads of the folder, by its place in it.
    pub(super) fn files(&self, peers: &[Manifest]) -> Vec<(String, PathBuf)> {
        let mut names = Vec::new();
        if self.is_checkout {
            names.push("scenarios".to_owned());
            for peer in peers {
                let of_peer = [FILE, KNOWN_DEVIATIONS];
                names.extend(of_peer.map(|file| format!("peers/{}/{file}", peer.family())));
            }
            names.push("results/programs.json".to_owned());
        }
        let mut files: Vec<_> = names
            .into_iter()
            .map(|name| (self.folder.join(&name), name))
            .collect();
        for revision in Revision::ALL.iter().copied() {
            let snapshots = self.results(revision).join("snapshots");
            if let Ok(name) = snapshots.strip_prefix(&self.folder) {
                files.push((snapshots.clone(), name.display().to_string()));
            }
        }
        files.retain(|(path, _)| path.exists());
        files.into_iter().map(|(path, name)| (name, path)).collect()
    }

    /// Reads everything.
    pub(super) fn material(&self) -> anyhow::Result<Material> {
        let (scenarios, all) = (self.scenarios()?, self.manifests()?);
        let (known, notes) = if self.is_checkout {
            let notes = self.folder.join("scenarios").join(PUBLISHED);
            (
                Known::load(&Manifest::by_folder(&all), &scenarios)?,
                Notes::load(&notes, &scenarios)?,
            )
        } else {
            (Known::built_in(&scenarios)?, Notes::built_in(&scenarios)?)
        };
        Ok(Material {
            scenarios,
            peers: peer::present(&self.folder, all)?,
            known,
            notes,
        })
    }

    /// Where results of a revision are.
    pub(super) fn results(&self, revision: Revision) -> PathBuf {
        run::results(&self.folder, revision)
    }
}

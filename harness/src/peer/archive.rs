//! An image of nothing but files of this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read, Seek, Write};
use std::iter;
use std::path::{Path, PathBuf};

use bollard::query_parameters::CreateImageOptions;
use bollard::{Docker, body_try_stream};
use futures_util::{TryStreamExt, stream};
use sha2::{Digest, Sha256};
use tar::HeaderMode;

use super::StartError;

/// How many octets the engine gets at once.
const PART: u64 = 1 << 20;

/// Makes an image of files, by their places in it, unless there is one, and says its name.
pub(super) async fn image(
    repository: &str,
    files: &BTreeMap<String, PathBuf>,
    changes: Vec<String>,
    client: &Docker,
) -> Result<String, StartError> {
    let unreadable = |source: io::Error| StartError::Image(source.to_string());
    // The tag names the content, so that an image is never older than its files.
    let mut content = Sha256::new();
    for (place, file) in files {
        content.update(place);
        digest(file, &mut content).map_err(unreadable)?;
    }
    content.update(changes.concat());
    let tag = hex::encode(&content.finalize()[..8]);
    let image = format!("{repository}:{tag}");
    if client.inspect_image(&image).await.is_ok() {
        return Ok(image);
    }
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        repo: Some(repository.to_owned()),
        tag: Some(tag),
        changes,
        ..CreateImageOptions::default()
    };
    let root = archive(files, tempfile::tempfile().map_err(unreadable)?);
    let mut root = root.map_err(unreadable)?;
    root.rewind().map_err(unreadable)?;
    // In parts: the whole may be larger than the memory that is free.
    let parts = iter::from_fn(move || {
        let mut part = Vec::new();
        match Read::by_ref(&mut root).take(PART).read_to_end(&mut part) {
            Ok(0) => None,
            read => Some(read.map(|_| part.into())),
        }
    });
    let body = body_try_stream(stream::iter(parts));
    client
        .create_image(Some(options), Some(body), None)
        .try_for_each(async |_| Ok(()))
        .await?;
    Ok(image)
}

/// Writes the root of an image. Whoever runs the program may read all of it.
fn archive<W: Write>(files: &BTreeMap<String, PathBuf>, to: W) -> io::Result<W> {
    let mut archive = tar::Builder::new(to);
    archive.mode(HeaderMode::Deterministic);
    // The engine knows no sparse files.
    archive.sparse(false);
    let places = || {
        files
            .keys()
            .map(|place| Path::new(place.trim_start_matches('/')))
    };
    let folders: BTreeSet<_> = places().flat_map(|it| it.ancestors().skip(1)).collect();
    for folder in folders.into_iter().filter(|it| *it != Path::new("")) {
        archive.append_dir(folder, "/")?;
    }
    for (place, file) in places().zip(files.values()) {
        if file.is_dir() {
            archive.append_dir_all(place, file)?;
        } else {
            archive.append_path_with_name(file, place)?;
        }
    }
    archive.into_inner()
}

/// Takes in a file's content, or the names and contents of all files below a folder.
fn digest(path: &Path, content: &mut Sha256) -> io::Result<()> {
    if !path.is_dir() {
        content.update(fs::read(path)?);
        return Ok(());
    }
    let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<_> = entries.collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths {
        content.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        digest(&path, content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_archive_has_each_folder_once_and_before_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "octets").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
        let files = [
            ("/peer", folder.path()),
            ("/usr/lib/one", &file),
            ("/usr/lib/other", &file),
        ];
        let files = files.map(|(place, path)| (place.to_owned(), path.to_owned()));
        let octets = archive(&BTreeMap::from(files), Vec::new()).unwrap();
        let mut archive = tar::Archive::new(&*octets);
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            format!("{} {:o}", path, entry.header().mode().unwrap())
        });
        let expected = [
            "usr 755",
            "usr/lib 755",
            "peer/ 755",
            "peer/file 755",
            "usr/lib/one 755",
            "usr/lib/other 755",
        ];
        assert_eq!(entries.collect::<Vec<_>>(), expected);
    }
}

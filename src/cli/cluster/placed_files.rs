//! The files that `lanchat cluster join` puts on a machine, and what it finds in their places. It replaces
//! nothing.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use zeroize::Zeroizing;

use crate::cli::exit::ExitError;
use crate::files;
use crate::limits::MAX_CLUSTER_FILE_BYTES;

/// A file for a place.
pub(super) struct PlacedFile {
    pub(super) path: PathBuf,
    pub(super) content: Zeroizing<Vec<u8>>,
    /// For people.
    pub(super) about: &'static str,
    pub(super) change: MayDiffer,
    pub(super) found: InPlace,
}

/// Whether an administrator may have changed the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MayDiffer {
    /// It is as the join file has it.
    Never,
    /// Yes, if the certificate of the same join file is beside it: then the file is that of an earlier run.
    AfterJoining,
    /// Yes, even before the machine joins.
    Always,
}

/// The state of the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InPlace {
    Nothing,
    Same,
    /// It differs, and stays.
    Changed,
}

/// Compares what is there. `certificate` is the path of the certificate in the same directory.
pub(super) fn look(
    files: &mut [PlacedFile],
    certificate: impl Fn(&Path) -> PathBuf,
) -> Result<(), ExitError> {
    for file in files.iter_mut() {
        file.found = match existing(&file.path)? {
            None => InPlace::Nothing,
            Some(content) if *content == *file.content => InPlace::Same,
            Some(_) => InPlace::Changed,
        };
    }
    let has_joined = |file: &PlacedFile| {
        let certificate = certificate(&file.path);
        files.iter().any(|other| other.path == certificate && other.found == InPlace::Same)
    };
    let foreign = files.iter().find(|file| {
        file.found == InPlace::Changed
            && match file.change {
                MayDiffer::Never => true,
                MayDiffer::AfterJoining => !has_joined(file),
                MayDiffer::Always => false,
            }
    });
    match foreign {
        None => Ok(()),
        Some(file) => Err(anyhow!(
            "{} is there already and differs from the file that this join file gives, so this machine may be another \
             server already; move it away, or choose other directories with --data-dir and --out",
            file.path.display()
        )
        .into()),
    }
}

/// `None`: there is no such file.
fn existing(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, ExitError> {
    let read = files::refuse_odd(path).and_then(|()| files::read_named(path, MAX_CLUSTER_FILE_BYTES + 1));
    match read {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let remedy =
                if error.kind() == io::ErrorKind::PermissionDenied { "; run this as root" } else { "" };
            Err(anyhow!("cannot read {}: {error}{remedy}", path.display()).into())
        }
    }
}

/// Writes the files that are missing, each for its owner only.
pub(super) fn write_missing(files: &[PlacedFile]) -> Result<(), ExitError> {
    for file in files.iter().filter(|file| file.found == InPlace::Nothing) {
        files::create(&file.path, &file.content)
            .with_context(|| format!("cannot write {}", file.path.display()))?;
    }
    Ok(())
}

/// A line per file.
pub(super) fn report(files: &[PlacedFile]) -> String {
    let line = |file: &PlacedFile| {
        let what = match file.found {
            InPlace::Nothing => "wrote",
            InPlace::Same => "unchanged:",
            InPlace::Changed => "kept, although it differs from the join file:",
        };
        format!("{what} {} ({})\n", file.path.display(), file.about)
    };
    files.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: PathBuf, content: &str, change: MayDiffer) -> PlacedFile {
        let content = Zeroizing::new(content.as_bytes().to_vec());
        PlacedFile { path, content, about: "x", change, found: InPlace::Nothing }
    }

    /// Returns the states of the places for a certificate, settings and a passphrase, in which these contents
    /// are.
    fn found(there: [Option<&str>; 3]) -> Result<Vec<InPlace>, String> {
        let dir = tempfile::tempdir().unwrap();
        let names = ["cert", "settings", "passphrase"];
        for (name, content) in names.iter().zip(there) {
            if let Some(content) = content {
                std::fs::write(dir.path().join(name), content).unwrap();
            }
        }
        let changes = [MayDiffer::Never, MayDiffer::AfterJoining, MayDiffer::Always];
        let mut files: Vec<PlacedFile> = names
            .iter()
            .zip(changes)
            .map(|(name, change)| file(dir.path().join(name), name, change))
            .collect();
        look(&mut files, |path| path.with_file_name("cert")).map_err(|error| error.to_string())?;
        write_missing(&files).map_err(|error| error.to_string())?;
        for (name, (file, there)) in names.iter().zip(files.iter().zip(there)) {
            assert_eq!(std::fs::read_to_string(&file.path).unwrap(), there.unwrap_or(name));
        }
        Ok(files.iter().map(|file| file.found).collect())
    }

    #[test]
    fn missing_files_are_written_and_equal_ones_stay() {
        use InPlace::{Nothing, Same};
        assert_eq!(found([None; 3]).unwrap(), [Nothing; 3]);
        assert_eq!(found(["cert", "settings", "passphrase"].map(Some)).unwrap(), [Same; 3]);
        assert_eq!(found([Some("cert"), None, None]).unwrap(), [Same, Nothing, Nothing]);
    }

    #[test]
    fn settings_that_were_changed_after_joining_stay_and_a_passphrase_always() {
        use InPlace::{Changed, Nothing, Same};
        assert_eq!(found([Some("cert"), Some("mine"), None]).unwrap(), [Same, Changed, Nothing]);
        assert_eq!(found([None, None, Some("mine")]).unwrap(), [Nothing, Nothing, Changed]);
    }

    #[test]
    fn files_of_another_chat_are_refused() {
        for there in [[Some("other"), None, None], [None, Some("other"), None]] {
            assert!(found(there).unwrap_err().contains("may be another server already; move it away"));
        }
    }
}

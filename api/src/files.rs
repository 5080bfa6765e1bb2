//! Files that change under us, as a Vault agent or a Kubernetes secret changes them.

use std::{fs, path::PathBuf, time::SystemTime};

/// What some files looked like: when each was last changed, and its length. A missing one has
/// neither. Equal stamps mean that nothing needs to be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamps(Vec<Option<(SystemTime, u64)>>);

impl Stamps {
    /// What `files` look like now.
    pub(crate) fn of<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        let stamp = |path: &PathBuf| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        Self(files.into_iter().map(stamp).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_has_another_stamp() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = [folder.path().join("file")];
        let missing = Stamps::of(&files);
        fs::write(&files[0], "one").expect("writes");
        let one = Stamps::of(&files);
        fs::write(&files[0], "three").expect("writes");
        assert!(missing != one && one != Stamps::of(&files));
    }
}

//! Files that change under us, as a Vault agent or a Kubernetes secret changes them.

use std::{fmt, fs, path::PathBuf};

use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

/// What some files held: a digest of each, none of one that could not be read. Equal stamps mean
/// that nothing needs to be read again. Times and lengths would not do: whoever swaps a link or
/// restores a file may leave both as they were.
#[derive(Clone, PartialEq, Eq)]
pub struct Stamps(Vec<Option<[u8; 32]>>);

impl Stamps {
    /// What `files` hold now.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        let stamp = |path: &PathBuf| {
            let content = Zeroizing::new(fs::read(path).ok()?);
            let mut stamp = [0; 32];
            stamp.copy_from_slice(digest(&SHA256, &content).as_ref());
            Some(stamp)
        };
        Self(files.into_iter().map(stamp).collect())
    }
}

/// Nothing of them: a digest of a short secret tells the secret.
impl fmt::Debug for Stamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stamps({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn other_content_is_another_stamp_whatever_its_time_and_length() {
        let folder = std::env::temp_dir().join(format!("tollbook-stamps-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = |name: &str| folder.join(name);
        let files = [file("file")];
        let missing = Stamps::of(&files);
        for (name, content) in [("one", "one"), ("two", "two")] {
            fs::write(file(name), content).expect("writes");
        }
        let time = fs::metadata(file("one")).and_then(|it| it.modified());
        let two = fs::File::options().append(true).open(file("two"));
        two.and_then(|two| two.set_modified(time?)).expect("dated");
        symlink(file("one"), &files[0]).expect("a link");
        let one = Stamps::of(&files);
        symlink(file("two"), file("fresh")).expect("a link");
        fs::rename(file("fresh"), &files[0]).expect("swapped");
        assert!(missing != one && one != Stamps::of(&files));
        assert!(!format!("{one:?}").contains(", "), "nothing of it is shown");
        fs::remove_dir_all(&folder).expect("removed");
    }
}

//! The data folder: open to its owner alone, used by one process at a time. What its files hold is other modules' business.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
};

use uuid::Uuid;

/// The file that one process at a time holds a lock on.
const LOCK: &str = "lock";
/// More than any file that is read whole.
const LARGEST_FILE: u64 = 64 * 1024;

/// A data folder that is this process's until it is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The folder cannot be made, read or written to.
    #[error("the data folder `{}` cannot be used", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// Other users can look into the folder, which holds files that are not `local`'s.
    #[error("other users can look into the data folder `{path}`; run `chmod 700 {path}`, or name a new folder", path = .0.display())]
    NotPrivate(PathBuf),
    /// A file in the folder cannot be used.
    #[error("the file `{}` in the data folder cannot be used", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// Another process works on the same data.
    #[error("the data in `{}` is in use by another `local`; stop it, or name another folder", .0.display())]
    InUse(PathBuf),
}

impl DataFolder {
    /// Opens the folder at `path`, and makes it if it does not exist.
    ///
    /// # Errors
    /// If it cannot be used, is in use, or holds files of others while other users can look into it.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let unusable = |error| DataError::Folder(path.to_owned(), error);
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(unusable)?;
        make_private(path)?;
        let lock = path.join(LOCK);
        let lock = private_options().open(&lock).map_err(|error| DataError::File(lock, error))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => DataError::InUse(path.to_owned()),
            TryLockError::Error(error) => unusable(error),
        })?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Makes sure that the file exists and that only its owner can read and write it. Returns its path.
    ///
    /// # Errors
    /// If it cannot be opened, or is a symbolic link.
    pub(crate) fn private_file(&self, name: &str) -> Result<PathBuf, DataError> {
        let path = self.path.join(name);
        private_options()
            .open(&path)
            .and_then(|file| restrict(&file))
            .map_err(|error| self.file(name, error))?;
        Ok(path)
    }

    /// Returns what the file holds, `None` if it does not exist.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DataError> {
        if !self.path.join(name).try_exists().map_err(|error| self.file(name, error))? {
            return Ok(None);
        }
        let (path, mut content) = (self.private_file(name)?, Vec::new());
        let read = File::open(path).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut content));
        read.map_err(|error| self.file(name, error))?;
        Ok(Some(content))
    }

    /// Replaces the file in one step.
    ///
    /// # Errors
    /// If it cannot be written; then the file stays as it was.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<(), DataError> {
        replace(&self.path.join(name), content).map_err(|error| self.file(name, error))
    }

    /// An error about a file in the folder.
    pub(crate) fn file(&self, name: &str, error: io::Error) -> DataError {
        DataError::File(self.path.join(name), error)
    }

    /// An error about the folder itself.
    pub(crate) fn unusable(&self, error: io::Error) -> DataError {
        DataError::Folder(self.path.clone(), error)
    }
}

/// Replaces a file in one step by one that is its owner's alone from its first moment on. If it cannot be written, it
/// stays as it was.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(ErrorKind::IsADirectory)?.to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}", Uuid::new_v4()));
    let mut file = private_options().create_new(true).open(&draft)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    let replaced = written.and_then(|()| fs::rename(&draft, path));
    if replaced.is_err() {
        // The first error matters.
        _ = fs::remove_file(&draft);
    }
    replaced
}

/// Opens a file for reading and writing, neither through a link nor with the loss of what it holds. One that is made is
/// its owner's alone.
fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options
}

/// Takes the rights of other users away from a folder that was there before, unless it holds more than our own files: those
/// may be there for others to read.
#[cfg(unix)]
fn make_private(path: &Path) -> Result<(), DataError> {
    use std::os::unix::fs::PermissionsExt as _;
    let unusable = |error| DataError::Folder(path.to_owned(), error);
    let permissions = fs::metadata(path).map_err(unusable)?.permissions();
    let of_others = permissions.mode() & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    let is_ours = path.join(LOCK).is_file() || fs::read_dir(path).map_err(unusable)?.next().is_none();
    if !is_ours {
        return Err(DataError::NotPrivate(path.to_owned()));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(unusable)
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> Result<(), DataError> {
    Ok(())
}

#[cfg(unix)]
fn restrict(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_folder_and_its_files_are_their_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/there/yet");
        let data = DataFolder::open(&path).unwrap();
        assert_eq!(data.read("keys").unwrap(), None);
        for content in [b"one", b"two"] {
            data.write("keys", content).unwrap();
            assert_eq!(data.read("keys").unwrap().unwrap(), content);
        }
        data.private_file("tables").unwrap();
        assert_eq!((mode(&path), mode(&folder.path().join("not"))), (0o700, 0o700));
        for name in [LOCK, "keys", "tables"] {
            assert_eq!(mode(&path.join(name)), 0o600, "{name}");
        }
        assert_eq!(fs::read_dir(&path).unwrap().count(), 3, "no draft is left");
    }

    #[test]
    fn one_process_at_a_time_uses_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        assert!(matches!(DataFolder::open(folder.path()), Err(DataError::InUse(_))));
        drop(data);
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_that_was_open_to_others_is_closed_if_it_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        for (name, file, is_taken) in
            [("empty", None, true), ("ours", Some(LOCK), true), ("of others", Some("letter"), false)]
        {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            if let Some(file) = file {
                fs::write(path.join(file), "").unwrap();
                set_mode(&path.join(file), 0o644);
            }
            set_mode(&path, 0o755);
            let opened = DataFolder::open(&path);
            if is_taken {
                opened.unwrap().private_file(LOCK).unwrap();
                assert_eq!((mode(&path), mode(&path.join(LOCK))), (0o700, 0o600), "{name}");
            } else {
                assert!(matches!(opened, Err(DataError::NotPrivate(_))), "{name}");
                assert_eq!(mode(&path), 0o755, "{name}");
            }
        }
    }

    #[test]
    fn no_link_is_followed_and_nothing_is_truncated() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("data"), folder.path().join("target"));
        fs::create_dir(&path).unwrap();
        set_mode(&path, 0o700);
        fs::write(&target, "precious").unwrap();
        symlink(&target, path.join(LOCK)).unwrap();
        assert!(matches!(DataFolder::open(&path), Err(DataError::File(..))));
        fs::remove_file(path.join(LOCK)).unwrap();
        fs::write(path.join(LOCK), "kept").unwrap();
        let data = DataFolder::open(&path).unwrap();
        assert_eq!(fs::read_to_string(path.join(LOCK)).unwrap(), "kept");
        symlink(&target, path.join("keys")).unwrap();
        assert!(matches!(data.private_file("keys"), Err(DataError::File(..))));
        assert!(matches!(data.read("keys"), Err(DataError::File(..))));
        data.write("keys", b"new").unwrap();
        assert_eq!(data.read("keys").unwrap().unwrap(), b"new");
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }
}

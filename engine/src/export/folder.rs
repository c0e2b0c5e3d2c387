//! A folder that appears under its name when all files in it are whole.
//!
//! Its files are written into a folder beside it, whose name begins with a dot and holds `.martlet-`,
//! and synced, as are the folders; then one rename gives it its name. Whoever is killed before that
//! leaves what was there, and the folder with the dot.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use super::target::sync_folder;
use crate::types::{Error, Result};

/// What becomes of a folder that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It has to be empty.
    Refused,
    /// It is renamed, the new one gets its name, it is removed: between the first two steps, which no
    /// writing comes between, there is none. It must hold nothing but what an export writes.
    Replaced,
    /// New files go into it one by one, each whole. Where a folder in it gets some, those that an export
    /// wrote there before go.
    Extended,
}

/// A folder being written.
#[derive(Debug)]
pub struct TargetFolder {
    temporary: PathBuf,
    path: PathBuf,
    existing: Existing,
}

impl TargetFolder {
    /// Begins to write the folder at `path`; what is there stays until [`TargetFolder::finish`].
    ///
    /// # Errors
    /// `AlreadyExists` when there are files that have to stay; `Unsupported` for a folder that cannot be
    /// renamed; `Io`.
    pub fn create(path: &Path, existing: Existing) -> Result<TargetFolder> {
        let named = path;
        // A link stays, and what it leads to is written.
        let path = match fs::canonicalize(named) {
            Ok(real) => real,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                std::path::absolute(named).map_err(|error| failed("find", named, &error))?
            }
            Err(error) => return Err(failed("find", named, &error)),
        };
        let there = match fs::metadata(&path) {
            Ok(there) if !there.is_dir() => {
                return Err(Error::already_exists(format!("{} is a file", named.display())));
            }
            there => there.ok(),
        };
        let parent = path.parent().ok_or_else(|| not_renamed(&path, "the root"))?;
        if existing != Existing::Extended
            && let Some(there) = &there
        {
            check_existing(named, existing)?;
            check_movable(&path, parent, there)?;
        }
        let within = if existing == Existing::Extended { &path } else { parent };
        fs::create_dir_all(within).map_err(|error| failed("create", within, &error))?;
        let temporary = within.join(hidden_name(&path));
        fs::create_dir(&temporary).map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => failed("create", &temporary, &error).with_hint(IN_PLACE),
            _ => failed("create", &temporary, &error),
        })?;
        let folder = TargetFolder { temporary, path: path.clone(), existing };
        if let Some(there) = there.filter(|_| existing != Existing::Extended) {
            fs::set_permissions(&folder.temporary, there.permissions())
                .map_err(|error| failed("create", &folder.temporary, &error))?;
        }
        Ok(folder)
    }

    /// Where the files of the folder `name` in it are written until it has its name.
    ///
    /// # Errors
    /// `Io`.
    pub fn subfolder(&self, name: &Path) -> Result<PathBuf> {
        let path = self.temporary.join(name);
        fs::create_dir_all(&path).map_err(|error| failed("create", &path, &error))?;
        Ok(path)
    }

    /// Gives the folder, whose files are synced, its name.
    ///
    /// # Errors
    /// `AlreadyExists` when files have come that have to stay; `Io`. The message says so where the new
    /// folder is in place all the same.
    pub fn finish(self) -> Result<()> {
        let path = &self.path;
        let write = |error: io::Error| failed("write", path, &error);
        sync_folders(&self.temporary).map_err(write)?;
        let parent = path.parent().unwrap_or(path);
        match self.existing {
            Existing::Extended => return move_files(&self.temporary, path).map_err(write),
            Existing::Replaced if path.exists() => return self.replace(parent),
            Existing::Replaced | Existing::Refused => {}
        }
        if cfg!(windows) && path.exists() {
            // Where a folder is not renamed onto an empty one.
            fs::remove_dir(path).map_err(write)?;
        }
        fs::rename(&self.temporary, path).map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => has_files(path),
            _ => write(error),
        })?;
        sync_folder(parent).map_err(write)
    }

    fn replace(&self, parent: &Path) -> Result<()> {
        let path = &self.path;
        let write = |error: io::Error| failed("write", path, &error);
        check_existing(path, Existing::Replaced)?;
        let old = parent.join(hidden_name(path));
        fs::rename(path, &old).map_err(write)?;
        if let Err(error) = fs::rename(&self.temporary, path) {
            return Err(match fs::rename(&old, path) {
                Ok(()) => write(error),
                Err(_) => write(error).with_hint(format!("what was there is {}", old.display())),
            });
        }
        sync_folder(parent).map_err(write)?;
        // Who writes into it at this moment would write to nowhere.
        check_existing(&old, Existing::Replaced)
            .and_then(|()| fs::remove_dir_all(&old).map_err(|error| failed("remove", &old, &error)))
            .map_err(|error| {
                error.context(format!("{} is written; what was there stays", path.display()))
            })
    }
}

impl Drop for TargetFolder {
    fn drop(&mut self) {
        // Gone already when the folder has its name.
        let _gone = fs::remove_dir_all(&self.temporary);
    }
}

/// The way out where a folder cannot be renamed.
const IN_PLACE: &str = "name another folder, or write (OVERWRITE_OR_IGNORE): files come one by one";

fn failed(action: &str, path: &Path, error: &io::Error) -> Error {
    Error::from_io(action, &path.display().to_string(), error)
}

fn has_files(path: &Path) -> Error {
    Error::already_exists(format!("{} has files already", path.display())).with_hint(
        "name another folder, or write (OVERWRITE) to replace it, (OVERWRITE_OR_IGNORE) to add to it",
    )
}

fn not_renamed(path: &Path, what: &str) -> Error {
    Error::unsupported(format!("{} is {what}, which cannot be renamed", path.display()))
        .with_hint(IN_PLACE)
}

/// A name beside that of `path` that nobody has.
fn hidden_name(path: &Path) -> String {
    /// Tells the folders of one process apart.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.martlet-{}-{number}", process::id())
}

/// That nothing is lost when the folder at `path` goes.
fn check_existing(path: &Path, existing: Existing) -> Result<()> {
    for entry in fs::read_dir(path).map_err(|error| failed("read", path, &error))? {
        let entry = entry.map_err(|error| failed("read", path, &error))?;
        if existing != Existing::Replaced {
            return Err(has_files(path));
        }
        let kind = entry.file_type().map_err(|error| failed("read", path, &error))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_dir() && name.contains('=') {
            check_existing(&entry.path(), existing)?;
        } else if !kind.is_file() || ending_of_data(&name).is_none() {
            let stranger = entry.path();
            return Err(Error::already_exists(format!(
                "{} would be lost, which no export has written",
                stranger.display()
            ))
            .with_hint("move it, or name another folder"));
        }
    }
    Ok(())
}

/// That the folder at `path` can be renamed, before its files are written.
fn check_movable(path: &Path, parent: &Path, there: &Metadata) -> Result<()> {
    if std::env::current_dir().is_ok_and(|current| current.starts_with(path)) {
        return Err(not_renamed(path, "the current folder or around it"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let around = fs::metadata(parent).map_err(|error| failed("read", parent, &error))?;
        if around.dev() != there.dev() {
            return Err(not_renamed(path, "where a file system is mounted"));
        }
    }
    #[cfg(not(unix))]
    let _ = (parent, there);
    Ok(())
}

/// What follows the number in the name of a file that an export writes: `csv.gz` of `data_0.csv.gz`.
fn ending_of_data(name: &str) -> Option<&str> {
    let (number, ending) = name.strip_prefix("data_")?.split_once('.')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(ending)
}

/// Makes the names of folders in folders durable; those of files are.
fn sync_folders(folder: &Path) -> io::Result<()> {
    let mut has_folders = false;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            has_folders = true;
            sync_folders(&entry.path())?;
        }
    }
    if has_folders { sync_folder(folder) } else { Ok(()) }
}

/// Moves all files in `source` and its folders to where they belong in `target`, and removes those that
/// an export wrote there before.
fn move_files(source: &Path, target: &Path) -> io::Result<()> {
    let mut moved = Vec::new();
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let to = target.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if !to.is_dir() {
                fs::create_dir(&to)?;
            }
            move_files(&entry.path(), &to)?;
        } else {
            fs::rename(entry.path(), &to)?;
            moved.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    if let Some(ending) = moved.first().and_then(|name| ending_of_data(name)) {
        for entry in fs::read_dir(target)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if ending_of_data(&name) == Some(ending) && !moved.contains(&name) {
                fs::remove_file(entry.path())?;
            }
        }
    }
    sync_folder(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files in `folder` and its folders with what they say, and empty folders.
    fn tree(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(&next).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    found.push(format!("{name}: {}", fs::read_to_string(path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    fn write(target: &TargetFolder, folder: &str, file: &str, text: &str) -> Result<()> {
        fs::write(target.subfolder(Path::new(folder))?.join(file), text).unwrap();
        Ok(())
    }

    /// A folder that an export has written: files 0 and 1 of `a=1`, file 0 of `a=2`.
    fn exported(path: &Path) -> Result<()> {
        let target = TargetFolder::create(path, Existing::Refused)?;
        write(&target, "a=1/b=1", "data_0.csv", "old")?;
        write(&target, "a=1/b=1", "data_1.csv", "old")?;
        write(&target, "a=2/b=1", "data_0.csv", "old")?;
        target.finish()
    }

    const OLD: [&str; 3] =
        ["a=1/b=1/data_0.csv: old", "a=1/b=1/data_1.csv: old", "a=2/b=1/data_0.csv: old"];

    #[test]
    fn a_folder_appears_whole_or_not_at_all() -> Result<()> {
        let around = tempfile::tempdir().unwrap();
        // Also where the folders around it are not there yet, and where it is there but empty.
        for name in ["deep/er/out", "empty"] {
            let path = around.path().join(name);
            if name == "empty" {
                fs::create_dir(&path).unwrap();
            }
            let target = TargetFolder::create(&path, Existing::Refused)?;
            write(&target, "a=1", "data_0.csv", "new")?;
            assert!(!path.exists() || tree(&path).is_empty());
            drop(target);
            assert!(tree(around.path()).iter().all(|file| !file.contains("martlet")));
            exported(&path)?;
            assert_eq!(tree(&path), OLD);
        }
        assert_eq!(fs::read_dir(around.path()).unwrap().count(), 2);
        Ok(())
    }

    #[test]
    fn files_that_are_there_or_come_meanwhile_stay() -> Result<()> {
        let around = tempfile::tempdir().unwrap();
        let path = around.path().join("out");
        let target = TargetFolder::create(&path, Existing::Refused)?;
        write(&target, "a=3", "data_0.csv", "new")?;
        exported(&path)?;
        for error in [target.finish(), TargetFolder::create(&path, Existing::Refused).map(drop)] {
            assert!(error.unwrap_err().message().ends_with("out has files already"));
        }
        assert_eq!(tree(around.path()), OLD.map(|file| format!("out/{file}")));
        fs::write(around.path().join("file"), "x").unwrap();
        let error = TargetFolder::create(&around.path().join("file"), Existing::Replaced);
        assert!(error.unwrap_err().message().ends_with("is a file"));
        Ok(())
    }

    #[test]
    fn a_folder_is_replaced_unless_something_else_is_in_it() -> Result<()> {
        let around = tempfile::tempdir().unwrap();
        let path = around.path().join("out");
        exported(&path)?;
        let target = TargetFolder::create(&path, Existing::Replaced)?;
        write(&target, "a=3", "data_0.csv", "new")?;
        assert_eq!(tree(&path), OLD);
        target.finish()?;
        assert_eq!(tree(around.path()), ["out/a=3/data_0.csv: new"]);
        let target = TargetFolder::create(&path, Existing::Replaced)?;
        for stranger in ["a=3/notes.txt", "data_x.csv", "a=3/data_.csv"] {
            fs::write(path.join(stranger), "mine").unwrap();
            let error = TargetFolder::create(&path, Existing::Replaced).unwrap_err();
            assert!(error.message().contains(stranger), "{error}");
            fs::remove_file(path.join(stranger)).unwrap();
        }
        fs::write(path.join("a=3/late"), "mine").unwrap();
        assert!(target.finish().is_err());
        assert_eq!(tree(around.path()), ["out/a=3/data_0.csv: new", "out/a=3/late: mine"]);
        assert_eq!(fs::read_dir(around.path()).unwrap().count(), 1);
        Ok(())
    }

    #[test]
    fn a_folder_is_extended_by_what_comes_and_loses_what_that_replaces() -> Result<()> {
        let around = tempfile::tempdir().unwrap();
        let path = around.path().join("out");
        exported(&path)?;
        fs::write(path.join("a=1/b=1/notes.txt"), "mine").unwrap();
        let target = TargetFolder::create(&path, Existing::Extended)?;
        write(&target, "a=1/b=1", "data_0.csv", "new")?;
        write(&target, "a=3/b=1", "data_0.csv", "new")?;
        target.finish()?;
        assert_eq!(
            tree(around.path()),
            [
                "out/a=1/b=1/data_0.csv: new",
                "out/a=1/b=1/notes.txt: mine",
                "out/a=2/b=1/data_0.csv: old",
                "out/a=3/b=1/data_0.csv: new",
            ]
        );
        assert_eq!(fs::read_dir(&path).unwrap().count(), 3);
        Ok(())
    }

    #[test]
    fn folders_that_cannot_be_renamed_are_refused_before_they_are_written() {
        let current = std::env::current_dir().unwrap();
        for existing in [Existing::Refused, Existing::Replaced] {
            assert!(TargetFolder::create(&current, existing).is_err());
        }
        if cfg!(target_os = "linux") {
            let mounted = Path::new("/dev/shm");
            if mounted.is_dir() && fs::read_dir(mounted).unwrap().next().is_none() {
                let error = TargetFolder::create(mounted, Existing::Refused).unwrap_err();
                assert!(error.message().contains("mounted"), "{error}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_leads_to_the_new_folder() -> Result<()> {
        let around = tempfile::tempdir().unwrap();
        let (link, real) = (around.path().join("link"), around.path().join("real"));
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        exported(&link)?;
        assert!(link.is_symlink() && !real.is_symlink());
        assert_eq!(tree(&real), OLD);
        Ok(())
    }
}

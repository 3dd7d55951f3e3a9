//! Functions on paths, one job each, but for what is answered from memory.

use std::fs::{Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use crate::fs::{asyncify, cached, ring};

/// The absolute form of a path, with every symbolic link and `..` resolved.
///
/// The asynchronous form of [`std::fs::canonicalize`](std::fs::canonicalize).
///
/// # Errors
/// If the path does not exist, or a part of it that is not the last is no directory.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// let path = fs::canonicalize(dir.path().join(".")).await?;
/// assert!(path.is_absolute());
/// # Ok(())
/// # }
/// ```
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    if let Some(result) = cached::canonicalize(&path).await {
        return result;
    }
    asyncify(move || std::fs::canonicalize(path)).await
}

/// Makes an empty directory.
///
/// The asynchronous form of [`std::fs::create_dir`](std::fs::create_dir).
///
/// # Errors
/// If the parent does not exist, or something of that name does.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// fs::create_dir(dir.path().join("new")).await?;
/// # Ok(())
/// # }
/// ```
pub async fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    if let Some(result) = ring::create_dir(&path, 0o777).await {
        return result;
    }
    asyncify(move || std::fs::create_dir(path)).await
}

/// Makes a directory and all its parents, as far as they are missing.
///
/// The asynchronous form of [`std::fs::create_dir_all`](std::fs::create_dir_all).
///
/// # Errors
/// If a directory cannot be made. Those that were made stay.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// fs::create_dir_all(dir.path().join("a/b/c")).await?;
/// # Ok(())
/// # }
/// ```
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || std::fs::create_dir_all(path)).await
}

/// What the system knows of a file, following symbolic links.
///
/// The asynchronous form of [`std::fs::metadata`](std::fs::metadata).
///
/// # Errors
/// If there is no such file, or no permission to look.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// assert!(fs::metadata(dir.path()).await?.is_dir());
/// # Ok(())
/// # }
/// ```
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    if let Some(result) = cached::metadata(&path, true).await {
        return result;
    }
    if let Some(result) = ring::metadata(&path, true).await {
        return result;
    }
    asyncify(move || std::fs::metadata(path)).await
}

/// What the system knows of a file; of a symbolic link itself, not of what it leads to.
///
/// The asynchronous form of [`std::fs::symlink_metadata`](std::fs::symlink_metadata).
///
/// # Errors
/// If there is no such file, or no permission to look.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// assert!(!fs::symlink_metadata(dir.path()).await?.is_symlink());
/// # Ok(())
/// # }
/// ```
pub async fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    if let Some(result) = cached::metadata(&path, false).await {
        return result;
    }
    if let Some(result) = ring::metadata(&path, false).await {
        return result;
    }
    asyncify(move || std::fs::symlink_metadata(path)).await
}

/// The whole contents of a file.
///
/// The asynchronous form of [`std::fs::read`](std::fs::read).
///
/// # Errors
/// If the file cannot be opened or read.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// let path = dir.path().join("file");
/// fs::write(&path, b"bytes").await?;
/// assert_eq!(fs::read(&path).await?, b"bytes");
/// # Ok(())
/// # }
/// ```
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref().to_owned();
    if let Some(result) = cached::read(&path).await {
        return result;
    }
    if let Some(result) = ring::read(&path).await {
        return result;
    }
    asyncify(move || std::fs::read(path)).await
}

/// The whole contents of a file, as text.
///
/// The asynchronous form of [`std::fs::read_to_string`](std::fs::read_to_string).
///
/// # Errors
/// If the file cannot be opened or read, or is not UTF-8 ([`InvalidData`](std::io::ErrorKind::InvalidData)).
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// let path = dir.path().join("file");
/// fs::write(&path, "text").await?;
/// assert_eq!(fs::read_to_string(&path).await?, "text");
/// # Ok(())
/// # }
/// ```
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref().to_owned();
    let bytes = match cached::read(&path).await {
        Some(result) => Some(result),
        None => ring::read_if_turned(&path).await,
    };
    if let Some(result) = bytes {
        match result.map(String::from_utf8) {
            Ok(Ok(text)) => return Ok(text),
            // The standard library has the words for it.
            Ok(Err(_)) => {}
            Err(error) => return Err(error),
        }
    }
    asyncify(move || std::fs::read_to_string(path)).await
}

/// Where a symbolic link leads.
///
/// The asynchronous form of [`std::fs::read_link`](std::fs::read_link).
///
/// # Errors
/// If there is none at that path.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// assert!(fs::read_link(dir.path()).await.is_err(), "a directory is no link");
/// # Ok(())
/// # }
/// ```
pub async fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    asyncify(move || std::fs::read_link(path)).await
}

/// Removes an empty directory.
///
/// The asynchronous form of [`std::fs::remove_dir`](std::fs::remove_dir).
///
/// # Errors
/// If it is not empty, no directory, or not there.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// let path = dir.path().join("gone");
/// fs::create_dir(&path).await?;
/// fs::remove_dir(&path).await?;
/// # Ok(())
/// # }
/// ```
pub async fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    if let Some(result) = ring::remove_dir(&path).await {
        return result;
    }
    asyncify(move || std::fs::remove_dir(path)).await
}

/// Removes a directory with all that is in it. Symbolic links are removed, not followed.
///
/// The asynchronous form of [`std::fs::remove_dir_all`](std::fs::remove_dir_all).
///
/// # Errors
/// If something cannot be removed. What was removed stays so.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// let path = dir.path().join("tree");
/// fs::create_dir_all(path.join("branch")).await?;
/// fs::remove_dir_all(&path).await?;
/// # Ok(())
/// # }
/// ```
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || std::fs::remove_dir_all(path)).await
}

/// Removes a file. Its contents stay for those who have it open, where the system does so.
///
/// The asynchronous form of [`std::fs::remove_file`](std::fs::remove_file).
///
/// # Errors
/// If it is a directory, or not there.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// let path = dir.path().join("file");
/// fs::write(&path, "").await?;
/// fs::remove_file(&path).await?;
/// # Ok(())
/// # }
/// ```
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    if let Some(result) = ring::remove_file(&path).await {
        return result;
    }
    asyncify(move || std::fs::remove_file(path)).await
}

/// Whether something is at a path, following symbolic links.
///
/// The asynchronous form of [`std::fs::try_exists`](std::path::Path::try_exists).
///
/// # Errors
/// If that cannot be found out, for want of a permission for instance.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// assert!(fs::try_exists(dir.path()).await?);
/// # Ok(())
/// # }
/// ```
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    let path = path.as_ref().to_owned();
    match cached::metadata(&path, true).await {
        Some(Ok(_)) => return Ok(true),
        Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        _ => {}
    }
    if let Some(result) = ring::exists(&path).await {
        return result;
    }
    asyncify(move || path.try_exists()).await
}

/// Copies a file's contents and permissions to another path, replacing what is there; the number of bytes.
///
/// The asynchronous form of [`std::fs::copy`].
///
/// # Errors
/// If `from` is no file, or either is not accessible.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// fs::write(dir.path().join("a"), "abc").await?;
/// assert_eq!(fs::copy(dir.path().join("a"), dir.path().join("b")).await?, 3);
/// # Ok(())
/// # }
/// ```
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    asyncify(move || std::fs::copy(from, to)).await
}

/// Gives a file a second name.
///
/// The asynchronous form of [`std::fs::hard_link`].
///
/// # Errors
/// If `original` does not exist, `link` does, or the file system has no such links.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// fs::write(dir.path().join("a"), "").await?;
/// fs::hard_link(dir.path().join("a"), dir.path().join("b")).await?;
/// # Ok(())
/// # }
/// ```
pub async fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    if let Some(result) = ring::hard_link(&original, &link).await {
        return result;
    }
    asyncify(move || std::fs::hard_link(original, link)).await
}

/// Gives a file or directory another name, replacing a file that has it.
///
/// The asynchronous form of [`std::fs::rename`].
///
/// # Errors
/// If `from` does not exist, or the two are on different file systems.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// fs::write(dir.path().join("a"), "").await?;
/// fs::rename(dir.path().join("a"), dir.path().join("b")).await?;
/// # Ok(())
/// # }
/// ```
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    if let Some(result) = ring::rename(&from, &to).await {
        return result;
    }
    asyncify(move || std::fs::rename(from, to)).await
}

/// Changes a file's permissions.
///
/// The asynchronous form of [`std::fs::set_permissions`].
///
/// # Errors
/// If there is no such file, or no permission to change it.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// let mut permissions = fs::metadata(dir.path()).await?.permissions();
/// permissions.set_readonly(true);
/// fs::set_permissions(dir.path(), permissions).await?;
/// # Ok(())
/// # }
/// ```
pub async fn set_permissions(path: impl AsRef<Path>, perm: Permissions) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || std::fs::set_permissions(path, perm)).await
}

/// Writes a whole file, replacing what was there.
///
/// The asynchronous form of [`std::fs::write`]. The contents are copied first, since the job may outlive the
/// future.
///
/// # Errors
/// If the file cannot be made or written. It may then be there in part.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// fs::write(dir.path().join("file"), b"contents").await?;
/// # Ok(())
/// # }
/// ```
pub async fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    let contents = contents.as_ref().to_vec();
    asyncify(move || std::fs::write(path, contents)).await
}

/// Makes a symbolic link: `link` leads to `original`, which need not exist.
///
/// The asynchronous form of [`std::os::unix::fs::symlink`].
///
/// # Errors
/// If `link` exists.
///
/// # Examples
/// ```
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// use yamanote::fs;
///
/// fs::symlink("target", dir.path().join("link")).await?;
/// assert_eq!(fs::read_link(dir.path().join("link")).await?.to_str(), Some("target"));
/// # Ok(())
/// # }
/// ```
#[cfg(unix)]
pub async fn symlink(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    if let Some(result) = ring::symlink(&original, &link).await {
        return result;
    }
    asyncify(move || std::os::unix::fs::symlink(original, link)).await
}

/// Makes a symbolic link to a directory.
///
/// # Errors
/// If `link` exists, or the process may make none.
#[cfg(windows)]
pub async fn symlink_dir(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    asyncify(move || std::os::windows::fs::symlink_dir(original, link)).await
}

/// Makes a symbolic link to a file.
///
/// # Errors
/// If `link` exists, or the process may make none.
#[cfg(windows)]
pub async fn symlink_file(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    asyncify(move || std::os::windows::fs::symlink_file(original, link)).await
}

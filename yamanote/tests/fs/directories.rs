//! Making, walking and removing directories.

use std::collections::HashSet;
use std::io;

use yamanote::fs;

use super::support::{on_both, poll_once, single};

#[test]
fn made_and_removed() {
    on_both(|dir| async move {
        let path = dir.path().join("a");
        fs::create_dir(&path).await.unwrap();
        let error = fs::create_dir(&path).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let error = fs::create_dir(dir.path().join("x/y")).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);

        fs::create_dir_all(path.join("b/c")).await.unwrap();
        fs::create_dir_all(path.join("b/c")).await.unwrap();
        assert!(fs::remove_dir(&path).await.is_err(), "not empty");
        fs::write(path.join("b/file"), "x").await.unwrap();
        fs::remove_dir_all(&path).await.unwrap();
        assert!(!fs::try_exists(&path).await.unwrap());
        assert_eq!(fs::remove_dir(&path).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    });
}

#[test]
fn a_builder_makes_parents_if_told() {
    on_both(|dir| async move {
        let path = dir.path().join("a/b");
        let mut builder = fs::DirBuilder::new();
        assert_eq!(builder.create(&path).await.unwrap_err().kind(), io::ErrorKind::NotFound);
        builder.recursive(true).create(&path).await.unwrap();
        builder.create(&path).await.unwrap();
        assert!(fs::metadata(&path).await.unwrap().is_dir());
    });
}

#[cfg(unix)]
#[test]
fn a_builder_sets_the_mode() {
    use std::os::unix::fs::PermissionsExt;
    on_both(|dir| async move {
        let path = dir.path().join("a");
        fs::DirBuilder::new().mode(0o500).create(&path).await.unwrap();
        assert_eq!(fs::metadata(&path).await.unwrap().permissions().mode() & 0o777, 0o500);
    });
}

#[test]
fn every_entry_comes_once() {
    on_both(|dir| async move {
        for count in [0, 1, 63, 64, 65, 330] {
            let path = dir.path().join(count.to_string());
            fs::create_dir(&path).await.unwrap();
            let mut expected = HashSet::new();
            for i in 0..count {
                let name = format!("entry {i}");
                if i % 3 == 0 {
                    fs::create_dir(path.join(&name)).await.unwrap();
                } else {
                    fs::write(path.join(&name), &name).await.unwrap();
                }
                expected.insert(name);
            }
            let mut entries = fs::read_dir(&path).await.unwrap();
            let mut seen = HashSet::new();
            loop {
                // A dropped future loses no entry.
                let next = match poll_once(entries.next_entry()).await {
                    Some(next) => next,
                    None => entries.next_entry().await,
                };
                let Some(entry) = next.unwrap() else { break };
                let name = entry.file_name().into_string().unwrap();
                assert_eq!(entry.path(), path.join(&name));
                let metadata = entry.metadata().await.unwrap();
                let file_type = entry.file_type().await.unwrap();
                assert_eq!(file_type, metadata.file_type());
                if file_type.is_file() {
                    assert_eq!(metadata.len(), name.len() as u64);
                }
                #[cfg(unix)]
                assert_eq!(entry.ino(), std::os::unix::fs::MetadataExt::ino(&metadata));
                assert!(seen.insert(name));
            }
            assert_eq!(seen, expected);
            assert!(entries.next_entry().await.unwrap().is_none());
        }
    });
}

#[test]
fn what_is_no_directory_is_not_walked() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        let error = fs::read_dir(&path).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        fs::write(&path, "").await.unwrap();
        let error = fs::read_dir(&path).await.unwrap_err();
        // The standard library asks Windows for `PATH\\*`, and passes on what that says.
        assert_eq!(error.kind(), std::fs::read_dir(&path).unwrap_err().kind());
        assert!(cfg!(windows) || error.kind() == io::ErrorKind::NotADirectory);
    });
}

/// However many entries the system tells of at once.
#[test]
fn a_large_directory_lets_others_run() {
    use std::cell::Cell;

    const ENTRIES: usize = 3_000;
    let dir = tempfile::tempdir().unwrap();
    for i in 0..ENTRIES {
        std::fs::write(dir.path().join(i.to_string()), "").unwrap();
    }
    let runtime = single();
    let local = yamanote::task::LocalSet::new();
    local.block_on(&runtime, async {
        let others = std::rc::Rc::new(Cell::new(0_u32));
        let other = yamanote::task::spawn_local({
            let others = others.clone();
            async move {
                loop {
                    others.set(others.get() + 1);
                    yamanote::task::yield_now().await;
                }
            }
        });
        let walk = yamanote::task::spawn_local(async move {
            let mut entries = fs::read_dir(dir.path()).await.unwrap();
            let (mut seen, mut row, mut before) = (HashSet::new(), 0, others.get());
            while let Some(entry) = entries.next_entry().await.unwrap() {
                row = if others.get() == before { row + 1 } else { 1 };
                before = others.get();
                assert!(row <= 128, "nobody else has run");
                assert!(seen.insert(entry.file_name()));
            }
            assert_eq!(seen.len(), ENTRIES);
        });
        walk.await.unwrap();
        other.abort();
    });
}

/// An entry is the file that it named, even when the directory's path leads elsewhere.
#[test]
fn the_metadata_is_that_of_the_entry() {
    on_both(|dir| async move {
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        fs::create_dir(&old).await.unwrap();
        fs::write(old.join("f"), "1234").await.unwrap();
        let entry = fs::read_dir(&old).await.unwrap().next_entry().await.unwrap().unwrap();
        // Known to be in memory.
        assert_eq!(entry.metadata().await.unwrap().len(), 4);
        if cfg!(windows) {
            // The path is all that there is.
            return;
        }
        fs::rename(&old, &new).await.unwrap();
        fs::create_dir(&old).await.unwrap();
        fs::write(old.join("f"), "another").await.unwrap();
        fs::metadata(old.join("f")).await.unwrap();
        if cfg!(target_os = "linux") {
            assert_eq!(entry.metadata().await.unwrap().len(), 4);
        }
        std::fs::remove_file(new.join("f")).unwrap();
        if cfg!(target_os = "linux") {
            let error = entry.metadata().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
    });
}

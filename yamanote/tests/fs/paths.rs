//! Functions on paths.

use std::io;

use yamanote::fs;

use super::support::on_both;

#[test]
fn written_and_read() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        fs::write(&path, "grüße").await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), "grüße".as_bytes());
        assert_eq!(fs::read_to_string(&path).await.unwrap(), "grüße");
        fs::write(&path, b"\xff\xfe").await.unwrap();
        let error = fs::read_to_string(&path).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let expected = std::fs::read_to_string(&path).unwrap_err();
        assert_eq!(error.to_string(), expected.to_string());
        fs::write(&path, "").await.unwrap();
        assert_eq!(fs::read_to_string(&path).await.unwrap(), "");
    });
}

#[test]
fn errors_are_the_standard_librarys() {
    on_both(|dir| async move {
        let file = dir.path().join("f");
        fs::write(&file, "").await.unwrap();
        let long = "n".repeat(300);
        for path in [
            dir.path().join("missing"),
            dir.path().join("missing/below"),
            file.join("below"),
            dir.path().join("nul\0"),
            dir.path().join(long),
            "".into(),
            dir.path().to_owned(),
            file.clone(),
            dir.path().join("f/"),
            dir.path().join("f/."),
            dir.path().join("../"),
            dir.path().join("missing/../f"),
        ] {
            // Twice: the second time the system has the answer at hand.
            for _ in 0..2 {
                let code = |error: io::Error| (error.kind(), error.raw_os_error());
                assert_eq!(
                    fs::read(&path).await.map_err(code),
                    std::fs::read(&path).map_err(code),
                    "read {path:?}"
                );
                assert_eq!(
                    fs::metadata(&path).await.map(|m| m.file_type()).map_err(code),
                    std::fs::metadata(&path).map(|m| m.file_type()).map_err(code),
                    "metadata {path:?}"
                );
                assert_eq!(
                    fs::symlink_metadata(&path).await.map(|m| m.file_type()).map_err(code),
                    std::fs::symlink_metadata(&path).map(|m| m.file_type()).map_err(code),
                    "symlink_metadata {path:?}"
                );
                assert_eq!(
                    fs::try_exists(&path).await.map_err(code),
                    path.try_exists().map_err(code),
                    "try_exists {path:?}"
                );
                assert_eq!(
                    fs::File::open(&path).await.map(drop).map_err(code),
                    std::fs::File::open(&path).map(drop).map_err(code),
                    "open {path:?}"
                );
            }
        }
    });
}

#[test]
fn copied_renamed_linked_removed() {
    on_both(|dir| async move {
        let at = |name: &str| dir.path().join(name);
        fs::write(at("a"), "12345").await.unwrap();
        // Wine copies and says that it copied nothing.
        let copied = fs::copy(at("a"), at("b")).await.unwrap();
        assert_eq!(copied, std::fs::copy(at("a"), at("copy")).unwrap());
        assert_eq!(fs::read_to_string(at("b")).await.unwrap(), "12345");
        fs::rename(at("b"), at("c")).await.unwrap();
        assert!(!fs::try_exists(at("b")).await.unwrap());
        fs::hard_link(at("c"), at("d")).await.unwrap();
        fs::write(at("c"), "new").await.unwrap();
        assert_eq!(fs::read_to_string(at("d")).await.unwrap(), "new");
        fs::remove_file(at("c")).await.unwrap();
        assert_eq!(fs::read_to_string(at("d")).await.unwrap(), "new");
        assert_eq!(fs::remove_file(at("c")).await.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(fs::metadata(at("c")).await.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(fs::copy(at("c"), at("e")).await.is_err());
        assert!(fs::hard_link(at("a"), at("d")).await.is_err());
        let here = fs::canonicalize(at("./a")).await.unwrap();
        assert_eq!(here, std::fs::canonicalize(at("a")).unwrap());
        assert!(fs::canonicalize(at("missing")).await.is_err());
    });
}

#[test]
fn permissions_are_changed() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        fs::write(&path, "").await.unwrap();
        let mut permissions = fs::metadata(&path).await.unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).await.unwrap();
        assert!(fs::metadata(&path).await.unwrap().permissions().readonly());
    });
}

#[cfg(unix)]
#[test]
fn symbolic_links() {
    on_both(|dir| async move {
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "text").await.unwrap();
        fs::symlink("file", at("link")).await.unwrap();
        fs::symlink("nowhere", at("broken")).await.unwrap();
        fs::symlink("loop", at("loop")).await.unwrap();
        fs::symlink(".", at("here")).await.unwrap();
        for _ in 0..2 {
            assert_eq!(fs::read_link(at("link")).await.unwrap().to_str(), Some("file"));
            assert_eq!(fs::read_to_string(at("link")).await.unwrap(), "text");
            assert_eq!(fs::read_to_string(at("here/here/link")).await.unwrap(), "text");
            assert!(fs::metadata(at("link")).await.unwrap().is_file());
            assert!(fs::symlink_metadata(at("link")).await.unwrap().is_symlink());
            assert!(fs::symlink_metadata(at("here")).await.unwrap().is_symlink());
            assert!(fs::symlink_metadata(at("here/")).await.unwrap().is_dir());
            assert!(!fs::try_exists(at("broken")).await.unwrap());
            assert!(fs::symlink_metadata(at("broken")).await.unwrap().is_symlink());
            let expected = std::fs::metadata(at("loop")).unwrap_err().raw_os_error();
            assert_eq!(fs::metadata(at("loop")).await.unwrap_err().raw_os_error(), expected);
            assert_eq!(fs::try_exists(at("loop")).await.unwrap_err().raw_os_error(), expected);
        }
    });
}

#[cfg(unix)]
#[test]
fn canonical_paths_are_the_standard_librarys() {
    on_both(|dir| async move {
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("a/b/c")).await.unwrap();
        fs::write(at("a/file"), "").await.unwrap();
        fs::write(at("a/file (deleted)"), "").await.unwrap();
        fs::write(at("lost"), "").await.unwrap();
        fs::hard_link(at("a/file"), at("same")).await.unwrap();
        fs::symlink("a/b", at("link")).await.unwrap();
        fs::symlink(at("link/c"), at("far")).await.unwrap();
        fs::symlink("nowhere", at("broken")).await.unwrap();
        fs::symlink("loop", at("loop")).await.unwrap();
        std::fs::create_dir(at(&"x".repeat(200))).unwrap();
        let deep = at(&format!("{0}/../{0}/.././link/../file", "x".repeat(200)));
        let lost = std::fs::File::open(at("lost")).unwrap();
        fs::remove_file(at("lost")).await.unwrap();
        let lost = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&lost));
        let mut paths =
            vec![deep, dir.path().to_owned(), "/".into(), "".into(), ".".into(), "..".into()];
        paths.extend(["/dev/null", "/proc/self", "/dev/stdin", &lost, "a\0b"].map(Into::into));
        for name in [
            "a",
            "a/",
            "a/b/../file",
            "a/file",
            "a/file/",
            "a/file/..",
            "same",
            "link",
            "link/",
            "link/c/..",
            "far",
            "far/../..",
            "broken",
            "loop",
            "missing",
            "missing/../a",
            "a//b///c",
            "./a/./b",
            "a/file (deleted)",
        ] {
            paths.push(at(name));
        }
        for path in paths {
            for _ in 0..2 {
                let (ours, theirs) = (fs::canonicalize(&path).await, std::fs::canonicalize(&path));
                match (ours, theirs) {
                    (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{path:?}"),
                    (Err(ours), Err(theirs)) => {
                        assert_eq!(ours.kind(), theirs.kind(), "{path:?}");
                        assert_eq!(ours.raw_os_error(), theirs.raw_os_error(), "{path:?}");
                    }
                    (ours, theirs) => panic!("{path:?}: {ours:?}, {theirs:?}"),
                }
            }
        }
    });
}

#[test]
fn metadata_is_the_standard_librarys() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        fs::write(&path, "12345").await.unwrap();
        for path in [path.as_path(), dir.path()] {
            let ours = fs::metadata(path).await.unwrap();
            let theirs = std::fs::metadata(path).unwrap();
            assert_eq!(ours.len(), theirs.len());
            assert_eq!(ours.file_type(), theirs.file_type());
            assert_eq!(ours.permissions(), theirs.permissions());
            assert_eq!(ours.modified().unwrap(), theirs.modified().unwrap());
            assert_eq!(ours.created().ok(), theirs.created().ok());
            #[cfg(unix)]
            {
                use std::os::unix::fs::MetadataExt;
                assert_eq!((ours.dev(), ours.ino()), (theirs.dev(), theirs.ino()));
                assert_eq!((ours.uid(), ours.nlink()), (theirs.uid(), theirs.nlink()));
            }
        }
    });
}

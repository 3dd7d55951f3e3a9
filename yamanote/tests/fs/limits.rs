//! Disks that are full, files that are somebody else's, and reads past the cache, in all ways.

use std::ffi::CString;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use yamanote::fs::{self, File, OpenOptions};
use yamanote::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use yamanote::runtime::Builder;

use super::support::{WAYS, on_both, pattern};

const SIZE: usize = 256 * 1024;

/// A file system of its own, with little room.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Small> {
        let dir = tempfile::tempdir().unwrap();
        let target = CString::new(dir.path().to_str().unwrap()).unwrap();
        let options = CString::new(format!("size={SIZE}")).unwrap();
        let kind = c"tmpfs".as_ptr();
        // SAFETY: strings that end with a null byte.
        let result = unsafe { libc::mount(kind, target.as_ptr(), kind, 0, options.as_ptr().cast()) };
        if result != 0 {
            println!("skipped: nothing can be mounted here ({})", std::io::Error::last_os_error());
            return None;
        }
        Some(Small(dir))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let target = CString::new(self.0.path().to_str().unwrap()).unwrap();
        // SAFETY: a string that ends with a null byte.
        unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
    }
}

#[test]
fn a_full_disk() {
    for way in WAYS {
        let Some(small) = Small::mount() else { return };
        let (a, b) = (small.0.path().join("a"), small.0.path().join("b"));
        let runtime = Builder::new_current_thread().enable_all().file_io(way).build().unwrap();
        runtime.block_on(async {
            let error = fs::write(&a, pattern(2 * SIZE)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageFull, "{way:?}");
            // What there was room for is there, as with the standard library.
            assert_eq!(fs::metadata(&a).await.unwrap().len(), SIZE as u64);
            let mut file = File::create(&b).await.unwrap();
            // Accepted; the error comes with what follows.
            let written = file.write_all(&pattern(SIZE)).await;
            let error = written.and(file.flush().await).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageFull, "{way:?}");
            assert_eq!(fs::copy(&a, &b).await.unwrap_err().kind(), ErrorKind::StorageFull);
            assert!(fs::read(&a).await.unwrap() == pattern(2 * SIZE)[..SIZE]);
            fs::remove_file(&a).await.unwrap();
            drop(file);
            fs::write(&b, "there is room again").await.unwrap();
            assert_eq!(fs::read(&b).await.unwrap(), b"there is room again");
        });
    }
}

#[test]
fn past_the_cache() {
    on_both(|dir| async move {
        let path = dir.path().join("f");
        std::fs::write(&path, pattern(64 * 1024)).unwrap();
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_DIRECT);
        let opened = options.open(&path).await;
        let expected = {
            use std::os::unix::fs::OpenOptionsExt;
            std::fs::OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(&path)
        };
        assert_eq!(opened.is_ok(), expected.is_ok());
        let Ok(mut file) = opened else { return };
        for round in [0, 1, 2] {
            let mut buf = vec![0; 4096];
            match file.read(&mut buf).await {
                Ok(n) => assert!(buf[..n] == pattern(64 * 1024)[round * 4096..][..n]),
                // Memory has to lie as the device wants it, which a buffer's may not.
                Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
            }
            file.seek(std::io::SeekFrom::Start((round as u64 + 1) * 4096)).await.unwrap();
        }
    });
}

const VARIABLE: &str = "YAMANOTE_TEST_AS_NOBODY";

#[test]
fn what_is_not_allowed() {
    // SAFETY: takes and gives numbers.
    if unsafe { libc::geteuid() } != 0 {
        println!("skipped: without root there is nobody else's file to be had");
        return;
    }
    // Where anybody may look, and only root may write.
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let closed = dir.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::write(closed.join("f"), "x").unwrap();
    std::fs::write(dir.path().join("secret"), "x").unwrap();
    std::fs::write(dir.path().join("seen"), "x").unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::set_permissions(dir.path().join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
    // A copy of this program that others may run.
    let program = dir.path().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let output = Command::new(&program)
        .args(["--exact", "limits::as_nobody", "--nocapture"])
        .env(VARIABLE, dir.path())
        .env("TMPDIR", "/tmp")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("all was refused"), "{text}");
}

/// Does nothing unless it is asked to by the above.
#[test]
fn as_nobody() {
    let Some(dir) = std::env::var_os(VARIABLE) else { return };
    let dir = Path::new(&dir);
    // SAFETY: takes and gives numbers.
    unsafe {
        assert_eq!(libc::setgroups(0, std::ptr::null()), 0);
        assert_eq!(libc::setgid(65534), 0);
        assert_eq!(libc::setuid(65534), 0);
    }
    for way in WAYS {
        for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
            let runtime = builder.worker_threads(2).enable_all().file_io(way).build().unwrap();
            runtime.block_on(async {
                // Twice: then it is known what the paths lead to.
                for _ in 0..2 {
                    let (closed, secret, seen) =
                        (dir.join("closed/f"), dir.join("secret"), dir.join("seen"));
                    let denied = |what: &str, error: Option<std::io::Error>| {
                        let kind = error.map(|error| error.kind());
                        assert_eq!(kind, Some(ErrorKind::PermissionDenied), "{what}, {way:?}");
                    };
                    denied("read", fs::read(&secret).await.err());
                    denied("read below", fs::read(&closed).await.err());
                    denied("open", File::open(&secret).await.err());
                    denied("open below", File::open(&closed).await.err());
                    denied("create", File::create(&seen).await.err());
                    denied("create anew", File::create(dir.join("new")).await.err());
                    let mut options = OpenOptions::new();
                    denied("write", options.write(true).open(&seen).await.err());
                    denied("write whole", fs::write(&seen, "y").await.err());
                    denied("metadata", fs::metadata(&closed).await.err());
                    denied("exists", fs::try_exists(&closed).await.err());
                    denied("rename", fs::rename(&seen, dir.join("gone")).await.err());
                    denied("remove", fs::remove_file(&seen).await.err());
                    denied("create_dir", fs::create_dir(dir.join("new")).await.err());
                    denied("symlink", fs::symlink("a", dir.join("new")).await.err());
                    assert_eq!(fs::metadata(&secret).await.unwrap().len(), 1);
                    assert_eq!(fs::read(&seen).await.unwrap(), b"x");
                }
            });
        }
    }
    println!("all was refused");
}

//! The oldest compiler that is promised: Debian's, unpacked into a folder beside the newer one.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::shell;

/// As `rust-version` in the workspace's `Cargo.toml`.
const VERSION: &str = "1.85";

/// Whether both packages compile, with all features.
pub(super) fn check(directory: &Path) -> Result<bool, String> {
    let directory = directory.join("msrv");
    let compiler = directory.join("rustc.sh");
    if !compiler.exists() {
        unpack(&directory, &compiler)?;
    }
    println!("msrv: checking");
    let mut command = shell::cargo();
    command.args(["check", "--quiet", "--package", "yamanote", "--package", "tokio", "--all-features"]);
    command.current_dir(shell::root()).env("RUSTC", &compiler).env_remove("RUSTFLAGS");
    command.env("CARGO_TARGET_DIR", directory.join("target")).env("CARGO_PROFILE_DEV_DEBUG", "0");
    shell::succeeds(&mut command)
}

/// Downloads the compiler with the libraries that it needs, and writes a script that starts it.
fn unpack(directory: &Path, compiler: &Path) -> Result<(), String> {
    std::fs::create_dir_all(directory).map_err(|error| error.to_string())?;
    let listing = shell::stdout(Command::new("apt-cache").args(["madison", "rustc-web"]))?;
    let versions = listing.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    let version = versions.into_iter().find(|version| version.starts_with(VERSION));
    let version = version.ok_or_else(|| format!("Debian has no rustc-web {VERSION}"))?;
    println!("msrv: unpacking rustc {version}");
    let library = format!("libstd-rust-web-{VERSION}={version}");
    let depends = shell::stdout(Command::new("apt-cache").args(["depends", &library]))?;
    let words = depends.split_whitespace();
    let llvm = words.into_iter().find(|word| word.starts_with("libllvm")).unwrap_or("libllvm19");
    let packages = [
        format!("rustc-web={version}"),
        format!("libstd-rust-web-dev={version}"),
        library.clone(),
        llvm.to_owned(),
        "libz3-4".to_owned(),
    ];
    let mut command = Command::new("apt-get");
    command.arg("download").args(packages).current_dir(directory);
    if !shell::succeeds(command.stdout(Stdio::null()).stderr(Stdio::null()))? {
        return Err("apt-get download failed".to_owned());
    }
    let root = directory.join("root");
    let entries = std::fs::read_dir(directory).map_err(|error| error.to_string())?;
    for entry in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if entry.extension().is_some_and(|extension| extension == "deb")
            && !shell::succeeds(Command::new("dpkg").arg("-x").arg(&entry).arg(&root))?
        {
            return Err(format!("cannot unpack {}", shell::shown(&entry)));
        }
    }
    let root = root.display();
    let libraries = format!("{root}/usr/lib/x86_64-linux-gnu:{root}/usr/lib");
    let script =
        format!("#!/bin/sh\nexport LD_LIBRARY_PATH={libraries}\nexec {root}/usr/bin/rustc \"$@\"\n");
    shell::write_if_changed(compiler, &script)?;
    if shell::succeeds(Command::new("chmod").arg("+x").arg(compiler))? {
        Ok(())
    } else {
        Err("chmod failed".to_owned())
    }
}

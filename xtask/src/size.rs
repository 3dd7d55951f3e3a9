//! An echo server with every feature, built on the real tokio and on yamanote: how large, and at what cost.
//!
//! Both sides are compiled as cargo compiles what does not lie in the program's own workspace, not incrementally, and
//! one crate after the other, so that the times can be compared.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::Args;
use crate::{Outcome, shell};

const HELP: &str = "\
usage: cargo xtask size [OPTIONS]

Builds one echo server with `full` on the registry's tokio and on yamanote, each from nothing, and compares the sizes
of the files and the processor time of the builds. Fails if a file is larger than tokio's. Needs `strip`.

  --profile NAME    only `dev`, or only `release`";

const PROGRAM: &str = r#"use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:7000").await?;
    loop {
        let (mut socket, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut bytes = vec![0; 1024];
            loop {
                match socket.read(&mut bytes).await {
                    Ok(0) | Err(_) => return,
                    Ok(n) => {
                        if socket.write_all(&bytes[..n]).await.is_err() {
                            return;
                        }
                    }
                }
            }
        });
    }
}
"#;

struct Built {
    file: u64,
    stripped: u64,
    packages: usize,
    /// Of the processor, if the system tells.
    seconds: Option<f64>,
}

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let only = args.values("--profile")?;
    args.finish()?;
    if let Some(other) = only.iter().find(|name| !["dev", "release"].contains(&name.as_str())) {
        return Err(format!("no profile `{other}`"));
    }
    let base = shell::target_dir().join("size");
    let sides =
        [("tokio", prepare(&base, "tokio", false)?), ("yamanote", prepare(&base, "yamanote", true)?)];
    println!("{:<20} {:>10} {:>10} {:>9} {:>9}", "", "bytes", "stripped", "packages", "seconds");
    let mut fine = true;
    for profile in ["dev", "release"] {
        if !only.is_empty() && !only.iter().any(|name| name == profile) {
            continue;
        }
        let mut both = Vec::new();
        for (side, folder) in &sides {
            let built = build(folder, profile)?;
            let seconds =
                built.seconds.map_or_else(|| "?".to_owned(), |seconds| format!("{seconds:.1}"));
            println!(
                "{:<20} {:>10} {:>10} {:>9} {seconds:>9}",
                format!("{side}, {profile}"),
                built.file,
                built.stripped,
                built.packages
            );
            both.push(built);
        }
        for (what, theirs, ours) in
            [("", both[0].file, both[1].file), (", stripped", both[0].stripped, both[1].stripped)]
        {
            if ours > theirs {
                println!("{profile}{what}: {} bytes more than tokio's", ours - theirs);
                fine = false;
            }
        }
    }
    Ok(fine)
}

/// A package of the program, with the patch or without.
fn prepare(base: &Path, side: &str, patched: bool) -> Result<PathBuf, String> {
    let folder = base.join(side);
    let mut manifest = "[package]\nname = \"echo\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
                        [dependencies]\ntokio = { version = \"=1.54.1\", features = [\"full\"] }\n\n[workspace]\n"
        .to_owned();
    if patched {
        let facade = shell::root().join("tokio");
        manifest.push_str(&format!("\n[patch.crates-io]\ntokio = {{ path = {facade:?} }}\n"));
    }
    shell::write_if_changed(&folder.join("Cargo.toml"), &manifest)?;
    shell::write_if_changed(&folder.join("src").join("main.rs"), PROGRAM)?;
    // Not to be counted with the build.
    if !shell::succeeds(cargo(&folder).args(["fetch", "--quiet"]))? {
        return Err(format!("{side}: the dependencies cannot be fetched"));
    }
    Ok(folder)
}

fn cargo(folder: &Path) -> Command {
    let mut cargo = shell::cargo();
    cargo.current_dir(folder).env("CARGO_TARGET_DIR", folder.join("target"));
    cargo.env("CARGO_INCREMENTAL", "0");
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PROFILE_"))
    {
        cargo.env_remove(name);
    }
    cargo
}

fn build(folder: &Path, profile: &str) -> Result<Built, String> {
    let target = folder.join("target");
    if target.exists() {
        std::fs::remove_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))?;
    }
    let before = children_seconds();
    if !shell::succeeds(cargo(folder).args(["build", "--quiet", "--jobs", "1", "--profile", profile]))? {
        return Err(format!("{}: it does not compile", folder.display()));
    }
    let seconds = before.and_then(|before| Some(children_seconds()? - before));
    let file = target.join(if profile == "dev" { "debug" } else { profile }).join("echo");
    let stripped = target.join("echo-stripped");
    if !shell::succeeds(Command::new("strip").arg("-o").arg(&stripped).arg(&file))? {
        return Err("strip fails".to_owned());
    }
    let size = |path: &Path| {
        path.metadata().map(|data| data.len()).map_err(|error| format!("{}: {error}", path.display()))
    };
    let tree = shell::stdout(cargo(folder).args([
        "tree",
        "--prefix",
        "none",
        "--edges",
        "normal,build",
        "--no-dedupe",
    ]))?;
    let packages: std::collections::BTreeSet<&str> = tree.lines().collect();
    Ok(Built { file: size(&file)?, stripped: size(&stripped)?, packages: packages.len() - 1, seconds })
}

/// What all children so far have taken of the processor.
fn children_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name may contain anything, so from behind it; counted from 1 the fields are number 16 and 17.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(13)?.parse::<f64>().ok()? + fields.get(14)?.parse::<f64>().ok()?;
    // 100 a second, on every architecture that Rust knows.
    Some(ticks / 100.0)
}

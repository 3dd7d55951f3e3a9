//! Asking cargo for executables.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Compiles these packages of the workspace in `folder`, optimised, and tells where their executables are.
pub fn executables(folder: &Path, packages: &[&str]) -> Result<Vec<PathBuf>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(folder)
        .args(["build", "--release", "--quiet", "--message-format", "json-render-diagnostics"])
        .args(packages.iter().flat_map(|package| ["-p", package]))
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("does not compile: {}", packages.join(" or ")));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let executable = |name: &&str| {
        // One JSON object a line; the executable's path is the only value asked for.
        let line = text.lines().rev().find(|line| {
            line.contains("\"compiler-artifact\"")
                && line.contains(&format!("\"name\":\"{name}\""))
                && line.contains("\"executable\":\"")
        });
        let path = line.and_then(|line| {
            let (_, rest) = line.split_once("\"executable\":\"")?;
            let (path, _) = rest.split_once('"')?;
            Some(PathBuf::from(path.replace("\\\\", "\\")))
        });
        path.ok_or_else(|| format!("cargo did not say where {name} is"))
    };
    packages.iter().map(executable).collect()
}

//! Where a published package lies, and what its tests need: all of it asked of cargo.

use std::path::PathBuf;

use serde_json::Value;

use super::suite::Suite;
use crate::shell;

/// A dependency as a line of a manifest.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) key: String,
    pub(crate) line: String,
    /// The `cfg(…)` it is limited to.
    pub(crate) target: Option<String>,
    pub(crate) for_tests: bool,
}

/// The published package.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) edition: String,
    /// Some tests read their own manifest and look for this.
    pub(crate) homepage: String,
    /// Name and source file of each integration test.
    pub(crate) tests: Vec<(String, PathBuf)>,
    pub(crate) dependencies: Vec<Dependency>,
    /// Each feature and the features it turns on.
    pub(crate) features: Vec<(String, Vec<String>)>,
}

/// Downloads the package if it is not there yet, and reads its metadata.
pub(crate) fn locate(suite: &Suite) -> Result<Upstream, String> {
    let directory = shell::target_dir().join("conformance").join(format!("locate-{}", suite.package));
    let manifest = directory.join("Cargo.toml");
    shell::write_if_changed(
        &manifest,
        &format!(
            "[package]\nname = \"locate\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
             [lib]\npath = \"lib.rs\"\n\n[dependencies]\n{} = \"={}\"\n",
            suite.package, suite.version
        ),
    )?;
    shell::write_if_changed(&directory.join("lib.rs"), "")?;
    let metadata = shell::json(
        shell::cargo().args(["metadata", "--format-version", "1", "--manifest-path"]).arg(&manifest),
    )?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let package = packages
        .iter()
        .find(|package| package["name"] == suite.package && package["version"] == suite.version)
        .ok_or_else(|| format!("cargo metadata does not name {}", suite.package))?;
    read(package)
}

fn read(package: &Value) -> Result<Upstream, String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tests = list(&package["targets"])
        .iter()
        .filter(|target| list(&target["kind"]).iter().any(|kind| kind == "test"))
        .map(|target| (text(&target["name"]), PathBuf::from(text(&target["src_path"]))))
        .collect();

    let mut optional = Vec::new();
    let mut dependencies = Vec::new();
    for dependency in list(&package["dependencies"]) {
        let for_tests = match dependency["kind"].as_str() {
            None => false,
            Some("dev") => true,
            Some(_) => continue,
        };
        let name = text(&dependency["name"]);
        let key = dependency["rename"].as_str().unwrap_or(&name).to_owned();
        if dependency["optional"] == true {
            optional.push(key.clone());
        }
        let features: Vec<String> = list(&dependency["features"]).iter().map(text).collect();
        let line = format!(
            "{key} = {{ package = {name:?}, version = {:?}, default-features = {}, features = {features:?} }}",
            text(&dependency["req"]),
            dependency["uses_default_features"],
        );
        let target = dependency["target"].as_str().map(str::to_owned);
        dependencies.push(Dependency { key, line, target, for_tests });
    }

    let mut features = Vec::new();
    let empty = serde_json::Map::new();
    let table = package["features"].as_object().unwrap_or(&empty);
    // A feature that only switches a dependency of the same name on is not one that tests ask for.
    let is_plain = |name: &str, value: &Value| {
        let only_itself = list(value) == [Value::from(format!("dep:{name}"))];
        name != "default"
            && !(only_itself && optional.iter().any(|dep| dep == name) && name != "tracing")
    };
    for (name, value) in table.iter().filter(|(name, value)| is_plain(name, value)) {
        let on: Vec<String> = list(value)
            .iter()
            .map(text)
            .filter(|other| table.get(other).is_some_and(|v| is_plain(other, v)))
            .collect();
        features.push((name.clone(), on));
    }
    let (edition, homepage) = (text(&package["edition"]), text(&package["homepage"]));
    Ok(Upstream { edition, homepage, tests, dependencies, features })
}

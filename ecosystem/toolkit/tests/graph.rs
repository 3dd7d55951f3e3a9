//! There is one tokio in the whole workspace's graph, and it is the facade.

use std::process::Command;

use serde_json::Value;

#[test]
fn one_tokio_and_it_is_the_facade() {
    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let named = |name: &str| packages.iter().filter(|p| p["name"] == name).collect::<Vec<_>>();

    let tokios = named("tokio");
    assert_eq!(tokios.len(), 1, "{:?}", tokios.iter().map(|p| &p["id"]).collect::<Vec<_>>());
    // What comes from a registry has a source; what lies in a folder has none.
    assert!(tokios[0]["source"].is_null(), "{}", tokios[0]["source"]);
    let manifest = tokios[0]["manifest_path"].as_str().unwrap();
    let facade = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tokio/Cargo.toml");
    assert_eq!(std::path::Path::new(manifest), facade.canonicalize().unwrap());
    assert_eq!(named("yamanote").len(), 1);
    // The real one's macros would expand to a second runtime's paths.
    assert_eq!(named("tokio-macros").len(), 0);

    // The patch is no special case for a few: everybody's tokio is this one.
    let dependents = metadata["resolve"]["nodes"].as_array().unwrap().iter();
    let dependents = dependents
        .filter(|node| node["deps"].as_array().unwrap().iter().any(|dep| dep["pkg"] == tokios[0]["id"]))
        .count();
    assert!(dependents >= 20, "only {dependents} packages use tokio");
}

/// What docs/migrating.md proposes to a program that wants to be sure.
#[test]
fn the_runtime_is_yamanote() {
    let name = std::any::type_name::<tokio::runtime::Runtime>();
    assert!(name.starts_with("yamanote::"), "{name}");
}

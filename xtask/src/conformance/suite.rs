//! Whose tests are run: tokio's own, and those of packages that are built on it and publish theirs.

/// The version whose API this project offers.
pub(crate) const VERSION: &str = "1.54.1";

/// A published package and how its tests are built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suite {
    /// What `--suite` and the list in `xtask/data` are called.
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    /// Empty: all the package has.
    pub(crate) features: &'static [&'static str],
    pub(crate) unstable: bool,
}

const fn package(name: &'static str, version: &'static str) -> Suite {
    Suite { name, package: name, version, features: &[], unstable: false }
}

const TOKIO: Suite = package("tokio", VERSION);

/// All of them; the first is run if nothing was said.
pub(crate) const SUITES: [Suite; 8] = [
    Suite { name: "stable", features: &["full", "test-util"], ..TOKIO },
    Suite { name: "unstable", unstable: true, ..TOKIO },
    package("tokio-util", "0.7.20"),
    package("tokio-stream", "0.1.19"),
    package("tokio-test", "0.4.6"),
    package("hyper-util", "0.1.21"),
    package("tower", "0.5.3"),
    // It refuses to run on a tokio without the flag.
    Suite { features: &["env-filter"], unstable: true, ..package("console-subscriber", "0.5.0") },
];

pub(crate) fn find(name: &str) -> Result<Suite, String> {
    let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
    let found = SUITES.iter().find(|suite| suite.name == name).copied();
    found.ok_or_else(|| format!("no suite named `{name}` (there are: {})", names.join(", ")))
}

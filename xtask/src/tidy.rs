//! The rules that the tree keeps and no compiler checks.
//!
//! Text rules, deliberately simple: a rule that needs a parser belongs into a lint.

use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::{Outcome, shell};

const HELP: &str = "\
usage: cargo xtask tidy [--lengths] [--unsafe]

Checks the sources of yamanote, yamanote-macros and tokio:
  - target cfgs stand in `sys/`, in files or folders named for a system (`os`, `unix`, `windows` …), and
    elsewhere only on whole items that other systems do not have (`pub …`, `mod`, `use`, `impl`);
  - nothing is left undone (`todo!`, `unimplemented!`, `#[ignore]`, notes to oneself);
  - only `engine/task/raw.rs` dereferences task pointers;
  - docs/unsafe.md lists the files that hold `unsafe`, those and no others;
  - each file starts with a `//!` header that says what it is;
  - files stay readable in one sitting.

  --lengths     print the longest files
  --unsafe      print how often `unsafe` stands in each file";

/// Above this a file is more than one concept. Tests and models beside the code count, hence not lower.
const LONGEST: usize = 1_200;

/// The page that lists the files with `unsafe`, with what they may do.
const UNSAFE_LIST: &str = "docs/unsafe.md";

/// Words for a system in a path: below them, and only there, target cfgs are at home.
const SYSTEMS: [&str; 8] =
    ["sys", "os", "unix", "unix.rs", "windows", "windows.rs", "linux", "linux.rs"];

struct File {
    /// Relative to the repository.
    path: PathBuf,
    text: String,
}

impl File {
    fn is_below(&self, part: &str) -> bool {
        self.path.components().any(|component| component.as_os_str() == part)
    }

    fn is(&self, path: &str) -> bool {
        self.path == Path::new(path)
    }

    /// The lines that are code, numbered from one; comments and doc comments are left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// How often `unsafe` stands in the code.
    fn unsafe_count(&self) -> usize {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.code()
            .flat_map(|(_, line)| line.split(|c| !is_word(c)))
            .filter(|word| *word == "unsafe")
            .count()
    }
}

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let lengths = args.flag("--lengths");
    let show_unsafe = args.flag("--unsafe");
    args.finish()?;

    let mut files = Vec::new();
    for package in ["yamanote/src", "yamanote-macros/src", "tokio/src"] {
        collect(&shell::root().join(package), &mut files)?;
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));

    let mut findings = Vec::new();
    for file in &files {
        check(file, &mut findings);
    }
    if lengths {
        let mut by_length: Vec<_> = files.iter().map(|f| (f.text.lines().count(), &f.path)).collect();
        by_length.sort_by(|a, b| b.cmp(a));
        for (length, path) in by_length.iter().take(30) {
            println!("{length:>5} {}", path.display());
        }
    }
    let listed = shell::read(&shell::root().join(UNSAFE_LIST))?;
    compare_unsafe(&files, &listed, &mut findings);
    if show_unsafe {
        for file in files.iter().filter(|file| file.unsafe_count() > 0) {
            println!("{:>5} {}", file.unsafe_count(), file.path.display());
        }
    }
    for finding in &findings {
        println!("{finding}");
    }
    println!("{} files, {} findings", files.len(), findings.len());
    Ok(findings.is_empty())
}

fn collect(directory: &Path, files: &mut Vec<File>) -> Result<(), String> {
    let entries =
        std::fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = shell::read(&path)?;
            let path = path.strip_prefix(shell::root()).unwrap_or(&path).to_path_buf();
            files.push(File { path, text });
        }
    }
    Ok(())
}

fn check(file: &File, findings: &mut Vec<String>) {
    let mut found =
        |line: usize, what: &str| findings.push(format!("{}:{line}: {what}", file.path.display()));

    // Tests and models beside a module are explained by the module.
    let is_beside = file.is_below("tests.rs") || file.is_below("models.rs");
    if !file.text.starts_with("//!") && !is_beside {
        found(1, "no `//!` header");
    }
    let length = file.text.lines().count();
    if length > LONGEST {
        found(length, "too long for one concept");
    }

    let at_home = SYSTEMS.iter().any(|system| file.is_below(system));
    for (number, line) in file.code() {
        if !at_home && is_target_cfg(line) && !is_on_item(&file.text, number) {
            found(number, "target cfg outside of sys/ and the os modules");
        }
        if ["todo!(", "unimplemented!(", "#[ignore"].iter().any(|word| line.contains(word)) {
            found(number, "left undone");
        }
    }
    for (index, line) in file.text.lines().enumerate() {
        if has_note(line) {
            found(index + 1, "a note to oneself");
        }
    }

    // A task pointer is a `NonNull<Header>`; elsewhere it is passed on, compared, and never looked into.
    if file.is_below("engine") && !file.is("yamanote/src/engine/task/raw.rs") {
        for (number, line) in file.code() {
            let dereferences = ["header.as_ref()", "header.as_mut()", "(*header)", "header.as_ptr())."];
            if dereferences.iter().any(|word| line.contains(word)) {
                found(number, "a task pointer dereferenced outside of engine/task/raw.rs");
            }
        }
    }
}

/// Compares the list of files with `unsafe`, whose rows begin with a path in backquotes, with the tree.
fn compare_unsafe(files: &[File], list: &str, findings: &mut Vec<String>) {
    let listed: Vec<&str> = list
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(path, _)| path)
        .collect();
    let holding: Vec<String> = files
        .iter()
        .filter(|file| file.unsafe_count() > 0)
        .map(|file| file.path.display().to_string())
        .collect();
    for path in holding.iter().filter(|path| !listed.contains(&path.as_str())) {
        findings.push(format!("{path}: holds `unsafe` and is not in {UNSAFE_LIST}"));
    }
    for (index, path) in listed.iter().enumerate() {
        if !holding.iter().any(|holding| holding == path) {
            findings.push(format!("{UNSAFE_LIST}: {path} holds no `unsafe`"));
        }
        if listed[..index].contains(path) {
            findings.push(format!("{UNSAFE_LIST}: {path} stands there twice"));
        }
    }
}

fn is_target_cfg(line: &str) -> bool {
    let line = line.trim_start();
    // What documentation says about systems decides nothing.
    if line.starts_with("#[cfg_attr(docsrs") {
        return false;
    }
    let is_cfg = ["#[cfg", "#![cfg", "cfg!("].iter().any(|start| line.contains(start));
    let words = ["target_os", "target_family", "target_arch", "target_env", "target_vendor"];
    let bare = [
        "cfg(unix)",
        "cfg(windows)",
        "(unix,",
        "(windows,",
        "not(unix)",
        "not(windows)",
        ", unix)",
        ", windows)",
    ];
    is_cfg
        && (words.iter().any(|word| line.contains(word)) || bare.iter().any(|word| line.contains(word)))
}

/// True if the attribute on this line belongs to an item that is there or not as a whole: public interface
/// that one system has and another has not, or the choice of a module.
fn is_on_item(text: &str, number: usize) -> bool {
    let next = text.lines().skip(number).map(str::trim_start).find(|line| {
        let is_attribute = line.starts_with("#[") || line.starts_with("//");
        !is_attribute && !line.is_empty()
    });
    let items = ["pub ", "pub(", "mod ", "use ", "impl ", "impl<", "unsafe impl"];
    next.is_some_and(|line| items.iter().any(|item| line.starts_with(item)))
}

/// Looks for the markers as words of their own, so that data containing the letters is no finding.
fn has_note(line: &str) -> bool {
    ["FIXME", "XXX", "TODO", "HACK"].iter().any(|mark| {
        line.match_indices(mark).any(|(at, _)| {
            let boundary = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            boundary(line[..at].chars().next_back()) && boundary(line[at + mark.len()..].chars().next())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        let mut findings = Vec::new();
        check(&File { path: path.into(), text: text.into() }, &mut findings);
        findings.len()
    }

    #[test]
    fn finds_what_it_should() {
        assert_eq!(findings("yamanote/src/io/x.rs", "//! Fine.\nfn f() {}\n"), 0);
        assert_eq!(findings("yamanote/src/io/x.rs", "fn f() {}\n"), 1);
        assert_eq!(findings("yamanote/src/io/x.rs", "//! H.\n#[cfg(unix)]\nfn f() {}\n"), 1);
        assert_eq!(findings("yamanote/src/io/x.rs", "//! H.\n#[cfg(unix)]\n/// D.\npub fn f() {}\n"), 0);
        assert_eq!(findings("yamanote/src/sys/x.rs", "//! H.\n#[cfg(unix)]\nfn f() {}\n"), 0);
        assert_eq!(findings("yamanote/src/io/x.rs", "//! H.\nfn f() { todo!() }\n"), 1);
        assert_eq!(findings("yamanote/src/io/x.rs", "//! H.\n// FIXME: later\n"), 1);
        assert_eq!(findings("yamanote/src/io/x.rs", "//! H.\nconst XXXL: u8 = 1;\n"), 0);
    }

    #[test]
    fn compares_the_list_of_unsafe_files() {
        let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
        let files = [
            file("a.rs", "fn f() { unsafe { g() } }"),
            file("b.rs", "// unsafe is not used here\nfn not_unsafe_at_all() {}"),
        ];
        let found = |list: &str| {
            let mut findings = Vec::new();
            compare_unsafe(&files, list, &mut findings);
            findings.len()
        };
        assert_eq!(found("| file | what |\n| `a.rs` | calls g |\n"), 0);
        assert_eq!(found(""), 1);
        assert_eq!(found("| `a.rs` | x |\n| `b.rs` | x |\n"), 1);
        assert_eq!(found("| `a.rs` | x |\n| `a.rs` | x |\n"), 1);
        assert_eq!(found("| `gone.rs` | x |\n| `a.rs` | x |\n"), 1);
    }

    #[test]
    fn knows_a_target_cfg() {
        assert!(is_target_cfg("#[cfg(target_os = \"linux\")]"));
        assert!(is_target_cfg("    if cfg!(all(unix, foo)) {"));
        assert!(is_target_cfg("#[cfg(not(windows))]"));
        assert!(!is_target_cfg("#[cfg(feature = \"net\")]"));
        assert!(!is_target_cfg("#[cfg(all(test, not(loom)))]"));
    }
}

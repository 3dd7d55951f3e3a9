//! Which public items show how they are used?

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::{self, Crate, inner, is_hidden};
use crate::args::Args;
use crate::{Outcome, shell};

const HELP: &str = "\
usage: cargo xtask docs [OPTIONS]

Reads yamanote's documentation as rustdoc's JSON and counts, module by module, functions, methods and macros without
an example that is compiled, and types and traits of which neither they nor any method has one. Fails if a module
has more of them than xtask/data/docs.txt says, which is to be lowered when there are fewer.

  --list        name them
  --module M    only what lies in this module, as sync::mpsc
  --write       write the present numbers to xtask/data/docs.txt";

struct Item {
    path: String,
    module: String,
    has_example: bool,
}

pub(crate) fn run(words: Vec<String>) -> Outcome {
    let mut args = Args::new(words, HELP);
    let (list, write) = (args.flag("--list"), args.flag("--write"));
    let module = args.value("--module", String::new())?;
    args.finish()?;

    let mut items = items(&api::yamanote_crate()?);
    items.retain(|item| module.is_empty() || item.path.starts_with(&format!("{module}::")));
    items.sort_by(|a, b| a.path.cmp(&b.path));
    let mut modules: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for item in &items {
        let (all, without) = modules.entry(&item.module).or_default();
        *all += 1;
        *without += usize::from(!item.has_example);
    }

    let file = shell::root().join("xtask").join("data").join("docs.txt");
    let text = shell::read(&file).unwrap_or_default();
    let allowed = read(&text);
    println!("{:<12} {:>6} {:>16} {:>8}", "module", "items", "without example", "allowed");
    let mut clean = true;
    let mut total = (0, 0);
    for (name, (all, without)) in &modules {
        let allowed = allowed.get(*name).copied().unwrap_or(0);
        let verdict = if *without > allowed { "  too many" } else { "" };
        println!("{name:<12} {all:>6} {without:>16} {allowed:>8}{verdict}");
        clean &= *without <= allowed;
        total = (total.0 + all, total.1 + without);
    }
    println!("{:<12} {:>6} {:>16}", "total", total.0, total.1);
    if list || !clean {
        for item in items.iter().filter(|item| !item.has_example) {
            println!("{}", item.path);
        }
    }
    if write {
        let mut text =
            "# Public items without an example, by module (`cargo xtask docs --write`).\n".to_owned();
        for (name, (_, without)) in modules.iter().filter(|(_, (_, without))| *without > 0) {
            text += &format!("{name} {without}\n");
        }
        shell::write_if_changed(&file, &text)?;
        return Ok(true);
    }
    Ok(clean)
}

fn read(text: &str) -> BTreeMap<&str, usize> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(m, n)| Some((m, n.parse().ok()?)))
        .collect()
}

fn items(of: &Crate) -> Vec<Item> {
    let mut methods: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for item in of.items() {
        let ("impl", value) = inner(item) else { continue };
        let of_type = value["for"]["resolved_path"]["id"].as_u64();
        if let (true, Some(id)) = (value["trait"].is_null(), of_type) {
            methods.entry(id).or_default().extend(functions(of, &value["items"]));
        }
    }
    let mut found = Vec::new();
    let mut add = |path: String, has_example: bool| {
        let module = path.split_once("::").map_or("(root)", |(module, _)| module).to_owned();
        let module = if module.starts_with(char::is_lowercase) { module } else { "(root)".to_owned() };
        found.push(Item { path, module, has_example });
    };
    for id in of.public.keys() {
        let (Some(item), Some(path)) = (of.item(*id), of.canonical(*id)) else { continue };
        let Some((_, path)) = path.split_once("::") else { continue };
        if is_hidden(item) {
            continue;
        }
        let (kind, value) = inner(item);
        match kind {
            "function" | "macro" | "proc_macro" => add(path.to_owned(), has_example(item)),
            "struct" | "enum" | "union" | "trait" => {
                let mut members = methods.remove(id).unwrap_or_default();
                members.extend(functions(of, &value["items"]));
                let any = has_example(item) || members.iter().any(|member| has_example(member));
                add(path.to_owned(), any);
                for member in members {
                    let name = member["name"].as_str().unwrap_or_default();
                    add(format!("{path}::{name}"), has_example(member));
                }
            }
            _ => {}
        }
    }
    found
}

/// Those of a list of ids that are functions a reader sees.
fn functions<'a>(of: &'a Crate, ids: &'a Value) -> impl Iterator<Item = &'a Value> {
    let ids = ids.as_array().into_iter().flatten().filter_map(Value::as_u64);
    ids.filter_map(|id| of.item(id)).filter(|item| {
        let is_visible = item["visibility"] == "public" || item["visibility"] == "default";
        is_visible && !is_hidden(item) && inner(item).0 == "function"
    })
}

fn has_example(item: &Value) -> bool {
    item["docs"].as_str().is_some_and(has_code)
}

/// True if there is a block of code that rustdoc compiles.
fn has_code(docs: &str) -> bool {
    let mut is_inside = false;
    for line in docs.lines().filter_map(|line| line.trim_start().strip_prefix("```")) {
        if is_inside {
            is_inside = false;
            continue;
        }
        is_inside = true;
        let rust = ["", "rust", "no_run", "should_panic", "edition2021", "edition2024"];
        if line.split(',').all(|word| rust.contains(&word.trim())) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::has_code;

    #[test]
    fn tells_code_from_pictures() {
        assert!(has_code("Does.\n\n# Examples\n\n```\nf();\n```\n"));
        assert!(has_code("```text\na -> b\n```\n\n```no_run\nf();\n```\n"));
        assert!(!has_code("```text\na -> b\n```\nand `f()`"));
        assert!(!has_code("```ignore\nf();\n```"));
        assert!(!has_code("Does."));
    }
}

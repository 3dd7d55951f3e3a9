//! Types, bounds and signatures in a spelling that ignores what callers cannot tell apart.
//!
//! Generic parameters are first written between control characters, and numbered by [`settle`] in the order
//! in which the finished signature names them; so their names, and whether they belong to the function or
//! to its impl, do not count.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::names::{Crate, Named};

/// What nobody outside the crate can name.
pub(crate) const PRIVATE: &str = "{private}";

const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn generic(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

pub(crate) struct Render<'a> {
    pub(crate) of: &'a Crate,
    /// What `Self` is, where it is known.
    pub(crate) self_type: Option<String>,
}

impl Render<'_> {
    pub(crate) fn ty(&self, value: &Value) -> String {
        let Some((kind, value)) = value.as_object().and_then(|map| map.iter().next()) else {
            return "_".to_owned();
        };
        match kind.as_str() {
            "resolved_path" => self.path(value),
            "generic" if value == "Self" => self.self_type.clone().unwrap_or_else(|| "Self".to_owned()),
            "generic" => generic(text(value)),
            "primitive" if value == "never" => "!".to_owned(),
            "primitive" => text(value).to_owned(),
            "tuple" => format!("({})", self.types(value)),
            "slice" => format!("[{}]", self.ty(value)),
            "array" => format!("[{}; {}]", self.ty(&value["type"]), generic(text(&value["len"]))),
            "borrowed_ref" => {
                let lifetime = if value["lifetime"] == "'static" { "'static " } else { "" };
                let mutable = if value["is_mutable"] == true { "mut " } else { "" };
                format!("&{lifetime}{mutable}{}", self.ty(&value["type"]))
            }
            "raw_pointer" => {
                let mutable = if value["is_mutable"] == true { "mut" } else { "const" };
                format!("*{mutable} {}", self.ty(&value["type"]))
            }
            "impl_trait" => format!("impl {}", self.bounds(value)),
            "dyn_trait" => {
                let traits: BTreeSet<_> =
                    list(&value["traits"]).map(|one| self.path(&one["trait"])).collect();
                format!("dyn {}", traits.into_iter().collect::<Vec<_>>().join(" + "))
            }
            "function_pointer" => {
                let inputs: Vec<_> =
                    list(&value["sig"]["inputs"]).map(|input| self.ty(&input[1])).collect();
                format!("fn({}){}", inputs.join(", "), self.output(&value["sig"]["output"]))
            }
            "qualified_path" => {
                let of = self.ty(&value["self_type"]);
                match value["trait"].is_null() {
                    true => format!("{of}::{}", text(&value["name"])),
                    false => {
                        format!("<{of} as {}>::{}", self.path(&value["trait"]), text(&value["name"]))
                    }
                }
            }
            other => format!("<{other}>"),
        }
    }

    fn types(&self, value: &Value) -> String {
        list(value).map(|one| self.ty(one)).collect::<Vec<_>>().join(", ")
    }

    fn output(&self, value: &Value) -> String {
        match self.ty(value) {
            unit if value.is_null() || unit == "()" => String::new(),
            other => format!(" -> {other}"),
        }
    }

    /// A type or trait with its arguments.
    pub(crate) fn path(&self, value: &Value) -> String {
        let id = value["id"].as_u64().unwrap_or(u64::MAX);
        let arguments = self.arguments(&value["args"]);
        let plain = |name: &str| match &arguments[..] {
            [] => name.to_owned(),
            _ => format!("{name}<{}>", arguments.join(", ")),
        };
        if let Some(call) = value["args"].get("parenthesized") {
            let name = match self.of.named(id) {
                Named::Public(name) => name.to_owned(),
                Named::Private => PRIVATE.to_owned(),
                Named::Foreign(name) => name,
            };
            return format!("{name}({}){}", self.types(&call["inputs"]), self.output(&call["output"]));
        }
        match self.of.named(id) {
            Named::Public(name) => plain(name),
            Named::Private => PRIVATE.to_owned(),
            // Two aliases of the standard library that some write out.
            Named::Foreign(name) if name == "std::Result" && self.of.kind(id) == "type_alias" => {
                match arguments.first() {
                    Some(ok) => format!("std::Result<{ok}, std::Error>"),
                    None => "std::Result<(), std::Error>".to_owned(),
                }
            }
            Named::Foreign(name) => plain(&name),
        }
    }

    fn arguments(&self, value: &Value) -> Vec<String> {
        let value = &value["angle_bracketed"];
        let mut all: Vec<String> = list(&value["args"])
            .filter_map(|argument| {
                if let Some(lifetime) = argument.get("lifetime") {
                    (lifetime == "'static").then(|| "'static".to_owned())
                } else if let Some(ty) = argument.get("type") {
                    Some(self.ty(ty))
                } else {
                    Some(argument["const"]["expr"].as_str().map_or("_".to_owned(), generic))
                }
            })
            .collect();
        let mut constraints: Vec<String> = list(&value["constraints"])
            .map(|constraint| {
                let name = text(&constraint["name"]);
                let binding = &constraint["binding"];
                match binding.get("equality") {
                    Some(equal) => format!("{name} = {}", self.ty(&equal["type"])),
                    None => format!("{name}: {}", self.bounds(&binding["constraint"])),
                }
            })
            .collect();
        constraints.sort();
        all.append(&mut constraints);
        all
    }

    fn each_bound(&self, bounds: &Value) -> BTreeSet<String> {
        list(bounds)
            .filter_map(|bound| {
                if let Some(bound) = bound.get("trait_bound") {
                    let maybe = if bound["modifier"] == "maybe" { "?" } else { "" };
                    return Some(format!("{maybe}{}", self.path(&bound["trait"])));
                }
                (bound.get("outlives").is_some_and(|to| to == "'static")).then(|| "'static".to_owned())
            })
            .collect()
    }

    pub(crate) fn bounds(&self, bounds: &Value) -> String {
        self.each_bound(bounds).into_iter().collect::<Vec<_>>().join(" + ")
    }

    /// Every bound of a parameter list and its `where` clauses, one a line: `subject: bound`.
    pub(crate) fn predicates(&self, generics: &Value, into: &mut BTreeSet<String>) {
        let mut add = |subject: String, bounds: &Value| {
            into.extend(self.each_bound(bounds).into_iter().map(|bound| format!("{subject}: {bound}")));
        };
        for parameter in list(&generics["params"]) {
            let ty = &parameter["kind"]["type"];
            if !ty.is_null() && ty["is_synthetic"] != true {
                add(generic(text(&parameter["name"])), &ty["bounds"]);
            }
        }
        for predicate in list(&generics["where_predicates"]) {
            if let Some(bound) = predicate.get("bound_predicate") {
                add(self.ty(&bound["type"]), &bound["bounds"]);
            }
        }
    }

    /// The parameters a caller may write between `::<` and `>`.
    pub(crate) fn parameters(&self, generics: &Value) -> String {
        let names: Vec<String> = list(&generics["params"])
            .filter(|p| p["kind"].get("lifetime").is_none() && p["kind"]["type"]["is_synthetic"] != true)
            .map(|p| {
                let default = &p["kind"]["type"]["default"];
                let constant = if p["kind"].get("const").is_some() { "const " } else { "" };
                let default =
                    if default.is_null() { String::new() } else { format!(" = {}", self.ty(default)) };
                format!("{constant}{}{default}", generic(text(&p["name"])))
            })
            .collect();
        if names.is_empty() { String::new() } else { format!("<{}>", names.join(", ")) }
    }

    /// A function; `outer` are the bounds of the impl or trait around it.
    pub(crate) fn function(&self, value: &Value, mut predicates: BTreeSet<String>) -> String {
        self.predicates(&value["generics"], &mut predicates);
        let header = &value["header"];
        let mut head = String::new();
        for (flag, word) in [("is_const", "const "), ("is_unsafe", "unsafe ")] {
            if header[flag] == true {
                head.push_str(word);
            }
        }
        let bare = Render { of: self.of, self_type: None };
        let inputs: Vec<String> = list(&value["sig"]["inputs"])
            .map(|input| {
                if input[0] != "self" {
                    return self.ty(&input[1]);
                }
                match bare.ty(&input[1]).as_str() {
                    "Self" => "self".to_owned(),
                    "&Self" => "&self".to_owned(),
                    "&mut Self" => "&mut self".to_owned(),
                    other => format!("self: {other}"),
                }
            })
            .collect();
        let output = &value["sig"]["output"];
        // `async fn` and `fn -> impl Future` are the same to a caller.
        let output = match header["is_async"] == true {
            true if output.is_null() => " -> impl std::Future<Output = ()>".to_owned(),
            true => format!(" -> impl std::Future<Output = {}>", self.ty(output)),
            false => self.output(output),
        };
        let parameters = self.parameters(&value["generics"]);
        settle(&format!("{head}fn{parameters}({}){output}", inputs.join(", ")), predicates)
    }
}

/// Numbers the generic parameters and appends the bounds.
pub(crate) fn settle(signature: &str, predicates: BTreeSet<String>) -> String {
    let mut numbers = BTreeMap::new();
    let mut done = number(signature, &mut numbers);
    // Bounds that use only what is numbered already come first: their order does not depend on names.
    let mut known: Vec<String> = Vec::new();
    let mut rest: Vec<String> = Vec::new();
    for predicate in predicates {
        let uses = parts(&predicate);
        let is_known =
            uses.iter().all(|part| !part.1 || is_constant(part.0) || numbers.contains_key(part.0));
        if is_known { known.push(number(&predicate, &mut numbers)) } else { rest.push(predicate) }
    }
    known.sort();
    known.extend(rest.iter().map(|predicate| number(predicate, &mut numbers)));
    if !known.is_empty() {
        done.push_str(" where ");
        done.push_str(&known.join(", "));
    }
    done
}

/// Array lengths and constant arguments are written like parameters, and may be numbers.
fn is_constant(name: &str) -> bool {
    name.chars().any(|c| !(c.is_alphanumeric() || c == '_'))
        || name.starts_with(|c: char| c.is_ascii_digit())
}

fn parts(text: &str) -> Vec<(&str, bool)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (name, tail) = after.split_once(CLOSE).unwrap_or((after, ""));
        parts.push((before, false));
        parts.push((name, true));
        rest = tail;
    }
    parts.push((rest, false));
    parts
}

fn number(text: &str, numbers: &mut BTreeMap<String, usize>) -> String {
    let mut out = String::new();
    for (part, is_generic) in parts(text) {
        if is_generic && !is_constant(part) {
            let next = numbers.len();
            let n = *numbers.entry(part.to_owned()).or_insert(next);
            out.push_str(&format!("T{n}"));
        } else {
            out.push_str(part);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parameters_do_not_count() {
        let one = settle(
            &format!("fn({}, {})", generic("A"), generic("B")),
            [format!("{}: X", generic("B"))].into(),
        );
        let other = settle(
            &format!("fn({}, {})", generic("T"), generic("A")),
            [format!("{}: X", generic("A"))].into(),
        );
        assert_eq!(one, "fn(T0, T1) where T1: X");
        assert_eq!(one, other);
    }
}

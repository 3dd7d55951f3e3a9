//! One row per public thing that a program can use: items, methods, fields, variants, impls.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::names::{Crate, Named, inner, is_hidden};
use super::render::{PRIVATE, Render, settle};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) kind: &'static str,
    pub(crate) path: String,
    /// The public path that the row belongs to.
    pub(crate) place: String,
}

/// Auto traits: what matters is whether a type has them, not how rustdoc words the condition.
const AUTO: [&str; 5] =
    ["std::Send", "std::Sync", "std::Unpin", "std::UnwindSafe", "std::RefUnwindSafe"];
/// Impls that no program can rely on, or that only some toolchains write.
const SKIPPED: [&str; 4] = ["std::Drop", "std::StructuralPartialEq", "std::Freeze", "std::UnsafeUnpin"];

/// True if `ours` is what `theirs` is; where theirs cannot be named, ours may be anything.
pub(crate) fn same(theirs: &str, ours: &str) -> bool {
    let mut pieces = theirs.split(PRIVATE);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = ours.strip_prefix(first) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    for (index, piece) in pieces.iter().enumerate() {
        if index + 1 == pieces.len() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

/// Being unwind-safe or movable under fewer conditions breaks nobody; `Send` and `Sync` have to agree.
pub(crate) fn is_lenient(row: &Row, theirs: &str, ours: &str) -> bool {
    let may_differ =
        row.kind == "auto" && (row.path.ends_with("UnwindSafe") || row.path.ends_with("Unpin"));
    let conditions =
        |text: &str| text.split_once(" where ").map_or(0, |(_, all)| all.split(", ").count());
    may_differ
        && !ours.starts_with("not ")
        && (theirs.starts_with("not ") || conditions(ours) <= conditions(theirs))
}

pub(crate) fn list(of: &Crate) -> BTreeMap<Row, String> {
    let mut rows = BTreeMap::new();
    for (id, paths) in &of.public {
        let Some(item) = of.item(*id) else { continue };
        for path in paths {
            let (kind, signature) = entity(of, item);
            rows.insert(Row { kind, path: path.clone(), place: path.clone() }, signature);
        }
        if let Some(path) = of.canonical(*id) {
            members(of, item, path, &mut rows);
        }
    }
    for (path, id) in &of.foreign {
        // Which crate a macro comes from is the facade's business.
        let signature = match (of.named(*id), of.kind(*id)) {
            (_, kind @ ("proc_attribute" | "proc_derive" | "macro")) => kind.to_owned(),
            (Named::Foreign(name), _) => name,
            _ => String::new(),
        };
        rows.insert(Row { kind: "use", path: path.clone(), place: path.clone() }, signature);
    }
    for item in of.items() {
        if let ("impl", value) = inner(item) {
            implementation(of, value, &mut rows);
        }
    }
    rows
}

fn exhaustive(item: &Value) -> &'static str {
    if item["attrs"].to_string().contains("non_exhaustive") { "#[non_exhaustive] " } else { "" }
}

fn entity(of: &Crate, item: &Value) -> (&'static str, String) {
    let (kind, value) = inner(item);
    let render = Render { of, self_type: None };
    let typed = |word: &str| {
        let mut predicates = BTreeSet::new();
        render.predicates(&value["generics"], &mut predicates);
        settle(
            &format!("{}{word}{}", exhaustive(item), render.parameters(&value["generics"])),
            predicates,
        )
    };
    match kind {
        "module" => ("mod", String::new()),
        "struct" => ("struct", typed("struct")),
        "enum" => ("enum", typed("enum")),
        "union" => ("union", typed("union")),
        "trait" => {
            let unsafe_ = if value["is_unsafe"] == true { "unsafe " } else { "" };
            (
                "trait",
                format!(
                    "{unsafe_}{}: {}",
                    typed("trait"),
                    settle(&render.bounds(&value["bounds"]), BTreeSet::new())
                ),
            )
        }
        "type_alias" => ("type", settle(&render.ty(&value["type"]), BTreeSet::new())),
        "function" => ("fn", render.function(value, BTreeSet::new())),
        "constant" => ("const", render.ty(&value["type"])),
        "static" => ("static", render.ty(&value["type"])),
        "variant" => ("variant", variant(of, item)),
        "macro" | "proc_macro" => ("macro", String::new()),
        _ => ("item", kind.to_owned()),
    }
}

fn ids(value: &Value) -> impl Iterator<Item = u64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_u64)
}

fn variant(of: &Crate, item: &Value) -> String {
    let kind = &inner(item).1["kind"];
    let render = Render { of, self_type: None };
    let field = |id: u64| of.item(id).map_or(PRIVATE.to_owned(), |item| render.ty(inner(item).1));
    let signature = if let Some(fields) = kind.get("tuple") {
        format!("({})", ids(fields).map(field).collect::<Vec<_>>().join(", "))
    } else if let Some(fields) = kind.get("struct") {
        let named = |id| {
            format!("{}: {}", of.item(id).map_or("", |i| i["name"].as_str().unwrap_or("")), field(id))
        };
        let mut fields: Vec<_> = ids(&fields["fields"]).map(named).collect();
        fields.sort();
        format!("{{ {} }}", fields.join(", "))
    } else {
        String::new()
    };
    settle(&format!("{}{signature}", exhaustive(item)), BTreeSet::new())
}

fn members(of: &Crate, item: &Value, path: &str, rows: &mut BTreeMap<Row, String>) {
    let (kind, value) = inner(item);
    let mut add = |kind: &'static str, name: &str, signature: String| {
        rows.insert(Row { kind, path: format!("{path}::{name}"), place: path.to_owned() }, signature);
    };
    let name = |item: &Value| item["name"].as_str().unwrap_or_default().to_owned();
    match kind {
        "struct" | "union" => {
            let plain = &value["kind"]["plain"]["fields"];
            let fields = if plain.is_null() { &value["kind"]["tuple"] } else { plain };
            for field in ids(fields).filter_map(|id| of.item(id)) {
                if field["visibility"] == "public" && !is_hidden(field) {
                    let ty = Render { of, self_type: None }.ty(inner(field).1);
                    add("field", &name(field), settle(&ty, BTreeSet::new()));
                }
            }
        }
        "enum" => {
            for item in ids(&value["variants"]).filter_map(|id| of.item(id)) {
                add("variant", &name(item), variant(of, item));
            }
        }
        "trait" => {
            let render = Render { of, self_type: None };
            for item in ids(&value["items"]).filter_map(|id| of.item(id)) {
                match inner(item) {
                    ("function", function) => {
                        let provided = if function["has_body"] == true { "[provided] " } else { "" };
                        let mut outer = BTreeSet::new();
                        render.predicates(&value["generics"], &mut outer);
                        add(
                            "trait_fn",
                            &name(item),
                            format!("{provided}{}", render.function(function, outer)),
                        );
                    }
                    ("assoc_type", ty) => add("assoc_type", &name(item), render.bounds(&ty["bounds"])),
                    ("assoc_const", ty) => add("assoc_const", &name(item), render.ty(&ty["type"])),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn implementation(of: &Crate, value: &Value, rows: &mut BTreeMap<Row, String>) {
    if !value["blanket_impl"].is_null() {
        return;
    }
    let render = Render { of, self_type: None };
    let mut predicates = BTreeSet::new();
    render.predicates(&value["generics"], &mut predicates);
    let for_type = render.ty(&value["for"]);
    let head = value["for"]["resolved_path"]["id"].as_u64();
    let place = head.and_then(|id| of.canonical(id));
    if for_type.starts_with(PRIVATE) {
        return;
    }
    if value["trait"].is_null() {
        let Some(place) = place else { return };
        let render = Render { of, self_type: Some(for_type) };
        for item in ids(&value["items"]).filter_map(|id| of.item(id)) {
            if item["visibility"] != "public" || is_hidden(item) {
                continue;
            }
            let (kind, signature) = match inner(item) {
                ("function", function) => ("method", render.function(function, predicates.clone())),
                ("assoc_const", constant) => ("assoc_const", render.ty(&constant["type"])),
                _ => continue,
            };
            let path = format!("{place}::{}", item["name"].as_str().unwrap_or_default());
            let row = Row { kind, path, place: place.to_owned() };
            // Impls of one type may have a method of one name each.
            rows.entry(row).and_modify(|old| *old = format!("{old} | {signature}")).or_insert(signature);
        }
        return;
    }

    let of_trait = render.path(&value["trait"]);
    let bare = of_trait.split('<').next().unwrap_or_default();
    if of_trait.starts_with(PRIVATE) || SKIPPED.contains(&bare) {
        return;
    }
    let negative = if value["is_negative"] == true { "not " } else { "" };
    if AUTO.contains(&bare) {
        if let Some(place) = place {
            let row = Row { kind: "auto", path: format!("{place}: {bare}"), place: place.to_owned() };
            // Conditions on the type's own parameters count; those on private types say nothing to a reader.
            let conditions = predicates.into_iter().filter(|predicate| {
                let mut parts = predicate.split(": ");
                let subject = parts.next().is_some_and(|subject| !subject.contains(['{', '<', ':']));
                subject && parts.next().is_some_and(|bound| AUTO.contains(&bound))
            });
            rows.insert(row, settle(&format!("{negative}{bare} for {for_type}"), conditions.collect()));
        }
        return;
    }
    let trait_place = value["trait"]["id"].as_u64().and_then(|id| of.canonical(id));
    let mut associated: Vec<String> = ids(&value["items"])
        .filter_map(|id| of.item(id))
        .filter_map(|item| match inner(item) {
            ("assoc_type", ty) => {
                Some(format!("{} = {}", item["name"].as_str()?, render.ty(&ty["type"])))
            }
            _ => None,
        })
        .collect();
    associated.sort();
    // The row is found by trait and type without bounds; what differs is then shown as a difference.
    let path = settle(&format!("{negative}{of_trait} for {for_type}"), BTreeSet::new());
    let place = place.or(trait_place).unwrap_or("tokio").to_owned();
    let signature =
        settle(&format!("{of_trait} for {for_type} {{{}}}", associated.join(", ")), predicates);
    rows.insert(Row { kind: "impl", path, place }, signature);
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn private_matches_anything() {
        assert!(same("fn(&self) -> {private}", "fn(&self) -> impl std::Future<Output = u8>"));
        assert!(same("a{private}b{private}c", "a1b2c"));
        assert!(!same("a{private}b", "a1c"));
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abcd"));
    }
}

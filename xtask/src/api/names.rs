//! What a crate makes public, and under which paths, from its rustdoc JSON.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

/// Both crates' roots are spelled this way.
pub(crate) const ROOT: &str = "tokio";

/// A documented crate and the public names of its items.
pub(crate) struct Crate {
    json: Value,
    /// Every public path of an item of this crate.
    pub(crate) public: BTreeMap<u64, BTreeSet<String>>,
    /// What is re-exported from other crates: path, and what it leads to.
    pub(crate) foreign: BTreeMap<String, u64>,
    canonical: HashMap<u64, String>,
}

/// What an id stands for.
pub(crate) enum Named<'a> {
    /// An item of this crate that has a public path.
    Public(&'a str),
    /// An item of this crate that nobody outside can name.
    Private,
    /// Another crate's item: `crate::Name`, the modules between left out because they move.
    Foreign(String),
}

impl Crate {
    /// `preferred`: paths to choose where an item has several. `hidden`: whether `doc(hidden)` items count.
    pub(crate) fn new(json: Value, preferred: &BTreeSet<String>, hidden: bool) -> Result<Crate, String> {
        let root = json["root"].as_u64().ok_or("rustdoc's JSON has no root")?;
        let mut found =
            Crate { json, public: BTreeMap::new(), foreign: BTreeMap::new(), canonical: HashMap::new() };
        let mut visit = Visit { seen: HashSet::new(), hidden, items: Vec::new(), foreign: Vec::new() };
        visit.module(&found, root, ROOT);
        for (id, path) in visit.items {
            found.public.entry(id).or_default().insert(path);
        }
        found.foreign.extend(visit.foreign);
        for (id, paths) in &found.public {
            let rank = |path: &&String| {
                (!preferred.contains(*path), path.matches("::").count(), (*path).clone())
            };
            if let Some(best) = paths.iter().min_by_key(rank) {
                found.canonical.insert(*id, best.clone());
            }
        }
        Ok(found)
    }

    pub(crate) fn canonical_names(&self) -> BTreeSet<String> {
        self.canonical.values().cloned().collect()
    }

    pub(crate) fn canonical(&self, id: u64) -> Option<&str> {
        self.canonical.get(&id).map(String::as_str)
    }

    /// An item of this crate.
    pub(crate) fn item(&self, id: u64) -> Option<&Value> {
        let item = &self.json["index"][id.to_string()];
        (item["crate_id"] == 0).then_some(item)
    }

    /// All items of this crate.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Value> {
        let index = self.json["index"].as_object();
        index.into_iter().flat_map(|map| map.values()).filter(|item| item["crate_id"] == 0)
    }

    /// An item's kind in the `paths` table, for items of other crates.
    pub(crate) fn kind(&self, id: u64) -> &str {
        self.json["paths"][id.to_string()]["kind"].as_str().unwrap_or_default()
    }

    pub(crate) fn named(&self, id: u64) -> Named<'_> {
        if let Some(path) = self.canonical(id) {
            return Named::Public(path);
        }
        let entry = &self.json["paths"][id.to_string()];
        if self.item(id).is_some() || entry["crate_id"] == 0 || entry.is_null() {
            return Named::Private;
        }
        let part = |part: Option<&Value>| part.and_then(Value::as_str).unwrap_or_default().to_owned();
        let path = entry["path"].as_array();
        let first = part(path.and_then(|path| path.first()));
        let last = part(path.and_then(|path| path.last()));
        let first = if ["core", "alloc"].contains(&first.as_str()) { "std" } else { &first };
        Named::Foreign(format!("{first}::{last}"))
    }
}

/// The one kind of an item and its value: `inner` is an object with one entry.
pub(crate) fn inner(item: &Value) -> (&str, &Value) {
    static NOTHING: Value = Value::Null;
    let entry = item["inner"].as_object().and_then(|map| map.iter().next());
    entry.map_or(("", &NOTHING), |(kind, value)| (kind.as_str(), value))
}

pub(crate) fn is_hidden(item: &Value) -> bool {
    let attributes = item["attrs"].as_array();
    attributes.into_iter().flatten().any(|attribute| {
        let text = attribute.to_string();
        text.find("doc").is_some_and(|at| text[at..].contains("hidden"))
    })
}

struct Visit {
    /// Modules on the way here: a glob of an ancestor must not go round for ever.
    seen: HashSet<u64>,
    hidden: bool,
    items: Vec<(u64, String)>,
    foreign: Vec<(String, u64)>,
}

impl Visit {
    fn module(&mut self, of: &Crate, id: u64, path: &str) {
        if !self.seen.insert(id) {
            return;
        }
        self.items.push((id, path.to_owned()));
        self.content(of, id, path);
        self.seen.remove(&id);
    }

    fn content(&mut self, of: &Crate, id: u64, path: &str) {
        let Some(module) = of.item(id) else { return };
        let (kind, value) = inner(module);
        let list = if kind == "enum" { &value["variants"] } else { &value["items"] };
        for id in list.as_array().into_iter().flatten().filter_map(Value::as_u64) {
            let Some(item) = of.item(id) else { continue };
            let visible = ["public", "default"].iter().any(|v| item["visibility"] == *v);
            if !visible || (is_hidden(item) && !self.hidden) {
                continue;
            }
            let (kind, value) = inner(item);
            match kind {
                "use" => self.reexport(of, value, path),
                "impl" | "extern_crate" | "struct_field" => {}
                _ => self.bind(of, id, &join(path, item["name"].as_str().unwrap_or_default())),
            }
        }
    }

    fn reexport(&mut self, of: &Crate, value: &Value, path: &str) {
        let Some(target) = value["id"].as_u64() else { return };
        if value["is_glob"] == true {
            if self.seen.insert(target) {
                self.content(of, target, path);
                self.seen.remove(&target);
            }
            return;
        }
        let path = join(path, value["name"].as_str().unwrap_or_default());
        match of.item(target) {
            // Hidden at its definition is hidden wherever it is re-exported.
            Some(item) if is_hidden(item) && !self.hidden => {}
            Some(_) => self.bind(of, target, &path),
            // Neither here nor known of elsewhere: hidden with the module it lies in.
            None if of.kind(target).is_empty() => {}
            None => self.foreign.push((path, target)),
        }
    }

    fn bind(&mut self, of: &Crate, id: u64, path: &str) {
        let Some(item) = of.item(id) else { return };
        match inner(item) {
            ("module", _) => self.module(of, id, path),
            ("use", value) => {
                let parent = path.rsplit_once("::").map_or(path, |(parent, _)| parent);
                self.reexport(of, value, parent);
            }
            _ => self.items.push((id, path.to_owned())),
        }
    }
}

fn join(path: &str, name: &str) -> String {
    format!("{path}::{name}")
}

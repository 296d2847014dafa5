//! Which file imports which: `use` declarations and paths, followed through re-exports to the file that has
//! what is named.

use super::code::{Source, is_name_part};
use std::collections::{BTreeMap, BTreeSet};

/// A module's place in the crate, from its root.
pub type Module = Vec<String>;

/// One that a file names.
#[derive(Debug, Clone)]
struct Import {
    /// As written.
    path: Vec<String>,
    /// What it is called here.
    alias: String,
}

/// All modules of the crate that are files.
pub struct Modules<'a> {
    files: BTreeMap<Module, &'a Source>,
    uses: BTreeMap<Module, Vec<Import>>,
}

/// Files that import each other: each with the next and the path by which it does.
pub type Circle = Vec<(String, String, String)>;

/// How many re-exports are followed: a chain that is longer leads in a circle.
const MAX_HOPS: usize = 8;

impl<'a> Modules<'a> {
    pub fn of(sources: &'a [Source]) -> Self {
        let files: BTreeMap<Module, &Source> = sources
            .iter()
            .filter(|source| !source.is_test && source.path != "src/main.rs")
            .map(|source| (module(&source.path), source))
            .collect();
        let uses = files.iter().map(|(module, source)| (module.clone(), uses(&source.code))).collect();
        Self { files, uses }
    }

    /// Sets of files of which each leads to each other. A file may import what the modules around it hold
    /// themselves: they declare it, and so do lead to it.
    pub fn circles(&self) -> Vec<Circle> {
        let edges: BTreeMap<&Module, BTreeMap<Module, String>> =
            self.files.keys().map(|module| (module, self.imports(module))).collect();
        let reach = |from: &Module| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(module) = open.pop() {
                let next = edges[&module].keys().filter(|next| seen.insert((*next).clone()));
                open.extend(next.cloned().collect::<Vec<_>>());
            }
            seen
        };
        let reached: BTreeMap<&Module, BTreeSet<Module>> =
            edges.keys().map(|module| (*module, reach(module))).collect();
        let mut circles = BTreeMap::new();
        for (module, others) in &reached {
            let circle: Vec<&Module> =
                others.iter().filter(|other| reached[other].contains(*module)).collect();
            if let [first, _, ..] = circle[..] {
                let steps = circle.iter().flat_map(|from| {
                    let steps = edges[from].iter().filter(|(to, _)| circle.contains(to));
                    steps.map(|(to, path)| (self.path(from), self.path(to), path.clone()))
                });
                circles.entry(first.clone()).or_insert_with(|| steps.collect());
            }
        }
        circles.into_values().collect()
    }

    fn path(&self, module: &Module) -> String {
        self.files[module].path.clone()
    }

    /// The files that a module names, each with the path by which it does.
    fn imports(&self, module: &Module) -> BTreeMap<Module, String> {
        let children = self.files.keys().filter(|child| child.len() == module.len() + 1);
        let declared = children.filter(|child| !module.is_empty() && child.starts_with(module));
        let mut found: BTreeMap<Module, String> =
            declared.map(|child| (child.clone(), format!("mod {}", child[module.len()]))).collect();
        for path in paths(&self.files[module].code) {
            if let Some((base, rest)) = self.absolute(module, &path) {
                let target = self.resolve(base, &rest, 0);
                if self.files.contains_key(&target) && !target.is_empty() && !module.starts_with(&target) {
                    found.entry(target).or_insert_with(|| path.join("::"));
                }
            }
        }
        found
    }

    /// From where a path leads on, and the rest of it; `None`: out of the crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<(Module, Vec<String>)> {
        if let Some((base, rest)) = anchored(module, path) {
            return Some((base, rest));
        }
        let first = path.first()?;
        let child: Module = module.iter().chain([first]).cloned().collect();
        if self.files.contains_key(&child) {
            return Some((module.clone(), path.to_vec()));
        }
        let import = self.uses[module].iter().find(|import| import.alias == *first)?;
        let whole = import.path.iter().chain(&path[1..]).cloned().collect::<Vec<_>>();
        anchored(module, &whole)
    }

    /// The file that has what the path names.
    fn resolve(&self, base: Module, path: &[String], hops: usize) -> Module {
        let mut module = base;
        for (at, name) in path.iter().enumerate() {
            let child: Module = module.iter().chain([name]).cloned().collect();
            if self.files.contains_key(&child) {
                module = child;
                continue;
            }
            let imports = self.uses.get(&module).map_or(&[][..], Vec::as_slice);
            let import = imports.iter().find(|import| import.alias == *name);
            let next = import.and_then(|import| {
                // A re-export such as `pub use ask::Listing` begins with a child.
                self.absolute(&module, &import.path)
            });
            return match next {
                Some((base, rest)) if hops < MAX_HOPS => {
                    let rest: Vec<_> = rest.iter().chain(&path[at + 1..]).cloned().collect();
                    self.resolve(base, &rest, hops + 1)
                }
                _ => module,
            };
        }
        module
    }
}

/// The module in that file.
pub fn module(path: &str) -> Module {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').filter(|part| *part != "lib").map(str::to_owned).collect()
}

/// The paths from the crate's root that code names, as far as they begin with `crate`, `super` or `self`.
pub fn from_root(module: &Module, code: &str) -> Vec<Module> {
    let anchored = paths(code).into_iter().filter_map(|path| anchored(module, &path));
    anchored.map(|(base, rest)| base.into_iter().chain(rest).collect()).collect()
}

fn anchored(module: &Module, path: &[String]) -> Option<(Module, Vec<String>)> {
    match path.first()?.as_str() {
        "crate" => Some((Module::new(), path[1..].to_vec())),
        "self" => Some((module.clone(), path[1..].to_vec())),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let base = module[..module.len().saturating_sub(ups)].to_vec();
            Some((base, path[ups..].to_vec()))
        }
        _ => None,
    }
}

/// All paths of at least two names, those of `use` in full.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found: Vec<_> = uses(code).into_iter().map(|import| import.path).collect();
    let mut rest = code;
    while let Some(at) = rest.find("::") {
        let begin = rest[..at].rfind(|c| !is_name_part(c)).map_or(0, |at| at + 1);
        let end = rest[at..].find(|c| !is_name_part(c) && c != ':').map_or(rest.len(), |end| at + end);
        let path: Vec<String> = rest[begin..end].split("::").map(str::to_owned).collect();
        if path.iter().all(|part| !part.is_empty() && part.chars().all(is_name_part)) {
            found.push(path);
        }
        rest = &rest[end..];
    }
    found
}

/// What the `use` declarations bring in.
fn uses(code: &str) -> Vec<Import> {
    let begins = code.match_indices("use ").filter(|(at, _)| {
        let line = code[..*at].rsplit('\n').next().unwrap_or_default().trim();
        line.is_empty() || line.starts_with("pub")
    });
    let trees = begins.map(|(at, begin)| code[at + begin.len()..].split(';').next().unwrap_or_default());
    trees.flat_map(|tree| leaves(tree, &[])).collect()
}

/// The names in a tree such as `a::{b, c::{self, d as e}}`.
fn leaves(tree: &str, above: &[String]) -> Vec<Import> {
    let names = |text: &str| {
        let parts = text.split("::").map(str::trim).filter(|part| !part.is_empty());
        above.iter().cloned().chain(parts.map(str::to_owned)).collect::<Vec<_>>()
    };
    if let Some((prefix, list)) = tree.split_once('{') {
        let list = &list[..list.rfind('}').unwrap_or(list.len())];
        return branches(list).into_iter().flat_map(|branch| leaves(branch, &names(prefix))).collect();
    }
    let (path, alias) = match tree.split_once(" as ") {
        Some((path, alias)) => (names(path), Some(alias.trim().to_owned())),
        None => (names(tree), None),
    };
    let path = match path.split_last() {
        Some((last, rest)) if last == "self" => rest.to_vec(),
        _ => path,
    };
    let alias = alias.or_else(|| path.last().cloned());
    alias
        .into_iter()
        .filter(|_| !tree.trim().is_empty())
        .map(|alias| Import { path: path.clone(), alias })
        .collect()
}

fn branches(list: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut found) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&list[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    found.push(&list[begin..]);
    found
}

#[test]
fn paths_are_read_in_full() {
    let code = "pub(crate) use super::{a::{self, B}, c as d};\nfn f() { crate::e::F::g(); Vec::<u8>::new() }";
    let found: Vec<String> = paths(code).iter().map(|path| path.join("::")).collect();
    for path in ["super::a", "super::a::B", "super::c", "crate::e::F::g"] {
        assert!(found.iter().any(|found| found == path), "{path} is not in {found:?}");
    }
}

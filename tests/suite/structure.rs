//! The modules of our crates: those that use each other in a circle cannot be understood, moved or
//! tested one at a time, so there are none. And capabilities stand apart: each may be read with
//! what carries them all, and without the others.

mod crypto;
mod dependencies;
mod documents;
mod personal;
mod security;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::{Path, PathBuf},
};

use syn::{Attribute, Item, UseTree, visit::Visit};

const CRATES: [&str; 6] = [
    "schema",
    "eventstore",
    "actors",
    "projections",
    "api",
    "tests",
];

/// Where capabilities stand side by side, and the rooms beside them: what each of them may use,
/// and what puts them together.
struct Floor {
    /// The crate.
    of: &'static str,
    /// The modules from its root down to the floor.
    below: &'static [&'static str],
    /// Used by all; may use one another, never a capability.
    shared: &'static [&'static str],
    /// Uses all; used by none of them.
    composition: &'static [&'static str],
    /// Which capability may use which other one.
    exceptions: &'static [(&'static str, &'static str)],
}

const FLOORS: [Floor; 3] = [
    Floor {
        of: "actors",
        below: &[],
        shared: &["runtime"],
        composition: &["services"],
        exceptions: &[
            ("charges", "prices"),
            ("charges", "accounts"),
            ("adjustments", "accounts"),
        ],
    },
    Floor {
        of: "projections",
        below: &[],
        shared: &["runtime", "read", "migrate"],
        composition: &["services"],
        exceptions: &[],
    },
    Floor {
        of: "api",
        below: &["rest"],
        // Looks at others' data are kept whatever is looked at.
        shared: &[
            "access", "context", "cursor", "etag", "fault", "fields", "sealed", "state", "visible",
        ],
        composition: &[],
        exceptions: &[],
    },
];

/// The names from the crate's root down to a module.
type Module = Vec<String>;

/// Which modules each module uses.
type Arrows = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_modules_use_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for name in CRATES {
        let arrows = arrows(&root.join(name).join("src"));
        assert!(!arrows.is_empty(), "{name} has modules that use others");
        for arrows in [&arrows, &among_folders(&arrows)] {
            let circle = circle(arrows);
            assert!(circle.is_empty(), "{name}: {}", circle.join(" -> "));
        }
    }
}

#[test]
fn capabilities_use_what_carries_them_and_not_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for floor in FLOORS {
        let arrows = arrows(&root.join(floor.of).join("src"));
        let wrong = floor.wrong(&arrows);
        assert!(wrong.is_empty(), "{}: {}", floor.of, wrong.join(", "));
    }
}

#[test]
fn a_capability_that_uses_another_is_found() {
    let [actors, ..] = FLOORS;
    let arrow = |from: &str, to: &str| (vec![from.to_owned()], [vec![to.to_owned()]].into());
    let wrong = |from, to| actors.wrong(&Arrows::from([arrow(from, to)]));
    for (from, to) in [
        ("receipts", "charges"),
        ("prices", "charges"),
        ("runtime", "prices"),
        ("access", "services"),
    ] {
        assert_eq!(wrong(from, to), [format!("{from} -> {to}")]);
    }
    for (from, to) in [
        ("charges", "prices"),
        ("services", "access"),
        ("access", "runtime"),
    ] {
        assert_eq!(wrong(from, to), Vec::<String>::new());
    }
}

impl Floor {
    /// The arrows between rooms that may not be.
    fn wrong(&self, arrows: &Arrows) -> Vec<String> {
        let mut wrong = BTreeSet::new();
        for (from, used) in arrows {
            for to in used {
                let (Some(from), Some(to)) = (self.room(from), self.room(to)) else {
                    continue;
                };
                if from != to && !self.allows(from, to) {
                    wrong.insert(format!("{from} -> {to}"));
                }
            }
        }
        wrong.into_iter().collect()
    }

    /// The room of this floor that a module is in, if it is in one.
    fn room<'a>(&self, module: &'a Module) -> Option<&'a str> {
        let (below, inside) = module.split_at_checked(self.below.len())?;
        let room = inside.first()?;
        (below == self.below).then_some(room)
    }

    fn allows(&self, from: &str, to: &str) -> bool {
        let shared = |room: &str| self.shared.contains(&room);
        self.composition.contains(&from)
            || (shared(to) && !self.composition.contains(&to))
            || self.exceptions.contains(&(from, to))
    }
}

#[test]
fn a_circle_is_found_by_whatever_way_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    write("lib.rs", "mod a; mod b; mod c;");
    write("a.rs", "mod deep; use self::deep::Thing;");
    let of_tests = "use super::Other; #[cfg(test)] mod tests { use crate::c::Own; }";
    write(
        "a/deep.rs",
        &format!("fn of(_: crate::b::Thing) {{}} {of_tests}"),
    );
    write("b.rs", "use super::c::{Own, self as named};");
    write("c.rs", "pub struct Own;");
    assert_eq!(circle(&arrows(folder.path())), Vec::<String>::new());
    write("c.rs", "use crate::a::{Thing, deep::{Other}};");
    let found = circle(&arrows(folder.path()));
    assert_eq!(found, ["a::deep", "b", "c", "a::deep"]);
    // Two files that know nothing of each other's way make their folders a circle.
    write("c.rs", "use crate::a::flat::Thing;");
    write("a/flat.rs", "pub struct Thing;");
    let arrows = arrows(folder.path());
    assert_eq!(circle(&arrows), Vec::<String>::new());
    assert_eq!(circle(&among_folders(&arrows)), ["a", "b", "c", "a"]);
}

/// All arrows among the modules below `src`.
fn arrows(src: &Path) -> Arrows {
    let files = files(src);
    let modules: BTreeSet<Module> = files.iter().map(|file| module(src, file)).collect();
    let mut arrows = Arrows::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let parsed = syn::parse_file(&text).expect("Rust");
        let mut paths = Paths::default();
        paths.visit_file(&parsed);
        let from = module(src, &file);
        for path in paths.0 {
            let Some(to) = meant(&modules, &from, &path) else {
                continue;
            };
            // A module may use what is inside it, and what stands around it.
            if !from.starts_with(&to) && !to.starts_with(&from) {
                arrows.entry(from.clone()).or_default().insert(to);
            }
        }
    }
    arrows
}

/// The same arrows among the modules at the root of the crate, each with all that is inside it.
fn among_folders(arrows: &Arrows) -> Arrows {
    let mut among = Arrows::new();
    for (from, used) in arrows {
        for to in used {
            if let ([from, ..], [to, ..]) = (&from[..], &to[..])
                && from != to
            {
                let to = vec![to.clone()];
                among.entry(vec![from.clone()]).or_default().insert(to);
            }
        }
    }
    among
}

/// The source files below a folder, those of tests left out.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("tests") => {}
            _ if path.is_dir() => found.extend(files(&path)),
            _ if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            _ => {}
        }
    }
    found
}

/// The module that a file holds.
fn module(src: &Path, file: &Path) -> Module {
    let path = file
        .strip_prefix(src)
        .expect("below src")
        .with_extension("");
    let names = path.iter().map(|name| name.to_string_lossy().into_owned());
    let mut module: Module = names.collect();
    if matches!(
        module.last().map(String::as_str),
        Some("lib" | "main" | "mod")
    ) {
        module.pop();
    }
    module
}

/// The module that `path` leads to, as `from` says it; nothing if it leads out of the crate.
fn meant(modules: &BTreeSet<Module>, from: &Module, path: &[String]) -> Option<Module> {
    let mut at = from.clone();
    let mut rest = path;
    match path.first().map(String::as_str) {
        Some("crate") => at.clear(),
        Some("self" | "super") => {}
        Some(child) if modules.contains(&[&from[..], &[child.to_owned()]].concat()) => {}
        Some(_) | None => return None,
    }
    while let Some((name, after)) = rest.split_first() {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => drop(at.pop()),
            name => {
                at.push(name.to_owned());
                if !modules.contains(&at) {
                    at.pop();
                    break;
                }
            }
        }
        rest = after;
    }
    Some(at)
}

/// The paths in a file, as they are written, outside its tests.
#[derive(Default)]
struct Paths(Vec<Vec<String>>);

impl Paths {
    fn add(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &dyn ToString| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add(&with(&path.ident), &path.tree),
            UseTree::Name(name) => self.0.push(with(&name.ident)),
            UseTree::Rename(rename) => self.0.push(with(&rename.ident)),
            UseTree::Glob(_) => self.0.push(before.to_vec()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add(before, tree)),
        }
    }
}

impl Visit<'_> for Paths {
    fn visit_item(&mut self, item: &Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs[..],
            Item::Fn(item) => &item.attrs[..],
            Item::Use(item) => &item.attrs[..],
            Item::Impl(item) => &item.attrs[..],
            _ => &[],
        };
        if !attributes.iter().any(is_of_tests) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.add(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        self.0.push(names.collect());
        syn::visit::visit_path(self, path);
    }
}

fn is_of_tests(attribute: &Attribute) -> bool {
    let mut found = false;
    if attribute.path().is_ident("cfg") {
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident("test");
            Ok(())
        });
    }
    found
}

/// The shortest way from the first module that is in a circle back to it, if one is.
fn circle(arrows: &Arrows) -> Vec<String> {
    for start in arrows.keys() {
        let mut ways = VecDeque::from([vec![start]]);
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop_front() {
            let used = way.last().and_then(|last| arrows.get(*last));
            for next in used.into_iter().flatten() {
                let way = [&way[..], &[next]].concat();
                if next == start {
                    return way.into_iter().map(|module| module.join("::")).collect();
                }
                if seen.insert(next) {
                    ways.push_back(way);
                }
            }
        }
    }
    Vec::new()
}

//! What comes in with us: how many crates are linked into `tollbook`, and that what judges them blocks
//! (ADR 0040).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

/// The most crates of others that are linked into `tollbook`. Whoever needs more says in ADR 0040
/// what for.
const LINKED_MAX: usize = 270;
/// Where it runs.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Ours, which are linked in too.
const OURS: [&str; 5] = ["schema", "eventstore", "actors", "projections", "api"];

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a text")
}

/// What is linked into `tollbook`, a line per use, the way to it said by `prefix`.
fn tree(prefix: &str) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--package", "api"])
        .args(["--edges", "normal,no-proc-macro", "--target", TARGET])
        .args(["--prefix", prefix, "--no-dedupe", "--format", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Every crate that is linked into `tollbook`, whatever its version, with those that need it.
pub(super) fn linked_by() -> BTreeMap<String, Vec<String>> {
    let mut linked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut above: Vec<String> = Vec::new();
    for line in tree("depth").lines() {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let depth: usize = line[..digits].parse().expect("a depth");
        let name = line[digits..].split(' ').next().unwrap_or_default();
        above.truncate(depth);
        let users = linked.entry(name.to_owned()).or_default();
        users.extend(above.last().filter(|user| !users.contains(user)).cloned());
        above.push(name.to_owned());
    }
    linked
}

/// Every crate that is linked into `tollbook`, with its version, as the lock file has them.
fn linked() -> BTreeSet<String> {
    let tree = tree("none");
    let name = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    tree.lines().map(name).collect()
}

#[test]
fn no_more_crates_are_linked_into_tollbook_than_the_decision_says() {
    let linked = linked();
    let is_ours = |package: &&String| {
        OURS.iter()
            .any(|ours| package.starts_with(&format!("{ours} ")))
    };
    let (ours, others): (Vec<_>, Vec<_>) = linked.iter().partition(is_ours);
    assert_eq!(
        ours.len(),
        OURS.len(),
        "the tree is not read right: {ours:?}"
    );
    assert!(
        others.len() <= LINKED_MAX,
        "{} crates: {others:?}",
        others.len()
    );
    // A bound that is far off holds nothing.
    assert!(
        others.len() + 10 > LINKED_MAX,
        "say in ADR 0040 that it is {}",
        others.len()
    );
    let decision = text("docs/adr/0040-what-comes-in-with-us.md");
    assert!(decision.contains(&format!("at most {LINKED_MAX} of\n  others")));
}

#[test]
fn the_workflow_blocks_on_advisories_and_on_critical_and_high_findings_in_the_image() {
    let workflow = text(".github/workflows/ci.yml");
    for line in [
        "      - run: ./dev check",
        "      - run: .ci/run",
        "      - run: ./dev audit",
        "          severity: CRITICAL,HIGH",
        "          exit-code: \"1\"",
        "    needs: [check, test, audit, image]",
    ] {
        assert!(workflow.lines().any(|found| found == line), "{line}");
    }
    // Nothing may be let off.
    for word in ["continue-on-error", "|| true", "ignore-unfixed: \"true\""] {
        assert!(!workflow.contains(word), "{word}");
    }
    let deny = text("deny.toml");
    for line in [
        "[advisories]",
        "yanked = \"deny\"",
        "unknown-registry = \"deny\"",
        "ignore = []",
    ] {
        assert!(deny.lines().any(|found| found == line), "{line}");
    }
}

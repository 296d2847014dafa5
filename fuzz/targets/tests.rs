//! The kept inputs, run again.

use super::{TARGETS, run};
use std::fs;
use std::path::PathBuf;

fn fuzz(folder: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "fuzz", folder].iter().collect()
}

/// The names of the entries of a folder, without what is behind their first dot.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(fuzz(folder)).expect("a folder").map(|entry| entry.expect("an entry"));
    let stem = |name: String| name.split('.').next().unwrap_or_default().to_owned();
    let mut names: Vec<_> = entries.map(|entry| stem(entry.file_name().to_string_lossy().into())).collect();
    names.sort();
    names
}

#[test]
fn every_kept_input_still_passes() {
    for (name, target) in TARGETS {
        let entries = fs::read_dir(fuzz("corpus").join(name)).expect("a folder of inputs");
        let mut count = 0;
        for entry in entries {
            let path = entry.expect("an entry").path();
            let bytes = fs::read(&path).expect("an input");
            let ended = std::panic::catch_unwind(|| target(&bytes));
            assert!(ended.is_ok(), "{}", path.display());
            count += 1;
        }
        assert!(count > 0, "nothing is kept for {name}");
        // An input shorter than any of them.
        target(&[]);
    }
}

#[test]
fn every_target_has_a_program_and_inputs() {
    let targets: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert!(targets.is_sorted());
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    let manifest = fs::read_to_string(fuzz("Cargo.toml")).expect("a manifest");
    for name in &targets {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "no program of {name}");
    }
}

#[test]
#[should_panic(expected = "no target")]
fn an_unknown_target_is_no_success() {
    run("nonsense", &[]);
}

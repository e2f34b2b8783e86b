//! The corpus of the fuzz targets: everything that was ever found to matter, and every input that
//! ever failed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use vedette_trials::TRIALS;

use crate::properties::PROPERTIES;

/// Files and bytes that the whole corpus may have: it is read at each test.
const FILES_MAX: usize = 200;
const BYTES_MAX: usize = 500_000;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The inputs for one trial, sorted by name.
pub(crate) fn inputs(trial: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fuzz().join("corpus").join(trial);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{trial}'s corpus: {error}"));
    let mut inputs: Vec<_> = files
        .map(|file| file.expect("an entry").path())
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(path).expect("a readable file"))
        })
        .collect();
    inputs.sort();
    inputs
}

#[test]
fn all_inputs_of_the_corpus_pass() {
    for trial in TRIALS {
        for (name, bytes) in inputs(trial.name) {
            let pass = std::panic::catch_unwind(|| (trial.run)(&bytes));
            assert!(pass.is_ok(), "fuzz/corpus/{}/{name} fails", trial.name);
        }
    }
}

#[test]
fn the_empty_input_and_each_byte_pass() {
    for trial in TRIALS {
        (trial.run)(b"");
        (0..=u8::MAX).for_each(|byte| (trial.run)(&[byte]));
    }
}

#[test]
fn the_corpus_is_small() {
    let all: Vec<_> = TRIALS.iter().flat_map(|trial| inputs(trial.name)).collect();
    // What a fuzzer added and nobody named is not in the repository.
    let is_named = |name: &str| name.len() != 40;
    let kept: Vec<_> = all.iter().filter(|(name, _)| is_named(name)).collect();
    let bytes: usize = kept.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(kept.len() <= FILES_MAX, "{} files: cargo fuzz cmin", kept.len());
    assert!(bytes <= BYTES_MAX, "{bytes} bytes: cargo fuzz cmin");
}

/// A trial without one of the four would look proven where nobody looks.
#[test]
fn every_trial_has_a_target_a_property_test_and_a_corpus() {
    let trials: BTreeSet<&str> = TRIALS.iter().map(|trial| trial.name).collect();
    let properties: BTreeSet<&str> = PROPERTIES.iter().copied().collect();
    assert_eq!(properties, trials, "tests/trials/properties.rs");

    let folder = |name: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz().join(name)).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names.map(|name| name.to_string_lossy().trim_end_matches(".rs").to_owned()).collect()
    };
    let names: BTreeSet<String> = trials.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(folder("corpus"), names, "fuzz/corpus");
    assert_eq!(folder("fuzz_targets"), names, "fuzz/fuzz_targets");

    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("the manifest");
    for name in trials {
        let target = fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs")));
        let expected = format!(
            "#![no_main]\n\
             libfuzzer_sys::fuzz_target!(|data: &[u8]| vedette_trials::{name}::run(data));\n"
        );
        assert_eq!(target.expect("a target"), expected, "fuzz/fuzz_targets/{name}.rs");
        let listed = format!("[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&listed), "fuzz/Cargo.toml lacks the target {name}");
        let kept = inputs(name).into_iter().filter(|(name, _)| name.len() != 40);
        assert!(kept.count() > 0, "fuzz/corpus/{name} is empty");
    }
}

//! How long a file may be.

use std::fs;
use std::path::Path;

/// The most lines of code, comments and blank lines aside.
const LONGEST_FILE: usize = 600;

/// Every Rust source below a folder of the repository, with its text.
pub(crate) fn sources_below(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((shown(root, &path), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

#[test]
fn no_file_is_too_long_to_read() {
    for folder in ["src", "adapters", "tests"] {
        for (path, text) in sources_below(folder) {
            let is_code = |line: &&str| {
                let line = line.trim();
                !line.is_empty() && !line.starts_with("//")
            };
            let lines = text.lines().filter(is_code).count();
            assert!(lines <= LONGEST_FILE, "{path} has {lines} lines of code");
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    let marks = ["TODO", "FIXME", "todo!(", "unimplemented!("];
    for folder in ["src", "adapters"] {
        for (path, text) in sources_below(folder) {
            for mark in marks {
                assert!(!text.contains(mark), "{path} has {mark}");
            }
        }
    }
}

//! Packs the sources and the lock file of the crates that a prelude is built from into the program, so that an
//! installed program needs neither its checkout nor anything that building it has not already downloaded.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

const CRATES: [&str; 4] = ["actors", "cluster", "tracing-viz", "stage"];

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
    let mut files = Vec::new();
    for name in CRATES {
        let folder = root.join("crates").join(name);
        println!("cargo::rerun-if-changed={}", folder.display());
        files.push(folder.join("Cargo.toml"));
        collect(&folder.join("src"), &mut files);
    }
    for name in ["Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(name).display());
        files.push(root.join(name));
    }
    files.sort();
    let mut code = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&root).expect("all are below the root").to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let text = if name.ends_with(".toml") { without_tests(&text, name == "Cargo.toml") } else { text };
        code.push_str(&format!("({name:?}, {text:?}),\n"));
    }
    code.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("sources.rs"), code).expect("the build's own folder can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("the folder was just opened").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| ["rs", "css", "js"].iter().any(|known| extension == *known))
        {
            files.push(path);
        }
    }
}

/// A manifest without what only tests need: nothing of that has been downloaded on a user's machine.
fn without_tests(text: &str, is_root: bool) -> String {
    let mut manifest: toml::Table = text.parse().expect("cargo has already read it");
    for key in ["dev-dependencies", "test", "bench", "example"] {
        manifest.remove(key);
    }
    if is_root && let Some(workspace) = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut) {
        workspace.remove("default-members");
        let members = CRATES.iter().map(|name| toml::Value::from(format!("crates/{name}"))).collect::<Vec<_>>();
        workspace.insert("members".to_owned(), members.into());
    }
    manifest.to_string()
}

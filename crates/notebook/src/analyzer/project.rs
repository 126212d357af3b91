//! What rust-analyzer is told of the crates that a cell can name: a `rust-project.json`, made from what cargo says of the
//! prelude's project. Cargo itself it is not told of: it would look for the standard library's dependencies in the
//! network, and run build scripts again.

use std::collections::HashMap;
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, Node, Package, PackageId, Target};
use serde_json::{Value, json};

use crate::prelude::is_library;

/// The crates of the standard library, and on which of them each stands. What else they are made of is not part of a
/// toolchain's sources.
const STANDARD: [(&str, &[usize]); 5] =
    [("core", &[]), ("alloc", &[0]), ("std", &[0, 1]), ("proc_macro", &[0, 2]), ("test", &[0, 1, 2])];

/// The project with a crate whose root is this file, and which can name what the metadata's root can.
/// <https://rust-analyzer.github.io/book/non_cargo_based_projects.html>
pub(super) fn project(metadata: &Metadata, sysroot: &Path, root: &Path) -> Value {
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    let own = metadata.resolve.as_ref().and_then(|resolve| resolve.root.as_ref());
    let packages: HashMap<&PackageId, &Package> =
        metadata.packages.iter().map(|package| (&package.id, package)).collect();
    let libraries: Vec<(&Node, &Package, &Target)> = nodes
        .iter()
        .filter(|node| Some(&node.id) != own)
        .filter_map(|node| {
            let package = packages.get(&node.id)?;
            Some((node, *package, package.targets.iter().find(|target| is_library(target))?))
        })
        .collect();
    let places: HashMap<&PackageId, usize> =
        libraries.iter().enumerate().map(|(at, (node, ..))| (&node.id, at)).collect();
    let deps = |node: &Node| -> Vec<Value> {
        let normal = node
            .deps
            .iter()
            .filter(|dependency| dependency.dep_kinds.iter().any(|info| info.kind == DependencyKind::Normal));
        let placed = normal.filter_map(|dependency| Some((places.get(&dependency.pkg)?, &dependency.name)));
        placed.map(|(place, name)| json!({ "crate": place, "name": name })).collect()
    };
    let mut crates: Vec<Value> = libraries
        .iter()
        .map(|(node, package, target)| {
            let features = node.features.iter().map(|feature| format!("feature=\"{feature}\""));
            json!({
                "display_name": target.name,
                "root_module": target.src_path,
                "edition": target.edition,
                "deps": deps(node),
                "cfg": features.collect::<Vec<_>>(),
                "env": {
                    "CARGO_MANIFEST_DIR": package.manifest_path.parent(),
                    "CARGO_PKG_NAME": package.name,
                    "CARGO_PKG_VERSION": package.version,
                },
                "is_proc_macro": target.is_proc_macro(),
                "is_workspace_member": false,
            })
        })
        .collect();
    let own = nodes.iter().find(|node| Some(&node.id) == own);
    crates.push(json!({
        "display_name": "notebook",
        "root_module": root,
        "edition": "2024",
        "deps": own.map(deps).unwrap_or_default(),
        "cfg": [],
        "is_workspace_member": true,
    }));
    let sources = sysroot.join("lib/rustlib/src/rust/library");
    let standard = standard(sysroot, &sources);
    json!({ "sysroot": sysroot, "sysroot_src": sources, "sysroot_project": standard, "crates": crates })
}

/// The standard library.
fn standard(sysroot: &Path, sources: &Path) -> Value {
    let krate = |(name, deps): &(&str, &[usize])| {
        let deps: Vec<_> = deps.iter().map(|at| json!({ "crate": at, "name": STANDARD[*at].0 })).collect();
        json!({
            "display_name": name,
            "root_module": sources.join(name).join("src/lib.rs"),
            "edition": "2024",
            "deps": deps,
            "cfg": [],
            "is_workspace_member": false,
        })
    };
    let crates: Vec<_> = STANDARD.iter().map(krate).collect();
    json!({ "sysroot": sysroot, "sysroot_src": sources, "crates": crates })
}

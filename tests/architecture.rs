//! Who may use whom, read from the sources.

use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// (layer, what its code must not name, why)
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "domain",
        &[
            "crate::auth",
            "crate::db",
            "crate::services",
            "crate::events",
            "crate::graphql",
            "crate::http",
            "crate::error",
            "diesel",
            "serde_json",
            "async_graphql",
            "axum",
            "redis",
            "Utc::now",
            "tokio",
        ],
        "domain is pure: no I/O, no clock of its own, no JSON values",
    ),
    (
        "auth",
        &[
            "crate::db",
            "crate::services",
            "crate::events",
            "crate::graphql",
            "crate::http",
            "diesel",
            "async_graphql",
            "axum",
            "redis::",
        ],
        "auth knows the domain only",
    ),
    (
        "db",
        &["crate::services", "crate::events", "crate::graphql", "crate::http", "async_graphql", "axum", "redis::"],
        "db returns rows and errors; it knows nothing above it",
    ),
    (
        "services",
        &["crate::events", "crate::graphql", "crate::http", "diesel", "async_graphql", "axum", "redis::"],
        "services know policy, db and domain",
    ),
    (
        "events",
        &["crate::services", "crate::graphql", "crate::http", "diesel", "async_graphql", "axum"],
        "events carry, they decide nothing",
    ),
    (
        "graphql",
        &["crate::http", "diesel", "deadpool", "redis::", "axum", "ViewerTx", ".begin("],
        "graphql reads through db functions and writes through services",
    ),
    ("http", &["crate::services", "diesel", "redis::"], "http does the wire"),
];

/// Names that only one place may say.
const ONLY: &[(&str, &str)] =
    &[("diesel", "db"), ("async_graphql::", "graphql"), ("axum::", "http"), ("redis::", "events")];

#[test]
fn no_layer_names_what_lies_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut faults = Vec::new();
    for path in &files {
        let inside = path.strip_prefix(&root).unwrap();
        let layer = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let text = std::fs::read_to_string(path).unwrap();
        // Comments may tell about anything; tests may look anywhere.
        let code: String = text
            .split("#[cfg(test)]")
            .next()
            .unwrap()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        for (of, forbidden, why) in FORBIDDEN {
            if layer == *of {
                for name in forbidden.iter().filter(|name| code.contains(**name)) {
                    faults.push(format!("{} names {name}: {why}", inside.display()));
                }
            }
        }
        for (name, home) in ONLY {
            // The HTTP layer passes async_graphql's response types on to the wire.
            let wire = layer == "http" && *name == "async_graphql::";
            if layer != *home && !wire && code.contains(name) {
                faults.push(format!("{} names {name}, which belongs to {home}/", inside.display()));
            }
        }
    }
    assert!(files.len() > 40, "the sources were not found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn configuration_is_read_in_main_and_app_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for path in files {
        let inside = path.strip_prefix(&root).unwrap().display().to_string();
        // The token's secret is its own concern's struct.
        let may = ["main.rs", "app.rs", "config.rs", "production.rs", "auth/token.rs", "telemetry.rs"]
            .contains(&inside.as_str());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(may || !text.contains("crate::config"), "{inside} reads the configuration");
        assert!(may || !text.contains("env::var"), "{inside} reads the environment");
    }
}

/// Texts in rows that are no record of people: codes, names of the schema, and the directory of units and workers.
const OPEN_TEXTS: &[&str] = &[
    "AddressRow.kind",
    "AreaRow.name",
    "EntryRow.classes",
    "EntryRow.codes",
    "EntryRow.decision",
    "EntryRow.detail",
    "EntryRow.node_kind",
    "EntryRow.operation",
    "EntryRow.operation_hash",
    "EventRow.actor_role",
    "EventRow.entity_type",
    "EventRow.severity",
    "EventRow.type_",
    "NewEntry.operation",
    "NewEntry.operation_hash",
    "RelationshipRow.type_",
    "StepRow.step",
    "UnitRow.contact_point",
    "UnitRow.name",
    "Verified.faults",
    "WorkerRow.name",
    "WorkerRow.staff_no",
];

#[test]
fn a_row_that_can_be_printed_holds_what_people_wrote_as_personal() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db"), &mut files);
    let mut plain = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        // Attributes and the name of a struct, then its fields, up to the brace in the first column.
        let (mut printed, mut within) = (false, None);
        for line in text.lines() {
            if line.starts_with("#[derive(") {
                printed = line.contains("Debug") && line.contains("Clone");
            } else if let Some((_, rest)) = line.split_once("struct ").filter(|_| !line.starts_with(' ')) {
                within = rest.split(|c: char| !c.is_alphanumeric()).next().filter(|_| printed).map(str::to_owned);
            } else if line.starts_with('}') {
                (printed, within) = (false, None);
            } else if let (Some(of), Some((name, kind))) = (&within, line.trim().split_once(": "))
                && kind.contains("String")
                && !kind.contains("Personal<")
                && !line.trim().starts_with("//")
            {
                plain.push(format!("{of}.{}", name.trim_start_matches("pub ")));
            }
        }
    }
    plain.sort();
    assert_eq!(plain, OPEN_TEXTS, "say that it is no record of people, or make it Personal");
}

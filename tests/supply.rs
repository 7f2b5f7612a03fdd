//! What is known to be broken is not built in.

/// The first version of each that is not.
const MENDED: [(&str, [u32; 3]); 5] = [
    ("jsonwebtoken", [10, 3, 0]),
    ("diesel", [2, 3, 10]),
    ("tokio-postgres", [0, 7, 18]),
    ("h2", [0, 4, 16]),
    ("tracing-subscriber", [0, 3, 20]),
];

/// Every version of a crate in a lock file, as numbers; what follows a number counts as earlier than it (`1.0.0-rc`).
fn versions(lock: &str, name: &str) -> Vec<[i64; 3]> {
    let named = format!("name = \"{name}\"");
    let packages = lock.split("[[package]]").filter(|package| package.lines().any(|line| line == named));
    let version = |package: &str| {
        let text = package.lines().find_map(|line| line.strip_prefix("version = \"")).unwrap().trim_end_matches('"');
        let text = text.split('+').next().unwrap();
        let (numbers, early) = text.split_once('-').map_or((text, 0), |(numbers, _)| (numbers, 1));
        let mut parts = numbers.split('.').map(|part| part.parse::<i64>().unwrap());
        let mut next = || parts.next().unwrap();
        [next(), next(), next() - early]
    };
    packages.map(version).collect()
}

fn older(lock: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, least) in MENDED {
        for version in versions(lock, name) {
            if version < least.map(i64::from) {
                faults.push(format!("{name} {version:?} is older than {least:?}: cargo update -p {name}"));
            }
        }
    }
    faults
}

#[test]
fn no_version_that_is_known_to_be_broken_is_locked() {
    let lock = include_str!("../Cargo.lock");
    assert!(!versions(lock, "diesel").is_empty(), "the lock file was not read");
    let faults = older(lock);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn an_older_version_is_found_and_an_absent_crate_is_none() {
    let lock = |name: &str, version: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
    for (name, version) in [
        ("jsonwebtoken", "9.3.1"),
        ("diesel", "2.3.9"),
        ("h2", "0.3.26"),
        ("h2", "0.4.16-rc.1"),
        ("tokio-postgres", "0.7.17"),
    ] {
        assert_eq!(older(&lock(name, version)).len(), 1, "{name} {version}");
    }
    for (name, version) in [("h2", "0.4.16"), ("h2", "1.0.0"), ("diesel", "2.10.0"), ("h2-more", "0.1.0")] {
        assert!(older(&lock(name, version)).is_empty(), "{name} {version}");
    }
    assert!(older("").is_empty());
    let both = lock("h2", "0.4.16") + &lock("h2", "0.3.26");
    assert_eq!(older(&both).len(), 1, "each of several");
}

//! docs/domain.md says what the code does: its diagrams are the state machines, its table names what there is.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use apollo_compiler::Schema;
use hearth::domain::{
    Code,
    codes::{
        AssessmentStatus, CaseStatus, ConferenceState, ContactStatus, EnquiryStatus, InformationStatus, PlanStatus,
        SupportStatus,
    },
    conference, plan,
};

type Edges = BTreeSet<(&'static str, &'static str)>;

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/domain.md")).unwrap()
}

fn edges<S: Code>(next: impl Fn(S) -> Vec<S>) -> Edges {
    let from =
        |state: S| next(state).into_iter().filter(move |to| *to != state).map(move |to| (state.code(), to.code()));
    S::ALL.iter().flat_map(|(state, ..)| from(*state)).collect()
}

/// The state machines by the name that their diagram says in a comment.
fn machines() -> BTreeMap<&'static str, Edges> {
    let conference = |state: ConferenceState| {
        conference::Step::ALL.into_iter().filter_map(|step| step.from_state(state)).collect::<Vec<_>>()
    };
    BTreeMap::from([
        ("contact", edges(ContactStatus::legal_next)),
        ("conference", edges(conference)),
        ("plan", edges::<PlanStatus>(plan::legal_next)),
        ("assessment", edges(AssessmentStatus::legal_next)),
        ("enquiry", edges(EnquiryStatus::legal_next)),
        ("information", edges(InformationStatus::legal_next)),
        ("support", edges(SupportStatus::legal_next)),
        ("case", edges(CaseStatus::legal_next)),
    ])
}

#[test]
fn the_diagrams_are_the_state_machines() {
    let page = page();
    let mut drawn: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for diagram in page.split("```mermaid").skip(1) {
        let diagram = diagram.split("```").next().unwrap();
        let name = diagram.lines().find_map(|line| line.trim().strip_prefix("%% ")).expect("a diagram without a name");
        let arrows = diagram.lines().filter_map(|line| line.trim().split_once(" --> "));
        drawn.insert(name, arrows.collect());
    }
    assert_eq!(drawn, machines());
}

#[test]
fn what_carries_a_pathway_is_in_the_schema_and_its_test_is_a_test() {
    let page = page();
    let schema = Schema::parse_and_validate(hearth::graphql::sdl(), "schema.graphql").unwrap().into_inner();
    let mut sources = String::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["tests", "tests/mutations", "tests/prober", "src/domain"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let is_there = |name: &str| match name.split_once('.') {
        Some((of, field)) => schema.get_object(of).is_some_and(|object| object.fields.contains_key(field)),
        None => ["Mutation", "Subscription", "Query"]
            .iter()
            .any(|root| schema.get_object(root).unwrap().fields.contains_key(name)),
    };
    let mut rows = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| S-")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, _, operations, test] = cells[..] else { panic!("{line}") };
        rows.push(id.to_owned());
        if operations == "not yet" {
            assert!(test.is_empty(), "{line}");
            continue;
        }
        for operation in operations.split(", ").map(|operation| operation.trim_matches('`')) {
            assert!(is_there(operation), "{id}: there is no {operation}");
        }
        assert!(sources.contains(&format!("fn {}(", test.trim_matches('`'))), "{id}: there is no test {test}");
    }
    let all: Vec<String> = (1..=34).map(|number| format!("S-{number:02}")).collect();
    assert_eq!(rows, all);
}

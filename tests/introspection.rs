//! Whether the schema may be asked for.

use hearth::config::Introspection;
use serde_json::json;

use crate::support::{Server, Setup};

const ASKS: [&str; 5] = [
    "{ __schema { types { name } } }",
    "{ __type(name: \"Child\") { fields { name } } }",
    "{ alias: __schema { queryType { name } } viewer { worker { name } } }",
    "{ ... on Query { ...hidden } } fragment hidden on Query { __type(name: \"Child\") { name } }",
    "query A { __typename } query B { __schema { queryType { name } } }",
];

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_off_the_schema_is_not_told_and_typename_is() {
    let server = Server::with(Setup { introspection: Some(Introspection::Off), ..Setup::default() }).await;
    for query in ASKS {
        assert_eq!(server.code("CLINICIAN", query, json!({})).await, "INTROSPECTION_DISABLED", "{query}");
        // What was refused once is not remembered as good.
        assert_eq!(server.code("CLINICIAN", query, json!({})).await, "INTROSPECTION_DISABLED", "{query}");
    }
    let query = "{ __typename viewer { __typename worker { __typename } } }";
    let data = server.data("CLINICIAN", query, json!({})).await;
    assert_eq!((&data["__typename"], &data["viewer"]["worker"]["__typename"]), (&json!("Query"), &json!("Worker")));
    // Over a socket too.
    let mut socket = server.socket("CLINICIAN").await;
    socket.subscribe("one", "{ __schema { queryType { name } } }", json!({})).await;
    let refused = socket.hear().await;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "INTROSPECTION_DISABLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_on_the_schema_is_told() {
    for introspection in [None, Some(Introspection::On)] {
        let server = Server::with(Setup { introspection, ..Setup::default() }).await;
        for query in &ASKS[..4] {
            server.data("CLINICIAN", query, json!({})).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refusal_suggests_what_might_have_been_meant() {
    let server = Server::with(Setup { introspection: Some(Introspection::Off), ..Setup::default() }).await;
    for query in [
        "{ viewr { worker { name } } }",
        "{ viewer { worker { nam } } }",
        "{ viewer { worker } }",
        "{ viewer { worker { name { first } } } }",
        "{ children(frist: 1) { totalCount } }",
        "query($id: IDD) { case(id: $id) { id } }",
        "{ ... on Childe { id } }",
        "{ viewer { worker @skp(if: true) { name } } }",
        "query($kind: AllocationKin) { __typename }",
        "{ unit(id: \"x\") { allocations(kind: PRIMARI) { totalCount } } }",
        "mutation { allocateCas(input: {}) { errors { message } } }",
        "mutation { allocateCase(input: { caseI: \"x\" }) { errors { message } } }",
        "subscription { unitFed(unitId: \"x\") { cursor } }",
    ] {
        let answer = server.answer("CLINICIAN", query, json!({})).await;
        let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{query}: {answer}"));
        assert!(!errors.is_empty());
        let told = answer.to_string().to_lowercase();
        assert!(!told.contains("did you mean") && !told.contains("perhaps"), "{query}: {told}");
    }
}

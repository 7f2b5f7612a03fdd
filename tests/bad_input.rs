//! Bad input gets one clear error with a code, and nothing is lost.

use serde_json::{Value, json};

use crate::support::{Server, document, key};

async fn rows(server: &Server) -> Vec<i64> {
    let client = crate::support::connect("postgres", &server.database).await;
    let query = "select (select count(*) from allocations) as a, (select count(*) from outbox) as b,
        (select count(*) from idempotency_keys) as c, (select sum(version)::bigint from cases) as d,
        (select count(*) from conferences) as e, (select count(*) from case_transfers) as f";
    let row = client.query_one(query, &[]).await.unwrap();
    (0..row.len()).map(|at| row.get(at)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_value_is_refused_and_nothing_is_written() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let unit = server.unit(3).await;
    let before = rows(&server).await;
    let good = json!({ "idempotencyKey": key(), "caseId": case, "unitId": unit, "reason": "New referral",
                       "expectedVersion": version });
    let query = document("allocateCase", "case { id }");
    for (field, value) in [
        ("caseId", json!("")),
        ("caseId", json!("Case:")),
        ("caseId", json!("Case:not-a-uuid")),
        ("caseId", json!(unit)),
        ("caseId", json!(case.replace("Case:", "case:"))),
        ("caseId", json!(case.to_uppercase())),
        ("caseId", json!("' or 1=1 --")),
        ("caseId", json!("\u{0}")),
        ("caseId", json!(17)),
        ("unitId", json!(case)),
        ("leadPractitionerId", json!("Worker:x")),
        ("reason", json!("")),
        ("reason", json!("   ")),
        ("reason", json!("a\u{0}b")),
        ("reason", json!("a\u{202E}b")),
        ("reason", json!("a\u{7}b")),
        ("reason", json!("x".repeat(501))),
        ("reason", json!(5)),
        ("reason", Value::Null),
        ("summary", json!("\u{2066}hidden")),
        ("priority", json!("VERY")),
        ("priority", json!(1)),
        ("expectedVersion", json!("1")),
        ("expectedVersion", json!(3_000_000_000_i64)),
        ("expectedVersion", json!(1.5)),
        ("idempotencyKey", json!("")),
        ("idempotencyKey", json!("k".repeat(201))),
        ("idempotencyKey", json!("k\u{0}")),
        ("unknownField", json!(1)),
    ] {
        let mut input = good.clone();
        input[field] = value.clone();
        let answer = server.answer("FIRST_RESPONSE", &query, json!({ "input": input })).await;
        let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{field} {value}: {answer}"));
        assert_eq!(errors.len(), 1, "{field} {value}: {answer}");
        assert_eq!(errors[0]["extensions"]["code"], "BAD_USER_INPUT", "{field} {value}: {answer}");
    }
    assert_eq!(rows(&server).await, before);
    server.done("FIRST_RESPONSE", "allocateCase", "", good).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_limits_hold_at_the_edge() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let input = json!({ "idempotencyKey": "k".repeat(200), "caseId": case, "unitId": server.unit(3).await,
                        "reason": "é".repeat(500), "summary": "line one\nline two\tend", "expectedVersion": version });
    server.done("FIRST_RESPONSE", "allocateCase", "", input).await;
    let query = "query($id: ID!) { case(id: $id) { primaryAllocation { reasonStart summary } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": case })).await;
    assert_eq!(data["case"]["primaryAllocation"]["summary"], "line one\nline two\tend");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_malformed_ids_of_every_reading_field() {
    let server = Server::start().await;
    for (field, kind) in [
        ("unit", "Unit"),
        ("child", "Child"),
        ("case", "Case"),
        ("conference", "Conference"),
        ("plan", "Plan"),
        ("worker", "Worker"),
        ("transfer", "Transfer"),
        ("node", "Allocation"),
    ] {
        let query = format!("query($id: ID!) {{ {field}(id: $id) {{ __typename }} }}");
        let unknown = format!("{kind}:{}", uuid::Uuid::now_v7());
        let data = server.data("CLINICIAN", &query, json!({ "id": unknown })).await;
        assert_eq!(data[field], Value::Null);
        for bad in ["", "x", &format!("{kind}:"), &uuid::Uuid::now_v7().to_string(), "\u{0}", "Case:\u{202E}"] {
            assert_eq!(
                server.code("CLINICIAN", &query, json!({ "id": bad })).await,
                "BAD_USER_INPUT",
                "{field} {bad:?}"
            );
        }
    }
    // A kind that does not exist has no records.
    let data = server
        .data(
            "CLINICIAN",
            "query($id: ID!) { node(id: $id) { id } }",
            json!({ "id": format!("Nothing:{}", uuid::Uuid::now_v7()) }),
        )
        .await;
    assert_eq!(data["node"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_bounded_and_cursors_belong_to_their_list_and_viewer() {
    let server = Server::start().await;
    let query = "query($first: Int, $after: String) { units(first: $first, after: $after) { nodes { id } pageInfo { endCursor } } }";
    for first in [-1, 101, i32::MAX] {
        assert_eq!(server.code("CLINICIAN", query, json!({ "first": first })).await, "BAD_USER_INPUT", "{first}");
    }
    let none = server.data("CLINICIAN", query, json!({ "first": 0 })).await;
    assert_eq!(none["units"]["nodes"], json!([]));
    let page = server.data("CLINICIAN", query, json!({ "first": 2 })).await;
    let cursor = &page["units"]["pageInfo"]["endCursor"];
    let children = "query($after: String) { children(after: $after) { totalCount } }";
    assert_eq!(server.code("CLINICIAN", children, json!({ "after": cursor })).await, "BAD_USER_INPUT");
    assert_eq!(server.code("SOCIAL_WORKER", query, json!({ "after": cursor })).await, "BAD_USER_INPUT");
    let mut tampered = cursor.as_str().unwrap().to_owned();
    let last = if tampered.ends_with('A') { "B" } else { "A" };
    tampered.replace_range(40..41, last);
    let unchanged = tampered == cursor.as_str().unwrap();
    for bad in ["", "x", "AAAA", "🏃", if unchanged { "x" } else { &tampered }] {
        assert_eq!(server.code("CLINICIAN", query, json!({ "after": bad })).await, "BAD_USER_INPUT", "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_and_moments_have_one_form() {
    let server = Server::start().await;
    let query = "query($day: Date) { viewer { actions(dueBy: $day) { totalCount } } }";
    server.data("CLINICIAN", query, json!({ "day": "2026-02-28" })).await;
    for bad in [
        json!("2026-02-30"),
        json!("28.02.2026"),
        json!("2026-2-8"),
        json!(20260228),
        json!(""),
        json!("+026-01-01"),
        json!("2026-11- 1"),
    ] {
        assert_eq!(server.code("CLINICIAN", query, json!({ "day": bad })).await, "BAD_USER_INPUT", "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_say_no_more_than_they_must() {
    let server = Server::start().await;
    // A unique violation's detail, a constraint's name, a statement: none of them reaches a client.
    let (case, version) = server.queued().await;
    let unit = server.unit(3).await;
    let make = |at: usize| json!({ "idempotencyKey": format!("key-{at}"), "caseId": case, "unitId": unit, "reason": "x", "expectedVersion": version });
    let query = document("allocateCase", "");
    let answers = futures_util::future::join_all(
        (0..8).map(|at| server.answer("FIRST_RESPONSE", &query, json!({ "input": make(at) }))),
    )
    .await;
    for answer in answers {
        let text = answer.to_string();
        for word in ["constraint", "violates", "duplicate", "select", "allocations_", "one_primary", "postgres"] {
            assert!(!text.to_lowercase().contains(word), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_scalar_nulls_its_field_and_a_failing_list_its_nearest_nullable_parent() {
    let server = Server::start().await;
    let query = "{ a: unit(id: \"x\") { name } b: __typename }";
    let answer = server.answer("CLINICIAN", query, json!({})).await;
    assert_eq!(answer["data"], json!({ "a": null, "b": "Query" }));
    // nodes is not nullable: its failure nulls the root.
    let answer = server.answer("CLINICIAN", "{ nodes(ids: [\"x\"]) { id } b: __typename }", json!({})).await;
    assert_eq!(answer["data"], Value::Null);
    assert_eq!(answer["errors"][0]["path"], json!(["nodes"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_date_in_the_second_mutation_keeps_the_first_from_running() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let before = rows(&server).await;
    let first = json!({ "idempotencyKey": key(), "caseId": case, "unitId": server.unit(3).await, "reason": "x",
                        "expectedVersion": version });
    let query = "mutation($a: AllocateCaseInput!, $b: MoveConferenceInput!) {
        a: allocateCase(input: $a) { errors { message } } b: moveConference(input: $b) { errors { message } } }";
    for bad in ["nonsense", "2026-12-04T23:59:60Z", "2100-07-02T23:30:00Z", "2026-12-04"] {
        let second = json!({ "idempotencyKey": key(), "conferenceId": "Conference:x", "scheduledFor": bad, "reason": "x",
                             "expectedVersion": 1 });
        let answer = server.answer("FIRST_RESPONSE", query, json!({ "a": first, "b": second })).await;
        assert!(answer.get("data").is_none(), "{bad}: {answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
    // The same as a literal, in a list, and behind a fragment.
    let literal = "query { ...f } fragment f on Query { viewer { actions(dueBy: \"x\") { totalCount } } }";
    assert_eq!(server.code("CLINICIAN", literal, json!({})).await, "BAD_USER_INPUT");
    assert_eq!(rows(&server).await, before);
}

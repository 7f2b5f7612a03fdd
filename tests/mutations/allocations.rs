use serde_json::{Value, json};

use crate::support::{Server, key};

fn allocate(case: &str, unit: &str, version: i64) -> Value {
    json!({ "idempotencyKey": key(), "caseId": case, "unitId": unit, "reason": "New referral", "priority": "HIGH",
            "expectedVersion": version })
}

const CASE: &str = "query($id: ID!) { case(id: $id) { version status primaryAllocation { id kind priority unit { id } }
    allocations(current: true) { nodes { id kind unit { id } } } leadPractitioner { worker { id } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn first_response_allocates_a_case_of_the_queue_and_then_sees_it_no_more() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let unit = server.unit(3).await;
    let payload = server
        .done("FIRST_RESPONSE", "allocateCase", "case { id } allocation { id }", allocate(&case, &unit, version))
        .await;
    assert_eq!((&payload["case"], &payload["allocation"]), (&Value::Null, &Value::Null));
    let data = server.data("CLINICIAN", CASE, json!({ "id": case })).await;
    assert_eq!(data["case"]["status"], "ASSESSMENT");
    assert_eq!(data["case"]["version"], json!(version + 1));
    assert_eq!(data["case"]["primaryAllocation"]["unit"]["id"], json!(unit));
    assert_eq!(data["case"]["primaryAllocation"]["priority"], "HIGH");
    // The unit's consultant social worker leads when nobody is named.
    let lead = format!("Worker:{}", server.worker("CONSULTANT_SOCIAL_WORKER"));
    assert_eq!(data["case"]["leadPractitioner"]["worker"]["id"], json!(lead));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_a_unit_holds_is_not_allocated_again() {
    let server = Server::start().await;
    let (case, version) = server.held("CLINICIAN", 3).await[0].clone();
    let input = allocate(&case, &server.unit(4).await, version);
    let payload = server.mutate("HEAD_OF_SERVICE", "allocateCase", "case { id }", input).await;
    assert_eq!(payload["errors"][0]["__typename"], "Conflict");
    assert_eq!(payload["case"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused_with_the_current_one() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let input = allocate(&case, &server.unit(3).await, version + 7);
    let payload = server.mutate("FIRST_RESPONSE", "allocateCase", "case { id }", input).await;
    assert_eq!(payload["errors"][0]["__typename"], "VersionConflict");
    assert_eq!(payload["errors"][0]["currentVersion"], json!(version));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_see_the_queue_cannot_allocate_from_it() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let unit = server.unit(3).await;
    let query = crate::support::document("allocateCase", "case { id }");
    for person in ["CLINICIAN", "CONSULTANT_SOCIAL_WORKER", "UNIT_COORDINATOR", "CP_CHAIR", "OTHER_UNIT"] {
        let input = json!({ "input": allocate(&case, &unit, version) });
        let hidden = server.answer(person, &query, input).await;
        let input = json!({ "input": allocate(&format!("Case:{}", uuid::Uuid::now_v7()), &unit, version) });
        assert_eq!(hidden, server.answer(person, &query, input).await, "{person}");
        assert_eq!(hidden["errors"][0]["extensions"]["code"], "NOT_FOUND", "{person}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_unit_takes_a_case_only_from_a_manager() {
    let server = Server::start().await;
    let client = crate::support::connect("postgres", &server.database).await;
    client.batch_execute("update units set capacity_cases = 1 where name like '%Unit 3'").await.unwrap();
    let (case, version) = server.queued().await;
    let unit = server.unit(3).await;
    let payload = server.mutate("FIRST_RESPONSE", "allocateCase", "", allocate(&case, &unit, version)).await;
    assert_eq!(payload["errors"][0]["guard"], "UNIT_CAPACITY");
    server.done("SERVICE_MANAGER", "allocateCase", "", allocate(&case, &unit, version)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_qualified_member_of_the_unit_leads() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let unit = server.unit(3).await;
    for person in ["CLINICIAN", "OTHER_UNIT"] {
        let mut input = allocate(&case, &unit, version);
        input["leadPractitionerId"] = json!(format!("Worker:{}", server.worker(person)));
        let payload = server.mutate("FIRST_RESPONSE", "allocateCase", "", input).await;
        assert_eq!(payload["errors"][0]["guard"], "LEAD_QUALIFIED", "{person}");
    }
    let mut input = allocate(&case, &unit, version);
    input["leadPractitionerId"] = json!(format!("Worker:{}", server.worker("SOCIAL_WORKER")));
    server.done("FIRST_RESPONSE", "allocateCase", "", input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_unit_takes_nothing() {
    let server = Server::start().await;
    let client = crate::support::connect("postgres", &server.database).await;
    client.batch_execute("update units set active_to = '2026-11-17' where name like '%Unit 3'").await.unwrap();
    let (case, version) = server.queued().await;
    let payload =
        server.mutate("FIRST_RESPONSE", "allocateCase", "", allocate(&case, &server.unit(3).await, version)).await;
    assert_eq!(payload["errors"][0]["guard"], "UNIT_ACTIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_the_primary_allocation_sends_the_case_to_the_queue() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let data = server.data("CLINICIAN", CASE, json!({ "id": case })).await;
    let allocation = data["case"]["primaryAllocation"]["id"].clone();
    let input = json!({ "idempotencyKey": key(), "allocationId": allocation, "reason": "Wrong unit", "expectedVersion": version });
    let query = crate::support::document("endAllocation", "");
    assert_eq!(server.code("SOCIAL_WORKER", &query, json!({ "input": input })).await, "FORBIDDEN");
    let payload =
        server.done("CONSULTANT_SOCIAL_WORKER", "endAllocation", "case { id } allocation { id }", input.clone()).await;
    assert_eq!((&payload["case"], &payload["allocation"]), (&Value::Null, &Value::Null));
    assert!(server.queue().await.iter().any(|(id, _)| *id == case));
    // Ended is ended; whoever sees it no more hears the same as of a missing one.
    let mut again = input;
    again["idempotencyKey"] = json!(key());
    again["expectedVersion"] = json!(version + 1);
    assert_eq!(server.code("CONSULTANT_SOCIAL_WORKER", &query, json!({ "input": again })).await, "NOT_FOUND");
    let payload = server.mutate("HEAD_OF_SERVICE", "endAllocation", "", again).await;
    assert_eq!(payload["errors"][0]["__typename"], "IllegalTransition");
}

#[tokio::test(flavor = "multi_thread")]
async fn joint_and_cover_units_see_the_case_while_they_help() {
    let server = Server::start().await;
    for (mutation, kind) in [("startJointAllocation", "JOINT"), ("startCoverAllocation", "COVER")] {
        let (case, version) = server.allocated_to(3).await;
        let seven = server.unit(7).await;
        assert_eq!(server.data("OTHER_UNIT", CASE, json!({ "id": case })).await["case"], Value::Null);
        let input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": seven, "reason": "Sibling known there",
                            "expectedVersion": version });
        let refused =
            server.code("SOCIAL_WORKER", &crate::support::document(mutation, ""), json!({ "input": input })).await;
        assert_eq!(refused, "FORBIDDEN");
        let payload = server
            .done("CONSULTANT_SOCIAL_WORKER", mutation, "allocation { id kind } case { version }", input.clone())
            .await;
        assert_eq!(payload["allocation"]["kind"], kind);
        let seen = server.data("OTHER_UNIT", CASE, json!({ "id": case })).await;
        assert_eq!(seen["case"]["allocations"]["nodes"].as_array().unwrap().len(), 2);
        // Twice is a conflict.
        let mut again = input;
        again["idempotencyKey"] = json!(key());
        again["expectedVersion"] = payload["case"]["version"].clone();
        let refused = server.mutate("CONSULTANT_SOCIAL_WORKER", mutation, "", again).await;
        assert_eq!(refused["errors"][0]["__typename"], "Conflict");
        // The helping unit may end its own help.
        let end = json!({ "idempotencyKey": key(), "allocationId": payload["allocation"]["id"], "reason": "Done",
                          "expectedVersion": payload["case"]["version"] });
        server.done("OTHER_UNIT", "endAllocation", "", end).await;
        assert_eq!(server.data("OTHER_UNIT", CASE, json!({ "id": case })).await["case"], Value::Null);
        assert_eq!(server.data("CLINICIAN", CASE, json!({ "id": case })).await["case"]["version"], json!(version + 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_holding_unit_does_not_help_itself_and_a_queued_case_has_no_help() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": server.unit(3).await, "reason": "x",
                        "expectedVersion": version });
    let payload = server.mutate("CONSULTANT_SOCIAL_WORKER", "startJointAllocation", "", input).await;
    assert_eq!(payload["errors"][0]["__typename"], "Conflict");
    let (case, version) = server.queued().await;
    let input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": server.unit(3).await, "reason": "x",
                        "expectedVersion": version });
    let payload = server.mutate("HEAD_OF_SERVICE", "startCoverAllocation", "", input).await;
    assert_eq!(payload["errors"][0]["guard"], "CASE_HELD");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_looked_after_and_adoption_services_take_no_case_from_the_queue() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let input = allocate(&case, &server.unit(9).await, version);
    let payload = server.mutate("FIRST_RESPONSE", "allocateCase", "", input).await;
    assert_eq!(payload["errors"][0]["guard"], "PERMANENCE_PLAN_AGREED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helping_unit_that_is_given_the_case_helps_no_longer() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    crate::mutations_support::joint(&server, &case, 7, version).await;
    let data = server.data("CLINICIAN", CASE, json!({ "id": case })).await;
    let end = json!({ "idempotencyKey": key(), "allocationId": data["case"]["primaryAllocation"]["id"], "reason": "x",
                      "expectedVersion": version + 1 });
    server.done("CONSULTANT_SOCIAL_WORKER", "endAllocation", "", end).await;
    let seven = server.unit(7).await;
    server.done("FIRST_RESPONSE", "allocateCase", "", allocate(&case, &seven, version + 2)).await;
    let data = server.data("OTHER_UNIT", CASE, json!({ "id": case })).await;
    assert_eq!(data["case"]["allocations"]["nodes"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_mutations_in_one_request_never_need_a_second_connection() {
    let server = Server::with(crate::support::Setup { connections: Some(1), ..Default::default() }).await;
    let (case, version) = server.allocated_to(3).await;
    let unit = server.unit(7).await;
    let input =
        json!({ "idempotencyKey": key(), "caseId": case, "unitId": unit, "reason": "x", "expectedVersion": version });
    let fields: String = (0..20)
        .map(|at| {
            format!("m{at}: startJointAllocation(input: $input) {{ case {{ id version }} errors {{ message }} }} ")
        })
        .collect();
    let query = format!("mutation($input: StartHelpingInput!) {{ {fields} }}");
    let data = server.data("CONSULTANT_SOCIAL_WORKER", &query, json!({ "input": input })).await;
    assert!((0..20).all(|at| data[format!("m{at}")] == data["m0"] && data["m0"]["case"]["id"] == json!(case)));
}

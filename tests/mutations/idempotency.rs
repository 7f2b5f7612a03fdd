use serde_json::json;

use crate::support::{Server, document, key};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_changes_once_and_answers_the_same_ids() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": server.unit(7).await, "reason": "x",
                        "expectedVersion": version });
    let selection = "allocation { id } case { version }";
    let first = server.done("CONSULTANT_SOCIAL_WORKER", "startJointAllocation", selection, input.clone()).await;
    let second = server.done("CONSULTANT_SOCIAL_WORKER", "startJointAllocation", selection, input.clone()).await;
    assert_eq!(first, second);
    // Other fields may be asked for the second time: the selection is read again.
    let third = server.done("CONSULTANT_SOCIAL_WORKER", "startJointAllocation", "allocation { kind }", input).await;
    assert_eq!(third["allocation"]["kind"], "JOINT");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_with_another_input_is_refused() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let mut input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": server.unit(7).await, "reason": "x",
                            "expectedVersion": version });
    server.done("CONSULTANT_SOCIAL_WORKER", "startJointAllocation", "", input.clone()).await;
    input["reason"] = json!("y");
    let code =
        server.code("CONSULTANT_SOCIAL_WORKER", &document("startJointAllocation", ""), json!({ "input": input })).await;
    assert_eq!(code, "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_one_worker_and_one_mutation() {
    let server = Server::start().await;
    let shared = key();
    let mut units = Vec::new();
    for mutation in ["startJointAllocation", "startCoverAllocation"] {
        let (case, version) = server.allocated_to(3).await;
        let unit = server.unit(7).await;
        let input = json!({ "idempotencyKey": shared, "caseId": case, "unitId": unit, "reason": "x", "expectedVersion": version });
        units.push(server.done("CONSULTANT_SOCIAL_WORKER", mutation, "allocation { id }", input).await);
    }
    let (case, version) = server.allocated_to(3).await;
    let input = json!({ "idempotencyKey": shared, "caseId": case, "unitId": server.unit(7).await, "reason": "x",
                        "expectedVersion": version });
    units.push(server.done("SERVICE_MANAGER", "startJointAllocation", "allocation { id }", input).await);
    units.sort_by_key(ToString::to_string);
    units.dedup();
    assert_eq!(units.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_not_remembered() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let shared = key();
    let wrong = json!({ "idempotencyKey": shared, "caseId": case, "unitId": server.unit(7).await, "reason": "x",
                        "expectedVersion": version + 1 });
    let refused = server.mutate("CONSULTANT_SOCIAL_WORKER", "startJointAllocation", "", wrong.clone()).await;
    assert_eq!(refused["errors"][0]["__typename"], "VersionConflict");
    let mut right = wrong;
    right["expectedVersion"] = json!(version);
    server.done("CONSULTANT_SOCIAL_WORKER", "startJointAllocation", "", right).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_doubles_change_once() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": server.unit(3).await, "reason": "x",
                        "expectedVersion": version });
    let doubles = (0..12).map(|_| server.done("FIRST_RESPONSE", "allocateCase", "", input.clone()));
    futures_util::future::join_all(doubles).await;
    let client = crate::support::connect("postgres", &server.database).await;
    let query = "select count(*) from allocations where 'Case:' || case_id = $1";
    let count: i64 = client.query_one(query, &[&case]).await.unwrap().get(0);
    assert_eq!(count, 1);
    let events: i64 = client.query_one("select count(*) from outbox", &[]).await.unwrap().get(0);
    assert_eq!(events, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_key_shows_nothing_that_its_owner_may_not_see_any_more() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    server.assessed(&case).await;
    let seven = server.unit(7).await;
    let transfer = server
        .done(
            "CONSULTANT_SOCIAL_WORKER",
            "requestTransfer",
            "transfer { id }",
            super::transfers::request(&case, &seven, "TO_CIN", version),
        )
        .await["transfer"]["id"]
        .clone();
    let accept = json!({ "idempotencyKey": key(), "transferId": transfer, "expectedVersion": 1 });
    let first = server.done("OTHER_UNIT", "acceptTransfer", "case { id version }", accept.clone()).await;
    let allocation = server
        .data("OTHER_UNIT", "query($id: ID!) { case(id: $id) { primaryAllocation { id } } }", json!({ "id": case }))
        .await["case"]["primaryAllocation"]["id"]
        .clone();
    let end = json!({ "idempotencyKey": key(), "allocationId": allocation, "reason": "x",
                      "expectedVersion": first["case"]["version"] });
    server.done("OTHER_UNIT", "endAllocation", "", end).await;
    let again = server.done("OTHER_UNIT", "acceptTransfer", "case { id version }", accept).await;
    assert_eq!(again["case"], serde_json::Value::Null);
}

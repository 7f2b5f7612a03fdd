use serde_json::{Value, json};

use crate::{
    mutations_support::request_transfer,
    support::{Server, document, key},
};

pub fn request(case: &str, to: &str, kind: &str, version: i64) -> Value {
    json!({ "idempotencyKey": key(), "caseId": case, "toUnitId": to, "kind": kind, "expectedVersion": version,
            "handoverSummary": "The assessment is complete; the family agrees to a longer involvement." })
}

const CASE: &str = "query($id: ID!) { case(id: $id) { version status primaryAllocation { unit { id } transfer { id } }
    leadPractitioner { worker { id } } allocations { nodes { startedAt endedAt kind } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_case_moves_at_once_when_the_receiving_unit_accepts() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    server.assessed(&case).await;
    let seven = server.unit(7).await;
    let input = request(&case, &seven, "TO_CIN", version);
    assert_eq!(
        server.code("SOCIAL_WORKER", &document("requestTransfer", ""), json!({ "input": input })).await,
        "FORBIDDEN"
    );
    let payload =
        server.done("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "transfer { id version state }", input).await;
    let transfer = payload["transfer"]["id"].clone();
    assert_eq!(payload["transfer"]["state"], "REQUESTED");
    // Nothing has moved.
    let held = server.data("CLINICIAN", CASE, json!({ "id": case })).await;
    assert_eq!(held["case"]["primaryAllocation"]["unit"]["id"], json!(server.unit(3).await));

    let accept = json!({ "idempotencyKey": key(), "transferId": transfer, "expectedVersion": 1 });
    let query = document("acceptTransfer", "");
    for person in ["CONSULTANT_SOCIAL_WORKER", "OTHER_UNIT_SOCIAL_WORKER"] {
        assert_eq!(server.code(person, &query, json!({ "input": accept })).await, "FORBIDDEN", "{person}");
    }
    assert_eq!(server.code("FIRST_RESPONSE", &query, json!({ "input": accept })).await, "NOT_FOUND");
    let stale = json!({ "idempotencyKey": key(), "transferId": transfer, "expectedVersion": 2 });
    let refused = server.mutate("OTHER_UNIT", "acceptTransfer", "", stale).await;
    assert_eq!(refused["errors"][0]["__typename"], "VersionConflict");
    let payload = server
        .done(
            "OTHER_UNIT",
            "acceptTransfer",
            "transfer { state effectiveOn respondedBy { id } } case { id } allocation { unit { id } }",
            accept,
        )
        .await;
    assert_eq!(payload["transfer"]["state"], "COMPLETED");
    assert_eq!(payload["transfer"]["effectiveOn"], "2026-11-18");
    assert_eq!(payload["allocation"]["unit"]["id"], json!(seven));

    assert_eq!(server.data("CLINICIAN", CASE, json!({ "id": case })).await["case"], Value::Null);
    let now = server.data("OTHER_UNIT_COORDINATOR", CASE, json!({ "id": case })).await;
    assert_eq!(now["case"]["status"], "CIN");
    assert_eq!(now["case"]["primaryAllocation"]["transfer"]["id"], transfer);
    assert_eq!(
        now["case"]["leadPractitioner"]["worker"]["id"],
        json!(format!("Worker:{}", server.worker("OTHER_UNIT")))
    );
    let allocations = now["case"]["allocations"]["nodes"].as_array().unwrap();
    assert_eq!(allocations[0]["startedAt"], allocations[1]["endedAt"], "no gap and no overlap");
    // Accepted is accepted.
    let again = json!({ "idempotencyKey": key(), "transferId": transfer, "expectedVersion": 2 });
    let refused = server.mutate("OTHER_UNIT", "acceptTransfer", "", again).await;
    assert_eq!(refused["errors"][0]["__typename"], "IllegalTransition");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_looked_after_and_adoption_services_are_refused_until_their_guards_can_be_met() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    server.assessed(&case).await;
    for (unit, kind, guard) in [
        (9, "TO_LAC", "PERMANENCE_PLAN_AGREED"),
        (9, "WITHIN_SERVICE", "PERMANENCE_PLAN_AGREED"),
        (7, "TO_ADOPTION", "ADOPTION_PLAN_AGREED"),
    ] {
        let input = request(&case, &server.unit(unit).await, kind, version);
        let refused = server.mutate("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "transfer { id }", input).await;
        assert_eq!(refused["errors"][0]["__typename"], "GuardFailed");
        assert_eq!(refused["errors"][0]["guard"], guard, "{kind}");
        assert_eq!(refused["transfer"], Value::Null);
    }
    assert_eq!(server.data("CLINICIAN", CASE, json!({ "id": case })).await["case"]["version"], json!(version));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_has_one_transfer_that_waits_and_its_allocation_stays_meanwhile() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    server.assessed(&case).await;
    let input = request(&case, &server.unit(7).await, "TO_CIN", version);
    let payload = server
        .done("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "case { version primaryAllocation { id } }", input)
        .await;
    let version = payload["case"]["version"].as_i64().unwrap();
    let second = request(&case, &server.unit(6).await, "TO_CIN", version);
    let refused = server.mutate("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "", second).await;
    assert_eq!(refused["errors"][0]["__typename"], "Conflict");
    let end = json!({ "idempotencyKey": key(), "allocationId": payload["case"]["primaryAllocation"]["id"], "reason": "x",
                      "expectedVersion": version });
    let refused = server.mutate("CONSULTANT_SOCIAL_WORKER", "endAllocation", "", end).await;
    assert_eq!(refused["errors"][0]["__typename"], "Conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helping_unit_that_takes_a_case_over_helps_no_longer() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    server.assessed(&case).await;
    let seven = server.unit(7).await;
    let joint =
        json!({ "idempotencyKey": key(), "caseId": case, "unitId": seven, "reason": "x", "expectedVersion": version });
    server.done("CONSULTANT_SOCIAL_WORKER", "startJointAllocation", "", joint).await;
    let payload = server
        .done(
            "CONSULTANT_SOCIAL_WORKER",
            "requestTransfer",
            "transfer { id }",
            request(&case, &seven, "TO_CIN", version + 1),
        )
        .await;
    let accept = json!({ "idempotencyKey": key(), "transferId": payload["transfer"]["id"], "expectedVersion": 1 });
    server.done("OTHER_UNIT", "acceptTransfer", "", accept).await;
    let query = "query($id: ID!) { case(id: $id) { allocations(current: true) { nodes { kind unit { id } } } } }";
    let now = server.data("OTHER_UNIT", query, json!({ "id": case })).await;
    assert_eq!(now["case"]["allocations"]["nodes"], json!([{ "kind": "PRIMARY", "unit": { "id": seven } }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_takes_its_last_place_once_and_what_is_beyond_only_by_its_manager() {
    let server = Server::start().await;
    let client = crate::support::connect("postgres", &server.database).await;
    client
        .batch_execute(
            "update units u set area_id = (select area_id from units where name like '%Unit 3'),
                 capacity_cases = 1 + (select count(*) from allocations a
                                       where a.unit_id = u.id and a.kind = 'PRIMARY' and a.ended_at is null)
             where u.name like '%Unit 7'",
        )
        .await
        .unwrap();
    let mut transfers = Vec::new();
    for _ in 0..2 {
        let (case, version) = server.allocated_to(3).await;
        server.assessed(&case).await;
        transfers.push(request_transfer(&server, &case, 7, version).await);
    }
    let accept = async |person: &str, transfer: &str| {
        let input = json!({ "idempotencyKey": key(), "transferId": transfer, "expectedVersion": 1 });
        server.mutate(person, "acceptTransfer", "", input).await["errors"].take()
    };
    let both = futures_util::future::join(accept("OTHER_UNIT", &transfers[0]), accept("OTHER_UNIT", &transfers[1]));
    let (refused, waits) = match both.await {
        (Value::Array(none), refused) if none.is_empty() => (refused, &transfers[1]),
        (refused, none) => {
            assert_eq!(none, json!([]), "one of them has a place");
            (refused, &transfers[0])
        }
    };
    assert_eq!(refused[0]["guard"], "UNIT_CAPACITY");
    let next = "The unit holds as many cases as it has capacity for: ask its service manager to accept it, or reject the transfer.";
    assert_eq!(refused[0]["explanation"], next);
    assert_eq!(accept("SERVICE_MANAGER", waits).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn everybodys_part_in_the_leaving_unit_ends_with_the_transfer() {
    let server = Server::start().await;
    // A case of the demo authority in which unit 3's clinician has a part.
    let client = crate::support::connect("postgres", &server.database).await;
    let row = client
        .query_one(
            "select 'Case:' || c.id, c.version from cases c
             join allocations a on a.case_id = c.id and a.kind = 'PRIMARY' and a.ended_at is null
             join units u on u.id = a.unit_id and u.name like '%Unit 3'
             join worker_involvements i on i.case_id = c.id and i.ended_at is null and i.capacity = 'CLINICAL'
             join workers w on w.id = i.worker_id and w.staff_no = 'U03-CL'
             where not exists (select from case_transfers t where t.case_id = c.id and t.state = 'REQUESTED')
               and not exists (select from allocations o where o.case_id = c.id and o.kind <> 'PRIMARY' and o.ended_at is null)
             order by c.id limit 1",
            &[],
        )
        .await
        .unwrap();
    let (case, version): (String, i32) = (row.get(0), row.get(1));
    let query = "query($id: ID!) { case(id: $id) { id involvements { capacity worker { id } } } }";
    assert!(server.data("CLINICIAN", query, json!({ "id": case })).await["case"]["id"].is_string());
    let transfer = crate::mutations_support::request_transfer(&server, &case, 7, version.into()).await;
    crate::mutations_support::accept(&server, &transfer).await;
    for person in ["CLINICIAN", "CONSULTANT_SOCIAL_WORKER", "SOCIAL_WORKER", "UNIT_COORDINATOR"] {
        assert_eq!(server.data(person, query, json!({ "id": case })).await["case"], Value::Null, "{person}");
    }
    let now = server.data("OTHER_UNIT", query, json!({ "id": case })).await;
    let clinician = json!(format!("Worker:{}", server.worker("CLINICIAN")));
    assert!(now["case"]["involvements"].as_array().unwrap().iter().all(|part| part["worker"]["id"] != clinician));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unit_that_is_asked_reads_nothing_sensitive_of_the_child() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    server.assessed(&case).await;
    let client = crate::support::connect("postgres", &server.database).await;
    client
        .execute(
            "update persons set religion = 'Jain', nhs_no = '9990001112' where id = (select child_id from cases where 'Case:' || id = $1)",
            &[&case],
        )
        .await
        .unwrap();
    crate::mutations_support::request_transfer(&server, &case, 7, version).await;
    let query = "query($id: ID!) { case(id: $id) { child { firstName religion nhsNo ethnicity upn disabilities }
        allocations { nodes { summary } } } }";
    let own = server.data("CLINICIAN", query, json!({ "id": case })).await;
    assert_eq!(own["case"]["child"]["religion"], "Jain");
    let asked = server.data("OTHER_UNIT", query, json!({ "id": case })).await;
    assert!(asked["case"]["child"]["firstName"].is_string());
    for field in ["religion", "nhsNo", "ethnicity", "upn", "disabilities"] {
        assert_eq!(asked["case"]["child"][field], Value::Null, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_transfer_leaves_the_case_where_it_is_and_closes_it_to_the_receiving_unit() {
    let server = Server::start().await;
    let (case, version) = server.held("CONSULTANT_SOCIAL_WORKER", 3).await.remove(0);
    let transfer = request_transfer(&server, &case, 7, version).await;
    let query = "query($id: ID!) { case(id: $id) { status } }";
    assert_ne!(server.data("OTHER_UNIT", query, json!({ "id": case })).await["case"], Value::Null);
    let input = |reason: &str, version: i64| json!({ "idempotencyKey": key(), "transferId": transfer, "reason": reason, "expectedVersion": version });
    // Not by the asking unit, not without a reason, not on an old version.
    let document = document("rejectTransfer", "");
    let code = server.code("CONSULTANT_SOCIAL_WORKER", &document, json!({ "input": input("x", 1) })).await;
    assert_eq!(code, "FORBIDDEN");
    let code = server.code("OTHER_UNIT", &document, json!({ "input": input(" ", 1) })).await;
    assert_eq!(code, "BAD_USER_INPUT");
    let stale = server.mutate("OTHER_UNIT", "rejectTransfer", "", input("x", 9)).await;
    assert_eq!(stale["errors"][0]["currentVersion"], 1);
    let (mut leaving, mut receiving) = (server.socket("CLINICIAN").await, server.socket("OTHER_UNIT").await);
    leaving.feed(&server.unit(3).await, None).await;
    receiving.feed(&server.unit(7).await, None).await;
    let payload =
        server.done("OTHER_UNIT", "rejectTransfer", "case { id } transfer { id }", input("No capacity", 1)).await;
    assert_eq!((&payload["case"], &payload["transfer"]), (&Value::Null, &Value::Null), "out of sight");
    for socket in [&mut leaving, &mut receiving] {
        let event = socket.item().await;
        assert_eq!((&event["type"], &event["transferState"]), (&json!("TRANSFER_RESPONDED"), &json!("REJECTED")));
    }
    assert_eq!(server.data("OTHER_UNIT", query, json!({ "id": case })).await["case"], Value::Null);
    let query = "query($id: ID!) { case(id: $id) { primaryAllocation { unit { id } }
        transfers { state responseReason respondedBy { id } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": case })).await;
    assert_eq!(data["case"]["primaryAllocation"]["unit"]["id"], server.unit(3).await);
    assert_eq!(data["case"]["transfers"][0]["state"], "REJECTED");
    assert_eq!(data["case"]["transfers"][0]["responseReason"], "No capacity");
    // Answered is answered; another may be asked for.
    let input = json!({ "idempotencyKey": key(), "transferId": transfer, "reason": "x", "expectedVersion": 2 });
    let refused = server.mutate("CONSULTANT_SOCIAL_WORKER", "withdrawTransfer", "", input).await;
    assert_eq!(refused["errors"][0]["__typename"], "IllegalTransition");
    request_transfer(&server, &case, 7, version + 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_transfer_keeps_the_case_and_is_not_accepted_any_more() {
    let server = Server::start().await;
    let (case, version) = server.held("CONSULTANT_SOCIAL_WORKER", 3).await.remove(0);
    let transfer = request_transfer(&server, &case, 7, version).await;
    let input = json!({ "idempotencyKey": key(), "transferId": transfer, "reason": "Not yet", "expectedVersion": 1 });
    for person in ["OTHER_UNIT", "CLINICIAN"] {
        let code = server.code(person, &document("withdrawTransfer", ""), json!({ "input": input })).await;
        assert_eq!(code, "FORBIDDEN", "{person}");
    }
    let payload =
        server.done("CONSULTANT_SOCIAL_WORKER", "withdrawTransfer", "transfer { state version }", input).await;
    assert_eq!(payload["transfer"], json!({ "state": "WITHDRAWN", "version": 2 }));
    let input = json!({ "idempotencyKey": key(), "transferId": transfer, "expectedVersion": 2 });
    let code = server.code("OTHER_UNIT", &document("acceptTransfer", ""), json!({ "input": input })).await;
    assert_eq!(code, "NOT_FOUND", "hidden and missing look the same");
}

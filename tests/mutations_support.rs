//! Changes that several tests need.

use serde_json::json;

use crate::support::{Server, key};

/// Asks for a transfer of unit 3's case; answers the transfer's id.
pub async fn request_transfer(server: &Server, case: &str, to: u32, version: i64) -> String {
    server.assessed(case).await;
    let input = json!({ "idempotencyKey": key(), "caseId": case, "toUnitId": server.unit(to).await, "kind": "TO_CIN",
                        "handoverSummary": "Ready to move on.", "expectedVersion": version });
    let payload = server.done("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "transfer { id }", input).await;
    payload["transfer"]["id"].as_str().unwrap().to_owned()
}

/// Unit 7 accepts.
pub async fn accept(server: &Server, transfer: &str) {
    let input = json!({ "idempotencyKey": key(), "transferId": transfer, "expectedVersion": 1 });
    server.done("OTHER_UNIT", "acceptTransfer", "", input).await;
}

/// Brings a unit in jointly; answers the allocation's id.
pub async fn joint(server: &Server, case: &str, unit: u32, version: i64) -> String {
    let input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": server.unit(unit).await, "reason": "x",
                        "expectedVersion": version });
    let payload = server.done("CONSULTANT_SOCIAL_WORKER", "startJointAllocation", "allocation { id }", input).await;
    payload["allocation"]["id"].as_str().unwrap().to_owned()
}

/// Two children of one family and a conference about both.
pub struct Siblings {
    /// Quentin, of unit 3, and Yolanda, of unit 7.
    pub children: Vec<String>,
    /// Asked for, without a date.
    pub conference: String,
}

/// Two new children of one family, referred together; one goes to unit 3, the other to unit 7.
pub async fn siblings(server: &Server) -> Siblings {
    let client = crate::support::connect("postgres", &server.database).await;
    let rows = client
        .query(
            "with family as (insert into family_groups (id, name) values (gen_random_uuid(), 'Sibling family') returning id),
             people as (
                 insert into persons (id, first_name, last_name, date_of_birth, sex)
                 values (gen_random_uuid(), 'Quentin', 'Xavier', '2015-01-01', 'M'), (gen_random_uuid(), 'Yolanda', 'Zeta', '2017-01-01', 'F')
                 returning id, first_name
             ), young as (insert into children (id) select id from people returning id)
             insert into cases (id, child_id, opened_on, status, primary_need)
             select gen_random_uuid(), y.id, '2026-11-18', 'REFERRED', 'N1' from young y join people p on p.id = y.id
             order by p.first_name returning 'Case:' || id, 'Child:' || child_id",
            &[],
        )
        .await
        .unwrap();
    client
        .batch_execute(
            "insert into family_members (id, family_id, person_id, from_on)
             select gen_random_uuid(), f.id, p.id, '2017-01-01' from family_groups f, persons p
             where f.name = 'Sibling family' and p.last_name in ('Xavier', 'Zeta')",
        )
        .await
        .unwrap();
    let (three, seven) = (server.unit(3).await, server.unit(7).await);
    let cases: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    for (case, unit) in cases.iter().zip([&three, &seven]) {
        let input =
            json!({ "idempotencyKey": key(), "caseId": case, "unitId": unit, "reason": "x", "expectedVersion": 1 });
        server.done("FIRST_RESPONSE", "allocateCase", "", input).await;
    }
    let conference: uuid::Uuid = uuid::Uuid::now_v7();
    // As a manager of both would ask for it.
    client
        .execute(
            "insert into conferences (id, type, state, requested_by, requested_at)
             select $1, 'INITIAL', 'REQUESTED', id, '2026-11-18 10:00' from workers where staff_no = 'HS-1'",
            &[&conference],
        )
        .await
        .unwrap();
    client
        .execute(
            "insert into conference_children (id, conference_id, child_id, case_id)
             select gen_random_uuid(), $1, child_id, id from cases where 'Case:' || id = any($2)",
            &[&conference, &cases],
        )
        .await
        .unwrap();
    let children = rows.iter().map(|row| row.get(1)).collect();
    Siblings { children, conference: format!("Conference:{conference}") }
}

/// Gives a conference a date and the demo chair, as unit 3's coordinator.
pub async fn schedule(server: &Server, conference: &str) {
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "online": true, "expectedVersion": 1,
        "scheduledFor": "2026-11-25T10:00:00Z", "chairId": format!("Worker:{}", server.worker("CP_CHAIR")) });
    server.done("UNIT_COORDINATOR", "scheduleConference", "", input).await;
}

/// Asks for a conference about unit 3's case; answers its id.
pub async fn request_conference(server: &Server, case: &str) -> String {
    server.conference_called_for(&[case]).await;
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    let payload = server.done("SOCIAL_WORKER", "requestConference", "conference { id }", input).await;
    payload["conference"]["id"].as_str().unwrap().to_owned()
}

/// Names another member of unit 3 lead practitioner.
pub async fn change_lead(server: &Server, case: &str, person: &str, version: i64) {
    let input = json!({ "idempotencyKey": key(), "caseId": case, "reason": "ABSENC", "expectedVersion": version,
                        "workerId": format!("Worker:{}", server.worker(person)) });
    server.done("CONSULTANT_SOCIAL_WORKER", "changeLeadPractitioner", "", input).await;
}

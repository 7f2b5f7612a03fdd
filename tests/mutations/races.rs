//! Changes that meet: the order in which they commit is nobody's to choose, what is left behind is.

use futures_util::future::join_all;
use serde_json::json;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::{Server, connect, document, key, people};

const ROUNDS: usize = 30;

/// A case that the unit with this number holds, with a lead practitioner and perhaps a co-worker.
async fn led_case(client: &Client, unit: u32, lead: Option<Uuid>, co_worker: Option<Uuid>) -> Uuid {
    let child = people::child(client, "Race", "Meeting").await;
    let case = people::hold(client, child, unit).await;
    for (worker, capacity) in
        [(lead, "LEAD_PRACTITIONER"), (co_worker, "CO_WORKER")].into_iter().filter_map(|(who, what)| Some((who?, what)))
    {
        client
            .execute(
                "insert into worker_involvements (id, case_id, child_id, worker_id, capacity, started_at)
                 values ($1, $2, $3, $4, $5, '2026-11-01')",
                &[&Uuid::now_v7(), &case, &child, &worker, &capacity],
            )
            .await
            .unwrap();
    }
    case
}

/// A transfer of a case that waits for its answer.
async fn transfer(client: &Client, case: Uuid, from: u32, to: u32) -> Uuid {
    let id = Uuid::now_v7();
    client
        .execute(
            "insert into case_transfers (id, case_id, child_id, from_unit_id, to_unit_id, kind, state, requested_by,
                 requested_at, handover_summary)
             select $1, c.id, c.child_id, f.id, t.id, 'WITHIN_SERVICE', 'REQUESTED', w.id, '2026-11-17', 'x'
             from cases c, units f, units t, (select id from workers limit 1) w
             where c.id = $2 and f.name like '%Unit ' || $3::text and t.name like '%Unit ' || $4::text",
            &[&id, &case, &from.to_string(), &to.to_string()],
        )
        .await
        .unwrap();
    id
}

/// The unit with this number helps with a case. Answers the allocation.
async fn help(client: &Client, case: Uuid, unit: u32) -> Uuid {
    let id = Uuid::now_v7();
    client
        .execute(
            "insert into allocations (id, case_id, child_id, unit_id, kind, started_at, reason_start)
             select $1, c.id, c.child_id, u.id, 'JOINT', '2026-11-01', 'x' from cases c, units u
             where c.id = $2 and u.name like '%Unit ' || $3::text",
            &[&id, &case, &unit.to_string()],
        )
        .await
        .unwrap();
    id
}

/// Everything that names the worker lead, or takes a case from their unit, at the moment at which they leave it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_a_unit_keeps_no_part_whatever_happens_to_its_cases_at_that_moment() {
    let server = Server::start().await;
    let client = connect("postgres", &server.database).await;
    client.batch_execute("update units set capacity_cases = 1000, service = 'CHILDREN_IN_NEED'").await.unwrap();
    let (three, consultant) = (server.unit(3).await, server.worker("CONSULTANT_SOCIAL_WORKER"));
    let mut met = [0; 2];
    for round in 0..ROUNDS {
        let worker = Uuid::now_v7();
        client
            .execute(
                "insert into workers (id, staff_no, name, email, qualified) values ($1, $2, 'Robin Temple', 'x@example.org', true)",
                &[&worker, &key()],
            )
            .await
            .unwrap();
        let name = format!("Worker:{worker}");
        let input = json!({ "idempotencyKey": key(), "unitId": three, "workerId": name, "role": "SOCIAL_WORKER" });
        let joined = server.done("SERVICE_MANAGER", "startMembership", "membership { id }", input).await;

        let theirs = led_case(&client, 3, Some(worker), None).await;
        let to_be_theirs = led_case(&client, 3, Some(consultant), None).await;
        let leaving = led_case(&client, 3, Some(worker), None).await;
        let out = transfer(&client, leaving, 3, 7).await;
        let coming = led_case(&client, 7, Some(server.worker("OTHER_UNIT")), None).await;
        let into = transfer(&client, coming, 7, 3).await;
        let helped = led_case(&client, 7, Some(server.worker("OTHER_UNIT")), Some(worker)).await;
        let helping = help(&client, helped, 3).await;
        let queued = led_case(&client, 3, None, None).await;
        client
            .execute("update allocations set ended_at = '2026-11-02', reason_end = 'x' where case_id = $1", &[&queued])
            .await
            .unwrap();

        let case = |id: Uuid| json!(format!("Case:{id}"));
        let leave = (
            "SERVICE_MANAGER",
            "endMembership",
            json!({ "membershipId": joined["membership"]["id"], "reason": "LEFTRL" }),
        );
        let mut changes = vec![
            leave,
            (
                "CONSULTANT_SOCIAL_WORKER",
                "changeLeadPractitioner",
                json!({ "caseId": case(theirs), "workerId": format!("Worker:{consultant}"), "reason": "OTHERS" }),
            ),
            (
                "CONSULTANT_SOCIAL_WORKER",
                "changeLeadPractitioner",
                json!({ "caseId": case(to_be_theirs), "workerId": name, "reason": "OTHERS" }),
            ),
            ("OTHER_UNIT", "acceptTransfer", json!({ "transferId": format!("Transfer:{out}") })),
            (
                "CONSULTANT_SOCIAL_WORKER",
                "acceptTransfer",
                json!({ "transferId": format!("Transfer:{into}"), "leadPractitionerId": name }),
            ),
            ("OTHER_UNIT", "endAllocation", json!({ "allocationId": format!("Allocation:{helping}"), "reason": "x" })),
            (
                "FIRST_RESPONSE",
                "allocateCase",
                json!({ "caseId": case(queued), "unitId": three, "reason": "x", "leadPractitionerId": name }),
            ),
        ];
        // Now one is first at the door, now another.
        changes.rotate_left(round % 7);
        let changes = changes.into_iter().map(|(person, mutation, mut input)| {
            input["idempotencyKey"] = json!(key());
            input["expectedVersion"] = json!(1);
            let server = &server;
            async move { (mutation, server.mutate(person, mutation, "", input).await) }
        });
        for (mutation, payload) in join_all(changes).await {
            let refusal = &payload["errors"][0];
            let expected = match mutation {
                // Nothing that happens to a case keeps anybody in a unit.
                "endMembership" => refusal.is_null(),
                _ => {
                    refusal.is_null()
                        || refusal["guard"] == "LEAD_QUALIFIED"
                        || refusal["__typename"] == "VersionConflict"
                }
            };
            assert!(expected, "{mutation}: {payload:#}");
            met[usize::from(!refusal.is_null())] += 1;
        }

        let cases = vec![theirs, to_be_theirs, leaving, coming, helped, queued];
        let left: i64 = client
            .query_one("select count(*) from worker_involvements where worker_id = $1 and ended_at is null", &[&worker])
            .await
            .unwrap()
            .get(0);
        assert_eq!(left, 0, "round {round}: a part is left to who belongs to no unit");
        let led: i64 = client
            .query_one(
                "select count(*) from worker_involvements i
                 join allocations a on a.case_id = i.case_id and a.kind = 'PRIMARY' and a.ended_at is null
                 join unit_memberships m on m.unit_id = a.unit_id and m.worker_id = i.worker_id and m.ended_at is null
                 where i.case_id = any ($1) and i.capacity = 'LEAD_PRACTITIONER' and i.ended_at is null",
                &[&cases],
            )
            .await
            .unwrap()
            .get(0);
        let held: i64 = client
            .query_one(
                "select count(*) from allocations where case_id = any ($1) and kind = 'PRIMARY' and ended_at is null",
                &[&cases],
            )
            .await
            .unwrap()
            .get(0);
        assert_eq!(led, held, "round {round}: a case is held, and nobody of its unit leads it");
        // Each change that was made stepped its case's version once, and is told: none was written over.
        let lost = client
            .query(
                "select c.id from cases c where c.id = any ($1)
                 and c.version <> 1 + (select count(distinct correlation_id) from outbox o where o.case_id = c.id)",
                &[&cases],
            )
            .await
            .unwrap();
        assert!(lost.is_empty(), "round {round}: {lost:?}");
    }
    let [made, refused] = met;
    assert!(made > ROUNDS && refused > 0, "they never met: {made} made, {refused} refused");
}

/// Two units hold the case, and the worker belongs to both: neither may think that the other keeps the part alive.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_both_units_of_a_case_at_once_keeps_no_part_in_it() {
    let server = Server::start().await;
    let client = connect("postgres", &server.database).await;
    for round in 0..ROUNDS {
        let worker = Uuid::now_v7();
        client
            .execute(
                "insert into workers (id, staff_no, name, email, qualified) values ($1, $2, 'Robin Temple', 'x@example.org', true)",
                &[&worker, &key()],
            )
            .await
            .unwrap();
        let case = led_case(&client, 3, Some(worker), None).await;
        help(&client, case, 7).await;
        let mut ends = Vec::new();
        for unit in ["3", "7"] {
            let membership = Uuid::now_v7();
            client
                .execute(
                    "insert into unit_memberships (id, unit_id, worker_id, role, started_at)
                     select $1, id, $2, 'SOCIAL_WORKER', '2026-11-01' from units where name like '%Unit ' || $3::text",
                    &[&membership, &worker, &unit],
                )
                .await
                .unwrap();
            let input = json!({ "input": { "idempotencyKey": key(), "membershipId": format!("Membership:{membership}"),
                                           "reason": "LEFTRL", "expectedVersion": 1 } });
            ends.push(input);
        }
        let query = document("endMembership", "");
        let ended = ends.into_iter().map(|input| server.data("HEAD_OF_SERVICE", &query, input));
        for data in join_all(ended).await {
            assert_eq!(data["endMembership"]["errors"], json!([]));
        }
        let left: i64 = client
            .query_one("select count(*) from worker_involvements where worker_id = $1 and ended_at is null", &[&worker])
            .await
            .unwrap()
            .get(0);
        assert_eq!(left, 0, "round {round}");
    }
}

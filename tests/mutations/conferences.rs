use serde_json::{Value, json};

use crate::support::{Server, document, key};

const CONFERENCE: &str =
    "conference { id version state type scheduledFor online venue heldAt chair { id } moves { reason }
    children { decision category nextReviewOn child { id } plan { kind status startOn } }
    invitations { response answerAskedAt sentAt } }";

/// A conference about a newly allocated case of unit 3: case, child and conference.
async fn requested(server: &Server) -> (String, String, String) {
    let (case, _) = server.allocated_to(3).await;
    let data =
        server.data("CLINICIAN", "query($id: ID!) { case(id: $id) { child { id } } }", json!({ "id": case })).await;
    let child = data["case"]["child"]["id"].as_str().unwrap().to_owned();
    server.conference_called_for(&[&case]).await;
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    let refused = server.code("CLINICIAN", &document("requestConference", ""), json!({ "input": input })).await;
    assert_eq!(refused, "FORBIDDEN");
    let payload = server.done("SOCIAL_WORKER", "requestConference", CONFERENCE, input).await;
    assert_eq!(payload["conference"]["state"], "REQUESTED");
    (case, child, payload["conference"]["id"].as_str().unwrap().to_owned())
}

fn schedule(server: &Server, conference: &str, version: i64) -> Value {
    json!({ "idempotencyKey": key(), "conferenceId": conference, "scheduledFor": "2026-11-25T10:00:00Z",
            "chairId": format!("Worker:{}", server.worker("CP_CHAIR")), "venue": "Conference room 2",
            "expectedVersion": version })
}

/// What a conference looks like to its coordinator: version, who is not invited yet, invitations by capacity.
pub async fn look(server: &Server, person: &str, conference: &str) -> Value {
    let query = "query($id: ID!) { conference(id: $id) { state version uninvitedParents { id }
        invitations { id version capacity response exclusion person { id } } } }";
    server.data(person, query, json!({ "id": conference })).await["conference"].take()
}

/// Invites the parents, the unit's social worker, a school and a health visitor; answers the version after it.
pub async fn invite(server: &Server, coordinator: &str, conference: &str) -> i64 {
    let before = look(server, coordinator, conference).await;
    let mut invitations = vec![
        json!({ "workerId": format!("Worker:{}", server.worker("SOCIAL_WORKER")), "capacity": "SOCIAL_CARE", "method": "EMAIL" }),
        json!({ "agencyName": "Park Primary School", "capacity": "SCHOOL", "method": "EMAIL", "reportRequested": true }),
        json!({ "agencyName": "Health visiting", "capacity": "HEALTH", "method": "EMAIL", "reportRequested": true }),
    ];
    for parent in before["uninvitedParents"].as_array().unwrap() {
        invitations.push(json!({ "personId": parent["id"], "capacity": "PARENT", "method": "LETTER" }));
    }
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "invitations": invitations,
                        "expectedVersion": before["version"] });
    let payload = server.done(coordinator, "inviteToConference", "conference { state version }", input).await;
    assert_eq!(payload["conference"]["state"], "INVITED");
    payload["conference"]["version"].as_i64().unwrap()
}

/// Opens the conference on the server's day and records that social care, school and health came; answers the
/// version after it.
pub async fn open(server: &Server, conference: &str) -> i64 {
    let before = look(server, "CP_CHAIR", conference).await;
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "expectedVersion": before["version"] });
    let payload = server.done("CP_CHAIR", "openConference", "conference { state version }", input).await;
    assert_eq!(payload["conference"]["state"], "IN_SESSION");
    attend(server, conference, &["SOCIAL_CARE", "SCHOOL", "HEALTH"]).await
}

/// Records that exactly these capacities came.
async fn attend(server: &Server, conference: &str, came: &[&str]) -> i64 {
    let now = look(server, "CP_CHAIR", conference).await;
    let attendances: Vec<Value> = now["invitations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["exclusion"].is_null())
        .map(|one| {
            let there = came.contains(&one["capacity"].as_str().unwrap());
            json!({ "invitationId": one["id"], "attended": if there { "YES" } else { "NO" } })
        })
        .collect();
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "attendances": attendances,
                        "expectedVersion": now["version"] });
    let payload = server.done("CP_CHAIR", "recordAttendance", "conference { version }", input).await;
    payload["conference"]["version"].as_i64().unwrap()
}

async fn scheduled(server: &Server) -> (String, String, String) {
    let (case, child, conference) = requested(server).await;
    server.done("UNIT_COORDINATOR", "scheduleConference", "", schedule(server, &conference, 1)).await;
    (case, child, conference)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_schedules_and_the_chair_sees_the_children_from_then_on() {
    let server = Server::start().await;
    let (case, _, conference) = requested(&server).await;
    let query = "query($id: ID!, $case: ID!) { conference(id: $id) { state } case(id: $case) { id } }";
    let variables = json!({ "id": conference, "case": case });
    let before = server.data("CP_CHAIR", query, variables.clone()).await;
    assert_eq!(before, json!({ "conference": null, "case": null }));
    let input = schedule(&server, &conference, 1);
    let refused = server.code("SOCIAL_WORKER", &document("scheduleConference", ""), json!({ "input": input })).await;
    assert_eq!(refused, "FORBIDDEN");
    let payload = server.done("UNIT_COORDINATOR", "scheduleConference", CONFERENCE, input).await;
    assert_eq!(payload["conference"]["state"], "SCHEDULED");
    assert_eq!(payload["conference"]["version"], 2);
    let after = server.data("CP_CHAIR", query, variables).await;
    assert_eq!(after, json!({ "conference": { "state": "SCHEDULED" }, "case": { "id": case } }));
    // Scheduled is not scheduled again.
    let refused = server.mutate("UNIT_COORDINATOR", "scheduleConference", "", schedule(&server, &conference, 2)).await;
    assert_eq!(refused["errors"][0]["__typename"], "IllegalTransition");
    assert_eq!(refused["errors"][0]["legalNext"], json!(["INVITED", "POSTPONED"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conference_is_on_a_weekday_in_the_future_with_an_independent_chair() {
    let server = Server::start().await;
    let (_, _, conference) = requested(&server).await;
    let query = document("scheduleConference", "");
    // Saturday; yesterday; nowhere.
    for (field, value) in [
        ("scheduledFor", json!("2026-11-28T10:00:00Z")),
        ("scheduledFor", json!("2026-11-17T10:00:00Z")),
        ("venue", Value::Null),
    ] {
        let mut input = schedule(&server, &conference, 1);
        input[field] = value;
        let answer = server.answer("UNIT_COORDINATOR", &query, json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(answer["errors"][0]["extensions"]["field"], field);
    }
    for (person, guard) in [("SOCIAL_WORKER", "CHAIR_POST"), ("HEAD_OF_SERVICE", "CHAIR_POST")] {
        let mut input = schedule(&server, &conference, 1);
        input["chairId"] = json!(format!("Worker:{}", server.worker(person)));
        let refused = server.mutate("UNIT_COORDINATOR", "scheduleConference", "", input).await;
        assert_eq!(refused["errors"][0]["guard"], guard);
    }
    // A chair who joins the unit is not independent of it.
    let client = crate::support::connect("postgres", &server.database).await;
    client
        .batch_execute(
            "insert into unit_memberships (id, unit_id, worker_id, role, started_at)
             select gen_random_uuid(), u.id, w.id, 'SOCIAL_WORKER', '2026-01-01' from units u, workers w
             where u.name like '%Unit 3' and w.staff_no = 'CH-1'",
        )
        .await
        .unwrap();
    let refused = server.mutate("UNIT_COORDINATOR", "scheduleConference", "", schedule(&server, &conference, 1)).await;
    assert_eq!(refused["errors"][0]["guard"], "CHAIR_INDEPENDENT");
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_keeps_the_invitations_asks_again_and_remembers_the_date_before() {
    let server = Server::start().await;
    // A conference of the demo authority that people have answered for.
    let client = crate::support::connect("postgres", &server.database).await;
    let found = client
        .query_one(
            "select c.id, c.version from conferences c join workers w on w.id = c.chair_id
             where w.staff_no = 'CH-1' and c.state in ('SCHEDULED', 'INVITED') and c.scheduled_for > '2026-11-19'
               and exists (select from conference_invitations i where i.conference_id = c.id and i.response <> 'NONE')
             limit 1",
            &[],
        )
        .await
        .unwrap();
    let (id, version): (uuid::Uuid, i32) = (found.get(0), found.get(1));
    let conference = format!("Conference:{id}");
    let query = format!("query($id: ID!) {{ {} }}", CONFERENCE.replacen("conference", "conference(id: $id)", 1));
    let before = server.data("CP_CHAIR", &query, json!({ "id": conference })).await["conference"].take();
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "scheduledFor": "2026-12-09T13:30:00Z",
                        "reason": "The interpreter is not available", "expectedVersion": version });
    let payload = server.done("CP_CHAIR", "moveConference", CONFERENCE, input).await;
    let after = &payload["conference"];
    assert_eq!(after["state"], before["state"]);
    assert_eq!(after["scheduledFor"], "2026-12-09T13:30:00Z");
    assert_eq!(after["venue"], before["venue"]);
    assert_eq!(after["moves"].as_array().unwrap().len(), before["moves"].as_array().unwrap().len() + 1);
    let (old, new) = (before["invitations"].as_array().unwrap(), after["invitations"].as_array().unwrap());
    assert_eq!(old.len(), new.len());
    assert!(old.iter().any(|one| one["response"] != "NONE"));
    assert!(new.iter().all(|one| one["response"] == "NONE"));
    assert!(old.iter().zip(new).all(|(old, new)| old["sentAt"] == new["sentAt"]));
    assert!(old.iter().zip(new).all(|(old, new)| old["answerAskedAt"] != new["answerAskedAt"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_decision_makes_the_protection_plan_and_ends_the_plan_in_need_in_one_step() {
    let server = Server::start().await;
    let (case, child, conference) = scheduled(&server).await;
    let client = crate::support::connect("postgres", &server.database).await;
    client
        .execute(
            "insert into plans (id, case_id, child_id, kind, status, start_on)
             select gen_random_uuid(), id, child_id, 'CIN', 'ESCALATED', '2026-11-01' from cases where 'Case:' || id = $1",
            &[&case],
        )
        .await
        .unwrap();
    // It is escalated, and its next version is being written.
    for statement in [
        "insert into plan_escalations (id, plan_id, child_id, raised_at, reason)
         select gen_random_uuid(), id, child_id, '2026-11-17', 'x' from plans where 'Case:' || case_id = $1",
        "insert into plans (id, case_id, child_id, kind, status, revision, previous_id, root_id)
         select gen_random_uuid(), case_id, child_id, kind, 'DRAFT', 2, id, id from plans where 'Case:' || case_id = $1",
    ] {
        client.execute(statement, &[&case]).await.unwrap();
    }
    invite(&server, "UNIT_COORDINATOR", &conference).await;
    server.later(chrono::Duration::days(7) + chrono::Duration::hours(4));
    let version = open(&server, &conference).await;
    let decide = |decisions: Value| {
        json!({ "idempotencyKey": key(), "conferenceId": conference, "decisions": decisions,
                "expectedVersion": version })
    };
    let plan = json!([{ "childId": child, "decision": "PLAN", "category": "NEG", "nextReviewOn": "2027-02-24",
                        "outlinePlan": "Home visits twice a week." }]);
    for person in ["CONSULTANT_SOCIAL_WORKER", "UNIT_COORDINATOR", "SERVICE_MANAGER"] {
        let refused =
            server.code(person, &document("decideConference", ""), json!({ "input": decide(plan.clone()) })).await;
        assert_eq!(refused, "FORBIDDEN", "{person}");
    }
    // Without a category, for nobody, for somebody else, twice.
    let refused = server
        .mutate("CP_CHAIR", "decideConference", "", decide(json!([{ "childId": child, "decision": "PLAN" }])))
        .await;
    assert_eq!(refused["errors"][0]["guard"], "DECISION_FITS");
    for wrong in [json!([]), json!([plan[0], plan[0]])] {
        let code = server.code("CP_CHAIR", &document("decideConference", ""), json!({ "input": decide(wrong) })).await;
        assert_eq!(code, "BAD_USER_INPUT");
    }
    let payload = server
        .done(
            "CP_CHAIR",
            "decideConference",
            &format!(
                "{CONFERENCE} plans {{ kind startOn initialCategory numberOfPreviousCpps reviewDueOn overallAim }}"
            ),
            decide(plan.clone()),
        )
        .await;
    assert_eq!(payload["conference"]["state"], "DECIDED");
    assert_eq!(payload["conference"]["children"][0]["plan"]["startOn"], "2026-11-25");
    assert_eq!(payload["plans"][0]["kind"], "CHILD_PROTECTION");
    assert_eq!(payload["plans"][0]["initialCategory"], "NEG");
    let query = "query($id: ID!) { case(id: $id) { status child { plans { nodes {
        kind status startOn endOn revision escalations { choice } } } } } }";
    let now = server.data("CLINICIAN", query, json!({ "id": case })).await;
    assert_eq!(now["case"]["status"], "CP");
    let plans = now["case"]["child"]["plans"]["nodes"].as_array().unwrap();
    let ended = plans.iter().find(|plan| plan["kind"] == "CIN" && plan["startOn"] == "2026-11-01").unwrap();
    assert_eq!((&ended["status"], &ended["endOn"]), (&json!("ENDED"), &json!("2026-11-25")));
    // Nothing of it is left that waits for somebody.
    assert_eq!(ended["escalations"], json!([{ "choice": "CLOSE" }]));
    assert_eq!(plans.iter().find(|plan| plan["revision"] == 2).unwrap()["status"], "SUPERSEDED");
    // Decided is decided.
    let mut again = decide(plan);
    again["expectedVersion"] = json!(version + 1);
    let refused = server.mutate("CP_CHAIR", "decideConference", "", again).await;
    assert_eq!(refused["errors"][0]["__typename"], "IllegalTransition");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_for_one_child_leaves_the_other_without_a_plan() {
    let server = Server::start().await;
    // Two children of one family, both held by unit 7.
    let client = crate::support::connect("postgres", &server.database).await;
    let rows = client
        .query(
            "select c.id, c.child_id from cases c join allocations a on a.case_id = c.id and a.ended_at is null and a.kind = 'PRIMARY'
             join units u on u.id = a.unit_id and u.name like '%Unit 7'
             join family_members m on m.person_id = c.child_id
             where not exists (select from plans p where p.case_id = c.id and p.status in ('ACTIVE', 'ESCALATED') and p.kind = 'CHILD_PROTECTION')
               and not exists (select from conference_children k join conferences f on f.id = k.conference_id
                               where k.case_id = c.id and f.state not in ('DECIDED', 'ISSUED', 'WITHDRAWN'))
               and m.family_id in (
                 select m.family_id from family_members m join cases c on c.child_id = m.person_id
                 join allocations a on a.case_id = c.id and a.ended_at is null and a.kind = 'PRIMARY'
                 join units u on u.id = a.unit_id and u.name like '%Unit 7'
                 where not exists (select from plans p where p.case_id = c.id and p.status in ('ACTIVE', 'ESCALATED') and p.kind = 'CHILD_PROTECTION')
                   and not exists (select from conference_children k join conferences f on f.id = k.conference_id
                               where k.case_id = c.id and f.state not in ('DECIDED', 'ISSUED', 'WITHDRAWN'))
                 group by m.family_id having count(distinct c.child_id) >= 2)
             order by m.family_id limit 2",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    let cases: Vec<String> = rows.iter().map(|row| format!("Case:{}", row.get::<_, uuid::Uuid>(0))).collect();
    let children: Vec<String> = rows.iter().map(|row| format!("Child:{}", row.get::<_, uuid::Uuid>(1))).collect();
    server.conference_called_for(&cases.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let input = json!({ "idempotencyKey": key(), "caseIds": cases, "type": "INITIAL" });
    let payload =
        server.done("OTHER_UNIT", "requestConference", "conference { id children { child { id } } }", input).await;
    assert_eq!(payload["conference"]["children"].as_array().unwrap().len(), 2);
    let conference = payload["conference"]["id"].as_str().unwrap().to_owned();
    server.done("OTHER_UNIT_COORDINATOR", "scheduleConference", "", schedule(&server, &conference, 1)).await;
    invite(&server, "OTHER_UNIT_COORDINATOR", &conference).await;
    server.later(chrono::Duration::days(7) + chrono::Duration::hours(4));
    let version = open(&server, &conference).await;
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference,
        "expectedVersion": version, "decisions": [
            { "childId": children[0], "decision": "PLAN", "category": "EMO" }, { "childId": children[1], "decision": "NO_PLAN" }] });
    let payload = server.done("CP_CHAIR", "decideConference", "plans { child { id } kind }", input).await;
    assert_eq!(payload["plans"], json!([{ "child": { "id": children[0] }, "kind": "CHILD_PROTECTION" }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn children_of_two_families_need_two_conferences() {
    let server = Server::start().await;
    let query = "{ unallocatedCases(first: 50) { nodes { id } } }";
    server.data("FIRST_RESPONSE", query, json!({})).await;
    let held = server.held("CLINICIAN", 3).await;
    let ids: Vec<_> = held.iter().map(|(id, _)| id.clone()).collect();
    let families = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Case { id child { families { id } } conferences { nodes { state } } } } }";
    let data = server.data("CLINICIAN", families, json!({ "ids": ids })).await;
    let free: Vec<&Value> = data["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| {
            case["conferences"]["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .all(|one| ["DECIDED", "ISSUED"].contains(&one["state"].as_str().unwrap()))
        })
        .collect();
    let other = free.iter().find(|case| case["child"]["families"] != free[0]["child"]["families"]).unwrap();
    let input = json!({ "idempotencyKey": key(), "caseIds": [free[0]["id"], other["id"]], "type": "INITIAL" });
    let refused = server.mutate("CONSULTANT_SOCIAL_WORKER", "requestConference", "", input).await;
    assert_eq!(refused["errors"][0]["guard"], "ONE_FAMILY");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_continues_or_ends_a_plan_and_ending_steps_down_the_same_day() {
    let server = Server::start().await;
    let client = crate::support::connect("postgres", &server.database).await;
    let row = client
        .query_one(
            "select c.id, c.child_id from plans p join cases c on c.id = p.case_id
             join allocations a on a.case_id = c.id and a.ended_at is null and a.kind = 'PRIMARY'
             join units u on u.id = a.unit_id and u.name like '%Unit 7'
             where p.kind = 'CHILD_PROTECTION' and p.status = 'ACTIVE' and c.status = 'CP'
               and not exists (select from conference_children k join conferences f on f.id = k.conference_id
                               where k.case_id = c.id and f.state not in ('DECIDED', 'ISSUED', 'WITHDRAWN')) limit 1",
            &[],
        )
        .await
        .unwrap();
    let (case, child) =
        (format!("Case:{}", row.get::<_, uuid::Uuid>(0)), format!("Child:{}", row.get::<_, uuid::Uuid>(1)));
    for (round, (decision, status, kind)) in
        [("CONTINUE", "CP", "CHILD_PROTECTION"), ("END", "CIN", "CIN")].into_iter().enumerate()
    {
        let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "REVIEW" });
        let payload = server.done("OTHER_UNIT", "requestConference", "conference { id }", input).await;
        let conference = payload["conference"]["id"].as_str().unwrap().to_owned();
        let day = format!("2026-11-{:02}", 20 + 5 * round);
        let mut input = schedule(&server, &conference, 1);
        input["scheduledFor"] = json!(format!("{day}T10:00:00Z"));
        server.done("OTHER_UNIT_COORDINATOR", "scheduleConference", "", input).await;
        invite(&server, "OTHER_UNIT_COORDINATOR", &conference).await;
        server.later(chrono::Duration::days(if round == 0 { 2 } else { 5 }) + chrono::Duration::hours(2));
        let version = open(&server, &conference).await;
        let input = json!({ "idempotencyKey": key(), "conferenceId": conference,
            "expectedVersion": version, "decisions": [{ "childId": child, "decision": decision, "nextReviewOn": "2027-03-01" }] });
        server.done("CP_CHAIR", "decideConference", "", input).await;
        let query = "query($id: ID!) { case(id: $id) { status currentPlans { kind startOn reviewDueOn } } }";
        let now = server.data("OTHER_UNIT", query, json!({ "id": case })).await;
        assert_eq!(now["case"]["status"], status);
        assert_eq!(now["case"]["currentPlans"].as_array().unwrap().len(), 1);
        assert_eq!(now["case"]["currentPlans"][0]["kind"], kind);
        assert_eq!(now["case"]["currentPlans"][0]["reviewDueOn"], "2027-03-01");
    }
    // No plan, no review.
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "REVIEW" });
    let refused = server.mutate("OTHER_UNIT", "requestConference", "", input).await;
    assert_eq!(refused["errors"][0]["guard"], "PROTECTION_PLAN_OPEN");
}

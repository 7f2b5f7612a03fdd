//! The work of parenting support workers, and who else has a part in a case.

use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    mutations_support::{request_conference, schedule},
    safeguarding::{CHILDS, MINE, follow, refused, step, version_of},
    support::{self, Server, document, key, people},
};

const SUPPORT: &str =
    "support { id status version askedFor reason outcome goals { id } worker { id } case { id } child { firstName } }";
const SEEN: &str = "query($child: ID!, $support: ID!) { child(id: $child) { firstName plans { nodes { goals { actions { id version } } } } }
    node(id: $support) { ... on SupportRequest { status askedFor goals { id } } } }";

/// A child of unit 3 with a plan in force, and a parenting support worker.
struct Scene {
    server: Server,
    client: Client,
    child: String,
    case: String,
    goal: String,
    /// One of the parenting support worker, one of somebody else.
    actions: Vec<String>,
    worker: Uuid,
}

impl Scene {
    async fn start() -> Self {
        let server = Server::start().await;
        let client = support::connect("postgres", &server.database).await;
        let child = people::child(&client, "Zephyrine", "Quill").await;
        let case = format!("Case:{}", people::hold(&client, child, 3).await);
        let worker = people::with_post(&client, "PARENTING_SUPPORT_WORKER").await;
        let content = json!({ "overallAim": "Safe.", "agreedChangeBy": "2027-02-28", "childView": "Good.", "parentView": "Fair.",
            "goals": [{ "whatNeedsToChange": "Mornings.", "measure": "On time", "target": "Daily", "actions": [
                { "text": "Practises mornings.", "ownerWorkerId": format!("Worker:{worker}") },
                { "text": "Opens the gate.", "ownerAgency": "School" }] }] });
        let input = json!({ "idempotencyKey": key(), "caseId": case, "kind": "CIN", "content": content });
        let fields = "plan { id goals { id actions { id } } }";
        let drafted = server.done("SOCIAL_WORKER", "draftPlan", fields, input).await;
        let plan = drafted["plan"]["id"].as_str().unwrap();
        server.done("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", step(("planId", plan), 1, json!({}))).await;
        let goal = &drafted["plan"]["goals"][0];
        let query = "query($id: ID!) { plan(id: $id) { goals { actions { id ownerAgency } } } }";
        let mut read = server.data("CLINICIAN", query, json!({ "id": plan })).await;
        let mut actions = read["plan"]["goals"][0]["actions"].as_array_mut().unwrap().clone();
        actions.sort_by_key(|action| !action["ownerAgency"].is_null());
        Self {
            child: format!("Child:{child}"),
            case,
            goal: goal["id"].as_str().unwrap().to_owned(),
            actions: actions.iter().map(|action| action["id"].as_str().unwrap().to_owned()).collect(),
            worker,
            server,
            client,
        }
    }

    fn asking(&self) -> Value {
        json!({ "idempotencyKey": key(), "caseId": self.case, "workerId": format!("Worker:{}", self.worker),
                "askedFor": "Mornings with the mother.", "goalIds": [self.goal] })
    }

    async fn asked(&self) -> String {
        let payload = self.server.done("SOCIAL_WORKER", "requestSupport", SUPPORT, self.asking()).await;
        assert_eq!(payload["support"]["status"], "REQUESTED");
        payload["support"]["id"].as_str().unwrap().to_owned()
    }

    async fn act(&self, mutation: &str, selection: &str, input: Value) -> Value {
        self.server.mutate_as(self.worker, mutation, selection, input).await
    }

    /// What the worker sees.
    async fn seen(&self, support: &str) -> Value {
        let variables = json!({ "child": self.child, "support": support });
        let mut answer = self.server.answer_to(self.worker, SEEN, variables).await;
        assert_eq!(answer["errors"], Value::Null, "{answer:#}");
        answer["data"].take()
    }

    async fn code(&self, by: &str, mutation: &str, input: Value) -> String {
        self.server.code(by, &document(mutation, ""), json!({ "input": input })).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parenting_support_worker_is_asked_takes_it_on_and_ends_it_and_each_hears_what_is_theirs() {
    let scene = Scene::start().await;
    let server = &scene.server;
    let three = server.unit(3).await;
    let mut unit = follow(server, "CLINICIAN", &three).await;
    let mut worker = server.socket_of(scene.worker).await;
    worker.open_feed(MINE, json!({})).await;
    let mut manager = server.socket("SERVICE_MANAGER").await;
    manager.open_feed(CHILDS, json!({ "id": scene.child })).await;
    let mut elsewhere = follow(server, "OTHER_UNIT", &server.unit(7).await).await;

    // Asked, they see who the child is and what is asked, and not the plans.
    let nothing = scene.seen(&scene.case).await;
    assert_eq!(nothing, json!({ "child": null, "node": null }));
    let support = scene.asked().await;
    for socket in [&mut unit, &mut worker] {
        assert_eq!(socket.types(1).await, ["SUPPORT_CHANGED"]);
    }
    let seen = scene.seen(&support).await;
    assert_eq!((&seen["child"]["firstName"], &seen["child"]["plans"]["nodes"]), (&json!("Zephyrine"), &json!([])));
    assert_eq!(seen["node"], json!({ "status": "REQUESTED", "askedFor": "Mornings with the mother.", "goals": [] }));

    // They take it on, and see the plans.
    let accepted = scene
        .act(
            "acceptSupport",
            "support { status } involvement { capacity case { id } }",
            step(("supportId", &support), 1, json!({})),
        )
        .await;
    assert_eq!(accepted["errors"], json!([]), "{accepted:#}");
    assert_eq!(accepted["involvement"], json!({ "capacity": "PARENTING_SUPPORT", "case": null }));
    for socket in [&mut unit, &mut worker] {
        assert_eq!(socket.types(2).await, ["SUPPORT_CHANGED", "INVOLVEMENT_CHANGED"]);
    }
    let seen = scene.seen(&support).await;
    assert_eq!(seen["node"]["goals"], json!([{ "id": scene.goal }]));
    assert_eq!(seen["child"]["plans"]["nodes"][0]["goals"][0]["actions"].as_array().unwrap().len(), 2);

    // They do what is theirs, and say what they saw; not what is somebody else's.
    let done = |action: &str| json!({ "idempotencyKey": key(), "actionId": action, "doneOn": "2026-11-18", "outcome": "Works.", "expectedVersion": 1 });
    let own = scene.act("completePlanAction", "action { doneOn } case { id }", done(&scene.actions[0])).await;
    assert_eq!((&own["action"]["doneOn"], &own["case"]), (&json!("2026-11-18"), &Value::Null), "{own:#}");
    assert_eq!(refused(&scene.act("completePlanAction", "", done(&scene.actions[1])).await), "OWN_ACTION");
    let evidence = json!({ "idempotencyKey": key(), "goalId": scene.goal, "observedOn": "2026-11-18", "source": "FAMILY",
        "strength": "MODERATE", "text": "Up at seven." });
    assert_eq!(scene.act("recordChangeEvidence", "", evidence).await["errors"], json!([]));
    for socket in [&mut unit, &mut worker] {
        assert_eq!(socket.types(2).await, ["PLAN_CHANGED", "PLAN_CHANGED"]);
    }

    // The case does not close over it, and it ends with what came of it.
    let end = step(("supportId", &support), 2, json!({ "outcome": "Mornings work." }));
    let ended = scene.act("endSupport", SUPPORT, end).await;
    assert_eq!((&ended["errors"], &ended["support"]), (&json!([]), &Value::Null), "they see it no longer");
    assert_eq!(unit.types(2).await, ["SUPPORT_CHANGED", "INVOLVEMENT_CHANGED"]);
    assert_eq!(scene.seen(&support).await, nothing);
    let query = "query($id: ID!) { case(id: $id) { supportRequests { totalCount nodes { status outcome endedBy { id } involvement { endedAt } } } } }";
    let read = server.data("CLINICIAN", query, json!({ "id": scene.case })).await;
    let one = &read["case"]["supportRequests"]["nodes"][0];
    assert_eq!((&one["status"], &one["outcome"]), (&json!("ENDED"), &json!("Mornings work.")));
    assert!(one["involvement"]["endedAt"].is_string());
    let query = "query($id: ID!) { child(id: $id) { chronology(first: 9, kinds: [SUPPORT_STARTED, SUPPORT_ENDED]) { nodes { kind node { id } } } } }";
    let told =
        server.data("CLINICIAN", query, json!({ "id": scene.child })).await["child"]["chronology"]["nodes"].clone();
    assert_eq!(
        told,
        json!([{ "kind": "SUPPORT_ENDED", "node": { "id": support } }, { "kind": "SUPPORT_STARTED", "node": { "id": support } }])
    );
    elsewhere.nothing_more().await;
    manager.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_sees_nothing_of_the_child_any_more_and_another_may_be_asked() {
    let scene = Scene::start().await;
    let support = scene.asked().await;
    let again = scene.server.mutate("SOCIAL_WORKER", "requestSupport", "", scene.asking()).await;
    assert_eq!(again["errors"][0]["__typename"], "Conflict", "asked already: {again:#}");
    let input = step(("supportId", &support), 1, json!({ "reason": "No time before spring." }));
    assert_eq!(scene.act("declineSupport", SUPPORT, input).await["support"], Value::Null);
    assert_eq!(scene.seen(&support).await, json!({ "child": null, "node": null }));
    let query = "query($id: ID!) { node(id: $id) { ... on SupportRequest { status reason } } }";
    let read = scene.server.data("CLINICIAN", query, json!({ "id": support })).await;
    assert_eq!(read["node"], json!({ "status": "DECLINED", "reason": "No time before spring." }));
    scene.asked().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_needed_any_more_is_withdrawn_before_it_was_answered() {
    let scene = Scene::start().await;
    let support = scene.asked().await;
    let input = step(("supportId", &support), 1, json!({ "reason": "The aunt helps." }));
    assert_eq!(scene.code("CLINICIAN", "withdrawSupport", input.clone()).await, "FORBIDDEN");
    assert_eq!(scene.code("OTHER_UNIT", "withdrawSupport", input.clone()).await, "NOT_FOUND");
    scene.server.done("SOCIAL_WORKER", "withdrawSupport", SUPPORT, input).await;
    assert_eq!(scene.seen(&support).await, json!({ "child": null, "node": null }));
    let answer = scene
        .server
        .answer_to(
            scene.worker,
            &document("acceptSupport", ""),
            json!({ "input": step(("supportId", &support), 2, json!({})) }),
        )
        .await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_that_is_not_legal_names_what_can_come_next() {
    let scene = Scene::start().await;
    let support = scene.asked().await;
    let end = |version: i64| step(("supportId", &support), version, json!({ "outcome": "x" }));
    let early = scene.server.mutate("SOCIAL_WORKER", "endSupport", "", end(1)).await;
    assert_eq!(early["errors"][0]["legalNext"], json!(["ACCEPTED", "DECLINED", "WITHDRAWN"]), "{early:#}");
    let stale = scene.act("acceptSupport", "", step(("supportId", &support), 7, json!({}))).await;
    assert_eq!(stale["errors"][0]["currentVersion"], 1);
    assert_eq!(scene.act("acceptSupport", "", step(("supportId", &support), 1, json!({}))).await["errors"], json!([]));
    let withdraw = step(("supportId", &support), 2, json!({ "reason": "x" }));
    let late = scene.server.mutate("SOCIAL_WORKER", "withdrawSupport", "", withdraw).await;
    assert_eq!(late["errors"][0]["legalNext"], json!(["ENDED"]));
    let twice = scene.act("acceptSupport", "", step(("supportId", &support), 2, json!({}))).await;
    assert_eq!(twice["errors"][0]["from"], "ACCEPTED");
    // A member of the unit may end it too, and nobody else answers for whoever is asked.
    assert_eq!(
        scene.code("CONSULTANT_SOCIAL_WORKER", "acceptSupport", step(("supportId", &support), 2, json!({}))).await,
        "FORBIDDEN"
    );
    assert_eq!(scene.code("UNIT_COORDINATOR", "endSupport", end(2)).await, "FORBIDDEN");
    scene.server.done("SOCIAL_WORKER", "endSupport", SUPPORT, end(2)).await;
    let over = scene.server.mutate("SOCIAL_WORKER", "endSupport", "", end(3)).await;
    assert_eq!(over["errors"][0]["legalNext"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_parenting_support_worker_is_asked_and_only_for_open_goals_of_the_case() {
    let scene = Scene::start().await;
    let with = |name: &str, value: Value| {
        let mut input = scene.asking();
        input[name] = value;
        input
    };
    let clinician = json!(format!("Worker:{}", scene.server.worker("CLINICIAN")));
    let payload = scene.server.mutate("SOCIAL_WORKER", "requestSupport", "", with("workerId", clinician)).await;
    assert_eq!(refused(&payload), "PARENTING_SUPPORT_WORKER");
    let twice = with("goalIds", json!([scene.goal, scene.goal]));
    assert_eq!(scene.code("SOCIAL_WORKER", "requestSupport", twice).await, "BAD_USER_INPUT");
    let nobodys = with("goalIds", json!([format!("Goal:{}", Uuid::now_v7())]));
    assert_eq!(scene.code("SOCIAL_WORKER", "requestSupport", nobodys).await, "NOT_FOUND");
    assert_eq!(scene.code("SOCIAL_WORKER", "requestSupport", with("askedFor", json!(" "))).await, "BAD_USER_INPUT");
    assert_eq!(scene.code("CLINICIAN", "requestSupport", scene.asking()).await, "FORBIDDEN");
    assert_eq!(scene.code("OTHER_UNIT", "requestSupport", scene.asking()).await, "NOT_FOUND");
    let version = version_of(&scene.server, "CLINICIAN", &scene.goal).await;
    let drop =
        json!({ "idempotencyKey": key(), "goalId": scene.goal, "status": "DROPPED", "expectedVersion": version });
    scene.server.done("SOCIAL_WORKER", "setGoalStatus", "", drop).await;
    assert_eq!(refused(&scene.server.mutate("SOCIAL_WORKER", "requestSupport", "", scene.asking()).await), "GOAL_OPEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_kept_from_the_child_by_name_is_not_asked_and_has_no_part() {
    let scene = Scene::start().await;
    let child = scene.child.replace("Child:", "Person:");
    let input = json!({ "idempotencyKey": key(), "personId": child, "workerId": format!("Worker:{}", scene.worker), "reason": "CONFLICT_OF_INTEREST",  });
    let document = document("denyAccess", "denial { id }");
    let answer = scene.server.answer("SERVICE_MANAGER", &document, json!({ "input": input })).await;
    assert_eq!(answer["data"]["denyAccess"]["errors"], json!([]), "{answer:#}");
    let mut worker = scene.server.socket_of(scene.worker).await;
    worker.open_feed(MINE, json!({})).await;
    let payload = scene.server.mutate("SOCIAL_WORKER", "requestSupport", "", scene.asking()).await;
    assert_eq!(refused(&payload), "MAY_SEE_CHILD");
    let case: Uuid = scene.case.strip_prefix("Case:").unwrap().parse().unwrap();
    scene.client.execute("update cases set status = 'LOOKED_AFTER' where id = $1", &[&case]).await.unwrap();
    let part = json!({ "idempotencyKey": key(), "caseId": scene.case, "workerId": format!("Worker:{}", scene.worker), "capacity": "PERSONAL_ADVISER" });
    let payload = scene.server.mutate("CONSULTANT_SOCIAL_WORKER", "startInvolvement", "", part).await;
    assert_eq!(refused(&payload), "MAY_SEE_CHILD");
    worker.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_kept_from_the_child_after_they_were_asked_sees_and_hears_nothing_more() {
    let scene = Scene::start().await;
    let support = scene.asked().await;
    let child = scene.child.replace("Child:", "Person:");
    let input = json!({ "idempotencyKey": key(), "personId": child, "workerId": format!("Worker:{}", scene.worker), "reason": "CONFLICT_OF_INTEREST" });
    scene.server.done("SERVICE_MANAGER", "denyAccess", "denial { id }", input).await;
    let mut worker = scene.server.socket_of(scene.worker).await;
    worker.open_feed(MINE, json!({})).await;
    assert_eq!(scene.seen(&support).await, json!({ "child": null, "node": null }));
    let answer = json!({ "input": step(("supportId", &support), 1, json!({})) });
    let answer = scene.server.answer_to(scene.worker, &document("acceptSupport", ""), answer).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND");
    let input = step(("supportId", &support), 1, json!({ "reason": "They may not." }));
    scene.server.done("SOCIAL_WORKER", "withdrawSupport", "", input).await;
    worker.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_hears_of_that_and_not_of_what_else_names_them() {
    let scene = Scene::start().await;
    let server = &scene.server;
    server.assessed(&scene.case).await;
    server.conference_called_for(&[&scene.case]).await;
    let conference = request_conference(server, &scene.case).await;
    schedule(server, &conference).await;
    scene.asked().await;
    let mut worker = server.socket_of(scene.worker).await;
    worker.open_feed(MINE, json!({})).await;
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "expectedVersion": 2,
                        "invitations": [{ "workerId": format!("Worker:{}", scene.worker), "capacity": "SOCIAL_CARE", "method": "EMAIL" }] });
    server.done("UNIT_COORDINATOR", "inviteToConference", "", input).await;
    let moved = json!({ "idempotencyKey": key(), "conferenceId": conference, "reason": "x", "expectedVersion": 3,
                        "scheduledFor": "2026-11-26T10:00:00Z" });
    server.done("UNIT_COORDINATOR", "moveConference", "", moved).await;
    server.all_placed().await;
    worker.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_worker_hears_of_their_own_work_and_the_reviewing_officer_who_works_with_the_child() {
    let scene = Scene::start().await;
    let server = &scene.server;
    let case: Uuid = scene.case.strip_prefix("Case:").unwrap().parse().unwrap();
    scene.client.execute("update cases set status = 'LOOKED_AFTER' where id = $1", &[&case]).await.unwrap();
    let officer = people::with_post(&scene.client, "REVIEWING_OFFICER").await;
    people::involve(&scene.client, case, officer, "IRO").await;
    let beside = people::with_post(&scene.client, "PARENTING_SUPPORT_WORKER").await;
    people::involve(&scene.client, case, beside, "PARENTING_SUPPORT").await;
    let mut feeds = Vec::new();
    for worker in [scene.worker, officer, beside] {
        let mut socket = server.socket_of(worker).await;
        socket.open_feed(MINE, json!({})).await;
        feeds.push(socket);
    }
    let support = scene.asked().await;
    scene.act("acceptSupport", "", step(("supportId", &support), 1, json!({}))).await;
    let evidence = json!({ "idempotencyKey": key(), "goalId": scene.goal, "observedOn": "2026-11-18", "source": "FAMILY",
        "strength": "MODERATE", "text": "Up at seven." });
    assert_eq!(scene.act("recordChangeEvidence", "", evidence).await["errors"], json!([]));
    let end = step(("supportId", &support), 2, json!({ "outcome": "Mornings work." }));
    server.done("SOCIAL_WORKER", "endSupport", SUPPORT, end).await;
    let own = ["SUPPORT_CHANGED", "SUPPORT_CHANGED", "INVOLVEMENT_CHANGED", "PLAN_CHANGED"];
    assert_eq!(feeds[0].types(4).await, own);
    // Told that they see it no longer.
    assert_eq!(feeds[0].types(2).await, ["SUPPORT_CHANGED", "INVOLVEMENT_CHANGED"]);
    assert_eq!(feeds[1].types(3).await, ["INVOLVEMENT_CHANGED", "PLAN_CHANGED", "INVOLVEMENT_CHANGED"]);
    assert_eq!(feeds[2].types(1).await, ["PLAN_CHANGED"], "whoever else gives support sees the plans");
    for feed in &mut feeds {
        feed.nothing_more().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_about_a_case_that_no_unit_holds_is_heard_by_the_queue_and_the_audit_names_it() {
    let scene = Scene::start().await;
    let server = &scene.server;
    let (first, second) = (scene.asked().await, people::with_post(&scene.client, "PARENTING_SUPPORT_WORKER").await);
    let mut asking = scene.asking();
    asking["workerId"] = json!(format!("Worker:{second}"));
    let other = server.done("SOCIAL_WORKER", "requestSupport", SUPPORT, asking).await["support"]["id"].clone();
    let query = "query($id: ID!) { case(id: $id) { version primaryAllocation { id } } }";
    let held = server.data("CLINICIAN", query, json!({ "id": scene.case })).await;
    let end = json!({ "idempotencyKey": key(), "allocationId": held["case"]["primaryAllocation"]["id"], "reason": "x",
                      "expectedVersion": held["case"]["version"] });
    server.done("CONSULTANT_SOCIAL_WORKER", "endAllocation", "", end).await;
    let mut queue = server.socket("FIRST_RESPONSE").await;
    queue.open_feed("subscription { frontDoorFeed { __typename cursor ... on Event { type } } }", json!({})).await;
    let declined = step(("supportId", &first), 1, json!({ "reason": "No time." }));
    assert_eq!(scene.act("declineSupport", "support { id }", declined).await["errors"], json!([]));
    assert_eq!(queue.types(1).await, ["SUPPORT_CHANGED"]);
    let changed = "select count(*) from audit_entries where action = 'CHANGED' and worker_id = $1 and $2 = any (records) and not $2 = any (asked)";
    let of: Uuid = first.strip_prefix("SupportRequest:").unwrap().parse().unwrap();
    let written: i64 = scene.client.query_one(changed, &[&scene.worker, &of]).await.unwrap().get(0);
    assert_eq!(written, 1, "changed, though they see it no longer");
    // What is not answered any more, the head of service withdraws.
    let other = other.as_str().unwrap();
    let withdraw = step(("supportId", other), 1, json!({ "reason": "Nobody holds the case." }));
    server.done("HEAD_OF_SERVICE", "withdrawSupport", "", withdraw).await;
    assert_eq!(queue.types(1).await, ["SUPPORT_CHANGED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_given_to_whom_it_suits_and_ends_with_a_reason() {
    let scene = Scene::start().await;
    let (server, client) = (&scene.server, &scene.client);
    let officer = people::with_post(client, "REVIEWING_OFFICER").await;
    let supervisor = people::with_post(client, "FOSTERING_SOCIAL_WORKER").await;
    let give = async |by: &str, worker: Uuid, capacity: &str| {
        let input = json!({ "idempotencyKey": key(), "caseId": scene.case, "workerId": format!("Worker:{worker}"), "capacity": capacity });
        server.mutate(by, "startInvolvement", "involvement { id version capacity } case { status }", input).await
    };
    let lead = "CONSULTANT_SOCIAL_WORKER";
    let clinician = server.worker("CLINICIAN");
    for (worker, capacity, guard) in [
        (officer, "CO_WORKER", "IN_UNIT"),
        (server.worker("SOCIAL_WORKER"), "CLINICAL", "IN_UNIT"),
        (clinician, "IRO", "REVIEWING_OFFICER"),
        (officer, "IRO", "CHILD_IN_CARE"),
        (clinician, "SUPERVISING_SW", "FOSTERING_SOCIAL_WORKER"),
        (supervisor, "SUPERVISING_SW", "CHILD_IN_CARE"),
        (supervisor, "PERSONAL_ADVISER", "CHILD_IN_CARE"),
    ] {
        assert_eq!(refused(&give(lead, worker, capacity).await), guard, "{capacity}");
    }
    let of = |worker: Uuid, capacity: &str| json!({ "idempotencyKey": key(), "caseId": scene.case, "workerId": format!("Worker:{worker}"), "capacity": capacity });
    for elsewhere in ["LEAD_PRACTITIONER", "PARENTING_SUPPORT", "CP_CHAIR"] {
        assert_eq!(
            scene.code(lead, "startInvolvement", of(clinician, elsewhere)).await,
            "BAD_USER_INPUT",
            "{elsewhere}"
        );
    }
    assert_eq!(scene.code("SOCIAL_WORKER", "startInvolvement", of(clinician, "CLINICAL")).await, "FORBIDDEN");
    assert_eq!(scene.code("OTHER_UNIT", "startInvolvement", of(clinician, "CLINICAL")).await, "NOT_FOUND");

    let mut mine = server.socket("CLINICIAN").await;
    mine.open_feed(MINE, json!({})).await;
    let given = give(lead, clinician, "CLINICAL").await;
    assert_eq!(given["involvement"]["capacity"], "CLINICAL", "{given:#}");
    assert_eq!(mine.types(1).await, ["INVOLVEMENT_CHANGED"]);
    assert_eq!(give(lead, clinician, "CLINICAL").await["errors"][0]["__typename"], "Conflict");

    // A reviewing officer sees the whole child from then on, and one at a time.
    let case: Uuid = scene.case.strip_prefix("Case:").unwrap().parse().unwrap();
    client.execute("update cases set status = 'LOOKED_AFTER' where id = $1", &[&case]).await.unwrap();
    let query = "query($id: ID!) { case(id: $id) { status } }";
    let sees = async |worker: Uuid| {
        !server.answer_to(worker, query, json!({ "id": scene.case })).await["data"]["case"].is_null()
    };
    assert!(!sees(officer).await);
    assert_eq!(give("SERVICE_MANAGER", officer, "IRO").await["errors"], json!([]));
    assert!(sees(officer).await);
    let other = people::with_post(client, "REVIEWING_OFFICER").await;
    assert_eq!(give("HEAD_OF_SERVICE", other, "IRO").await["errors"][0]["__typename"], "Conflict");

    let part = given["involvement"]["id"].as_str().unwrap();
    let end = |version: i64| step(("involvementId", part), version, json!({ "reason": "ORGRST" }));
    assert_eq!(scene.code("CLINICIAN", "endInvolvement", end(1)).await, "FORBIDDEN");
    let stale = server.mutate(lead, "endInvolvement", "", end(9)).await;
    assert_eq!(stale["errors"][0]["currentVersion"], 1);
    let ended = server.done(lead, "endInvolvement", "involvement { changeReason }", end(1)).await;
    assert_eq!(ended["involvement"]["changeReason"], "ORGRST");
    assert_eq!(server.mutate(lead, "endInvolvement", "", end(2)).await["errors"][0]["from"], "ENDED");

    // Whoever leads is followed, and work that was asked for has an end of its own.
    let support = scene.asked().await;
    scene.act("acceptSupport", "", step(("supportId", &support), 1, json!({}))).await;
    let query = "query($id: ID!) { case(id: $id) { involvements { id version capacity } } }";
    let parts = server.data("CLINICIAN", query, json!({ "id": scene.case })).await["case"]["involvements"].clone();
    for part in parts.as_array().unwrap().iter().filter(|part| part["capacity"] == "PARENTING_SUPPORT") {
        let input = json!({ "idempotencyKey": key(), "involvementId": part["id"], "reason": "OTHERS", "expectedVersion": part["version"] });
        assert_eq!(refused(&server.mutate(lead, "endInvolvement", "", input).await), "SUPPORT_OVER");
    }
}

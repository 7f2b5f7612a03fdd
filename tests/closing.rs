//! A case is held until change lasts, and closes with nothing open behind it.

use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    front_door::{child, contact, matched, refer},
    safeguarding::{MINE, follow, refused, step, version_of},
    support::{self, Server, document, key, people},
};

const CASE: &str = "query($id: ID!) { case(id: $id) { status closedOn closureReason closureRationale safeAtHome primaryAllocation { id } } }";

/// A child in need of unit 3.
struct Scene {
    server: Server,
    client: Client,
    child: Uuid,
    case: Uuid,
}

impl Scene {
    async fn start() -> Self {
        let server = Server::start().await;
        let client = support::connect("postgres", &server.database).await;
        let child = people::child(&client, "Zephyrine", "Quill").await;
        let case = people::hold(&client, child, 3).await;
        Self { server, client, child, case }
    }

    /// A plan in force with these goals; answers the plan and its goals.
    async fn plan(&self, goals: &[&str]) -> (String, Vec<Value>) {
        let goals: Vec<Value> = goals
            .iter()
            .map(|what| {
                json!({ "whatNeedsToChange": what, "measure": "Seen", "target": "Always",
                        "actions": [{ "text": "Visits.", "ownerAgency": "School" }] })
            })
            .collect();
        let content = json!({ "overallAim": "Safe.", "agreedChangeBy": "2027-02-28", "childView": "Good.", "parentView": "Fair.", "goals": goals });
        let input = json!({ "idempotencyKey": key(), "caseId": self.id(), "kind": "CIN", "content": content });
        let drafted = self.server.done("SOCIAL_WORKER", "draftPlan", "plan { id goals { id } }", input).await;
        let plan = drafted["plan"]["id"].as_str().unwrap().to_owned();
        self.server.done("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", step(("planId", &plan), 1, json!({}))).await;
        (plan, drafted["plan"]["goals"].as_array().unwrap().clone())
    }

    async fn settle(&self, goal: &Value, status: &str) {
        let goal = goal["id"].as_str().unwrap();
        if status == "MET" {
            let evidence = json!({ "idempotencyKey": key(), "goalId": goal, "observedOn": "2026-11-18", "source": "VISIT",
                "strength": "STRONG", "sustainedSince": "2026-08-01", "text": "Every night since August." });
            self.server.done("CLINICIAN", "recordChangeEvidence", "", evidence).await;
        }
        let version = version_of(&self.server, "CLINICIAN", goal).await;
        let input = json!({ "idempotencyKey": key(), "goalId": goal, "status": status, "expectedVersion": version });
        self.server.done("SOCIAL_WORKER", "setGoalStatus", "", input).await;
    }

    async fn end(&self, plan: &str) {
        let version = version_of(&self.server, "SOCIAL_WORKER", plan).await;
        let input = step(("planId", plan), version, json!({ "endOn": "2026-11-18", "reason": "Done." }));
        self.server.done("CONSULTANT_SOCIAL_WORKER", "endPlan", "", input).await;
    }

    fn id(&self) -> String {
        format!("Case:{}", self.case)
    }

    async fn closing(&self, more: Value) -> Value {
        let row = self.client.query_one("select version from cases where id = $1", &[&self.case]).await.unwrap();
        let version: i32 = row.get(0);
        let mut input =
            json!({ "reason": "RC7", "rationale": "Nobody needs us.", "safeAtHome": "She sleeps at home." });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        step(("caseId", &self.id()), version.into(), input)
    }

    async fn close(&self, by: &str, more: Value) -> Value {
        let input = self.closing(more).await;
        self.server.mutate(by, "closeCase", "case { status }", input).await
    }

    async fn code(&self, by: &str, more: Value) -> String {
        let input = self.closing(more).await;
        self.server.code(by, &document("closeCase", ""), json!({ "input": input })).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_held_until_every_goal_has_evidence_of_lasting_change_and_closes_with_a_statement() {
    let scene = Scene::start().await;
    let server = &scene.server;
    let lead = "CONSULTANT_SOCIAL_WORKER";
    assert_eq!(refused(&scene.close(lead, json!({})).await), "CHANGE_LASTS", "there never was a plan");
    let (plan, goals) = scene.plan(&["Sleeps at home.", "Goes to school.", "Sees her aunt."]).await;
    assert_eq!(refused(&scene.close(lead, json!({})).await), "PLAN_OVER");
    scene.settle(&goals[0], "MET").await;
    scene.settle(&goals[1], "NOT_MET").await;
    scene.settle(&goals[2], "DROPPED").await;
    scene.end(&plan).await;
    assert_eq!(refused(&scene.close(lead, json!({})).await), "CHANGE_LASTS", "she does not go to school");

    // The next plan asks for what was not achieved.
    let (plan, goals) = scene.plan(&["Goes to school.", "Sees her uncle."]).await;
    scene.settle(&goals[0], "MET").await;
    scene.settle(&goals[1], "DROPPED").await;
    scene.end(&plan).await;
    let mut unit = follow(server, "CLINICIAN", &server.unit(3).await).await;
    let mut elsewhere = follow(server, "OTHER_UNIT", &server.unit(7).await).await;
    let mut lead_feed = server.socket(lead).await;
    lead_feed.open_feed(MINE, json!({})).await;
    let closed = scene.close(lead, json!({})).await;
    assert_eq!((&closed["errors"], &closed["case"]), (&json!([]), &Value::Null), "out of their sight: {closed:#}");
    assert_eq!(unit.types(1).await, ["ALLOCATION_ENDED"]);
    for socket in [&mut unit, &mut elsewhere, &mut lead_feed] {
        socket.nothing_more().await;
    }
    let read = server.data("HEAD_OF_SERVICE", CASE, json!({ "id": scene.id() })).await;
    assert_eq!(
        read["case"],
        json!({ "status": "CLOSED", "closedOn": "2026-11-18", "closureReason": "RC7", "closureRationale": "Nobody needs us.",
                "safeAtHome": "She sleeps at home.", "primaryAllocation": null })
    );
    let again = scene.close("HEAD_OF_SERVICE", json!({})).await;
    assert_eq!((&again["errors"][0]["from"], &again["errors"][0]["legalNext"]), (&json!("CLOSED"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_service_otherwise_is_closed_without_a_statement() {
    let scene = Scene::start().await;
    let lead = "CONSULTANT_SOCIAL_WORKER";
    for (reason, statement) in
        [("RC5", json!("x")), ("RC7", json!(null)), ("RC3", json!(" ")), ("RC7", json!("x".repeat(20_001)))]
    {
        let more = json!({ "reason": reason, "safeAtHome": statement });
        let answer =
            scene.server.answer(lead, &document("closeCase", ""), json!({ "input": scene.closing(more).await })).await;
        assert_eq!(answer["errors"][0]["extensions"]["field"], "safeAtHome", "{reason}: {answer:#}");
    }
    assert_eq!(scene.code(lead, json!({ "rationale": " " })).await, "BAD_USER_INPUT");
    let assessed = scene.close(lead, json!({ "reason": "RC9", "safeAtHome": null })).await;
    assert_eq!(refused(&assessed), "ASSESSMENT_CLOSES");
    let moved = scene.close(lead, json!({ "reason": "RC5", "safeAtHome": null })).await;
    assert_eq!(moved["errors"], json!([]), "{moved:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_its_consultants_or_its_managers_to_close_and_from_where_it_may_be() {
    let scene = Scene::start().await;
    let away = json!({ "reason": "RC5", "safeAtHome": null });
    for other in ["SOCIAL_WORKER", "CLINICIAN", "UNIT_COORDINATOR"] {
        assert_eq!(scene.code(other, away.clone()).await, "FORBIDDEN", "{other}");
    }
    assert_eq!(scene.code("OTHER_UNIT", away.clone()).await, "NOT_FOUND");
    let mut stale = scene.closing(away.clone()).await;
    stale["expectedVersion"] = json!(77);
    let payload = scene.server.mutate("SERVICE_MANAGER", "closeCase", "", stale).await;
    assert_eq!(payload["errors"][0]["currentVersion"], 1);
    for (status, next) in [("CP", json!(["CIN"])), ("ASSESSMENT", json!(["CONFERENCE_PENDING", "CIN", "CP", "CLOSED"]))]
    {
        scene.client.execute("update cases set status = $2 where id = $1", &[&scene.case, &status]).await.unwrap();
        let payload = scene.close("SERVICE_MANAGER", away.clone()).await;
        assert_eq!((&payload["errors"][0]["from"], &payload["errors"][0]["legalNext"]), (&json!(status), &next));
    }
    scene.client.execute("update cases set status = 'CIN' where id = $1", &[&scene.case]).await.unwrap();
    assert_eq!(scene.close("SERVICE_MANAGER", away.clone()).await["errors"], json!([]));

    // Nobody answers for a case in the queue.
    let other = people::child(&scene.client, "Wilhelmina", "Quill").await;
    let queued = people::open(&scene.client, other).await;
    let scene = Scene { case: queued, ..scene };
    assert_eq!(refused(&scene.close("HEAD_OF_SERVICE", away).await), "CASE_HELD");
}

#[tokio::test(flavor = "multi_thread")]
async fn soon_after_a_child_protection_plan_a_case_is_its_managers_to_close() {
    let scene = Scene::start().await;
    let (plan, goals) = scene.plan(&["Sleeps at home."]).await;
    scene.settle(&goals[0], "MET").await;
    scene.end(&plan).await;
    // As if a conference had made and ended it.
    let of = plan.strip_prefix("Plan:").unwrap();
    scene
        .client
        .batch_execute(&format!(
            "set session_replication_role = replica;
             update plans set kind = 'CHILD_PROTECTION', initial_category = 'NEG', latest_category = 'NEG', number_of_previous_cpps = 0,
                 start_on = '2026-01-05', end_on = '2026-08-19' where id = '{of}'"
        ))
        .await
        .unwrap();
    let refusal = scene.close("CONSULTANT_SOCIAL_WORKER", json!({})).await;
    assert_eq!(refused(&refusal), "PROTECTION_ENDED_LATELY");
    let earlier = format!("update plans set end_on = '2026-08-18' where id = '{of}'");
    scene.client.batch_execute(&earlier).await.unwrap();
    assert_eq!(scene.close("CONSULTANT_SOCIAL_WORKER", json!({})).await["errors"], json!([]), "three months ago");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_who_is_referred_again_is_offered_to_the_unit_that_closed_the_case() {
    let scene = Scene::start().await;
    assert_eq!(
        scene.close("CONSULTANT_SOCIAL_WORKER", json!({ "reason": "RC5", "safeAtHome": null })).await["errors"],
        json!([])
    );
    let (contact, person, version) = contact(&scene.server, child("Zephyrine", "Quill", "2018-05-05", "F")).await;
    let version = matched(&scene.server, &person, scene.child, version).await;
    let (referral, ..) = refer(&scene.server, &contact, version).await;
    let query = "query($id: ID!) { node(id: $id) { ... on Referral { reReferral previousUnit { id } } } }";
    let read = scene.server.data("FIRST_RESPONSE", query, json!({ "id": referral })).await;
    assert_eq!(read["node"], json!({ "reReferral": true, "previousUnit": { "id": scene.server.unit(3).await } }));
}

//! Plans of each kind: what they ask for, who agrees, reviews and ends them, whom they hear, and how long they may take.

use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    safeguarding::{refused, step, version_of},
    support::{self, Server, document, key, people},
};

const PLAN: &str =
    "plan { id kind status version startOn agreedChangeBy changePeriodOver requiredSections route parallelRoute
    needsAssessedOn sections { section text } views { stance words person { id } } adoptionSteps { step happenedOn } }";

/// A child of unit 3 with a case in this status.
struct Scene {
    server: Server,
    client: Client,
    child: Uuid,
    case: String,
}

impl Scene {
    async fn with(status: &str) -> Self {
        let server = Server::start().await;
        let client = support::connect("postgres", &server.database).await;
        let child = people::child(&client, "Zephyrine", "Quill").await;
        let case = people::hold(&client, child, 3).await;
        client.execute("update cases set status = $2 where id = $1", &[&case, &status]).await.unwrap();
        Self { server, client, child, case: format!("Case:{case}") }
    }

    async fn attempt(&self, kind: &str, content: Value) -> Value {
        let input = json!({ "idempotencyKey": key(), "caseId": self.case, "kind": kind, "content": content });
        self.server.mutate("SOCIAL_WORKER", "draftPlan", PLAN, input).await
    }

    /// A draft of this kind that says what its kind asks for and what is added; answers its id.
    async fn draft(&self, kind: &str, more: Value) -> String {
        let payload = self.attempt(kind, json!({ "overallAim": "Safe.", "goals": [] })).await;
        assert_eq!(payload["errors"], json!([]), "{kind}: {payload:#}");
        let id = payload["plan"]["id"].as_str().unwrap().to_owned();
        let content = content(&payload["plan"]["requiredSections"], more);
        self.change(&id, content).await;
        id
    }

    async fn change(&self, plan: &str, content: Value) -> Value {
        let version = version_of(&self.server, "SOCIAL_WORKER", plan).await;
        let input = step(("planId", plan), version, json!({ "content": content }));
        self.server.done("SOCIAL_WORKER", "changePlanDraft", PLAN, input).await
    }

    async fn agree(&self, by: &str, plan: &str) -> Value {
        let version = version_of(&self.server, "SOCIAL_WORKER", plan).await;
        let input = step(("planId", plan), version, json!({ "reviewDueOn": "2027-01-20" }));
        self.server.mutate(by, "agreePlan", PLAN, input).await
    }

    async fn agreed(&self, by: &str, kind: &str, more: Value) -> String {
        let plan = self.draft(kind, more).await;
        let payload = self.agree(by, &plan).await;
        assert_eq!((&payload["errors"], &payload["plan"]["status"]), (&json!([]), &json!("ACTIVE")), "{payload:#}");
        plan
    }

    /// Gives a new worker with this post this part in the case.
    async fn part(&self, post: &str, capacity: &str) -> Uuid {
        let worker = people::with_post(&self.client, post).await;
        let input = json!({ "idempotencyKey": key(), "caseId": self.case, "workerId": format!("Worker:{worker}"), "capacity": capacity });
        self.server.done("CONSULTANT_SOCIAL_WORKER", "startInvolvement", "involvement { capacity }", input).await;
        worker
    }

    /// The code of the error that a change by somebody who may not do it is answered with.
    async fn code(&self, by: &str, mutation: &str, input: Value) -> String {
        self.server.code(by, &document(mutation, ""), json!({ "input": input })).await
    }

    /// A unit of this service.
    async fn unit_of(&self, service: &str) -> String {
        let query = "select 'Unit:' || id from units where service = $1 order by name limit 1";
        self.client.query_one(query, &[&service]).await.unwrap().get(0)
    }

    /// Who leads it, who has nothing to do with the child.
    async fn consultant_of(&self, service: &str) -> Uuid {
        let query = "select m.worker_id from unit_memberships m join units u on u.id = m.unit_id
                     where u.service = $1 and m.role = 'CONSULTANT_SOCIAL_WORKER' and m.ended_at is null and not m.cover
                     order by u.name limit 1";
        self.client.query_one(query, &[&service]).await.unwrap().get(0)
    }

    async fn look(&self, plan: &str) -> Value {
        let query = format!("query($id: ID!) {{ {} }}", PLAN.replacen("plan", "plan(id: $id)", 1));
        self.server.data("CLINICIAN", &query, json!({ "id": plan })).await["plan"].take()
    }
}

fn content(sections: &Value, more: Value) -> Value {
    let said: Vec<Value> = sections
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!({ "section": one, "text": format!("About {one}.") }))
        .collect();
    let mut content =
        json!({ "overallAim": "Safe.", "goals": [], "sections": said, "childView": "Good.", "parentView": "Fair." });
    for (name, value) in more.as_object().unwrap() {
        content[name] = value.clone();
    }
    content
}

fn goal(what: &str) -> Value {
    json!({ "whatNeedsToChange": what, "measure": "Seen", "target": "Always",
            "actions": [{ "text": "Visits.", "ownerAgency": "School" }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_looked_after_child_is_drafted_only_for_such_a_child() {
    let scene = Scene::with("CIN").await;
    for kind in ["CARE", "PLACEMENT", "HEALTH", "PERSONAL_EDUCATION", "PERMANENCE", "ADOPTION", "PATHWAY"] {
        let payload = scene.attempt(kind, json!({ "overallAim": "Safe.", "goals": [] })).await;
        assert_eq!(refused(&payload), "CHILD_IN_CARE", "{kind}");
    }
    let payload = scene.attempt("SUPPORT", json!({ "overallAim": "Safe.", "goals": [] })).await;
    assert_eq!((&payload["errors"], &payload["plan"]["kind"]), (&json!([]), &json!("SUPPORT")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_belong_to_the_kind_is_refused() {
    let scene = Scene::with("LOOKED_AFTER").await;
    let faults = [
        ("CARE", json!({ "route": "ADOPTION" }), "route"),
        ("CARE", json!({ "sections": [{ "section": "MONEY", "text": "x" }] }), "sections"),
        (
            "HEALTH",
            json!({ "sections": [{ "section": "HEALTH", "text": "x" }, { "section": "HEALTH", "text": "y" }] }),
            "sections",
        ),
        ("HEALTH", json!({ "sections": [{ "section": "HEALTH", "text": " " }] }), "sections"),
        ("PERMANENCE", json!({ "parallelRoute": "ADOPTION" }), "parallelRoute"),
        ("PERMANENCE", json!({ "route": "ADOPTION", "parallelRoute": "ADOPTION" }), "parallelRoute"),
        ("CARE", json!({ "needsAssessedOn": "2026-11-01" }), "needsAssessedOn"),
        ("PATHWAY", json!({ "needsAssessedOn": "2026-11-19" }), "needsAssessedOn"),
    ];
    for (kind, more, field) in faults {
        let content = content(&json!([]), more);
        let input = json!({ "idempotencyKey": key(), "caseId": scene.case, "kind": kind, "content": content });
        let answer = scene.server.answer("SOCIAL_WORKER", &document("draftPlan", ""), json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["field"], field, "{kind}: {answer:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_care_plan_says_everything_names_its_reviewing_officer_and_is_a_managers_to_agree() {
    let scene = Scene::with("LOOKED_AFTER").await;
    let plan = scene.draft("CARE", json!({ "sections": [] })).await;
    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let input = step(("planId", &plan), version, json!({}));
    assert_eq!(scene.code("CONSULTANT_SOCIAL_WORKER", "agreePlan", input).await, "FORBIDDEN");
    let missing = scene.agree("SERVICE_MANAGER", &plan).await;
    assert_eq!(refused(&missing), "SECTIONS");
    let said = missing["errors"][0]["explanation"].as_str().unwrap();
    assert!(said.contains("RELIGIOUS_PERSUASION") && said.contains("WISHES_FEELINGS"), "{said}");
    let required = scene.look(&plan).await["requiredSections"].clone();
    let changed = scene.change(&plan, content(&required, json!({}))).await;
    assert_eq!(changed["plan"]["sections"].as_array().unwrap().len(), 12);
    assert_eq!(refused(&scene.agree("SERVICE_MANAGER", &plan).await), "REVIEWING_OFFICER");
    scene.part("REVIEWING_OFFICER", "IRO").await;
    assert_eq!(scene.agree("SERVICE_MANAGER", &plan).await["plan"]["status"], "ACTIVE");
    // Beside a care plan other plans are in force; two of a kind never.
    scene.agreed("CONSULTANT_SOCIAL_WORKER", "HEALTH", json!({})).await;
    let second = scene.draft("HEALTH", json!({})).await;
    assert_eq!(refused(&scene.agree("CONSULTANT_SOCIAL_WORKER", &second).await), "ONE_OPEN_PLAN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_care_plan_changes_only_after_its_reviewing_officer_considered_it_at_a_review() {
    let scene = Scene::with("LOOKED_AFTER").await;
    let officer = scene.part("REVIEWING_OFFICER", "IRO").await;
    let plan = scene.agreed("HEAD_OF_SERVICE", "CARE", json!({})).await;
    scene.server.later(chrono::Duration::days(10));
    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let revised =
        scene.server.done("SOCIAL_WORKER", "revisePlan", PLAN, step(("planId", &plan), version, json!({}))).await;
    assert_eq!(revised["plan"]["sections"].as_array().unwrap().len(), 12, "what it says is carried on");
    let draft = revised["plan"]["id"].as_str().unwrap();
    assert_eq!(refused(&scene.agree("SERVICE_MANAGER", draft).await), "CONSIDERED_AT_REVIEW");

    let review = |change: bool| {
        step(
            ("planId", &plan),
            version,
            json!({ "heldOn": "2026-11-28", "participation": "PN1", "changeOfPlan": change,
            "decisions": ["Lives with her aunt."], "nextReviewOn": "2027-02-20" }),
        )
    };
    for other in ["SOCIAL_WORKER", "CONSULTANT_SOCIAL_WORKER", "SERVICE_MANAGER"] {
        assert_eq!(scene.code(other, "recordPlanReview", review(true)).await, "FORBIDDEN", "{other}");
    }
    // Nor somebody with that post who has another part in the case.
    let adviser = scene.part("REVIEWING_OFFICER", "PERSONAL_ADVISER").await;
    let asked = document("recordPlanReview", "");
    let answer = scene.server.answer_to(adviser, &asked, json!({ "input": review(true) })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer:#}");

    // The last review counts, and of this version.
    let hold = async |plan: &str, day: &str, change: bool| {
        scene.server.later(chrono::Duration::days(1));
        let version = version_of(&scene.server, "SOCIAL_WORKER", plan).await;
        let input =
            json!({ "heldOn": day, "participation": "PN1", "changeOfPlan": change, "nextReviewOn": "2026-12-20" });
        let reviewed =
            scene.server.mutate_as(officer, "recordPlanReview", PLAN, step(("planId", plan), version, input)).await;
        assert_eq!(reviewed["errors"], json!([]), "{reviewed:#}");
    };
    hold(&plan, "2026-11-28", true).await;
    hold(&plan, "2026-11-29", false).await;
    assert_eq!(refused(&scene.agree("SERVICE_MANAGER", draft).await), "CONSIDERED_AT_REVIEW", "it is not to change");
    hold(&plan, "2026-11-30", true).await;
    let version = version_of(&scene.server, "SOCIAL_WORKER", draft).await;
    let agree = step(("planId", draft), version, json!({}));
    let agreed = scene.server.mutate("SERVICE_MANAGER", "agreePlan", "plan { status reviewDueOn }", agree).await;
    let next = json!({ "status": "ACTIVE", "reviewDueOn": "2026-12-20" });
    assert_eq!(agreed["plan"], next, "sooner than the version before said: {agreed:#}");
    let version = version_of(&scene.server, "SOCIAL_WORKER", draft).await;
    let third =
        scene.server.done("SOCIAL_WORKER", "revisePlan", PLAN, step(("planId", draft), version, json!({}))).await;
    let third = third["plan"]["id"].as_str().unwrap();
    assert_eq!(refused(&scene.agree("SERVICE_MANAGER", third).await), "CONSIDERED_AT_REVIEW", "once more");

    // Who reviews does not belong to the unit that holds the case.
    let unit: Uuid = scene.server.unit(3).await.strip_prefix("Unit:").unwrap().parse().unwrap();
    let joined = "insert into unit_memberships (id, unit_id, worker_id, role, started_at)
                  values (gen_random_uuid(), $1, $2, 'SOCIAL_WORKER', '2026-11-01')";
    scene.client.execute(joined, &[&unit, &officer]).await.unwrap();
    let review =
        json!({ "heldOn": "2026-12-01", "participation": "PN1", "changeOfPlan": true, "nextReviewOn": "2026-12-20" });
    let payload =
        scene.server.mutate_as(officer, "recordPlanReview", "", step(("planId", draft), version, review)).await;
    assert_eq!(refused(&payload), "REVIEWING_OFFICER");
    assert_eq!(refused(&scene.agree("SERVICE_MANAGER", third).await), "REVIEWING_OFFICER");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_care_plan_is_a_managers_to_end_and_not_while_the_child_is_looked_after() {
    let scene = Scene::with("LOOKED_AFTER").await;
    let officer = scene.part("REVIEWING_OFFICER", "IRO").await;
    let plan = scene.agreed("HEAD_OF_SERVICE", "CARE", json!({})).await;
    scene.server.later(chrono::Duration::days(10));
    // It breaks down. It is reviewed, and goes on, without a period that was never agreed.
    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let escalated = step(("planId", &plan), version, json!({ "reason": "It broke down." }));
    scene.server.done("CONSULTANT_SOCIAL_WORKER", "escalatePlan", "", escalated).await;
    let review =
        json!({ "heldOn": "2026-11-27", "participation": "PN1", "changeOfPlan": false, "nextReviewOn": "2026-12-20" });
    let reviewed =
        scene.server.mutate_as(officer, "recordPlanReview", PLAN, step(("planId", &plan), version + 1, review)).await;
    assert_eq!((&reviewed["errors"], &reviewed["plan"]["status"]), (&json!([]), &json!("ESCALATED")), "{reviewed:#}");
    let choose = async |more: Value| {
        let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
        let input = json!({ "input": step(("planId", &plan), version, more) });
        scene.server.answer("CONSULTANT_SOCIAL_WORKER", &document("settlePlanEscalation", PLAN), input).await
    };
    let dated = choose(json!({ "choice": "EXTEND", "reason": "x", "newChangeBy": "2027-02-01" })).await;
    assert_eq!(dated["errors"][0]["extensions"]["field"], "newChangeBy", "{dated:#}");
    let close = choose(json!({ "choice": "CLOSE", "reason": "x" })).await;
    assert_eq!(refused(&close["data"]["settlePlanEscalation"]), "MANAGER_ENDS");
    let on = choose(json!({ "choice": "EXTEND", "reason": "A night in ten." })).await;
    assert_eq!(on["data"]["settlePlanEscalation"]["plan"]["status"], "ACTIVE", "{on:#}");

    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let end = |on: &str| step(("planId", &plan), version, json!({ "endOn": on, "reason": "Home." }));
    assert_eq!(scene.code("CONSULTANT_SOCIAL_WORKER", "endPlan", end("2026-11-28")).await, "FORBIDDEN");
    assert_eq!(
        refused(&scene.server.mutate("SERVICE_MANAGER", "endPlan", "", end("2026-11-28")).await),
        "CHILD_IN_CARE"
    );
    let case: Uuid = scene.case.strip_prefix("Case:").unwrap().parse().unwrap();
    scene.client.execute("update cases set status = 'CIN' where id = $1", &[&case]).await.unwrap();
    // Not before what became of it.
    assert_eq!(scene.code("SERVICE_MANAGER", "endPlan", end("2026-11-26")).await, "BAD_USER_INPUT");
    let ended = scene.server.done("SERVICE_MANAGER", "endPlan", PLAN, end("2026-11-28")).await;
    assert_eq!(ended["plan"]["status"], "ENDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_does_not_end_before_it_was_agreed() {
    let scene = Scene::with("CIN").await;
    let more = json!({ "agreedChangeBy": "2027-02-28", "goals": [goal("Sleeps at home.")] });
    let plan = scene.agreed("CONSULTANT_SOCIAL_WORKER", "CIN", more).await;
    scene.server.later(chrono::Duration::days(10));
    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let revised =
        scene.server.done("SOCIAL_WORKER", "revisePlan", PLAN, step(("planId", &plan), version, json!({}))).await;
    let draft = revised["plan"]["id"].as_str().unwrap();
    assert_eq!(scene.agree("CONSULTANT_SOCIAL_WORKER", draft).await["errors"], json!([]));
    let version = version_of(&scene.server, "SOCIAL_WORKER", draft).await;
    let end = step(("planId", draft), version, json!({ "endOn": "2026-11-20", "reason": "x" }));
    assert_eq!(scene.code("CONSULTANT_SOCIAL_WORKER", "endPlan", end).await, "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_looked_after_service_takes_a_child_with_a_permanence_plan_to_remain_in_care() {
    let scene = Scene::with("LOOKED_AFTER").await;
    let to = scene.unit_of("LOOKED_AFTER").await;
    let ask = async || {
        let version = version_of(&scene.server, "CLINICIAN", &scene.case).await;
        let input = step(
            ("caseId", &scene.case),
            version,
            json!({ "toUnitId": to, "kind": "TO_LAC", "handoverSummary": "Settled." }),
        );
        scene.server.mutate("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "transfer { id state }", input).await
    };
    assert_eq!(refused(&ask().await), "PERMANENCE_PLAN_AGREED");
    let plan = scene.draft("PERMANENCE", json!({})).await;
    assert_eq!(refused(&scene.agree("SERVICE_MANAGER", &plan).await), "ROUTE");
    let sections = scene.look(&plan).await["requiredSections"].clone();
    scene
        .change(&plan, content(&sections, json!({ "route": "RETURN_HOME", "parallelRoute": "LONG_TERM_FOSTERING" })))
        .await;
    assert_eq!(scene.agree("SERVICE_MANAGER", &plan).await["plan"]["route"], "RETURN_HOME");
    assert_eq!(refused(&ask().await), "PERMANENCE_PLAN_AGREED", "home is not to remain in care");
    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let revised =
        scene.server.done("SOCIAL_WORKER", "revisePlan", PLAN, step(("planId", &plan), version, json!({}))).await;
    let draft = revised["plan"]["id"].as_str().unwrap();
    scene.change(draft, content(&sections, json!({ "route": "LONG_TERM_FOSTERING" }))).await;
    assert_eq!(refused(&ask().await), "PERMANENCE_PLAN_AGREED", "a draft is not agreed");
    assert_eq!(scene.agree("SERVICE_MANAGER", draft).await["errors"], json!([]));
    let asked = ask().await;
    assert_eq!(asked["transfer"]["state"], "REQUESTED");

    // The receiving unit sees no plan yet, and takes the case on the strength of it.
    let transfer = asked["transfer"]["id"].as_str().unwrap();
    let accept = json!({ "idempotencyKey": key(), "transferId": transfer, "expectedVersion": 1 });
    let taken = scene
        .server
        .mutate_as(scene.consultant_of("LOOKED_AFTER").await, "acceptTransfer", "case { status }", accept)
        .await;
    assert_eq!((&taken["errors"], &taken["case"]["status"]), (&json!([]), &json!("LOOKED_AFTER_LAC")), "{taken:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adoption_service_takes_a_child_while_the_plan_for_adoption_stands() {
    let scene = Scene::with("LOOKED_AFTER").await;
    scene.client.execute("update units set service = 'ADOPTION' where service = 'LOOKED_AFTER'", &[]).await.unwrap();
    let to = scene.unit_of("ADOPTION").await;
    let ask = async || {
        let version = version_of(&scene.server, "CLINICIAN", &scene.case).await;
        let input = step(
            ("caseId", &scene.case),
            version,
            json!({ "toUnitId": to, "kind": "TO_ADOPTION", "handoverSummary": "Waits." }),
        );
        scene.server.mutate("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "transfer { id state }", input).await
    };
    let permanence = scene.agreed("SERVICE_MANAGER", "PERMANENCE", json!({ "route": "ADOPTION" })).await;
    assert_eq!(refused(&ask().await), "ADOPTION_PLAN_AGREED");
    let adoption = scene.agreed("SERVICE_MANAGER", "ADOPTION", json!({})).await;
    let record = async |what: &str, day: &str, why: Option<&str>| {
        let version = version_of(&scene.server, "SOCIAL_WORKER", &adoption).await;
        let more = json!({ "step": what, "happenedOn": day, "reversalReason": why });
        scene
            .server
            .mutate("SOCIAL_WORKER", "recordAdoptionStep", PLAN, step(("planId", &adoption), version, more))
            .await
    };

    // The route changed: the plan for adoption is in force, and stands no longer.
    let version = version_of(&scene.server, "SOCIAL_WORKER", &permanence).await;
    let revised =
        scene.server.done("SOCIAL_WORKER", "revisePlan", PLAN, step(("planId", &permanence), version, json!({}))).await;
    let other = revised["plan"]["id"].as_str().unwrap();
    let sections = revised["plan"]["requiredSections"].clone();
    scene
        .change(other, content(&sections, json!({ "route": "LONG_TERM_FOSTERING", "parallelRoute": "ADOPTION" })))
        .await;
    assert_eq!(scene.agree("SERVICE_MANAGER", other).await["errors"], json!([]));
    let asked = ask().await;
    assert_eq!(asked["transfer"]["state"], "REQUESTED", "by the parallel route");

    // Reversed while the unit was asked.
    for (what, day) in [("BEST_INTEREST", "2026-11-02"), ("AGENCY_DECISION", "2026-11-09")] {
        assert_eq!(record(what, day, None).await["errors"], json!([]));
    }
    assert_eq!(record("REVERSED", "2026-11-16", Some("RD1")).await["errors"], json!([]));
    let accept = json!({ "idempotencyKey": key(), "transferId": asked["transfer"]["id"], "expectedVersion": 1 });
    let taken = scene.server.mutate_as(scene.consultant_of("ADOPTION").await, "acceptTransfer", "", accept).await;
    assert_eq!(refused(&taken), "ADOPTION_PLAN_AGREED");
    // Recorded with the wrong reason, it is recorded again.
    let again = record("REVERSED", "2026-11-16", Some("RD3")).await;
    assert_eq!(again["plan"]["adoptionSteps"].as_array().unwrap().len(), 4, "{again:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_looked_after_service_takes_such_a_child_from_the_queue_too() {
    let scene = Scene::with("LOOKED_AFTER").await;
    let query = "query($id: ID!) { case(id: $id) { primaryAllocation { id } } }";
    let held = scene.server.data("CLINICIAN", query, json!({ "id": scene.case })).await;
    let to = scene.unit_of("LOOKED_AFTER").await;
    let waiting = async || {
        let case = scene.case[5..].to_owned();
        let query = "select version from cases where id::text = $1";
        let version: i32 = scene.client.query_one(query, &[&case]).await.unwrap().get(0);
        let input = step(("caseId", &scene.case), version.into(), json!({ "unitId": to, "reason": "Settled." }));
        scene.server.mutate("FIRST_RESPONSE", "allocateCase", "case { status }", input).await
    };
    let permanent = scene.agreed("SERVICE_MANAGER", "PERMANENCE", json!({ "route": "RETURN_HOME" })).await;
    let revised =
        scene.server.done("SOCIAL_WORKER", "revisePlan", PLAN, step(("planId", &permanent), 3, json!({}))).await;
    let draft = revised["plan"]["id"].as_str().unwrap();
    let sections = revised["plan"]["requiredSections"].clone();
    scene.change(draft, content(&sections, json!({ "route": "LONG_TERM_FOSTERING" }))).await;
    assert_eq!(scene.agree("SERVICE_MANAGER", draft).await["errors"], json!([]));
    let version = version_of(&scene.server, "CLINICIAN", &scene.case).await;
    let end = json!({ "idempotencyKey": key(), "allocationId": held["case"]["primaryAllocation"]["id"], "reason": "x",
                      "expectedVersion": version });
    scene.server.done("CONSULTANT_SOCIAL_WORKER", "endAllocation", "", end).await;
    let taken = waiting().await;
    assert_eq!(taken["errors"], json!([]), "{taken:#}");
    let status: String = scene
        .client
        .query_one("select status from cases where id::text = $1", &[&scene.case[5..].to_owned()])
        .await
        .unwrap()
        .get(0);
    assert_eq!(status, "LOOKED_AFTER_LAC");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_for_adoption_follows_the_permanence_plan_and_its_steps_follow_one_another() {
    let scene = Scene::with("LOOKED_AFTER").await;
    let plan = scene.draft("ADOPTION", json!({})).await;
    assert_eq!(refused(&scene.agree("SERVICE_MANAGER", &plan).await), "PERMANENCE_ROUTE");
    scene.agreed("SERVICE_MANAGER", "PERMANENCE", json!({ "route": "RETURN_HOME", "parallelRoute": "ADOPTION" })).await;
    let record = async |what: &str, more: Value| {
        let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
        let mut input = step(("planId", &plan), version, more);
        input["step"] = json!(what);
        scene.server.mutate("SOCIAL_WORKER", "recordAdoptionStep", PLAN, input).await
    };
    let early = record("BEST_INTEREST", json!({ "happenedOn": "2026-11-02" })).await;
    assert_eq!(early["errors"][0]["from"], "DRAFT", "{early:#}");
    assert_eq!(early["errors"][0]["legalNext"], json!(["ACTIVE", "SUPERSEDED"]));
    assert_eq!(scene.agree("SERVICE_MANAGER", &plan).await["errors"], json!([]));

    assert_eq!(refused(&record("MATCHED", json!({ "happenedOn": "2026-11-02" })).await), "ADOPTION_STEPS");
    assert_eq!(record("BEST_INTEREST", json!({ "happenedOn": "2026-11-02" })).await["errors"], json!([]));
    assert_eq!(refused(&record("AGENCY_DECISION", json!({ "happenedOn": "2026-11-01" })).await), "ADOPTION_ORDER");
    assert_eq!(record("AGENCY_DECISION", json!({ "happenedOn": "2026-11-09" })).await["errors"], json!([]));
    // A wrong day is recorded again, and both stand there.
    let again = record("AGENCY_DECISION", json!({ "happenedOn": "2026-11-10" })).await;
    let steps: Vec<&Value> =
        again["plan"]["adoptionSteps"].as_array().unwrap().iter().map(|one| &one["happenedOn"]).collect();
    assert_eq!(steps, ["2026-11-10", "2026-11-09", "2026-11-02"]);
    for (more, field) in [
        (json!({ "happenedOn": "2026-11-19", "step": "MATCHED" }), "happenedOn"),
        (json!({ "happenedOn": "2026-11-12", "step": "REVERSED" }), "reversalReason"),
        (json!({ "happenedOn": "2026-11-12", "step": "MATCHED", "reversalReason": "RD1" }), "reversalReason"),
    ] {
        let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
        let variables = json!({ "input": step(("planId", &plan), version, more) });
        let answer = scene.server.answer("SOCIAL_WORKER", &document("recordAdoptionStep", ""), variables).await;
        assert_eq!(answer["errors"][0]["extensions"]["field"], field, "{answer:#}");
    }
    let query = "query($id: ID!) { child(id: $id) { chronology(first: 9, kinds: [ADOPTION_STEP]) { nodes { title at node { id } } } } }";
    let told = scene.server.data("CLINICIAN", query, json!({ "id": format!("Child:{}", scene.child) })).await;
    let told = &told["child"]["chronology"]["nodes"];
    assert_eq!(told[0]["title"], "ZQ: plan for adoption: agency decision", "{told:#}");
    assert_eq!(
        (told.as_array().unwrap().len(), &told[0]["node"]["id"]),
        (2, &json!(plan)),
        "of each step the last record"
    );
    let reversed = record("REVERSED", json!({ "happenedOn": "2026-11-16", "reversalReason": "RD3" })).await;
    assert_eq!(reversed["errors"], json!([]), "{reversed:#}");
    assert_eq!(refused(&record("MATCHED", json!({ "happenedOn": "2026-11-17" })).await), "NOT_REVERSED");
    let health = scene.agreed("CONSULTANT_SOCIAL_WORKER", "HEALTH", json!({})).await;
    let version = version_of(&scene.server, "SOCIAL_WORKER", &health).await;
    let input = step(("planId", &health), version, json!({ "step": "BEST_INTEREST", "happenedOn": "2026-11-02" }));
    let other = scene.server.mutate("SOCIAL_WORKER", "recordAdoptionStep", "", input.clone()).await;
    assert_eq!(refused(&other), "PLAN_FOR_ADOPTION");
    assert_eq!(scene.code("CLINICIAN", "recordAdoptionStep", input).await, "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pathway_plan_is_for_a_young_person_whose_needs_were_assessed_and_who_has_a_personal_adviser() {
    let scene = Scene::with("CARE_LEAVER").await;
    let plan = scene.draft("PATHWAY", json!({})).await;
    assert_eq!(refused(&scene.agree("CONSULTANT_SOCIAL_WORKER", &plan).await), "NEEDS_ASSESSED");
    let sections = scene.look(&plan).await["requiredSections"].clone();
    scene.change(&plan, content(&sections, json!({ "needsAssessedOn": "2026-11-02" }))).await;
    assert_eq!(refused(&scene.agree("CONSULTANT_SOCIAL_WORKER", &plan).await), "PERSONAL_ADVISER");
    scene.part("DATA_ANALYST", "PERSONAL_ADVISER").await;
    assert_eq!(refused(&scene.agree("CONSULTANT_SOCIAL_WORKER", &plan).await), "AGE");
    let sixteen = "update persons set date_of_birth = '2010-11-18' where id = $1";
    scene.client.execute(sixteen, &[&scene.child]).await.unwrap();
    // On its first day too: neither too young nor before the assessment.
    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let from = |day: &str| step(("planId", &plan), version, json!({ "startOn": day }));
    let early = scene.server.mutate("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", from("2026-11-16")).await;
    assert_eq!(refused(&early), "AGE");
    assert_eq!(scene.code("CONSULTANT_SOCIAL_WORKER", "agreePlan", from("2026-11-01")).await, "BAD_USER_INPUT");
    let agreed = scene.agree("CONSULTANT_SOCIAL_WORKER", &plan).await;
    assert_eq!(agreed["plan"]["needsAssessedOn"], "2026-11-02", "{agreed:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_agreed_when_the_child_and_everybody_with_parental_responsibility_were_asked() {
    let scene = Scene::with("CIN").await;
    let mother = people::person(&scene.client, "Ada", "Quill").await;
    let father = people::person(&scene.client, "Bert", "Quill").await;
    for parent in [mother, father] {
        people::related(&scene.client, (parent, "parent"), (scene.child, "child"), None).await;
    }
    scene
        .client
        .execute("update relationships set parental_responsibility = 'Y' where other_id = $1", &[&scene.child])
        .await
        .unwrap();
    let more = json!({ "agreedChangeBy": "2027-02-28", "goals": [goal("Sleeps at home.")], "childView": null, "parentView": null });
    let plan = scene.draft("CIN", more).await;
    let say = async |by: &str, person: Uuid, stance: &str| {
        let input = json!({ "idempotencyKey": key(), "planId": plan, "saidById": format!("Person:{person}"), "stance": stance, "words": "Too much at once.", "saidOn": "2026-11-17" });
        scene.server.mutate(by, "recordPlanView", PLAN, input).await
    };
    let agree = async || scene.agree("CONSULTANT_SOCIAL_WORKER", &plan).await;
    assert_eq!(refused(&agree().await), "CHILD_HEARD");
    assert_eq!(say("CHILDRENS_PRACTITIONER", scene.child, "AGREES").await["errors"], json!([]));
    let missing = agree().await;
    assert_eq!(refused(&missing), "PARENTS_HEARD");
    assert!(
        missing["errors"][0]["explanation"].as_str().unwrap().contains(" 2 with parental responsibility"),
        "{missing}"
    );
    assert_eq!(say("SOCIAL_WORKER", mother, "DISAGREES").await["errors"], json!([]));
    assert!(agree().await["errors"][0]["explanation"].as_str().unwrap().contains(" 1 with parental responsibility"));
    // Who cannot be found is not asked, and it says why. Nobody has to agree.
    let said = say("UNIT_COORDINATOR", father, "NOT_ASKED").await;
    let stances: Vec<&Value> = said["plan"]["views"].as_array().unwrap().iter().map(|view| &view["stance"]).collect();
    assert_eq!(stances, ["NOT_ASKED", "DISAGREES", "AGREES"]);
    assert_eq!(agree().await["plan"]["status"], "ACTIVE");

    // What is said of a plan in force is heard too; not of one that is nobody's, nor by somebody who is hidden.
    assert_eq!(say("CLINICIAN", mother, "AGREES_IN_PART").await["errors"], json!([]));
    let of = |person: String, day: &str| json!({ "idempotencyKey": key(), "planId": plan, "saidById": person, "stance": "AGREES", "words": "x", "saidOn": day });
    let stranger = people::person(&scene.client, "Cy", "Far").await;
    assert_eq!(
        scene.code("SOCIAL_WORKER", "recordPlanView", of(format!("Person:{stranger}"), "2026-11-17")).await,
        "NOT_FOUND"
    );
    assert_eq!(
        scene.code("OTHER_UNIT", "recordPlanView", of(format!("Person:{mother}"), "2026-11-17")).await,
        "NOT_FOUND"
    );
    assert_eq!(
        scene.code("SERVICE_MANAGER", "recordPlanView", of(format!("Person:{mother}"), "2026-11-17")).await,
        "FORBIDDEN"
    );
    let late = scene.code("SOCIAL_WORKER", "recordPlanView", of(format!("Person:{mother}"), "2026-11-19")).await;
    assert_eq!(late, "BAD_USER_INPUT");
    let early = scene.code("SOCIAL_WORKER", "recordPlanView", of(format!("Person:{mother}"), "2015-01-01")).await;
    assert_eq!(early, "BAD_USER_INPUT", "before there was a case");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_asks_again_what_they_say_unless_it_carries_their_words() {
    let scene = Scene::with("CIN").await;
    let more = json!({ "agreedChangeBy": "2027-02-28", "goals": [goal("Sleeps at home.")], "childView": null, "parentView": null });
    let plan = scene.draft("CIN", more).await;
    let child = json!({ "idempotencyKey": key(), "planId": plan, "saidById": format!("Person:{}", scene.child), "stance": "NO_ANSWER", "words": "Hid.", "saidOn": "2026-11-17" });
    scene.server.done("SOCIAL_WORKER", "recordPlanView", "", child).await;
    assert_eq!(scene.agree("CONSULTANT_SOCIAL_WORKER", &plan).await["errors"], json!([]));
    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let revised =
        scene.server.done("SOCIAL_WORKER", "revisePlan", PLAN, step(("planId", &plan), version, json!({}))).await;
    let draft = revised["plan"]["id"].as_str().unwrap();
    assert_eq!(revised["plan"]["views"], json!([]));
    assert_eq!(refused(&scene.agree("CONSULTANT_SOCIAL_WORKER", draft).await), "CHILD_HEARD");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_agreed_period_is_over_the_plan_does_not_simply_go_on() {
    let scene = Scene::with("CIN").await;
    let more = json!({ "agreedChangeBy": "2026-12-01", "goals": [goal("Sleeps at home.")] });
    let plan = scene.agreed("CONSULTANT_SOCIAL_WORKER", "CIN", more).await;
    assert_eq!(scene.look(&plan).await["changePeriodOver"], false);
    scene.server.later(chrono::Duration::days(14));
    assert_eq!(scene.look(&plan).await["changePeriodOver"], true);
    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let review =
        json!({ "heldOn": "2026-12-02", "participation": "PN1", "changeOfPlan": false, "nextReviewOn": "2027-02-20" });
    let payload =
        scene.server.mutate("SOCIAL_WORKER", "recordPlanReview", "", step(("planId", &plan), version, review)).await;
    assert_eq!(refused(&payload), "CHANGE_PERIOD_OVER");
    // Nor does a revision that is agreed for longer.
    let revised =
        scene.server.done("SOCIAL_WORKER", "revisePlan", PLAN, step(("planId", &plan), version, json!({}))).await;
    let (draft, goal) = (revised["plan"]["id"].as_str().unwrap(), goal("Sleeps at home."));
    scene.change(draft, content(&json!([]), json!({ "agreedChangeBy": "2027-03-01", "goals": [goal] }))).await;
    assert_eq!(refused(&scene.agree("CONSULTANT_SOCIAL_WORKER", draft).await), "CHANGE_PERIOD_OVER");
    // The unit chooses; then it goes on.
    let escalate = step(("planId", &plan), version, json!({ "reason": "No change." }));
    scene.server.done("CONSULTANT_SOCIAL_WORKER", "escalatePlan", "", escalate).await;
    let extend = json!({ "choice": "EXTEND", "reason": "She began to stay.", "newChangeBy": "2027-02-01" });
    let payload = scene
        .server
        .done("CONSULTANT_SOCIAL_WORKER", "settlePlanEscalation", PLAN, step(("planId", &plan), version + 1, extend))
        .await;
    assert_eq!((&payload["plan"]["status"], &payload["plan"]["changePeriodOver"]), (&json!("ACTIVE"), &json!(false)));
    assert_eq!(refused(&scene.agree("CONSULTANT_SOCIAL_WORKER", draft).await), "SECOND_EXTENSION", "a month more");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_everything_is_achieved_a_plan_goes_on_after_its_period() {
    let scene = Scene::with("CIN").await;
    let more = |until: &str, what: &str| json!({ "agreedChangeBy": until, "goals": [goal(what)] });
    let plan = scene.agreed("CONSULTANT_SOCIAL_WORKER", "CIN", more("2026-12-01", "Sleeps at home.")).await;
    scene.server.later(chrono::Duration::days(14));
    let query = "query($id: ID!) { plan(id: $id) { goals { id version } } }";
    let goals = scene.server.data("CLINICIAN", query, json!({ "id": plan })).await;
    let first = &goals["plan"]["goals"][0];
    let settle = json!({ "idempotencyKey": key(), "goalId": first["id"], "status": "NOT_MET", "expectedVersion": first["version"] });
    scene.server.done("SOCIAL_WORKER", "setGoalStatus", "", settle).await;
    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let review =
        json!({ "heldOn": "2026-12-02", "participation": "PN1", "changeOfPlan": true, "nextReviewOn": "2027-02-20" });
    scene.server.done("SOCIAL_WORKER", "recordPlanReview", "", step(("planId", &plan), version, review)).await;
    let revised =
        scene.server.done("SOCIAL_WORKER", "revisePlan", PLAN, step(("planId", &plan), version + 1, json!({}))).await;
    let draft = revised["plan"]["id"].as_str().unwrap();
    scene.change(draft, content(&json!([]), more("2027-03-01", "Goes to school."))).await;
    assert_eq!(scene.agree("CONSULTANT_SOCIAL_WORKER", draft).await["errors"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_agreed_for_longer_extends_the_period_and_the_unit_does_that_once() {
    let scene = Scene::with("CIN").await;
    let more = |until: &str| json!({ "agreedChangeBy": until, "goals": [goal("Sleeps at home.")] });
    let mut plan = scene.agreed("CONSULTANT_SOCIAL_WORKER", "CIN", more("2027-01-01")).await;
    for (until, guard) in [("2026-12-20", None), ("2027-02-01", None), ("2027-03-01", Some("SECOND_EXTENSION"))] {
        let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
        let revised =
            scene.server.done("SOCIAL_WORKER", "revisePlan", PLAN, step(("planId", &plan), version, json!({}))).await;
        let draft = revised["plan"]["id"].as_str().unwrap().to_owned();
        scene.change(&draft, content(&json!([]), more(until))).await;
        let agreed = scene.agree("CONSULTANT_SOCIAL_WORKER", &draft).await;
        match guard {
            Some(guard) => assert_eq!(refused(&agreed), guard, "{until}"),
            None => assert_eq!(agreed["errors"], json!([]), "{until}"),
        }
        plan = draft;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_says_how_the_child_took_part_and_an_infant_takes_part_as_one() {
    let scene = Scene::with("CIN").await;
    let plan = scene
        .agreed(
            "CONSULTANT_SOCIAL_WORKER",
            "CIN",
            json!({ "agreedChangeBy": "2027-02-28", "goals": [goal("Sleeps.")] }),
        )
        .await;
    scene.server.later(chrono::Duration::days(7));
    let version = version_of(&scene.server, "SOCIAL_WORKER", &plan).await;
    let review = |how: &str| {
        step(
            ("planId", &plan),
            version,
            json!({ "heldOn": "2026-11-25", "participation": how, "changeOfPlan": false, "nextReviewOn": "2027-02-20" }),
        )
    };
    let answer = scene
        .server
        .answer("SOCIAL_WORKER", &document("recordPlanReview", ""), json!({ "input": review("PN0") }))
        .await;
    assert_eq!(answer["errors"][0]["extensions"]["field"], "participation", "she is eight");
    scene.server.done("SOCIAL_WORKER", "recordPlanReview", "", review("PN6")).await;
    let query = "query($id: ID!) { plan(id: $id) { reviews { participation } } }";
    let read = scene.server.data("CLINICIAN", query, json!({ "id": plan })).await;
    assert_eq!(read["plan"]["reviews"][0]["participation"], "PN6");
}

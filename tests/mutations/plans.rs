//! Plans: every status with every step that is legal in it and every step that is not (domain 3.3), and the guards.

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{
    safeguarding::MINE,
    support::{self, Server, document, key, people},
};

/// Which steps are legal in which status, and what can come next. Written by hand from the state machine. A draft is
/// revised only when it was shared; that has a test of its own.
const LEGAL: &[(&str, &[&str], &[&str])] = &[
    ("DRAFT", &["changePlanDraft", "agreePlan", "sharePlan"], &["ACTIVE", "SUPERSEDED"]),
    (
        "ACTIVE",
        &[
            "sharePlan",
            "revisePlan",
            "completePlanAction",
            "recordChangeEvidence",
            "setGoalStatus",
            "recordPlanReview",
            "escalatePlan",
            "endPlan",
        ],
        &["SUPERSEDED", "ENDED", "ESCALATED"],
    ),
    (
        "ESCALATED",
        &[
            "sharePlan",
            "revisePlan",
            "completePlanAction",
            "recordChangeEvidence",
            "setGoalStatus",
            "recordPlanReview",
            "extend",
            "strategy",
            "legalGateway",
            "careDecision",
            "close",
            "endPlan",
        ],
        &["ACTIVE", "SUPERSEDED", "ENDED"],
    ),
    ("SUPERSEDED", &[], &[]),
    ("ENDED", &[], &[]),
];

const STEPS: &[&str] = &[
    "changePlanDraft",
    "agreePlan",
    "sharePlan",
    "revisePlan",
    "completePlanAction",
    "recordChangeEvidence",
    "setGoalStatus",
    "recordPlanReview",
    "escalatePlan",
    "extend",
    "strategy",
    "legalGateway",
    "careDecision",
    "close",
    "endPlan",
];

const PLAN: &str = "plan { id status version revision startOn endOn agreedChangeBy sharedAt reviewDueOn
    goals { id version status whatNeedsToChange actions { id version text doneOn droppedOn outcome ownerAgency } } }";

/// What a plan says that lacks nothing.
fn content() -> Value {
    json!({ "overallAim": "Sam is safe at home.", "agreedChangeBy": "2027-02-28", "childView": "I want to stay.", "parentView": "It is fair.",
        "goals": [
            { "whatNeedsToChange": "Sam goes to school every day.", "measure": "Attendance", "baseline": "60 %",
              "target": "95 %", "actions": [
                { "text": "Meets the family at the gate.", "ownerAgency": "Park Primary School", "dueOn": "2026-12-01" },
                { "text": "Morning plan with the mother.", "ownerAgency": "Family support" } ] },
            { "whatNeedsToChange": "The home is warm.", "measure": "Temperature", "target": "18 degrees",
              "actions": [{ "text": "Has the boiler repaired.", "ownerAgency": "Housing" }] } ] })
}

/// A case of unit 3 without a plan, and a draft for it.
struct Planning {
    server: Server,
    client: Client,
    case: String,
    plan: String,
}

impl Planning {
    async fn draft() -> Self {
        let server = Server::start().await;
        let client = support::connect("postgres", &server.database).await;
        let (case, _) = server.allocated_to(3).await;
        let input = json!({ "idempotencyKey": key(), "caseId": case, "kind": "CIN", "content": content() });
        let payload = server.done("SOCIAL_WORKER", "draftPlan", PLAN, input).await;
        assert_eq!((&payload["plan"]["status"], &payload["plan"]["version"]), (&json!("DRAFT"), &json!(1)));
        let plan = payload["plan"]["id"].as_str().unwrap().to_owned();
        Self { server, client, case, plan }
    }

    async fn active() -> Self {
        let planning = Self::draft().await;
        planning.take("agreePlan").await;
        planning
    }

    /// Another new plan of the case.
    async fn drafted(&self) -> String {
        let input = json!({ "idempotencyKey": key(), "caseId": self.case, "kind": "CIN", "content": content() });
        let payload = self.server.done("SOCIAL_WORKER", "draftPlan", PLAN, input).await;
        payload["plan"]["id"].as_str().unwrap().to_owned()
    }

    /// The plan's next version.
    async fn revised(&self) -> String {
        let (_, input) = self.input("revisePlan").await;
        let payload = self.server.done("SOCIAL_WORKER", "revisePlan", PLAN, input).await;
        payload["plan"]["id"].as_str().unwrap().to_owned()
    }

    async fn pursued(&self) -> Vec<Value> {
        let goals = self.look().await["goals"].as_array().unwrap().clone();
        goals.into_iter().filter(|goal| goal["status"] != "DROPPED").collect()
    }

    async fn settle_goals(&self, status: &str) {
        for goal in self.pursued().await {
            let input = json!({ "idempotencyKey": key(), "goalId": goal["id"], "status": status, "expectedVersion": goal["version"] });
            self.server.done("SOCIAL_WORKER", "setGoalStatus", "", input).await;
        }
    }

    async fn look(&self) -> Value {
        self.look_at(&self.plan).await
    }

    async fn look_at(&self, plan: &str) -> Value {
        let query = format!("query($id: ID!) {{ {} }}", PLAN.replacen("plan", "plan(id: $id)", 1));
        self.server.data("CLINICIAN", &query, json!({ "id": plan })).await["plan"].take()
    }

    async fn input(&self, step: &str) -> (String, Value) {
        self.input_of(&self.plan, step).await
    }

    /// The input of a step that lacks nothing but, perhaps, the right status.
    async fn input_of(&self, plan: &str, step: &str) -> (String, Value) {
        let now = self.look_at(plan).await;
        let mut input = json!({ "idempotencyKey": key(), "planId": plan, "expectedVersion": now["version"] });
        let mut mutation = step.to_owned();
        // The first that is still pursued.
        let null = Value::Null;
        let pursued = |goal: &&Value| goal["status"] != "DROPPED";
        let goal = now["goals"].as_array().and_then(|all| all.iter().find(pursued)).unwrap_or(&null);
        let open = |action: &&Value| action["doneOn"].is_null() && action["droppedOn"].is_null();
        let actions = goal["actions"].as_array();
        let action = actions.and_then(|all| all.iter().find(open).or(all.first())).unwrap_or(&null);
        match step {
            "changePlanDraft" => input["content"] = content(),
            "agreePlan" => input["reviewDueOn"] = json!("2027-02-18"),
            "sharePlan" => {
                input["recipients"] = json!([{ "agencyName": "Park Primary School" }]);
                input["method"] = json!("EMAIL");
                input["sharedOn"] = json!("2026-11-18");
            }
            "completePlanAction" => {
                input = json!({ "idempotencyKey": key(), "actionId": action["id"], "doneOn": "2026-11-18",
                                "outcome": "Works", "expectedVersion": action["version"] });
            }
            "recordChangeEvidence" => {
                input = json!({ "idempotencyKey": key(), "goalId": goal["id"], "observedOn": "2026-11-18",
                    "source": "VISIT", "strength": "STRONG", "sustainedSince": "2026-10-01", "text": "On time all week." });
            }
            "setGoalStatus" => {
                let status = if goal["status"] == "NOT_MET" { "OPEN" } else { "NOT_MET" };
                input = json!({ "idempotencyKey": key(), "goalId": goal["id"], "status": status,
                                "expectedVersion": goal["version"] });
            }
            "recordPlanReview" => {
                input["heldOn"] = json!("2026-11-18");
                input["changeOfPlan"] = json!(false);
                input["participation"] = json!("PN1");
                input["decisions"] = json!(["Goes on"]);
                input["nextReviewOn"] = json!("2027-05-18");
            }
            "escalatePlan" => input["reason"] = json!("No change."),
            "endPlan" => {
                input["endOn"] = json!("2026-11-18");
                input["reason"] = json!("Done.");
            }
            "extend" | "strategy" | "legalGateway" | "careDecision" | "close" => {
                mutation = "settlePlanEscalation".to_owned();
                input["reason"] = json!("x");
                let choice = match step {
                    "extend" => {
                        input["newChangeBy"] = json!("2027-04-30");
                        "EXTEND"
                    }
                    "strategy" => "STRATEGY",
                    "legalGateway" => "LEGAL_GATEWAY",
                    "careDecision" => "CARE_DECISION",
                    _ => "CLOSE",
                };
                input["choice"] = json!(choice);
            }
            "revisePlan" => {}
            other => panic!("no input for {other}"),
        }
        (mutation, input)
    }

    async fn attempt(&self, step: &str) -> Value {
        let (mutation, input) = self.input(step).await;
        self.server.mutate("CONSULTANT_SOCIAL_WORKER", &mutation, PLAN, input).await
    }

    async fn take(&self, step: &str) -> Value {
        let payload = self.attempt(step).await;
        assert_eq!(payload["errors"], json!([]), "{step}: {payload:#}");
        payload
    }

    async fn refused_by(&self, guard: &str, step: &str, change: impl FnOnce(&mut Value)) {
        let (mutation, mut input) = self.input(step).await;
        change(&mut input);
        let payload = self.server.mutate("CONSULTANT_SOCIAL_WORKER", &mutation, "", input).await;
        assert_eq!(payload["errors"][0]["guard"], guard, "{step}: {payload:#}");
        assert!(!payload["errors"][0]["explanation"].as_str().unwrap().is_empty());
    }

    async fn bad_input(&self, field: &str, step: &str, change: impl FnOnce(&mut Value)) {
        let (mutation, mut input) = self.input(step).await;
        change(&mut input);
        let variables = json!({ "input": input });
        let answer = self.server.answer("CONSULTANT_SOCIAL_WORKER", &document(&mutation, ""), variables).await;
        assert_eq!(answer["errors"][0]["extensions"]["field"], field, "{step}: {answer:#}");
    }

    /// Puts the plan into a status past the service, as if its steps had led there: triggers on history are off.
    async fn put_into(&self, status: &str) {
        let id: uuid::Uuid = self.plan.strip_prefix("Plan:").unwrap().parse().unwrap();
        let settled = if matches!(status, "ACTIVE" | "ESCALATED") { "NOT_MET" } else { "OPEN" };
        let escalation = if status == "ESCALATED" {
            format!(
                "insert into plan_escalations (id, plan_id, child_id, raised_at, reason)
                 select gen_random_uuid(), id, child_id, now(), 'x' from plans where id = '{id}';"
            )
        } else {
            String::new()
        };
        self.client
            .batch_execute(&format!(
                "begin; set local session_replication_role = replica;
                 delete from plan_escalations where plan_id = '{id}';
                 delete from plan_reviews where plan_id = '{id}';
                 delete from plan_actions where plan_id in (select id from plans where previous_id = '{id}');
                 delete from plan_goals where plan_id in (select id from plans where previous_id = '{id}');
                 delete from plans where previous_id = '{id}';
                 {escalation}
                 update plan_actions set done_on = null, outcome = null, dropped_on = null where plan_id = '{id}';
                 update plan_goals set status = '{settled}' where plan_id = '{id}' and status <> 'DROPPED';
                 update plans set status = '{status}', shared_at = null, agreed_change_by = '2027-02-28',
                     start_on = case when '{status}' <> 'DRAFT' then date '2026-11-01' end,
                     end_on = case when '{status}' in ('ENDED', 'SUPERSEDED') then date '2026-11-17' end where id = '{id}';
                 commit"
            ))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_status_allows_its_steps_and_refuses_the_others_with_what_can_come_next() {
    let planning = Planning::draft().await;
    // So that a plan of the first of the month belongs to the case's time.
    planning
        .client
        .batch_execute(
            "update cases set opened_on = '2026-10-01' where opened_on > '2026-10-01' and status <> 'CLOSED'",
        )
        .await
        .unwrap();
    let mut tried = (0, 0);
    for (status, legal, next) in LEGAL {
        planning.put_into(status).await;
        for step in STEPS.iter().filter(|step| !legal.contains(step)) {
            let payload = planning.attempt(step).await;
            let error = &payload["errors"][0];
            tried.1 += 1;
            // Closing is ending, which a plan in force allows; but there is nothing to settle.
            if (*status, *step) == ("ACTIVE", "close") {
                assert_eq!(error["guard"], "ESCALATED", "{payload:#}");
                continue;
            }
            if (*status, *step) == ("DRAFT", "revisePlan") {
                assert_eq!(error["guard"], "SHARED", "{payload:#}");
                continue;
            }
            assert_eq!(error["__typename"], "IllegalTransition", "{status} {step}: {payload:#}");
            assert_eq!((&error["from"], &error["legalNext"]), (&json!(status), &json!(next)), "{status} {step}");
            assert_eq!(planning.look().await["status"], *status);
        }
        for step in *legal {
            planning.put_into(status).await;
            planning.take(step).await;
            let reached = planning.look().await["status"].as_str().unwrap().to_owned();
            assert!(reached == *status || next.contains(&reached.as_str()), "{status} {step} led to {reached}");
            tried.0 += 1;
        }
    }
    assert_eq!(tried.0 + tried.1, LEGAL.len() * STEPS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_whose_step_it_is_may_take_it() {
    let planning = Planning::active().await;
    for step in STEPS {
        let (mutation, input) = planning.input(step).await;
        let query = document(&mutation, "");
        for (person, expected) in
            [("OTHER_UNIT", "NOT_FOUND"), ("FIRST_RESPONSE", "NOT_FOUND"), ("HEAD_OF_SERVICE", "FORBIDDEN")]
        {
            let code = planning.server.code(person, &query, json!({ "input": input })).await;
            assert_eq!(code, expected, "{step} by {person}");
        }
        let clinician_may = ["completePlanAction", "recordChangeEvidence"].contains(step);
        if !clinician_may {
            assert_eq!(
                planning.server.code("CLINICIAN", &query, json!({ "input": input })).await,
                "FORBIDDEN",
                "{step}"
            );
        }
    }
    // The social worker drafts, the consultant social worker agrees.
    let other = Planning::draft().await;
    let (mutation, input) = other.input("agreePlan").await;
    assert_eq!(
        other.server.code("SOCIAL_WORKER", &document(&mutation, ""), json!({ "input": input })).await,
        "FORBIDDEN"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_agreed_only_with_measured_goals_actions_and_a_period_for_change() {
    let planning = Planning::draft().await;
    let server = &planning.server;
    let change = async |edit: &dyn Fn(&mut Value)| {
        let (mutation, mut input) = planning.input("changePlanDraft").await;
        edit(&mut input["content"]);
        server.done("SOCIAL_WORKER", &mutation, "", input).await;
    };
    for (guard, edit) in [
        ("GOALS", &(|content: &mut Value| content["goals"] = json!([])) as &dyn Fn(&mut Value)),
        ("GOALS_MEASURED", &|content| content["goals"][1]["target"] = Value::Null),
        ("GOALS_HAVE_ACTIONS", &|content| content["goals"][1]["actions"] = json!([])),
        ("PERIOD_AGREED", &|content| content["agreedChangeBy"] = Value::Null),
        ("PERIOD_AGREED", &|content| content["agreedChangeBy"] = json!("2026-11-17")),
    ] {
        change(edit).await;
        planning.refused_by(guard, "agreePlan", |_| {}).await;
    }
    change(&|_| {}).await;
    planning.bad_input("startOn", "agreePlan", |input| input["startOn"] = json!("2026-11-19")).await;
    planning.bad_input("startOn", "agreePlan", |input| input["startOn"] = json!("2020-01-01")).await;
    planning.bad_input("reviewDueOn", "agreePlan", |input| input["reviewDueOn"] = json!("2026-11-18")).await;
    let payload = planning.take("agreePlan").await;
    assert_eq!((&payload["plan"]["status"], &payload["plan"]["startOn"]), (&json!("ACTIVE"), &json!("2026-11-18")));
    let query = "query($id: ID!) { case(id: $id) { currentPlans { id } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": planning.case })).await;
    assert_eq!(data["case"]["currentPlans"], json!([{ "id": planning.plan }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_in_need_plan_and_a_protection_plan_are_never_in_force_together() {
    let planning = Planning::draft().await;
    let server = &planning.server;
    // One draft of a new plan at a time.
    let input = json!({ "idempotencyKey": key(), "caseId": planning.case, "kind": "CIN", "content": content() });
    let refused = server.mutate("SOCIAL_WORKER", "draftPlan", "", input).await;
    assert_eq!(refused["errors"][0]["__typename"], "Conflict");
    // A conference makes protection plans, nobody else.
    let input =
        json!({ "idempotencyKey": key(), "caseId": planning.case, "kind": "CHILD_PROTECTION", "content": content() });
    let refused = server.mutate("SOCIAL_WORKER", "draftPlan", "", input).await;
    assert_eq!(refused["errors"][0]["guard"], "CONFERENCE_DECIDES");
    // While a protection plan is in force, the draft is not agreed.
    planning
        .client
        .execute(
            "insert into plans (id, case_id, child_id, kind, status, start_on, initial_category, latest_category, number_of_previous_cpps)
             select gen_random_uuid(), id, child_id, 'CHILD_PROTECTION', 'ACTIVE', '2026-11-17', 'NEG', 'NEG', 0
             from cases where 'Case:' || id = $1",
            &[&planning.case],
        )
        .await
        .unwrap();
    planning.refused_by("ONE_OPEN_PLAN", "agreePlan", |_| {}).await;
    let both = planning
        .client
        .execute(
            "update plans set status = 'ACTIVE', start_on = '2026-11-18' where 'Plan:' || id = $1",
            &[&planning.plan],
        )
        .await;
    assert!(both.unwrap_err().as_db_error().unwrap().message().contains("one_open_plan"), "nor by the database");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_version_stays_as_the_family_was_given_it() {
    let planning = Planning::draft().await;
    let server = &planning.server;
    planning.refused_by("SHARED", "revisePlan", |_| {}).await;
    let payload = planning.take("sharePlan").await;
    assert!(payload["plan"]["sharedAt"].is_string());
    planning.refused_by("NOT_SHARED", "changePlanDraft", |_| {}).await;
    // Nor by the database, whoever asks.
    let id: uuid::Uuid = planning.plan.strip_prefix("Plan:").unwrap().parse().unwrap();
    for statement in [
        format!("update plans set overall_aim = 'x' where id = '{id}'"),
        format!("update plan_goals set measure = 'x' where plan_id = '{id}'"),
        format!("update plan_actions set text = 'x' where plan_id = '{id}'"),
        format!("insert into plan_actions (id, goal_id, plan_id, child_id, text, owner_agency)
                 select gen_random_uuid(), id, plan_id, child_id, 'x', 'x' from plan_goals where plan_id = '{id}' limit 1"),
    ] {
        let error = planning.client.batch_execute(&statement).await.unwrap_err();
        assert!(error.as_db_error().unwrap().message().contains("was shared"), "{statement}: {error}");
    }
    // The next version takes the shared draft's place at once, with all that it said.
    let (mutation, input) = planning.input("revisePlan").await;
    let payload = server.done("SOCIAL_WORKER", &mutation, PLAN, input).await;
    let new = &payload["plan"];
    assert_eq!((&new["status"], &new["revision"]), (&json!("DRAFT"), &json!(2)));
    assert_eq!(new["goals"].as_array().unwrap().len(), 2);
    let old = planning.look().await;
    assert_eq!((&old["status"], &old["startOn"]), (&json!("SUPERSEDED"), &Value::Null));
    // Agreed, it is the case's plan; the shared draft never was.
    let id = new["id"].as_str().unwrap().to_owned();
    let (mutation, input) = planning.input_of(&id, "agreePlan").await;
    server.done("CONSULTANT_SOCIAL_WORKER", &mutation, "", input).await;
    assert_eq!(planning.look_at(&id).await["status"], "ACTIVE");
    let query = "query($id: ID!) { plan(id: $id) { shares { agencyName method sharedOn plan { id } sharedBy { id } } next { id previous { id } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": planning.plan })).await;
    assert_eq!(data["plan"]["shares"][0]["agencyName"], "Park Primary School");
    assert_eq!(data["plan"]["next"], json!({ "id": id, "previous": { "id": planning.plan } }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_replaces_the_version_in_force_when_it_is_agreed_and_keeps_its_first_day() {
    let planning = Planning::active().await;
    let server = &planning.server;
    planning.take("completePlanAction").await;
    planning.take("recordChangeEvidence").await;
    let (_, input) = planning.input("revisePlan").await;
    let payload = server.done("SOCIAL_WORKER", "revisePlan", PLAN, input).await;
    let new = payload["plan"]["id"].as_str().unwrap().to_owned();
    // What was done is not done again; what was seen still counts.
    assert_eq!(payload["plan"]["goals"][0]["actions"].as_array().unwrap().len(), 1);
    let query =
        "query($id: ID!) { plan(id: $id) { goals { evidence { totalCount nodes { text goal { plan { id } } } } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": new })).await;
    assert_eq!(
        data["plan"]["goals"][0]["evidence"],
        json!({ "totalCount": 1, "nodes": [{ "text": "On time all week.", "goal": { "plan": { "id": planning.plan } } }] })
    );
    assert_eq!(planning.look().await["status"], "ACTIVE", "until the draft is agreed");
    // A second revision waits for the first.
    let refused = planning.attempt("revisePlan").await;
    assert_eq!(refused["errors"][0]["__typename"], "Conflict");
    server.later(chrono::Duration::days(2));
    let (_, mut input) = planning.input_of(&new, "agreePlan").await;
    input["startOn"] = json!("2026-11-20");
    let answer = server.answer("CONSULTANT_SOCIAL_WORKER", &document("agreePlan", ""), json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["field"], "startOn");
    let (_, input) = planning.input_of(&new, "agreePlan").await;
    server.done("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", input).await;
    let (old, new) = (planning.look().await, planning.look_at(&new).await);
    assert_eq!((&old["status"], &old["endOn"]), (&json!("SUPERSEDED"), &json!("2026-11-20")));
    assert_eq!((&new["status"], &new["startOn"]), (&json!("ACTIVE"), &json!("2026-11-18")));
    assert_eq!(old["goals"][1]["actions"][0]["droppedOn"], "2026-11-20", "it goes on in the new version");
    assert_eq!(new["goals"][1]["actions"][0]["droppedOn"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_ends_takes_its_draft_with_it_and_a_new_one_may_be_drafted() {
    let planning = Planning::active().await;
    let server = &planning.server;
    let new = planning.revised().await;
    server.all_placed().await;
    let mut socket = server.socket("CLINICIAN").await;
    socket
        .subscribe(
            "feed",
            "subscription($id: ID!) { unitFeed(unitId: $id) { __typename ... on PlanEvent { planChange plan { id } } } }",
            json!({ "id": server.unit(3).await }),
        )
        .await;
    socket.item().await;
    planning.settle_goals("NOT_MET").await;
    planning.take("endPlan").await;
    let mut heard = Vec::new();
    for _ in 0..4 {
        let event = socket.item().await;
        heard.push((event["planChange"].clone(), event["plan"]["id"].clone()));
    }
    assert_eq!(heard[2..], [(json!("SUPERSEDED"), json!(new)), (json!("ENDED"), json!(planning.plan))]);
    let over = planning.look_at(&new).await;
    assert_eq!((&over["status"], &over["endOn"]), (&json!("SUPERSEDED"), &json!("2026-11-18")));
    for action in over["goals"].as_array().unwrap().iter().flat_map(|goal| goal["actions"].as_array().unwrap()) {
        assert_eq!(action["droppedOn"], "2026-11-18");
    }
    let (_, input) = planning.input_of(&new, "agreePlan").await;
    let refused = server.mutate("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", input).await;
    assert_eq!(refused["errors"][0]["__typename"], "IllegalTransition");
    let next = planning.drafted().await;
    let (_, input) = planning.input_of(&next, "agreePlan").await;
    server.done("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_has_one_draft_also_after_a_shared_one_was_replaced() {
    let planning = Planning::active().await;
    let server = &planning.server;
    // Two who begin at the same moment: one does.
    let (_, input) = planning.input("revisePlan").await;
    let mut other = input.clone();
    other["idempotencyKey"] = json!(key());
    let (one, other) = futures_util::future::join(
        server.mutate("SOCIAL_WORKER", "revisePlan", "plan { id }", input),
        server.mutate("CONSULTANT_SOCIAL_WORKER", "revisePlan", "plan { id }", other),
    )
    .await;
    let (made, refused) = if one["errors"] == json!([]) { (one, other) } else { (other, one) };
    assert_eq!(refused["errors"][0]["__typename"], "Conflict");
    let shared = made["plan"]["id"].as_str().unwrap();
    let (_, input) = planning.input_of(shared, "sharePlan").await;
    server.done("SOCIAL_WORKER", "sharePlan", "", input).await;
    let (_, input) = planning.input_of(shared, "revisePlan").await;
    server.done("SOCIAL_WORKER", "revisePlan", "", input).await;
    let refused = planning.attempt("revisePlan").await;
    assert_eq!(refused["errors"][0]["__typename"], "Conflict", "the shared draft's successor is the plan's draft");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_escalation_that_waits_is_answered_when_the_plan_ends() {
    let planning = Planning::active().await;
    planning.take("escalatePlan").await;
    planning.settle_goals("NOT_MET").await;
    planning.take("endPlan").await;
    let query = "query($id: ID!) { plan(id: $id) { escalations { choice choiceReason chosenBy { id } } } }";
    let data = planning.server.data("CLINICIAN", query, json!({ "id": planning.plan })).await;
    let consultant = format!("Worker:{}", planning.server.worker("CONSULTANT_SOCIAL_WORKER"));
    assert_eq!(
        data["plan"]["escalations"],
        json!([{ "choice": "CLOSE", "choiceReason": "Done.", "chosenBy": { "id": consultant } }])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_plan_while_its_revision_was_written_is_not_undone() {
    let planning = Planning::draft().await;
    let server = &planning.server;
    // Two actions that say the same.
    let (_, mut input) = planning.input("changePlanDraft").await;
    input["content"]["goals"][0]["actions"][1] = input["content"]["goals"][0]["actions"][0].clone();
    input["content"]["goals"][0]["actions"][1]["dueOn"] = json!("2026-12-02");
    server.done("SOCIAL_WORKER", "changePlanDraft", "", input).await;
    planning.take("agreePlan").await;
    let new = planning.revised().await;
    // The revision words the second of them anew.
    let draft = planning.look_at(&new).await;
    let (first, second) = (&draft["goals"][0], &draft["goals"][1]);
    let action = |id: &Value, text: &str| json!({ "id": id, "text": text, "ownerAgency": "Park Primary School" });
    let (_, mut input) = planning.input_of(&new, "changePlanDraft").await;
    input["content"]["goals"][0]["id"] = first["id"].clone();
    input["content"]["goals"][0]["actions"] = json!([
        action(&first["actions"][0]["id"], "Meets the family at the gate."),
        action(&first["actions"][1]["id"], "Meets the mother at the gate.")
    ]);
    input["content"]["goals"][1]["id"] = second["id"].clone();
    input["content"]["goals"][1]["actions"] = json!([action(&second["actions"][0]["id"], "Has the boiler repaired.")]);
    server.done("SOCIAL_WORKER", "changePlanDraft", "", input).await;
    // Meanwhile it is done, and the other goal is given up.
    let before = planning.pursued().await;
    let done = &before[0]["actions"][1];
    let input = json!({ "idempotencyKey": key(), "actionId": done["id"], "doneOn": "2026-11-18", "outcome": "Works",
                        "expectedVersion": done["version"] });
    server.done("CLINICIAN", "completePlanAction", "", input).await;
    let goal = &before[1];
    let input = json!({ "idempotencyKey": key(), "goalId": goal["id"], "status": "DROPPED", "expectedVersion": goal["version"] });
    server.done("SOCIAL_WORKER", "setGoalStatus", "", input).await;
    let (_, input) = planning.input_of(&new, "agreePlan").await;
    server.done("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", input).await;
    let agreed = planning.look_at(&new).await;
    let mut said: Vec<(&str, &Value, &Value)> = Vec::new();
    for action in agreed["goals"].as_array().unwrap().iter().flat_map(|goal| goal["actions"].as_array().unwrap()) {
        said.push((action["text"].as_str().unwrap(), &action["outcome"], &action["droppedOn"]));
    }
    said.sort_unstable_by_key(|one| one.0);
    assert_eq!(
        said,
        [
            ("Has the boiler repaired.", &Value::Null, &json!("2026-11-18")),
            ("Meets the family at the gate.", &Value::Null, &Value::Null),
            ("Meets the mother at the gate.", &json!("Works"), &Value::Null)
        ]
    );
    assert_eq!(agreed["goals"][1]["status"], "DROPPED", "what was given up does not come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_stands_in_the_new_version_where_it_stood_in_the_one_before_unless_the_draft_gave_it_up() {
    let planning = Planning::draft().await;
    let server = &planning.server;
    let (_, mut input) = planning.input("changePlanDraft").await;
    input["content"]["goals"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "whatNeedsToChange": "Sam sleeps well.", "measure": "Nights", "target": "7",
                "actions": [{ "text": "Plans the evening.", "ownerAgency": "Health" }] }));
    server.done("SOCIAL_WORKER", "changePlanDraft", "", input).await;
    planning.take("agreePlan").await;
    planning.settle_goals("NOT_MET").await;
    let new = planning.revised().await;
    // The revision leaves the third goal out.
    let draft = planning.look_at(&new).await;
    let (_, mut input) = planning.input_of(&new, "changePlanDraft").await;
    let kept = draft["goals"].as_array().unwrap()[..2].iter().map(|goal| {
        let action = &goal["actions"][0];
        json!({ "id": goal["id"], "whatNeedsToChange": goal["whatNeedsToChange"], "measure": "x", "target": "x",
                "actions": [{ "id": action["id"], "text": action["text"], "ownerAgency": action["ownerAgency"] }] })
    });
    input["content"]["goals"] = kept.collect();
    server.done("SOCIAL_WORKER", "changePlanDraft", "", input).await;
    // Meanwhile the first is taken up again, the second is met after all, the third is taken up again too.
    let before = planning.pursued().await;
    let (_, mut input) = planning.input("recordChangeEvidence").await;
    input["goalId"] = before[1]["id"].clone();
    server.done("SOCIAL_WORKER", "recordChangeEvidence", "", input).await;
    for (goal, status) in before.iter().zip(["OPEN", "MET", "OPEN"]) {
        let input = json!({ "idempotencyKey": key(), "goalId": goal["id"], "status": status,
                            "expectedVersion": goal["version"] });
        server.done("SOCIAL_WORKER", "setGoalStatus", "", input).await;
    }
    let (_, input) = planning.input_of(&new, "agreePlan").await;
    server.done("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", input).await;
    let agreed = planning.look_at(&new).await;
    for (goal, status) in draft["goals"].as_array().unwrap().iter().zip(["OPEN", "MET", "DROPPED"]) {
        let now = agreed["goals"].as_array().unwrap().iter().find(|now| now["id"] == goal["id"]).unwrap();
        assert_eq!(now["status"], status, "{}", goal["whatNeedsToChange"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_follows_an_extension_made_meanwhile_unless_it_says_something_else() {
    for (own, expected) in [(None, "2027-04-30"), (Some("2027-03-31"), "2027-03-31")] {
        let planning = Planning::active().await;
        let new = planning.revised().await;
        if let Some(day) = own {
            let (_, mut input) = planning.input_of(&new, "changePlanDraft").await;
            input["content"]["agreedChangeBy"] = json!(day);
            planning.server.done("SOCIAL_WORKER", "changePlanDraft", "", input).await;
        }
        planning.take("escalatePlan").await;
        planning.take("extend").await;
        assert_eq!(planning.look_at(&new).await["agreedChangeBy"], expected);
        let (_, input) = planning.input_of(&new, "agreePlan").await;
        planning.server.done("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", input).await;
        assert_eq!(planning.look_at(&new).await["agreedChangeBy"], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_and_reviews_count_for_all_versions_of_their_plan_and_for_no_other() {
    let mut planning = Planning::active().await;
    planning.take("escalatePlan").await;
    planning.take("extend").await;
    planning.server.later(chrono::Duration::days(30));
    let (_, mut input) = planning.input("recordPlanReview").await;
    input["heldOn"] = json!("2026-12-10");
    planning.server.done("SOCIAL_WORKER", "recordPlanReview", "", input).await;
    let new = planning.revised().await;
    planning.plan = new;
    let (_, mut input) = planning.input("agreePlan").await;
    input["reviewDueOn"] = Value::Null;
    planning.server.done("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", input).await;
    planning.bad_input("heldOn", "recordPlanReview", |input| input["heldOn"] = json!("2026-12-01")).await;
    planning.take("escalatePlan").await;
    let later = |input: &mut Value| input["newChangeBy"] = json!("2027-08-31");
    planning.refused_by("SECOND_EXTENSION", "extend", later).await;
    // The plan after it starts anew.
    planning.settle_goals("NOT_MET").await;
    let (_, mut input) = planning.input("endPlan").await;
    input["endOn"] = json!("2026-12-18");
    planning.server.done("CONSULTANT_SOCIAL_WORKER", "endPlan", "", input).await;
    planning.plan = planning.drafted().await;
    planning.take("agreePlan").await;
    planning.take("escalatePlan").await;
    planning.take("extend").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_that_were_given_up_are_open_for_nobody() {
    let planning = Planning::draft().await;
    let server = &planning.server;
    let (_, mut input) = planning.input("changePlanDraft").await;
    let mine = json!([{ "text": "Mine.", "ownerWorkerId": format!("Worker:{}", server.worker("CLINICIAN")) }]);
    input["content"]["goals"][0]["actions"] = mine;
    server.done("SOCIAL_WORKER", "changePlanDraft", "", input).await;
    planning.take("agreePlan").await;
    let open = async || {
        let query = "{ viewer { worker { ownedActions(open: true, first: 100) { nodes { text } totalCount } } } }";
        let data = server.data("CLINICIAN", query, json!({})).await;
        let owned = &data["viewer"]["worker"]["ownedActions"];
        let found = owned["nodes"].as_array().unwrap().iter().filter(|one| one["text"] == "Mine.").count();
        (found, owned["totalCount"].as_i64().unwrap())
    };
    let (found, total) = open().await;
    assert_eq!(found, 1);
    planning.settle_goals("NOT_MET").await;
    planning.take("endPlan").await;
    assert_eq!(open().await, (0, total - 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_of_a_protection_plan_is_agreed_by_the_chair_and_is_no_further_plan() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let row = client
        .query_one(
            "select p.id, c.id, p.number_of_previous_cpps from plans p join cases c on c.id = p.case_id
             join allocations a on a.case_id = c.id and a.ended_at is null and a.kind = 'PRIMARY'
             join units u on u.id = a.unit_id and u.name like '%Unit 7'
             where p.kind = 'CHILD_PROTECTION' and p.status = 'ACTIVE' limit 1",
            &[],
        )
        .await
        .unwrap();
    let (id, case, previous): (uuid::Uuid, uuid::Uuid, i32) = (row.get(0), row.get(1), row.get(2));
    // The demo's chair chaired the conference that made it.
    let chair = server.worker("CP_CHAIR");
    client
        .batch_execute(&format!(
            "with made as (insert into conferences (id, type, state, requested_by, requested_at, scheduled_for, chair_id, held_at, online)
                 select gen_random_uuid(), 'INITIAL', 'DECIDED', '{chair}', '2026-11-01', '2026-11-12', '{chair}', '2026-11-12', true returning id),
               of as (insert into conference_children (id, conference_id, child_id, case_id)
                 select gen_random_uuid(), made.id, c.child_id, c.id from made, cases c where c.id = '{case}')
             update plans set conference_id = (select id from made) where id = '{id}'"
        ))
        .await
        .unwrap();
    let query = "query($id: ID!) { plan(id: $id) { version startOn } }";
    let plan = format!("Plan:{id}");
    let before = server.data("OTHER_UNIT", query, json!({ "id": plan })).await;
    let input = json!({ "idempotencyKey": key(), "planId": plan, "expectedVersion": before["plan"]["version"] });
    let payload = server.done("OTHER_UNIT", "revisePlan", PLAN, input).await;
    let new = payload["plan"]["id"].clone();
    let input = json!({ "idempotencyKey": key(), "planId": new, "content": content(), "expectedVersion": 1 });
    server.done("OTHER_UNIT", "changePlanDraft", "", input).await;
    let input = json!({ "idempotencyKey": key(), "planId": new, "expectedVersion": 2 });
    let query = document("agreePlan", "plan { status startOn numberOfPreviousCpps revision }");
    assert_eq!(server.code("OTHER_UNIT", &query, json!({ "input": input })).await, "FORBIDDEN");
    // Nor is it another chair's, whatever their part in the case.
    let other = people::with_post(&client, "CP_CHAIR").await;
    let post = "insert into worker_posts (id, worker_id, post, started_at) values (gen_random_uuid(), $1, 'REVIEWING_OFFICER', '2020-01-01')";
    client.execute(post, &[&other]).await.unwrap();
    people::involve(&client, case, other, "IRO").await;
    let answer = server.answer_to(other, &query, json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer:#}");
    let payload = server.done("CP_CHAIR", "agreePlan", "plan { status startOn numberOfPreviousCpps }", input).await;
    assert_eq!(
        payload["plan"],
        json!({ "status": "ACTIVE", "startOn": before["plan"]["startOn"], "numberOfPreviousCpps": previous })
    );
    // It is reviewed and ended by conferences only.
    let input = json!({ "idempotencyKey": key(), "planId": new, "heldOn": "2026-11-18", "changeOfPlan": false,
                        "participation": "PN1", "nextReviewOn": "2027-01-01", "expectedVersion": 3 });
    let refused = server.mutate("OTHER_UNIT", "recordPlanReview", "", input).await;
    assert_eq!(refused["errors"][0]["guard"], "CONFERENCE_REVIEWS");
    let input =
        json!({ "idempotencyKey": key(), "planId": new, "endOn": "2026-11-18", "reason": "x", "expectedVersion": 3 });
    let refused = server.mutate("OTHER_UNIT", "endPlan", "", input).await;
    assert_eq!(refused["errors"][0]["guard"], "CONFERENCE_ENDS");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chair_of_a_protection_plan_hears_who_works_the_case_also_from_whom_does_not_see_the_plan() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let (of, to) = ("u.name like '%Unit 7'", "o.name not like '%Unit 7'");
    let text = format!(
        "select p.id, c.id, c.version, 'Unit:' || o.id, m.worker_id from plans p join cases c on c.id = p.case_id
         join allocations a on a.case_id = c.id and a.ended_at is null and a.kind = 'PRIMARY' join units u on u.id = a.unit_id and {of}
         join units o on o.service = u.service and o.active_to is null and {to}
         join unit_memberships m on m.unit_id = o.id and m.role = 'CONSULTANT_SOCIAL_WORKER' and m.ended_at is null and not m.cover
         where p.kind = 'CHILD_PROTECTION' and p.status = 'ACTIVE'
           and not exists (select from case_transfers t where t.case_id = c.id and t.state = 'REQUESTED') order by c.id limit 1"
    );
    let row = client.query_one(&text, &[]).await.unwrap();
    let (plan, case, version): (uuid::Uuid, uuid::Uuid, i32) = (row.get(0), row.get(1), row.get(2));
    let (to, taker): (String, uuid::Uuid) = (row.get(3), row.get(4));
    let chair = people::with_post(&client, "CP_CHAIR").await;
    client
        .batch_execute(&format!(
            "with made as (insert into conferences (id, type, state, requested_by, requested_at, scheduled_for, chair_id, held_at, online)
                 select gen_random_uuid(), 'INITIAL', 'DECIDED', '{chair}', '2026-11-01', '2026-11-12', '{chair}', '2026-11-12', true returning id),
               of as (insert into conference_children (id, conference_id, child_id, case_id)
                 select gen_random_uuid(), made.id, c.child_id, c.id from made, cases c where c.id = '{case}')
             update plans set conference_id = (select id from made) where id = '{plan}'"
        ))
        .await
        .unwrap();
    let mut feed = server.socket_of(chair).await;
    feed.open_feed(MINE, json!({})).await;
    let input = json!({ "idempotencyKey": key(), "caseId": format!("Case:{case}"), "toUnitId": to, "kind": "WITHIN_SERVICE",
                        "handoverSummary": "x", "expectedVersion": version });
    let asked = server.done("OTHER_UNIT", "requestTransfer", "transfer { id }", input).await;
    let input = json!({ "idempotencyKey": key(), "transferId": asked["transfer"]["id"], "expectedVersion": 1 });
    let taken = server.mutate_as(taker, "acceptTransfer", "", input).await;
    assert_eq!(taken["errors"], json!([]), "{taken:#}");
    // Of the lead, and of whoever else had a part in the unit.
    assert_eq!(feed.types(2).await, ["ALLOCATION_ENDED", "INVOLVEMENT_CHANGED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_is_met_only_with_evidence_that_change_lasts() {
    let planning = Planning::active().await;
    let met = |input: &mut Value| input["status"] = json!("MET");
    planning.refused_by("EVIDENCE_SUSTAINED", "setGoalStatus", met).await;
    let (mutation, mut input) = planning.input("recordChangeEvidence").await;
    input["sustainedSince"] = Value::Null;
    planning.server.done("CLINICIAN", &mutation, "", input).await;
    planning.refused_by("EVIDENCE_SUSTAINED", "setGoalStatus", met).await;
    planning.bad_input("observedOn", "recordChangeEvidence", |input| input["observedOn"] = json!("2026-11-19")).await;
    planning
        .bad_input("sustainedSince", "recordChangeEvidence", |input| input["observedOn"] = json!("2026-09-01"))
        .await;
    planning.bad_input("text", "recordChangeEvidence", |input| input["text"] = json!(" ")).await;
    planning.take("recordChangeEvidence").await;
    let (_, mut input) = planning.input("setGoalStatus").await;
    met(&mut input);
    planning.server.done("SOCIAL_WORKER", "setGoalStatus", "goal { status version }", input.clone()).await;
    input["idempotencyKey"] = json!(key());
    let stale = planning.server.mutate("SOCIAL_WORKER", "setGoalStatus", "", input).await;
    assert_eq!(stale["errors"][0]["currentVersion"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_ends_when_its_goals_are_settled_and_open_actions_are_given_up() {
    let planning = Planning::active().await;
    planning.refused_by("GOALS_SETTLED", "endPlan", |_| {}).await;
    let (mutation, mut input) = planning.input("completePlanAction").await;
    planning.server.done("CLINICIAN", &mutation, "action { version }", input.clone()).await;
    input["idempotencyKey"] = json!(key());
    let stale = planning.server.mutate("CLINICIAN", &mutation, "", input.clone()).await;
    assert_eq!(stale["errors"][0]["currentVersion"], 2);
    input["expectedVersion"] = json!(2);
    let done = planning.server.mutate("CLINICIAN", &mutation, "", input).await;
    assert_eq!(done["errors"][0]["__typename"], "Conflict");
    planning.bad_input("doneOn", "completePlanAction", |input| input["doneOn"] = json!("2026-11-19")).await;
    for goal in planning.look().await["goals"].as_array().unwrap() {
        let input = json!({ "idempotencyKey": key(), "goalId": goal["id"], "status": "DROPPED", "expectedVersion": goal["version"] });
        planning.server.done("SOCIAL_WORKER", "setGoalStatus", "", input).await;
    }
    let dropped = planning.look().await["goals"][0].clone();
    let input = json!({ "idempotencyKey": key(), "goalId": dropped["id"], "status": "OPEN", "expectedVersion": dropped["version"] });
    let refused = planning.server.mutate("SOCIAL_WORKER", "setGoalStatus", "", input).await;
    assert_eq!(refused["errors"][0]["guard"], "GOAL_DROPPED");
    planning.bad_input("endOn", "endPlan", |input| input["endOn"] = json!("2026-11-19")).await;
    planning.bad_input("endOn", "endPlan", |input| input["endOn"] = json!("2026-11-17")).await;
    let payload = planning.take("endPlan").await;
    let actions = &payload["plan"]["goals"][0]["actions"];
    let done: Vec<_> = actions.as_array().unwrap().iter().filter(|one| !one["doneOn"].is_null()).collect();
    assert_eq!((done.len(), &done[0]["droppedOn"]), (1, &Value::Null));
    let dropped = actions.as_array().unwrap().iter().filter(|one| one["droppedOn"] == "2026-11-18").count();
    assert_eq!(dropped, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reviews_follow_one_another_after_the_first_day() {
    let planning = Planning::active().await;
    planning.bad_input("heldOn", "recordPlanReview", |_| {}).await;
    planning.server.later(chrono::Duration::days(30));
    let on = |day: &'static str| move |input: &mut Value| input["heldOn"] = json!(day);
    planning.bad_input("heldOn", "recordPlanReview", on("2027-01-01")).await;
    let (_, mut input) = planning.input("recordPlanReview").await;
    on("2026-12-10")(&mut input);
    let payload = planning.server.done("SOCIAL_WORKER", "recordPlanReview", PLAN, input).await;
    assert_eq!(payload["plan"]["reviewDueOn"], "2027-05-18");
    planning.bad_input("heldOn", "recordPlanReview", on("2026-12-10")).await;
    planning
        .bad_input("nextReviewOn", "recordPlanReview", |input| {
            input["heldOn"] = json!("2026-12-11");
            input["nextReviewOn"] = json!("2026-12-11");
        })
        .await;
    let query = "query($id: ID!) { plan(id: $id) { reviews { heldOn dueOn decisions changeOfPlan nextReviewOn plan { id } } } }";
    let data = planning.server.data("CLINICIAN", query, json!({ "id": planning.plan })).await;
    assert_eq!(
        data["plan"]["reviews"],
        json!([{ "heldOn": "2026-12-10", "dueOn": "2027-02-18", "decisions": ["Goes on"], "changeOfPlan": false,
                 "nextReviewOn": "2027-05-18", "plan": { "id": planning.plan } }])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_extension_of_the_period_is_the_service_managers_to_give() {
    let planning = Planning::active().await;
    let server = &planning.server;
    planning.take("escalatePlan").await;
    planning.bad_input("newChangeBy", "extend", |input| input["newChangeBy"] = Value::Null).await;
    planning.bad_input("newChangeBy", "extend", |input| input["newChangeBy"] = json!("2027-01-01")).await;
    planning.bad_input("newChangeBy", "strategy", |input| input["newChangeBy"] = json!("2027-06-01")).await;
    planning.refused_by("GOALS_SETTLED", "close", |_| {}).await;
    let payload = planning.take("extend").await;
    assert_eq!(
        (&payload["plan"]["status"], &payload["plan"]["agreedChangeBy"]),
        (&json!("ACTIVE"), &json!("2027-04-30"))
    );
    planning.take("escalatePlan").await;
    let later = |input: &mut Value| input["newChangeBy"] = json!("2027-08-31");
    planning.refused_by("SECOND_EXTENSION", "extend", later).await;
    let (mutation, mut input) = planning.input("extend").await;
    later(&mut input);
    server.done("SERVICE_MANAGER", &mutation, "", input).await;
    // Every choice stays on record.
    let query = "query($id: ID!) { plan(id: $id) { status escalations { choice choiceReason newChangeBy reason chosenBy { id } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": planning.plan })).await;
    let choices: Vec<_> =
        data["plan"]["escalations"].as_array().unwrap().iter().map(|one| &one["newChangeBy"]).collect();
    assert_eq!(choices, [&json!("2027-08-31"), &json!("2027-04-30")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_way_may_be_chosen_after_the_one_before_and_both_are_remembered() {
    let planning = Planning::active().await;
    planning.take("escalatePlan").await;
    planning.take("strategy").await;
    planning.take("legalGateway").await;
    let query = "query($id: ID!) { plan(id: $id) { status escalations { choice } } }";
    let data = planning.server.data("CLINICIAN", query, json!({ "id": planning.plan })).await;
    assert_eq!(data["plan"]["status"], "ESCALATED");
    assert_eq!(data["plan"]["escalations"], json!([{ "choice": "LEGAL_GATEWAY" }, { "choice": "STRATEGY" }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_changed_as_a_whole_and_what_is_left_out_is_given_up() {
    let planning = Planning::draft().await;
    let server = &planning.server;
    let before = planning.look().await;
    let (first, second) = (&before["goals"][0], &before["goals"][1]);
    // The second goal comes first, the first loses an action, a third is new.
    let (mutation, mut input) = planning.input("changePlanDraft").await;
    input["content"]["goals"] = json!([
        { "id": second["id"], "whatNeedsToChange": "The home is warm and dry.", "actions": [] },
        { "id": first["id"], "whatNeedsToChange": first["whatNeedsToChange"], "actions": [
            { "id": first["actions"][0]["id"], "text": "Meets them at the gate.", "ownerWorkerId": format!("Worker:{}", server.worker("CLINICIAN")) } ] },
        { "whatNeedsToChange": "New.", "actions": [{ "text": "New.", "ownerAgency": "x" }] } ]);
    let payload = server.done("SOCIAL_WORKER", &mutation, PLAN, input).await;
    let goals = payload["plan"]["goals"].as_array().unwrap();
    let words: Vec<_> = goals.iter().map(|goal| goal["whatNeedsToChange"].as_str().unwrap()).collect();
    assert_eq!(words, ["The home is warm and dry.", "Sam goes to school every day.", "New."]);
    let kept = goals[1]["actions"].as_array().unwrap();
    assert_eq!(kept.iter().filter(|one| one["droppedOn"].is_null()).count(), 1);
    assert_eq!(kept.iter().filter(|one| one["droppedOn"] == "2026-11-18").count(), 1);
    assert!(kept.iter().any(|one| one["text"] == "Meets them at the gate." && one["ownerAgency"].is_null()));
    // Goals and actions of another plan, twice, under another goal.
    let foreign = json!({ "id": "Goal:0190b0b0-0000-7000-8000-000000000000", "whatNeedsToChange": "x", "actions": [] });
    let twice = json!({ "id": first["id"], "whatNeedsToChange": "x", "actions": [] });
    for goals in [json!([foreign]), json!([twice, twice])] {
        planning.bad_input("goals", "changePlanDraft", |input| input["content"]["goals"] = goals).await;
    }
    let misplaced = json!([{ "id": second["id"], "whatNeedsToChange": "x", "actions": [
        { "id": first["actions"][0]["id"], "text": "x", "ownerAgency": "x" }] }]);
    planning.bad_input("actions", "changePlanDraft", |input| input["content"]["goals"] = misplaced).await;
    planning
        .bad_input("actions", "changePlanDraft", |input| {
            input["content"]["goals"][0]["actions"] = json!([{ "text": "x" }]);
        })
        .await;
    planning.bad_input("overallAim", "changePlanDraft", |input| input["content"]["overallAim"] = json!("")).await;
    let hidden = json!([{ "text": "x", "ownerPersonId": "Person:0190b0b0-0000-7000-8000-000000000000" }]);
    let (mutation, mut input) = planning.input("changePlanDraft").await;
    input["content"]["goals"][0]["actions"] = hidden;
    assert_eq!(server.code("SOCIAL_WORKER", &document(&mutation, ""), json!({ "input": input })).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workers_list_holds_actions_of_plans_in_force_only() {
    let planning = Planning::draft().await;
    let server = &planning.server;
    let (mutation, mut input) = planning.input("changePlanDraft").await;
    for goal in 0..2 {
        input["content"]["goals"][goal]["actions"] = json!([
            { "text": "Mine.", "ownerWorkerId": format!("Worker:{}", server.worker("CLINICIAN")), "dueOn": "2026-12-24" }]);
    }
    server.done("SOCIAL_WORKER", &mutation, "", input).await;
    let mine = async || {
        let query = "{ viewer { actions(first: 100) { nodes { text dueOn plan { id } } } } }";
        let data = server.data("CLINICIAN", query, json!({})).await;
        let nodes = data["viewer"]["actions"]["nodes"].as_array().unwrap().clone();
        nodes.into_iter().filter(|one| one["text"] == "Mine.").map(|one| one["plan"]["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(mine().await.len(), 0, "a draft asks nobody for anything");
    planning.take("agreePlan").await;
    assert_eq!(mine().await.len(), 2);
    let (_, input) = planning.input("revisePlan").await;
    let payload = server.done("SOCIAL_WORKER", "revisePlan", PLAN, input).await;
    let new = payload["plan"]["id"].as_str().unwrap().to_owned();
    assert_eq!(mine().await.len(), 2, "its next version does not ask twice");
    let (_, input) = planning.input_of(&new, "agreePlan").await;
    server.done("CONSULTANT_SOCIAL_WORKER", "agreePlan", "", input).await;
    assert_eq!(mine().await, [json!(new), json!(new)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unit_hears_of_every_step_of_a_plan() {
    let planning = Planning::draft().await;
    let unit = planning.server.unit(3).await;
    planning.server.all_placed().await;
    let mut socket = planning.server.socket("CLINICIAN").await;
    socket
        .subscribe(
            "feed",
            "subscription($id: ID!) { unitFeed(unitId: $id) { __typename ... on PlanEvent { type planChange planStatus plan { id } entity { type } } } }",
            json!({ "id": unit }),
        )
        .await;
    assert_eq!(socket.item().await["__typename"], "FeedOpened");
    let mut heard = Vec::new();
    for step in [
        "sharePlan",
        "agreePlan",
        "completePlanAction",
        "recordChangeEvidence",
        "setGoalStatus",
        "escalatePlan",
        "extend",
    ] {
        planning.take(step).await;
        let event = socket.item().await;
        assert_eq!(event["plan"]["id"], planning.plan, "{step}: {event}");
        heard.push(event["planChange"].as_str().unwrap().to_owned());
    }
    assert_eq!(heard, ["SHARED", "AGREED", "ACTION_DONE", "EVIDENCE", "GOAL_SETTLED", "ESCALATED", "CHOSEN"]);
}

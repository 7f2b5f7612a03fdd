//! Restricted records, denials by name, break-glass: who sees what, who is told, and what is refused.

use chrono::Duration;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{
    mutations_support::{request_transfer, siblings},
    support::{self, Server, key, people},
};

const MINE: &str = "subscription { myFeed { __typename cursor
    ... on Event { type severity summary caseRef { caseId } entity { type entityId } actor { workerId } }
    ... on AccessEvent { restricted denied denial { id } glassReason glassEndsAt finding restriction { id child { id } }
                         breakGlass { id explanation child { id } } } } }";

/// A child with a case that unit 3 holds, and what tests ask of it.
struct Scene {
    server: Server,
    client: Client,
    child: String,
    case: String,
    unit: String,
}

impl Scene {
    async fn start() -> Self {
        let server = Server::start().await;
        let client = support::connect("postgres", &server.database).await;
        let child = people::held_child(&client, 3, "Zephyrine", "Quillfeather").await;
        let case = client.query_one("select id from cases where child_id = $1", &[&child]).await.unwrap();
        let unit = server.unit(3).await;
        let case: uuid::Uuid = case.get(0);
        Self { server, client, child: format!("Child:{child}"), case: format!("Case:{case}"), unit }
    }

    fn worker(&self, person: &str) -> String {
        format!("Worker:{}", self.server.worker(person))
    }

    fn restriction(&self, allowed: &[&str]) -> Value {
        let allowed: Vec<String> = allowed.iter().map(|person| self.worker(person)).collect();
        json!({ "idempotencyKey": key(), "personId": self.child, "reason": "STAFF_OR_RELATIVE", "allowedIds": allowed })
    }

    /// Restricts the child's record to these and the service manager; answers the restriction.
    async fn restrict(&self, allowed: &[&str]) -> String {
        let payload = self
            .server
            .done("SERVICE_MANAGER", "restrictRecord", "restriction { id }", self.restriction(allowed))
            .await;
        payload["restriction"]["id"].as_str().unwrap().to_owned()
    }

    async fn deny(&self, by: &str, person: &str) -> Value {
        let input = json!({ "idempotencyKey": key(), "personId": self.child, "workerId": self.worker(person),
                            "reason": "RELATIVE" });
        self.server.done(by, "denyAccess", "denial { id version worker { id } child { id } }", input).await
    }

    fn glass(&self, child: &str) -> Value {
        json!({ "idempotencyKey": key(), "childId": child, "reason": "IMMEDIATE_SAFETY",
                "explanation": "The grandmother is at the door with the child." })
    }

    async fn sees(&self, person: &str) -> bool {
        let query = "query($child: ID!, $case: ID!) { child(id: $child) { id firstName } case(id: $case) { id } node(id: $case) { id } }";
        let data = self.server.data(person, query, json!({ "child": self.child, "case": self.case })).await;
        let found = [&data["child"], &data["case"], &data["node"]].map(|one| !one.is_null());
        assert!(found.iter().all(|one| *one == found[0]), "{person}: {data}");
        found[0]
    }

    /// Everything that a member can list or count, as one answer.
    async fn lists(&self, person: &str) -> Value {
        let query = "query($unit: ID!) {
            unit(id: $unit) { restrictedCount unreadCount
                allocations(first: 100) { totalCount nodes { case { id child { firstName } } } pageInfo { hasNextPage } }
                cases(first: 100) { totalCount nodes { id } } }
            children(search: \"Zephyrine Quillfeather\") { totalCount nodes { id } }
            all: children(first: 1) { totalCount } }";
        self.server.data(person, query, json!({ "unit": self.unit })).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_beats_membership_and_only_the_restricted_count_shows_it() {
    let scene = Scene::start().await;
    for person in ["CLINICIAN", "SOCIAL_WORKER", "SERVICE_MANAGER", "HEAD_OF_SERVICE"] {
        assert!(scene.sees(person).await, "{person} before");
    }
    let before = scene.lists("CLINICIAN").await;
    assert_eq!(before["unit"]["restrictedCount"], 0);
    let restriction = scene.restrict(&["SOCIAL_WORKER"]).await;
    for (person, sees) in [
        ("SOCIAL_WORKER", true),
        ("SERVICE_MANAGER", true),
        ("CLINICIAN", false),
        ("CONSULTANT_SOCIAL_WORKER", false),
        ("HEAD_OF_SERVICE", false),
        ("OTHER_UNIT", false),
    ] {
        assert_eq!(scene.sees(person).await, sees, "{person}");
    }
    let after = scene.lists("CLINICIAN").await;
    assert_eq!(after["unit"]["restrictedCount"], 1);
    let one_less = |path: &str| {
        let (before, after) = (before.pointer(path).unwrap(), after.pointer(path).unwrap());
        assert_eq!(after.as_i64().unwrap(), before.as_i64().unwrap() - 1, "{path}");
    };
    one_less("/unit/allocations/totalCount");
    one_less("/unit/cases/totalCount");
    one_less("/all/totalCount");
    assert_eq!(after["children"], json!({ "totalCount": 0, "nodes": [] }));
    assert!(!after.to_string().contains("Zephyrine"));
    // The number is the same for who is on the list, and nobody's outside.
    assert_eq!(scene.lists("SOCIAL_WORKER").await["unit"]["restrictedCount"], 1);
    assert_eq!(scene.lists("HEAD_OF_SERVICE").await["unit"]["restrictedCount"], 1);
    assert_eq!(scene.lists("OTHER_UNIT").await["unit"]["restrictedCount"], Value::Null);

    // The head of service grants, without seeing whom it is about.
    let query = "{ accessRestrictions { totalCount nodes { id version owner { id } allowed { id } person { id } child { id } } } }";
    let head = scene.server.data("HEAD_OF_SERVICE", query, json!({})).await;
    let found = &head["accessRestrictions"]["nodes"][0];
    assert_eq!((&found["id"], &found["child"], &found["person"]), (&json!(restriction), &Value::Null, &Value::Null));
    assert_eq!(found["allowed"].as_array().unwrap().len(), 2);
    let listed = scene.server.data("SOCIAL_WORKER", query, json!({})).await;
    assert_eq!(listed["accessRestrictions"]["nodes"][0]["child"]["id"], scene.child);
    let unlisted = scene.server.data("CLINICIAN", query, json!({})).await;
    assert_eq!(unlisted["accessRestrictions"], json!({ "totalCount": 0, "nodes": [] }));

    let allowed: Vec<String> = ["CLINICIAN", "SERVICE_MANAGER"].map(|person| scene.worker(person)).to_vec();
    let input =
        json!({ "idempotencyKey": key(), "restrictionId": restriction, "allowedIds": allowed, "expectedVersion": 1 });
    scene.server.done("HEAD_OF_SERVICE", "changeRestriction", "restriction { version }", input).await;
    assert!(scene.sees("CLINICIAN").await && !scene.sees("SOCIAL_WORKER").await);
    let input = json!({ "idempotencyKey": key(), "restrictionId": restriction, "expectedVersion": 2 });
    let payload =
        scene.server.done("SERVICE_MANAGER", "liftRestriction", "restriction { version endedAt }", input).await;
    assert_eq!(payload["restriction"]["version"], 3);
    assert!(scene.sees("SOCIAL_WORKER").await && scene.sees("HEAD_OF_SERVICE").await);
    assert_eq!(scene.lists("CLINICIAN").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_adult_is_hidden_from_the_family_that_stays_in_sight() {
    let scene = Scene::start().await;
    let adult = people::person(&scene.client, "Ottoline", "Quillfeather").await;
    let child: uuid::Uuid = scene.child["Child:".len()..].parse().unwrap();
    let family = people::family(&scene.client, &[(child, "2020-01-01", None), (adult, "2020-01-01", None)]).await;
    let query =
        "query($id: ID!) { node(id: $id) { ... on FamilyGroup { restrictedCount members { person { id } } } } }";
    let family = json!({ "id": format!("FamilyGroup:{family}") });
    let members = |data: &Value| data["node"]["members"].as_array().unwrap().len();
    let data = scene.server.data("CLINICIAN", query, family.clone()).await;
    assert_eq!((members(&data), &data["node"]["restrictedCount"]), (2, &json!(0)));
    // Of a grown-up nobody holds a case: the head of service.
    let input = json!({ "idempotencyKey": key(), "personId": format!("Person:{adult}"), "reason": "WITNESS", "allowedIds": [] });
    assert_eq!(
        scene.server.code("SERVICE_MANAGER", &support::document("restrictRecord", ""), json!({ "input": input })).await,
        "FORBIDDEN"
    );
    scene.server.done("HEAD_OF_SERVICE", "restrictRecord", "restriction { id }", input).await;
    let data = scene.server.data("CLINICIAN", query, family.clone()).await;
    assert_eq!((members(&data), &data["node"]["restrictedCount"]), (1, &json!(1)));
    assert!(scene.sees("CLINICIAN").await);
    assert_eq!(members(&scene.server.data("HEAD_OF_SERVICE", query, family).await), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_restricted_child_reaches_those_on_the_list_and_nobody_else() {
    let scene = Scene::start().await;
    scene.restrict(&["CONSULTANT_SOCIAL_WORKER", "SOCIAL_WORKER"]).await;
    let mut listed = scene.server.socket("SOCIAL_WORKER").await;
    listed.feed(&scene.unit, None).await;
    let mut unlisted = scene.server.socket("CLINICIAN").await;
    unlisted.feed(&scene.unit, None).await;
    request_transfer(&scene.server, &scene.case, 7, 1).await;
    assert_eq!(listed.item().await["type"], "TRANSFER_REQUESTED");
    // The unit asked hears of a case whose core a restriction keeps from it too.
    let mut asked = scene.server.socket("OTHER_UNIT").await;
    asked.feed(&scene.server.unit(7).await, None).await;
    // What comes next is of another case: nothing was held back behind it.
    scene.server.allocated_to(3).await;
    let next = unlisted.item().await;
    assert_eq!(next["type"], "ALLOCATION_STARTED");
    unlisted.nothing_more().await;
    asked.nothing_more().await;

    // The past follows the same rule, and so do the unit's stored events and what is counted of them.
    let query = "query($unit: ID!) { unit(id: $unit) { unreadCount events(first: 50) { totalCount nodes { type seenBy { of } } } } }";
    let of = |data: &Value| {
        let events = data["unit"]["events"]["nodes"].as_array().unwrap().clone();
        let types: Vec<String> = events.iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect();
        (types, data["unit"]["unreadCount"].as_i64().unwrap(), data["unit"]["events"]["totalCount"].as_i64().unwrap())
    };
    let listed = scene.server.data("SOCIAL_WORKER", query, json!({ "unit": scene.unit })).await;
    let (types, unread, total) = of(&listed);
    assert!(types.contains(&"TRANSFER_REQUESTED".to_owned()), "{types:?}");
    let transfer = listed["unit"]["events"]["nodes"].as_array().unwrap();
    let transfer = transfer.iter().find(|one| one["type"] == "TRANSFER_REQUESTED").unwrap();
    assert_eq!(transfer["seenBy"][0]["of"], 2, "those on the list");
    let unlisted = scene.server.data("CLINICIAN", query, json!({ "unit": scene.unit })).await;
    let (types_of_others, unread_of_others, total_of_others) = of(&unlisted);
    assert!(!types_of_others.contains(&"TRANSFER_REQUESTED".to_owned()));
    assert_eq!((unread_of_others, total_of_others), (unread - 1, total - 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conference_of_a_restricted_child_and_a_sibling_reaches_who_sees_the_sibling() {
    let server = Server::start().await;
    let two = siblings(&server).await;
    let worker = |person: &str| format!("Worker:{}", server.worker(person));
    // Quentin is unit 3's, Yolanda unit 7's.
    let input = json!({ "idempotencyKey": key(), "personId": two.children[0], "reason": "HIGH_PROFILE",
                        "allowedIds": [worker("CONSULTANT_SOCIAL_WORKER"), worker("SOCIAL_WORKER"), worker("UNIT_COORDINATOR")] });
    server.done("SERVICE_MANAGER", "restrictRecord", "restriction { id }", input).await;
    let mut of_three = server.socket("CLINICIAN").await;
    of_three.feed(&server.unit(3).await, None).await;
    let mut of_seven = server.socket("OTHER_UNIT").await;
    of_seven.feed(&server.unit(7).await, None).await;
    let chair = worker("CP_CHAIR");
    let conference = &two.conference;
    let query = "query($id: ID!) { conference(id: $id) { version children { child { id } } } }";
    let seen = server.data("UNIT_COORDINATOR", query, json!({ "id": conference })).await;
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "scheduledFor": "2026-11-25T10:00:00Z",
                        "chairId": chair, "online": true, "expectedVersion": seen["conference"]["version"] });
    server.done("UNIT_COORDINATOR", "scheduleConference", "conference { id }", input).await;
    assert_eq!(of_seven.item().await["type"], "CONFERENCE_SCHEDULED");
    server.allocated_to(3).await;
    assert_eq!(of_three.item().await["type"], "ALLOCATION_STARTED", "not the conference: unit 3 sees only Quentin");
    let seen = server.data("OTHER_UNIT", query, json!({ "id": conference })).await;
    assert_eq!(seen["conference"]["children"].as_array().unwrap().len(), 1);
    let seen = server.data("CLINICIAN", query, json!({ "id": conference })).await;
    assert_eq!(seen["conference"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_by_name_beats_membership_the_list_and_break_glass() {
    let scene = Scene::start().await;
    let payload = scene.deny("SERVICE_MANAGER", "SOCIAL_WORKER").await;
    assert_eq!(payload["denial"]["child"]["id"], scene.child);
    assert!(!scene.sees("SOCIAL_WORKER").await && scene.sees("CLINICIAN").await);
    scene.restrict(&["SOCIAL_WORKER", "CLINICIAN"]).await;
    assert!(!scene.sees("SOCIAL_WORKER").await && scene.sees("CLINICIAN").await);

    // Break-glass answers as for a child who does not exist.
    let document = support::document("breakGlass", "breakGlass { id }");
    let denied = scene.server.answer("SOCIAL_WORKER", &document, json!({ "input": scene.glass(&scene.child) })).await;
    let nobody = format!("Child:{}", uuid::Uuid::now_v7());
    let absent = scene.server.answer("SOCIAL_WORKER", &document, json!({ "input": scene.glass(&nobody) })).await;
    assert_eq!(denied, absent);
    assert_eq!(denied["errors"][0]["extensions"]["code"], "NOT_FOUND");

    // Whoever sees the record reads who is kept from it; the one who is does not read of it.
    let query = "query($id: ID!) { node(id: $id) { ... on AccessDenial { id reason child { id } } } }";
    let denial = json!({ "id": payload["denial"]["id"] });
    assert_eq!(scene.server.data("CLINICIAN", query, denial.clone()).await["node"]["child"]["id"], scene.child);
    assert_eq!(scene.server.data("SOCIAL_WORKER", query, denial.clone()).await["node"], Value::Null);
    let head = scene.server.data("HEAD_OF_SERVICE", query, denial.clone()).await;
    assert_eq!((&head["node"]["reason"], &head["node"]["child"]), (&json!("RELATIVE"), &Value::Null));

    let input = json!({ "idempotencyKey": key(), "denialId": payload["denial"]["id"], "expectedVersion": 1 });
    let ending = |person: &'static str| {
        let (document, variables) = (support::document("endDenial", ""), json!({ "input": input }));
        let server = &scene.server;
        async move { server.code(person, &document, variables).await }
    };
    assert_eq!(ending("CLINICIAN").await, "FORBIDDEN");
    assert_eq!(ending("SOCIAL_WORKER").await, "NOT_FOUND");
    scene.server.done("HEAD_OF_SERVICE", "endDenial", "denial { version }", input).await;
    assert!(scene.sees("SOCIAL_WORKER").await);
    let input = json!({ "idempotencyKey": key(), "denialId": payload["denial"]["id"], "expectedVersion": 2 });
    let again = scene.server.mutate("HEAD_OF_SERVICE", "endDenial", "", input).await;
    assert_eq!(again["errors"][0]["__typename"], "IllegalTransition");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_is_told_to_who_answers_for_the_record_and_never_to_whom_it_names() {
    let scene = Scene::start().await;
    let (mut manager, mut named, mut colleague) = (
        scene.server.socket("SERVICE_MANAGER").await,
        scene.server.socket("SOCIAL_WORKER").await,
        scene.server.socket("CLINICIAN").await,
    );
    for socket in [&mut manager, &mut named, &mut colleague] {
        socket.open_feed(MINE, json!({})).await;
    }
    let payload = scene.deny("SERVICE_MANAGER", "SOCIAL_WORKER").await;
    let event = manager.item().await;
    assert_eq!((&event["type"], &event["denied"]), (&json!("DENIAL_CHANGED"), &json!(true)));
    assert_eq!((&event["denial"]["id"], &event["caseRef"]), (&payload["denial"]["id"], &Value::Null));
    // Of a conflict of their own the manager hears too.
    let input = json!({ "idempotencyKey": key(), "personId": scene.child, "workerId": scene.worker("CLINICIAN"),
                        "reason": "CONFLICT_OF_INTEREST" });
    scene.server.done("CLINICIAN", "denyAccess", "denial { id }", input).await;
    assert_eq!(manager.item().await["denied"], true);
    let input = json!({ "idempotencyKey": key(), "denialId": payload["denial"]["id"], "expectedVersion": 1 });
    scene.server.done("HEAD_OF_SERVICE", "endDenial", "", input).await;
    assert_eq!(manager.item().await["denied"], false);
    for socket in [&mut manager, &mut named, &mut colleague] {
        socket.nothing_more().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_declare_a_conflict_of_interest_of_their_own_and_of_nobody_else() {
    let scene = Scene::start().await;
    let deny = |by: &'static str, whom: &'static str| {
        let input = json!({ "idempotencyKey": key(), "personId": scene.child, "workerId": scene.worker(whom),
                            "reason": "CONFLICT_OF_INTEREST" });
        let server = &scene.server;
        async move { server.answer(by, &support::document("denyAccess", "denial { id }"), json!({ "input": input })).await }
    };
    let other = deny("CLINICIAN", "SOCIAL_WORKER").await;
    assert_eq!(other["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let own = deny("CLINICIAN", "CLINICIAN").await;
    assert_eq!(own["data"]["denyAccess"], json!({ "errors": [], "denial": null }));
    assert!(!scene.sees("CLINICIAN").await);
    let again = deny("CLINICIAN", "CLINICIAN").await;
    assert_eq!(again["errors"][0]["extensions"]["code"], "NOT_FOUND", "the record is out of sight");
    let twice = deny("SERVICE_MANAGER", "CLINICIAN").await;
    assert_eq!(twice["data"]["denyAccess"]["errors"][0]["__typename"], "Conflict");
    let outside = deny("OTHER_UNIT", "OTHER_UNIT").await;
    assert_eq!(outside["errors"][0]["extensions"]["code"], "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn break_glass_opens_one_record_for_an_hour_and_tells_owner_and_service_manager_at_once() {
    let scene = Scene::start().await;
    scene.restrict(&["CONSULTANT_SOCIAL_WORKER"]).await;
    assert!(!scene.sees("OTHER_UNIT").await);
    let others = scene.server.held("OTHER_UNIT", 3).await.len();
    let mut manager = scene.server.socket("SERVICE_MANAGER").await;
    manager.open_feed(MINE, json!({})).await;
    let payload = scene
        .server
        .done(
            "OTHER_UNIT",
            "breakGlass",
            "breakGlass { id version endsAt reviewDueOn child { id firstName openCase { id } } }",
            scene.glass(&scene.child),
        )
        .await;
    let glass = &payload["breakGlass"];
    assert_eq!(glass["child"]["id"], scene.child);
    assert_eq!(glass["reviewDueOn"], "2026-11-19");
    assert!(scene.sees("OTHER_UNIT").await);
    // One record: others that were out of sight stay so.
    assert_eq!(scene.server.held("OTHER_UNIT", 3).await.len(), others + 1);

    let alert = manager.item().await;
    assert_eq!((&alert["type"], &alert["severity"]), (&json!("GLASS_BROKEN"), &json!("URGENT")));
    assert_eq!(alert["glassReason"], "IMMEDIATE_SAFETY");
    assert_eq!(alert["actor"]["workerId"], scene.worker("OTHER_UNIT"));
    // A reference, and no identifiers of whom it is about.
    assert_eq!((&alert["caseRef"], &alert["entity"]["entityId"]), (&Value::Null, &glass["id"]));
    assert_eq!(alert["summary"], "glass broken: immediate safety");

    // To read, not to change.
    let input = json!({ "idempotencyKey": key(), "caseId": scene.case, "toUnitId": scene.server.unit(7).await,
                        "kind": "TO_CIN", "handoverSummary": "x", "expectedVersion": 1 });
    let code =
        scene.server.code("OTHER_UNIT", &support::document("requestTransfer", ""), json!({ "input": input })).await;
    assert_eq!(code, "FORBIDDEN");
    // Open already.
    let again = scene.server.mutate("OTHER_UNIT", "breakGlass", "", scene.glass(&scene.child)).await;
    assert_eq!(again["errors"][0]["__typename"], "Conflict");
    // Whoever sees the record sees who looked.
    let query = "query($id: ID!) { child(id: $id) { breakGlassUses { id worker { id } } } }";
    let seen = scene.server.data("CONSULTANT_SOCIAL_WORKER", query, json!({ "id": scene.child })).await;
    assert_eq!(seen["child"]["breakGlassUses"][0]["worker"]["id"], scene.worker("OTHER_UNIT"));

    scene.server.later(Duration::minutes(61));
    assert!(!scene.sees("OTHER_UNIT").await);

    let alerts = "{ viewer { breakGlassAlerts(toReview: true) { totalCount nodes { id child { id } } } } }";
    let waiting = scene.server.data("SERVICE_MANAGER", alerts, json!({})).await;
    assert_eq!(waiting["viewer"]["breakGlassAlerts"]["nodes"][0]["id"], glass["id"]);
    let review = |version: i64| {
        json!({ "idempotencyKey": key(), "breakGlassId": glass["id"], "finding": "JUSTIFIED", "note": "Right to ask.",
                "expectedVersion": version })
    };
    let document = support::document("reviewBreakGlass", "");
    for (person, code) in [("OTHER_UNIT", "FORBIDDEN"), ("HEAD_OF_SERVICE", "NOT_FOUND"), ("CLINICIAN", "NOT_FOUND")] {
        assert_eq!(scene.server.code(person, &document, json!({ "input": review(1) })).await, code, "{person}");
    }
    let stale = scene.server.mutate("SERVICE_MANAGER", "reviewBreakGlass", "", review(2)).await;
    assert_eq!(stale["errors"][0]["currentVersion"], 1);
    let mut user = scene.server.socket("OTHER_UNIT").await;
    user.open_feed(MINE, json!({})).await;
    let done = scene
        .server
        .done("SERVICE_MANAGER", "reviewBreakGlass", "breakGlass { finding reviewedBy { id } version }", review(1))
        .await;
    assert_eq!(
        done["breakGlass"],
        json!({ "finding": "JUSTIFIED", "reviewedBy": { "id": scene.worker("SERVICE_MANAGER") }, "version": 2 })
    );
    let told = user.item().await;
    assert_eq!((&told["type"], &told["finding"]), (&json!("GLASS_REVIEWED"), &json!("JUSTIFIED")));
    assert_eq!(told["breakGlass"]["child"], Value::Null, "out of sight again");
    let twice = scene.server.mutate("SERVICE_MANAGER", "reviewBreakGlass", "", review(2)).await;
    assert_eq!(twice["errors"][0]["__typename"], "IllegalTransition");
    let waiting = scene.server.data("SERVICE_MANAGER", alerts, json!({})).await;
    assert_eq!(waiting["viewer"]["breakGlassAlerts"]["totalCount"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn break_glass_is_for_qualified_workers_with_a_reason_and_not_without_end() {
    let scene = Scene::start().await;
    let document = support::document("breakGlass", "");
    // A clinician and a coordinator may not, whoever the child is, and whether or not there is one.
    for person in ["CLINICIAN", "UNIT_COORDINATOR"] {
        let nobody = format!("Child:{}", uuid::Uuid::now_v7());
        for child in [&scene.child, &nobody] {
            assert_eq!(scene.server.code(person, &document, json!({ "input": scene.glass(child) })).await, "FORBIDDEN");
        }
    }
    let mut silent = scene.glass(&scene.child);
    silent["explanation"] = json!("  ");
    assert_eq!(scene.server.code("OTHER_UNIT", &document, json!({ "input": silent })).await, "BAD_USER_INPUT");
    // An unqualified chair.
    scene.client.execute("update workers set qualified = false where staff_no = 'CH-1'", &[]).await.unwrap();
    let chair = scene.server.mutate("CP_CHAIR", "breakGlass", "", scene.glass(&scene.child)).await;
    assert_eq!(chair["errors"][0]["guard"], "QUALIFIED");
    for place in 0..11 {
        let child = people::held_child(&scene.client, 3, "Another", &format!("Child{place}")).await;
        let payload = scene.server.mutate("OTHER_UNIT", "breakGlass", "", scene.glass(&format!("Child:{child}"))).await;
        if place < 10 {
            assert_eq!(payload["errors"], json!([]), "{place}");
        } else {
            assert_eq!(payload["errors"][0]["guard"], "USES_A_DAY");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restrictions_are_made_and_changed_by_those_who_answer_for_the_record() {
    let scene = Scene::start().await;
    let document = support::document("restrictRecord", "");
    for (person, code) in
        [("CLINICIAN", "FORBIDDEN"), ("CONSULTANT_SOCIAL_WORKER", "FORBIDDEN"), ("OTHER_UNIT", "NOT_FOUND")]
    {
        let variables = json!({ "input": scene.restriction(&["CLINICIAN"]) });
        assert_eq!(scene.server.code(person, &document, variables).await, code, "{person}");
    }
    let code = |change: fn(&Scene, &mut Value)| {
        let mut input = scene.restriction(&["CLINICIAN"]);
        change(&scene, &mut input);
        let (server, document) = (&scene.server, &document);
        async move { server.code("SERVICE_MANAGER", document, json!({ "input": input })).await }
    };
    assert_eq!(
        code(|_, input| input["allowedIds"] = json!([format!("Worker:{}", uuid::Uuid::now_v7())])).await,
        "BAD_USER_INPUT"
    );
    assert_eq!(code(|_, input| input["allowedIds"] = json!(["Unit:1"])).await, "BAD_USER_INPUT");
    let many: Vec<uuid::Uuid> = scene
        .client
        .query("select id from workers limit 50", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mut too_many = scene.restriction(&[]);
    too_many["allowedIds"] =
        many.iter().map(|id| format!("Worker:{id}")).chain([scene.worker("SERVICE_MANAGER")]).collect();
    if !many.contains(&scene.server.worker("SERVICE_MANAGER")) {
        assert_eq!(
            scene.server.code("SERVICE_MANAGER", &document, json!({ "input": too_many })).await,
            "BAD_USER_INPUT"
        );
    }
    let mut owned = scene.restriction(&["CLINICIAN"]);
    owned["ownerId"] = json!(scene.worker("CLINICIAN"));
    let refused = scene.server.mutate("SERVICE_MANAGER", "restrictRecord", "", owned).await;
    assert_eq!(refused["errors"][0]["guard"], "OWNER_MANAGES");

    let restriction = scene.restrict(&["CLINICIAN"]).await;
    let twice = scene.server.mutate("SERVICE_MANAGER", "restrictRecord", "", scene.restriction(&[])).await;
    assert_eq!(twice["errors"][0]["__typename"], "Conflict");
    let lift =
        |version: i64| json!({ "idempotencyKey": key(), "restrictionId": restriction, "expectedVersion": version });
    let document = support::document("liftRestriction", "");
    for (person, code) in [("CLINICIAN", "FORBIDDEN"), ("SOCIAL_WORKER", "NOT_FOUND")] {
        assert_eq!(scene.server.code(person, &document, json!({ "input": lift(1) })).await, code, "{person}");
    }
    let stale = scene.server.mutate("SERVICE_MANAGER", "liftRestriction", "", lift(3)).await;
    assert_eq!(stale["errors"][0]["currentVersion"], 1);
    scene.server.done("SERVICE_MANAGER", "liftRestriction", "", lift(1)).await;
    let over = scene.server.mutate("HEAD_OF_SERVICE", "liftRestriction", "", lift(2)).await;
    assert_eq!(over["errors"][0]["__typename"], "IllegalTransition");
}

/// Rows of sight whose locks are not what restrictions and denials say.
const WRONG_LOCKS: &str = "
    with said as (
        select s.ctid, s.allowed, s.barred from sight s
    ), locks as (
        select p.id,
            (select r.allowed from access_restrictions r where r.person_id = p.id and r.ended_at is null) as allowed,
            array(select d.worker_id from access_denials d where d.person_id = p.id and d.ended_at is null) as barred
        from persons p
    ), meant as (
        select s.ctid, w.id as worker,
               not exists (select from locks l where l.id in (s.through_id, s.subject_id)
                           and (w.id = any (l.barred)
                                or (w.id <> all (l.allowed)
                                    and not (l.id = s.through_id and exists (select from break_glass_uses b where b.id = s.source_id)))))
                   as open
        from sight s cross join workers w
        where s.through_id in (select id from locks where allowed is not null or barred <> '{}')
           or s.subject_id in (select id from locks where allowed is not null or barred <> '{}')
    )
    select (select count(*) from meant m join said s on s.ctid = m.ctid
            where m.open <> ((s.allowed is null or m.worker = any (s.allowed)) and (s.barred is null or m.worker <> all (s.barred)))),
           (select count(*) from meant),
           (select count(*) from said s where (s.allowed is not null or s.barred is not null)
            and not exists (select from meant m where m.ctid = s.ctid))";

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_sight_is_locked_as_restrictions_and_denials_say_whatever_came_first() {
    let scene = Scene::start().await;
    let agree = || async {
        let row = scene.client.query_one(WRONG_LOCKS, &[]).await.unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(2)), (0, 0));
        row.get::<_, i64>(1)
    };
    scene.restrict(&["SOCIAL_WORKER", "CLINICIAN"]).await;
    scene.deny("SOCIAL_WORKER", "SOCIAL_WORKER").await;
    assert!(agree().await > 100);
    // Sight that opens after the restriction is locked too.
    scene.server.done("OTHER_UNIT", "breakGlass", "", scene.glass(&scene.child)).await;
    let adult = people::person(&scene.client, "Ottoline", "Quillfeather").await;
    let child: uuid::Uuid = scene.child["Child:".len()..].parse().unwrap();
    people::family(&scene.client, &[(child, "2020-01-01", None), (adult, "2020-01-01", None)]).await;
    let input = json!({ "idempotencyKey": key(), "personId": format!("Person:{adult}"), "reason": "WITNESS",
                        "allowedIds": [scene.worker("CLINICIAN"), scene.worker("SERVICE_MANAGER")] });
    // The head of service is kept from the child, and so from whom they would see through the child.
    assert_eq!(
        scene.server.code("HEAD_OF_SERVICE", &support::document("restrictRecord", ""), json!({ "input": input })).await,
        "NOT_FOUND"
    );
    agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_and_new_sight_of_the_record_at_the_same_moment_do_not_overlook_each_other() {
    let scene = Scene::start().await;
    let child: uuid::Uuid = scene.child["Child:".len()..].parse().unwrap();
    let other = support::connect("postgres", &scene.server.database).await;
    // One transaction opens sight and waits; the restriction comes meanwhile.
    other.batch_execute("begin").await.unwrap();
    other
        .execute(
            "insert into allocations (id, case_id, child_id, unit_id, kind, started_at, reason_start)
             select gen_random_uuid(), c.id, c.child_id, u.id, 'JOINT', now(), 'x' from cases c, units u
             where c.child_id = $1 and u.name like '%Unit 7'",
            &[&child],
        )
        .await
        .unwrap();
    let restricting = scene.restrict(&["SOCIAL_WORKER"]);
    let committing = async {
        loop {
            let waiting = "select count(*) from pg_locks l join pg_stat_activity d on d.pid = l.pid
                           where d.datname = current_database() and not l.granted";
            if scene.client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) > 0 {
                break;
            }
        }
        other.batch_execute("commit").await.unwrap();
    };
    futures_util::join!(restricting, committing);
    assert!(!scene.sees("OTHER_UNIT").await, "the joint unit's sight is locked too");
    let row = scene.client.query_one(WRONG_LOCKS, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(2)), (0, 0));
}

/// The rule that refused a change of a restricted record.
fn guard(payload: &Value) -> &Value {
    &payload["errors"][0]["guard"]
}

#[tokio::test(flavor = "multi_thread")]
async fn who_broke_the_glass_reads_the_record_and_changes_nothing_of_it_whatever_their_role() {
    let scene = Scene::start().await;
    let owner = people::with_post(&scene.client, "HEAD_OF_SERVICE").await;
    let input = json!({ "idempotencyKey": key(), "personId": scene.child, "reason": "HIGH_PROFILE",
                        "ownerId": format!("Worker:{owner}"), "allowedIds": [scene.worker("SOCIAL_WORKER")] });
    scene.server.done("SERVICE_MANAGER", "restrictRecord", "", input).await;
    let transfer = |by: &'static str| {
        let (server, case) = (&scene.server, &scene.case);
        async move {
            let input = json!({ "idempotencyKey": key(), "caseId": case, "toUnitId": server.unit(7).await, "kind": "TO_CIN",
                                "handoverSummary": "To another unit.", "expectedVersion": 1 });
            let fields = "transfer { id } errors { __typename ... on GuardFailed { guard } }";
            server.mutate(by, "requestTransfer", fields, input).await
        }
    };
    // Who holds the case, and who manages its area: each not on the list.
    for person in ["CONSULTANT_SOCIAL_WORKER", "SERVICE_MANAGER"] {
        assert!(!scene.sees(person).await, "{person}");
        scene.server.done(person, "breakGlass", "breakGlass { id }", scene.glass(&scene.child)).await;
        assert!(scene.sees(person).await, "{person}");
        assert_eq!(guard(&transfer(person).await), "OPENED_TO_READ", "{person}");
    }
    let input = json!({ "idempotencyKey": key(), "personId": scene.child, "workerId": scene.worker("SOCIAL_WORKER"),
                        "reason": "RELATIVE" });
    let fields = "errors { __typename ... on GuardFailed { guard } }";
    let refused = scene.server.mutate("SERVICE_MANAGER", "denyAccess", fields, input).await;
    assert_eq!(guard(&refused), "OPENED_TO_READ");
    // Whoever finds out by it that they are too close says so at once.
    let input = json!({ "idempotencyKey": key(), "personId": scene.child, "workerId": scene.worker("SERVICE_MANAGER"),
                        "reason": "CONFLICT_OF_INTEREST" });
    scene.server.done("SERVICE_MANAGER", "denyAccess", "", input).await;
    assert!(!scene.sees("SERVICE_MANAGER").await);
    // Of other cases they change what they could before.
    let (case, version) = scene.server.allocated_to(3).await;
    request_transfer(&scene.server, &case, 7, version).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_denial_keeps_from_a_record_does_not_govern_it_either() {
    let scene = Scene::start().await;
    let restriction = scene.restrict(&["SOCIAL_WORKER"]).await;
    let query = "query($id: ID!) { node(id: $id) { id } accessRestrictions { totalCount } viewer { breakGlassAlerts { totalCount } } }";
    let governs = |person: &'static str| {
        let (server, id) = (&scene.server, json!({ "id": restriction }));
        async move {
            let data = server.data(person, query, id).await;
            let found = (!data["node"].is_null(), data["accessRestrictions"]["totalCount"] == 1);
            assert_eq!(found.0, found.1, "{person}: {data}");
            (found.0, data["viewer"]["breakGlassAlerts"]["totalCount"].as_i64().unwrap())
        }
    };
    assert_eq!(governs("SERVICE_MANAGER").await, (true, 0));
    assert_eq!(governs("HEAD_OF_SERVICE").await, (true, 0));
    scene.deny("SERVICE_MANAGER", "SERVICE_MANAGER").await;
    assert_eq!(governs("SERVICE_MANAGER").await, (false, 0), "the owner");
    scene.server.done("OTHER_UNIT", "breakGlass", "", scene.glass(&scene.child)).await;
    assert_eq!(governs("SERVICE_MANAGER").await, (false, 0), "the area's manager");
    assert_eq!(governs("HEAD_OF_SERVICE").await, (true, 1), "somebody must review it");
    for (mutation, input) in [("changeRestriction", json!({ "allowedIds": [] })), ("liftRestriction", json!({}))] {
        let mut input = input;
        input["idempotencyKey"] = json!(key());
        input["restrictionId"] = json!(restriction);
        input["expectedVersion"] = json!(1);
        let code =
            scene.server.code("SERVICE_MANAGER", &support::document(mutation, ""), json!({ "input": input })).await;
        assert_eq!(code, "NOT_FOUND", "{mutation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_lets_themselves_into_a_restricted_record() {
    let scene = Scene::start().await;
    let restriction = scene.restrict(&["SOCIAL_WORKER"]).await;
    let change = |mutation: &'static str, more: Value| {
        let mut input = json!({ "idempotencyKey": key(), "restrictionId": restriction, "expectedVersion": 1 });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let server = &scene.server;
        let fields = "restriction { version } errors { __typename ... on GuardFailed { guard } }";
        async move { server.mutate("HEAD_OF_SERVICE", mutation, fields, input).await }
    };
    let head = scene.worker("HEAD_OF_SERVICE");
    assert_eq!(guard(&change("changeRestriction", json!({ "allowedIds": [head] })).await), "OTHERS");
    assert_eq!(guard(&change("changeRestriction", json!({ "ownerId": head })).await), "OTHERS");
    assert_eq!(guard(&change("liftRestriction", json!({})).await), "OTHERS");
    assert!(!scene.sees("HEAD_OF_SERVICE").await);
    let other = people::with_post(&scene.client, "HEAD_OF_SERVICE").await;
    let payload = change("changeRestriction", json!({ "ownerId": format!("Worker:{other}"), "allowedIds": [] })).await;
    assert_eq!(payload["restriction"]["version"], 2, "{payload}");
    assert!(!scene.sees("HEAD_OF_SERVICE").await && !scene.sees("SOCIAL_WORKER").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_glass_takes_nothing_away_of_what_could_be_done_without_it() {
    let server = Server::start().await;
    let two = siblings(&server).await;
    // Quentin is unit 3's, Yolanda unit 7's and none of unit 3's business, until her glass is broken.
    let input = json!({ "idempotencyKey": key(), "childId": two.children[1], "reason": "IMMEDIATE_SAFETY", "explanation": "At the door." });
    let query = "query($id: ID!) { conference(id: $id) { version children { child { id } } } }";
    let seen = server.data("UNIT_COORDINATOR", query, json!({ "id": two.conference })).await;
    assert_eq!(seen["conference"]["children"].as_array().unwrap().len(), 1);
    server.done("CONSULTANT_SOCIAL_WORKER", "breakGlass", "", input).await;
    let seen = server.data("CONSULTANT_SOCIAL_WORKER", query, json!({ "id": two.conference })).await;
    assert_eq!(seen["conference"]["children"].as_array().unwrap().len(), 2, "to read");
    let chair = format!("Worker:{}", server.worker("CP_CHAIR"));
    let input = json!({ "idempotencyKey": key(), "conferenceId": two.conference, "chairId": chair,
                        "expectedVersion": seen["conference"]["version"] });
    server.done("CONSULTANT_SOCIAL_WORKER", "appointConferenceChair", "conference { id }", input).await;
}

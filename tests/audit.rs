//! Who saw, changed, was sent or was refused which record is written down before the answer leaves, and cannot be changed
//! unseen.

use std::time::Duration;

use hearth::{
    audit::anchors,
    db::audit::{Link, must_be_anchored, verify},
};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    mutations_support::request_transfer,
    support::{self, Server, Setup, key, people},
};

const ENTRIES: &str = "query($worker: ID, $record: ID) { auditEntries(workerId: $worker, recordId: $record, first: 50) { totalCount nodes {
    action purpose operation operationHash requestId worker { id } records asked classes codes events recipients at } } }";

struct Scene {
    server: Server,
    client: Client,
    child: Uuid,
    case: Uuid,
    auditor: Uuid,
}

impl Scene {
    async fn start() -> Self {
        let anchor = std::env::temp_dir().join(support::unique("hearth_anchor"));
        let server = Server::with(Setup { anchor: Some(anchor), ..Setup::default() }).await;
        let client = support::connect("postgres", &server.database).await;
        let child = people::held_child(&client, 3, "Zephyrine", "Quillfeather").await;
        let case = client.query_one("select id from cases where child_id = $1", &[&child]).await.unwrap().get(0);
        let auditor = people::with_post(&client, "AUDITOR").await;
        Self { server, client, child, case, auditor }
    }

    /// Entries that name the child, or a worker's, newest first, as the auditor reads them.
    async fn entries(&self, variables: Value) -> Vec<Value> {
        let answer = self.server.answer_to(self.auditor, ENTRIES, variables).await;
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        answer["data"]["auditEntries"]["nodes"].as_array().unwrap().clone()
    }

    fn record(&self) -> Value {
        json!({ "record": format!("Child:{}", self.child) })
    }

    async fn look(&self, person: &str) -> Value {
        let query = "query Anything($id: ID!) { child(id: $id) { firstName nhsNo openCase { referralSummary } } }";
        self.server.answer(person, query, json!({ "id": format!("Child:{}", self.child) })).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_shows_a_record_is_written_down_with_what_was_read_of_it() {
    let scene = Scene::start().await;
    assert_eq!(scene.look("SOCIAL_WORKER").await["data"]["child"]["firstName"], "Zephyrine");
    let entries = scene.entries(scene.record()).await;
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(
        (&entry["action"], &entry["purpose"], &entry["operation"]),
        (&json!("READ"), &json!("DIRECT_WORK"), &json!(["child"]))
    );
    assert_eq!(entry["worker"]["id"], format!("Worker:{}", scene.server.worker("SOCIAL_WORKER")));
    let records = entry["records"].as_array().unwrap();
    assert!(records.contains(&json!(scene.child.to_string())) && records.contains(&json!(scene.case.to_string())));
    assert_eq!((&entry["asked"], &entry["codes"]), (&json!([]), &json!([])));
    assert_eq!(entry["classes"], json!(["NARRATIVE", "CLINICAL"]));
    assert_eq!(entry["operationHash"].as_str().unwrap().len(), 64);
    assert!(entry["requestId"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_and_not_given_is_written_down_and_a_refused_change_too() {
    let scene = Scene::start().await;
    assert_eq!(scene.look("OTHER_UNIT").await["data"]["child"], Value::Null);
    // In the text instead of a variable: nobody asks unseen.
    let inline = format!("{{ node(id: \"Child:{}\") {{ id }} }}", scene.child);
    scene.server.answer("OTHER_UNIT", &inline, json!({})).await;
    let input = json!({ "idempotencyKey": key(), "personId": format!("Child:{}", scene.child), "reason": "OTHER", "allowedIds": [] });
    let code =
        scene.server.code("CLINICIAN", &support::document("restrictRecord", ""), json!({ "input": input })).await;
    assert_eq!(code, "FORBIDDEN");
    let entries = scene.entries(scene.record()).await;
    assert_eq!(entries.len(), 3, "{entries:#?}");
    assert!(entries.iter().all(|one| one["action"] == "REFUSED" && one["records"] == json!([])));
    assert!(entries.iter().all(|one| one["asked"] == json!([scene.child.to_string()])));
    assert_eq!((&entries[0]["operation"], &entries[0]["codes"]), (&json!(["restrictRecord"]), &json!(["FORBIDDEN"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_and_the_events_that_were_sent_of_it_are_written_down_with_who_got_them() {
    let scene = Scene::start().await;
    let mut socket = scene.server.socket("SOCIAL_WORKER").await;
    socket.feed(&scene.server.unit(3).await, None).await;
    let case = format!("Case:{}", scene.case);
    request_transfer(&scene.server, &case, 7, 1).await;
    let sent = socket.item().await;
    let entries = scene.entries(json!({ "record": case })).await;
    let of = |action: &str| {
        entries.iter().find(|one| one["action"] == action).unwrap_or_else(|| panic!("{action}: {entries:#?}"))
    };
    assert_eq!(of("CHANGED")["operation"], json!(["requestTransfer"]));
    assert_eq!(of("SENT")["events"], json!([sent["eventId"]]));
    assert_eq!(of("SENT")["recipients"], json!([scene.server.worker("SOCIAL_WORKER").to_string()]));
    // The past is written down too, for who resumes.
    let mut later = scene.server.socket("CLINICIAN").await;
    let start = scene.server.data("CLINICIAN", "{ viewer { feedCursor } }", json!({})).await;
    later.feed(&scene.server.unit(3).await, start["viewer"]["feedCursor"].as_str()).await;
    later.nothing_more().await;
    let now = scene.entries(json!({ "record": case })).await;
    assert_eq!(now.iter().filter(|one| one["action"] == "SENT").count(), 1, "nothing lay between");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_reads_their_own_acts_auditors_all_and_a_manager_who_looked_at_a_child() {
    let scene = Scene::start().await;
    scene.look("SOCIAL_WORKER").await;
    scene.look("CLINICIAN").await;
    let own = scene.server.data("CLINICIAN", ENTRIES, json!({})).await;
    let me = json!(format!("Worker:{}", scene.server.worker("CLINICIAN")));
    let own = own["auditEntries"]["nodes"].as_array().unwrap().clone();
    assert!(!own.is_empty() && own.iter().all(|one| one["worker"]["id"] == me));
    let others = scene.server.data("CLINICIAN", ENTRIES, scene.record()).await;
    assert_eq!(others["auditEntries"]["totalCount"], 1, "their own only");
    assert_eq!(scene.entries(scene.record()).await.len(), 3, "two who looked, and who asked what of them is written");

    let query = "query($id: ID!) { child(id: $id) { lookedAtBy(first: 10) { action worker { id } } } }";
    let id = json!({ "id": format!("Child:{}", scene.child) });
    let looked = scene.server.data("SERVICE_MANAGER", query, id.clone()).await;
    let who: Vec<&Value> =
        looked["child"]["lookedAtBy"].as_array().unwrap().iter().map(|one| &one["worker"]["id"]).collect();
    assert_eq!(who.len(), 2, "{looked}");
    assert!(who.contains(&&me));
    for person in ["CLINICIAN", "CONSULTANT_SOCIAL_WORKER"] {
        assert_eq!(scene.server.data(person, query, id.clone()).await["child"]["lookedAtBy"], json!([]), "{person}");
    }
    // What for is said by the client.
    let http = reqwest::Client::new();
    let ask = |purpose: &'static str| {
        http.post(scene.server.graphql_url())
            .header("authorization", format!("Bearer {}", scene.server.token("SERVICE_MANAGER")))
            .header("hearth-purpose", purpose)
            .json(&json!({ "query": query, "variables": id }))
            .send()
    };
    assert_eq!(ask("SUPERVISION").await.unwrap().status(), 200);
    assert_eq!(ask("CURIOSITY").await.unwrap().status(), 400);
    assert_eq!(scene.entries(scene.record()).await[0]["purpose"], "SUPERVISION");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_down_does_not_leave() {
    let scene = Scene::start().await;
    let mut socket = scene.server.socket("SOCIAL_WORKER").await;
    socket.feed(&scene.server.unit(3).await, None).await;
    scene.client.batch_execute("revoke execute on function hearth.append_audit(jsonb) from hearth_app").await.unwrap();
    let answer = scene.look("SOCIAL_WORKER").await;
    assert_eq!((&answer["data"], &answer["errors"][0]["extensions"]["code"]), (&Value::Null, &json!("INTERNAL")));
    assert!(!answer.to_string().contains("Zephyrine"));
    // A change is made; its answer and its event wait.
    let case = format!("Case:{}", scene.case);
    let input = json!({ "idempotencyKey": "once", "caseId": case, "toUnitId": scene.server.unit(7).await, "kind": "TO_CIN",
                        "handoverSummary": "Ready.", "expectedVersion": 1 });
    let document = support::document("requestTransfer", "transfer { id }");
    let variables = json!({ "input": input });
    assert_eq!(scene.server.code("CONSULTANT_SOCIAL_WORKER", &document, variables.clone()).await, "INTERNAL");
    socket.nothing_more().await;
    scene.client.batch_execute("grant execute on function hearth.append_audit(jsonb) to hearth_app").await.unwrap();
    assert_eq!(socket.item().await["type"], "TRANSFER_REQUESTED");
    let again = scene.server.data("CONSULTANT_SOCIAL_WORKER", &document, variables).await;
    assert_eq!(again["requestTransfer"]["errors"], json!([]));
}

impl Scene {
    fn relay(&self) -> String {
        support::url("hearth_relay", &self.server.database)
    }

    /// Waits until everything is sealed; answers the anchors.
    async fn sealed(&self) -> Vec<hearth::db::audit::Link> {
        loop {
            let waiting =
                "select count(*) from audit_entries where id > (select coalesce(max(upto), 0) from audit_seals)";
            let waiting: i64 = self.client.query_one(waiting, &[]).await.unwrap().get(0);
            let links: i64 = self.client.query_one("select count(*) from audit_seals", &[]).await.unwrap().get(0);
            let text = std::fs::read_to_string(self.server.anchor.as_ref().unwrap()).unwrap_or_default();
            let (anchored, _) = anchors(&text);
            if waiting == 0 && links > 0 && anchored.len() == usize::try_from(links).unwrap() {
                return anchored;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_follows_and_whatever_is_done_to_an_entry_is_found() {
    let scene = Scene::start().await;
    let mut links = 0;
    for _ in 0..3 {
        for person in ["SOCIAL_WORKER", "CLINICIAN", "OTHER_UNIT"] {
            scene.look(person).await;
        }
        links = scene.sealed().await.len();
    }
    let anchored = scene.sealed().await;
    let must_be = must_be_anchored(&scene.relay()).await.unwrap();
    let sound = verify(&scene.relay(), Some(&anchored), must_be).await.unwrap();
    assert_eq!((&sound.faults[..], sound.waiting, sound.anchors), (&[][..], 0, links));
    assert!(sound.links >= 3 && sound.entries >= 9, "{sound:?}");
    // A chain that is made anew behind a change is anchored anew too, and the old anchor stays: whichever comes first.
    let made_anew = Link { seq: 2, hash: vec![7; 32] };
    for both in [[anchored.clone(), vec![made_anew.clone()]].concat(), [vec![made_anew], anchored.clone()].concat()] {
        let found = verify(&scene.relay(), Some(&both), 0).await.unwrap();
        assert_eq!(found.faults, ["link 2 is not the one that was anchored"]);
    }
    let cut_off = &anchored[..anchored.len() - 2];
    let found = verify(&scene.relay(), Some(cut_off), must_be).await.unwrap();
    assert!(found.faults.len() == 1 && found.faults[0].contains("is not anchored"), "{:?}", found.faults);
    // An entry of the second link, and one of the third.
    let (second, third) = (
        "(select upto from audit_seals where seq = 2)",
        "(select min(id) from audit_entries where id > (select upto from audit_seals where seq = 2))",
    );
    for (tampering, found) in [
        (
            format!(
                "update audit_entries set worker_id = (select id from workers where staff_no = 'CH-1') where id = {second}"
            ),
            "does not follow",
        ),
        (format!("update audit_entries set subjects = '{{}}', asked = '{{}}' where id = {second}"), "does not follow"),
        (format!("update audit_entries set at = at - interval '1 hour' where id = {second}"), "does not follow"),
        (format!("delete from audit_entries where id = {second}"), "was made of"),
        (format!("delete from audit_entries where id = {third}"), "was made of"),
        ("update audit_seals set upto = upto + 1 where seq = 2".to_owned(), "was made of"),
        (
            format!(
                "update audit_entries a set worker_id = b.worker_id, at = b.at, subjects = b.subjects
                 from audit_entries b where a.id = {second} and b.id = {third}"
            ),
            "does not follow",
        ),
        // Put in before all others, where nobody looks.
        (
            format!(
                "insert into audit_entries (id, at, action, purpose, operation, process, subjects, records, asked, classes, codes,
                                            events, recipients)
                 overriding system value
                 select -1, at, action, purpose, operation, process, subjects, records, asked, classes, codes, events, recipients
                 from audit_entries where id = {second}"
            ),
            "was made of",
        ),
        ("delete from audit_seals where seq = 2".to_owned(), "are missing"),
        // The end cut off, entries and link: only the anchor tells.
        (
            "delete from audit_entries where id > (select upto from audit_seals order by seq desc offset 1 limit 1);
             delete from audit_seals where seq = (select max(seq) from audit_seals)"
                .to_owned(),
            "was anchored and is missing",
        ),
    ] {
        // In a copy, by an administrator who also took the triggers away.
        let copy = support::copy_of(&scene.server.database).await;
        let client = support::connect("postgres", &copy).await;
        client
            .batch_execute(
                "alter table audit_entries disable trigger user; alter table audit_seals disable trigger user",
            )
            .await
            .unwrap();
        client.batch_execute(&tampering).await.unwrap();
        let verified = verify(&support::url("hearth_relay", &copy), Some(&anchored), 0).await.unwrap();
        assert!(verified.faults.iter().any(|fault| fault.contains(found)), "{tampering}: {:?}", verified.faults);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_that_serve_append_and_do_nothing_else_to_the_audit() {
    let scene = Scene::start().await;
    scene.look("SOCIAL_WORKER").await;
    scene.sealed().await;
    for role in ["hearth_app", "hearth_relay", "hearth_bus", "postgres"] {
        let client = support::connect(role, &scene.server.database).await;
        for statement in [
            "update audit_entries set worker_id = null",
            "update audit_entries set subjects = '{}'",
            "delete from audit_entries",
            "truncate audit_entries",
            "update audit_seals set entries = 1",
            "delete from audit_seals",
        ] {
            assert!(client.batch_execute(statement).await.is_err(), "{role}: {statement}");
        }
    }
    // Not even append, but by the function that gives entries their numbers.
    let chosen = "insert into audit_entries (id, at, action, purpose, operation, process, subjects, records, asked, classes, codes, events,
                                        recipients) overriding system value
             select 9223372036854775807, at, action, purpose, operation, process, subjects, records, asked, classes, codes, events,
                    recipients from audit_entries limit 1";
    for role in ["hearth_app", "hearth_relay", "hearth_bus"] {
        let client = support::connect(role, &scene.server.database).await;
        assert!(client.batch_execute(chosen).await.is_err(), "{role}");
    }
    let client = support::connect("hearth_app", &scene.server.database).await;
    assert!(client.batch_execute("select from audit_entries").await.is_err(), "without a viewer nothing is read");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_what_belongs_to_a_child_is_found_by_the_child_whatever_they_asked_for() {
    let scene = Scene::start().await;
    let me = scene.server.worker("CLINICIAN");
    let about_child =
        |entries: &[Value]| entries.iter().filter(|one| one["worker"]["id"] == format!("Worker:{me}")).count();
    let allocation: Uuid =
        scene.client.query_one("select id from allocations where child_id = $1", &[&scene.child]).await.unwrap().get(0);
    let case = format!("Case:{}", scene.case);
    request_transfer(&scene.server, &case, 7, 1).await;
    scene.server.all_placed().await;
    let unit = scene.server.unit(3).await;
    let mut read = about_child(&scene.entries(scene.record()).await);
    for (what, query, id) in [
        (
            "an allocation",
            "query($id: ID!) { node(id: $id) { ... on Allocation { reasonStart } } }",
            format!("Allocation:{allocation}"),
        ),
        ("a case", "query($id: ID!) { case(id: $id) { caseNo } }", case.clone()),
        (
            "transfers",
            "query($id: ID!) { unit(id: $id) { transfers(first: 5) { nodes { handoverSummary } } } }",
            unit.clone(),
        ),
        ("events", "query($id: ID!) { unit(id: $id) { events(first: 5) { nodes { summary } } } }", unit.clone()),
    ] {
        let data = scene.server.data("CLINICIAN", query, json!({ "id": id })).await;
        assert!(data.to_string().len() > 20, "{what}: {data}");
        let now = about_child(&scene.entries(scene.record()).await);
        assert_eq!(now, read + 1, "{what}");
        read = now;
    }
    // By the case it is found too, with those entries that show the case and no others of the child.
    let by_case = scene.entries(json!({ "record": case })).await;
    assert!(
        by_case.iter().all(|one| one["records"].as_array().unwrap().contains(&json!(scene.case.to_string()))
            || one["asked"].as_array().unwrap().contains(&json!(scene.case.to_string()))),
        "{by_case:#?}"
    );
    // A manager is told who and when, and of others who were in the same answer nothing.
    scene
        .server
        .data(
            "CLINICIAN",
            "query($id: ID!) { unit(id: $id) { cases(first: 50) { nodes { child { id } } } } }",
            json!({ "id": unit }),
        )
        .await;
    let query =
        "query($id: ID!) { child(id: $id) { lookedAtBy(first: 1) { records asked events recipients worker { id } } } }";
    let looked = scene.server.data("SERVICE_MANAGER", query, json!({ "id": format!("Child:{}", scene.child) })).await;
    let newest = &looked["child"]["lookedAtBy"][0];
    assert_eq!(newest["worker"]["id"], format!("Worker:{me}"));
    assert_eq!(newest["records"], json!([scene.child.to_string()]));
    assert_eq!((&newest["asked"], &newest["events"], &newest["recipients"]), (&json!([]), &json!([]), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_an_id_and_no_stream_asks_unseen_and_the_directory_is_nobodys_record() {
    let scene = Scene::start().await;
    let before = scene.entries(json!({})).await.len();
    let unit = scene.server.unit(3).await;
    scene.server.data("OTHER_UNIT", "query($id: ID!) { unit(id: $id) { name } }", json!({ "id": unit })).await;
    let escaped = format!("{{ child(id: \"Child\\u003a{}\") {{ id }} }}", scene.child);
    assert_eq!(scene.server.data("OTHER_UNIT", &escaped, json!({})).await["child"], Value::Null);
    let mut socket = scene.server.socket("OTHER_UNIT").await;
    let feed = "subscription($id: ID!) { childFeed(childId: $id) { __typename cursor } }";
    socket.subscribe("feed", feed, json!({ "id": format!("Child:{}", scene.child) })).await;
    assert_eq!(socket.hear().await["payload"][0]["extensions"]["code"], "NOT_FOUND");
    let entries = scene.entries(scene.record()).await;
    let asked: Vec<(&Value, &Value)> = entries.iter().map(|one| (&one["action"], &one["operation"][0])).collect();
    assert_eq!(asked, [(&json!("REFUSED"), &json!("childFeed")), (&json!("REFUSED"), &json!("child"))]);
    let mut own = scene.server.socket("CLINICIAN").await;
    own.open_feed(feed, json!({ "id": format!("Child:{}", scene.child) })).await;
    let opened = scene.entries(scene.record()).await;
    assert_eq!((&opened[0]["action"], &opened[0]["operation"]), (&json!("READ"), &json!(["childFeed"])));
    // Those, and what the auditor asked about one record: whoever reads the audit is in it too.
    let all = scene.entries(json!({})).await;
    let of_auditor = all.iter().filter(|one| one["worker"]["id"] == format!("Worker:{}", scene.auditor)).count();
    assert_eq!((before, of_auditor, all.len()), (0, 2, 5), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_says_whether_something_was_changed_and_why_it_was_not() {
    let scene = Scene::start().await;
    let case = format!("Case:{}", scene.case);
    let input = |version: i32| {
        json!({ "idempotencyKey": key(), "caseId": case, "toUnitId": "", "kind": "TO_CIN",
                                       "handoverSummary": "Ready.", "expectedVersion": version })
    };
    let unit = scene.server.unit(7).await;
    let ask = |version: i32| {
        let mut input = input(version);
        input["toUnitId"] = json!(unit);
        scene.server.mutate("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "", input)
    };
    assert_eq!(ask(9).await["errors"][0]["__typename"], "VersionConflict");
    let entries = scene.entries(json!({ "record": case })).await;
    assert_eq!((&entries[0]["action"], &entries[0]["codes"]), (&json!("REFUSED"), &json!(["VERSION_CONFLICT"])));
    // Nothing of what was changed is selected: the child is in the entry all the same.
    assert_eq!(ask(1).await["errors"], json!([]));
    let entries = scene.entries(scene.record()).await;
    let changed: Vec<&Value> = entries.iter().filter(|one| one["action"] == "CHANGED").collect();
    assert_eq!(
        (changed.len(), &changed[0]["operation"], &changed[0]["codes"]),
        (1, &json!(["requestTransfer"]), &json!([]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_written_down_though_nobody_waits_for_its_answer() {
    let scene = Scene::start().await;
    let case = format!("Case:{}", scene.case);
    // It waits behind this, and its client does not.
    let blocker = support::connect("postgres", &scene.server.database).await;
    blocker.batch_execute("begin; lock table case_transfers in access exclusive mode").await.unwrap();
    let input = json!({ "idempotencyKey": key(), "caseId": case, "toUnitId": scene.server.unit(7).await, "kind": "TO_CIN",
                        "handoverSummary": "Ready.", "expectedVersion": 1 });
    let token = scene.server.token("CONSULTANT_SOCIAL_WORKER");
    let (url, document) = (scene.server.graphql_url(), support::document("requestTransfer", ""));
    let asking = tokio::spawn(async move {
        let http = reqwest::Client::new();
        support::post(&http, &url, &token, &document, json!({ "input": input })).await
    });
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while scene.client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::task::yield_now().await;
    }
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    blocker.batch_execute("commit").await.unwrap();
    let written = "select count(*) from audit_entries where action = 'CHANGED' and operation = '{requestTransfer}'";
    while scene.client.query_one(written, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::task::yield_now().await;
    }
}

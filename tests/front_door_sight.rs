//! Who sees what at the front door, and from whom it is kept: restrictions, denials, meetings, what passes on with a case.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    front_door::{
        CONTACT, FRONT_DOOR, accept, allocate, child, closed_child, contact, decide, matched, parts, refer, registered,
        told,
    },
    support::{self, Server, key, people},
};

#[tokio::test(flavor = "multi_thread")]
async fn only_first_response_takes_contacts_down_and_nobody_else_sees_an_open_one() {
    let server = Server::start().await;
    let document = support::document("recordContact", "contact { id }");
    for person in ["CONSULTANT_SOCIAL_WORKER", "UNIT_COORDINATOR", "CP_CHAIR", "SERVICE_MANAGER", "HEAD_OF_SERVICE"] {
        let input = told(child("Una", "Vane", "2019-03-04", "F"));
        assert_eq!(server.code(person, &document, json!({ "input": input })).await, "FORBIDDEN", "{person}");
    }
    let (contact, ..) = contact(&server, child("Una", "Vane", "2019-03-04", "F")).await;
    let query = "query($id: ID!) { contact(id: $id) { concern callerName people { firstName } } contacts(open: true) { totalCount } }";
    for (person, sees) in [
        ("FIRST_RESPONSE", true),
        ("SERVICE_MANAGER", true),
        ("HEAD_OF_SERVICE", true),
        ("CONSULTANT_SOCIAL_WORKER", false),
        ("CP_CHAIR", false),
        ("OTHER_UNIT", false),
    ] {
        let data = server.data(person, query, json!({ "id": contact })).await;
        assert_eq!(data["contact"].is_object(), sees, "{person}");
        assert_eq!(data["contacts"]["totalCount"].as_i64().unwrap() > 0, sees, "{person}");
        // Who called is third party: not for the head of service.
        assert_eq!(data["contact"]["callerName"].is_string(), sees && person != "HEAD_OF_SERVICE", "{person}");
    }
    // Who is managed by another area's manager is none of theirs.
    let client = support::connect("postgres", &server.database).await;
    let other: Uuid = client.query_one("select id from workers where staff_no = 'SM-2'", &[]).await.unwrap().get(0);
    let data = server.answer_to(other, query, json!({ "id": contact })).await;
    assert_eq!(data["data"], json!({ "contact": null, "contacts": { "totalCount": 0 } }));
}

#[tokio::test(flavor = "multi_thread")]
async fn first_response_finds_any_child_until_the_contact_is_decided_and_no_restricted_one() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let kept = people::held_child(&client, 7, "Zebedee", "Quarringtone").await;
    client
        .execute(
            "insert into access_restrictions (id, person_id, reason, owner_id, allowed, started_at, created_by)
             select gen_random_uuid(), $1, 'OTHER', id, array[id], '2026-11-01Z', id from workers where staff_no = 'SM-3'",
            &[&kept],
        )
        .await
        .unwrap();
    // Not without a contact.
    let query = "query($s: String!) { children(search: $s) { nodes { id } } }";
    let none = server.data("FIRST_RESPONSE", query, json!({ "s": "Zebedee" })).await;
    assert_eq!(none["children"]["nodes"], json!([]));

    let (contact, person, version) = contact(&server, child("Zebedee", "Quarrington", "2018-05-05", "F")).await;
    let find = "query($id: ID!, $s: String) { node(id: $id) { ... on ContactPerson { child { id }
        knownChildren(search: $s) { childId firstName allNames sameBirth hasOpenCase holdingUnit { name } } } } }";
    let found = server.data("FIRST_RESPONSE", find, json!({ "id": person })).await;
    let one = json!({ "childId": format!("Child:{known}"), "firstName": "Zebedee", "allNames": true, "sameBirth": true,
                      "hasOpenCase": true, "holdingUnit": found["node"]["knownChildren"][0]["holdingUnit"] });
    assert_eq!(found["node"]["knownChildren"], json!([one]));
    assert!(one["holdingUnit"]["name"].as_str().unwrap().ends_with("Unit 7"));
    let by_word = server.data("FIRST_RESPONSE", find, json!({ "id": person, "s": "Quarringt" })).await;
    assert_eq!(by_word["node"]["knownChildren"].as_array().unwrap().len(), 1, "{by_word}");
    // Whoever is head of service sees the contact, and does not look for children through it.
    let head = server.data("HEAD_OF_SERVICE", find, json!({ "id": person })).await;
    assert_eq!(head["node"]["knownChildren"], json!([]));

    // A restricted child answers like one who does not exist.
    let document = support::document("matchContactChild", "contact { id }");
    for nobody in [kept, Uuid::now_v7()] {
        let input = json!({ "idempotencyKey": key(), "contactPersonId": person, "childId": format!("Child:{nobody}"),
                            "despite": ["NAME", "BIRTH", "SEX"], "expectedVersion": version });
        assert_eq!(server.code("FIRST_RESPONSE", &document, json!({ "input": input })).await, "NOT_FOUND");
    }
    let input = json!({ "idempotencyKey": key(), "contactPersonId": person, "childId": format!("Child:{known}"),
                        "expectedVersion": version });
    let payload = server.done("FIRST_RESPONSE", "matchContactChild", CONTACT, input).await;
    let version = parts(&payload).2;
    // Of whom they matched they see who it is, and no more.
    let look = "query($id: ID!) { child(id: $id) { firstName religion openCase { id } plans { totalCount } } }";
    let seen = server.data("FIRST_RESPONSE", look, json!({ "id": format!("Child:{known}") })).await;
    assert_eq!(
        seen["child"],
        json!({ "firstName": "Zebedee", "religion": null, "openCase": null, "plans": { "totalCount": 0 } })
    );
    // The unit does not see the contact before it is decided: the match may be wrong.
    let of_child = "query($id: ID!) { child(id: $id) { contacts { nodes { id } } } }";
    let unit = server.data("OTHER_UNIT", of_child, json!({ "id": format!("Child:{known}") })).await;
    assert_eq!(unit["child"]["contacts"]["nodes"], json!([]));

    let input = decide(&contact, "INFORMATION_ADVICE", version, json!({ "referrerInformedAt": server.now() }));
    server.done("FIRST_RESPONSE", "decideContact", "", input).await;
    let seen = server.data("FIRST_RESPONSE", look, json!({ "id": format!("Child:{known}") })).await;
    assert_eq!(seen["child"], Value::Null, "the right ended with the decision");
    let found = server.data("FIRST_RESPONSE", find, json!({ "id": person })).await;
    assert_eq!(found["node"], Value::Null, "whom it was about is out of sight");
    let unit = server.data("OTHER_UNIT", of_child, json!({ "id": format!("Child:{known}") })).await;
    assert_eq!(unit["child"]["contacts"]["nodes"], json!([{ "id": contact }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_offered_to_a_unit_is_out_of_its_sight_when_another_takes_it() {
    let server = Server::start().await;
    let (three, four) = (server.unit(3).await, server.unit(4).await);
    closed_child(&server, 3, "Zora", "2026-06-18").await;
    let (contact, version) = registered(&server, "Una", "Vane").await;
    let (referral, case, version) = refer(&server, &contact, version).await;
    server.done("FIRST_RESPONSE", "decideReferral", "", accept(&referral, version, Some(&three))).await;
    let query = "query($id: ID!) { case(id: $id) { id } }";
    assert_eq!(server.data("CLINICIAN", query, json!({ "id": case })).await["case"]["id"], json!(case));
    assert_eq!(server.data("OTHER_UNIT", query, json!({ "id": case })).await["case"], Value::Null);
    let mut input = allocate(&case, &four, version + 1);
    input["previousUnitReason"] = json!("They know the grandmother.");
    server.done("FIRST_RESPONSE", "allocateCase", "", input).await;
    assert_eq!(server.data("CLINICIAN", query, json!({ "id": case })).await["case"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_front_door_hears_nothing_after_and_is_told() {
    let server = Server::start().await;
    let mut desk = server.socket("FIRST_RESPONSE").await;
    desk.open_feed(FRONT_DOOR, json!({})).await;
    let client = support::connect("postgres", &server.database).await;
    client
        .execute(
            "update worker_posts set ended_at = $1 from workers w where w.id = worker_id and w.staff_no = 'FR-1'",
            &[&server.now()],
        )
        .await
        .unwrap();
    let ended = desk.item().await;
    assert_eq!(ended["__typename"], "AccessEnded");
    // What others do there comes to them, and not to who has left.
    let mut others = as_staff(&server, "FR-2").await;
    others.open_feed(FRONT_DOOR, json!({})).await;
    let colleague = staff(&server, "FR-2").await;
    let input = json!({ "input": told(child("Una", "Vane", "2019-03-04", "F")) });
    server.answer_to(colleague, &support::document("recordContact", "contact { id }"), input).await;
    assert_eq!(others.item().await["type"], "CONTACT_RECEIVED");
    assert_eq!(desk.hear().await, json!({ "id": "feed", "type": "complete" }));
    desk.nothing_more().await;
    let document = support::document("recordContact", "contact { id }");
    let input = json!({ "input": told(child("Una", "Vane", "2019-03-04", "F")) });
    assert_eq!(server.code("FIRST_RESPONSE", &document, input).await, "FORBIDDEN");
}

async fn staff(server: &Server, number: &str) -> Uuid {
    let client = support::connect("postgres", &server.database).await;
    client.query_one("select id from workers where staff_no = $1", &[&number]).await.unwrap().get(0)
}

async fn as_staff(server: &Server, number: &str) -> support::Socket {
    server.all_placed().await;
    let token = support::token_for(staff(server, number).await, chrono::Duration::hours(1));
    support::Socket::open(&format!("ws://{}/graphql", server.address), &token).await
}

const LOOK: &str = "query($id: ID!) { contact(id: $id) { concern people { firstName } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_not_restricted_from_everybody_who_may_say_what_came_of_a_meeting() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let (contact, person, version) = contact(&server, child("Zebedee", "Quarrington", "2018-05-05", "F")).await;
    let version = matched(&server, &person, known, version).await;
    let (manager, worker) = (staff(&server, "SM-2").await, server.worker("SOCIAL_WORKER"));
    let meeting =
        json!({ "workerId": format!("Worker:{worker}"), "scheduledFor": "2026-11-19T10:00:00Z", "online": true });
    let more = json!({ "referrerInformedAt": server.now(), "consultation": meeting });
    let input = decide(&contact, "CONSULTATION_MEETING", version, more);
    server.done("FIRST_RESPONSE", "decideContact", "", input).await;
    let document = support::document("restrictRecord", "restriction { id }");
    let restrict = |allowed: &[Uuid]| {
        let allowed: Vec<String> = allowed.iter().map(|worker| format!("Worker:{worker}")).collect();
        json!({ "input": { "idempotencyKey": key(), "personId": format!("Child:{known}"), "reason": "STAFF_OR_RELATIVE",
                           "allowedIds": allowed } })
    };
    let refused = server.answer_to(manager, &document, restrict(&[manager])).await;
    assert_eq!(refused["data"]["restrictRecord"]["errors"][0]["guard"], "OPEN_CONTACT", "{refused}");
    let made = server.answer_to(manager, &document, restrict(&[manager, worker])).await;
    assert_eq!(made["data"]["restrictRecord"]["errors"], json!([]), "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_or_a_denial_after_the_match_takes_the_contact_and_its_events() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let (contact, person, version) = contact(&server, child("Zebedee", "Quarrington", "2018-05-05", "F")).await;
    let version = matched(&server, &person, known, version).await;
    let (manager, second) = (staff(&server, "SM-2").await, staff(&server, "FR-2").await);
    let (first, seen_by) = (server.worker("FIRST_RESPONSE"), json!({ "id": contact }));
    let mut others = as_staff(&server, "FR-2").await;
    others.open_feed(FRONT_DOOR, json!({})).await;
    let mut desk = server.socket("FIRST_RESPONSE").await;
    desk.open_feed(FRONT_DOOR, json!({})).await;
    assert!(server.answer_to(second, LOOK, seen_by.clone()).await["data"]["contact"].is_object());

    // Somebody must be left who decides.
    let restrict = |allowed: Vec<Uuid>| {
        let allowed: Vec<String> = allowed.iter().map(|worker| format!("Worker:{worker}")).collect();
        json!({ "input": { "idempotencyKey": key(), "personId": format!("Child:{known}"), "reason": "STAFF_OR_RELATIVE",
                           "allowedIds": allowed } })
    };
    let document = support::document("restrictRecord", "restriction { id }");
    let refused = server.answer_to(manager, &document, restrict(vec![manager])).await;
    assert_eq!(refused["data"]["restrictRecord"]["errors"][0]["guard"], "OPEN_CONTACT", "{refused}");
    let made = server.answer_to(manager, &document, restrict(vec![manager, first])).await;
    assert_eq!(made["data"]["restrictRecord"]["errors"], json!([]), "{made}");
    for (who, sees) in [(first, true), (second, false), (server.worker("HEAD_OF_SERVICE"), false)] {
        let seen = server.answer_to(who, LOOK, seen_by.clone()).await;
        assert_eq!(seen["data"]["contact"].is_object(), sees, "{seen}");
    }
    let triage = json!({ "idempotencyKey": key(), "contactId": contact, "urgency": "RED", "expectedVersion": version });
    server.done("FIRST_RESPONSE", "triageContact", "", triage).await;
    assert_eq!(desk.item().await["type"], "CONTACT_CHANGED");
    others.nothing_more().await;
    let input = decide(&contact, "PASS_TO_OPEN_CASE", version + 1, json!({}));
    server.done("FIRST_RESPONSE", "decideContact", "", input).await;
    // The unit is not on the list: its members read nothing of it.
    assert_eq!(server.data("OTHER_UNIT", LOOK, seen_by.clone()).await["contact"], Value::Null);
    others.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_decided_over_the_head_of_a_child_whom_the_decider_does_not_see() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let sibling = people::held_child(&client, 3, "Yorick", "Quarrington").await;
    let mut input = told(Value::Null);
    input["people"] =
        json!([child("Zebedee", "Quarrington", "2018-05-05", "F"), child("Yorick", "Quarrington", "2018-05-05", "F")]);
    let payload = server.done("FIRST_RESPONSE", "recordContact", CONTACT, input).await;
    let contact = payload["contact"]["id"].as_str().unwrap();
    for (nth, one) in [known, sibling].into_iter().enumerate() {
        let person = payload["contact"]["people"][nth]["id"].as_str().unwrap();
        matched(&server, person, one, i64::try_from(nth + 1).unwrap()).await;
    }
    client
        .execute(
            "insert into access_denials (id, person_id, worker_id, reason, started_at, created_by)
             values (gen_random_uuid(), $1, $2, 'RELATIVE', '2026-11-01Z', $2)",
            &[&sibling, &server.worker("FIRST_RESPONSE")],
        )
        .await
        .unwrap();
    let seen = server.data("FIRST_RESPONSE", LOOK, json!({ "id": contact })).await;
    assert_eq!(seen["contact"]["people"], json!([{ "firstName": "Zebedee" }]), "seen through the other one");
    let input = decide(contact, "PASS_TO_OPEN_CASE", 3, json!({}));
    let payload = server.mutate("FIRST_RESPONSE", "decideContact", "", input.clone()).await;
    assert_eq!(payload["errors"][0]["guard"], "EVERY_CHILD");
    let second = staff(&server, "FR-2").await;
    let meeting = json!({ "workerId": format!("Worker:{}", server.worker("SOCIAL_WORKER")),
                          "scheduledFor": "2026-11-19T10:00:00Z", "online": true });
    let more = json!({ "referrerInformedAt": server.now(), "consultation": meeting });
    let input = decide(contact, "CONSULTATION_MEETING", 3, more);
    let document = support::document("decideContact", "consultation { id }");
    let decided = server.answer_to(second, &document, json!({ "input": input })).await;
    assert_eq!(decided["data"]["decideContact"]["errors"], json!([]), "{decided}");

    // Nor is anybody let in by inviting again: whoever it is, and whenever.
    let cancelled = json!({ "idempotencyKey": key(), "state": "CANCELLED", "expectedVersion": 1,
                            "consultationId": decided["data"]["decideContact"]["consultation"]["id"] });
    server.done("FIRST_RESPONSE", "recordConsultation", "", cancelled).await;
    let again = |who: Uuid, at: &str| {
        json!({ "idempotencyKey": key(), "contactId": contact, "expectedVersion": 5,
        "consultation": { "workerId": format!("Worker:{who}"), "scheduledFor": at, "online": true } })
    };
    for who in [server.worker("SOCIAL_WORKER"), server.worker("UNIT_COORDINATOR")] {
        for at in ["2026-11-01T10:00:00Z", "2026-11-20T10:00:00Z"] {
            let payload = server.mutate("FIRST_RESPONSE", "arrangeConsultation", "", again(who, at)).await;
            assert_eq!(payload["errors"][0]["guard"], "EVERY_CHILD");
        }
    }
    let document = support::document("arrangeConsultation", "consultation { state }");
    let input = again(server.worker("SOCIAL_WORKER"), "2026-11-20T10:00:00Z");
    let made = server.answer_to(second, &document, json!({ "input": input })).await;
    assert_eq!(made["data"]["arrangeConsultation"]["errors"], json!([]), "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_to_meet_a_child_sees_who_it_is_and_nobody_meets_whom_they_are_kept_from() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let (contact, person, version) = contact(&server, child("Zebedee", "Quarrington", "2018-05-05", "F")).await;
    let version = matched(&server, &person, known, version).await;
    let (relative, other) = (server.worker("CONSULTANT_SOCIAL_WORKER"), server.worker("SOCIAL_WORKER"));
    client
        .execute(
            "insert into access_denials (id, person_id, worker_id, reason, started_at, created_by)
             values (gen_random_uuid(), $1, $2, 'RELATIVE', '2026-11-01Z', $2)",
            &[&known, &relative],
        )
        .await
        .unwrap();
    let meeting = |who: Uuid| {
        json!({ "referrerInformedAt": server.now(),
                "consultation": { "workerId": format!("Worker:{who}"), "scheduledFor": "2026-11-19T10:00:00Z", "online": true } })
    };
    for nobody in [relative, server.worker("CP_CHAIR")] {
        let input = decide(&contact, "CONSULTATION_MEETING", version, meeting(nobody));
        let payload = server.mutate("FIRST_RESPONSE", "decideContact", "", input).await;
        assert_eq!(payload["errors"][0]["guard"], "QUALIFIED");
    }
    // Whoever works with the child hears, although it ends at the front door.
    let mut unit = server.socket("OTHER_UNIT").await;
    unit.feed(&server.unit(7).await, None).await;
    let input = decide(&contact, "CONSULTATION_MEETING", version, meeting(other));
    server.done("FIRST_RESPONSE", "decideContact", "", input).await;
    assert_eq!(unit.item().await["type"], "CONTACT_DECIDED");
    let query = "query($id: ID!, $child: ID!) { contact(id: $id) { concern people { firstName address child { firstName religion } } }
                 child(id: $child) { firstName plans { totalCount } } }";
    let variables = json!({ "id": contact, "child": format!("Child:{known}") });
    let seen = server.data("SOCIAL_WORKER", query, variables.clone()).await;
    assert_eq!(seen["contact"]["people"][0]["child"], json!({ "firstName": "Zebedee", "religion": null }));
    assert_eq!(seen["contact"]["people"][0]["address"], "12 Probe Street");
    assert_eq!(seen["child"]["firstName"], "Zebedee");
    let none = server.data("CONSULTANT_SOCIAL_WORKER", query, variables).await;
    assert_eq!(none, json!({ "contact": null, "child": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_passed_to_a_case_that_waits_is_the_front_doors_to_read_until_a_unit_holds_it() {
    let server = Server::start().await;
    let (first, version) = registered(&server, "Una", "Vane").await;
    let (referral, case, version) = refer(&server, &first, version).await;
    server.done("FIRST_RESPONSE", "decideReferral", "", accept(&referral, version, None)).await;
    let child_id = server.child_of("FIRST_RESPONSE", &case).await;
    let known: Uuid = child_id.trim_start_matches("Child:").parse().unwrap();
    let (second, person, of_contact) = contact(&server, child("Una", "Vane", "2019-03-04", "M")).await;
    let of_contact = matched(&server, &person, known, of_contact).await;
    let mut far = as_staff(&server, "SM-2").await;
    far.open_feed(FRONT_DOOR, json!({})).await;
    let input = decide(&second, "PASS_TO_OPEN_CASE", of_contact, json!({}));
    server.done("FIRST_RESPONSE", "decideContact", "", input).await;
    assert_eq!(far.item().await["type"], "CONTACT_DECIDED", "who may allocate it hears that there is more");
    let sees = async |person: &str| server.data(person, LOOK, json!({ "id": second })).await["contact"].is_object();
    assert!(sees("FIRST_RESPONSE").await && !sees("CLINICIAN").await);
    server.done("FIRST_RESPONSE", "allocateCase", "", allocate(&case, &server.unit(3).await, version + 1)).await;
    assert!(!sees("FIRST_RESPONSE").await && sees("CLINICIAN").await);
    let query = "query($id: ID!) { case(id: $id) { version primaryAllocation { id } } }";
    let held = server.data("CLINICIAN", query, json!({ "id": case })).await;
    let input = json!({ "idempotencyKey": key(), "allocationId": held["case"]["primaryAllocation"]["id"], "reason": "Moved",
                        "expectedVersion": held["case"]["version"] });
    server.done("CONSULTANT_SOCIAL_WORKER", "endAllocation", "", input).await;
    assert!(sees("FIRST_RESPONSE").await && !sees("CLINICIAN").await, "it waits again");
    // What the referral said of the first unit no longer matters.
    let version = held["case"]["version"].as_i64().unwrap() + 1;
    server.done("FIRST_RESPONSE", "allocateCase", "", allocate(&case, &server.unit(4).await, version)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_broken_glass_first_response_reads_no_clinical_field_and_no_hidden_address() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    client.execute("update persons set nhs_no = '9434765919' where id = $1", &[&known]).await.unwrap();
    let input = json!({ "idempotencyKey": key(), "childId": format!("Child:{known}"), "reason": "CHILD_PRESENTED",
                        "explanation": "At the desk." });
    server.done("FIRST_RESPONSE", "breakGlass", "", input).await;
    let query = "query($id: ID!) { child(id: $id) { firstName nhsNo withheld } }";
    let seen = server.data("FIRST_RESPONSE", query, json!({ "id": format!("Child:{known}") })).await;
    assert_eq!(
        seen["child"],
        json!({ "firstName": "Zebedee", "nhsNo": null, "withheld": ["CLINICAL", "CONFIDENTIAL_ADDRESS"] })
    );
}

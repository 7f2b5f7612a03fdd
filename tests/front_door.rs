//! From somebody's call to the unit that takes the child's case, and who sees what on the way.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{self, Server, key, people};

/// What a caller who knows no name tells.
pub(crate) fn told(about: Value) -> Value {
    json!({ "idempotencyKey": key(), "channel": "PHONE", "source": "_2A", "callerName": "Ms Blake, school",
            "callerContact": "020 7946 0900", "concern": "He came without a coat again.", "consent": "GIVEN",
            "people": [about] })
}

/// A child with every question answered.
pub(crate) fn child(first: &str, last: &str, born: &str, sex: &str) -> Value {
    json!({ "kind": "CHILD", "firstName": first, "lastName": last, "dateOfBirth": born, "sex": sex,
            "address": "12 Probe Street", "needs": needs() })
}

fn needs() -> Value {
    json!([{ "kind": "RELIGION", "answer": "NONE_KNOWN" }, { "kind": "CULTURE", "answer": "ASKED_DECLINED" },
           { "kind": "DISABILITY", "answer": "NEED", "description": "Hears badly.", "whatWeWillDo": "Speak clearly." }])
}

pub(crate) const CONTACT: &str = "contact { id version status people { id child { id } } }";

/// Records a contact about one child; answers the contact, its person, its version.
pub(crate) async fn contact(server: &Server, about: Value) -> (String, String, i64) {
    let payload = server.done("FIRST_RESPONSE", "recordContact", CONTACT, told(about)).await;
    parts(&payload)
}

pub(crate) fn parts(payload: &Value) -> (String, String, i64) {
    let contact = &payload["contact"];
    (
        contact["id"].as_str().unwrap().to_owned(),
        contact["people"][0]["id"].as_str().unwrap().to_owned(),
        contact["version"].as_i64().unwrap(),
    )
}

/// Records and registers a child whom nobody knew; answers the contact, and its version.
pub(crate) async fn registered(server: &Server, first: &str, last: &str) -> (String, i64) {
    let (contact, person, version) = contact(server, child(first, last, "2019-03-04", "M")).await;
    let input = json!({ "idempotencyKey": key(), "contactPersonId": person, "expectedVersion": version });
    let payload = server.done("FIRST_RESPONSE", "registerContactChild", CONTACT, input).await;
    (contact, parts(&payload).2)
}

pub(crate) fn decide(contact: &str, decision: &str, version: i64, more: Value) -> Value {
    let mut input = json!({ "idempotencyKey": key(), "contactId": contact, "decision": decision,
                            "reason": "As the threshold says.", "expectedVersion": version });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

fn neglect() -> Value {
    json!({ "referral": { "category": "NEGLECT", "primaryNeed": "N1", "summary": "A statutory assessment may be needed." } })
}

const REFERRAL: &str =
    "contact { id status version } referrals { id reReferral previousUnit { id } case { id version status } }";

/// Refers a contact; answers the referral, its case and the case's version.
pub(crate) async fn refer(server: &Server, contact: &str, version: i64) -> (String, String, i64) {
    let input = decide(contact, "REFERRAL_STATUTORY", version, neglect());
    let payload = server.done("FIRST_RESPONSE", "decideContact", REFERRAL, input).await;
    let referral = &payload["referrals"][0];
    (
        referral["id"].as_str().unwrap().to_owned(),
        referral["case"]["id"].as_str().unwrap().to_owned(),
        referral["case"]["version"].as_i64().unwrap(),
    )
}

pub(crate) fn accept(referral: &str, version: i64, unit: Option<&str>) -> Value {
    json!({ "idempotencyKey": key(), "referralId": referral, "decision": "ACCEPT_ASSESS", "reason": "Threshold met.",
            "targetUnitId": unit, "expectedVersion": version })
}

pub(crate) fn allocate(case: &str, unit: &str, version: i64) -> Value {
    json!({ "idempotencyKey": key(), "caseId": case, "unitId": unit, "reason": "New referral", "expectedVersion": version })
}

pub(crate) const FRONT_DOOR: &str = "subscription($after: String) { frontDoorFeed(after: $after) { __typename cursor
    ... on Event { type severity summary caseRef { caseNo childInitials } entity { type } }
    ... on ContactEvent { contactNo channel source urgency contactStatus contactDecision contact { id } }
    ... on ReferralEvent { referralDecision targetUnitId reReferral referral { id } }
    ... on UnallocatedEvent { unallocatedReason since case { id } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn from_a_call_to_the_unit_and_each_hears_what_is_theirs() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    // Who listens: the front door and its manager, another area's manager, every member of unit 3, and a member of unit 7.
    let mut desk = server.socket("FIRST_RESPONSE").await;
    let mut manager = server.socket("SERVICE_MANAGER").await;
    for socket in [&mut desk, &mut manager] {
        socket.open_feed(FRONT_DOOR, json!({})).await;
    }
    let mut members = Vec::new();
    for person in
        ["CONSULTANT_SOCIAL_WORKER", "SOCIAL_WORKER", "CHILDRENS_PRACTITIONER", "CLINICIAN", "UNIT_COORDINATOR"]
    {
        let mut socket = server.socket(person).await;
        socket.feed(&three, None).await;
        members.push(socket);
    }
    let mut stranger = server.socket("OTHER_UNIT").await;
    stranger.feed(&server.unit(7).await, None).await;

    // A school calls; the question about needs is answered.
    let (contact, person, version) = contact(&server, child("Quillon", "Xanthe", "2019-03-04", "M")).await;
    for socket in [&mut desk, &mut manager] {
        let event = socket.item().await;
        assert_eq!(
            (&event["type"], &event["channel"], &event["source"]),
            (&json!("CONTACT_RECEIVED"), &json!("PHONE"), &json!("_2A"))
        );
        assert_eq!((&event["caseRef"], &event["contact"]["id"]), (&Value::Null, &json!(contact)));
        assert!(!event.to_string().contains("Quillon") && !event.to_string().contains("Blake"), "{event}");
    }
    // Nobody knows the child: first response registers it, and refers it.
    let input = json!({ "idempotencyKey": key(), "contactPersonId": person, "expectedVersion": version });
    let payload = server.done("FIRST_RESPONSE", "registerContactChild", CONTACT, input).await;
    let (referral, case, case_version) = refer(&server, &contact, parts(&payload).2).await;
    for socket in [&mut desk, &mut manager] {
        assert_eq!(socket.item().await["type"], "CONTACT_CHANGED");
        let decided = socket.item().await;
        assert_eq!((&decided["type"], &decided["contactStatus"]), (&json!("CONTACT_DECIDED"), &json!("REFERRED")));
        let waits = socket.item().await;
        assert_eq!((&waits["type"], &waits["unallocatedReason"]), (&json!("CASE_UNALLOCATED"), &json!("REFERRED")));
        assert_eq!((&waits["caseRef"]["childInitials"], &waits["case"]["id"]), (&json!("QX"), &json!(case)));
    }
    // Accepted and offered to unit 3, whose members hear of it and read the case's core.
    let input = accept(&referral, case_version, Some(&three));
    let payload =
        server.done("FIRST_RESPONSE", "decideReferral", "referral { decision } case { version }", input).await;
    assert_eq!(payload["referral"]["decision"], "ACCEPT_ASSESS");
    for socket in [&mut desk, &mut manager] {
        let event = socket.item().await;
        assert_eq!((&event["type"], &event["targetUnitId"]), (&json!("REFERRAL_ACCEPTED"), &json!(three)));
    }
    for socket in &mut members {
        let event = socket.item().await;
        assert_eq!((&event["type"], &event["caseRef"]["childInitials"]), (&json!("REFERRAL_ACCEPTED"), &json!("QX")));
    }
    // Allocated: every member's dashboard shows it.
    let version = payload["case"]["version"].as_i64().unwrap();
    server.done("FIRST_RESPONSE", "allocateCase", "", allocate(&case, &three, version)).await;
    for socket in &mut members {
        let event = socket.item().await;
        assert_eq!((&event["type"], &event["unitId"]), (&json!("ALLOCATION_STARTED"), &json!(three)));
        socket.nothing_more().await;
    }
    for socket in [&mut desk, &mut manager, &mut stranger] {
        socket.nothing_more().await;
    }
    // The unit reads what opened the case; the front door sees it no more.
    let query = "query($id: ID!) { case(id: $id) { status referral { category decision }
        contacts { nodes { concern callerName people { firstName address needs { kind answer description } } } }
        child { firstName particularNeeds { kind answer } } } }";
    let seen = server.data("CLINICIAN", query, json!({ "id": case })).await;
    assert_eq!(
        (&seen["case"]["status"], &seen["case"]["referral"]["category"]),
        (&json!("ASSESSMENT"), &json!("NEGLECT"))
    );
    let of_call = &seen["case"]["contacts"]["nodes"][0];
    assert_eq!(
        (&of_call["callerName"], &of_call["people"][0]["firstName"]),
        (&json!("Ms Blake, school"), &json!("Quillon"))
    );
    assert_eq!(seen["case"]["child"]["particularNeeds"].as_array().unwrap().len(), 3);
    let gone = server
        .data(
            "FIRST_RESPONSE",
            "query($a: ID!, $b: ID!) { case(id: $a) { id } contact(id: $b) { id } }",
            json!({ "a": case, "b": contact }),
        )
        .await;
    assert_eq!(gone, json!({ "case": null, "contact": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_without_an_answer_about_needs_is_not_taken_down() {
    let server = Server::start().await;
    let mut about = child("Una", "Vane", "2019-03-04", "F");
    about["needs"] = json!([{ "kind": "RELIGION", "answer": "NONE_KNOWN" }]);
    let payload = server.mutate("FIRST_RESPONSE", "recordContact", CONTACT, told(about)).await;
    assert_eq!(payload["errors"][0]["guard"], "NEEDS_ASKED");
    assert!(payload["errors"][0]["explanation"].as_str().unwrap().contains("CULTURE, DISABILITY"), "{payload}");
    assert_eq!(payload["contact"], Value::Null);
    // Adults are not asked about; without a child there is no contact.
    let grown = json!({ "kind": "PARENT_OR_CARER", "firstName": "Ann" });
    let payload = server.mutate("FIRST_RESPONSE", "recordContact", CONTACT, told(grown)).await;
    assert_eq!(payload["errors"][0]["guard"], "ABOUT_A_CHILD");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_a_need_must_fit_and_a_caller_is_known_or_anonymous() {
    let server = Server::start().await;
    let document = support::document("recordContact", "contact { id }");
    let mut without = child("Una", "Vane", "2019-03-04", "F");
    without["needs"][2] = json!({ "kind": "DISABILITY", "answer": "NEED" });
    let mut with = child("Una", "Vane", "2019-03-04", "F");
    with["needs"][0] = json!({ "kind": "RELIGION", "answer": "NONE_KNOWN", "description": "Something" });
    let mut twice = child("Una", "Vane", "2019-03-04", "F");
    twice["needs"][1] = json!({ "kind": "RELIGION", "answer": "NONE_KNOWN" });
    let mut both = child("Una", "Vane", "2019-03-04", "F");
    both["expectedDateOfBirth"] = json!("2027-01-01");
    let nameless = json!({ "kind": "CHILD", "needs": needs() });
    for about in [without, with, twice, both, nameless] {
        let input = told(about);
        assert_eq!(
            server.code("FIRST_RESPONSE", &document, json!({ "input": input })).await,
            "BAD_USER_INPUT",
            "{input}"
        );
    }
    let mut hidden = told(child("Una", "Vane", "2019-03-04", "F"));
    hidden["source"] = json!("_9");
    assert_eq!(server.code("FIRST_RESPONSE", &document, json!({ "input": hidden })).await, "BAD_USER_INPUT");
    for field in ["callerName", "callerContact"] {
        hidden[field] = Value::Null;
    }
    let payload = server.done("FIRST_RESPONSE", "recordContact", "contact { callerName source }", hidden).await;
    assert_eq!(payload["contact"], json!({ "callerName": null, "source": "_9" }));
    let mut unsaid = told(child("Una", "Vane", "2019-03-04", "F"));
    unsaid["callerName"] = Value::Null;
    unsaid["callerContact"] = Value::Null;
    assert_eq!(server.code("FIRST_RESPONSE", &document, json!({ "input": unsaid })).await, "BAD_USER_INPUT");
    for (at, code) in [("2026-11-18T23:00:00Z", "BAD_USER_INPUT"), ("2026-09-01T10:00:00Z", "BAD_USER_INPUT")] {
        let mut input = told(child("Una", "Vane", "2019-03-04", "F"));
        input["receivedAt"] = json!(at);
        assert_eq!(server.code("FIRST_RESPONSE", &document, json!({ "input": input })).await, code, "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_matched_by_accident() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let (_, person, version) = contact(&server, child("Zeb", "Quarington", "2018-05-06", "M")).await;
    let input = |despite: Value| {
        json!({ "idempotencyKey": key(), "contactPersonId": person, "childId": format!("Child:{known}"),
                "despite": despite, "expectedVersion": version })
    };
    let payload = server.mutate("FIRST_RESPONSE", "matchContactChild", CONTACT, input(json!([]))).await;
    assert_eq!(payload["errors"][0]["guard"], "SAME_CHILD");
    let said = payload["errors"][0]["explanation"].as_str().unwrap();
    assert!(said.contains("BIRTH") && said.contains("SEX"), "{said}");
    let payload = server.mutate("FIRST_RESPONSE", "matchContactChild", CONTACT, input(json!(["BIRTH"]))).await;
    assert_eq!(payload["errors"][0]["guard"], "SAME_CHILD");
    let before = "query($id: ID!) { child(id: $id) { firstName dateOfBirth sex version } }";
    let record = server.data("OTHER_UNIT", before, json!({ "id": format!("Child:{known}") })).await;
    let despite = json!(["NAME", "BIRTH", "SEX"]);
    let payload = server.done("FIRST_RESPONSE", "matchContactChild", CONTACT, input(despite)).await;
    assert_eq!(payload["contact"]["people"][0]["child"]["id"], json!(format!("Child:{known}")));
    let after = server.data("OTHER_UNIT", before, json!({ "id": format!("Child:{known}") })).await;
    assert_eq!(record, after, "nothing in the record changes");
    // And it can be undone while nothing is decided.
    let undo = json!({ "idempotencyKey": key(), "contactPersonId": person, "expectedVersion": parts(&payload).2 });
    let payload = server.done("FIRST_RESPONSE", "matchContactChild", CONTACT, undo).await;
    assert_eq!(payload["contact"]["people"][0]["child"], Value::Null);
    let gone = server.data("FIRST_RESPONSE", before, json!({ "id": format!("Child:{known}") })).await;
    assert_eq!(gone["child"], Value::Null);
    let undo = json!({ "idempotencyKey": key(), "contactPersonId": person, "expectedVersion": parts(&payload).2 });
    let payload = server.mutate("FIRST_RESPONSE", "matchContactChild", CONTACT, undo).await;
    assert_eq!(payload["errors"][0]["__typename"], "Conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_child_is_not_two_of_a_contact() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let mut input = told(child("Zebedee", "Quarrington", "2018-05-05", "F"));
    input["people"] =
        json!([child("Zebedee", "Quarrington", "2018-05-05", "F"), child("Zeb", "Quarrington", "2018-05-05", "F")]);
    let payload = server.done("FIRST_RESPONSE", "recordContact", CONTACT, input).await;
    for (version, nth, refused) in [(1, 0, false), (2, 1, true)] {
        let input = json!({ "idempotencyKey": key(), "contactPersonId": payload["contact"]["people"][nth]["id"],
                            "childId": format!("Child:{known}"), "expectedVersion": version });
        let answer = server.mutate("FIRST_RESPONSE", "matchContactChild", CONTACT, input).await;
        assert_eq!(answer["errors"][0]["__typename"] == "Conflict", refused, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_who_seems_known_is_not_registered_again_without_saying_so() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let (_, person, version) = contact(&server, child("Zebedee", "Quarrington", "2018-05-05", "F")).await;
    let input = |none: Value| json!({ "idempotencyKey": key(), "contactPersonId": person, "isNoneOf": none, "expectedVersion": version });
    let payload = server.mutate("FIRST_RESPONSE", "registerContactChild", CONTACT, input(json!([]))).await;
    assert_eq!(payload["errors"][0]["guard"], "NOT_KNOWN_YET");
    let payload =
        server.done("FIRST_RESPONSE", "registerContactChild", CONTACT, input(json!([format!("Child:{known}")]))).await;
    let new = payload["contact"]["people"][0]["child"]["id"].as_str().unwrap();
    assert_ne!(new, format!("Child:{known}"));
    // Found by name from now on, by who sees everybody.
    let query = "query { children(search: \"Zebedee Quarrington\") { totalCount } }";
    assert_eq!(server.data("HEAD_OF_SERVICE", query, json!({})).await["children"]["totalCount"], 2);
    let again = json!({ "idempotencyKey": key(), "contactPersonId": person, "expectedVersion": version + 1 });
    let payload = server.mutate("FIRST_RESPONSE", "registerContactChild", CONTACT, again).await;
    assert_eq!(payload["errors"][0]["__typename"], "Conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_is_registered_with_a_birth_and_a_sex_that_fit() {
    let server = Server::start().await;
    let document = support::document("registerContactChild", "contact { id }");
    let bare = json!({ "kind": "CHILD", "firstName": "Una", "needs": needs() });
    let (_, person, version) = contact(&server, bare).await;
    let input = |more: Value| {
        let mut input = json!({ "idempotencyKey": key(), "contactPersonId": person, "expectedVersion": version });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        json!({ "input": input })
    };
    for wrong in [
        json!({ "dateOfBirth": "2019-01-01", "sex": "F" }),
        json!({ "lastName": "Vane", "sex": "F" }),
        json!({ "lastName": "Vane", "dateOfBirth": "2019-01-01" }),
        json!({ "lastName": "Vane", "dateOfBirth": "2019-01-01", "sex": "U" }),
        json!({ "lastName": "Vane", "dateOfBirth": "2027-01-01", "sex": "F" }),
        json!({ "lastName": "Vane", "dateOfBirth": "2019-01-01", "expectedDateOfBirth": "2027-01-01", "sex": "F" }),
    ] {
        assert_eq!(server.code("FIRST_RESPONSE", &document, input(wrong.clone())).await, "BAD_USER_INPUT", "{wrong}");
    }
    let unborn = input(json!({ "lastName": "Vane", "expectedDateOfBirth": "2027-02-01" }));
    let data = server.data("FIRST_RESPONSE", &document, unborn).await;
    assert_eq!(data["registerContactChild"]["errors"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_decided_once_and_says_what_could_come_next() {
    let server = Server::start().await;
    let (contact, _, version) = contact(&server, child("Una", "Vane", "2019-03-04", "F")).await;
    let stale = decide(&contact, "NO_FURTHER_ACTION", version + 3, json!({ "referrerNotInformed": "UNSAFE" }));
    let payload = server.mutate("FIRST_RESPONSE", "decideContact", "", stale).await;
    assert_eq!(payload["errors"][0]["currentVersion"], json!(version));
    // Who called is told first, or it is said why not.
    let payload =
        server.mutate("FIRST_RESPONSE", "decideContact", "", decide(&contact, "SIGNPOST", version, json!({}))).await;
    assert_eq!(payload["errors"][0]["guard"], "REFERRER_INFORMED");
    let input = decide(&contact, "SIGNPOST", version, json!({ "referrerNotInformed": "CANNOT_BE_REACHED" }));
    let payload = server.done("FIRST_RESPONSE", "decideContact", CONTACT, input).await;
    assert_eq!(payload["contact"]["status"], "CONTACT_CLOSED");
    let input = decide(&contact, "EARLY_HELP", version + 1, json!({ "referrerNotInformed": "UNSAFE" }));
    let payload = server.mutate("FIRST_RESPONSE", "decideContact", "", input).await;
    assert_eq!(
        (&payload["errors"][0]["from"], &payload["errors"][0]["legalNext"]),
        (&json!("CONTACT_CLOSED"), &json!([]))
    );
    let triage =
        json!({ "idempotencyKey": key(), "contactId": contact, "urgency": "RED", "expectedVersion": version + 1 });
    let payload = server.mutate("FIRST_RESPONSE", "triageContact", "", triage).await;
    assert_eq!(payload["errors"][0]["__typename"], "IllegalTransition");
    // The caller was reached after all.
    let informed = json!({ "idempotencyKey": key(), "contactId": contact, "referrerInformedAt": server.now(),
                           "expectedVersion": version + 1 });
    server.done("FIRST_RESPONSE", "recordReferrerInformed", "contact { referrerInformedAt }", informed).await;
    let again = json!({ "idempotencyKey": key(), "contactId": contact, "referrerNotInformed": "UNSAFE", "expectedVersion": version + 2 });
    let payload = server.mutate("FIRST_RESPONSE", "recordReferrerInformed", "", again).await;
    assert_eq!(payload["errors"][0]["__typename"], "Conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_urgent_a_contact_is_can_be_said_again() {
    let server = Server::start().await;
    let mut desk = server.socket("FIRST_RESPONSE").await;
    desk.open_feed(FRONT_DOOR, json!({})).await;
    let (contact, _, version) = contact(&server, child("Una", "Vane", "2019-03-04", "F")).await;
    desk.item().await;
    for (step, (urgency, severity)) in [("GREEN", "INFO"), ("RED", "URGENT")].into_iter().enumerate() {
        let expected = version + i64::try_from(step).unwrap();
        let input =
            json!({ "idempotencyKey": key(), "contactId": contact, "urgency": urgency, "expectedVersion": expected });
        let payload =
            server.done("FIRST_RESPONSE", "triageContact", "contact { urgency triagedBy { id } }", input).await;
        assert_eq!(payload["contact"]["urgency"], urgency);
        let event = desk.item().await;
        assert_eq!(
            (&event["type"], &event["severity"], &event["urgency"]),
            (&json!("CONTACT_CHANGED"), &json!(severity), &json!(urgency))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_needs_to_be_clear_about_who_the_child_is() {
    let server = Server::start().await;
    let (contact, _, version) = contact(&server, child("Una", "Vane", "2019-03-04", "F")).await;
    let input = decide(&contact, "REFERRAL_STATUTORY", version, neglect());
    let payload = server.mutate("FIRST_RESPONSE", "decideContact", REFERRAL, input).await;
    assert_eq!(payload["errors"][0]["guard"], "CHILD_IDENTIFIED");
    let document = support::document("decideContact", "contact { id }");
    for (decision, more) in [
        ("REFERRAL_STATUTORY", json!({})),
        ("NO_FURTHER_ACTION", neglect()),
        ("CONSULTATION_MEETING", json!({})),
        ("PASS_TO_OPEN_CASE", neglect()),
    ] {
        let input = decide(&contact, decision, version, more);
        assert_eq!(
            server.code("FIRST_RESPONSE", &document, json!({ "input": input })).await,
            "BAD_USER_INPUT",
            "{decision}"
        );
    }
    let pass = decide(&contact, "PASS_TO_OPEN_CASE", version, json!({}));
    let payload = server.mutate("FIRST_RESPONSE", "decideContact", "", pass).await;
    assert_eq!(payload["errors"][0]["guard"], "OPEN_CASE");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_concerns_an_open_case_reaches_whoever_holds_it_at_once() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let seven = server.unit(7).await;
    let mut unit = server.socket("OTHER_UNIT_COORDINATOR").await;
    unit.open_feed(
        "subscription($u: ID!) { unitFeed(unitId: $u) { __typename cursor ... on Event { type summary caseRef { childInitials } }
            ... on ContactEvent { contactDecision contact { concern } } } }",
        json!({ "u": seven }),
    )
    .await;
    let mut other = server.socket("CLINICIAN").await;
    other.feed(&server.unit(3).await, None).await;
    // Of two siblings one has an open case, the other none: one goes there, the other is referred.
    let mut input = told(Value::Null);
    input["people"] =
        json!([child("Zebedee", "Quarrington", "2018-05-05", "F"), child("Yorick", "Quarrington", "2020-02-02", "M")]);
    let payload = server.done("FIRST_RESPONSE", "recordContact", CONTACT, input).await;
    let contact = payload["contact"]["id"].as_str().unwrap();
    let input = json!({ "idempotencyKey": key(), "contactPersonId": payload["contact"]["people"][0]["id"],
                        "childId": format!("Child:{known}"), "expectedVersion": 1 });
    server.done("FIRST_RESPONSE", "matchContactChild", "", input).await;
    let refer = decide(contact, "REFERRAL_STATUTORY", 2, neglect());
    let refused = server.mutate("FIRST_RESPONSE", "decideContact", "", refer).await;
    assert_eq!(refused["errors"][0]["guard"], "CHILD_IDENTIFIED");
    let only =
        json!({ "referral": { "category": "NEGLECT", "contactPersonIds": [payload["contact"]["people"][0]["id"]] } });
    let refused =
        server.mutate("FIRST_RESPONSE", "decideContact", "", decide(contact, "REFERRAL_STATUTORY", 2, only)).await;
    assert_eq!(refused["errors"][0]["guard"], "NO_OPEN_CASE");
    let input = json!({ "idempotencyKey": key(), "contactPersonId": payload["contact"]["people"][1]["id"], "expectedVersion": 2 });
    server.done("FIRST_RESPONSE", "registerContactChild", "", input).await;
    let input = decide(contact, "REFERRAL_STATUTORY", 3, neglect());
    let decided = server.done("FIRST_RESPONSE", "decideContact", REFERRAL, input).await;
    assert_eq!(decided["referrals"].as_array().unwrap().len(), 1);
    let event = unit.item().await;
    assert_eq!((&event["type"], &event["caseRef"]["childInitials"]), (&json!("CONTACT_DECIDED"), &json!("ZQ")));
    assert_eq!(event["contact"]["concern"], "He came without a coat again.");
    unit.nothing_more().await;
    other.nothing_more().await;
    // The coordinator does not read who called; nobody of the unit sees the sibling, who is in the queue.
    let query = "query($id: ID!) { contact(id: $id) { callerName withheld people { firstName } } }";
    let seen = server.data("OTHER_UNIT_COORDINATOR", query, json!({ "id": contact })).await;
    assert_eq!(
        seen["contact"],
        json!({ "callerName": null, "withheld": ["THIRD_PARTY"], "people": [{ "firstName": "Zebedee" }] })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_waits_in_the_queue_and_is_accepted_before_a_unit_takes_it() {
    let server = Server::start().await;
    let (contact, version) = registered(&server, "Una", "Vane").await;
    let (referral, case, version) = refer(&server, &contact, version).await;
    assert!(server.queue().await.contains(&(case.clone(), version)));
    let three = server.unit(3).await;
    let payload = server.mutate("FIRST_RESPONSE", "allocateCase", "", allocate(&case, &three, version)).await;
    assert_eq!(payload["errors"][0]["guard"], "REFERRAL_ACCEPTED");
    // Only a qualified social worker decides.
    let client = support::connect("postgres", &server.database).await;
    client.batch_execute("update workers set qualified = false where staff_no = 'FR-1'").await.unwrap();
    let payload = server.mutate("FIRST_RESPONSE", "decideReferral", "", accept(&referral, version, None)).await;
    assert_eq!(payload["errors"][0]["guard"], "QUALIFIED");
    client.batch_execute("update workers set qualified = true where staff_no = 'FR-1'").await.unwrap();
    let payload = server.mutate("FIRST_RESPONSE", "decideReferral", "", accept(&referral, version + 9, None)).await;
    assert_eq!(payload["errors"][0]["currentVersion"], json!(version));
    // A manager decides as well.
    server.done("SERVICE_MANAGER", "decideReferral", "", accept(&referral, version, None)).await;
    let payload = server.mutate("FIRST_RESPONSE", "decideReferral", "", accept(&referral, version + 1, None)).await;
    assert_eq!(
        (&payload["errors"][0]["from"], &payload["errors"][0]["legalNext"]),
        (&json!("ACCEPT_ASSESS"), &json!([]))
    );
    server.done("FIRST_RESPONSE", "allocateCase", "", allocate(&case, &three, version + 1)).await;
    // Who has nothing to do with the queue finds no referral.
    let document = support::document("decideReferral", "referral { id }");
    for person in ["CLINICIAN", "OTHER_UNIT", "CP_CHAIR"] {
        let (contact, version) = registered(&server, "Una", &format!("Vane{}", person.len())).await;
        let (referral, _, version) = refer(&server, &contact, version).await;
        let input = json!({ "input": accept(&referral, version, None) });
        assert_eq!(server.code(person, &document, input).await, "NOT_FOUND", "{person}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_that_is_not_accepted_closes_its_case() {
    let server = Server::start().await;
    let mut desk = server.socket("FIRST_RESPONSE").await;
    for (decision, reason) in [("NFA", "RC7"), ("EARLY_HELP", "RC7"), ("OTHER_LA", "RC5")] {
        let (contact, version) = registered(&server, "Una", &format!("Vane{}", decision.len())).await;
        let (referral, case, version) = refer(&server, &contact, version).await;
        desk = {
            drop(desk);
            let mut desk = server.socket("FIRST_RESPONSE").await;
            desk.open_feed(FRONT_DOOR, json!({})).await;
            desk
        };
        let mut input = accept(&referral, version, None);
        input["decision"] = json!(decision);
        // Afterwards nobody could tell the caller.
        let refused = server.mutate("SERVICE_MANAGER", "decideReferral", "", input.clone()).await;
        assert_eq!(refused["errors"][0]["guard"], "REFERRER_INFORMED");
        let of_contact = "query($id: ID!) { contact(id: $id) { version } }";
        let read = server.data("FIRST_RESPONSE", of_contact, json!({ "id": contact })).await;
        let informed = json!({ "idempotencyKey": key(), "contactId": contact, "referrerInformedAt": server.now(),
                               "expectedVersion": read["contact"]["version"] });
        server.done("FIRST_RESPONSE", "recordReferrerInformed", "", informed).await;
        assert_eq!(desk.item().await["type"], "CONTACT_CHANGED");
        input["idempotencyKey"] = json!(key());
        let payload = server.done("FIRST_RESPONSE", "decideReferral", "case { id } referral { id }", input).await;
        assert_eq!((&payload["case"], &payload["referral"]), (&Value::Null, &Value::Null));
        let event = desk.item().await;
        assert_eq!((&event["type"], &event["referralDecision"]), (&json!("REFERRAL_CLOSED"), &json!(decision)));
        let query = "query($id: ID!) { case(id: $id) { status closureReason closedOn closureRationale referral { decision } } }";
        let closed = server.data("HEAD_OF_SERVICE", query, json!({ "id": case })).await;
        assert_eq!(
            closed["case"],
            json!({ "status": "CLOSED", "closureReason": reason, "closedOn": "2026-11-18",
                    "closureRationale": "Threshold met.", "referral": { "decision": decision } })
        );
        assert!(!server.queue().await.iter().any(|(waits, _)| *waits == case));
    }
    let document = support::document("decideReferral", "referral { id }");
    let (contact, version) = registered(&server, "Una", "Vanes").await;
    let (referral, _, version) = refer(&server, &contact, version).await;
    let mut input = accept(&referral, version, Some(&server.unit(3).await));
    input["decision"] = json!("NFA");
    assert_eq!(server.code("FIRST_RESPONSE", &document, json!({ "input": input })).await, "BAD_USER_INPUT");
}

/// A child whose case a unit held until that day.
pub(crate) async fn closed_child(server: &Server, unit: u32, first: &str, closed_on: &str) -> Uuid {
    let client = support::connect("postgres", &server.database).await;
    let child = people::child(&client, first, "Quarrington").await;
    let case = Uuid::now_v7();
    client
        .execute(
            "insert into cases (id, child_id, opened_on, status, primary_need) values ($1, $2, '2025-02-03', 'CIN', 'N1')",
            &[&case, &child],
        )
        .await
        .unwrap();
    client
        .execute(
            "insert into allocations (id, case_id, child_id, unit_id, kind, started_at, ended_at, reason_start, reason_end)
             select gen_random_uuid(), $1, $2, u.id, 'PRIMARY', '2025-02-04Z', '2025-10-01Z', 'x', 'x' from units u
             where u.name like '%Unit ' || $3::text",
            &[&case, &child, &unit.to_string()],
        )
        .await
        .unwrap();
    client
        .execute(
            "update cases set status = 'CLOSED', closed_on = $2::text::date, closure_reason = 'RC7' where id = $1",
            &[&case, &closed_on],
        )
        .await
        .unwrap();
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_who_comes_back_within_six_months_is_offered_to_the_unit_that_knows_it() {
    let server = Server::start().await;
    let (three, four) = (server.unit(3).await, server.unit(4).await);
    for (first, closed_on, re_referral, back) in [
        ("Zora", "2026-05-18", true, true),
        ("Mikko", "2026-05-17", true, false),
        ("Petrus", "2025-11-18", true, false),
        ("Halldora", "2025-11-17", false, false),
    ] {
        let known = closed_child(&server, 3, first, closed_on).await;
        let (contact, person, version) = contact(&server, child(first, "Quarrington", "2018-05-05", "F")).await;
        let find = "query($id: ID!) { node(id: $id) { ... on ContactPerson { knownChildren {
            hasOpenCase lastClosedOn lastUnit { id } holdingUnit { id } } } } }";
        let found = server.data("FIRST_RESPONSE", find, json!({ "id": person })).await;
        assert_eq!(
            found["node"]["knownChildren"][0],
            json!({ "hasOpenCase": false, "lastClosedOn": closed_on, "lastUnit": { "id": three }, "holdingUnit": null })
        );
        let input = json!({ "idempotencyKey": key(), "contactPersonId": person, "childId": format!("Child:{known}"),
                            "expectedVersion": version });
        let payload = server.done("FIRST_RESPONSE", "matchContactChild", CONTACT, input).await;
        let input = decide(&contact, "REFERRAL_STATUTORY", parts(&payload).2, neglect());
        let payload = server.done("FIRST_RESPONSE", "decideContact", REFERRAL, input).await;
        let referral = &payload["referrals"][0];
        assert_eq!(referral["reReferral"], json!(re_referral), "{first}");
        assert_eq!(referral["previousUnit"]["id"].as_str(), back.then_some(three.as_str()), "{first}");
        let (id, case) = (referral["id"].as_str().unwrap(), referral["case"]["id"].as_str().unwrap());
        let accepted = server
            .done("FIRST_RESPONSE", "decideReferral", "referral { targetUnit { id } }", accept(id, 1, None))
            .await;
        assert_eq!(accepted["referral"]["targetUnit"]["id"].as_str(), back.then_some(three.as_str()), "{first}");
        if !back {
            server.done("FIRST_RESPONSE", "allocateCase", "", allocate(case, &four, 2)).await;
            continue;
        }
        // The unit that it is offered to reads the case's core, and may take it; another one only with a reason.
        let core = "query($id: ID!) { case(id: $id) { status child { firstName religion } plans { totalCount } } }";
        let seen = server.data("SOCIAL_WORKER", core, json!({ "id": case })).await;
        assert_eq!(seen["case"]["child"], json!({ "firstName": first, "religion": null }));
        let payload = server.mutate("FIRST_RESPONSE", "allocateCase", "", allocate(case, &four, 2)).await;
        assert_eq!(payload["errors"][0]["guard"], "PREVIOUS_UNIT_FIRST");
        let document = support::document("allocateCase", "case { id }");
        let taken = json!({ "input": allocate(case, &three, 2) });
        assert_eq!(server.code("SOCIAL_WORKER", &document, taken).await, "FORBIDDEN");
        let elsewhere = json!({ "input": allocate(case, &four, 2) });
        assert_eq!(server.code("CONSULTANT_SOCIAL_WORKER", &document, elsewhere).await, "FORBIDDEN");
        server.done("CONSULTANT_SOCIAL_WORKER", "allocateCase", "case { id }", allocate(case, &three, 2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_in_danger_is_referred_and_accepted_in_one_step() {
    let server = Server::start().await;
    let (contact, version) = registered(&server, "Una", "Vane").await;
    let mut desk = server.socket("FIRST_RESPONSE").await;
    desk.open_feed(FRONT_DOOR, json!({})).await;
    let input = decide(&contact, "IMMEDIATE_PROTECTION", version, neglect());
    let payload = server
        .done("FIRST_RESPONSE", "decideContact", "referrals { decision decidedAt case { id version } }", input)
        .await;
    let referral = &payload["referrals"][0];
    assert_eq!(referral["decision"], "ACCEPT_S47");
    for of in ["CONTACT_DECIDED", "CASE_UNALLOCATED"] {
        let event = desk.item().await;
        assert_eq!((&event["type"], &event["severity"]), (&json!(of), &json!("URGENT")));
    }
    let case = referral["case"]["id"].as_str().unwrap();
    server.done("FIRST_RESPONSE", "allocateCase", "", allocate(case, &server.unit(3).await, 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unborn_child_is_referred_from_forty_weeks_before_the_birth() {
    let server = Server::start().await;
    for (expected, refused) in [("2027-08-26", true), ("2027-08-25", false)] {
        let about = json!({ "kind": "CHILD", "firstName": "Unborn", "lastName": expected.replace(char::is_numeric, "x"),
                            "expectedDateOfBirth": expected, "needs": needs() });
        let (contact, person, version) = contact(&server, about).await;
        let input = json!({ "idempotencyKey": key(), "contactPersonId": person, "expectedVersion": version });
        server.done("FIRST_RESPONSE", "registerContactChild", "", input).await;
        let input = decide(&contact, "REFERRAL_STATUTORY", version + 1, neglect());
        let payload = server.mutate("FIRST_RESPONSE", "decideContact", "", input).await;
        assert_eq!(payload["errors"][0]["guard"] == "FORTY_WEEKS", refused, "{payload}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_to_meet_a_family_is_told_and_records_what_came_of_it() {
    let server = Server::start().await;
    let (contact, _, version) = contact(&server, child("Una", "Vane", "2019-03-04", "F")).await;
    let worker = format!("Worker:{}", server.worker("SOCIAL_WORKER"));
    let meeting = |who: &str, at: &str| {
        json!({ "referrerInformedAt": server.now(),
                "consultation": { "workerId": who, "scheduledFor": at, "place": "Room 4" } })
    };
    let unqualified = format!("Worker:{}", server.worker("UNIT_COORDINATOR"));
    let input = decide(&contact, "CONSULTATION_MEETING", version, meeting(&unqualified, "2026-11-19T10:00:00Z"));
    let payload = server.mutate("FIRST_RESPONSE", "decideContact", "", input).await;
    assert_eq!(payload["errors"][0]["guard"], "QUALIFIED");
    let document = support::document("decideContact", "contact { id }");
    let past = decide(&contact, "CONSULTATION_MEETING", version, meeting(&worker, "2026-11-17T10:00:00Z"));
    assert_eq!(server.code("FIRST_RESPONSE", &document, json!({ "input": past })).await, "BAD_USER_INPUT");

    let mut mobile = server.socket("SOCIAL_WORKER").await;
    mobile
        .open_feed(
            "subscription { myFeed { __typename cursor ... on ContactEvent { type contact { consultations { id place } } } } }",
            json!({}),
        )
        .await;
    let input = decide(&contact, "CONSULTATION_MEETING", version, meeting(&worker, "2026-11-19T10:00:00Z"));
    let payload = server.done("FIRST_RESPONSE", "decideContact", "consultation { id version state }", input).await;
    let consultation = payload["consultation"]["id"].as_str().unwrap();
    let event = mobile.item().await;
    assert_eq!(
        (&event["type"], &event["contact"]["consultations"][0]["place"]),
        (&json!("CONTACT_DECIDED"), &json!("Room 4"))
    );
    // Nobody else of the unit sees it.
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(server.data("CLINICIAN", node, json!({ "id": consultation })).await["node"], Value::Null);

    let outcome = |state: &str, note: Option<&str>| json!({ "idempotencyKey": key(), "consultationId": consultation, "state": state, "note": note, "expectedVersion": 1 });
    let payload = server.mutate("SOCIAL_WORKER", "recordConsultation", "", outcome("HELD", Some("All is well."))).await;
    assert_eq!(payload["errors"][0]["guard"], "HELD");
    server.later(chrono::Duration::hours(26));
    let payload = server.mutate("SOCIAL_WORKER", "recordConsultation", "", outcome("HELD", None)).await;
    assert_eq!(payload["errors"][0]["guard"], "NOTE");
    let document = support::document("recordConsultation", "consultation { id }");
    let input = json!({ "input": outcome("ARRANGED", None) });
    assert_eq!(server.code("SOCIAL_WORKER", &document, input).await, "BAD_USER_INPUT");
    let input = json!({ "input": outcome("HELD", Some("x")) });
    assert_eq!(server.code("CLINICIAN", &document, input).await, "NOT_FOUND");
    server.done("SOCIAL_WORKER", "recordConsultation", "", outcome("HELD", Some("All is well."))).await;
    assert_eq!(server.data("SOCIAL_WORKER", node, json!({ "id": consultation })).await["node"], Value::Null);
    let mut again = outcome("CANCELLED", None);
    again["expectedVersion"] = json!(2);
    let payload = server.mutate("FIRST_RESPONSE", "recordConsultation", "", again).await;
    assert_eq!((&payload["errors"][0]["from"], &payload["errors"][0]["legalNext"]), (&json!("HELD"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_did_not_come_to_a_meeting_is_invited_again_and_whoever_was_met_is_not() {
    let server = Server::start().await;
    let (told, _, version) = contact(&server, child("Una", "Vane", "2019-03-04", "F")).await;
    let first = format!("Worker:{}", server.worker("SOCIAL_WORKER"));
    let second = format!("Worker:{}", server.worker("CONSULTANT_SOCIAL_WORKER"));
    let meeting = |who: &str, at: &str| json!({ "workerId": who, "scheduledFor": at, "online": true });
    let again = |contact: &str, who: &str, at: &str, version: i64| json!({ "idempotencyKey": key(), "contactId": contact, "consultation": meeting(who, at), "expectedVersion": version });
    let refused = async |input: Value| {
        server.mutate("FIRST_RESPONSE", "arrangeConsultation", "", input).await["errors"][0].clone()
    };

    // Undecided, or decided otherwise.
    let error = refused(again(&told, &second, "2026-11-20T10:00:00Z", version)).await;
    assert_eq!(error["guard"], "CONSULTATION_MEETING", "{error}");
    let (other, _, other_version) = contact(&server, child("Ola", "Brand", "2018-03-04", "M")).await;
    let input = decide(&other, "SIGNPOST", other_version, json!({ "referrerNotInformed": "UNSAFE" }));
    server.done("FIRST_RESPONSE", "decideContact", "", input).await;
    let error = refused(again(&other, &second, "2026-11-20T10:00:00Z", other_version + 1)).await;
    assert_eq!(error["guard"], "CONSULTATION_MEETING", "{error}");

    let more = json!({ "referrerInformedAt": server.now(), "consultation": meeting(&first, "2026-11-19T10:00:00Z") });
    let input = decide(&told, "CONSULTATION_MEETING", version, more);
    let payload = server.done("FIRST_RESPONSE", "decideContact", "consultation { id }", input).await;
    let missed = payload["consultation"]["id"].clone();
    // One at a time.
    let error = refused(again(&told, &second, "2026-11-20T10:00:00Z", version + 1)).await;
    assert_eq!(error["guard"], "NOBODY_MET", "{error}");

    server.later(chrono::Duration::hours(26));
    let outcome = |id: &Value, state: &str| json!({ "idempotencyKey": key(), "consultationId": id, "state": state, "note": "x", "expectedVersion": 1 });
    server.done("SOCIAL_WORKER", "recordConsultation", "", outcome(&missed, "NOT_ATTENDED")).await;

    // Not by whoever was to meet them, not twice for one version, not in the past, not without who may meet them.
    let document = support::document("arrangeConsultation", "contact { id }");
    let next = again(&told, &second, "2026-11-24T10:00:00Z", version + 2);
    assert_eq!(server.code("SOCIAL_WORKER", &document, json!({ "input": next })).await, "NOT_FOUND");
    let error = refused(again(&told, &second, "2026-11-24T10:00:00Z", version + 1)).await;
    assert_eq!(error["__typename"], "VersionConflict");
    let past = again(&told, &second, "2026-11-18T10:00:00Z", version + 2);
    assert_eq!(server.code("FIRST_RESPONSE", &document, json!({ "input": past })).await, "BAD_USER_INPUT");
    let unqualified = format!("Worker:{}", server.worker("UNIT_COORDINATOR"));
    let error = refused(again(&told, &unqualified, "2026-11-24T10:00:00Z", version + 2)).await;
    assert_eq!(error["guard"], "QUALIFIED");

    let mut mobile = server.socket("CONSULTANT_SOCIAL_WORKER").await;
    let feed = "subscription { myFeed { __typename cursor ... on ContactEvent { type contact { consultations { id state } } } } }";
    mobile.open_feed(feed, json!({})).await;
    let payload =
        server.done("FIRST_RESPONSE", "arrangeConsultation", "consultation { id } contact { version }", next).await;
    assert_eq!(payload["contact"]["version"], version + 3);
    let arranged = payload["consultation"]["id"].clone();
    let event = mobile.item().await;
    let both = json!([{ "id": missed, "state": "NOT_ATTENDED" }, { "id": arranged, "state": "ARRANGED" }]);
    assert_eq!((&event["type"], &event["contact"]["consultations"]), (&json!("CONTACT_CHANGED"), &both));
    // Whoever was to meet them before is out of it.
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(server.data("SOCIAL_WORKER", node, json!({ "id": arranged })).await["node"], Value::Null);

    server.later(chrono::Duration::days(6));
    server.done("CONSULTANT_SOCIAL_WORKER", "recordConsultation", "", outcome(&arranged, "HELD")).await;
    let error = refused(again(&told, &second, "2026-12-20T10:00:00Z", version + 4)).await;
    assert_eq!(error["guard"], "NOBODY_MET", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_its_unit_gives_back_waits_where_the_front_door_and_every_manager_hear_of_it() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let other: Uuid = client.query_one("select id from workers where staff_no = 'SM-2'", &[]).await.unwrap().get(0);
    let mut desk = server.socket("FIRST_RESPONSE").await;
    desk.open_feed(FRONT_DOOR, json!({})).await;
    let url = format!("ws://{}/graphql", server.address);
    let token = support::token_for(other, chrono::Duration::hours(1));
    let mut far = support::Socket::open(&url, &token).await;
    far.open_feed(FRONT_DOOR, json!({})).await;
    let (case, version) = server.held("CLINICIAN", 3).await[0].clone();
    let query = "query($id: ID!) { case(id: $id) { primaryAllocation { id } } }";
    let held = server.data("CLINICIAN", query, json!({ "id": case })).await;
    let input = json!({ "idempotencyKey": key(), "allocationId": held["case"]["primaryAllocation"]["id"], "reason": "Moved away",
                        "expectedVersion": version });
    server.done("CONSULTANT_SOCIAL_WORKER", "endAllocation", "", input).await;
    for socket in [&mut desk, &mut far] {
        let event = socket.item().await;
        assert_eq!(
            (&event["type"], &event["unallocatedReason"]),
            (&json!("CASE_UNALLOCATED"), &json!("ALLOCATION_ENDED"))
        );
        assert_eq!(event["case"]["id"], json!(case));
    }
    // What comes to the front door is not for the other manager.
    contact(&server, child("Una", "Vane", "2019-03-04", "F")).await;
    assert_eq!(desk.item().await["type"], "CONTACT_RECEIVED");
    far.nothing_more().await;
    // And nobody else has such a feed.
    for person in ["CLINICIAN", "CP_CHAIR", "HEAD_OF_SERVICE"] {
        let mut socket = server.socket(person).await;
        socket.subscribe("feed", FRONT_DOOR, json!({})).await;
        let heard = socket.hear().await;
        assert_eq!(heard["payload"][0]["extensions"]["code"], "NOT_FOUND", "{person}: {heard}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_break_the_front_door_gets_exactly_what_it_missed() {
    let server = Server::start().await;
    let mut desk = server.socket("FIRST_RESPONSE").await;
    let cursor = desk.open_feed(FRONT_DOOR, json!({})).await;
    drop(desk);
    let (first, version) = registered(&server, "Una", "Vane").await;
    refer(&server, &first, version).await;
    let mut desk = server.socket("FIRST_RESPONSE").await;
    desk.open_feed(FRONT_DOOR, json!({ "after": cursor })).await;
    assert_eq!(desk.types(4).await, ["CONTACT_RECEIVED", "CONTACT_CHANGED", "CONTACT_DECIDED", "CASE_UNALLOCATED"]);
    desk.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_again_with_the_same_key_refers_once() {
    let server = Server::start().await;
    let (contact, version) = registered(&server, "Una", "Vane").await;
    let input = decide(&contact, "REFERRAL_STATUTORY", version, neglect());
    let one = server.done("FIRST_RESPONSE", "decideContact", REFERRAL, input.clone()).await;
    let two = server.done("FIRST_RESPONSE", "decideContact", REFERRAL, input).await;
    assert_eq!(one, two);
    assert_eq!(
        server.queue().await.iter().filter(|(case, _)| json!(case) == one["referrals"][0]["case"]["id"]).count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn danger_is_urgent_for_the_unit_that_works_with_the_child_and_for_the_one_that_knew_it() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let mut unit = server.socket("OTHER_UNIT_COORDINATOR").await;
    unit.feed(&server.unit(7).await, None).await;
    let (now, person, version) = contact(&server, child("Zebedee", "Quarrington", "2018-05-05", "F")).await;
    let version = matched(&server, &person, known, version).await;
    let input = decide(&now, "IMMEDIATE_PROTECTION", version, neglect());
    let payload = server.done("FIRST_RESPONSE", "decideContact", "referrals { id }", input).await;
    assert_eq!(payload["referrals"], json!([]), "it goes to the case that is open");
    let event = unit.item().await;
    assert_eq!((&event["type"], &event["severity"]), (&json!("CONTACT_DECIDED"), &json!("URGENT")));

    let known = closed_child(&server, 3, "Zora", "2026-06-18").await;
    let three = server.unit(3).await;
    let mut before = server.socket("CLINICIAN").await;
    before.feed(&three, None).await;
    let (again, person, version) = contact(&server, child("Zora", "Quarrington", "2018-05-05", "F")).await;
    let version = matched(&server, &person, known, version).await;
    let input = decide(&again, "IMMEDIATE_PROTECTION", version, neglect());
    let payload =
        server.done("FIRST_RESPONSE", "decideContact", "referrals { targetUnit { id } case { id } }", input).await;
    assert_eq!(payload["referrals"][0]["targetUnit"]["id"], json!(three));
    let event = before.item().await;
    assert_eq!((&event["type"], &event["severity"]), (&json!("REFERRAL_ACCEPTED"), &json!("URGENT")));
    let case = payload["referrals"][0]["case"]["id"].as_str().unwrap();
    server.done("CONSULTANT_SOCIAL_WORKER", "allocateCase", "", allocate(case, &three, 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_registered_under_names_that_were_not_told_is_looked_for_by_those() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    let about = json!({ "kind": "CHILD", "description": "The boy at number 12", "needs": needs() });
    let (_, person, version) = contact(&server, about).await;
    let input = json!({ "idempotencyKey": key(), "contactPersonId": person, "firstName": "Zebedee", "lastName": "Quarrington",
                        "dateOfBirth": "2018-05-05", "sex": "F", "expectedVersion": version });
    let payload = server.mutate("FIRST_RESPONSE", "registerContactChild", "", input).await;
    assert_eq!(payload["errors"][0]["guard"], "NOT_KNOWN_YET");
    let input = json!({ "idempotencyKey": key(), "contactPersonId": person, "firstName": "Zebedee", "lastName": "Quarrington",
                        "dateOfBirth": "2018-05-06", "sex": "F", "expectedVersion": version });
    server.done("FIRST_RESPONSE", "registerContactChild", "", input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_need_that_somebody_told_of_stays_when_the_next_knows_of_none() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let known = people::held_child(&client, 7, "Zebedee", "Quarrington").await;
    for answer in [
        needs(),
        json!([{ "kind": "RELIGION", "answer": "NONE_KNOWN" }, { "kind": "CULTURE", "answer": "NONE_KNOWN" },
                                   { "kind": "DISABILITY", "answer": "NONE_KNOWN" }]),
    ] {
        let mut about = child("Zebedee", "Quarrington", "2018-05-05", "F");
        about["needs"] = answer;
        let (contact, person, version) = contact(&server, about).await;
        let version = matched(&server, &person, known, version).await;
        let input = decide(&contact, "PASS_TO_OPEN_CASE", version, json!({}));
        server.done("FIRST_RESPONSE", "decideContact", "", input).await;
        server.later(chrono::Duration::minutes(5));
    }
    let query = "query($id: ID!) { child(id: $id) { contacts { totalCount } particularNeeds { kind answer description withheld } } }";
    let variables = json!({ "id": format!("Child:{known}") });
    let told = server.data("OTHER_UNIT", query, variables.clone()).await;
    assert_eq!(
        told["child"],
        json!({ "contacts": { "totalCount": 2 }, "particularNeeds": [
            { "kind": "CULTURE", "answer": "NONE_KNOWN", "description": null, "withheld": null },
            { "kind": "DISABILITY", "answer": "NEED", "description": "Hears badly.", "withheld": null },
            { "kind": "RELIGION", "answer": "NONE_KNOWN", "description": null, "withheld": null }] })
    );
    // Of a disability it is clinical.
    let told = server.data("OTHER_UNIT_COORDINATOR", query, variables).await;
    assert_eq!(told["child"]["particularNeeds"][1]["withheld"], "CLINICAL");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_decisions_at_once_are_one() {
    let server = Server::start().await;
    let (contact, version) = registered(&server, "Una", "Vane").await;
    let inputs = [
        decide(&contact, "REFERRAL_STATUTORY", version, neglect()),
        decide(&contact, "NO_FURTHER_ACTION", version, json!({ "referrerNotInformed": "UNSAFE" })),
    ];
    let [one, two] = inputs.map(|input| server.mutate("FIRST_RESPONSE", "decideContact", "", input));
    let (one, two) = futures_util::join!(one, two);
    let made = [&one, &two].iter().filter(|payload| payload["errors"] == json!([])).count();
    assert_eq!(made, 1, "{one} {two}");
}

/// Matches somebody of a contact; answers the contact's version.
pub(crate) async fn matched(server: &Server, person: &str, known: Uuid, version: i64) -> i64 {
    let input = json!({ "idempotencyKey": key(), "contactPersonId": person, "childId": format!("Child:{known}"),
                        "expectedVersion": version });
    parts(&server.done("FIRST_RESPONSE", "matchContactChild", CONTACT, input).await).2
}

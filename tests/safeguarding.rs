//! Assessments, strategy discussions, section 47 enquiries, and what others are asked: step by step, and who hears what.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    assessments::{authorise, content, submitted},
    front_door::{refer, registered},
    mutations_support::request_transfer,
    support::{self, Server, Socket, document, key, people},
};

const FEED: &str =
    "subscription($unitId: ID!, $after: String) { unitFeed(unitId: $unitId, after: $after) { __typename cursor
    ... on Event { type severity summary caseRef { caseId childInitials } entity { type } }
    ... on AssessmentEvent { assessmentStatus assessmentOutcome factorsCount assessment { id } }
    ... on StrategyEvent { strategyDecision jointWithPolice discussion { id } }
    ... on Section47Event { enquiryMode enquiryStatus enquiryOutcome leadPractitionerId enquiry { id } }
    ... on AgencyParticipantEvent { agency leftOn participant { id } }
    ... on InformationEvent { agency duty informationStatus dueAt request { id } } } }";
pub(crate) const CHILDS: &str = "subscription($id: ID!) { childFeed(childId: $id) { __typename cursor ... on Event { type severity caseRef { caseId } } } }";
pub(crate) const MINE: &str =
    "subscription { myFeed { __typename cursor ... on Event { type severity caseRef { caseId } } } }";

pub(crate) async fn follow(server: &Server, person: &str, unit: &str) -> Socket {
    let mut socket = server.socket(person).await;
    socket.open_feed(FEED, json!({ "unitId": unit })).await;
    socket
}

/// What everybody heard last, which is the same for all.
pub(crate) async fn all_hear(sockets: &mut [Socket], kind: &str) -> Value {
    let mut heard = Vec::new();
    for socket in sockets {
        let mut event = socket.item().await;
        assert_eq!(event["type"], kind, "{event}");
        event["cursor"].take();
        heard.push(event);
    }
    assert!(heard.windows(2).all(|pair| pair[0] == pair[1]), "{heard:#?}");
    heard.swap_remove(0)
}

fn taking_part() -> Value {
    json!([
        { "agency": "SOCIAL_CARE", "name": "Unit 3" },
        { "agency": "POLICE_CAIT", "organisation": "Child abuse investigation team", "name": "DS Adair", "role": "Sergeant" },
        { "agency": "HEALTH", "organisation": "Lantern Row Surgery", "name": "Dr Osei" }])
}

fn discussed(case: &str, decision: &str, version: i64) -> Value {
    json!({ "caseId": case, "informationShared": "Bruises, explained differently each time.", "decision": decision,
            "decisionReason": "Significant harm is suspected.", "immediateAction": "Seen today.",
            "actions": ["The lead practitioner sees the child today."], "expectedVersion": version })
}

fn discussion(server: &Server, children: Value) -> Value {
    json!({ "idempotencyKey": key(), "heldAt": server.now() - chrono::Duration::minutes(40), "participants": taking_part(),
            "children": children })
}

const DISCUSSIONS: &str = "discussions { id decision child { id } enquiry { id } } enquiry { id version status mode }";

/// Holds a discussion about unit 3's case; answers the enquiry that it began.
pub(crate) async fn enquiry(server: &Server, case: &str, version: i64) -> String {
    let input = discussion(server, json!([discussed(case, "S47_SINGLE", version)]));
    let payload = server.done("SOCIAL_WORKER", "holdStrategyDiscussion", DISCUSSIONS, input).await;
    payload["enquiry"]["id"].as_str().unwrap().to_owned()
}

pub(crate) fn step(id: (&str, &str), version: i64, more: Value) -> Value {
    let mut input = json!({ "idempotencyKey": key(), "expectedVersion": version });
    input[id.0] = json!(id.1);
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

pub(crate) async fn version_of(server: &Server, person: &str, id: &str) -> i64 {
    let kind = id.split(':').next().unwrap();
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ version }} }} }}");
    server.data(person, &query, json!({ "id": id })).await["node"]["version"].as_i64().unwrap()
}

pub(crate) async fn seen(server: &Server, enquiry: &str) {
    let version = version_of(server, "SOCIAL_WORKER", enquiry).await;
    let today = json!({ "childSeenOn": support::today(), "childSeenAlone": true });
    let input = step(("enquiryId", enquiry), version, today);
    server.done("SOCIAL_WORKER", "recordSection47Progress", "", input).await;
}

pub(crate) async fn conclude(server: &Server, enquiry: &str, outcome: &str) -> Value {
    let version = version_of(server, "CONSULTANT_SOCIAL_WORKER", enquiry).await;
    let input =
        step(("enquiryId", enquiry), version, json!({ "outcome": outcome, "findings": "What was told is true." }));
    let fields = "enquiry { version status outcome icpcNotRequired } case { status }";
    server.mutate("CONSULTANT_SOCIAL_WORKER", "concludeSection47", fields, input).await
}

pub(crate) fn refused(payload: &Value) -> &str {
    payload["errors"][0]["guard"].as_str().unwrap_or_else(|| panic!("no guard: {payload:#}"))
}

/// A unit whose members chair conferences, with one member; answers the unit and a token.
async fn conference_unit(server: &Server) -> (String, String) {
    let client = support::connect("postgres", &server.database).await;
    let (unit, worker) = (Uuid::now_v7(), people::with_post(&client, "DATA_ANALYST").await);
    client
        .execute(
            "insert into units (id, name, service, area_id, active_from)
             select $1, 'Safeguarding and Review', 'SAFEGUARDING_REVIEW', id, '2020-01-01' from areas order by id limit 1",
            &[&unit],
        )
        .await
        .unwrap();
    client
        .execute(
            "insert into unit_memberships (id, unit_id, worker_id, role, started_at, fte)
             values (gen_random_uuid(), $1, $2, 'UNIT_COORDINATOR', '2026-01-01Z', 1)",
            &[&unit, &worker],
        )
        .await
        .unwrap();
    (format!("Unit:{unit}"), support::token_for(worker, chrono::Duration::hours(1)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joint_enquiry_from_the_discussion_to_the_conference_and_each_hears_what_is_theirs() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let (conferences, token) = conference_unit(&server).await;
    let (case, version) = server.allocated_to(3).await;
    server.all_placed().await;
    // Every member of unit 3, its service manager, who chairs conferences, and a member of another unit.
    let mut unit = Vec::new();
    for person in
        ["CONSULTANT_SOCIAL_WORKER", "SOCIAL_WORKER", "CHILDRENS_PRACTITIONER", "CLINICIAN", "UNIT_COORDINATOR"]
    {
        unit.push(follow(&server, person, &three).await);
    }
    let child_id = server.child_of("CLINICIAN", &case).await;
    let mut manager = server.socket("SERVICE_MANAGER").await;
    manager.open_feed(CHILDS, json!({ "id": child_id })).await;
    let mut chairs = Socket::open(&format!("ws://{}/graphql", server.address), &token).await;
    chairs.open_feed(FEED, json!({ "unitId": conferences })).await;
    let mut stranger = follow(&server, "OTHER_UNIT", &server.unit(7).await).await;

    // The police and health take part, and an enquiry jointly with the police begins.
    let mut child = discussed(&case, "S47_JOINT", version);
    child["policeReference"] = json!("CAIT/0815");
    let input = discussion(&server, json!([child]));
    let payload = server.done("SOCIAL_WORKER", "holdStrategyDiscussion", DISCUSSIONS, input).await;
    let enquiry = payload["enquiry"]["id"].as_str().unwrap().to_owned();
    assert_eq!((&payload["enquiry"]["mode"], &payload["enquiry"]["status"]), (&json!("JOINT"), &json!("OPEN")));
    let held = all_hear(&mut unit, "STRATEGY_HELD").await;
    assert_eq!((&held["strategyDecision"], &held["jointWithPolice"]), (&json!("S47_JOINT"), &json!(true)));
    assert_eq!(held["discussion"]["id"], payload["discussions"][0]["id"]);
    let opened = all_hear(&mut unit, "S47_OPENED").await;
    assert_eq!((&opened["severity"], &opened["enquiry"]["id"]), (&json!("URGENT"), &json!(enquiry)));
    for agency in ["POLICE_CAIT", "HEALTH"] {
        assert_eq!(all_hear(&mut unit, "AGENCY_PARTICIPANT_CHANGED").await["agency"], agency);
    }
    // The case's lead practitioner leads it when nobody else is named.
    assert_eq!(opened["leadPractitionerId"], json!(format!("Worker:{}", server.worker("CONSULTANT_SOCIAL_WORKER"))));
    assert_eq!(manager.types(2).await, ["STRATEGY_HELD", "S47_OPENED"]);
    // Who chairs conferences is told that there is an enquiry, and sees nothing of the record.
    let event = chairs.item().await;
    assert_eq!((&event["type"], &event["enquiry"]), (&json!("S47_OPENED"), &Value::Null));

    // Whoever took part from other agencies can be asked; the school is added.
    let query =
        "query($id: ID!) { case(id: $id) { agencyParticipants(current: true) { id agency organisation name } } }";
    let there = server.data("CLINICIAN", query, json!({ "id": case })).await;
    let there = there["case"]["agencyParticipants"].as_array().unwrap().clone();
    let agencies: Vec<&Value> = there.iter().map(|one| &one["agency"]).collect();
    assert_eq!(agencies, ["POLICE_CAIT", "HEALTH"]);
    let input = json!({ "idempotencyKey": key(), "caseId": case, "agency": "SCHOOL", "organisation": "Millfields School",
                        "name": "Ms Blake", "contact": "020 7946 0900" });
    let payload = server.done("UNIT_COORDINATOR", "addAgencyParticipant", "participant { id }", input).await;
    let school = payload["participant"]["id"].clone();
    let joined = all_hear(&mut unit, "AGENCY_PARTICIPANT_CHANGED").await;
    assert_eq!((&joined["agency"], &joined["leftOn"]), (&json!("SCHOOL"), &Value::Null));
    // All three are required to answer.
    let mut asked = Vec::new();
    for participant in [&there[0]["id"], &there[1]["id"], &school] {
        let input = json!({ "idempotencyKey": key(), "participantId": participant, "duty": "S47",
                            "questions": "What do you know of injuries?", "dueAt": server.now() + chrono::Duration::days(1) });
        let payload =
            server.done("SOCIAL_WORKER", "requestInformation", "request { id status enquiry { id } }", input).await;
        assert_eq!(payload["request"]["enquiry"]["id"], json!(enquiry));
        asked.push(payload["request"]["id"].as_str().unwrap().to_owned());
        let event = all_hear(&mut unit, "INFO_REQUEST_SENT").await;
        assert_eq!((&event["duty"], &event["informationStatus"]), (&json!("S47"), &json!("SENT")));
        assert!(!event.to_string().contains("injuries"), "{event}");
    }
    let [police, surgery, school] = &asked[..] else { panic!() };

    // The surgery is silent, and is asked again.
    let input = step(("requestId", surgery), 1, json!({ "method": "PHONE", "note": "They look for the notes." }));
    server.done("UNIT_COORDINATOR", "chaseInformation", "request { status }", input).await;
    assert_eq!(all_hear(&mut unit, "INFO_REQUEST_CHANGED").await["informationStatus"], "CHASED");
    server.later(chrono::Duration::days(2));
    let query =
        "query($id: ID!) { node(id: $id) { ... on InformationRequest { status overdue chases { method note } } } }";
    let late = server.data("CLINICIAN", query, json!({ "id": surgery })).await;
    assert_eq!(
        late["node"],
        json!({ "status": "CHASED", "overdue": true, "chases": [{ "method": "PHONE", "note": "They look for the notes." }] })
    );
    // The school refuses: its managers hear of it at once.
    let input = step(("requestId", school), 1, json!({ "reason": "The head wants it in writing." }));
    let fields = "request { status refusalReason escalatedTo { id } }";
    let payload = server.done("SOCIAL_WORKER", "recordInformationRefusal", fields, input).await;
    assert_eq!(payload["request"]["escalatedTo"]["id"], json!(format!("Worker:{}", server.worker("SERVICE_MANAGER"))));
    let event = all_hear(&mut unit, "INFO_REQUEST_REFUSED").await;
    assert_eq!((&event["severity"], &event["agency"]), (&json!("URGENT"), &json!("SCHOOL")));
    let event = manager.item().await;
    assert_eq!((&event["type"], &event["severity"]), (&json!("INFO_REQUEST_REFUSED"), &json!("URGENT")));
    // The police answer; what others say is not for the coordinator.
    let input = step(("requestId", police), 1, json!({ "text": "Three calls in twelve months." }));
    server.done("SOCIAL_WORKER", "recordInformationAnswer", "", input).await;
    all_hear(&mut unit, "INFO_REQUEST_ANSWERED").await;
    let query = "query($id: ID!) { node(id: $id) { ... on InformationRequest { response withheld } } }";
    let told = server.data("CLINICIAN", query, json!({ "id": police })).await;
    assert_eq!(told["node"], json!({ "response": "Three calls in twelve months.", "withheld": [] }));
    let told = server.data("UNIT_COORDINATOR", query, json!({ "id": police })).await;
    assert_eq!(told["node"], json!({ "response": null, "withheld": ["THIRD_PARTY"] }));
    // The school answers after all.
    let input = step(("requestId", school), 2, json!({ "text": "Attendance is 81 per cent." }));
    server.done("SOCIAL_WORKER", "recordInformationAnswer", "", input).await;
    all_hear(&mut unit, "INFO_REQUEST_ANSWERED").await;

    // No outcome before the child was seen, and none without a conference while somebody has not answered.
    assert_eq!(refused(&conclude(&server, &enquiry, "INITIAL_CONFERENCE").await), "CHILD_SEEN");
    seen(&server, &enquiry).await;
    all_hear(&mut unit, "S47_CHANGED").await;
    assert_eq!(manager.types(1).await, ["S47_CHANGED"]);
    assert_eq!(refused(&conclude(&server, &enquiry, "NFA").await), "INFORMATION_ANSWERED");
    let payload = conclude(&server, &enquiry, "INITIAL_CONFERENCE").await;
    assert_eq!(payload["errors"], json!([]));
    assert_eq!(
        (&payload["enquiry"]["status"], &payload["case"]["status"]),
        (&json!("CONCLUDED"), &json!("CONFERENCE_PENDING"))
    );
    let event = all_hear(&mut unit, "S47_OUTCOME").await;
    assert_eq!((&event["enquiryOutcome"], &event["severity"]), (&json!("INITIAL_CONFERENCE"), &json!("URGENT")));
    assert_eq!(manager.types(1).await, ["S47_OUTCOME"]);
    assert_eq!(chairs.item().await["enquiryOutcome"], "INITIAL_CONFERENCE");

    // The conference follows the enquiry.
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    let payload = server.done("SOCIAL_WORKER", "requestConference", "conference { id }", input).await;
    all_hear(&mut unit, "CONFERENCE_REQUESTED").await;
    let query =
        "query($id: ID!) { node(id: $id) { ... on Section47Enquiry { conference { id children { enquiry { id } } }
        discussion { participants { agency name } } informationRequests(open: true) { totalCount } } } }";
    let whole = server.data("CLINICIAN", query, json!({ "id": enquiry })).await;
    assert_eq!(
        whole["node"],
        json!({ "conference": { "id": payload["conference"]["id"], "children": [{ "enquiry": { "id": enquiry } }] },
                "discussion": { "participants": [
                    { "agency": "SOCIAL_CARE", "name": "Unit 3" }, { "agency": "POLICE_CAIT", "name": "DS Adair" },
                    { "agency": "HEALTH", "name": "Dr Osei" }] },
                "informationRequests": { "totalCount": 1 } })
    );
    for socket in [&mut manager, &mut chairs, &mut stranger] {
        socket.nothing_more().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn that_there_is_no_conference_is_countersigned_by_another_person_or_given_back() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let enquiry = enquiry(&server, &case, version).await;
    seen(&server, &enquiry).await;
    let payload = conclude(&server, &enquiry, "SERVICES_S17").await;
    assert_eq!(payload["enquiry"]["status"], "AWAITING_COUNTERSIGNATURE");
    // Neither the unit's own consultant nor another unit's manager.
    let version = payload["enquiry"]["version"].as_i64().unwrap();
    let input = step(("enquiryId", &enquiry), version, json!({}));
    let query = document("countersignSection47", "");
    assert_eq!(server.code("CONSULTANT_SOCIAL_WORKER", &query, json!({ "input": input })).await, "FORBIDDEN");
    assert_eq!(server.code("OTHER_UNIT", &query, json!({ "input": input })).await, "NOT_FOUND");
    let input = step(("enquiryId", &enquiry), version, json!({ "reason": "Nobody spoke to the brother." }));
    let fields = "enquiry { version status outcome findings returnedReason }";
    let payload = server.done("SERVICE_MANAGER", "returnSection47", fields, input).await;
    assert_eq!(
        payload["enquiry"],
        json!({ "version": version + 1, "status": "OPEN", "outcome": null, "findings": null,
                "returnedReason": "Nobody spoke to the brother." })
    );
    let payload = conclude(&server, &enquiry, "SERVICES_S17").await;
    let version = payload["enquiry"]["version"].as_i64().unwrap();
    let input = step(("enquiryId", &enquiry), version, json!({}));
    let fields = "enquiry { status icpcNotRequired countersignedBy { id } } case { status }";
    let payload = server.done("SERVICE_MANAGER", "countersignSection47", fields, input).await;
    assert_eq!(
        payload["enquiry"],
        json!({ "status": "CONCLUDED", "icpcNotRequired": true,
                "countersignedBy": { "id": format!("Worker:{}", server.worker("SERVICE_MANAGER")) } })
    );
    assert_eq!(payload["case"]["status"], "ASSESSMENT");
    // What is over stays over.
    let input = step(("enquiryId", &enquiry), version + 1, json!({}));
    let again = server.mutate("SERVICE_MANAGER", "countersignSection47", "", input).await;
    assert_eq!(
        (&again["errors"][0]["from"], &again["errors"][0]["legalNext"]),
        (&json!("CONCLUDED"), &json!(["OPEN"]))
    );
    // And no initial conference follows it.
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    let refusal = server.mutate("SOCIAL_WORKER", "requestConference", "", input).await;
    assert_eq!(refused(&refusal), "ENQUIRY_CALLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strategy_discussion_is_held_with_police_and_health_or_says_why_not() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let hold = async |participants: Value, decision: &str, absence: Value| {
        let mut input = discussion(&server, json!([discussed(&case, decision, version)]));
        input["participants"] = participants;
        input["absenceReason"] = absence;
        server.mutate("SOCIAL_WORKER", "holdStrategyDiscussion", "discussions { absenceReason }", input).await
    };
    let (ours, police, health) = (&taking_part()[0], &taking_part()[1], &taking_part()[2]);
    for (participants, decision, absence, guard) in [
        (json!([police, health]), "NFA", Value::Null, "SOCIAL_CARE_PRESENT"),
        (json!([ours]), "NFA", json!("At night."), "ANOTHER_AGENCY"),
        (json!([ours, police]), "S47_SINGLE", Value::Null, "POLICE_AND_HEALTH_PRESENT"),
        (json!([ours, health]), "S47_JOINT", json!("The police had nobody."), "POLICE_AGREE"),
    ] {
        assert_eq!(refused(&hold(participants, decision, absence).await), guard);
    }
    let query = "query($id: ID!) { case(id: $id) { version strategyDiscussions { totalCount } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": case })).await;
    assert_eq!(
        data["case"],
        json!({ "version": version, "strategyDiscussions": { "totalCount": 0 } }),
        "nothing was written"
    );
    let payload = hold(json!([ours, health]), "ASSESS_S17", json!("The police had nobody.")).await;
    assert_eq!(payload["discussions"], json!([{ "absenceReason": "The police had nobody." }]));
    // No enquiry began by it.
    let query = "query($id: ID!) { case(id: $id) { currentEnquiry { id } agencyParticipants { id } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": case })).await;
    assert_eq!(data["case"], json!({ "currentEnquiry": null, "agencyParticipants": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_of_a_discussion_says_which_field() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let now = server.now();
    let field = async |change: &dyn Fn(&mut Value)| {
        let mut input = discussion(&server, json!([discussed(&case, "S47_SINGLE", version)]));
        change(&mut input);
        let answer =
            server.answer("SOCIAL_WORKER", &document("holdStrategyDiscussion", ""), json!({ "input": input })).await;
        answer["errors"][0]["extensions"]["field"].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned()
    };
    assert_eq!(field(&|input| input["heldAt"] = json!(now + chrono::Duration::hours(1))).await, "heldAt");
    assert_eq!(field(&|input| input["heldAt"] = json!(now - chrono::Duration::days(40))).await, "heldAt");
    assert_eq!(field(&|input| input["children"] = json!([])).await, "children");
    assert_eq!(
        field(&|input| input["children"] = json!([input["children"][0], input["children"][0]])).await,
        "children"
    );
    assert_eq!(field(&|input| input["participants"] = json!([])).await, "participants");
    assert_eq!(field(&|input| input["participants"][1]["organisation"] = Value::Null).await, "organisation");
    assert_eq!(field(&|input| input["children"][0]["policeReference"] = json!("1")).await, "policeReference");
    assert_eq!(field(&|input| input["children"][0]["informationShared"] = json!(" ")).await, "informationShared");
    let lead = format!("Worker:{}", server.worker("SOCIAL_WORKER"));
    let without = |input: &mut Value| {
        input["children"][0]["decision"] = json!("NFA");
        input["children"][0]["leadPractitionerId"] = json!(lead);
    };
    assert_eq!(field(&without).await, "leadPractitionerId");
}

#[tokio::test(flavor = "multi_thread")]
async fn first_response_begins_an_enquiry_while_no_unit_holds_the_case_and_the_unit_leads_it() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let mut queue = server.socket("SERVICE_MANAGER").await;
    queue.open_feed("subscription { frontDoorFeed { __typename cursor ... on Event { type } } }", json!({})).await;
    let input = discussion(&server, json!([discussed(&case, "S47_SINGLE", version)]));
    let fields =
        "discussions { id decision informationShared withheld } enquiry { id version leadPractitioner { id } }";
    let payload = server.done("FIRST_RESPONSE", "holdStrategyDiscussion", fields, input).await;
    // That there is one belongs to the case's core; what was said is read by who sees the child whole.
    assert_eq!(payload["discussions"][0]["decision"], "S47_SINGLE");
    assert_eq!(payload["discussions"][0]["informationShared"], Value::Null);
    assert_eq!(payload["enquiry"]["leadPractitioner"], Value::Null);
    assert_eq!(queue.types(2).await, ["STRATEGY_HELD", "S47_OPENED"]);
    let enquiry = payload["enquiry"]["id"].as_str().unwrap().to_owned();
    let again = discussion(&server, json!([discussed(&case, "S47_SINGLE", version + 1)]));
    let refusal = server.mutate("FIRST_RESPONSE", "holdStrategyDiscussion", "", again).await;
    assert_eq!(refusal["errors"][0]["__typename"], "Conflict", "one enquiry at a time");
    // A unit takes the case, and names who leads before there is an outcome.
    let unit = server.unit(3).await;
    let input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": unit, "reason": "x", "expectedVersion": version + 1 });
    server.done("FIRST_RESPONSE", "allocateCase", "", input).await;
    seen(&server, &enquiry).await;
    assert_eq!(refused(&conclude(&server, &enquiry, "INITIAL_CONFERENCE").await), "LEAD_NAMED");
    for (worker, guard) in
        [("CLINICIAN", Some("LEAD_QUALIFIED")), ("OTHER_UNIT", Some("LEAD_QUALIFIED")), ("SOCIAL_WORKER", None)]
    {
        let version = version_of(&server, "SOCIAL_WORKER", &enquiry).await;
        let lead = json!({ "leadPractitionerId": format!("Worker:{}", server.worker(worker)) });
        let input = step(("enquiryId", &enquiry), version, lead);
        let payload = server
            .mutate("SOCIAL_WORKER", "recordSection47Progress", "enquiry { leadPractitioner { id } }", input)
            .await;
        assert_eq!(payload["errors"][0]["guard"].as_str(), guard, "{worker}");
    }
    assert_eq!(conclude(&server, &enquiry, "INITIAL_CONFERENCE").await["errors"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_of_one_child_of_a_meeting_is_not_read_with_another() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let (one, other) =
        (people::child(&client, "Quentin", "Xavier").await, people::child(&client, "Yolanda", "Xavier").await);
    let cases =
        [people::hold(&client, one, 3).await, people::hold(&client, other, 3).await].map(|id| format!("Case:{id}"));
    let mut second = discussed(&cases[1], "NFA", 1);
    second["participants"] = json!([{ "agency": "SCHOOL", "organisation": "Her school", "name": "Ms Blake" }]);
    second["informationShared"] = json!("Of her nothing is known.");
    let input = discussion(&server, json!([discussed(&cases[0], "S47_SINGLE", 1), second]));
    let payload = server.done("SOCIAL_WORKER", "holdStrategyDiscussion", DISCUSSIONS, input).await;
    let mut decided: Vec<&str> =
        payload["discussions"].as_array().unwrap().iter().map(|one| one["decision"].as_str().unwrap()).collect();
    decided.sort_unstable();
    assert_eq!(decided, ["NFA", "S47_SINGLE"]);
    let query = "query($id: ID!) { child(id: $id) { strategyDiscussions { nodes { participants { agency } } } } }";
    for (child, count) in [(one, 3), (other, 4)] {
        let data = server.data("CLINICIAN", query, json!({ "id": format!("Child:{child}") })).await;
        let there = data["child"]["strategyDiscussions"]["nodes"][0]["participants"].as_array().unwrap().len();
        assert_eq!(there, count, "her school is named with her alone");
    }
    let query = "query($id: ID!) { child(id: $id) { strategyDiscussions { nodes { informationShared beside { child { id } informationShared } } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": format!("Child:{one}") })).await;
    assert_eq!(
        data["child"]["strategyDiscussions"]["nodes"],
        json!([{ "informationShared": "Bruises, explained differently each time.",
                 "beside": [{ "child": { "id": format!("Child:{other}") }, "informationShared": "Of her nothing is known." }] }])
    );
    // The other child's record is restricted: nothing tells that the meeting was about her too.
    let owner = people::with_post(&client, "HEAD_OF_SERVICE").await;
    let input = json!({ "idempotencyKey": key(), "personId": format!("Child:{other}"), "reason": "HIGH_PROFILE",
                        "ownerId": format!("Worker:{owner}"), "allowedIds": [] });
    server.done("SERVICE_MANAGER", "restrictRecord", "", input).await;
    let data = server.data("CLINICIAN", query, json!({ "id": format!("Child:{one}") })).await;
    assert_eq!(data["child"]["strategyDiscussions"]["nodes"][0]["beside"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conference_that_makes_no_plan_sends_the_case_back_to_where_it_stood() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let enquiry = enquiry(&server, &case, version).await;
    seen(&server, &enquiry).await;
    conclude(&server, &enquiry, "INITIAL_CONFERENCE").await;
    let status = async || {
        let query = "query($id: ID!) { case(id: $id) { status } }";
        server.data("CLINICIAN", query, json!({ "id": case })).await["case"]["status"].take()
    };
    assert_eq!(status().await, "CONFERENCE_PENDING");
    let request = || json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    let payload = server.done("SOCIAL_WORKER", "requestConference", "conference { id }", request()).await;
    let conference = payload["conference"]["id"].as_str().unwrap().to_owned();
    let again = server.mutate("SOCIAL_WORKER", "requestConference", "", request()).await;
    assert_eq!(again["errors"][0]["__typename"], "Conflict");
    // The request is withdrawn by two people.
    for (person, mutation, version) in
        [("CONSULTANT_SOCIAL_WORKER", "proposeConferenceWithdrawal", 1), ("SERVICE_MANAGER", "withdrawConference", 2)]
    {
        let input =
            step(("conferenceId", &conference), version, json!({ "reason": "The grandmother takes the child in." }));
        server.done(person, mutation, "", input).await;
    }
    assert_eq!(status().await, "ASSESSMENT");
    // The enquiry is decided again: neither does it call for one, nor is it over.
    let refusal = server.mutate("SOCIAL_WORKER", "requestConference", "", request()).await;
    assert_eq!(refused(&refusal), "ENQUIRY_CALLS");
    let query = "query($id: ID!) { node(id: $id) { ... on Section47Enquiry { status outcome returnedReason conference { id } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": enquiry })).await;
    assert_eq!(
        data["node"],
        json!({ "status": "OPEN", "outcome": null, "returnedReason": "The grandmother takes the child in.", "conference": null })
    );
    assert_eq!(conclude(&server, &enquiry, "INITIAL_CONFERENCE").await["errors"], json!([]));
    assert_eq!(status().await, "CONFERENCE_PENDING");
    server.done("SOCIAL_WORKER", "requestConference", "conference { id }", request()).await;
}

/// Asks for a conference about a case; answers it.
async fn requested(server: &Server, case: &str, kind: &str) -> String {
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": kind });
    let payload = server.done("SOCIAL_WORKER", "requestConference", "conference { id }", input).await;
    payload["conference"]["id"].as_str().unwrap().to_owned()
}

/// Withdraws a request that somebody else proposed to withdraw.
async fn withdrawn(server: &Server, person: &str, conference: &str) -> Value {
    let version = version_of(server, "CONSULTANT_SOCIAL_WORKER", conference).await;
    let input = step(("conferenceId", conference), version, json!({ "reason": "Not needed." }));
    server.mutate(person, "withdrawConference", "conference { state }", input).await
}

async fn proposed(server: &Server, conference: &str) {
    let input = step(("conferenceId", conference), 1, json!({ "reason": "Not needed." }));
    server.done("CONSULTANT_SOCIAL_WORKER", "proposeConferenceWithdrawal", "", input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_conference_decided_on_stays_concluded_when_another_one_about_it_is_withdrawn() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let (case, version) = server.allocated_to(3).await;
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "RECONVENED" });
    let refusal = server.mutate("SOCIAL_WORKER", "requestConference", "", input).await;
    assert_eq!(refused(&refusal), "CONFERENCE_BEFORE");
    let enquiry = enquiry(&server, &case, version).await;
    seen(&server, &enquiry).await;
    conclude(&server, &enquiry, "INITIAL_CONFERENCE").await;
    let first = requested(&server, &case, "INITIAL").await;
    let held = "with held as (
                    update conferences c set state = 'ISSUED', held_at = '2026-11-18 10:00Z', minutes_sent_at = '2026-11-18 10:00Z',
                           scheduled_for = '2026-11-18 10:00Z', chair_id = requested_by
                    where 'Conference:' || id = $1 returning id)
                update conference_children set decision = 'NO_PLAN' where conference_id in (select id from held)";
    assert_eq!(client.execute(held, &[&first]).await.unwrap(), 1);
    let second = requested(&server, &case, "RECONVENED").await;
    proposed(&server, &second).await;
    assert_eq!(withdrawn(&server, "SERVICE_MANAGER", &second).await["errors"], json!([]));
    let query = "query($id: ID!) { node(id: $id) { ... on Section47Enquiry { status outcome } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": enquiry })).await;
    assert_eq!(data["node"], json!({ "status": "CONCLUDED", "outcome": "INITIAL_CONFERENCE" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_withdrawn_by_somebody_who_sees_every_child_of_it() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let (case, version) = server.allocated_to(3).await;
    let enquiry = enquiry(&server, &case, version).await;
    seen(&server, &enquiry).await;
    conclude(&server, &enquiry, "INITIAL_CONFERENCE").await;
    let conference = requested(&server, &case, "INITIAL").await;
    proposed(&server, &conference).await;
    // A sibling whom the service manager is kept from.
    let sibling = people::child(&client, "Zebedee", "Quarrington").await;
    let siblings = people::hold(&client, sibling, 3).await;
    let beside = "insert into conference_children (id, conference_id, child_id, case_id)
                  select gen_random_uuid(), id, $2, $3 from conferences where 'Conference:' || id = $1";
    assert_eq!(client.execute(beside, &[&conference, &sibling, &siblings]).await.unwrap(), 1);
    let deny = "insert into access_denials (id, person_id, worker_id, reason, started_at, created_by)
                values (gen_random_uuid(), $1, $2, 'RELATIVE', '2026-11-01Z', $2)";
    client.execute(deny, &[&sibling, &server.worker("SERVICE_MANAGER")]).await.unwrap();
    let refusal = withdrawn(&server, "SERVICE_MANAGER", &conference).await;
    assert_eq!(refused(&refusal), "EVERY_CHILD");
    let query = "query($id: ID!) { node(id: $id) { ... on Section47Enquiry { status } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": enquiry })).await;
    assert_eq!(data["node"]["status"], "CONCLUDED", "nothing was written");
    let payload = withdrawn(&server, "HEAD_OF_SERVICE", &conference).await;
    assert_eq!(payload["conference"]["state"], "WITHDRAWN");
    let data = server.data("CLINICIAN", query, json!({ "id": enquiry })).await;
    assert_eq!(data["node"]["status"], "OPEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_is_not_closed_over_an_enquiry() {
    let server = Server::start().await;
    let (contact, version) = registered(&server, "Tolland", "Quickbeam").await;
    let (referral, case, version) = refer(&server, &contact, version).await;
    let input = discussion(&server, json!([discussed(&case, "S47_SINGLE", version)]));
    server.done("FIRST_RESPONSE", "holdStrategyDiscussion", "", input).await;
    let decide = |decision: &str| {
        json!({ "idempotencyKey": key(), "referralId": referral, "decision": decision, "reason": "x",
                "expectedVersion": version + 1 })
    };
    let refusal = server.mutate("FIRST_RESPONSE", "decideReferral", "", decide("NFA")).await;
    assert_eq!(refused(&refusal), "ENQUIRY_OVER");
    server.done("FIRST_RESPONSE", "decideReferral", "", decide("ACCEPT_S47")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enquiry_is_led_by_somebody_of_the_unit_that_holds_the_case() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let mut child = discussed(&case, "S47_SINGLE", version);
    child["leadPractitionerId"] = json!(format!("Worker:{}", server.worker("SOCIAL_WORKER")));
    let input = discussion(&server, json!([child]));
    let payload = server.done("SOCIAL_WORKER", "holdStrategyDiscussion", DISCUSSIONS, input).await;
    let enquiry = payload["enquiry"]["id"].as_str().unwrap().to_owned();
    let lead = async |person: &str| {
        let query = "query($id: ID!) { node(id: $id) { ... on Section47Enquiry { leadPractitioner { id } } } }";
        server.data(person, query, json!({ "id": enquiry })).await["node"]["leadPractitioner"]["id"].take()
    };
    assert_eq!(lead("CLINICIAN").await, json!(format!("Worker:{}", server.worker("SOCIAL_WORKER"))));
    // With the case it passes to the unit that takes it.
    let transfer = request_transfer(&server, &case, 7, version + 1).await;
    let mut taking = follow(&server, "OTHER_UNIT_COORDINATOR", &server.unit(7).await).await;
    let accept = json!({ "idempotencyKey": key(), "transferId": transfer, "expectedVersion": 1 });
    server.done("OTHER_UNIT", "acceptTransfer", "", accept).await;
    assert!(taking.types(5).await.contains(&"S47_CHANGED".to_owned()));
    let other = json!(format!("Worker:{}", server.worker("OTHER_UNIT")));
    assert_eq!(lead("OTHER_UNIT").await, other);
    // Without a unit nobody leads it, and whoever sees the queue is told that it is urgent.
    let mut queue = server.socket("FIRST_RESPONSE").await;
    queue
        .open_feed("subscription { frontDoorFeed { __typename cursor ... on Event { type severity } } }", json!({}))
        .await;
    let query = "query($id: ID!) { case(id: $id) { version primaryAllocation { id } } }";
    let held = server.data("OTHER_UNIT", query, json!({ "id": case })).await;
    let end = json!({ "idempotencyKey": key(), "allocationId": held["case"]["primaryAllocation"]["id"], "reason": "x",
                      "expectedVersion": held["case"]["version"] });
    server.done("OTHER_UNIT", "endAllocation", "", end).await;
    let waits = queue.item().await;
    assert_eq!((&waits["type"], &waits["severity"]), (&json!("CASE_UNALLOCATED"), &json!("URGENT")));
    assert_eq!(lead("FIRST_RESPONSE").await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_the_unit_leads_no_enquiry_of_it_and_without_a_unit_nobody_does() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let (case, version) = server.allocated_to(3).await;
    let (worker, consultant) = (server.worker("SOCIAL_WORKER"), server.worker("CONSULTANT_SOCIAL_WORKER"));
    let mut child = discussed(&case, "S47_SINGLE", version);
    child["leadPractitionerId"] = json!(format!("Worker:{worker}"));
    let input = discussion(&server, json!([child]));
    let payload = server.done("SOCIAL_WORKER", "holdStrategyDiscussion", DISCUSSIONS, input).await;
    let enquiry = payload["enquiry"]["id"].as_str().unwrap().to_owned();
    seen(&server, &enquiry).await;
    let query = "select count(*) from worker_involvements where 'Case:' || case_id = $1 and worker_id = $2";
    let leads = client.query_one(query, &[&case, &worker]).await.unwrap();
    assert_eq!(leads.get::<_, i64>(0), 0, "somebody else leads the case");
    let query = "select id, version from unit_memberships where worker_id = $1 and ended_at is null";
    let membership = client.query_one(query, &[&worker]).await.unwrap();
    let input = json!({ "idempotencyKey": key(), "membershipId": format!("Membership:{}", membership.get::<_, Uuid>(0)),
                        "reason": "LEFTRL", "expectedVersion": membership.get::<_, i32>(1) });
    server.done("SERVICE_MANAGER", "endMembership", "", input).await;
    let look = "query($id: ID!) { node(id: $id) { ... on Section47Enquiry { status leadPractitioner { id } } } }";
    let data = server.data("CLINICIAN", look, json!({ "id": enquiry })).await;
    assert_eq!(data["node"]["leadPractitioner"]["id"], json!(format!("Worker:{consultant}")));
    // What waits for a second signature waits without a unit too.
    conclude(&server, &enquiry, "SERVICES_S17").await;
    let query = "query($id: ID!) { case(id: $id) { version primaryAllocation { id } } }";
    let held = server.data("CONSULTANT_SOCIAL_WORKER", query, json!({ "id": case })).await;
    let end = json!({ "idempotencyKey": key(), "allocationId": held["case"]["primaryAllocation"]["id"], "reason": "x",
                      "expectedVersion": held["case"]["version"] });
    server.done("CONSULTANT_SOCIAL_WORKER", "endAllocation", "", end).await;
    let data = server.data("FIRST_RESPONSE", look, json!({ "id": enquiry })).await;
    assert_eq!(data["node"], json!({ "status": "AWAITING_COUNTERSIGNATURE", "leadPractitioner": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_another_unit_and_a_stale_version_are_refused_at_every_step() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let (assessment, handed_in) = submitted(&server, &case, version, "CIN_PLAN").await;
    let enquiry = enquiry(&server, &case, version + 1).await;
    let query = "query($id: ID!) { case(id: $id) { agencyParticipants { id } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": case })).await;
    let participant = data["case"]["agencyParticipants"][0]["id"].as_str().unwrap().to_owned();
    let ask = json!({ "participantId": participant, "duty": "S47", "questions": "x",
                      "dueAt": server.now() + chrono::Duration::days(1) });
    let mut input = ask.clone();
    input["idempotencyKey"] = json!(key());
    let payload = server.done("SOCIAL_WORKER", "requestInformation", "request { id }", input).await;
    let request = payload["request"]["id"].as_str().unwrap().to_owned();
    let (of_case, of_assessment) = (("caseId", case.as_str()), ("assessmentId", assessment.as_str()));
    let (of_enquiry, of_request) = (("enquiryId", enquiry.as_str()), ("requestId", request.as_str()));
    let reason = json!({ "reason": "x" });
    // The mutation, its input, the version that is true, and who may do it.
    let steps: Vec<(&str, Value, i64, &str)> = vec![
        ("startAssessment", step(of_case, 0, json!({})), version + 2, "SOCIAL_WORKER"),
        (
            "changeAssessment",
            step(of_assessment, 0, json!({ "content": content(json!({})) })),
            handed_in,
            "SOCIAL_WORKER",
        ),
        ("submitAssessment", step(of_assessment, 0, json!({ "outcome": "NFA" })), handed_in, "SOCIAL_WORKER"),
        ("returnAssessment", step(of_assessment, 0, reason.clone()), handed_in, "CONSULTANT_SOCIAL_WORKER"),
        ("authoriseAssessment", step(of_assessment, 0, reason.clone()), handed_in, "CONSULTANT_SOCIAL_WORKER"),
        (
            "holdStrategyDiscussion",
            discussion(&server, json!([discussed(&case, "NFA", 0)])),
            version + 2,
            "SOCIAL_WORKER",
        ),
        ("recordSection47Progress", step(of_enquiry, 0, json!({ "medical": true })), 1, "SOCIAL_WORKER"),
        (
            "concludeSection47",
            step(of_enquiry, 0, json!({ "outcome": "NFA", "findings": "x" })),
            1,
            "CONSULTANT_SOCIAL_WORKER",
        ),
        ("countersignSection47", step(of_enquiry, 0, json!({})), 1, "SERVICE_MANAGER"),
        ("returnSection47", step(of_enquiry, 0, reason.clone()), 1, "SERVICE_MANAGER"),
        (
            "endAgencyParticipant",
            step(("participantId", &participant), 0, json!({ "leftOn": support::today() })),
            1,
            "SOCIAL_WORKER",
        ),
        ("chaseInformation", step(of_request, 0, json!({ "method": "EMAIL" })), 1, "UNIT_COORDINATOR"),
        ("recordInformationAnswer", step(of_request, 0, json!({ "text": "x" })), 1, "SOCIAL_WORKER"),
        ("recordInformationRefusal", step(of_request, 0, reason.clone()), 1, "SOCIAL_WORKER"),
        ("withdrawInformationRequest", step(of_request, 0, reason), 1, "SOCIAL_WORKER"),
    ];
    for (mutation, input, current, who) in steps {
        let code = async |person: &str| server.code(person, &document(mutation, ""), json!({ "input": input })).await;
        assert_eq!(code("CLINICIAN").await, "FORBIDDEN", "{mutation}");
        assert_eq!(code("OTHER_UNIT").await, "NOT_FOUND", "{mutation}");
        let stale = server.mutate(who, mutation, "", input.clone()).await;
        assert_eq!(stale["errors"][0]["currentVersion"], json!(current), "{mutation}: {stale}");
    }
    for (mutation, mut input) in [
        ("requestInformation", ask),
        ("addAgencyParticipant", json!({ "caseId": case, "agency": "HOUSING", "organisation": "East team" })),
    ] {
        input["idempotencyKey"] = json!(key());
        let code = async |person: &str| server.code(person, &document(mutation, ""), json!({ "input": input })).await;
        assert_eq!(code("CLINICIAN").await, "FORBIDDEN", "{mutation}");
        assert_eq!(code("OTHER_UNIT").await, "NOT_FOUND", "{mutation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chronology_tells_of_assessments_discussions_and_enquiries() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let (assessment, handed_in) = submitted(&server, &case, version, "CIN_PLAN").await;
    authorise(&server, "CONSULTANT_SOCIAL_WORKER", &assessment, handed_in).await;
    let enquiry = enquiry(&server, &case, version + 1).await;
    seen(&server, &enquiry).await;
    conclude(&server, &enquiry, "INITIAL_CONFERENCE").await;
    let child = server.child_of("CLINICIAN", &case).await;
    let query =
        "query($id: ID!) { child(id: $id) { chronology(first: 50, kinds: [ASSESSMENT_STARTED, ASSESSMENT_AUTHORISED,
        STRATEGY_HELD, ENQUIRY_STARTED, ENQUIRY_CONCLUDED]) { totalCount nodes { kind title node { id } } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": child })).await;
    let chronology = &data["child"]["chronology"];
    assert_eq!(chronology["totalCount"], 5);
    let mut told: Vec<(String, String)> = chronology["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let (title, node) = (one["title"].as_str().unwrap(), one["node"]["id"].as_str().unwrap());
            (title.split_once(": ").unwrap().1.to_owned(), node.split(':').next().unwrap().to_owned())
        })
        .collect();
    told.sort_unstable();
    let expected = [
        ("assessment authorised, child in need plan", "Assessment"),
        ("assessment started", "Assessment"),
        ("single section 47 enquiry concluded, initial conference", "Section47Enquiry"),
        ("single section 47 enquiry started", "Section47Enquiry"),
        ("strategy discussion held, s47 single", "StrategyDiscussion"),
    ];
    assert_eq!(told, expected.map(|(title, kind)| (title.to_owned(), kind.to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiving_unit_knows_that_an_enquiry_is_open_and_not_what_was_said() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let enquiry = enquiry(&server, &case, version).await;
    request_transfer(&server, &case, 7, version + 1).await;
    let query = "query($id: ID!, $case: ID!) { node(id: $id) { ... on Section47Enquiry { status findings
        discussion { decision decisionReason informationShared participants { name } } } }
        case(id: $case) { agencyParticipants { id } informationRequests { totalCount } } }";
    let data = server.data("OTHER_UNIT", query, json!({ "id": enquiry, "case": case })).await;
    assert_eq!(
        data,
        json!({ "node": { "status": "OPEN", "findings": null,
                          "discussion": { "decision": "S47_SINGLE", "decisionReason": null, "informationShared": null,
                                          "participants": [] } },
                "case": { "agencyParticipants": [], "informationRequests": { "totalCount": 0 } } })
    );
}

//! Assessments: written, handed in, authorised by another person, and what follows for the case.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    mutations_support::joint,
    safeguarding::{CHILDS, MINE, all_hear, conclude, enquiry, follow, refused, seen, step, version_of},
    support::{self, Server, document, key, people},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_consultant_who_wrote_an_assessment_that_somebody_else_began_does_not_authorise_it() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let id = started(&server, &case, version).await;
    let child_id = server.child_of("CLINICIAN", &case).await;
    let mut manager = server.socket("SERVICE_MANAGER").await;
    manager.open_feed(CHILDS, json!({ "id": child_id })).await;
    let input = step(("assessmentId", &id), 1, json!({ "content": content(json!({})) }));
    server.done("CONSULTANT_SOCIAL_WORKER", "changeAssessment", ASSESSMENT, input).await;
    let input = step(("assessmentId", &id), 2, json!({ "outcome": "CIN_PLAN" }));
    server.done("SOCIAL_WORKER", "submitAssessment", ASSESSMENT, input).await;
    assert_eq!(refused(&authorise(&server, "CONSULTANT_SOCIAL_WORKER", &id, 3).await), "ANOTHER_PERSON");
    // It is the service manager's, who is told so.
    assert_eq!(manager.types(1).await, ["ASSESSMENT_CHANGED"]);
    assert_eq!(authorise(&server, "SERVICE_MANAGER", &id, 3).await["errors"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_goes_on_with_the_child_itself_holds_a_child_in_need_when_the_assessment_is_authorised() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(7).await;
    let input = json!({ "idempotencyKey": key(), "caseId": case, "expectedVersion": version });
    let payload =
        server.done("OTHER_UNIT_SOCIAL_WORKER", "startAssessment", "assessment { id } case { status }", input).await;
    assert_eq!(payload["case"]["status"], "ASSESSMENT");
    let id = payload["assessment"]["id"].as_str().unwrap().to_owned();
    let input = step(("assessmentId", &id), 1, json!({ "content": content(json!({})) }));
    server.done("OTHER_UNIT_SOCIAL_WORKER", "changeAssessment", "", input).await;
    let input = step(("assessmentId", &id), 2, json!({ "outcome": "CIN_PLAN" }));
    server.done("OTHER_UNIT_SOCIAL_WORKER", "submitAssessment", "", input).await;
    let payload = authorise(&server, "OTHER_UNIT", &id, 3).await;
    assert_eq!(payload["case"]["status"], "CIN");
}

pub(crate) fn content(more: Value) -> Value {
    let mut content = json!({ "childSeenOn": support::today(), "childSeenAlone": true, "wishesFeelings": "Wants to swim again.",
        "analysis": "Waits to be noticed.", "factors": ["_16A", "_1B"],
        "needs": [{ "kind": "RELIGION", "answer": "NONE_KNOWN" }, { "kind": "CULTURE", "answer": "ASKED_DECLINED" },
                  { "kind": "DISABILITY", "answer": "NEED", "description": "Hears badly.", "whatWeWillDo": "A quiet room." }] });
    for (name, value) in more.as_object().unwrap() {
        content[name] = value.clone();
    }
    content
}

const ASSESSMENT: &str = "assessment { id version status outcome }";

/// Begins an assessment of unit 3's case, as its social worker; answers it.
async fn started(server: &Server, case: &str, version: i64) -> String {
    let input = json!({ "idempotencyKey": key(), "caseId": case, "expectedVersion": version });
    let payload = server.done("SOCIAL_WORKER", "startAssessment", ASSESSMENT, input).await;
    payload["assessment"]["id"].as_str().unwrap().to_owned()
}

/// The same, written and handed in; answers it and its version.
pub(crate) async fn submitted(server: &Server, case: &str, version: i64, outcome: &str) -> (String, i64) {
    let id = started(server, case, version).await;
    let input = step(("assessmentId", &id), 1, json!({ "content": content(json!({})) }));
    server.done("SOCIAL_WORKER", "changeAssessment", ASSESSMENT, input).await;
    let input = step(("assessmentId", &id), 2, json!({ "outcome": outcome }));
    server.done("SOCIAL_WORKER", "submitAssessment", ASSESSMENT, input).await;
    (id, 3)
}

pub(crate) async fn authorise(server: &Server, by: &str, id: &str, version: i64) -> Value {
    let input = step(("assessmentId", id), version, json!({ "reason": "I agree: the family manages." }));
    server.mutate(by, "authoriseAssessment", "assessment { status } case { status }", input).await
}

/// Where a case stands, as the head of service reads it.
async fn closed(server: &Server, case: &str) -> Value {
    let query = "query($id: ID!) { case(id: $id) { status closureReason closureRationale primaryAllocation { id }
        involvements { id } } }";
    server.data("HEAD_OF_SERVICE", query, json!({ "id": case })).await["case"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assessment_is_written_handed_in_and_authorised_by_another_person() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let (case, version) = server.allocated_to(3).await;
    server.all_placed().await;
    let mut members =
        vec![follow(&server, "CLINICIAN", &three).await, follow(&server, "UNIT_COORDINATOR", &three).await];
    let child_id = server.child_of("CLINICIAN", &case).await;
    let mut manager = server.socket("SERVICE_MANAGER").await;
    manager.open_feed(CHILDS, json!({ "id": child_id })).await;
    let mut author = server.socket("SOCIAL_WORKER").await;
    author.open_feed(MINE, json!({})).await;

    let id = started(&server, &case, version).await;
    all_hear(&mut members, "ASSESSMENT_STARTED").await;
    assert_eq!(author.types(1).await, ["ASSESSMENT_STARTED"]);
    let input = json!({ "idempotencyKey": key(), "caseId": case, "expectedVersion": version + 1 });
    let second = server.mutate("SOCIAL_WORKER", "startAssessment", "", input).await;
    assert_eq!(second["errors"][0]["__typename"], "Conflict", "one at a time");

    // What is missing is said, one after the other.
    let hand_in = async |version: i64| {
        let input = step(("assessmentId", &id), version, json!({ "outcome": "CIN_PLAN" }));
        server.mutate("SOCIAL_WORKER", "submitAssessment", ASSESSMENT, input).await
    };
    let write = async |version: i64, content: Value| {
        let input = step(("assessmentId", &id), version, json!({ "content": content }));
        server.done("SOCIAL_WORKER", "changeAssessment", ASSESSMENT, input).await
    };
    assert_eq!(refused(&hand_in(1).await), "NEEDS_ANSWERED");
    let asked = content(json!({}))["needs"].clone();
    write(1, json!({ "needs": [asked[0], asked[1]] })).await;
    assert_eq!(refused(&hand_in(2).await), "NEEDS_ANSWERED");
    write(2, json!({ "needs": [asked[2]] })).await;
    assert_eq!(refused(&hand_in(3).await), "CHILD_SEEN");
    write(3, json!({ "childSeenOn": support::today(), "childSeenAlone": false })).await;
    assert_eq!(refused(&hand_in(4).await), "WISHES_AND_FEELINGS");
    write(4, content(json!({ "analysis": null, "needs": [] }))).await;
    assert_eq!(refused(&hand_in(5).await), "ANALYSIS");
    write(5, content(json!({ "factors": [], "needs": [] }))).await;
    assert_eq!(refused(&hand_in(6).await), "FACTORS");
    write(6, content(json!({ "needs": [] }))).await;
    assert_eq!(
        hand_in(7).await["assessment"],
        json!({ "id": id, "version": 8, "status": "SUBMITTED", "outcome": "CIN_PLAN" })
    );
    for _ in 0..6 {
        assert_eq!(all_hear(&mut members, "ASSESSMENT_CHANGED").await["assessmentStatus"], "IN_PROGRESS");
    }
    assert_eq!(all_hear(&mut members, "ASSESSMENT_CHANGED").await["assessmentStatus"], "SUBMITTED");
    // Handed in it is not written any more, and what can come next is said.
    let input = step(("assessmentId", &id), 8, json!({ "content": content(json!({})) }));
    let late = server.mutate("SOCIAL_WORKER", "changeAssessment", "", input).await;
    assert_eq!(late["errors"][0]["legalNext"], json!(["IN_PROGRESS", "AUTHORISED"]));

    // Not by who wrote it; given back, written further, handed in again, and authorised by the consultant.
    let refusal = document("authoriseAssessment", "");
    let input = step(("assessmentId", &id), 8, json!({ "reason": "x" }));
    assert_eq!(server.code("SOCIAL_WORKER", &refusal, json!({ "input": input })).await, "FORBIDDEN");
    let input = step(("assessmentId", &id), 8, json!({ "reason": "What does the school say?" }));
    let payload = server
        .done("CONSULTANT_SOCIAL_WORKER", "returnAssessment", "assessment { status outcome returnedReason }", input)
        .await;
    assert_eq!(
        payload["assessment"],
        json!({ "status": "IN_PROGRESS", "outcome": null, "returnedReason": "What does the school say?" })
    );
    all_hear(&mut members, "ASSESSMENT_CHANGED").await;
    assert_eq!(hand_in(9).await["errors"], json!([]));
    all_hear(&mut members, "ASSESSMENT_CHANGED").await;
    let payload = authorise(&server, "CONSULTANT_SOCIAL_WORKER", &id, 10).await;
    assert_eq!(payload["assessment"]["status"], "AUTHORISED");
    // The service stays involved: the case waits for the unit that takes it.
    assert_eq!(payload["case"]["status"], "ASSESSMENT");
    let event = all_hear(&mut members, "ASSESSMENT_AUTHORISED").await;
    assert_eq!((&event["assessmentOutcome"], &event["factorsCount"]), (&json!("CIN_PLAN"), &json!(2)));
    manager.nothing_more().await;
    // What was answered stands with the child.
    let child = server.child_of("CLINICIAN", &case).await;
    let query = "query($id: ID!) { child(id: $id) { particularNeeds { kind answer description assessment { id } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": child })).await;
    let needs = data["child"]["particularNeeds"].as_array().unwrap();
    let hears = needs.iter().find(|need| need["kind"] == "DISABILITY").unwrap();
    assert_eq!((&hears["description"], &hears["assessment"]["id"]), (&json!("Hears badly."), &json!(id)));
    let data = server.data("UNIT_COORDINATOR", query, json!({ "id": child })).await;
    let needs = data["child"]["particularNeeds"].as_array().unwrap();
    assert_eq!(needs.iter().find(|need| need["kind"] == "DISABILITY").unwrap()["description"], Value::Null, "clinical");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wrote_or_handed_in_an_assessment_does_not_authorise_it() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let input = json!({ "idempotencyKey": key(), "caseId": case, "expectedVersion": version });
    let payload = server.done("CONSULTANT_SOCIAL_WORKER", "startAssessment", ASSESSMENT, input).await;
    let id = payload["assessment"]["id"].as_str().unwrap().to_owned();
    let input = step(("assessmentId", &id), 1, json!({ "content": content(json!({})) }));
    server.done("SOCIAL_WORKER", "changeAssessment", ASSESSMENT, input).await;
    let input = step(("assessmentId", &id), 2, json!({ "outcome": "CIN_PLAN" }));
    server.done("SOCIAL_WORKER", "submitAssessment", ASSESSMENT, input).await;
    assert_eq!(refused(&authorise(&server, "CONSULTANT_SOCIAL_WORKER", &id, 3).await), "ANOTHER_PERSON");
    assert_eq!(authorise(&server, "SERVICE_MANAGER", &id, 3).await["errors"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assessment_that_finds_nothing_further_closes_the_case_and_everybody_is_told() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    for (outcome, reason) in [("NFA", "RC8"), ("EARLY_HELP", "RC9")] {
        let (case, version) = server.allocated_to(3).await;
        // A unit that helps, a co-worker of the unit, and a reviewing officer beside it.
        joint(&server, &case, 7, version).await;
        let client = support::connect("postgres", &server.database).await;
        let id: Uuid = case.strip_prefix("Case:").unwrap().parse().unwrap();
        people::involve(&client, id, server.worker("SOCIAL_WORKER"), "CO_WORKER").await;
        let officer = people::with_post(&client, "REVIEWING_OFFICER").await;
        people::involve(&client, id, officer, "IRO").await;
        let (id, handed_in) = submitted(&server, &case, version + 1, outcome).await;
        server.all_placed().await;
        let mut helping = follow(&server, "OTHER_UNIT_COORDINATOR", &server.unit(7).await).await;
        let mut members =
            vec![follow(&server, "CLINICIAN", &three).await, follow(&server, "UNIT_COORDINATOR", &three).await];
        let payload = authorise(&server, "CONSULTANT_SOCIAL_WORKER", &id, handed_in).await;
        assert_eq!(payload, json!({ "errors": [], "assessment": null, "case": null }), "out of the unit's sight");
        let told = [
            "ASSESSMENT_AUTHORISED",
            "INVOLVEMENT_CHANGED",
            "INVOLVEMENT_CHANGED",
            "INVOLVEMENT_CHANGED",
            "ALLOCATION_ENDED",
            "ALLOCATION_ENDED",
        ];
        for kind in told {
            all_hear(&mut members, kind).await;
        }
        assert_eq!(helping.types(told.len()).await, told);
        assert_eq!(
            closed(&server, &case).await,
            json!({ "status": "CLOSED", "closureReason": reason, "closureRationale": "I agree: the family manages.",
                    "primaryAllocation": null, "involvements": [] })
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_open_behind_a_case_and_with_an_enquiry_it_closes_for_another_reason() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let (id, handed_in) = submitted(&server, &case, version, "NFA").await;
    // Somebody was asked, with the family's consent.
    let input =
        json!({ "idempotencyKey": key(), "caseId": case, "agency": "SCHOOL", "organisation": "Millfields School" });
    let payload = server.done("SOCIAL_WORKER", "addAgencyParticipant", "participant { id }", input).await;
    let school = payload["participant"]["id"].as_str().unwrap().to_owned();
    let ask = |duty: &str| {
        json!({ "idempotencyKey": key(), "participantId": school, "duty": duty, "questions": "How is attendance?",
                "dueAt": server.now() + chrono::Duration::days(3) })
    };
    let early = server.mutate("SOCIAL_WORKER", "requestInformation", "", ask("S47")).await;
    assert_eq!(refused(&early), "ENQUIRY_OPEN");
    let payload = server.done("SOCIAL_WORKER", "requestInformation", "request { id }", ask("S17_CONSENT")).await;
    let request = payload["request"]["id"].as_str().unwrap().to_owned();
    assert_eq!(refused(&authorise(&server, "CONSULTANT_SOCIAL_WORKER", &id, handed_in).await), "INFORMATION_ANSWERED");
    let left = step(("participantId", &school), 1, json!({ "leftOn": support::today() }));
    let refusal = server.mutate("SOCIAL_WORKER", "endAgencyParticipant", "", left.clone()).await;
    assert_eq!(refused(&refusal), "INFORMATION_ANSWERED");
    let input = step(("requestId", &request), 1, json!({ "reason": "The family told us themselves." }));
    server.done("SOCIAL_WORKER", "withdrawInformationRequest", "request { status }", input).await;
    let input = step(("requestId", &request), 2, json!({ "text": "Too late." }));
    let late = server.mutate("SOCIAL_WORKER", "recordInformationAnswer", "", input).await;
    assert_eq!((&late["errors"][0]["from"], &late["errors"][0]["legalNext"]), (&json!("WITHDRAWN"), &json!([])));
    let left = step(("participantId", &school), 1, json!({ "leftOn": support::today() }));
    server.done("SOCIAL_WORKER", "endAgencyParticipant", "participant { leftOn }", left).await;
    let refusal = server.mutate("SOCIAL_WORKER", "requestInformation", "", ask("S17_CONSENT")).await;
    assert_eq!(refused(&refusal), "TAKES_PART");
    // An enquiry begins meanwhile.
    let version = version_of(&server, "SOCIAL_WORKER", &case).await;
    let enquiry = enquiry(&server, &case, version).await;
    assert_eq!(refused(&authorise(&server, "CONSULTANT_SOCIAL_WORKER", &id, handed_in).await), "ENQUIRY_OVER");
    seen(&server, &enquiry).await;
    let version = conclude(&server, &enquiry, "NFA").await["enquiry"]["version"].as_i64().unwrap();
    assert_eq!(refused(&authorise(&server, "CONSULTANT_SOCIAL_WORKER", &id, handed_in).await), "ENQUIRY_OVER");
    let input = step(("enquiryId", &enquiry), version, json!({}));
    server.done("SERVICE_MANAGER", "countersignSection47", "", input).await;
    assert_eq!(authorise(&server, "CONSULTANT_SOCIAL_WORKER", &id, handed_in).await["errors"], json!([]));
    assert_eq!(closed(&server, &case).await["closureReason"], "RC7");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_children_in_need_service_takes_a_case_only_when_its_assessment_found_that_it_is_needed() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let seven = server.unit(7).await;
    let transfer = |version: i64| {
        json!({ "idempotencyKey": key(), "caseId": case, "toUnitId": seven, "kind": "TO_CIN", "handoverSummary": "Ready.",
                "expectedVersion": version })
    };
    let refusal = server.mutate("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "", transfer(version)).await;
    assert_eq!(refused(&refusal), "ASSESSMENT_AUTHORISED");
    let (id, handed_in) = submitted(&server, &case, version, "CIN_PLAN").await;
    let refusal = server.mutate("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "", transfer(version + 1)).await;
    assert_eq!(refused(&refusal), "ASSESSMENT_AUTHORISED");
    authorise(&server, "CONSULTANT_SOCIAL_WORKER", &id, handed_in).await;
    let payload =
        server.done("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "transfer { id }", transfer(version + 1)).await;
    // The unit that is asked reads of it what belongs to the case's core.
    let query = "query($id: ID!) { case(id: $id) { assessments { nodes { status outcome analysis factors } } } }";
    let data = server.data("OTHER_UNIT", query, json!({ "id": case })).await;
    assert_eq!(
        data["case"]["assessments"]["nodes"],
        json!([{ "status": "AUTHORISED", "outcome": "CIN_PLAN", "analysis": null, "factors": null }])
    );
    let accept = json!({ "idempotencyKey": key(), "transferId": payload["transfer"]["id"], "expectedVersion": 1 });
    let payload =
        server.done("OTHER_UNIT", "acceptTransfer", "case { status assessments { nodes { analysis } } }", accept).await;
    assert_eq!(
        payload["case"],
        json!({ "status": "CIN", "assessments": { "nodes": [{ "analysis": "Waits to be noticed." }] } })
    );
}

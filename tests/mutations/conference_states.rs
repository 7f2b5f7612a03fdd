//! Every state of a conference, with every step that is legal in it and every step that is not (domain 3.2), and the
//! guards.

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::conferences::{invite, look, open};
use crate::support::{self, Server, Socket, document, key};

/// Which mutations are legal in which state, and which states can come next. Written by hand from the state machine.
const LEGAL: &[(&str, &[&str], &[&str])] = &[
    (
        "REQUESTED",
        &[
            "appointConferenceChair",
            "scheduleConference",
            "proposeConferenceWithdrawal",
            "withdrawConference",
            "disputeConference",
        ],
        &["SCHEDULED", "WITHDRAWN", "DISPUTED"],
    ),
    (
        "SCHEDULED",
        &[
            "appointConferenceChair",
            "inviteToConference",
            "answerInvitation",
            "recordConferenceReport",
            "excludeFromConference",
            "moveConference",
            "postponeConference",
        ],
        &["INVITED", "POSTPONED"],
    ),
    (
        "INVITED",
        &[
            "appointConferenceChair",
            "inviteToConference",
            "answerInvitation",
            "recordConferenceReport",
            "excludeFromConference",
            "moveConference",
            "postponeConference",
            "openConference",
        ],
        &["IN_SESSION", "POSTPONED"],
    ),
    (
        "IN_SESSION",
        &[
            "appointConferenceChair",
            "inviteToConference",
            "recordConferenceReport",
            "excludeFromConference",
            "recordAttendance",
            "recordConferenceView",
            "adjournConference",
            "decideConference",
        ],
        &["DECIDED", "INQUORATE"],
    ),
    ("DECIDED", &["recordConferenceView", "issueOutlinePlan", "issueMinutes"], &["ISSUED"]),
    ("ISSUED", &[], &[]),
    ("POSTPONED", &["appointConferenceChair", "scheduleConference", "recordConferenceReport"], &["SCHEDULED"]),
    ("INQUORATE", &["appointConferenceChair", "scheduleConference", "recordConferenceReport"], &["SCHEDULED"]),
    ("WITHDRAWN", &[], &[]),
    ("DISPUTED", &["settleGoAhead", "settleWithdraw"], &["REQUESTED", "WITHDRAWN"]),
];

/// Every step, by whom it is taken.
const STEPS: &[(&str, &str)] = &[
    ("appointConferenceChair", "UNIT_COORDINATOR"),
    ("scheduleConference", "UNIT_COORDINATOR"),
    ("inviteToConference", "UNIT_COORDINATOR"),
    ("answerInvitation", "UNIT_COORDINATOR"),
    ("recordConferenceReport", "UNIT_COORDINATOR"),
    ("excludeFromConference", "CP_CHAIR"),
    ("moveConference", "UNIT_COORDINATOR"),
    ("postponeConference", "CP_CHAIR"),
    ("openConference", "CP_CHAIR"),
    ("recordAttendance", "CP_CHAIR"),
    ("recordConferenceView", "CP_CHAIR"),
    ("adjournConference", "CP_CHAIR"),
    ("decideConference", "CP_CHAIR"),
    ("issueOutlinePlan", "UNIT_COORDINATOR"),
    ("issueMinutes", "UNIT_COORDINATOR"),
    ("proposeConferenceWithdrawal", "CONSULTANT_SOCIAL_WORKER"),
    ("withdrawConference", "SERVICE_MANAGER"),
    ("disputeConference", "CP_CHAIR"),
    ("settleGoAhead", "SERVICE_MANAGER"),
    ("settleWithdraw", "SERVICE_MANAGER"),
];

/// A conference of unit 3 with a date, a chair and invitations.
struct Meeting {
    server: Server,
    client: Client,
    child: String,
    conference: String,
    second_chair: uuid::Uuid,
}

impl Meeting {
    async fn invited() -> Self {
        Self::of("INITIAL").await
    }

    async fn of(kind: &str) -> Self {
        let server = Server::start().await;
        let client = support::connect("postgres", &server.database).await;
        let (case, _) = server.allocated_to(3).await;
        let data =
            server.data("CLINICIAN", "query($id: ID!) { case(id: $id) { child { id } } }", json!({ "id": case })).await;
        let child = data["case"]["child"]["id"].as_str().unwrap().to_owned();
        if ["INITIAL", "PRE_BIRTH"].contains(&kind) {
            server.conference_called_for(&[&case]).await;
        }
        let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": kind });
        let payload = server.done("SOCIAL_WORKER", "requestConference", "conference { id }", input).await;
        let conference = payload["conference"]["id"].as_str().unwrap().to_owned();
        let second_chair: uuid::Uuid = client
            .query_one(
                "select w.id from workers w join worker_posts p on p.worker_id = w.id and p.post = 'CP_CHAIR'
                 where w.id <> $1 and w.active and p.ended_at is null limit 1",
                &[&server.worker("CP_CHAIR")],
            )
            .await
            .unwrap()
            .get(0);
        let meeting = Self { server, client, child, conference, second_chair };
        meeting.take("scheduleConference").await;
        invite(&meeting.server, "UNIT_COORDINATOR", &meeting.conference).await;
        meeting
    }

    /// On the day of the conference, with a quorum.
    async fn in_session() -> Self {
        let meeting = Self::invited().await;
        meeting.day().await;
        open(&meeting.server, &meeting.conference).await;
        meeting
    }

    async fn day(&self) {
        self.server.later(chrono::Duration::days(7) + chrono::Duration::hours(4));
    }

    /// As the database knows it: the head of service sees everything, in every state.
    async fn look(&self) -> Value {
        look(&self.server, "HEAD_OF_SERVICE", &self.conference).await
    }

    async fn state(&self) -> String {
        self.look().await["state"].as_str().unwrap().to_owned()
    }

    async fn invitation(&self, capacity: &str) -> Value {
        let found = self.look().await;
        let mut all = found["invitations"].as_array().unwrap().iter();
        all.find(|one| one["capacity"] == capacity).unwrap_or_else(|| panic!("nobody as {capacity}: {found}")).clone()
    }

    /// The input of a step that lacks nothing but, perhaps, the right state.
    async fn input(&self, step: &str) -> (String, Value) {
        let now = self.look().await;
        let mut input =
            json!({ "idempotencyKey": key(), "conferenceId": self.conference, "expectedVersion": now["version"] });
        let mut mutation = step.to_owned();
        let chair = format!("Worker:{}", self.server.worker("CP_CHAIR"));
        let school =
            now["invitations"].as_array().and_then(|all| all.iter().find(|one| one["capacity"] == "SCHOOL")).cloned();
        match step {
            "appointConferenceChair" => input["chairId"] = json!(format!("Worker:{}", self.second_chair)),
            "scheduleConference" => {
                input["chairId"] = json!(chair);
                input["scheduledFor"] = json!("2026-11-25T10:00:00Z");
                input["venue"] = json!("Room 2");
            }
            "moveConference" => {
                input["scheduledFor"] = json!("2026-11-26T10:00:00Z");
                input["reason"] = json!("x");
            }
            "inviteToConference" => {
                input["invitations"] = json!([{ "agencyName": key(), "capacity": "OTHER", "method": "EMAIL" }]);
            }
            "answerInvitation" | "recordConferenceReport" | "recordConferenceView" => {
                input.as_object_mut().unwrap().remove("conferenceId");
                let school = school.unwrap();
                input["invitationId"] = school["id"].clone();
                input["expectedVersion"] = school["version"].clone();
                match step {
                    "answerInvitation" => input["accepted"] = json!(school["response"] != "ACCEPTED"),
                    "recordConferenceReport" => input["step"] = json!("RECEIVED"),
                    _ => {
                        input.as_object_mut().unwrap().remove("expectedVersion");
                        input["agrees"] = json!(false);
                        input["text"] = json!("x");
                    }
                }
            }
            "excludeFromConference" => {
                input["personId"] = json!(self.child);
                input["capacity"] = json!("CHILD");
                input["exclusion"] = json!("EXCLUDED");
                input["reason"] = json!("x");
            }
            "recordAttendance" => {
                input["attendances"] = json!([{ "invitationId": school.unwrap()["id"], "attended": "REMOTE" }]);
            }
            "adjournConference" => input["interimPlan"] = json!("x"),
            "decideConference" => {
                input["decisions"] = json!([{ "childId": self.child, "decision": "NO_PLAN" }]);
                input["quorumException"] = json!("DELAY_DETRIMENTAL");
            }
            "issueOutlinePlan" | "issueMinutes" => {
                mutation = "issueConferenceRecord".to_owned();
                input["record"] = json!(if step == "issueMinutes" { "MINUTES" } else { "OUTLINE_PLAN" });
            }
            "settleGoAhead" | "settleWithdraw" => {
                mutation = "settleConferenceDispute".to_owned();
                input["outcome"] = json!(if step == "settleGoAhead" { "GO_AHEAD" } else { "WITHDRAW" });
                input["reason"] = json!("x");
            }
            "postponeConference" | "proposeConferenceWithdrawal" | "withdrawConference" | "disputeConference" => {
                input["reason"] = json!("x");
            }
            "openConference" => {}
            other => panic!("no input for {other}"),
        }
        (mutation, input)
    }

    /// Takes a step as the person whose step it is; answers its payload.
    async fn attempt(&self, step: &str) -> Value {
        let (mutation, input) = self.input(step).await;
        let person = STEPS.iter().find(|(name, _)| *name == step).unwrap().1;
        self.server.mutate(person, &mutation, "conference { state version }", input).await
    }

    async fn take(&self, step: &str) {
        let payload = self.attempt(step).await;
        assert_eq!(payload["errors"], json!([]), "{step}: {payload:#}");
    }

    /// Takes a step with something changed in its input, and expects this guard to refuse it.
    async fn refused_by(&self, guard: &str, step: &str, change: impl FnOnce(&mut Value)) {
        let (mutation, mut input) = self.input(step).await;
        change(&mut input);
        let person = STEPS.iter().find(|(name, _)| *name == step).unwrap().1;
        let payload = self.server.mutate(person, &mutation, "", input).await;
        assert_eq!(payload["errors"][0]["guard"], guard, "{step}: {payload:#}");
        assert!(!payload["errors"][0]["explanation"].as_str().unwrap().is_empty());
    }

    /// Puts the conference into a state past the service, as if its steps had led there: triggers on history are off.
    async fn put_into(&self, state: &str) {
        let id: uuid::Uuid = self.conference.strip_prefix("Conference:").unwrap().parse().unwrap();
        let sits = matches!(state, "IN_SESSION" | "DECIDED");
        let ended =
            if state == "DECIDED" { "now(), 'DECIDED', false, 'DELAY_DETRIMENTAL'" } else { "null, null, null, null" };
        let sitting = if sits {
            format!(
                "insert into conference_sittings (id, conference_id, opened_at, opened_by, ended_at, outcome, quorate, quorum_exception)
                 select gen_random_uuid(), '{id}', '2026-11-18T09:00:00Z', chair_id, {ended} from conferences where id = '{id}';
                 insert into conference_attendances (id, sitting_id, conference_id, invitation_id, attended, recorded_by, recorded_at)
                 select gen_random_uuid(), s.id, s.conference_id, i.id, 'YES', s.opened_by, now()
                 from conference_sittings s join conference_invitations i on i.conference_id = s.conference_id and i.capacity = 'SCHOOL'
                 where s.conference_id = '{id}';"
            )
        } else {
            String::new()
        };
        let proposer = if state == "REQUESTED" {
            format!("'{}'", self.server.worker("CONSULTANT_SOCIAL_WORKER"))
        } else {
            "null".to_owned()
        };
        let chair = self.server.worker("CP_CHAIR");
        self.client
            .batch_execute(&format!(
                "begin; set local session_replication_role = replica;
                 delete from conference_views where conference_id = '{id}';
                 delete from conference_attendances where conference_id = '{id}';
                 delete from conference_sittings where conference_id = '{id}';
                 update conference_children set decision = null where conference_id = '{id}';
                 update conference_invitations set exclusion = null, exclusion_reason = null, excluded_by = null,
                     excluded_at = null, report_received_at = null, report_shared_at = null where conference_id = '{id}';
                 {sitting}
                 set local session_replication_role = origin;
                 update conferences set state = '{state}', chair_id = '{chair}', scheduled_for = '2026-11-25T10:00:00Z', withdrawal_proposed_by = {proposer},
                     held_at = case when '{state}' in ('DECIDED', 'ISSUED') then timestamptz '2026-11-18T09:00:00Z' end,
                     outline_plan_sent_at = null,
                     minutes_sent_at = case when '{state}' = 'ISSUED' then timestamptz '2026-11-18T09:30:00Z' end
                     where id = '{id}';
                 commit"
            ))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_allows_its_steps_and_refuses_the_others_with_what_can_come_next() {
    let meeting = Meeting::invited().await;
    let mut tried = (0, 0);
    for (state, legal, next) in LEGAL {
        // What is refused changes nothing, so one conference is enough for all of it.
        meeting.put_into(state).await;
        for (step, _) in STEPS.iter().filter(|(step, _)| !legal.contains(step)) {
            // The chair no longer sees a withdrawn conference, nor does anybody decide on a children's list that is gone.
            let payload = if *state == "WITHDRAWN"
                && STEPS.iter().any(|(name, person)| name == step && *person == "CP_CHAIR")
            {
                let (mutation, input) = meeting.input(step).await;
                let code = meeting.server.code("CP_CHAIR", &document(&mutation, ""), json!({ "input": input })).await;
                assert_eq!(code, "NOT_FOUND", "{step}");
                tried.1 += 1;
                continue;
            } else {
                meeting.attempt(step).await
            };
            let error = &payload["errors"][0];
            assert_eq!(error["__typename"], "IllegalTransition", "{state} {step}: {payload:#}");
            assert_eq!((&error["from"], &error["legalNext"]), (&json!(state), &json!(next)), "{state} {step}");
            assert_eq!(meeting.state().await, *state);
            tried.1 += 1;
        }
        for step in *legal {
            meeting.put_into(state).await;
            if *step == "issueMinutes" {
                meeting.take("issueOutlinePlan").await;
            }
            if *step == "proposeConferenceWithdrawal" {
                meeting.client.batch_execute("update conferences set withdrawal_proposed_by = null").await.unwrap();
            }
            meeting.take(step).await;
            let reached = meeting.state().await;
            assert!(reached == *state || next.contains(&reached.as_str()), "{state} {step} led to {reached}");
            tried.0 += 1;
        }
    }
    assert_eq!(tried.0, LEGAL.iter().map(|(_, legal, _)| legal.len()).sum::<usize>());
    assert_eq!(tried.0 + tried.1, LEGAL.len() * STEPS.len());
}

/// A conference that is about to decide, and its child's case, which waits for it and stood in assessment before.
async fn waited_for() -> (Meeting, String) {
    let meeting = Meeting::in_session().await;
    let query = "select 'Case:' || case_id from conference_children where 'Conference:' || conference_id = $1";
    let case: String = meeting.client.query_one(query, &[&meeting.conference]).await.unwrap().get(0);
    let waits = "begin; set local session_replication_role = replica;
                 update section47_enquiries set case_status_before = 'ASSESSMENT' where 'Case:' || case_id = '{case}';
                 update cases set status = 'CONFERENCE_PENDING' where 'Case:' || id = '{case}'; commit";
    meeting.client.batch_execute(&waits.replace("{case}", &case)).await.unwrap();
    (meeting, case)
}

/// Where the case stands after the conference made no plan.
async fn after_no_plan(meeting: &Meeting, case: &str) -> Value {
    let (mutation, mut input) = meeting.input("decideConference").await;
    input.as_object_mut().unwrap().remove("quorumException");
    meeting.server.done("CP_CHAIR", &mutation, "", input).await;
    let query = "query($id: ID!) { case(id: $id) { status } }";
    meeting.server.data("HEAD_OF_SERVICE", query, json!({ "id": case })).await["case"]["status"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_plan_a_case_goes_back_to_where_it_stood_unless_another_enquiry_calls_for_a_conference() {
    let (meeting, case) = waited_for().await;
    assert_eq!(after_no_plan(&meeting, &case).await, "ASSESSMENT");
    let (meeting, case) = waited_for().await;
    meeting.server.conference_called_for(&[&case]).await;
    assert_eq!(after_no_plan(&meeting, &case).await, "CONFERENCE_PENDING");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_plan_a_case_stands_where_its_assessment_and_its_unit_have_brought_it() {
    // (the unit's service, what the assessment came to, where the case stands)
    for (service, outcome, stands) in [
        ("ACCESS_ASSESSMENT", "CIN_PLAN", "ASSESSMENT"),
        ("CHILDREN_IN_NEED", "CIN_PLAN", "CIN"),
        ("CHILDREN_IN_NEED", "OTHER", "CIN"),
        ("CHILDREN_IN_NEED", "NFA", "ASSESSMENT"),
    ] {
        let (meeting, case) = waited_for().await;
        meeting.server.assessed(&case).await;
        let change = format!(
            "begin; set local session_replication_role = replica;
             update assessments set outcome = '{outcome}' where 'Case:' || case_id = '{case}';
             update units set service = '{service}' where 'Unit:' || id = '{}'; commit",
            meeting.server.unit(3).await
        );
        meeting.client.batch_execute(&change).await.unwrap();
        assert_eq!(after_no_plan(&meeting, &case).await, stands, "{service} {outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_whose_step_it_is_may_take_it() {
    let meeting = Meeting::invited().await;
    for (step, person) in STEPS {
        for other in ["CLINICIAN", "OTHER_UNIT", "FIRST_RESPONSE", "HEAD_OF_SERVICE"] {
            let (mutation, input) = meeting.input(step).await;
            let code_of = meeting.server.answer(other, &document(&mutation, ""), json!({ "input": input })).await;
            let code = &code_of["errors"][0]["extensions"]["code"];
            let may = matches!((*step, other), ("answerInvitation", "CLINICIAN"))
                || (["settle", "withdraw"].iter().any(|may| step.starts_with(may)) && other == "HEAD_OF_SERVICE");
            // Whoever does not see the conference learns nothing of it.
            let expected = match other {
                _ if may => json!(null),
                "CLINICIAN" | "HEAD_OF_SERVICE" => json!("FORBIDDEN"),
                _ => json!("NOT_FOUND"),
            };
            assert_eq!(*code, expected, "{step} by {other} instead of {person}: {code_of}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initial_conference_is_not_opened_while_a_parent_has_neither_invitation_nor_reason() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let (case, _) = server.allocated_to(3).await;
    server.conference_called_for(&[&case]).await;
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    let payload = server.done("SOCIAL_WORKER", "requestConference", "conference { id }", input).await;
    let conference = payload["conference"]["id"].as_str().unwrap().to_owned();
    // Two adults of the family with parental responsibility.
    let child: uuid::Uuid =
        client.query_one("select child_id from cases where 'Case:' || id = $1", &[&case]).await.unwrap().get(0);
    client
        .execute("update relationships set parental_responsibility = 'N' where other_id = $1", &[&child])
        .await
        .unwrap();
    let mut parents = Vec::new();
    for name in ["Ada", "Ben"] {
        let id = uuid::Uuid::now_v7();
        client
            .batch_execute(&format!(
                "insert into persons (id, first_name, last_name, date_of_birth, sex) values ('{id}', '{name}', 'Test', '1990-01-01', 'F');
                 insert into relationships (id, person_id, other_id, type, parental_responsibility, from_on)
                 values (gen_random_uuid(), '{id}', '{child}', 'parent', 'Y', '2020-01-01'),
                        (gen_random_uuid(), '{child}', '{id}', 'child', 'N', '2020-01-01')"
            ))
            .await
            .unwrap();
        parents.push(format!("Person:{id}"));
    }
    let schedule = json!({ "idempotencyKey": key(), "conferenceId": conference, "scheduledFor": "2026-11-25T10:00:00Z",
        "chairId": format!("Worker:{}", server.worker("CP_CHAIR")), "venue": "Room 2", "expectedVersion": 1 });
    server.done("UNIT_COORDINATOR", "scheduleConference", "", schedule).await;
    let invitation = |parent: &str| json!([{ "personId": parent, "capacity": "PARENT", "method": "LETTER" }]);
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "invitations": invitation(&parents[0]),
                        "expectedVersion": 2 });
    server.done("UNIT_COORDINATOR", "inviteToConference", "", input).await;
    server.later(chrono::Duration::days(7) + chrono::Duration::hours(4));
    let open =
        |version: i64| json!({ "idempotencyKey": key(), "conferenceId": conference, "expectedVersion": version });
    let refused = server.mutate("CP_CHAIR", "openConference", "", open(3)).await;
    assert_eq!(refused["errors"][0]["guard"], "PARENTS_INVITED");
    let now = look(&server, "CP_CHAIR", &conference).await;
    assert_eq!(now["uninvitedParents"], json!([{ "id": parents[1] }]));
    // A recorded reason is enough; the coordinator may record this one, but not exclude.
    let reason = |exclusion: &str| {
        json!({ "idempotencyKey": key(), "conferenceId": conference, "personId": parents[1], "capacity": "PARENT",
                "exclusion": exclusion, "reason": "Moved without an address", "expectedVersion": 3 })
    };
    let query = document("excludeFromConference", "");
    let code = server.code("UNIT_COORDINATOR", &query, json!({ "input": reason("EXCLUDED") })).await;
    assert_eq!(code, "FORBIDDEN");
    let payload = server
        .done(
            "UNIT_COORDINATOR",
            "excludeFromConference",
            "invitation { exclusion exclusionReason excludedBy { id } sentAt }",
            reason("WHEREABOUTS_UNKNOWN"),
        )
        .await;
    assert_eq!(payload["invitation"]["exclusionReason"], "Moved without an address");
    assert_eq!(payload["invitation"]["sentAt"], Value::Null);
    // Found again before the meeting: the invitation lifts the reason.
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "invitations": invitation(&parents[1]),
                        "expectedVersion": 4 });
    let payload = server
        .done("UNIT_COORDINATOR", "inviteToConference", "conference { invitations { exclusion person { id } } }", input)
        .await;
    let all = payload["conference"]["invitations"].as_array().unwrap();
    assert_eq!(all.iter().filter(|one| one["exclusion"].is_null()).count(), 2);
    // Whom the chair keeps away, only the chair asks again; and why stands nowhere but with the invitation.
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "personId": parents[1],
                        "capacity": "PARENT", "exclusion": "EXCLUDED", "reason": "A threat of violence",
                        "expectedVersion": 5 });
    let fields = "conference { steps { step reason } invitations { exclusionReason } }";
    let payload = server.done("CP_CHAIR", "excludeFromConference", fields, input).await;
    assert!(!payload["conference"]["steps"].to_string().contains("violence"), "{payload}");
    assert!(payload["conference"]["invitations"].to_string().contains("violence"), "{payload}");
    let again = |version: i64| {
        json!({ "idempotencyKey": key(), "conferenceId": conference, "invitations": invitation(&parents[1]),
                "expectedVersion": version })
    };
    let query = document("inviteToConference", "");
    assert_eq!(server.code("UNIT_COORDINATOR", &query, json!({ "input": again(6) })).await, "FORBIDDEN");
    server.done("CP_CHAIR", "inviteToConference", "", again(6)).await;
    let payload = server.done("CP_CHAIR", "openConference", "conference { state }", open(7)).await;
    assert_eq!(payload["conference"]["state"], "IN_SESSION");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_may_be_opened_although_somebody_is_not_invited() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let case: uuid::Uuid = client
        .query_one(
            "select c.id from plans p join cases c on c.id = p.case_id
             join allocations a on a.case_id = c.id and a.ended_at is null and a.kind = 'PRIMARY'
             join units u on u.id = a.unit_id and u.name like '%Unit 7'
             where p.kind = 'CHILD_PROTECTION' and p.status = 'ACTIVE' and c.status = 'CP'
               and not exists (select from conference_children k join conferences f on f.id = k.conference_id
                               where k.case_id = c.id and f.state not in ('DECIDED', 'ISSUED', 'WITHDRAWN')) limit 1",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    let input = json!({ "idempotencyKey": key(), "caseIds": [format!("Case:{case}")], "type": "REVIEW" });
    let payload = server.done("OTHER_UNIT", "requestConference", "conference { id }", input).await;
    let conference = payload["conference"]["id"].as_str().unwrap().to_owned();
    let schedule = json!({ "idempotencyKey": key(), "conferenceId": conference, "scheduledFor": "2026-11-25T10:00:00Z",
        "chairId": format!("Worker:{}", server.worker("CP_CHAIR")), "online": true, "expectedVersion": 1 });
    server.done("OTHER_UNIT_COORDINATOR", "scheduleConference", "", schedule).await;
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "expectedVersion": 2,
        "invitations": [{ "agencyName": "School", "capacity": "SCHOOL", "method": "EMAIL" }] });
    server.done("OTHER_UNIT_COORDINATOR", "inviteToConference", "", input).await;
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "expectedVersion": 3 });
    server.done("CP_CHAIR", "openConference", "", input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_needs_a_quorum_or_the_chairs_reason() {
    let meeting = Meeting::in_session().await;
    let server = &meeting.server;
    // With a quorum a reason is out of place.
    let (mutation, input) = meeting.input("decideConference").await;
    let answer = server.answer("CP_CHAIR", &document(&mutation, ""), json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["field"], "quorumException");
    // The school left early, the health visitor did not come after all.
    let health = meeting.invitation("HEALTH").await["id"].clone();
    let school = meeting.invitation("SCHOOL").await["id"].clone();
    let attendance = |value: Value| json!([{ "invitationId": school, "attended": "PARTIAL" }, value]);
    let (_, mut input) = meeting.input("recordAttendance").await;
    input["attendances"] = attendance(json!({ "invitationId": health, "attended": "NO" }));
    server.done("UNIT_COORDINATOR", "recordAttendance", "", input).await;
    meeting.refused_by("QUORUM", "decideConference", |input| input["quorumException"] = Value::Null).await;
    meeting.refused_by("QUORUM", "decideConference", |input| input["quorumException"] = json!("PRE_BIRTH")).await;
    let (_, input) = meeting.input("decideConference").await;
    let payload = server
        .done(
            "CP_CHAIR",
            "decideConference",
            "conference { state quorate heldAt sittings { outcome quorate quorumException attendances { attended } } }",
            input,
        )
        .await;
    let conference = &payload["conference"];
    assert_eq!((&conference["state"], &conference["quorate"]), (&json!("DECIDED"), &json!(false)));
    assert_eq!(conference["sittings"][0]["quorumException"], "DELAY_DETRIMENTAL");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quorate_meeting_is_not_adjourned_and_two_sittings_in_a_row_are_not_inquorate() {
    let meeting = Meeting::in_session().await;
    let server = &meeting.server;
    meeting.refused_by("NO_QUORUM", "adjournConference", |_| {}).await;
    let health = meeting.invitation("HEALTH").await["id"].clone();
    let (_, mut input) = meeting.input("recordAttendance").await;
    input["attendances"] = json!([{ "invitationId": health, "attended": "NO" }]);
    server.done("CP_CHAIR", "recordAttendance", "", input).await;
    let (_, mut input) = meeting.input("adjournConference").await;
    input["interimPlan"] = json!("  ");
    let answer = server.answer("CP_CHAIR", &document("adjournConference", ""), json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["field"], "interimPlan");
    let (_, mut input) = meeting.input("adjournConference").await;
    input["interimPlan"] = json!("Daily visits.");
    let payload = server
        .done("CP_CHAIR", "adjournConference", "conference { state sittings { outcome interimPlan } }", input)
        .await;
    assert_eq!(payload["conference"]["state"], "INQUORATE");
    assert_eq!(payload["conference"]["sittings"][0]["interimPlan"], "Daily visits.");
    // It sits again; the invitations stand, everybody is asked again.
    let (_, mut input) = meeting.input("scheduleConference").await;
    input["scheduledFor"] = json!("2026-12-02T10:00:00Z");
    server.done("UNIT_COORDINATOR", "scheduleConference", "", input).await;
    let (_, mut input) = meeting.input("inviteToConference").await;
    input["invitations"] = json!([]);
    let payload = server.done("UNIT_COORDINATOR", "inviteToConference", "conference { state }", input).await;
    assert_eq!(payload["conference"]["state"], "INVITED");
    meeting.day().await;
    meeting.take("openConference").await;
    meeting.refused_by("SECOND_INQUORATE", "adjournConference", |_| {}).await;
    // The chair may still go on with a reason.
    meeting.take("decideConference").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dissent_is_minuted_and_blocks_nothing() {
    let meeting = Meeting::in_session().await;
    let server = &meeting.server;
    let health = meeting.invitation("HEALTH").await["id"].clone();
    let view = |invitation: &Value, child: Value| {
        json!({ "idempotencyKey": key(), "invitationId": invitation, "childId": child, "agrees": false,
                "text": "The risk is underestimated.", "category": "NEG" })
    };
    let payload =
        server.done("CP_CHAIR", "recordConferenceView", "invitation { id }", view(&health, json!(meeting.child))).await;
    assert_eq!(payload["invitation"]["id"], health);
    // Of somebody who did not come nothing is minuted.
    let parent = meeting.invitation("PARENT").await["id"].clone();
    let refused = server.mutate("UNIT_COORDINATOR", "recordConferenceView", "", view(&parent, Value::Null)).await;
    assert_eq!(refused["errors"][0]["guard"], "ATTENDED");
    // Nor about another child.
    let other = json!("Child:0190b0b0-0000-7000-8000-000000000000");
    let query = document("recordConferenceView", "");
    assert_eq!(server.code("CP_CHAIR", &query, json!({ "input": view(&health, other) })).await, "NOT_FOUND");
    let (_, mut input) = meeting.input("decideConference").await;
    input["quorumException"] = Value::Null;
    input["decisions"] = json!([{ "childId": meeting.child, "decision": "PLAN", "category": "EMO" }]);
    server.done("CP_CHAIR", "decideConference", "", input).await;
    // The minutes may be amended until they are out.
    meeting.take("recordConferenceView").await;
    let query = "query($id: ID!) { conference(id: $id) { sittings { views {
        agrees text category child { id } invitation { capacity agencyName } sitting { outcome } } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": meeting.conference })).await;
    let views = data["conference"]["sittings"][0]["views"].as_array().unwrap();
    assert_eq!(views.len(), 2);
    assert_eq!(
        views[0],
        json!({ "agrees": false, "text": "The risk is underestimated.", "category": "NEG",
                "child": { "id": meeting.child }, "sitting": { "outcome": "DECIDED" },
                "invitation": { "capacity": "HEALTH", "agencyName": "Health visiting" } })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_asked_for_received_and_shared_in_this_order() {
    let meeting = Meeting::invited().await;
    let server = &meeting.server;
    let school = meeting.invitation("SCHOOL").await["id"].clone();
    let input = |version: i64, step: &str, at: Value| json!({ "idempotencyKey": key(), "invitationId": school, "step": step, "at": at, "expectedVersion": version });
    let report = async |version: i64, step: &str| {
        server
            .mutate(
                "UNIT_COORDINATOR",
                "recordConferenceReport",
                "invitation { version reportRequestedAt reportReceivedAt reportSharedWithParentsAt }",
                input(version, step, Value::Null),
            )
            .await
    };
    assert_eq!(report(1, "SHARED_WITH_PARENTS").await["errors"][0]["guard"], "REPORT_IN_ORDER");
    // It was asked for with the invitation.
    assert_eq!(report(1, "REQUESTED").await["errors"][0]["__typename"], "Conflict");
    let query = document("recordConferenceReport", "");
    for (at, why) in [("2026-11-30T10:00:00Z", "future"), ("2026-11-01T10:00:00Z", "before it was asked for")] {
        let variables = json!({ "input": input(1, "RECEIVED", json!(at)) });
        let answer = server.answer("UNIT_COORDINATOR", &query, variables).await;
        assert_eq!(answer["errors"][0]["extensions"]["field"], "at", "{why}");
    }
    assert_eq!(report(1, "RECEIVED").await["errors"], json!([]));
    assert_eq!(report(1, "SHARED_WITH_PARENTS").await["errors"][0]["currentVersion"], 2);
    let shared = report(2, "SHARED_WITH_PARENTS").await;
    assert_eq!(shared["errors"], json!([]));
    let moments = &shared["invitation"];
    assert!(
        ["reportRequestedAt", "reportReceivedAt", "reportSharedWithParentsAt"].iter().all(|at| moments[at].is_string())
    );
    // The social worker was not asked for one.
    let worker = meeting.invitation("SOCIAL_CARE").await;
    let input =
        json!({ "idempotencyKey": key(), "invitationId": worker["id"], "step": "RECEIVED", "expectedVersion": 1 });
    let refused = server.mutate("UNIT_COORDINATOR", "recordConferenceReport", "", input).await;
    assert_eq!(refused["errors"][0]["guard"], "REPORT_IN_ORDER");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_change_and_whoever_was_not_invited_has_none() {
    let meeting = Meeting::invited().await;
    let server = &meeting.server;
    let answer = async |invitation: &Value, accepted: bool| {
        let input = json!({ "idempotencyKey": key(), "invitationId": invitation["id"], "accepted": accepted,
                            "expectedVersion": invitation["version"] });
        server.mutate("CLINICIAN", "answerInvitation", "invitation { response version }", input).await
    };
    let school = meeting.invitation("SCHOOL").await;
    assert_eq!(answer(&school, true).await["invitation"]["response"], "ACCEPTED");
    assert_eq!(answer(&school, false).await["errors"][0]["currentVersion"], 2);
    let school = meeting.invitation("SCHOOL").await;
    assert_eq!(answer(&school, true).await["errors"][0]["__typename"], "Conflict");
    assert_eq!(answer(&school, false).await["invitation"]["response"], "DECLINED");
    meeting.take("excludeFromConference").await;
    let excluded = meeting.invitation("CHILD").await;
    assert_eq!(answer(&excluded, true).await["errors"][0]["guard"], "INVITED");
    // Nor does the excluded one attend.
    meeting.day().await;
    meeting.take("openConference").await;
    meeting
        .refused_by("NOT_EXCLUDED", "recordAttendance", |input| {
            input["attendances"] = json!([{ "invitationId": excluded["id"], "attended": "YES" }]);
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_invite_is_one_person_worker_or_agency_in_a_capacity_that_fits() {
    let meeting = Meeting::invited().await;
    let server = &meeting.server;
    let chair = format!("Worker:{}", server.worker("CP_CHAIR"));
    let clinician = format!("Worker:{}", server.worker("CLINICIAN"));
    for (one, field) in [
        (json!({ "capacity": "SCHOOL", "method": "EMAIL" }), "invitations"),
        (json!({ "agencyName": "x", "workerId": clinician, "capacity": "OTHER", "method": "EMAIL" }), "invitations"),
        (json!({ "agencyName": "x", "capacity": "PARENT", "method": "EMAIL" }), "capacity"),
        (json!({ "workerId": clinician, "capacity": "POLICE", "method": "EMAIL" }), "capacity"),
        (json!({ "workerId": chair, "capacity": "SOCIAL_CARE", "method": "EMAIL" }), "workerId"),
        (json!({ "agencyName": " ", "capacity": "OTHER", "method": "EMAIL" }), "agencyName"),
        (json!({ "personId": clinician, "capacity": "PARENT", "method": "EMAIL" }), "personId"),
    ] {
        let (mutation, mut input) = meeting.input("inviteToConference").await;
        input["invitations"] = json!([one]);
        let answer = server.answer("UNIT_COORDINATOR", &document(&mutation, ""), json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["field"], field, "{answer}");
    }
    // Nobody, the school twice, and somebody who is hidden or missing.
    let (mutation, mut input) = meeting.input("inviteToConference").await;
    input["invitations"] = json!([]);
    let code = server.code("UNIT_COORDINATOR", &document(&mutation, ""), json!({ "input": input })).await;
    assert_eq!(code, "BAD_USER_INPUT");
    input["invitations"] = json!([{ "agencyName": "park primary school", "capacity": "SCHOOL", "method": "EMAIL" }]);
    let refused = server.mutate("UNIT_COORDINATOR", "inviteToConference", "", input.clone()).await;
    assert_eq!(refused["errors"][0]["__typename"], "Conflict");
    let hidden: uuid::Uuid = meeting
        .client
        .query_one(
            "select a.child_id from allocations a join units u on u.id = a.unit_id and u.name like '%Unit 7'
             where not exists (select from allocations b join units v on v.id = b.unit_id and v.name like '%Unit 3'
                               where b.child_id = a.child_id) limit 1",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    for person in [hidden, uuid::Uuid::now_v7()] {
        input["invitations"] =
            json!([{ "personId": format!("Person:{person}"), "capacity": "FAMILY", "method": "EMAIL" }]);
        let code = server.code("UNIT_COORDINATOR", &document(&mutation, ""), json!({ "input": input })).await;
        assert_eq!(code, "NOT_FOUND");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_withdrawn_by_two_people() {
    let meeting = Meeting::invited().await;
    meeting.put_into("REQUESTED").await;
    meeting.client.batch_execute("update conferences set withdrawal_proposed_by = null").await.unwrap();
    meeting.refused_by("WITHDRAWAL_PROPOSED", "withdrawConference", |_| {}).await;
    meeting.take("proposeConferenceWithdrawal").await;
    let again = meeting.attempt("proposeConferenceWithdrawal").await;
    assert_eq!(again["errors"][0]["__typename"], "Conflict");
    // A manager who proposed it in another role does not withdraw it.
    let manager = meeting.server.worker("SERVICE_MANAGER");
    meeting
        .client
        .execute(
            "update conferences set withdrawal_proposed_by = $1 where withdrawal_proposed_by is not null",
            &[&manager],
        )
        .await
        .unwrap();
    meeting.refused_by("TWO_PEOPLE", "withdrawConference", |_| {}).await;
    let proposer = meeting.server.worker("CONSULTANT_SOCIAL_WORKER");
    meeting
        .client
        .execute(
            "update conferences set withdrawal_proposed_by = $1 where withdrawal_proposed_by is not null",
            &[&proposer],
        )
        .await
        .unwrap();
    meeting.take("withdrawConference").await;
    assert_eq!(meeting.state().await, "WITHDRAWN");
    let hidden = meeting
        .server
        .data("CP_CHAIR", "query($id: ID!) { conference(id: $id) { state } }", json!({ "id": meeting.conference }))
        .await;
    assert_eq!(hidden, json!({ "conference": null }), "a chair of nothing sees nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_minutes_follow_the_outline_plans_and_close_the_conference() {
    let meeting = Meeting::in_session().await;
    let server = &meeting.server;
    let (_, mut input) = meeting.input("decideConference").await;
    input["quorumException"] = Value::Null;
    server.done("CP_CHAIR", "decideConference", "", input).await;
    meeting.refused_by("OUTLINE_PLAN_SENT", "issueMinutes", |_| {}).await;
    for at in ["2026-11-24T10:00:00Z", "2026-12-24T10:00:00Z"] {
        let (mutation, mut input) = meeting.input("issueOutlinePlan").await;
        input["sentAt"] = json!(at);
        let answer = server.answer("UNIT_COORDINATOR", &document(&mutation, ""), json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["field"], "sentAt");
    }
    meeting.take("issueOutlinePlan").await;
    let twice = meeting.attempt("issueOutlinePlan").await;
    assert_eq!(twice["errors"][0]["__typename"], "Conflict");
    meeting.take("issueMinutes").await;
    let query = "query($id: ID!) { conference(id: $id) { state outlinePlanSentAt minutesSentAt
        steps { step stateBefore stateAfter takenBy { id } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": meeting.conference })).await;
    assert_eq!(data["conference"]["state"], "ISSUED");
    let steps: Vec<_> =
        data["conference"]["steps"].as_array().unwrap().iter().map(|one| one["step"].as_str().unwrap()).collect();
    assert_eq!(
        steps,
        ["SCHEDULE", "INVITE", "OPEN", "ATTEND", "DECIDE", "ISSUE_OUTLINE_PLAN", "ISSUE_MINUTES"],
        "the history tells the story"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_under_four_takes_part_as_pn0_and_nobody_else_does() {
    let meeting = Meeting::in_session().await;
    let server = &meeting.server;
    let born = |date: &'static str| {
        let (client, child) = (&meeting.client, meeting.child.clone());
        async move {
            client
                .execute(
                    "update persons set date_of_birth = $2::text::date, expected_date_of_birth = null where 'Child:' || id = $1",
                    &[&child, &date],
                )
                .await
                .unwrap();
        }
    };
    let query = document("recordAttendance", "conference { children { participation } }");
    for (date, right, wrong) in [("2024-01-01", "PN0", "PN1"), ("2014-01-01", "PN2", "PN0")] {
        born(date).await;
        for (how, fits) in [(wrong, false), (right, true)] {
            let (_, mut input) = meeting.input("recordAttendance").await;
            input["participations"] = json!([{ "childId": meeting.child, "participation": how }]);
            let answer = server.answer("CP_CHAIR", &query, json!({ "input": input })).await;
            if fits {
                assert_eq!(answer["data"]["recordAttendance"]["conference"]["children"][0]["participation"], how);
            } else {
                assert_eq!(answer["errors"][0]["extensions"]["field"], "participations", "{answer}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postponed_conference_remembers_the_date_that_it_was_moved_from() {
    let meeting = Meeting::invited().await;
    let server = &meeting.server;
    let (_, mut input) = meeting.input("postponeConference").await;
    input["reason"] = json!("The interpreter is ill");
    server.done("CP_CHAIR", "postponeConference", "", input).await;
    let (_, mut input) = meeting.input("scheduleConference").await;
    input["scheduledFor"] = json!("2026-11-30T10:00:00Z");
    let payload = server
        .done(
            "UNIT_COORDINATOR",
            "scheduleConference",
            "conference { state moves { movedFrom movedTo reason } invitations { response } }",
            input,
        )
        .await;
    let moves = &payload["conference"]["moves"];
    assert_eq!(
        moves,
        &json!([{ "movedFrom": "2026-11-25T10:00:00Z", "movedTo": "2026-11-30T10:00:00Z", "reason": "The interpreter is ill" }])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unit_hears_of_every_step_of_a_conference() {
    let server = Server::start().await;
    let unit = server.unit(3).await;
    let mut socket: Socket = server.socket("CLINICIAN").await;
    socket.feed(&unit, None).await;
    let (case, _) = server.allocated_to(3).await;
    server.conference_called_for(&[&case]).await;
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    let payload = server.done("SOCIAL_WORKER", "requestConference", "conference { id }", input).await;
    let conference = payload["conference"]["id"].as_str().unwrap().to_owned();
    let schedule = json!({ "idempotencyKey": key(), "conferenceId": conference, "scheduledFor": "2026-11-25T10:00:00Z",
        "chairId": format!("Worker:{}", server.worker("CP_CHAIR")), "venue": "Room 2", "expectedVersion": 1 });
    server.done("UNIT_COORDINATOR", "scheduleConference", "", schedule).await;
    invite(&server, "UNIT_COORDINATOR", &conference).await;
    let now = look(&server, "CP_CHAIR", &conference).await;
    let school = now["invitations"].as_array().unwrap().iter().find(|one| one["capacity"] == "SCHOOL").unwrap().clone();
    let input =
        json!({ "idempotencyKey": key(), "invitationId": school["id"], "accepted": true, "expectedVersion": 1 });
    server.done("UNIT_COORDINATOR", "answerInvitation", "", input).await;
    let input =
        json!({ "idempotencyKey": key(), "invitationId": school["id"], "step": "RECEIVED", "expectedVersion": 2 });
    server.done("UNIT_COORDINATOR", "recordConferenceReport", "", input).await;
    server.later(chrono::Duration::days(7) + chrono::Duration::hours(4));
    let version = open(&server, &conference).await;
    let child = server
        .data(
            "CLINICIAN",
            "query($id: ID!) { conference(id: $id) { children { child { id } } } }",
            json!({ "id": conference }),
        )
        .await["conference"]["children"][0]["child"]["id"]
        .take();
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "expectedVersion": version,
                        "decisions": [{ "childId": child, "decision": "NO_PLAN" }] });
    server.done("CP_CHAIR", "decideConference", "", input).await;
    for (record, version) in [("OUTLINE_PLAN", version + 1), ("MINUTES", version + 2)] {
        let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "record": record, "expectedVersion": version });
        server.done("UNIT_COORDINATOR", "issueConferenceRecord", "", input).await;
    }
    assert_eq!(
        socket.types(11).await,
        [
            "ALLOCATION_STARTED",
            "CONFERENCE_REQUESTED",
            "CONFERENCE_SCHEDULED",
            "CONFERENCE_CHANGED",
            "CONFERENCE_INVITATION_RESPONDED",
            "CONFERENCE_REPORT_RECEIVED",
            "CONFERENCE_STARTED",
            "CONFERENCE_ATTENDANCE",
            "CONFERENCE_DECIDED",
            "CONFERENCE_ISSUED",
            "CONFERENCE_ISSUED",
        ]
    );
}

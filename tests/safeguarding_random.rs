//! Random sequences of legal and illegal steps of assessments, enquiries and requests for information: what is refused says what
//! could come next, no invariant is broken, and the log tells the same story as the tables.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::{
    front_door_random::{Answer, seed},
    support::{self, Server, key, people},
};

/// Sequences, and steps of each.
const SEQUENCES: usize = 60;
const STEPS: usize = 45;

/// A record that is there: its id, version and status.
#[derive(Clone)]
struct Record {
    id: String,
    version: i64,
    status: &'static str,
}

impl Record {
    fn moves(&mut self, status: &'static str) {
        self.version += 1;
        self.status = status;
    }
}

/// What should have become of one child's case, which unit 3 holds.
struct Model {
    case: String,
    version: i64,
    status: &'static str,
    /// Where it stood before a conference was called for.
    before: &'static str,
    assessment: Option<Record>,
    /// Whether the assessment has everything that it needs.
    whole: bool,
    outcome: &'static str,
    /// Who wrote the assessment last, and who gave the enquiry its outcome.
    wrote: &'static str,
    decided: &'static str,
    enquiry: Option<Record>,
    /// Whether the child was seen in it.
    seen: bool,
    enquired: bool,
    /// The enquiry called for a conference that nobody has asked for.
    called: bool,
    conference: Option<(String, i64)>,
    /// The enquiry that it follows.
    follows: Option<Record>,
    participant: String,
    request: Option<Record>,
    /// Whether the request was made in the enquiry that is open.
    of_enquiry: bool,
}

fn illegal(record: &Record) -> Answer {
    Answer::Illegal(record.status)
}

impl Model {
    async fn begin(server: &Server, client: &tokio_postgres::Client) -> Self {
        let child = people::child(client, "Quillon", "Safeway").await;
        let case = people::hold(client, child, 3).await;
        client.execute("update cases set status = 'ASSESSMENT' where id = $1", &[&case]).await.unwrap();
        let case = format!("Case:{case}");
        let input =
            json!({ "idempotencyKey": key(), "caseId": case, "agency": "SCHOOL", "organisation": "Millfields School" });
        let payload = server.done("SOCIAL_WORKER", "addAgencyParticipant", "participant { id }", input).await;
        Self {
            case,
            version: 1,
            status: "ASSESSMENT",
            before: "ASSESSMENT",
            assessment: None,
            whole: false,
            outcome: "NFA",
            wrote: "SOCIAL_WORKER",
            decided: "CONSULTANT_SOCIAL_WORKER",
            enquiry: None,
            seen: false,
            enquired: false,
            called: false,
            conference: None,
            follows: None,
            participant: payload["participant"]["id"].as_str().unwrap().to_owned(),
            request: None,
            of_enquiry: false,
        }
    }

    fn enquiry_open(&self) -> bool {
        self.enquiry.as_ref().is_some_and(|one| one.status != "CONCLUDED")
    }

    fn waits(&self) -> bool {
        self.request.as_ref().is_some_and(|one| matches!(one.status, "SENT" | "CHASED"))
    }

    /// What stands in the way of closing the case.
    fn behind(&self) -> Option<&'static str> {
        if self.enquiry_open() {
            Some("ENQUIRY_OVER")
        } else if self.conference.is_some() || self.called {
            Some("CONFERENCE_OVER")
        } else if self.waits() {
            Some("INFORMATION_ANSWERED")
        } else {
            None
        }
    }

    /// What a step of an assessment is answered with.
    fn of_assessment(&self, from: &str, done: Answer) -> Answer {
        match &self.assessment {
            None => Answer::NotFound,
            Some(one) if one.status == from => done,
            Some(one) => illegal(one),
        }
    }

    fn of_enquiry_in(&self, from: &str, done: Answer) -> Answer {
        match &self.enquiry {
            None => Answer::NotFound,
            Some(one) if one.status == from => done,
            Some(one) => illegal(one),
        }
    }

    fn of_request_in(&self, from: &[&str]) -> Answer {
        match &self.request {
            None => Answer::NotFound,
            Some(one) if from.contains(&one.status) => Answer::Done,
            Some(one) => illegal(one),
        }
    }

    /// One step with the version that is right, or now and then a stale one.
    async fn step(&mut self, server: &Server, rng: &mut Rng) -> (String, Answer, Answer) {
        let id = |record: &Option<Record>, kind: &str| {
            record.as_ref().map_or_else(|| format!("{kind}:{}", uuid::Uuid::now_v7()), |one| one.id.clone())
        };
        let version = |record: &Option<Record>| record.as_ref().map_or(1, |one| one.version);
        let (a, e, r) = (
            json!({ "assessmentId": id(&self.assessment, "Assessment"), "expectedVersion": version(&self.assessment) }),
            json!({ "enquiryId": id(&self.enquiry, "Section47Enquiry"), "expectedVersion": version(&self.enquiry) }),
            json!({ "requestId": id(&self.request, "InformationRequest"), "expectedVersion": version(&self.request) }),
        );
        let with = |mut input: Value, more: Value| {
            more.as_object().unwrap().iter().for_each(|(name, value)| input[name] = value.clone());
            input
        };
        let (sw, csw, sm) = ("SOCIAL_WORKER", "CONSULTANT_SOCIAL_WORKER", "SERVICE_MANAGER");
        let (mutation, selection, mut input, expected, person): (&str, &str, Value, Answer, &str) = match rng.u8(..19) {
            0 => {
                let open = self.assessment.as_ref().is_some_and(|one| one.status != "AUTHORISED");
                let answer = if open { Answer::Conflict } else { Answer::Done };
                let input = json!({ "caseId": self.case, "expectedVersion": self.version });
                ("startAssessment", "assessment { id }", input, answer, sw)
            }
            1 => {
                let needs: Vec<Value> = ["RELIGION", "CULTURE", "DISABILITY"]
                    .iter()
                    .map(|kind| json!({ "kind": kind, "answer": "NONE_KNOWN" }))
                    .collect();
                let content = json!({ "childSeenOn": support::today(), "childSeenAlone": true, "wishesFeelings": "Zebrawood words.", "analysis": "Zebrawood words.",
                                      "factors": ["_16A"], "needs": needs });
                let answer = self.of_assessment("IN_PROGRESS", Answer::Done);
                let writes = [sw, sw, csw][rng.usize(..3)];
                ("changeAssessment", "", with(a, json!({ "content": content })), answer, writes)
            }
            2 | 3 => {
                let outcome = ["NFA", "EARLY_HELP", "CIN_PLAN"][rng.usize(..3)];
                let done = if self.whole { Answer::Done } else { Answer::Guard("NEEDS_ANSWERED") };
                let answer = self.of_assessment("IN_PROGRESS", done);
                ("submitAssessment", "", with(a, json!({ "outcome": outcome })), answer, sw)
            }
            4 => (
                "returnAssessment",
                "",
                with(a, json!({ "reason": "Zebrawood words." })),
                self.of_assessment("SUBMITTED", Answer::Done),
                csw,
            ),
            5 => {
                let closes = self.status == "ASSESSMENT" && self.outcome != "CIN_PLAN";
                let authorises = [csw, sm][rng.usize(..2)];
                let done = match self.behind().filter(|_| closes) {
                    _ if authorises == self.wrote => Answer::Guard("ANOTHER_PERSON"),
                    _ if self.status == "CONFERENCE_PENDING" && self.outcome != "CIN_PLAN" => {
                        Answer::Guard("CONFERENCE_OVER")
                    }
                    Some(guard) => Answer::Guard(guard),
                    None => Answer::Done,
                };
                (
                    "authoriseAssessment",
                    "",
                    with(a, json!({ "reason": "Zebrawood words." })),
                    self.of_assessment("SUBMITTED", done),
                    authorises,
                )
            }
            6 | 7 => {
                let decision = ["S47_SINGLE", "S47_SINGLE", "NFA"][rng.usize(..3)];
                let there = json!([{ "agency": "SOCIAL_CARE", "name": "Zebrawood words." },
                                   { "agency": "POLICE_CAIT", "organisation": "Zebrawood Trust", "name": "Zebrawood" },
                                   { "agency": "HEALTH", "organisation": "Zebrawood Trust", "name": "Zebrawood" }]);
                let input = json!({ "heldAt": server.now(), "participants": there, "children": [{ "caseId": self.case,
                    "informationShared": "Zebrawood words.", "decision": decision, "decisionReason": "Zebrawood words.", "expectedVersion": self.version }] });
                let answer = if decision != "NFA" && self.enquiry_open() { Answer::Conflict } else { Answer::Done };
                ("holdStrategyDiscussion", "enquiry { id }", input, answer, sw)
            }
            8 => {
                let seen = json!({ "childSeenOn": support::today(), "childSeenAlone": false });
                ("recordSection47Progress", "", with(e, seen), self.of_enquiry_in("OPEN", Answer::Done), sw)
            }
            9 | 10 => {
                let outcome = ["INITIAL_CONFERENCE", "NFA"][rng.usize(..2)];
                let done = match (self.seen, self.waits() && self.of_enquiry && outcome == "NFA") {
                    (false, _) => Answer::Guard("CHILD_SEEN"),
                    (true, true) => Answer::Guard("INFORMATION_ANSWERED"),
                    (true, false) => Answer::Done,
                };
                let answer = self.of_enquiry_in("OPEN", done);
                (
                    "concludeSection47",
                    "",
                    with(e, json!({ "outcome": outcome, "findings": "Zebrawood words." })),
                    answer,
                    [csw, csw, sm][rng.usize(..3)],
                )
            }
            11 => {
                let signs = [sm, "HEAD_OF_SERVICE"][rng.usize(..2)];
                let done = if signs == self.decided { Answer::Guard("TWO_PEOPLE") } else { Answer::Done };
                ("countersignSection47", "", e, self.of_enquiry_in("AWAITING_COUNTERSIGNATURE", done), signs)
            }
            12 => {
                let answer = self.of_enquiry_in("AWAITING_COUNTERSIGNATURE", Answer::Done);
                ("returnSection47", "", with(e, json!({ "reason": "Zebrawood words." })), answer, sm)
            }
            13 => {
                let duty = ["S47", "COURT"][rng.usize(..2)];
                let input = json!({ "participantId": self.participant, "duty": duty, "questions": "Zebrawood words.",
                                    "dueAt": server.now() + chrono::Duration::days(2) });
                let open = self.enquiry.as_ref().is_some_and(|one| one.status == "OPEN");
                let answer = if duty == "S47" && !open { Answer::Guard("ENQUIRY_OPEN") } else { Answer::Done };
                // One at a time, so that the model knows the one that waits.
                if self.waits() {
                    ("chaseInformation", "", with(r, json!({ "method": "EMAIL" })), Answer::Done, sw)
                } else {
                    ("requestInformation", "request { id }", input, answer, sw)
                }
            }
            14 => (
                "chaseInformation",
                "",
                with(r, json!({ "method": "PHONE" })),
                self.of_request_in(&["SENT", "CHASED"]),
                sw,
            ),
            15 => {
                let answer = self.of_request_in(&["SENT", "CHASED", "REFUSED"]);
                ("recordInformationAnswer", "", with(r, json!({ "text": "Zebrawood words." })), answer, sw)
            }
            16 => {
                let answer = self.of_request_in(&["SENT", "CHASED"]);
                ("recordInformationRefusal", "", with(r, json!({ "reason": "Zebrawood words." })), answer, sw)
            }
            17 => {
                let answer = self.of_request_in(&["SENT", "CHASED", "REFUSED"]);
                ("withdrawInformationRequest", "", with(r, json!({ "reason": "Zebrawood words." })), answer, sw)
            }
            _ => match &self.conference {
                None => {
                    let input = json!({ "caseIds": [self.case], "type": "INITIAL" });
                    let answer = if self.called { Answer::Done } else { Answer::Guard("ENQUIRY_CALLS") };
                    ("requestConference", "conference { id version }", input, answer, sw)
                }
                Some((conference, version)) => {
                    let input =
                        json!({ "conferenceId": conference, "reason": "Zebrawood words.", "expectedVersion": version });
                    // Two people: proposed by the one, withdrawn by the other.
                    if *version == 1 {
                        ("proposeConferenceWithdrawal", "", input, Answer::Done, csw)
                    } else {
                        ("withdrawConference", "", input, Answer::Done, sm)
                    }
                }
            },
        };
        let expects = input.get("expectedVersion").is_some();
        let stale = expects && rng.u8(..12) == 0;
        if stale {
            input["expectedVersion"] = json!(input["expectedVersion"].as_i64().unwrap() + 50);
        }
        input["idempotencyKey"] = json!(key());
        // The state of a conference is asked before anything else of it; everything else says first that somebody was faster.
        let expected = if stale && expected != Answer::NotFound { Answer::Stale } else { expected };
        let document = support::document(mutation, selection);
        let answer = server.answer(person, &document, json!({ "input": input })).await;
        let found = Answer::of(&answer, mutation);
        if found == Answer::Done && expected == Answer::Done {
            self.made(mutation, person, &input, &answer["data"][mutation]);
        }
        (format!("{mutation} {input}"), expected, found)
    }

    fn made(&mut self, mutation: &str, person: &'static str, input: &Value, payload: &Value) {
        let id = |of: &str| payload[of]["id"].as_str().unwrap().to_owned();
        let sent = |id: String, status: &'static str| Some(Record { id, version: 1, status });
        match mutation {
            "startAssessment" => {
                self.version += 1;
                self.assessment = sent(id("assessment"), "IN_PROGRESS");
                (self.whole, self.wrote) = (false, person);
            }
            "changeAssessment" => {
                (self.whole, self.wrote) = (true, person);
                self.assessment.as_mut().unwrap().moves("IN_PROGRESS");
            }
            "submitAssessment" => {
                self.outcome = match input["outcome"].as_str().unwrap() {
                    "NFA" => "NFA",
                    "EARLY_HELP" => "EARLY_HELP",
                    _ => "CIN_PLAN",
                };
                self.assessment.as_mut().unwrap().moves("SUBMITTED");
            }
            "returnAssessment" => self.assessment.as_mut().unwrap().moves("IN_PROGRESS"),
            "authoriseAssessment" => {
                self.assessment.as_mut().unwrap().moves("AUTHORISED");
                if self.status == "ASSESSMENT" && self.outcome != "CIN_PLAN" {
                    self.status = "CLOSED";
                }
            }
            "holdStrategyDiscussion" => {
                self.version += 1;
                if payload["enquiry"]["id"].is_string() {
                    self.enquiry = sent(id("enquiry"), "OPEN");
                    (self.seen, self.enquired, self.of_enquiry) = (false, true, false);
                }
            }
            "recordSection47Progress" => {
                self.seen = true;
                self.enquiry.as_mut().unwrap().moves("OPEN");
            }
            "concludeSection47" if input["outcome"] == "INITIAL_CONFERENCE" => {
                self.enquiry.as_mut().unwrap().moves("CONCLUDED");
                self.called = true;
                self.follows = self.enquiry.clone().filter(|_| self.conference.is_none()).or(self.follows.take());
                if self.status != "CONFERENCE_PENDING" {
                    self.version += 1;
                    (self.before, self.status) = (self.status, "CONFERENCE_PENDING");
                }
            }
            "concludeSection47" => {
                self.decided = person;
                self.enquiry.as_mut().unwrap().moves("AWAITING_COUNTERSIGNATURE");
            }
            "countersignSection47" => self.enquiry.as_mut().unwrap().moves("CONCLUDED"),
            "returnSection47" => self.enquiry.as_mut().unwrap().moves("OPEN"),
            "requestInformation" => {
                self.request = sent(id("request"), "SENT");
                self.of_enquiry = input["duty"] == "S47";
            }
            "chaseInformation" => self.request.as_mut().unwrap().moves("CHASED"),
            "recordInformationAnswer" => self.request.as_mut().unwrap().moves("RESPONDED"),
            "recordInformationRefusal" => self.request.as_mut().unwrap().moves("REFUSED"),
            "withdrawInformationRequest" => self.request.as_mut().unwrap().moves("WITHDRAWN"),
            "requestConference" => {
                self.called = false;
                self.conference = Some((id("conference"), 1));
            }
            "proposeConferenceWithdrawal" => self.conference.as_mut().unwrap().1 += 1,
            "withdrawConference" => {
                self.conference = None;
                // Decided again, unless another one runs.
                let again = self.follows.take().unwrap();
                if !self.enquiry_open() {
                    self.enquiry = Some(again);
                    self.enquiry.as_mut().unwrap().moves("OPEN");
                    self.seen = true;
                    self.of_enquiry = false;
                }
                if self.called {
                    self.follows = None;
                } else if self.status == "CONFERENCE_PENDING" {
                    self.version += 1;
                    self.status = self.before;
                }
            }
            other => panic!("{other}"),
        }
    }
}

/// What must be true of all rows, and what the log says of each record.
const INVARIANTS: &[(&str, &str)] = &[
    (
        "a case has one assessment that is not authorised, and one enquiry that is not over, at most",
        "select count(*) from (
             select case_id from assessments where status <> 'AUTHORISED' group by 1 having count(*) > 1
             union all select case_id from section47_enquiries where status <> 'CONCLUDED' group by 1 having count(*) > 1) c",
    ),
    (
        "another person authorised each assessment than who began it, wrote it last or handed it in",
        "select count(*) from assessments where authorised_by in (author_id, written_by, submitted_by)",
    ),
    (
        "an assessment that was handed in has an answer about religion, culture and disability",
        "select count(*) from assessments a where status <> 'IN_PROGRESS' and 3 > (
             select count(*) from particular_needs n where n.assessment_id = a.id and n.kind in ('RELIGION', 'CULTURE', 'DISABILITY'))
           and author_id in (select id from workers where staff_no = 'U03-SW') and created_at > '2026-11-18 09:59Z'",
    ),
    (
        "a case with an enquiry is not closed as after an assessment alone",
        "select count(*) from cases c where closure_reason in ('RC8', 'RC9')
           and exists (select from section47_enquiries e where e.case_id = c.id)",
    ),
    (
        "behind a case that an assessment closed nothing is open, and nobody holds it or has a part in it",
        "select count(*) from cases c where c.closure_rationale = 'Zebrawood words.' and (
             exists (select from assessments a where a.case_id = c.id and a.status <> 'AUTHORISED')
             or exists (select from section47_enquiries e where e.case_id = c.id and e.status <> 'CONCLUDED')
             or exists (select from information_requests r where r.case_id = c.id and r.status in ('SENT', 'CHASED'))
             or exists (select from allocations a where a.case_id = c.id and a.ended_at is null)
             or exists (select from worker_involvements i where i.case_id = c.id and i.ended_at is null))",
    ),
    (
        "no conference without an enquiry that called for it, and none that was decided otherwise without a second signature",
        "select count(*) from section47_enquiries where status = 'CONCLUDED'
           and ((outcome = 'INITIAL_CONFERENCE') = (countersigned_by is not null) or countersigned_by = decided_by)",
    ),
    (
        "every version of an assessment, an enquiry, a request has one event, and the last one says what stands in its row",
        "select count(*) from (
             select id, version, status, outcome from assessments where created_at > '2026-11-18 09:59Z'
             union all select id, version, status, outcome from section47_enquiries where created_at > '2026-11-18 09:59Z'
             union all select id, version, status, null from information_requests where asked_at > '2026-11-18 09:59Z') r
         where (select array_agg(o.entity_version order by o.id) from outbox o where o.entity_id = r.id)
                   is distinct from array(select generate_series(1, r.version))
            or not exists (select from outbox o where o.entity_id = r.id and o.entity_version = r.version
                           and o.data -> 'detail' ->> 'status' = r.status
                           and o.data -> 'detail' ->> 'outcome' is not distinct from r.outcome)",
    ),
    (
        "every discussion has its event",
        "select count(*) from strategy_discussions s where recorded_at > '2026-11-18 09:59Z' and not exists (
             select from outbox o where o.entity_id = s.id and o.type = 'STRATEGY_HELD' and o.data -> 'detail' ->> 'decision' = s.decision)",
    ),
    (
        "no event holds what somebody wrote",
        "select count(*) from outbox where data::text ilike '%zebrawood%' or data::text like '%Millfields%' or data::text like '%Quillon%'",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_tried_in_assessment_and_enquiry_the_rules_hold_and_the_log_tells_the_same_story() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    client.batch_execute("update units set capacity_cases = 1000").await.unwrap();
    let mut rng = Rng::with_seed(seed());
    let (mut legal, mut refused, mut closed) = (0, 0, 0);
    for _ in 0..SEQUENCES {
        let mut model = Model::begin(&server, &client).await;
        let mut story = Vec::new();
        for _ in 0..STEPS {
            let (step, expected, found) = model.step(&server, &mut rng).await;
            story.push(step);
            assert_eq!(found, expected, "after {story:#?}");
            if found == Answer::Done {
                legal += 1
            } else {
                refused += 1
            }
            if model.status == "CLOSED" {
                closed += 1;
                break;
            }
        }
        let id: uuid::Uuid = model.case.strip_prefix("Case:").unwrap().parse().unwrap();
        let row =
            client.query_one("select status, version, closure_reason from cases where id = $1", &[&id]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), model.status, "{story:#?}");
        if model.status == "CLOSED" {
            let reason = match (model.enquired, model.outcome) {
                (true, _) => "RC7",
                (false, "EARLY_HELP") => "RC9",
                _ => "RC8",
            };
            assert_eq!(row.get::<_, &str>(2), reason, "{story:#?}");
        } else {
            assert_eq!(i64::from(row.get::<_, i32>(1)), model.version, "{story:#?}");
        }
    }
    println!("{legal} legal steps, {refused} refused ones, {closed} cases closed in {SEQUENCES} sequences");
    assert!(legal > 100 && refused > 100, "{legal} legal, {refused} refused");
    for (rule, broken) in INVARIANTS {
        assert_eq!(client.query_one(*broken, &[]).await.unwrap().get::<_, i64>(0), 0, "{rule}");
    }
}

//! Random sequences of legal and illegal steps at the front door: what is refused says what could come next, no invariant is
//! broken, and the log tells the same story as the tables.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::support::{self, Server, key};

/// Sequences, and steps of each.
const SEQUENCES: usize = 100;
const STEPS: usize = 30;

/// `HEARTH_TEST_SEED`, or another one each time.
pub fn seed() -> u64 {
    let seed = std::env::var("HEARTH_TEST_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("HEARTH_TEST_SEED={seed}");
    seed
}

/// What should have become of one contact about one child.
#[derive(Default)]
struct Model {
    contact: String,
    person: String,
    version: i64,
    status: &'static str,
    /// The child, once it is registered.
    child: Option<String>,
    /// Children whom somebody registered for it, and unmatched.
    earlier: Vec<String>,
    informed: bool,
    referral: Option<String>,
    case: Option<String>,
    case_version: i64,
    /// Accepted, or why its case is closed.
    decision: Option<&'static str>,
    allocation: Option<String>,
}

/// What a step should be answered with.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Done,
    Illegal(&'static str),
    Guard(&'static str),
    Conflict,
    Stale,
    NotFound,
}

impl Answer {
    pub fn of(answer: &Value, mutation: &str) -> Self {
        if let Some(code) = answer["errors"][0]["extensions"]["code"].as_str() {
            assert_eq!(code, "NOT_FOUND", "{mutation}: {answer}");
            return Self::NotFound;
        }
        let error = &answer["data"][mutation]["errors"][0];
        let leaked = |text: &Value| &*text.as_str().unwrap_or_default().to_owned().leak();
        match error["__typename"].as_str() {
            None => Self::Done,
            Some("IllegalTransition") => {
                assert!(error["legalNext"].is_array(), "{answer}");
                Self::Illegal(leaked(&error["from"]))
            }
            Some("GuardFailed") => {
                assert!(!error["explanation"].as_str().unwrap().is_empty(), "{answer}");
                Self::Guard(leaked(&error["guard"]))
            }
            Some("Conflict") => Self::Conflict,
            Some("VersionConflict") => Self::Stale,
            other => panic!("{other:?}: {answer}"),
        }
    }
}

impl Model {
    async fn begin(server: &Server, nth: usize) -> Self {
        let needs: Vec<Value> = ["RELIGION", "CULTURE", "DISABILITY"]
            .map(|kind| json!({ "kind": kind, "answer": "NONE_KNOWN" }))
            .into_iter()
            .collect();
        // A day of birth that nobody else has.
        let born = support::today() - chrono::Days::new(4_000 + nth as u64);
        let input = json!({ "idempotencyKey": key(), "channel": "PHONE", "source": "_2A", "callerName": "x", "concern": "x",
            "consent": "GIVEN", "people": [{ "kind": "CHILD", "firstName": "Quillon", "lastName": "Vexquar",
            "dateOfBirth": born, "sex": "M", "needs": needs }] });
        let selection = "contact { id version people { id } }";
        let payload = server.done("FIRST_RESPONSE", "recordContact", selection, input).await;
        Self {
            contact: payload["contact"]["id"].as_str().unwrap().to_owned(),
            person: payload["contact"]["people"][0]["id"].as_str().unwrap().to_owned(),
            version: 1,
            status: "CONTACT",
            ..Self::default()
        }
    }

    fn open(&self) -> bool {
        self.status == "CONTACT"
    }

    /// Whether first response sees the contact.
    fn in_sight(&self) -> bool {
        match self.status {
            "CONTACT" | "CONTACT_CLOSED" => true,
            _ => self.waits(),
        }
    }

    /// Whether the case waits for a unit.
    fn waits(&self) -> bool {
        self.case.is_some() && self.allocation.is_none() && !self.closed()
    }

    fn closed(&self) -> bool {
        self.decision.is_some_and(|decision| !decision.starts_with("ACCEPT"))
    }

    /// Who acts: whoever holds the case gives it back.
    fn undecided(&self) -> Option<Answer> {
        if !self.in_sight() {
            Some(Answer::NotFound)
        } else if self.open() {
            None
        } else {
            Some(Answer::Illegal(self.status))
        }
    }

    /// One step with the versions that are right, or now and then a stale one.
    async fn step(&mut self, server: &Server, rng: &mut Rng) -> (String, Answer, Answer) {
        let stale = rng.u8(..12) == 0;
        let (version, case_version) =
            if stale { (self.version + 50, self.case_version + 50) } else { (self.version, self.case_version) };
        let no_one = || format!("Referral:{}", uuid::Uuid::now_v7());
        let (mutation, selection, input, expected, person): (&str, &str, Value, Answer, &str) = match rng.u8(..8) {
            0 => {
                let input = json!({ "contactId": self.contact, "urgency": "AMBER", "expectedVersion": version });
                ("triageContact", "", input, self.undecided().unwrap_or(Answer::Done), "FIRST_RESPONSE")
            }
            1 => {
                let input = json!({ "contactPersonId": self.person, "expectedVersion": version });
                // Whoever was registered and taken off again is somebody whom the service knows.
                let compared = rng.bool();
                let input = if compared {
                    json!({ "contactPersonId": self.person, "isNoneOf": self.earlier, "expectedVersion": version })
                } else {
                    input
                };
                let answer = match (&self.child, compared || self.earlier.is_empty()) {
                    (Some(_), _) => Answer::Conflict,
                    (None, true) => Answer::Done,
                    (None, false) => Answer::Guard("NOT_KNOWN_YET"),
                };
                let answer = match self.undecided() {
                    // Of a decided contact the child is out of sight, unless it waits in the queue.
                    Some(Answer::Illegal(from)) if self.child.is_none() || self.waits() => Answer::Illegal(from),
                    Some(_) => Answer::NotFound,
                    None => answer,
                };
                ("registerContactChild", "contactPerson { child { id } }", input, answer, "FIRST_RESPONSE")
            }
            2 => {
                let input = json!({ "contactPersonId": self.person, "expectedVersion": version });
                let answer = if self.child.is_some() { Answer::Done } else { Answer::Conflict };
                let answer = match self.undecided() {
                    Some(Answer::Illegal(from)) if self.child.is_none() || self.waits() => Answer::Illegal(from),
                    Some(_) => Answer::NotFound,
                    None => answer,
                };
                ("matchContactChild", "", input, answer, "FIRST_RESPONSE")
            }
            3 => {
                let told = rng.bool();
                let (decision, mut input) = match rng.u8(..4) {
                    0 => ("PASS_TO_OPEN_CASE", json!({})),
                    1 => ("SIGNPOST", json!({})),
                    2 => ("IMMEDIATE_PROTECTION", json!({ "referral": { "category": "NEGLECT" } })),
                    _ => ("REFERRAL_STATUTORY", json!({ "referral": { "category": "NEGLECT" } })),
                };
                input["contactId"] = json!(self.contact);
                input["decision"] = json!(decision);
                input["reason"] = json!("x");
                input["expectedVersion"] = json!(version);
                if told {
                    input["referrerNotInformed"] = json!("UNSAFE");
                }
                let answer = self.undecided().unwrap_or(match decision {
                    "PASS_TO_OPEN_CASE" => Answer::Guard("OPEN_CASE"),
                    "SIGNPOST" if !told => Answer::Guard("REFERRER_INFORMED"),
                    "SIGNPOST" => Answer::Done,
                    _ if self.child.is_none() => Answer::Guard("CHILD_IDENTIFIED"),
                    _ => Answer::Done,
                });
                ("decideContact", "referrals { id decision case { id version } }", input, answer, "FIRST_RESPONSE")
            }
            4 => {
                let input =
                    json!({ "contactId": self.contact, "referrerNotInformed": "UNSAFE", "expectedVersion": version });
                let answer = match self.in_sight() {
                    false => Answer::NotFound,
                    true if self.open() => Answer::Guard("DECIDED"),
                    true => Answer::Done,
                };
                ("recordReferrerInformed", "", input, answer, "FIRST_RESPONSE")
            }
            5 => {
                let decision = ["ACCEPT_ASSESS", "NFA", "OTHER_LA"][rng.usize(..3)];
                let input = json!({ "referralId": self.referral.clone().unwrap_or_else(no_one), "decision": decision,
                                    "reason": "x", "expectedVersion": case_version });
                let answer = match self.decision {
                    _ if !self.waits() => Answer::NotFound,
                    Some(decided) => Answer::Illegal(decided),
                    None if decision != "ACCEPT_ASSESS" && !self.informed => Answer::Guard("REFERRER_INFORMED"),
                    None => Answer::Done,
                };
                ("decideReferral", "", input, answer, "FIRST_RESPONSE")
            }
            6 => {
                let case = self.case.clone().unwrap_or_else(|| format!("Case:{}", uuid::Uuid::now_v7()));
                let input = json!({ "caseId": case, "unitId": server.unit(3).await, "reason": "x", "expectedVersion": case_version });
                let answer = match self.decision {
                    _ if !self.waits() => Answer::NotFound,
                    None => Answer::Guard("REFERRAL_ACCEPTED"),
                    Some(_) => Answer::Done,
                };
                ("allocateCase", "", input, answer, "FIRST_RESPONSE")
            }
            _ => {
                let held = self.allocation.clone().unwrap_or_else(|| format!("Allocation:{}", uuid::Uuid::now_v7()));
                let input = json!({ "allocationId": held, "reason": "x", "expectedVersion": case_version });
                let answer = if self.allocation.is_some() { Answer::Done } else { Answer::NotFound };
                ("endAllocation", "", input, answer, "CONSULTANT_SOCIAL_WORKER")
            }
        };
        let mut input = input;
        input["idempotencyKey"] = json!(key());
        // What is not there at all is not stale; everything else says first that somebody was faster.
        let expected = if stale && expected != Answer::NotFound { Answer::Stale } else { expected };
        let document = support::document(mutation, selection);
        let answer = server.answer(person, &document, json!({ "input": input })).await;
        let found = Answer::of(&answer, mutation);
        if found == Answer::Done && expected == Answer::Done {
            self.made(server, mutation, &input, &answer["data"][mutation]).await;
        }
        (format!("{mutation} {input}"), expected, found)
    }

    async fn made(&mut self, server: &Server, mutation: &str, input: &Value, payload: &Value) {
        match mutation {
            "triageContact" => self.version += 1,
            "registerContactChild" => {
                self.version += 1;
                self.child = Some(payload["contactPerson"]["child"]["id"].as_str().unwrap().to_owned());
            }
            "matchContactChild" => {
                self.version += 1;
                self.earlier.extend(self.child.take());
            }
            "recordReferrerInformed" => {
                self.version += 1;
                self.informed = true;
            }
            "decideContact" => {
                self.version += 1;
                self.informed = input["referrerNotInformed"].is_string();
                self.status = if input["decision"] == "SIGNPOST" { "CONTACT_CLOSED" } else { "REFERRED" };
                if let Some(referral) = payload["referrals"].get(0) {
                    self.referral = Some(referral["id"].as_str().unwrap().to_owned());
                    self.case = Some(referral["case"]["id"].as_str().unwrap().to_owned());
                    self.case_version = referral["case"]["version"].as_i64().unwrap();
                    self.decision = (referral["decision"] == "ACCEPT_S47").then_some("ACCEPT_S47");
                }
            }
            "decideReferral" => {
                self.case_version += 1;
                self.decision = Some(match input["decision"].as_str().unwrap() {
                    "ACCEPT_ASSESS" => "ACCEPT_ASSESS",
                    "NFA" => "NFA",
                    _ => "OTHER_LA",
                });
            }
            "allocateCase" => {
                self.case_version += 1;
                let query = "query($id: ID!) { case(id: $id) { primaryAllocation { id } } }";
                let held = server.data("CLINICIAN", query, json!({ "id": self.case })).await;
                self.allocation = Some(held["case"]["primaryAllocation"]["id"].as_str().unwrap().to_owned());
            }
            "endAllocation" => {
                self.case_version += 1;
                self.allocation = None;
            }
            other => panic!("{other}"),
        }
    }
}

/// What must be true of all rows, and what the log says last of each contact and case.
const INVARIANTS: &[(&str, &str)] = &[
    ("a decided contact has a decision, an open one has none", "select count(*) from contacts where (status = 'CONTACT') <> (decision is null)"),
    (
        "what became a referral opened a case for a child of it",
        "select count(*) from contacts c where status = 'REFERRED' and not exists (
             select from contact_people p where p.contact_id = c.id and p.case_id is not null)",
    ),
    (
        "every child of a contact was asked about religion, culture and disability",
        "select count(*) from contact_people p where kind = 'CHILD' and 3 > (
             select count(*) from particular_needs n where n.contact_person_id = p.id and n.kind in ('RELIGION', 'CULTURE', 'DISABILITY'))",
    ),
    (
        "a child has one open case at most",
        "select count(*) from (select child_id from cases where closed_on is null and not referral_nfa group by 1 having count(*) > 1) c",
    ),
    (
        "a referral that was not accepted has a closed case, any other an open one",
        "select count(*) from referrals r join cases c on c.id = r.case_id
         where (coalesce(r.decision, 'ACCEPT') not like 'ACCEPT%') <> (c.status = 'CLOSED')",
    ),
    (
        "no unit holds a case whose referral nobody accepted",
        "select count(*) from referrals r join allocations a on a.case_id = r.case_id where coalesce(r.decision, '') not like 'ACCEPT%'",
    ),
    (
        "nobody decides about a referral who is not qualified",
        "select count(*) from referrals r join workers w on w.id = r.decided_by where not w.qualified",
    ),
    (
        "the last event of a contact says what stands in its row",
        "select count(*) from contacts c left join lateral (
             select data -> 'detail' as said, entity_version from outbox o where o.entity_id = c.id and o.case_id is null
             order by o.id desc limit 1) e on true
         where c.caller_name = 'x' and (e.said ->> 'status' is distinct from c.status or e.said ->> 'decision' is distinct from c.decision
            or e.said ->> 'urgency' is distinct from c.urgency or e.entity_version is distinct from c.version)",
    ),
    (
        "the last event of a case says whether a unit holds it, or that it was closed",
        "select count(*) from referrals r join contacts n on n.id = r.contact_id join cases c on c.id = r.case_id left join lateral (
             select type from outbox o where o.case_id = c.id
               and o.type in ('CASE_UNALLOCATED', 'ALLOCATION_STARTED', 'REFERRAL_CLOSED') order by o.id desc limit 1) e on true
         where n.caller_name = 'x' and e.type is distinct from case when c.status = 'CLOSED' then 'REFERRAL_CLOSED'
                              when exists (select from allocations a where a.case_id = c.id and a.kind = 'PRIMARY' and a.ended_at is null)
                                  then 'ALLOCATION_STARTED' else 'CASE_UNALLOCATED' end",
    ),
    (
        "first response sees no child for a contact that is decided",
        "select count(*) from sight s join contacts c on c.id = s.source_id
         where c.status <> 'CONTACT' and s.holder_id = hearth.front_door() and not s.whole",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_tried_at_the_front_door_the_rules_hold_and_the_log_tells_the_same_story() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    client.batch_execute("update units set capacity_cases = 1000").await.unwrap();
    let mut rng = Rng::with_seed(seed());
    let (mut legal, mut refused) = (0, 0);
    for nth in 0..SEQUENCES {
        let mut model = Model::begin(&server, nth).await;
        let mut story = Vec::new();
        for _ in 0..STEPS {
            let (step, expected, found) = model.step(&server, &mut rng).await;
            story.push(step);
            assert_eq!(found, expected, "after {story:#?}");
            if found == Answer::Done { legal += 1 } else { refused += 1 }
        }
    }
    println!("{legal} legal steps and {refused} refused ones in {SEQUENCES} sequences");
    assert!(legal > 100 && refused > 100, "{legal} legal, {refused} refused");
    for (rule, broken) in INVARIANTS {
        assert_eq!(client.query_one(*broken, &[]).await.unwrap().get::<_, i64>(0), 0, "{rule}");
    }
}

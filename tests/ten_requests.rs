//! docs/ten-requests.md: a child's case from a call to its end, each request and answer pasted from a run of this test.

use std::{collections::HashMap, fmt::Write};

use chrono::Duration;
use serde_json::{Value, json};

use crate::{schema::matches_file, support::Server};

const HEAD: &str = "# A child's case in ten requests

From a call to first response to the day on which the family needs no social worker any more, as a client would send it. Each
request may hold several changes: they are made one after the other, each in a transaction of its own; a record that the first
changes has one version more for the second. Every answer has `errors`: empty, or why nothing was changed and what would be
legal. Who has a feed open hears of each of these changes at the same moment: see [live.md](live.md).

`POST /graphql`, `authorization: Bearer ...` of who sends it, `content-type: application/json`. Ids are shortened here. This page is
made by a test (`tests/ten_requests.rs`) and fails it when it is out of date.
";

/// What was sent and answered so far, as the page shows it.
struct Story {
    server: Server,
    page: String,
    count: usize,
    /// Ids as the page shows them.
    short: HashMap<String, String>,
}

impl Story {
    async fn start() -> Self {
        Self { server: Server::start().await, page: HEAD.to_owned(), count: 0, short: HashMap::new() }
    }

    /// Sends a request of one or more mutations, each with its selection and input; answers their payloads, none of which is a
    /// refusal.
    async fn send(&mut self, person: &str, what: &str, mutations: &[(&str, &str, Value)]) -> Vec<Value> {
        self.count += 1;
        let mut variables = serde_json::Map::new();
        let (mut heads, mut body) = (Vec::new(), String::new());
        for (place, (name, selection, input)) in mutations.iter().enumerate() {
            let variable = ["first", "second", "third"][place];
            let mut kind = name[..1].to_uppercase();
            kind.push_str(&name[1..]);
            heads.push(format!("${variable}: {kind}Input!"));
            writeln!(body, "  {name}(input: ${variable}) {{ {selection} errors {{ __typename message }} }}").unwrap();
            let mut input = input.clone();
            input["idempotencyKey"] = json!(format!("{}-{}", self.count, place + 1));
            variables.insert(variable.to_owned(), input);
        }
        let document = format!("mutation({}) {{\n{body}}}", heads.join(", "));
        let variables = Value::Object(variables);
        let answer = self.server.answer(person, &document, variables.clone()).await;
        assert_eq!(answer["errors"], Value::Null, "{what}: {answer:#}");
        let payloads: Vec<Value> = mutations.iter().map(|(name, ..)| answer["data"][*name].clone()).collect();
        for payload in &payloads {
            assert_eq!(payload["errors"], json!([]), "{what}: {answer:#}");
        }
        let (asked, answered) = (self.shown(&variables), self.shown(&answer["data"]));
        write!(
            self.page,
            "\n## {}. {what}\n\nAs `{person}`:\n\n```graphql\n{document}\n```\n```json\n{asked}\n```\n\nAnswer, `data`:\n\n```json\n{answered}\n```\n",
            self.count
        )
        .unwrap();
        payloads
    }

    /// JSON with every id shortened to its kind and the order in which it came up.
    fn shown(&mut self, value: &Value) -> String {
        fn walk(value: &Value, short: &mut HashMap<String, String>) -> Value {
            match value {
                Value::String(text) => match text.split_once(':') {
                    Some((kind, id)) if uuid::Uuid::try_parse(id).is_ok() => {
                        let prefix = format!("{kind}:");
                        let next = short.values().filter(|one| one.starts_with(&prefix)).count() + 1;
                        json!(short.entry(text.clone()).or_insert_with(|| format!("{kind}:{next}")).clone())
                    }
                    _ => value.clone(),
                },
                Value::Array(items) => items.iter().map(|item| walk(item, short)).collect(),
                Value::Object(fields) => {
                    fields.iter().map(|(name, value)| (name.clone(), walk(value, short))).collect()
                }
                _ => value.clone(),
            }
        }
        serde_json::to_string_pretty(&walk(value, &mut self.short)).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_childs_case_in_ten_requests_is_what_the_page_says() {
    let mut story = Story::start().await;
    let (three, seven) = (story.server.unit(3).await, story.server.unit(7).await);

    let child = json!({ "kind": "CHILD", "firstName": "Zephyrine", "lastName": "Quill", "dateOfBirth": "2018-05-05", "sex": "F",
        "needs": [{ "kind": "RELIGION", "answer": "NONE_KNOWN" }, { "kind": "CULTURE", "answer": "ASKED_DECLINED" },
                  { "kind": "DISABILITY", "answer": "NEED", "description": "Hears badly.", "whatWeWillDo": "Speak clearly." }] });
    let call = json!({ "channel": "PHONE", "source": "_2A", "callerName": "Ms Blake, school", "consent": "GIVEN",
        "concern": "She came without a coat again, and was hungry.", "people": [child] });
    let selection = "contact { id version people { id } }";
    let recorded = story.send("FIRST_RESPONSE", "A school calls", &[("recordContact", selection, call)]).await;
    let contact = &recorded[0]["contact"];

    let register = json!({ "contactPersonId": contact["people"][0]["id"], "expectedVersion": contact["version"] });
    let decide = json!({ "contactId": contact["id"], "decision": "REFERRAL_STATUTORY", "reason": "Neglect over some months.",
        "referral": { "category": "NEGLECT", "primaryNeed": "N1", "summary": "Cold and hungry at school." },
        "expectedVersion": contact["version"].as_i64().unwrap() + 1 });
    let registered = story
        .send(
            "FIRST_RESPONSE",
            "Nobody knew the child; a statutory assessment may be needed",
            &[
                ("registerContactChild", "contact { people { child { id } } }", register),
                ("decideContact", "referrals { id version case { id status version } }", decide),
            ],
        )
        .await;
    let child = registered[0]["contact"]["people"][0]["child"]["id"].clone();
    let referral = &registered[1]["referrals"][0];
    let case = referral["case"]["id"].clone();
    let mut version = referral["case"]["version"].as_i64().unwrap();

    let accept = json!({ "referralId": referral["id"], "decision": "ACCEPT_ASSESS", "reason": "The threshold is met.",
        "targetUnitId": three, "expectedVersion": referral["version"] });
    let allocate = json!({ "caseId": case, "unitId": three, "reason": "It has room.", "expectedVersion": version + 1 });
    story
        .send(
            "FIRST_RESPONSE",
            "The referral is accepted, and a unit of access and assessment holds the case",
            &[
                ("decideReferral", "referral { decision targetUnit { name } }", accept),
                ("allocateCase", "case { id } allocation { id }", allocate),
            ],
        )
        .await;
    version += 2;

    let start = json!({ "caseId": case, "expectedVersion": version });
    let selection = "assessment { id version } case { status version }";
    let started = story.send("SOCIAL_WORKER", "An assessment begins", &[("startAssessment", selection, start)]).await;
    let assessment = started[0]["assessment"]["id"].clone();
    version = started[0]["case"]["version"].as_i64().unwrap();

    let content = json!({ "childSeenOn": "2026-11-18", "childSeenAlone": true, "wishesFeelings": "Wants to swim again.",
        "analysis": "Her father is alone with three children and does not sleep.", "factors": ["_16A"],
        "needs": [{ "kind": "RELIGION", "answer": "NONE_KNOWN" }, { "kind": "CULTURE", "answer": "ASKED_DECLINED" },
                  { "kind": "DISABILITY", "answer": "NEED", "description": "Hears badly.", "whatWeWillDo": "A quiet room." }] });
    let change = json!({ "assessmentId": assessment, "content": content, "expectedVersion": 1 });
    let submit = json!({ "assessmentId": assessment, "outcome": "CIN_PLAN", "expectedVersion": 2 });
    story
        .send(
            "SOCIAL_WORKER",
            "It is written, and handed in",
            &[
                ("changeAssessment", "assessment { version }", change),
                ("submitAssessment", "assessment { status version }", submit),
            ],
        )
        .await;

    let authorise = json!({ "assessmentId": assessment, "reason": "The family needs help for a longer time.", "expectedVersion": 3 });
    let ask = json!({ "caseId": case, "toUnitId": seven, "kind": "TO_CIN", "handoverSummary": "She trusts her teacher. Start there.",
        "expectedVersion": version });
    let asked = story
        .send(
            "CONSULTANT_SOCIAL_WORKER",
            "Another person authorises it; a unit for children in need is asked to take over",
            &[
                ("authoriseAssessment", "assessment { status } case { version }", authorise),
                ("requestTransfer", "transfer { id state version } case { version }", ask),
            ],
        )
        .await;
    let transfer = &asked[1]["transfer"];

    let take = json!({ "transferId": transfer["id"], "expectedVersion": transfer["version"] });
    let goal = json!({ "whatNeedsToChange": "She comes to school fed and dressed for the weather.", "measure": "The teacher's note each week",
        "target": "Every day for eight weeks", "actions": [{ "text": "Breakfast club, five days a week.", "ownerAgency": "School" }] });
    let plan = json!({ "overallAim": "Zephyrine is warm, fed and heard at home.", "agreedChangeBy": "2027-02-12",
        "parentView": "He wants the help and was afraid to ask.", "goals": [goal] });
    let drafted = story
        .send(
            "OTHER_UNIT",
            "It takes the case, and drafts a plan with the family",
            &[
                ("acceptTransfer", "case { status version }", take),
                (
                    "draftPlan",
                    "plan { id version goals { id version } }",
                    json!({ "caseId": case, "kind": "CIN", "content": plan }),
                ),
            ],
        )
        .await;
    version = drafted[0]["case"]["version"].as_i64().unwrap();
    let plan = &drafted[1]["plan"];

    let said = json!({ "planId": plan["id"], "saidById": child.as_str().unwrap().replace("Child:", "Person:"), "stance": "AGREES",
        "words": "I want toast.", "saidOn": "2026-11-18" });
    let agree = json!({ "planId": plan["id"], "reviewDueOn": "2027-01-15", "expectedVersion": plan["version"] });
    let agreed = story
        .send(
            "OTHER_UNIT",
            "What she says is written down, and the plan is agreed",
            &[
                ("recordPlanView", "plan { views { stance words } }", said),
                ("agreePlan", "plan { status version startOn reviewDueOn agreedChangeBy }", agree),
            ],
        )
        .await;

    // Eleven weeks later.
    story.server.later(Duration::days(77));
    let goal = &plan["goals"][0];
    let evidence = json!({ "goalId": goal["id"], "observedOn": "2027-02-02", "source": "AGENCY", "strength": "STRONG",
        "sustainedSince": "2026-12-07", "text": "Dressed and fed every day since the first week of December." });
    let met = json!({ "goalId": goal["id"], "status": "MET", "expectedVersion": goal["version"] });
    let end = json!({ "planId": plan["id"], "endOn": "2027-02-03", "reason": "What it was for is achieved.",
        "expectedVersion": agreed[1]["plan"]["version"] });
    story
        .send(
            "OTHER_UNIT",
            "Eleven weeks later change lasts, and the plan ends",
            &[
                ("recordChangeEvidence", "goal { id }", evidence),
                ("setGoalStatus", "goal { status }", met),
                ("endPlan", "plan { status endOn }", end),
            ],
        )
        .await;

    let close = json!({ "caseId": case, "reason": "RC7", "rationale": "The family manages with the school's help.",
        "safeAtHome": "She says that home is good. Her father has slept since his sister moved in, and calls the school by himself.",
        "expectedVersion": version });
    story.send("OTHER_UNIT", "Nobody needs a social worker any more", &[("closeCase", "case { id }", close)]).await;

    let query = "query($id: ID!) { case(id: $id) { status closureReason } }";
    let read = story.server.data("HEAD_OF_SERVICE", query, json!({ "id": case })).await;
    assert_eq!(read["case"], json!({ "status": "CLOSED", "closureReason": "RC7" }));
    assert_eq!(story.count, 10);
    matches_file("docs/ten-requests.md", &story.page);
}

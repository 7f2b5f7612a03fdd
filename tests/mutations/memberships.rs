//! Who belongs to a unit: joining, covering, another role, leaving; and what becomes of the cases.

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::support::{self, Server, document, key};

const MEMBERSHIP: &str = "membership { id role cover startedAt endedAt version worker { id } unit { id } }";

struct Unit {
    server: Server,
    client: Client,
    id: String,
    /// A qualified and an unqualified worker of no unit.
    qualified: String,
    unqualified: String,
}

impl Unit {
    async fn three() -> Self {
        let server = Server::start().await;
        let client = support::connect("postgres", &server.database).await;
        let id = server.unit(3).await;
        let mut made = Vec::new();
        for (name, qualified) in [("Robin Temple", true), ("Kim Sand", false)] {
            let id = uuid::Uuid::now_v7();
            client
                .execute(
                    "insert into workers (id, staff_no, name, email, qualified) values ($1, $2, $3, 'x@example.org', $4)",
                    &[&id, &key(), &name, &qualified],
                )
                .await
                .unwrap();
            made.push(format!("Worker:{id}"));
        }
        let unqualified = made.pop().unwrap();
        let qualified = made.pop().unwrap();
        Self { server, client, id, qualified, unqualified }
    }

    fn join(&self, worker: &str, role: &str) -> Value {
        json!({ "idempotencyKey": key(), "unitId": self.id, "workerId": worker, "role": role })
    }

    /// The membership of a demo person.
    async fn membership_of(&self, person: &str) -> Value {
        let query = "query($id: ID!) { unit(id: $id) { members { id role cover version worker { id } } } }";
        let data = self.server.data("CLINICIAN", query, json!({ "id": self.id })).await;
        let worker = json!(format!("Worker:{}", self.server.worker(person)));
        let mut members = data["unit"]["members"].as_array().unwrap().iter();
        members.find(|one| one["worker"]["id"] == worker).unwrap().clone()
    }

    /// Cases of the unit that a worker leads.
    async fn led_by(&self, worker: &str) -> i64 {
        self.client
            .query_one(
                "select count(*) from worker_involvements i join allocations a on a.case_id = i.case_id and a.ended_at is null
                 join units u on u.id = a.unit_id and u.name like '%Unit 3'
                 where 'Worker:' || i.worker_id = $1 and i.capacity = 'LEAD_PRACTITIONER' and i.ended_at is null and a.kind = 'PRIMARY'",
                &[&worker],
            )
            .await
            .unwrap()
            .get(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_member_sees_the_units_cases_and_receives_from_the_next_event_on() {
    let unit = Unit::three().await;
    let server = &unit.server;
    let worker: uuid::Uuid = unit.qualified.strip_prefix("Worker:").unwrap().parse().unwrap();
    let token = support::token_for(worker, chrono::Duration::hours(1));
    let query = "query($id: ID!) { unit(id: $id) { allocations { totalCount } } }";
    let count = async || {
        let answer: Value = server.raw(&token, query, json!({ "id": unit.id })).await.json().await.unwrap();
        answer["data"]["unit"]["allocations"]["totalCount"].as_i64().unwrap()
    };
    assert_eq!(count().await, 0);
    let refused = server
        .code(
            "CONSULTANT_SOCIAL_WORKER",
            &document("startMembership", ""),
            json!({ "input": unit.join(&unit.qualified, "SOCIAL_WORKER") }),
        )
        .await;
    assert_eq!(refused, "FORBIDDEN");
    let mut colleague = server.socket("CLINICIAN").await;
    colleague.feed(&unit.id, None).await;
    let payload = server
        .done("SERVICE_MANAGER", "startMembership", MEMBERSHIP, unit.join(&unit.qualified, "SOCIAL_WORKER"))
        .await;
    assert_eq!(payload["membership"]["role"], "SOCIAL_WORKER");
    assert_eq!(colleague.item().await["type"], "MEMBERSHIP_CHANGED");
    assert!(count().await > 0);
    let mut joined = support::Socket::open(&format!("ws://{}/graphql", server.address), &token).await;
    joined.feed(&unit.id, None).await;
    server.allocated_to(3).await;
    assert_eq!(joined.item().await["type"], "ALLOCATION_STARTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_need_their_qualification_and_a_unit_has_one_consultant_and_one_who_covers() {
    let unit = Unit::three().await;
    let server = &unit.server;
    let refused =
        async |input: Value| server.mutate("SERVICE_MANAGER", "startMembership", "", input).await["errors"][0].take();
    let field = async |input: Value| {
        let answer =
            server.answer("SERVICE_MANAGER", &document("startMembership", ""), json!({ "input": input })).await;
        answer["errors"][0]["extensions"]["field"].clone()
    };
    assert_eq!(refused(unit.join(&unit.unqualified, "SOCIAL_WORKER")).await["guard"], "QUALIFIED");
    assert_eq!(field(unit.join(&unit.qualified, "HEAD_OF_SERVICE")).await, "role");
    let mut input = unit.join(&unit.qualified, "SOCIAL_WORKER");
    input["share"] = json!(0);
    assert_eq!(field(input.clone()).await, "share");
    input["share"] = json!(100);
    input["until"] = json!("2026-11-17T00:00:00Z");
    assert_eq!(field(input.clone()).await, "until");
    input["until"] = Value::Null;
    input["cover"] = json!(true);
    assert_eq!(field(input).await, "until");
    // A second consultant social worker only covers, and only one does.
    let second = refused(unit.join(&unit.qualified, "CONSULTANT_SOCIAL_WORKER")).await;
    assert_eq!(second["__typename"], "Conflict");
    let cover = |worker: &str| {
        let mut input = unit.join(worker, "CONSULTANT_SOCIAL_WORKER");
        input["cover"] = json!(true);
        input["until"] = json!("2026-12-18T00:00:00Z");
        input
    };
    let payload = server.done("SERVICE_MANAGER", "startMembership", MEMBERSHIP, cover(&unit.qualified)).await;
    assert_eq!(payload["membership"]["endedAt"], "2026-12-18T00:00:00Z");
    unit.client.batch_execute("update workers set qualified = true where name = 'Kim Sand'").await.unwrap();
    assert_eq!(refused(cover(&unit.unqualified)).await["__typename"], "Conflict");
    // Twice in one unit; somebody who has left; a unit that does not exist.
    assert_eq!(refused(unit.join(&unit.qualified, "SOCIAL_WORKER")).await["__typename"], "Conflict");
    unit.client.batch_execute("update workers set active = false where name = 'Kim Sand'").await.unwrap();
    assert_eq!(refused(unit.join(&unit.unqualified, "SOCIAL_WORKER")).await["guard"], "WORKER_ACTIVE");
    let mut input = unit.join(&unit.qualified, "SOCIAL_WORKER");
    input["unitId"] = json!("Unit:0190b0b0-0000-7000-8000-000000000000");
    assert_eq!(
        server.code("SERVICE_MANAGER", &document("startMembership", ""), json!({ "input": input })).await,
        "NOT_FOUND"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_themselves_a_member_or_gives_themselves_a_role() {
    let unit = Unit::three().await;
    let server = &unit.server;
    let fields = "errors { __typename ... on GuardFailed { guard } }";
    for person in ["SERVICE_MANAGER", "HEAD_OF_SERVICE"] {
        let me = format!("Worker:{}", server.worker(person));
        let payload = server.mutate(person, "startMembership", fields, unit.join(&me, "CHILDRENS_PRACTITIONER")).await;
        assert_eq!(payload["errors"][0]["guard"], "OTHERS", "{person}");
    }
    // Somebody else makes the manager a member; they do not change their own role then.
    let me = format!("Worker:{}", server.worker("SERVICE_MANAGER"));
    let fields = "membership { id version } errors { __typename ... on GuardFailed { guard } }";
    let join = unit.join(&me, "CHILDRENS_PRACTITIONER");
    let member = server.mutate("HEAD_OF_SERVICE", "startMembership", fields, join).await;
    let input = json!({ "idempotencyKey": support::key(), "membershipId": member["membership"]["id"], "role": "CLINICIAN",
                        "cover": false, "expectedVersion": member["membership"]["version"] });
    let payload = server.mutate("SERVICE_MANAGER", "changeMembershipRole", fields, input).await;
    assert_eq!(payload["errors"][0]["guard"], "OTHERS", "{payload}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_sees_nothing_more_and_their_cases_pass_on() {
    let unit = Unit::three().await;
    let server = &unit.server;
    let social_worker = format!("Worker:{}", server.worker("SOCIAL_WORKER"));
    let consultant = format!("Worker:{}", server.worker("CONSULTANT_SOCIAL_WORKER"));
    let (led, led_by_consultant) = (unit.led_by(&social_worker).await, unit.led_by(&consultant).await);
    assert!(led > 0);
    let membership = unit.membership_of("SOCIAL_WORKER").await;
    let input = json!({ "idempotencyKey": key(), "membershipId": membership["id"], "reason": "LEFTRL",
                        "expectedVersion": membership["version"] });
    let refused =
        server.code("CONSULTANT_SOCIAL_WORKER", &document("endMembership", ""), json!({ "input": input })).await;
    assert_eq!(refused, "FORBIDDEN");
    let mut colleague = server.socket("CLINICIAN").await;
    colleague.feed(&unit.id, None).await;
    let payload = server.done("SERVICE_MANAGER", "endMembership", MEMBERSHIP, input.clone()).await;
    assert!(payload["membership"]["endedAt"].is_string());
    assert_eq!(unit.led_by(&social_worker).await, 0);
    assert_eq!(
        unit.led_by(&consultant).await,
        led_by_consultant + led,
        "no case is without its one named social worker"
    );
    // With the case an enquiry that runs in it passes on.
    let (mut passed, mut enquiries) = (0, 0);
    while passed < led {
        match colleague.item().await["type"].as_str().unwrap() {
            "INVOLVEMENT_CHANGED" => passed += 1,
            "S47_CHANGED" => enquiries += 1,
            other => panic!("{other}"),
        }
    }
    assert!(enquiries > 0);
    let client = support::connect("postgres", &server.database).await;
    let query = "select count(*) from section47_enquiries where 'Worker:' || lead_id = $1 and status <> 'CONCLUDED'";
    assert_eq!(client.query_one(query, &[&social_worker]).await.unwrap().get::<_, i64>(0), 0);
    // Other parts of theirs may follow; the membership comes last.
    loop {
        match colleague.item().await["type"].as_str().unwrap() {
            "INVOLVEMENT_CHANGED" => {}
            other => break assert_eq!(other, "MEMBERSHIP_CHANGED"),
        }
    }
    let query = "query($id: ID!) { unit(id: $id) { allocations { totalCount } } }";
    let data = server.data("SOCIAL_WORKER", query, json!({ "id": unit.id })).await;
    assert_eq!(data["unit"]["allocations"]["totalCount"], 0);
    // Left is left.
    let mut again = input;
    again["idempotencyKey"] = json!(key());
    let stale = server.mutate("SERVICE_MANAGER", "endMembership", "", again.clone()).await;
    assert_eq!(stale["errors"][0]["currentVersion"], 2);
    again["expectedVersion"] = json!(2);
    let ended = server.mutate("SERVICE_MANAGER", "endMembership", "", again).await;
    assert_eq!(ended["errors"][0]["__typename"], "IllegalTransition");
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_pass_to_whom_is_named_if_they_may_lead() {
    let unit = Unit::three().await;
    let server = &unit.server;
    server.done("SERVICE_MANAGER", "startMembership", "", unit.join(&unit.qualified, "SOCIAL_WORKER")).await;
    let leaving = format!("Worker:{}", server.worker("SOCIAL_WORKER"));
    let led = unit.led_by(&leaving).await;
    let membership = unit.membership_of("SOCIAL_WORKER").await;
    let input = |to: &str| {
        json!({ "idempotencyKey": key(), "membershipId": membership["id"], "reason": "ABSENC", "leadsPassToId": to,
                "expectedVersion": membership["version"] })
    };
    let clinician = format!("Worker:{}", server.worker("CLINICIAN"));
    let refused = server.mutate("SERVICE_MANAGER", "endMembership", "", input(&clinician)).await;
    assert_eq!(refused["errors"][0]["guard"], "LEAD_QUALIFIED");
    let answer =
        server.answer("SERVICE_MANAGER", &document("endMembership", ""), json!({ "input": input(&leaving) })).await;
    assert_eq!(answer["errors"][0]["extensions"]["field"], "leadsPassToId");
    assert_eq!(unit.led_by(&leaving).await, led, "a refusal changes nothing");
    server.done("SERVICE_MANAGER", "endMembership", "", input(&unit.qualified)).await;
    assert_eq!((unit.led_by(&leaving).await, unit.led_by(&unit.qualified).await), (0, led));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_role_is_one_membership_ended_and_another_begun() {
    let unit = Unit::three().await;
    let server = &unit.server;
    let payload = server
        .done("SERVICE_MANAGER", "startMembership", MEMBERSHIP, unit.join(&unit.qualified, "CHILDRENS_PRACTITIONER"))
        .await;
    let before = payload["membership"].clone();
    let input = |role: &str, version: i64| json!({ "idempotencyKey": key(), "membershipId": before["id"], "role": role, "expectedVersion": version });
    let same = server.mutate("SERVICE_MANAGER", "changeMembershipRole", "", input("CHILDRENS_PRACTITIONER", 1)).await;
    assert_eq!(same["errors"][0]["__typename"], "Conflict");
    let refused = server
        .code("UNIT_COORDINATOR", &document("changeMembershipRole", ""), json!({ "input": input("SOCIAL_WORKER", 1) }))
        .await;
    assert_eq!(refused, "FORBIDDEN");
    server.later(chrono::Duration::minutes(1));
    server.all_placed().await;
    let mut colleague = server.socket("CLINICIAN").await;
    colleague
        .subscribe(
            "feed",
            "subscription($id: ID!) { unitFeed(unitId: $id) { __typename ... on MembershipEvent { role previousRole memberId cover } } }",
            json!({ "id": unit.id }),
        )
        .await;
    colleague.item().await;
    let payload = server.done("SERVICE_MANAGER", "changeMembershipRole", MEMBERSHIP, input("SOCIAL_WORKER", 1)).await;
    let after = &payload["membership"];
    assert_eq!((&after["role"], &after["version"]), (&json!("SOCIAL_WORKER"), &json!(1)));
    let rows = unit
        .client
        .query(
            "select role, ended_at, started_at from unit_memberships where 'Worker:' || worker_id = $1 order by started_at",
            &[&unit.qualified],
        )
        .await
        .unwrap();
    let ended: Option<chrono::DateTime<chrono::Utc>> = rows[0].get(1);
    let started: chrono::DateTime<chrono::Utc> = rows[1].get(2);
    assert_eq!((rows.len(), ended), (2, Some(started)), "no instant without a role, none with two");
    assert_eq!(
        colleague.item().await,
        json!({ "__typename": "MembershipEvent", "role": "SOCIAL_WORKER", "previousRole": "CHILDRENS_PRACTITIONER",
                "memberId": unit.qualified, "cover": false })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cover_ends_by_itself_or_earlier_but_never_later() {
    let unit = Unit::three().await;
    let server = &unit.server;
    let mut input = unit.join(&unit.qualified, "SOCIAL_WORKER");
    input["cover"] = json!(true);
    input["until"] = json!("2026-11-20T00:00:00Z");
    let payload = server.done("SERVICE_MANAGER", "startMembership", MEMBERSHIP, input).await;
    let id = payload["membership"]["id"].as_str().unwrap().strip_prefix("Membership:").unwrap().to_owned();
    let later = unit
        .client
        .batch_execute(&format!("update unit_memberships set ended_at = '2026-12-31' where id = '{id}'"))
        .await;
    assert!(later.unwrap_err().as_db_error().unwrap().message().contains("is history"));
    let worker: uuid::Uuid = unit.qualified.strip_prefix("Worker:").unwrap().parse().unwrap();
    let token = support::token_for(worker, chrono::Duration::hours(1));
    let query = "query($id: ID!) { unit(id: $id) { allocations { totalCount } } }";
    let sees = async || {
        let answer: Value = server.raw(&token, query, json!({ "id": unit.id })).await.json().await.unwrap();
        answer["data"]["unit"]["allocations"]["totalCount"].as_i64().unwrap() > 0
    };
    assert!(sees().await);
    server.later(chrono::Duration::days(3));
    assert!(!sees().await, "nobody had to do anything");
}

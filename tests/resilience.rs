//! What breaks off, is killed, or comes two hundred times at once.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use crate::support::{
    self, Server, Setup, Socket, document, key, post,
    process::{Process, Redis},
};

/// Makes this many more cases for the queue, as a referral will.
async fn refer(database: &str, count: i32) -> Vec<String> {
    let client = support::connect("postgres", database).await;
    let rows = client
        .query(
            "with people as (
                 insert into persons (id, first_name, last_name, date_of_birth, sex)
                 select gen_random_uuid(), 'Referred', 'Child ' || n, '2018-01-01', 'U' from generate_series(1, $1) n returning id
             ), young as (insert into children (id) select id from people returning id)
             insert into cases (id, child_id, opened_on, status, primary_need)
             select gen_random_uuid(), id, '2026-11-18', 'REFERRED', 'N1' from young returning 'Case:' || id",
            &[&count],
        )
        .await
        .unwrap();
    let client = support::connect("postgres", database).await;
    client.batch_execute("update units set capacity_cases = 1000").await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

struct People {
    people: Vec<hearth::seed::DemoPerson>,
}

impl People {
    async fn of(database: &str) -> Self {
        Self { people: hearth::seed::demo_people(&support::url("hearth_seed", database)).await.unwrap() }
    }

    fn token(&self, variable: &str) -> String {
        let person = self.people.iter().find(|person| person.variable == variable).unwrap();
        support::token_for(person.worker_id, chrono::Duration::hours(1))
    }
}

async fn unit_id(database: &str, number: i32) -> String {
    let client = support::connect("postgres", database).await;
    client
        .query_one("select 'Unit:' || id from units where name like '%Unit ' || $1::text", &[&number.to_string()])
        .await
        .unwrap()
        .get(0)
}

async fn allocate(url: &str, token: &str, case: &str, unit: &str) {
    let input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": unit, "reason": "x", "expectedVersion": 1 });
    let query = document("allocateCase", "");
    let answer: Value =
        post(&reqwest::Client::new(), url, token, &query, json!({ "input": input })).await.json().await.unwrap();
    assert_eq!(answer["data"]["allocateCase"]["errors"], json!([]), "{answer}");
}

/// Every allocation, in the order of the cases, none twice.
async fn hears_all(socket: &mut Socket, cases: &[String]) {
    let mut seen = HashSet::new();
    for case in cases {
        let event = socket.item().await;
        assert_eq!(event["caseRef"]["caseId"], json!(case));
        assert!(seen.insert(event["eventId"].to_string()), "twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_of_one_process_hear_what_another_process_changes() {
    let database = support::database().await;
    let channel = support::unique("channel");
    let one = Process::start(&database, &support::redis_url(), &channel, 0).await;
    let two = Process::start(&database, &support::redis_url(), &channel, 0).await;
    let people = People::of(&database).await;
    let (three, seven) = (unit_id(&database, 3).await, unit_id(&database, 7).await);
    let mut sockets = Vec::new();
    for (person, unit) in [("CLINICIAN", &three), ("UNIT_COORDINATOR", &three), ("OTHER_UNIT", &seven)] {
        let mut socket = Socket::open(&one.socket_url(), &people.token(person)).await;
        socket.feed(unit, None).await;
        sockets.push(socket);
    }
    let cases = refer(&database, 10).await;
    for case in &cases {
        allocate(&two.graphql_url(), &people.token("FIRST_RESPONSE"), case, &three).await;
    }
    hears_all(&mut sockets[0], &cases).await;
    hears_all(&mut sockets[1], &cases).await;
    sockets[2].nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_killed_during_fifty_allocations_and_every_subscriber_has_all_fifty() {
    let mut redis = Redis::start().await;
    let database = support::database().await;
    let one = Process::start(&database, &redis.url(), "hearth", 0).await;
    let two = Process::start(&database, &redis.url(), "hearth", 0).await;
    let people = People::of(&database).await;
    let three = unit_id(&database, 3).await;
    let mut sockets = Vec::new();
    for process in [&one, &two, &one, &two] {
        let mut socket = Socket::open(&process.socket_url(), &people.token("CLINICIAN")).await;
        socket.feed(&three, None).await;
        sockets.push(socket);
    }
    let cases = refer(&database, 50).await;
    let token = people.token("FIRST_RESPONSE");
    for (at, case) in cases.iter().enumerate() {
        if at == 10 {
            redis.kill().await;
        }
        if at == 40 {
            // Redis is still away: what was committed meanwhile is here already.
            for socket in &mut sockets {
                hears_all(socket, &cases[..40]).await;
            }
            redis.again().await;
        }
        allocate(&one.graphql_url(), &token, case, &three).await;
    }
    for socket in &mut sockets {
        hears_all(socket, &cases[40..]).await;
        socket.nothing_more().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_with_the_relay_is_killed_and_the_other_takes_over() {
    let database = support::database().await;
    let channel = support::unique("channel");
    // The first one leads: it is alone.
    let mut leader = Process::start(&database, &support::redis_url(), &channel, 0).await;
    let other = Process::start(&database, &support::redis_url(), &channel, 0).await;
    let people = People::of(&database).await;
    let three = unit_id(&database, 3).await;
    let mut socket = Socket::open(&other.socket_url(), &people.token("CLINICIAN")).await;
    socket.feed(&three, None).await;
    let cases = refer(&database, 50).await;
    let token = people.token("FIRST_RESPONSE");
    for (at, case) in cases.iter().enumerate() {
        if at == 20 {
            leader.kill().await;
        }
        allocate(&other.graphql_url(), &token, case, &three).await;
    }
    hears_all(&mut socket, &cases).await;
    socket.nothing_more().await;
    let client = support::connect("postgres", &database).await;
    let query = "select count(*), min(seq), max(seq), count(distinct seq) from outbox";
    let row = client.query_one(query, &[]).await.unwrap();
    assert_eq!(
        (row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2), row.get::<_, i64>(3)),
        (50, 1, 50, 50),
        "the one order has no gap"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_allocate_one_case_at_once_and_one_unit_holds_it() {
    let server = Server::with(Setup { connections: Some(16), ..Setup::default() }).await;
    let case = refer(&server.database, 1).await.remove(0);
    let mut units = Vec::new();
    for number in 1..=8 {
        units.push(server.unit(number).await);
    }
    let query = document("allocateCase", "");
    let token = server.token("FIRST_RESPONSE");
    let (http, url) = (reqwest::Client::new(), server.graphql_url());
    let asked = (0..200).map(|at| {
        let input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": units[at % 8], "reason": "x", "expectedVersion": 1 });
        post(&http, &url, &token, &query, json!({ "input": input }))
    });
    let asked = futures_util::future::join_all(asked).await;
    let mut made = 0;
    for answer in asked {
        let answer: Value = answer.json().await.unwrap();
        let errors = answer["data"]["allocateCase"]["errors"].as_array();
        let hidden = answer["errors"][0]["extensions"]["code"] == "NOT_FOUND";
        let refused = errors.is_some_and(|errors| {
            ["Conflict", "VersionConflict"]
                .contains(&errors.first().map_or("", |error| error["__typename"].as_str().unwrap()))
        });
        made += usize::from(errors.is_some_and(Vec::is_empty));
        assert!(hidden || refused || errors.is_some_and(Vec::is_empty), "{answer}");
    }
    assert_eq!(made, 1);
    let client = support::connect("postgres", &server.database).await;
    let count: i64 = client
        .query_one("select count(*) from allocations where 'Case:' || case_id = $1", &[&case])
        .await
        .unwrap()
        .get(0);
    let events: i64 = client.query_one("select count(*) from outbox", &[]).await.unwrap().get(0);
    let keys: i64 = client.query_one("select count(*) from idempotency_keys", &[]).await.unwrap().get(0);
    assert_eq!((count, events, keys), (1, 1, 1), "what was refused left nothing behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_a_case_about_at_once_leaves_one_primary_at_every_instant() {
    let server = Server::with(Setup { connections: Some(16), ..Setup::default() }).await;
    let cases = refer(&server.database, 6).await;
    let three = server.unit(3).await;
    let seven = server.unit(7).await;
    // Allocating, asking for a transfer, accepting and ending, by everybody at once, over and over.
    for case in &cases {
        server.assessed(case).await;
    }
    let storms = cases.iter().map(|case| {
        let (server, three, seven) = (&server, &three, &seven);
        async move {
            for round in 0..6 {
                let query = "query($id: ID!) { case(id: $id) { version primaryAllocation { id } transfers { id state version } } }";
                let now = server.data("HEAD_OF_SERVICE", query, json!({ "id": case })).await;
                let version = &now["case"]["version"];
                let allocation = &now["case"]["primaryAllocation"]["id"];
                let transfer = &now["case"]["transfers"][0];
                let allocate = json!({ "idempotencyKey": key(), "caseId": case, "unitId": if round % 2 == 0 { three } else { seven },
                                       "reason": "x", "expectedVersion": version });
                let request = json!({ "idempotencyKey": key(), "caseId": case, "toUnitId": seven, "kind": "TO_CIN",
                                      "handoverSummary": "x", "expectedVersion": version });
                let end = json!({ "idempotencyKey": key(), "allocationId": allocation, "reason": "x", "expectedVersion": version });
                let accept = json!({ "idempotencyKey": key(), "transferId": transfer["id"], "expectedVersion": transfer["version"] });
                let mut asked: Vec<(&str, &str, Value)> =
                    vec![("HEAD_OF_SERVICE", "allocateCase", allocate), ("HEAD_OF_SERVICE", "requestTransfer", request)];
                if allocation.is_string() {
                    asked.push(("HEAD_OF_SERVICE", "endAllocation", end));
                }
                if transfer["state"] == "REQUESTED" {
                    asked.push(("OTHER_UNIT", "acceptTransfer", accept));
                }
                let asked = asked.into_iter().map(|(person, mutation, input)| async move {
                    let answer = server.answer(person, &document(mutation, ""), json!({ "input": input })).await;
                    let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("DATA").to_owned();
                    assert!(["DATA", "NOT_FOUND", "FORBIDDEN"].contains(&code.as_str()), "{mutation}: {answer}");
                });
                futures_util::future::join_all(asked).await;
            }
        }
    });
    futures_util::future::join_all(storms).await;
    let client = support::connect("postgres", &server.database).await;
    let overlaps: i64 = client
        .query_one(
            "select count(*) from allocations a join allocations b on a.case_id = b.case_id and a.id < b.id
             where a.kind = 'PRIMARY' and b.kind = 'PRIMARY'
               and tstzrange(a.started_at, a.ended_at) && tstzrange(b.started_at, b.ended_at)",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(overlaps, 0);
    // Each event belongs to a change that happened, and each change has its events.
    let (started, events): (i64, i64) = {
        let row = client
            .query_one(
                "select (select count(*) from allocations a join cases c on c.id = a.case_id where c.status <> 'CLOSED' and a.created_by is not null
                          and a.started_at >= '2026-11-18 10:00'),
                        (select count(*) from outbox where type = 'ALLOCATION_STARTED')",
                &[],
            )
            .await
            .unwrap();
        (row.get(0), row.get(1))
    };
    assert_eq!(started, events);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_whose_client_vanished_happened_wholly_or_not_at_all() {
    let server = Server::start().await;
    let cases = refer(&server.database, 40).await;
    let three = server.unit(3).await;
    let token = server.token("FIRST_RESPONSE");
    for (at, case) in cases.iter().enumerate() {
        let input =
            json!({ "idempotencyKey": key(), "caseId": case, "unitId": three, "reason": "x", "expectedVersion": 1 });
        let asking = {
            let (url, token) = (server.graphql_url(), token.clone());
            tokio::spawn(async move {
                let query = document("allocateCase", "case { id }");
                post(&reqwest::Client::new(), &url, &token, &query, json!({ "input": input })).await.text().await
            })
        };
        // Hangs up after a while that differs each time.
        let patience = Duration::from_micros(300 * at as u64);
        let _ = tokio::time::timeout(patience, async { std::future::pending::<()>().await }).await;
        asking.abort();
    }
    server.stop_signal().cancel();
    let database = server.database.clone();
    server.stop().await;
    let client = support::connect("postgres", &database).await;
    let row = client
        .query_one(
            "select count(*) filter (where a.id is not null), count(*) filter (where c.version = 2),
                    count(*) filter (where o.id is not null), count(*) filter (where w.id is not null),
                    (select count(*) from idempotency_keys where outcome <> '{}')
             from cases c left join allocations a on a.case_id = c.id left join outbox o on o.case_id = c.id
             left join worker_involvements w on w.case_id = c.id
             where 'Case:' || c.id = any($1)",
            &[&cases],
        )
        .await
        .unwrap();
    let counts: Vec<i64> = (0..5).map(|at| row.get(at)).collect();
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
    assert!(counts[0] > 0, "some were made");
}

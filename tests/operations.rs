//! Health, logs, and stopping.

use serde_json::{Value, json};

use crate::support::{
    self, Server, key, post,
    process::{Process, Redis},
};

#[tokio::test(flavor = "multi_thread")]
async fn readiness_tells_which_part_does_not_work() {
    let mut redis = Redis::start().await;
    let database = support::database().await;
    let process = Process::start(&database, &redis.url(), "hearth", 0).await;
    let base = format!("http://{}", process.address);
    let get = |path: &'static str| {
        let url = format!("{base}{path}");
        async move {
            let answer = reqwest::get(url).await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        }
    };
    assert_eq!(get("/healthz").await, (200, "ok\n".into()));
    redis.kill().await;
    let mut answer = get("/readyz").await;
    while answer.0 == 200 {
        answer = get("/readyz").await;
    }
    let body: Value = serde_json::from_str(&answer.1).unwrap();
    assert_eq!((answer.0, &body["parts"]["redis"], &body["parts"]["postgres"]), (503, &json!(false), &json!(true)));
    assert_eq!(get("/healthz").await.0, 200);
    redis.again().await;
    while get("/readyz").await.0 != 200 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_ask_for_readiness_make_the_database_work_no_harder() {
    let server = Server::start().await;
    server.statements();
    let began = std::time::Instant::now();
    let url = format!("http://{}/readyz", server.address);
    let answers = futures_util::future::join_all((0..50).map(|_| reqwest::get(&url))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 200));
    // As many as there were seconds, and the one that had begun.
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    let asked = server.statements().iter().filter(|text| text.contains("__diesel_schema_migrations")).count();
    assert!(asked <= seconds + 1, "{asked} times in {seconds} seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unmigrated_database_is_not_ready() {
    let database = support::unique("hearth_bare");
    let admin = support::connect("postgres", "postgres").await;
    admin.batch_execute(&format!("create database {database} owner hearth_owner")).await.unwrap();
    let db = hearth::db::Db::new(&support::url("hearth_app", &database), 1, None).unwrap();
    assert!(db.migrated().await.is_err());
    hearth::db::migrations::run(&support::url("hearth_owner", &database)).await.unwrap();
    assert!(db.migrated().await.unwrap());
    // Twice is nothing.
    assert!(hearth::db::migrations::run(&support::url("hearth_owner", &database)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_closes_sockets_with_a_code_on_which_clients_retry() {
    let server = Server::start().await;
    let mut socket = server.socket("CLINICIAN").await;
    socket.feed(&server.unit(3).await, None).await;
    server.stop_signal().cancel();
    assert_eq!(socket.closed().await, 1012);
    drop(socket);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_a_mutation_that_has_begun() {
    let server = Server::start().await;
    let (case, version) = server.queued().await;
    let unit = server.unit(3).await;
    // Holds the case, so that the mutation must wait while the server is told to stop.
    let client = support::connect("postgres", &server.database).await;
    let id: uuid::Uuid = case.strip_prefix("Case:").unwrap().parse().unwrap();
    let (high, low) = id.as_u64_pair();
    client.batch_execute(&format!("select pg_advisory_lock({})", (high ^ low).cast_signed())).await.unwrap();
    let input =
        json!({ "idempotencyKey": key(), "caseId": case, "unitId": unit, "reason": "x", "expectedVersion": version });
    let (url, token) = (server.graphql_url(), server.token("FIRST_RESPONSE"));
    let asked = tokio::spawn(async move {
        let query = support::document("allocateCase", "");
        post(&reqwest::Client::new(), &url, &token, &query, json!({ "input": input }))
            .await
            .json::<Value>()
            .await
            .unwrap()
    });
    let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted";
    while client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
    let database = server.database.clone();
    let stopping = tokio::spawn(server.stop());
    client.batch_execute("select pg_advisory_unlock_all()").await.unwrap();
    let answer = asked.await.unwrap();
    assert_eq!(answer["data"]["allocateCase"]["errors"], json!([]), "{answer}");
    stopping.await.unwrap();
    let client = support::connect("postgres", &database).await;
    let query = "select count(*) from allocations where case_id = $1";
    assert_eq!(client.query_one(query, &[&id]).await.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_structured_and_hold_no_record_content() {
    let database = support::database().await;
    let mut process = Process::start(&database, &support::redis_url(), &support::unique("channel"), 0).await;
    let people = hearth::seed::demo_people(&support::url("hearth_seed", &database)).await.unwrap();
    let token = |variable: &str| {
        let person = people.iter().find(|person| person.variable == variable).unwrap();
        support::token_for(person.worker_id, chrono::Duration::hours(1))
    };
    let http = reqwest::Client::new();
    let query = "{ children(first: 100) { nodes { firstName lastName addresses { line } } } }";
    let answer: Value =
        post(&http, &process.graphql_url(), &token("HEAD_OF_SERVICE"), query, json!({})).await.json().await.unwrap();
    let children = answer["data"]["children"]["nodes"].as_array().unwrap();
    let secret = "Zanzibar-canary";
    let input = json!({ "idempotencyKey": key(), "caseId": "Case:x", "unitId": secret, "reason": secret, "expectedVersion": 1 });
    for variables in [json!({ "input": input }), json!({ "input": { "reason": secret } })] {
        post(
            &http,
            &process.graphql_url(),
            &token("FIRST_RESPONSE"),
            &support::document("allocateCase", ""),
            variables,
        )
        .await;
    }
    post(
        &http,
        &process.graphql_url(),
        &token("CLINICIAN"),
        &format!("{{ child(id: \"{secret}\") {{ id }} }}"),
        json!({}),
    )
    .await;
    process.terminate().await;
    let log = process.log.lock().unwrap().clone();
    assert!(log.contains("stopped"), "{log}");
    assert!(!log.contains(secret));
    for child in children {
        for name in ["firstName", "lastName"] {
            let name = child[name].as_str().unwrap();
            assert!(name.len() < 4 || !log.contains(name), "{name} is in the log");
        }
    }
}

#[test]
fn tokens_are_refused_unless_the_environment_says_development() {
    let run = |environment: &str, secret: &str| {
        std::process::Command::new(env!("CARGO_BIN_EXE_hearth"))
            .args(["token", "--worker", "0190d5f0-0000-7000-8000-000000000001"])
            .env("HEARTH_ENV", environment)
            .env("HEARTH_TOKEN_SECRET", secret)
            .env_remove("HEARTH_SEED_DATABASE_URL")
            .output()
            .unwrap()
    };
    let minted = run("development", support::SECRET);
    assert!(minted.status.success());
    for (environment, secret) in [("production", support::SECRET), ("development", "short"), ("", support::SECRET)] {
        let refused = run(environment, secret);
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{environment} {secret}");
        assert!(!refused.stderr.is_empty());
    }
}

#[test]
fn a_taken_address_is_told_with_a_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hearth"))
        .arg("serve")
        .env("HEARTH_ENV", "development")
        .env("HEARTH_TOKEN_SECRET", support::SECRET)
        .env("HEARTH_CURSOR_KEY", support::CURSOR_KEY)
        .env("HEARTH_APP_DATABASE_URL", "postgres://localhost/none")
        .env("HEARTH_RELAY_DATABASE_URL", "postgres://localhost/none")
        .env("HEARTH_BUS_DATABASE_URL", "postgres://localhost/none")
        .env("HEARTH_REDIS_URL", "redis://localhost")
        .env("HEARTH_LISTEN", taken.local_addr().unwrap().to_string())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("cannot listen") && said.contains("--listen"), "{said}");
}

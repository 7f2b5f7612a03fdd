//! Other people's clients, untouched.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    mutations_support::{accept, request_transfer},
    support::{self, Server, document, key, post, process::Process, socket::FEED},
};

/// Where the npm packages are.
pub fn node_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/node")
}

/// A script of that folder.
pub fn node(script: &str) -> Command {
    let folder = node_folder();
    assert!(folder.join("node_modules").is_dir(), "the npm packages are not installed: run the tests with script/test");
    let mut command = Command::new("node");
    command.arg(folder.join(script)).current_dir(folder).kill_on_drop(true);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn all_audits_of_graphql_http_pass() {
    let server = Server::start().await;
    let output = node("audits.mjs")
        .env("HEARTH_URL", server.graphql_url())
        .env("HEARTH_TOKEN", server.token("CLINICIAN"))
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let summary: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["total"], &summary["ok"]), (&json!(61), &json!(61)), "{said}");
    assert!(output.status.success());
}

/// graphql-ws or graphql-sse, driven over a pipe.
struct Clients {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// What came for another client while one was waited for.
    kept: Vec<Value>,
}

impl Clients {
    /// graphql-ws.
    fn start(url: &str) -> Self {
        Self::run("subscriber.mjs", "HEARTH_WS_URL", url)
    }

    /// graphql-sse.
    fn streaming(url: &str) -> Self {
        Self::run("streamer.mjs", "HEARTH_URL", url)
    }

    fn run(script: &str, variable: &str, url: &str) -> Self {
        let mut child = node(script).env(variable, url).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, lines, kept: Vec::new() }
    }

    async fn say(&mut self, command: Value) {
        self.stdin.write_all(format!("{command}\n").as_bytes()).await.unwrap();
    }

    /// The next line for this client that tells of one of these.
    async fn hear(&mut self, id: &str, on: &[&str]) -> Value {
        let wanted = |line: &Value| line["id"] == id && on.contains(&line["on"].as_str().unwrap_or_default());
        if let Some(at) = self.kept.iter().position(wanted) {
            return self.kept.remove(at);
        }
        loop {
            let line = tokio::time::timeout(Duration::from_secs(30), self.lines.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("{id} heard nothing of {on:?}; kept: {:?}", self.kept));
            let line: Value = serde_json::from_str(&line.unwrap().expect("the client ended")).unwrap();
            if wanted(&line) {
                return line;
            }
            self.kept.push(line);
        }
    }

    async fn item(&mut self, id: &str) -> Value {
        let mut line = self.hear(id, &["next", "error"]).await;
        assert_eq!(line["on"], "next", "{line}");
        assert_eq!(line["errors"], Value::Null, "{line}");
        line["data"]["unitFeed"].take()
    }

    /// Opens a feed, and waits until it is open.
    async fn feed(&mut self, id: &str, token: &str, unit: &str, after: Option<&str>, retry: bool) -> Value {
        let variables = json!({ "unitId": unit, "after": after });
        self.say(json!({ "op": "open", "id": id, "token": token, "query": FEED, "variables": variables,
                         "keepCursor": true, "retry": retry }))
            .await;
        let opened = self.item(id).await;
        assert_eq!(opened["__typename"], "FeedOpened");
        opened
    }

    async fn quit(mut self) {
        self.say(json!({ "op": "quit" })).await;
        self.child.wait().await.unwrap();
    }
}

/// The main job, with two members of unit 3 and one of unit 7.
async fn main_job(server: &Server, clients: &mut Clients) {
    let (three, seven) = (server.unit(3).await, server.unit(7).await);
    for (id, person, unit) in
        [("a", "CLINICIAN", &three), ("b", "UNIT_COORDINATOR", &three), ("c", "OTHER_UNIT_COORDINATOR", &seven)]
    {
        clients.feed(id, &server.token(person), unit, None, false).await;
    }
    // An allocation to unit 3 reaches the two and not the third.
    let (case, version) = server.allocated_to(3).await;
    for id in ["a", "b"] {
        let event = clients.item(id).await;
        assert_eq!((&event["type"], &event["caseRef"]["caseId"]), (&json!("ALLOCATION_STARTED"), &json!(case)));
    }
    // A transfer to unit 7 reaches all three; for the third it is the first that it hears.
    let transfer = request_transfer(server, &case, 7, version).await;
    let mut last = Value::Null;
    for id in ["a", "b", "c"] {
        let event = clients.item(id).await;
        assert_eq!((&event["type"], &event["caseRef"]["caseId"]), (&json!("TRANSFER_REQUESTED"), &json!(case)), "{id}");
        if id == "b" {
            last = event["cursor"].clone();
        }
    }
    // The second one's socket closes before the transfer is accepted.
    clients.say(json!({ "op": "close", "id": "b" })).await;
    clients.hear("b", &["disposed"]).await;
    accept(server, &transfer).await;
    let moved = ["ALLOCATION_ENDED", "ALLOCATION_STARTED", "INVOLVEMENT_CHANGED", "TRANSFER_COMPLETED"];
    for id in ["a", "c"] {
        for kind in moved {
            assert_eq!(clients.item(id).await["type"], kind, "{id}");
        }
    }
    // The next conference change reaches only the third.
    server.conference_called_for(&[&case]).await;
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    server.done("OTHER_UNIT", "requestConference", "", input).await;
    assert_eq!(clients.item("c").await["type"], "CONFERENCE_REQUESTED");
    // Resumed with its cursor, the second gets exactly what it missed: the move, and nothing of the conference. The
    // next allocation to unit 3 proves that nothing lay between.
    clients.feed("b2", &server.token("UNIT_COORDINATOR"), &three, last.as_str(), false).await;
    let (next, _) = server.allocated_to(3).await;
    for kind in moved {
        let event = clients.item("b2").await;
        assert_eq!((&event["type"], &event["caseRef"]["caseId"]), (&json!(kind), &json!(case)));
    }
    for id in ["a", "b2"] {
        let event = clients.item(id).await;
        assert_eq!((&event["type"], &event["caseRef"]["caseId"]), (&json!("ALLOCATION_STARTED"), &json!(next)), "{id}");
    }
    // And the third hears nothing of it: the next that it hears is its own.
    let (own, _) = server.allocated_to(7).await;
    assert_eq!(clients.item("c").await["caseRef"]["caseId"], json!(own));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_with_graphql_ws() {
    let server = Server::start().await;
    let mut clients = Clients::start(&format!("ws://{}/graphql", server.address));
    main_job(&server, &mut clients).await;
    clients.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_with_graphql_sse() {
    let server = Server::start().await;
    let mut clients = Clients::streaming(&server.graphql_url());
    main_job(&server, &mut clients).await;
    clients.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_with_subscribers_on_one_process_and_changes_on_another() {
    let server = Server::start().await;
    let other = Process::start(&server.database, &support::redis_url(), &server.channel, 0).await;
    let mut clients = Clients::start(&other.socket_url());
    main_job(&server, &mut clients).await;
    clients.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reconnects_by_itself_through_a_restart_misses_nothing() {
    restarts(|process| Clients::start(&process.socket_url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_that_reconnects_by_itself_through_a_restart_misses_nothing() {
    restarts(|process| Clients::streaming(&process.graphql_url())).await;
}

/// Once killed, once asked to stop, with changes before, meanwhile and after.
async fn restarts(start: impl Fn(&Process) -> Clients) {
    let database = support::database().await;
    let channel = support::unique("channel");
    let people = hearth::seed::demo_people(&support::url("hearth_seed", &database)).await.unwrap();
    let token = |variable: &str| {
        let person = people.iter().find(|person| person.variable == variable).unwrap();
        support::token_for(person.worker_id, chrono::Duration::hours(1))
    };
    let mut restarting = Process::start(&database, &support::redis_url(), &channel, 0).await;
    let staying = Process::start(&database, &support::redis_url(), &channel, 0).await;
    let client = support::connect("postgres", &database).await;
    let three: String =
        client.query_one("select 'Unit:' || id from units where name like '%Unit 3'", &[]).await.unwrap().get(0);
    let mut queue: Vec<(String, i32)> = client
        .query(
            "select 'Case:' || id, version from cases c where closed_on is null and not exists
             (select from allocations a where a.case_id = c.id and a.ended_at is null and a.kind = 'PRIMARY')",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let allocate = async |case: &(String, i32)| {
        let input = json!({ "idempotencyKey": key(), "caseId": case.0, "unitId": three, "reason": "x", "expectedVersion": case.1 });
        let variables = json!({ "input": input });
        let query = document("allocateCase", "");
        let answer =
            post(&reqwest::Client::new(), &staying.graphql_url(), &token("FIRST_RESPONSE"), &query, variables).await;
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["data"]["allocateCase"]["errors"], json!([]), "{answer}");
    };
    let mut clients = start(&restarting);
    clients.feed("a", &token("CLINICIAN"), &three, None, true).await;
    let mut expected = Vec::new();
    for stop in [false, true] {
        let case = queue.pop().unwrap();
        allocate(&case).await;
        expected.push(case.0);
        assert_eq!(clients.item("a").await["caseRef"]["caseId"], json!(expected.last()));
        // Once asked to stop, once killed; changed meanwhile.
        let port = restarting.address.port();
        if stop {
            restarting.terminate().await;
        } else {
            restarting.kill().await;
        }
        for _ in 0..2 {
            let case = queue.pop().unwrap();
            allocate(&case).await;
            expected.push(case.0);
        }
        restarting = Process::start(&database, &support::redis_url(), &channel, port).await;
        let case = queue.pop().unwrap();
        allocate(&case).await;
        expected.push(case.0);
        let mut heard = Vec::new();
        while heard.len() < 3 {
            let item = clients.item("a").await;
            if item["__typename"] != "FeedOpened" {
                heard.push(item["caseRef"]["caseId"].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(heard, expected[expected.len() - 3..]);
    }
    clients.quit().await;
}

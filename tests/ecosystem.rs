//! The clients that apps are written with, untouched: Relay, graphql-codegen, urql, Apollo Client.
//!
//! Each is a script of `tests/node` that prints a line a step. What it must have printed is read here by plain
//! requests: a board of unit 3, and the case at the head of the queue, which the script gives to the unit and then asks
//! unit 7 to take over.

use std::{collections::HashMap, path::Path};

use hearth::config::DocumentMode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::{
    clients::{node, node_folder},
    support::{Server, Setup},
};

/// Runs a command to its good end; answers what it printed.
async fn run(command: &mut Command) -> String {
    let output = command.output().await.unwrap();
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{said}\n{told}", output.status);
    said.into_owned()
}

/// A tool of an npm package.
fn tool(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(node_folder().join("node_modules/.bin").join(name));
    command.current_dir(folder).kill_on_drop(true);
    command
}

/// What a client has to see.
struct Seen {
    unit: Value,
    /// Number and version of the first cases of the unit's board.
    board: Vec<(i64, i64)>,
    /// Number and version of the case at the head of the queue.
    queued: (i64, i64),
    steps: HashMap<String, Value>,
}

impl Seen {
    /// Runs a client.
    async fn by(script: &str) -> Self {
        Self::with(script, &[]).await
    }

    /// Runs a client with these variables.
    async fn with(script: &str, variables: &[(&str, &str)]) -> Self {
        let server = Server::start().await;
        let unit = server.unit(3).await;
        let query = "query($id: ID!) { unit(id: $id) { name allocations(first: 6) { totalCount
            nodes { case { caseNo version status openedOn child { displayName } } } } } }";
        let mut data = server.data("CLINICIAN", query, json!({ "id": unit })).await;
        let pair = |case: &Value| (case["caseNo"].as_i64().unwrap(), case["version"].as_i64().unwrap());
        let nodes = data["unit"]["allocations"]["nodes"].as_array().unwrap();
        let board = nodes.iter().map(|node| pair(&node["case"])).collect();
        let query = "{ unallocatedCases(first: 1) { nodes { caseNo version } } }";
        let queue = server.data("FIRST_RESPONSE", query, json!({})).await;
        let queued = pair(&queue["unallocatedCases"]["nodes"][0]);
        let mut command = node(script);
        command
            .env("HEARTH_URL", server.graphql_url())
            .env("HEARTH_WS_URL", format!("ws://{}/graphql", server.address))
            .env("HEARTH_UNIT_ID", unit)
            .env("HEARTH_OTHER_UNIT_ID", server.unit(2).await)
            .envs(variables.iter().copied());
        for person in ["CLINICIAN", "CONSULTANT_SOCIAL_WORKER", "FIRST_RESPONSE"] {
            command.env(format!("HEARTH_TOKEN_{person}"), server.token(person));
        }
        let said = run(&mut command).await;
        let steps = said.lines().map(|line| {
            let mut step: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no step: {line}"));
            let name = step["step"].as_str().unwrap().to_owned();
            step.as_object_mut().unwrap().remove("step");
            (name, step)
        });
        Self { unit: data["unit"].take(), board, queued, steps: steps.collect() }
    }

    fn step(&self, name: &str) -> &Value {
        self.steps.get(name).unwrap_or_else(|| panic!("no step {name}: {:?}", self.steps))
    }

    /// Numbers of the first cases of the board.
    fn numbers(&self, count: usize) -> Vec<i64> {
        self.board[..count].iter().map(|case| case.0).collect()
    }

    /// The version of the queued case after it was allocated, and after a transfer of it was asked for.
    fn versions(&self) -> (i64, i64) {
        (self.queued.1 + 1, self.queued.1 + 2)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_compiles_and_runs() {
    let relay = node_folder().join("relay");
    run(tool("relay-compiler", &relay).args(["--noWatchman", "relay.config.json"])).await;
    let seen = Seen::by("relay/run.mjs").await;
    let (allocated, asked) = seen.versions();
    let case =
        |&(number, version): &(i64, i64)| json!({ "caseNo": number, "version": version, "isMissingData": false });

    // The board through a fragment, its second page through the connection.
    let mut board = json!({
        "typename": "Unit", "name": seen.unit["name"], "isMissingData": false, "hasNextPage": true,
        "totalCount": seen.unit["allocations"]["totalCount"],
        "cases": seen.board[..3].iter().map(case).collect::<Vec<_>>(),
    });
    assert_eq!(seen.step("board"), &board);
    board.as_object_mut().unwrap().remove("typename");
    board["cases"] = seen.board.iter().map(case).collect();
    assert_eq!(seen.step("second page"), &board);
    let viewer = seen.step("viewer");
    assert_eq!((&viewer["before"], &viewer["after"]), (&json!(2), &json!(5)));

    // The feed puts a new allocation on top of the board, and changes a case in its place.
    assert_eq!(seen.step("feed opened")["item"]["__typename"], "FeedOpened");
    assert_eq!(seen.step("allocated"), &json!({ "errors": [], "allocation": null }));
    let pushed = seen.step("pushed to the board");
    assert_eq!(pushed["item"]["type"], "ALLOCATION_STARTED");
    assert_eq!(pushed["item"]["actor"]["role"], "FIRST_RESPONSE");
    assert_eq!(pushed["item"]["allocation"], seen.queued.0);
    board["cases"].as_array_mut().unwrap().insert(0, case(&(seen.queued.0, allocated)));
    assert_eq!(pushed["board"], board);
    let transfer = seen.step("transfer");
    assert_eq!((&transfer["errors"], &transfer["transfer"]["state"]), (&json!([]), &json!("REQUESTED")));
    let pushed = seen.step("pushed to the case");
    let item = json!({ "__typename": "TransferEvent", "transferState": "REQUESTED", "ref": seen.queued.0,
                       "entity": "Transfer" });
    assert_eq!(pushed["item"], item);
    assert_eq!(pushed["shown"], json!({ "version": asked }));

    // What is refused, and what fails.
    let refused = &seen.step("refused")["errors"];
    assert_eq!((&refused[0]["__typename"], &refused[0]["currentVersion"]), (&json!("VersionConflict"), &json!(asked)));
    assert_eq!(seen.step("forbidden"), &json!({ "payload": null, "codes": ["FORBIDDEN"], "status": 294 }));
    let invalid = json!({ "name": "RelayNetwork", "codes": ["BAD_USER_INPUT"], "status": 400 });
    assert_eq!(seen.step("invalid"), &invalid);
    let failed = json!({ "ok": false, "errors": [{ "extensions": { "code": "BAD_USER_INPUT", "field": "after" } }] });
    let partial = json!({ "unit": { "name": seen.unit["name"], "allocations": failed }, "status": 294 });
    assert_eq!(seen.step("partial"), &partial);
    assert_eq!(seen.step("feed of another unit"), &json!({ "codes": ["NOT_FOUND"] }));

    // Any record by its id.
    assert_eq!(seen.step("case again"), &case(&(seen.queued.0, asked)));
    // Relay throws at little, it warns: of a missing field, of one id for records of two types.
    assert_eq!(seen.step("warnings"), &json!({ "warnings": [], "media": ["application/graphql-response+json"] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_documents_of_graphql_codegen_compile_under_strict_and_run() {
    run(&mut node("codegen/generate.mjs")).await;
    let folder = node_folder().join("codegen");
    let persisted = std::fs::read_to_string(folder.join("generated/persisted-documents.json")).unwrap();
    let persisted: HashMap<String, String> = serde_json::from_str(&persisted).unwrap();
    assert_eq!(persisted.len(), 5, "{persisted:?}");
    for (id, text) in &persisted {
        assert_eq!(id, &format!("sha256:{:x}", Sha256::digest(text)));
    }
    // The manifest as it was written is one of trusted documents.
    let documents = Some((DocumentMode::Only, Some(folder.join("generated/persisted-documents.json"))));
    let trusting = Server::with(Setup { documents, ..Setup::default() }).await;
    let token = trusting.token("CLINICIAN");
    for id in persisted.keys() {
        let answer = reqwest::Client::new().post(trusting.graphql_url()).bearer_auth(&token);
        let answer = answer.json(&json!({ "documentId": id })).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        // Found: what it misses is a variable.
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    }
    // A line that the types should refuse and do not fails this too: see @ts-expect-error there.
    run(tool("tsc", &folder).args(["-p", "."])).await;
    let seen = Seen::by("codegen/app.js").await;
    let (_, asked) = seen.versions();

    let board = seen.step("board");
    let of_board = (&board["name"], &board["service"], &board["kinds"], &board["started"]);
    let expected = (&seen.unit["name"], &json!("ACCESS_ASSESSMENT"), &json!(["PRIMARY", "PRIMARY"]), &json!(true));
    assert_eq!(of_board, expected);
    let nodes = seen.unit["allocations"]["nodes"].as_array().unwrap();
    for (line, node) in board["lines"].as_array().unwrap().iter().zip(nodes) {
        let case = &node["case"];
        let (status, child) = (case["status"].as_str().unwrap(), case["child"]["displayName"].as_str().unwrap());
        let year = &case["openedOn"].as_str().unwrap()[..4];
        assert_eq!(line, &json!(format!("{} {status} since {year} open: {child}", case["caseNo"])));
    }
    assert_eq!(seen.step("record"), &json!({ "name": seen.unit["name"] }));
    assert_eq!(seen.step("feed"), &json!({ "told": "opened" }));
    assert_eq!(seen.step("allocated"), &json!({ "errors": [], "told": "ALLOCATION_STARTED PRIMARY" }));
    let transfer = json!({ "state": "REQUESTED", "respondedAt": null, "refused": [],
                           "told": "TRANSFER_REQUESTED REQUESTED not yet" });
    assert_eq!(seen.step("transfer"), &transfer);
    assert_eq!(seen.step("refused"), &json!({ "refused": [format!("read version {asked}")] }));
    assert_eq!(seen.step("forbidden"), &json!({ "payload": null, "codes": ["FORBIDDEN"] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn urql_runs_with_both_of_its_caches() {
    let seen = Seen::by("urql.mjs").await;
    let (allocated, asked) = seen.versions();

    // It asks by GET, and a second time its cache.
    let get = json!([{ "method": "GET", "status": 200, "type": "application/graphql-response+json" }]);
    let board = json!({
        "name": seen.unit["name"], "totalCount": seen.unit["allocations"]["totalCount"],
        "cases": seen.numbers(3), "asked": get, "again": seen.numbers(3),
    });
    assert_eq!(seen.step("board"), &board);
    assert_eq!(seen.step("feed opened"), &json!({ "typename": "FeedOpened" }));
    assert_eq!(seen.step("allocated")["errors"], json!([]));
    let item = &seen.step("pushed")["item"];
    assert_eq!((&item["type"], &item["actor"]["role"]), (&json!("ALLOCATION_STARTED"), &json!("FIRST_RESPONSE")));
    let case = &item["allocation"]["case"];
    assert_eq!((&case["caseNo"], &case["version"]), (&json!(seen.queued.0), &json!(allocated)));
    let transfer = seen.step("transfer");
    assert_eq!((&transfer["errors"], &transfer["transfer"]["state"]), (&json!([]), &json!("REQUESTED")));
    let item = &seen.step("pushed too")["item"];
    assert_eq!((&item["transferState"], &item["case"]["version"]), (&json!("REQUESTED"), &json!(asked)));

    let refused = &seen.step("refused")["errors"];
    assert_eq!((&refused[0]["__typename"], &refused[0]["currentVersion"]), (&json!("VersionConflict"), &json!(asked)));
    let forbidden = json!({ "data": { "requestTransfer": null }, "codes": ["FORBIDDEN"], "status": 294 });
    assert_eq!(seen.step("forbidden"), &forbidden);
    let partial = json!({ "name": seen.unit["name"], "allocations": null, "codes": ["BAD_USER_INPUT"],
                          "path": ["unit", "allocations"], "status": 294 });
    assert_eq!(seen.step("partial"), &partial);
    let invalid = seen.step("invalid");
    assert_eq!((&invalid["data"], &invalid["status"]), (&Value::Null, &json!(400)));
    assert_eq!(invalid["codes"][0], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(seen.step("feed of another unit"), &json!({ "codes": ["NOT_FOUND"] }));

    // The case that the first half allocated stands on top of the board by now.
    let pages = seen.step("pages");
    let mut expected = vec![seen.queued.0];
    expected.extend(seen.numbers(5));
    assert_eq!((&pages["one"], &pages["both"]), (&json!(expected[..3]), &json!(expected)));
    assert_eq!(pages["hasNextPage"], true);
    // Graphcache reads what a page or a push has brought by another query, and a push changes it: no further query than
    // for the two pages.
    let cache = seen.step("cache");
    assert_eq!(cache["shown"]["read"], cache["shown"]["sent"]);
    let (before, after) = (cache["pushed"]["before"].as_i64().unwrap(), cache["pushed"]["after"].as_i64().unwrap());
    assert_eq!(after, before + 1);
    assert_eq!(cache["queries"], 2);
    assert_eq!(seen.step("warnings"), &json!({ "warnings": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn apollo_client_runs_with_possible_types_from_introspection() {
    let seen = Seen::by("apollo.mjs").await;
    let (allocated, asked) = seen.versions();
    let sent = json!({ "status": 200, "type": "application/graphql-response+json", "text": true, "hash": false });

    let possible = seen.step("possible types");
    for (interface, member) in [("UserError", "VersionConflict"), ("FeedItem", "TransferEvent")] {
        assert!(possible[interface].as_array().unwrap().contains(&json!(member)), "{possible}");
    }
    let board = seen.step("board");
    assert_eq!((&board["name"], &board["cases"]), (&seen.unit["name"], &json!(seen.numbers(3))));
    assert_eq!(board["exchanges"], json!([sent]));
    let pages = seen.step("pages");
    assert_eq!((&pages["cases"], &pages["hasNextPage"]), (&json!(seen.numbers(6)), &json!(true)));

    // The feed writes into the board without a query.
    assert_eq!(seen.step("feed opened"), &json!({ "typename": "FeedOpened" }));
    assert_eq!(seen.step("allocated"), &json!({ "errors": [] }));
    let item = &seen.step("pushed")["item"];
    assert_eq!(item["type"], "ALLOCATION_STARTED");
    let case = &item["allocation"]["case"];
    assert_eq!((&case["caseNo"], &case["version"]), (&json!(seen.queued.0), &json!(allocated)));
    let transfer = &seen.step("transfer")["payload"];
    assert_eq!((&transfer["errors"], &transfer["transfer"]["state"]), (&json!([]), &json!("REQUESTED")));
    let pushed = seen.step("pushed into the board");
    assert_eq!(pushed["item"]["transferState"], "REQUESTED");
    assert_eq!((&pushed["before"], &pushed["after"]), (&json!(allocated), &json!(asked)));
    assert_eq!(pushed["queries"], 0);
    let record = &seen.step("record")["node"];
    assert_eq!((&record["__typename"], &record["caseNo"]), (&json!("Case"), &json!(seen.queued.0)));
    assert_eq!(record["version"], asked);

    // The cache reads a fragment on UserError back, since it knows who implements it.
    let refused = &seen.step("refused")["errors"];
    assert_eq!((&refused[0]["__typename"], &refused[0]["currentVersion"]), (&json!("VersionConflict"), &json!(asked)));
    for (step, status, code) in [
        ("forbidden", 294, "FORBIDDEN"),
        ("partial", 294, "BAD_USER_INPUT"),
        ("invalid", 400, "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let failed = seen.step(step);
        assert_eq!((&failed["codes"][0], &failed["status"]), (&json!(code), &json!(status)), "{step}");
    }
    assert_eq!(seen.step("forbidden")["name"], "CombinedGraphQLErrors");
    let partial = seen.step("partial");
    assert_eq!((&partial["name"], &partial["allocations"]), (&seen.unit["name"], &Value::Null));
    assert_eq!(seen.step("feed of another unit"), &json!({ "codes": ["NOT_FOUND"] }));
    assert_eq!(seen.step("warnings"), &json!({ "warnings": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn apollo_client_sends_hashes_and_the_text_once() {
    let seen = Seen::with("apollo.mjs", &[("HEARTH_APQ", "1")]).await;
    let media = "application/graphql-response+json";
    let exchange = |status: u16, text: bool| json!({ "status": status, "type": media, "text": text, "hash": true });
    assert_eq!(seen.step("board")["exchanges"], json!([exchange(400, false), exchange(200, true)]));
    assert_eq!(seen.step("board")["cases"], json!(seen.numbers(3)));
    assert_eq!(seen.step("refetched")["exchange"], exchange(200, false));
    assert_eq!(seen.step("invalid")["codes"][0], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(seen.step("warnings"), &json!({ "warnings": [] }));
}

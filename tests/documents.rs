//! Documents: which are valid, how large they may be, which are trusted.

use std::{path::PathBuf, process::Stdio};

use hearth::config::{DocumentMode, Limits};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    clients::node,
    support::{self, Server, Setup, socket::FEED},
};

const JSON: &str = "application/json";
const RESPONSE: &str = "application/graphql-response+json";

fn lists() -> Value {
    serde_json::from_str(include_str!("documents.json")).unwrap()
}

fn list(name: &str) -> Vec<Value> {
    lists()[name].as_array().unwrap().clone()
}

/// A request with this body, as CLINICIAN: status and answer.
async fn ask(server: &Server, accept: &str, body: Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(server.graphql_url()).bearer_auth(server.token("CLINICIAN"));
    let response = request.header("accept", accept).json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The same by GET.
async fn get(server: &Server, parameters: &[(&str, &str)]) -> (u16, Value) {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let request = reqwest::Client::new().get(format!("{}?{}", server.graphql_url(), query.join("&")));
    let response = request.bearer_auth(server.token("CLINICIAN")).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error: {answer}"))
}

fn hash(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

fn persisted(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_graphql_js_refuses_is_refused_before_anything_runs() {
    let server = Server::start().await;
    server.statements();
    let invalid = list("invalid");
    assert!(invalid.len() >= 64);
    for one in invalid {
        let (rule, document) = (one["rule"].as_str().unwrap(), &one["document"]);
        let (status, answer) = ask(&server, RESPONSE, json!({ "query": document, "operationName": null })).await;
        assert_eq!((status, answer.get("data")), (400, None), "{rule}: {document}: {answer}");
        let expected = match rule {
            "syntax" => "GRAPHQL_PARSE_FAILED",
            "MaxIntrospectionDepthRule" => "QUERY_TOO_COMPLEX",
            _ => "GRAPHQL_VALIDATION_FAILED",
        };
        for error in answer["errors"].as_array().unwrap() {
            assert_eq!(error["extensions"]["code"], expected, "{rule}: {document}: {answer}");
        }
    }
    assert_eq!(server.statements(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_valid_runs_however_odd_it_looks() {
    let server = Server::start().await;
    let valid = list("valid");
    assert!(valid.len() >= 25);
    for one in valid {
        let (why, document) = (&one["why"], one["document"].as_str().unwrap());
        let body = json!({ "query": document, "variables": one["variables"], "operationName": one["operationName"] });
        let (status, answer) = ask(&server, JSON, body).await;
        if document.starts_with("subscription") {
            // Valid, but not for this address: known only after validation.
            assert_eq!((status, code(&answer)), (400, "BAD_USER_INPUT"), "{why}: {document}: {answer}");
        } else {
            assert_eq!(status, 200, "{why}: {document}: {answer}");
            assert!(answer.get("data").is_some(), "{why}: {document}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_graphql_js_takes_and_this_server_refuses_is_a_list_too() {
    let server = Server::start().await;
    for one in list("stricter") {
        let (status, answer) = ask(&server, RESPONSE, json!({ "query": one["document"] })).await;
        assert_eq!((status, answer.get("data"), code(&answer)), (400, None, one["code"].as_str().unwrap()), "{one}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_js_judges_the_lists_alike() {
    let output = node("documents.mjs").output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let summary: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["faults"], &summary["invalid"]), (&json!(0), &json!(list("invalid").len())), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn escapes_and_long_numbers_mean_what_they_say() {
    let server = Server::start().await;
    let unit = server.unit(3).await;
    let rest = unit.strip_prefix("Unit:").unwrap();
    for id in [
        format!(r#""\u{{55}}nit:{rest}""#),
        format!(r#""\u0055\u{{00006E}}it:{rest}""#),
        format!(r#""""{unit}""""#),
        format!("\"\"\"\n    {unit}\n\"\"\""),
    ] {
        let data = server.data("CLINICIAN", &format!("{{ unit(id: {id}) {{ id }} }}"), json!({})).await;
        assert_eq!(data["unit"]["id"], json!(unit), "{id}");
    }
    // These are no ids, but strings and numbers that both parsers' grammars know.
    for id in [r#""\uD83D\uDE00""#, r#""\u{1F600}""#, "123456789012345678901234567890"] {
        let answer = server.answer("CLINICIAN", &format!("{{ unit(id: {id}) {{ id }} }}"), json!({})).await;
        assert_eq!((&answer["data"], code(&answer)), (&json!({ "unit": null }), "BAD_USER_INPUT"), "{id}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("use the id field"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_is_not_given_leaves_the_default_of_its_place() {
    let server = Server::start().await;
    let (case, _) = server.allocated_to(3).await;
    let query = "query($id: ID!, $current: Boolean) { case(id: $id) { ...F } }
                 fragment F on Case { allocations(current: $current) { totalCount } }";
    let given = server.data("CLINICIAN", query, json!({ "id": case, "current": false })).await;
    assert_eq!(server.data("CLINICIAN", query, json!({ "id": case })).await, given);
    // null is not the same as nothing.
    let answer = server.answer("CLINICIAN", query, json!({ "id": case, "current": null })).await;
    assert_eq!((&answer["data"]["case"]["allocations"], code(&answer)), (&Value::Null, "BAD_USER_INPUT"));
    // Within an input.
    let (queued, version) = server.queued().await;
    let query = "mutation($case: ID!, $unit: ID!, $version: Int!, $priority: Priority, $summary: String) {
        allocateCase(input: { caseId: $case, unitId: $unit, reason: \"x\", expectedVersion: $version,
                              idempotencyKey: \"k\", priority: $priority, summary: $summary })
        { errors { message } } }";
    let variables = json!({ "case": queued, "unit": server.unit(3).await, "version": version });
    let data = server.data("FIRST_RESPONSE", query, variables).await;
    assert_eq!(data["allocateCase"]["errors"], json!([]));
    let query = "query($id: ID!) { case(id: $id) { primaryAllocation { priority summary } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": queued })).await;
    assert_eq!(data["case"]["primaryAllocation"], json!({ "priority": "NONE", "summary": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_their_path_and_their_place_in_the_text() {
    let server = Server::start().await;
    let query = "query Q {\r\n  # é😀\n  a: unit(id: \"x\") { id } # 😀\n  viewer { ...F }\n}\n\n fragment F on Viewer {\n\
                 b:\n actions(first: 101) { totalCount } }";
    let answer = server.answer("CLINICIAN", query, json!({})).await;
    let mut told: Vec<Value> = answer["errors"].as_array().unwrap().clone();
    told.sort_by_key(|error| error["path"].to_string());
    assert_eq!((&told[0]["path"], &told[0]["locations"]), (&json!(["a"]), &json!([{ "line": 3, "column": 3 }])));
    let place = json!([{ "line": 8, "column": 1 }]);
    assert_eq!((&told[1]["path"], &told[1]["locations"]), (&json!(["viewer", "b"]), &place));
    let answer = server.answer("CLINICIAN", "{\n  viewer {\n    nothing } }", json!({})).await;
    assert_eq!(answer["errors"][0]["locations"], json!([{ "line": 3, "column": 5 }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refusal_repeats_what_was_sent() {
    let server = Server::start().await;
    let secret = "Zanzibar-canary";
    let allocate = support::document("allocateCase", "case { id }");
    for (query, variables) in [
        ("query($n: Int) { units(first: $n) { totalCount } }", json!({ "n": secret })),
        (&allocate, json!({ "input": secret })),
        (&allocate, json!({ "input": { "caseId": { "secret": secret } } })),
        ("query($d: Date) { viewer { actions(dueBy: $d) { totalCount } } }", json!({ "d": secret })),
        ("query($id: ID!) { unit(id: $id) { id } }", json!({ "id": [secret] })),
        ("{ unit(id: \"x\" \"Zanzibar-canary\") { id } }", json!({})),
        ("{ units(first: \"Zanzibar-canary\") { totalCount } }", json!({})),
        ("{ unit(id: \"Zanzibar-canary) { id } }", json!({})),
        ("{ units(first: [\"Zanzibar-canary\"]) { totalCount } }", json!({})),
    ] {
        let answer = server.answer("CLINICIAN", query, variables).await;
        assert!(answer.get("data").is_none(), "{query}: {answer}");
        assert!(!answer.to_string().contains(secret), "{query}: {answer}");
    }
}

/// How many tokens the parser counts.
fn tokens(text: &str) -> usize {
    let mut parser = apollo_compiler::parser::Parser::new();
    parser.parse_ast(text, "text").unwrap();
    parser.tokens_reached()
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_refused_by_their_size_before_they_run() {
    let limits = Limits {
        document_bytes: 2_000,
        tokens: 300,
        depth: 6,
        fields: 20,
        aliases: 5,
        answer_fields: 481,
        directives: 3,
        ..Limits::default()
    };
    let server = Server::with(Setup { limits, ..Setup::default() }).await;
    let bytes = |length: usize| format!("{{ __typename }} #{}", "x".repeat(length - 16));
    let tokens_of = |count: usize| {
        let text = format!("{{ __typename }}{}", ",".repeat(count - tokens("{ __typename }")));
        assert_eq!(tokens(&text), count);
        text
    };
    let fields = |count: usize| format!("{{ {} }}", "__typename ".repeat(count));
    let fragments = |count: usize| {
        let fields = "__typename ".repeat(count);
        format!("{{ ...F ...F }} fragment F on Query {{ {fields} }}")
    };
    let deep = |depth: usize| {
        // viewer > worker > memberships > worker > ...
        let inner = (0..depth - 2).fold("__typename".to_owned(), |inner, at| {
            if at % 2 == (depth % 2) { format!("memberships {{ {inner} }}") } else { format!("worker {{ {inner} }}") }
        });
        format!("{{ viewer {{ ...F }} }} fragment F on Viewer {{ {inner} }}")
    };
    let aliases =
        |count: usize| format!("{{ {} }}", (0..count).map(|at| format!("a{at}: __typename ")).collect::<String>());
    let spread_aliases = |more: &str| {
        format!(
            "{{ viewer {{ worker {{ ...F }} ...G }} {more} }} fragment F on Worker {{ a: name b: id }}
                 fragment G on Viewer {{ worker {{ ...F }} c: feedCursor }}"
        )
    };
    let page =
        |more: &str| format!("{{ units(first: 80) {{ nodes {{ id name service version contactPoint }} }} {more} }}");
    let directives = |count: usize| format!("{{ {} }}", "__typename @include(if: true) ".repeat(count));
    // A fragment's count once, however often it is spread.
    let spread = |more: &str| {
        let two = "__typename @include(if: true) ... @skip(if: false) { __typename }";
        format!("{{ ...F ...F ...F {more} }} fragment F on Query {{ {two} }}")
    };
    for (limit, at_the_limit, one_above) in [
        ("2000 bytes", bytes(2_000), bytes(2_001)),
        ("300 tokens", tokens_of(300), tokens_of(301)),
        ("20 fields", fields(20), fields(21)),
        ("20 fields", fragments(10), fragments(11)),
        ("6 fields", deep(6), deep(7)),
        ("5 aliases", aliases(5), aliases(6)),
        ("5 aliases", spread_aliases(""), spread_aliases("d: __typename")),
        ("481", page(""), page("__typename")),
        ("3 directives", directives(3), directives(4)),
        ("3 directives", spread("...F @include(if: true)"), spread("...F @include(if: true) ...F @skip(if: false)")),
    ] {
        let answer = server.answer("CLINICIAN", &at_the_limit, json!({})).await;
        assert_eq!(answer["errors"], Value::Null, "{at_the_limit}");
        let answer = server.answer("CLINICIAN", &one_above, json!({})).await;
        assert_eq!((code(&answer), answer.get("data")), ("QUERY_TOO_COMPLEX", None), "{one_above}");
        // What is too large, and what to do.
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(limit) && message.contains(": "), "{message}");
    }
    // Page sizes from variables count too, and so does their default.
    let query = "query($n: Int! = 81) { units(first: $n) { nodes { id name service version contactPoint } } }";
    assert_eq!(server.answer("CLINICIAN", query, json!({ "n": 80 })).await["errors"], Value::Null);
    for variables in [json!({ "n": 81 }), json!({})] {
        assert_eq!(server.code("CLINICIAN", query, variables).await, "QUERY_TOO_COMPLEX");
    }
    // What looks like directives within a string is none.
    let query = format!("{{ unit(id: \"{}\") {{ id }} }}", "@".repeat(200));
    assert_eq!(server.code("CLINICIAN", &query, json!({})).await, "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nested_too_deep_to_be_followed_is_refused() {
    let limits = Limits { depth: 64, ..Limits::default() };
    let server = Server::with(Setup { limits, ..Setup::default() }).await;
    let inline = |count: usize| format!("{}__typename{}", "{ ... ".repeat(count) + "{ ", " }".repeat(count + 1));
    let chain = |count: usize| {
        let mut text = "{ ...F0 }".to_owned();
        for at in 1..count {
            text.push_str(&format!(" fragment F{} on Query {{ ...F{at} }}", at - 1));
        }
        format!("{text} fragment F{} on Query {{ __typename }}", count - 1)
    };
    // viewer > worker > memberships > worker > ...
    let deep = |depth: usize| {
        let inner = (0..depth - 2).fold("__typename".to_owned(), |inner, at| {
            if at % 2 == (depth % 2) { format!("memberships {{ {inner} }}") } else { format!("worker {{ {inner} }}") }
        });
        format!("{{ viewer {{ {inner} }} }}")
    };
    for (at_the_limit, one_above) in [(inline(89), inline(90)), (chain(89), chain(90))] {
        let answer = server.answer("CLINICIAN", &at_the_limit, json!({})).await;
        assert_eq!(answer["errors"], Value::Null, "{at_the_limit}");
        assert_eq!(server.code("CLINICIAN", &one_above, json!({})).await, "QUERY_TOO_COMPLEX", "{one_above}");
    }
    // The deepest that can be configured gets as far as the estimate of its answer.
    let answer = server.answer("CLINICIAN", &deep(64), json!({})).await;
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("may answer about"), "{answer}");
    let values = format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(500), "]".repeat(500));
    assert_eq!(server.code("CLINICIAN", &values, json!({})).await, "QUERY_TOO_COMPLEX");
    let braces = "{ ... ".repeat(2_000);
    assert_eq!(server.code("CLINICIAN", &braces, json!({})).await, "QUERY_TOO_COMPLEX");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_ids_and_errors_are_bounded() {
    let server = Server::start().await;
    let body = |length: usize| {
        let request = r#"{"query":"{ __typename }"}"#;
        format!("{request}{}", " ".repeat(length - request.len()))
    };
    let send = async |body: String| {
        let request = reqwest::Client::new().post(server.graphql_url()).bearer_auth(server.token("CLINICIAN"));
        request.header("content-type", JSON).body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!((send(body(256 * 1024)).await, send(body(256 * 1024 + 1)).await), (200, 413));
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let ids = |count: usize| json!({ "ids": vec![format!("Unit:{}", uuid::Uuid::now_v7()); count] });
    assert_eq!(server.data("CLINICIAN", query, ids(100)).await["nodes"].as_array().unwrap().len(), 100);
    assert_eq!(server.code("CLINICIAN", query, ids(101)).await, "BAD_USER_INPUT");
    let failing = |count: usize| {
        let fields: String = (0..count).map(|at| format!("a{at}: unit(id: \"x\") {{ id }} ")).collect();
        format!("{{ {fields} }}")
    };
    for (count, told) in [(10, 10), (11, 10)] {
        let answer = server.answer("CLINICIAN", &failing(count), json!({})).await;
        assert_eq!(answer["errors"].as_array().unwrap().len(), told);
    }
    let unknown = format!("{{ {} }}", "nothing ".repeat(11));
    let answer = server.answer("CLINICIAN", &unknown, json!({})).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_operations_of_a_socket_are_bounded() {
    let limits = Limits { message_bytes: 2_048, operations: 2, ..Limits::default() };
    let server = Server::with(Setup { limits, ..Setup::default() }).await;
    let unit = server.unit(3).await;
    let mut socket = server.socket("CLINICIAN").await;
    for id in ["one", "two"] {
        socket.subscribe(id, FEED, json!({ "unitId": unit })).await;
        assert_eq!(socket.hear().await["type"], "next");
    }
    socket.subscribe("three", FEED, json!({ "unitId": unit })).await;
    let refused = socket.hear().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("three")), "{refused}");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "BAD_USER_INPUT");
    // One that is completed makes room.
    socket.say(json!({ "type": "complete", "id": "one" })).await;
    socket.subscribe("three", FEED, json!({ "unitId": unit })).await;
    assert_eq!(socket.hear().await["type"], "next");
    let message = |length: usize| {
        let ping = r#"{"type":"ping"}"#;
        Message::Text(format!("{ping}{}", " ".repeat(length - ping.len())).into())
    };
    socket.say_raw(message(2_048)).await;
    assert_eq!(socket.hear().await["type"], "pong");
    socket.say_raw(message(2_049)).await;
    assert_eq!(socket.closed().await, 4400);
}

/// What `hearth serve` says when these variables keep it from starting.
async fn refused_to_start(variables: &[(&str, &str)]) -> String {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hearth"));
    command
        .arg("serve")
        .env("HEARTH_ENV", "development")
        .env("HEARTH_TOKEN_SECRET", support::SECRET)
        .env("HEARTH_CURSOR_KEY", support::CURSOR_KEY)
        .env("HEARTH_APP_DATABASE_URL", "postgres://localhost/none")
        .env("HEARTH_RELAY_DATABASE_URL", "postgres://localhost/none")
        .env("HEARTH_BUS_DATABASE_URL", "postgres://localhost/none")
        .env("HEARTH_REDIS_URL", "redis://localhost")
        .env("HEARTH_LISTEN", "127.0.0.1:0")
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(std::time::Duration::from_secs(30), command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{variables:?}: it started")).unwrap();
    assert!(!output.status.success(), "{variables:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_make_no_sense_are_refused_at_the_start_with_the_range() {
    for (name, lowest, highest) in [
        ("HEARTH_LIMIT_DOCUMENT_BYTES", 1, 4 << 20),
        ("HEARTH_LIMIT_TOKENS", 1, 1_000_000),
        ("HEARTH_LIMIT_DEPTH", 1, 64),
        ("HEARTH_LIMIT_FIELDS", 1, 1_000_000),
        ("HEARTH_LIMIT_ALIASES", 0, 1_000_000),
        ("HEARTH_LIMIT_ANSWER_FIELDS", 1, 1_000_000_000),
        ("HEARTH_LIMIT_DIRECTIVES", 0, 1_000_000),
        ("HEARTH_LIMIT_MESSAGE_BYTES", 1024, 4 << 20),
        ("HEARTH_LIMIT_OPERATIONS", 1, 10_000),
        ("HEARTH_LIMIT_SOCKETS", 1, 1_000_000),
        ("HEARTH_MAX_BODY_BYTES", 1024, 64 << 20),
        ("HEARTH_REQUEST_SECONDS", 1, 600),
    ] {
        let flag = name.replacen("HEARTH_", "--", 1).replace('_', "-").to_lowercase();
        for wrong in [(lowest as i64 - 1).to_string(), (highest + 1).to_string(), "many".to_owned()] {
            let said = refused_to_start(&[(name, &wrong)]).await;
            let range = format!("give a whole number from {lowest} to {highest}");
            assert!(said.contains(&flag) && said.contains(&range), "{name}={wrong}: {said}");
        }
        let row = include_str!("../docs/operations.md").lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        assert!(row.is_some_and(|row| row.ends_with(&format!(" {lowest} to {highest} |"))), "{name}: {row:?}");
    }
    let said = refused_to_start(&[("HEARTH_DOCUMENTS", "some")]).await;
    assert!(said.contains("off, prefer, only"), "{said}");
}

/// A manifest on disk, for as long as the test lives.
struct Manifest(PathBuf);

impl Manifest {
    fn new(text: &str) -> Self {
        let path = std::env::temp_dir().join(support::unique("hearth_manifest"));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    async fn serve(&self, mode: DocumentMode) -> Server {
        Server::with(Setup { documents: Some((mode, Some(self.0.clone()))), ..Setup::default() }).await
    }
}

impl Drop for Manifest {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const UNITS: &str = "query Units($first: Int) { units(first: $first) { nodes { name } } }";

fn manifest() -> Manifest {
    Manifest::new(
        &json!({ "units": UNITS, "feed": FEED, "two": "query A { __typename } query B { viewer { feedCursor } }",
                           "change": support::document("allocateCase", "") })
        .to_string(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_document_runs_by_its_id_over_every_transport() {
    let manifest = manifest();
    for mode in [DocumentMode::Prefer, DocumentMode::Only] {
        let server = manifest.serve(mode).await;
        let variables = json!({ "first": 2 });
        // By the manifest's id, by the hash of its text, and as Apollo's clients send an id.
        for named in [
            json!({ "documentId": "units" }),
            json!({ "documentId": format!("sha256:{}", hash(UNITS)) }),
            json!({ "extensions": persisted("units") }),
            json!({ "extensions": persisted(&hash(UNITS)) }),
        ] {
            let mut body = named;
            body["variables"] = variables.clone();
            let (status, answer) = ask(&server, RESPONSE, body.clone()).await;
            assert_eq!(status, 200, "{body}: {answer}");
            assert_eq!(answer["data"]["units"]["nodes"].as_array().unwrap().len(), 2);
        }
        let (status, answer) = get(&server, &[("documentId", "units"), ("variables", "{\"first\":2}")]).await;
        assert_eq!((status, answer["data"]["units"]["nodes"].as_array().unwrap().len()), (200, 2));
        let (_, answer) = ask(&server, JSON, json!({ "documentId": "two", "operationName": "B" })).await;
        assert!(answer["data"]["viewer"]["feedCursor"].is_string(), "{answer}");
        // A mutation by GET stays refused, and variables are coerced.
        let (status, _) = get(&server, &[("documentId", "change"), ("variables", "{}")]).await;
        assert_eq!(status, 200, "a missing variable comes first");
        let input = "{\"input\":{\"caseId\":\"x\",\"unitId\":\"x\",\"reason\":\"x\",\"expectedVersion\":1,\"idempotencyKey\":\"k\"}}";
        assert_eq!(get(&server, &[("documentId", "change"), ("variables", input)]).await.0, 405);
        let (_, answer) = ask(&server, JSON, json!({ "documentId": "units", "variables": { "first": "x" } })).await;
        assert_eq!(code(&answer), "BAD_USER_INPUT");
        let mut socket = server.socket("CLINICIAN").await;
        let payload = json!({ "documentId": "feed", "variables": { "unitId": server_unit(&server).await } });
        socket.say(json!({ "id": "feed", "type": "subscribe", "payload": payload })).await;
        assert_eq!(socket.item().await["__typename"], "FeedOpened");
        let body = json!({ "documentId": "feed", "variables": { "unitId": server_unit(&server).await } });
        assert!(event(&server, &body).await.contains("FeedOpened"));
    }
}

/// The first event with which a request is answered.
async fn event(server: &Server, body: &Value) -> String {
    let token = server.token("CLINICIAN");
    let mut response = support::sse::ask(&server.graphql_url(), &token, "text/event-stream", body).await;
    assert_eq!(response.status(), 200, "{body}");
    let mut text = String::new();
    while !text.contains("event: next") || !text.ends_with("\n\n") {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(30), response.chunk()).await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk.expect("the stream ended")).unwrap());
    }
    text
}

/// A unit of CLINICIAN's, without a free document.
async fn server_unit(server: &Server) -> String {
    let client = support::connect("postgres", &server.database).await;
    client.query_one("select 'Unit:' || id from units where name like '%Unit 3'", &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_id_is_one_coded_error_and_two_ways_to_name_a_document_are_malformed() {
    let manifest = manifest();
    let server = manifest.serve(DocumentMode::Prefer).await;
    for id in ["nothing", "", "sha256:", &hash("{ __typename }"), "Units"] {
        for (accept, status) in [(RESPONSE, 400), (JSON, 200)] {
            let (found, answer) = ask(&server, accept, json!({ "documentId": id })).await;
            assert_eq!((found, answer.get("data")), (status, None), "{id}: {answer}");
            assert_eq!(
                (code(&answer), answer["errors"].as_array().unwrap().len()),
                ("PERSISTED_DOCUMENT_NOT_FOUND", 1)
            );
        }
    }
    for body in [
        json!({ "documentId": "units", "query": UNITS }),
        json!({ "documentId": "units", "query": "" }),
        json!({ "documentId": "units", "extensions": persisted(&hash(UNITS)) }),
        json!({ "documentId": 1 }),
        json!({ "documentId": ["units"] }),
        json!({ "extensions": { "persistedQuery": { "version": 2, "sha256Hash": hash(UNITS) } } }),
        json!({}),
    ] {
        for accept in [RESPONSE, JSON] {
            let (status, answer) = ask(&server, accept, body.clone()).await;
            assert_eq!((status, code(&answer)), (400, "BAD_USER_INPUT"), "{body}: {answer}");
        }
        let mut socket = server.socket("CLINICIAN").await;
        socket.say(json!({ "id": "1", "type": "subscribe", "payload": body })).await;
        assert_eq!(socket.closed().await, 4400);
    }
    assert_eq!(get(&server, &[("documentId", "units"), ("query", UNITS)]).await.0, 400);
    let mut socket = server.socket("CLINICIAN").await;
    socket.say(json!({ "id": "1", "type": "subscribe", "payload": { "documentId": "nothing" } })).await;
    let refused = socket.hear().await;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "PERSISTED_DOCUMENT_NOT_FOUND", "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_refuses_what_it_does_not_run() {
    let manifest = manifest();
    let free = "{ __typename }";
    let off = Server::with(Setup { documents: Some((DocumentMode::Off, None)), ..Setup::default() }).await;
    let only = manifest.serve(DocumentMode::Only).await;
    let apq = |text: &str| json!({ "query": text, "extensions": persisted(&hash(text)) });
    for (server, body, expected) in [
        (&off, json!({ "documentId": "units" }), Some("PERSISTED_DOCUMENT_NOT_SUPPORTED")),
        (&off, json!({ "extensions": persisted(&hash(free)) }), Some("PERSISTED_QUERY_NOT_SUPPORTED")),
        (&off, apq(free), Some("PERSISTED_QUERY_NOT_SUPPORTED")),
        (&off, json!({ "query": free }), None),
        (&only, json!({ "query": free }), Some("DOCUMENT_NOT_TRUSTED")),
        // Not even the very text of a trusted one: the id is what is trusted.
        (&only, json!({ "query": UNITS }), Some("DOCUMENT_NOT_TRUSTED")),
        (&only, json!({ "query": "{" }), Some("DOCUMENT_NOT_TRUSTED")),
        (&only, apq(free), Some("DOCUMENT_NOT_TRUSTED")),
        (&only, apq(UNITS), Some("DOCUMENT_NOT_TRUSTED")),
        (&only, json!({ "extensions": persisted(&hash(free)) }), Some("DOCUMENT_NOT_TRUSTED")),
        (&only, json!({ "documentId": "units" }), None),
    ] {
        for (accept, status) in [(RESPONSE, 400), (JSON, 200)] {
            let (found, answer) = ask(server, accept, body.clone()).await;
            match expected {
                Some(expected) => {
                    assert_eq!((found, code(&answer)), (status, expected), "{body}");
                    assert!(answer.get("data").is_none(), "{body}");
                }
                None => assert_eq!((found, &answer["errors"]), (200, &Value::Null), "{body}: {answer}"),
            }
        }
    }
    let (_, answer) = ask(&off, JSON, apq(free)).await;
    assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotSupported");
    let mut socket = only.socket("CLINICIAN").await;
    socket.subscribe("1", FEED, json!({ "unitId": "x" })).await;
    assert_eq!(socket.hear().await["payload"][0]["extensions"]["code"], "DOCUMENT_NOT_TRUSTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn apollo_s_manifest_is_read_too() {
    let manifest = Manifest::new(
        &json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            { "id": hash(UNITS), "name": "Units", "type": "query", "body": UNITS } ] })
        .to_string(),
    );
    let server = manifest.serve(DocumentMode::Only).await;
    for body in [json!({ "documentId": hash(UNITS) }), json!({ "extensions": persisted(&hash(UNITS)) })] {
        let (_, answer) = ask(&server, JSON, body.clone()).await;
        assert_eq!(answer["errors"], Value::Null, "{body}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_with_a_fault_refuses_to_start_and_names_the_entry_without_its_text() {
    let long = format!("{{ {} }}", "__typename ".repeat(2_001));
    for (manifest, said) in [
        (json!({ "units": UNITS, "bad-one": "{ viewer { canary } }" }).to_string(), "\"bad-one\""),
        (json!({ "bad-one": "query canary { viewer { feedCursor" }).to_string(), "\"bad-one\""),
        (json!({ "bad-one": long }).to_string(), "\"bad-one\": The operation has more than 2000 fields"),
        (json!({ "bad-one": 5 }).to_string(), "it is no manifest"),
        ("canary".to_owned(), "it is no manifest"),
        ("{}".to_owned(), "it holds no document"),
    ] {
        let file = Manifest::new(&manifest);
        let path = file.0.to_str().unwrap();
        for mode in ["prefer", "only"] {
            let heard = refused_to_start(&[("HEARTH_TRUSTED_DOCUMENTS", path), ("HEARTH_DOCUMENTS", mode)]).await;
            assert!(heard.contains(said) && heard.contains("trusted documents"), "{manifest}: {heard}");
            assert!(!heard.contains("query canary") && !heard.contains("{ viewer"), "{heard}");
        }
    }
    let heard = refused_to_start(&[("HEARTH_TRUSTED_DOCUMENTS", "/nowhere/at/all")]).await;
    assert!(heard.contains("/nowhere/at/all") && heard.contains("HEARTH_TRUSTED_DOCUMENTS"), "{heard}");
    let heard = refused_to_start(&[("HEARTH_DOCUMENTS", "only")]).await;
    assert!(heard.contains("HEARTH_TRUSTED_DOCUMENTS"), "{heard}");
    let file = manifest();
    let path = file.0.to_str().unwrap();
    let heard = refused_to_start(&[("HEARTH_DOCUMENTS", "off"), ("HEARTH_TRUSTED_DOCUMENTS", path)]).await;
    assert!(heard.contains("HEARTH_DOCUMENTS"), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persisted_query_is_asked_for_once_and_then_known_by_its_hash() {
    let server = Server::start().await;
    let variables = json!({ "first": 1 });
    let alone = json!({ "extensions": persisted(&hash(UNITS)), "variables": variables });
    for (accept, status) in [(JSON, 200), (RESPONSE, 400)] {
        let (found, answer) = ask(&server, accept, alone.clone()).await;
        let error =
            json!({ "message": "PersistedQueryNotFound", "extensions": { "code": "PERSISTED_QUERY_NOT_FOUND" } });
        assert_eq!((found, &answer), (status, &json!({ "errors": [error] })));
    }
    let mut with_text = alone.clone();
    with_text["query"] = json!(UNITS);
    let (status, answer) = ask(&server, RESPONSE, with_text).await;
    assert_eq!((status, &answer["errors"]), (200, &Value::Null));
    for _ in 0..2 {
        let (status, again) = ask(&server, RESPONSE, alone.clone()).await;
        assert_eq!((status, &again), (200, &answer));
    }
    let extensions = persisted(&hash(UNITS)).to_string();
    let (status, again) = get(&server, &[("extensions", &extensions), ("variables", "{\"first\":1}")]).await;
    assert_eq!((status, &again), (200, &answer));
    // Apollo's clients may name the operation and add extensions of their own.
    let mut named = alone;
    named["operationName"] = json!("Units");
    named["extensions"]["clientLibrary"] = json!({ "name": "x" });
    assert_eq!(ask(&server, JSON, named).await.1, answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persisted_query_works_over_a_socket_and_as_events() {
    let server = Server::start().await;
    let unit = server.unit(3).await;
    let mut socket = server.socket("CLINICIAN").await;
    let mut payload = json!({ "extensions": persisted(&hash(FEED)), "variables": { "unitId": unit } });
    socket.say(json!({ "id": "feed", "type": "subscribe", "payload": payload })).await;
    let refused = socket.hear().await;
    assert_eq!(
        (&refused["type"], &refused["payload"][0]["message"]),
        (&json!("error"), &json!("PersistedQueryNotFound"))
    );
    payload["query"] = json!(FEED);
    socket.say(json!({ "id": "feed", "type": "subscribe", "payload": payload })).await;
    assert_eq!(socket.item().await["__typename"], "FeedOpened");
    let mut other = server.socket("CLINICIAN").await;
    payload.as_object_mut().unwrap().remove("query");
    other.say(json!({ "id": "feed", "type": "subscribe", "payload": payload })).await;
    assert_eq!(other.item().await["__typename"], "FeedOpened");
    assert!(event(&server, &payload).await.contains("FeedOpened"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_valid_and_matches_its_hash_is_kept() {
    let server = Server::start().await;
    let is_known = async |text: &str| {
        let (_, answer) = ask(&server, JSON, json!({ "extensions": persisted(&hash(text)) })).await;
        code(&answer) != "PERSISTED_QUERY_NOT_FOUND"
    };
    let long = format!("{{ {} }}", "__typename ".repeat(2_001));
    for (text, expected) in [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer", "GRAPHQL_PARSE_FAILED"),
        ("query($id: ID) { nodes(ids: [$id]) { id } }", "GRAPHQL_VALIDATION_FAILED"),
        (&long, "QUERY_TOO_COMPLEX"),
    ] {
        let body = json!({ "query": text, "extensions": persisted(&hash(text)) });
        let (_, answer) = ask(&server, JSON, body).await;
        assert_eq!(code(&answer), expected, "{text}");
        assert!(!is_known(text).await, "{text}");
    }
    // The hash of another text, or in another spelling, does not get its name.
    for wrong in [hash("{ __typename }"), hash(UNITS).to_uppercase(), String::new(), "x".repeat(64)] {
        let (_, answer) = ask(&server, JSON, json!({ "query": UNITS, "extensions": persisted(&wrong) })).await;
        assert_eq!(code(&answer), "PERSISTED_QUERY_HASH_MISMATCH", "{wrong}");
        assert!(answer.get("data").is_none());
    }
    assert!(!is_known(UNITS).await && !is_known("{ __typename }").await);
    // A document whose variables were wrong was valid.
    let query = "query($id: ID!) { unit(id: $id) { id } }";
    let (_, answer) = ask(&server, JSON, json!({ "query": query, "extensions": persisted(&hash(query)) })).await;
    assert_eq!(code(&answer), "BAD_USER_INPUT");
    assert!(is_known(query).await);
}

//! Subscriptions answered with server-sent events (graphql-sse, distinct connections mode).

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::{
    self, Server, Setup,
    socket::FEED,
    sse::{Frame, ask},
};

const STREAM: &str = "text/event-stream";

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_answered_with_events() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let body = json!({ "query": FEED, "variables": { "unitId": three } });
    let response = ask(&server.graphql_url(), &server.token("CLINICIAN"), STREAM, &body).await;
    assert_eq!(response.status(), 200);
    for (name, value) in [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(response.headers()[name], value);
    }
    drop(response);
    let mut events = server.events("CLINICIAN", FEED, json!({ "unitId": three })).await;
    let opened = events.item().await;
    assert_eq!(opened["__typename"], "FeedOpened");
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.push(server.allocated_to(3).await.0);
        assert_eq!(events.item().await["caseRef"]["caseId"], json!(cases.last()));
    }
    // Over another wire the same cursor resumes the same stream.
    let mut again = server.events("CLINICIAN", FEED, json!({ "unitId": three, "after": opened["cursor"] })).await;
    again.item().await;
    let mut socket = server.socket("CLINICIAN").await;
    socket.feed(&three, opened["cursor"].as_str()).await;
    for case in &cases {
        let event = again.item().await;
        assert_eq!(event["caseRef"]["caseId"], json!(case));
        assert_eq!(socket.item().await["eventId"], event["eventId"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_before_the_stream_is_json_with_a_status() {
    let server = Server::start().await;
    let (url, token) = (server.graphql_url(), server.token("CLINICIAN"));
    for (query, code) in [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription($id: ID!) { unitFeed(unitId: $id) { cursor } }", "BAD_USER_INPUT"),
        ("{ __typename }", "BAD_USER_INPUT"),
        ("mutation { __typename }", "BAD_USER_INPUT"),
    ] {
        for accept in [STREAM, "text/event-stream, application/json"] {
            let both = accept != STREAM;
            if both && !query.starts_with("subscription") {
                continue;
            }
            let response = ask(&url, &token, accept, &json!({ "query": query })).await;
            assert_eq!(response.status(), 400, "{query} {accept}");
            let media = if both { "application/json" } else { "application/graphql-response+json" };
            assert!(response.headers()["content-type"].to_str().unwrap().starts_with(media), "{query}");
            let body: Value = response.json().await.unwrap();
            assert!(body.get("data").is_none(), "{body}");
            assert_eq!(body["errors"][0]["extensions"]["code"], code, "{query}");
        }
    }
    // Nothing of it has run.
    let three = server.unit(3).await;
    let (case, version) = server.queued().await;
    let input =
        json!({ "idempotencyKey": "x", "caseId": case, "unitId": three, "reason": "x", "expectedVersion": version });
    let body = json!({ "query": support::document("allocateCase", ""), "variables": { "input": input } });
    assert_eq!(ask(&url, &server.token("FIRST_RESPONSE"), STREAM, &body).await.status(), 400);
    assert_eq!(server.queued().await, (case, version));

    assert_eq!(ask(&url, "forged", STREAM, &json!({ "query": "{" })).await.status(), 401);
    let plain = reqwest::Client::new().post(&url).bearer_auth(&token).header("accept", STREAM).body("{").send().await;
    assert_eq!(plain.unwrap().status(), 415);
    // By GET: no stream, and for a client that takes JSON too a query as ever.
    let get = |query: &'static str, accept: &'static str| {
        let url = format!("{url}?query={query}");
        reqwest::Client::new().get(url).bearer_auth(&token).header("accept", accept).send()
    };
    let both = "text/event-stream, application/json";
    let subscription = "subscription{unitFeed(unitId:%22x%22){cursor}}";
    for (query, accept, status) in [
        (subscription, STREAM, 405),
        (subscription, both, 405),
        ("{__typename}", STREAM, 405),
        ("{__typename}", both, 200),
    ] {
        let response = get(query, accept).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{query} {accept}");
        if status == 405 {
            assert_eq!(response.headers()["allow"], "POST");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_accepts_both_gets_a_stream_for_a_subscription_and_json_for_the_rest() {
    let server = Server::start().await;
    let (url, token) = (server.graphql_url(), server.token("CLINICIAN"));
    for accept in ["application/graphql-response+json, text/event-stream", "text/event-stream, */*"] {
        let query = ask(&url, &token, accept, &json!({ "query": "{ __typename }" })).await;
        assert_eq!(query.json::<Value>().await.unwrap(), json!({ "data": { "__typename": "Query" } }));
        let body = json!({ "query": FEED, "variables": { "unitId": server.unit(3).await } });
        let stream = ask(&url, &token, accept, &body).await;
        assert!(stream.headers()["content-type"].to_str().unwrap().starts_with(STREAM));
    }
    // Who does not name it gets none.
    let body = json!({ "query": FEED, "variables": { "unitId": server.unit(3).await } });
    for accept in ["*/*", "application/json", "application/json, text/event-stream;q=0"] {
        assert_eq!(ask(&url, &token, accept, &body).await.status(), 400, "{accept}");
    }
    assert_eq!(ask(&url, &token, "text/event-stream;q=0", &body).await.status(), 406);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_in_the_stream_is_a_result_and_then_it_is_complete() {
    let server = Server::start().await;
    let child = "subscription($id: ID!) { childFeed(childId: $id) { cursor } }";
    for (query, variables, code) in [
        (FEED, json!({ "unitId": server.unit(7).await }), "NOT_FOUND"),
        (FEED, json!({ "unitId": server.unit(3).await, "after": "nonsense" }), "BAD_USER_INPUT"),
        (child, json!({ "id": format!("Child:{}", uuid::Uuid::now_v7()) }), "NOT_FOUND"),
    ] {
        let mut events = server.events("CLINICIAN", query, variables).await;
        let Frame::Next(result) = events.frame().await else { panic!("no result") };
        assert_eq!(result["data"], Value::Null);
        assert_eq!(result["errors"][0]["extensions"]["code"], code, "{result}");
        assert_eq!(events.frame().await, Frame::Complete);
        assert_eq!(events.frame().await, Frame::End);
    }
    let token = support::token_for(uuid::Uuid::now_v7(), chrono::Duration::hours(1));
    let mut nobody =
        support::EventStream::open(&server.graphql_url(), &token, "subscription { myFeed { cursor } }", json!({}))
            .await;
    let Frame::Next(result) = nobody.frame().await else { panic!("no result") };
    assert_eq!(result["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_ends_the_stream_without_complete_and_without_another_event() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let mut events = server.events("CLINICIAN", FEED, json!({ "unitId": three })).await;
    events.item().await;
    // The stream reckons anew with everything that comes.
    server.later(chrono::Duration::days(3650));
    server.allocated_to(3).await;
    assert_eq!(events.frame().await, Frame::End);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_streams_without_complete_so_that_clients_come_back() {
    let server = Server::start().await;
    let mut events = server.events("CLINICIAN", FEED, json!({ "unitId": server.unit(3).await })).await;
    events.item().await;
    server.stop_signal().cancel();
    assert_eq!(events.frame().await, Frame::End);
    // And the stop waits for no stream.
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_or_does_not_read_keeps_no_connection_from_the_others() {
    let server = Server::with(Setup { connections: Some(2), ..Setup::default() }).await;
    let three = server.unit(3).await;
    let query = "subscription($unitId: ID!) { unitFeed(unitId: $unitId) { cursor ... on AllocationEvent { unit {
        allocations(first: 100) { nodes { id startedAt case { id caseNo status child { id displayName firstName lastName
        families { name } addresses { line postcode } } leadPractitioner { worker { name } } } } } } } } }";
    let body = json!({ "query": query, "variables": { "unitId": three } }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\naccept: {STREAM}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        server.token("CLINICIAN"),
        body.len()
    );
    // Opened and never read: what is said to them fills the buffers of both sides.
    let mut deaf = Vec::new();
    for _ in 0..30 {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        deaf.push(stream);
    }
    let mut hears = server.events("UNIT_COORDINATOR", FEED, json!({ "unitId": three })).await;
    hears.item().await;
    for round in 0..4 {
        if round == 2 {
            // Half of them hang up without a word.
            deaf.truncate(15);
        }
        server.allocated_to(3).await;
        assert_eq!(hears.item().await["type"], "ALLOCATION_STARTED");
    }
}

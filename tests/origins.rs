//! Which pages may ask.

use serde_json::{Value, json};

use crate::support::{Server, Setup, Socket};

const APP: &str = "https://app.example.org";

async fn listed() -> Server {
    let origins = vec![APP.to_owned(), "https://other.example.org:8443".to_owned()];
    Server::with(Setup { origins, ..Setup::default() }).await
}

/// How a page of this origin is answered: by POST, by GET, and when it asks for events.
async fn answers(server: &Server, origin: Option<&str>) -> [(u16, Option<String>); 3] {
    let token = server.token("CLINICIAN");
    let http = reqwest::Client::new();
    let post = || http.post(server.graphql_url()).json(&json!({ "query": "{ __typename }" }));
    let subscription = json!({ "query": "subscription { myFeed { cursor } }" });
    let asked = [
        post(),
        http.get(format!("{}?query={{__typename}}", server.graphql_url())),
        http.post(server.graphql_url()).header("accept", "text/event-stream").json(&subscription),
    ];
    let mut answers = Vec::new();
    for request in asked {
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        let response = request.bearer_auth(&token).send().await.unwrap();
        let allowed = response.headers().get("access-control-allow-origin");
        let allowed = allowed.map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        if status == 403 {
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["errors"][0]["extensions"]["code"], "ORIGIN_NOT_ALLOWED");
        }
        answers.push((status, allowed));
    }
    answers.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_pages_and_whoever_is_no_page_may_ask() {
    let server = listed().await;
    let socket = format!("ws://{}/graphql", server.address);
    for origin in [APP, "https://other.example.org:8443"] {
        assert_eq!(answers(&server, Some(origin)).await, [(); 3].map(|()| (200, Some(origin.to_owned()))));
        assert_eq!(Socket::upgrade_from(&socket, origin).await, 101);
    }
    for origin in [
        "https://evil.example",
        "null",
        "http://app.example.org",
        "https://app.example.org:444",
        "http://localhost:3000",
    ] {
        assert_eq!(answers(&server, Some(origin)).await, [(); 3].map(|()| (403, None)), "{origin}");
        assert_eq!(Socket::upgrade_from(&socket, origin).await, 403, "{origin}");
    }
    assert_eq!(answers(&server, None).await, [(); 3].map(|()| (200, None)));
    server.socket("CLINICIAN").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_is_refused_before_its_token_is_looked_at() {
    let server = listed().await;
    let response = reqwest::Client::new()
        .post(server.graphql_url())
        .header("origin", "https://evil.example")
        .body("{ not JSON")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_list_pages_of_this_machine_may_ask_in_development() {
    let server = Server::start().await;
    let socket = format!("ws://{}/graphql", server.address);
    for (origin, status, upgraded) in
        [("http://localhost:5173", 200, 101), ("http://127.0.0.1:8080", 200, 101), ("https://evil.example", 403, 403)]
    {
        assert_eq!(answers(&server, Some(origin)).await.map(|(status, _)| status), [status; 3], "{origin}");
        assert_eq!(Socket::upgrade_from(&socket, origin).await, upgraded, "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_is_answered_for_listed_pages_without_a_token() {
    let server = listed().await;
    let preflight = |origin: &'static str| {
        reqwest::Client::new()
            .request(reqwest::Method::OPTIONS, server.graphql_url())
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,hearth-purpose,x-request-id")
            .send()
    };
    let response = preflight(APP).await.unwrap();
    assert_eq!(response.status(), 200);
    let says = |name: &str| response.headers()[name].to_str().unwrap().to_ascii_lowercase();
    assert_eq!(says("access-control-allow-origin"), APP);
    assert_eq!(says("access-control-allow-methods"), "get,post");
    for header in ["authorization", "content-type", "hearth-purpose", "x-request-id", "accept"] {
        assert!(says("access-control-allow-headers").split(',').any(|allowed| allowed == header), "{header}");
    }
    assert!(says("vary").contains("origin"));
    // Tokens are no cookies: nothing is sent along by itself.
    assert!(!response.headers().contains_key("access-control-allow-credentials"));
    let refused = preflight("https://evil.example").await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(!refused.headers().contains_key("access-control-allow-origin"));
}

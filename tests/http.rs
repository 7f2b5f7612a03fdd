//! GraphQL over HTTP: status, content types, refusals.

use serde_json::{Value, json};

use crate::support::Server;

async fn send(
    server: &Server,
    build: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
) -> reqwest::Response {
    let request = reqwest::Client::new().post(server.graphql_url()).bearer_auth(server.token("CLINICIAN"));
    build(request).send().await.unwrap()
}

const RESPONSE: &str = "application/graphql-response+json";

#[tokio::test(flavor = "multi_thread")]
async fn request_errors_are_400_without_data_under_the_new_media_type_and_200_under_json() {
    let server = Server::start().await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($id: ID!) { unit(id: $id) { name } }", "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        for (accept, status) in [(RESPONSE, 400), ("application/json", 200)] {
            let response =
                send(&server, |request| request.header("accept", accept).json(&json!({ "query": query }))).await;
            assert_eq!(response.status(), status, "{query} {accept}");
            assert!(response.headers()["content-type"].to_str().unwrap().starts_with(accept));
            let body: Value = response.json().await.unwrap();
            assert!(body.get("data").is_none(), "{body}");
            assert_eq!(body["errors"][0]["extensions"]["code"], code, "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partial_data_has_its_own_status() {
    let server = Server::start().await;
    let query = json!({ "query": "{ viewer { worker { name } } unit(id: \"Case:x\") { name } }" });
    let response = send(&server, |request| request.header("accept", RESPONSE).json(&query)).await;
    assert_eq!(response.status().as_u16(), 294);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["data"]["unit"], Value::Null);
    assert!(body["data"]["viewer"]["worker"]["name"].is_string());
    assert_eq!(body["errors"][0]["path"], json!(["unit"]));
    let response = send(&server, |request| request.json(&query)).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_is_refused_with_its_own_status() {
    let server = Server::start().await;
    let query = r#"{"query":"{ __typename }"}"#;
    let status = |response: reqwest::Response| response.status().as_u16();
    for (content_type, body, expected) in [
        ("text/plain", query, 415),
        ("application/x-www-form-urlencoded", "query={__typename}", 415),
        ("application/json; charset=latin1", query, 415),
        ("application/json", "{", 400),
        ("application/json", "", 400),
        ("application/json", r#"[{"query":"{ __typename }"}]"#, 400),
        ("application/json", r#""{ __typename }""#, 400),
        ("application/json", r#"{"query":1}"#, 400),
        ("application/json", r#"{"query":"{ __typename }","variables":[]}"#, 400),
        ("application/json", "{\"query\":\"\u{0}\"}", 400),
        ("application/json", query, 200),
    ] {
        let response = send(&server, |request| request.header("content-type", content_type).body(body)).await;
        assert_eq!(status(response), expected, "{content_type} {body}");
    }
    let response =
        send(&server, |request| request.header("accept", "text/html").json(&json!({ "query": "{ __typename }" })))
            .await;
    assert_eq!(status(response), 406);
    let large = json!({ "query": "{ __typename }", "operationName": "x".repeat(256 * 1024) });
    let response = send(&server, |request| request.json(&large)).await;
    assert_eq!(status(response), 413);
    // The same without a length that could be looked at beforehand.
    let chunks = futures_util::stream::iter((0..257).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024])));
    let response = send(&server, |request| {
        request.header("content-type", "application/json").body(reqwest::Body::wrap_stream(chunks))
    })
    .await;
    assert_eq!(status(response), 413);
    // Some clients offer HTTP/2 with every request.
    let h2c = send(&server, |request| {
        request.header("upgrade", "h2c").header("connection", "upgrade").json(&json!({ "query": "{ __typename }" }))
    })
    .await;
    assert_eq!(status(h2c), 200);
    for method in ["PUT", "DELETE", "PATCH"] {
        let request = reqwest::Client::new().request(method.parse().unwrap(), server.graphql_url());
        let response = request.bearer_auth(server.token("CLINICIAN")).send().await.unwrap();
        assert_eq!(response.status(), 405, "{method}");
        assert_eq!(response.headers()["allow"], "GET, POST");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_runs_queries_and_refuses_mutations_and_subscriptions() {
    let server = Server::start().await;
    let get = |query: &'static str, variables: &'static str| {
        reqwest::Client::new()
            .get(format!("{}?{query}&variables={variables}", server.graphql_url()))
            .bearer_auth(server.token("CLINICIAN"))
            .send()
    };
    let response = get("query=query($n:Int){units(first:$n){nodes{name}}}", "%7B%22n%22%3A2%7D").await.unwrap();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["data"]["units"]["nodes"].as_array().unwrap().len(), 2);
    let response = get("query=mutation{__typename}", "").await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["allow"].to_str().unwrap()), (405, "POST"));
    let response = get("query=subscription{unitFeed(unitId:%22x%22){cursor}}", "").await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(get("query={__typename}&query={x}", "").await.unwrap().status(), 400);
    assert_eq!(get("query=%zz", "").await.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_good_token_nothing_is_parsed() {
    let server = Server::start().await;
    let worker = server.worker("CLINICIAN");
    let expired = crate::support::token_for(worker, chrono::Duration::seconds(-5));
    let mut answers = Vec::new();
    for authorization in
        [None, Some("Bearer x".to_owned()), Some("Basic x".to_owned()), Some(format!("Bearer {expired}"))]
    {
        for body in ["{ not even JSON", r#"{"query":"{ __typename }"}"#] {
            let mut request =
                reqwest::Client::new().post(server.graphql_url()).header("content-type", "application/json");
            if let Some(authorization) = &authorization {
                request = request.header("authorization", authorization);
            }
            let response = request.body(body).send().await.unwrap();
            assert_eq!(response.status(), 401);
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            answers.push(response.text().await.unwrap());
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(answers[0].contains("UNAUTHENTICATED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_nobody_who_works_here_is_refused() {
    let server = Server::start().await;
    let token = crate::support::token_for(uuid::Uuid::now_v7(), chrono::Duration::hours(1));
    let response = server.raw(&token, "{ units { totalCount } }", json!({})).await;
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        body,
        json!({ "data": null, "errors": [{ "message": body["errors"][0]["message"],
        "extensions": { "code": "UNAUTHENTICATED" } }] })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_names_its_request_and_is_nobodys_to_keep() {
    let server = Server::start().await;
    let response = server.raw(&server.token("CLINICIAN"), "{ __typename }", json!({})).await;
    assert!(uuid::Uuid::parse_str(response.headers()["x-request-id"].to_str().unwrap()).is_ok());
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upgrade_speaks_the_current_protocol_only() {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let server = Server::start().await;
    for protocol in ["graphql-ws", ""] {
        let mut request = format!("ws://{}/graphql", server.address).into_client_request().unwrap();
        if !protocol.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        let Err(tokio_tungstenite::tungstenite::Error::Http(response)) =
            tokio_tungstenite::connect_async(request).await
        else {
            panic!("{protocol} was accepted");
        };
        assert_eq!(response.status(), 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_that_fan_out_or_go_in_circles_are_refused_at_once() {
    let server = Server::start().await;
    let mut bomb = "query { ...f0 }".to_owned();
    for at in 0..30 {
        bomb.push_str(&format!(" fragment f{at} on Query {{ ...f{next} ...f{next} }}", next = at + 1));
    }
    bomb.push_str(" fragment f30 on Query { __typename }");
    assert_eq!(server.code("CLINICIAN", &bomb, json!({})).await, "QUERY_TOO_COMPLEX");
    let circle = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }";
    assert_eq!(server.code("CLINICIAN", circle, json!({})).await, "GRAPHQL_VALIDATION_FAILED");
}

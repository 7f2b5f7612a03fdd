//! A reader of server-sent events, as simple as the format allows.

use std::time::Duration;

use serde_json::{Value, json};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that may be answered with events.
pub async fn ask(url: &str, token: &str, accept: &str, body: &Value) -> reqwest::Response {
    reqwest::Client::new().post(url).bearer_auth(token).header("accept", accept).json(body).send().await.unwrap()
}

/// What came in a stream.
#[derive(Debug, PartialEq)]
pub enum Frame {
    Next(Value),
    Complete,
    /// The end of the body.
    End,
}

pub struct EventStream {
    response: reqwest::Response,
    text: String,
}

impl EventStream {
    pub async fn open(url: &str, token: &str, query: &str, variables: Value) -> Self {
        let response = ask(url, token, "text/event-stream", &json!({ "query": query, "variables": variables })).await;
        assert_eq!(response.status(), 200);
        Self::of(response)
    }

    pub fn of(response: reqwest::Response) -> Self {
        Self { response, text: String::new() }
    }

    /// The next frame that is no comment.
    pub async fn frame(&mut self) -> Frame {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name).and_then(|line| line.strip_prefix(':')))
                };
                match (field("event").map(str::trim), field("data").map(str::trim)) {
                    (Some("next"), Some(data)) => return Frame::Next(serde_json::from_str(data).unwrap()),
                    (Some("complete"), Some("")) => return Frame::Complete,
                    (None, None) if block.lines().all(|line| line.starts_with(':')) => {}
                    other => panic!("no frame of the protocol: {other:?}"),
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("nothing came in time");
            match chunk.unwrap() {
                Some(chunk) => self.text.push_str(std::str::from_utf8(&chunk).unwrap()),
                None => return Frame::End,
            }
        }
    }

    /// The next item of the feed.
    pub async fn item(&mut self) -> Value {
        match self.frame().await {
            Frame::Next(mut result) => {
                assert_eq!(result["errors"], Value::Null, "{result}");
                result["data"].as_object_mut().unwrap().values_mut().next().unwrap().take()
            }
            other => panic!("no item but {other:?}"),
        }
    }
}

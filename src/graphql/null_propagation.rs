//! The table of null propagation. It guards the pin of async-graphql: later ones leave a failed field out instead of
//! nulling its nearest nullable parent.

use async_graphql::{Object, Subscription, Value, value};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value as Json, json};

use super::{
    build,
    documents::{Asked, Documents, Limits, Mode, Settings, Source},
    error::{Answer, Nullable},
};
use crate::error::Error;

/// A record whose fields fail or not.
struct Record {
    good: bool,
}

fn record(good: bool) -> Record {
    Record { good }
}

#[Object]
impl Record {
    async fn ok(&self) -> &str {
        "ok"
    }
    /// `String!`, as what is never null.
    async fn name(&self) -> Answer<String> {
        if self.good { Ok("name".into()) } else { Err(Error::NotFound.into()) }
    }
    async fn other(&self) -> Answer<String> {
        if self.good { Ok("other".into()) } else { Err(Error::NotFound.into()) }
    }
    /// `String`, as what may be null.
    async fn note(&self) -> Nullable<String> {
        if self.good { Some(Ok("note".into())) } else { Some(Err(Error::NotFound.into())) }
    }
    /// `[String!]`.
    async fn notes(&self) -> Nullable<Vec<String>> {
        Some(if self.good { Ok(vec!["note".into()]) } else { Err(Error::NotFound.into()) })
    }
    async fn soft(&self) -> Option<Record> {
        Some(record(self.good))
    }
    async fn hard(&self) -> Record {
        record(self.good)
    }
}

struct Query;

#[Object]
impl Query {
    async fn ok(&self) -> &str {
        "ok"
    }
    async fn text(&self, of: String) -> String {
        of
    }
    /// `Record`.
    async fn soft(&self, good: bool) -> Option<Record> {
        Some(record(good))
    }
    /// `Record!`.
    async fn hard(&self, good: bool) -> Record {
        record(good)
    }
    /// `String!` that fails at the root.
    async fn fails(&self) -> Answer<String> {
        Err(Error::NotFound.into())
    }
    /// `[Record]!`.
    async fn soft_members(&self) -> Vec<Option<Record>> {
        vec![Some(record(true)), Some(record(false)), Some(record(true))]
    }
    /// `[Record!]`.
    async fn hard_members(&self) -> Option<Vec<Record>> {
        Some(vec![record(true), record(false), record(true)])
    }
    /// `[Record!]!`.
    async fn hard_list(&self) -> Vec<Record> {
        vec![record(true), record(false)]
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn change(&self, good: bool) -> Option<Record> {
        Some(record(good))
    }
}

struct Subscriptions;

#[Subscription]
impl Subscriptions {
    /// `Record!`, as a feed's items are.
    async fn items(&self) -> impl Stream<Item = Record> {
        stream::iter([record(true), record(false), record(true)])
    }
}

type Schema = async_graphql::Schema<Query, Mutation, Subscriptions>;

fn request(schema: &Schema, text: &str) -> async_graphql::Request {
    let limits =
        Limits { bytes: 1000, tokens: 1000, depth: 10, fields: 100, aliases: 10, answer: 1000, directives: 10 };
    let documents =
        Documents::new(&schema.sdl(), Settings { mode: Mode::Off, limits, introspection: true, trusted: None })
            .expect("a valid schema");
    let asked = Asked { source: Source::Text(text.into()), operation_name: None, variables: Default::default() };
    let ready = documents.prepare(&asked).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let mut request = async_graphql::Request::new("");
    request.set_parsed_query(ready.parsed());
    request
}

/// What of an answer counts: data, and path and places of every error.
fn told(response: async_graphql::Response) -> (Json, Vec<(Json, Json)>) {
    let response = serde_json::to_value(response).expect("a response is JSON");
    let errors = response["errors"].as_array().cloned().unwrap_or_default();
    assert!(errors.iter().all(|error| error["extensions"]["code"] == "NOT_FOUND"), "{response}");
    (response["data"].clone(), errors.iter().map(|error| (error["path"].clone(), error["locations"].clone())).collect())
}

/// The text without its marks, and the places of the marks: `^` stands before each field that fails.
fn marked(text: &str) -> (String, Vec<Json>) {
    let mut plain = String::new();
    let mut places = Vec::new();
    for (at, part) in text.split('^').enumerate() {
        if at > 0 {
            let lines = plain.replace("\r\n", "\n").replace('\r', "\n");
            let column = lines.lines().last().map_or(0, |line| line.chars().count()) + 1;
            places.push(json!([{ "line": lines.lines().count(), "column": column }]));
        }
        plain.push_str(part);
    }
    (plain, places)
}

#[tokio::test]
async fn a_failed_field_nulls_its_nearest_nullable_parent_and_no_more() {
    let schema = build(Query, Mutation, Subscriptions).finish();
    for (query, data, paths) in [
        // Nullable: it alone.
        (
            "{ ok soft(good: false) { ok ^note } }",
            json!({ "ok": "ok", "soft": { "ok": "ok", "note": null } }),
            json!([["soft", "note"]]),
        ),
        (
            "{ soft(good: false) { ok ^notes } }",
            json!({ "soft": { "ok": "ok", "notes": null } }),
            json!([["soft", "notes"]]),
        ),
        // Not nullable: its nullable parent.
        (
            "{ ok soft(good: false) {\n  ok\n  ^name\n} }",
            json!({ "ok": "ok", "soft": null }),
            json!([["soft", "name"]]),
        ),
        // Through parents that are not nullable.
        (
            "{ soft(good: true) { ok } a: soft(good: false) { hard { hard { ^b: name } } } }",
            json!({ "soft": { "ok": "ok" }, "a": null }),
            json!([["a", "hard", "hard", "b"]]),
        ),
        // The nearest, not the next.
        (
            "{ hard(good: false) { ok soft { ^name } } }",
            json!({ "hard": { "ok": "ok", "soft": null } }),
            json!([["hard", "soft", "name"]]),
        ),
        // Up to the root.
        ("{ ok ^fails }", Json::Null, json!([["fails"]])),
        ("{ ok hard(good: false) { hard { ^name } } }", Json::Null, json!([["hard", "hard", "name"]])),
        // A member of a list that may hold null.
        (
            "{ softMembers { ^name } }",
            json!({ "softMembers": [{ "name": "name" }, null, { "name": "name" }] }),
            json!([["softMembers", 1, "name"]]),
        ),
        // Of one that may not, in a field that may be null. The path ends at the member, which is the executor's
        // fault: the place tells which field of it failed.
        ("{ ok hardMembers { ^name } }", json!({ "ok": "ok", "hardMembers": null }), json!([["hardMembers", 1]])),
        // Of one that may not, in a field that may not.
        ("{ ok hardList { ^name } }", Json::Null, json!([["hardList", 1]])),
        // What may be null within such a member has its whole path.
        (
            "{ hardList { ok ^note } }",
            json!({ "hardList": [{ "ok": "ok", "note": "note" }, { "ok": "ok", "note": null }] }),
            json!([["hardList", 1, "note"]]),
        ),
        // Two of one parent: the parent is null once, with one error.
        ("{ ok soft(good: false) { ^name other } }", json!({ "ok": "ok", "soft": null }), json!([["soft", "name"]])),
        // Two of two parents: both.
        (
            "{ a: soft(good: false) { ^name } b: soft(good: false) { ^name } }",
            json!({ "a": null, "b": null }),
            json!([["a", "name"], ["b", "name"]]),
        ),
        // Through fragments: the place is the field's.
        (
            "{ soft(good: false) { ...F } }\nfragment F on Record { ... { ^name } }",
            json!({ "soft": null }),
            json!([["soft", "name"]]),
        ),
        // A mutation: the next one runs.
        (
            "mutation { a: change(good: false) { ^name } b: change(good: true) { name } }",
            json!({ "a": null, "b": { "name": "name" } }),
            json!([["a", "name"]]),
        ),
        // A place is a character's, not a byte's, and every kind of line end counts.
        (
            "# é\r\n\r{ #😀\nsoft(good: false, #\u{e9}\r\n) { ^note } a: soft(good: true) { ok } }",
            json!({ "soft": { "note": null }, "a": { "ok": "ok" } }),
            json!([["soft", "note"]]),
        ),
        (
            "{ text(of: \"é😀\") soft(good: false) { ^note } }",
            json!({ "text": "é😀", "soft": { "note": null } }),
            json!([["soft", "note"]]),
        ),
    ] {
        let (query, places) = marked(query);
        let (found, mut told) = told(schema.execute(request(&schema, &query)).await);
        assert_eq!(found, data, "{query}");
        told.sort_by_key(|(path, _)| path.to_string());
        let errors: Vec<_> = paths.as_array().into_iter().flatten().cloned().zip(places).collect();
        assert_eq!(told, errors, "{query}");
    }
}

#[tokio::test]
async fn a_pushed_item_that_fails_is_null_and_the_next_one_comes() {
    let schema = build(Query, Mutation, Subscriptions).finish();
    let responses = schema.execute_stream(request(&schema, "subscription { items { name } }"));
    let responses: Vec<_> = responses.collect().await;
    let data: Vec<Value> = responses.iter().map(|response| response.data.clone()).collect();
    let good = value!({ "items": { "name": "name" } });
    assert_eq!(data, [good.clone(), Value::Null, good]);
    assert_eq!(responses[1].errors.len(), 1);
}

//! GraphQL over HTTP (September 2026 edition).
//!
//! | | `application/graphql-response+json` | `application/json` |
//! | --- | --- | --- |
//! | malformed JSON or parameters | 400 | 400 |
//! | document or variables refused | 400, no `data` | 200 |
//! | answered | 200 | 200 |
//! | answered in part | 294 | 200 |
//!
//! 401 without a good token, before anything is parsed; 503 while that cannot be told; 403 for a foreign page; 405 for a mutation by GET, 406, 413, 415. POST takes JSON only:
//! no form and no plain text, which a foreign page could send. GET runs queries only. A subscription is answered with
//! `text/event-stream` when the client accepts it (`sse`); whoever accepts nothing else sends subscriptions only.

use std::sync::{Arc, atomic::Ordering};

use async_graphql::ServerError;
use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value, json};

use super::{PURPOSE, RequestId, Web, sse, websocket};
use crate::{
    auth::{Viewer, token::Verified},
    error::{Error, code},
    graphql::{Asked, Caller, OperationKind, purpose, refused},
};

/// The two media types that an answer can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Response,
    Json,
}

impl Media {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// What the client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Accepted {
    /// The best of the two media types of one answer, if any.
    media: Option<Media>,
    /// Whether a stream of server-sent events.
    stream: bool,
}

impl Accepted {
    /// What the client says; JSON when it says nothing. None when we have nothing of it.
    fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(f32, u8, Media)> = None;
        let (mut said, mut stream) = (false, false);
        for value in headers.get_all(header::ACCEPT) {
            let value = value.to_str().ok()?;
            for range in value.split(',') {
                let mut parts = range.split(';').map(str::trim);
                let name = parts.next().unwrap_or_default().to_ascii_lowercase();
                if name.is_empty() {
                    continue;
                }
                said = true;
                let quality = parts
                    .filter_map(|part| part.split_once('='))
                    .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
                    .map_or(1.0, |(_, value)| value.trim().parse().unwrap_or(0.0));
                // A named type goes before a range of the same quality.
                let (media, precision) = match name.as_str() {
                    "application/graphql-response+json" => (Media::Response, 2),
                    "application/json" => (Media::Json, 2),
                    "application/*" => (Media::Json, 1),
                    "*/*" => (Media::Json, 0),
                    "text/event-stream" => {
                        stream |= quality > 0.0;
                        continue;
                    }
                    _ => continue,
                };
                let better = best.is_none_or(|(other, than, _)| (quality, precision) > (other, than));
                if quality > 0.0 && better {
                    best = Some((quality, precision, media));
                }
            }
        }
        let media = if said { best.map(|(.., media)| media) } else { Some(Media::Json) };
        (stream || media.is_some()).then_some(Self { media, stream })
    }

    /// The media type of a refusal: whoever accepts streams only must be told somehow.
    fn refusals(self) -> Media {
        self.media.unwrap_or(Media::Response)
    }
}

/// A refusal before GraphQL began.
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    allow: Option<&'static str>,
}

fn refusal(status: StatusCode, message: &'static str) -> Refusal {
    Refusal { status, code: code::BAD_USER_INPUT, message, allow: None }
}

/// It will pass: the client should come again.
fn unavailable(message: &'static str) -> Refusal {
    Refusal { code: code::UNAVAILABLE, ..refusal(StatusCode::SERVICE_UNAVAILABLE, message) }
}

/// For a page that is not on the list.
pub(super) fn foreign_origin() -> Response {
    let message = "Pages of this origin may not ask: add it to HEARTH_ORIGINS.";
    Refusal { code: code::ORIGIN_NOT_ALLOWED, ..refusal(StatusCode::FORBIDDEN, message) }.answer(Media::Json)
}

impl Refusal {
    fn answer(self, media: Media) -> Response {
        let body = json!({ "errors": [{ "message": self.message, "extensions": { "code": self.code } }] });
        let mut response = answer(self.status, media, body.to_string());
        if let Some(allow) = self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

fn answer(status: StatusCode, media: Media, body: String) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.content_type());
    // Records are nobody's to keep on the way.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Everything at `/graphql`.
pub(super) async fn handle(State(web): State<Arc<Web>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if !web.cleared.load(Ordering::Relaxed) {
        return unavailable("The server is not ready yet: try again in a few seconds.").answer(Media::Json);
    }
    // Some clients offer other upgrades (h2c) with every request.
    let upgrade = parts.headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    if upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        return match WebSocketUpgrade::from_request_parts(&mut parts, &web).await {
            Ok(upgrade) => websocket::open(web, &parts.headers, upgrade),
            Err(rejection) => rejection.into_response(),
        };
    }
    let Some(accepted) = Accepted::negotiate(&parts.headers) else {
        let message = "Accept application/graphql-response+json, application/json or, for a subscription, \
                       text/event-stream.";
        return refusal(StatusCode::NOT_ACCEPTABLE, message).answer(Media::Json);
    };
    let media = accepted.refusals();
    // Nothing of a stranger's request is parsed.
    let verified = match verify(&web, &parts.headers).await {
        Ok(verified) => verified,
        Err(refused) => return refused.answer(media),
    };
    let asked = match parts.method {
        Method::POST => from_body(&web, &parts.headers, body).await,
        Method::GET if accepted.media.is_none() => Err(stream_by_post()),
        Method::GET => from_query(&parts.uri),
        _ => Err(Refusal {
            allow: Some("GET, POST"),
            ..refusal(StatusCode::METHOD_NOT_ALLOWED, "Use POST, or GET for a query.")
        }),
    };
    // The body may have taken its time, and a token ends meanwhile like any other.
    if let Err(error) = web.sign_in.judge(&verified) {
        return not_signed_in(&error).answer(media);
    }
    let asked = match asked {
        Ok(asked) => asked,
        Err(refused) => return refused.answer(media),
    };
    let said = parts.headers.get(PURPOSE).map(|value| value.to_str().unwrap_or_default());
    let Some(purpose) = purpose(said) else {
        let message = "Say one of DIRECT_WORK, DUTY, SUPERVISION, AUDIT, STATISTICS in the header hearth-purpose, or leave it out.";
        return refusal(StatusCode::BAD_REQUEST, message).answer(media);
    };
    let request_id = parts.extensions.get::<RequestId>().map_or_else(uuid::Uuid::now_v7, |id| id.0);
    run(&web, accepted, &parts.method, verified, &asked, Caller { request_id, purpose }).await
}

async fn verify(web: &Web, headers: &HeaderMap) -> Result<Verified, Refusal> {
    web.sign_in.verify_headers(headers).await.map_err(|error| not_signed_in(&error))
}

/// For whom signing in refuses.
fn not_signed_in(error: &Error) -> Refusal {
    if let Error::Unavailable = error {
        return unavailable("Signing in does not work just now: try again in a few seconds.");
    }
    let message = "Sign in: send a valid bearer token in the Authorization header.";
    Refusal { code: code::UNAUTHENTICATED, ..refusal(StatusCode::UNAUTHORIZED, message) }
}

fn stream_by_post() -> Refusal {
    let message = "A stream of events is asked for by POST.";
    Refusal { allow: Some("POST"), ..refusal(StatusCode::METHOD_NOT_ALLOWED, message) }
}

async fn run(
    web: &Arc<Web>,
    accepted: Accepted,
    method: &Method,
    verified: Verified,
    asked: &Asked,
    caller: Caller,
) -> Response {
    let ready = match web.graph.prepare(asked) {
        Ok(ready) => ready,
        Err(errors) => return request_errors(accepted, &errors),
    };
    let media = accepted.refusals();
    match ready.kind {
        OperationKind::Mutation if method == Method::GET => {
            let message = "A mutation is sent by POST.";
            return Refusal { allow: Some("POST"), ..refusal(StatusCode::METHOD_NOT_ALLOWED, message) }.answer(media);
        }
        OperationKind::Subscription if accepted.stream && method == Method::GET => {
            return stream_by_post().answer(media);
        }
        OperationKind::Subscription if accepted.stream => {
            let Some(seat) = web.seats.take(verified.worker_id) else {
                let message = "You have too many sockets and streams open: close one first.";
                let full = refusal(StatusCode::TOO_MANY_REQUESTS, message);
                return Refusal { code: code::TOO_MANY_SOCKETS, ..full }.answer(media);
            };
            return sse::open(web, verified, seat, ready, caller);
        }
        OperationKind::Subscription => {
            let message = "A subscription is opened over WebSocket (graphql-transport-ws) at this address, or by POST \
                           with Accept: text/event-stream.";
            return refusal(StatusCode::BAD_REQUEST, message).answer(media);
        }
        OperationKind::Query | OperationKind::Mutation if accepted.media.is_none() => {
            let message = "Only a subscription is answered with text/event-stream: send queries and mutations with \
                           Accept: application/graphql-response+json or application/json.";
            return refusal(StatusCode::BAD_REQUEST, message).answer(media);
        }
        OperationKind::Query | OperationKind::Mutation => {}
    }
    let viewer = Viewer::new(verified.worker_id, (web.clock)());
    let mut response = web.graph.execute(ready, viewer, caller).await;
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code") == Some(&async_graphql::Value::from(code::INTERNAL)) {
            extensions.set("requestId", caller.request_id.to_string());
        }
    }
    let unknown = response.errors.iter().any(|error| has_code(error, code::UNAUTHENTICATED));
    let status = match media {
        Media::Response if unknown => StatusCode::UNAUTHORIZED,
        Media::Response if !response.errors.is_empty() && response.data != async_graphql::Value::Null => partial(),
        _ => StatusCode::OK,
    };
    match serde_json::to_string(&response) {
        Ok(body) => answer(status, media, body),
        Err(error) => {
            let failed = refused(&Error::internal(error));
            answer(StatusCode::OK, media, serde_json::to_string(&failed).unwrap_or_default())
        }
    }
}

fn has_code(error: &ServerError, wanted: &str) -> bool {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    code == Some(&async_graphql::Value::from(wanted))
}

/// Partial data, as the September 2026 edition names it.
fn partial() -> StatusCode {
    StatusCode::from_u16(294).unwrap_or(StatusCode::OK)
}

/// Errors before execution: no `data` at all.
fn request_errors(accepted: Accepted, errors: &[ServerError]) -> Response {
    let media = accepted.refusals();
    let status = match media {
        // Whoever waits for a stream goes by the status.
        Media::Json if !accepted.stream => StatusCode::OK,
        Media::Response | Media::Json => StatusCode::BAD_REQUEST,
    };
    let body = serde_json::to_string(&json!({ "errors": errors })).unwrap_or_default();
    answer(status, media, body)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    let json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.filter_map(|part| part.split_once('=')).all(|(key, charset)| {
        !key.trim().eq_ignore_ascii_case("charset") || charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    json && utf8
}

async fn from_body(web: &Web, headers: &HeaderMap, body: Body) -> Result<Asked, Refusal> {
    if !is_json(headers) {
        let message = "Send the request as Content-Type: application/json, in UTF-8.";
        return Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let reading = Limited::new(body, web.max_body_bytes).collect();
    let Ok(body) = tokio::time::timeout(web.times.body, reading).await else {
        return Err(refusal(StatusCode::REQUEST_TIMEOUT, "The request came too slowly: send it again."));
    };
    let body = body.map_err(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&*error);
        while let Some(one) = cause {
            if one.is::<http_body_util::LengthLimitError>() {
                return refusal(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large: ask for less at once.");
            }
            cause = one.source();
        }
        refusal(StatusCode::BAD_REQUEST, "The request broke off.")
    })?;
    let value: Value = serde_json::from_slice(&body.to_bytes())
        .map_err(|_| refusal(StatusCode::BAD_REQUEST, "The body is not valid JSON."))?;
    let Value::Object(fields) = value else {
        return Err(refusal(StatusCode::BAD_REQUEST, "The body must be one JSON object; batches are not taken."));
    };
    Asked::from_parameters(fields).map_err(|fault| refusal(StatusCode::BAD_REQUEST, fault))
}

fn from_query(uri: &Uri) -> Result<Asked, Refusal> {
    let mut fields: Map<String, Value> = Map::new();
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let bad = || refusal(StatusCode::BAD_REQUEST, "The query string is not valid.");
        let (key, value) = (decode(key).ok_or_else(bad)?, decode(value).ok_or_else(bad)?);
        let value = match key.as_str() {
            "variables" | "extensions" if value.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&value).map_err(|_| bad())?,
            _ => Value::String(value),
        };
        if fields.insert(key, value).is_some() {
            return Err(refusal(StatusCode::BAD_REQUEST, "A parameter is given twice."));
        }
    }
    Asked::from_parameters(fields).map_err(|fault| refusal(StatusCode::BAD_REQUEST, fault))
}

/// Percent-decoding of a form component.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(value: &str) -> Option<Accepted> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(value).unwrap());
        Accepted::negotiate(&headers)
    }

    fn accepts(value: &str) -> Option<Media> {
        negotiated(value).and_then(|accepted| accepted.media)
    }

    #[test]
    fn the_better_quality_wins_and_then_the_more_precise() {
        assert_eq!(accepts("application/json;q=0.5, application/graphql-response+json"), Some(Media::Response));
        assert_eq!(accepts("*/*"), Some(Media::Json));
        assert_eq!(accepts("*/*, application/graphql-response+json"), Some(Media::Response));
        assert_eq!(accepts("text/html"), None);
        assert_eq!(accepts("application/json;q=0"), None);
        let nothing_said = Accepted::negotiate(&HeaderMap::new());
        assert_eq!(nothing_said, Some(Accepted { media: Some(Media::Json), stream: false }));
    }

    #[test]
    fn streams_are_accepted_by_name_only() {
        assert_eq!(negotiated("text/event-stream"), Some(Accepted { media: None, stream: true }));
        let both = Some(Accepted { media: Some(Media::Response), stream: true });
        assert_eq!(negotiated("text/event-stream, application/graphql-response+json;q=0.1"), both);
        assert_eq!(negotiated("*/*").map(|accepted| accepted.stream), Some(false));
        assert_eq!(negotiated("text/event-stream;q=0"), None);
    }

    #[test]
    fn only_json_in_utf_8_is_taken() {
        for (value, taken) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json; charset=iso-8859-1", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
            assert_eq!(is_json(&headers), taken, "{value}");
        }
    }

    #[test]
    fn a_broken_percent_code_is_refused() {
        assert_eq!(decode("a%20b+c").as_deref(), Some("a b c"));
        assert_eq!(decode("%f"), None);
        assert_eq!(decode("%ff"), None);
    }
}

//! `graphql-transport-ws`, our own loop: every fault closes with the protocol's code, so that clients retry exactly
//! when it makes sense.
//!
//! | code | why | client |
//! | --- | --- | --- |
//! | 4400 | a message that the protocol does not know | gives up |
//! | 4401 | an operation before the handshake | gives up |
//! | 4403 | no good token, or it has expired | signs in again, resumes |
//! | 4408 | no handshake in time | retries |
//! | 4409 | an id that is in use | gives up |
//! | 4429 | a second handshake | gives up |
//! | 4430 | too many sockets of this person | retries, when one is closed |
//! | 1012 | the server stops | retries, resumes |
//! | 1013 | an operation failed by our fault, or nobody can sign in or stay so, for now | retries, resumes |

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use async_graphql::{Response as GraphResponse, ServerError};
use axum::{
    extract::{
        WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{Sink, StreamExt, stream::BoxStream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Web, ended, is_ours, seats::Seat, sign_in};
use crate::{
    auth::{Viewer, token::Verified},
    error::{Error, code},
    graphql::{Asked, Caller, OperationKind, Said},
};

const PROTOCOL: &str = "graphql-transport-ws";
/// Longest message before the handshake is done, in bytes: a stranger's is hardly read.
const STRANGER_BYTES: usize = 16 * 1024;
/// Longest item that is pushed, in bytes: it is held for a client until it has read it.
const ITEM_BYTES: usize = 1024 * 1024;
const NO_HANDSHAKE: End = End::Close(4408, "Connection initialisation timeout");
const TOKEN_EXPIRED: End = End::Close(4403, "Token expired");
const FORBIDDEN: End = End::Close(4403, "Forbidden");

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromClient {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Value>,
    },
    Ping {
        #[serde(default)]
        payload: Option<Value>,
    },
    Pong {},
    Subscribe {
        id: String,
        payload: Map<String, Value>,
    },
    Complete {
        id: String,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToClient<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
    },
    Next {
        id: &'a str,
        payload: &'a GraphResponse,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

/// Answers the upgrade. Only the current sub-protocol is spoken.
pub(super) fn open(web: Arc<Web>, headers: &HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let offered = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim() == PROTOCOL);
    if !offered {
        return (StatusCode::BAD_REQUEST, "Use the WebSocket sub-protocol graphql-transport-ws.\n").into_response();
    }
    // A native client may send its token with the upgrade; a browser cannot, and sends it in the handshake.
    let authorization = sign_in::authorization(headers).map(str::to_owned);
    let tracked = web.sockets.token();
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(web.max_message_bytes)
        .max_frame_size(web.max_message_bytes)
        // The default of 128 KiB for every socket is what an idle one would weigh.
        .read_buffer_size(1024)
        .write_buffer_size(0)
        // With room for the frame around an item.
        .max_write_buffer_size(ITEM_BYTES + 1024)
        .on_upgrade(move |socket| async move {
            Socket::new(web, socket, authorization).run().await;
            drop(tracked);
        })
}

/// Why a socket ends.
enum End {
    /// With this code and reason.
    Close(u16, &'static str),
    /// The client is gone.
    Gone(&'static str),
}

/// What happens next on a socket.
enum Happened {
    /// The client sent something, or is gone.
    Heard(Option<Result<Message, axum::Error>>),
    /// What was to be sent did not leave.
    Broke,
    /// The operation at this place says something, or that it is over.
    Said(usize, Option<Said>),
}

/// Where the probing of a client stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Probe {
    Idle,
    /// To be sent as soon as nothing is on its way.
    Due,
    /// Sent then, and nothing was heard since.
    Sent(Instant),
}

/// An operation that runs for the client.
struct Running {
    /// The client's. It may use an id again at once after `complete`.
    id: String,
    responses: BoxStream<'static, Said>,
    /// What it said while something else was on its way.
    waiting: Option<Option<Said>>,
}

/// One task for everything of a client. It never waits for the client alone: an operation comes to the end of what it
/// reads for an event, and gives its connection to the database back, also while the client does not read.
struct Socket {
    web: Arc<Web>,
    socket: WebSocket,
    /// Whether something is on its way. Until it has left nothing else is sent, and nothing is heard. A client that
    /// reads nothing is given up by `Patient`, one that never comes to the end by the probe.
    sending: bool,
    probe: Probe,
    /// The upgrade's header, until the handshake.
    authorization: Option<String>,
    verified: Option<Verified>,
    /// Among the person's sockets.
    seat: Option<Seat>,
    acknowledged: bool,
    running: Vec<Running>,
}

impl Socket {
    fn new(web: Arc<Web>, socket: WebSocket, authorization: Option<String>) -> Self {
        Self {
            web,
            socket,
            sending: false,
            probe: Probe::Idle,
            authorization,
            verified: None,
            seat: None,
            acknowledged: false,
            running: Vec::new(),
        }
    }

    async fn run(mut self) {
        let Err(ended) = self.talk().await;
        match &ended {
            End::Close(code, reason) => tracing::debug!(code, reason, "a socket is closed"),
            End::Gone(why) => tracing::debug!(why, "a socket is given up"),
        }
        // Everything that runs for this client ends here. Its seat is free before it hears of it, and comes again.
        self.running.clear();
        self.seat = None;
        if let End::Close(code, reason) = ended {
            let frame = CloseFrame { code, reason: reason.into() };
            let closing = async {
                if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                    // The client answers with its own close; then the connection ends cleanly.
                    while let Some(Ok(_)) = self.socket.recv().await {}
                }
            };
            let _ = tokio::time::timeout(Duration::from_secs(2), closing).await;
        }
    }

    async fn talk(&mut self) -> Result<std::convert::Infallible, End> {
        let (stop, times) = (self.web.stop.clone(), self.web.times);
        let mut stopped = std::pin::pin!(stop.cancelled());
        // Until the handshake its time, then the token's.
        let mut time = std::pin::pin!(tokio::time::sleep(times.init));
        let mut probe = tokio::time::interval(times.probe);
        probe.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        probe.tick().await;
        let mut endings = self.web.sign_in.endings();
        loop {
            let happened = tokio::select! {
                () = &mut stopped => return Err(End::Close(1012, "Service restart")),
                () = &mut time => return Err(match self.acknowledged {
                    true => TOKEN_EXPIRED,
                    false => NO_HANDSHAKE,
                }),
                _ = probe.tick() => {
                    match self.probe {
                        Probe::Idle => self.probe = Probe::Due,
                        // One message may take as long as that, and no longer.
                        Probe::Due => return Err(End::Gone("it does not read")),
                        Probe::Sent(at) if at.elapsed() >= times.answer => return Err(End::Gone("it does not answer")),
                        Probe::Sent(_) => {}
                    }
                    continue;
                }
                changed = endings.changed() => {
                    if changed.is_err() {
                        return Err(FORBIDDEN);
                    }
                    self.judge()?;
                    continue;
                }
                happened = self.next() => happened,
            };
            // By the clock too, which may have gone on while the machine stood still.
            self.judge()?;
            match happened {
                Happened::Broke => return Err(End::Gone("nothing can be sent")),
                Happened::Heard(message) => {
                    if matches!(self.probe, Probe::Sent(_)) {
                        self.probe = Probe::Idle;
                    }
                    let before = self.acknowledged;
                    match message {
                        Some(Ok(message)) => tokio::select! {
                            received = self.receive(message) => received?,
                            // Signing in may wait for others.
                            () = &mut stopped => return Err(End::Close(1012, "Service restart")),
                            () = &mut time, if !before => return Err(NO_HANDSHAKE),
                        },
                        // Too large, or no WebSocket at all: not worth a retry. Nobody hears it if the client is gone.
                        Some(Err(_)) => return Err(End::Close(4400, "Invalid or too large message")),
                        None => return Err(End::Gone("it has left")),
                    }
                    if let (false, true, Some(verified)) = (before, self.acknowledged, &self.verified) {
                        time.as_mut().reset(tokio::time::Instant::now() + verified.expires_in((self.web.clock)()));
                    }
                }
                Happened::Said(at, said) => self.deliver(at, said)?,
            }
        }
    }

    /// Ends the socket of somebody who was let in and may not be any more.
    fn judge(&self) -> Result<(), End> {
        let Some(verified) = &self.verified else { return Ok(()) };
        self.web.sign_in.judge(verified).map_err(refused)
    }

    async fn next(&mut self) -> Happened {
        poll_fn(|cx| {
            while self.sending || self.probe == Probe::Due {
                if self.sending {
                    match Pin::new(&mut self.socket).poll_flush(cx) {
                        Poll::Ready(Ok(())) => self.sending = false,
                        Poll::Ready(Err(_)) => return Poll::Ready(Happened::Broke),
                        Poll::Pending => break,
                    }
                } else {
                    self.probe = Probe::Sent(Instant::now());
                    if self.send(Message::Ping(Vec::new().into())).is_err() {
                        return Poll::Ready(Happened::Broke);
                    }
                }
            }
            // Operations go on first, whatever the client says meanwhile.
            for running in self.running.iter_mut().filter(|running| running.waiting.is_none()) {
                if let Poll::Ready(said) = running.responses.poll_next_unpin(cx) {
                    running.waiting = Some(said);
                }
            }
            if self.sending {
                return Poll::Pending;
            }
            if let Poll::Ready(message) = self.socket.poll_next_unpin(cx) {
                return Poll::Ready(Happened::Heard(message));
            }
            for (at, running) in self.running.iter_mut().enumerate() {
                if let Some(said) = running.waiting.take() {
                    return Poll::Ready(Happened::Said(at, said));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Called only while nothing else is on its way.
    fn send(&mut self, message: Message) -> Result<(), End> {
        self.sending = true;
        Pin::new(&mut self.socket).start_send(message).map_err(|_| End::Gone("nothing can be sent"))
    }

    fn say(&mut self, message: ToClient<'_>) -> Result<(), End> {
        let text = text_of(&message)?;
        self.send(Message::Text(text.into()))
    }

    /// Says what the last of those that run brings, or that it is too large: dropping the socket for it would make the client
    /// meet it again whenever it resumes.
    fn push(&mut self, text: String) -> Result<(), End> {
        if text.len() <= ITEM_BYTES {
            return self.send(Message::Text(text.into()));
        }
        let Some(running) = self.running.pop() else { return Ok(()) };
        let message = "What this subscription asks for is larger than 1 MiB at once: ask for less with each event.";
        let errors = [plain_error(message, code::QUERY_TOO_COMPLEX)];
        self.say(ToClient::Error { id: &running.id, payload: &errors })
    }

    async fn receive(&mut self, message: Message) -> Result<(), End> {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Gone("it has left")),
            Message::Binary(_) => return Err(End::Close(4400, "Only text messages")),
        };
        if !self.acknowledged && text.len() > STRANGER_BYTES {
            return Err(End::Close(4400, "Invalid or too large message"));
        }
        let Ok(message) = serde_json::from_str::<FromClient>(&text) else {
            return Err(End::Close(4400, "Invalid message"));
        };
        match message {
            FromClient::ConnectionInit { .. } if self.acknowledged => {
                Err(End::Close(4429, "Too many initialisation requests"))
            }
            FromClient::ConnectionInit { payload } => {
                let upgrade = self.authorization.take();
                let offered = payload.as_ref().and_then(authorization).or(upgrade).unwrap_or_default();
                let verified = self.web.sign_in.verify(&offered).await.map_err(refused)?;
                let Some(seat) = self.web.seats.take(verified.worker_id) else {
                    return Err(End::Close(4430, "Too many sockets of this person"));
                };
                (self.verified, self.seat, self.acknowledged) = (Some(verified), Some(seat), true);
                self.say(ToClient::ConnectionAck)
            }
            FromClient::Ping { payload } => self.say(ToClient::Pong { payload }),
            FromClient::Pong {} => Ok(()),
            FromClient::Subscribe { .. } if !self.acknowledged => Err(End::Close(4401, "Unauthorized")),
            FromClient::Subscribe { id, payload } => match Asked::from_parameters(payload) {
                Ok(asked) => self.subscribe(id, &asked),
                Err(_) => Err(End::Close(4400, "Invalid message")),
            },
            FromClient::Complete { id } => {
                self.running.retain(|running| running.id != id);
                Ok(())
            }
        }
    }

    fn subscribe(&mut self, id: String, asked: &Asked) -> Result<(), End> {
        let Some(verified) = &self.verified else { return Err(End::Close(4401, "Unauthorized")) };
        if self.running.iter().any(|running| running.id == id) {
            return Err(End::Close(4409, "Subscriber already exists"));
        }
        if self.running.len() >= self.web.max_operations {
            let errors = [plain_error("Too many operations on this socket: complete one first.", code::BAD_USER_INPUT)];
            return self.say(ToClient::Error { id: &id, payload: &errors });
        }
        let ready = match self.web.graph.prepare(asked) {
            Ok(ready) => ready,
            Err(errors) => return self.say(ToClient::Error { id: &id, payload: &errors }),
        };
        if ready.kind != OperationKind::Subscription {
            let message = "Only subscriptions run on a socket: send queries and mutations by POST.";
            let errors = [plain_error(message, code::BAD_USER_INPUT)];
            return self.say(ToClient::Error { id: &id, payload: &errors });
        }
        let viewer = Viewer::new(verified.worker_id, (self.web.clock)());
        // An operation on a socket has no request of its own.
        let caller = Caller { request_id: uuid::Uuid::now_v7(), purpose: crate::domain::codes::Purpose::DirectWork };
        let responses = self.web.graph.stream(ready, viewer, caller).boxed();
        self.running.push(Running { id, responses, waiting: None });
        Ok(())
    }

    fn deliver(&mut self, at: usize, said: Option<Said>) -> Result<(), End> {
        // The others are asked first next time.
        self.running.rotate_left(at + 1);
        let Some(id) = self.running.last().map(|running| running.id.clone()) else { return Ok(()) };
        match said {
            Some(Said::Text(text)) => {
                let id = text_of(&id)?;
                self.push([r#"{"type":"next","id":"#, &id, r#","payload":"#, &text, "}"].concat())
            }
            // The protocol's `error` is final for the client, but this will pass: let it come again.
            Some(Said::Response(response)) if is_ours(&response) => Err(End::Close(1013, "Try again later")),
            Some(Said::Broken(response)) => {
                self.running.pop();
                self.say(ToClient::Error { id: &id, payload: &response.errors })
            }
            Some(Said::Response(response)) if ended(&response) => {
                // The protocol's `error` ends the operation.
                self.running.pop();
                self.say(ToClient::Error { id: &id, payload: &response.errors })
            }
            Some(Said::Response(response)) => self.push(text_of(&ToClient::Next { id: &id, payload: &response })?),
            None => {
                self.running.pop();
                self.say(ToClient::Complete { id: &id })
            }
        }
    }
}

fn text_of(message: &impl Serialize) -> Result<String, End> {
    serde_json::to_string(message).map_err(|_| End::Close(1012, "Internal error"))
}

/// How a socket ends for whom signing in refuses.
fn refused(error: Error) -> End {
    match error {
        Error::Unavailable => End::Close(1013, "Try again later"),
        _ => FORBIDDEN,
    }
}

/// The token in a handshake's payload: `{ "authorization": "Bearer ..." }`, in any case, or under `headers`.
fn authorization(payload: &Value) -> Option<String> {
    let fields = payload.as_object()?;
    let named = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    match named {
        Some((_, value)) => Some(value.as_str().unwrap_or_default().to_owned()),
        None => fields.get("headers").and_then(authorization),
    }
}

fn plain_error(message: &str, of: &'static str) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", of);
    error
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_token_is_found_in_any_case_and_under_headers() {
        for payload in [
            json!({ "authorization": "Bearer x" }),
            json!({ "Authorization": "Bearer x" }),
            json!({ "headers": { "Authorization": "Bearer x" } }),
        ] {
            assert_eq!(authorization(&payload).as_deref(), Some("Bearer x"));
        }
        assert_eq!(authorization(&json!({ "token": "x" })), None);
        assert_eq!(authorization(&json!([])), None);
    }
}

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
//! | 1012 | the server stops | retries, resumes |
//! | 1013 | an operation failed by our fault, for now | retries, resumes |

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_graphql::{Response as GraphResponse, ServerError};
use axum::{
    extract::{
        WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{
    StreamExt,
    stream::{BoxStream, SelectAll, unfold},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::{SEND_WITHIN, Web, ended, is_ours};
use crate::{
    auth::{Viewer, token::Verified},
    error::code,
    graphql::{Asked, OperationKind, Said},
};

const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take for its handshake.
const INIT_WITHIN: Duration = Duration::from_secs(5);
/// How often an idle socket is probed, so that dead ones are noticed.
const PROBE_EVERY: Duration = Duration::from_secs(30);
/// Responses of one operation that wait for the socket.
const BUFFERED: usize = 4;

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
    let verified = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| web.tokens.verify(value).ok());
    let tracked = web.sockets.token();
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(web.max_message_bytes)
        .max_frame_size(web.max_message_bytes)
        // The default of 128 KiB for every socket is what an idle one would weigh.
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_write_buffer_size(1024 * 1024)
        .on_upgrade(move |socket| async move {
            Socket::new(web, socket, verified).run().await;
            drop(tracked);
        })
}

/// Why a socket ends.
enum End {
    /// With this code and reason.
    Close(u16, &'static str),
    /// The client is gone.
    Gone,
}

/// What a running operation says: its number, and a response or that it is over.
type Outgoing = BoxStream<'static, (u64, Option<Said>)>;

struct Socket {
    web: Arc<Web>,
    socket: WebSocket,
    /// From the upgrade's header, or from the handshake.
    verified: Option<Verified>,
    acknowledged: bool,
    /// Operations by the client's id. A client may use an id again at once after `complete`, so what still comes of
    /// the operation before is told apart by our number.
    running: HashMap<String, (u64, AbortOnDropHandle<()>)>,
    begun: u64,
    outgoing: SelectAll<Outgoing>,
}

impl Socket {
    fn new(web: Arc<Web>, socket: WebSocket, verified: Option<Verified>) -> Self {
        Self {
            web,
            socket,
            verified,
            acknowledged: false,
            running: HashMap::new(),
            begun: 0,
            outgoing: SelectAll::new(),
        }
    }

    async fn run(mut self) {
        let ended = match self.talk().await {
            Err(end) => end,
            Ok(never) => match never {},
        };
        // Everything that runs for this client ends here.
        self.running.clear();
        self.outgoing.clear();
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
        let stop = self.web.stop.clone();
        let init = tokio::time::sleep(INIT_WITHIN);
        tokio::pin!(init);
        let mut probe = tokio::time::interval(PROBE_EVERY);
        probe.tick().await;
        let mut heard = true;
        loop {
            let expiry = self.expires_in();
            tokio::select! {
                () = stop.cancelled() => return Err(End::Close(1012, "Service restart")),
                () = &mut init, if !self.acknowledged => return Err(End::Close(4408, "Connection initialisation timeout")),
                () = tokio::time::sleep(expiry), if self.acknowledged => return Err(End::Close(4403, "Token expired")),
                message = self.socket.recv() => {
                    heard = true;
                    match message {
                        Some(Ok(message)) => self.receive(message).await?,
                        // Too large, or no WebSocket at all: not worth a retry. Nobody hears it if the client is gone.
                        Some(Err(_)) => return Err(End::Close(4400, "Invalid or too large message")),
                        None => return Err(End::Gone),
                    }
                }
                Some((number, response)) = self.outgoing.next(), if !self.outgoing.is_empty() => {
                    self.deliver(number, response).await?;
                }
                _ = probe.tick() => {
                    if !heard {
                        return Err(End::Gone);
                    }
                    heard = false;
                    self.send(Message::Ping(Vec::new().into())).await?;
                }
            }
        }
    }

    fn expires_in(&self) -> Duration {
        self.verified.map_or(INIT_WITHIN, |verified| verified.expires_in((self.web.clock)()))
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(SEND_WITHIN, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }

    async fn say(&mut self, message: ToClient<'_>) -> Result<(), End> {
        let text = serde_json::to_string(&message).map_err(|_| End::Close(1012, "Internal error"))?;
        self.send(Message::Text(text.into())).await
    }

    async fn receive(&mut self, message: Message) -> Result<(), End> {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Gone),
            Message::Binary(_) => return Err(End::Close(4400, "Only text messages")),
        };
        let Ok(message) = serde_json::from_str::<FromClient>(&text) else {
            return Err(End::Close(4400, "Invalid message"));
        };
        match message {
            FromClient::ConnectionInit { .. } if self.acknowledged => {
                Err(End::Close(4429, "Too many initialisation requests"))
            }
            FromClient::ConnectionInit { payload } => {
                let offered = payload.as_ref().and_then(authorization);
                let verified = match offered {
                    Some(token) => self.web.tokens.verify(&token).ok(),
                    None => self.verified,
                };
                match verified {
                    Some(verified) => {
                        self.verified = Some(verified);
                        self.acknowledged = true;
                        self.say(ToClient::ConnectionAck).await
                    }
                    None => Err(End::Close(4403, "Forbidden")),
                }
            }
            FromClient::Ping { payload } => self.say(ToClient::Pong { payload }).await,
            FromClient::Pong {} => Ok(()),
            FromClient::Subscribe { .. } if !self.acknowledged => Err(End::Close(4401, "Unauthorized")),
            FromClient::Subscribe { id, payload } => match Asked::from_parameters(payload) {
                Ok(asked) => self.subscribe(id, &asked).await,
                Err(_) => Err(End::Close(4400, "Invalid message")),
            },
            FromClient::Complete { id } => {
                self.running.remove(&id);
                Ok(())
            }
        }
    }

    async fn subscribe(&mut self, id: String, asked: &Asked) -> Result<(), End> {
        let Some(verified) = self.verified else { return Err(End::Close(4401, "Unauthorized")) };
        if self.running.contains_key(&id) {
            return Err(End::Close(4409, "Subscriber already exists"));
        }
        if self.running.len() >= self.web.max_operations {
            let errors = [plain_error("Too many operations on this socket: complete one first.", code::BAD_USER_INPUT)];
            return self.say(ToClient::Error { id: &id, payload: &errors }).await;
        }
        let ready = match self.web.graph.prepare(asked) {
            Ok(ready) => ready,
            Err(errors) => return self.say(ToClient::Error { id: &id, payload: &errors }).await,
        };
        if ready.kind != OperationKind::Subscription {
            let message = "Only subscriptions run on a socket: send queries and mutations by POST.";
            let errors = [plain_error(message, code::BAD_USER_INPUT)];
            return self.say(ToClient::Error { id: &id, payload: &errors }).await;
        }
        let viewer = Viewer::new(verified.worker_id, (self.web.clock)());
        self.begun += 1;
        let number = self.begun;
        // In a task of its own: it must come to the end of what it reads for an event, and give its connection back,
        // also while this socket waits for a client that does not read.
        let (say, said) = mpsc::channel(BUFFERED);
        let responses = self.web.graph.stream(ready, viewer);
        let task = tokio::spawn(async move {
            let mut responses = std::pin::pin!(responses);
            while let Some(response) = responses.next().await {
                if say.send((number, Some(response))).await.is_err() {
                    return;
                }
            }
            let _ = say.send((number, None)).await;
        });
        self.running.insert(id, (number, AbortOnDropHandle::new(task)));
        let outgoing = unfold(said, |mut said| async move { said.recv().await.map(|one| (one, said)) });
        self.outgoing.push(outgoing.boxed());
        Ok(())
    }

    async fn deliver(&mut self, number: u64, said: Option<Said>) -> Result<(), End> {
        // Completed by the client meanwhile: nothing more may be said about it.
        let known = self.running.iter().find(|(_, (running, _))| *running == number);
        let Some(id) = known.map(|(id, _)| id.clone()) else { return Ok(()) };
        match said {
            Some(Said::Text(text)) => {
                let id = serde_json::to_string(&id).map_err(|_| End::Close(1012, "Internal error"))?;
                let text = [r#"{"type":"next","id":"#, &id, r#","payload":"#, &text, "}"].concat();
                self.send(Message::Text(text.into())).await
            }
            // The protocol's `error` is final for the client, but this will pass: let it come again.
            Some(Said::Response(response)) if is_ours(&response) => Err(End::Close(1013, "Try again later")),
            Some(Said::Response(response)) if ended(&response) => {
                // The protocol's `error` ends the operation.
                self.running.remove(&id);
                self.say(ToClient::Error { id: &id, payload: &response.errors }).await
            }
            Some(Said::Response(response)) => self.say(ToClient::Next { id: &id, payload: &response }).await,
            None => {
                self.running.remove(&id);
                self.say(ToClient::Complete { id: &id }).await
            }
        }
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

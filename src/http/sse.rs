//! Server-sent events: one subscription, one request (graphql-sse, distinct connections mode).
//!
//! | what comes | what it means | client |
//! | --- | --- | --- |
//! | `event: next` | an execution result | |
//! | `event: complete` | the subscription is over, after its last result | stops |
//! | a comment | the connection lives | |
//! | the end, without `complete` | the token has expired, the server stops, or it cannot read just now | comes back, resumes |

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream::unfold};
use tokio::sync::mpsc;

use super::{Web, ended, is_ours, seats::Seat};
use crate::{
    auth::{Viewer, token::Verified},
    graphql::{Caller, Ready, Said},
};

/// How often a silent stream shows that it lives.
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// Frames that wait for the connection.
const BUFFERED: usize = 4;
/// Tells a proxy not to keep frames back.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers with the results of a subscription.
pub(super) fn open(web: &Arc<Web>, verified: Verified, seat: Seat, ready: Ready, caller: Caller) -> Response {
    let (say, said) = mpsc::channel(BUFFERED);
    // In a task of its own: it must come to the end of what it reads for an event, and give its connection to the
    // database back, also while the client does not read.
    let running = run(Arc::clone(web), verified, ready, caller, say);
    web.sockets.spawn(async move {
        running.await;
        drop(seat);
    });
    let frames =
        unfold(said, |mut said| async move { said.recv().await.map(|frame| (Ok::<_, Infallible>(frame), said)) });
    let mut response = Body::from_stream(frames).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// Says what the subscription brings, until it is over or somebody has had enough. What ends here without `complete`
/// ends the body too.
async fn run(web: Arc<Web>, verified: Verified, ready: Ready, caller: Caller, say: mpsc::Sender<Bytes>) {
    let viewer = Viewer::new(verified.worker_id, (web.clock)());
    let mut responses = std::pin::pin!(web.graph.stream(ready, viewer, caller));
    let mut endings = web.sign_in.endings();
    loop {
        let frame = tokio::select! {
            // First, so that nothing runs for whom was refused meanwhile.
            biased;
            // The login or the session has ended, or nobody knows: without `complete`, as at the end of the token.
            changed = endings.changed() => {
                if changed.is_err() || web.sign_in.judge(&verified).is_err() {
                    return;
                }
                continue;
            }
            () = web.stop.cancelled() => return,
            // The client is gone.
            () = say.closed() => return,
            () = tokio::time::sleep(verified.expires_in((web.clock)())) => return,
            () = tokio::time::sleep(COMMENT_EVERY) => Bytes::from_static(b":\n\n"),
            response = responses.next() => match response {
                // What is ready at the same moment must not slip through after the token's time.
                _ if web.sign_in.judge(&verified).is_err() => return,
                Some(Said::Text(text)) => next(&text),
                Some(Said::Response(response)) if is_ours(&response) => return,
                Some(Said::Response(response) | Said::Broken(response)) => {
                    let Ok(data) = serde_json::to_string(&response) else { return };
                    let frame = next(&data);
                    if ended(&response) {
                        let _ = send(&web, &say, frame).await;
                        let _ = send(&web, &say, complete()).await;
                        return;
                    }
                    frame
                }
                None => {
                    let _ = send(&web, &say, complete()).await;
                    return;
                }
            },
        };
        if send(&web, &say, frame).await.is_err() {
            return;
        }
    }
}

/// Hands a frame over; a client that does not read must not hold a task for ever.
async fn send(web: &Web, say: &mpsc::Sender<Bytes>, frame: Bytes) -> Result<(), ()> {
    tokio::time::timeout(web.times.send, say.send(frame)).await.map_err(drop)?.map_err(drop)
}

/// A response in JSON, which has no line breaks of its own: one line of data.
fn next(response: &str) -> Bytes {
    Bytes::from(format!("event: next\ndata: {response}\n\n"))
}

/// With a line of data: browsers dispatch no event without one.
fn complete() -> Bytes {
    Bytes::from_static(b"event: complete\ndata:\n\n")
}

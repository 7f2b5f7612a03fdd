//! A subscriber, as simple as the protocol allows.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, protocol::CloseFrame},
};

/// Everything that a feed test looks at.
pub const FEED: &str = "subscription($unitId: ID!, $after: String) { unitFeed(unitId: $unitId, after: $after) {
    __typename cursor
    ... on Event { eventId type summary severity caseRef { caseId caseNo childInitials } correlationId
                   entity { type entityId version } actor { displayName role } }
    ... on AllocationEvent { unitId allocationKind previousUnitId }
    ... on TransferEvent { transferState fromUnitId toUnitId case { id } }
    ... on ConferenceEvent { conferenceState scheduledFor previouslyScheduledFor }
} }";

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(15);

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Connected, nothing said yet.
    pub async fn connect(url: &str) -> Self {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let (stream, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self { stream }
    }

    /// The status with which an upgrade from a page of this origin is answered.
    pub async fn upgrade_from(url: &str, origin: &str) -> u16 {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        match tokio_tungstenite::connect_async(request).await {
            Ok((_, response)) => response.status().as_u16(),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => response.status().as_u16(),
            Err(other) => panic!("{other}"),
        }
    }

    /// Says the handshake with this token.
    pub async fn shake_hands(&mut self, token: &str) {
        let payload = json!({ "authorization": format!("Bearer {token}") });
        self.say(json!({ "type": "connection_init", "payload": payload })).await;
    }

    /// Whether the handshake is answered, and not the socket closed.
    pub async fn is_acknowledged(&mut self) -> bool {
        matches!(self.message().await, Some(Message::Text(_)))
    }

    /// Connected and acknowledged.
    pub async fn open(url: &str, token: &str) -> Self {
        let mut socket = Self::connect(url).await;
        socket.shake_hands(token).await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    pub async fn say(&mut self, message: Value) {
        self.stream.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    pub async fn say_raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    async fn message(&mut self) -> Option<Message> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("nothing came in time");
            match message {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                _ => return None,
            }
        }
    }

    /// The next message.
    pub async fn hear(&mut self) -> Value {
        match self.message().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("no text message but {other:?}"),
        }
    }

    /// The code with which the server closes.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.message().await {
                Some(Message::Close(Some(CloseFrame { code, .. }))) => return code.into(),
                Some(Message::Text(_)) => {}
                other => panic!("no close frame but {other:?}"),
            }
        }
    }

    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    /// Hears every message until the socket closes.
    pub async fn hear_all(mut self, mut heard: impl FnMut(String)) {
        while let Some(Ok(message)) = self.stream.next().await {
            if let Message::Text(text) = message {
                heard(text.to_string());
            }
        }
    }

    /// Opens a unit's feed and answers the cursor of its first item.
    pub async fn feed(&mut self, unit: &str, after: Option<&str>) -> String {
        self.open_feed(FEED, json!({ "unitId": unit, "after": after })).await
    }

    /// The next item of the one feed that is open.
    pub async fn item(&mut self) -> Value {
        let mut message = self.hear().await;
        assert_eq!(message["type"], "next", "{message}");
        assert_eq!(message["payload"]["errors"], Value::Null, "{message}");
        let data = message["payload"]["data"].as_object_mut().unwrap();
        data.values_mut().next().unwrap().take()
    }

    /// Opens a feed of any kind and answers the cursor of its first item.
    pub async fn open_feed(&mut self, query: &str, variables: Value) -> String {
        self.subscribe("feed", query, variables).await;
        let opened = self.item().await;
        assert_eq!(opened["__typename"], "FeedOpened", "{opened}");
        opened["cursor"].as_str().unwrap().to_owned()
    }

    /// The types of the next items.
    pub async fn types(&mut self, count: usize) -> Vec<String> {
        let mut types = Vec::new();
        for _ in 0..count {
            types.push(self.item().await["type"].as_str().unwrap().to_owned());
        }
        types
    }

    /// Ends the operation and proves that nothing more came before the answer to a ping: what the server had to say
    /// it said.
    pub async fn nothing_more(&mut self) {
        self.say(json!({ "type": "ping", "payload": { "after": "everything" } })).await;
        let heard = self.hear().await;
        assert_eq!(heard["type"], "pong", "{heard}");
    }
}

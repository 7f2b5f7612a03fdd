//! An event's envelope, written once for all who ask for the same.
//!
//! Most feeds select nothing but what is the same for everyone whom an event reaches, and a cursor, which is the
//! viewer's own. The first of them executes the selection; the others put their cursors into its text. Who gets an
//! event was decided before, for each of them.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{
    Context, ContextSelectionSet, Name, OutputType, Positioned, Response, ServerResult, Value, indexmap::IndexMap,
    parser::types::Field, registry::Registry,
};

use super::{context::operation, error::Fault, types::event::FeedItem};
use crate::{error::Error, events};

/// Fields of every event that are the same for everyone whom it reaches. `cursor` is not, and is put in afterwards.
/// A field that depends on its viewer must never stand here.
const ENVELOPE: [&str; 14] = [
    "__typename",
    "actor",
    "caseRef",
    "causationId",
    "correlationId",
    CURSOR,
    "entity",
    "eventId",
    "occurredAt",
    "recordedAt",
    "schemaVersion",
    "severity",
    "summary",
    "type",
];
const CURSOR: &str = "cursor";

/// Stands for a cursor in what was executed, and in its JSON: no text that Postgres keeps holds it.
const PLACE: &str = "\u{0}";
const PLACE_JSON: &str = r#""\u0000""#;

/// What a subscription asks for, as one text.
pub struct Shape(pub Arc<str>);

/// A feed that selects of an event nothing but its envelope.
pub struct Envelope {
    shape: Arc<str>,
    /// Under which names the cursor is asked for.
    cursors: Vec<Name>,
}

impl Envelope {
    /// Of the feed that is being opened; `None` when it selects more than the envelope.
    pub fn of(ctx: &Context<'_>) -> Option<Arc<Self>> {
        let shape = Arc::clone(&ctx.data_opt::<Shape>()?.0);
        let mut cursors = Vec::new();
        for field in ctx.field().selection_set() {
            if !ENVELOPE.contains(&field.name()) {
                return None;
            }
            if field.name() == CURSOR {
                cursors.push(Name::new(field.alias().unwrap_or(CURSOR)));
            }
        }
        Some(Arc::new(Self { shape, cursors }))
    }

    /// The text of a response with this event's envelope, in the pieces between its cursors.
    async fn write(
        &self,
        event: &Arc<events::Event>,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<events::Pieces> {
        let fault = |error: Error| async_graphql::Error::from(Fault::from(error)).into_server_error(field.pos);
        let item = FeedItem::event(Arc::clone(event), operation(ctx).map_err(fault)?.fresh());
        let item = item.ok_or_else(|| fault(Error::internal("an event without an item")))?;
        let mut value = Box::pin(item.resolve(ctx, field)).await?;
        if let Value::Object(fields) = &mut value {
            for cursor in &self.cursors {
                if let Some(place) = fields.get_mut(cursor) {
                    *place = Value::from(PLACE);
                }
            }
        }
        let data = IndexMap::from_iter([(field.node.response_key().node.clone(), value)]);
        let text = serde_json::to_string(&Response::new(Value::Object(data)))
            .map_err(|error| fault(Error::internal(error)))?;
        Ok(text.split(PLACE_JSON).map(str::to_owned).collect())
    }
}

/// An item on its way to one viewer.
pub enum Sent {
    /// With whatever is selected.
    Item(FeedItem),
    /// An event of which its envelope is selected.
    Envelope(Arc<events::Event>, Arc<Envelope>),
}

impl OutputType for Sent {
    fn type_name() -> Cow<'static, str> {
        <FeedItem as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <FeedItem as OutputType>::create_type_info(registry)
    }

    /// Of an envelope nothing: the operation says its text in place of the response.
    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let (event, envelope) = match self {
            // Boxed: every type of event is in it.
            Self::Item(item) => return Box::pin(item.resolve(ctx, field)).await,
            Self::Envelope(event, envelope) => (event, envelope),
        };
        let pieces = match event.texts.get(&envelope.shape) {
            Some(pieces) => pieces,
            None => {
                let pieces = Box::pin(envelope.write(event, ctx, field)).await?;
                event.texts.keep(&envelope.shape, &pieces);
                pieces
            }
        };
        let fault = |error: Error| async_graphql::Error::from(Fault::from(error)).into_server_error(field.pos);
        let operation = operation(ctx).map_err(fault)?;
        let cursor = operation.feed_cursor(event.seq).map_err(fault)?;
        operation.say(pieces.join(&format!("\"{cursor}\"")));
        Ok(Value::Null)
    }
}

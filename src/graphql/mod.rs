//! The GraphQL layer: the only place that names async_graphql.
//!
//! [`Graph::prepare`] does everything before execution (find, parse, validate, measure, coerce); [`Graph::execute`] and
//! [`Graph::stream`] run what it prepared. Every transport uses these three.

mod audited;
mod batch;
mod budget;
mod codes;
mod connection;
mod context;
mod documents;
mod envelope;
mod error;
mod mutation;
mod query;
mod scalars;
mod selection;
mod subscription;
mod types;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_graphql::{ErrorExtensionValues, ObjectType, Response, SchemaBuilder, ServerError, SubscriptionType, Value};
use futures_util::{FutureExt, Stream, StreamExt};
use uuid::Uuid;

pub use audited::{Caller, purpose};
pub use budget::Budget;
pub use context::Shared;
pub use documents::{Asked, Limits, Mode, OperationKind, Ready, Settings, Source};
pub use scalars::global;

use crate::{
    auth::Viewer,
    error::{Error, Result, code},
};
use audited::{Made, Told};
use context::Operation;
use documents::Documents;
use types::event::Event;

type Schema = async_graphql::Schema<query::Query, mutation::Mutation, subscription::SubscriptionRoot>;

/// The schema with everything that runs it.
pub struct Graph {
    schema: Schema,
    documents: Documents,
    shared: Arc<Shared>,
    /// How long one query or mutation may take.
    patience: Duration,
}

fn schema() -> Schema {
    build(query::Query, mutation::Mutation::default(), subscription::SubscriptionRoot)
        .register_output_type::<Event>()
        .finish()
}

/// How the executor is set up.
fn build<Q, M, S>(query: Q, mutation: M, subscription: S) -> SchemaBuilder<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    // No extension is ever registered: with one, every field takes the slow path. Validation is ours (`documents`).
    async_graphql::Schema::build(query, mutation, subscription)
        .validation_mode(async_graphql::ValidationMode::Fast)
        .disable_suggestions()
        // Ours are stricter, and come first.
        .limit_recursive_depth(256)
}

/// The schema in SDL, as `schema.graphql` holds it.
pub fn sdl() -> String {
    let options =
        async_graphql::SDLExportOptions::new().sorted_fields().sorted_enum_items().prefer_single_line_descriptions();
    schema().sdl_with_options(options)
}

impl Graph {
    /// Fails when a trusted document is not valid, or the schema, which a test excludes.
    pub fn new(shared: Arc<Shared>, settings: Settings, patience: Duration) -> Result<Self> {
        let documents = Documents::new(&sdl(), settings).map_err(Error::internal)?;
        Ok(Self { schema: schema(), documents, shared, patience })
    }

    /// What all operations share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Everything before execution. Errors are request errors: nothing has run.
    pub fn prepare(&self, asked: &Asked) -> Result<Ready, Vec<ServerError>> {
        self.documents.prepare(asked)
    }

    fn request(ready: Ready, operation: &Arc<Operation>) -> async_graphql::Request {
        let parsed = ready.parsed();
        let mut request = async_graphql::Request::new("").variables(ready.variables).data(Arc::clone(operation));
        request.operation_name = ready.operation_name;
        request.set_parsed_query(parsed);
        request
    }

    /// Runs a query or a mutation. The answer's entry in the audit is committed when this returns; if it cannot be written,
    /// the answer is an error without data. A change that was made stays made: asked again with the same key it answers.
    pub async fn execute(&self, ready: Ready, viewer: Viewer, caller: Caller) -> Response {
        let under_way = self.shared.audit.expect();
        let (kind, operation) = (ready.kind, Operation::new(Arc::clone(&self.shared), viewer));
        let about = About { fields: ready.fields(), hash: ready.hash().to_owned(), asked: ready.asked(), caller };
        let request = Self::request(ready, &operation);
        if kind == OperationKind::Query {
            // Whoever records something may, however much they read before it.
            if let Err(error) = self.shared.budget.admit(viewer.worker_id) {
                return written_down(operation, about, None, refused(&error)).await;
            }
            // When time runs out the operation is dropped, and its connections with it.
            let executed = tokio::time::timeout(self.patience, self.schema.execute(request)).await;
            let Ok(mut response) = executed else {
                // What still runs on its connections is not waited for: they go with the operation.
                let asked = Operation::new(Arc::clone(&self.shared), viewer);
                return written_down(asked, about, None, refused(&Error::Timeout)).await;
            };
            if let Some(failure) = operation.failure() {
                // One instant or nothing: after a failed statement nothing of the answer can be trusted.
                response = refused(&failure);
            }
            return written_down(operation, about, None, response).await;
        }
        // A change that was begun goes on whoever waits, and so does what is written down of it.
        let (schema, doing) = (self.schema.clone(), Arc::clone(&operation));
        let changing = self.shared.services.see_through(async move {
            let _under_way = under_way;
            // A panic while the answer is made undoes no change, and leaves it in the audit.
            let executed = AssertUnwindSafe(schema.execute(request)).catch_unwind().await;
            // What a panic says may quote a record.
            let response = executed.unwrap_or_else(|_| refused(&Error::internal("a mutation panicked")));
            let made = doing.take_made();
            written_down(doing, about, Some(made), response).await
        });
        drop(operation);
        match tokio::time::timeout(self.patience, changing).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => refused(&Error::internal("a mutation ended early")),
            Err(_) => refused(&Error::Timeout),
        }
    }

    /// Runs a subscription. The stream ends after a response with a request error.
    pub fn stream(&self, ready: Ready, viewer: Viewer, caller: Caller) -> impl Stream<Item = Said> + Send + use<> {
        let operation = Operation::new(Arc::clone(&self.shared), viewer);
        let about: Arc<(Vec<String>, String)> = Arc::new((ready.fields(), ready.hash().to_owned()));
        let mut opening = Some(ready.asked());
        let shape = ready.shape();
        let mut request = Self::request(ready, &operation);
        if let Some(shape) = shape {
            request = request.data(envelope::Shape(shape));
        }
        let responses = self.schema.execute_stream(request);
        let said = responses.then(move |mut response| {
            let (operation, about) = (Arc::clone(&operation), Arc::clone(&about));
            let asked = opening.take();
            async move {
                // Nothing keeps a connection while it waits for the next event.
                operation.finish_further().await;
                // That an event was sent was written down with it; here is what was read along with it.
                if let Some(text) = operation.said() {
                    return Said::Text(text);
                }
                name_codes(&mut response);
                let mut seen = operation.take_seen();
                let mut asked = asked.unwrap_or_default();
                if response.errors.is_empty() {
                    // It opened: what was asked for is what it tells of.
                    seen.subjects.append(&mut asked);
                }
                if !(seen.is_empty() && asked.is_empty())
                    && let Err(error) = Box::pin(operation.audit(seen, asked, &about, caller, &response)).await
                {
                    return Said::Response(Box::new(refused(&error)));
                }
                Said::Response(Box::new(response))
            }
        });
        to_its_end(said)
    }
}

/// What is written down of an operation beside what came of it.
struct About {
    fields: Vec<String>,
    hash: String,
    asked: Vec<Uuid>,
    caller: Caller,
}

/// Ends an operation: its entries are in the audit when this returns, or the answer says nothing.
async fn written_down(operation: Arc<Operation>, about: About, made: Option<Made>, response: Response) -> Response {
    let mut response = response;
    let (shared, viewer) = (Arc::clone(operation.shared()), operation.viewer());
    let seen = operation.take_seen();
    name_codes(&mut response);
    let About { fields, hash, asked, caller } = about;
    let told = Told {
        worker_id: viewer.worker_id.0,
        at: viewer.at,
        caller,
        process: shared.audit.process,
        fields,
        hash: &hash,
        made,
        asked,
        seen,
    };
    // Connections go back while the entries are written.
    let ((), written) = futures_util::join!(operation.finish(), shared.write_down(told, &response));
    match written {
        Ok(()) => response,
        Err(error) => refused(&error),
    }
}

/// What a subscription says.
pub enum Said {
    /// A response.
    Response(Box<Response>),
    /// A response with data and no errors, as JSON.
    Text(String),
    /// The last response of a subscription that panicked: a mistake in the program, which the next try would meet again.
    Broken(Box<Response>),
}

/// A panic ends the subscription that it happened in, not whatever else the same client listens to.
fn to_its_end(said: impl Stream<Item = Said>) -> impl Stream<Item = Said> {
    AssertUnwindSafe(said).catch_unwind().map(|said| {
        said.unwrap_or_else(|_| Said::Broken(Box::new(refused(&Error::internal("a subscription panicked")))))
    })
}

/// A response that holds one error and no data.
pub fn refused(error: &Error) -> Response {
    let fault: async_graphql::Error = error::Fault::from(error.clone()).into();
    Response::from_errors(vec![ServerError {
        message: fault.message,
        source: None,
        locations: Vec::new(),
        path: Vec::new(),
        extensions: fault.extensions,
    }])
}

/// Every error has a code: what has none is an input that a scalar could not read. Caps the errors too: a list whose
/// every member fails says so ten times, not a thousand.
fn name_codes(response: &mut Response) {
    response.errors.truncate(documents::MAX_ERRORS);
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
        if extensions.get("code").is_none() {
            extensions.set("code", code::BAD_USER_INPUT);
        }
    }
    if response.data == Value::Null && response.errors.is_empty() {
        *response = refused(&Error::internal("a response without data or errors"));
    }
}

#[cfg(test)]
mod null_propagation;

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_the_last_that_its_subscription_says() {
        let said = stream::iter(0..3).map(|at| match at {
            0 => Said::Text("{}".to_owned()),
            _ => panic!("on purpose"),
        });
        let heard: Vec<Said> = to_its_end(said).collect().await;
        let [Said::Text(_), Said::Broken(last)] = heard.as_slice() else { panic!("{} were said", heard.len()) };
        let extensions = last.errors[0].extensions.as_ref().unwrap();
        assert_eq!(extensions.get("code"), Some(&Value::from(code::INTERNAL)));
    }
}

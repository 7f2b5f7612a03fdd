//! The GraphQL layer: the only place that names async_graphql.
//!
//! [`Graph::prepare`] does everything before execution (find, parse, validate, measure, coerce); [`Graph::execute`] and
//! [`Graph::stream`] run what it prepared. Every transport uses these three.

mod audited;
mod batch;
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
use futures_util::{Stream, StreamExt};

pub use audited::{Caller, purpose};
pub use context::Shared;
pub use documents::{Asked, Limits, Mode, OperationKind, Ready, Settings, Source};
pub use scalars::global;

use crate::{
    auth::Viewer,
    error::{Error, Result, code},
};
use audited::Told;
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
        let kind = ready.kind;
        let (fields, asked, hash) = (ready.fields(), ready.asked(), ready.hash().to_owned());
        let operation = Operation::new(Arc::clone(&self.shared), viewer);
        let request = Self::request(ready, &operation);
        // When time runs out the operation is dropped, and its connections with it; a change that was begun goes on.
        let executed = tokio::time::timeout(self.patience, self.schema.execute(request)).await;
        let Ok(mut response) = executed else { return refused(&Error::Timeout) };
        if let (OperationKind::Query, Some(failure)) = (kind, operation.failure()) {
            // One instant or nothing: after a failed statement nothing of the answer can be trusted.
            response = refused(&failure);
        }
        let seen = operation.take_seen();
        operation.finish().await;
        name_codes(&mut response);
        let told = Told {
            worker_id: viewer.worker_id.0,
            at: viewer.at,
            caller,
            process: self.shared.audit.process,
            fields,
            hash: &hash,
            changes: kind == OperationKind::Mutation,
            asked,
            seen,
        };
        if let Some(entry) = told.entry(&response)
            && let Err(error) = self.shared.audit.write(vec![entry]).await
        {
            response = refused(&error);
        }
        response
    }

    /// Runs a subscription. The stream ends after a response with a request error.
    pub fn stream(&self, ready: Ready, viewer: Viewer, caller: Caller) -> impl Stream<Item = Said> + Send + use<> {
        let operation = Operation::new(Arc::clone(&self.shared), viewer);
        let about: Arc<(Vec<String>, String)> = Arc::new((ready.fields(), ready.hash().to_owned()));
        let shape = ready.shape();
        let mut request = Self::request(ready, &operation);
        if let Some(shape) = shape {
            request = request.data(envelope::Shape(shape));
        }
        let responses = self.schema.execute_stream(request);
        let said = responses.then(move |mut response| {
            let (operation, about) = (Arc::clone(&operation), Arc::clone(&about));
            async move {
                // Nothing keeps a connection while it waits for the next event.
                operation.finish_further().await;
                // That an event was sent was written down with it; here is what was read along with it.
                if let Some(text) = operation.said() {
                    return Said::Text(text);
                }
                name_codes(&mut response);
                let seen = operation.take_seen();
                if !seen.records.is_empty()
                    && let Err(error) = Box::pin(operation.audit(seen, &about, caller, &response)).await
                {
                    return Said::Response(Box::new(refused(&error)));
                }
                Said::Response(Box::new(response))
            }
        });
        to_its_end(said)
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

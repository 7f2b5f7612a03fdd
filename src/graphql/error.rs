//! One conversion from our errors to GraphQL's.

use async_graphql::ErrorExtensionValues;

use crate::error::Error;

/// An error on its way to the client. Not `Display`, so that nothing can turn it into a GraphQL error without its
/// code.
#[derive(Clone, Debug)]
pub struct Fault(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Fault> for async_graphql::Error {
    fn from(Fault(error): Fault) -> Self {
        if let Error::Internal(cause) = &error {
            // Logged here, once; the client gets the request id with the answer.
            tracing::error!(error = %cause, "an operation failed");
        }
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", error.code());
        if let Error::BadInput { field, .. } = &error {
            extensions.set("field", *field);
        }
        if let Error::RateLimited { seconds } = &error {
            extensions.set("retryAfterSeconds", *seconds);
        }
        Self { message: error.to_string(), source: None, extensions: Some(extensions) }
    }
}

/// For fields that are never null.
pub type Answer<T> = Result<T, Fault>;
/// For nullable fields: a failure must not take the parent with it.
pub type Nullable<T> = Option<Result<T, Fault>>;

/// A nullable field's answer.
pub fn nullable<T>(result: Result<Option<T>, Error>) -> Nullable<T> {
    result.map_err(Fault::from).transpose()
}

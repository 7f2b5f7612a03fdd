//! What can go wrong, with a code that clients switch on. Knows nothing of GraphQL or HTTP.

use std::sync::Arc;

/// The values of `extensions.code`.
pub mod code {
    /// No token, or one that is not good.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// Who somebody is cannot be told just now, or the server is not ready yet: try again.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// The page that the request comes from may not ask.
    pub const ORIGIN_NOT_ALLOWED: &str = "ORIGIN_NOT_ALLOWED";
    /// More sockets and streams of one person than the limit allows.
    pub const TOO_MANY_SOCKETS: &str = "TOO_MANY_SOCKETS";
    /// The server tells nothing of its schema.
    pub const INTROSPECTION_DISABLED: &str = "INTROSPECTION_DISABLED";
    /// The viewer may not do this.
    pub const FORBIDDEN: &str = "FORBIDDEN";
    /// Missing or hidden: the two are not told apart.
    pub const NOT_FOUND: &str = "NOT_FOUND";
    /// The input is wrong; the message says which part and what to do.
    pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
    /// The document is not valid GraphQL for this schema.
    pub const GRAPHQL_VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    /// The document does not parse.
    pub const GRAPHQL_PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    /// The operation is larger than the limits allow.
    pub const QUERY_TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
    /// The viewer was shown more records in a short time than the limit allows: wait as long as the message says.
    pub const RATE_LIMITED: &str = "RATE_LIMITED";
    /// The request took too long.
    pub const TIMEOUT: &str = "TIMEOUT";
    /// The cursor is too old: query again and subscribe from the new position.
    pub const CURSOR_EXPIRED: &str = "CURSOR_EXPIRED";
    /// Our fault; the log has the cause under the request id.
    pub const INTERNAL: &str = "INTERNAL";
    /// The server has no trusted document of this id.
    pub const PERSISTED_DOCUMENT_NOT_FOUND: &str = "PERSISTED_DOCUMENT_NOT_FOUND";
    /// The server takes no ids of documents.
    pub const PERSISTED_DOCUMENT_NOT_SUPPORTED: &str = "PERSISTED_DOCUMENT_NOT_SUPPORTED";
    /// The server runs trusted documents only, and this is none.
    pub const DOCUMENT_NOT_TRUSTED: &str = "DOCUMENT_NOT_TRUSTED";
    /// The hash is not known: send it again with the text.
    pub const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";
    /// The server takes no persisted queries: send the text.
    pub const PERSISTED_QUERY_NOT_SUPPORTED: &str = "PERSISTED_QUERY_NOT_SUPPORTED";
    /// The hash is not that of the text.
    pub const PERSISTED_QUERY_HASH_MISMATCH: &str = "PERSISTED_QUERY_HASH_MISMATCH";
}

/// A refusal that a user can meet in everyday work: answered as data in a mutation's payload, never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The record's state does not allow the step.
    IllegalTransition {
        /// The state it is in.
        from: &'static str,
        /// The states that can come next.
        legal_next: Vec<&'static str>,
    },
    /// Somebody changed the record since it was read.
    VersionConflict {
        /// The version it has now.
        current_version: i32,
    },
    /// A rule of practice or law is not met.
    GuardFailed {
        /// The rule's name.
        guard: &'static str,
        /// What is missing, and what to do.
        explanation: String,
    },
    /// Another record stands in the way.
    Conflict {
        /// What stands in the way.
        explanation: &'static str,
    },
}

impl Refusal {
    /// Its name, for the audit.
    pub fn name(&self) -> &'static str {
        match self {
            Self::IllegalTransition { .. } => "ILLEGAL_TRANSITION",
            Self::VersionConflict { .. } => "VERSION_CONFLICT",
            Self::GuardFailed { guard, .. } => guard,
            Self::Conflict { .. } => "CONFLICT",
        }
    }
}

/// The service's error.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The token's subject is not an active worker, or there is no good token.
    #[error("Sign in: send a valid bearer token of an active worker.")]
    Unauthenticated,
    /// Whether the token is good cannot be told just now.
    #[error("Signing in does not work just now: try again in a few seconds.")]
    Unavailable,
    /// The viewer's roles do not allow the action on this record.
    #[error("Your role does not allow this on this record. Ask {0}.")]
    Forbidden(&'static str),
    /// Missing or hidden.
    #[error("Not found.")]
    NotFound,
    /// A part of the input is wrong.
    #[error("{field}: {message}.")]
    BadInput {
        /// The input's part.
        field: &'static str,
        /// What is wrong with it, and what to do. Never the value.
        message: String,
    },
    /// The feed cursor is too old.
    #[error("This cursor has expired: query again and subscribe from the new feedCursor.")]
    CursorExpired,
    /// An everyday refusal.
    #[error("refused")]
    Refused(Refusal),
    /// The viewer was shown very many records.
    #[error("You were shown more records than a person reads in so short a time: try again in {seconds} seconds.")]
    RateLimited {
        /// Until something can be read again.
        seconds: u64,
    },
    /// A statement or a wait took too long.
    #[error("This took too long. Try again; if it happens again, ask for less at once.")]
    Timeout,
    /// Ours. Says nothing; the cause is logged where it is handled.
    #[error("Something went wrong on our side. Try again; if it happens again, report the request id.")]
    Internal(Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The code for `extensions.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => code::UNAUTHENTICATED,
            Self::Unavailable => code::UNAVAILABLE,
            Self::Forbidden(_) => code::FORBIDDEN,
            Self::NotFound => code::NOT_FOUND,
            Self::BadInput { .. } | Self::Refused(_) => code::BAD_USER_INPUT,
            Self::CursorExpired => code::CURSOR_EXPIRED,
            Self::RateLimited { .. } => code::RATE_LIMITED,
            Self::Timeout => code::TIMEOUT,
            Self::Internal(_) => code::INTERNAL,
        }
    }

    /// A part of the input is wrong.
    pub fn bad_input(field: &'static str, message: impl Into<String>) -> Self {
        Self::BadInput { field, message: message.into() }
    }

    /// Our own fault, with its cause for the log.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(cause.into()))
    }

    /// A rule that is not met.
    pub fn guard(guard: &'static str, explanation: impl Into<String>) -> Self {
        Self::Refused(Refusal::GuardFailed { guard, explanation: explanation.into() })
    }

    /// Refuses when somebody changed a record, which stands at `current`, since the client read it.
    pub fn expect_version(current: i32, expected: i32) -> Result<()> {
        if current == expected {
            Ok(())
        } else {
            Err(Self::Refused(Refusal::VersionConflict { current_version: current }))
        }
    }

    /// A record in the way.
    pub fn conflict(explanation: &'static str) -> Self {
        Self::Refused(Refusal::Conflict { explanation })
    }
}

/// Result with our error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

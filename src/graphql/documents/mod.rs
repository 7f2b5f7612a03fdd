//! Documents: parsed and validated once, kept by hash, measured before they run.
//!
//! `apollo-compiler` validates against our own SDL, because the executor's validation lets invalid documents through
//! and its limit visitors expand fragments exponentially. What it lets through itself is in `rules`.
//!
//! A document comes as text, as the id of a trusted document, or as the hash of one that was sent before (Apollo's
//! automatic persisted queries): the cache of valid documents is the store of those, so nothing is stored that has
//! not been validated.

mod asked;
mod executor;
mod measure;
mod rules;
mod trusted;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use apollo_compiler::{
    ExecutableDocument, Node, Schema, ast::OperationType, executable::Operation, introspection, parser::Parser,
    request::coerce_variable_values, response::JsonMap, validation::Valid,
};
use async_graphql::{Name, Pos, ServerError, parser::types::ExecutableDocument as Parsed};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use asked::{Asked, Source};
pub use measure::Limits;

use super::audited::{asked_for, named_in};
use crate::error::code;
use rules::{Scalars, Values};

/// How many documents are kept, and how many bytes of their text: parsed they are many times as large.
const KEPT: usize = 512;
const KEPT_BYTES: usize = 1024 * 1024;
/// Most errors that one answer tells.
pub const MAX_ERRORS: usize = 10;

/// Which documents run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Any text; no ids, no persisted queries.
    Off,
    /// Any text, ids of trusted documents, persisted queries.
    Prefer,
    /// Trusted documents only.
    Only,
}

/// How documents are handled.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which run.
    pub mode: Mode,
    /// How large they may be. Trusted ones too.
    pub limits: Limits,
    /// Whether the schema may be asked for. By trusted ones neither.
    pub introspection: bool,
    /// The manifest of trusted documents.
    pub trusted: Option<String>,
}

/// What an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Changes.
    Mutation,
    /// Streams.
    Subscription,
}

/// A valid document.
struct Document {
    /// Of its text.
    hash: String,
    valid: Valid<ExecutableDocument>,
    parsed: Parsed,
    /// Records that its text names.
    named: Vec<Uuid>,
}

/// An operation of a valid document with its coerced variables, measured and ready to run.
pub struct Ready {
    document: Arc<Document>,
    /// What it is.
    pub kind: OperationKind,
    /// Which operation.
    pub(super) operation_name: Option<String>,
    /// Its coerced variables.
    pub(super) variables: async_graphql::Variables,
    /// Its variables that were not given and have no default.
    absent: HashSet<Name>,
}

impl Ready {
    /// The document for the executor, which takes it by value.
    pub(super) fn parsed(&self) -> Parsed {
        let mut parsed = self.document.parsed.clone();
        if !self.absent.is_empty() {
            executor::leave_out(&mut parsed, &self.absent);
        }
        parsed
    }

    /// SHA-256 of the document's text.
    pub(super) fn hash(&self) -> &str {
        &self.document.hash
    }

    /// The operation's first fields, as the schema names them.
    pub(super) fn fields(&self) -> Vec<String> {
        let operation = self.document.valid.operations.get(self.operation_name.as_deref());
        operation.map_or(Vec::new(), |operation| {
            let document = &self.document.valid;
            operation.root_fields(document).map(|field| field.name.to_string()).take(100).collect()
        })
    }

    /// The records that the operation names, in its document or its variables.
    pub(super) fn asked(&self) -> Vec<Uuid> {
        asked_for(&self.document.named, &self.variables)
    }

    /// What is asked for: two operations of the same ask for the same. `None` when it cannot be told.
    pub(super) fn shape(&self) -> Option<Arc<str>> {
        let asked = (&self.document.hash, &self.operation_name, &self.variables);
        serde_json::to_string(&asked).ok().map(Arc::from)
    }
}

/// See the module.
pub struct Documents {
    schema: Valid<Schema>,
    limits: Limits,
    introspection: bool,
    mode: Mode,
    /// By id, and by hash as `sha256:...` and without the prefix.
    trusted: HashMap<String, Arc<Document>>,
    kept: Mutex<Kept>,
}

/// Valid documents by the hash of their text.
#[derive(Default)]
struct Kept {
    by_hash: HashMap<String, Arc<Document>>,
    /// Oldest first, with the length of the text.
    order: VecDeque<(String, usize)>,
    bytes: usize,
}

impl Kept {
    fn keep(&mut self, hash: String, document: Arc<Document>, bytes: usize) {
        if self.by_hash.insert(hash.clone(), document).is_none() {
            self.order.push_back((hash, bytes));
            self.bytes += bytes;
        }
        while self.order.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some((oldest, bytes)) = self.order.pop_front() else { break };
            self.by_hash.remove(&oldest);
            self.bytes -= bytes;
        }
    }
}

fn sha256(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

fn refuse(message: impl Into<String>, of: &'static str) -> ServerError {
    let mut error = ServerError::new(message.into(), None);
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", of);
    error.extensions = Some(extensions);
    error
}

fn too_many(errors: &[ServerError]) -> bool {
    errors.len() >= MAX_ERRORS
}

impl Documents {
    /// For a schema in SDL. Fails on SDL that is not valid, which a test excludes, and on trusted documents that are
    /// not.
    pub fn new(sdl: &str, settings: Settings) -> Result<Self, String> {
        let schema = Schema::parse_and_validate(sdl, "schema.graphql").map_err(|invalid| invalid.errors.to_string())?;
        let Settings { mode, limits, introspection, trusted } = settings;
        let (none, kept) = (HashMap::new(), Mutex::default());
        let mut documents = Self { schema, limits, introspection, mode, trusted: none, kept };
        if let Some(manifest) = trusted {
            documents.trust(&manifest).map_err(|fault| format!("trusted documents: {fault}"))?;
        }
        Ok(documents)
    }

    /// Takes the documents of a manifest. The first that is not valid is named, its text is not.
    fn trust(&mut self, manifest: &str) -> Result<(), String> {
        let mut by_hash = Vec::new();
        for (id, text) in trusted::entries(manifest)? {
            let document = self.parse(&text).map_err(|errors| {
                let first = errors.first();
                let place = first.and_then(|error| error.locations.first());
                let place = place.map_or(String::new(), |at| format!(" (line {}, column {})", at.line, at.column));
                format!("document {id:?}: {}{place}", first.map_or("it is not valid", |error| &error.message))
            })?;
            let document = Arc::new(document);
            let hash = sha256(&text);
            by_hash.push((format!("sha256:{hash}"), Arc::clone(&document)));
            by_hash.push((hash, Arc::clone(&document)));
            if self.trusted.insert(id.clone(), document).is_some() {
                return Err(format!("document {id:?} is there twice"));
            }
        }
        for (hash, document) in by_hash {
            self.trusted.entry(hash).or_insert(document);
        }
        Ok(())
    }

    /// Everything before execution. What is refused here is a request error: nothing has run.
    pub fn prepare(&self, asked: &Asked) -> Result<Ready, Vec<ServerError>> {
        let document = self.find(&asked.source)?;
        let bad = |message: String| vec![refuse(message, code::GRAPHQL_VALIDATION_FAILED)];
        let name = asked.operation_name.as_deref();
        let operation = document.valid.operations.get(name).map_err(|error| bad(error.message().to_string()))?;
        let values: JsonMap = serde_json::from_value(serde_json::Value::Object(asked.variables.clone()))
            .map_err(|error| bad(error.to_string()))?;
        let values = coerce_variable_values(&self.schema, operation, &values)
            .map_err(|error| vec![refuse(without_value(&error.message().to_string()), code::BAD_USER_INPUT)])?;
        measure::answer(&document.valid, &operation.selection_set, &values, self.limits.answer)?;
        let variables = serde_json::to_value(&*values).map_err(|error| bad(error.to_string()))?;
        // Before anything runs: a bad date in the second mutation of a request must not come after the first.
        let scalars = Scalars { schema: &self.schema };
        for variable in &operation.variables {
            scalars.json(&variable.ty, &variables[variable.name.as_str()])?;
        }
        let names = operation.variables.iter().map(|variable| &variable.name);
        Ok(Ready {
            kind: kind_of(operation),
            operation_name: operation.name.as_ref().map(ToString::to_string),
            absent: names.filter(|name| !values.contains_key(name.as_str())).map(Name::new).collect(),
            variables: async_graphql::Variables::from_json(variables),
            document,
        })
    }

    /// The document that a request means, by what the mode allows.
    fn find(&self, source: &Source) -> Result<Arc<Document>, Vec<ServerError>> {
        let refused = |message, of| Err(vec![refuse(message, of)]);
        let known = |found: Option<&Arc<Document>>, message, of| match found {
            Some(document) => Ok(Arc::clone(document)),
            None => refused(message, of),
        };
        let untrusted = "This server runs trusted documents only: send the documentId of one.";
        match (self.mode, source) {
            (Mode::Off | Mode::Prefer, Source::Text(text)) => self.document(text, sha256(text)),
            (Mode::Off, Source::Id(_)) => {
                refused("This server takes no documentId: send query.", code::PERSISTED_DOCUMENT_NOT_SUPPORTED)
            }
            (Mode::Prefer | Mode::Only, Source::Id(id)) => known(
                self.trusted.get(id),
                "No trusted document has this documentId: add it to the server's manifest.",
                code::PERSISTED_DOCUMENT_NOT_FOUND,
            ),
            // These two messages are what Apollo's clients look for.
            (Mode::Off, Source::Persisted { .. }) => {
                refused("PersistedQueryNotSupported", code::PERSISTED_QUERY_NOT_SUPPORTED)
            }
            (Mode::Prefer, Source::Persisted { hash, text: None }) => {
                let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                let found = self.trusted.get(hash).or_else(|| kept.by_hash.get(hash));
                known(found, "PersistedQueryNotFound", code::PERSISTED_QUERY_NOT_FOUND)
            }
            (Mode::Prefer, Source::Persisted { hash, text: Some(text) }) => {
                let is = sha256(text);
                if is != *hash {
                    let message = "sha256Hash is not the SHA-256 of query, in lower-case hexadecimal digits.";
                    return refused(message, code::PERSISTED_QUERY_HASH_MISMATCH);
                }
                self.document(text, is)
            }
            // A hash alone may be the id of a trusted document: so Apollo's clients send it.
            (Mode::Only, Source::Persisted { hash, text: None }) => {
                known(self.trusted.get(hash), untrusted, code::DOCUMENT_NOT_TRUSTED)
            }
            (Mode::Only, Source::Text(_) | Source::Persisted { text: Some(_), .. }) => {
                refused(untrusted, code::DOCUMENT_NOT_TRUSTED)
            }
        }
    }

    fn document(&self, text: &str, hash: String) -> Result<Arc<Document>, Vec<ServerError>> {
        if let Some(known) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).by_hash.get(&hash) {
            return Ok(Arc::clone(known));
        }
        let document = Arc::new(self.parse(text)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep(hash, Arc::clone(&document), text.len());
        Ok(document)
    }

    fn parse(&self, text: &str) -> Result<Document, Vec<ServerError>> {
        let too_large = |message: String| Err(vec![refuse(message, code::QUERY_TOO_COMPLEX)]);
        let Limits { bytes, tokens, .. } = self.limits;
        if text.len() > bytes {
            return too_large(format!("The document is longer than {bytes} bytes: split it."));
        }
        let mut parser = Parser::new().recursion_limit(measure::PARSER_NESTING).token_limit(tokens);
        let parsed = parser.parse_ast(text, "operation.graphql");
        if parser.tokens_reached() > tokens {
            return too_large(format!("The document has more than {tokens} tokens: split it."));
        }
        if parser.recursion_reached() > measure::PARSER_NESTING {
            return Err(measure::too_nested());
        }
        let ast = parsed.map_err(|invalid| errors(&invalid.errors, code::GRAPHQL_PARSE_FAILED))?;
        if let Some(offset) = rules::without_value(text) {
            let mut error = refuse("syntax error: expected a colon and a value", code::GRAPHQL_PARSE_FAILED);
            error.locations = vec![executor::place(text, offset)];
            return Err(vec![error]);
        }
        let document = ast
            .to_executable(&self.schema)
            .map_err(|invalid| errors(&invalid.errors, code::GRAPHQL_VALIDATION_FAILED))?;
        // Sizes first: validating may be quadratic in what a document writes out.
        measure::nesting(&document)?;
        measure::sizes(&document, &self.limits)?;
        let valid = document
            .validate(&self.schema)
            .map_err(|invalid| errors(&invalid.errors, code::GRAPHQL_VALIDATION_FAILED))?;
        // `__typename` tells no more than the document knows.
        let asks = |operation: &Node<Operation>| {
            operation.root_fields(&valid).any(|field| ["__schema", "__type"].contains(&field.name.as_str()))
        };
        if !self.introspection && valid.operations.iter().any(asks) {
            let message = "This server tells nothing of its schema: take it from schema.graphql of the same release.";
            return Err(vec![refuse(message, code::INTROSPECTION_DISABLED)]);
        }
        Values::check(&self.schema, &valid)?;
        for operation in valid.operations.iter() {
            if introspection::check_max_depth(&valid, operation).is_err() {
                return too_large("The introspection nests its lists too deep: ask for types by name.".to_owned());
            }
        }
        Scalars { schema: &self.schema }.document(&valid)?;
        let parsed = executor::document(&valid, text);
        let named = named_in(&valid.serialize().no_indent().to_string());
        Ok(Document { hash: sha256(text), valid, parsed, named })
    }
}

fn kind_of(operation: &Operation) -> OperationKind {
    match operation.operation_type {
        OperationType::Query => OperationKind::Query,
        OperationType::Mutation => OperationKind::Mutation,
        OperationType::Subscription => OperationKind::Subscription,
    }
}

/// At most ten errors, each with its place.
fn errors(list: &apollo_compiler::validation::DiagnosticList, of: &'static str) -> Vec<ServerError> {
    list.iter()
        .take(MAX_ERRORS)
        .map(|diagnostic| {
            let found = diagnostic.to_json();
            // Of a syntax error, without the token that stands there: it may be record content.
            let message = found.message.split_once(", got ").map_or(found.message.as_str(), |(expected, _)| expected);
            let mut error = refuse(message, of);
            error.locations =
                found.locations.iter().map(|place| Pos { line: place.line, column: place.column }).collect();
            error
        })
        .collect()
}

/// What apollo-compiler says of a variable, without the value, which may be a whole record.
fn without_value(message: &str) -> String {
    match (message.split_once(": "), message.rsplit_once(" to type ")) {
        (Some((what, _)), Some((_, of))) if what.starts_with("could not coerce ") => format!("{what} to type {of}"),
        _ => message.to_owned(),
    }
}

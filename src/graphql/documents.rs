//! Documents: parsed and validated once, kept by hash, measured before they run.
//!
//! `apollo-compiler` validates against our own SDL, because the executor's validation lets invalid documents through
//! and its limit visitors expand fragments exponentially. Every walk here goes through a fragment once.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use apollo_compiler::{
    ExecutableDocument, Node as ApolloNode, Schema,
    ast::{Type, Value},
    executable::{Field, Operation, Selection, SelectionSet},
    parser::Parser,
    request::coerce_variable_values,
    response::JsonMap,
    validation::Valid,
};
use async_graphql::{Pos, ServerError, parser::types::ExecutableDocument as Parsed};
use sha2::{Digest, Sha256};

use crate::error::code;

/// Limits of a document. Each is tested at the limit and one above.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest document, in bytes.
    pub bytes: usize,
    /// Most tokens.
    pub tokens: usize,
    /// Deepest nesting of fields.
    pub depth: u64,
    /// Most fields when every fragment is written out.
    pub fields: u64,
    /// Most fields that the answer may hold by estimate: lists count as often as they may have members.
    pub answer: u64,
    /// Most directives.
    pub directives: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 * 1024, tokens: 8_000, depth: 16, fields: 2_000, answer: 500_000, directives: 100 }
    }
}

/// How many documents are kept, and how many bytes of their text: parsed they are many times as large.
const KEPT: usize = 512;
const KEPT_BYTES: usize = 1024 * 1024;
/// What an unpaged list counts as.
const LIST: u64 = 10;
/// What a connection without `first` counts as: its default page.
const PAGE: u64 = 25;

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
pub struct Document {
    valid: Valid<ExecutableDocument>,
    parsed: Parsed,
}

/// An operation of a valid document with its coerced variables, measured and ready to run.
pub struct Ready {
    /// The document.
    pub document: Arc<Document>,
    /// What it is.
    pub kind: OperationKind,
    /// Which operation.
    pub operation_name: Option<String>,
    /// Its coerced variables.
    pub variables: async_graphql::Variables,
}

impl Document {
    /// For the executor, which takes it by value.
    pub fn parsed(&self) -> Parsed {
        self.parsed.clone()
    }
}

/// See the module.
pub struct Documents {
    schema: Valid<Schema>,
    limits: Limits,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_hash: HashMap<[u8; 32], Arc<Document>>,
    /// Oldest first, with the length of the text.
    order: VecDeque<([u8; 32], usize)>,
    bytes: usize,
}

fn refuse(message: impl Into<String>, of: &'static str) -> ServerError {
    let mut error = ServerError::new(message.into(), None);
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", of);
    error.extensions = Some(extensions);
    error
}

impl Documents {
    /// For a schema in SDL. Fails only on SDL that is not valid, which a test excludes.
    pub fn new(sdl: &str, limits: Limits) -> Result<Self, String> {
        let schema = Schema::parse_and_validate(sdl, "schema.graphql").map_err(|invalid| invalid.errors.to_string())?;
        Ok(Self { schema, limits, kept: Mutex::default() })
    }

    /// Everything before execution. What is refused here is a request error: nothing has run.
    pub fn prepare(
        &self,
        query: &str,
        operation_name: Option<&str>,
        variables: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Ready, Vec<ServerError>> {
        let document = self.document(query)?;
        let bad = |message: String| vec![refuse(message, code::GRAPHQL_VALIDATION_FAILED)];
        let operation =
            document.valid.operations.get(operation_name).map_err(|error| bad(error.message().to_string()))?;
        let values: JsonMap = serde_json::from_value(serde_json::Value::Object(variables.clone()))
            .map_err(|error| bad(error.to_string()))?;
        let values = coerce_variable_values(&self.schema, operation, &values)
            .map_err(|error| vec![refuse(error.message().to_string(), code::BAD_USER_INPUT)])?;
        let answer = Measure { document: &document.valid, values: Some(&values), memo: HashMap::new() }
            .selection(&operation.selection_set);
        if answer.answer > self.limits.answer {
            return Err(vec![refuse(
                format!(
                    "This operation may answer about {} fields, more than {}: ask for smaller pages or fewer lists.",
                    answer.answer, self.limits.answer
                ),
                code::QUERY_TOO_COMPLEX,
            )]);
        }
        let variables = serde_json::to_value(&*values).map_err(|error| bad(error.to_string()))?;
        // Before anything runs: a bad date in the second mutation of a request must not come after the first.
        let scalars = Scalars { schema: &self.schema };
        for variable in &operation.variables {
            scalars.json(&variable.ty, &variables[variable.name.as_str()])?;
        }
        Ok(Ready {
            kind: kind_of(operation),
            operation_name: operation.name.as_ref().map(ToString::to_string),
            variables: async_graphql::Variables::from_json(variables),
            document,
        })
    }

    fn document(&self, query: &str) -> Result<Arc<Document>, Vec<ServerError>> {
        let too_big = |what: String| vec![refuse(what, code::QUERY_TOO_COMPLEX)];
        if query.len() > self.limits.bytes {
            return Err(too_big(format!("The document is longer than {} bytes: split it.", self.limits.bytes)));
        }
        let hash: [u8; 32] = Sha256::digest(query).into();
        if let Some(known) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).by_hash.get(&hash) {
            return Ok(Arc::clone(known));
        }
        let document = Arc::new(self.parse(query)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_hash.insert(hash, Arc::clone(&document)).is_none() {
            kept.order.push_back((hash, query.len()));
            kept.bytes += query.len();
        }
        while kept.order.len() > KEPT || kept.bytes > KEPT_BYTES {
            let Some((oldest, bytes)) = kept.order.pop_front() else { break };
            kept.by_hash.remove(&oldest);
            kept.bytes -= bytes;
        }
        Ok(document)
    }

    fn parse(&self, query: &str) -> Result<Document, Vec<ServerError>> {
        let mut parser = Parser::new().recursion_limit(64).token_limit(self.limits.tokens);
        let ast = parser
            .parse_ast(query, "operation.graphql")
            .map_err(|invalid| errors(&invalid.errors, code::GRAPHQL_PARSE_FAILED))?;
        let directives = query.matches('@').count();
        if directives > self.limits.directives {
            return Err(vec![refuse(
                format!("The document has more than {} directives: leave some out.", self.limits.directives),
                code::QUERY_TOO_COMPLEX,
            )]);
        }
        // Sizes first: validating may be quadratic in what a document writes out.
        let document = ast
            .to_executable(&self.schema)
            .map_err(|invalid| errors(&invalid.errors, code::GRAPHQL_VALIDATION_FAILED))?;
        if let Some(cyclic) = cyclic_fragment(&document) {
            return Err(vec![refuse(
                format!("The fragment {cyclic} spreads itself: take the cycle out."),
                code::GRAPHQL_VALIDATION_FAILED,
            )]);
        }
        let mut measure = Measure { document: &document, values: None, memo: HashMap::new() };
        for operation in document.operations.iter() {
            let size = measure.selection(&operation.selection_set);
            if size.depth > self.limits.depth {
                return Err(vec![refuse(
                    format!("The operation is deeper than {} fields: ask in two steps.", self.limits.depth),
                    code::QUERY_TOO_COMPLEX,
                )]);
            }
            if size.fields > self.limits.fields {
                return Err(vec![refuse(
                    format!("The operation has more than {} fields: ask for fewer.", self.limits.fields),
                    code::QUERY_TOO_COMPLEX,
                )]);
            }
        }
        let valid = document
            .validate(&self.schema)
            .map_err(|invalid| errors(&invalid.errors, code::GRAPHQL_VALIDATION_FAILED))?;
        let scalars = Scalars { schema: &self.schema };
        for operation in valid.operations.iter() {
            scalars.selection(&operation.selection_set)?;
        }
        for fragment in valid.fragments.values() {
            scalars.selection(&fragment.selection_set)?;
        }
        let parsed = async_graphql::parser::parse_query(query).map_err(|error| {
            vec![refuse(format!("The document does not parse: {error}"), code::GRAPHQL_PARSE_FAILED)]
        })?;
        Ok(Document { valid, parsed })
    }
}

/// Checks the values of our own scalars, which apollo-compiler lets pass.
struct Scalars<'a> {
    schema: &'a Valid<Schema>,
}

impl Scalars<'_> {
    fn text(&self, scalar: &str, text: &str) -> Result<(), Vec<ServerError>> {
        match super::scalars::fault(scalar, text) {
            Some(fault) => Err(vec![refuse(format!("A {scalar} {fault}"), code::BAD_USER_INPUT)]),
            None => Ok(()),
        }
    }

    fn json(&self, of: &Type, value: &serde_json::Value) -> Result<(), Vec<ServerError>> {
        match value {
            serde_json::Value::Array(members) => {
                members.iter().try_for_each(|member| self.json(of.item_type(), member))
            }
            serde_json::Value::Object(fields) => {
                let Some(input) = self.schema.get_input_object(of.inner_named_type()) else { return Ok(()) };
                let known = |name: &String| input.fields.get(name.as_str());
                fields
                    .iter()
                    .filter_map(|(name, value)| Some((known(name)?, value)))
                    .try_for_each(|(field, value)| self.json(&field.ty, value))
            }
            serde_json::Value::String(text) => self.text(of.inner_named_type(), text),
            // A number where one of our scalars is due is no date either.
            serde_json::Value::Number(_) | serde_json::Value::Bool(_) => self.text(of.inner_named_type(), ""),
            serde_json::Value::Null => Ok(()),
        }
    }

    fn literal(&self, of: &Type, value: &Value) -> Result<(), Vec<ServerError>> {
        match value {
            Value::List(members) => members.iter().try_for_each(|member| self.literal(of.item_type(), member)),
            Value::Object(fields) => {
                let Some(input) = self.schema.get_input_object(of.inner_named_type()) else { return Ok(()) };
                fields.iter().try_for_each(|(name, value)| match input.fields.get(name) {
                    Some(field) => self.literal(&field.ty, value),
                    None => Ok(()),
                })
            }
            Value::String(text) => self.text(of.inner_named_type(), text),
            Value::Int(_) | Value::Float(_) | Value::Boolean(_) => self.text(of.inner_named_type(), ""),
            Value::Null | Value::Variable(_) | Value::Enum(_) => Ok(()),
        }
    }

    fn selection(&self, set: &SelectionSet) -> Result<(), Vec<ServerError>> {
        set.selections.iter().try_for_each(|selection| match selection {
            Selection::Field(field) => {
                for argument in &field.arguments {
                    if let Some(definition) = field.definition.arguments.iter().find(|one| one.name == argument.name) {
                        self.literal(&definition.ty, &argument.value)?;
                    }
                }
                self.selection(&field.selection_set)
            }
            Selection::InlineFragment(inline) => self.selection(&inline.selection_set),
            // Every fragment is walked once, by itself.
            Selection::FragmentSpread(_) => Ok(()),
        })
    }
}

fn kind_of(operation: &ApolloNode<Operation>) -> OperationKind {
    if operation.is_mutation() {
        OperationKind::Mutation
    } else if operation.is_subscription() {
        OperationKind::Subscription
    } else {
        OperationKind::Query
    }
}

/// At most ten errors, each with its place.
fn errors(list: &apollo_compiler::validation::DiagnosticList, of: &'static str) -> Vec<ServerError> {
    list.iter()
        .take(10)
        .map(|diagnostic| {
            let found = diagnostic.to_json();
            let mut error = refuse(found.message, of);
            error.locations =
                found.locations.iter().map(|place| Pos { line: place.line, column: place.column }).collect();
            error
        })
        .collect()
}

#[derive(Clone, Copy, Default)]
struct Size {
    depth: u64,
    fields: u64,
    answer: u64,
}

/// Measures selections; a fragment is measured once.
struct Measure<'a> {
    document: &'a ExecutableDocument,
    /// None: sizes only.
    values: Option<&'a JsonMap>,
    memo: HashMap<&'a str, Size>,
}

impl<'a> Measure<'a> {
    fn selection(&mut self, set: &'a SelectionSet) -> Size {
        let mut total = Size::default();
        for selection in &set.selections {
            let size = match selection {
                Selection::Field(field) => {
                    let below = self.selection(&field.selection_set);
                    Size {
                        depth: 1 + below.depth,
                        fields: 1u64.saturating_add(below.fields),
                        answer: 1u64.saturating_add(below.answer.saturating_mul(self.members(field))),
                    }
                }
                Selection::InlineFragment(inline) => self.selection(&inline.selection_set),
                Selection::FragmentSpread(spread) => {
                    let name = spread.fragment_name.as_str();
                    if let Some(known) = self.memo.get(name) {
                        *known
                    } else {
                        let size = self
                            .document
                            .fragments
                            .get(name)
                            .map_or(Size::default(), |fragment| self.selection(&fragment.selection_set));
                        self.memo.insert(name, size);
                        size
                    }
                }
            };
            total.depth = total.depth.max(size.depth);
            total.fields = total.fields.saturating_add(size.fields);
            total.answer = total.answer.saturating_add(size.answer);
        }
        total
    }

    /// How many members a field may answer with.
    fn members(&self, field: &'a Field) -> u64 {
        let parent = field.definition.name.as_str();
        if let Some(argument) = field.definition.arguments.iter().find(|argument| argument.name == "first") {
            let given = field.arguments.iter().find(|given| given.name == argument.name);
            let first = given.and_then(|given| self.number(&given.value)).unwrap_or(PAGE);
            return first.clamp(1, u64::try_from(crate::db::MAX_FIRST).unwrap_or(PAGE));
        }
        if !field.ty().is_list() {
            return 1;
        }
        match parent {
            // The page's size counted already at the connection.
            "nodes" if field.arguments.is_empty() => 1,
            "edges" => 1,
            "nodes" => u64::try_from(crate::db::MAX_FIRST).unwrap_or(PAGE),
            _ => LIST,
        }
    }

    fn number(&self, value: &Value) -> Option<u64> {
        match value {
            Value::Int(number) => number.try_to_i32().ok().and_then(|number| u64::try_from(number).ok()),
            Value::Variable(name) => self.values?.get(name.as_str())?.as_u64(),
            _ => None,
        }
    }
}

/// A fragment that spreads itself, directly or through others.
fn cyclic_fragment(document: &ExecutableDocument) -> Option<&str> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Open,
        Done,
    }
    fn spreads<'a>(set: &'a SelectionSet, found: &mut Vec<&'a str>) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => spreads(&field.selection_set, found),
                Selection::InlineFragment(inline) => spreads(&inline.selection_set, found),
                Selection::FragmentSpread(spread) => found.push(spread.fragment_name.as_str()),
            }
        }
    }
    fn visit<'a>(
        document: &'a ExecutableDocument,
        name: &'a str,
        marks: &mut HashMap<&'a str, Mark>,
        depth: usize,
    ) -> Option<&'a str> {
        match marks.get(name) {
            Some(Mark::Open) => return Some(name),
            Some(Mark::Done) => return None,
            None => {}
        }
        // A chain this long is refused like a cycle: following it would eat the stack.
        if depth > 200 {
            return Some(name);
        }
        marks.insert(name, Mark::Open);
        let fragment = document.fragments.get(name)?;
        let mut found = Vec::new();
        spreads(&fragment.selection_set, &mut found);
        for next in found {
            if let Some(cyclic) = visit(document, next, marks, depth + 1) {
                return Some(cyclic);
            }
        }
        marks.insert(name, Mark::Done);
        None
    }
    let mut marks = HashMap::new();
    document.fragments.keys().find_map(|name| visit(document, name.as_str(), &mut marks, 0))
}

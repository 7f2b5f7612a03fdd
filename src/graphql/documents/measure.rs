//! How large a document is. Every walk here goes through a fragment once.

use std::collections::HashMap;

use apollo_compiler::{
    ExecutableDocument,
    ast::{DirectiveList, Value},
    executable::{Field, Selection, SelectionSet},
    response::JsonMap,
};
use async_graphql::ServerError;

use super::refuse;
use crate::error::code;

/// Limits of a document. Each is tested at the limit and one above.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest document, in bytes.
    pub bytes: usize,
    /// Most tokens, counted as the parser does: names, signs, values, and what stands between them.
    pub tokens: usize,
    /// Deepest nesting of fields.
    pub depth: u64,
    /// Most fields when every fragment is written out.
    pub fields: u64,
    /// Most fields with an alias when every fragment is written out: each may be a load of its own.
    pub aliases: u64,
    /// Most fields that the answer may hold by estimate: lists count as often as they may have members.
    pub answer: u64,
    /// Most directives.
    pub directives: usize,
}

/// Fields, fragments, lists and objects within one another: what walks a document must not run out of stack. Less
/// than the executor's own limit, and than those of apollo-compiler.
pub const NESTING: usize = 90;
/// The same for the parser, which goes down more than once for a field or value.
pub const PARSER_NESTING: usize = 2 * NESTING;
/// What an unpaged list counts as.
const LIST: u64 = 10;
/// What a connection without `first` counts as: its default page.
const PAGE: u64 = 25;

fn too_complex(message: String) -> Vec<ServerError> {
    vec![refuse(message, code::QUERY_TOO_COMPLEX)]
}

/// What is nested deeper than anybody may follow.
pub fn too_nested() -> Vec<ServerError> {
    too_complex(format!("Fields, fragments or values are nested deeper than {NESTING}: ask in several steps."))
}

/// Refuses fragments that spread themselves, and what is nested too deep to be followed. Comes before every other
/// walk.
pub fn nesting(document: &ExecutableDocument) -> Result<(), Vec<ServerError>> {
    /// How far a fragment reaches down; none while it is being followed.
    type Heights<'a> = HashMap<&'a str, Option<usize>>;
    fn height<'a>(
        document: &'a ExecutableDocument,
        set: &'a SelectionSet,
        heights: &mut Heights<'a>,
        depth: usize,
    ) -> Result<usize, Vec<ServerError>> {
        let mut highest = 0;
        for selection in &set.selections {
            let below = match selection {
                Selection::Field(field) => &field.selection_set,
                Selection::InlineFragment(inline) => &inline.selection_set,
                Selection::FragmentSpread(spread) => {
                    let name = spread.fragment_name.as_str();
                    let known = match heights.get(name) {
                        Some(Some(known)) => *known,
                        Some(None) => {
                            let message = format!("The fragment {name} spreads itself: take the cycle out.");
                            return Err(vec![refuse(message, code::GRAPHQL_VALIDATION_FAILED)]);
                        }
                        None => {
                            // One that is missing is for validation to tell.
                            let Some(fragment) = document.fragments.get(name) else { continue };
                            if depth >= NESTING {
                                return Err(too_nested());
                            }
                            heights.insert(name, None);
                            let found = height(document, &fragment.selection_set, heights, depth + 1)?;
                            heights.insert(name, Some(found));
                            found
                        }
                    };
                    if depth + 1 + known > NESTING {
                        return Err(too_nested());
                    }
                    highest = highest.max(1 + known);
                    continue;
                }
            };
            if depth >= NESTING {
                return Err(too_nested());
            }
            highest = highest.max(1 + height(document, below, heights, depth + 1)?);
        }
        Ok(highest)
    }
    let mut heights = Heights::new();
    for operation in document.operations.iter() {
        height(document, &operation.selection_set, &mut heights, 0)?;
    }
    for (name, fragment) in &document.fragments {
        if !heights.contains_key(name.as_str()) {
            heights.insert(name, None);
            let found = height(document, &fragment.selection_set, &mut heights, 0)?;
            heights.insert(name, Some(found));
        }
    }
    Ok(())
}

/// Refuses what is larger than the limits, without knowing the variables.
pub fn sizes(document: &ExecutableDocument, limits: &Limits) -> Result<(), Vec<ServerError>> {
    if directives(document) > limits.directives {
        let message = format!("The document has more than {} directives: leave some out.", limits.directives);
        return Err(too_complex(message));
    }
    let mut measure = Measure { document, values: None, memo: HashMap::new() };
    for operation in document.operations.iter() {
        let size = measure.selection(&operation.selection_set);
        for (is, limit, message) in [
            (size.depth, limits.depth, format!("is deeper than {} fields: ask in two steps.", limits.depth)),
            (size.fields, limits.fields, format!("has more than {} fields: ask for fewer.", limits.fields)),
            (size.aliases, limits.aliases, format!("has more than {} aliases: ask in two steps.", limits.aliases)),
        ] {
            if is > limit {
                return Err(too_complex(format!("The operation {message}")));
            }
        }
    }
    Ok(())
}

/// Refuses an operation whose answer may be larger than the limit with these variables.
pub fn answer(
    document: &ExecutableDocument,
    set: &SelectionSet,
    values: &JsonMap,
    limit: u64,
) -> Result<(), Vec<ServerError>> {
    let size = Measure { document, values: Some(values), memo: HashMap::new() }.selection(set);
    if size.answer > limit {
        return Err(too_complex(format!(
            "This operation may answer about {} fields, more than {limit}: ask for smaller pages or fewer lists.",
            size.answer
        )));
    }
    Ok(())
}

/// How many directives the document holds; a fragment's count once.
fn directives(document: &ExecutableDocument) -> usize {
    fn below(set: &SelectionSet) -> usize {
        let of = |selection: &Selection| match selection {
            Selection::Field(field) => field.directives.len() + below(&field.selection_set),
            Selection::InlineFragment(inline) => inline.directives.len() + below(&inline.selection_set),
            Selection::FragmentSpread(spread) => spread.directives.len(),
        };
        set.selections.iter().map(of).sum()
    }
    let of = |directives: &DirectiveList, set: &SelectionSet| directives.len() + below(set);
    let operations = document.operations.iter().map(|operation| {
        let variables = operation.variables.iter().map(|variable| variable.directives.len()).sum::<usize>();
        variables + of(&operation.directives, &operation.selection_set)
    });
    let fragments = document.fragments.values().map(|fragment| of(&fragment.directives, &fragment.selection_set));
    operations.sum::<usize>() + fragments.sum::<usize>()
}

#[derive(Clone, Copy, Default)]
struct Size {
    depth: u64,
    fields: u64,
    aliases: u64,
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
                        fields: below.fields.saturating_add(1),
                        aliases: below.aliases.saturating_add(u64::from(field.alias.is_some())),
                        answer: below.answer.saturating_mul(self.members(field)).saturating_add(1),
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
            total.aliases = total.aliases.saturating_add(size.aliases);
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

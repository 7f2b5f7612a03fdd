//! A valid document as the executor takes it.
//!
//! Made from what apollo-compiler parsed: a second parser would read some documents otherwise, or not at all (it knows
//! no `\u{...}`, no surrogate pairs and no descriptions).

use std::collections::HashSet;

use apollo_compiler::{
    Node,
    ast::{self, Argument, Directive},
    executable::{ExecutableDocument, Fragment, Operation, Selection, SelectionSet},
    parser::SourceSpan,
};
use async_graphql::{
    Name, Number, Pos, Positioned,
    parser::types::{self as to, BaseType, DocumentOperations, OperationType, Type, TypeCondition},
};
use async_graphql_value::Value;

/// The document for the executor, with the places of everything in its text.
pub fn document(document: &ExecutableDocument, text: &str) -> to::ExecutableDocument {
    let mut convert = Convert { text, at: 0, pos: Pos { line: 1, column: 1 } };
    let operations = match &document.operations.anonymous {
        Some(operation) => DocumentOperations::Single(convert.operation(operation)),
        None => DocumentOperations::Multiple(
            document
                .operations
                .named
                .iter()
                .map(|(name, operation)| (Name::new(name), convert.operation(operation)))
                .collect(),
        ),
    };
    let fragments = document.fragments.iter().map(|(name, one)| (Name::new(name), convert.fragment(one))).collect();
    to::ExecutableDocument { operations, fragments }
}

/// The place of a byte of a text.
pub fn place(text: &str, offset: usize) -> Pos {
    Convert { text, at: 0, pos: Pos { line: 1, column: 1 } }.count(offset)
}

struct Convert<'a> {
    text: &'a str,
    /// Up to where `pos` has been counted. Nodes come in the order of the text, so each of its characters is counted
    /// once, or twice.
    at: usize,
    pos: Pos,
}

impl Convert<'_> {
    fn pos(&mut self, place: Option<SourceSpan>) -> Pos {
        place.map_or(Pos::default(), |span| self.count(span.offset()))
    }

    fn count(&mut self, offset: usize) -> Pos {
        if offset < self.at {
            (self.at, self.pos) = (0, Pos { line: 1, column: 1 });
        }
        let mut between = self.text.get(self.at..offset).unwrap_or_default().chars().peekable();
        while let Some(next) = between.next() {
            if next == '\n' || (next == '\r' && between.peek() != Some(&'\n')) {
                self.pos = Pos { line: self.pos.line + 1, column: 1 };
            } else {
                self.pos.column += 1;
            }
        }
        self.at = offset;
        self.pos
    }

    fn name(&mut self, name: &apollo_compiler::Name) -> Positioned<Name> {
        Positioned::new(Name::new(name), self.pos(name.location()))
    }

    fn operation(&mut self, operation: &Node<Operation>) -> Positioned<to::OperationDefinition> {
        let pos = self.pos(operation.location());
        let ty = match operation.operation_type {
            ast::OperationType::Query => OperationType::Query,
            ast::OperationType::Mutation => OperationType::Mutation,
            ast::OperationType::Subscription => OperationType::Subscription,
        };
        let variable_definitions = operation.variables.iter().map(|variable| {
            let pos = self.pos(variable.location());
            let variable = to::VariableDefinition {
                name: self.name(&variable.name),
                var_type: Positioned::new(type_of(&variable.ty), pos),
                directives: self.directives(&variable.directives),
                default_value: variable.default_value.as_ref().map(|default| {
                    // Validation refused variables here.
                    let value = value(default).into_const().unwrap_or_default();
                    Positioned::new(value, self.pos(default.location()))
                }),
            };
            Positioned::new(variable, pos)
        });
        let variable_definitions = variable_definitions.collect();
        let directives = self.directives(&operation.directives);
        let selection_set = self.selection_set(&operation.selection_set, pos);
        Positioned::new(to::OperationDefinition { ty, variable_definitions, directives, selection_set }, pos)
    }

    fn fragment(&mut self, fragment: &Node<Fragment>) -> Positioned<to::FragmentDefinition> {
        let pos = self.pos(fragment.location());
        let type_condition = self.condition(fragment.type_condition());
        let directives = self.directives(&fragment.directives);
        let selection_set = self.selection_set(&fragment.selection_set, pos);
        Positioned::new(to::FragmentDefinition { type_condition, directives, selection_set }, pos)
    }

    fn condition(&mut self, on: &apollo_compiler::Name) -> Positioned<TypeCondition> {
        let on = self.name(on);
        let pos = on.pos;
        Positioned::new(TypeCondition { on }, pos)
    }

    fn selection_set(&mut self, set: &SelectionSet, pos: Pos) -> Positioned<to::SelectionSet> {
        let items = set.selections.iter().map(|selection| self.selection(selection)).collect();
        Positioned::new(to::SelectionSet { items }, pos)
    }

    fn selection(&mut self, selection: &Selection) -> Positioned<to::Selection> {
        match selection {
            Selection::Field(field) => {
                let pos = self.pos(field.location());
                let field = to::Field {
                    alias: field.alias.as_ref().map(|alias| self.name(alias)),
                    name: self.name(&field.name),
                    arguments: self.arguments(&field.arguments),
                    directives: self.directives(&field.directives),
                    selection_set: self.selection_set(&field.selection_set, pos),
                };
                Positioned::new(to::Selection::Field(Positioned::new(field, pos)), pos)
            }
            Selection::FragmentSpread(spread) => {
                let pos = self.pos(spread.location());
                let spread = to::FragmentSpread {
                    fragment_name: self.name(&spread.fragment_name),
                    directives: self.directives(&spread.directives),
                };
                Positioned::new(to::Selection::FragmentSpread(Positioned::new(spread, pos)), pos)
            }
            Selection::InlineFragment(inline) => {
                let pos = self.pos(inline.location());
                let inline = to::InlineFragment {
                    type_condition: inline.type_condition.as_ref().map(|on| self.condition(on)),
                    directives: self.directives(&inline.directives),
                    selection_set: self.selection_set(&inline.selection_set, pos),
                };
                Positioned::new(to::Selection::InlineFragment(Positioned::new(inline, pos)), pos)
            }
        }
    }

    fn arguments(&mut self, arguments: &[Node<Argument>]) -> Vec<(Positioned<Name>, Positioned<Value>)> {
        let one = |argument: &Node<Argument>| {
            let name = self.name(&argument.name);
            (name, Positioned::new(value(&argument.value), self.pos(argument.value.location())))
        };
        arguments.iter().map(one).collect()
    }

    fn directives(&mut self, directives: &[Node<Directive>]) -> Vec<Positioned<to::Directive>> {
        let one = |directive: &Node<Directive>| {
            let pos = self.pos(directive.location());
            let name = self.name(&directive.name);
            Positioned::new(to::Directive { name, arguments: self.arguments(&directive.arguments) }, pos)
        };
        directives.iter().map(one).collect()
    }
}

fn type_of(of: &ast::Type) -> Type {
    let base = match of {
        ast::Type::Named(name) | ast::Type::NonNullNamed(name) => BaseType::Named(Name::new(name)),
        ast::Type::List(inner) | ast::Type::NonNullList(inner) => BaseType::List(Box::new(type_of(inner))),
    };
    Type { base, nullable: !of.is_non_null() }
}

fn value(of: &ast::Value) -> Value {
    match of {
        ast::Value::Null => Value::Null,
        ast::Value::Enum(name) => Value::Enum(Name::new(name)),
        ast::Value::Variable(name) => Value::Variable(Name::new(name)),
        ast::Value::String(text) => Value::String(text.clone()),
        ast::Value::Boolean(boolean) => Value::Boolean(*boolean),
        // Longer than any number is only what stands for an id.
        ast::Value::Int(number) => match number.as_str().parse::<i64>() {
            Ok(number) => Value::Number(number.into()),
            Err(_) => Value::String(number.as_str().to_owned()),
        },
        ast::Value::Float(number) => {
            number.try_to_f64().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
        }
        ast::Value::List(members) => Value::List(members.iter().map(|member| value(member)).collect()),
        ast::Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, field)| (Name::new(name), value(field))).collect())
        }
    }
}

/// Takes out the arguments and input fields that are a variable which was not given: the executor would read null
/// where the place's default counts.
pub fn leave_out(document: &mut to::ExecutableDocument, absent: &HashSet<Name>) {
    fn given(value: &mut Value, absent: &HashSet<Name>) -> bool {
        match value {
            Value::Variable(name) => return !absent.contains(name),
            Value::Object(fields) => fields.retain(|_, field| given(field, absent)),
            // A variable that was not given is null in a list.
            Value::List(members) => members.iter_mut().for_each(|member| {
                given(member, absent);
            }),
            _ => {}
        }
        true
    }
    fn below(set: &mut to::SelectionSet, absent: &HashSet<Name>) {
        for selection in &mut set.items {
            match &mut selection.node {
                to::Selection::Field(field) => {
                    field.node.arguments.retain_mut(|(_, value)| given(&mut value.node, absent));
                    below(&mut field.node.selection_set.node, absent);
                }
                to::Selection::InlineFragment(inline) => below(&mut inline.node.selection_set.node, absent),
                to::Selection::FragmentSpread(_) => {}
            }
        }
    }
    match &mut document.operations {
        DocumentOperations::Single(operation) => below(&mut operation.node.selection_set.node, absent),
        DocumentOperations::Multiple(operations) => {
            operations.values_mut().for_each(|operation| below(&mut operation.node.selection_set.node, absent));
        }
    }
    document.fragments.values_mut().for_each(|fragment| below(&mut fragment.node.selection_set.node, absent));
}

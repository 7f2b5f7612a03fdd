//! What apollo-compiler lets pass: arguments without a value, values of our own scalars, variables within lists and
//! inputs, names given twice in an input.

use std::collections::HashSet;

use apollo_compiler::{
    ExecutableDocument, Node, Schema,
    ast::{Argument, Directive, Type, Value},
    executable::{Operation, Selection, SelectionSet},
    validation::Valid,
};
use apollo_parser::{
    SyntaxKind,
    cst::{self, CstNode},
};
use async_graphql::{Pos, ServerError};

use super::{refuse, too_many};
use crate::error::code;

/// Where an argument or input field has a name but no value: apollo-compiler drops it without a word. For a text that
/// apollo-compiler parsed.
pub fn without_value(text: &str) -> Option<usize> {
    let tree = apollo_parser::Parser::new(text).parse();
    let mut nodes = tree.document().syntax().descendants();
    let bare = nodes.find(|node| match node.kind() {
        SyntaxKind::ARGUMENT => cst::Argument::cast(node.clone()).is_some_and(|one| one.value().is_none()),
        SyntaxKind::OBJECT_FIELD => cst::ObjectField::cast(node.clone()).is_some_and(|one| one.value().is_none()),
        _ => false,
    });
    bare.map(|node| node.text_range().start().into())
}

/// Checks the values of our own scalars, which apollo-compiler takes as they come.
pub struct Scalars<'a> {
    pub schema: &'a Valid<Schema>,
}

impl Scalars<'_> {
    /// All literals of a document.
    pub fn document(&self, document: &ExecutableDocument) -> Result<(), Vec<ServerError>> {
        document.operations.iter().try_for_each(|operation| self.selection(&operation.selection_set))?;
        document.fragments.values().try_for_each(|fragment| self.selection(&fragment.selection_set))
    }

    fn text(&self, of: &Type, text: &str) -> Result<(), Vec<ServerError>> {
        let scalar = of.inner_named_type();
        match crate::graphql::scalars::fault(scalar, text) {
            Some(fault) => Err(vec![refuse(format!("A {scalar} {fault}"), code::BAD_USER_INPUT)]),
            None => Ok(()),
        }
    }

    /// A variable's value.
    pub fn json(&self, of: &Type, value: &serde_json::Value) -> Result<(), Vec<ServerError>> {
        match value {
            serde_json::Value::Null => Ok(()),
            serde_json::Value::String(text) => self.text(of, text),
            serde_json::Value::Array(members) if of.is_list() => {
                members.iter().try_for_each(|member| self.json(of.item_type(), member))
            }
            serde_json::Value::Object(fields)
                if let Some(input) = self.schema.get_input_object(of.inner_named_type()) =>
            {
                let known = |name: &String| input.fields.get(name.as_str());
                fields
                    .iter()
                    .filter_map(|(name, value)| Some((known(name)?, value)))
                    .try_for_each(|(field, value)| self.json(&field.ty, value))
            }
            // A number, a list or an object where one of our scalars is due is no date either.
            _ => self.text(of, ""),
        }
    }

    fn literal(&self, of: &Type, value: &Value) -> Result<(), Vec<ServerError>> {
        match value {
            Value::Null | Value::Variable(_) => Ok(()),
            Value::String(text) => self.text(of, text),
            Value::List(members) if of.is_list() => {
                members.iter().try_for_each(|member| self.literal(of.item_type(), member))
            }
            Value::Object(fields) if let Some(input) = self.schema.get_input_object(of.inner_named_type()) => {
                fields.iter().try_for_each(|(name, value)| match input.fields.get(name) {
                    Some(field) => self.literal(&field.ty, value),
                    None => Ok(()),
                })
            }
            _ => self.text(of, ""),
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

/// Checks where the variables of one operation stand, and that no input names a field twice. apollo-compiler compares
/// only the names of types within lists and inputs, and takes `null` for a default.
pub struct Values<'a> {
    pub schema: &'a Valid<Schema>,
    pub document: &'a ExecutableDocument,
    operation: &'a Operation,
    fragments: HashSet<&'a str>,
    errors: Vec<ServerError>,
}

impl<'a> Values<'a> {
    /// Checks every operation with the fragments that it spreads.
    pub fn check(schema: &'a Valid<Schema>, document: &'a ExecutableDocument) -> Result<(), Vec<ServerError>> {
        for operation in document.operations.iter() {
            let mut values = Self { schema, document, operation, fragments: HashSet::new(), errors: Vec::new() };
            for variable in &operation.variables {
                values.directives(&variable.directives);
                if let Some(default) = &variable.default_value {
                    values.value(Some(&variable.ty), false, default);
                }
            }
            values.directives(&operation.directives);
            values.selection(&operation.selection_set);
            if !values.errors.is_empty() {
                return Err(values.errors);
            }
        }
        Ok(())
    }

    fn selection(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            if too_many(&self.errors) {
                return;
            }
            match selection {
                Selection::Field(field) => {
                    self.directives(&field.directives);
                    self.arguments(&field.definition.arguments, &field.arguments);
                    self.selection(&field.selection_set);
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.directives);
                    self.selection(&inline.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives);
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    if let (true, Some(fragment)) = (self.fragments.insert(&spread.fragment_name), fragment) {
                        self.directives(&fragment.directives);
                        self.selection(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a [Node<Directive>]) {
        for directive in directives {
            if let Some(definition) = self.schema.directive_definitions.get(&directive.name) {
                self.arguments(&definition.arguments, &directive.arguments);
            }
        }
    }

    fn arguments(
        &mut self,
        definitions: &'a [Node<apollo_compiler::ast::InputValueDefinition>],
        arguments: &'a [Node<Argument>],
    ) {
        for argument in arguments {
            let definition = definitions.iter().find(|one| one.name == argument.name);
            let has_default = definition.is_some_and(|one| one.default_value.is_some());
            self.value(definition.map(|one| &*one.ty), has_default, &argument.value);
        }
    }

    /// `of`: the type that is due here; none within an object that stands for a scalar of ours.
    fn value(&mut self, of: Option<&'a Type>, has_default: bool, value: &'a Node<Value>) {
        match &**value {
            Value::Variable(name) => {
                let variable = self.operation.variables.iter().find(|variable| variable.name == *name);
                let (Some(of), Some(variable)) = (of, variable) else { return };
                let default = variable.default_value.as_ref().is_some_and(|default| !default.is_null());
                let fits = if of.is_non_null() && (default || has_default) {
                    variable.ty.is_assignable_to(&of.clone().nullable())
                } else {
                    variable.ty.is_assignable_to(of)
                };
                if !fits {
                    let message =
                        format!("variable `${name}` of type `{}` cannot be used where `{of}` is due", variable.ty);
                    self.refuse(value, message);
                }
            }
            Value::List(members) => {
                let member_type = of.map(|of| of.item_type());
                members.iter().for_each(|member| self.value(member_type, false, member));
            }
            Value::Object(fields) => {
                let input = of.and_then(|of| self.schema.get_input_object(of.inner_named_type()));
                let mut seen = HashSet::new();
                for (name, field) in fields {
                    if !seen.insert(name.as_str()) {
                        self.refuse(field, format!("the input field `{name}` is given twice"));
                    }
                    let definition = input.and_then(|input| input.fields.get(name));
                    let has_default = definition.is_some_and(|one| one.default_value.is_some());
                    self.value(definition.map(|one| &*one.ty), has_default, field);
                }
            }
            _ => {}
        }
    }

    fn refuse(&mut self, value: &Node<Value>, message: String) {
        if too_many(&self.errors) {
            return;
        }
        let mut error = refuse(message, code::GRAPHQL_VALIDATION_FAILED);
        let place = value.location().and_then(|span| span.line_column(&self.document.sources));
        error.locations = place.iter().map(|place| Pos { line: place.line, column: place.column }).collect();
        self.errors.push(error);
    }
}

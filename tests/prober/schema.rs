//! What can be asked, read from the schema.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use apollo_compiler::{
    Name, Node, Schema,
    ast::Type,
    schema::{Component, ExtendedType, FieldDefinition, InputObjectType, InputValueDefinition, ObjectType},
};
use serde_json::{Map, Value, json};

use super::samples::{AUDIT, AUDITED, CODES, DAY, KINDS, MOMENT, ONE_OF, OPEN, TELLING, TEXTS, TIMES};

/// The type of ids that name a record of any type.
pub const ANY: &str = "Node";
/// How many fields with an alias one request has.
const TOGETHER: usize = 30;

/// Where an id stands in an input or in arguments, and of which type the record is that it names.
#[derive(Clone, Debug)]
pub struct Place {
    pub path: String,
    pub kind: String,
}

/// A document about the record `$id`, and the fields that it probes by their key in the answer.
#[derive(Clone, Debug)]
pub struct Document {
    pub name: String,
    pub text: String,
    /// One for every probe.
    pub parts: Vec<String>,
    /// The type of the viewer's own record that it needs as `$own`.
    pub own: Option<String>,
}

/// How an id's place is filled: by the type of its records and its path; with nothing where nothing needs to stand.
type Ids<'a> = &'a dyn Fn(&str, &str) -> Option<Value>;

pub struct Walk {
    schema: Schema,
    /// Every (type, field) that a document has selected.
    selected: Mutex<BTreeSet<(String, String)>>,
}

impl Walk {
    pub fn new() -> Self {
        let schema = Schema::parse_and_validate(hearth::graphql::sdl(), "schema.graphql").unwrap().into_inner();
        Self { schema, selected: Mutex::default() }
    }

    fn object(&self, name: &str) -> &ObjectType {
        self.schema.get_object(name).unwrap_or_else(|| panic!("no type {name}"))
    }

    fn input(&self, name: &str) -> &InputObjectType {
        self.schema.get_input_object(name).unwrap_or_else(|| panic!("no input {name}"))
    }

    fn implements(&self, name: &str, interface: &str) -> bool {
        self.schema.get_object(name).is_some_and(|of| of.implements_interfaces.iter().any(|one| one.name == interface))
    }

    fn objects(&self) -> impl Iterator<Item = &str> {
        let names = self.schema.types.iter().filter(|(_, of)| of.is_object() && !of.is_built_in());
        names.map(|(name, _)| name.as_str())
    }

    /// Every type whose records have a global id.
    pub fn node_types(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.objects().filter(|name| self.implements(name, ANY)).map(str::to_owned).collect();
        names.sort();
        names
    }

    /// What no document has selected.
    pub fn never_selected(&self) -> Vec<String> {
        let selected = self.selected.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing = Vec::new();
        for name in self.objects() {
            for field in self.object(name).fields.keys() {
                if !selected.contains(&(name.to_owned(), field.to_string())) && !telling(name, field) {
                    missing.push(format!("{name}.{field}"));
                }
            }
        }
        missing
    }

    // Selections.

    fn is_leaf(&self, field: &FieldDefinition) -> bool {
        matches!(
            self.schema.types.get(field.ty.inner_named_type()),
            Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_))
        )
    }

    fn note(&self, of: &str, field: &str) {
        self.selected.lock().unwrap_or_else(PoisonError::into_inner).insert((of.to_owned(), field.to_owned()));
    }

    /// One field with these arguments and all that it holds.
    fn field(&self, of: &str, field: &FieldDefinition, arguments: &str, above: &[&str]) -> String {
        self.note(of, &field.name);
        if self.is_leaf(field) {
            return format!("{}{arguments}", field.name);
        }
        let target = field.ty.inner_named_type().as_str();
        format!("{}{arguments} {{ {} }}", field.name, self.selection(target, above))
    }

    /// Everything that a value holds: what is no record is written out, a record with what it says itself.
    fn selection(&self, of: &str, above: &[&str]) -> String {
        let mut parts = vec!["__typename".to_owned()];
        if above.contains(&of) {
            return parts.remove(0);
        }
        let within: Vec<&str> = above.iter().copied().chain([of]).collect();
        match &self.schema.types[of] {
            ExtendedType::Interface(interface) if of == ANY => {
                parts.extend(interface.fields.keys().map(Name::to_string));
            }
            ExtendedType::Interface(interface) => {
                parts.extend(interface.fields.values().map(|field| self.field(of, field, "", &within)));
                let members: Vec<&str> = self.objects().filter(|name| self.implements(name, of)).collect();
                for name in &members {
                    let own: Vec<String> =
                        self.fields_apart(name, &members, &within, &interface.fields.keys().collect());
                    parts.push(format!("... on {name} {{ __typename {} }}", own.join(" ")));
                    interface.fields.keys().for_each(|field| self.note(name, field));
                }
            }
            // Its nodes are written out once.
            ExtendedType::Object(object) if of.ends_with("Connection") => {
                for field in object.fields.values() {
                    parts.push(match field.name.as_str() {
                        "edges" => {
                            let edge = field.ty.inner_named_type().as_str();
                            self.note(of, "edges");
                            self.object(edge).fields.keys().for_each(|field| self.note(edge, field));
                            "edges { cursor node { __typename } }".to_owned()
                        }
                        _ => self.field(of, field, "", &within),
                    });
                }
            }
            ExtendedType::Object(object) if self.implements(of, ANY) => {
                let leaves = object.fields.values().filter(|field| self.is_leaf(field) && !telling(of, &field.name));
                parts.extend(leaves.map(|field| self.field(of, field, &self.required(of, field), &within)));
            }
            ExtendedType::Object(_) => parts.extend(self.fields(of, &within, &BTreeSet::new())),
            other => panic!("{of} is a new sort of type: {}", other.name()),
        }
        parts.join(" ")
    }

    /// All fields of a type, but those.
    fn fields(&self, of: &str, within: &[&str], but: &BTreeSet<&Name>) -> Vec<String> {
        let fields = self.object(of).fields.values();
        let fields = fields.filter(|field| !but.contains(&field.name) && !telling(of, &field.name));
        fields.map(|field| self.field(of, field, &self.required(of, field), within)).collect()
    }

    /// The same of one of several members: a field that another has with another type stands under a name of its own.
    fn fields_apart(&self, of: &str, members: &[&str], within: &[&str], but: &BTreeSet<&Name>) -> Vec<String> {
        let fields = self.object(of).fields.values();
        let fields = fields.filter(|field| !but.contains(&field.name) && !telling(of, &field.name));
        let said = fields.map(|field| {
            let same = |other: &&str| self.object(other).fields.get(&field.name).is_none_or(|one| one.ty == field.ty);
            let text = self.field(of, field, &self.required(of, field), within);
            if members.iter().all(same) { text } else { format!("{}Of{of}: {text}", field.name) }
        });
        said.collect()
    }

    fn required(&self, of: &str, field: &FieldDefinition) -> String {
        self.arguments(of, field, None, &|_, _| None)
    }

    /// A field's required arguments, and this one or the one that has the id at this path.
    fn arguments(&self, of: &str, field: &FieldDefinition, wanted: Option<&str>, ids: Ids<'_>) -> String {
        let owner = format!("{of}.{}", field.name);
        let mut said = Vec::new();
        for argument in &field.arguments {
            let named = wanted.is_some_and(|wanted| leads(&argument.name, wanted));
            if named || argument.is_required() {
                let value = self.fill(&argument.ty, &owner, argument, &argument.name, wanted, ids);
                let value = value.unwrap_or_else(|| json!(format!("{}:{}", self.kind(&owner, argument), NOBODY)));
                said.push(format!("{}: {}", argument.name, self.print(&argument.ty, &value)));
            }
        }
        if said.is_empty() { String::new() } else { format!("({})", said.join(", ")) }
    }

    /// What a field can be asked for beyond what it needs: each argument, of an input each of its fields.
    fn wishes(&self, field: &FieldDefinition) -> Vec<String> {
        let mut wishes = Vec::new();
        for argument in field.arguments.iter().filter(|argument| !argument.is_required()) {
            match self.schema.get_input_object(argument.ty.inner_named_type()) {
                Some(input) => wishes.extend(input.fields.keys().map(|name| format!("{}.{name}", argument.name))),
                None => wishes.push(argument.name.to_string()),
            }
        }
        wishes
    }

    /// A value as a document spells it.
    fn print(&self, ty: &Type, value: &Value) -> String {
        let of = &self.schema.types[ty.inner_named_type()];
        match value {
            Value::Array(members) => {
                format!("[{}]", members.iter().map(|one| self.print(ty, one)).collect::<Vec<_>>().join(", "))
            }
            Value::Object(fields) => {
                let input = self.input(of.name());
                let fields = fields
                    .iter()
                    .map(|(name, one)| format!("{name}: {}", self.print(&input.fields[name.as_str()].ty, one)));
                format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
            Value::String(text) if of.is_enum() || text.starts_with('$') => text.clone(),
            other => other.to_string(),
        }
    }

    // Documents about a record.

    /// Every field of a type, alone and together, with each of its arguments, of the record `$id`.
    pub fn about(&self, of: &str) -> Vec<Document> {
        let all = self.fields(of, &[of], &BTreeSet::new());
        let mut documents = vec![Document {
            name: format!("{of}, whole"),
            text: format!("query($id: ID!) {{ node(id: $id) {{ __typename ... on {of} {{ {} }} }} }}", all.join(" ")),
            parts: vec![format!("{of}, whole")],
            own: None,
        }];
        let mut single = Vec::new();
        for field in self.object(of).fields.values().filter(|field| !telling(of, &field.name)) {
            single.push((field.name.to_string(), self.field(of, field, &self.required(of, field), &[of])));
            for wish in self.wishes(field) {
                let arguments = self.arguments(of, field, Some(&wish), &|kind, _| Some(nobody(kind)));
                single.push((format!("{}({wish})", field.name), self.field(of, field, &arguments, &[of])));
            }
        }
        for (at, some) in single.chunks(TOGETHER).enumerate() {
            let fields = some.iter().enumerate();
            let fields = fields.map(|(at, (_, text))| format!("f{at}: node(id: $id) {{ ... on {of} {{ {text} }} }}"));
            documents.push(Document {
                name: format!("{of}, field by field, {at}"),
                text: format!("query($id: ID!) {{ {} }}", fields.collect::<Vec<_>>().join(" ")),
                parts: some.iter().map(|(name, _)| format!("{of}.{name}")).collect(),
                own: None,
            });
        }
        documents
    }

    /// Every field that holds a list of what can be hidden.
    pub fn lists(&self) -> BTreeSet<String> {
        let mut lists = BTreeSet::new();
        let roots = ["Query".to_owned(), "Viewer".to_owned()];
        for of in self.node_types().into_iter().chain(roots) {
            for field in self.object(&of).fields.values().filter(|field| !telling(&of, &field.name)) {
                let target = field.ty.inner_named_type().as_str();
                let connection = target.ends_with("Connection");
                let held = if connection {
                    self.object(target).fields["nodes"].ty.inner_named_type().as_str()
                } else {
                    target
                };
                if (connection || field.ty.is_list()) && !OPEN.contains(&held) && !self.is_leaf(field) {
                    lists.insert(format!("{of}.{}", field.name));
                }
            }
        }
        lists
    }

    /// The name of every probe of what is read.
    pub fn probed(&self) -> BTreeSet<String> {
        let types = self.node_types().into_iter().filter(|of| !OPEN.contains(&of.as_str()));
        let fields = types.flat_map(|of| self.about(&of).into_iter().skip(1)).flat_map(|document| document.parts);
        let arguments = self.id_arguments().into_iter().filter(|(place, _)| !OPEN.contains(&place.kind.as_str()));
        fields.chain(arguments.map(|(_, document)| document.name)).collect()
    }

    /// The pages of every list of a type, two nodes each: `$after` is where they go on.
    pub fn pages(&self, of: &str) -> Vec<(String, String)> {
        let mut pages = Vec::new();
        for field in self.object(of).fields.values().filter(|field| !telling(of, &field.name)) {
            let connection = field.ty.inner_named_type().as_str();
            if connection.ends_with("Connection") && field.arguments.iter().all(|argument| !argument.is_required()) {
                let selection = self.selection(connection, &[of]);
                let list = format!("{}(first: 2, after: $after) {{ {selection} }}", field.name);
                pages.push((
                    field.name.to_string(),
                    match of {
                        "Query" => format!("query($after: String) {{ {list} }}"),
                        "Viewer" => format!("query($after: String) {{ viewer {{ {list} }} }}"),
                        _ => format!(
                            "query($id: ID!, $after: String) {{ node(id: $id) {{ ... on {of} {{ {list} }} }} }}"
                        ),
                    },
                ));
            }
        }
        pages
    }

    /// What can be asked without an id of a record: the root's fields, alone and with each argument.
    pub fn without_id(&self, ids: Ids<'_>) -> Vec<Document> {
        let mut documents = Vec::new();
        for field in self.object("Query").fields.values().filter(|field| !telling("Query", &field.name)) {
            let needed: Vec<&Node<InputValueDefinition>> =
                field.arguments.iter().filter(|argument| argument.is_required()).collect();
            if needed.iter().any(|argument| argument.ty.inner_named_type() == "ID") {
                continue;
            }
            let mut add = |name: String, text: String| {
                documents.push(Document { text: format!("{{ {text} }}"), parts: vec![name.clone()], own: None, name });
            };
            if let [argument] = needed[..]
                && let Some(ExtendedType::Enum(of)) = self.schema.types.get(argument.ty.inner_named_type())
            {
                // With each of its codes.
                for code in of.values.keys() {
                    let text = self.field("Query", field, &format!("({}: {code})", argument.name), &[]);
                    add(format!("Query.{}({}: {code})", field.name, argument.name), text);
                }
                continue;
            }
            if self.is_leaf(field) || !field.arguments.is_empty() || self.implements(field.ty.inner_named_type(), ANY) {
                add(format!("Query.{}", field.name), self.field("Query", field, "", &[]));
            } else {
                // Field by field: it is large.
                self.note("Query", &field.name);
                let of = field.ty.inner_named_type().as_str();
                for inner in self.object(of).fields.values() {
                    let within = self.field(of, inner, &self.required(of, inner), &[of]);
                    add(format!("{of}.{}", inner.name), format!("{} {{ {within} }}", field.name));
                }
            }
            for wish in self.wishes(field) {
                let arguments = self.arguments("Query", field, Some(&wish), ids);
                add(format!("Query.{}({wish})", field.name), self.field("Query", field, &arguments, &[]));
            }
        }
        documents
    }

    /// Every place for an id in the arguments of every field that is read, as a document about `$id`.
    pub fn id_arguments(&self) -> Vec<(Place, Document)> {
        let mut found = Vec::new();
        for of in self.objects().filter(|of| !["Mutation", "Subscription"].contains(of)) {
            for field in self.object(of).fields.values().filter(|field| !telling(of, &field.name)) {
                let owner = format!("{of}.{}", field.name);
                for argument in &field.arguments {
                    let mut places = Vec::new();
                    self.places_of(&argument.ty, &owner, argument, argument.name.to_string(), &mut places);
                    for place in places {
                        let given = |_: &str, path: &str| (path == place.path).then(|| json!("$id"));
                        let arguments = self.arguments(of, field, Some(&place.path), &given);
                        self.note(of, &field.name);
                        let target = field.ty.inner_named_type().as_str();
                        // What is asked for by its id is asked for whole.
                        let selection = if self.implements(target, ANY) {
                            self.fields(target, &[target], &BTreeSet::new()).join(" ")
                        } else {
                            self.selection(target, &[])
                        };
                        let asked = format!("{}{arguments} {{ __typename {selection} }}", field.name);
                        let name = format!("{owner}({})", place.path);
                        let (text, own) = match of {
                            "Query" => (format!("query($id: ID!) {{ {asked} }}"), None),
                            _ if self.implements(of, ANY) => (
                                format!(
                                    "query($own: ID!, $id: ID!) {{ node(id: $own) {{ ... on {of} {{ {asked} }} }} }}"
                                ),
                                Some(of.to_owned()),
                            ),
                            _ => panic!("{name}: an id's place that no probe reaches"),
                        };
                        found.push((place, Document { parts: vec![name.clone()], name, text, own }));
                    }
                }
            }
        }
        found
    }

    /// Every subscription that takes an id, as a document about `$id`.
    pub fn subscriptions(&self) -> Vec<(Place, Document)> {
        let mut found = Vec::new();
        for field in self.object("Subscription").fields.values() {
            let owner = format!("Subscription.{}", field.name);
            let mut places = Vec::new();
            for argument in &field.arguments {
                self.places_of(&argument.ty, &owner, argument, argument.name.to_string(), &mut places);
            }
            // The feed that takes none has the same items.
            self.note("Subscription", &field.name);
            for place in places {
                let given = |_: &str, path: &str| (path == place.path).then(|| json!("$id"));
                let arguments = self.arguments("Subscription", field, Some(&place.path), &given);
                let text =
                    format!("subscription($id: ID!) {{ {} }}", self.field("Subscription", field, &arguments, &[]));
                let name = format!("{owner}({})", place.path);
                found.push((place, Document { parts: vec![name.clone()], name, text, own: None }));
            }
        }
        found
    }

    // Changes.

    /// Every mutation with its input's type.
    pub fn mutations(&self) -> Vec<(String, String)> {
        let of = |field: &Component<FieldDefinition>| {
            assert!(
                field.arguments.len() == 1 && field.arguments[0].name == "input",
                "{}: a mutation that does not take one input",
                field.name
            );
            (field.name.to_string(), field.arguments[0].ty.inner_named_type().to_string())
        };
        self.object("Mutation").fields.values().map(of).collect()
    }

    /// What a mutation answers, whole, or without what the clock decides.
    pub fn payload(&self, mutation: &str) -> String {
        let field = &self.object("Mutation").fields[mutation];
        self.note("Mutation", mutation);
        self.selection(field.ty.inner_named_type(), &[])
    }

    /// Every place for an id in an input, however deep.
    pub fn places(&self, input: &str) -> Vec<Place> {
        let mut places = Vec::new();
        for field in self.input(input).fields.values() {
            self.places_of(&field.ty, input, field, field.name.to_string(), &mut places);
        }
        places
    }

    fn places_of(&self, ty: &Type, owner: &str, at: &InputValueDefinition, path: String, places: &mut Vec<Place>) {
        let name = ty.inner_named_type();
        if name == "ID" {
            places.push(Place { path, kind: self.kind(owner, at) });
        } else if let Some(input) = self.schema.get_input_object(name) {
            for field in input.fields.values() {
                self.places_of(&field.ty, name, field, format!("{path}.{}", field.name), places);
            }
        }
    }

    /// Of which type the records are that an id names.
    fn kind(&self, owner: &str, at: &InputValueDefinition) -> String {
        if let Some((_, _, kind)) = KINDS.iter().find(|(of, name, _)| *of == owner && at.name == *name) {
            return (*kind).to_owned();
        }
        // What a root's field finds by its id.
        if let Some(field) = owner.strip_prefix("Query.")
            && ["id", "ids"].contains(&at.name.as_str())
        {
            return self.object("Query").fields[field].ty.inner_named_type().to_string();
        }
        let name = at.name.as_str();
        let name = name.strip_suffix("Ids").or_else(|| name.strip_suffix("Id")).unwrap_or(name).to_lowercase();
        let kinds = self.node_types();
        // `toUnitId` and `ownerPersonId` end in it.
        let kind = kinds.iter().filter(|kind| name.ends_with(&kind.to_lowercase())).max_by_key(|kind| kind.len());
        kind.unwrap_or_else(|| panic!("{owner}.{}: say in KINDS what it names", at.name)).clone()
    }

    /// The other codes of every code that an input needs: one input each.
    pub fn other_codes(&self, input: &str) -> Vec<(String, String)> {
        let mut codes = Vec::new();
        for field in self.input(input).fields.values().filter(|field| field.is_required()) {
            if let Some(ExtendedType::Enum(of)) = self.schema.types.get(field.ty.inner_named_type()) {
                codes.extend(of.values.keys().skip(1).map(|code| (field.name.to_string(), code.to_string())));
            }
        }
        codes
    }

    /// The place of the record that an input is about: the one whose version it expects, or the first that it needs.
    /// None of one that is about nothing which is there yet.
    pub fn main(&self, input: &str) -> Option<String> {
        let of = self.input(input);
        let ids: Vec<&Component<InputValueDefinition>> =
            of.fields.values().filter(|field| field.is_required() && field.ty.inner_named_type() == "ID").collect();
        let main = match of.fields.get("expectedVersion") {
            Some(version) => {
                let said = version.description.as_deref().unwrap_or_default().to_lowercase();
                let named = ids.iter().find(|field| {
                    said.starts_with(&format!("the {}'s version", self.kind(input, field).to_lowercase()))
                });
                named.or_else(|| (ids.len() == 1).then(|| &ids[0]))
            }
            None => ids.iter().find(|field| !field.ty.is_list()).or_else(|| ids.first()),
        };
        // Of several at once, each with its version.
        if ids.is_empty() {
            let nested = self.places(input).into_iter().find(|place| !OPEN.contains(&place.kind.as_str()));
            if let Some(nested) = nested {
                return Some(nested.path);
            }
        }
        assert!(
            main.is_some() || self.places(input).iter().all(|place| OPEN.contains(&place.kind.as_str())),
            "{input}: which record is it about?"
        );
        main.map(|field| field.name.to_string())
    }

    /// Whether an input expects a version.
    pub fn expects_version(&self, input: &str) -> bool {
        self.input(input).fields.contains_key("expectedVersion")
    }

    /// An input: what it needs, and what leads to the id at this path.
    pub fn build(&self, input: &str, wanted: Option<&str>, ids: Ids<'_>) -> Value {
        self.object_of(input, "", wanted, ids)
    }

    fn object_of(&self, input: &str, path: &str, wanted: Option<&str>, ids: Ids<'_>) -> Value {
        let mut said = Map::new();
        for field in self.input(input).fields.values() {
            let path = if path.is_empty() { field.name.to_string() } else { format!("{path}.{}", field.name) };
            if (field.is_required() || wanted.is_some_and(|wanted| leads(&path, wanted)))
                && let Some(value) = self.fill(&field.ty, input, field, &path, wanted, ids)
            {
                said.insert(field.name.to_string(), value);
            }
        }
        if let Some((_, members, usual)) = ONE_OF.iter().find(|(of, ..)| *of == input)
            && !members.iter().any(|member| said.contains_key(*member))
        {
            said.insert((*usual).to_owned(), json!(text(input, usual)));
        }
        Value::Object(said)
    }

    fn fill(
        &self,
        ty: &Type,
        owner: &str,
        at: &InputValueDefinition,
        path: &str,
        wanted: Option<&str>,
        ids: Ids<'_>,
    ) -> Option<Value> {
        if ty.is_list() {
            return Some(Value::Array(vec![self.fill(ty.item_type(), owner, at, path, wanted, ids)?]));
        }
        let by_name =
            |table: &[(&str, &'static str)]| table.iter().find(|(name, _)| at.name == *name).map(|(_, value)| *value);
        Some(match ty.inner_named_type().as_str() {
            "ID" => return ids(&self.kind(owner, at), path),
            "Int" => json!(1),
            "Boolean" => json!(true),
            "Date" => json!(by_name(TIMES).unwrap_or(DAY)),
            "DateTime" => json!(by_name(TIMES).unwrap_or(MOMENT)),
            "String" => json!(text(owner, &at.name)),
            name => match &self.schema.types[name] {
                ExtendedType::Enum(of) => {
                    let further = CODES.iter().find(|(of, field, _)| *of == owner && at.name == *field);
                    json!(further.map_or_else(|| of.values.keys().next().unwrap().as_str(), |(.., code)| *code))
                }
                ExtendedType::InputObject(_) => self.object_of(name, path, wanted, ids),
                _ => panic!("{owner}.{}: no sample for a {name}", at.name),
            },
        })
    }
}

/// An id that is nobody's.
pub const NOBODY: &str = "01890000-0000-7000-8000-00000000dead";

fn nobody(kind: &str) -> Value {
    json!(format!("{kind}:{NOBODY}"))
}

fn telling(of: &str, field: &str) -> bool {
    TELLING.contains(&(of, field)) || AUDITED.contains(&(of, field)) || AUDIT.contains(&of)
}

/// Whether a path is the other or a part of the way to it.
fn leads(path: &str, to: &str) -> bool {
    to.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn text(owner: &str, name: &str) -> &'static str {
    let found = TEXTS.iter().find(|(of, _)| *of == name);
    found.unwrap_or_else(|| panic!("{owner}.{name}: no sample in TEXTS")).1
}

//! The inputs of every mutation, with canaries for all that people write.

use apollo_compiler::{Schema, ast::Type, schema::ExtendedType};
use serde_json::{Map, Value, json};

use super::scan::word;
use crate::prober::schema::NOBODY;

/// What an id names, where its name does not end in it.
const KINDS: &[(&str, &str)] = &[
    ("chairId", "Worker"),
    ("leadPractitionerId", "Worker"),
    ("leadsPassToId", "Worker"),
    ("ownerId", "Worker"),
    ("allowedIds", "Worker"),
    ("isNoneOf", "Child"),
    ("denialId", "AccessDenial"),
    ("restrictionId", "AccessRestriction"),
    ("enquiryId", "Section47Enquiry"),
    ("participantId", "AgencyParticipant"),
    ("requestId", "InformationRequest"),
    ("supportId", "SupportRequest"),
    ("goalIds", "Goal"),
    ("saidById", "Person"),
];

/// What only one of can be named: the other ones are left out.
const INSTEAD: &[&str] = &["personId", "ownerPersonId", "ownerWorkerId"];

/// How an input is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// In nothing.
    Not,
    /// Its ids are words.
    Ids,
    /// Its codes are words.
    Codes,
    /// Its numbers, days and moments are words.
    Numbers,
    /// A field of it nobody knows.
    Field,
    /// Its texts are longer than any may be.
    TooLong,
    /// Its texts hold what no text may hold.
    Unprintable,
}

/// All ways but none.
pub const WRONG: &[Wrong] =
    &[Wrong::Ids, Wrong::Codes, Wrong::Numbers, Wrong::Field, Wrong::TooLong, Wrong::Unprintable];

pub struct Inputs {
    schema: Schema,
}

/// The id of a record of this type, as an input names it.
pub type Ids<'a> = &'a dyn Fn(&str) -> Option<Value>;

impl Inputs {
    pub fn new() -> Self {
        Self { schema: Schema::parse_and_validate(hearth::graphql::sdl(), "schema.graphql").unwrap().into_inner() }
    }

    /// Every mutation with its input's type; those that take records away come last.
    pub fn mutations(&self) -> Vec<(String, String)> {
        let fields = self.schema.get_object("Mutation").unwrap().fields.values();
        let mut all: Vec<(String, String)> = fields
            .map(|field| (field.name.to_string(), field.arguments[0].ty.inner_named_type().to_string()))
            .collect();
        const LAST: &[&str] = &[
            "acceptTransfer",
            "authoriseAssessment",
            "changeMembershipRole",
            "closeCase",
            "endAllocation",
            "endMembership",
            "restrictRecord",
        ];
        const FIRST: &[&str] =
            &["recordAttendance", "recordConferenceView", "recordChangeEvidence", "recordPlanReview", "sharePlan"];
        all.sort_by_key(|(name, _)| (!FIRST.contains(&name.as_str()), LAST.contains(&name.as_str())));
        all
    }

    /// The type of the record that an input is about.
    pub fn main(&self, input: &str) -> Option<String> {
        let fields = self.schema.get_input_object(input)?.fields.values();
        let ids = fields.filter(|field| field.is_required() && field.ty.inner_named_type() == "ID");
        let named: Vec<String> = ids.filter_map(|field| self.kind(&field.name)).collect();
        let weight = |kind: &String| ["Unit", "Worker"].contains(&kind.as_str());
        named.into_iter().min_by_key(weight)
    }

    fn kind(&self, name: &str) -> Option<String> {
        if let Some((_, kind)) = KINDS.iter().find(|(of, _)| *of == name) {
            return Some((*kind).to_owned());
        }
        let stem = name.strip_suffix("Ids").or_else(|| name.strip_suffix("Id"))?.to_lowercase();
        let kinds = self.schema.types.iter().filter(|(_, of)| of.is_object()).map(|(kind, _)| kind.to_string());
        kinds.filter(|kind| stem.ends_with(&kind.to_lowercase())).max_by_key(String::len)
    }

    /// An input about these records.
    pub fn build(&self, input: &str, ids: Ids<'_>, wrong: Wrong) -> Value {
        let mut said = Map::new();
        let fields = &self.schema.get_input_object(input).unwrap().fields;
        for field in fields.values() {
            let name = field.name.as_str();
            let text = field.ty.inner_named_type() == "String";
            if INSTEAD.contains(&name) && !field.is_required() || ["id", "idempotencyKey"].contains(&name) {
                continue;
            }
            if (text || field.is_required() || wrong != Wrong::Not)
                && let Some(value) = self.fill(&field.ty, input, name, ids, wrong)
            {
                said.insert(name.to_owned(), value);
            }
        }
        if fields.contains_key("idempotencyKey") {
            said.insert("idempotencyKey".to_owned(), json!(crate::support::key()));
        }
        if wrong == Wrong::Field {
            said.insert(word("own unknown field"), json!(word("value of an unknown field")));
        }
        Value::Object(said)
    }

    fn fill(&self, ty: &Type, owner: &str, name: &str, ids: Ids<'_>, wrong: Wrong) -> Option<Value> {
        if ty.is_list() {
            return Some(json!([self.fill(ty.item_type(), owner, name, ids, wrong)?]));
        }
        let own = |kind: &str| json!(word(&format!("own {kind}")));
        Some(match ty.inner_named_type().as_str() {
            "ID" if wrong == Wrong::Ids => own("id"),
            "ID" => {
                let kind = self.kind(name).unwrap_or_else(|| panic!("{owner}.{name}: what does it name?"));
                ids(&kind).unwrap_or_else(|| json!(format!("{kind}:{NOBODY}")))
            }
            "Int" | "Date" | "DateTime" if wrong == Wrong::Numbers => own("number"),
            "Int" => json!(1),
            "Boolean" => json!(true),
            // Real time runs: what was is a day ago, what comes is in a fortnight.
            "Date" => json!(day(name).date_naive().to_string()),
            "DateTime" => json!(day(name).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
            "String" if name == "cursor" => own("cursor"),
            "String" => {
                let text = word(&format!("{owner}.{name}"));
                json!(match wrong {
                    Wrong::TooLong => format!("{text} ").repeat(1500),
                    Wrong::Unprintable => format!("{text}\u{0}\u{202E}{text}"),
                    _ => text,
                })
            }
            other => match &self.schema.types[other] {
                ExtendedType::Enum(_) if wrong == Wrong::Codes => own("code"),
                ExtendedType::Enum(of) => {
                    const FURTHER: &[(&str, &str, &str)] = &[
                        ("AddAgencyParticipantInput", "agency", "SCHOOL"),
                        ("ChildDecisionInput", "decision", "NO_PLAN"),
                        ("ChildDiscussedInput", "decision", "S47_JOINT"),
                        ("DraftPlanInput", "kind", "CIN"),
                        ("ExcludeFromConferenceInput", "capacity", "PARENT"),
                        ("NewInvitationInput", "capacity", "SCHOOL"),
                        ("RequestTransferInput", "kind", "WITHIN_SERVICE"),
                        ("StartMembershipInput", "role", "SOCIAL_WORKER"),
                        ("ChangeMembershipRoleInput", "role", "SOCIAL_WORKER"),
                    ];
                    let further = FURTHER.iter().find(|(input, field, _)| *input == owner && *field == name);
                    json!(further.map_or_else(|| of.values.keys().next().unwrap().as_str(), |(.., code)| *code))
                }
                ExtendedType::InputObject(_) => self.build(other, ids, wrong),
                _ => return None,
            },
        })
    }
}

fn day(name: &str) -> chrono::DateTime<chrono::Utc> {
    let coming =
        ["dueAt", "dueOn", "nextReviewOn", "newChangeBy", "reviewDueOn", "agreedChangeBy", "scheduledFor", "until"];
    chrono::Utc::now() + chrono::Duration::days(if coming.contains(&name) { 14 } else { 0 })
}

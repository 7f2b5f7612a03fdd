//! Who a child is whom a contact is about: somebody says so, with open eyes. Nothing is matched by itself, and what is known of
//! a child does not change by it.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::{Outcome, Services, detail, open_contact, optional_text, tell, text};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        Coded, ViewerTx,
        contacts::{self, ContactPersonCore, NewPerson},
    },
    domain::{
        Code,
        codes::{ContactPersonKind, EventType, MatchDifference, Severity, Sex},
        contact::{Who, differences, is_a_child, may_be_expected},
        ids::ChildId,
    },
    error::{Error, Result},
};

/// Says which known child somebody is whom a contact is about.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct MatchContactChild {
    pub contact_person_id: Uuid,
    /// None: it is open again who it is.
    pub child_id: Option<Uuid>,
    /// In what they differ, and are one all the same.
    pub despite: Vec<MatchDifference>,
    /// The contact's version.
    pub expected_version: i32,
}

/// Registers a child whom nobody knew.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RegisterContactChild {
    pub contact_person_id: Uuid,
    /// As told when missing.
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    pub expected_date_of_birth: Option<NaiveDate>,
    pub date_of_birth_estimated: bool,
    pub sex: Option<Sex>,
    /// Known children with these names and this birth, none of whom it is.
    pub is_none_of: Vec<Uuid>,
    /// The contact's version.
    pub expected_version: i32,
}

impl Services {
    /// It is that child from now on, or open again.
    pub async fn match_contact_child(&self, viewer: Viewer, key: &str, input: MatchContactChild) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "matchContactChild", key, &input, move |tx| Box::pin(match_child(tx, wanted))).await
    }

    /// There is a record of the child from now on.
    pub async fn register_contact_child(
        &self,
        viewer: Viewer,
        key: &str,
        input: RegisterContactChild,
    ) -> Result<Outcome> {
        let first = optional_text("firstName", input.first_name.as_deref(), 100)?;
        let last = optional_text("lastName", input.last_name.as_deref(), 100)?;
        let wanted = RegisterContactChild { first_name: first, last_name: last, ..input.clone() };
        self.change(viewer, "registerContactChild", key, &input, move |tx| Box::pin(register(tx, wanted))).await
    }
}

/// A child whom a contact is about, as told.
fn told(people: Vec<ContactPersonCore>, id: Uuid) -> Result<ContactPersonCore> {
    let found = people.into_iter().find(|person| person.id == id).ok_or(Error::NotFound)?;
    if found.kind.0 == ContactPersonKind::Child {
        Ok(found)
    } else {
        Err(Error::bad_input("contactPersonId", "must be a child's: of adults nothing is looked for"))
    }
}

async fn match_child(tx: &ViewerTx, input: MatchContactChild) -> Result<Outcome> {
    let contact = contacts::contact_of(tx, input.contact_person_id).await?;
    let (contact, announcer) = open_contact(tx, contact, Action::IdentifyContactChild, input.expected_version).await?;
    let person = told(contacts::people(tx, contact.id).await?, input.contact_person_id)?;
    if let Some(child) = input.child_id {
        let known = contacts::known(tx, person.id, child).await?.ok_or(Error::NotFound)?;
        let told = Who {
            born: person.date_of_birth.as_ref().map(|day| day.day()),
            expected: person.expected_date_of_birth.as_ref().map(|day| day.day()),
            sex: person.sex.map(|sex| sex.0),
        };
        let record = Who {
            born: known.date_of_birth.as_ref().map(|day| day.day()),
            expected: known.expected_date_of_birth.as_ref().map(|day| day.day()),
            sex: Some(known.sex.0),
        };
        let named = person.first_name.is_some() || person.last_name.is_some();
        let apart: Vec<&str> = differences(told, record, !named || known.all_names)
            .into_iter()
            .filter(|difference| !input.despite.contains(difference))
            .map(Code::code)
            .collect();
        if !apart.is_empty() {
            return Err(Error::guard(
                "SAME_CHILD",
                format!(
                    "This may be another child: what was told differs from the record in {}. If it is this child all \
                     the same, say so in `despite`.",
                    apart.join(", ")
                ),
            ));
        }
    } else if person.child_id.is_none() {
        return Err(Error::conflict("It is open already who this is."));
    }
    tx.authorise(&[contact.id]).await?;
    contacts::match_child(tx, person.id, input.child_id, announcer.at).await?;
    let version = contacts::touch(tx, &contact).await?;
    let said = detail(&contact, None, None);
    tell(tx, &announcer, EventType::ContactChanged, Severity::Info, (&contact, version), said).await?;
    Ok(Outcome { contact_id: Some(contact.id), contact_person_id: Some(person.id), ..Outcome::default() })
}

async fn register(tx: &ViewerTx, input: RegisterContactChild) -> Result<Outcome> {
    let contact = contacts::contact_of(tx, input.contact_person_id).await?;
    let (contact, announcer) = open_contact(tx, contact, Action::IdentifyContactChild, input.expected_version).await?;
    let person = told(contacts::people(tx, contact.id).await?, input.contact_person_id)?;
    if person.child_id.is_some() {
        return Err(Error::conflict("It is said already who this is: undo that first."));
    }
    let name = |field, said: Option<String>, told: Option<&str>| {
        let name = said.or(told.map(str::to_owned));
        name.ok_or_else(|| Error::bad_input(field, "is needed: it was not told"))
    };
    let first = name("firstName", input.first_name, person.first_name.as_ref().map(|name| name.read()))?;
    let last = name("lastName", input.last_name, person.last_name.as_ref().map(|name| name.read()))?;
    let told_birth = person.date_of_birth.as_ref().map(|day| day.day());
    let told_expected = person.expected_date_of_birth.as_ref().map(|day| day.day());
    let (born, expected) = match (input.date_of_birth, input.expected_date_of_birth) {
        (None, None) => (told_birth, told_expected),
        said => said,
    };
    let today = crate::domain::calendar::london_day(announcer.at);
    let sex = input.sex.or(person.sex.map(|sex| sex.0));
    let sex = match (born, expected) {
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::bad_input(
                "dateOfBirth",
                "or expectedDateOfBirth is needed, one of them: estimate it if nobody knows, and say so",
            ));
        }
        (Some(born), None) if !is_a_child(born, today) => {
            return Err(Error::bad_input(
                "dateOfBirth",
                "must be that of somebody under 18; of an unborn child use expectedDateOfBirth",
            ));
        }
        (None, Some(expected)) if !may_be_expected(expected, today) => {
            return Err(Error::bad_input("expectedDateOfBirth", "must be the day on which somebody may still be born"));
        }
        (Some(_), None) => match sex {
            Some(sex @ (Sex::F | Sex::M)) => sex,
            _ => return Err(Error::bad_input("sex", "must be F or M of a child who is born")),
        },
        (None, Some(_)) => sex.unwrap_or(Sex::U),
    };
    let first = text("firstName", &first, 100)?;
    let last = text("lastName", &last, 100)?;
    let alike = contacts::alike(tx, person.id, format!("{first} {last}"), born, expected).await?;
    let unnamed = alike.iter().filter(|child| !input.is_none_of.contains(child)).count();
    if unnamed > 0 {
        return Err(Error::guard(
            "NOT_KNOWN_YET",
            format!(
                "{unnamed} known with these names and this birth: match the child with one of them, or name each in \
                 `isNoneOf` and register another."
            ),
        ));
    }
    let child = ChildId::new().0;
    tx.authorise(&[contact.id, child]).await?;
    let new = NewPerson {
        id: child,
        first_name: first,
        last_name: last,
        date_of_birth: born,
        expected_date_of_birth: expected,
        date_of_birth_estimated: input.date_of_birth_estimated,
        sex: Coded(sex),
        created_at: announcer.at,
    };
    contacts::register(tx, new).await?;
    contacts::match_child(tx, person.id, Some(child), announcer.at).await?;
    let version = contacts::touch(tx, &contact).await?;
    let said = detail(&contact, None, None);
    tell(tx, &announcer, EventType::ContactChanged, Severity::Info, (&contact, version), said).await?;
    Ok(Outcome { contact_id: Some(contact.id), contact_person_id: Some(person.id), ..Outcome::default() })
}

//! Answers to the question about particular needs, of a contact or of an assessment.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::optional_text;
use crate::{
    db::{Coded, needs::NewNeed},
    domain::codes::{NeedAnswer, NeedKind},
    error::{Error, Result},
};

/// What was answered to the question about a need.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct NeedInput {
    pub kind: NeedKind,
    pub answer: NeedAnswer,
    pub description: Option<String>,
    pub what_we_will_do: Option<String>,
}

/// What an answer stands with.
#[derive(Clone, Copy)]
pub(super) enum NeedsOf {
    ContactPerson { contact_id: Uuid, id: Uuid },
    Assessment { id: Uuid, child_id: Uuid },
}

/// The kinds that are answered for, each once.
pub(super) fn kinds(needs: &[NeedInput]) -> Result<Vec<NeedKind>> {
    let kinds: Vec<NeedKind> = needs.iter().map(|need| need.kind).collect();
    let mut once = kinds.clone();
    once.sort_unstable();
    once.dedup();
    if once.len() < kinds.len() {
        return Err(Error::bad_input("needs", "must not answer for one kind twice"));
    }
    Ok(kinds)
}

impl NeedInput {
    /// The answer as it is written down.
    pub(super) fn checked(&self, of: NeedsOf, me: Uuid, now: DateTime<Utc>) -> Result<NewNeed> {
        let description = optional_text("description", self.description.as_deref(), 2_000)?;
        let what_we_will_do = optional_text("whatWeWillDo", self.what_we_will_do.as_deref(), 2_000)?;
        let is_need = self.answer == NeedAnswer::Need;
        if is_need != description.is_some() {
            return Err(Error::bad_input(
                "description",
                if is_need { "is needed of a need" } else { "must be left out where there is no need" },
            ));
        }
        if !is_need && what_we_will_do.is_some() {
            return Err(Error::bad_input("whatWeWillDo", "must be left out where there is no need"));
        }
        let (contact, assessment) = match of {
            NeedsOf::ContactPerson { contact_id, id } => (Some((contact_id, id)), None),
            NeedsOf::Assessment { id, child_id } => (None, Some((id, child_id))),
        };
        Ok(NewNeed {
            id: Uuid::now_v7(),
            contact_id: contact.map(|(id, _)| id),
            contact_person_id: contact.map(|(_, person)| person),
            assessment_id: assessment.map(|(id, _)| id),
            child_id: assessment.map(|(_, child)| child),
            kind: Coded(self.kind),
            answer: Coded(self.answer),
            description,
            what_we_will_do,
            recorded_by: me,
            recorded_at: now,
        })
    }
}

use async_graphql::{Context, Object};

use super::{
    Case, Child, Node, allocation, assessment, case, child, conference, enquiry, family, involvement, plan, support,
    transfer, unit,
};
use crate::{
    db::{
        Columns, chronology,
        chronology::{EntryRow, Of, Wanted},
    },
    domain::{
        calendar::london_day,
        chronology::{Parts, title},
        codes::ChronologyKind,
        ids::*,
        text::initials,
    },
    error::Result,
    graphql::{
        connection::{Connection, Listing},
        error::{Answer, Nullable, nullable},
        scalars::{Date, DateTime},
        selection,
    },
};

record! {
    /// Something that happened.
    ChronologyEntry(EntryRow)
}

/// Something that happened to a child or a family, made from the record that says so.
#[Object]
impl ChronologyEntry {
    /// When it happened. Where only the day is recorded, the first moment of that day in London.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// The day on which it happened.
    async fn on(&self) -> Date {
        Date(london_day(self.0.at))
    }

    /// What it is about.
    async fn kind(&self) -> ChronologyKind {
        self.0.kind.0
    }

    /// One sentence from a template: initials, units and codes, never free text.
    async fn title(&self) -> Answer<String> {
        let person = child::one_person(&self.0, "title.person", |entry| Some(entry.person_id), Columns::CORE).await?;
        let unit = unit::one(&self.0, "title.unit", |entry| entry.unit_id).await?;
        let other = unit::one(&self.0, "title.otherUnit", |entry| entry.other_unit_id).await?;
        let initials = person.map(|person| initials(person.0.core.first_name.read(), person.0.core.last_name.read()));
        let parts = Parts {
            initials: initials.as_deref().unwrap_or_default(),
            detail: self.0.detail.as_deref(),
            decision: self.0.decision.as_deref(),
            unit: unit.as_ref().map(|unit| unit.0.name.as_str()),
            other_unit: other.as_ref().map(|unit| unit.0.name.as_str()),
        };
        Ok(title(self.0.kind.0, parts))
    }

    /// The child it is about; none for a grown-up who came to the family or left it.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |entry| entry.child_id, read).await)
    }

    /// The case that it belongs to.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |entry| entry.case_id, read).await)
    }

    /// The record that says so: a case, an allocation, an involvement, a transfer, an assessment, a
    /// strategy discussion, an enquiry, a conference, a plan; for a family's
    /// members the person, and in a child's own chronology the family.
    async fn node(&self, ctx: &Context<'_>) -> Nullable<Node> {
        nullable(self.record(ctx).await)
    }
}

/// The id of the entry's record, if it is of this kind.
fn of_kind(entry: &EntryRow, kind: &str) -> Option<uuid::Uuid> {
    (entry.node_kind == kind).then_some(entry.node_id)
}

impl ChronologyEntry {
    /// One statement for each kind of record on the page.
    async fn record(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        let of = |groups| selection::of(ctx, groups);
        macro_rules! found {
            ($node:ident, $id:ident, $load:path, $relation:literal $(, $read:expr)?) => {
                $load(&self.0, $relation, |entry| of_kind(entry, $id::KIND) $(, $read)?).await?.map(Node::$node)
            };
        }
        Ok(match self.0.node_kind.as_str() {
            CaseId::KIND => found!(Case, CaseId, case::one, "node.case", of(selection::CASE)),
            AllocationId::KIND => {
                found!(Allocation, AllocationId, allocation::one, "node.allocation", of(selection::ALLOCATION))
            }
            TransferId::KIND => found!(Transfer, TransferId, transfer::one, "node.transfer", of(selection::TRANSFER)),
            InvolvementId::KIND => found!(Involvement, InvolvementId, involvement::one, "node.involvement"),
            ConferenceId::KIND => found!(Conference, ConferenceId, conference::one, "node.conference"),
            AssessmentId::KIND => {
                found!(Assessment, AssessmentId, assessment::one, "node.assessment", of(selection::ASSESSMENT))
            }
            StrategyDiscussionId::KIND => found!(
                StrategyDiscussion,
                StrategyDiscussionId,
                enquiry::discussion,
                "node.discussion",
                of(selection::DISCUSSION)
            ),
            Section47EnquiryId::KIND => {
                found!(Section47Enquiry, Section47EnquiryId, enquiry::one, "node.enquiry", of(selection::ENQUIRY))
            }
            PlanId::KIND => found!(Plan, PlanId, plan::one, "node.plan", of(selection::PLAN)),
            SupportRequestId::KIND => found!(SupportRequest, SupportRequestId, support::one, "node.support"),
            PersonId::KIND => found!(Person, PersonId, child::one_person, "node.person", of(selection::PERSON)),
            FamilyGroupId::KIND => found!(FamilyGroup, FamilyGroupId, family::one, "node.family"),
            _ => None,
        })
    }
}

/// A page of a chronology.
pub(in crate::graphql) async fn page<P: Send + Sync + 'static>(
    list: Listing<'_, P>,
    of: Of,
    wanted: Wanted,
) -> Nullable<Connection<ChronologyEntry>> {
    let wanted = Wanted {
        kinds: wanted.kinds.filter(|kinds| !kinds.is_empty()),
        children: wanted.children.filter(|children| !children.is_empty()),
    };
    let list = list.narrowed(&wanted);
    let counting = wanted.clone();
    list.page(
        |entry: &EntryRow| (entry.at, entry.id, entry.kind.0),
        move |snapshot, ids, page| async move { chronology::page(&snapshot, of, &ids, &wanted, &page).await },
        move |snapshot, ids| {
            let wanted = counting.clone();
            async move { chronology::count(&snapshot, of, &ids, &wanted).await }
        },
    )
    .await
}

use async_graphql::{Context, ID, Object};

use super::{Case, Child, FamilyGroup, Person, Plan, Worker, case, child, plan, worker};
use crate::{
    db::{
        conferences,
        conferences::{ConferenceChildRow, ConferenceRow, InvitationRow, MoveRow},
        families,
        families::FamilyGroupRow,
    },
    domain::{
        codes::{
            AbuseCategory, ConferenceDecision, ConferenceState, ConferenceType, InvitationCapacity, InvitationResponse,
        },
        ids::ConferenceId,
    },
    graphql::{
        batch::{Instant, Item},
        error::{Answer, Nullable, nullable},
        scalars::{Date, DateTime, global},
        selection,
    },
};

record! {
    /// A child protection conference.
    Conference(ConferenceRow)
}

/// A child protection conference: one meeting about one or more children of a family, with a decision for each.
#[Object]
impl Conference {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(ConferenceId::KIND, self.0.id)
    }

    /// What kind of conference.
    async fn r#type(&self) -> ConferenceType {
        self.0.type_.0
    }

    /// Where it stands.
    async fn state(&self) -> ConferenceState {
        self.0.state.0
    }

    /// When it was asked for.
    async fn requested_at(&self) -> DateTime {
        DateTime(self.0.requested_at)
    }

    /// When it is to be held.
    async fn scheduled_for(&self) -> Option<DateTime> {
        self.0.scheduled_for.map(DateTime)
    }

    /// Where it is to be held.
    async fn venue(&self) -> Option<&str> {
        self.0.venue.as_deref()
    }

    /// Whether it is held online.
    async fn online(&self) -> bool {
        self.0.online
    }

    /// When it was held.
    async fn held_at(&self) -> Option<DateTime> {
        self.0.held_at.map(DateTime)
    }

    /// Steps with every change: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Who chairs it.
    async fn chair(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "chair", |one| one.chair_id).await)
    }

    /// Who asked for it.
    async fn requested_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "requestedBy", |one| Some(one.requested_by)).await)
    }

    /// The family.
    async fn family(&self) -> Nullable<FamilyGroup> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { families::by_ids(&snapshot, &ids).await };
        let family =
            self.0.one("family", String::new(), |one| one.family_id, |family: &FamilyGroupRow| family.id, load);
        nullable(family.await.map(|family| family.map(FamilyGroup)))
    }

    /// The children it is about whom you may see, each with the decision.
    async fn children(&self, ctx: &Context<'_>) -> Answer<Vec<ConferenceChild>> {
        let read = selection::of(ctx, selection::CONFERENCE_CHILD);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { conferences::children_of(&snapshot, &ids, read).await };
        let found = self.0.many("children", format!("{read:?}"), |one| one.id, load).await?;
        Ok(found.into_iter().map(ConferenceChild).collect())
    }

    /// Who is invited. A move keeps the invitations and asks for new answers.
    async fn invitations(&self) -> Answer<Vec<Invitation>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { conferences::invitations_of(&snapshot, &ids).await };
        let found = self.0.many("invitations", String::new(), |one| one.id, load).await?;
        Ok(found.into_iter().map(Invitation).collect())
    }

    /// The dates that it was moved from, oldest first. No clock restarts with a move.
    async fn moves(&self) -> Answer<Vec<ConferenceMove>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { conferences::moves_of(&snapshot, &ids).await };
        let found = self.0.many("moves", String::new(), |one| one.id, load).await?;
        Ok(found.into_iter().map(ConferenceMove).collect())
    }
}

/// The conference with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
) -> crate::error::Result<Option<Conference>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { conferences::by_ids(&snapshot, &ids).await };
    Ok(from.one(relation, String::new(), foreign, |one: &ConferenceRow| one.id, load).await?.map(Conference))
}

record! {
    /// One child's part in a conference.
    ConferenceChild(ConferenceChildRow)
}

/// One child's part in a conference. Decisions are made for each child.
#[Object]
impl ConferenceChild {
    /// What was decided; missing until then.
    async fn decision(&self) -> Option<ConferenceDecision> {
        self.0.core.decision.map(|decision| decision.0)
    }

    /// Category of abuse, with a PLAN decision.
    async fn category(&self) -> Option<AbuseCategory> {
        self.0.core.category.map(|category| category.0)
    }

    /// When the next review is due.
    async fn next_review_on(&self) -> Option<Date> {
        self.0.core.next_review_on.map(Date)
    }

    /// The outline plan. Narrative: read only when selected.
    async fn outline_plan(&self) -> Nullable<String> {
        nullable(self.0.outline_plan().map(|text| text.map(str::to_owned)))
    }

    /// The child.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |one| Some(one.core.child_id), read).await)
    }

    /// The child's case.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |one| Some(one.core.case_id), read).await)
    }

    /// The plan that the decision led to.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        nullable(plan::one(&self.0, "plan", |one| one.core.plan_id, read).await)
    }

    /// The conference.
    async fn conference(&self) -> Nullable<Conference> {
        nullable(one(&self.0, "conference", |part| Some(part.core.conference_id)).await)
    }
}

record! {
    /// An invitation to a conference.
    Invitation(InvitationRow)
}

/// An invitation to a conference: of a person, a worker or an agency.
#[Object]
impl Invitation {
    /// As what.
    async fn capacity(&self) -> InvitationCapacity {
        self.0.capacity.0
    }

    /// The agency, when nobody is named.
    async fn agency_name(&self) -> Option<&str> {
        self.0.agency_name.as_deref()
    }

    /// When it was sent.
    async fn sent_at(&self) -> Option<DateTime> {
        self.0.sent_at.map(DateTime)
    }

    /// The answer for the present date.
    async fn response(&self) -> InvitationResponse {
        self.0.response.0
    }

    /// When the answer came.
    async fn responded_at(&self) -> Option<DateTime> {
        self.0.responded_at.map(DateTime)
    }

    /// When the answer was last asked for: with the invitation, and again with every move.
    async fn answer_asked_at(&self) -> DateTime {
        DateTime(self.0.answer_asked_at)
    }

    /// The person.
    async fn person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "person", |one| one.person_id, read).await)
    }

    /// The worker.
    async fn worker(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "worker", |one| one.worker_id).await)
    }
}

record! {
    /// A date that a conference was moved from.
    ConferenceMove(MoveRow)
}

/// A date that a conference was moved from.
#[Object]
impl ConferenceMove {
    /// The date before.
    async fn moved_from(&self) -> DateTime {
        DateTime(self.0.moved_from)
    }

    /// The date after.
    async fn moved_to(&self) -> DateTime {
        DateTime(self.0.moved_to)
    }

    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// When it was moved.
    async fn moved_at(&self) -> DateTime {
        DateTime(self.0.moved_at)
    }

    /// Who moved it.
    async fn moved_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "movedBy", |one| Some(one.moved_by)).await)
    }
}

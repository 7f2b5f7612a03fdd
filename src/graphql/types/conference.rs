use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    Case, Child, FamilyGroup, Person, Plan, Section47Enquiry, Worker, case, child, enquiry, plan, plan::PlanReview,
    worker,
};
use crate::{
    db::{
        Columns, Personal, access, conferences,
        conferences::{ConferenceChildRow, ConferenceRow, MoveRow},
        families,
        families::FamilyGroupRow,
        invitations,
        invitations::{InvitationRow, MeetingRow},
        plans, progress, sittings,
        sittings::{AttendanceRow, SittingRow, StepRow, ViewRow},
    },
    domain::{
        codes::{
            AbuseCategory, Attendance, ConferenceDecision, ConferenceState, ConferenceType, Exclusion, FieldClass,
            InvitationCapacity, InvitationMethod, InvitationResponse, Participation, QuorumException, SittingOutcome,
        },
        ids::{ConferenceId, InvitationId},
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
        self.0.venue.as_ref().map(Personal::read)
    }

    /// Whether it is held online.
    async fn online(&self) -> bool {
        self.0.online
    }

    /// When it was held.
    async fn held_at(&self) -> Option<DateTime> {
        self.0.held_at.map(DateTime)
    }

    /// Whether it was quorate: social care and at least two other agencies came. Missing until it is decided.
    async fn quorate(&self) -> Option<bool> {
        self.0.quorate
    }

    /// When the outline plans went out.
    async fn outline_plan_sent_at(&self) -> Option<DateTime> {
        self.0.outline_plan_sent_at.map(DateTime)
    }

    /// When the minutes went out.
    async fn minutes_sent_at(&self) -> Option<DateTime> {
        self.0.minutes_sent_at.map(DateTime)
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
    async fn invitations(&self, ctx: &Context<'_>) -> Answer<Vec<Invitation>> {
        let read = selection::of(ctx, selection::INVITATION);
        let load = move |snapshot: Instant, ids: Vec<_>| async move {
            invitations::of_conferences(&snapshot, &ids, read).await
        };
        let found = self.0.many("invitations", format!("{read:?}"), |one| one.id, load).await?;
        Ok(found.into_iter().map(Invitation).collect())
    }

    /// People with parental responsibility for one of the children today who have neither an invitation nor a
    /// recorded reason. An initial conference is not opened while there is anybody.
    async fn uninvited_parents(&self, ctx: &Context<'_>) -> Answer<Vec<Person>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { families::uninvited_parents(&snapshot, &ids).await };
        let ids: Vec<Item<uuid::Uuid>> = self.0.many("uninvitedParents", String::new(), |one| one.id, load).await?;
        let read = selection::of(ctx, selection::PERSON);
        let mut found = Vec::with_capacity(ids.len());
        for id in &ids {
            found.extend(child::one_person(id, "person", |id| Some(*id), read).await?);
        }
        Ok(found)
    }

    /// Its sittings, latest first: one, or more when a sitting was not quorate.
    async fn sittings(&self, ctx: &Context<'_>) -> Answer<Vec<ConferenceSitting>> {
        let read = selection::of(ctx, selection::SITTING);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { sittings::of_conferences(&snapshot, &ids, read).await };
        let found = self.0.many("sittings", format!("{read:?}"), |one| one.id, load).await?;
        Ok(found.into_iter().map(ConferenceSitting).collect())
    }

    /// Every step that it took here, first one first, with the reason where one was needed.
    async fn steps(&self) -> Answer<Vec<ConferenceStep>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { sittings::steps_of(&snapshot, &ids).await };
        let found = self.0.many("steps", String::new(), |one| one.id, load).await?;
        Ok(found.into_iter().map(ConferenceStep).collect())
    }

    /// The reviews of child protection plans that it was.
    async fn plan_reviews(&self) -> Answer<Vec<PlanReview>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { progress::reviews_by(&snapshot, &ids).await };
        let found = self.0.many("planReviews", String::new(), |one| one.id, load).await?;
        Ok(found.into_iter().map(PlanReview).collect())
    }

    /// Who proposed to withdraw the request; the service manager decides.
    async fn withdrawal_proposed_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "withdrawalProposedBy", |one| one.withdrawal_proposed_by).await)
    }

    /// The dates that it was moved from, oldest first. No clock restarts with a move.
    async fn moves(&self) -> Answer<Vec<ConferenceMove>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { conferences::moves_of(&snapshot, &ids).await };
        let found = self.0.many("moves", String::new(), |one| one.id, load).await?;
        Ok(found.into_iter().map(ConferenceMove).collect())
    }

    /// The plans that the conference made.
    async fn plans(&self, ctx: &Context<'_>) -> Answer<Vec<Plan>> {
        let read = selection::of(ctx, selection::PLAN);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { plans::of_conferences(&snapshot, &ids, read).await };
        let found = self.0.many("plans", format!("{read:?}"), |one| one.id, load).await?;
        Ok(found.into_iter().map(Plan).collect())
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

    /// How the child took part.
    async fn participation(&self) -> Option<Participation> {
        self.0.core.participation.map(|how| how.0)
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

    /// The section 47 enquiry that the initial conference follows.
    async fn enquiry(&self, ctx: &Context<'_>) -> Nullable<Section47Enquiry> {
        let read = selection::of(ctx, selection::ENQUIRY);
        nullable(enquiry::one(&self.0, "enquiry", |part| part.core.enquiry_id, read).await)
    }

    /// The conference.
    async fn conference(&self) -> Nullable<Conference> {
        nullable(one(&self.0, "conference", |part| Some(part.core.conference_id)).await)
    }
}

/// What an invitation says of the conference.
#[derive(SimpleObject)]
pub struct InvitedTo {
    /// What kind of conference.
    conference_type: ConferenceType,
    /// Where it stands.
    conference_state: ConferenceState,
    /// When it is to be held.
    scheduled_for: Option<DateTime>,
    /// Whether it is held online.
    online: bool,
    /// Where it is held.
    venue: Option<String>,
}

impl InvitedTo {
    fn of(row: &MeetingRow) -> Self {
        Self {
            conference_type: row.kind.0,
            conference_state: row.state.0,
            scheduled_for: row.scheduled_for.map(DateTime),
            online: row.online,
            venue: row.venue.as_ref().map(|venue| venue.read().to_owned()),
        }
    }
}

record! {
    /// An invitation to a conference.
    Invitation(InvitationRow)
}

/// An invitation to a conference: of a person, a worker or an agency.
#[Object]
impl Invitation {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(InvitationId::KIND, self.0.core.id)
    }

    /// Steps with every change: send it as `expectedVersion` where an invitation is asked for.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// How it was sent.
    async fn method(&self) -> Option<InvitationMethod> {
        self.0.core.method.map(|method| method.0)
    }

    /// What it says of the conference: also to who is invited from another agency and sees no more of it.
    async fn meeting(&self) -> Nullable<InvitedTo> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { invitations::meetings_of(&snapshot, &ids).await };
        let found = self.0.first("meeting", String::new(), |one| one.core.id, load).await;
        nullable(found.map(|one| one.map(|one| InvitedTo::of(&one))))
    }

    /// When a report was asked for.
    async fn report_requested_at(&self) -> Option<DateTime> {
        self.0.core.report_requested_at.map(DateTime)
    }

    /// When the report came.
    async fn report_received_at(&self) -> Option<DateTime> {
        self.0.core.report_received_at.map(DateTime)
    }

    /// When the report was shared with the parents.
    async fn report_shared_with_parents_at(&self) -> Option<DateTime> {
        self.0.core.report_shared_at.map(DateTime)
    }

    /// Why they are not to come, if they are not.
    async fn exclusion(&self) -> Option<Exclusion> {
        self.0.core.exclusion.map(|exclusion| exclusion.0)
    }

    /// Why they are not to come, in words. Third party: read only when selected; of an exclusion null when `withheld`.
    async fn exclusion_reason(&self) -> Nullable<String> {
        nullable(self.0.exclusion_reason().map(|text| text.map(str::to_owned)))
    }

    /// Which classes of fields are null because they are not for your role here, whatever they hold.
    async fn withheld(&self) -> Answer<Vec<FieldClass>> {
        let of = &[FieldClass::ThirdParty];
        let load = move |snapshot: Instant, ids: Vec<_>| async move { access::withheld(&snapshot, &ids, of).await };
        let found = self.0.many("withheld", String::new(), |one| one.core.conference_id, load).await?;
        Ok(found.iter().map(|class| class.0).collect())
    }

    /// When that was decided.
    async fn excluded_at(&self) -> Option<DateTime> {
        self.0.core.excluded_at.map(DateTime)
    }

    /// Who decided it.
    async fn excluded_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "excludedBy", |one| one.core.excluded_by).await)
    }

    /// Whether they came, sitting by sitting, latest record first.
    async fn attendances(&self) -> Answer<Vec<ConferenceAttendance>> {
        let load =
            |snapshot: Instant, ids: Vec<_>| async move { sittings::attendances_of_invitations(&snapshot, &ids).await };
        let found = self.0.many("attendances", String::new(), |one| one.core.id, load).await?;
        Ok(found.into_iter().map(ConferenceAttendance).collect())
    }

    /// What they said to the decision, as minuted.
    async fn views(&self, ctx: &Context<'_>) -> Answer<Vec<ConferenceView>> {
        let read = selection::of(ctx, selection::VIEW);
        let load = move |snapshot: Instant, ids: Vec<_>| async move {
            sittings::views_of_invitations(&snapshot, &ids, read).await
        };
        let found = self.0.many("views", format!("{read:?}"), |one| one.core.id, load).await?;
        Ok(found.into_iter().map(ConferenceView).collect())
    }

    /// The conference.
    async fn conference(&self) -> Nullable<Conference> {
        nullable(one(&self.0, "conference", |one| Some(one.core.conference_id)).await)
    }

    /// As what.
    async fn capacity(&self) -> InvitationCapacity {
        self.0.core.capacity.0
    }

    /// The agency, when nobody is named.
    async fn agency_name(&self) -> Option<&str> {
        self.0.core.agency_name.as_ref().map(Personal::read)
    }

    /// When it was sent.
    async fn sent_at(&self) -> Option<DateTime> {
        self.0.core.sent_at.map(DateTime)
    }

    /// The answer for the present date.
    async fn response(&self) -> InvitationResponse {
        self.0.core.response.0
    }

    /// When the answer came.
    async fn responded_at(&self) -> Option<DateTime> {
        self.0.core.responded_at.map(DateTime)
    }

    /// When the answer was last asked for: with the invitation, and again with every move.
    async fn answer_asked_at(&self) -> DateTime {
        DateTime(self.0.core.answer_asked_at)
    }

    /// The person.
    async fn person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "person", |one| one.core.person_id, read).await)
    }

    /// The worker.
    async fn worker(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "worker", |one| one.core.worker_id).await)
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
        self.0.reason.read()
    }

    /// When it was moved.
    async fn moved_at(&self) -> DateTime {
        DateTime(self.0.moved_at)
    }

    /// Who moved it.
    async fn moved_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "movedBy", |one| Some(one.moved_by)).await)
    }

    /// The conference.
    async fn conference(&self) -> Nullable<Conference> {
        nullable(one(&self.0, "conference", |moved| Some(moved.conference_id)).await)
    }
}

record! {
    /// One coming together of a conference.
    ConferenceSitting(SittingRow)
}

/// One coming together of a conference. A conference that was not quorate sits again.
#[Object]
impl ConferenceSitting {
    /// When it began.
    async fn opened_at(&self) -> DateTime {
        DateTime(self.0.core.opened_at)
    }

    /// When it ended.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.core.ended_at.map(DateTime)
    }

    /// How it ended.
    async fn outcome(&self) -> Option<SittingOutcome> {
        self.0.core.outcome.map(|outcome| outcome.0)
    }

    /// Whether it was quorate; missing until it has ended.
    async fn quorate(&self) -> Option<bool> {
        self.0.core.quorate
    }

    /// Why the chair went on without a quorum.
    async fn quorum_exception(&self) -> Option<QuorumException> {
        self.0.core.quorum_exception.map(|reason| reason.0)
    }

    /// What keeps the child safe until the conference sits again. Narrative: read only when selected.
    async fn interim_plan(&self) -> Nullable<String> {
        nullable(self.0.interim_plan().map(|text| text.map(str::to_owned)))
    }

    /// Who opened it.
    async fn opened_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "openedBy", |one| Some(one.core.opened_by)).await)
    }

    /// Who came, as far as you may see who was invited.
    async fn attendances(&self) -> Answer<Vec<ConferenceAttendance>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { sittings::attendances_of(&snapshot, &ids).await };
        let found = self.0.many("attendances", String::new(), |one| one.core.id, load).await?;
        Ok(found.into_iter().map(ConferenceAttendance).collect())
    }

    /// What was said to the decision, as minuted. Dissent blocks nothing.
    async fn views(&self, ctx: &Context<'_>) -> Answer<Vec<ConferenceView>> {
        let read = selection::of(ctx, selection::VIEW);
        let load = move |snapshot: Instant, ids: Vec<_>| async move {
            sittings::views_of_sittings(&snapshot, &ids, read).await
        };
        let found = self.0.many("views", format!("{read:?}"), |one| one.core.id, load).await?;
        Ok(found.into_iter().map(ConferenceView).collect())
    }

    /// The conference.
    async fn conference(&self) -> Nullable<Conference> {
        nullable(one(&self.0, "conference", |one| Some(one.core.conference_id)).await)
    }
}

/// The sitting with this id, from any row.
async fn one_sitting<R: Send + Sync + 'static>(
    from: &Item<R>,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<ConferenceSitting>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { sittings::by_ids(&snapshot, &ids, read).await };
    let found = from.one("sitting", format!("{read:?}"), foreign, |one: &SittingRow| one.core.id, load).await?;
    Ok(found.map(ConferenceSitting))
}

/// The invitation with this id, from any row.
pub(in crate::graphql) async fn one_invitation<R: Send + Sync + 'static>(
    from: &Item<R>,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Invitation>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { invitations::by_ids(&snapshot, &ids, read).await };
    let found = from.one("invitation", format!("{read:?}"), foreign, |one: &InvitationRow| one.core.id, load).await?;
    Ok(found.map(Invitation))
}

record! {
    /// Whether somebody who was invited came to a sitting.
    ConferenceAttendance(AttendanceRow)
}

/// Whether somebody who was invited came to a sitting.
#[Object]
impl ConferenceAttendance {
    /// Whether they came.
    async fn attended(&self) -> Attendance {
        self.0.attended.0
    }

    /// When that was recorded.
    async fn recorded_at(&self) -> DateTime {
        DateTime(self.0.recorded_at)
    }

    /// Who was invited.
    async fn invitation(&self, ctx: &Context<'_>) -> Nullable<Invitation> {
        let read = selection::of(ctx, selection::INVITATION);
        nullable(one_invitation(&self.0, |one| Some(one.invitation_id), read).await)
    }

    /// The sitting.
    async fn sitting(&self, ctx: &Context<'_>) -> Nullable<ConferenceSitting> {
        let read = selection::of(ctx, selection::SITTING);
        nullable(one_sitting(&self.0, |one| Some(one.sitting_id), read).await)
    }
}

record! {
    /// What somebody said to a conference's decision.
    ConferenceView(ViewRow)
}

/// What somebody said to a conference's decision, as minuted. A dissent blocks nothing; it begins the way of
/// professional disagreement.
#[Object]
impl ConferenceView {
    /// Whether they agree.
    async fn agrees(&self) -> bool {
        self.0.core.agrees
    }

    /// The category of abuse that they see.
    async fn category(&self) -> Option<AbuseCategory> {
        self.0.core.category.map(|category| category.0)
    }

    /// In their words. Narrative: read only when selected.
    async fn text(&self) -> Nullable<String> {
        nullable(self.0.text().map(|text| Some(text.to_owned())))
    }

    /// When it was minuted.
    async fn recorded_at(&self) -> DateTime {
        DateTime(self.0.core.recorded_at)
    }

    /// The child whom it is about; all of them when missing.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |one| one.core.child_id, read).await)
    }

    /// Who said it.
    async fn invitation(&self, ctx: &Context<'_>) -> Nullable<Invitation> {
        let read = selection::of(ctx, selection::INVITATION);
        nullable(one_invitation(&self.0, |one| Some(one.core.invitation_id), read).await)
    }

    /// The sitting.
    async fn sitting(&self, ctx: &Context<'_>) -> Nullable<ConferenceSitting> {
        let read = selection::of(ctx, selection::SITTING);
        nullable(one_sitting(&self.0, |one| Some(one.core.sitting_id), read).await)
    }
}

record! {
    /// A step that a conference took.
    ConferenceStep(StepRow)
}

/// A step that a conference took.
#[Object]
impl ConferenceStep {
    /// Which step: SCHEDULE, INVITE, POSTPONE, ...
    async fn step(&self) -> &str {
        &self.0.step
    }

    /// The state before.
    async fn state_before(&self) -> ConferenceState {
        self.0.state_before.0
    }

    /// The state after.
    async fn state_after(&self) -> ConferenceState {
        self.0.state_after.0
    }

    /// Why, where the step needs a reason.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_ref().map(Personal::read)
    }

    /// When.
    async fn taken_at(&self) -> DateTime {
        DateTime(self.0.taken_at)
    }

    /// Who took it.
    async fn taken_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "takenBy", |one| Some(one.taken_by)).await)
    }

    /// The conference.
    async fn conference(&self) -> Nullable<Conference> {
        nullable(one(&self.0, "conference", |one| Some(one.conference_id)).await)
    }
}

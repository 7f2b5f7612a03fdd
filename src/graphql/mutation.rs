//! The mutation root.
//!
//! Every mutation takes one `input` with an idempotency key. What a user can meet in everyday work is answered in
//! `errors`, as data; what the client did wrong, or may not do, is a GraphQL error with a code. The payload is read
//! from a new instant after the commit: a record that is now out of sight is null.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Interface, Object, SimpleObject};
use uuid::Uuid;

use super::{
    batch::{Item, generation},
    context::HearthContext,
    error::{Fault, Nullable, nullable},
    scalars::{Date, DateTime, local},
    selection,
    types::{Allocation, Case, Conference, Involvement, Plan, Transfer},
};
use crate::{
    db::{Snapshot, allocations, cases, conferences, involvements, plans, transfers},
    domain::{
        codes::{
            AbuseCategory, AllocationKind, ChangeReason, ConferenceDecision, ConferenceType, Priority, TransferKind,
        },
        ids::{AllocationId, CaseId, ChildId, ConferenceId, TransferId, UnitId, WorkerId},
    },
    error::{Error, Refusal, Result},
    services::{
        Outcome,
        allocations::{AllocateCase, EndAllocation, StartHelping},
        conferences::{ChildDecision, DecideConference, MoveConference, RequestConference, ScheduleConference},
        involvements::ChangeLead,
        transfers::{AcceptTransfer, RequestTransfer},
    },
};

/// Why nothing was changed, as data: show the message, and offer what the type offers.
#[derive(Clone, Interface)]
#[graphql(field(name = "message", ty = "String", desc = "In words for the user."))]
pub enum UserError {
    /// The record's state does not allow the step.
    IllegalTransition(IllegalTransition),
    /// Somebody else was faster.
    VersionConflict(VersionConflict),
    /// A rule is not met.
    GuardFailed(GuardFailed),
    /// Another record stands in the way.
    Conflict(Conflict),
}

/// The record's state does not allow the step.
#[derive(Clone, SimpleObject)]
pub struct IllegalTransition {
    /// In words for the user.
    message: String,
    /// The state that it is in.
    from: String,
    /// The states that can come next.
    legal_next: Vec<String>,
}

/// Somebody changed the record since you read it: read it again, then decide again.
#[derive(Clone, SimpleObject)]
pub struct VersionConflict {
    /// In words for the user.
    message: String,
    /// The version that it has now.
    current_version: i32,
}

/// A rule of practice or law is not met.
#[derive(Clone, SimpleObject)]
pub struct GuardFailed {
    /// In words for the user.
    message: String,
    /// The rule's name.
    guard: String,
    /// What is missing, and what to do.
    explanation: String,
}

/// Another record stands in the way.
#[derive(Clone, SimpleObject)]
pub struct Conflict {
    /// In words for the user: what stands in the way, and what to do.
    message: String,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::IllegalTransition { from, legal_next } => {
                let next = if legal_next.is_empty() { "nothing".to_owned() } else { legal_next.join(", ") };
                Self::IllegalTransition(IllegalTransition {
                    message: format!("This is not possible while it is {from}; what can come next: {next}."),
                    from: from.to_owned(),
                    legal_next: legal_next.into_iter().map(str::to_owned).collect(),
                })
            }
            Refusal::VersionConflict { current_version } => Self::VersionConflict(VersionConflict {
                message: "Somebody changed this since you read it: read it again, then decide again.".to_owned(),
                current_version,
            }),
            Refusal::GuardFailed { guard, explanation } => {
                Self::GuardFailed(GuardFailed { message: explanation.clone(), guard: guard.to_owned(), explanation })
            }
            Refusal::Conflict { explanation } => Self::Conflict(Conflict { message: explanation.to_owned() }),
        }
    }
}

/// What every payload is made of.
struct Changed {
    outcome: Outcome,
    snapshot: Option<Arc<Snapshot>>,
    errors: Vec<UserError>,
}

impl Changed {
    /// A change that was made, or the refusal as data.
    fn new(ctx: &Context<'_>, result: Result<Outcome>) -> Result<Self> {
        match result {
            Ok(outcome) => Ok(Self { outcome, snapshot: Some(ctx.fresh()?), errors: Vec::new() }),
            Err(Error::Refused(refusal)) => {
                Ok(Self { outcome: Outcome::default(), snapshot: None, errors: vec![refusal.into()] })
            }
            Err(error) => Err(error),
        }
    }

    /// The record with this id in the new instant.
    async fn read<R, F, Fut>(&self, id: Option<Uuid>, load: F) -> Result<Option<Item<R>>>
    where
        F: FnOnce(Arc<Snapshot>, Vec<Uuid>) -> Fut,
        Fut: Future<Output = Result<Vec<R>>>,
    {
        let (Some(id), Some(snapshot)) = (id, &self.snapshot) else { return Ok(None) };
        let rows = load(Arc::clone(snapshot), vec![id]).await?;
        Ok(generation(Arc::clone(snapshot), rows).into_iter().next())
    }

    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        let load =
            move |snapshot: Arc<Snapshot>, ids: Vec<_>| async move { cases::by_ids(&snapshot, &ids, read).await };
        nullable(self.read(self.outcome.case_id, load).await.map(|one| one.map(Case)))
    }

    async fn allocation(&self, ctx: &Context<'_>) -> Nullable<Allocation> {
        let read = selection::of(ctx, selection::ALLOCATION);
        let load =
            move |snapshot: Arc<Snapshot>, ids: Vec<_>| async move { allocations::by_ids(&snapshot, &ids, read).await };
        nullable(self.read(self.outcome.allocation_id, load).await.map(|one| one.map(Allocation)))
    }

    async fn involvement(&self, _: &Context<'_>) -> Nullable<Involvement> {
        let load = |snapshot: Arc<Snapshot>, ids: Vec<_>| async move { involvements::by_ids(&snapshot, &ids).await };
        nullable(self.read(self.outcome.involvement_id, load).await.map(|one| one.map(Involvement)))
    }

    async fn transfer(&self, ctx: &Context<'_>) -> Nullable<Transfer> {
        let read = selection::of(ctx, selection::TRANSFER);
        let load =
            move |snapshot: Arc<Snapshot>, ids: Vec<_>| async move { transfers::by_ids(&snapshot, &ids, read).await };
        nullable(self.read(self.outcome.transfer_id, load).await.map(|one| one.map(Transfer)))
    }

    async fn conference(&self, _: &Context<'_>) -> Nullable<Conference> {
        let load = |snapshot: Arc<Snapshot>, ids: Vec<_>| async move { conferences::by_ids(&snapshot, &ids).await };
        nullable(self.read(self.outcome.conference_id, load).await.map(|one| one.map(Conference)))
    }

    async fn plans(&self, ctx: &Context<'_>) -> std::result::Result<Vec<Plan>, Fault> {
        let Some(snapshot) = &self.snapshot else { return Ok(Vec::new()) };
        let read = selection::of(ctx, selection::PLAN);
        let rows = plans::by_ids(snapshot, &self.outcome.plan_ids, read).await?;
        Ok(generation(Arc::clone(snapshot), rows).into_iter().map(Plan).collect())
    }
}

macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $of:ty,)* }) => {
        $(#[$doc])*
        pub struct $name(Changed);

        $(#[$doc])*
        #[Object]
        impl $name {
            /// Why nothing was changed; empty when it was.
            async fn errors(&self) -> Vec<UserError> {
                self.0.errors.clone()
            }

            $(
                $(#[$field_doc])*
                async fn $field(&self, ctx: &Context<'_>) -> $of {
                    self.0.$field(ctx).await
                }
            )*
        }
    };
}

payload! {
    /// Answer to allocateCase.
    AllocateCasePayload {
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
        /// The new allocation; null when you may not see it.
        allocation: Nullable<Allocation>,
    }
}
payload! {
    /// Answer to startJointAllocation.
    StartJointAllocationPayload {
        /// The case.
        case: Nullable<Case>,
        /// The new allocation.
        allocation: Nullable<Allocation>,
    }
}
payload! {
    /// Answer to startCoverAllocation.
    StartCoverAllocationPayload {
        /// The case.
        case: Nullable<Case>,
        /// The new allocation.
        allocation: Nullable<Allocation>,
    }
}
payload! {
    /// Answer to endAllocation.
    EndAllocationPayload {
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
        /// The allocation; null when you may not see it any more.
        allocation: Nullable<Allocation>,
    }
}
payload! {
    /// Answer to changeLeadPractitioner.
    ChangeLeadPractitionerPayload {
        /// The case.
        case: Nullable<Case>,
        /// The new lead practitioner's part.
        involvement: Nullable<Involvement>,
    }
}
payload! {
    /// Answer to requestTransfer.
    RequestTransferPayload {
        /// The case.
        case: Nullable<Case>,
        /// The transfer.
        transfer: Nullable<Transfer>,
    }
}
payload! {
    /// Answer to acceptTransfer.
    AcceptTransferPayload {
        /// The case.
        case: Nullable<Case>,
        /// The transfer.
        transfer: Nullable<Transfer>,
        /// The new allocation.
        allocation: Nullable<Allocation>,
    }
}
payload! {
    /// Answer to requestConference.
    RequestConferencePayload {
        /// The conference.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to scheduleConference.
    ScheduleConferencePayload {
        /// The conference.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to moveConference.
    MoveConferencePayload {
        /// The conference.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to decideConference.
    DecideConferencePayload {
        /// The conference.
        conference: Nullable<Conference>,
        /// The plans that began or went on.
        plans: std::result::Result<Vec<Plan>, Fault>,
    }
}

/// Gives a case from the queue to a unit.
#[derive(InputObject)]
pub struct AllocateCaseInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Global id of the unit.
    unit_id: ID,
    /// Why. At most 500 characters.
    reason: String,
    /// How urgent.
    #[graphql(default_with = "Priority::None")]
    priority: Priority,
    /// What the unit needs to know. At most 10,000 characters.
    summary: Option<String>,
    /// Global id of the lead practitioner: a qualified member of the unit. Its consultant social worker when left out.
    lead_practitioner_id: Option<ID>,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Brings another unit in.
#[derive(InputObject)]
pub struct StartHelpingInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Global id of the unit.
    unit_id: ID,
    /// Why. At most 500 characters.
    reason: String,
    /// What the unit needs to know. At most 10,000 characters.
    summary: Option<String>,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Ends an allocation of any kind.
#[derive(InputObject)]
pub struct EndAllocationInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the allocation.
    allocation_id: ID,
    /// Why. At most 500 characters.
    reason: String,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Names another lead practitioner.
#[derive(InputObject)]
pub struct ChangeLeadPractitionerInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Global id of the worker: a qualified member of the holding unit.
    worker_id: ID,
    /// Why, as the statutory return codes it.
    reason: ChangeReason,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Asks another unit to take a case over.
#[derive(InputObject)]
pub struct RequestTransferInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Global id of the unit that is asked.
    to_unit_id: ID,
    /// What kind of move.
    kind: TransferKind,
    /// What the receiving unit needs to know. At most 10,000 characters.
    handover_summary: String,
    /// The day of a meeting of both units with the family.
    joint_meeting_on: Option<Date>,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Takes a case over.
#[derive(InputObject)]
pub struct AcceptTransferInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the transfer.
    transfer_id: ID,
    /// Global id of the lead practitioner: a qualified member of the receiving unit. Its consultant social worker
    /// when left out.
    lead_practitioner_id: Option<ID>,
    /// The transfer's version as you read it.
    expected_version: i32,
}

/// Asks for a child protection conference.
#[derive(InputObject)]
pub struct RequestConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global ids of the cases of the children that it is about: one family, at most 20.
    case_ids: Vec<ID>,
    /// What kind of conference.
    r#type: ConferenceType,
}

/// Gives a conference its date and chair.
#[derive(InputObject)]
pub struct ScheduleConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// When: a weekday in the future.
    scheduled_for: DateTime,
    /// Global id of the chair: a conference chair who is independent of the units that hold the case.
    chair_id: ID,
    /// Where; needed unless it is online. At most 500 characters.
    venue: Option<String>,
    /// Whether it is held online.
    #[graphql(default)]
    online: bool,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Gives a conference another date.
#[derive(InputObject)]
pub struct MoveConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// When: a weekday in the future.
    scheduled_for: DateTime,
    /// Why. At most 1,000 characters.
    reason: String,
    /// Where, if that changes too. At most 500 characters.
    venue: Option<String>,
    /// Whether it is held online, if that changes too.
    online: Option<bool>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// What was decided for one child.
#[derive(InputObject)]
pub struct ChildDecisionInput {
    /// Global id of the child.
    child_id: ID,
    /// What was decided.
    decision: ConferenceDecision,
    /// Category of abuse: needed with PLAN, refused with anything else.
    category: Option<AbuseCategory>,
    /// The outline plan. At most 20,000 characters.
    outline_plan: Option<String>,
    /// When the next review is due.
    next_review_on: Option<Date>,
}

/// Records what a conference decided.
#[derive(InputObject)]
pub struct DecideConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// When it was held: a weekday, not in the future. A child protection plan starts on this day.
    held_at: DateTime,
    /// One decision for every child of the conference.
    decisions: Vec<ChildDecisionInput>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Everything that can be changed. Ask again with the same idempotency key when you did not hear the answer: the
/// change is made once.
pub struct Mutation;

fn helping(input: StartHelpingInput, kind: AllocationKind) -> Result<(String, StartHelping)> {
    let wanted = StartHelping {
        case_id: local("caseId", CaseId::KIND, &input.case_id)?,
        unit_id: local("unitId", UnitId::KIND, &input.unit_id)?,
        kind,
        reason: input.reason,
        summary: input.summary,
        expected_version: input.expected_version,
    };
    Ok((input.idempotency_key, wanted))
}

fn optional(field: &'static str, kind: &str, id: Option<&ID>) -> Result<Option<Uuid>> {
    id.map(|id| local(field, kind, id)).transpose()
}

/// Everything that can be changed. Ask again with the same idempotency key when you did not hear the answer: the
/// change is made once.
#[Object]
impl Mutation {
    /// Gives a case from the queue to a unit. Every member of the unit hears of it at once.
    async fn allocate_case(&self, ctx: &Context<'_>, input: AllocateCaseInput) -> Nullable<AllocateCasePayload> {
        nullable(
            async {
                let wanted = AllocateCase {
                    case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                    unit_id: local("unitId", UnitId::KIND, &input.unit_id)?,
                    reason: input.reason,
                    priority: input.priority,
                    summary: input.summary,
                    lead_practitioner_id: optional(
                        "leadPractitionerId",
                        WorkerId::KIND,
                        input.lead_practitioner_id.as_ref(),
                    )?,
                    expected_version: input.expected_version,
                };
                let services = ctx.services().await?;
                let result = services.allocate_case(ctx.viewer()?, &input.idempotency_key, wanted).await;
                Changed::new(ctx, result).map(AllocateCasePayload).map(Some)
            }
            .await,
        )
    }

    /// Brings another unit in to work the case jointly.
    async fn start_joint_allocation(
        &self,
        ctx: &Context<'_>,
        input: StartHelpingInput,
    ) -> Nullable<StartJointAllocationPayload> {
        nullable(
            async {
                let (key, wanted) = helping(input, AllocationKind::Joint)?;
                let result = ctx.services().await?.start_helping(ctx.viewer()?, &key, wanted).await;
                Changed::new(ctx, result).map(StartJointAllocationPayload).map(Some)
            }
            .await,
        )
    }

    /// Brings another unit in to stand in for the holding one.
    async fn start_cover_allocation(
        &self,
        ctx: &Context<'_>,
        input: StartHelpingInput,
    ) -> Nullable<StartCoverAllocationPayload> {
        nullable(
            async {
                let (key, wanted) = helping(input, AllocationKind::Cover)?;
                let result = ctx.services().await?.start_helping(ctx.viewer()?, &key, wanted).await;
                Changed::new(ctx, result).map(StartCoverAllocationPayload).map(Some)
            }
            .await,
        )
    }

    /// Ends an allocation: primary (the case goes to the queue), joint or cover.
    async fn end_allocation(&self, ctx: &Context<'_>, input: EndAllocationInput) -> Nullable<EndAllocationPayload> {
        nullable(
            async {
                let wanted = EndAllocation {
                    allocation_id: local("allocationId", AllocationId::KIND, &input.allocation_id)?,
                    reason: input.reason,
                    expected_version: input.expected_version,
                };
                let services = ctx.services().await?;
                let result = services.end_allocation(ctx.viewer()?, &input.idempotency_key, wanted).await;
                Changed::new(ctx, result).map(EndAllocationPayload).map(Some)
            }
            .await,
        )
    }

    /// Names another lead practitioner of the holding unit.
    async fn change_lead_practitioner(
        &self,
        ctx: &Context<'_>,
        input: ChangeLeadPractitionerInput,
    ) -> Nullable<ChangeLeadPractitionerPayload> {
        nullable(
            async {
                let wanted = ChangeLead {
                    case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                    worker_id: local("workerId", WorkerId::KIND, &input.worker_id)?,
                    reason: input.reason,
                    expected_version: input.expected_version,
                };
                let services = ctx.services().await?;
                let result = services.change_lead_practitioner(ctx.viewer()?, &input.idempotency_key, wanted).await;
                Changed::new(ctx, result).map(ChangeLeadPractitionerPayload).map(Some)
            }
            .await,
        )
    }

    /// Asks another unit to take a case over. Both units hear of it; nothing moves until it is accepted.
    async fn request_transfer(
        &self,
        ctx: &Context<'_>,
        input: RequestTransferInput,
    ) -> Nullable<RequestTransferPayload> {
        nullable(
            async {
                let wanted = RequestTransfer {
                    case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                    to_unit_id: local("toUnitId", UnitId::KIND, &input.to_unit_id)?,
                    kind: input.kind,
                    handover_summary: input.handover_summary,
                    joint_meeting_on: input.joint_meeting_on.map(|day| day.0),
                    expected_version: input.expected_version,
                };
                let services = ctx.services().await?;
                let result = services.request_transfer(ctx.viewer()?, &input.idempotency_key, wanted).await;
                Changed::new(ctx, result).map(RequestTransferPayload).map(Some)
            }
            .await,
        )
    }

    /// Takes a case over: it moves at once. The leaving unit's last event of the case is TRANSFER_COMPLETED.
    async fn accept_transfer(&self, ctx: &Context<'_>, input: AcceptTransferInput) -> Nullable<AcceptTransferPayload> {
        nullable(
            async {
                let lead = optional("leadPractitionerId", WorkerId::KIND, input.lead_practitioner_id.as_ref())?;
                let wanted = AcceptTransfer {
                    transfer_id: local("transferId", TransferId::KIND, &input.transfer_id)?,
                    lead_practitioner_id: lead,
                    expected_version: input.expected_version,
                };
                let services = ctx.services().await?;
                let result = services.accept_transfer(ctx.viewer()?, &input.idempotency_key, wanted).await;
                Changed::new(ctx, result).map(AcceptTransferPayload).map(Some)
            }
            .await,
        )
    }

    /// Asks for a child protection conference about one or more children of a family.
    async fn request_conference(
        &self,
        ctx: &Context<'_>,
        input: RequestConferenceInput,
    ) -> Nullable<RequestConferencePayload> {
        nullable(
            async {
                let case_ids: Result<Vec<_>> =
                    input.case_ids.iter().map(|id| local("caseIds", CaseId::KIND, id)).collect();
                let wanted = RequestConference { case_ids: case_ids?, kind: input.r#type };
                let services = ctx.services().await?;
                let result = services.request_conference(ctx.viewer()?, &input.idempotency_key, wanted).await;
                Changed::new(ctx, result).map(RequestConferencePayload).map(Some)
            }
            .await,
        )
    }

    /// Gives a conference its date, chair and place.
    async fn schedule_conference(
        &self,
        ctx: &Context<'_>,
        input: ScheduleConferenceInput,
    ) -> Nullable<ScheduleConferencePayload> {
        nullable(
            async {
                let wanted = ScheduleConference {
                    conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                    scheduled_for: input.scheduled_for.0,
                    chair_id: local("chairId", WorkerId::KIND, &input.chair_id)?,
                    venue: input.venue,
                    online: input.online,
                    expected_version: input.expected_version,
                };
                let services = ctx.services().await?;
                let result = services.schedule_conference(ctx.viewer()?, &input.idempotency_key, wanted).await;
                Changed::new(ctx, result).map(ScheduleConferencePayload).map(Some)
            }
            .await,
        )
    }

    /// Gives a conference another date. Invitations stay, everybody is asked again, no clock restarts.
    async fn move_conference(&self, ctx: &Context<'_>, input: MoveConferenceInput) -> Nullable<MoveConferencePayload> {
        nullable(
            async {
                let wanted = MoveConference {
                    conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                    scheduled_for: input.scheduled_for.0,
                    reason: input.reason,
                    venue: input.venue,
                    online: input.online,
                    expected_version: input.expected_version,
                };
                let services = ctx.services().await?;
                let result = services.move_conference(ctx.viewer()?, &input.idempotency_key, wanted).await;
                Changed::new(ctx, result).map(MoveConferencePayload).map(Some)
            }
            .await,
        )
    }

    /// Records what a conference decided, for every child. PLAN makes the child protection plan, dated the
    /// conference, and ends an open child in need plan; END steps down to a child in need plan of the same day.
    async fn decide_conference(
        &self,
        ctx: &Context<'_>,
        input: DecideConferenceInput,
    ) -> Nullable<DecideConferencePayload> {
        nullable(
            async {
                let mut decisions = Vec::with_capacity(input.decisions.len());
                for one in input.decisions {
                    decisions.push(ChildDecision {
                        child_id: local("childId", ChildId::KIND, &one.child_id)?,
                        decision: one.decision,
                        category: one.category,
                        outline_plan: one.outline_plan,
                        next_review_on: one.next_review_on.map(|day| day.0),
                    });
                }
                let wanted = DecideConference {
                    conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                    held_at: input.held_at.0,
                    decisions,
                    expected_version: input.expected_version,
                };
                let services = ctx.services().await?;
                let result = services.decide_conference(ctx.viewer()?, &input.idempotency_key, wanted).await;
                Changed::new(ctx, result).map(DecideConferencePayload).map(Some)
            }
            .await,
        )
    }
}

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, SimpleObject};
use uuid::Uuid;

use super::{
    AccessDenial, AccessRestriction, AgencyParticipant, Allocation, Assessment, BreakGlass, Case, Conference, Contact,
    InformationRequest, Invitation, Plan, Referral, Section47Enquiry, StrategyDiscussion, SupportRequest, Transfer,
    Unit, Worker, access, allocation, assessment, case, conference, contact, enquiry, information, plan, support,
    transfer, unit, worker,
};
use crate::{
    db::{Snapshot, outbox, plans, reads, sittings},
    domain::{
        codes::{
            AccessEndReason, Agency, AllocationKind, AssessmentOutcome, AssessmentStatus, BreakGlassFinding,
            BreakGlassReason, Capacity, ChangeReason, ConferenceState, ConferenceType, ContactChannel, ContactDecision,
            ContactStatus, ContactUrgency, EnquiryMode, EnquiryOutcome, EnquiryStatus, EventType, Exclusion,
            InformationDuty, InformationStatus, InvitationCapacity, InvitationResponse, PlanChange, PlanKind,
            PlanStatus, Priority, ReferralDecision, ReferralSource, ReportStep, Role, Severity, StrategyDecision,
            SupportStatus, TransferKind, TransferState, UnallocatedReason,
        },
        event::{AssessmentDetail, ContactDetail, Detail, EnquiryDetail, InformationDetail, InvitationDetail},
        ids::{AccessDenialId, AccessRestrictionId, ActionId, BreakGlassId, CaseId, GoalId, PlanId, UnitId, WorkerId},
    },
    error::{Error, Result},
    events,
    graphql::{
        batch::{Instant, Item, generation, written_down},
        context::HearthContext,
        error::{Answer, Nullable, nullable},
        scalars::{Date, DateTime, global},
        selection,
    },
};

/// The first item of every feed: where it begins.
pub struct FeedOpened {
    pub(in crate::graphql) position: i64,
}

/// The first item of every feed: where it begins. Keep its cursor until the first event brings another.
#[Object]
impl FeedOpened {
    /// Resume with this as `after`.
    async fn cursor(&self, ctx: &Context<'_>) -> Answer<String> {
        seal(ctx, self.position)
    }
}

/// The last item of a feed that you may not follow any more.
pub struct AccessEnded {
    pub(in crate::graphql) position: i64,
    pub(in crate::graphql) end: events::AccessEnd,
}

/// The last item of a feed that you may not follow any more: nothing that happened since is in it. Put away what you show of
/// it; other feeds of yours go on.
#[Object]
impl AccessEnded {
    /// Where the feed ended. Resume with this as `after` if you may follow again: what happened meanwhile and was not for you
    /// does not come.
    async fn cursor(&self, ctx: &Context<'_>) -> Answer<String> {
        seal(ctx, self.position)
    }

    /// Why.
    async fn end_reason(&self) -> AccessEndReason {
        self.end.reason
    }

    /// When it was noticed.
    async fn noticed_at(&self) -> DateTime {
        DateTime(self.end.at)
    }
}

fn seal(ctx: &Context<'_>, position: i64) -> Answer<String> {
    let shared = ctx.shared()?;
    Ok(shared.sealer.feed_cursor(ctx.viewer()?.worker_id, position, (shared.clock)())?)
}

/// Where the feeds stand in an instant, as a cursor of its viewer.
pub(in crate::graphql) async fn feed_cursor(ctx: &Context<'_>, snapshot: &Snapshot) -> Answer<String> {
    let (seq, viewer) = (outbox::position(snapshot).await?, snapshot.viewer());
    Ok(ctx.shared()?.sealer.feed_cursor(viewer.worker_id, seq, viewer.at)?)
}

/// Who caused an event.
#[derive(SimpleObject)]
pub struct Actor {
    /// Global id of the worker.
    worker_id: ID,
    /// The worker's name.
    display_name: String,
    /// The role in which the worker acted.
    role: Role,
}

/// What may be shown of a case on a lock screen.
// Not `id`: clients keep whatever has an `id` under it, and would take this for the case itself.
#[derive(SimpleObject)]
pub struct CaseRef {
    /// Global id of the case.
    case_id: ID,
    /// Number of the case.
    case_no: i64,
    /// The child's initials.
    child_initials: String,
}

/// The record that an event is about.
#[derive(SimpleObject)]
pub struct EntityRef {
    /// Its type.
    r#type: String,
    /// Its global id.
    entity_id: ID,
    /// The version that it had after the event.
    version: i32,
}

/// How many of a unit have seen an event.
#[derive(SimpleObject)]
pub struct SeenBy {
    /// Global id of the unit.
    unit_id: ID,
    /// How many of them have read so far (`markRead`).
    seen: i64,
    /// How many members of the unit received the event: members when it happened and now.
    of: i64,
}

/// An event as viewers share it.
type Shared = Arc<events::Event>;

/// An event on its way to one viewer, with the events that are read in the same instant. A push has an instant of its
/// own.
#[derive(Clone)]
pub struct Pushed {
    event: Shared,
    item: Item<Shared>,
}

impl Pushed {
    fn case_ref(&self) -> Option<CaseRef> {
        let (id, stamp) = (self.event.row.case_id?, self.event.data.case.as_ref()?);
        Some(CaseRef {
            case_id: global(CaseId::KIND, id),
            case_no: stamp.case_no,
            child_initials: stamp.child_initials.clone(),
        })
    }

    async fn seen_by(&self) -> Answer<Vec<SeenBy>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { reads::seen_by(&snapshot, &ids).await };
        let found = self.item.many("seenBy", String::new(), |event| event.row.event_id, load).await?;
        let told = |row: Item<reads::SeenRow>| SeenBy {
            unit_id: global(UnitId::KIND, row.unit_id),
            seen: row.seen,
            of: row.of,
        };
        Ok(found.into_iter().map(told).collect())
    }
}

// Fields of different events have different names wherever their types differ: one selection may ask for all of them.
macro_rules! event_type {
    (
        $(#[$doc:meta])* $name:ident { $($fields:tt)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Pushed);

        $(#[$doc])*
        #[Object]
        impl $name {
            /// Unique; drop an event that you have seen.
            async fn event_id(&self) -> ID {
                ID(self.0.event.row.event_id.to_string())
            }

            /// Resume with this as `after`.
            async fn cursor(&self, ctx: &Context<'_>) -> Answer<String> {
                seal(ctx, self.0.event.seq)
            }

            /// What happened.
            async fn r#type(&self) -> EventType {
                self.0.event.kind
            }

            /// Version of the event's fields.
            async fn schema_version(&self) -> i32 {
                self.0.event.row.schema_version
            }

            /// When it happened.
            async fn occurred_at(&self) -> DateTime {
                DateTime(self.0.event.row.occurred_at)
            }

            /// When it was recorded.
            async fn recorded_at(&self) -> DateTime {
                DateTime(self.0.event.row.recorded_at)
            }

            /// Who caused it.
            async fn actor(&self) -> Actor {
                Actor {
                    worker_id: global(WorkerId::KIND, self.0.event.row.actor_id),
                    display_name: self.0.event.data.actor_name.clone(),
                    role: self.0.event.actor_role,
                }
            }

            /// The case, when the event is about one.
            async fn case_ref(&self) -> Option<CaseRef> {
                self.0.case_ref()
            }

            /// The same for all events of one change.
            async fn correlation_id(&self) -> ID {
                ID(self.0.event.row.correlation_id.to_string())
            }

            /// The event that led to this one, if one did.
            async fn causation_id(&self) -> Option<ID> {
                self.0.event.row.causation_id.map(|id| ID(id.to_string()))
            }

            /// The record that it is about.
            async fn entity(&self) -> EntityRef {
                let row = &self.0.event.row;
                EntityRef {
                    r#type: row.entity_type.clone(),
                    entity_id: global(&row.entity_type, row.entity_id),
                    version: row.entity_version,
                }
            }

            /// How much attention it asks for.
            async fn severity(&self) -> Severity {
                self.0.event.severity
            }

            /// One sentence from a template: initials, units, states; never free text.
            async fn summary(&self) -> String {
                self.0.event.data.summary(self.0.event.kind)
            }

            /// Who has seen it, for each unit that it was for and that you belong to. Read when the event reaches
            /// you; ask the unit's `events` for it as of now.
            async fn seen_by(&self) -> Answer<Vec<SeenBy>> {
                self.0.seen_by().await
            }

            /// The case as it is now; null when you may not see it any more.
            async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
                let read = selection::of(ctx, selection::CASE);
                nullable(case::one(&self.0.item, "case", |event| event.row.case_id, read).await)
            }

            $($fields)*
        }
    };
}

event_type! {
    /// A unit began or stopped holding a case.
    AllocationEvent {
        /// How the unit holds the case.
        async fn allocation_kind(&self) -> Answer<AllocationKind> {
            Ok(self.allocation_detail()?.0)
        }
        /// How urgent it is.
        async fn priority(&self) -> Answer<Priority> {
            Ok(self.allocation_detail()?.1)
        }
        /// Global id of the unit.
        async fn unit_id(&self) -> Answer<ID> {
            Ok(global(UnitId::KIND, self.allocation_detail()?.2))
        }
        /// Name of the unit at the time.
        async fn unit_name(&self) -> Answer<String> {
            match &self.0.event.data.detail {
                Detail::Allocation { unit_name, .. } => Ok(unit_name.clone()),
                _ => Err(wrong().into()),
            }
        }
        /// Since when the unit holds the case.
        async fn started_at(&self) -> Answer<DateTime> {
            match &self.0.event.data.detail {
                Detail::Allocation { started_at, .. } => Ok(DateTime(*started_at)),
                _ => Err(wrong().into()),
            }
        }
        /// Until when, of an ended allocation.
        async fn ended_at(&self) -> Option<DateTime> {
            match &self.0.event.data.detail {
                Detail::Allocation { ended_at, .. } => ended_at.map(DateTime),
                _ => None,
            }
        }
        /// Global id of the lead practitioner at the time.
        async fn lead_practitioner_id(&self) -> Option<ID> {
            match &self.0.event.data.detail {
                Detail::Allocation { lead_practitioner_id, .. } => lead_practitioner_id.map(|id| global(WorkerId::KIND, id)),
                _ => None,
            }
        }
        /// Global id of the unit that held the case before, of a transferred case.
        async fn previous_unit_id(&self) -> Option<ID> {
            match &self.0.event.data.detail {
                Detail::Allocation { previous_unit_id, .. } => previous_unit_id.map(|id| global(UnitId::KIND, id)),
                _ => None,
            }
        }
        /// The unit.
        async fn unit(&self) -> Nullable<Unit> {
            let of = |event: &Shared| match event.data.detail {
                Detail::Allocation { unit_id, .. } => Some(unit_id),
                _ => None,
            };
            nullable(unit::one(&self.0.item, "unit", of).await)
        }
        /// The allocation as it is now; null when you may not see it any more.
        async fn allocation(&self, ctx: &Context<'_>) -> Nullable<Allocation> {
            let of = |event: &Shared| {
                matches!(event.data.detail, Detail::Allocation { .. }).then_some(event.row.entity_id)
            };
            nullable(allocation::one(&self.0.item, "allocation", of, selection::of(ctx, selection::ALLOCATION)).await)
        }
    }
}

impl AllocationEvent {
    fn allocation_detail(&self) -> Result<(AllocationKind, Priority, Uuid)> {
        match &self.0.event.data.detail {
            Detail::Allocation { kind, priority, unit_id, .. } => Ok((*kind, *priority, *unit_id)),
            _ => Err(wrong()),
        }
    }
}

event_type! {
    /// A worker's named part in a case began, ended or passed on.
    InvolvementEvent {
        /// As what.
        async fn capacity(&self) -> Answer<Capacity> {
            match &self.0.event.data.detail {
                Detail::Involvement { capacity, .. } => Ok(*capacity),
                _ => Err(wrong().into()),
            }
        }
        /// Why, when it passed on.
        async fn reason(&self) -> Option<ChangeReason> {
            match &self.0.event.data.detail {
                Detail::Involvement { reason, .. } => *reason,
                _ => None,
            }
        }
        /// Global id of the worker who has the part now.
        async fn worker_id(&self) -> Option<ID> {
            match &self.0.event.data.detail {
                Detail::Involvement { worker_id, .. } => worker_id.map(|id| global(WorkerId::KIND, id)),
                _ => None,
            }
        }
        /// Global id of the worker who had the part before.
        async fn previous_worker_id(&self) -> Option<ID> {
            match &self.0.event.data.detail {
                Detail::Involvement { previous_worker_id, .. } => previous_worker_id.map(|id| global(WorkerId::KIND, id)),
                _ => None,
            }
        }
        /// The worker who has the part now.
        async fn worker(&self) -> Nullable<Worker> {
            let of = |event: &Shared| match event.data.detail {
                Detail::Involvement { worker_id, .. } => worker_id,
                _ => None,
            };
            nullable(worker::one(&self.0.item, "worker", of).await)
        }
    }
}

event_type! {
    /// A unit was asked to take a case over, has taken it over, or the transfer was rejected or withdrawn.
    TransferEvent {
        /// What kind of move.
        async fn transfer_kind(&self) -> Answer<TransferKind> {
            Ok(self.transfer_detail()?.0)
        }
        /// Where the transfer stands.
        async fn transfer_state(&self) -> Answer<TransferState> {
            Ok(self.transfer_detail()?.1)
        }
        /// Global id of the unit that the case leaves.
        async fn from_unit_id(&self) -> Answer<ID> {
            Ok(global(UnitId::KIND, self.transfer_detail()?.2))
        }
        /// Global id of the unit that the case goes to.
        async fn to_unit_id(&self) -> Answer<ID> {
            Ok(global(UnitId::KIND, self.transfer_detail()?.3))
        }
        /// The day on which the case moved.
        async fn effective_on(&self) -> Option<Date> {
            match &self.0.event.data.detail {
                Detail::Transfer { effective_on, .. } => effective_on.map(Date),
                _ => None,
            }
        }
        /// The unit that the case leaves.
        async fn from_unit(&self) -> Nullable<Unit> {
            let of = |event: &Shared| match event.data.detail {
                Detail::Transfer { from_unit_id, .. } => Some(from_unit_id),
                _ => None,
            };
            nullable(unit::one(&self.0.item, "fromUnit", of).await)
        }
        /// The unit that the case goes to.
        async fn to_unit(&self) -> Nullable<Unit> {
            let of = |event: &Shared| match event.data.detail {
                Detail::Transfer { to_unit_id, .. } => Some(to_unit_id),
                _ => None,
            };
            nullable(unit::one(&self.0.item, "toUnit", of).await)
        }
        /// The transfer as it is now; null when you may not see it any more.
        async fn transfer(&self, ctx: &Context<'_>) -> Nullable<Transfer> {
            let of =
                |event: &Shared| matches!(event.data.detail, Detail::Transfer { .. }).then_some(event.row.entity_id);
            nullable(transfer::one(&self.0.item, "transfer", of, selection::of(ctx, selection::TRANSFER)).await)
        }
    }
}

impl TransferEvent {
    fn transfer_detail(&self) -> Result<(TransferKind, TransferState, Uuid, Uuid)> {
        match &self.0.event.data.detail {
            Detail::Transfer { kind, state, from_unit_id, to_unit_id, .. } => {
                Ok((*kind, *state, *from_unit_id, *to_unit_id))
            }
            _ => Err(wrong()),
        }
    }
}

event_type! {
    /// A child protection conference was asked for, scheduled, moved or decided. It may be about several children;
    /// read them through `conference`, where you see those whom you may see.
    ConferenceEvent {
        /// What kind of conference.
        async fn conference_type(&self) -> Answer<ConferenceType> {
            Ok(self.conference_detail()?.0)
        }
        /// Where it stood after the event.
        async fn conference_state(&self) -> Answer<ConferenceState> {
            Ok(self.conference_detail()?.1)
        }
        /// Whether it is held online.
        async fn online(&self) -> Answer<bool> {
            Ok(self.conference_detail()?.2)
        }
        /// When it is to be held.
        async fn scheduled_for(&self) -> Option<DateTime> {
            match &self.0.event.data.detail {
                Detail::Conference(one) => one.scheduled_for.map(DateTime),
                _ => None,
            }
        }
        /// The date that it was moved from.
        async fn previously_scheduled_for(&self) -> Option<DateTime> {
            match &self.0.event.data.detail {
                Detail::Conference(one) => one.previously_scheduled_for.map(DateTime),
                _ => None,
            }
        }
        /// Global id of the chair.
        async fn chair_id(&self) -> Option<ID> {
            match &self.0.event.data.detail {
                Detail::Conference(one) => one.chair_id.map(|id| global(WorkerId::KIND, id)),
                _ => None,
            }
        }
        /// Whether it is quorate, once attendance is recorded.
        async fn quorate(&self) -> Option<bool> {
            match &self.0.event.data.detail {
                Detail::Conference(one) => one.quorate,
                _ => None,
            }
        }
        /// How many of those whom you may see came to the last sitting, as it is now; once attendance is recorded.
        async fn present_count(&self) -> Nullable<i64> {
            match &self.0.event.data.detail {
                Detail::Conference(one) if one.quorate.is_some() => {}
                _ => return None,
            }
            let load = |snapshot: Instant, ids: Vec<_>| async move { sittings::present_of(&snapshot, &ids).await };
            let found = self.0.item.first("presentCount", String::new(), |event| event.row.entity_id, load).await;
            nullable(found.map(|count| count.map(|count| *count)))
        }
        /// How many of those whom you may see did not agree at the last sitting, as it is now; once a view was minuted or
        /// the conference has decided.
        async fn dissent_count(&self) -> Nullable<i64> {
            if !matches!(self.0.event.kind, EventType::ConferenceViewRecorded | EventType::ConferenceDecided) {
                return None;
            }
            let load = |snapshot: Instant, ids: Vec<_>| async move { sittings::dissents_of(&snapshot, &ids).await };
            let found = self.0.item.first("dissentCount", String::new(), |event| event.row.entity_id, load).await;
            nullable(found.map(|count| count.map(|count| *count)))
        }
        /// The conference as it is now; null when you may not see it any more.
        async fn conference(&self) -> Nullable<Conference> {
            let of = |event: &Shared| {
                matches!(event.data.detail, Detail::Conference(_)).then_some(event.row.entity_id)
            };
            nullable(conference::one(&self.0.item, "conference", of).await)
        }
    }
}

impl ConferenceEvent {
    fn conference_detail(&self) -> Result<(ConferenceType, ConferenceState, bool)> {
        match &self.0.event.data.detail {
            Detail::Conference(one) => Ok((one.kind, one.state, one.online)),
            _ => Err(wrong()),
        }
    }
}

event_type! {
    /// An invitation to a conference was answered, its report came or was shared, or somebody is not to come. Who it
    /// is stands in `invitation`, for those who may see it.
    InvitationEvent {
        /// As what they are invited.
        async fn invitation_capacity(&self) -> Answer<InvitationCapacity> {
            Ok(self.invitation_detail()?.capacity)
        }
        /// The answer, when there was one.
        async fn response(&self) -> Answer<Option<InvitationResponse>> {
            Ok(self.invitation_detail()?.response)
        }
        /// How far the report has come, when that changed.
        async fn report_step(&self) -> Answer<Option<ReportStep>> {
            Ok(self.invitation_detail()?.report)
        }
        /// Why they are not to come, when that was recorded.
        async fn exclusion(&self) -> Answer<Option<Exclusion>> {
            Ok(self.invitation_detail()?.exclusion)
        }
        /// What kind of conference.
        async fn conference_type(&self) -> Answer<ConferenceType> {
            Ok(self.invitation_detail()?.kind)
        }
        /// The invitation as it is now; null when you may not see it.
        async fn invitation(&self, ctx: &Context<'_>) -> Nullable<Invitation> {
            let read = selection::of(ctx, selection::INVITATION);
            let of = |event: &Shared| {
                matches!(event.data.detail, Detail::Invitation(_)).then_some(event.row.entity_id)
            };
            nullable(conference::one_invitation(&self.0.item, of, read).await)
        }
        /// The conference as it is now; null when you may not see it any more.
        async fn conference(&self) -> Nullable<Conference> {
            let of = |event: &Shared| match &event.data.detail {
                Detail::Invitation(detail) => Some(detail.conference_id),
                _ => None,
            };
            nullable(conference::one(&self.0.item, "invitation.conference", of).await)
        }
    }
}

impl InvitationEvent {
    fn invitation_detail(&self) -> Result<&InvitationDetail> {
        match &self.0.event.data.detail {
            Detail::Invitation(detail) => Ok(detail),
            _ => Err(wrong()),
        }
    }
}

event_type! {
    /// Somebody's membership of a unit began, changed or ended.
    MembershipEvent {
        /// Global id of the unit.
        async fn unit_id(&self) -> Answer<ID> {
            match &self.0.event.data.detail {
                Detail::Membership { unit_id, .. } => Ok(global(UnitId::KIND, *unit_id)),
                _ => Err(wrong().into()),
            }
        }
        /// Global id of the worker.
        async fn member_id(&self) -> Answer<ID> {
            match &self.0.event.data.detail {
                Detail::Membership { worker_id, .. } => Ok(global(WorkerId::KIND, *worker_id)),
                _ => Err(wrong().into()),
            }
        }
        /// The role in the unit.
        async fn role(&self) -> Answer<Role> {
            match &self.0.event.data.detail {
                Detail::Membership { role, .. } => Ok(*role),
                _ => Err(wrong().into()),
            }
        }
        /// The role before, when it changed.
        async fn previous_role(&self) -> Option<Role> {
            match &self.0.event.data.detail {
                Detail::Membership { previous_role, .. } => *previous_role,
                _ => None,
            }
        }
        /// Whether the worker stands in for somebody.
        async fn cover(&self) -> Answer<bool> {
            match &self.0.event.data.detail {
                Detail::Membership { cover, .. } => Ok(*cover),
                _ => Err(wrong().into()),
            }
        }
        /// Since when.
        async fn member_from(&self) -> Answer<DateTime> {
            match &self.0.event.data.detail {
                Detail::Membership { started_at, .. } => Ok(DateTime(*started_at)),
                _ => Err(wrong().into()),
            }
        }
        /// Until when, if that is known.
        async fn member_to(&self) -> Option<DateTime> {
            match &self.0.event.data.detail {
                Detail::Membership { ended_at, .. } => ended_at.map(DateTime),
                _ => None,
            }
        }
        /// The worker.
        async fn worker(&self) -> Nullable<Worker> {
            let of = |event: &Shared| match event.data.detail {
                Detail::Membership { worker_id, .. } => Some(worker_id),
                _ => None,
            };
            nullable(worker::one(&self.0.item, "member", of).await)
        }
        /// The unit.
        async fn unit(&self) -> Nullable<Unit> {
            let of = |event: &Shared| match event.data.detail {
                Detail::Membership { unit_id, .. } => Some(unit_id),
                _ => None,
            };
            nullable(unit::one(&self.0.item, "memberUnit", of).await)
        }
    }
}

event_type! {
    /// A plan came into force, changed or ended.
    PlanEvent {
        /// What kind of plan.
        async fn plan_kind(&self) -> Answer<PlanKind> {
            Ok(self.plan_detail()?.0)
        }
        /// Where it stood after the event.
        async fn plan_status(&self) -> Answer<PlanStatus> {
            Ok(self.plan_detail()?.1)
        }
        /// First day.
        async fn start_on(&self) -> Option<Date> {
            match &self.0.event.data.detail {
                Detail::Plan { start_on, .. } => start_on.map(Date),
                _ => None,
            }
        }
        /// Last day, of a plan that is over.
        async fn end_on(&self) -> Option<Date> {
            match &self.0.event.data.detail {
                Detail::Plan { end_on, .. } => end_on.map(Date),
                _ => None,
            }
        }
        /// When its review is due.
        async fn review_due_on(&self) -> Option<Date> {
            match &self.0.event.data.detail {
                Detail::Plan { review_due_on, .. } => review_due_on.map(Date),
                _ => None,
            }
        }
        /// Until when change was agreed to be achieved.
        async fn agreed_change_by(&self) -> Option<Date> {
            match &self.0.event.data.detail {
                Detail::Plan { agreed_change_by, .. } => agreed_change_by.map(Date),
                _ => None,
            }
        }
        /// Which version of the plan.
        async fn revision(&self) -> Option<i32> {
            match &self.0.event.data.detail {
                Detail::Plan { revision, .. } => *revision,
                _ => None,
            }
        }
        /// What happened to it.
        async fn plan_change(&self) -> Option<PlanChange> {
            match &self.0.event.data.detail {
                Detail::Plan { change, .. } => *change,
                _ => None,
            }
        }
        /// The plan as it is now; null when you may not see it any more.
        async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
            let read = selection::of(ctx, selection::PLAN);
            let (row, snapshot) = (&self.0.event.row, self.0.item.snapshot());
            // The event may be about one of its goals or actions.
            let rows = match row.entity_type.as_str() {
                GoalId::KIND => plans::of_goal(snapshot, row.entity_id, read).await,
                ActionId::KIND => plans::of_action(snapshot, row.entity_id, read).await,
                _ => {
                    let of = |event: &Shared| (event.row.entity_type == PlanId::KIND).then_some(event.row.entity_id);
                    return nullable(plan::one(&self.0.item, "plan", of, read).await);
                }
            };
            nullable(rows.map(|rows| generation(Arc::clone(snapshot), rows).into_iter().next().map(Plan)))
        }
    }
}

impl PlanEvent {
    fn plan_detail(&self) -> Result<(PlanKind, PlanStatus)> {
        match &self.0.event.data.detail {
            Detail::Plan { kind, status, .. } => Ok((*kind, *status)),
            _ => Err(wrong()),
        }
    }
}

event_type! {
    /// A record was restricted, a restriction changed or was lifted, a worker was kept from one by name, somebody broke the glass of a record, or that was
    /// reviewed. It refers to the record of it and says nothing of whom that is about.
    AccessEvent {
        /// Whether the record is restricted from now on; null for a break-glass.
        async fn restricted(&self) -> Option<bool> {
            match self.0.event.data.detail {
                Detail::Access { restricted, .. } => restricted,
                _ => None,
            }
        }
        /// Whether a worker is kept from the record by name from now on; null for everything else.
        async fn denied(&self) -> Option<bool> {
            match self.0.event.data.detail {
                Detail::Access { denied, .. } => denied,
                _ => None,
            }
        }
        /// The denial, as far as you may read it now.
        async fn denial(&self) -> Nullable<AccessDenial> {
            let of = |event: &Shared| (event.row.entity_type == AccessDenialId::KIND).then_some(event.row.entity_id);
            nullable(access::denial(&self.0.item, "denial", of).await)
        }
        /// Why the glass was broken.
        async fn glass_reason(&self) -> Option<BreakGlassReason> {
            match self.0.event.data.detail {
                Detail::Access { glass, .. } => glass,
                _ => None,
            }
        }
        /// Until when the broken glass is open.
        async fn glass_ends_at(&self) -> Option<DateTime> {
            match self.0.event.data.detail {
                Detail::Access { ends_at, .. } => ends_at.map(DateTime),
                _ => None,
            }
        }
        /// What the review found.
        async fn finding(&self) -> Option<BreakGlassFinding> {
            match self.0.event.data.detail {
                Detail::Access { finding, .. } => finding,
                _ => None,
            }
        }
        /// The restriction, as far as you may read it now.
        async fn restriction(&self) -> Nullable<AccessRestriction> {
            let of = |event: &Shared| (event.row.entity_type == AccessRestrictionId::KIND).then_some(event.row.entity_id);
            nullable(access::restriction(&self.0.item, "restriction", of).await)
        }
        /// The break-glass, as far as you may read it now.
        async fn break_glass(&self) -> Nullable<BreakGlass> {
            let of = |event: &Shared| (event.row.entity_type == BreakGlassId::KIND).then_some(event.row.entity_id);
            nullable(access::glass(&self.0.item, "breakGlass", of).await)
        }
    }
}

event_type! {
    /// Somebody contacted the front door, or a contact changed or was decided. It says neither who called nor whom it is about:
    /// read that through `contact`, if you may.
    ContactEvent {
        /// Number of the contact.
        async fn contact_no(&self) -> Answer<i64> {
            Ok(self.contact_detail()?.contact_no)
        }
        /// How it came in.
        async fn channel(&self) -> Answer<ContactChannel> {
            Ok(self.contact_detail()?.channel)
        }
        /// Who it came from.
        async fn source(&self) -> Answer<ReferralSource> {
            Ok(self.contact_detail()?.source)
        }
        /// How urgent it is, once that was looked at.
        async fn urgency(&self) -> Answer<Option<ContactUrgency>> {
            Ok(self.contact_detail()?.urgency)
        }
        /// Where it stood after the event.
        async fn contact_status(&self) -> Answer<ContactStatus> {
            Ok(self.contact_detail()?.status)
        }
        /// What was decided.
        async fn contact_decision(&self) -> Answer<Option<ContactDecision>> {
            Ok(self.contact_detail()?.decision)
        }
        /// The contact as it is now; null when you may not see it.
        async fn contact(&self, ctx: &Context<'_>) -> Nullable<Contact> {
            let of = |event: &Shared| match &event.data.detail {
                Detail::Contact(detail) => Some(detail.contact_id),
                _ => None,
            };
            nullable(contact::one(&self.0.item, "contact", of, selection::of(ctx, selection::CONTACT)).await)
        }
    }
}

impl ContactEvent {
    fn contact_detail(&self) -> Result<&ContactDetail> {
        match &self.0.event.data.detail {
            Detail::Contact(detail) => Ok(detail),
            _ => Err(wrong()),
        }
    }
}

event_type! {
    /// A referral was accepted, and perhaps offered to a unit; or it was not accepted, and its case closed.
    ReferralEvent {
        /// What was decided.
        async fn referral_decision(&self) -> Answer<ReferralDecision> {
            match &self.0.event.data.detail {
                Detail::Referral { decision, .. } => Ok(*decision),
                _ => Err(wrong().into()),
            }
        }
        /// Whether a case of the child had closed within the twelve months before.
        async fn re_referral(&self) -> Answer<bool> {
            match &self.0.event.data.detail {
                Detail::Referral { re_referral, .. } => Ok(*re_referral),
                _ => Err(wrong().into()),
            }
        }
        /// Global id of the unit that it is offered to.
        async fn target_unit_id(&self) -> Option<ID> {
            match &self.0.event.data.detail {
                Detail::Referral { target_unit_id, .. } => target_unit_id.map(|id| global(UnitId::KIND, id)),
                _ => None,
            }
        }
        /// The unit that it is offered to.
        async fn target_unit(&self) -> Nullable<Unit> {
            let of = |event: &Shared| match event.data.detail {
                Detail::Referral { target_unit_id, .. } => target_unit_id,
                _ => None,
            };
            nullable(unit::one(&self.0.item, "targetUnit", of).await)
        }
        /// The referral as it is now; null when you may not see it any more.
        async fn referral(&self, ctx: &Context<'_>) -> Nullable<Referral> {
            let of = |event: &Shared| {
                matches!(event.data.detail, Detail::Referral { .. }).then_some(event.row.entity_id)
            };
            nullable(contact::one_referral(&self.0.item, "referral", of, selection::of(ctx, selection::REFERRAL)).await)
        }
    }
}

event_type! {
    /// No unit holds a case: it waits in the queue.
    UnallocatedEvent {
        /// Since when.
        async fn since(&self) -> Answer<DateTime> {
            match &self.0.event.data.detail {
                Detail::Unallocated { since, .. } => Ok(DateTime(*since)),
                _ => Err(wrong().into()),
            }
        }
        /// Why.
        async fn unallocated_reason(&self) -> Answer<UnallocatedReason> {
            match &self.0.event.data.detail {
                Detail::Unallocated { reason, .. } => Ok(*reason),
                _ => Err(wrong().into()),
            }
        }
    }
}

event_type! {
    /// A child and family assessment began, changed, or was authorised.
    AssessmentEvent {
        /// Where it stood after the event.
        async fn assessment_status(&self) -> Answer<AssessmentStatus> {
            Ok(self.assessment_detail()?.status)
        }
        /// Its first day.
        async fn started_on(&self) -> Answer<Date> {
            Ok(Date(self.assessment_detail()?.started_on))
        }
        /// When the unit looks at it together.
        async fn review_on(&self) -> Answer<Option<Date>> {
            Ok(self.assessment_detail()?.review_on.map(Date))
        }
        /// What it came to, once it was handed in.
        async fn assessment_outcome(&self) -> Answer<Option<AssessmentOutcome>> {
            Ok(self.assessment_detail()?.outcome)
        }
        /// How many factors it names, once it was authorised.
        async fn factors_count(&self) -> Answer<Option<i32>> {
            Ok(self.assessment_detail()?.factors_count)
        }
        /// The assessment as it is now; null when you may not see it any more.
        async fn assessment(&self, ctx: &Context<'_>) -> Nullable<Assessment> {
            let of = |event: &Shared| matches!(event.data.detail, Detail::Assessment(_)).then_some(event.row.entity_id);
            nullable(assessment::one(&self.0.item, "assessment", of, selection::of(ctx, selection::ASSESSMENT)).await)
        }
    }
}

impl AssessmentEvent {
    fn assessment_detail(&self) -> Result<&AssessmentDetail> {
        match &self.0.event.data.detail {
            Detail::Assessment(detail) => Ok(detail),
            _ => Err(wrong()),
        }
    }
}

event_type! {
    /// A strategy discussion was held about a child.
    StrategyEvent {
        /// When it was held.
        async fn held_at(&self) -> Answer<DateTime> {
            match &self.0.event.data.detail {
                Detail::Strategy { held_at, .. } => Ok(DateTime(*held_at)),
                _ => Err(wrong().into()),
            }
        }
        /// What was decided.
        async fn strategy_decision(&self) -> Answer<StrategyDecision> {
            match &self.0.event.data.detail {
                Detail::Strategy { decision, .. } => Ok(*decision),
                _ => Err(wrong().into()),
            }
        }
        /// Whether an enquiry jointly with the police follows.
        async fn joint_with_police(&self) -> Answer<bool> {
            match &self.0.event.data.detail {
                Detail::Strategy { joint_with_police, .. } => Ok(*joint_with_police),
                _ => Err(wrong().into()),
            }
        }
        /// The discussion; null when you may not see it any more.
        async fn discussion(&self, ctx: &Context<'_>) -> Nullable<StrategyDiscussion> {
            let of =
                |event: &Shared| matches!(event.data.detail, Detail::Strategy { .. }).then_some(event.row.entity_id);
            nullable(enquiry::discussion(&self.0.item, "discussion", of, selection::of(ctx, selection::DISCUSSION)).await)
        }
    }
}

event_type! {
    /// A section 47 enquiry began, changed, or had its outcome.
    Section47Event {
        /// By social care alone, or jointly with the police.
        async fn enquiry_mode(&self) -> Answer<EnquiryMode> {
            Ok(self.enquiry_detail()?.mode)
        }
        /// Where it stood after the event.
        async fn enquiry_status(&self) -> Answer<EnquiryStatus> {
            Ok(self.enquiry_detail()?.status)
        }
        /// Its first day.
        async fn started_on(&self) -> Answer<Date> {
            Ok(Date(self.enquiry_detail()?.started_on))
        }
        /// What it came to.
        async fn enquiry_outcome(&self) -> Answer<Option<EnquiryOutcome>> {
            Ok(self.enquiry_detail()?.outcome)
        }
        /// Global id of who leads it.
        async fn lead_practitioner_id(&self) -> Answer<Option<ID>> {
            Ok(self.enquiry_detail()?.lead_practitioner_id.map(|id| global(WorkerId::KIND, id)))
        }
        /// The enquiry as it is now; null when you may not see it.
        async fn enquiry(&self, ctx: &Context<'_>) -> Nullable<Section47Enquiry> {
            let of = |event: &Shared| matches!(event.data.detail, Detail::Enquiry(_)).then_some(event.row.entity_id);
            nullable(enquiry::one(&self.0.item, "enquiry", of, selection::of(ctx, selection::ENQUIRY)).await)
        }
    }
}

impl Section47Event {
    fn enquiry_detail(&self) -> Result<&EnquiryDetail> {
        match &self.0.event.data.detail {
            Detail::Enquiry(detail) => Ok(detail),
            _ => Err(wrong()),
        }
    }
}

event_type! {
    /// Somebody of another agency takes part in a case, or does no longer.
    AgencyParticipantEvent {
        /// The agency.
        async fn agency(&self) -> Answer<Agency> {
            match &self.0.event.data.detail {
                Detail::Participant { agency, .. } => Ok(*agency),
                _ => Err(wrong().into()),
            }
        }
        /// Until when, of who takes part no longer.
        async fn left_on(&self) -> Option<Date> {
            match &self.0.event.data.detail {
                Detail::Participant { left_on, .. } => left_on.map(Date),
                _ => None,
            }
        }
        /// Who it is; null when you may not see that any more.
        async fn participant(&self) -> Nullable<AgencyParticipant> {
            let of =
                |event: &Shared| matches!(event.data.detail, Detail::Participant { .. }).then_some(event.row.entity_id);
            nullable(information::participant(&self.0.item, "participant", of).await)
        }
    }
}

event_type! {
    /// Somebody of another agency was asked for information, asked again, answered or refused. Never what was asked or said.
    InformationEvent {
        /// The agency.
        async fn agency(&self) -> Answer<Agency> {
            Ok(self.information_detail()?.agency)
        }
        /// Why they are asked.
        async fn duty(&self) -> Answer<InformationDuty> {
            Ok(self.information_detail()?.duty)
        }
        /// Where the request stood after the event.
        async fn information_status(&self) -> Answer<InformationStatus> {
            Ok(self.information_detail()?.status)
        }
        /// When the answer is due.
        async fn due_at(&self) -> Answer<DateTime> {
            Ok(DateTime(self.information_detail()?.due_at))
        }
        /// The request as it is now; null when you may not see it any more.
        async fn request(&self, ctx: &Context<'_>) -> Nullable<InformationRequest> {
            let of = |event: &Shared| matches!(event.data.detail, Detail::Information(_)).then_some(event.row.entity_id);
            nullable(information::one(&self.0.item, "request", of, selection::of(ctx, selection::INFORMATION)).await)
        }
    }
}

impl InformationEvent {
    fn information_detail(&self) -> Result<&InformationDetail> {
        match &self.0.event.data.detail {
            Detail::Information(detail) => Ok(detail),
            _ => Err(wrong()),
        }
    }
}

event_type! {
    /// A parenting support worker was asked, answered, or their work ended. Never what was asked for.
    SupportEvent {
        /// Where it stood after the event.
        async fn support_status(&self) -> Answer<SupportStatus> {
            Ok(self.support_detail()?.1)
        }
        /// Who was asked.
        async fn worker(&self) -> Nullable<Worker> {
            let of = |event: &Shared| match event.data.detail {
                Detail::Support { worker_id, .. } => Some(worker_id),
                _ => None,
            };
            nullable(worker::one(&self.0.item, "worker", of).await)
        }
        /// What they were asked for, as it is now; null when you may not see it any more.
        async fn request(&self) -> Nullable<SupportRequest> {
            let of = |event: &Shared| matches!(event.data.detail, Detail::Support { .. }).then_some(event.row.entity_id);
            nullable(support::one(&self.0.item, "request", of).await)
        }
    }
}

impl SupportEvent {
    fn support_detail(&self) -> Result<(uuid::Uuid, SupportStatus)> {
        match self.0.event.data.detail {
            Detail::Support { worker_id, status } => Ok((worker_id, status)),
            _ => Err(wrong()),
        }
    }
}

fn wrong() -> Error {
    Error::internal("an event has the fields of another kind")
}

/// An item of a feed: its opening, or an event.
#[derive(Interface)]
#[graphql(field(name = "cursor", ty = "Answer<String>", desc = "Resume with this as `after`."))]
pub enum FeedItem {
    /// Where the feed begins.
    FeedOpened(FeedOpened),
    /// Where the feed ended, because you may not follow it any more.
    AccessEnded(AccessEnded),
    /// A unit began or stopped holding a case.
    AllocationEvent(AllocationEvent),
    /// A worker's named part in a case changed.
    InvolvementEvent(InvolvementEvent),
    /// A transfer was asked for, answered or completed.
    TransferEvent(TransferEvent),
    /// A conference changed.
    ConferenceEvent(ConferenceEvent),
    /// An invitation to a conference changed.
    InvitationEvent(InvitationEvent),
    /// A membership of a unit changed.
    MembershipEvent(MembershipEvent),
    /// A plan changed.
    PlanEvent(PlanEvent),
    /// A restriction changed, or a glass was broken.
    AccessEvent(AccessEvent),
    /// A contact came, changed or was decided.
    ContactEvent(ContactEvent),
    /// A referral was decided.
    ReferralEvent(ReferralEvent),
    /// No unit holds a case.
    UnallocatedEvent(UnallocatedEvent),
    /// An assessment began, changed or was authorised.
    AssessmentEvent(AssessmentEvent),
    /// A strategy discussion was held.
    StrategyEvent(StrategyEvent),
    /// A section 47 enquiry began, changed or had its outcome.
    Section47Event(Section47Event),
    /// Who of other agencies takes part changed.
    AgencyParticipantEvent(AgencyParticipantEvent),
    /// Another agency was asked, asked again, answered or refused.
    InformationEvent(InformationEvent),
    /// A parenting support worker was asked, answered, or their work ended.
    SupportEvent(SupportEvent),
}

/// Something that happened to a case, a conference or a plan: the envelope that all events share.
// The lint takes two fields of one type for one attribute given twice.
#[allow(clippy::duplicated_attributes, clippy::enum_variant_names)]
#[derive(Interface)]
#[graphql(
    field(name = "event_id", ty = "ID", desc = "Unique; drop an event that you have seen."),
    field(name = "cursor", ty = "Answer<String>", desc = "Resume with this as `after`."),
    field(name = "type", method = "type", ty = "EventType", desc = "What happened."),
    field(name = "schema_version", ty = "i32", desc = "Version of the event's fields."),
    field(name = "occurred_at", ty = "DateTime", desc = "When it happened."),
    field(name = "recorded_at", ty = "DateTime", desc = "When it was recorded."),
    field(name = "actor", ty = "Actor", desc = "Who caused it."),
    field(name = "case_ref", ty = "Option<CaseRef>", desc = "The case, when the event is about one."),
    field(name = "correlation_id", ty = "ID", desc = "The same for all events of one change."),
    field(name = "causation_id", ty = "Option<ID>", desc = "The event that led to this one, if one did."),
    field(name = "entity", ty = "EntityRef", desc = "The record that it is about."),
    field(name = "severity", ty = "Severity", desc = "How much attention it asks for."),
    field(name = "summary", ty = "String", desc = "One sentence from a template; never free text."),
    field(
        name = "seen_by",
        ty = "Answer<Vec<SeenBy>>",
        desc = "Who has seen it, for each unit that it was for and that you belong to."
    )
)]
pub enum Event {
    /// A unit began or stopped holding a case.
    AllocationEvent(AllocationEvent),
    /// A worker's named part in a case changed.
    InvolvementEvent(InvolvementEvent),
    /// A transfer was asked for, answered or completed.
    TransferEvent(TransferEvent),
    /// A conference changed.
    ConferenceEvent(ConferenceEvent),
    /// An invitation to a conference changed.
    InvitationEvent(InvitationEvent),
    /// A membership of a unit changed.
    MembershipEvent(MembershipEvent),
    /// A plan changed.
    PlanEvent(PlanEvent),
    /// A restriction changed, or a glass was broken.
    AccessEvent(AccessEvent),
    /// A contact came, changed or was decided.
    ContactEvent(ContactEvent),
    /// A referral was decided.
    ReferralEvent(ReferralEvent),
    /// No unit holds a case.
    UnallocatedEvent(UnallocatedEvent),
    /// An assessment began, changed or was authorised.
    AssessmentEvent(AssessmentEvent),
    /// A strategy discussion was held.
    StrategyEvent(StrategyEvent),
    /// A section 47 enquiry began, changed or had its outcome.
    Section47Event(Section47Event),
    /// Who of other agencies takes part changed.
    AgencyParticipantEvent(AgencyParticipantEvent),
    /// Another agency was asked, asked again, answered or refused.
    InformationEvent(InformationEvent),
    /// A parenting support worker was asked, answered, or their work ended.
    SupportEvent(SupportEvent),
}

impl From<Item<Shared>> for Event {
    fn from(item: Item<Shared>) -> Self {
        let pushed = Pushed { event: Arc::clone(&item), item };
        match &pushed.event.data.detail {
            Detail::Allocation { .. } => Self::AllocationEvent(AllocationEvent(pushed)),
            Detail::Involvement { .. } => Self::InvolvementEvent(InvolvementEvent(pushed)),
            Detail::Transfer { .. } => Self::TransferEvent(TransferEvent(pushed)),
            Detail::Conference(_) => Self::ConferenceEvent(ConferenceEvent(pushed)),
            Detail::Invitation(_) => Self::InvitationEvent(InvitationEvent(pushed)),
            Detail::Membership { .. } => Self::MembershipEvent(MembershipEvent(pushed)),
            Detail::Plan { .. } => Self::PlanEvent(PlanEvent(pushed)),
            Detail::Access { .. } => Self::AccessEvent(AccessEvent(pushed)),
            Detail::Contact(_) => Self::ContactEvent(ContactEvent(pushed)),
            Detail::Referral { .. } => Self::ReferralEvent(ReferralEvent(pushed)),
            Detail::Unallocated { .. } => Self::UnallocatedEvent(UnallocatedEvent(pushed)),
            Detail::Assessment(_) => Self::AssessmentEvent(AssessmentEvent(pushed)),
            Detail::Strategy { .. } => Self::StrategyEvent(StrategyEvent(pushed)),
            Detail::Enquiry(_) => Self::Section47Event(Section47Event(pushed)),
            Detail::Participant { .. } => Self::AgencyParticipantEvent(AgencyParticipantEvent(pushed)),
            Detail::Information(_) => Self::InformationEvent(InformationEvent(pushed)),
            Detail::Support { .. } => Self::SupportEvent(SupportEvent(pushed)),
        }
    }
}

impl FeedItem {
    /// An event for one viewer, with an instant for what is read along with it.
    pub(in crate::graphql) fn event(event: Shared, snapshot: Arc<Snapshot>) -> Option<Self> {
        Some(match Event::from(written_down(snapshot, vec![event]).into_iter().next()?) {
            Event::AllocationEvent(event) => Self::AllocationEvent(event),
            Event::InvolvementEvent(event) => Self::InvolvementEvent(event),
            Event::TransferEvent(event) => Self::TransferEvent(event),
            Event::ConferenceEvent(event) => Self::ConferenceEvent(event),
            Event::InvitationEvent(event) => Self::InvitationEvent(event),
            Event::MembershipEvent(event) => Self::MembershipEvent(event),
            Event::PlanEvent(event) => Self::PlanEvent(event),
            Event::AccessEvent(event) => Self::AccessEvent(event),
            Event::ContactEvent(event) => Self::ContactEvent(event),
            Event::ReferralEvent(event) => Self::ReferralEvent(event),
            Event::UnallocatedEvent(event) => Self::UnallocatedEvent(event),
            Event::AssessmentEvent(event) => Self::AssessmentEvent(event),
            Event::StrategyEvent(event) => Self::StrategyEvent(event),
            Event::Section47Event(event) => Self::Section47Event(event),
            Event::AgencyParticipantEvent(event) => Self::AgencyParticipantEvent(event),
            Event::InformationEvent(event) => Self::InformationEvent(event),
            Event::SupportEvent(event) => Self::SupportEvent(event),
        })
    }
}

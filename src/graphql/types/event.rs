use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, SimpleObject};
use uuid::Uuid;

use super::{Allocation, Case, Conference, Plan, Transfer, Unit, Worker};
use crate::{
    db::{Snapshot, allocations, cases, conferences, plans, transfers, units, workers},
    domain::{
        codes::{
            AllocationKind, Capacity, ChangeReason, ConferenceState, ConferenceType, EventType, PlanKind, PlanStatus,
            Priority, Role, Severity, TransferKind, TransferState,
        },
        event::Detail,
        ids::{CaseId, UnitId, WorkerId},
    },
    error::{Error, Result},
    events,
    graphql::{
        batch::{Item, generation},
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

fn seal(ctx: &Context<'_>, position: i64) -> Answer<String> {
    let shared = ctx.shared()?;
    Ok(shared.sealer.feed_cursor(ctx.viewer()?.worker_id, position, (shared.clock)())?)
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
#[derive(SimpleObject)]
pub struct CaseRef {
    /// Global id of the case.
    id: ID,
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
    id: ID,
    /// The version that it had after the event.
    version: i32,
}

/// An event on its way to one viewer, with an instant of its own for what is read along with it.
#[derive(Clone)]
pub struct Pushed {
    event: Arc<events::Event>,
    snapshot: Arc<Snapshot>,
}

impl Pushed {
    fn case_ref(&self) -> Option<CaseRef> {
        let (id, stamp) = (self.event.row.case_id?, self.event.data.case.as_ref()?);
        Some(CaseRef {
            id: global(CaseId::KIND, id),
            case_no: stamp.case_no,
            child_initials: stamp.child_initials.clone(),
        })
    }

    fn one<R>(&self, rows: Vec<R>) -> Option<Item<R>> {
        generation(Arc::clone(&self.snapshot), rows).into_iter().next()
    }

    async fn case(&self, ctx: &Context<'_>) -> Result<Option<Case>> {
        let Some(id) = self.event.row.case_id else { return Ok(None) };
        let rows = cases::by_ids(&self.snapshot, &[id], selection::of(ctx, selection::CASE)).await?;
        Ok(self.one(rows).map(Case))
    }

    async fn unit(&self, id: Uuid) -> Result<Option<Unit>> {
        Ok(self.one(units::by_ids(&self.snapshot, &[id]).await?).map(Unit))
    }

    async fn worker(&self, id: Option<Uuid>) -> Result<Option<Worker>> {
        let Some(id) = id else { return Ok(None) };
        Ok(self.one(workers::by_ids(&self.snapshot, &[id]).await?).map(Worker))
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
                    id: global(&row.entity_type, row.entity_id),
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

            /// The case as it is now; null when you may not see it any more.
            async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
                nullable(self.0.case(ctx).await)
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
            match self.allocation_detail() {
                Ok(detail) => nullable(self.0.unit(detail.2).await),
                Err(error) => Some(Err(error.into())),
            }
        }
        /// The allocation as it is now; null when you may not see it any more.
        async fn allocation(&self, ctx: &Context<'_>) -> Nullable<Allocation> {
            let read = selection::of(ctx, selection::ALLOCATION);
            let rows = allocations::by_ids(&self.0.snapshot, &[self.0.event.row.entity_id], read).await;
            nullable(rows.map(|rows| self.0.one(rows).map(Allocation)))
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
            match &self.0.event.data.detail {
                Detail::Involvement { worker_id, .. } => nullable(self.0.worker(*worker_id).await),
                _ => Some(Err(wrong().into())),
            }
        }
    }
}

event_type! {
    /// A unit was asked to take a case over, or has taken it over.
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
            match self.transfer_detail() {
                Ok(detail) => nullable(self.0.unit(detail.2).await),
                Err(error) => Some(Err(error.into())),
            }
        }
        /// The unit that the case goes to.
        async fn to_unit(&self) -> Nullable<Unit> {
            match self.transfer_detail() {
                Ok(detail) => nullable(self.0.unit(detail.3).await),
                Err(error) => Some(Err(error.into())),
            }
        }
        /// The transfer as it is now; null when you may not see it any more.
        async fn transfer(&self, ctx: &Context<'_>) -> Nullable<Transfer> {
            let read = selection::of(ctx, selection::TRANSFER);
            let rows = transfers::by_ids(&self.0.snapshot, &[self.0.event.row.entity_id], read).await;
            nullable(rows.map(|rows| self.0.one(rows).map(Transfer)))
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
                Detail::Conference { scheduled_for, .. } => scheduled_for.map(DateTime),
                _ => None,
            }
        }
        /// The date that it was moved from.
        async fn previously_scheduled_for(&self) -> Option<DateTime> {
            match &self.0.event.data.detail {
                Detail::Conference { previously_scheduled_for, .. } => previously_scheduled_for.map(DateTime),
                _ => None,
            }
        }
        /// Global id of the chair.
        async fn chair_id(&self) -> Option<ID> {
            match &self.0.event.data.detail {
                Detail::Conference { chair_id, .. } => chair_id.map(|id| global(WorkerId::KIND, id)),
                _ => None,
            }
        }
        /// The conference as it is now; null when you may not see it any more.
        async fn conference(&self) -> Nullable<Conference> {
            let rows = conferences::by_ids(&self.0.snapshot, &[self.0.event.row.entity_id]).await;
            nullable(rows.map(|rows| self.0.one(rows).map(Conference)))
        }
    }
}

impl ConferenceEvent {
    fn conference_detail(&self) -> Result<(ConferenceType, ConferenceState, bool)> {
        match &self.0.event.data.detail {
            Detail::Conference { kind, state, online, .. } => Ok((*kind, *state, *online)),
            _ => Err(wrong()),
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
        /// The plan as it is now; null when you may not see it any more.
        async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
            let read = selection::of(ctx, selection::PLAN);
            let rows = plans::by_ids(&self.0.snapshot, &[self.0.event.row.entity_id], read).await;
            nullable(rows.map(|rows| self.0.one(rows).map(Plan)))
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

fn wrong() -> Error {
    Error::internal("an event has the fields of another kind")
}

/// An item of a feed: its opening, or an event.
#[derive(Interface)]
#[graphql(field(name = "cursor", ty = "Answer<String>", desc = "Resume with this as `after`."))]
pub enum FeedItem {
    /// Where the feed begins.
    FeedOpened(FeedOpened),
    /// A unit began or stopped holding a case.
    AllocationEvent(AllocationEvent),
    /// A worker's named part in a case changed.
    InvolvementEvent(InvolvementEvent),
    /// A transfer was asked for or completed.
    TransferEvent(TransferEvent),
    /// A conference changed.
    ConferenceEvent(ConferenceEvent),
    /// A plan changed.
    PlanEvent(PlanEvent),
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
    field(name = "summary", ty = "String", desc = "One sentence from a template; never free text.")
)]
pub enum Event {
    /// A unit began or stopped holding a case.
    AllocationEvent(AllocationEvent),
    /// A worker's named part in a case changed.
    InvolvementEvent(InvolvementEvent),
    /// A transfer was asked for or completed.
    TransferEvent(TransferEvent),
    /// A conference changed.
    ConferenceEvent(ConferenceEvent),
    /// A plan changed.
    PlanEvent(PlanEvent),
}

impl FeedItem {
    /// An event for one viewer, with an instant for what is read along with it.
    pub(in crate::graphql) fn event(event: Arc<events::Event>, snapshot: Arc<Snapshot>) -> Self {
        let pushed = Pushed { event, snapshot };
        match &pushed.event.data.detail {
            Detail::Allocation { .. } => Self::AllocationEvent(AllocationEvent(pushed)),
            Detail::Involvement { .. } => Self::InvolvementEvent(InvolvementEvent(pushed)),
            Detail::Transfer { .. } => Self::TransferEvent(TransferEvent(pushed)),
            Detail::Conference { .. } => Self::ConferenceEvent(ConferenceEvent(pushed)),
            Detail::Plan { .. } => Self::PlanEvent(PlanEvent(pushed)),
        }
    }
}

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{Allocation, Case, Transfer, Worker, event, event::Event, worker};
use crate::{
    db::{
        access, allocations,
        allocations::AllocationRow,
        cases,
        cases::CaseRow,
        outbox, reads, transfers,
        transfers::TransferRow,
        units,
        units::{AreaRow, MembershipRow, UnitRow},
    },
    domain::{
        codes::{AllocationKind, Role, Service, TransferDirection},
        ids::{AreaId, MembershipId, UnitId},
    },
    events,
    graphql::{
        batch::{Instant, Item},
        connection::{Connection, Listing},
        error::{Answer, Nullable, nullable},
        scalars::{Date, DateTime, global},
        selection,
    },
};

record! {
    /// A social work unit.
    Unit(UnitRow)
}

/// A social work unit: the people who hold children's cases together. What it holds is shown as far as you may see
/// it; who belongs to it is open to every worker.
#[Object]
impl Unit {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(UnitId::KIND, self.0.id)
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The service that the unit belongs to.
    async fn service(&self) -> Service {
        self.0.service.0
    }

    /// Where the unit is reached.
    async fn contact_point(&self) -> Option<&str> {
        self.0.contact_point.as_deref()
    }

    /// How many cases the unit can hold.
    async fn capacity_cases(&self) -> i32 {
        self.0.capacity_cases
    }

    /// First day of the unit.
    async fn active_from(&self) -> Date {
        Date(self.0.active_from)
    }

    /// Last day of the unit, if it has one.
    async fn active_to(&self) -> Option<Date> {
        self.0.active_to.map(Date)
    }

    /// Steps with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The area that the unit belongs to.
    async fn area(&self) -> Nullable<Area> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { units::areas_by_ids(&snapshot, &ids).await };
        let found = self.0.one("area", String::new(), |unit| Some(unit.area_id), |area: &AreaRow| area.id, load).await;
        nullable(found.map(|area| area.map(Area)))
    }

    /// The unit's members now.
    async fn members(&self) -> Answer<Vec<Membership>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { units::members_of(&snapshot, &ids).await };
        let found = self.0.many("members", String::new(), |unit| unit.id, load).await?;
        Ok(found.into_iter().map(Membership).collect())
    }

    /// The cases that the unit holds now, newest allocation first: the unit board starts here.
    async fn allocations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of this kind.")] kind: Option<AllocationKind>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Allocation>> {
        let read = selection::of_nodes(ctx, selection::ALLOCATION);
        let list =
            Listing::new(ctx, &self.0, |unit| unit.id, "Unit.allocations", first, after).narrowed(kind).reading(read);
        list.page(
            |row: &AllocationRow| (row.core.started_at, row.core.id),
            move |snapshot, ids, page| async move { allocations::of_units(&snapshot, &ids, kind, &page, read).await },
            move |snapshot, ids| async move { allocations::count_of_units(&snapshot, &ids, kind).await },
        )
        .await
    }

    /// The cases that the unit holds now in any way, newest first. How it holds them stands in `allocations`.
    async fn cases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Case>> {
        let read = selection::of_nodes(ctx, selection::CASE);
        let list = Listing::new(ctx, &self.0, |unit| unit.id, "Unit.cases", first, after).reading(read);
        list.page(
            |row: &CaseRow| (row.core.opened_on, row.core.id),
            move |snapshot, ids, page| async move { cases::of_units(&snapshot, &ids, &page, read).await },
            // A unit holds a case in one way at a time: as many cases as allocations.
            move |snapshot, ids| async move { allocations::count_of_units(&snapshot, &ids, None).await },
        )
        .await
    }

    /// Transfers that wait for this unit's answer, oldest first.
    async fn requested_transfers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Transfer>> {
        let read = selection::of_nodes(ctx, selection::TRANSFER);
        let list = Listing::new(ctx, &self.0, |unit| unit.id, "Unit.requestedTransfers", first, after).reading(read);
        list.page(
            |row: &TransferRow| (row.core.requested_at, row.core.id),
            move |snapshot, ids, page| async move { transfers::requested_of_units(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { transfers::count_requested_of_units(&snapshot, &ids).await },
        )
        .await
    }

    /// Where the unit's feed stands in the instant of this response. Subscribe to `unitFeed` with it as `after`, and
    /// you miss nothing that this response does not show.
    async fn feed_cursor(&self, ctx: &Context<'_>) -> Answer<String> {
        event::feed_cursor(ctx, self.0.snapshot()).await
    }

    /// What the unit's feed brought you in the last 30 days, newest first: what a board shows of the time before it was
    /// opened, with `seenBy` as of now. Empty for a unit that you do not belong to.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the edge before the page; an event's own cursor is for feeds.")] after: Option<
            String,
        >,
    ) -> Nullable<Connection<Event>> {
        let list = Listing::new(ctx, &self.0, |unit| unit.id, "Unit.events", first, after);
        list.page(
            |event: &Arc<events::Event>| event.seq,
            move |snapshot, ids, page| async move {
                let rows = outbox::recent_of_units(&snapshot, &ids, &page).await?;
                let read = |(at, row)| events::Event::stored(row).map(|event| (at, event));
                Ok(rows.into_iter().filter_map(read).collect())
            },
            move |snapshot, ids| async move { outbox::count_recent_of_units(&snapshot, &ids).await },
        )
        .await
    }

    /// How many events of the unit's feed you have not read (`markRead`), counted up to 1,000. Before your first
    /// `markRead` everything since you became a member counts, as far back as events are kept. Null for a unit that you
    /// do not belong to.
    async fn unread_count(&self) -> Nullable<i64> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { reads::unread_of_units(&snapshot, &ids).await };
        let found = self.0.first("unreadCount", String::new(), |unit| unit.id, load).await;
        nullable(found.map(|count| count.and_then(|count| *count)))
    }

    /// How many children whom the unit holds have a restricted record: the one number that includes them, for whoever is not
    /// on their lists too. The same for every member, the area's manager and the head of service; null for everybody else.
    async fn restricted_count(&self) -> Nullable<i64> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { access::restricted_of_units(&snapshot, &ids).await };
        let found = self.0.first("restrictedCount", String::new(), |unit| unit.id, load).await;
        nullable(found.map(|count| count.and_then(|count| *count)))
    }

    /// All transfers to and from the unit that you may see, newest first.
    async fn transfers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only to the unit, or only from it.")] direction: Option<TransferDirection>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Transfer>> {
        let read = selection::of_nodes(ctx, selection::TRANSFER);
        let list = Listing::new(ctx, &self.0, |unit| unit.id, "Unit.transfers", first, after)
            .narrowed(direction)
            .reading(read);
        list.page(
            |row: &TransferRow| (row.core.requested_at, row.core.id),
            move |snapshot, ids, page| async move { transfers::of_units(&snapshot, &ids, direction, &page, read).await },
            move |snapshot, ids| async move { transfers::count_of_units(&snapshot, &ids, direction).await },
        )
        .await
    }
}

/// The unit with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
) -> crate::error::Result<Option<Unit>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { units::by_ids(&snapshot, &ids).await };
    Ok(from.one(relation, String::new(), foreign, |unit: &UnitRow| unit.id, load).await?.map(Unit))
}

record! {
    /// A service manager's span of units.
    Area(AreaRow)
}

/// A service manager's span of units.
#[Object]
impl Area {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(AreaId::KIND, self.0.id)
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Who answers for the area's units.
    async fn service_manager(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "serviceManager", |area| area.service_manager_id).await)
    }

    /// The area's units by name.
    async fn units(&self) -> Answer<Vec<Unit>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { units::of_areas(&snapshot, &ids).await };
        let found = self.0.many("units", String::new(), |area| area.id, load).await?;
        Ok(found.into_iter().map(Unit).collect())
    }
}

record! {
    /// A worker's membership of a unit.
    Membership(MembershipRow)
}

/// A worker's membership of a unit. Never deleted, only ended.
#[Object]
impl Membership {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(MembershipId::KIND, self.0.id)
    }

    /// The role in the unit.
    async fn role(&self) -> Role {
        self.0.role.0
    }

    /// Whether the worker stands in for somebody.
    async fn cover(&self) -> bool {
        self.0.cover
    }

    /// Since when.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// Until when, if that is known.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// Steps when it ends: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// How many events of the unit's feed the member has not read, as `Unit.unreadCount` counts yours: of others without
    /// events about records that are kept from you. Members of the unit see it, of each other; null for everybody else and
    /// for a membership that is over.
    async fn unread_count(&self) -> Nullable<i64> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { reads::unread_of_memberships(&snapshot, &ids).await };
        let found = self.0.first("unreadCount", String::new(), |membership| membership.id, load).await;
        nullable(found.map(|count| count.and_then(|count| *count)))
    }

    /// The worker.
    async fn worker(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "worker", |membership| Some(membership.worker_id)).await)
    }

    /// The unit.
    async fn unit(&self) -> Nullable<Unit> {
        nullable(one(&self.0, "unit", |membership| Some(membership.unit_id)).await)
    }
}

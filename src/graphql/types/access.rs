use async_graphql::{Context, ID, Object};

use super::{Child, Person, Worker, child, worker};
use crate::{
    db::{
        Personal, access,
        access::{DenialRow, GlassRow, RestrictionRow},
    },
    domain::{
        codes::{BreakGlassFinding, BreakGlassReason, DenialReason, RestrictionReason},
        ids::{AccessDenialId, AccessRestrictionId, BreakGlassId},
    },
    graphql::{
        batch::{Instant, Item},
        error::{Answer, Nullable, nullable},
        scalars::{Date, DateTime, global},
        selection,
    },
};

record! {
    /// A restriction of a person's record.
    AccessRestriction(RestrictionRow)
}

/// A restriction of a person's record: whatever else somebody may see, without being on the list they do not see it. Read by
/// those on the list, and by the head of service, who grants without seeing whom it is about.
#[Object]
impl AccessRestriction {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(AccessRestrictionId::KIND, self.0.id)
    }

    /// Why.
    async fn reason(&self) -> RestrictionReason {
        self.0.reason.0
    }

    /// Since when.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// Until when, if it was lifted.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// Steps with every change: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Whose record it is, if it is a child's; null for whom the record is hidden from.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |row| Some(row.person_id), read).await)
    }

    /// Whose record it is; null for whom the record is hidden from.
    async fn person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "person", |row| Some(row.person_id), read).await)
    }

    /// Who answers for it, changes it, and hears of every break-glass.
    async fn owner(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "owner", |row| Some(row.owner_id)).await)
    }

    /// Who made it.
    async fn created_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "createdBy", |row| Some(row.created_by)).await)
    }

    /// Who may see the record, as far as they could without the restriction.
    async fn allowed(&self) -> Answer<Vec<Worker>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { access::listed_of(&snapshot, &ids).await };
        Ok(self.0.many("allowed", String::new(), |row| row.id, load).await?.into_iter().map(Worker).collect())
    }
}

record! {
    /// A worker who may not see a person's record.
    AccessDenial(DenialRow)
}

/// A worker who may not see a person's record, whatever else they may, break-glass included: a relative. Read by whoever sees
/// the record whole and by the head of service; never by whom it names.
#[Object]
impl AccessDenial {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(AccessDenialId::KIND, self.0.id)
    }

    /// Why.
    async fn reason(&self) -> DenialReason {
        self.0.reason.0
    }

    /// Since when.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// Until when, if it ended.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// Steps when it ends: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Who may not see the record.
    async fn worker(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "worker", |row| Some(row.worker_id)).await)
    }

    /// Whose record it is, if it is a child's; null for whom the record is hidden from.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |row| Some(row.person_id), read).await)
    }

    /// Whose record it is; null for whom the record is hidden from.
    async fn person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "person", |row| Some(row.person_id), read).await)
    }

    /// Who made it.
    async fn created_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "createdBy", |row| Some(row.created_by)).await)
    }
}

record! {
    /// A use of break-glass.
    BreakGlass(GlassRow)
}

/// A use of break-glass: one record opened for one worker for an hour, with a reason, told to the restriction's owner and the
/// service managers at the same moment, and reviewed. Read by them, by who used it, and by whoever sees the record whole.
#[Object]
impl BreakGlass {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(BreakGlassId::KIND, self.0.id)
    }

    /// Why.
    async fn reason(&self) -> BreakGlassReason {
        self.0.reason.0
    }

    /// Why, in the worker's words.
    async fn explanation(&self) -> &str {
        self.0.explanation.read()
    }

    /// Since when the record is open.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// Until when.
    async fn ends_at(&self) -> DateTime {
        DateTime(self.0.ends_at)
    }

    /// Until which day somebody who was alerted should have reviewed it: the next weekday.
    async fn review_due_on(&self) -> Date {
        Date(self.0.review_due_on)
    }

    /// When it was reviewed.
    async fn reviewed_at(&self) -> Option<DateTime> {
        self.0.reviewed_at.map(DateTime)
    }

    /// What the review found.
    async fn finding(&self) -> Option<BreakGlassFinding> {
        self.0.finding.map(|finding| finding.0)
    }

    /// What the review says.
    async fn review_note(&self) -> Option<&str> {
        self.0.review_note.as_ref().map(Personal::read)
    }

    /// Steps with the review: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Whose record it is; null for whom the record is hidden from.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |row| Some(row.child_id), read).await)
    }

    /// Who used it.
    async fn worker(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "worker", |row| Some(row.worker_id)).await)
    }

    /// Who reviewed it.
    async fn reviewed_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "reviewedBy", |row| row.reviewed_by).await)
    }
}

/// The restriction with this id, from any row.
pub(in crate::graphql) async fn restriction<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
) -> crate::error::Result<Option<AccessRestriction>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { access::restrictions_by_ids(&snapshot, &ids).await };
    let found = from.one(relation, String::new(), foreign, |one: &RestrictionRow| one.id, load).await?;
    Ok(found.map(AccessRestriction))
}

/// The denial with this id, from any row.
pub(in crate::graphql) async fn denial<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
) -> crate::error::Result<Option<AccessDenial>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { access::denials_by_ids(&snapshot, &ids).await };
    let found = from.one(relation, String::new(), foreign, |one: &DenialRow| one.id, load).await?;
    Ok(found.map(AccessDenial))
}

/// The use of break-glass with this id, from any row.
pub(in crate::graphql) async fn glass<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
) -> crate::error::Result<Option<BreakGlass>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { access::uses_by_ids(&snapshot, &ids).await };
    let found = from.one(relation, String::new(), foreign, |one: &GlassRow| one.id, load).await?;
    Ok(found.map(BreakGlass))
}

/// The running restriction of a person's record.
pub(in crate::graphql) async fn restriction_of<R: Send + Sync + 'static>(
    item: &Item<R>,
    own: fn(&R) -> uuid::Uuid,
) -> crate::error::Result<Option<AccessRestriction>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { access::restriction_of_persons(&snapshot, &ids).await };
    Ok(item.first("restriction", String::new(), own, load).await?.map(AccessRestriction))
}

/// The running denials of a person's record.
pub(in crate::graphql) async fn denials_of<R: Send + Sync + 'static>(
    item: &Item<R>,
    own: fn(&R) -> uuid::Uuid,
) -> Answer<Vec<AccessDenial>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { access::denials_of_persons(&snapshot, &ids).await };
    Ok(item.many("denials", String::new(), own, load).await?.into_iter().map(AccessDenial).collect())
}

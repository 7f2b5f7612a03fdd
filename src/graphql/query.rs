//! The query root.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::{
    batch::{Item, generation},
    connection::{Connection, List},
    context::HearthContext,
    error::{Answer, Nullable, nullable},
    scalars::{local, split},
    selection,
    types::{Case, Child, Conference, Node, Plan, Transfer, Unit, Worker, node, viewer::ViewerType},
};
use crate::{
    db::{cases, children, conferences, plans, transfers, units, workers},
    domain::ids::{CaseId, ChildId, ConferenceId, PlanId, TransferId, UnitId, WorkerId},
    error::{Error, Result},
};

/// The most ids that `nodes` takes.
const MAX_NODES: usize = 100;

/// Everything that can be read. All of a request shows one instant. What you may not see is not there: a hidden
/// record answers like one that does not exist.
pub struct Query;

fn single<R>(snapshot: Arc<crate::db::Snapshot>, rows: Vec<R>) -> Option<Item<R>> {
    generation(snapshot, rows).into_iter().next()
}

/// Everything that can be read. All of a request shows one instant. What you may not see is not there: a hidden
/// record answers like one that does not exist.
#[Object]
impl Query {
    /// You.
    async fn viewer(&self, ctx: &Context<'_>) -> Answer<ViewerType> {
        let snapshot = ctx.snapshot()?;
        let me = snapshot.viewer().worker_id.0;
        let rows = workers::by_ids(&snapshot, &[me]).await?;
        Ok(single(snapshot, rows).map(ViewerType).ok_or(Error::Unauthenticated)?)
    }

    /// Any record by its global id.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Global id.")] id: ID) -> Nullable<Node> {
        nullable(
            async {
                let (kind, uuid) = known(&id)?;
                let found = node::load(ctx, &ctx.snapshot()?, kind, &[uuid]).await?;
                Ok(found.into_iter().next().map(|(_, node)| node))
            }
            .await,
        )
    }

    /// Records by their global ids, in the same order; null where there is none.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100 global ids.")] ids: Vec<ID>,
    ) -> Answer<Vec<Option<Node>>> {
        if ids.len() > MAX_NODES {
            return Err(Error::bad_input("ids", format!("must not have more than {MAX_NODES} ids")).into());
        }
        let wanted: Vec<(&str, Uuid)> = ids.iter().map(known).collect::<Result<_>>()?;
        let mut of_kind: HashMap<&str, Vec<Uuid>> = HashMap::new();
        for (kind, id) in &wanted {
            of_kind.entry(kind).or_default().push(*id);
        }
        let snapshot = ctx.snapshot()?;
        let mut found: HashMap<(&str, Uuid), Node> = HashMap::new();
        for (kind, ids) in of_kind {
            for (id, node) in node::load(ctx, &snapshot, kind, &ids).await? {
                found.insert((kind, id), node);
            }
        }
        Ok(wanted.iter().map(|key| found.get(key).cloned()).collect())
    }

    /// A unit.
    async fn unit(&self, ctx: &Context<'_>, #[graphql(desc = "Global id of a unit.")] id: ID) -> Nullable<Unit> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", UnitId::KIND, &id)?);
                let rows = units::by_ids(&snapshot, &[id]).await?;
                Ok(single(snapshot, rows).map(Unit))
            }
            .await,
        )
    }

    /// All units by name.
    async fn units(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Unit>> {
        nullable(
            async {
                let list = List::root("units");
                let page = list.page(ctx, first, after.as_deref())?;
                let snapshot = ctx.snapshot()?;
                let rows = units::page(&snapshot, &page).await?;
                let rows = generation(Arc::clone(&snapshot), rows);
                let count = move || {
                    let snapshot = Arc::clone(&snapshot);
                    Box::pin(async move { units::count(&snapshot).await }) as _
                };
                Connection::new(&list, &page, rows, |row| (row.name.clone(), row.id), count).map(Some)
            }
            .await,
        )
    }

    /// A child.
    async fn child(&self, ctx: &Context<'_>, #[graphql(desc = "Global id of a child.")] id: ID) -> Nullable<Child> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", ChildId::KIND, &id)?);
                let rows = children::by_ids(&snapshot, &[id], selection::of(ctx, selection::PERSON)).await?;
                Ok(single(snapshot, rows).map(Child))
            }
            .await,
        )
    }

    /// All children whom you may see, by last name.
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Child>> {
        nullable(
            async {
                let list = List::root("children");
                let page = list.page(ctx, first, after.as_deref())?;
                let snapshot = ctx.snapshot()?;
                let rows = children::page(&snapshot, &page, selection::of_nodes(ctx, selection::PERSON)).await?;
                let rows = generation(Arc::clone(&snapshot), rows);
                let count = move || {
                    let snapshot = Arc::clone(&snapshot);
                    Box::pin(async move { children::count(&snapshot).await }) as _
                };
                Connection::new(&list, &page, rows, |row| (row.core.sort_name.clone(), row.core.id), count).map(Some)
            }
            .await,
        )
    }

    /// A case.
    async fn case(&self, ctx: &Context<'_>, #[graphql(desc = "Global id of a case.")] id: ID) -> Nullable<Case> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", CaseId::KIND, &id)?);
                let rows = cases::by_ids(&snapshot, &[id], selection::of(ctx, selection::CASE)).await?;
                Ok(single(snapshot, rows).map(Case))
            }
            .await,
        )
    }

    /// Open cases that no unit holds, as far as you may see them, newest first: the queue of first response.
    async fn unallocated_cases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Case>> {
        nullable(
            async {
                let list = List::root("unallocatedCases");
                let page = list.page(ctx, first, after.as_deref())?;
                let snapshot = ctx.snapshot()?;
                let rows = cases::queue(&snapshot, &page, selection::of_nodes(ctx, selection::CASE)).await?;
                let rows = generation(Arc::clone(&snapshot), rows);
                let count = move || {
                    let snapshot = Arc::clone(&snapshot);
                    Box::pin(async move { cases::count_queue(&snapshot).await }) as _
                };
                Connection::new(&list, &page, rows, |row| (row.core.opened_on, row.core.id), count).map(Some)
            }
            .await,
        )
    }

    /// A transfer.
    async fn transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global id of a transfer.")] id: ID,
    ) -> Nullable<Transfer> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", TransferId::KIND, &id)?);
                let rows = transfers::by_ids(&snapshot, &[id], selection::of(ctx, selection::TRANSFER)).await?;
                Ok(single(snapshot, rows).map(Transfer))
            }
            .await,
        )
    }

    /// A child protection conference.
    async fn conference(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global id of a conference.")] id: ID,
    ) -> Nullable<Conference> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", ConferenceId::KIND, &id)?);
                let rows = conferences::by_ids(&snapshot, &[id]).await?;
                Ok(single(snapshot, rows).map(Conference))
            }
            .await,
        )
    }

    /// A plan.
    async fn plan(&self, ctx: &Context<'_>, #[graphql(desc = "Global id of a plan.")] id: ID) -> Nullable<Plan> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", PlanId::KIND, &id)?);
                let rows = plans::by_ids(&snapshot, &[id], selection::of(ctx, selection::PLAN)).await?;
                Ok(single(snapshot, rows).map(Plan))
            }
            .await,
        )
    }

    /// A worker.
    async fn worker(&self, ctx: &Context<'_>, #[graphql(desc = "Global id of a worker.")] id: ID) -> Nullable<Worker> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", WorkerId::KIND, &id)?);
                let rows = workers::by_ids(&snapshot, &[id]).await?;
                Ok(single(snapshot, rows).map(Worker))
            }
            .await,
        )
    }
}

/// Kind and uuid of a global id of any kind.
fn known(id: &ID) -> Result<(&str, Uuid)> {
    split(id).ok_or_else(|| Error::bad_input("id", "is no global id: use the id field of a record"))
}

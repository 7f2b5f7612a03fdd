use async_graphql::{Context, ID, Object};

use super::{Area, Involvement, unit::Membership};
use crate::{
    db::{Coded, involvements, units, workers, workers::WorkerRow},
    domain::{codes::Role, ids::WorkerId},
    graphql::{
        batch::{Instant, Item},
        connection::{Connection, List, counted},
        error::{Answer, Nullable, nullable},
        scalars::global,
    },
};

record! {
    /// A worker of the authority.
    Worker(WorkerRow)
}

/// Somebody who works for the authority. The directory of workers is open to every worker.
#[Object]
impl Worker {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(WorkerId::KIND, self.0.id)
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Staff number.
    async fn staff_no(&self) -> &str {
        &self.0.staff_no
    }

    /// Whether the worker is a qualified social worker.
    async fn qualified(&self) -> bool {
        self.0.qualified
    }

    /// Whether the worker works here now.
    async fn active(&self) -> bool {
        self.0.active
    }

    /// The units that the worker belongs to now.
    async fn memberships(&self) -> Answer<Vec<Membership>> {
        memberships_of(&self.0).await
    }

    /// The posts that the worker holds beside units: first response, conference chair, head of service.
    async fn posts(&self) -> Answer<Vec<Role>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { workers::posts_of(&snapshot, &ids).await };
        let found: Vec<Item<Coded<Role>>> = self.0.many("posts", String::new(), |worker| worker.id, load).await?;
        Ok(found.into_iter().map(|post| post.0).collect())
    }

    /// The areas that the worker manages.
    async fn areas(&self) -> Answer<Vec<Area>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { units::areas_of_workers(&snapshot, &ids).await };
        let found = self.0.many("areas", String::new(), |worker| worker.id, load).await?;
        Ok(found.into_iter().map(Area).collect())
    }

    /// The cases in which the worker has a named part now, as far as you may see them, newest first.
    async fn involvements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Involvement>> {
        involvements_of(&self.0, List::of("Worker.involvements", self.0.id), ctx, first, after).await
    }
}

/// The units that a worker belongs to now.
pub(in crate::graphql) async fn memberships_of(worker: &Item<WorkerRow>) -> Answer<Vec<Membership>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { units::memberships_of_workers(&snapshot, &ids).await };
    let found = worker.many("memberships", String::new(), |worker| worker.id, load).await?;
    Ok(found.into_iter().map(Membership).collect())
}

/// A page of a worker's running involvements.
pub(in crate::graphql) async fn involvements_of(
    worker: &Item<WorkerRow>,
    list: List,
    ctx: &Context<'_>,
    first: Option<i32>,
    after: Option<String>,
) -> Nullable<Connection<Involvement>> {
    nullable(
        async {
            let page = list.page(ctx, first, after.as_deref())?;
            let wanted = page.clone();
            let load = move |snapshot: Instant, ids: Vec<_>| async move {
                involvements::of_workers(&snapshot, &ids, &wanted).await
            };
            let rows = worker.many("involvements", format!("{page:?}"), |worker| worker.id, load).await?;
            let count =
                |snapshot: Instant, ids: Vec<_>| async move { involvements::count_of_workers(&snapshot, &ids).await };
            let count = counted(worker.clone(), "involvements.count", String::new(), |worker| worker.id, count);
            Connection::new(&list, &page, rows, |row| (row.started_at, row.id), count).map(Some)
        }
        .await,
    )
}

/// The worker with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
) -> crate::error::Result<Option<Worker>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { workers::by_ids(&snapshot, &ids).await };
    Ok(from.one(relation, String::new(), foreign, |worker: &WorkerRow| worker.id, load).await?.map(Worker))
}

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::{Action, BreakGlass, Conference, Involvement, Worker, event, unit::Membership, worker};
use crate::{
    db::{access, conferences, plans, workers::WorkerRow},
    graphql::{
        batch::{Instant, Item, generation},
        connection::{Connection, List, counted},
        error::{Answer, Nullable, nullable},
        scalars::Date,
        selection,
    },
};

/// You.
pub struct ViewerType(pub(in crate::graphql) Item<WorkerRow>);

/// You, and what concerns you by name: a mobile worker's screen starts here.
#[Object(name = "Viewer")]
impl ViewerType {
    /// Your entry in the directory.
    async fn worker(&self) -> Worker {
        Worker(self.0.clone())
    }

    /// The units that you belong to now.
    async fn memberships(&self) -> Answer<Vec<Membership>> {
        worker::memberships_of(&self.0).await
    }

    /// The cases in which you have a named part, newest first.
    async fn involvements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Involvement>> {
        worker::involvements_of(&self.0, List::root("Viewer.involvements"), ctx, first, after).await
    }

    /// Your open actions that have a due date, soonest first.
    async fn actions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those due on this day or before.")] due_by: Option<Date>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Action>> {
        nullable(
            async {
                let list = List::root("Viewer.actions");
                let page = list.page(ctx, first, after.as_deref())?;
                let due_by = due_by.map(|day| day.0);
                let wanted = page.clone();
                let read = selection::of_nodes(ctx, selection::ACTION);
                let load = move |snapshot: Instant, ids: Vec<_>| async move {
                    plans::due_of_workers(&snapshot, &ids, due_by, &wanted, read).await
                };
                let rows =
                    self.0.many("actions", format!("{due_by:?} {read:?} {page:?}"), |worker| worker.id, load).await?;
                let count = move |snapshot: Instant, ids: Vec<_>| async move {
                    plans::count_due_of_workers(&snapshot, &ids, due_by).await
                };
                let count = counted(self.0.clone(), "actions.count", format!("{due_by:?}"), |worker| worker.id, count);
                Connection::new(&list, &page, rows, |row| (row.due_on, row.id), count).map(Some)
            }
            .await,
        )
    }

    /// Coming conferences that you chair or that are about a case in which you have a named part, soonest first.
    async fn conferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Conference>> {
        nullable(
            async {
                let list = List::root("Viewer.conferences");
                let page = list.page(ctx, first, after.as_deref())?;
                let wanted = page.clone();
                let load = move |snapshot: Instant, ids: Vec<_>| async move {
                    conferences::coming_of_workers(&snapshot, &ids, &wanted).await
                };
                let rows = self.0.many("conferences", format!("{page:?}"), |worker| worker.id, load).await?;
                let count = |snapshot: Instant, ids: Vec<_>| async move {
                    conferences::count_coming_of_workers(&snapshot, &ids).await
                };
                let count = counted(self.0.clone(), "conferences.count", String::new(), |worker| worker.id, count);
                Connection::new(&list, &page, rows, |row| (row.scheduled_for, row.id), count).map(Some)
            }
            .await,
        )
    }

    /// Uses of break-glass of which you were alerted, newest first.
    async fn break_glass_alerts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that nobody has reviewed yet.", default)] to_review: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<BreakGlass>> {
        nullable(
            async {
                let list = List::root("Viewer.breakGlassAlerts");
                let page = list.page(ctx, first, after.as_deref())?;
                let snapshot = Arc::clone(self.0.snapshot());
                let rows = access::alerted_uses(&snapshot, to_review, &page).await?;
                let rows = generation(Arc::clone(&snapshot), rows);
                let count = move || {
                    let snapshot = Arc::clone(&snapshot);
                    Box::pin(async move { access::count_alerted_uses(&snapshot, to_review).await }) as _
                };
                Connection::new(&list, &page, rows, |row| (row.started_at, row.id), count).map(Some)
            }
            .await,
        )
    }

    /// Where the feeds stand in the instant of this response: subscribe with it as `after` and you miss nothing.
    async fn feed_cursor(&self, ctx: &Context<'_>) -> Answer<String> {
        event::feed_cursor(ctx, self.0.snapshot()).await
    }
}

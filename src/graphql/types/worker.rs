use async_graphql::{Context, ID, Object};

use super::{
    Action, Area, Assessment, Conference, InformationRequest, Involvement, Section47Enquiry, SupportRequest, Transfer,
    conference::{ConferenceMove, Invitation},
    unit::Membership,
};
use crate::{
    db::{
        Coded, assessments,
        assessments::AssessmentRow,
        conferences,
        conferences::{ConferenceRow, MoveRow},
        enquiries,
        enquiries::EnquiryRow,
        information,
        information::RequestRow,
        invitations,
        invitations::InvitationRow,
        involvements, plans,
        plans::ActionShown,
        support,
        support::SupportRow,
        transfers,
        transfers::TransferRow,
        units, workers,
        workers::WorkerRow,
    },
    domain::{codes::Role, ids::WorkerId},
    graphql::{
        batch::{Instant, Item},
        connection::{Connection, List, Listing, counted},
        error::{Answer, Nullable, nullable},
        scalars::global,
        selection,
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

    /// Conferences that the worker chairs or chaired, as far as you may see them, latest request first.
    async fn chaired_conferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Conference>> {
        let list = Listing::new(ctx, &self.0, |worker| worker.id, "Worker.chairedConferences", first, after);
        list.page(
            |row: &ConferenceRow| (row.requested_at, row.id),
            move |snapshot, ids, page| async move { conferences::chaired_by(&snapshot, &ids, &page).await },
            move |snapshot, ids| async move { conferences::count_chaired_by(&snapshot, &ids).await },
        )
        .await
    }

    /// Conferences that the worker asked for, as far as you may see them, latest request first.
    async fn requested_conferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Conference>> {
        let list = Listing::new(ctx, &self.0, |worker| worker.id, "Worker.requestedConferences", first, after);
        list.page(
            |row: &ConferenceRow| (row.requested_at, row.id),
            move |snapshot, ids, page| async move { conferences::requested_by(&snapshot, &ids, &page).await },
            move |snapshot, ids| async move { conferences::count_requested_by(&snapshot, &ids).await },
        )
        .await
    }

    /// Moves of conferences that the worker made, as far as you may see them, newest first.
    async fn conference_moves(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<ConferenceMove>> {
        let list = Listing::new(ctx, &self.0, |worker| worker.id, "Worker.conferenceMoves", first, after);
        list.page(
            |row: &MoveRow| (row.moved_at, row.id),
            move |snapshot, ids, page| async move { conferences::moved_by(&snapshot, &ids, &page).await },
            move |snapshot, ids| async move { conferences::count_moved_by(&snapshot, &ids).await },
        )
        .await
    }

    /// Invitations of the worker to conferences, as far as you may see them, latest first.
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Invitation>> {
        let read = selection::of_nodes(ctx, selection::INVITATION);
        let list = Listing::new(ctx, &self.0, |worker| worker.id, "Worker.invitations", first, after).reading(read);
        list.page(
            |row: &InvitationRow| row.core.id,
            move |snapshot, ids, page| async move { invitations::of_workers(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { invitations::count_of_workers(&snapshot, &ids).await },
        )
        .await
    }

    /// Actions of plans that the worker does or did, as far as you may see them, latest first.
    async fn owned_actions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that are neither done nor given up.", default)] open: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Action>> {
        let read = selection::of_nodes(ctx, selection::ACTION);
        let list = Listing::new(ctx, &self.0, |worker| worker.id, "Worker.ownedActions", first, after)
            .narrowed(open)
            .reading(read);
        list.page(
            |row: &ActionShown| row.id,
            move |snapshot, ids, page| async move { plans::owned_by_workers(&snapshot, &ids, open, &page, read).await },
            move |snapshot, ids| async move { plans::count_owned_by_workers(&snapshot, &ids, open).await },
        )
        .await
    }

    /// Assessments that the worker began, as far as you may see them, latest first.
    async fn assessments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Assessment>> {
        let read = selection::of_nodes(ctx, selection::ASSESSMENT);
        let list = Listing::new(ctx, &self.0, |worker| worker.id, "Worker.assessments", first, after).reading(read);
        list.page(
            |row: &AssessmentRow| (row.core.started_on, row.core.id),
            move |snapshot, ids, page| async move { assessments::of_authors(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { assessments::count_of_authors(&snapshot, &ids).await },
        )
        .await
    }

    /// Section 47 enquiries that the worker leads or led, as far as you may see them, latest first.
    async fn led_enquiries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Section47Enquiry>> {
        let read = selection::of_nodes(ctx, selection::ENQUIRY);
        let list = Listing::new(ctx, &self.0, |worker| worker.id, "Worker.ledEnquiries", first, after).reading(read);
        list.page(
            |row: &EnquiryRow| (row.core.started_on, row.core.id),
            move |snapshot, ids, page| async move { enquiries::of_leads(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { enquiries::count_of_leads(&snapshot, &ids).await },
        )
        .await
    }

    /// What the worker asked other agencies for, as far as you may see it, latest first.
    async fn information_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what waits for an answer.", default)] open: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<InformationRequest>> {
        let read = selection::of_nodes(ctx, selection::INFORMATION);
        let list = Listing::new(ctx, &self.0, |worker| worker.id, "Worker.informationRequests", first, after)
            .narrowed(open)
            .reading(read);
        list.page(
            |row: &RequestRow| (row.core.asked_at, row.core.id),
            move |snapshot, ids, page| async move { information::of_askers(&snapshot, &ids, open, &page, read).await },
            move |snapshot, ids| async move { information::count_of_askers(&snapshot, &ids, open).await },
        )
        .await
    }

    /// What the worker was asked for as a parenting support worker, as far as you may see it, latest first.
    async fn support_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what is not over.", default)] open: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<SupportRequest>> {
        let list =
            Listing::new(ctx, &self.0, |worker| worker.id, "Worker.supportRequests", first, after).narrowed(open);
        list.page(
            |row: &SupportRow| (row.requested_at, row.id),
            move |snapshot, ids, page| async move { support::of_workers(&snapshot, &ids, open, &page).await },
            move |snapshot, ids| async move { support::count_of_workers(&snapshot, &ids, open).await },
        )
        .await
    }

    /// Transfers that the worker asked for, as far as you may see them, newest first.
    async fn requested_transfers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Transfer>> {
        let read = selection::of_nodes(ctx, selection::TRANSFER);
        let list =
            Listing::new(ctx, &self.0, |worker| worker.id, "Worker.requestedTransfers", first, after).reading(read);
        list.page(
            |row: &TransferRow| (row.core.requested_at, row.core.id),
            move |snapshot, ids, page| async move { transfers::requested_by(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { transfers::count_requested_by(&snapshot, &ids).await },
        )
        .await
    }

    /// Transfers that the worker answered, as far as you may see them, newest first.
    async fn answered_transfers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Transfer>> {
        let read = selection::of_nodes(ctx, selection::TRANSFER);
        let list =
            Listing::new(ctx, &self.0, |worker| worker.id, "Worker.answeredTransfers", first, after).reading(read);
        list.page(
            |row: &TransferRow| (row.core.requested_at, row.core.id),
            move |snapshot, ids, page| async move { transfers::answered_by(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { transfers::count_answered_by(&snapshot, &ids).await },
        )
        .await
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
    one_beside(from, relation, foreign, |_| None).await
}

/// The same, from rows that the worker may have been read beside.
pub(in crate::graphql) async fn one_beside<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    beside: fn(&R) -> Option<Option<&WorkerRow>>,
) -> crate::error::Result<Option<Worker>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { workers::by_ids(&snapshot, &ids).await };
    Ok(from.one_beside(relation, foreign, beside, |worker: &WorkerRow| worker.id, load).await?.map(Worker))
}

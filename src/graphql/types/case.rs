use async_graphql::{Context, ID, Object};

use super::{
    AgencyParticipant, Allocation, Assessment, Child, Conference, Contact, InformationRequest, Involvement, Plan,
    Referral, Section47Enquiry, StrategyDiscussion, SupportRequest, Transfer, child, conference::ConferenceChild,
    contact,
};
use crate::{
    db::{
        Columns, allocations,
        allocations::AllocationRow,
        assessments,
        assessments::AssessmentRow,
        cases,
        cases::CaseRow,
        conferences,
        conferences::{ConferenceChildRow, ConferenceRow},
        contacts,
        contacts::ContactRow,
        enquiries,
        enquiries::{DiscussionRow, EnquiryRow},
        information,
        information::RequestRow,
        involvements, plans,
        plans::PlanRow,
        support,
        support::SupportRow,
        transfers,
    },
    domain::{
        codes::{CaseStatus, ClosureReason, PrimaryNeed},
        ids::CaseId,
    },
    graphql::{
        batch::{Instant, Item},
        connection::{Connection, Listing},
        error::{Answer, Nullable, nullable},
        scalars::{Date, global},
        selection,
    },
};

record! {
    /// A case.
    Case(CaseRow)
}

/// One period of involvement with one child, opened by a referral, closed once.
#[Object]
impl Case {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(CaseId::KIND, self.0.core.id)
    }

    /// Number of the case.
    async fn case_no(&self) -> i64 {
        self.0.core.case_no
    }

    /// Day of the referral.
    async fn opened_on(&self) -> Date {
        Date(self.0.core.opened_on)
    }

    /// Where the case stands.
    async fn status(&self) -> CaseStatus {
        self.0.core.status.0
    }

    /// The child's primary need.
    async fn primary_need(&self) -> Option<PrimaryNeed> {
        self.0.core.primary_need.map(|need| need.0)
    }

    /// Day on which the case was closed.
    async fn closed_on(&self) -> Option<Date> {
        self.0.core.closed_on.map(Date)
    }

    /// Why the case was closed.
    async fn closure_reason(&self) -> Option<ClosureReason> {
        self.0.core.closure_reason.map(|reason| reason.0)
    }

    /// Steps with every change of the case and of who holds it: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// Why the child was referred. Narrative: read only when selected.
    async fn referral_summary(&self) -> Nullable<String> {
        nullable(self.0.referral_summary().map(|text| text.map(str::to_owned)))
    }

    /// Why the case was closed, in words. Narrative: read only when selected.
    async fn closure_rationale(&self) -> Nullable<String> {
        nullable(self.0.closure_rationale().map(|text| text.map(str::to_owned)))
    }

    /// Why the child can live at home safely without a social worker, as it was stated when the case was closed. Narrative: read
    /// only when selected.
    async fn safe_at_home(&self) -> Nullable<String> {
        nullable(self.0.safe_at_home().map(|text| text.map(str::to_owned)))
    }

    /// The referral that opened it; null of a case from before referrals were kept.
    async fn referral(&self, ctx: &Context<'_>) -> Nullable<Referral> {
        let read = selection::of(ctx, selection::REFERRAL);
        nullable(contact::referral_of(&self.0, |case| case.core.id, read).await)
    }

    /// The contacts that went to this case, latest first.
    async fn contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Contact>> {
        let read = selection::of_nodes(ctx, selection::CONTACT);
        let list = Listing::new(ctx, &self.0, |case| case.core.id, "Case.contacts", first, after).reading(read);
        list.page(
            |row: &ContactRow| (row.core.received_at, row.core.id),
            move |snapshot, ids, page| async move { contacts::of_cases(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { contacts::count_of_cases(&snapshot, &ids).await },
        )
        .await
    }

    /// The child.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |case| Some(case.core.child_id), read).await)
    }

    /// The unit that holds the case; none while it is in the queue.
    async fn primary_allocation(&self, ctx: &Context<'_>) -> Nullable<Allocation> {
        let read = selection::of(ctx, selection::ALLOCATION);
        let load = move |snapshot: Instant, ids: Vec<_>| async move {
            allocations::primary_of_cases(&snapshot, &ids, read).await
        };
        let found = self.0.first("primaryAllocation", format!("{read:?}"), |case| case.core.id, load).await;
        nullable(found.map(|one| one.map(Allocation)))
    }

    /// Every unit that holds or held the case, newest first.
    async fn allocations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that run now.", default)] current: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Allocation>> {
        let read = selection::of_nodes(ctx, selection::ALLOCATION);
        let list = Listing::new(ctx, &self.0, |case| case.core.id, "Case.allocations", first, after)
            .narrowed(current)
            .reading(read);
        list.page(
            |row: &AllocationRow| (row.core.started_at, row.core.id),
            move |snapshot, ids, page| async move { allocations::of_cases(&snapshot, &ids, current, &page, read).await },
            move |snapshot, ids| async move { allocations::count_of_cases(&snapshot, &ids, current).await },
        )
        .await
    }

    /// The one named social worker.
    async fn lead_practitioner(&self) -> Nullable<Involvement> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { involvements::lead_of_cases(&snapshot, &ids).await };
        let found = self.0.first("leadPractitioner", String::new(), |case| case.core.id, load).await;
        nullable(found.map(|one| one.map(Involvement)))
    }

    /// Everybody with a named part in the case now.
    async fn involvements(&self) -> Answer<Vec<Involvement>> {
        let load =
            |snapshot: Instant, ids: Vec<_>| async move { involvements::current_of_cases(&snapshot, &ids).await };
        let found = self.0.many("involvements", String::new(), |case| case.core.id, load).await?;
        Ok(found.into_iter().map(Involvement).collect())
    }

    /// Transfers of the case, newest first, at most 100.
    async fn transfers(&self, ctx: &Context<'_>) -> Answer<Vec<Transfer>> {
        let read = selection::of(ctx, selection::TRANSFER);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { transfers::of_cases(&snapshot, &ids, read).await };
        let found = self.0.many("transfers", format!("{read:?}"), |case| case.core.id, load).await?;
        Ok(found.into_iter().map(Transfer).collect())
    }

    /// The plans in force. A child in need plan and a child protection plan are never in force together.
    async fn current_plans(&self, ctx: &Context<'_>) -> Answer<Vec<Plan>> {
        let read = selection::of(ctx, selection::PLAN);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { plans::current_of_cases(&snapshot, &ids, read).await };
        let found = self.0.many("currentPlans", format!("{read:?}"), |case| case.core.id, load).await?;
        Ok(found.into_iter().map(Plan).collect())
    }

    /// The next conference about the child that has a date.
    async fn next_conference(&self) -> Nullable<Conference> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { conferences::next_of_cases(&snapshot, &ids).await };
        let found = self.0.first("nextConference", String::new(), |case| case.core.id, load).await;
        nullable(found.map(|one| one.map(Conference)))
    }

    /// All conferences about the child in this case, latest request first.
    async fn conferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Conference>> {
        let list = Listing::new(ctx, &self.0, |case| case.core.id, "Case.conferences", first, after);
        list.page(
            |row: &ConferenceRow| (row.requested_at, row.id),
            move |snapshot, ids, page| async move { conferences::of_cases(&snapshot, &ids, &page).await },
            move |snapshot, ids| async move { conferences::count_of_cases(&snapshot, &ids).await },
        )
        .await
    }

    /// All plans of the case, latest first.
    async fn plans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Plan>> {
        let read = selection::of_nodes(ctx, selection::PLAN);
        let list = Listing::new(ctx, &self.0, |case| case.core.id, "Case.plans", first, after).reading(read);
        list.page(
            |row: &PlanRow| row.core.id,
            move |snapshot, ids, page| async move { plans::of_cases(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { plans::count_of_cases(&snapshot, &ids).await },
        )
        .await
    }

    /// All assessments of the case, latest first.
    async fn assessments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Assessment>> {
        let read = selection::of_nodes(ctx, selection::ASSESSMENT);
        let list = Listing::new(ctx, &self.0, |case| case.core.id, "Case.assessments", first, after).reading(read);
        list.page(
            |row: &AssessmentRow| (row.core.started_on, row.core.id),
            move |snapshot, ids, page| async move { assessments::of_cases(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { assessments::count_of_cases(&snapshot, &ids).await },
        )
        .await
    }

    /// The assessment that is being written or waits to be authorised.
    async fn current_assessment(&self, ctx: &Context<'_>) -> Nullable<Assessment> {
        let read = selection::of(ctx, selection::ASSESSMENT);
        let load = move |snapshot: Instant, ids: Vec<_>| async move {
            assessments::open_of_cases(&snapshot, &ids, read).await
        };
        let found = self.0.first("currentAssessment", format!("{read:?}"), |case| case.core.id, load).await;
        nullable(found.map(|one| one.map(Assessment)))
    }

    /// All strategy discussions about the child in this case, latest first.
    async fn strategy_discussions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<StrategyDiscussion>> {
        let read = selection::of_nodes(ctx, selection::DISCUSSION);
        let list =
            Listing::new(ctx, &self.0, |case| case.core.id, "Case.strategyDiscussions", first, after).reading(read);
        list.page(
            |row: &DiscussionRow| (row.core.held_at, row.core.id),
            move |snapshot, ids, page| async move { enquiries::discussions_of_cases(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { enquiries::count_discussions_of_cases(&snapshot, &ids).await },
        )
        .await
    }

    /// All section 47 enquiries in this case, latest first.
    async fn section47_enquiries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Section47Enquiry>> {
        let read = selection::of_nodes(ctx, selection::ENQUIRY);
        let list =
            Listing::new(ctx, &self.0, |case| case.core.id, "Case.section47Enquiries", first, after).reading(read);
        list.page(
            |row: &EnquiryRow| (row.core.started_on, row.core.id),
            move |snapshot, ids, page| async move { enquiries::of_cases(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { enquiries::count_of_cases(&snapshot, &ids).await },
        )
        .await
    }

    /// The section 47 enquiry that is not over.
    async fn current_enquiry(&self, ctx: &Context<'_>) -> Nullable<Section47Enquiry> {
        let read = selection::of(ctx, selection::ENQUIRY);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { enquiries::open_of_cases(&snapshot, &ids, read).await };
        let found = self.0.first("currentEnquiry", format!("{read:?}"), |case| case.core.id, load).await;
        nullable(found.map(|one| one.map(Section47Enquiry)))
    }

    /// Who of other agencies takes part, first one first, at most 100.
    async fn agency_participants(
        &self,
        #[graphql(desc = "Only those who take part now.", default)] current: bool,
    ) -> Answer<Vec<AgencyParticipant>> {
        let load = move |snapshot: Instant, ids: Vec<_>| async move {
            information::participants_of_cases(&snapshot, &ids, current).await
        };
        let found = self.0.many("agencyParticipants", format!("{current}"), |case| case.core.id, load).await?;
        Ok(found.into_iter().map(AgencyParticipant).collect())
    }

    /// What others were asked for, latest first.
    async fn information_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what waits for an answer.", default)] open: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<InformationRequest>> {
        let read = selection::of_nodes(ctx, selection::INFORMATION);
        let list = Listing::new(ctx, &self.0, |case| case.core.id, "Case.informationRequests", first, after)
            .narrowed(open)
            .reading(read);
        list.page(
            |row: &RequestRow| (row.core.asked_at, row.core.id),
            move |snapshot, ids, page| async move { information::of_cases(&snapshot, &ids, open, &page, read).await },
            move |snapshot, ids| async move { information::count_of_cases(&snapshot, &ids, open).await },
        )
        .await
    }

    /// What parenting support workers were asked for, latest first.
    async fn support_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what is not over.", default)] open: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<SupportRequest>> {
        let list = Listing::new(ctx, &self.0, |case| case.core.id, "Case.supportRequests", first, after).narrowed(open);
        list.page(
            |row: &SupportRow| (row.requested_at, row.id),
            move |snapshot, ids, page| async move { support::of_cases(&snapshot, &ids, open, &page).await },
            move |snapshot, ids| async move { support::count_of_cases(&snapshot, &ids, open).await },
        )
        .await
    }

    /// The child's parts in conferences about this case, each with its decision, latest first.
    async fn conference_parts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<ConferenceChild>> {
        let read = selection::of_nodes(ctx, selection::CONFERENCE_CHILD);
        let list = Listing::new(ctx, &self.0, |case| case.core.id, "Case.conferenceParts", first, after).reading(read);
        list.page(
            |row: &ConferenceChildRow| row.core.id,
            move |snapshot, ids, page| async move { conferences::parts_of_cases(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { conferences::count_parts_of_cases(&snapshot, &ids).await },
        )
        .await
    }
}

/// The case with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Case>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { cases::by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |case: &CaseRow| case.core.id, load).await?;
    Ok(found.map(Case))
}

use async_graphql::{Context, ID, Object};

use super::{Case, Child, Section47Enquiry, Worker, case, child, contact, enquiry, worker};
use crate::{
    db::{
        Columns, Personal, information,
        information::{AgencyParticipantRow, ChaseRow, RequestRow},
    },
    domain::{
        codes::{Agency, FieldClass, InformationDuty, InformationStatus, InvitationMethod},
        ids::{AgencyParticipantId, InformationRequestId},
    },
    graphql::{
        batch::{Instant, Item},
        connection::{Connection, Listing},
        error::{Answer, Nullable, nullable},
        scalars::{Date, DateTime, global},
        selection,
    },
};

record! {
    /// Somebody of another agency who takes part.
    AgencyParticipant(AgencyParticipantRow)
}

/// Somebody of another agency who works with the child and takes part in the case.
#[Object]
impl AgencyParticipant {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(AgencyParticipantId::KIND, self.0.id)
    }

    /// The agency.
    async fn agency(&self) -> Agency {
        self.0.agency.0
    }

    /// The organisation, as they call it.
    async fn organisation(&self) -> &str {
        self.0.organisation.read()
    }

    /// Their name.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_ref().map(Personal::read)
    }

    /// How to reach them.
    async fn contact(&self) -> Option<&str> {
        self.0.contact.as_ref().map(Personal::read)
    }

    /// Since when they take part.
    async fn joined_on(&self) -> Date {
        Date(self.0.joined_on)
    }

    /// Until when.
    async fn left_on(&self) -> Option<Date> {
        self.0.left_on.map(Date)
    }

    /// Steps with every change: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What they were asked, latest first.
    async fn information_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what waits for an answer.", default)] open: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<InformationRequest>> {
        let read = selection::of_nodes(ctx, selection::INFORMATION);
        let list = Listing::new(ctx, &self.0, |one| one.id, "AgencyParticipant.informationRequests", first, after)
            .narrowed(open)
            .reading(read);
        list.page(
            |row: &RequestRow| (row.core.asked_at, row.core.id),
            move |snapshot, ids, page| async move {
                information::of_participants(&snapshot, &ids, open, &page, read).await
            },
            move |snapshot, ids| async move { information::count_of_participants(&snapshot, &ids, open).await },
        )
        .await
    }

    /// The case.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |one| Some(one.case_id), read).await)
    }

    /// The child.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |one| Some(one.child_id), read).await)
    }

    /// Who said so.
    async fn added_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "addedBy", |one| Some(one.added_by)).await)
    }
}

record! {
    /// A request for information.
    InformationRequest(RequestRow)
}

/// What somebody of another agency is asked. In a section 47 enquiry they are required to answer.
#[Object]
impl InformationRequest {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(InformationRequestId::KIND, self.0.core.id)
    }

    /// Why they are asked.
    async fn duty(&self) -> InformationDuty {
        self.0.core.duty.0
    }

    /// Where it stands.
    async fn status(&self) -> InformationStatus {
        self.0.core.status.0
    }

    /// When they were asked.
    async fn asked_at(&self) -> DateTime {
        DateTime(self.0.core.asked_at)
    }

    /// When the answer is due.
    async fn due_at(&self) -> DateTime {
        DateTime(self.0.core.due_at)
    }

    /// Whether an answer is waited for and was due.
    async fn overdue(&self) -> bool {
        let waits = matches!(self.0.core.status.0, InformationStatus::Sent | InformationStatus::Chased);
        waits && self.0.core.due_at < self.0.snapshot().viewer().at
    }

    /// When the answer came.
    async fn received_at(&self) -> Option<DateTime> {
        self.0.core.received_at.map(DateTime)
    }

    /// When they refused; they may have answered since.
    async fn refused_at(&self) -> Option<DateTime> {
        self.0.core.refused_at.map(DateTime)
    }

    /// Steps with every change: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// What was asked. Narrative: read only when selected.
    async fn questions(&self) -> Nullable<String> {
        nullable(self.0.questions().map(|text| text.map(str::to_owned)))
    }

    /// What they said. Third-party: read only when selected; null when `withheld`.
    async fn response(&self) -> Nullable<String> {
        nullable(self.0.response().map(|text| text.map(str::to_owned)))
    }

    /// Which classes of fields are null because they are not for your role here, whatever they hold.
    async fn withheld(&self) -> Answer<Vec<FieldClass>> {
        contact::withheld(&self.0, |one| one.core.child_id, &[FieldClass::ThirdParty]).await
    }

    /// Why they refused. Third-party: read only when selected; null when `withheld`.
    async fn refusal_reason(&self) -> Nullable<String> {
        nullable(self.0.refusal_reason().map(|text| text.map(str::to_owned)))
    }

    /// Why it was withdrawn. Narrative: read only when selected.
    async fn withdrawn_reason(&self) -> Nullable<String> {
        nullable(self.0.withdrawn_reason().map(|text| text.map(str::to_owned)))
    }

    /// When the answer was asked for again, first one first.
    async fn chases(&self) -> Answer<Vec<InformationChase>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { information::chases_of(&snapshot, &ids).await };
        let found = self.0.many("chases", String::new(), |one| one.core.id, load).await?;
        Ok(found.into_iter().map(InformationChase).collect())
    }

    /// Whom they were asked of.
    async fn participant(&self) -> Nullable<AgencyParticipant> {
        nullable(participant(&self.0, "participant", |one| Some(one.core.participant_id)).await)
    }

    /// The enquiry in which they are asked.
    async fn enquiry(&self, ctx: &Context<'_>) -> Nullable<Section47Enquiry> {
        let read = selection::of(ctx, selection::ENQUIRY);
        nullable(enquiry::one(&self.0, "enquiry", |one| one.core.enquiry_id, read).await)
    }

    /// The case.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |one| Some(one.core.case_id), read).await)
    }

    /// The child.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |one| Some(one.core.child_id), read).await)
    }

    /// Who asked.
    async fn asked_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "askedBy", |one| Some(one.core.asked_by)).await)
    }

    /// Who recorded the refusal.
    async fn refused_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "refusedBy", |one| one.core.refused_by).await)
    }

    /// Who recorded the answer or the withdrawal.
    async fn recorded_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "recordedBy", |one| one.core.recorded_by).await)
    }

    /// The service manager who was told of the refusal.
    async fn escalated_to(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "escalatedTo", |one| one.core.escalated_to).await)
    }
}

/// When an answer was asked for again.
pub struct InformationChase(pub(in crate::graphql) Item<ChaseRow>);

/// When an answer was asked for again.
#[Object]
impl InformationChase {
    /// When.
    async fn chased_at(&self) -> DateTime {
        DateTime(self.0.chased_at)
    }

    /// How.
    async fn method(&self) -> InvitationMethod {
        self.0.method.0
    }

    /// What came of it. Third-party: null when the request's `withheld` says so.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_ref().map(Personal::read)
    }

    /// By whom.
    async fn chased_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "chasedBy", |one| Some(one.chased_by)).await)
    }
}

/// The participant with this id, from any row.
pub(in crate::graphql) async fn participant<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
) -> crate::error::Result<Option<AgencyParticipant>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { information::participants_by_ids(&snapshot, &ids).await };
    let found = from.one(relation, String::new(), foreign, |one: &AgencyParticipantRow| one.id, load).await?;
    Ok(found.map(AgencyParticipant))
}

/// The request with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<InformationRequest>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { information::by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |one: &RequestRow| one.core.id, load).await?;
    Ok(found.map(InformationRequest))
}

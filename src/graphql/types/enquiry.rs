use async_graphql::{Context, ID, Object};

use super::{Case, Child, Conference, InformationRequest, Worker, case, child, contact, worker};
use crate::{
    db::{
        Columns, Personal, enquiries,
        enquiries::{DiscussionRow, EnquiryRow, ParticipantRow},
        information,
        information::RequestRow,
    },
    domain::{
        calendar::london_day,
        codes::{Agency, EnquiryMode, EnquiryOutcome, EnquiryStatus, FieldClass, StrategyDecision},
        ids::{Section47EnquiryId, StrategyDiscussionId},
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
    /// A strategy discussion about one child.
    StrategyDiscussion(DiscussionRow)
}

/// What a strategy discussion with the police, health and others said of one child, and decided. It stays as it was recorded.
#[Object]
impl StrategyDiscussion {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(StrategyDiscussionId::KIND, self.0.core.id)
    }

    /// When it was held.
    async fn held_at(&self) -> DateTime {
        DateTime(self.0.core.held_at)
    }

    /// What was decided for this child.
    async fn decision(&self) -> StrategyDecision {
        self.0.core.decision.0
    }

    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime {
        DateTime(self.0.core.recorded_at)
    }

    /// What each agency told. Third-party: read only when selected; null when `withheld`.
    async fn information_shared(&self) -> Nullable<String> {
        nullable(self.0.information_shared().map(|text| text.map(str::to_owned)))
    }

    /// Which classes of fields are null because they are not for your role here, whatever they hold.
    async fn withheld(&self) -> Answer<Vec<FieldClass>> {
        contact::withheld(&self.0, |one| one.core.child_id, &[FieldClass::ThirdParty]).await
    }

    /// Why it was decided so. Narrative: read only when selected.
    async fn decision_reason(&self) -> Nullable<String> {
        nullable(self.0.decision_reason().map(|text| text.map(str::to_owned)))
    }

    /// What is done at once to keep the child safe. Narrative: read only when selected.
    async fn immediate_action(&self) -> Nullable<String> {
        nullable(self.0.immediate_action().map(|text| text.map(str::to_owned)))
    }

    /// Why it was held without the police or without health. Narrative: read only when selected.
    async fn absence_reason(&self) -> Nullable<String> {
        nullable(self.0.absence_reason().map(|text| text.map(str::to_owned)))
    }

    /// Who does what. Narrative: read only when selected.
    async fn actions(&self) -> Nullable<Vec<String>> {
        nullable(self.0.actions().map(|actions| actions.map(<[String]>::to_vec)))
    }

    /// Who took part.
    async fn participants(&self) -> Answer<Vec<StrategyParticipant>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { enquiries::participants_of(&snapshot, &ids).await };
        let found = self.0.many("participants", String::new(), |one| one.core.id, load).await?;
        Ok(found.into_iter().map(StrategyParticipant).collect())
    }

    /// What the same meeting said of other children, as far as you may see them.
    async fn beside(&self, ctx: &Context<'_>) -> Answer<Vec<StrategyDiscussion>> {
        let read = selection::of(ctx, selection::DISCUSSION);
        let load = move |snapshot: Instant, ids: Vec<_>| async move { enquiries::beside(&snapshot, &ids, read).await };
        let found = self.0.many("beside", format!("{read:?}"), |one| one.core.id, load).await?;
        Ok(found.into_iter().map(StrategyDiscussion).collect())
    }

    /// The section 47 enquiry that it began.
    async fn enquiry(&self, ctx: &Context<'_>) -> Nullable<Section47Enquiry> {
        let read = selection::of(ctx, selection::ENQUIRY);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { enquiries::of_discussions(&snapshot, &ids, read).await };
        let found = self.0.first("enquiry", format!("{read:?}"), |one| one.core.id, load).await;
        nullable(found.map(|one| one.map(Section47Enquiry)))
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

    /// Who recorded it.
    async fn recorded_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "recordedBy", |one| Some(one.core.recorded_by)).await)
    }
}

/// Somebody who took part in a strategy discussion.
pub struct StrategyParticipant(pub(in crate::graphql) Item<ParticipantRow>);

/// Somebody who took part in a strategy discussion.
#[Object]
impl StrategyParticipant {
    /// The agency.
    async fn agency(&self) -> Agency {
        self.0.agency.0
    }

    /// The organisation, as they call it.
    async fn organisation(&self) -> Option<&str> {
        self.0.organisation.as_ref().map(Personal::read)
    }

    /// Their name.
    async fn name(&self) -> &str {
        self.0.name.read()
    }

    /// What they are there.
    async fn role(&self) -> Option<&str> {
        self.0.role.as_ref().map(Personal::read)
    }
}

record! {
    /// A section 47 enquiry.
    Section47Enquiry(EnquiryRow)
}

/// An enquiry whether a child suffers, or is likely to suffer, significant harm (Children Act 1989 section 47).
#[Object]
impl Section47Enquiry {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(Section47EnquiryId::KIND, self.0.core.id)
    }

    /// Its first day: that of the strategy discussion.
    async fn started_on(&self) -> Date {
        Date(self.0.core.started_on)
    }

    /// By social care alone, or jointly with the police.
    async fn mode(&self) -> EnquiryMode {
        self.0.core.mode.0
    }

    /// Where it stands.
    async fn status(&self) -> EnquiryStatus {
        self.0.core.status.0
    }

    /// When the child was seen. Null to whoever sees the case's core only.
    async fn child_seen_on(&self) -> Option<Date> {
        self.0.child_seen().map(|(day, _)| Date(day))
    }

    /// Whether the child was seen alone.
    async fn child_seen_alone(&self) -> Option<bool> {
        self.0.child_seen().map(|(_, alone)| alone)
    }

    /// Whether the child was interviewed for evidence. Null to whoever sees the case's core only.
    async fn interviewed(&self) -> Option<bool> {
        self.0.interviewed()
    }

    /// Whether a doctor examined the child. Null to whoever sees the case's core only.
    async fn medical(&self) -> Option<bool> {
        self.0.medical()
    }

    /// What it came to.
    async fn outcome(&self) -> Option<EnquiryOutcome> {
        self.0.core.outcome.map(|outcome| outcome.0)
    }

    /// When it was decided.
    async fn outcome_on(&self) -> Option<Date> {
        self.0.core.decided_at.map(|at| Date(london_day(at)))
    }

    /// Whether it is over without a conference (the census's "not required").
    async fn icpc_not_required(&self) -> bool {
        self.0.core.countersigned_by.is_some()
    }

    /// When a service manager agreed that there is no conference.
    async fn countersigned_at(&self) -> Option<DateTime> {
        self.0.core.countersigned_at.map(DateTime)
    }

    /// Steps with every change: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// The police's reference, of a joint one. Narrative: read only when selected.
    async fn police_reference(&self) -> Nullable<String> {
        nullable(self.0.police_reference().map(|text| text.map(str::to_owned)))
    }

    /// What was found. Narrative: read only when selected.
    async fn findings(&self) -> Nullable<String> {
        nullable(self.0.findings().map(|text| text.map(str::to_owned)))
    }

    /// Why its outcome was given back, while it goes on. Narrative: read only when selected.
    async fn returned_reason(&self) -> Nullable<String> {
        nullable(self.0.returned_reason().map(|text| text.map(str::to_owned)))
    }

    /// The strategy discussion that began it.
    async fn discussion(&self, ctx: &Context<'_>) -> Nullable<StrategyDiscussion> {
        let read = selection::of(ctx, selection::DISCUSSION);
        nullable(discussion(&self.0, "discussion", |one| Some(one.core.discussion_id), read).await)
    }

    /// What others were asked, latest first.
    async fn information_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what waits for an answer.", default)] open: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<InformationRequest>> {
        let read = selection::of_nodes(ctx, selection::INFORMATION);
        let list = Listing::new(ctx, &self.0, |one| one.core.id, "Section47Enquiry.informationRequests", first, after)
            .narrowed(open)
            .reading(read);
        list.page(
            |row: &RequestRow| (row.core.asked_at, row.core.id),
            move |snapshot, ids, page| async move {
                information::of_enquiries(&snapshot, &ids, open, &page, read).await
            },
            move |snapshot, ids| async move { information::count_of_enquiries(&snapshot, &ids, open).await },
        )
        .await
    }

    /// The conference that it called for, once somebody asked for it.
    async fn conference(&self) -> Nullable<Conference> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { enquiries::conferences_of(&snapshot, &ids).await };
        let found = self.0.first("conference", String::new(), |one| one.core.id, load).await;
        nullable(found.map(|one| one.map(Conference)))
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

    /// The qualified social worker who leads it; null until somebody of the unit that holds the case is named.
    async fn lead_practitioner(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "leadPractitioner", |one| one.core.lead_id).await)
    }

    /// Who gave it its outcome.
    async fn decided_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "decidedBy", |one| one.core.decided_by).await)
    }

    /// Who agreed that there is no conference.
    async fn countersigned_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "countersignedBy", |one| one.core.countersigned_by).await)
    }
}

/// The enquiry with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Section47Enquiry>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { enquiries::by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |one: &EnquiryRow| one.core.id, load).await?;
    Ok(found.map(Section47Enquiry))
}

/// The discussion with this id, from any row.
pub(in crate::graphql) async fn discussion<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<StrategyDiscussion>> {
    let load =
        move |snapshot: Instant, ids: Vec<_>| async move { enquiries::discussions_by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |one: &DiscussionRow| one.core.id, load).await?;
    Ok(found.map(StrategyDiscussion))
}

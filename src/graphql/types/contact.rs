use async_graphql::{Context, ID, Object};

use super::{Assessment, Case, Child, Unit, Worker, assessment, case, child, unit, worker};
use crate::{
    db::{
        Columns, Personal, access, contacts,
        contacts::{ConsultationRow, ContactPersonRow, ContactRow, KnownChildRow},
        needs,
        needs::NeedRow,
        referrals,
        referrals::ReferralRow,
    },
    domain::{
        codes::{
            ConsentStatus, ConsultationState, ContactChannel, ContactDecision, ContactPersonKind, ContactStatus,
            ContactUrgency, FieldClass, NeedAnswer, NeedKind, NotInformedReason, ReferralCategory, ReferralDecision,
            ReferralSource, Sex,
        },
        ids::{ChildId, ConsultationId, ContactId, ContactPersonId, ReferralId},
        text::clean,
    },
    error::Error,
    graphql::{
        batch::{Instant, Item},
        error::{Answer, Nullable, nullable},
        scalars::{Date, DateTime, global},
        selection,
    },
};

record! {
    /// Somebody's approach to the front door.
    Contact(ContactRow)
}

/// Somebody's approach to the front door, about one or more children. Seen by the front door and the head of service until it
/// is decided; then by whoever sees a child whole whom it is about, and by the front door when it ended there or as long as a case
/// that it went to waits for a unit; and by whom somebody is to meet. Never by whom a child of it is kept from, unless they see
/// another one.
#[Object]
impl Contact {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(ContactId::KIND, self.0.core.id)
    }

    /// Number of the contact.
    async fn contact_no(&self) -> i64 {
        self.0.core.contact_no
    }

    /// When it came.
    async fn received_at(&self) -> DateTime {
        DateTime(self.0.core.received_at)
    }

    /// How it came.
    async fn channel(&self) -> ContactChannel {
        self.0.core.channel.0
    }

    /// Who it came from.
    async fn source(&self) -> ReferralSource {
        self.0.core.source.0
    }

    /// Who called. Third party: read only when selected; null when `withheld` or anonymous.
    async fn caller_name(&self) -> Nullable<String> {
        nullable(self.0.caller_name().map(|text| text.map(str::to_owned)))
    }

    /// How the caller is reached. Third party: read only when selected; null when `withheld` or anonymous.
    async fn caller_contact(&self) -> Nullable<String> {
        nullable(self.0.caller_contact().map(|text| text.map(str::to_owned)))
    }

    /// What the caller said. Narrative: read only when selected.
    async fn concern(&self) -> Nullable<String> {
        nullable(self.0.concern().map(|text| Some(text.to_owned())))
    }

    /// Whether the family agreed that it is passed on.
    async fn consent(&self) -> ConsentStatus {
        self.0.core.consent.0
    }

    /// Where it stands.
    async fn status(&self) -> ContactStatus {
        self.0.core.status.0
    }

    /// How urgent it is, once that was looked at.
    async fn urgency(&self) -> Option<ContactUrgency> {
        self.0.core.urgency.map(|urgency| urgency.0)
    }

    /// When that was looked at.
    async fn triaged_at(&self) -> Option<DateTime> {
        self.0.core.triaged_at.map(DateTime)
    }

    /// What was decided.
    async fn decision(&self) -> Option<ContactDecision> {
        self.0.core.decision.map(|decision| decision.0)
    }

    /// Why. Narrative: read only when selected.
    async fn decision_reason(&self) -> Nullable<String> {
        nullable(self.0.decision_reason().map(|text| text.map(str::to_owned)))
    }

    /// When it was decided.
    async fn decided_at(&self) -> Option<DateTime> {
        self.0.core.decided_at.map(DateTime)
    }

    /// When the caller was told what became of it.
    async fn referrer_informed_at(&self) -> Option<DateTime> {
        self.0.core.referrer_informed_at.map(DateTime)
    }

    /// Why the caller was not told.
    async fn referrer_not_informed(&self) -> Option<NotInformedReason> {
        self.0.core.referrer_not_informed.map(|reason| reason.0)
    }

    /// Steps with every change: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// Which classes of fields are null because they are not for your role here, whatever they hold.
    async fn withheld(&self) -> Answer<Vec<FieldClass>> {
        withheld(&self.0, |row| row.core.id, &[FieldClass::ThirdParty]).await
    }

    /// Whom it is about, in the order in which they were told; not those whose record is hidden from you.
    async fn people(&self, ctx: &Context<'_>) -> Answer<Vec<ContactPerson>> {
        let read = selection::of(ctx, selection::CONTACT_PERSON);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { contacts::people_of(&snapshot, &ids, read).await };
        let found = self.0.many("people", format!("{read:?}"), |row| row.core.id, load).await?;
        Ok(found.into_iter().map(ContactPerson).collect())
    }

    /// The meetings with a social worker to which somebody was invited, in the order in which they were arranged: another one
    /// follows only when nobody came, or it was cancelled.
    async fn consultations(&self) -> Answer<Vec<Consultation>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { contacts::consultations_of(&snapshot, &ids).await };
        let found = self.0.many("consultations", String::new(), |row| row.core.id, load).await?;
        Ok(found.into_iter().map(Consultation).collect())
    }

    /// The referrals to which it led, as far as you may see them: one for each child.
    async fn referrals(&self, ctx: &Context<'_>) -> Answer<Vec<Referral>> {
        let read = selection::of(ctx, selection::REFERRAL);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { referrals::of_contacts(&snapshot, &ids, read).await };
        let found = self.0.many("referrals", format!("{read:?}"), |row| row.core.id, load).await?;
        Ok(found.into_iter().map(Referral).collect())
    }

    /// Who took it down.
    async fn taken_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "takenBy", |row| Some(row.core.taken_by)).await)
    }

    /// Who looked at how urgent it is.
    async fn triaged_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "triagedBy", |row| row.core.triaged_by).await)
    }

    /// Who decided.
    async fn decided_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "decidedBy", |row| row.core.decided_by).await)
    }
}

pub(in crate::graphql) async fn withheld<R: Send + Sync + 'static>(
    item: &Item<R>,
    own: fn(&R) -> uuid::Uuid,
    of: &'static [FieldClass],
) -> Answer<Vec<FieldClass>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { access::withheld(&snapshot, &ids, of).await };
    Ok(item.many("withheld", String::new(), own, load).await?.iter().map(|class| class.0).collect())
}

record! {
    /// Somebody whom a contact is about, as told.
    ContactPerson(ContactPersonRow)
}

/// Somebody whom a contact is about, as told: what is known of the child stands in `child`, and does not change by it.
#[Object]
impl ContactPerson {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(ContactPersonId::KIND, self.0.core.id)
    }

    /// What they are in it.
    async fn kind(&self) -> ContactPersonKind {
        self.0.core.kind.0
    }

    /// First name, if it was told.
    async fn first_name(&self) -> Option<&str> {
        self.0.core.first_name.as_ref().map(Personal::read)
    }

    /// Last name, if it was told.
    async fn last_name(&self) -> Option<&str> {
        self.0.core.last_name.as_ref().map(Personal::read)
    }

    /// Day of birth, if it was told.
    async fn date_of_birth(&self) -> Option<Date> {
        self.0.core.date_of_birth.as_ref().map(|day| Date(day.day()))
    }

    /// Expected day of birth of an unborn child, if it was told.
    async fn expected_date_of_birth(&self) -> Option<Date> {
        self.0.core.expected_date_of_birth.as_ref().map(|day| Date(day.day()))
    }

    /// Sex, if it was told.
    async fn sex(&self) -> Option<Sex> {
        self.0.core.sex.map(|sex| sex.0)
    }

    /// Who they are, in words, where no name is known.
    async fn description(&self) -> Option<&str> {
        self.0.core.description.as_ref().map(Personal::read)
    }

    /// Where they are said to live: read only when selected; null when `withheld`.
    async fn address(&self) -> Nullable<String> {
        nullable(self.0.address().map(|text| text.map(str::to_owned)))
    }

    /// Which classes of fields are null because they are not for your role here, whatever they hold.
    async fn withheld(&self) -> Answer<Vec<FieldClass>> {
        withheld(&self.0, |row| row.core.contact_id, &[FieldClass::ConfidentialAddress]).await
    }

    /// What was answered to the question about particular needs.
    async fn needs(&self) -> Answer<Vec<ParticularNeed>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { needs::of_contact_people(&snapshot, &ids).await };
        let found = self.0.many("needs", String::new(), |row| row.core.id, load).await?;
        Ok(found.into_iter().map(ParticularNeed).collect())
    }

    /// The known child that somebody said they are.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |row| row.core.child_id, read).await)
    }

    /// The case that the contact went to for this child.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |row| row.core.case_id, read).await)
    }

    /// The contact.
    async fn contact(&self, ctx: &Context<'_>) -> Nullable<Contact> {
        let read = selection::of(ctx, selection::CONTACT);
        nullable(one(&self.0, "contact", |row| Some(row.core.contact_id), read).await)
    }

    /// Known children who may be this one, likeliest first, at most 20: only for the front door, and only until the contact is
    /// decided. Children whose record is restricted are not among them.
    async fn known_children(
        &self,
        #[graphql(
            desc = "Words of the child's names instead of those that were told, as in `children`. At most 100 characters."
        )]
        search: Option<String>,
    ) -> Answer<Vec<KnownChild>> {
        let asked = search
            .map(|search| clean(&search, 100).map_err(|fault| Error::bad_input("search", fault.to_string())))
            .transpose()?;
        let arguments = format!("{asked:?}");
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { contacts::known_children(&snapshot, &ids, asked).await };
        let found = self.0.many("knownChildren", arguments, |row| row.core.id, load).await?;
        Ok(found.into_iter().map(KnownChild).collect())
    }
}

/// A child whom the service knows, as first response may know of it while a contact is undecided: that it is there, and who
/// holds or held its case. No more of the record is shown with it.
pub struct KnownChild(Item<KnownChildRow>);

/// A child whom the service knows, as first response may know of it while a contact is undecided: that it is there, and who
/// holds or held its case. No more of the record is shown with it.
#[Object]
impl KnownChild {
    /// Global id of the child, to match with.
    async fn child_id(&self) -> ID {
        global(ChildId::KIND, self.0.child_id)
    }

    /// First name.
    async fn first_name(&self) -> &str {
        self.0.first_name.read()
    }

    /// Last name.
    async fn last_name(&self) -> &str {
        self.0.last_name.read()
    }

    /// Day of birth.
    async fn date_of_birth(&self) -> Option<Date> {
        self.0.date_of_birth.as_ref().map(|day| Date(day.day()))
    }

    /// Expected day of birth of an unborn child.
    async fn expected_date_of_birth(&self) -> Option<Date> {
        self.0.expected_date_of_birth.as_ref().map(|day| Date(day.day()))
    }

    /// Sex.
    async fn sex(&self) -> Sex {
        self.0.sex.0
    }

    /// Whether every name that was told, or asked for, is one of the child's, in some spelling.
    async fn all_names(&self) -> bool {
        self.0.all_names
    }

    /// Whether the day of birth that was told is the child's.
    async fn same_birth(&self) -> bool {
        self.0.same_birth
    }

    /// Whether the child has an open case.
    async fn has_open_case(&self) -> bool {
        self.0.open_case_id.is_some()
    }

    /// When the child's last closed case was closed.
    async fn last_closed_on(&self) -> Option<Date> {
        self.0.last_closed_on.map(Date)
    }

    /// The unit that holds the child's open case; none while it waits in the queue.
    async fn holding_unit(&self) -> Nullable<Unit> {
        nullable(unit::one(&self.0, "holdingUnit", |row| row.held_by).await)
    }

    /// The unit that held the child's last closed case.
    async fn last_unit(&self) -> Nullable<Unit> {
        nullable(unit::one(&self.0, "lastUnit", |row| row.last_unit_id).await)
    }
}

/// An answer to the question about a particular need.
pub struct ParticularNeed(pub(in crate::graphql) Item<NeedRow>);

/// An answer to the question about a particular need from religion, culture, language or disability. That there is none, or
/// that they would not say, is an answer.
#[Object]
impl ParticularNeed {
    /// What it comes from.
    async fn kind(&self) -> NeedKind {
        self.0.kind.0
    }

    /// What was answered.
    async fn answer(&self) -> NeedAnswer {
        self.0.answer.0
    }

    /// The need. Of a disability it is clinical: null when `withheld`.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_ref().map(Personal::read)
    }

    /// What we will do about it. Of a disability it is clinical: null when `withheld`.
    async fn what_we_will_do(&self) -> Option<&str> {
        self.0.what_we_will_do.as_ref().map(Personal::read)
    }

    /// The class of fields that are null because they are not for your role here.
    async fn withheld(&self) -> Option<FieldClass> {
        (self.0.answer.0 == NeedAnswer::Need && self.0.description.is_none()).then_some(FieldClass::Clinical)
    }

    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime {
        DateTime(self.0.recorded_at)
    }

    /// Who recorded it.
    async fn recorded_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "recordedBy", |row| Some(row.recorded_by)).await)
    }

    /// The contact in which it was asked; null where it was asked in an assessment.
    async fn contact(&self, ctx: &Context<'_>) -> Nullable<Contact> {
        let read = selection::of(ctx, selection::CONTACT);
        nullable(one(&self.0, "contact", |row| row.contact_id, read).await)
    }

    /// The assessment in which it was asked; null where it was asked in a contact.
    async fn assessment(&self, ctx: &Context<'_>) -> Nullable<Assessment> {
        let read = selection::of(ctx, selection::ASSESSMENT);
        nullable(assessment::one(&self.0, "assessment", |row| row.assessment_id, read).await)
    }
}

record! {
    /// An invitation to meet with a social worker.
    Consultation(ConsultationRow)
}

/// An invitation to meet with a social worker, where an immediate response is not required.
#[Object]
impl Consultation {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(ConsultationId::KIND, self.0.id)
    }

    /// When they meet.
    async fn scheduled_for(&self) -> DateTime {
        DateTime(self.0.scheduled_for)
    }

    /// Where they meet.
    async fn place(&self) -> Option<&str> {
        self.0.place.as_ref().map(Personal::read)
    }

    /// Whether they meet online.
    async fn online(&self) -> bool {
        self.0.online
    }

    /// Where it stands.
    async fn state(&self) -> ConsultationState {
        self.0.state.0
    }

    /// What came of it.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_ref().map(Personal::read)
    }

    /// Steps with its outcome: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Whom they meet.
    async fn worker(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "worker", |row| Some(row.worker_id)).await)
    }

    /// The contact that led to it.
    async fn contact(&self, ctx: &Context<'_>) -> Nullable<Contact> {
        let read = selection::of(ctx, selection::CONTACT);
        nullable(one(&self.0, "contact", |row| Some(row.contact_id), read).await)
    }
}

record! {
    /// What opened a case.
    Referral(ReferralRow)
}

/// What opened a case, and what was decided about it.
#[Object]
impl Referral {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(ReferralId::KIND, self.0.core.id)
    }

    /// Day on which it was received: the case's first.
    async fn received_on(&self) -> Date {
        Date(self.0.core.received_on)
    }

    /// Who it came from.
    async fn source(&self) -> ReferralSource {
        self.0.core.source.0
    }

    /// What it is about.
    async fn category(&self) -> ReferralCategory {
        self.0.core.category.0
    }

    /// What was decided; null until then.
    async fn decision(&self) -> Option<ReferralDecision> {
        self.0.core.decision.map(|decision| decision.0)
    }

    /// Why. Narrative: read only when selected.
    async fn decision_reason(&self) -> Nullable<String> {
        nullable(self.0.decision_reason().map(|text| text.map(str::to_owned)))
    }

    /// When it was decided.
    async fn decided_at(&self) -> Option<DateTime> {
        self.0.core.decided_at.map(DateTime)
    }

    /// Whether a case of the child had closed within the twelve months before.
    async fn re_referral(&self) -> bool {
        self.0.core.re_referral
    }

    /// Steps with the decision.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// The case that it opened: its `version` is what decisions expect.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |row| Some(row.core.case_id), read).await)
    }

    /// The child.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |row| Some(row.core.child_id), read).await)
    }

    /// The contact that led to it.
    async fn contact(&self, ctx: &Context<'_>) -> Nullable<Contact> {
        let read = selection::of(ctx, selection::CONTACT);
        nullable(one(&self.0, "contact", |row| Some(row.core.contact_id), read).await)
    }

    /// The unit that it is offered to, which reads the case's core until a unit holds the case.
    async fn target_unit(&self) -> Nullable<Unit> {
        nullable(unit::one(&self.0, "targetUnit", |row| row.core.target_unit_id).await)
    }

    /// The unit that held the child's last case, if that had closed within the six months before: it comes first.
    async fn previous_unit(&self) -> Nullable<Unit> {
        nullable(unit::one(&self.0, "previousUnit", |row| row.core.previous_unit_id).await)
    }

    /// Who decided.
    async fn decided_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "decidedBy", |row| row.core.decided_by).await)
    }
}

/// The contact with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Contact>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { contacts::by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |one: &ContactRow| one.core.id, load).await?;
    Ok(found.map(Contact))
}

/// The referral with this id, from any row.
pub(in crate::graphql) async fn one_referral<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Referral>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { referrals::by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |one: &ReferralRow| one.core.id, load).await?;
    Ok(found.map(Referral))
}

/// The referral that opened a case.
pub(in crate::graphql) async fn referral_of<R: Send + Sync + 'static>(
    item: &Item<R>,
    own: fn(&R) -> uuid::Uuid,
    read: Columns,
) -> crate::error::Result<Option<Referral>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { referrals::of_cases(&snapshot, &ids, read).await };
    Ok(item.first("referral", format!("{read:?}"), own, load).await?.map(Referral))
}

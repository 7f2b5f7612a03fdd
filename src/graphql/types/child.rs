use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    AccessDenial, AccessRestriction, Action, Assessment, AuditEntry, BreakGlass, Case, Conference, Contact,
    FamilyGroup, Plan, Section47Enquiry, StrategyDiscussion, access, chronology,
    chronology::ChronologyEntry,
    conference::{ConferenceChild, Invitation},
    contact::ParticularNeed,
    event,
    family::{FamilyMember, Relationship, Sibling},
    plan::{PlanShare, PlanView},
};
use crate::{
    db::{
        Columns, Page, Personal, access as access_rows, assessments,
        assessments::AssessmentRow,
        audit, cases,
        cases::CaseRow,
        children,
        children::PersonRow,
        chronology::{Of, Wanted},
        conferences,
        conferences::{ConferenceChildRow, ConferenceRow},
        contacts,
        contacts::ContactRow,
        enquiries,
        enquiries::{DiscussionRow, EnquiryRow},
        families, invitations,
        invitations::InvitationRow,
        needs, plans,
        plans::{ActionShown, PlanRow},
        progress,
    },
    domain::{
        codes::{ChronologyKind, FieldClass, Sex},
        ids::{ChildId, PersonId},
        text::initials,
    },
    graphql::{
        batch::{Instant, Item},
        connection::{Connection, Listing},
        error::{Answer, Fault, Nullable, nullable},
        scalars::{Date, global},
        selection,
    },
};

record! {
    /// A child.
    Child(PersonRow)
}

record! {
    /// Any person.
    Person(PersonRow)
}

/// An address of a person.
#[derive(SimpleObject)]
pub struct Address {
    /// HOME, PLACEMENT or OTHER.
    kind: String,
    /// Street and house; null when `withheld`.
    line: Option<String>,
    /// Postcode; null when `withheld`.
    postcode: Option<String>,
    /// First day.
    from: Date,
    /// Last day, if it is over.
    to: Option<Date>,
    /// Whether the address must not be told to others of the family.
    confidential: bool,
    /// CONFIDENTIAL_ADDRESS when where it is, is not for your role.
    withheld: Option<FieldClass>,
}

fn display_name(row: &PersonRow) -> String {
    format!("{} {}", row.core.preferred_name.as_ref().unwrap_or(&row.core.first_name).read(), row.core.last_name.read())
}

async fn addresses_of(item: &Item<PersonRow>) -> Answer<Vec<Address>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { children::addresses_of(&snapshot, &ids).await };
    let found = item.many("addresses", String::new(), |person| person.core.id, load).await?;
    Ok(found
        .iter()
        .map(|row| Address {
            kind: row.kind.clone(),
            line: row.line.as_ref().map(|line| line.read().to_owned()),
            postcode: row.postcode.as_ref().map(|postcode| postcode.read().to_owned()),
            from: Date(row.from_on),
            to: row.to_on.map(Date),
            confidential: row.confidential,
            withheld: row.line.is_none().then_some(FieldClass::ConfidentialAddress),
        })
        .collect())
}

/// The classes of a person's fields that the viewer does not read.
async fn withheld_of(item: &Item<PersonRow>, of: &'static [FieldClass]) -> Answer<Vec<FieldClass>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { access_rows::withheld(&snapshot, &ids, of).await };
    let found = item.many("withheld", String::new(), |person| person.core.id, load).await?;
    Ok(found.iter().map(|class| class.0).collect())
}

async fn families_of(item: &Item<PersonRow>) -> Answer<Vec<FamilyGroup>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { families::of_persons(&snapshot, &ids).await };
    let found = item.many("families", String::new(), |person| person.core.id, load).await?;
    Ok(found.into_iter().map(FamilyGroup).collect())
}

async fn relationships_of(item: &Item<PersonRow>) -> Answer<Vec<Relationship>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { families::relationships_of(&snapshot, &ids).await };
    let found = item.many("relationships", String::new(), |person| person.core.id, load).await?;
    Ok(found.into_iter().map(Relationship).collect())
}

async fn memberships_of(item: &Item<PersonRow>) -> Answer<Vec<FamilyMember>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { families::memberships_of(&snapshot, &ids).await };
    let found = item.many("familyMemberships", String::new(), |person| person.core.id, load).await?;
    Ok(found.into_iter().map(FamilyMember).collect())
}

/// A child known to the service. Visible to those who hold the child's case, to those named on it and to the managers
/// responsible; to everybody else the child does not exist.
#[Object]
impl Child {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(ChildId::KIND, self.0.core.id)
    }

    /// Number of the child's record, as statutory returns use it.
    async fn person_no(&self) -> i64 {
        self.0.core.person_no
    }

    /// First name.
    async fn first_name(&self) -> &str {
        self.0.core.first_name.read()
    }

    /// Last name.
    async fn last_name(&self) -> &str {
        self.0.core.last_name.read()
    }

    /// The name that the child wants to be called by.
    async fn preferred_name(&self) -> Option<&str> {
        self.0.core.preferred_name.as_ref().map(Personal::read)
    }

    /// Preferred or first name, and last name.
    async fn display_name(&self) -> String {
        display_name(&self.0)
    }

    /// Initials, as pushes carry them.
    async fn initials(&self) -> String {
        initials(self.0.core.first_name.read(), self.0.core.last_name.read())
    }

    /// Date of birth; missing for an unborn child.
    async fn date_of_birth(&self) -> Option<Date> {
        self.0.core.date_of_birth.as_ref().map(|day| Date(day.day()))
    }

    /// Expected date of birth of an unborn child.
    async fn expected_date_of_birth(&self) -> Option<Date> {
        self.0.core.expected_date_of_birth.as_ref().map(|day| Date(day.day()))
    }

    /// Whether the date of birth is estimated.
    async fn date_of_birth_estimated(&self) -> bool {
        self.0.core.date_of_birth_estimated
    }

    /// Sex.
    async fn sex(&self) -> Sex {
        self.0.core.sex.0
    }

    /// Steps with every change of the child's own record.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// Ethnicity (statutory return code). Sensitive: read only when selected.
    async fn ethnicity(&self) -> Nullable<String> {
        text(self.0.ethnicity())
    }

    /// Religion. Sensitive: read only when selected.
    async fn religion(&self) -> Nullable<String> {
        text(self.0.religion())
    }

    /// First language. Sensitive: read only when selected.
    async fn first_language(&self) -> Nullable<String> {
        text(self.0.first_language())
    }

    /// Whether an interpreter is needed. Sensitive: read only when selected.
    async fn interpreter_needed(&self) -> Nullable<bool> {
        nullable(self.0.interpreter_needed())
    }

    /// Communication needs. Clinical: read only when selected; null when `withheld`.
    async fn communication_needs(&self) -> Nullable<String> {
        text(self.0.communication_needs())
    }

    /// NHS number. Clinical: read only when selected; null when `withheld`.
    async fn nhs_no(&self) -> Nullable<String> {
        text(self.0.nhs_no())
    }

    /// Unique pupil number. Sensitive: read only when selected.
    async fn upn(&self) -> Nullable<String> {
        text(self.0.upn())
    }

    /// Disabilities (statutory return codes). Clinical: read only when selected; null when `withheld`.
    async fn disabilities(&self) -> Nullable<Vec<String>> {
        nullable(self.0.disabilities().map(|codes| codes.map(<[String]>::to_vec)))
    }

    /// Addresses, newest first.
    async fn addresses(&self) -> Answer<Vec<Address>> {
        addresses_of(&self.0).await
    }

    /// The family groups that the child is in; two for some step families.
    async fn families(&self) -> Answer<Vec<FamilyGroup>> {
        families_of(&self.0).await
    }

    /// What the child is to others.
    async fn relationships(&self) -> Answer<Vec<Relationship>> {
        relationships_of(&self.0).await
    }

    /// The child's open case.
    async fn open_case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { cases::open_of_children(&snapshot, &ids, read).await };
        let found = self.0.first("openCase", format!("{read:?}"), |child| child.core.id, load).await;
        nullable(found.map(|case| case.map(Case)))
    }

    /// All cases of the child, newest first.
    async fn cases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Case>> {
        let read = selection::of_nodes(ctx, selection::CASE);
        let list = Listing::new(ctx, &self.0, |child| child.core.id, "Child.cases", first, after).reading(read);
        list.page(
            |row: &CaseRow| (row.core.opened_on, row.core.id),
            move |snapshot, ids, page| async move { cases::of_children(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { cases::count_of_children(&snapshot, &ids).await },
        )
        .await
    }

    /// The contacts about the child that you may see, latest first.
    async fn contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Contact>> {
        let read = selection::of_nodes(ctx, selection::CONTACT);
        let list = Listing::new(ctx, &self.0, |child| child.core.id, "Child.contacts", first, after).reading(read);
        list.page(
            |row: &ContactRow| (row.core.received_at, row.core.id),
            move |snapshot, ids, page| async move { contacts::of_children(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { contacts::count_of_children(&snapshot, &ids).await },
        )
        .await
    }

    /// What was last answered about the child's particular needs, of each kind that was asked.
    async fn particular_needs(&self) -> Answer<Vec<ParticularNeed>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { needs::of_children(&snapshot, &ids).await };
        let found = self.0.many("particularNeeds", String::new(), |child| child.core.id, load).await?;
        Ok(found.into_iter().map(ParticularNeed).collect())
    }

    /// All assessments of the child, latest first.
    async fn assessments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Assessment>> {
        let read = selection::of_nodes(ctx, selection::ASSESSMENT);
        let list = Listing::new(ctx, &self.0, |child| child.core.id, "Child.assessments", first, after).reading(read);
        list.page(
            |row: &AssessmentRow| (row.core.started_on, row.core.id),
            move |snapshot, ids, page| async move { assessments::of_children(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { assessments::count_of_children(&snapshot, &ids).await },
        )
        .await
    }

    /// All strategy discussions about the child, latest first.
    async fn strategy_discussions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<StrategyDiscussion>> {
        let read = selection::of_nodes(ctx, selection::DISCUSSION);
        let list =
            Listing::new(ctx, &self.0, |child| child.core.id, "Child.strategyDiscussions", first, after).reading(read);
        list.page(
            |row: &DiscussionRow| (row.core.held_at, row.core.id),
            move |snapshot, ids, page| async move { enquiries::discussions_of_children(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { enquiries::count_discussions_of_children(&snapshot, &ids).await },
        )
        .await
    }

    /// All section 47 enquiries about the child, latest first.
    async fn section47_enquiries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Section47Enquiry>> {
        let read = selection::of_nodes(ctx, selection::ENQUIRY);
        let list =
            Listing::new(ctx, &self.0, |child| child.core.id, "Child.section47Enquiries", first, after).reading(read);
        list.page(
            |row: &EnquiryRow| (row.core.started_on, row.core.id),
            move |snapshot, ids, page| async move { enquiries::of_children(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { enquiries::count_of_children(&snapshot, &ids).await },
        )
        .await
    }

    /// All plans of the child, latest first.
    async fn plans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Plan>> {
        let read = selection::of_nodes(ctx, selection::PLAN);
        let list = Listing::new(ctx, &self.0, |child| child.core.id, "Child.plans", first, after).reading(read);
        list.page(
            |row: &PlanRow| row.core.id,
            move |snapshot, ids, page| async move { plans::of_children(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { plans::count_of_children(&snapshot, &ids).await },
        )
        .await
    }

    /// Other names that the child is or was known by: former surnames, aliases, other spellings.
    async fn other_names(&self) -> &[String] {
        self.0.core.other_names.read()
    }

    /// The child as a person of the family.
    async fn person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        nullable(
            one_person(&self.0, "person", |child| Some(child.core.id), selection::of(ctx, selection::PERSON)).await,
        )
    }

    /// The child's memberships of family groups, latest first, those that are over included.
    async fn family_memberships(&self) -> Answer<Vec<FamilyMember>> {
        memberships_of(&self.0).await
    }

    /// Children whom you may see and who are in one family group with this child now, or are recorded as siblings of
    /// any kind; eldest first.
    async fn siblings(&self) -> Answer<Vec<Sibling>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { families::siblings_of(&snapshot, &ids).await };
        let found = self.0.many("siblings", String::new(), |child| child.core.id, load).await?;
        Ok(found.into_iter().map(Sibling).collect())
    }

    /// What happened to the child, newest first: cases, allocations, transfers, lead practitioners, conferences, plans,
    /// families.
    async fn chronology(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only entries of these kinds. An empty list is like none.")] kinds: Option<
            Vec<ChronologyKind>,
        >,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<ChronologyEntry>> {
        let list = Listing::new(ctx, &self.0, |child| child.core.id, "Child.chronology", first, after);
        chronology::page(list, Of::Children, Wanted { kinds, children: None }).await
    }

    /// All conferences about the child, latest request first.
    async fn conferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Conference>> {
        let list = Listing::new(ctx, &self.0, |child| child.core.id, "Child.conferences", first, after);
        list.page(
            |row: &ConferenceRow| (row.requested_at, row.id),
            move |snapshot, ids, page| async move { conferences::of_children(&snapshot, &ids, &page).await },
            move |snapshot, ids| async move { conferences::count_of_children(&snapshot, &ids).await },
        )
        .await
    }

    /// The child's parts in conferences, each with its decision, latest first.
    async fn conference_parts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<ConferenceChild>> {
        let read = selection::of_nodes(ctx, selection::CONFERENCE_CHILD);
        let list =
            Listing::new(ctx, &self.0, |child| child.core.id, "Child.conferenceParts", first, after).reading(read);
        list.page(
            |row: &ConferenceChildRow| row.core.id,
            move |snapshot, ids, page| async move { conferences::parts_of_children(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { conferences::count_parts_of_children(&snapshot, &ids).await },
        )
        .await
    }

    /// Which classes of fields are null because they are not for your role here, whatever they hold.
    async fn withheld(&self) -> Answer<Vec<FieldClass>> {
        withheld_of(&self.0, &[FieldClass::Clinical, FieldClass::ConfidentialAddress]).await
    }

    /// The restriction of the child's record, if there is one: you are on its list.
    async fn restriction(&self) -> Nullable<AccessRestriction> {
        nullable(access::restriction_of(&self.0, |child| child.core.id).await)
    }

    /// Workers who may not see the child's record, whatever else they may.
    async fn access_denials(&self) -> Answer<Vec<AccessDenial>> {
        access::denials_of(&self.0, |child| child.core.id).await
    }

    /// Who looked at the child's record, newest first, at most 100: for the manager of an area that holds the child's case and
    /// for the head of service; empty for everybody else.
    async fn looked_at_by(
        &self,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
    ) -> Answer<Vec<AuditEntry>> {
        let page: Page<i64> = Page::new(first, None)?;
        let wanted = page.clone();
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { audit::who_looked(&snapshot, &ids, &wanted).await };
        let found = self.0.many("lookedAtBy", format!("{page:?}"), |child| child.core.id, load).await?;
        let shown = usize::try_from(page.first).unwrap_or_default();
        Ok(found.into_iter().take(shown).map(AuditEntry).collect())
    }

    /// Who broke the glass of the child's record, newest first, at most 100.
    async fn break_glass_uses(&self) -> Answer<Vec<BreakGlass>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { access_rows::uses_of_children(&snapshot, &ids).await };
        let found = self.0.many("breakGlassUses", String::new(), |child| child.core.id, load).await?;
        Ok(found.into_iter().map(BreakGlass).collect())
    }

    /// Where the child's feed stands in the instant of this response. Subscribe to `childFeed` with it as `after`, and
    /// you miss nothing that this response does not show.
    async fn feed_cursor(&self, ctx: &Context<'_>) -> Answer<String> {
        event::feed_cursor(ctx, self.0.snapshot()).await
    }
}

fn text(value: crate::error::Result<Option<&str>>) -> Nullable<String> {
    value.map(|text| text.map(str::to_owned)).map_err(Fault::from).transpose()
}

/// Any person known to the service: a parent, a relative, a child of the family. Visible with a child that you may see.
#[Object]
impl Person {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(PersonId::KIND, self.0.core.id)
    }

    /// Number of the person's record.
    async fn person_no(&self) -> i64 {
        self.0.core.person_no
    }

    /// First name.
    async fn first_name(&self) -> &str {
        self.0.core.first_name.read()
    }

    /// Last name.
    async fn last_name(&self) -> &str {
        self.0.core.last_name.read()
    }

    /// Preferred or first name, and last name.
    async fn display_name(&self) -> String {
        display_name(&self.0)
    }

    /// Date of birth.
    async fn date_of_birth(&self) -> Option<Date> {
        self.0.core.date_of_birth.as_ref().map(|day| Date(day.day()))
    }

    /// Sex.
    async fn sex(&self) -> Sex {
        self.0.core.sex.0
    }

    /// First language. Sensitive: read only when selected.
    async fn first_language(&self) -> Nullable<String> {
        text(self.0.first_language())
    }

    /// Whether an interpreter is needed. Sensitive: read only when selected.
    async fn interpreter_needed(&self) -> Nullable<bool> {
        nullable(self.0.interpreter_needed())
    }

    /// Addresses, newest first.
    async fn addresses(&self) -> Answer<Vec<Address>> {
        addresses_of(&self.0).await
    }

    /// The family groups that the person is in.
    async fn families(&self) -> Answer<Vec<FamilyGroup>> {
        families_of(&self.0).await
    }

    /// What the person is to others.
    async fn relationships(&self) -> Answer<Vec<Relationship>> {
        relationships_of(&self.0).await
    }

    /// The person's own record as a child of the service, if they are one.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        nullable(
            one_child(&self.0, "child", |person| Some(person.core.id), selection::of(ctx, selection::PERSON)).await,
        )
    }

    /// The name that the person wants to be called by.
    async fn preferred_name(&self) -> Option<&str> {
        self.0.core.preferred_name.as_ref().map(Personal::read)
    }

    /// Other names that the person is or was known by.
    async fn other_names(&self) -> &[String] {
        self.0.core.other_names.read()
    }

    /// The person's memberships of family groups, latest first, those that are over included.
    async fn family_memberships(&self) -> Answer<Vec<FamilyMember>> {
        memberships_of(&self.0).await
    }

    /// Which classes of fields are null because they are not for your role here, whatever they hold.
    async fn withheld(&self) -> Answer<Vec<FieldClass>> {
        withheld_of(&self.0, &[FieldClass::ConfidentialAddress]).await
    }

    /// The restriction of the person's record, if there is one: you are on its list.
    async fn restriction(&self) -> Nullable<AccessRestriction> {
        nullable(access::restriction_of(&self.0, |person| person.core.id).await)
    }

    /// Workers who may not see the person's record, whatever else they may.
    async fn access_denials(&self) -> Answer<Vec<AccessDenial>> {
        access::denials_of(&self.0, |person| person.core.id).await
    }

    /// Plans that were shared with the person, latest first, at most 100.
    async fn plan_shares(&self) -> Answer<Vec<PlanShare>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { progress::shares_with(&snapshot, &ids).await };
        let found = self.0.many("planShares", String::new(), |person| person.core.id, load).await?;
        Ok(found.into_iter().map(PlanShare).collect())
    }

    /// What the person says of plans, as it was recorded, latest first, at most 100.
    async fn plan_views(&self) -> Answer<Vec<PlanView>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { progress::views_by(&snapshot, &ids).await };
        let found = self.0.many("planViews", String::new(), |person| person.core.id, load).await?;
        Ok(found.into_iter().map(PlanView).collect())
    }

    /// Invitations of the person to conferences, latest first.
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Invitation>> {
        let read = selection::of_nodes(ctx, selection::INVITATION);
        let list =
            Listing::new(ctx, &self.0, |person| person.core.id, "Person.invitations", first, after).reading(read);
        list.page(
            |row: &InvitationRow| row.core.id,
            move |snapshot, ids, page| async move { invitations::of_persons(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { invitations::count_of_persons(&snapshot, &ids).await },
        )
        .await
    }

    /// Actions of plans that the person does or did, latest first.
    async fn owned_actions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that are neither done nor given up.", default)] open: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Action>> {
        let read = selection::of_nodes(ctx, selection::ACTION);
        let list = Listing::new(ctx, &self.0, |person| person.core.id, "Person.ownedActions", first, after)
            .narrowed(open)
            .reading(read);
        list.page(
            |row: &ActionShown| row.id,
            move |snapshot, ids, page| async move { plans::owned_by_persons(&snapshot, &ids, open, &page, read).await },
            move |snapshot, ids| async move { plans::count_owned_by_persons(&snapshot, &ids, open).await },
        )
        .await
    }
}

/// The child with this id, from any row.
pub(in crate::graphql) async fn one_child<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Child>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { children::by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |child: &PersonRow| child.core.id, load).await?;
    Ok(found.map(Child))
}

/// The person with this id, from any row.
pub(in crate::graphql) async fn one_person<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Person>> {
    let load =
        move |snapshot: Instant, ids: Vec<_>| async move { children::persons_by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |person: &PersonRow| person.core.id, load).await?;
    Ok(found.map(Person))
}

use std::sync::Arc;

use async_graphql::{Context, ID, Interface};
use uuid::Uuid;

use super::{
    AccessDenial, AccessRestriction, Action, AgencyParticipant, Allocation, Area, Assessment, BreakGlass, Case, Child,
    Conference, Consultation, Contact, ContactPerson, FamilyGroup, Goal, InformationRequest, Invitation, Involvement,
    Person, Plan, Referral, Section47Enquiry, StrategyDiscussion, SupportRequest, Transfer, Unit, Worker,
    unit::Membership,
};
use crate::{
    db::{
        Snapshot, access, allocations, assessments, cases, children, conferences, contacts, enquiries, families,
        information, invitations, involvements, plans, referrals, support, transfers, units, workers,
    },
    domain::ids::*,
    error::Result,
    graphql::{batch::generation, selection},
};

/// A record with a typed global id.
#[derive(Clone, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Global id: the type's name, a colon, a uuid."))]
pub enum Node {
    /// A worker.
    Worker(Worker),
    /// A unit.
    Unit(Unit),
    /// An area.
    Area(Area),
    /// A membership of a unit.
    Membership(Membership),
    /// A child.
    Child(Child),
    /// A person.
    Person(Person),
    /// A family group.
    FamilyGroup(FamilyGroup),
    /// A case.
    Case(Case),
    /// An allocation.
    Allocation(Allocation),
    /// An involvement.
    Involvement(Involvement),
    /// A transfer.
    Transfer(Transfer),
    /// A conference.
    Conference(Conference),
    /// An invitation to a conference.
    Invitation(Invitation),
    /// A plan.
    Plan(Plan),
    /// A goal.
    Goal(Goal),
    /// An action.
    Action(Action),
    /// A restriction of a record.
    AccessRestriction(AccessRestriction),
    /// A worker who may not see a record.
    AccessDenial(AccessDenial),
    /// A use of break-glass.
    BreakGlass(BreakGlass),
    /// A contact.
    Contact(Contact),
    /// Somebody whom a contact is about.
    ContactPerson(ContactPerson),
    /// An invitation to meet with a social worker.
    Consultation(Consultation),
    /// A referral.
    Referral(Referral),
    /// An assessment.
    Assessment(Assessment),
    /// A strategy discussion.
    StrategyDiscussion(StrategyDiscussion),
    /// A section 47 enquiry.
    Section47Enquiry(Section47Enquiry),
    /// Somebody of another agency.
    AgencyParticipant(AgencyParticipant),
    /// A request for information.
    InformationRequest(InformationRequest),
    /// What a parenting support worker is asked for.
    SupportRequest(SupportRequest),
}

/// The records of one kind with these ids, as far as the viewer sees them, in one statement. An unknown kind has
/// none.
pub(in crate::graphql) async fn load(
    ctx: &Context<'_>,
    snapshot: &Arc<Snapshot>,
    kind: &str,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Node)>> {
    macro_rules! found {
        ($rows:expr, $id:expr, $node:ident) => {{
            let items = generation(Arc::clone(snapshot), $rows.await?);
            items.into_iter().map(|item| ($id(&*item), Node::$node($node(item)))).collect()
        }};
    }
    let of = |groups| selection::of(ctx, groups);
    Ok(match kind {
        WorkerId::KIND => found!(workers::by_ids(snapshot, ids), |row: &workers::WorkerRow| row.id, Worker),
        UnitId::KIND => found!(units::by_ids(snapshot, ids), |row: &units::UnitRow| row.id, Unit),
        AreaId::KIND => found!(units::areas_by_ids(snapshot, ids), |row: &units::AreaRow| row.id, Area),
        MembershipId::KIND => {
            found!(units::memberships_by_ids(snapshot, ids), |row: &units::MembershipRow| row.id, Membership)
        }
        ChildId::KIND => {
            let rows = children::by_ids(snapshot, ids, of(selection::PERSON));
            found!(rows, |row: &children::PersonRow| row.core.id, Child)
        }
        PersonId::KIND => {
            let rows = children::persons_by_ids(snapshot, ids, of(selection::PERSON));
            found!(rows, |row: &children::PersonRow| row.core.id, Person)
        }
        FamilyGroupId::KIND => {
            found!(families::by_ids(snapshot, ids), |row: &families::FamilyGroupRow| row.id, FamilyGroup)
        }
        CaseId::KIND => {
            let rows = cases::by_ids(snapshot, ids, of(selection::CASE));
            found!(rows, |row: &cases::CaseRow| row.core.id, Case)
        }
        AllocationId::KIND => {
            let rows = allocations::by_ids(snapshot, ids, of(selection::ALLOCATION));
            found!(rows, |row: &allocations::AllocationRow| row.core.id, Allocation)
        }
        InvolvementId::KIND => {
            found!(involvements::by_ids(snapshot, ids), |row: &involvements::InvolvementRow| row.id, Involvement)
        }
        TransferId::KIND => {
            let rows = transfers::by_ids(snapshot, ids, of(selection::TRANSFER));
            found!(rows, |row: &transfers::TransferRow| row.core.id, Transfer)
        }
        ConferenceId::KIND => {
            found!(conferences::by_ids(snapshot, ids), |row: &conferences::ConferenceRow| row.id, Conference)
        }
        InvitationId::KIND => {
            let rows = invitations::by_ids(snapshot, ids, of(selection::INVITATION));
            found!(rows, |row: &invitations::InvitationRow| row.core.id, Invitation)
        }
        PlanId::KIND => {
            let rows = plans::by_ids(snapshot, ids, of(selection::PLAN));
            found!(rows, |row: &plans::PlanRow| row.core.id, Plan)
        }
        GoalId::KIND => found!(plans::goals_by_ids(snapshot, ids), |row: &plans::GoalRow| row.id, Goal),
        ActionId::KIND => {
            let rows = plans::actions_by_ids(snapshot, ids, of(selection::ACTION));
            found!(rows, |row: &plans::ActionShown| row.id, Action)
        }
        AccessRestrictionId::KIND => {
            found!(access::restrictions_by_ids(snapshot, ids), |row: &access::RestrictionRow| row.id, AccessRestriction)
        }
        AccessDenialId::KIND => {
            found!(access::denials_by_ids(snapshot, ids), |row: &access::DenialRow| row.id, AccessDenial)
        }
        BreakGlassId::KIND => {
            found!(access::uses_by_ids(snapshot, ids), |row: &access::GlassRow| row.id, BreakGlass)
        }
        ContactId::KIND => {
            let rows = contacts::by_ids(snapshot, ids, of(selection::CONTACT));
            found!(rows, |row: &contacts::ContactRow| row.core.id, Contact)
        }
        ContactPersonId::KIND => {
            let rows = contacts::people_by_ids(snapshot, ids, of(selection::CONTACT_PERSON));
            found!(rows, |row: &contacts::ContactPersonRow| row.core.id, ContactPerson)
        }
        ConsultationId::KIND => {
            let rows = contacts::consultations_by_ids(snapshot, ids);
            found!(rows, |row: &contacts::ConsultationRow| row.id, Consultation)
        }
        ReferralId::KIND => {
            let rows = referrals::by_ids(snapshot, ids, of(selection::REFERRAL));
            found!(rows, |row: &referrals::ReferralRow| row.core.id, Referral)
        }
        AssessmentId::KIND => {
            let rows = assessments::by_ids(snapshot, ids, of(selection::ASSESSMENT));
            found!(rows, |row: &assessments::AssessmentRow| row.core.id, Assessment)
        }
        StrategyDiscussionId::KIND => {
            let rows = enquiries::discussions_by_ids(snapshot, ids, of(selection::DISCUSSION));
            found!(rows, |row: &enquiries::DiscussionRow| row.core.id, StrategyDiscussion)
        }
        Section47EnquiryId::KIND => {
            let rows = enquiries::by_ids(snapshot, ids, of(selection::ENQUIRY));
            found!(rows, |row: &enquiries::EnquiryRow| row.core.id, Section47Enquiry)
        }
        AgencyParticipantId::KIND => {
            let rows = information::participants_by_ids(snapshot, ids);
            found!(rows, |row: &information::AgencyParticipantRow| row.id, AgencyParticipant)
        }
        InformationRequestId::KIND => {
            let rows = information::by_ids(snapshot, ids, of(selection::INFORMATION));
            found!(rows, |row: &information::RequestRow| row.core.id, InformationRequest)
        }
        SupportRequestId::KIND => {
            found!(support::by_ids(snapshot, ids), |row: &support::SupportRow| row.id, SupportRequest)
        }
        _ => Vec::new(),
    })
}

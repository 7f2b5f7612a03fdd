//! Closing a case that a unit holds: nothing is left open behind it, and whoever has a part in it is told.

use crate::{
    db::{
        ViewerTx, allocations, assessments, cases, cases::Locked, conferences, enquiries, information, involvements,
        outbox::Audience, plans, support, units,
    },
    domain::{
        Code,
        calendar::london_day,
        codes::{AllocationKind, Capacity, ChangeReason, ClosureReason, EventType, PlanChange, Severity},
        ids::PlanId,
    },
    error::{Error, Result},
};

use super::{
    allocations::tell_ended,
    announce::{Announcer, Entity, Stamp, managers_of, units_of},
    involvements::{end_lead, end_parts},
    plans::plan_detail,
};

/// Refuses while something is open behind a case, with what to do about it. The assessment that ends it does not count.
pub(super) async fn nothing_open(tx: &ViewerTx, case: &Locked, ends_by_assessment: bool) -> Result<()> {
    let id = case.core.id;
    if case.holding.receiving.is_some() {
        return Err(Error::conflict("A transfer of this case waits for its answer: settle it first."));
    }
    if enquiries::open_of_case(tx, id).await?.is_some() {
        return Err(Error::guard(
            "ENQUIRY_OVER",
            "A section 47 enquiry is open: it has its outcome before a case closes.",
        ));
    }
    if conferences::has_open(tx, &[id]).await? {
        return Err(Error::guard(
            "CONFERENCE_OVER",
            "A conference about the child is not over: it is before a case closes.",
        ));
    }
    if enquiries::calls_for_conference(tx, id).await?.is_some() {
        return Err(Error::guard(
            "CONFERENCE_OVER",
            "A section 47 enquiry called for a conference that nobody has asked for: request it before the case closes.",
        ));
    }
    if conferences::is_unissued(tx, id).await? {
        return Err(Error::guard(
            "CONFERENCE_ISSUED",
            "The minutes of a conference about the child are not out: they are before the case closes.",
        ));
    }
    if plans::is_open(tx, id).await? {
        return Err(Error::guard("PLAN_OVER", "A plan is in force: end it before the case closes."));
    }
    if support::is_open(tx, id, None).await? {
        return Err(Error::guard(
            "SUPPORT_OVER",
            "A parenting support worker was asked, or works with the family: end that before the case closes.",
        ));
    }
    if information::waits(tx, id, None).await? {
        return Err(Error::guard(
            "INFORMATION_ANSWERED",
            "Others have not answered what they were asked: record what they say, or withdraw what is not needed.",
        ));
    }
    if !ends_by_assessment && assessments::is_open(tx, id).await? {
        return Err(Error::guard(
            "ASSESSMENT_OVER",
            "An assessment is not authorised yet: it is before a case closes.",
        ));
    }
    Ok(())
}

/// Closes a case whose child is authorised for writing, and ends every part in it. Last among a change's statements: it moves
/// out of sight.
pub(super) async fn close(
    tx: &ViewerTx,
    announcer: &Announcer,
    case: &Locked,
    stamp: &Stamp,
    reason: ClosureReason,
    rationale: String,
) -> Result<()> {
    let at = announcer.at;
    let lead = involvements::lead(tx, case.core.id).await?;
    let mut audience = units_of(case);
    audience.extend(managers_of(case));
    audience.extend(lead.iter().map(|lead| Audience::Worker(lead.worker_id)));
    for draft in plans::drafts_of_case(tx, case.core.id).await? {
        plans::supersede(tx, &draft, london_day(at)).await?;
        let draft = plans::get(tx, draft.id).await?.ok_or(Error::NotFound)?;
        let entity = Entity { kind: PlanId::KIND, id: draft.id, version: draft.version };
        let detail = plan_detail(&draft, draft.status.0, PlanChange::Superseded);
        announcer.announce(tx, EventType::PlanChanged, Severity::Info, entity, Some(stamp), detail, &audience).await?;
    }
    cases::close(tx, case, reason, rationale, false, london_day(at)).await?;
    if let Some(lead) = &lead {
        end_lead(tx, announcer, lead, stamp, Severity::Info, &audience).await?;
    }
    let beside: Vec<Capacity> =
        Capacity::ALL.iter().map(|(part, ..)| *part).filter(|part| *part != Capacity::LeadPractitioner).collect();
    end_parts(tx, announcer, case.core.id, stamp, (&beside, &[]), ChangeReason::Others, &audience).await?;
    // The holding unit's last: with it goes the viewer's sight.
    for open in case.helping.iter().chain(&case.primary) {
        let (row, unit) = futures_util::join!(allocations::get(tx, open.id), units::get(tx, open.unit_id));
        let (row, unit) = (row?.ok_or(Error::NotFound)?, unit?.ok_or(Error::NotFound)?);
        let led = lead.as_ref().filter(|_| open.kind.0 == AllocationKind::Primary).map(|lead| lead.worker_id);
        tell_ended(tx, announcer, (&row, &unit), led, stamp, Severity::Action, &audience).await?;
        allocations::end(tx, open.id, at, "Case closed").await?;
    }
    Ok(())
}

//! Closing a case that a unit holds: nothing is left open behind it, and whoever has a part in it is told.

use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::{Viewer, policy, policy::Action},
    db::{
        ViewerTx, allocations, assessments, cases,
        cases::{Closure, Locked},
        conferences, enquiries, information, involvements,
        outbox::Audience,
        plans, progress, support, units, viewers,
    },
    domain::{
        Code,
        calendar::london_day,
        closing::{Achieved, MONTHS_AFTER_PROTECTION, closing_fault},
        codes::{AllocationKind, Capacity, ChangeReason, ClosureReason, EventType, PlanChange, PlanKind, Severity},
        ids::PlanId,
    },
    error::{Error, Result},
};

use super::{
    Outcome, Services,
    allocations::tell_ended,
    announce::{Announcer, Entity, Stamp, managers_of, stamp, units_of},
    illegal,
    involvements::{end_lead, end_parts},
    optional_text,
    plans::plan_detail,
    text,
};

/// Closes a case.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct CloseCase {
    pub case_id: Uuid,
    pub reason: ClosureReason,
    pub rationale: String,
    /// Why the child can live at home safely without a social worker.
    pub safe_at_home: Option<String>,
    pub expected_version: i32,
}

impl Services {
    /// The unit holds a case until change lasts and the child can live at home safely without a social worker. Then it closes,
    /// with nothing open behind it.
    pub async fn close_case(&self, viewer: Viewer, key: &str, input: CloseCase) -> Result<Outcome> {
        let rationale = text("rationale", &input.rationale, 20_000)?;
        let safe_at_home = optional_text("safeAtHome", input.safe_at_home.as_deref(), 20_000)?;
        match (input.reason.at_home(), &safe_at_home) {
            (true, None) => {
                return Err(Error::bad_input(
                    "safeAtHome",
                    "is needed with RC3, RC4 and RC7: why can the child live at home safely without a social worker?",
                ));
            }
            (false, Some(_)) => {
                return Err(Error::bad_input("safeAtHome", "belongs to RC3, RC4 and RC7 only: leave it out"));
            }
            _ => {}
        }
        let wanted = input.clone();
        let closure = Closure { reason: input.reason, rationale, safe_at_home };
        self.change(viewer, "closeCase", key, &input, move |tx| Box::pin(end_case(tx, wanted, closure))).await
    }
}

async fn end_case(tx: &ViewerTx, input: CloseCase, closure: Closure) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let case = cases::lock(tx, input.case_id).await?;
    let standing = viewers::standing(tx).await?;
    let role = policy::require(&standing, me, &case.holding, Action::CloseCase)?;
    case.expect_version(input.expected_version)?;
    case.expect_open()?;
    let status = case.core.status.0;
    if !status.closes_by_unit() {
        return Err(illegal(status, status.legal_next()));
    }
    // Somebody answers for it, and hears that it is over.
    if case.primary.is_none() {
        return Err(Error::guard(
            "CASE_HELD",
            "No unit holds this case: allocate it first, and close it with its unit.",
        ));
    }
    nothing_open(tx, &case, false).await?;
    let announcer = Announcer::new(&standing.name, role, tx.viewer().at).with(&case);
    let plans = plans::that_sought_change(tx, case.core.id).await?;
    let since = london_day(announcer.at) - chrono::Months::new(MONTHS_AFTER_PROTECTION);
    let lately =
        plans.iter().any(|plan| plan.kind.0 == PlanKind::ChildProtection && plan.end_on.is_some_and(|on| on > since));
    if lately && policy::require(&standing, me, &case.holding, Action::CloseAfterProtection).is_err() {
        return Err(Error::guard(
            "PROTECTION_ENDED_LATELY",
            "A child protection plan ended less than three months ago: the service manager closes the case, or the head of service.",
        ));
    }
    // The last one for a child in need or in protection, and the last one of support.
    let mut goals = Vec::new();
    for of in [PlanKind::Cin, PlanKind::Support] {
        let Some(last) = plans.iter().find(|plan| of.one_of().contains(&plan.kind.0)) else { continue };
        for goal in plans::goals(tx, last.id).await? {
            goals.push(Achieved { status: goal.status.0, lasts: progress::sustained(tx, goal.lineage_id).await? });
        }
    }
    if let Some((guard, why)) = closing_fault(closure.reason, &goals) {
        return Err(Error::guard(guard, why));
    }
    let stamp = stamp(tx, &case.core).await?;
    tx.authorise(&[case.core.child_id]).await?;
    close(tx, &announcer, &case, &stamp, closure).await?;
    Ok(Outcome { case_id: Some(case.core.id), ..Outcome::default() })
}

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
    closure: Closure,
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
    cases::close(tx, case, closure, false, london_day(at)).await?;
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

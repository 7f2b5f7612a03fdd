//! Child and family assessments: begun, written, handed in, authorised by another person or given back.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, Stamp, managers_of, permitted, stamp, units_of},
    close::{close, nothing_open},
    illegal,
    needs::{NeedInput, NeedsOf, kinds},
    optional_text, text,
};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        Coded, ViewerTx,
        assessments::{self, AssessmentChange, AssessmentCore, NewAssessment},
        cases,
        cases::Locked,
        enquiries, needs,
        outbox::Audience,
        plans, units,
    },
    domain::{
        calendar::london_day,
        codes::{AssessmentFactor, AssessmentOutcome, AssessmentStatus, CaseStatus, EventType, Role, Severity},
        event::{AssessmentDetail, Detail},
        ids::AssessmentId,
        safeguarding::{AssessmentShape, AssessmentStep, assessment_fault, closes, factors_fault},
    },
    error::{Error, Result},
};

/// Begins an assessment.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct StartAssessment {
    pub case_id: Uuid,
    /// Today when missing.
    pub started_on: Option<NaiveDate>,
    pub review_on: Option<NaiveDate>,
    /// The case's version.
    pub expected_version: i32,
}

/// What an assessment says: everything, as far as it is known.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct AssessmentContent {
    pub review_on: Option<NaiveDate>,
    pub child_seen_on: Option<NaiveDate>,
    pub child_seen_alone: Option<bool>,
    pub not_seen_reason: Option<String>,
    pub wishes_feelings: Option<String>,
    pub analysis: Option<String>,
    pub factors: Vec<AssessmentFactor>,
    /// Answers that are given now; of the other kinds what was answered stays.
    pub needs: Vec<NeedInput>,
}

/// Writes an assessment.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ChangeAssessment {
    pub assessment_id: Uuid,
    pub content: AssessmentContent,
    pub expected_version: i32,
}

/// Hands an assessment in.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct SubmitAssessment {
    pub assessment_id: Uuid,
    pub outcome: AssessmentOutcome,
    pub expected_version: i32,
}

/// Gives an assessment back, or authorises it.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct AnswerAssessment {
    pub assessment_id: Uuid,
    pub reason: String,
    pub expected_version: i32,
}

impl Services {
    /// A unit that holds the case begins to assess the child and the family. One at a time.
    pub async fn start_assessment(&self, viewer: Viewer, key: &str, input: StartAssessment) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "startAssessment", key, &input, move |tx| Box::pin(start(tx, wanted))).await
    }

    /// Writes what is known so far.
    pub async fn change_assessment(&self, viewer: Viewer, key: &str, input: ChangeAssessment) -> Result<Outcome> {
        let mut wanted = input.clone();
        let content = &mut wanted.content;
        for (field, written) in [
            ("notSeenReason", &mut content.not_seen_reason),
            ("wishesFeelings", &mut content.wishes_feelings),
            ("analysis", &mut content.analysis),
        ] {
            *written = optional_text(field, written.as_deref(), 50_000)?;
        }
        if let Some(fault) = factors_fault(&content.factors) {
            return Err(Error::bad_input("factors", fault));
        }
        kinds(&content.needs)?;
        if content.child_seen_on.is_some() != content.child_seen_alone.is_some() {
            return Err(Error::bad_input("childSeenAlone", "belongs to childSeenOn: give both or neither"));
        }
        self.change(viewer, "changeAssessment", key, &input, move |tx| Box::pin(change(tx, wanted))).await
    }

    /// Hands it in: another person authorises it or gives it back.
    pub async fn submit_assessment(&self, viewer: Viewer, key: &str, input: SubmitAssessment) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "submitAssessment", key, &input, move |tx| Box::pin(submit(tx, wanted))).await
    }

    /// It is written further.
    pub async fn return_assessment(&self, viewer: Viewer, key: &str, input: AnswerAssessment) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        let wanted = input.clone();
        self.change(viewer, "returnAssessment", key, &input, move |tx| Box::pin(give_back(tx, wanted, reason))).await
    }

    /// It stays as it is. With the outcome of no further action or early help a case in assessment closes.
    pub async fn authorise_assessment(&self, viewer: Viewer, key: &str, input: AnswerAssessment) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        let wanted = input.clone();
        self.change(viewer, "authoriseAssessment", key, &input, move |tx| Box::pin(authorise(tx, wanted, reason))).await
    }
}

async fn start(tx: &ViewerTx, input: StartAssessment) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let case = cases::lock(tx, input.case_id).await?;
    let announcer = permitted(tx, &case.holding, Action::StartAssessment).await?.with(&case);
    case.expect_version(input.expected_version)?;
    let at = announcer.at;
    let today = london_day(at);
    let started_on = input.started_on.unwrap_or(today);
    if started_on > today {
        return Err(Error::bad_input("startedOn", "must not lie in the future"));
    }
    if started_on < case.core.opened_on {
        return Err(Error::bad_input("startedOn", "must not lie before the referral"));
    }
    if input.review_on.is_some_and(|day| day < started_on) {
        return Err(Error::bad_input("reviewOn", "must not lie before the assessment's first day"));
    }
    if assessments::is_open(tx, case.core.id).await? {
        return Err(Error::conflict("An assessment of this case is not authorised yet: go on with that one."));
    }
    let stamp = stamp(tx, &case.core).await?;

    cases::authorise_and_touch(tx, &case, case.core.status.0.after_assessment_started()).await?;
    let id = AssessmentId::new().0;
    let new = NewAssessment {
        id,
        case_id: case.core.id,
        child_id: case.core.child_id,
        started_on,
        review_on: input.review_on,
        author_id: me.0,
        written_by: me.0,
        created_at: at,
    };
    assessments::start(tx, new).await?;
    let taking = Taking { assessment: assessments::get(tx, id).await?, case, announcer, stamp };
    taking.tell(tx, EventType::AssessmentStarted, Severity::Info, None).await?;
    Ok(taking.outcome())
}

/// A step of an assessment that policy and the state machine allow, about to be taken.
struct Taking {
    /// As it is told of.
    assessment: AssessmentCore,
    case: Locked,
    announcer: Announcer,
    stamp: Stamp,
}

impl Taking {
    /// Locks the assessment's case and asks, in this order: policy, version, status. Answers the status after the step.
    async fn begin(
        tx: &ViewerTx,
        id: Uuid,
        action: Action,
        step: AssessmentStep,
        expected_version: i32,
    ) -> Result<(Self, AssessmentStatus)> {
        let found = assessments::get(tx, id).await?;
        let case = cases::lock(tx, found.case_id).await?;
        // Again: it may have changed while the case was waited for.
        let assessment = assessments::get(tx, id).await?;
        let announcer = permitted(tx, &case.holding, action).await?.with(&case);
        Error::expect_version(assessment.version, expected_version)?;
        let status = assessment.status.0;
        let next = step.from_status(status).ok_or_else(|| illegal(status, status.legal_next()))?;
        let stamp = stamp(tx, &case.core).await?;
        Ok((Self { assessment, case, announcer, stamp }, next))
    }

    fn change(&self) -> AssessmentChange {
        AssessmentChange { version: self.assessment.version + 1, ..AssessmentChange::default() }
    }

    /// Makes the change, of a child that is opened for writing.
    async fn take(&mut self, tx: &ViewerTx, change: AssessmentChange) -> Result<()> {
        assessments::change(tx, self.assessment.id, change).await?;
        self.assessment = assessments::get(tx, self.assessment.id).await?;
        Ok(())
    }

    /// Whether it is the service manager's to authorise: the unit's consultant social worker wrote it or handed it in.
    async fn is_the_consultants(&self, tx: &ViewerTx) -> Result<bool> {
        let Some(primary) = &self.case.primary else { return Ok(false) };
        let one = &self.assessment;
        for worker in [Some(one.author_id), Some(one.written_by), one.submitted_by].into_iter().flatten() {
            if units::role_in(tx, primary.unit_id, worker).await? == Some(Role::ConsultantSocialWorker) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells every unit that works the case, its lead practitioner, and who writes the assessment; the managers, when it waits
    /// for one of them.
    async fn tell(&self, tx: &ViewerTx, of: EventType, severity: Severity, factors_count: Option<i32>) -> Result<()> {
        let one = &self.assessment;
        let detail = Detail::Assessment(AssessmentDetail {
            status: one.status.0,
            started_on: one.started_on,
            review_on: one.review_on,
            outcome: one.outcome.map(|outcome| outcome.0),
            factors_count,
        });
        let mut audience = units_of(&self.case);
        audience.push(Audience::Worker(one.author_id));
        if one.status.0 == AssessmentStatus::Submitted && self.is_the_consultants(tx).await? {
            audience.extend(managers_of(&self.case));
        }
        let entity = Entity { kind: AssessmentId::KIND, id: one.id, version: one.version };
        self.announcer.announce(tx, of, severity, entity, Some(&self.stamp), detail, &audience).await
    }

    fn outcome(&self) -> Outcome {
        Outcome { case_id: Some(self.case.core.id), assessment_id: Some(self.assessment.id), ..Outcome::default() }
    }
}

async fn change(tx: &ViewerTx, input: ChangeAssessment) -> Result<Outcome> {
    let (me, content) = (tx.viewer().worker_id.0, input.content);
    let (action, step) = (Action::ChangeAssessment, AssessmentStep::Edit);
    let (mut taking, _) = Taking::begin(tx, input.assessment_id, action, step, input.expected_version).await?;
    let started_on = taking.assessment.started_on;
    if content.review_on.is_some_and(|day| day < started_on) {
        return Err(Error::bad_input("reviewOn", "must not lie before the assessment's first day"));
    }
    if content.child_seen_on.is_some_and(|day| day < started_on || day > london_day(taking.announcer.at)) {
        return Err(Error::bad_input("childSeenOn", "must lie between the assessment's first day and today"));
    }
    let of = NeedsOf::Assessment { id: taking.assessment.id, child_id: taking.assessment.child_id };
    let answers: Vec<_> =
        content.needs.iter().map(|need| need.checked(of, me, taking.announcer.at)).collect::<Result<_>>()?;

    tx.authorise(&[taking.assessment.child_id]).await?;
    needs::answer(tx, answers).await?;
    let change = AssessmentChange {
        review_on: Some(content.review_on),
        child_seen_on: Some(content.child_seen_on),
        child_seen_alone: Some(content.child_seen_alone),
        not_seen_reason: Some(content.not_seen_reason),
        wishes_feelings: Some(content.wishes_feelings),
        analysis: Some(content.analysis),
        factors: Some(content.factors.into_iter().map(Coded).collect()),
        written_by: Some(me),
        ..taking.change()
    };
    taking.take(tx, change).await?;
    taking.tell(tx, EventType::AssessmentChanged, Severity::Info, None).await?;
    Ok(taking.outcome())
}

async fn submit(tx: &ViewerTx, input: SubmitAssessment) -> Result<Outcome> {
    let (action, step) = (Action::ChangeAssessment, AssessmentStep::Submit);
    let (mut taking, status) = Taking::begin(tx, input.assessment_id, action, step, input.expected_version).await?;
    let id = taking.assessment.id;
    let (written, answered) = futures_util::join!(assessments::written(tx, id), needs::answered(tx, id));
    let (written, answered) = (written?, answered?);
    let factors: Vec<AssessmentFactor> = written.factors.iter().map(|factor| factor.0).collect();
    let shape = AssessmentShape {
        answered: &answered,
        factors: &factors,
        analysed: written.analysed,
        seen: taking.assessment.child_seen_on.is_some(),
        wishes: written.wishes,
        not_seen_reason: written.not_seen_reason,
    };
    if let Some((guard, why)) = assessment_fault(&shape) {
        return Err(Error::guard(guard, why));
    }
    tx.authorise(&[taking.assessment.child_id]).await?;
    let change = AssessmentChange {
        status: Some(Coded(status)),
        outcome: Some(Some(Coded(input.outcome))),
        submitted_by: Some(Some(tx.viewer().worker_id.0)),
        submitted_at: Some(Some(taking.announcer.at)),
        returned_reason: Some(None),
        ..taking.change()
    };
    taking.take(tx, change).await?;
    taking.tell(tx, EventType::AssessmentChanged, Severity::Action, None).await?;
    Ok(taking.outcome())
}

async fn give_back(tx: &ViewerTx, input: AnswerAssessment, reason: String) -> Result<Outcome> {
    let (action, step) = (Action::AuthoriseAssessment, AssessmentStep::Return);
    let (mut taking, status) = Taking::begin(tx, input.assessment_id, action, step, input.expected_version).await?;
    tx.authorise(&[taking.assessment.child_id]).await?;
    let change = AssessmentChange {
        status: Some(Coded(status)),
        outcome: Some(None),
        submitted_by: Some(None),
        submitted_at: Some(None),
        returned_reason: Some(Some(reason)),
        ..taking.change()
    };
    taking.take(tx, change).await?;
    taking.tell(tx, EventType::AssessmentChanged, Severity::Action, None).await?;
    Ok(taking.outcome())
}

async fn authorise(tx: &ViewerTx, input: AnswerAssessment, reason: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id.0;
    let (action, step) = (Action::AuthoriseAssessment, AssessmentStep::Authorise);
    let (mut taking, status) = Taking::begin(tx, input.assessment_id, action, step, input.expected_version).await?;
    let one = &taking.assessment;
    if [Some(one.author_id), Some(one.written_by), one.submitted_by].contains(&Some(me)) {
        return Err(Error::guard(
            "ANOTHER_PERSON",
            "You began this assessment, wrote it last or handed it in: another person authorises it, the consultant social \
             worker or the service manager.",
        ));
    }
    let (case_id, stands) = (taking.case.core.id, taking.case.core.status.0);
    if stands == CaseStatus::ConferencePending && !one.outcome.is_some_and(|outcome| outcome.0.goes_on()) {
        return Err(Error::guard(
            "CONFERENCE_OVER",
            "A conference about the child is waited for: authorise that nothing further is needed when it was held.",
        ));
    }
    let made = enquiries::was_made(tx, case_id).await? || plans::had_protection(tx, case_id).await?;
    let ends = one.outcome.and_then(|outcome| closes(stands, outcome.0, made));
    if ends.is_some() {
        nothing_open(tx, &taking.case, true).await?;
    }
    let factors = assessments::written(tx, one.id).await?.factors.len();
    tx.authorise(&[one.child_id]).await?;
    let change = AssessmentChange {
        status: Some(Coded(status)),
        authorised_by: Some(me),
        authorised_at: Some(taking.announcer.at),
        authorised_reason: Some(reason.clone()),
        ..taking.change()
    };
    taking.take(tx, change).await?;
    let count = i32::try_from(factors).ok();
    taking.tell(tx, EventType::AssessmentAuthorised, Severity::Action, count).await?;
    // A unit of another service than access and assessment goes on with the child itself.
    if let (Some(outcome), Some(primary)) = (taking.assessment.outcome, &taking.case.primary) {
        let unit = units::get(tx, primary.unit_id).await?.ok_or(Error::NotFound)?;
        let after = stands.after_assessment(outcome.0, unit.service.0);
        if after != stands && !after.is_closed() {
            cases::touch(tx, &taking.case, after).await?;
        }
    }
    if let Some(why) = ends {
        let closure = cases::Closure { reason: why, rationale: reason, safe_at_home: None };
        close(tx, &taking.announcer, &taking.case, &taking.stamp, closure).await?;
    }
    Ok(taking.outcome())
}

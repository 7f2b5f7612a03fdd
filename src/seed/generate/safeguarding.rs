//! Assessments of the cases, the enquiries before initial conferences and those that run, and what others were asked.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use fastrand::Rng;
use uuid::Uuid;

use super::{
    Generator,
    calendar::{Moment, back, days, forward, london, moment, years_between},
    rows::{
        AgencyParticipant, Assessment, Case, Chase, Enquiry, InformationRequest, Need, Person, StrategyDiscussion,
        StrategyParticipant,
    },
};
use crate::seed::names;

const ANALYSES: [&str; 5] = [
    "The children are fed and clothed; the mornings fail when the mother has drunk. She sees it and asks for help with it.",
    "The parents love their child and cannot agree on one rule. The quarrels frighten the child more than either of them knew.",
    "The home is safe. What worries is how alone the mother is, and how much the eldest does for the others.",
    "The father's illness comes and goes. In good weeks the family manages; in bad ones nobody gets the children to school.",
    "School, nurse and neighbours say the same: this child waits to be noticed. The grandmother would do more if she were asked.",
];
const WISHES: [&str; 5] = [
    "Would like to go to swimming again, and that nobody shouts at night.",
    "Drew the family with the dog in the middle. Wants to stay in the same school.",
    "Wants to see the grandmother on Sundays and says that the bedroom is too cold.",
    "Says that everything is fine, and looks at the mother before answering.",
    "Wants the brother to come home.",
];
const SHARED: [&str; 4] = [
    "School: bruises on two Mondays, explained differently each time. Police: called to the address twice this year. Health: \
     missed appointments.",
    "Health: an injury that does not fit what was said. Police: nothing known. School: attendance fell since autumn.",
    "Police: the partner is known for violence at another address. School: the child does not want to go home on Fridays.",
    "Health visitor: the baby lost weight. Police: no record. Social care: a sister had a protection plan four years ago.",
];
const FINDINGS: [&str; 3] = [
    "What was told is true in substance, and the parents do not see the danger yet.",
    "The child is likely to be hurt again unless the partner stays away.",
    "What happened has an explanation that everybody whom we asked confirms.",
];
const QUESTIONS: [&str; 3] = [
    "What do you know of injuries, and since when? Who brings the child?",
    "How does the child come to school, and what did you see of the parents?",
    "Which calls to the address do you have, and who was there?",
];
const ANSWERS: [&str; 3] = [
    "Seen twice this year, both times for the chest. No injuries are in the notes.",
    "Attendance is 81 per cent. The mother answers every call; the father was never met.",
    "Three calls in twelve months, two of them for quarrels with a neighbour.",
];
const FACTORS: [&str; 8] = ["1B", "2B", "3B", "4B", "16A", "17A", "4A", "14A"];

/// A case with who held it first and who led it.
struct Held<'a> {
    case: &'a Case,
    child: &'a Person,
    unit: usize,
    lead: Uuid,
    from: NaiveDate,
    /// When the case left that unit, or was closed.
    until: Option<NaiveDate>,
}

impl Generator {
    /// What belongs to the cases that were made since. With chances of its own, so that the rest of the authority is as it was
    /// without it.
    pub(in crate::seed) fn safeguarding(&mut self) {
        let units: HashMap<Uuid, usize> = self.staff.iter().enumerate().map(|(at, staff)| (staff.id, at)).collect();
        let persons: HashMap<Uuid, Person> =
            self.out.persons.iter().map(|person| (person.id, person.clone())).collect();
        // Who held each case, and when, first one first.
        let mut holders: HashMap<Uuid, Vec<(Moment, Uuid, Option<Moment>)>> = HashMap::new();
        for held in self.out.allocations.iter().filter(|held| held.kind == "PRIMARY") {
            holders.entry(held.case).or_default().push((held.started_at, held.unit, held.ended_at));
        }
        holders.values_mut().for_each(|held| held.sort_unstable());
        let leads: HashMap<(Uuid, Moment), Uuid> = self
            .out
            .involvements
            .iter()
            .filter(|part| part.capacity == "LEAD_PRACTITIONER")
            .map(|part| ((part.case, part.started_at), part.worker))
            .collect();
        let leaving: HashMap<Uuid, &'static str> = self
            .out
            .transfers
            .iter()
            .filter(|transfer| transfer.state == "REQUESTED")
            .map(|transfer| (transfer.case, transfer.kind))
            .collect();
        let initial: HashMap<Uuid, Moment> = self
            .out
            .conferences
            .iter()
            .filter(|conference| conference.kind == "INITIAL")
            .map(|conference| (conference.id, conference.requested_at))
            .collect();
        let called: HashMap<Uuid, (usize, Moment)> = self
            .out
            .conference_children
            .iter()
            .enumerate()
            .filter_map(|(at, part)| Some((part.case, (at, *initial.get(&part.conference)?))))
            .collect();
        let cases: Vec<Case> = self.out.cases.clone();
        let mut writer = Writer { rng: Rng::with_seed(0x0073_6166_6567 + u64::from(self.nhs)) };
        for case in &cases {
            let (Some(holders), Some(child)) = (holders.get(&case.id), persons.get(&case.child)) else { continue };
            let held_by = |(started_at, unit, ended_at): &(Moment, Uuid, Option<Moment>)| {
                Some(Held {
                    case,
                    child,
                    unit: *units.get(unit)?,
                    lead: *leads.get(&(case.id, *started_at))?,
                    from: london(*started_at).max(case.opened_on),
                    until: ended_at.map(london),
                })
            };
            let Some(held) = holders.first().and_then(held_by) else { continue };
            writer.assessed(self, &held, leaving.get(&case.id) == Some(&"TO_CIN"));
            match called.get(&case.id) {
                Some((part, requested_at)) => {
                    // By the unit that held the case when it asked for the conference.
                    let then = holders.iter().rev().find(|(started_at, ..)| started_at < requested_at);
                    let held = then.and_then(held_by).unwrap_or(held);
                    let enquiry = writer.enquired(self, &held, Some(*requested_at));
                    self.out.conference_children[*part].enquiry = Some(enquiry);
                }
                None if case.closed_on.is_none() && case.status == "ASSESSMENT" && writer.rng.usize(..8) == 0 => {
                    writer.enquired(self, &held, None);
                }
                None => {}
            }
        }
    }
}

struct Writer {
    rng: Rng,
}

impl Writer {
    fn id(&mut self, at: Moment) -> Uuid {
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(..from.len())]
    }

    /// Somebody else of the unit than this worker, who may authorise.
    fn other(made: &Generator, unit: usize, but: Uuid) -> Uuid {
        let staff = &made.staff[unit];
        if staff.consultant == but { made.managers[unit / super::organisation::AREA_UNITS] } else { staff.consultant }
    }

    fn assessed(&mut self, made: &mut Generator, held: &Held<'_>, leaving: bool) {
        let (case, yesterday) = (held.case, made.yesterday());
        let alone = matches!(case.closure_reason, Some("RC8" | "RC9"));
        let ends = match (held.until, alone) {
            (Some(until), true) => Some(until),
            (Some(until), false) => Some((held.from + days(self.rng.usize(8..40))).min(until)),
            (None, _) if case.status == "ASSESSMENT" && !leaving && self.rng.usize(..10) < 8 => None,
            (None, _) => Some(held.from + days(self.rng.usize(8..40))).map(|day| day.min(yesterday)),
        };
        let ends = ends.filter(|day| *day >= held.from && (*day < made.today || held.until.is_some()));
        let author = held.lead;
        let handed_in = ends.is_some() || (held.from < yesterday && self.rng.usize(..3) == 0);
        let started_at = moment(held.from, 15, 5);
        let unborn = self.unborn(held, held.from);
        let away = self.rng.usize(..12) == 0;
        let seen = (!unborn && !away).then(|| {
            let last = ends.unwrap_or(yesterday).max(held.from);
            (held.from + days(self.rng.usize(1..5))).min(last)
        });
        let mut factors: Vec<&'static str> = (0..self.rng.usize(1..4)).map(|_| self.pick(&FACTORS)).collect();
        factors.sort_unstable();
        factors.dedup();
        let outcome = match case.closure_reason {
            Some("RC8") => "NFA",
            Some("RC9") => "EARLY_HELP",
            _ => "CIN_PLAN",
        };
        let submitted_on = ends.unwrap_or(yesterday);
        let submitted_at = handed_in.then(|| moment(submitted_on, 15, 10));
        let authorised_at = ends.map(|day| moment(day, 15, 40));
        let id = self.id(started_at);
        let child = case.child;
        made.out.assessments.push(Assessment {
            id,
            case: case.id,
            child,
            status: match (handed_in, authorised_at) {
                (_, Some(_)) => "AUTHORISED",
                (true, None) => "SUBMITTED",
                (false, None) => "IN_PROGRESS",
            },
            started_on: held.from,
            review_on: Some(forward(held.from + days(14))),
            author,
            written_by: author,
            child_seen_on: seen,
            child_seen_alone: seen.map(|_| self.rng.bool()),
            not_seen_reason: match (seen, unborn) {
                (Some(_), _) => None,
                (None, true) => Some("The child is not born yet."),
                (None, false) => Some("The family was with relatives; the school nurse saw the child every week."),
            },
            wishes_feelings: seen.map(|_| self.pick(&WISHES)),
            analysis: handed_in.then(|| self.pick(&ANALYSES)),
            factors: if handed_in { factors } else { Vec::new() },
            outcome: handed_in.then_some(outcome),
            submitted_by: submitted_at.map(|_| author),
            submitted_at,
            authorised_by: authorised_at.map(|_| Self::other(made, held.unit, author)),
            authorised_at,
            authorised_reason: authorised_at.map(|_| "I know the family's story from it, and agree with what follows."),
            version: 1 + i32::from(seen.is_some()) + i32::from(handed_in) + i32::from(authorised_at.is_some()),
            created_at: started_at,
        });
        let kinds: &[&str] = if handed_in { &["RELIGION", "CULTURE", "DISABILITY"] } else { &["RELIGION"] };
        for kind in kinds {
            let (answer, description, what) = match (*kind, self.rng.usize(..12)) {
                ("CULTURE", 0) => {
                    ("NEED", Some("Decisions are the whole family's."), Some("We meet when all can come."))
                }
                ("DISABILITY", 0) => ("NEED", Some("Needs pictures to follow a talk."), Some("Cards for every visit.")),
                (_, 1) => ("ASKED_DECLINED", None, None),
                _ => ("NONE_KNOWN", None, None),
            };
            let need = Need {
                id: self.id(started_at),
                contact: None,
                person: None,
                assessment: Some((id, child)),
                kind,
                answer,
                description,
                what_we_will_do: what,
                recorded_by: author,
                recorded_at: started_at,
            };
            made.out.needs.push(need);
        }
    }

    fn unborn(&self, held: &Held<'_>, on: NaiveDate) -> bool {
        held.child.born.is_none_or(|born| born > on)
    }

    /// The discussion and the enquiry that it began: one that called for a conference, or one that runs.
    fn enquired(&mut self, made: &mut Generator, held: &Held<'_>, requested_at: Option<Moment>) -> Uuid {
        let case = held.case;
        let ago = self.rng.usize(2..7);
        let latest = requested_at.map_or(made.yesterday(), london);
        let held_on = back(latest - days(ago)).max(case.opened_on).max(held.from);
        let held_at = moment(held_on, 11, 30);
        let joint = self.rng.usize(..3) > 0;
        let discussion = self.id(held_at);
        let child = case.child;
        made.out.strategy_discussions.push(StrategyDiscussion {
            id: discussion,
            meeting: discussion,
            case: case.id,
            child,
            held_at,
            information_shared: self.pick(&SHARED),
            decision: if joint { "S47_JOINT" } else { "S47_SINGLE" },
            decision_reason: "There is reasonable cause to suspect that the child suffers significant harm.",
            immediate_action: "The child is seen today; until then an aunt has the child.",
            actions: vec!["The lead practitioner sees the child today.", "Health looks into the notes by tomorrow."],
            recorded_by: held.lead,
            recorded_at: held_at + TimeDelta::minutes(90),
        });
        let age = held.child.born.map_or(-1, |born| years_between(born, held_on));
        let health = match age {
            ..0 => names::MIDWIFERY,
            0..5 => names::HEALTH_VISITING,
            _ => names::SCHOOL_NURSING,
        };
        let others = [("POLICE_CAIT", names::POLICE, "DS Adair"), ("HEALTH", health, "S. Okoro")];
        let there = [("SOCIAL_CARE", None, "Lead practitioner")]
            .into_iter()
            .chain(others.map(|(agency, organisation, name)| (agency, Some(organisation), name)));
        for (position, (agency, organisation, name)) in (1..).zip(there) {
            let id = self.id(held_at);
            let one =
                StrategyParticipant { id, discussion, case: case.id, child, position, agency, organisation, name };
            made.out.strategy_participants.push(one);
        }
        let seen = (!self.unborn(held, held_on)).then_some(held_on).filter(|_| requested_at.is_some());
        let id = self.id(held_at);
        made.out.enquiries.push(Enquiry {
            id,
            case: case.id,
            child,
            discussion,
            started_on: held_on,
            mode: if joint { "JOINT" } else { "SINGLE" },
            lead: held.lead,
            police_reference: joint.then_some("CAIT/4711"),
            child_seen_on: seen,
            child_seen_alone: seen.map(|_| true),
            interviewed: joint && requested_at.is_some(),
            medical: false,
            status: if requested_at.is_some() { "CONCLUDED" } else { "OPEN" },
            outcome: requested_at.map(|_| "INITIAL_CONFERENCE"),
            findings: requested_at.map(|_| self.pick(&FINDINGS)),
            decided_by: requested_at.map(|_| made.staff[held.unit].consultant),
            decided_at: requested_at,
            case_status_before: requested_at.map(|_| if held.unit % 12 < 4 { "ASSESSMENT" } else { "CIN" }),
            version: 1 + 2 * i32::from(requested_at.is_some()),
            created_at: held_at + TimeDelta::minutes(90),
        });
        for (nth, (agency, organisation, name)) in others.into_iter().enumerate() {
            self.asked(made, held, (id, held_at, requested_at.is_some()), (agency, organisation, name), nth);
        }
        id
    }

    /// Somebody of another agency, and what they were asked in an enquiry.
    fn asked(
        &mut self,
        made: &mut Generator,
        held: &Held<'_>,
        (enquiry, at, over): (Uuid, Moment, bool),
        (agency, organisation, name): (&'static str, &'static str, &'static str),
        nth: usize,
    ) {
        let (case, child) = (held.case.id, held.case.child);
        let asked_at = at + TimeDelta::minutes(120);
        let participant = self.id(asked_at);
        made.out.agency_participants.push(AgencyParticipant {
            id: participant,
            case,
            child,
            agency,
            organisation,
            name: Some(name),
            contact: Some("020 7946 0855"),
            joined_on: london(at),
            added_by: held.lead,
            created_at: asked_at,
        });
        let status = match (over, nth, self.rng.usize(..4)) {
            (true, ..) | (false, 0, 0..3) => "RESPONDED",
            (false, _, 3) => "REFUSED",
            (false, _, 2) => "SENT",
            _ => "CHASED",
        };
        let (done_at, chased_at) = (asked_at + TimeDelta::hours(3), asked_at + TimeDelta::hours(2));
        let id = self.id(asked_at);
        made.out.information_requests.push(InformationRequest {
            id,
            case,
            child,
            participant,
            enquiry,
            duty: "S47",
            questions: self.pick(&QUESTIONS),
            asked_by: held.lead,
            asked_at,
            due_at: moment(forward(london(asked_at) + days(2)), 17, 0),
            status,
            received_at: (status == "RESPONDED").then_some(done_at),
            response: (status == "RESPONDED").then(|| self.pick(&ANSWERS)),
            refused_at: (status == "REFUSED").then_some(done_at),
            refusal_reason: (status == "REFUSED").then_some("Their manager wants the request in writing first."),
            refused_by: (status == "REFUSED").then_some(held.lead),
            escalated_to: (status == "REFUSED").then(|| made.managers[held.unit / super::organisation::AREA_UNITS]),
            recorded_by: (status == "RESPONDED").then_some(held.lead),
            version: if status == "SENT" { 1 } else { 2 },
        });
        if status == "CHASED" || (over && self.rng.usize(..3) == 0) {
            let id = self.id(chased_at);
            let method = self.pick(&["PHONE", "EMAIL"]);
            made.out.information_chases.push(Chase {
                id,
                request: id_of(&made.out.information_requests),
                child,
                method,
                note: Some("They look for it."),
                by: held.lead,
                at: chased_at,
            });
        }
    }
}

fn id_of(requests: &[InformationRequest]) -> Uuid {
    requests.last().map_or_else(Uuid::nil, |request| request.id)
}

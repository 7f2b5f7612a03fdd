//! Plans of children who are looked after or have left care, and what parenting support workers are asked for.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use fastrand::Rng;
use uuid::Uuid;

use super::{
    Generator,
    calendar::{Moment, days, london, moment, months, years_between},
    rows::{Plan, Post, Support, Worker},
};

/// No text holds a comma: lists travel with commas between.
const SAID: [&str; 4] = [
    "As agreed with the child and the family at the last review.",
    "Goes well; nothing is to change before the next review.",
    "Needs more than it has now: the next step and who takes it stand in the actions.",
    "Known and looked at every month together with the carers.",
];
const ASKED: [&str; 3] = [
    "Mornings: getting up and out of the house without shouting. Twice a week for eight weeks.",
    "Rules that both parents keep. The father comes too when he is not on shift.",
    "Playing and talking with the little one; the mother asked for it herself.",
];
const NAMES: [&str; 4] = ["Marisol Penn", "Tobias Adeyemi", "Gwen Hartley", "Ishaan Rao"];

const CARE: &[&str] = &[
    "PERMANENCE",
    "HEALTH",
    "EDUCATION",
    "EMOTIONAL_BEHAVIOURAL",
    "RELIGIOUS_PERSUASION",
    "RACIAL_ORIGIN",
    "CULTURAL_LINGUISTIC",
    "FAMILY_RELATIONSHIPS",
    "SOCIAL_PRESENTATION",
    "SELF_CARE",
    "PLACEMENT",
    "WISHES_FEELINGS",
];
const PLACEMENT: &[&str] = &["DAILY_CARE", "CONTACT", "DECISIONS", "HEALTH", "EDUCATION", "WISHES_FEELINGS"];
const HEALTH: &[&str] = &["HEALTH", "EMOTIONAL_BEHAVIOURAL"];
const SCHOOL: &[&str] = &["EDUCATION", "WISHES_FEELINGS"];
const PERMANENCE: &[&str] = &["CONTACT", "WISHES_FEELINGS", "CONTINGENCY"];
const PATHWAY: &[&str] = &[
    "PERSONAL_SUPPORT",
    "ACCOMMODATION",
    "EDUCATION",
    "EMPLOYMENT",
    "FAMILY_RELATIONSHIPS",
    "PRACTICAL_SKILLS",
    "MONEY",
    "HEALTH",
    "CONTINGENCY",
];

/// One in so many children in need for whom somebody is asked and has not answered.
const ASKED_ONCE_IN: usize = 40;

impl Generator {
    /// One parenting support worker for each twelve units; two of their chairs review the plans of looked-after children too.
    pub(super) fn supporters(&mut self) {
        let mut writer = Writer { rng: Rng::with_seed(0x0070_6172_656E + self.supporters.len() as u64) };
        for block in self.supporters.len()..self.sizes.units.div_ceil(12) {
            let since = moment(self.today - months(30), 9, 0);
            let id = writer.id(since);
            self.out.workers.push(Worker {
                id,
                staff_no: format!("PS-{}", block + 1),
                name: NAMES[block % NAMES.len()].to_owned(),
                email: format!("ps-{}@hearth.example", block + 1),
                sw_england_no: None,
                qualified: false,
                active: true,
                fte: 1.0,
                agency_worker: false,
                created_at: since,
            });
            self.supporters.push(id);
            let reviewing: Vec<Uuid> = self.chairs.iter().skip(block * 4 + 2).take(2).copied().collect();
            let posts = reviewing.into_iter().map(|chair| (chair, "REVIEWING_OFFICER"));
            for (worker, post) in posts.chain([(id, "PARENTING_SUPPORT_WORKER")]) {
                self.out.posts.push(Post { id: writer.id(since), worker, post, started_at: since });
            }
        }
    }

    /// What belongs to the cases that were made since. With chances of its own, so that the rest of the authority is as it was
    /// without it.
    pub(in crate::seed) fn care(&mut self) {
        let mut writer = Writer { rng: Rng::with_seed(0x0063_6172_6500 + u64::from(self.nhs)) };
        let units: HashMap<Uuid, usize> = self.staff.iter().enumerate().map(|(at, staff)| (staff.id, at)).collect();
        let held: HashMap<Uuid, (usize, Moment)> = self
            .out
            .allocations
            .iter()
            .filter(|held| held.kind == "PRIMARY" && held.ended_at.is_none())
            .filter_map(|held| Some((held.case, (*units.get(&held.unit)?, held.started_at))))
            .collect();
        let born: HashMap<Uuid, NaiveDate> =
            self.out.persons.iter().filter_map(|person| Some((person.id, person.born?))).collect();
        let cases = self.out.cases.clone();
        for case in cases.iter().filter(|case| case.closed_on.is_none()) {
            let (Some((_, since)), Some(born)) = (held.get(&case.id), born.get(&case.child)) else { continue };
            let start = london(*since).max(case.opened_on).min(self.yesterday());
            let age = years_between(*born, self.today);
            let kinds: &[(&str, &[&str], Option<&str>)] = match case.status {
                "LOOKED_AFTER" => &[
                    ("CARE", CARE, None),
                    ("PLACEMENT", PLACEMENT, None),
                    ("HEALTH", HEALTH, None),
                    ("PERMANENCE", PERMANENCE, Some("RETURN_HOME")),
                ],
                "LOOKED_AFTER_LAC" => &[
                    ("CARE", CARE, None),
                    ("PLACEMENT", PLACEMENT, None),
                    ("HEALTH", HEALTH, None),
                    ("PERSONAL_EDUCATION", SCHOOL, None),
                    ("PERMANENCE", PERMANENCE, Some("LONG_TERM_FOSTERING")),
                ],
                "CARE_LEAVER" => &[("PATHWAY", PATHWAY, None)],
                _ => continue,
            };
            for (kind, sections, route) in kinds {
                if *kind != "PERSONAL_EDUCATION" || age >= 4 {
                    writer.plan(self, (case.id, case.child), start, kind, sections, *route);
                }
            }
        }
        writer.supported(self, &held);
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

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.rng.usize(..from.len())]
    }

    fn plan(
        &mut self,
        made: &mut Generator,
        (case, child): (Uuid, Uuid),
        start: NaiveDate,
        kind: &'static str,
        sections: &'static [&'static str],
        route: Option<&'static str>,
    ) {
        let mut due = start + months(3);
        while due + days(20) < made.today {
            due = due + months(6);
        }
        let at = moment(start, 17, 20);
        made.out.plans.push(Plan {
            id: self.id(at),
            case,
            child,
            kind,
            status: "ACTIVE",
            start_on: start,
            end_on: None,
            overall_aim: "The child grows up safe and settled, and knows what is decided and why.".to_owned(),
            agreed_change_by: None,
            review_due_on: due,
            conference: None,
            initial_category: None,
            latest_category: None,
            previous_cpps: None,
            parent_view: Some("The parents were asked and see most of it the same way.".to_owned()),
            child_view: Some("Wants to stay in the same school.".to_owned()),
            version: 1,
            created_at: at,
            section_codes: sections,
            section_texts: sections.iter().map(|_| self.pick(&SAID)).collect(),
            route,
            needs_assessed_on: (kind == "PATHWAY").then_some(start),
        });
    }

    /// Who works with a family was asked for it; some were asked and have not answered.
    fn supported(&mut self, made: &mut Generator, held: &HashMap<Uuid, (usize, Moment)>) {
        let mut goals: HashMap<Uuid, Uuid> = HashMap::new();
        let in_force: HashMap<Uuid, Uuid> = made
            .out
            .plans
            .iter()
            .filter(|plan| plan.status == "ACTIVE" && matches!(plan.kind, "CIN" | "CHILD_PROTECTION"))
            .map(|plan| (plan.id, plan.case))
            .collect();
        for goal in made.out.goals.iter().filter(|goal| goal.status == "OPEN") {
            if let Some(case) = in_force.get(&goal.plan) {
                goals.entry(*case).or_insert(goal.id);
            }
        }
        let mut asked = HashSet::new();
        let mut requests = Vec::new();
        for part in made.out.involvements.iter_mut().filter(|part| part.capacity == "PARENTING_SUPPORT") {
            let Some((unit, _)) = held.get(&part.case).filter(|_| part.ended_at.is_none()) else { continue };
            part.worker = made.supporters[unit / 12];
            asked.insert(part.case);
            requests.push((part.case, part.child, *unit, part.started_at, Some(part.id)));
        }
        for (at, case) in made.out.cases.iter().enumerate().filter(|(_, case)| case.status == "CIN") {
            if let Some((unit, _)) = held.get(&case.id)
                && !asked.contains(&case.id)
                && at % ASKED_ONCE_IN == 0
            {
                requests.push((case.id, case.child, *unit, moment(made.yesterday(), 15, 0), None));
            }
        }
        for (case, child, unit, at, involvement) in requests {
            let id = self.id(at);
            made.out.supports.push(Support {
                id,
                case,
                child,
                worker: made.supporters[unit / 12],
                asked_for: self.pick(&ASKED),
                status: if involvement.is_some() { "ACCEPTED" } else { "REQUESTED" },
                requested_by: made.staff[unit].consultant,
                requested_at: at,
                answered_at: involvement.map(|_| at),
                involvement,
                version: 1 + i32::from(involvement.is_some()),
                goal: goals.get(&case).copied(),
            });
        }
    }
}

//! The front door: what opened the cases of the last weeks, and what came in beside.

use chrono::{NaiveDate, TimeDelta};
use fastrand::Rng;
use uuid::Uuid;

use super::{
    Generator,
    calendar::{Moment, back, days, london, moment},
    rows::{Case, Consultation, Contact, ContactPerson, Need, Person, Referral},
};

/// How far back contacts are kept of the demo authority, in days.
const WEEKS: usize = 45;

/// Source, channel, who called, how they are reached.
const CALLERS: [(&str, &str, &str, &str); 8] = [
    ("2A", "PHONE", "Deputy head, Millfields School", "020 7946 0811"),
    ("3B", "EMAIL", "Health visitor, Lower Clapton", "hv.clapton@health.example"),
    ("6", "POLICE_NOTIFICATION", "Public protection desk", "ref 0417/26"),
    ("3A", "PHONE", "Dr Osei, Well Street Surgery", "020 7946 0822"),
    ("1A", "PHONE", "A grandmother", "020 7946 0833"),
    ("4", "WEB", "Housing officer, east team", "housing.east@council.example"),
    ("1B", "IN_PERSON", "A neighbour", "came to the office"),
    ("3E", "PHONE", "Paediatric nurse, emergency department", "020 7946 0844"),
];

/// What is told about children whom nobody knows, and what was decided.
const UNKNOWN: [(&str, &str, &str, &str); 10] = [
    (
        "A boy of about six shouted at every night behind the wall",
        "INFORMATION_ADVICE",
        "The caller knows whom to ring at night.",
        "AMBER",
    ),
    (
        "Two children alone in a car outside a betting shop",
        "NO_FURTHER_ACTION",
        "Police spoke to the father; nothing else is known.",
        "GREEN",
    ),
    (
        "A mother asks for help with a teenager who does not come home",
        "EARLY_HELP",
        "Early help begins this week, with her consent.",
        "AMBER",
    ),
    (
        "A father who lost his work asks for food and clothing",
        "SIGNPOST",
        "To the food bank and the welfare adviser.",
        "GREEN",
    ),
    (
        "Parents who separate and quarrel about weekends",
        "CONSULTATION_MEETING",
        "Both parents want to talk it over; nobody is in danger.",
        "GREEN",
    ),
    (
        "A school worries about a girl who falls asleep in class",
        "CONSULTATION_MEETING",
        "The mother would like to meet somebody.",
        "GREEN",
    ),
    (
        "A toddler seen on a balcony without rails",
        "INFORMATION_ADVICE",
        "Housing mends the rail today; the caller was told.",
        "AMBER",
    ),
    ("A boy who brings expensive shoes that nobody bought him", "EARLY_HELP", "The youth team meets him.", "AMBER"),
    ("A young mother asks which nursery takes babies", "SIGNPOST", "To the family information service.", "GREEN"),
    (
        "A grandfather who looks after two children wants advice",
        "INFORMATION_ADVICE",
        "Advice about kinship care was given.",
        "GREEN",
    ),
];

/// What comes in about children whom a unit works with.
const KNOWN: [&str; 4] = [
    "He came to school without a coat and had not eaten since yesterday.",
    "She told a teacher that there was a fight at home on Sunday night.",
    "The family missed a third appointment at the clinic.",
    "A car was at the house again that the police look for.",
];

/// What comes in and waits for its first look.
const NEW: [(&str, Option<&str>); 6] = [
    ("Screams of a child in the flat above, for an hour, last night", None),
    ("A girl of ten walks her small brothers to school alone", Some("AMBER")),
    ("A baby with a bruise that nobody can explain, in the emergency department", Some("RED")),
    ("A boy sells small packets at the bus station", None),
    ("A mother drinks and has nobody to collect the children", Some("AMBER")),
    ("A family of six in one room, with a newborn", None),
];

impl Generator {
    /// Contacts and referrals of what was made since. With a generator of its own, so that the rest of the authority is as it
    /// was without them.
    pub(in crate::seed) fn contacts(&mut self) {
        let seed = 0x0066_726f_6e74 + u64::from(self.nhs);
        let mut front = FrontDoor { rng: Rng::with_seed(seed), desk: self.first_response.clone() };
        let persons: std::collections::HashMap<Uuid, Person> =
            self.out.persons.iter().map(|person| (person.id, person.clone())).collect();
        let since = self.today - days(WEEKS);
        let cases: Vec<Case> = self.out.cases.clone();
        for case in cases.iter().filter(|case| case.opened_on >= since && case.closed_on.is_none()) {
            let Some(child) = persons.get(&case.child) else { continue };
            front.referred(self, case, child);
        }
        // About children whom somebody holds, a few of every unit.
        let mut held: Vec<(Uuid, Uuid, Uuid)> = self
            .out
            .allocations
            .iter()
            .filter(|row| row.kind == "PRIMARY" && row.ended_at.is_none() && row.started_at < moment(since, 9, 0))
            .map(|row| (row.unit, row.case, row.child))
            .collect();
        held.sort_unstable();
        for (unit, case, child) in held {
            let called = self.called.entry(unit).or_default();
            let nth = *called;
            let Some(child) = persons.get(&child).filter(|_| nth < 4) else { continue };
            *called += 1;
            front.about_known(self, case, child, nth);
        }
        if std::mem::replace(&mut self.strangers, true) {
            return;
        }
        for (nth, told) in UNKNOWN.iter().enumerate() {
            front.ended(self, nth, told);
        }
        for (nth, (concern, urgency)) in NEW.iter().enumerate() {
            front.waiting(self, nth, concern, *urgency);
        }
    }
}

struct FrontDoor {
    rng: Rng,
    desk: Vec<Uuid>,
}

impl FrontDoor {
    fn id(&mut self, at: Moment) -> Uuid {
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    fn contact(&mut self, at: Moment, concern: String) -> Contact {
        let (source, channel, name, reach) = CALLERS[self.rng.usize(..CALLERS.len())];
        let at_desk = self.rng.usize(..self.desk.len());
        let taken_by = self.desk[at_desk];
        let id = self.id(at);
        let anonymous = self.rng.usize(..8) == 0 && source.starts_with('1');
        Contact {
            id,
            received_at: at,
            channel,
            source: if anonymous { "9" } else { source },
            caller_name: (!anonymous).then_some(name),
            caller_contact: (!anonymous).then_some(reach),
            concern,
            consent: ["GIVEN", "GIVEN", "REFUSED", "NOT_ASKED_SAFETY"][self.rng.usize(..4)],
            status: "CONTACT",
            urgency: None,
            triaged_by: None,
            triaged_at: None,
            decision: None,
            decision_reason: None,
            decided_by: None,
            decided_at: None,
            referrer_informed_at: None,
            referrer_not_informed: anonymous.then_some("ANONYMOUS"),
            taken_by,
            version: 1,
            created_at: at,
        }
    }

    fn triaged(&mut self, contact: &mut Contact, urgency: &'static str) {
        contact.urgency = Some(urgency);
        contact.triaged_by = Some(contact.taken_by);
        contact.triaged_at = Some(contact.received_at + TimeDelta::minutes(20));
        contact.version += 1;
    }

    fn decided(&mut self, contact: &mut Contact, status: &'static str, decision: &'static str, reason: &'static str) {
        let at = contact.received_at + TimeDelta::minutes(90);
        contact.status = status;
        contact.decision = Some(decision);
        contact.decision_reason = Some(reason);
        contact.decided_by = Some(contact.taken_by);
        contact.decided_at = Some(at);
        contact.referrer_informed_at = contact.referrer_not_informed.is_none().then_some(at);
        contact.version += 1;
    }

    /// A child of a contact, with what was answered about needs.
    fn child(&mut self, made: &mut Generator, contact: &Contact, told: Told<'_>) -> Uuid {
        let id = self.id(contact.received_at);
        let (first_name, last_name) = told.names.map_or((None, None), |(first, last)| (Some(first), Some(last)));
        made.out.contact_people.push(ContactPerson {
            id,
            contact: contact.id,
            position: 1,
            kind: "CHILD",
            first_name,
            last_name,
            born: told.born,
            expected: told.expected,
            sex: told.sex,
            description: told.description.map(str::to_owned),
            child: told.matched.map(|(child, _)| child),
            matched_by: told.matched.map(|_| contact.taken_by),
            matched_at: told.matched.map(|_| contact.received_at + TimeDelta::minutes(15)),
            case: told.matched.and_then(|(_, case)| case),
        });
        for kind in ["RELIGION", "CULTURE", "DISABILITY"] {
            let (answer, description, what) = match (kind, self.rng.usize(..10)) {
                ("RELIGION", 0) => {
                    ("NEED", Some("Prays at fixed hours; meals without pork."), Some("Visits are not at prayer time."))
                }
                ("CULTURE", 0) => {
                    ("NEED", Some("The grandmother is asked first."), Some("Both are spoken to together."))
                }
                ("DISABILITY", 0) => {
                    ("NEED", Some("Hears badly on one side."), Some("A room without noise, and time."))
                }
                (_, 1..=2) => ("ASKED_DECLINED", None, None),
                _ => ("NONE_KNOWN", None, None),
            };
            let need = Need {
                id: self.id(contact.received_at),
                contact: Some(contact.id),
                person: Some(id),
                assessment: None,
                kind,
                answer,
                description,
                what_we_will_do: what,
                recorded_by: contact.taken_by,
                recorded_at: contact.received_at,
            };
            made.out.needs.push(need);
        }
        id
    }

    /// The contact and the referral that opened a case.
    fn referred(&mut self, made: &mut Generator, case: &Case, child: &Person) {
        let at = moment(case.opened_on, 9, 5).min(case.created_at);
        let mut contact = self.contact(at, case.referral_summary.clone());
        let urgency = if self.rng.usize(..6) == 0 { "RED" } else { "AMBER" };
        self.triaged(&mut contact, urgency);
        self.decided(&mut contact, "REFERRED", "REFERRAL_STATUTORY", "A statutory assessment may be needed.");
        let told = Told { matched: Some((case.child, Some(case.id))), ..Told::of(child) };
        self.child(made, &contact, told);
        let category = match case.primary_need {
            Some("N1") => ["NEGLECT", "PHYSICAL_ABUSE", "DOMESTIC_ABUSE", "EMOTIONAL_ABUSE"][self.rng.usize(..4)],
            Some("N2") => "DISABILITY",
            Some("N3") => "PARENTAL_MENTAL_HEALTH",
            Some("N6") => "MISSING",
            Some("N8") => "ABANDONED",
            _ => "FAMILY_BREAKDOWN",
        };
        let decided_at = at + TimeDelta::minutes(110);
        let referral = Referral {
            id: self.id(at),
            contact: contact.id,
            case: case.id,
            child: case.child,
            received_on: london(at),
            source: contact.source,
            category,
            decision: "ACCEPT_ASSESS",
            decision_reason: "The threshold for a child and family assessment is met.",
            decided_by: contact.taken_by,
            decided_at,
            re_referral: false,
            created_by: contact.taken_by,
            created_at: at + TimeDelta::minutes(90),
            version: 2,
        };
        made.out.contacts.push(contact);
        made.out.referrals.push(referral);
    }

    /// What came in about a child whom a unit works with.
    fn about_known(&mut self, made: &mut Generator, case: Uuid, child: &Person, nth: usize) {
        let ago = 2 + self.rng.usize(..WEEKS - 5);
        let day = back(made.today - days(ago));
        let at = moment(day, 10, i64::try_from(self.rng.usize(..300)).unwrap_or(0));
        let mut contact = self.contact(at, KNOWN[nth % KNOWN.len()].to_owned());
        self.triaged(&mut contact, "AMBER");
        // The first of each unit ended at the front door, before anybody looked whether the unit should know.
        let passed = nth > 0;
        if passed {
            self.decided(&mut contact, "PASSED_TO_CASE", "PASS_TO_OPEN_CASE", "The unit works with the child.");
        } else {
            self.decided(
                &mut contact,
                "CONTACT_CLOSED",
                "INFORMATION_ADVICE",
                "The caller wanted to know whom to ask.",
            );
        }
        let told = Told { matched: Some((child.id, passed.then_some(case))), ..Told::of(child) };
        self.child(made, &contact, told);
        made.out.contacts.push(contact);
    }

    /// What ended at the front door, about children whom nobody knows.
    fn ended(
        &mut self,
        made: &mut Generator,
        nth: usize,
        told: &(&'static str, &'static str, &'static str, &'static str),
    ) {
        let (concern, decision, reason, urgency) = told;
        let day = back(made.today - days(2 + 4 * nth));
        let mut contact = self.contact(moment(day, 11, 10), (*concern).to_owned());
        self.triaged(&mut contact, urgency);
        self.decided(&mut contact, "CONTACT_CLOSED", decision, reason);
        self.child(made, &contact, Told { description: Some(*concern), ..Told::default() });
        if *decision == "CONSULTATION_MEETING" {
            let state = if nth.is_multiple_of(2) { "HELD" } else { "ARRANGED" };
            let held = (state == "HELD").then(|| moment(made.today - days(3), 15, 0));
            let worker = made.staff[nth % 4].consultant;
            let consultation = Consultation {
                id: self.id(contact.received_at),
                contact: contact.id,
                worker,
                scheduled_for: held.unwrap_or_else(|| moment(made.today + days(6), 10, 0)),
                place: Some("Service centre, room 4"),
                online: false,
                state,
                note: held.map(|_| "They agreed on weekends; nothing further is needed."),
                recorded_by: held.map(|_| worker),
                recorded_at: held.map(|at| at + TimeDelta::minutes(60)),
                version: if held.is_some() { 2 } else { 1 },
            };
            made.out.consultations.push(consultation);
        }
        made.out.contacts.push(contact);
    }

    /// What waits for a decision.
    fn waiting(&mut self, made: &mut Generator, nth: usize, concern: &str, urgency: Option<&'static str>) {
        let day = made.yesterday();
        let mut contact = self.contact(moment(day, 14, 20 * i64::try_from(nth).unwrap_or(0)), concern.to_owned());
        if let Some(urgency) = urgency {
            self.triaged(&mut contact, urgency);
        }
        self.child(made, &contact, Told { description: Some(concern), ..Told::default() });
        made.out.contacts.push(contact);
    }
}

/// What was told of a child.
#[derive(Default)]
struct Told<'a> {
    names: Option<(String, String)>,
    born: Option<NaiveDate>,
    expected: Option<NaiveDate>,
    sex: Option<&'static str>,
    description: Option<&'a str>,
    /// Who it is, and to which case it went.
    matched: Option<(Uuid, Option<Uuid>)>,
}

impl Told<'_> {
    fn of(child: &Person) -> Self {
        Self {
            names: Some((child.first_name.clone(), child.last_name.clone())),
            born: child.born,
            expected: child.expected,
            sex: Some(child.sex),
            ..Self::default()
        }
    }
}

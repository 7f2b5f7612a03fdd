//! Makes an authority as plain rows, without I/O: a function of the day and the sizes alone.
//!
//! Families are made one after another. For each, the story is chosen first (which unit holds it, since when, which
//! conferences were held), then the people who fit it, and then the story is played into rows.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Europe::London;
use fastrand::Rng;
use uuid::Uuid;

use super::names::{self, BACKGROUNDS, Background, GoalText, Owner};

type Moment = DateTime<Utc>;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Units, a multiple of twelve: four of access and assessment, four of children in need, four of the rest.
    pub(super) units: usize,
    pub(super) children: usize,
}

/// The demo authority's sizes.
pub(super) const DEMO: Sizes = Sizes { units: 12, children: 600 };

/// What share of the allocated cases each unit of a block holds, and of what service it is.
pub(super) const BLOCK: [(&str, usize); 12] = [
    ("ACCESS_ASSESSMENT", 38),
    ("ACCESS_ASSESSMENT", 36),
    ("ACCESS_ASSESSMENT", 42),
    ("ACCESS_ASSESSMENT", 37),
    ("CHILDREN_IN_NEED", 46),
    ("CHILDREN_IN_NEED", 41),
    ("CHILDREN_IN_NEED", 44),
    ("CHILDREN_IN_NEED", 40),
    ("LOOKED_AFTER", 33),
    ("LOOKED_AFTER", 30),
    ("FAMILY_SUPPORT", 36),
    ("DISABLED_CHILDREN", 37),
];
const AREA_NAMES: [&str; 3] = ["Access and Assessment", "Children in Need", "Care and Support"];
const AREA_UNITS: usize = 4;
const DISABILITIES: [&str; 7] = ["MOB", "LD", "AUT", "COMM", "HEAR", "VIS", "CON"];
/// The hour and minute at which conferences begin.
const SLOTS: [(i64, i64); 4] = [(9, 30), (11, 30), (13, 30), (15, 30)];

/// Everything that is written, in the order in which foreign keys allow it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Authority {
    pub(super) workers: Vec<Worker>,
    pub(super) posts: Vec<Post>,
    pub(super) areas: Vec<Area>,
    pub(super) units: Vec<Unit>,
    pub(super) memberships: Vec<Membership>,
    pub(super) persons: Vec<Person>,
    pub(super) children: Vec<Child>,
    pub(super) addresses: Vec<Address>,
    pub(super) families: Vec<Family>,
    pub(super) family_members: Vec<FamilyMember>,
    pub(super) relationships: Vec<Relationship>,
    pub(super) cases: Vec<Case>,
    pub(super) transfers: Vec<Transfer>,
    pub(super) allocations: Vec<Allocation>,
    pub(super) involvements: Vec<Involvement>,
    pub(super) conferences: Vec<Conference>,
    pub(super) plans: Vec<Plan>,
    pub(super) conference_children: Vec<ConferenceChild>,
    pub(super) invitations: Vec<Invitation>,
    pub(super) moves: Vec<Move>,
    pub(super) goals: Vec<Goal>,
    pub(super) actions: Vec<Action>,
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub(super) struct $name { $(pub(super) $field: $kind),+ }
    )+};
}

rows! {
    Worker {
        id: Uuid, staff_no: String, name: String, email: String, sw_england_no: Option<String>, qualified: bool,
        active: bool, fte: f64, agency_worker: bool, created_at: Moment,
    }
    Post { id: Uuid, worker: Uuid, post: &'static str, started_at: Moment }
    Area { id: Uuid, name: String, manager: Uuid }
    Unit { id: Uuid, name: String, service: &'static str, area: Uuid, contact_point: String, active_from: NaiveDate }
    Membership {
        id: Uuid, unit: Uuid, worker: Uuid, role: &'static str, started_at: Moment, ended_at: Option<Moment>, fte: f64,
    }
    /// A child or an adult; exactly one of the two dates of birth is given.
    Person {
        id: Uuid, first_name: String, last_name: String, preferred_name: Option<String>, born: Option<NaiveDate>,
        expected: Option<NaiveDate>, sex: &'static str, ethnicity: &'static str, religion: &'static str,
        first_language: &'static str, interpreter_needed: Option<bool>, communication_needs: Option<&'static str>,
        nhs_no: Option<String>, created_at: Moment,
    }
    Child { id: Uuid, upn: Option<String>, disabilities: Vec<&'static str> }
    Address {
        id: Uuid, person: Uuid, kind: &'static str, line: String, postcode: String, from: NaiveDate,
        to: Option<NaiveDate>, confidential: bool,
    }
    Family { id: Uuid, name: String, created_at: Moment }
    FamilyMember { id: Uuid, family: Uuid, person: Uuid, from: NaiveDate }
    /// `person` is the `kind` of `other`.
    Relationship {
        id: Uuid, person: Uuid, other: Uuid, kind: &'static str, parental_responsibility: &'static str,
        main_carer: bool, from: NaiveDate,
    }
    Case {
        id: Uuid, child: Uuid, opened_on: NaiveDate, status: &'static str, primary_need: Option<&'static str>,
        referral_nfa: bool, referral_summary: String, closed_on: Option<NaiveDate>,
        closure_reason: Option<&'static str>, closure_rationale: Option<String>, version: i32, created_at: Moment,
    }
    Transfer {
        id: Uuid, case: Uuid, child: Uuid, from_unit: Uuid, to_unit: Uuid, kind: &'static str, state: &'static str,
        requested_by: Uuid, requested_at: Moment, responded_by: Option<Uuid>, responded_at: Option<Moment>,
        effective_on: Option<NaiveDate>, handover_summary: String, joint_meeting_on: Option<NaiveDate>, version: i32,
    }
    Allocation {
        id: Uuid, case: Uuid, child: Uuid, unit: Uuid, kind: &'static str, started_at: Moment,
        ended_at: Option<Moment>, reason_start: &'static str, reason_end: Option<&'static str>,
        transfer: Option<Uuid>, summary: Option<&'static str>, priority: &'static str, created_by: Uuid, version: i32,
    }
    Involvement {
        id: Uuid, case: Uuid, child: Uuid, worker: Uuid, capacity: &'static str, started_at: Moment,
        ended_at: Option<Moment>, change_reason: Option<&'static str>, version: i32,
    }
    Conference {
        id: Uuid, family: Uuid, kind: &'static str, state: &'static str, requested_by: Uuid, requested_at: Moment,
        scheduled_for: Option<Moment>, venue: Option<&'static str>, online: bool, chair: Option<Uuid>,
        held_at: Option<Moment>, quorate: Option<bool>, minutes_sent_at: Option<Moment>, version: i32,
    }
    Plan {
        id: Uuid, case: Uuid, child: Uuid, kind: &'static str, status: &'static str, start_on: NaiveDate,
        end_on: Option<NaiveDate>, overall_aim: String, agreed_change_by: NaiveDate, review_due_on: NaiveDate,
        conference: Option<Uuid>, initial_category: Option<&'static str>, latest_category: Option<&'static str>,
        previous_cpps: Option<i32>, parent_view: Option<String>, child_view: Option<String>, version: i32,
        created_at: Moment,
    }
    ConferenceChild {
        id: Uuid, conference: Uuid, child: Uuid, case: Uuid, decision: Option<&'static str>,
        category: Option<&'static str>, outline_plan: Option<String>, next_review_on: Option<NaiveDate>,
        plan: Option<Uuid>,
    }
    Invitation {
        id: Uuid, conference: Uuid, person: Option<Uuid>, worker: Option<Uuid>, agency: Option<String>,
        capacity: &'static str, sent_at: Moment, method: &'static str, response: &'static str,
        responded_at: Option<Moment>, answer_asked_at: Moment, version: i32,
    }
    Move { id: Uuid, conference: Uuid, from: Moment, to: Moment, reason: &'static str, by: Uuid, at: Moment }
    Goal {
        id: Uuid, plan: Uuid, child: Uuid, position: i32, change: String, why: String, measure: &'static str,
        baseline: &'static str, target: &'static str, status: &'static str,
    }
    Action {
        id: Uuid, goal: Uuid, plan: Uuid, child: Uuid, text: String, worker: Option<Uuid>, person: Option<Uuid>,
        agency: Option<String>, due_on: NaiveDate, done_on: Option<NaiveDate>, outcome: Option<&'static str>,
    }
}

/// A moment of a day in London, as minutes after midnight; never asked for in the hour that summer time skips.
pub(super) fn moment(day: NaiveDate, hour: i64, minute: i64) -> Moment {
    let local = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(hour * 60 + minute);
    London.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |found| found.with_timezone(&Utc))
}

fn days(count: usize) -> Days {
    Days::new(count as u64)
}

/// Whether the day is Monday to Friday and no bank holiday of England and Wales by the standing rules; days that are
/// proclaimed once are not known here.
pub(super) fn is_working_day(day: NaiveDate) -> bool {
    let (month, date, weekday) = (day.month(), day.day(), day.weekday());
    let is_easter = |day: NaiveDate| {
        // The Gregorian computus in its usual anonymous form.
        let year = day.year();
        let (a, b, c) = (year % 19, year / 100, year % 100);
        let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
        let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
        let n = h + l - 7 * ((a + 11 * h + 22 * l) / 451) + 114;
        (day.month() as i32, day.day() as i32) == (n / 31, n % 31 + 1)
    };
    let monday = weekday == Weekday::Mon;
    let fixed = match (month, date) {
        (1, 1) | (12, 25 | 26) => true,
        // In place of a day that fell on the weekend.
        (1, 2 | 3) => monday,
        (12, 27 | 28) => monday || weekday == Weekday::Tue,
        (5, 1..=7 | 25..=31) | (8, 25..=31) => monday,
        _ => false,
    };
    weekday.number_from_monday() < 6 && !fixed && !is_easter(day + days(2)) && !is_easter(day - days(1))
}

/// The day itself when it is a working day, otherwise the last one before it.
fn back(mut day: NaiveDate) -> NaiveDate {
    while !is_working_day(day) {
        day = day - days(1);
    }
    day
}

/// The day itself when it is a working day, otherwise the next one.
fn forward(mut day: NaiveDate) -> NaiveDate {
    while !is_working_day(day) {
        day = day + days(1);
    }
    day
}

fn months(count: u32) -> Months {
    Months::new(count)
}

fn years_between(born: NaiveDate, day: NaiveDate) -> i32 {
    day.years_since(born).map_or(-1, |years| i32::try_from(years).unwrap_or(i32::MAX))
}

/// A conference that is still to be held, or is only asked for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Upcoming {
    Requested,
    Scheduled,
    Invited,
}

/// What is going on with a family.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Story {
    /// Referred, not yet with a unit.
    Queue,
    Assessment,
    /// An initial conference is to be held.
    Pending(Upcoming),
    /// A child in need plan.
    Need,
    /// A child protection plan; `soon` when its next review is within three weeks.
    Protection {
        soon: bool,
    },
    /// A child in need plan after a child protection plan.
    StepDown,
    CareDecision,
    /// In care, still with the unit that worked with the family.
    LookedAfter,
    /// In care, with the looked-after children service.
    Permanence,
    CareLeaver,
    /// Nothing open.
    Closed(Past),
}

/// What an episode that is over was about.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Past {
    /// First response gave advice; no unit ever held the case.
    Advice,
    /// A child protection plan, among other things.
    Protection,
    Any,
}

/// What the next family of a unit is to be.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) story: Story,
    pub(super) unit: Option<usize>,
    pub(super) single: bool,
    pub(super) unborn: bool,
    pub(super) disabled: bool,
    /// The children had a child protection plan before, in an earlier case.
    pub(super) returned: bool,
    pub(super) joint: Option<usize>,
    pub(super) cover: Option<usize>,
    /// The unit that is asked to take the case over, and the kind of transfer.
    pub(super) requested: Option<(usize, &'static str)>,
    /// The access and assessment unit whose chair chairs this family's conferences.
    pub(super) anchor: Option<usize>,
}

impl Slot {
    pub(super) fn of(story: Story, unit: Option<usize>) -> Self {
        Self {
            story,
            unit,
            single: false,
            unborn: false,
            disabled: false,
            returned: false,
            joint: None,
            cover: None,
            requested: None,
            anchor: None,
        }
    }
}

/// A unit's holding of a family's cases.
#[derive(Clone, Copy)]
struct Stage {
    unit: usize,
    from: NaiveDate,
}

/// A family's time on child protection plans.
struct Protection {
    initial: NaiveDate,
    /// Past reviews; the last one ends the plan when `ends`.
    reviews: Vec<NaiveDate>,
    ends: bool,
}

/// One period of involvement with a family.
struct Episode {
    story: Story,
    opened: NaiveDate,
    stages: Vec<Stage>,
    closed: Option<(NaiveDate, &'static str)>,
    /// When the first child in need plan began.
    cin: Option<NaiveDate>,
    /// When the children became looked after, which ends their plans.
    care: Option<NaiveDate>,
    protection: Option<Protection>,
}

struct Kid {
    id: Uuid,
    first: String,
    born: NaiveDate,
    unborn: bool,
    disabled: bool,
    /// The birth, or for an unborn child the day on which the service heard of it.
    since: NaiveDate,
}

struct Adult {
    id: Uuid,
    first: String,
    parent: bool,
    carer: bool,
    /// Does not live with the children.
    elsewhere: bool,
}

struct Home {
    family: Uuid,
    kids: Vec<Kid>,
    adults: Vec<Adult>,
    primary: &'static str,
    secondary: &'static str,
}

impl Home {
    fn carer(&self) -> Option<&Adult> {
        self.adults.iter().find(|adult| adult.carer)
    }

    fn school(&self, age: i32) -> &'static str {
        if age > 11 { self.secondary } else { self.primary }
    }

    fn fill(&self, text: &str, kid: &Kid, day: NaiveDate) -> String {
        let child = if kid.unborn { "the baby" } else { &kid.first };
        let filled = text
            .replace("{child}", child)
            .replace("{parent}", self.carer().map_or("the family", |adult| &adult.first))
            .replace("{school}", self.school(years_between(kid.born, day)));
        // "the baby" and "the family" may begin a sentence.
        let filled = filled.replace(". the ", ". The ");
        match filled.strip_prefix("the ") {
            Some(rest) => format!("The {rest}"),
            None => filled,
        }
    }
}

/// The people of a unit, with the time of their membership.
#[derive(Default)]
pub(super) struct Staff {
    pub(super) id: Uuid,
    consultant: Uuid,
    practitioner: Uuid,
    /// Since when the practitioner is here, and the clinician: no part of theirs in a case begins earlier.
    practitioner_since: Moment,
    clinician: Uuid,
    clinician_since: Moment,
    coordinator: Uuid,
    /// Social workers beside the consultant: who, from when, until when.
    social_workers: Vec<(Uuid, NaiveDate, Option<NaiveDate>)>,
}

/// A child's case while it is being played.
struct Open {
    kid: usize,
    case: Uuid,
    opened: NaiveDate,
    until: NaiveDate,
}

/// What a conference needs beside its day.
struct Meeting<'a> {
    kind: &'static str,
    /// None for a conference that was held.
    upcoming: Option<Upcoming>,
    day: NaiveDate,
    requested_on: NaiveDate,
    chair: usize,
    unit: usize,
    lead: Uuid,
    kids: &'a [usize],
}

pub(super) struct Generator {
    today: NaiveDate,
    pub(super) sizes: Sizes,
    pub(super) rng: Rng,
    /// What was made and not yet taken away.
    pub(super) out: Authority,
    areas: Vec<Uuid>,
    pub(super) staff: Vec<Staff>,
    chairs: Vec<Uuid>,
    first_response: Vec<Uuid>,
    /// Child protection plans that each child has had.
    protected: HashMap<Uuid, i32>,
    /// When each chair is taken.
    diary: HashSet<(usize, Moment)>,
    workers: usize,
    nhs: u32,
    moved: usize,
    /// The fewest and the most goals of a plan.
    pub(super) goals: (usize, usize),
    /// Of a hundred child in need plans that run for long, how many were renewed.
    pub(super) renewed: usize,
}

/// Makes the authority. Two calls with the same arguments give the same rows.
pub(super) fn generate(today: NaiveDate, sizes: Sizes) -> Authority {
    Generator::new(today, sizes).out
}

impl Generator {
    /// With the authority in `out`; more may be made after it.
    pub(super) fn new(today: NaiveDate, sizes: Sizes) -> Self {
        let mut generator = Self {
            today,
            sizes,
            rng: Rng::with_seed(0x0048_6561_7274_6800),
            out: Authority::default(),
            areas: Vec::new(),
            staff: Vec::new(),
            chairs: Vec::new(),
            first_response: Vec::new(),
            protected: HashMap::new(),
            diary: HashSet::new(),
            workers: 0,
            nhs: 0,
            moved: 0,
            goals: (2, 4),
            renewed: 30,
        };
        generator.organisation(0);
        generator.families();
        generator
    }

    // Chance.

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.rng.usize(..100) < percent
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(..from.len())]
    }

    /// A working day so many days ago.
    fn ago(&mut self, least: usize, most: usize) -> NaiveDate {
        back(self.today - days(self.rng.usize(least..=most)))
    }

    fn later(&mut self, day: NaiveDate, least: usize, most: usize) -> NaiveDate {
        day + days(self.rng.usize(least..=most))
    }

    fn earlier(&mut self, day: NaiveDate, least: usize, most: usize) -> NaiveDate {
        back(day - days(self.rng.usize(least..=most)))
    }

    /// The last working day before today: nothing is recorded later than that.
    fn yesterday(&self) -> NaiveDate {
        back(self.today - days(1))
    }

    /// An id of the moment at which its record was made.
    fn id(&mut self, at: Moment) -> Uuid {
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    // The organisation.

    fn worker(&mut self, staff_no: String, qualified: bool, fte: f64, since: NaiveDate) -> Uuid {
        let background = &BACKGROUNDS[self.rng.usize(..BACKGROUNDS.len())];
        let (women, men) = background.elders.unwrap_or((background.girls, background.boys));
        let given = if self.chance(70) { women } else { men };
        let at = moment(since, 9, 0);
        let id = self.id(at);
        self.workers += 1;
        let name = format!("{} {}", self.pick(given), self.pick(background.surnames));
        let agency_worker = self.chance(8);
        self.out.workers.push(Worker {
            id,
            name,
            email: format!("{}@hearth.example", staff_no.to_lowercase()),
            staff_no,
            sw_england_no: qualified.then(|| format!("SW{}", 20_000 + 37 * self.workers)),
            qualified,
            active: true,
            fte,
            agency_worker,
            created_at: at,
        });
        id
    }

    fn member(
        &mut self,
        unit: usize,
        worker: Uuid,
        role: &'static str,
        from: NaiveDate,
        to: Option<NaiveDate>,
        fte: f64,
    ) {
        let started_at = moment(from, 9, 0);
        let id = self.id(started_at);
        self.out.memberships.push(Membership {
            id,
            unit: self.staff[unit].id,
            worker,
            role,
            started_at,
            ended_at: to.map(|day| moment(day, 17, 0)),
            fte,
        });
    }

    fn post(&mut self, worker: Uuid, post: &'static str, since: NaiveDate) {
        let started_at = moment(since, 9, 0);
        let id = self.id(started_at);
        self.out.posts.push(Post { id, worker, post, started_at });
    }

    /// Units from the `first` on, a multiple of twelve, and who is there because of them.
    pub(super) fn organisation(&mut self, first: usize) {
        let founded = forward(self.today - months(12 * 10));
        let at = moment(founded, 9, 0);
        if first == 0 {
            let head = self.worker("HS-1".to_owned(), true, 1.0, founded);
            self.post(head, "HEAD_OF_SERVICE", founded);
        }
        for (count, prefix, post) in [(3, "FR", "FIRST_RESPONSE"), (4, "CH", "CP_CHAIR")] {
            for number in count * first.div_ceil(12) + 1..=count * self.sizes.units.div_ceil(12) {
                let since = self.ago(2800, 3400);
                let id = self.worker(format!("{prefix}-{number}"), true, 1.0, since);
                self.post(id, post, since);
                if prefix == "FR" { self.first_response.push(id) } else { self.chairs.push(id) }
            }
        }
        for area in first.div_ceil(AREA_UNITS)..self.sizes.units.div_ceil(AREA_UNITS) {
            let manager = self.worker(format!("SM-{}", area + 1), true, 1.0, founded);
            let id = self.id(at);
            let name = format!("{} (area {})", AREA_NAMES[area % AREA_NAMES.len()], area + 1);
            self.out.areas.push(Area { id, name, manager });
            self.areas.push(id);
        }
        for unit in first..self.sizes.units {
            self.unit(unit, founded, at);
        }
        // One clinician works in two units of looked-after children.
        for block in (first..self.sizes.units.saturating_sub(9)).step_by(12) {
            let since = self.ago(300, 700);
            let clinician = self.staff[block + 8].clinician;
            self.member(block + 9, clinician, "CLINICIAN", since, None, 0.4);
        }
    }

    fn unit(&mut self, unit: usize, founded: NaiveDate, at: Moment) {
        let (service, number) = (BLOCK[unit % 12].0, unit + 1);
        let id = self.id(at);
        self.out.units.push(Unit {
            id,
            name: format!("{} Unit {number}", names::service_name(service)),
            service,
            area: self.areas[unit / AREA_UNITS],
            // Numbers that the regulator keeps for fiction.
            contact_point: format!("020 7946 {:04}", number % 1000),
            active_from: founded,
        });
        self.staff.push(Staff { id, ..Staff::default() });
        let staff_no = |role: &str| format!("U{number:02}-{role}");

        // The consultant has been there for longer than any case in here, so that there is always somebody to lead.
        let since = self.ago(2800, 3400);
        let consultant = self.worker(staff_no("CSW"), true, 1.0, since);
        self.member(unit, consultant, "CONSULTANT_SOCIAL_WORKER", since, None, 1.0);
        let since = self.ago(420, 1500);
        let social_worker = self.worker(staff_no("SW"), true, 1.0, since);
        self.member(unit, social_worker, "SOCIAL_WORKER", since, None, 1.0);
        let mut social_workers = vec![(social_worker, since, None)];
        let since = self.ago(200, 1800);
        let practitioner = self.worker(staff_no("CP"), false, 1.0, since);
        self.member(unit, practitioner, "CHILDRENS_PRACTITIONER", since, None, 1.0);
        let practitioner_since = moment(since, 9, 0);
        let since = self.ago(200, 1800);
        let fte = if unit % 12 == 8 { 0.6 } else { self.pick(&[0.5, 0.6, 0.8, 1.0]) };
        let clinician = self.worker(staff_no("CL"), false, fte, since);
        self.member(unit, clinician, "CLINICIAN", since, None, fte);
        let clinician_since = moment(since, 9, 0);
        let since = self.ago(200, 1800);
        let coordinator = self.worker(staff_no("UC"), false, 1.0, since);
        self.member(unit, coordinator, "UNIT_COORDINATOR", since, None, 1.0);

        if unit % 12 % 3 == 2 || unit % 12 == 4 {
            let since = self.ago(60, 320);
            // Some came from another unit of the area, and left a membership behind there.
            let before = (!unit.is_multiple_of(AREA_UNITS)).then(|| self.earlier(since, 400, 700));
            let second = self.worker(staff_no("SW2"), true, 0.8, before.unwrap_or(since));
            if let Some(before) = before {
                self.member(unit - 1, second, "SOCIAL_WORKER", before, Some(since), 0.8);
                self.staff[unit - 1].social_workers.push((second, before, Some(since)));
            }
            self.member(unit, second, "SOCIAL_WORKER", forward(since + days(1)), None, 0.8);
            social_workers.push((second, forward(since + days(1)), None));
        }
        if unit % 3 == 1 {
            let left = self.ago(380, 640);
            let since = self.earlier(left, 500, 1100);
            let former = self.worker(staff_no("SW0"), true, 1.0, since);
            if let Some(worker) = self.out.workers.last_mut() {
                worker.active = false;
            }
            self.member(unit, former, "SOCIAL_WORKER", since, Some(left), 1.0);
            social_workers.push((former, since, Some(left)));
        }
        self.staff[unit] = Staff {
            id,
            consultant,
            practitioner,
            practitioner_since,
            clinician,
            clinician_since,
            coordinator,
            social_workers,
        };
    }

    /// Who leads the cases that a unit holds from one day to another: somebody who is a member all that time.
    fn lead(&mut self, unit: usize, from: NaiveDate, to: Option<NaiveDate>) -> Uuid {
        let covers = |(worker, since, left): &(Uuid, NaiveDate, Option<NaiveDate>)| {
            let stays = match (left, to) {
                (None, _) => true,
                (Some(left), Some(to)) => *left > to,
                (Some(_), None) => false,
            };
            (*since < from && stays).then_some(*worker)
        };
        let workers: Vec<Uuid> = self.staff[unit].social_workers.iter().filter_map(covers).collect();
        if workers.is_empty() || self.chance(40) { self.staff[unit].consultant } else { self.pick(&workers) }
    }

    // Which families there are.

    fn families(&mut self) {
        let whole: usize = (0..self.sizes.units).map(|unit| BLOCK[unit % 12].1).sum();
        let targets: Vec<usize> =
            (0..self.sizes.units).map(|unit| BLOCK[unit % 12].1 * self.sizes.children * 23 / (whole * 30)).collect();
        let mut held = vec![0; targets.len()];
        let mut slots = vec![0; targets.len()];
        let (mut waiting, mut family) = (0, 0);
        while self.out.children.len() < self.sizes.children {
            family += 1;
            let next = (0..held.len())
                .filter(|unit| held[*unit] < targets[*unit])
                .min_by_key(|unit| held[*unit] * 1000 / targets[*unit]);
            match next {
                _ if family % 31 == 17 && waiting < self.sizes.children / 60 => {
                    waiting += self.family(Slot::of(Story::Queue, None));
                }
                Some(unit) if family % 7 != 5 => {
                    let slot = self.slot(unit, slots[unit]);
                    slots[unit] += 1;
                    held[unit] += self.family(slot);
                }
                _ => {
                    let past = if self.chance(12) { Past::Advice } else { Past::Any };
                    self.family(Slot::of(Story::Closed(past), None));
                }
            }
        }
    }

    /// What the n-th family of a unit is. Fixed rather than drawn, so that every kind of work is on the demo's screen.
    fn slot(&mut self, unit: usize, n: usize) -> Slot {
        use Story::*;
        let block = unit - unit % 12;
        let at = Some(unit);
        // The unit of each block that demonstrations are given from.
        let shown = unit % 12 == 2;
        match BLOCK[unit % 12].0 {
            "ACCESS_ASSESSMENT" => {
                let story = match n {
                    0 if unit.is_multiple_of(2) => Pending(Upcoming::Invited),
                    0 => Pending(Upcoming::Scheduled),
                    1 if shown => Pending(Upcoming::Scheduled),
                    2 => Need,
                    3 if shown || unit % 4 == 1 => Pending(Upcoming::Requested),
                    4 | 6 if shown => Need,
                    5 if shown => Protection { soon: false },
                    _ => Assessment,
                };
                let to = block + [5, 7, 6, 4][unit % 4];
                Slot {
                    single: n == 2,
                    requested: (n == 2).then_some((to, "TO_CIN")),
                    unborn: n == 8,
                    joint: (n == 9).then_some(block + 10),
                    anchor: at,
                    ..Slot::of(story, at)
                }
            }
            "CHILDREN_IN_NEED" => {
                let upcoming = [Upcoming::Requested, Upcoming::Scheduled, Upcoming::Invited, Upcoming::Requested];
                let story = match n % 20 {
                    0 => Protection { soon: true },
                    3 | 12 | 19 => Protection { soon: false },
                    7 | 16 => Protection { soon: true },
                    6 => Pending(upcoming[unit % 4]),
                    9 => StepDown,
                    10 => LookedAfter,
                    14 => CareDecision,
                    _ => Need,
                };
                let partner = unit - 4;
                let joint = match n {
                    0 => Some(partner),
                    1 if unit % 4 == 2 => Some(partner),
                    8 => Some(block + 10),
                    _ => None,
                };
                // The second unit of each pair stands in for the first while somebody is on leave.
                let cover = (n == 4 && unit.is_multiple_of(2)).then_some(unit + 1);
                let requested = (n == 5 && unit.is_multiple_of(4)).then_some((unit + 3, "WITHIN_SERVICE"));
                Slot {
                    single: requested.is_some(),
                    unborn: n == 6 && unit.is_multiple_of(2),
                    returned: n % 20 == 12,
                    joint,
                    cover,
                    requested,
                    anchor: (n == 0).then_some(partner),
                    ..Slot::of(story, at)
                }
            }
            "LOOKED_AFTER" if n % 6 == 5 => Slot { single: true, ..Slot::of(CareLeaver, at) },
            "LOOKED_AFTER" => {
                Slot { cover: (n == 3 && unit % 12 == 8).then_some(unit + 1), ..Slot::of(Permanence, at) }
            }
            "FAMILY_SUPPORT" => Slot { joint: (n == 2).then_some(block + 4), ..Slot::of(Need, at) },
            _ => Slot { disabled: true, joint: (n == 2).then_some(block + 7), ..Slot::of(Need, at) },
        }
    }

    /// Makes a family and everything that is recorded about it; returns how many cases of it are open.
    pub(super) fn family(&mut self, slot: Slot) -> usize {
        let mut births = self.births(&slot);
        let episode = self.episode(&slot);
        // Somebody must have been there when the case was opened.
        if births[0].0 >= episode.opened && !births[0].1 {
            births[0].0 = self.earlier(episode.opened, 30, 500);
        }
        let earlier = match slot.story {
            Story::Closed(_) | Story::CareLeaver => None,
            _ if slot.returned => Some(Past::Protection),
            _ => self.chance(4).then_some(Past::Any),
        };
        let earlier = earlier.map(|past| {
            let closed = self.earlier(episode.opened, 90, 700);
            self.closed_episode(closed, past)
        });
        if let Some(earlier) = earlier.as_ref().filter(|earlier| slot.returned && births[0].0 >= earlier.opened) {
            births[0].0 = self.earlier(earlier.opened, 30, 500);
        }
        let earlier = earlier.filter(|earlier| births[0].0 < earlier.opened && !births[0].1);
        let known = moment(earlier.as_ref().map_or(episode.opened, |earlier| earlier.opened), 9, 20);
        let home = self.home(&births, &slot, known);
        if let Some(earlier) = earlier {
            self.play(&home, &earlier, None);
        }
        let open = self.play(&home, &episode, Some(&slot));
        let in_care: Vec<Uuid> = self.out.cases.iter().rev().take(open).map(|case| case.child).collect();
        self.addresses(&home, known, &episode, &in_care);
        open
    }

    /// The children's dates of birth, eldest first, and whether the last one is still unborn.
    fn births(&mut self, slot: &Slot) -> Vec<(NaiveDate, bool)> {
        let spread = self.rng.usize(..100);
        let count = match spread {
            _ if slot.single => 1,
            0..36 => 1,
            36..72 => 2,
            72..90 => 3,
            _ => 4,
        };
        if slot.unborn {
            let mut births = vec![(self.today + days(self.rng.usize(24..135)), true)];
            if self.chance(50) {
                births.insert(0, (self.today - days(self.rng.usize(500..2600)), false));
            }
            return births;
        }
        let youngest = match slot.story {
            Story::CareLeaver => self.rng.usize(6640..7400),
            Story::Permanence => self.rng.usize(1400..5800),
            _ => self.rng.usize(20..5600),
        };
        let mut births = vec![(self.today - days(youngest), false)];
        let mut age = youngest;
        for _ in 1..count {
            age += self.rng.usize(390..1500);
            // Grown-up brothers and sisters are not recorded as children.
            if age < 17 * 365 {
                births.insert(0, (self.today - days(age), false));
            }
        }
        births
    }

    // When things happened.

    fn episode(&mut self, slot: &Slot) -> Episode {
        let unit = slot.unit.unwrap_or_default();
        let yesterday = self.yesterday();
        let assessing = unit % 12 < 4;
        let mut episode = Episode {
            story: slot.story,
            opened: yesterday,
            stages: Vec::new(),
            closed: None,
            cin: None,
            care: None,
            protection: None,
        };
        match slot.story {
            Story::Queue => {
                episode.opened = self.ago(1, 4);
                return episode;
            }
            Story::Closed(past) => {
                let closed = self.ago(20, 1100);
                return self.closed_episode(closed, past);
            }
            Story::Assessment => episode.stages.push(Stage { unit, from: self.ago(2, 42) }),
            Story::Pending(_) if assessing => episode.stages.push(Stage { unit, from: self.ago(16, 32) }),
            Story::Need if assessing => {
                episode.stages.push(Stage { unit, from: self.ago(44, 60) });
                episode.cin = Some(self.ago(3, 9));
            }
            Story::Protection { .. } if assessing => {
                let initial = self.ago(9, 24);
                episode.stages.push(Stage { unit, from: self.earlier(initial, 24, 34) });
                episode.protection = Some(Protection { initial, reviews: Vec::new(), ends: false });
            }
            Story::Need if unit % 12 >= 10 => {
                let from = self.ago(26, 500);
                episode.stages.push(Stage { unit, from });
                episode.cin = Some(back(self.later(from, 8, 20)));
            }
            Story::Need | Story::Pending(_) | Story::LookedAfter => {
                let from = match slot.story {
                    Story::LookedAfter => self.ago(160, 400),
                    // The work before a birth is never longer than the pregnancy.
                    _ if slot.unborn => self.ago(20, 60),
                    _ => self.ago(20, 500),
                };
                episode.stages = self.stages(unit, from);
                episode.cin = Some(back(self.later(from, 1, 7)).max(from));
                if slot.story == Story::LookedAfter {
                    episode.care = Some(self.ago(15, 90));
                }
            }
            Story::Protection { .. } | Story::StepDown | Story::CareDecision => {
                let initial = match slot.story {
                    Story::Protection { soon: true } => {
                        // Thirteen weeks rather than three months: the ends of months would fall on one day.
                        let initial = self.later(self.today, 19, 34) - days(91);
                        // Both ways, or the days around a holiday would all fall on the one before it.
                        if self.chance(50) { back(initial) } else { forward(initial) }
                    }
                    Story::StepDown => self.ago(150, 400),
                    _ => self.ago(16, 420),
                };
                let mut protection = self.protection(initial, self.today, slot.story == Story::StepDown);
                protection.ends = slot.story == Story::StepDown;
                // Either the conference was held while the case was being assessed, or some time after the transfer.
                let from = if self.chance(40) {
                    back(self.later(initial, 5, 12)).min(yesterday)
                } else {
                    self.earlier(initial, 25, 120)
                };
                episode.stages = self.stages(unit, from);
                if from < initial {
                    episode.cin = Some(back(self.later(from, 1, 7)).max(from));
                } else {
                    episode.stages[0].from = episode.stages[0].from.min(self.earlier(initial, 24, 34));
                }
                episode.protection = Some(protection);
            }
            Story::Permanence | Story::CareLeaver => {
                let (from, care) = match slot.story {
                    Story::CareLeaver => (self.ago(500, 700), self.ago(1000, 1200)),
                    _ => (self.ago(60, 700), self.ago(60, 700)),
                };
                let care = if slot.story == Story::Permanence { self.earlier(from, 120, 240) } else { care };
                let met = self.earlier(care, 150, 260);
                let worked = unit - unit % 12 + 4 + self.rng.usize(..4);
                episode.stages = self.stages(worked, met);
                episode.stages.push(Stage { unit, from });
                episode.cin = Some(back(self.later(met, 1, 7)).max(met));
                episode.care = Some(care);
                if self.chance(50) {
                    let initial = back(self.later(met, 20, 40));
                    let mut protection = self.protection(initial, care - days(30), false);
                    protection.reviews.push(care);
                    episode.protection = Some(Protection { ends: true, ..protection });
                }
            }
        }
        episode.opened =
            episode.stages.first().map_or(yesterday, |stage| back(stage.from - days(self.rng.usize(..=1))));
        episode
    }

    /// An access and assessment unit first, then the unit that took the case over on that day.
    fn stages(&mut self, unit: usize, from: NaiveDate) -> Vec<Stage> {
        let assessing = unit - unit % 12 + self.rng.usize(..4);
        vec![Stage { unit: assessing, from: self.earlier(from, 34, 55) }, Stage { unit, from }]
    }

    /// Review conferences as they fall due: the first within three months, the others within six.
    fn protection(&mut self, initial: NaiveDate, until: NaiveDate, at_least_one: bool) -> Protection {
        let mut reviews = Vec::new();
        let mut next = self.review_day(initial, 3);
        while next < until && (!at_least_one || reviews.len() < 2) {
            reviews.push(next);
            next = self.review_day(next, 6);
        }
        Protection { initial, reviews, ends: false }
    }

    fn review_day(&mut self, last: NaiveDate, after: u32) -> NaiveDate {
        let due = last + months(after);
        self.earlier(due, 1, 8)
    }

    fn closed_episode(&mut self, closed: NaiveDate, past: Past) -> Episode {
        let block = self.rng.usize(..self.sizes.units / 12) * 12;
        let (assessing, working) = (block + self.rng.usize(..4), block + 4 + self.rng.usize(..4));
        let mut episode = Episode {
            story: Story::Closed(past),
            opened: closed,
            stages: Vec::new(),
            closed: None,
            cin: None,
            care: None,
            protection: None,
        };
        let path = if past == Past::Protection { 100 } else { self.rng.usize(..100) };
        if past == Past::Advice {
            episode.opened = self.earlier(closed, 1, 3);
            episode.closed = Some((closed, "RC7"));
        } else if path < 48 {
            let from = self.earlier(closed, 25, 55);
            episode.stages.push(Stage { unit: assessing, from });
            episode.opened = from;
            episode.closed = Some((closed, self.pick(&["RC8", "RC8", "RC9"])));
        } else if path < 82 {
            let from = self.earlier(closed, 80, 300);
            episode.stages = self.stages(working, from);
            episode.opened = episode.stages[0].from;
            episode.cin = Some(back(self.later(from, 1, 7)).max(from));
            episode.closed = Some((closed, self.pick(&["RC7", "RC7", "RC7", "RC5", "RC4", "RC3"])));
        } else {
            let end = self.earlier(closed, 60, 120);
            let initial = back(end - months(3));
            let from = self.earlier(initial, 25, 60);
            episode.stages = self.stages(working, from);
            episode.opened = episode.stages[0].from;
            episode.cin = Some(back(self.later(from, 1, 7)).max(from));
            episode.protection = Some(Protection { initial, reviews: vec![end], ends: true });
            episode.closed = Some((closed, "RC7"));
        }
        episode
    }

    // The people.

    fn background(&mut self) -> &'static Background {
        let whole: usize = BACKGROUNDS.iter().map(|background| background.weight).sum();
        let mut drawn = self.rng.usize(..whole);
        for background in BACKGROUNDS {
            if drawn < background.weight {
                return background;
            }
            drawn -= background.weight;
        }
        &BACKGROUNDS[0]
    }

    /// A number from the range that the health service keeps for tests, with its check digit.
    /// None when the range is used up, which takes a million people.
    fn nhs_no(&mut self) -> Option<String> {
        loop {
            if self.nhs == 999_999 {
                return None;
            }
            self.nhs += 1;
            let digits = format!("999{:06}", self.nhs);
            let sum: u32 =
                digits.bytes().zip((2..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
            let check = (11 - sum % 11) % 11;
            if check < 10 {
                return Some(format!("{digits}{check}"));
            }
        }
    }

    /// A pupil number of an authority that does not exist, with its check letter.
    fn upn(&mut self, born: NaiveDate) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRTUVWXYZ";
        let digits =
            format!("999{:04}{:02}{:03}", self.rng.usize(2000..2060), (born.year() + 4) % 100, self.rng.usize(..999));
        let sum: usize = digits.bytes().zip(2..).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
        format!("{}{digits}", char::from(LETTERS[sum % LETTERS.len()]))
    }

    fn adult(
        &mut self,
        background: &Background,
        man: bool,
        surname: &str,
        born: NaiveDate,
        known: Moment,
    ) -> (Uuid, String) {
        let id = self.id(known);
        let (women, men) = background.elders.unwrap_or((background.girls, background.boys));
        let first = self.pick(if man { men } else { women }).to_owned();
        let language = self.pick(background.languages);
        let interpreter = language != "English" && self.chance(35);
        let person = Person {
            id,
            first_name: first.clone(),
            last_name: surname.to_owned(),
            preferred_name: None,
            born: Some(born),
            expected: None,
            sex: if man { "M" } else { "F" },
            ethnicity: background.ethnicities[0],
            religion: self.pick(background.religions),
            first_language: language,
            interpreter_needed: Some(interpreter),
            communication_needs: None,
            nhs_no: self.chance(70).then(|| self.nhs_no()).flatten(),
            created_at: known,
        };
        self.out.persons.push(person);
        (id, first)
    }

    fn home(&mut self, births: &[(NaiveDate, bool)], slot: &Slot, known: Moment) -> Home {
        let mothers = self.background();
        let fathers = if self.chance(14) { self.background() } else { mothers };
        let mother_name = self.pick(mothers.surnames);
        let known_on = known.with_timezone(&London).date_naive();
        let eldest = births[0].0;
        let span = births.last().map_or(0, |(born, _)| years_between(eldest, *born).max(0));
        let mother_age = 19 + self.rng.usize(0..=usize::try_from(24 - span).unwrap_or(0).min(16));
        let father_age = mother_age + self.rng.usize(..7);
        let form = self.rng.usize(..100);
        // Together, apart, mother alone, father alone, grandmother.
        let (has_mother, has_father, together, grandmother_cares) = match form {
            0..40 => (true, true, true, false),
            40..62 => (true, true, false, false),
            62..90 => (true, false, false, false),
            90..95 if !births.iter().any(|(_, unborn)| *unborn) => (false, true, false, false),
            90..95 => (true, false, false, false),
            _ => (true, false, false, true),
        };
        let married = together && self.chance(55);
        let father_name = if married && self.chance(60) { mother_name } else { self.pick(fathers.surnames) };
        let surname = if has_father && (married || self.chance(50)) { father_name } else { mother_name };
        let born_before = |years: usize, anchor: NaiveDate, rng: &mut Rng| {
            anchor - months(years as u32 * 12) - days(rng.usize(1..300))
        };

        let family = self.id(known);
        let name = match (has_mother && has_father, mother_name == father_name) {
            (true, false) => format!("{mother_name} and {father_name} family"),
            (true, true) => format!("{mother_name} family"),
            (false, _) => format!("{surname} family"),
        };
        self.out.families.push(Family { id: family, name, created_at: known });
        let mut adults = Vec::new();
        let mother = has_mother.then(|| {
            let born = born_before(mother_age, eldest, &mut self.rng);
            (self.adult(mothers, false, mother_name, born, known), born)
        });
        let father = has_father.then(|| {
            let born = born_before(father_age, eldest, &mut self.rng);
            self.adult(fathers, true, father_name, born, known)
        });
        let grandmother = mother.as_ref().filter(|_| grandmother_cares).map(|(_, born)| *born).map(|daughter| {
            let years = 20 + self.rng.usize(..12);
            let born = born_before(years, daughter, &mut self.rng);
            self.adult(mothers, false, mother_name, born, known)
        });
        let grandmother = match (grandmother, &mother) {
            (None, Some((_, born))) if self.chance(9) => {
                let born = born_before(23, *born, &mut self.rng);
                Some(self.adult(mothers, false, mother_name, born, known))
            }
            (found, _) => found,
        };
        let mother = mother.map(|(mother, _)| mother);
        if let Some((id, first)) = &mother {
            adults.push(Adult {
                id: *id,
                first: first.clone(),
                parent: true,
                carer: !grandmother_cares,
                elsewhere: grandmother_cares,
            });
        }
        if let Some((id, first)) = &father {
            adults.push(Adult {
                id: *id,
                first: first.clone(),
                parent: true,
                carer: !has_mother,
                elsewhere: has_mother && !together,
            });
        }
        if let Some((id, first)) = &grandmother {
            adults.push(Adult {
                id: *id,
                first: first.clone(),
                parent: false,
                carer: grandmother_cares,
                elsewhere: !grandmother_cares,
            });
        }

        let ethnicity = mixed(self.pick(mothers.ethnicities), if has_father { fathers.ethnicities[0] } else { "" });
        let mut taken: Vec<String> = adults.iter().map(|adult: &Adult| adult.first.clone()).collect();
        let kids = self.kids(births, slot, known, (mothers, fathers), (surname, ethnicity), &mut taken);
        let first = eldest.min(known_on);
        for (person, from) in
            adults.iter().map(|adult| (adult.id, first)).chain(kids.iter().map(|kid| (kid.id, kid.since)))
        {
            let id = self.id(known);
            self.out.family_members.push(FamilyMember { id, family, person, from });
        }
        let ids = [&mother, &father, &grandmother].map(|found| found.as_ref().map(|(id, _)| *id));
        self.relatives(&kids, &adults, ids.into(), together, married, known);
        Home {
            family,
            kids,
            adults,
            primary: self.pick(names::PRIMARY_SCHOOLS),
            secondary: self.pick(names::SECONDARY_SCHOOLS),
        }
    }

    fn kids(
        &mut self,
        births: &[(NaiveDate, bool)],
        slot: &Slot,
        known: Moment,
        (mothers, fathers): (&Background, &Background),
        (surname, ethnicity): (&str, &'static str),
        taken: &mut Vec<String>,
    ) -> Vec<Kid> {
        let mut kids: Vec<Kid> = Vec::new();
        let religion = self.pick(mothers.religions);
        let language = self.pick(mothers.languages);
        for (index, &(born, unborn)) in births.iter().enumerate() {
            let heard = if unborn { back(born - days(200)) } else { forward(born + days(3)) };
            let created_at = known.max(moment(heard, 9, 30));
            let since = if unborn { created_at.with_timezone(&London).date_naive() } else { born };
            let id = self.id(created_at);
            let mut names = if self.chance(70) { mothers } else { fathers };
            let girl = self.rng.bool();
            let mut first = "Unborn".to_owned();
            while !unborn && (first == "Unborn" || taken.contains(&first)) {
                first = self.pick(if girl { names.girls } else { names.boys }).to_owned();
                // A large family can use up a short list of names.
                if taken.contains(&first) {
                    names = self.background();
                }
            }
            taken.push(first.clone());
            let disabled =
                !unborn && ((slot.disabled && index == 0) || self.chance(if slot.disabled { 15 } else { 7 }));
            let mut disabilities = vec!["NONE"];
            if disabled {
                disabilities = vec![self.pick(&DISABILITIES)];
                let second = self.pick(&DISABILITIES);
                if self.chance(40) && second != disabilities[0] {
                    disabilities.push(second);
                }
            }
            let communication_needs = match disabilities.as_slice() {
                codes if codes.contains(&"HEAR") => {
                    Some("Uses British Sign Language; please face the child when speaking.")
                }
                codes if codes.contains(&"COMM") => Some("Uses pictures and signs; allow time for an answer."),
                codes if codes.contains(&"AUT") => Some("Wants to know beforehand what will happen; quiet rooms help."),
                _ => None,
            };
            let age = years_between(born, self.today);
            let preferred =
                names::PREFERRED.iter().find(|(name, _)| *name == first).map(|(_, called)| (*called).to_owned());
            let has_number = !unborn && self.chance(85);
            let at_school = (5..=16).contains(&age) && self.chance(92);
            let person = Person {
                id,
                first_name: first.clone(),
                last_name: surname.to_owned(),
                preferred_name: preferred,
                born: (!unborn).then_some(born),
                expected: unborn.then_some(born),
                sex: if unborn { "U" } else { ["M", "F"][usize::from(girl)] },
                ethnicity: if unborn { "NOBT" } else { ethnicity },
                religion,
                first_language: if age > 4 && self.chance(60) { "English" } else { language },
                interpreter_needed: (age > 3).then_some(false),
                communication_needs,
                nhs_no: has_number.then(|| self.nhs_no()).flatten(),
                created_at,
            };
            self.out.persons.push(person);
            let upn = at_school.then(|| self.upn(born));
            self.out.children.push(Child { id, upn, disabilities });
            kids.push(Kid { id, first, born, unborn, disabled, since });
        }
        kids
    }

    fn relate(
        &mut self,
        known: Moment,
        one: (Uuid, &'static str),
        two: (Uuid, &'static str),
        duty: (&'static str, bool),
        from: NaiveDate,
    ) {
        let ids = (self.id(known), self.id(known));
        let row = |id, person, other, kind, (parental_responsibility, main_carer)| Relationship {
            id,
            person,
            other,
            kind,
            parental_responsibility,
            main_carer,
            from,
        };
        self.out.relationships.push(row(ids.0, one.0, two.0, one.1, duty));
        self.out.relationships.push(row(ids.1, two.0, one.0, two.1, ("N", false)));
    }

    fn relatives(
        &mut self,
        kids: &[Kid],
        adults: &[Adult],
        (mother, father, grandmother): (Option<Uuid>, Option<Uuid>, Option<Uuid>),
        together: bool,
        married: bool,
        known: Moment,
    ) {
        let first = kids.iter().map(|kid| kid.since).min().unwrap_or(self.today);
        let carer = |id: Uuid| adults.iter().any(|adult| adult.id == id && adult.carer);
        // The eldest of some families has another father, of whom nothing is recorded.
        let half = kids.len() > 1 && father.is_some() && mother.is_some() && self.chance(18);
        for (index, kid) in kids.iter().enumerate() {
            let from = kid.since;
            let (of, to) = if kid.unborn { ("parentOfUnbornChild", "unbornChild") } else { ("parent", "child") };
            if let Some(id) = mother {
                let duty = (if kid.unborn { "N" } else { "Y" }, carer(id));
                self.relate(known, (id, of), (kid.id, to), duty, from);
            }
            if let Some(id) = father {
                let responsible = match self.rng.usize(..100) {
                    _ if kid.unborn => "N",
                    _ if married || mother.is_none() => "Y",
                    0..70 => "Y",
                    70..88 => "N",
                    _ => "UNKNOWN",
                };
                let stepfather = half && index == 0;
                let (of, to) = if stepfather && !kid.unborn { ("stepParent", "stepChild") } else { (of, to) };
                let duty = (if stepfather { "N" } else { responsible }, carer(id) || (together && !kid.unborn));
                self.relate(known, (id, of), (kid.id, to), duty, from);
            }
            if let Some(id) = grandmother {
                let duty = (if carer(id) && !kid.unborn { "Y" } else { "N" }, carer(id));
                self.relate(known, (id, "grandparent"), (kid.id, "grandchild"), duty, from);
            }
            for elder in &kids[..index] {
                let (of, to) = match (kid.unborn, half && elder.id == kids[0].id) {
                    (true, _) => ("siblingOfUnbornChild", "unbornSibling"),
                    (false, true) => ("halfSibling", "halfSibling"),
                    (false, false) => ("sibling", "sibling"),
                };
                self.relate(known, (elder.id, of), (kid.id, to), ("N", false), from);
            }
        }
        if let (Some(mother), Some(father)) = (mother, father) {
            let kind = match (together, married) {
                (true, true) => "spouse",
                (true, false) => "partner",
                _ if self.chance(40) => "exSpouse",
                _ => "exPartner",
            };
            self.relate(known, (mother, kind), (father, kind), ("N", false), first);
        }
        if let (Some(mother), Some(grandmother)) = (mother, grandmother) {
            self.relate(known, (grandmother, "parent"), (mother, "child"), ("N", false), first);
        }
    }

    fn place(&mut self) -> (String, String) {
        let number = self.rng.usize(1..140);
        let street = self.pick(names::STREETS);
        let line = if self.chance(30) {
            format!("Flat {}, {}, {street}", self.rng.usize(1..60), self.pick(names::BUILDINGS))
        } else {
            format!("{number} {street}")
        };
        let (one, two) = (self.pick(names::POSTCODE_LETTERS), self.pick(names::POSTCODE_LETTERS));
        let postcode = format!("{} {}{one}{two}", self.pick(names::DISTRICTS), self.rng.usize(1..=9));
        (line, postcode)
    }

    /// Where the family lives, and the children in care.
    fn addresses(&mut self, home: &Home, known: Moment, episode: &Episode, in_care: &[Uuid]) {
        let known_on = known.with_timezone(&London).date_naive();
        let here = self.place();
        let since = known_on - days(self.rng.usize(60..2400));
        let before = self.chance(20).then(|| (self.place(), since - days(self.rng.usize(300..1500))));
        let confidential = self.chance(3);
        for adult in &home.adults {
            let at = if adult.elsewhere { self.place() } else { here.clone() };
            if let (false, Some((at, from))) = (adult.elsewhere, before.clone()) {
                self.address(adult.id, "HOME", at, (from, Some(since)), false, known);
            }
            self.address(adult.id, "HOME", at, (since, None), confidential && !adult.elsewhere, known);
        }
        for kid in &home.kids {
            let from = since.max(kid.since);
            if let Some((at, earlier)) = before.clone().filter(|_| kid.born < since && !kid.unborn) {
                self.address(kid.id, "HOME", at, (earlier.max(kid.born), Some(since)), false, known);
            }
            let care = episode.care.filter(|care| from < *care && in_care.contains(&kid.id));
            self.address(kid.id, "HOME", here.clone(), (from, care), confidential, known);
            if let Some(care) = care {
                let kind = if episode.story == Story::CareLeaver { "OTHER" } else { "PLACEMENT" };
                let (at, hidden) = (self.place(), self.chance(15));
                self.address(kid.id, kind, at, (care, None), hidden, known);
            }
        }
    }

    fn address(
        &mut self,
        person: Uuid,
        kind: &'static str,
        (line, postcode): (String, String),
        (from, to): (NaiveDate, Option<NaiveDate>),
        confidential: bool,
        known: Moment,
    ) {
        let id = self.id(known);
        self.out.addresses.push(Address { id, person, kind, line, postcode, from, to, confidential });
    }

    // The work.

    /// Records an episode for the children whom it concerns; returns how many cases of it are open.
    fn play(&mut self, home: &Home, episode: &Episode, slot: Option<&Slot>) -> usize {
        let cases = self.cases(home, episode);
        let mut leads = Vec::new();
        for (index, stage) in episode.stages.iter().enumerate() {
            let to = episode.stages.get(index + 1).map(|next| next.from).or(episode.closed.map(|(on, _)| on));
            let lead = self.lead(stage.unit, stage.from, to);
            leads.push(lead);
        }
        let protected: Vec<usize> = match &episode.protection {
            Some(protection) => {
                let mut there: Vec<usize> = cases
                    .iter()
                    .enumerate()
                    .filter(|(_, open)| open.opened < protection.initial)
                    .map(|(n, _)| n)
                    .collect();
                // Decisions are made for each child: sometimes the youngest needs no plan.
                if there.len() > 1 && self.chance(25) {
                    there.pop();
                }
                there
            }
            None => Vec::new(),
        };
        for (index, open) in cases.iter().enumerate() {
            self.case(home, episode, open, protected.contains(&index));
            self.holdings(home, episode, open, &leads, slot);
        }
        if !episode.stages.is_empty() {
            self.meetings_and_plans(home, episode, &cases, &protected, &leads, slot);
        }
        if episode.closed.is_some() { 0 } else { cases.len() }
    }

    /// Which children have a case in this episode, and from when.
    fn cases(&mut self, home: &Home, episode: &Episode) -> Vec<Open> {
        let mut found: Vec<Open> = Vec::new();
        let until = episode.closed.map_or(self.today, |(on, _)| on);
        for (index, kid) in home.kids.iter().enumerate() {
            let opened = if kid.unborn {
                episode.opened.max(back(kid.born - days(200)))
            } else if kid.born >= episode.opened {
                // The referral for a brother or sister who came later.
                forward(kid.born + days(4))
            } else {
                episode.opened
            };
            let left_out = match episode.story {
                Story::Permanence => opened > episode.opened || self.chance(25),
                _ => self.chance(6),
            };
            let grown = episode.story != Story::CareLeaver && kid.born + months(18 * 12) <= until;
            let late = opened > episode.opened && (opened + days(3) > until || kid.unborn && episode.closed.is_some());
            if grown || late || (left_out && !found.is_empty()) {
                continue;
            }
            let at = moment(opened, 9, 40 + index as i64);
            found.push(Open { kid: index, case: self.id(at), opened, until });
        }
        found
    }

    fn case(&mut self, home: &Home, episode: &Episode, open: &Open, protected: bool) {
        let kid = &home.kids[open.kid];
        let age = years_between(kid.born, open.opened);
        let need = match self.rng.usize(..100) {
            _ if kid.unborn => "N1",
            _ if kid.disabled => "N2",
            0..52 => "N1",
            52..64 => "N5",
            64..76 => "N4",
            76..86 => "N3",
            86..94 if age > 11 => "N6",
            86..94 => "N1",
            _ => "N8",
        };
        let age = if kid.unborn { -1 } else { age };
        let fitting: Vec<&str> = names::referrals(need)
            .iter()
            .filter(|(from, to, _)| (*from..=*to).contains(&age))
            .map(|(_, _, text)| *text)
            .collect();
        let text = self.pick(&fitting);
        let status = match episode.story {
            _ if episode.closed.is_some() => "CLOSED",
            Story::Queue => "REFERRED",
            Story::Assessment => "ASSESSMENT",
            Story::Pending(_) => "CONFERENCE_PENDING",
            Story::Protection { .. } if protected => "CP",
            Story::CareDecision if protected => "CARE_DECISION",
            Story::LookedAfter => "LOOKED_AFTER",
            Story::Permanence => "LOOKED_AFTER_LAC",
            Story::CareLeaver => "CARE_LEAVER",
            _ => "CIN",
        };
        let nfa = episode.story == Story::Closed(Past::Advice);
        let reason = episode.closed.map(|(_, reason)| reason);
        let rationale = match reason {
            Some(_) if nfa => Some("The referral needed advice only, which first response gave.".to_owned()),
            Some(reason) => Some(home.fill(names::closing(reason), kid, open.until)),
            None => None,
        };
        self.out.cases.push(Case {
            id: open.case,
            child: kid.id,
            opened_on: open.opened,
            status,
            primary_need: (!nfa).then_some(need),
            referral_nfa: nfa,
            referral_summary: home.fill(text, kid, open.opened),
            closed_on: episode.closed.map(|(on, _)| on),
            closure_reason: reason,
            closure_rationale: rationale,
            version: 1 + i32::try_from(episode.stages.len()).unwrap_or(0) + i32::from(reason.is_some()),
            created_at: moment(open.opened, 9, 40 + open.kid as i64),
        });
    }

    fn involve(
        &mut self,
        open: &Open,
        child: Uuid,
        (worker, capacity): (Uuid, &'static str),
        started_at: Moment,
        end: Option<(Moment, Option<&'static str>)>,
    ) {
        let id = self.id(started_at);
        self.out.involvements.push(Involvement {
            id,
            case: open.case,
            child,
            worker,
            capacity,
            started_at,
            ended_at: end.map(|(at, _)| at),
            change_reason: end.and_then(|(_, reason)| reason),
            version: 1 + i32::from(end.is_some()),
        });
    }

    /// Which units held the case and who in them led it, with the transfers between them.
    fn holdings(&mut self, home: &Home, episode: &Episode, open: &Open, leads: &[Uuid], slot: Option<&Slot>) {
        let kid = &home.kids[open.kid];
        let mut transfer: Option<Uuid> = None;
        for (index, stage) in episode.stages.iter().enumerate() {
            let next = episode.stages.get(index + 1);
            // A child whose case was opened later comes straight to the unit that the family has by then.
            if next.is_some_and(|next| next.from <= open.opened) {
                continue;
            }
            let first = transfer.is_none();
            let started_at = match first {
                true if stage.from > open.opened => moment(stage.from, 10, 15),
                true => moment(open.opened, 14, 30),
                false => moment(stage.from, 11, 0),
            };
            let ended = match (next, episode.closed) {
                (Some(next), _) => Some((moment(next.from, 11, 0), "Transferred to another unit", Some("TSPROC"))),
                (None, Some((on, _))) => Some((moment(on, 16, 0), "Case closed", None)),
                (None, None) => None,
            };
            let unit = self.staff[stage.unit].id;
            let created_by = if first {
                self.first_response[self.rng.usize(..self.first_response.len())]
            } else {
                self.staff[stage.unit].consultant
            };
            let priority = match episode.story {
                Story::Pending(_) | Story::CareDecision => "HIGH",
                Story::Protection { .. } => self.pick(&["HIGH", "HIGH", "URGENT", "MEDIUM"]),
                _ => self.pick(&["NONE", "LOW", "LOW", "MEDIUM", "MEDIUM", "HIGH"]),
            };
            let id = self.id(started_at);
            self.out.allocations.push(Allocation {
                id,
                case: open.case,
                child: kid.id,
                unit,
                kind: "PRIMARY",
                started_at,
                ended_at: ended.map(|(at, ..)| at),
                reason_start: if first { "Allocated from first response" } else { "Transfer accepted" },
                reason_end: ended.map(|(_, reason, _)| reason),
                transfer,
                summary: None,
                priority,
                created_by,
                version: 1 + i32::from(ended.is_some()),
            });
            let lead = (leads[index], "LEAD_PRACTITIONER");
            self.involve(open, kid.id, lead, started_at, ended.map(|(at, _, reason)| (at, reason)));
            match next {
                Some(next) => transfer = Some(self.completed(home, open, stage.unit, next)),
                None if ended.is_none() => self.helpers(home, episode, open, (stage.unit, leads[index]), slot),
                None => {}
            }
        }
    }

    fn completed(&mut self, home: &Home, open: &Open, from: usize, next: &Stage) -> Uuid {
        let kid = &home.kids[open.kid];
        let requested_on = self.earlier(next.from, 2, 6).max(open.opened);
        // Whatever the day, after the first allocation of the case.
        let requested_at = moment(requested_on, 15, 30).min(moment(next.from, 10, 45));
        let id = self.id(requested_at);
        let text = self.pick(names::HANDOVERS);
        self.out.transfers.push(Transfer {
            id,
            case: open.case,
            child: kid.id,
            from_unit: self.staff[from].id,
            to_unit: self.staff[next.unit].id,
            kind: if BLOCK[next.unit % 12].0 == "LOOKED_AFTER" { "TO_LAC" } else { "TO_CIN" },
            state: "COMPLETED",
            requested_by: self.staff[from].consultant,
            requested_at,
            responded_by: Some(self.staff[next.unit].consultant),
            responded_at: Some(moment(next.from, 11, 0)),
            effective_on: Some(next.from),
            handover_summary: home.fill(text, kid, requested_on),
            joint_meeting_on: Some(next.from),
            version: 2,
        });
        id
    }

    /// What is open beside the holding unit: helping units, other named workers, a requested transfer.
    fn helpers(
        &mut self,
        home: &Home,
        episode: &Episode,
        open: &Open,
        (unit, lead): (usize, Uuid),
        slot: Option<&Slot>,
    ) {
        let kid = &home.kids[open.kid];
        let from = episode.stages.last().map_or(open.opened, |stage| stage.from.max(open.opened));
        // After the allocation began, and never today.
        let soon =
            moment(back(self.later(from, 1, 12)), 10, 0).min(moment(self.yesterday(), 16, 0)).max(moment(from, 16, 0));
        if self.chance(40) {
            let capacity = self.pick(&["CO_WORKER", "PARENTING_SUPPORT"]);
            let worker = self.staff[unit].practitioner;
            let joined = self.staff[unit].practitioner_since;
            self.involve(open, kid.id, (worker, capacity), soon.max(joined), None);
        }
        if self.chance(22) {
            let worker = self.staff[unit].clinician;
            let joined = self.staff[unit].clinician_since;
            self.involve(open, kid.id, (worker, "CLINICAL"), soon.max(joined), None);
        }
        if matches!(episode.story, Story::LookedAfter | Story::Permanence) {
            // The first two chairs of a block only chair, so that what they see comes from conferences alone.
            let reviewing = self.chairs[unit / 12 * 4 + 2 + self.rng.usize(..2)];
            self.involve(open, kid.id, (reviewing, "IRO"), soon, None);
        }
        if episode.story == Story::CareLeaver {
            let worker = self.staff[unit].practitioner;
            let joined = self.staff[unit].practitioner_since;
            self.involve(open, kid.id, (worker, "PERSONAL_ADVISER"), soon.max(joined), None);
        }
        let Some(slot) = slot else { return };
        let helping = [
            slot.joint.map(|unit| (unit, "JOINT", "Works with the family beside the holding unit")),
            slot.cover.map(|unit| (unit, "COVER", "Stands in during a colleague's leave")),
        ];
        for (helper, kind, reason_start) in helping.into_iter().flatten() {
            let started_at = if kind == "COVER" { moment(self.yesterday(), 12, 0).max(soon) } else { soon };
            let id = self.id(started_at);
            self.out.allocations.push(Allocation {
                id,
                case: open.case,
                child: kid.id,
                unit: self.staff[helper].id,
                kind,
                started_at,
                ended_at: None,
                reason_start,
                reason_end: None,
                transfer: None,
                summary: (kind == "JOINT").then_some("Shares the visits; the holding unit keeps the plan."),
                priority: "NONE",
                created_by: self.staff[unit].consultant,
                version: 1,
            });
            if kind == "JOINT" {
                let worker = self.staff[helper].consultant;
                self.involve(open, kid.id, (worker, "CO_WORKER"), started_at, None);
            }
        }
        if let Some((to, kind)) = slot.requested {
            let requested_at = moment(self.ago(1, 2), 15, 10).max(soon);
            let id = self.id(requested_at);
            let text = self.pick(names::HANDOVERS);
            self.out.transfers.push(Transfer {
                id,
                case: open.case,
                child: kid.id,
                from_unit: self.staff[unit].id,
                to_unit: self.staff[to].id,
                kind,
                state: "REQUESTED",
                requested_by: lead,
                requested_at,
                responded_by: None,
                responded_at: None,
                effective_on: None,
                handover_summary: home.fill(text, kid, self.today),
                joint_meeting_on: Some(forward(self.today + days(self.rng.usize(1..6)))),
                version: 1,
            });
        }
    }

    // Conferences and plans.

    fn meetings_and_plans(
        &mut self,
        home: &Home,
        episode: &Episode,
        cases: &[Open],
        protected: &[usize],
        leads: &[Uuid],
        slot: Option<&Slot>,
    ) {
        let anchor = slot.and_then(|slot| slot.anchor);
        let chair = match anchor {
            // The shown unit's conferences are chaired by the first chair of its block.
            Some(unit) => unit / 12 * 4 + (unit + 2) % 4,
            // And by nobody else's.
            None => 1 + self.rng.usize(..self.chairs.len() - 1),
        };
        let held_by = |day: NaiveDate| {
            let stage = episode.stages.iter().rposition(|stage| stage.from <= day).unwrap_or(0);
            (episode.stages[stage].unit, leads[stage])
        };
        let now = held_by(self.today);

        // Conference ids and plan ids first, as each names the other.
        let mut protection_plans: HashMap<usize, Uuid> = HashMap::new();
        if let Some(protection) = &episode.protection {
            let initial = protection.initial;
            let (unit, lead) = held_by(initial);
            let there: Vec<usize> =
                cases.iter().enumerate().filter(|(_, open)| open.opened < initial).map(|(n, _)| n).collect();
            let kids: Vec<usize> = there.iter().map(|n| cases[*n].kid).collect();
            let meeting = Meeting {
                kind: "INITIAL",
                upcoming: None,
                day: initial,
                requested_on: self.earlier(initial, 12, 17),
                chair,
                unit,
                lead,
                kids: &kids,
            };
            let conference = self.conference(home, &meeting);
            let review = initial + months(3);
            let category = self.pick(&["NEG", "NEG", "NEG", "EMO", "EMO", "PHY", "MUL"]);
            for n in there {
                let open = &cases[n];
                let plan = protected.contains(&n).then(|| {
                    let end = protection.reviews.last().filter(|_| protection.ends).copied();
                    let due = match protection.reviews.last() {
                        Some(last) => *last + months(6),
                        None => review,
                    };
                    let spec = PlanSpec {
                        start: initial,
                        end,
                        protection: Some((conference, category)),
                        due: Some(due),
                        superseded: false,
                    };
                    let plan = self.plan(home, episode, open, held_by(end.unwrap_or(self.today)), spec);
                    protection_plans.insert(n, plan);
                    plan
                });
                let outline = self.pick(names::OUTLINES);
                self.conference_child(
                    home,
                    open,
                    conference,
                    initial,
                    match plan {
                        Some(plan) => Decision {
                            code: "PLAN",
                            category: Some(category),
                            outline: Some(outline),
                            next: Some(review),
                            plan: Some(plan),
                        },
                        None => Decision { code: "NO_PLAN", category: None, outline: None, next: None, plan: None },
                    },
                );
            }
            let kids: Vec<usize> = protected.iter().map(|n| cases[*n].kid).collect();
            let mut last = initial;
            for (index, day) in protection.reviews.iter().enumerate() {
                let (unit, lead) = held_by(*day);
                let requested_on = self.earlier(*day, 25, 35).max(back(last + days(2)));
                let meeting =
                    Meeting { kind: "REVIEW", upcoming: None, day: *day, requested_on, chair, unit, lead, kids: &kids };
                let conference = self.conference(home, &meeting);
                let ends = protection.ends && index + 1 == protection.reviews.len();
                for n in protected {
                    let outline = (!ends).then(|| self.pick(names::OUTLINES));
                    let decision = Decision {
                        code: if ends { "END" } else { "CONTINUE" },
                        category: None,
                        outline,
                        next: (!ends).then(|| *day + months(6)),
                        plan: protection_plans.get(n).copied(),
                    };
                    self.conference_child(home, &cases[*n], conference, *day, decision);
                }
                last = *day;
            }
            if !protection.ends && episode.closed.is_none() && !kids.is_empty() {
                let due = last + months(if protection.reviews.is_empty() { 3 } else { 6 });
                self.next_review(home, cases, protected, &kids, due, chair, now);
            }
        }
        if let Story::Pending(upcoming) = episode.story {
            let kids: Vec<usize> = cases.iter().map(|open| open.kid).collect();
            let unborn_only = kids.iter().all(|kid| home.kids[*kid].unborn);
            let requested_on = if upcoming == Upcoming::Requested { self.ago(1, 2) } else { self.ago(7, 10) };
            let newest = cases.iter().map(|open| open.opened).max().unwrap_or(requested_on);
            let meeting = Meeting {
                kind: if unborn_only { "PRE_BIRTH" } else { "INITIAL" },
                upcoming: Some(upcoming),
                day: forward(self.today + days(self.rng.usize(2..12))),
                requested_on: requested_on.max(newest),
                chair,
                unit: now.0,
                lead: now.1,
                kids: &kids,
            };
            let conference = self.conference(home, &meeting);
            for open in cases {
                self.undecided(home, open, conference);
            }
        }
        for (n, open) in cases.iter().enumerate() {
            self.need_plans(home, episode, open, protected.contains(&n), &held_by);
        }
    }

    /// The next review of running plans, when it is near enough to be on somebody's desk.
    #[expect(clippy::too_many_arguments, reason = "the parts of one meeting")]
    fn next_review(
        &mut self,
        home: &Home,
        cases: &[Open],
        protected: &[usize],
        kids: &[usize],
        due: NaiveDate,
        chair: usize,
        (unit, lead): (usize, Uuid),
    ) {
        let tomorrow = forward(self.today + days(1));
        // A review that is due within five weeks or so has its date by now.
        let day = if due <= self.today + days(38) {
            let most = usize::try_from((due - self.today).num_days()).unwrap_or(0).clamp(3, 22) - 1;
            back(self.later(self.today, 2, most)).max(tomorrow)
        } else {
            self.earlier(due, 1, 14)
        };
        let upcoming = if day <= self.today + days(21) {
            if self.chance(60) { Upcoming::Invited } else { Upcoming::Scheduled }
        } else if day <= self.today + days(45) && self.chance(60) {
            Upcoming::Requested
        } else {
            return;
        };
        let requested_on = if upcoming == Upcoming::Requested { self.ago(1, 3) } else { self.ago(6, 12) };
        let meeting = Meeting { kind: "REVIEW", upcoming: Some(upcoming), day, requested_on, chair, unit, lead, kids };
        let conference = self.conference(home, &meeting);
        for n in protected {
            self.undecided(home, &cases[*n], conference);
        }
    }

    /// A free time of the chair on that day, or of a colleague when the chair's day is full.
    fn free(&mut self, chair: usize, day: NaiveDate) -> (Uuid, Moment) {
        let first = self.rng.usize(..SLOTS.len());
        // The first chair stands in for nobody.
        for stands_in in std::iter::once(chair).chain(1..self.chairs.len()) {
            for step in 0..SLOTS.len() {
                let (hour, minute) = SLOTS[(first + step) % SLOTS.len()];
                let at = moment(day, hour, minute);
                if self.diary.insert((stands_in, at)) {
                    return (self.chairs[stands_in], at);
                }
            }
        }
        (self.chairs[chair], moment(day, SLOTS[first].0, SLOTS[first].1))
    }

    fn conference(&mut self, home: &Home, meeting: &Meeting) -> Uuid {
        let requested_at = moment(meeting.requested_on, 14, 45);
        let id = self.id(requested_at);
        let online = self.chance(15);
        let venue = (!online).then(|| self.pick(names::VENUES));
        let (chair, scheduled_for) = match meeting.upcoming {
            Some(Upcoming::Requested) => (None, None),
            _ => Some(self.free(meeting.chair, meeting.day)).unzip(),
        };
        let held_at = scheduled_for.filter(|_| meeting.upcoming.is_none());
        let sent_on = forward(self.later(meeting.day, 4, 22));
        let minutes_sent_at = held_at.filter(|_| sent_on < self.today).map(|_| moment(sent_on, 15, 0));
        let (state, mut version) = match (meeting.upcoming, minutes_sent_at) {
            (Some(Upcoming::Requested), _) => ("REQUESTED", 1),
            (Some(Upcoming::Scheduled), _) => ("SCHEDULED", 2),
            (Some(Upcoming::Invited), _) => ("INVITED", 3),
            (None, None) => ("DECIDED", 4),
            (None, Some(_)) => ("ISSUED", 5),
        };
        let mut moved_at = None;
        if let (Some(to), Some(Upcoming::Invited | Upcoming::Scheduled)) = (scheduled_for, meeting.upcoming) {
            self.moved += 1;
            let from = back(meeting.day - days(2));
            if self.moved.is_multiple_of(5) && from > self.today {
                let at = moment(self.yesterday(), 13, 0);
                let move_id = self.id(at);
                let reason = self.pick(names::MOVE_REASONS);
                self.out.moves.push(Move {
                    id: move_id,
                    conference: id,
                    from: moment(from, 13, 30),
                    to,
                    reason,
                    by: self.staff[meeting.unit].coordinator,
                    at,
                });
                moved_at = Some(at);
                version += 1;
            }
        }
        self.out.conferences.push(Conference {
            id,
            family: home.family,
            kind: meeting.kind,
            state,
            requested_by: meeting.lead,
            requested_at,
            scheduled_for,
            venue: venue.filter(|_| chair.is_some()),
            online: online && chair.is_some(),
            chair,
            held_at,
            quorate: held_at.map(|_| true),
            minutes_sent_at,
            version,
        });
        if !matches!(state, "REQUESTED" | "SCHEDULED") {
            self.invitations(home, meeting, id, moved_at, held_at);
        }
        id
    }

    fn invitations(
        &mut self,
        home: &Home,
        meeting: &Meeting,
        conference: Uuid,
        moved_at: Option<Moment>,
        held_at: Option<Moment>,
    ) {
        enum Who {
            Person(Uuid),
            Worker(Uuid),
            Agency(String),
        }
        let ages: Vec<i32> = meeting
            .kids
            .iter()
            .map(|kid| &home.kids[*kid])
            .map(|kid| if kid.unborn { -1 } else { years_between(kid.born, meeting.day) })
            .collect();
        let mut invited = vec![(Who::Worker(meeting.lead), "SOCIAL_CARE")];
        for adult in home.adults.iter().filter(|adult| adult.parent || adult.carer) {
            invited.push((Who::Person(adult.id), if adult.parent { "PARENT" } else { "FAMILY" }));
        }
        for (kid, age) in meeting.kids.iter().zip(&ages) {
            if *age >= 12 {
                invited.push((Who::Person(home.kids[*kid].id), "CHILD"));
            }
        }
        let schools: Vec<&str> = [4..12, 12..17]
            .into_iter()
            .filter_map(|range| ages.iter().find(|age| range.contains(*age)))
            .map(|age| home.school(*age))
            .collect();
        for school in &schools {
            invited.push((Who::Agency((*school).to_owned()), "SCHOOL"));
        }
        let health = [
            (ages.iter().any(|age| *age < 0), names::MIDWIFERY),
            (ages.iter().any(|age| (0..5).contains(age)), names::HEALTH_VISITING),
            (!schools.is_empty(), names::SCHOOL_NURSING),
        ];
        for (_, service) in health.into_iter().filter(|(fits, _)| *fits) {
            invited.push((Who::Agency(service.to_owned()), "HEALTH"));
        }
        invited.push((Who::Agency(names::POLICE.to_owned()), "POLICE"));

        let (sent_at, latest) = match held_at {
            Some(held) => (moment(self.earlier(meeting.day, 7, 9).max(meeting.requested_on), 16, 10), held),
            None => (moment(self.ago(3, 5).max(meeting.requested_on), 16, 10), moment(self.yesterday(), 16, 50)),
        };
        let asked = moved_at.unwrap_or(sent_at).max(sent_at);
        for (who, capacity) in invited {
            let id = self.id(sent_at);
            let answers = if held_at.is_some() { 92 } else { 55 };
            let answered = self.chance(answers) && latest > asked;
            let accepts = self.chance(match capacity {
                "SOCIAL_CARE" => 100,
                "POLICE" => 70,
                _ => 88,
            });
            // In working hours, on a day between the question and the last moment at which an answer counts.
            let share = self.rng.i32(0..100);
            let on = (asked + (latest - asked) * share / 100).with_timezone(&London).date_naive();
            let at = moment(on, self.rng.i64(9..17), self.rng.i64(0..60));
            let responded_at = answered.then(|| at.max(asked + TimeDelta::minutes(20)).min(latest));
            let method = match &who {
                Who::Person(_) => self.pick(&["LETTER", "LETTER", "IN_PERSON", "PHONE"]),
                _ => "EMAIL",
            };
            let (person, worker, agency) = match who {
                Who::Person(id) => (Some(id), None, None),
                Who::Worker(id) => (None, Some(id), None),
                Who::Agency(name) => (None, None, Some(name)),
            };
            self.out.invitations.push(Invitation {
                id,
                conference,
                person,
                worker,
                agency,
                capacity,
                sent_at,
                method,
                response: match (answered, accepts) {
                    (false, _) => "NONE",
                    (true, true) => "ACCEPTED",
                    (true, false) => "DECLINED",
                },
                responded_at,
                answer_asked_at: asked,
                version: 1 + i32::from(answered) + i32::from(moved_at.is_some()),
            });
        }
    }

    fn conference_child(&mut self, home: &Home, open: &Open, conference: Uuid, day: NaiveDate, decision: Decision) {
        let kid = &home.kids[open.kid];
        let id = self.id(moment(day, 16, 45));
        self.out.conference_children.push(ConferenceChild {
            id,
            conference,
            child: kid.id,
            case: open.case,
            decision: Some(decision.code),
            category: decision.category,
            outline_plan: decision.outline.map(|text| home.fill(text, kid, day)),
            next_review_on: decision.next,
            plan: decision.plan,
        });
    }

    fn undecided(&mut self, home: &Home, open: &Open, conference: Uuid) {
        let child = home.kids[open.kid].id;
        let id = self.id(moment(self.yesterday(), 15, 0));
        self.out.conference_children.push(ConferenceChild {
            id,
            conference,
            child,
            case: open.case,
            decision: None,
            category: None,
            outline_plan: None,
            next_review_on: None,
            plan: None,
        });
    }

    /// The child in need plans of a case, around its child protection plan if it has one.
    fn need_plans(
        &mut self,
        home: &Home,
        episode: &Episode,
        open: &Open,
        protected: bool,
        held_by: &dyn Fn(NaiveDate) -> (usize, Uuid),
    ) {
        let today = self.today;
        let by = |end: Option<NaiveDate>| held_by(end.unwrap_or(today));
        let last = episode.closed.map(|(on, _)| on);
        let spec = |start, end| PlanSpec { start, end, protection: None, due: None, superseded: false };
        if let (true, Some(protection)) = (protected, &episode.protection) {
            let start = episode.cin.unwrap_or(protection.initial).max(open.opened);
            if start < protection.initial {
                self.plan(home, episode, open, by(Some(protection.initial)), spec(start, Some(protection.initial)));
            }
            if let (true, None, Some(end)) = (protection.ends, episode.care, protection.reviews.last()) {
                self.plan(home, episode, open, by(last), spec(*end, last));
            }
            return;
        }
        let first = match (episode.cin, &episode.protection) {
            (Some(cin), _) => cin,
            (None, Some(protection)) => protection.initial,
            (None, None) => return,
        };
        let start =
            if open.opened > first { back(self.later(open.opened, 2, 20)).min(self.yesterday()) } else { first };
        let start = start.max(open.opened);
        let end = episode.care.or(last);
        if end.is_some_and(|end| end <= start) {
            return;
        }
        let age = (self.today - start).num_days();
        if end.is_none() && age > 150 && self.chance(self.renewed) {
            let middle = back(start + months(3));
            self.plan(
                home,
                episode,
                open,
                by(Some(middle)),
                PlanSpec { superseded: true, ..spec(start, Some(middle)) },
            );
            self.plan(home, episode, open, by(None), spec(middle, None));
        } else {
            self.plan(home, episode, open, by(end), spec(start, end));
        }
    }

    fn plan(
        &mut self,
        home: &Home,
        episode: &Episode,
        open: &Open,
        (unit, lead): (usize, Uuid),
        spec: PlanSpec,
    ) -> Uuid {
        let kid = &home.kids[open.kid];
        let created_at = moment(spec.start, 17, 10);
        let id = self.id(created_at);
        let age = years_between(kid.born, spec.start);
        let last = spec.end.unwrap_or(self.today);
        let mut due = spec.due.unwrap_or(spec.start + months(3));
        // Child in need plans are reviewed after three months and then every six; a few reviews are late.
        while spec.protection.is_none() && due + days(20) < last {
            due = due + months(6);
        }
        let mut change_by = spec.start + months(4);
        while change_by + days(10) < last {
            change_by = change_by + months(3);
        }
        let category = spec.protection.map(|(_, category)| category);
        let previous = category.map(|_| {
            let count = self.protected.entry(kid.id).or_default();
            *count += 1;
            *count - 1
        });
        let aim = self.pick(names::AIMS);
        let parent_view = self.pick(names::PARENT_VIEWS);
        let child_view = (age > 3).then(|| self.pick(names::CHILD_VIEWS));
        let reviewed =
            episode.protection.as_ref().filter(|_| category.is_some()).map_or(0, |found| found.reviews.len());
        let latest = if reviewed > 0 && self.chance(15) { Some("MUL") } else { category };
        self.out.plans.push(Plan {
            id,
            case: open.case,
            child: kid.id,
            kind: if category.is_some() { "CHILD_PROTECTION" } else { "CIN" },
            status: match (spec.end, spec.superseded) {
                (None, _) => "ACTIVE",
                (Some(_), true) => "SUPERSEDED",
                (Some(_), false) => "ENDED",
            },
            start_on: spec.start,
            end_on: spec.end,
            overall_aim: home.fill(aim, kid, spec.start),
            agreed_change_by: change_by,
            review_due_on: due,
            conference: spec.protection.map(|(conference, _)| conference),
            initial_category: category,
            latest_category: latest.filter(|_| category.is_some()),
            previous_cpps: previous,
            parent_view: Some(home.fill(parent_view, kid, spec.start)),
            child_view: child_view.map(|text| home.fill(text, kid, spec.start)),
            version: 1 + i32::try_from(reviewed).unwrap_or(0) + i32::from(spec.end.is_some()),
            created_at,
        });
        let mut texts: Vec<&GoalText> =
            names::GOALS.iter().filter(|goal| (goal.ages.0..=goal.ages.1).contains(&age)).collect();
        self.rng.shuffle(&mut texts);
        if kid.disabled {
            texts.splice(..0, names::GOALS_DISABLED.iter().filter(|goal| (goal.ages.0..=goal.ages.1).contains(&age)));
        }
        texts.truncate(self.rng.usize(self.goals.0..=self.goals.1));
        for (position, text) in texts.into_iter().enumerate() {
            self.goal(home, kid, id, text, position, (unit, lead), &spec);
        }
        id
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one goal")]
    fn goal(
        &mut self,
        home: &Home,
        kid: &Kid,
        plan: Uuid,
        text: &GoalText,
        position: usize,
        (unit, lead): (usize, Uuid),
        spec: &PlanSpec,
    ) {
        let created_at = moment(spec.start, 17, 15 + position as i64);
        let goal = self.id(created_at);
        let count = self.rng.usize(1..=text.actions.len());
        let yesterday = self.yesterday();
        let running = (self.today - spec.start).num_days() > 120 && spec.end.is_none();
        let mut open = false;
        for (index, (owner, wording)) in text.actions.iter().take(count).enumerate() {
            let id = self.id(created_at + TimeDelta::seconds(index as i64));
            // Plans that have run for long still have something to do: it falls around today.
            let due_on = if running && index + 1 == count {
                self.later(self.today, 0, 58) - days(14)
            } else {
                self.later(spec.start, 14 + index * 18, 45 + index * 25)
            };
            let done = match spec.end {
                Some(_) => true,
                None if due_on + days(25) < self.today => true,
                None if due_on < self.today => self.chance(55),
                None => self.chance(12),
            };
            let latest = spec.end.unwrap_or(yesterday);
            let planned = self.earlier(due_on, 0, 9);
            let done_on = done.then(|| planned.min(latest).max(spec.start));
            open |= !done;
            let age = years_between(kid.born, spec.start);
            let (worker, person, agency) = match owner {
                Owner::Lead => (Some(lead), None, None),
                Owner::Practitioner => (Some(self.staff[unit].practitioner), None, None),
                Owner::Clinician => (Some(self.staff[unit].clinician), None, None),
                Owner::Parent => match home.carer() {
                    Some(adult) => (None, Some(adult.id), None),
                    None => (Some(lead), None, None),
                },
                Owner::School => (None, None, Some(home.school(age))),
                Owner::Health if age < 0 => (None, None, Some(names::MIDWIFERY)),
                Owner::Health if age < 5 => (None, None, Some(names::HEALTH_VISITING)),
                Owner::Health => (None, None, Some(names::SURGERY)),
                Owner::Agency(name) => (None, None, Some(*name)),
            };
            let outcome = if done { Some(self.pick(names::OUTCOMES)) } else { None };
            self.out.actions.push(Action {
                id,
                goal,
                plan,
                child: kid.id,
                text: home.fill(wording, kid, spec.start),
                worker,
                person,
                agency: agency.map(str::to_owned),
                due_on,
                done_on,
                outcome,
            });
        }
        let status = match spec.end {
            Some(_) if spec.superseded => "OPEN",
            Some(_) => self.pick(&["MET", "MET", "MET", "NOT_MET", "DROPPED"]),
            None if !open && self.chance(40) => "MET",
            None => "OPEN",
        };
        self.out.goals.push(Goal {
            id: goal,
            plan,
            child: kid.id,
            position: i32::try_from(position).unwrap_or(0) + 1,
            change: home.fill(text.change, kid, spec.start),
            why: home.fill(text.why, kid, spec.start),
            measure: text.measure,
            baseline: text.baseline,
            target: text.target,
            status,
        });
    }
}

/// What a conference decided for one child.
struct Decision {
    code: &'static str,
    category: Option<&'static str>,
    outline: Option<&'static str>,
    next: Option<NaiveDate>,
    plan: Option<Uuid>,
}

/// What a plan needs beside the child.
struct PlanSpec {
    start: NaiveDate,
    end: Option<NaiveDate>,
    /// The conference that made it and the category; none for a child in need plan.
    protection: Option<(Uuid, &'static str)>,
    due: Option<NaiveDate>,
    superseded: bool,
}

/// The code of a child whose parents' codes these are.
fn mixed(mother: &'static str, father: &'static str) -> &'static str {
    let white = |code: &str| code.starts_with('W');
    let other = match (white(mother), white(father)) {
        _ if father.is_empty() || mother == father => return mother,
        (true, true) => return "WOTH",
        (true, false) => father,
        (false, true) => mother,
        (false, false) => return "MOTH",
    };
    match other {
        "BCRB" => "MWBC",
        "BAFR" => "MWBA",
        "AIND" | "APKN" | "ABAN" | "AOTH" | "CHNE" => "MWAS",
        _ => "MOTH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap_or_default()
    }

    /// Ordinary days, weekends, bank holidays and the days after them, the days on which the clocks change.
    fn authorities() -> Vec<(NaiveDate, Authority)> {
        [
            "2026-11-21",
            "2026-11-24",
            "2026-03-29",
            "2026-10-25",
            "2026-04-07",
            "2026-05-04",
            "2026-07-15",
            "2026-12-29",
            "2027-01-01",
            "2028-02-29",
            "2031-06-30",
        ]
        .map(|text| (day(text), generate(day(text), DEMO)))
        .into()
    }

    fn holding<'a>(made: &'a Authority, case: &Case) -> Vec<&'a Allocation> {
        made.allocations
            .iter()
            .filter(|row| row.case == case.id && row.kind == "PRIMARY" && row.ended_at.is_none())
            .collect()
    }

    #[test]
    fn the_same_day_gives_the_same_authority_and_another_day_another_one() {
        let today = day("2026-11-24");
        let made = generate(today, DEMO);
        assert!(made == generate(today, DEMO));
        assert!(made != generate(today + days(1), DEMO));
    }

    #[test]
    fn the_calendar_knows_the_bank_holidays() {
        for holiday in [
            "2026-04-03",
            "2026-04-06",
            "2026-05-04",
            "2026-05-25",
            "2026-08-31",
            "2026-12-25",
            "2026-12-28",
            "2027-01-01",
            "2027-12-27",
            "2027-12-28",
            "2028-01-03",
            "2022-12-27",
            "2026-11-21",
        ] {
            assert!(!is_working_day(day(holiday)), "{holiday}");
        }
        for working in ["2026-04-02", "2026-04-07", "2026-05-11", "2026-12-24", "2026-12-29", "2027-01-04"] {
            assert!(is_working_day(day(working)), "{working}");
        }
    }

    #[test]
    fn every_allocated_open_case_is_held_by_one_unit_and_led_by_a_qualified_member() {
        for (today, made) in authorities() {
            for case in made.cases.iter().filter(|case| case.closed_on.is_none()) {
                let held = holding(&made, case);
                let leads: Vec<_> = made
                    .involvements
                    .iter()
                    .filter(|row| row.case == case.id && row.capacity == "LEAD_PRACTITIONER" && row.ended_at.is_none())
                    .collect();
                if case.status == "REFERRED" {
                    assert!(held.is_empty() && leads.is_empty(), "{today}");
                    continue;
                }
                assert_eq!((held.len(), leads.len()), (1, 1), "{today} {}", case.status);
                assert_eq!(held[0].started_at, leads[0].started_at);
                let member = made.memberships.iter().find(|row| {
                    row.unit == held[0].unit
                        && row.worker == leads[0].worker
                        && row.ended_at.is_none()
                        && row.started_at <= held[0].started_at
                });
                assert!(
                    member.is_some_and(|row| matches!(row.role, "CONSULTANT_SOCIAL_WORKER" | "SOCIAL_WORKER")),
                    "{today}"
                );
                assert!(made.workers.iter().any(|row| row.id == leads[0].worker && row.qualified && row.active));
            }
        }
    }

    #[test]
    fn who_led_a_case_was_a_member_of_the_unit_for_all_that_time() {
        for (today, made) in authorities() {
            for lead in made.involvements.iter().filter(|row| row.capacity == "LEAD_PRACTITIONER") {
                let held = made.allocations.iter().find(|row| {
                    (row.case, row.kind, row.started_at, row.ended_at)
                        == (lead.case, "PRIMARY", lead.started_at, lead.ended_at)
                });
                let covers = |row: &&Membership| {
                    Some(row.unit) == held.map(|row| row.unit)
                        && row.worker == lead.worker
                        && row.started_at <= lead.started_at
                        && row.ended_at.is_none_or(|left| lead.ended_at.is_some_and(|ended| ended <= left))
                };
                assert!(made.memberships.iter().any(|row| covers(&row)), "{today}");
            }
        }
    }

    #[test]
    fn a_completed_transfer_moves_the_case_without_a_gap() {
        for (today, made) in authorities() {
            for row in made.transfers.iter().filter(|row| row.state == "COMPLETED") {
                let to = made.allocations.iter().find(|held| held.transfer == Some(row.id));
                let started = to.map(|held| (held.case, held.unit, Some(held.started_at)));
                assert_eq!(started, Some((row.case, row.to_unit, row.responded_at)), "{today}");
                assert!(made.allocations.iter().any(|held| {
                    (held.case, held.unit, held.ended_at) == (row.case, row.from_unit, row.responded_at)
                        && held.started_at < row.requested_at
                }));
                assert!(Some(row.requested_at) < row.responded_at);
            }
        }
    }

    #[test]
    fn conferences_are_on_working_days_in_working_hours_and_no_chair_has_two_at_once() {
        for (today, made) in authorities() {
            let mut taken = HashSet::new();
            for conference in &made.conferences {
                let Some(at) = conference.scheduled_for else {
                    assert_eq!(conference.state, "REQUESTED");
                    continue;
                };
                let local = at.with_timezone(&London).naive_local();
                assert!(is_working_day(local.date()), "{today} {local}");
                let minutes = (local.time() - NaiveTime::MIN).num_minutes();
                assert!((9 * 60 + 30..=15 * 60 + 30).contains(&minutes), "{today} {local}");
                assert!(taken.insert((conference.chair, at)), "{today} {local}");
                assert!(conference.requested_at < at);
                if matches!(conference.state, "SCHEDULED" | "INVITED") {
                    assert!(at > moment(today, 8, 0) && local.date() <= today + days(21), "{today} {local}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_recorded_after_eight_in_the_morning() {
        for (today, made) in authorities() {
            let now = moment(today, 8, 0);
            let mut moments: Vec<Moment> = Vec::new();
            moments.extend(made.workers.iter().map(|row| row.created_at));
            moments.extend(made.posts.iter().map(|row| row.started_at));
            moments.extend(made.memberships.iter().flat_map(|row| [Some(row.started_at), row.ended_at]).flatten());
            moments.extend(made.persons.iter().map(|row| row.created_at));
            moments.extend(made.families.iter().map(|row| row.created_at));
            moments.extend(made.cases.iter().map(|row| row.created_at));
            moments.extend(made.transfers.iter().flat_map(|row| [Some(row.requested_at), row.responded_at]).flatten());
            moments.extend(made.allocations.iter().flat_map(|row| [Some(row.started_at), row.ended_at]).flatten());
            moments.extend(made.involvements.iter().flat_map(|row| [Some(row.started_at), row.ended_at]).flatten());
            moments.extend(
                made.conferences
                    .iter()
                    .flat_map(|row| [Some(row.requested_at), row.held_at, row.minutes_sent_at].into_iter().flatten()),
            );
            moments.extend(made.plans.iter().map(|row| row.created_at));
            moments.extend(made.moves.iter().map(|row| row.at));
            for row in &made.invitations {
                assert!(
                    row.sent_at <= row.answer_asked_at && row.responded_at.is_none_or(|at| at > row.answer_asked_at)
                );
                moments.extend([Some(row.sent_at), Some(row.answer_asked_at), row.responded_at].into_iter().flatten());
            }
            assert_eq!(moments.iter().max().filter(|at| **at > now), None, "{today}");

            let mut dates: Vec<NaiveDate> = Vec::new();
            dates.extend(made.units.iter().map(|row| row.active_from));
            dates.extend(made.persons.iter().filter_map(|row| row.born));
            dates.extend(made.addresses.iter().flat_map(|row| [Some(row.from), row.to]).flatten());
            dates.extend(made.family_members.iter().map(|row| row.from));
            dates.extend(made.relationships.iter().map(|row| row.from));
            dates.extend(made.cases.iter().flat_map(|row| [Some(row.opened_on), row.closed_on]).flatten());
            dates.extend(made.transfers.iter().filter_map(|row| row.effective_on));
            dates.extend(made.plans.iter().flat_map(|row| [Some(row.start_on), row.end_on]).flatten());
            dates.extend(made.actions.iter().filter_map(|row| row.done_on));
            assert_eq!(dates.iter().max().filter(|date| **date >= today), None, "{today}");
            assert!(made.persons.iter().filter_map(|row| row.expected).all(|date| date > today));
        }
    }

    #[test]
    fn ids_are_unique_and_no_younger_than_the_morning() {
        for (today, made) in authorities() {
            let mut ids: Vec<Uuid> = Vec::new();
            macro_rules! collect {
                ($($table:ident)+) => { $(ids.extend(made.$table.iter().map(|row| row.id));)+ };
            }
            collect!(workers posts areas units memberships persons addresses families family_members relationships cases);
            collect!(transfers allocations involvements conferences plans conference_children invitations moves);
            collect!(goals actions);
            let latest = u64::try_from(moment(today, 8, 0).timestamp()).unwrap_or(0);
            for id in &ids {
                assert_eq!(id.get_version_num(), 7);
                assert!(id.get_timestamp().is_some_and(|at| at.to_unix().0 <= latest), "{today}");
            }
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        }
    }

    #[test]
    fn every_relationship_has_its_inverse_and_only_adults_have_parental_responsibility() {
        for (today, made) in authorities() {
            let born: HashMap<Uuid, Option<NaiveDate>> = made.persons.iter().map(|row| (row.id, row.born)).collect();
            let kinds: HashSet<_> = made.relationships.iter().map(|row| (row.person, row.other, row.kind)).collect();
            for row in &made.relationships {
                let inverse = match row.kind {
                    "parent" => "child",
                    "child" => "parent",
                    "stepParent" => "stepChild",
                    "stepChild" => "stepParent",
                    "parentOfUnbornChild" => "unbornChild",
                    "unbornChild" => "parentOfUnbornChild",
                    "siblingOfUnbornChild" => "unbornSibling",
                    "unbornSibling" => "siblingOfUnbornChild",
                    "grandparent" => "grandchild",
                    "grandchild" => "grandparent",
                    same => same,
                };
                assert!(kinds.contains(&(row.other, row.person, inverse)), "{today} {}", row.kind);
                if row.parental_responsibility == "Y" {
                    let adult =
                        born.get(&row.person).copied().flatten().is_some_and(|born| years_between(born, today) >= 18);
                    assert!(adult, "{today}");
                }
            }
        }
    }

    #[test]
    fn open_plans_fit_the_status_and_protection_plans_begin_on_the_day_of_their_conference() {
        for (today, made) in authorities() {
            let conferences: HashMap<Uuid, &Conference> = made.conferences.iter().map(|row| (row.id, row)).collect();
            for plan in made.plans.iter().filter(|plan| plan.kind == "CHILD_PROTECTION") {
                let conference = plan.conference.and_then(|id| conferences.get(&id));
                let held = conference.and_then(|row| row.held_at).map(|at| at.with_timezone(&London).date_naive());
                assert_eq!(held, Some(plan.start_on), "{today}");
                assert!(plan.end_on.is_none_or(|end| end > plan.start_on));
                let decided = made.conference_children.iter().find(|row| {
                    row.plan == Some(plan.id) && Some(row.conference) == plan.conference && row.decision == Some("PLAN")
                });
                assert!(decided.is_some_and(|row| row.category == plan.initial_category), "{today}");
                let before = made.plans.iter().filter(|other| {
                    other.child == plan.child && other.kind == plan.kind && other.start_on < plan.start_on
                });
                assert_eq!(plan.previous_cpps, i32::try_from(before.count()).ok());
            }
            for case in made.cases.iter() {
                let open: Vec<_> = made
                    .plans
                    .iter()
                    .filter(|plan| plan.case == case.id && plan.end_on.is_none())
                    .map(|plan| plan.kind)
                    .collect();
                let fits = match case.status {
                    "CIN" => open == ["CIN"],
                    "CP" | "CARE_DECISION" => open == ["CHILD_PROTECTION"],
                    "CONFERENCE_PENDING" => open.is_empty() || open == ["CIN"],
                    _ => open.is_empty(),
                };
                assert!(fits, "{today} {} {open:?}", case.status);
                let undecided =
                    made.conference_children.iter().filter(|row| row.case == case.id && row.decision.is_none()).count();
                assert!(case.status != "CONFERENCE_PENDING" || undecided == 1, "{today}");
            }
            for goal in &made.goals {
                assert!((1..=4).contains(&made.actions.iter().filter(|row| row.goal == goal.id).count()));
            }
        }
    }

    #[test]
    fn the_demo_has_what_a_demonstration_needs() {
        for (today, made) in authorities() {
            assert_eq!((made.areas.len(), made.units.len(), made.posts.len()), (3, 12, 8));
            let find = |staff_no: &str| made.workers.iter().find(|row| row.staff_no == staff_no).map(|row| row.id);
            for unit in 1..=12 {
                for role in ["CSW", "SW", "CP", "CL", "UC"] {
                    assert!(find(&format!("U{unit:02}-{role}")).is_some());
                }
            }
            let holds = |unit: usize, case: Uuid| {
                made.allocations
                    .iter()
                    .any(|row| row.unit == made.units[unit].id && row.case == case && row.ended_at.is_none())
            };
            for unit in 0..12 {
                let held = made
                    .cases
                    .iter()
                    .filter(|case| holding(&made, case).iter().any(|row| row.unit == made.units[unit].id));
                assert!((25..=50).contains(&held.count()), "{today} unit {}", unit + 1);
            }
            let ours = |conference: &Conference| {
                made.conference_children.iter().any(|row| row.conference == conference.id && holds(2, row.case))
            };
            let chaired =
                made.conferences.iter().filter(|row| row.chair == find("CH-1") && row.held_at.is_none() && ours(row));
            assert!(chaired.count() >= 2, "{today}");
            assert!(made.conferences.iter().any(|row| row.state == "REQUESTED" && ours(row)), "{today}");
            let planned = made.plans.iter().filter(|plan| plan.status == "ACTIVE" && holds(2, plan.case));
            assert!(planned.count() >= 3, "{today}");
            let requested: Vec<_> = made.transfers.iter().filter(|row| row.state == "REQUESTED").collect();
            assert!((4..=6).contains(&requested.len()), "{today}");
            let asks = |from: usize, to: usize| {
                requested.iter().any(|row| {
                    (row.from_unit, row.to_unit, row.kind) == (made.units[from].id, made.units[to].id, "TO_CIN")
                })
            };
            assert!(asks(2, 6) && asks(0, 5), "{today}");
            assert!(made.plans.iter().any(|plan| plan.status == "ACTIVE" && plan.previous_cpps == Some(1)), "{today}");
            let waiting = made.cases.iter().filter(|case| case.status == "REFERRED").count();
            let open = made.cases.iter().filter(|case| case.closed_on.is_none()).count();
            assert!((8..=13).contains(&waiting), "{today} {waiting}");
            assert!((450..=490).contains(&open), "{today} {open}");
            assert!((95..=170).contains(&(made.cases.len() - open)), "{today} {}", made.cases.len() - open);
            assert!((300..=360).contains(&made.families.len()), "{today} {}", made.families.len());
        }
    }

    #[test]
    fn no_text_has_a_gap_left_in_it() {
        let made = generate(day("2026-11-24"), DEMO);
        let texts = (made.cases.iter().map(|row| &row.referral_summary))
            .chain(made.cases.iter().filter_map(|row| row.closure_rationale.as_ref()))
            .chain(made.transfers.iter().map(|row| &row.handover_summary))
            .chain(made.plans.iter().map(|row| &row.overall_aim))
            .chain(made.plans.iter().flat_map(|row| [&row.parent_view, &row.child_view]).flatten())
            .chain(made.goals.iter().flat_map(|row| [&row.change, &row.why]))
            .chain(made.actions.iter().map(|row| &row.text));
        for text in texts {
            assert!(!text.contains(['{', '}']) && !text.contains("  ") && !text.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_larger_authority_is_made_by_the_same_rules() {
        let made = generate(day("2026-11-24"), Sizes { units: 36, children: 1800 });
        assert_eq!((made.units.len(), made.areas.len()), (36, 9));
        assert!((1800..1804).contains(&made.children.len()));
        for case in made.cases.iter().filter(|case| case.closed_on.is_none() && case.status != "REFERRED") {
            assert_eq!(holding(&made, case).len(), 1);
        }
    }
}

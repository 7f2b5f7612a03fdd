//! Makes an authority as plain rows, without I/O: a function of the day and the sizes alone.
//!
//! Families are made one after another. For each, the story is chosen first (which unit holds it, since when, which
//! conferences were held), then the people who fit it, and then the story is played into rows.

mod calendar;
mod care;
mod cases;
mod conferences;
mod contacts;
mod episodes;
mod families;
mod homes;
mod organisation;
mod people;
mod plans;
mod rows;
mod safeguarding;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use fastrand::Rng;
use uuid::Uuid;

use calendar::{Moment, back, days};
use organisation::Staff;
use rows::*;

pub(super) use families::{Past, Slot, Story, Upcoming};

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
    pub(super) contacts: Vec<Contact>,
    pub(super) contact_people: Vec<ContactPerson>,
    pub(super) needs: Vec<Need>,
    pub(super) consultations: Vec<Consultation>,
    pub(super) referrals: Vec<Referral>,
    pub(super) assessments: Vec<Assessment>,
    pub(super) strategy_discussions: Vec<StrategyDiscussion>,
    pub(super) strategy_participants: Vec<StrategyParticipant>,
    pub(super) enquiries: Vec<Enquiry>,
    pub(super) agency_participants: Vec<AgencyParticipant>,
    pub(super) information_requests: Vec<InformationRequest>,
    pub(super) information_chases: Vec<Chase>,
    pub(super) supports: Vec<Support>,
}

pub(super) struct Generator {
    today: NaiveDate,
    pub(super) sizes: Sizes,
    pub(super) rng: Rng,
    /// What was made and not yet taken away.
    pub(super) out: Authority,
    areas: Vec<Uuid>,
    /// Who manages each of them.
    managers: Vec<Uuid>,
    pub(super) staff: Vec<Staff>,
    chairs: Vec<Uuid>,
    first_response: Vec<Uuid>,
    /// A parenting support worker for each twelve units.
    supporters: Vec<Uuid>,
    /// Child protection plans that each child has had.
    protected: HashMap<Uuid, i32>,
    /// When each chair is taken.
    diary: HashSet<(usize, Moment)>,
    workers: usize,
    nhs: u32,
    /// Whether there are contacts about nobody who is known.
    strangers: bool,
    /// How often somebody called about a child whom this unit holds.
    called: HashMap<Uuid, usize>,
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
            managers: Vec::new(),
            staff: Vec::new(),
            chairs: Vec::new(),
            first_response: Vec::new(),
            supporters: Vec::new(),
            protected: HashMap::new(),
            diary: HashSet::new(),
            workers: 0,
            nhs: 0,
            strangers: false,
            called: HashMap::new(),
            moved: 0,
            goals: (2, 4),
            renewed: 30,
        };
        generator.organisation(0);
        generator.families();
        generator.contacts();
        generator.safeguarding();
        generator.care();
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
}

//! Which families there are beside the demo's: drawn rather than fixed, by the same stories.

use std::{cmp::Reverse, collections::BinaryHeap};

use chrono::NaiveDate;

use super::Sizes;
use crate::seed::generate::{Authority, BLOCK, DEMO, Generator, Past, Slot, Story, Upcoming};

/// Families that are handed over at a time.
const CHUNK: usize = 500;

/// What comes before the families: the demo, the organisation.
pub(super) const FIRST: usize = 2;

/// An authority of any size, the demo's rows first.
pub(super) struct Bulk {
    generator: Generator,
    /// Children who are still to be made.
    missing: usize,
    waiting: usize,
    /// Cases that each unit holds, and how many it is to hold.
    held: Vec<usize>,
    targets: Vec<usize>,
    /// The units that have room, the emptiest one first.
    room: BinaryHeap<Reverse<(usize, usize)>>,
}

impl Bulk {
    /// With the demo authority, then the organisation: everything that the families refer to.
    pub(super) fn new(today: NaiveDate, sizes: Sizes) -> (Self, [Authority; FIRST]) {
        let mut generator = Generator::new(today, DEMO);
        let demo = std::mem::take(&mut generator.out);
        generator.sizes.units = sizes.units;
        (generator.goals, generator.renewed) = ((1, 2), 75);
        generator.organisation(DEMO.units);
        let organisation = std::mem::take(&mut generator.out);

        let mut held = vec![0; sizes.units];
        for row in demo.allocations.iter().filter(|row| row.kind == "PRIMARY" && row.ended_at.is_none()) {
            if let Some(unit) = generator.staff.iter().position(|staff| staff.id == row.unit) {
                held[unit] += 1;
            }
        }
        // Nine children in ten have an open case.
        let whole: usize = (0..sizes.units).map(|unit| BLOCK[unit % 12].1).sum();
        let targets: Vec<usize> =
            (0..sizes.units).map(|unit| BLOCK[unit % 12].1 * sizes.children * 9 / (whole * 10)).collect();
        let mut bulk = Self {
            generator,
            missing: sizes.children.saturating_sub(demo.children.len()),
            waiting: sizes.children / 120,
            held,
            targets,
            room: BinaryHeap::new(),
        };
        for unit in 0..sizes.units {
            bulk.offer(unit);
        }
        (bulk, [demo, organisation])
    }

    fn offer(&mut self, unit: usize) {
        let (held, target) = (self.held[unit], self.targets[unit]);
        if held < target {
            self.room.push(Reverse((held * 1000 / target, unit)));
        }
    }

    fn family(&mut self) {
        let draw = self.generator.rng.usize(..100);
        let unit = if draw < 92 { self.room.pop().map(|Reverse((_, unit))| unit) } else { None };
        let mut slot = match unit {
            Some(unit) => self.slot(unit),
            None if draw >= 98 && self.waiting > 0 => Slot::of(Story::Queue, None),
            None => {
                let past = if self.generator.chance(12) { Past::Advice } else { Past::Any };
                Slot::of(Story::Closed(past), None)
            }
        };
        // So that the last family brings no child too many.
        if self.missing < 4 {
            (slot.single, slot.unborn) = (true, false);
        }
        let open = self.generator.family(slot);
        match unit {
            Some(unit) => {
                self.held[unit] += open;
                self.offer(unit);
            }
            None => self.waiting = self.waiting.saturating_sub(open),
        }
    }

    /// What the next family of a unit is.
    fn slot(&mut self, unit: usize) -> Slot {
        use Story::*;
        // The units that it works with: those of its own twelve, or of the twelve before when its own are not complete.
        let block = (unit - unit % 12).min(self.generator.sizes.units / 12 * 12 - 12);
        let (service, place) = (BLOCK[unit % 12].0, unit % 12);
        let draw = self.generator.rng.usize(..100);
        let other = self.generator.rng.usize(..4);
        let upcoming = self.generator.pick(&[Upcoming::Requested, Upcoming::Scheduled, Upcoming::Invited]);
        let story = match (service, draw) {
            ("ACCESS_ASSESSMENT", 0..36) => Assessment,
            ("ACCESS_ASSESSMENT", 36..44) => Pending(upcoming),
            ("ACCESS_ASSESSMENT", 44..58) => Protection { soon: false },
            ("CHILDREN_IN_NEED", 0..6) => Protection { soon: true },
            ("CHILDREN_IN_NEED", 6..24) => Protection { soon: false },
            ("CHILDREN_IN_NEED", 24..30) => Pending(upcoming),
            ("CHILDREN_IN_NEED", 30..44) => StepDown,
            ("CHILDREN_IN_NEED", 44..50) => LookedAfter,
            ("CHILDREN_IN_NEED", 50..54) => CareDecision,
            ("LOOKED_AFTER", 0..18) => CareLeaver,
            ("LOOKED_AFTER", _) => Permanence,
            _ => Need,
        };
        let percent = self.generator.rng.usize(..100);
        // A helping unit of another service, or one that stands in, of the same.
        let (joint, cover, requested) = match service {
            "ACCESS_ASSESSMENT" => (block + 10, Some(block + (place + 1) % 4), Some((block + 4 + other, "TO_CIN"))),
            "CHILDREN_IN_NEED" => (block + other, Some(block + 4 + (place + 1) % 4), Some((block + 8, "TO_LAC"))),
            "LOOKED_AFTER" => (block + 11, Some(block + 8 + (place + 1) % 2), None),
            "FAMILY_SUPPORT" => (block + 4 + other, None, None),
            _ => (block + 4 + other, None, None),
        };
        let requested = requested.filter(|_| match story {
            Need => service == "ACCESS_ASSESSMENT" && percent >= 80,
            LookedAfter => percent >= 80,
            _ => false,
        });
        Slot {
            single: story == CareLeaver,
            unborn: matches!(story, Assessment | Pending(_)) && percent >= 94,
            disabled: service == "DISABLED_CHILDREN",
            returned: matches!(story, Protection { soon: false }) && place >= 4 && percent >= 85,
            joint: (percent < 10).then_some(joint),
            cover: cover.filter(|_| percent == 10),
            requested,
            anchor: None,
            ..Slot::of(story, Some(unit))
        }
    }
}

impl Iterator for Bulk {
    type Item = Authority;

    /// The next families, with everything that is recorded about them.
    fn next(&mut self) -> Option<Authority> {
        let mut families = 0;
        while self.missing > 0 && families < CHUNK {
            let before = self.generator.out.children.len();
            self.family();
            self.missing = self.missing.saturating_sub(self.generator.out.children.len() - before);
            families += 1;
        }
        (families > 0).then(|| {
            self.generator.contacts();
            self.generator.safeguarding();
            self.generator.care();
            std::mem::take(&mut self.generator.out)
        })
    }
}

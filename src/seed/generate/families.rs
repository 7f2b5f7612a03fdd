//! Which families there are, and what is going on with each.

use uuid::Uuid;

use super::{BLOCK, Generator, calendar::moment};

/// A conference that is still to be held, or is only asked for.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::seed) enum Upcoming {
    Requested,
    Scheduled,
    Invited,
}

/// What is going on with a family.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::seed) enum Story {
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
pub(in crate::seed) enum Past {
    /// First response gave advice; no unit ever held the case.
    Advice,
    /// A child protection plan, among other things.
    Protection,
    Any,
}

/// What the next family of a unit is to be.
#[derive(Clone, Copy)]
pub(in crate::seed) struct Slot {
    pub(in crate::seed) story: Story,
    pub(in crate::seed) unit: Option<usize>,
    pub(in crate::seed) single: bool,
    pub(in crate::seed) unborn: bool,
    pub(in crate::seed) disabled: bool,
    /// The children had a child protection plan before, in an earlier case.
    pub(in crate::seed) returned: bool,
    pub(in crate::seed) joint: Option<usize>,
    pub(in crate::seed) cover: Option<usize>,
    /// The unit that is asked to take the case over, and the kind of transfer.
    pub(in crate::seed) requested: Option<(usize, &'static str)>,
    /// The access and assessment unit whose chair chairs this family's conferences.
    pub(in crate::seed) anchor: Option<usize>,
}

impl Slot {
    pub(in crate::seed) fn of(story: Story, unit: Option<usize>) -> Self {
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

impl Generator {
    pub(super) fn families(&mut self) {
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
    pub(in crate::seed) fn family(&mut self, slot: Slot) -> usize {
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
}

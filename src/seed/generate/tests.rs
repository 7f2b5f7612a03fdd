use chrono::NaiveTime;
use chrono_tz::Europe::London;

use super::{
    calendar::{is_working_day, moment, years_between},
    *,
};

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
            assert!(row.sent_at <= row.answer_asked_at && row.responded_at.is_none_or(|at| at > row.answer_asked_at));
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
            let before = made
                .plans
                .iter()
                .filter(|other| other.child == plan.child && other.kind == plan.kind && other.start_on < plan.start_on);
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
                "LOOKED_AFTER" => open == ["CARE", "PLACEMENT", "HEALTH", "PERMANENCE"],
                "LOOKED_AFTER_LAC" => open.contains(&"CARE") && open.contains(&"PERMANENCE"),
                "CARE_LEAVER" => open == ["PATHWAY"],
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
        assert_eq!((made.areas.len(), made.units.len(), made.posts.len()), (3, 12, 11));
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
            let held =
                made.cases.iter().filter(|case| holding(&made, case).iter().any(|row| row.unit == made.units[unit].id));
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
            requested
                .iter()
                .any(|row| (row.from_unit, row.to_unit, row.kind) == (made.units[from].id, made.units[to].id, "TO_CIN"))
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

//! Who may do what, as a table to review.

use hearth::auth::{
    policy::{Action, permits, table},
    viewer::Relation,
};
use hearth::domain::{Code, codes::Role};

#[test]
fn who_may_do_what_is_the_committed_table() {
    crate::schema::matches_file("tests/snapshots/policy.txt", &table());
}

#[test]
fn every_action_has_somebody_who_may_do_it_and_somebody_who_may_not() {
    for action in Action::ALL {
        let ways = Role::ALL.iter().flat_map(|(role, ..)| Relation::ALL.map(|relation| (*role, relation)));
        let (may, may_not): (Vec<_>, Vec<_>) = ways.partition(|(role, relation)| permits(*role, *relation, action));
        assert!(!may.is_empty() && !may_not.is_empty(), "{action:?}");
    }
}

#[test]
fn nobody_without_qualification_decides() {
    // To write down what was answered, done, said or seen is no decision, nor is to step back oneself.
    let writes_down = [
        Action::AnswerInvitation,
        Action::CompletePlanAction,
        Action::RecordChangeEvidence,
        Action::RecordPlanView,
        Action::DeclareConflict,
    ];
    for action in Action::ALL.into_iter().filter(|action| !writes_down.contains(action)) {
        for relation in Relation::ALL {
            assert!(!permits(Role::Clinician, relation, action), "{action:?}");
            assert!(!permits(Role::ChildrensPractitioner, relation, action), "{action:?}");
        }
    }
}

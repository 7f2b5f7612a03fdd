//! Guards of a case transfer.

use super::codes::{CaseStatus, PermanenceRoute, PlanKind, Service, TransferKind};

/// What is in force for a child who is looked after, as far as a transfer asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Permanence {
    /// The route of the permanence plan.
    pub route: Option<PermanenceRoute>,
    /// Whether there is a plan for adoption that stands: the permanence plan still goes that way, by its route or its parallel
    /// route, and the decision to place the child was not reversed.
    pub adoption: bool,
}

/// A plan in force about where a child is to grow up.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct PlannedHome {
    pub kind: PlanKind,
    pub route: Option<PermanenceRoute>,
    pub parallel_route: Option<PermanenceRoute>,
    /// Of a plan for adoption: whether the decision to place the child was reversed.
    pub reversed: bool,
}

impl Permanence {
    /// From the plans in force of a case.
    pub fn of(plans: &[PlannedHome]) -> Self {
        let permanence = plans.iter().find(|one| one.kind == PlanKind::Permanence);
        let adoption = Some(PermanenceRoute::Adoption);
        let that_way = permanence.is_some_and(|one| one.route == adoption || one.parallel_route == adoption);
        Self {
            route: permanence.and_then(|one| one.route),
            adoption: that_way && plans.iter().any(|one| one.kind == PlanKind::Adoption && !one.reversed),
        }
    }
}

/// Why a transfer of this kind between these services is not possible, as a guard's name and its explanation.
pub fn guard(
    kind: TransferKind,
    (from, to): (Service, Service),
    (status, plans): (CaseStatus, Permanence),
) -> Result<(), (&'static str, &'static str)> {
    if kind == TransferKind::ToLac {
        takes(Service::LookedAfter, (status, plans))?;
    }
    if kind == TransferKind::ToAdoption {
        takes(Service::Adoption, (status, plans))?;
    }
    // A service that has a child already keeps it, whatever becomes of the plan.
    if from != to {
        takes(to, (status, plans))?;
    }
    match (kind, to) {
        (TransferKind::ToLac, Service::LookedAfter) | (TransferKind::ToAdoption, Service::Adoption) => Ok(()),
        (TransferKind::ToLac, _) => {
            Err(("RECEIVING_SERVICE", "TO_LAC needs a receiving unit of the looked-after children service."))
        }
        (TransferKind::ToAdoption, _) => {
            Err(("RECEIVING_SERVICE", "TO_ADOPTION needs a receiving unit of the adoption service."))
        }
        (TransferKind::OtherLa, _) => Err((
            "UNIT_OF_THIS_AUTHORITY",
            "A transfer to another authority cannot name a unit of this one: close the case with reason RC5.",
        )),
        (TransferKind::ToCin, Service::ChildrenInNeed) => Ok(()),
        (TransferKind::ToCin, _) => {
            Err(("RECEIVING_SERVICE", "TO_CIN needs a receiving unit of the children in need service."))
        }
        (TransferKind::WithinService, to) if to == from => Ok(()),
        (TransferKind::WithinService, _) => {
            Err(("RECEIVING_SERVICE", "WITHIN_SERVICE needs a receiving unit of the same service as the holding unit."))
        }
    }
}

/// Why units of this service do not take a child from another service, or from the queue.
pub fn takes(service: Service, (status, plans): (CaseStatus, Permanence)) -> Result<(), (&'static str, &'static str)> {
    let looked_after = matches!(status, CaseStatus::LookedAfter | CaseStatus::LookedAfterLac);
    match service {
        Service::LookedAfter if !(looked_after && plans.route.is_some_and(PermanenceRoute::remains_in_care)) => Err((
            "PERMANENCE_PLAN_AGREED",
            "The looked-after children service takes a child who is looked after and for whom there is an agreed permanent \
             plan to remain in care: agree such a permanence plan first, or choose a unit of another service.",
        )),
        Service::Adoption if !(looked_after && plans.adoption) => Err((
            "ADOPTION_PLAN_AGREED",
            "The adoption service takes a child who is looked after and for whom there is an agreed plan for adoption, \
             not reversed, on the route of the permanence plan: agree it first, or choose a unit of another service.",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Code;
    use super::*;

    fn held(route: Option<PermanenceRoute>, adoption: bool) -> (CaseStatus, Permanence) {
        (CaseStatus::LookedAfter, Permanence { route, adoption })
    }

    #[test]
    fn looked_after_and_adoption_services_take_no_child_without_such_a_plan_whatever_the_transfer_is_called() {
        for (kind, ..) in TransferKind::ALL {
            for to in [Service::LookedAfter, Service::Adoption] {
                let way = (Service::ChildrenInNeed, to);
                let missing = match to {
                    Service::Adoption => "ADOPTION_PLAN_AGREED",
                    _ => "PERMANENCE_PLAN_AGREED",
                };
                let other = match (*kind, to) {
                    // What TO_LAC and TO_ADOPTION ask for themselves comes first.
                    (TransferKind::ToLac, Service::Adoption) => "PERMANENCE_PLAN_AGREED",
                    (TransferKind::ToAdoption, Service::LookedAfter) => "ADOPTION_PLAN_AGREED",
                    _ => missing,
                };
                for route in [None, Some(PermanenceRoute::ReturnHome), Some(PermanenceRoute::KinshipSgo)] {
                    let refused = guard(*kind, way, held(route, false)).unwrap_err();
                    assert_eq!(refused.0, other, "{kind:?} to {to:?} with {route:?}");
                }
                let planned = Permanence { route: Some(PermanenceRoute::LongTermFostering), adoption: true };
                let refused = guard(*kind, way, (CaseStatus::Cin, planned)).unwrap_err();
                assert_eq!(refused.0, other, "{kind:?} to {to:?}, not looked after");
            }
        }
    }

    #[test]
    fn a_plan_for_adoption_stands_while_the_permanence_plan_goes_that_way_and_it_was_not_reversed() {
        use PermanenceRoute::{Adoption, LongTermFostering, ReturnHome};
        let permanence = |route, parallel_route| PlannedHome {
            kind: PlanKind::Permanence,
            route: Some(route),
            parallel_route,
            reversed: false,
        };
        let adoption = |reversed| PlannedHome { kind: PlanKind::Adoption, route: None, parallel_route: None, reversed };
        assert!(Permanence::of(&[permanence(Adoption, None), adoption(false)]).adoption);
        assert!(Permanence::of(&[adoption(false), permanence(ReturnHome, Some(Adoption))]).adoption);
        assert!(!Permanence::of(&[permanence(Adoption, None), adoption(true)]).adoption);
        assert!(!Permanence::of(&[permanence(LongTermFostering, None), adoption(false)]).adoption);
        assert!(!Permanence::of(&[adoption(false)]).adoption);
        assert_eq!(Permanence::of(&[permanence(ReturnHome, Some(Adoption))]).route, Some(ReturnHome));
    }

    #[test]
    fn a_child_who_is_to_remain_in_care_transfers_to_the_looked_after_service() {
        let (from, planned) = (Service::ChildrenInNeed, held(Some(PermanenceRoute::LongTermFostering), false));
        assert!(guard(TransferKind::ToLac, (from, Service::LookedAfter), planned).is_ok());
        assert!(guard(TransferKind::ToLac, (from, Service::ChildrenInNeed), planned).is_err());
        assert!(guard(TransferKind::ToAdoption, (from, Service::Adoption), planned).is_err());
        assert!(guard(TransferKind::ToAdoption, (from, Service::Adoption), held(planned.1.route, true)).is_ok());
    }

    #[test]
    fn within_a_service_means_the_same_service() {
        let (need, none) = (Service::ChildrenInNeed, (CaseStatus::Cin, Permanence::default()));
        assert!(guard(TransferKind::WithinService, (need, need), none).is_ok());
        assert!(guard(TransferKind::WithinService, (need, Service::AccessAssessment), none).is_err());
    }
}

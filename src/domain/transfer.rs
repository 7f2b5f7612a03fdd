//! Guards of a case transfer.

use super::codes::{Service, TransferKind};

/// Why a transfer of this kind between these services is not possible, as a guard's name and its explanation.
pub fn guard(kind: TransferKind, from: Service, to: Service) -> Result<(), (&'static str, &'static str)> {
    match (kind, to) {
        (TransferKind::ToLac, _) | (_, Service::LookedAfter) => Err((
            "PERMANENCE_PLAN_AGREED",
            "A child transfers to the looked-after children service only once there is an agreed permanent plan to \
             remain in care; no such plan is recorded.",
        )),
        (TransferKind::ToAdoption, _) | (_, Service::Adoption) => Err((
            "ADOPTION_PLAN_AGREED",
            "A child transfers to the adoption service only once there is an agreed plan for adoption; no such plan \
             is recorded.",
        )),
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

#[cfg(test)]
mod tests {
    use super::super::Code;
    use super::*;

    #[test]
    fn looked_after_and_adoption_services_are_refused_whatever_the_transfer_is_called() {
        for (kind, ..) in TransferKind::ALL {
            for to in [Service::LookedAfter, Service::Adoption] {
                assert!(guard(*kind, to, to).is_err(), "{kind:?} to {to:?}");
            }
        }
    }

    #[test]
    fn within_a_service_means_the_same_service() {
        assert!(guard(TransferKind::WithinService, Service::ChildrenInNeed, Service::ChildrenInNeed).is_ok());
        assert!(guard(TransferKind::WithinService, Service::ChildrenInNeed, Service::AccessAssessment).is_err());
    }
}

//! What an entry of a chronology says: a sentence from a template, with initials, units and codes. Never free text.

use super::codes::ChronologyKind;

/// What a title is made of, as far as its kind has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts<'a> {
    /// Initials of the child or the family member.
    pub initials: &'a str,
    /// Code of what is particular: how a unit holds the case, the kind of conference or plan.
    pub detail: Option<&'a str>,
    /// Code of what was decided.
    pub decision: Option<&'a str>,
    /// The unit that holds, or that the case was asked for.
    pub unit: Option<&'a str>,
    /// The unit that the case came from.
    pub other_unit: Option<&'a str>,
}

/// The title of an entry.
pub fn title(kind: ChronologyKind, parts: Parts<'_>) -> String {
    use ChronologyKind as Kind;
    let detail = parts.detail.map(lower).unwrap_or_default();
    let unit = parts.unit.unwrap_or("a unit");
    let from = parts.other_unit.unwrap_or("a unit");
    let what = match kind {
        Kind::CaseOpened => "case opened".to_owned(),
        Kind::CaseClosed => "case closed".to_owned(),
        Kind::AllocationStarted => format!("{detail} allocation to {unit} started"),
        Kind::AllocationEnded => format!("{detail} allocation to {unit} ended"),
        Kind::TransferRequested => format!("transfer from {from} to {unit} requested"),
        Kind::TransferCompleted => format!("transfer from {from} to {unit} completed"),
        Kind::TransferRejected => format!("transfer from {from} to {unit} rejected"),
        Kind::TransferWithdrawn => format!("transfer from {from} to {unit} withdrawn"),
        Kind::LeadPractitionerChanged => "new lead practitioner".to_owned(),
        Kind::AssessmentStarted => "assessment started".to_owned(),
        Kind::AssessmentAuthorised => format!("assessment authorised{}", found(parts.decision)),
        Kind::StrategyHeld => format!("strategy discussion held{}", found(parts.decision)),
        Kind::EnquiryStarted => format!("{detail} section 47 enquiry started"),
        Kind::EnquiryConcluded => format!("{detail} section 47 enquiry concluded{}", found(parts.decision)),
        Kind::ConferenceRequested => format!("{detail} conference requested"),
        Kind::ConferenceHeld => match parts.decision {
            Some(decision) => format!("{detail} conference held, decided: {}", lower(decision)),
            None => format!("{detail} conference held"),
        },
        Kind::PlanStarted => format!("{detail} plan started"),
        Kind::PlanEnded => format!("{detail} plan ended"),
        Kind::SupportStarted => "parenting support began".to_owned(),
        Kind::SupportEnded => "parenting support ended".to_owned(),
        Kind::AdoptionStep => format!("plan for adoption: {detail}"),
        Kind::FamilyMemberJoined => "joined the family".to_owned(),
        Kind::FamilyMemberLeft => "left the family".to_owned(),
    };
    format!("{}: {what}", parts.initials)
}

fn found(decision: Option<&str>) -> String {
    decision.map_or_else(String::new, |decision| format!(", {}", lower(decision)))
}

fn lower(code: &str) -> String {
    // The one code that is spoken as letters.
    match code {
        "CIN" => "child in need".to_owned(),
        "CIN_PLAN" => "child in need plan".to_owned(),
        _ => code.to_ascii_lowercase().replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;

    #[test]
    fn a_title_is_a_template_with_initials_units_and_codes() {
        let parts = Parts { initials: "AB", detail: Some("PRIMARY"), unit: Some("Unit 3"), ..Parts::default() };
        assert_eq!(title(ChronologyKind::AllocationStarted, parts), "AB: primary allocation to Unit 3 started");
        let parts = Parts { initials: "AB", detail: Some("INITIAL"), decision: Some("NO_PLAN"), ..Parts::default() };
        assert_eq!(title(ChronologyKind::ConferenceHeld, parts), "AB: initial conference held, decided: no plan");
        let parts = Parts { initials: "AB", detail: Some("CIN"), ..Parts::default() };
        assert_eq!(title(ChronologyKind::PlanEnded, parts), "AB: child in need plan ended");
    }

    #[test]
    fn every_kind_has_a_title_of_its_own() {
        let mut titles: Vec<String> =
            ChronologyKind::ALL.iter().map(|(kind, ..)| title(*kind, Parts::default())).collect();
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), ChronologyKind::ALL.len());
    }
}

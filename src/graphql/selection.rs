//! Which column groups a selection needs.
//!
//! Follows aliases and fragments. A fragment on another type may ask for too much, never for too little.

use async_graphql::{Context, Lookahead};

use crate::db::Columns;

/// Fields of a type that live in a column group.
pub type Groups = &'static [(&'static str, Columns)];

pub const PERSON: Groups = &[
    ("ethnicity", Columns::SENSITIVE),
    ("religion", Columns::SENSITIVE),
    ("firstLanguage", Columns::SENSITIVE),
    ("interpreterNeeded", Columns::SENSITIVE),
    ("communicationNeeds", Columns::CLINICAL),
    ("nhsNo", Columns::CLINICAL),
    ("upn", Columns::SENSITIVE),
    ("disabilities", Columns::CLINICAL),
];
pub const CASE: Groups = &[
    ("referralSummary", Columns::NARRATIVE),
    ("closureRationale", Columns::NARRATIVE),
    ("safeAtHome", Columns::NARRATIVE),
];
pub const ALLOCATION: Groups = &[("summary", Columns::NARRATIVE)];
pub const TRANSFER: Groups = &[("handoverSummary", Columns::NARRATIVE), ("responseReason", Columns::NARRATIVE)];
pub const CONFERENCE_CHILD: Groups = &[("outlinePlan", Columns::NARRATIVE)];
pub const INVITATION: Groups = &[("exclusionReason", Columns::NARRATIVE)];
pub const SITTING: Groups = &[("interimPlan", Columns::NARRATIVE)];
pub const VIEW: Groups = &[("text", Columns::NARRATIVE)];
pub const EVIDENCE: Groups = &[("text", Columns::NARRATIVE)];
pub const CONTACT: Groups = &[
    ("concern", Columns::NARRATIVE),
    ("decisionReason", Columns::NARRATIVE),
    ("callerName", Columns::THIRD_PARTY),
    ("callerContact", Columns::THIRD_PARTY),
];
pub const CONTACT_PERSON: Groups = &[("address", Columns::ADDRESS)];
pub const REFERRAL: Groups = &[("decisionReason", Columns::NARRATIVE)];
pub const ASSESSMENT: Groups = &[
    ("factors", Columns::NARRATIVE),
    ("analysis", Columns::NARRATIVE),
    ("wishesFeelings", Columns::NARRATIVE),
    ("notSeenReason", Columns::NARRATIVE),
    ("returnedReason", Columns::NARRATIVE),
    ("authorisedReason", Columns::NARRATIVE),
];
pub const DISCUSSION: Groups = &[
    ("informationShared", Columns::THIRD_PARTY),
    ("decisionReason", Columns::NARRATIVE),
    ("immediateAction", Columns::NARRATIVE),
    ("absenceReason", Columns::NARRATIVE),
    ("actions", Columns::NARRATIVE),
];
pub const ENQUIRY: Groups = &[
    ("policeReference", Columns::NARRATIVE),
    ("findings", Columns::NARRATIVE),
    ("returnedReason", Columns::NARRATIVE),
];
pub const INFORMATION: Groups = &[
    ("response", Columns::THIRD_PARTY),
    ("questions", Columns::NARRATIVE),
    ("refusalReason", Columns::THIRD_PARTY),
    ("withdrawnReason", Columns::NARRATIVE),
];
pub const ACTION: Groups = &[("ownerWorker", Columns::OWNER)];
pub const PLAN: Groups = &[
    ("overallAim", Columns::NARRATIVE),
    ("parentView", Columns::NARRATIVE),
    ("childView", Columns::NARRATIVE),
    ("sections", Columns::SECTIONS),
];

fn wanted(look: &Lookahead<'_>, groups: Groups) -> Columns {
    groups.iter().fold(Columns::CORE, |columns, (field, group)| columns.with(*group, look.field(field).exists()))
}

/// The groups that this field's own selection needs.
pub fn of(ctx: &Context<'_>, groups: Groups) -> Columns {
    wanted(&ctx.look_ahead(), groups)
}

/// The groups that a field below this one needs.
pub fn below(ctx: &Context<'_>, path: &[&str], groups: Groups) -> Columns {
    let look = path.iter().fold(ctx.look_ahead(), |look, field| look.field(field));
    wanted(&look, groups)
}

/// The groups that a connection's nodes need: the union of `nodes` and `edges.node`.
pub fn of_nodes(ctx: &Context<'_>, groups: Groups) -> Columns {
    groups.iter().fold(Columns::CORE, |columns, (_, group)| {
        let needs = below(ctx, &["nodes"], groups).has(*group) || below(ctx, &["edges", "node"], groups).has(*group);
        columns.with(*group, needs)
    })
}

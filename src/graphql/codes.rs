//! The domain's code sets as GraphQL enums: names, members and descriptions come from the domain.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, Name, OutputType, Positioned, ServerResult,
    Value,
    parser::types::Field,
    registry::{Deprecation, MetaEnumValue, MetaType, MetaTypeId, Registry},
};

use crate::domain::{Code, codes::*};

/// The name of a code in the schema, where no name begins with a digit: `1A` is `_1A`.
fn name(code: &'static str) -> Cow<'static, str> {
    if code.starts_with(|first: char| first.is_ascii_digit()) {
        Cow::Owned(format!("_{code}"))
    } else {
        Cow::Borrowed(code)
    }
}

fn meta<C: Code>() -> MetaType {
    MetaType::Enum {
        name: C::NAME.to_owned(),
        description: Some(C::DESCRIPTION.trim().to_owned()),
        enum_values: C::ALL
            .iter()
            .map(|(_, code, means)| {
                let value = MetaEnumValue {
                    name: name(code).into_owned(),
                    description: Some(means.trim().to_owned()),
                    deprecation: Deprecation::NoDeprecated,
                    visible: None,
                    inaccessible: false,
                    tags: Vec::new(),
                    directive_invocations: Vec::new(),
                };
                (name(code).into_owned(), value)
            })
            .collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: Some(std::any::type_name::<C>()),
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

fn parse<C: Code + InputType>(value: Option<Value>) -> InputValueResult<C> {
    let value = value.unwrap_or_default();
    let code = match &value {
        Value::Enum(name) => name.as_str(),
        Value::String(text) => text.as_str(),
        _ => return Err(InputValueError::expected_type(value)),
    };
    let known = C::ALL.iter().find(|(_, known, _)| name(known) == code).map(|(member, ..)| *member);
    known.ok_or_else(|| InputValueError::custom(format_args!("is no {}", C::NAME)))
}

macro_rules! enums {
    ($($set:ident),+ $(,)?) => {$(
        impl OutputType for $set {
            fn type_name() -> Cow<'static, str> {
                Cow::Borrowed(Self::NAME)
            }
            fn create_type_info(registry: &mut Registry) -> String {
                registry.create_output_type::<Self, _>(MetaTypeId::Enum, |_| meta::<Self>())
            }
            async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                Ok(Value::Enum(Name::new(name(self.code()))))
            }
        }

        impl InputType for $set {
            type RawValueType = Self;
            fn type_name() -> Cow<'static, str> {
                Cow::Borrowed(Self::NAME)
            }
            fn create_type_info(registry: &mut Registry) -> String {
                registry.create_input_type::<Self, _>(MetaTypeId::Enum, |_| meta::<Self>())
            }
            fn parse(value: Option<Value>) -> InputValueResult<Self> {
                parse::<Self>(value)
            }
            fn to_value(&self) -> Value {
                Value::Enum(Name::new(name(self.code())))
            }
            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }
        }
    )+};
}

enums!(
    ContactChannel,
    ReferralSource,
    ConsentStatus,
    ContactStatus,
    ContactUrgency,
    ContactDecision,
    ContactPersonKind,
    MatchDifference,
    NeedKind,
    NeedAnswer,
    NotInformedReason,
    ConsultationState,
    ReferralCategory,
    ReferralDecision,
    UnallocatedReason,
    PlanSection,
    PermanenceRoute,
    PlanStance,
    AdoptionStep,
    ReversalReason,
    SupportStatus,
    AssessmentStatus,
    AssessmentOutcome,
    AssessmentFactor,
    StrategyDecision,
    Agency,
    EnquiryMode,
    EnquiryStatus,
    EnquiryOutcome,
    InformationDuty,
    InformationStatus,
    FieldClass,
    AuditAction,
    Purpose,
    AccessEndReason,
    CountBy,
    RestrictionReason,
    DenialReason,
    BreakGlassReason,
    BreakGlassFinding,
    Service,
    Role,
    AllocationKind,
    Priority,
    Capacity,
    ChangeReason,
    CaseStatus,
    PrimaryNeed,
    ClosureReason,
    TransferKind,
    TransferState,
    ConferenceType,
    ConferenceState,
    ConferenceDecision,
    AbuseCategory,
    InvitationCapacity,
    InvitationResponse,
    PlanKind,
    PlanStatus,
    GoalStatus,
    Sex,
    ParentalResponsibility,
    Severity,
    EventType,
    Attendance,
    Exclusion,
    QuorumException,
    InvitationMethod,
    ReportStep,
    ConferenceRecord,
    SittingOutcome,
    DisputeOutcome,
    Participation,
    EvidenceSource,
    EvidenceStrength,
    EscalationChoice,
    PlanChange,
    ChronologyKind,
    SiblingLink,
    TransferDirection,
);

// Generated from a migrated database; a test compares it. To renew: HEARTH_TEST_BLESS=1 script/test schema

diesel::table! {
    addresses (id) {
        id -> Uuid,
        person_id -> Uuid,
        kind -> Text,
        line -> Text,
        postcode -> Text,
        from_on -> Date,
        to_on -> Nullable<Date>,
        confidential -> Bool,
    }
}

diesel::table! {
    allocations (id) {
        id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        unit_id -> Uuid,
        kind -> Text,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        reason_start -> Text,
        reason_end -> Nullable<Text>,
        transfer_id -> Nullable<Uuid>,
        summary -> Nullable<Text>,
        priority -> Text,
        created_by -> Nullable<Uuid>,
        version -> Integer,
    }
}

diesel::table! {
    areas (id) {
        id -> Uuid,
        name -> Text,
        service_manager_id -> Nullable<Uuid>,
        version -> Integer,
    }
}

diesel::table! {
    case_transfers (id) {
        id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        from_unit_id -> Uuid,
        to_unit_id -> Uuid,
        kind -> Text,
        state -> Text,
        requested_by -> Uuid,
        requested_at -> Timestamptz,
        responded_by -> Nullable<Uuid>,
        responded_at -> Nullable<Timestamptz>,
        effective_on -> Nullable<Date>,
        handover_summary -> Text,
        joint_meeting_on -> Nullable<Date>,
        version -> Integer,
    }
}

diesel::table! {
    cases (id) {
        id -> Uuid,
        case_no -> BigInt,
        child_id -> Uuid,
        opened_on -> Date,
        status -> Text,
        primary_need -> Nullable<Text>,
        referral_nfa -> Bool,
        referral_summary -> Nullable<Text>,
        closed_on -> Nullable<Date>,
        closure_reason -> Nullable<Text>,
        closure_rationale -> Nullable<Text>,
        version -> Integer,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    children (id) {
        id -> Uuid,
        upn -> Nullable<Text>,
        uasc -> Bool,
        disabilities -> Array<Text>,
    }
}

diesel::table! {
    conference_children (id) {
        id -> Uuid,
        conference_id -> Uuid,
        child_id -> Uuid,
        case_id -> Uuid,
        decision -> Nullable<Text>,
        category -> Nullable<Text>,
        outline_plan -> Nullable<Text>,
        next_review_on -> Nullable<Date>,
        plan_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    conference_invitations (id) {
        id -> Uuid,
        conference_id -> Uuid,
        person_id -> Nullable<Uuid>,
        worker_id -> Nullable<Uuid>,
        agency_name -> Nullable<Text>,
        capacity -> Text,
        sent_at -> Nullable<Timestamptz>,
        method -> Nullable<Text>,
        response -> Text,
        responded_at -> Nullable<Timestamptz>,
        answer_asked_at -> Timestamptz,
        version -> Integer,
    }
}

diesel::table! {
    conference_moves (id) {
        id -> Uuid,
        conference_id -> Uuid,
        moved_from -> Timestamptz,
        moved_to -> Timestamptz,
        reason -> Text,
        moved_by -> Uuid,
        moved_at -> Timestamptz,
    }
}

diesel::table! {
    conferences (id) {
        id -> Uuid,
        family_id -> Nullable<Uuid>,
        #[sql_name = "type"]
        type_ -> Text,
        state -> Text,
        requested_by -> Uuid,
        requested_at -> Timestamptz,
        scheduled_for -> Nullable<Timestamptz>,
        venue -> Nullable<Text>,
        online -> Bool,
        chair_id -> Nullable<Uuid>,
        held_at -> Nullable<Timestamptz>,
        quorate -> Nullable<Bool>,
        quorum_reason -> Nullable<Text>,
        minutes_sent_at -> Nullable<Timestamptz>,
        late_reason -> Nullable<Text>,
        version -> Integer,
    }
}

diesel::table! {
    family_groups (id) {
        id -> Uuid,
        name -> Text,
        version -> Integer,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    family_members (id) {
        id -> Uuid,
        family_id -> Uuid,
        person_id -> Uuid,
        from_on -> Date,
        to_on -> Nullable<Date>,
    }
}

diesel::table! {
    idempotency_keys (worker_id, mutation, key) {
        worker_id -> Uuid,
        mutation -> Text,
        key -> Text,
        input_hash -> Bytea,
        outcome -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    outbox (id) {
        id -> BigInt,
        event_id -> Uuid,
        seq -> Nullable<BigInt>,
        #[sql_name = "type"]
        type_ -> Text,
        schema_version -> Integer,
        occurred_at -> Timestamptz,
        recorded_at -> Timestamptz,
        actor_id -> Uuid,
        actor_role -> Text,
        case_id -> Nullable<Uuid>,
        correlation_id -> Uuid,
        causation_id -> Nullable<Uuid>,
        entity_type -> Text,
        entity_id -> Uuid,
        entity_version -> Integer,
        severity -> Text,
        data -> Jsonb,
    }
}

diesel::table! {
    outbox_audience (event_id, holder_id) {
        event_id -> Uuid,
        holder_id -> Uuid,
        kind -> Text,
    }
}

diesel::table! {
    persons (id) {
        id -> Uuid,
        person_no -> BigInt,
        first_name -> Text,
        last_name -> Text,
        preferred_name -> Nullable<Text>,
        date_of_birth -> Nullable<Date>,
        expected_date_of_birth -> Nullable<Date>,
        date_of_birth_estimated -> Bool,
        date_of_death -> Nullable<Date>,
        sex -> Text,
        ethnicity -> Nullable<Text>,
        religion -> Nullable<Text>,
        first_language -> Nullable<Text>,
        interpreter_needed -> Nullable<Bool>,
        communication_needs -> Nullable<Text>,
        nhs_no -> Nullable<Text>,
        sort_name -> Nullable<Text>,
        version -> Integer,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    plan_actions (id) {
        id -> Uuid,
        goal_id -> Uuid,
        plan_id -> Uuid,
        child_id -> Uuid,
        text -> Text,
        owner_worker_id -> Nullable<Uuid>,
        owner_person_id -> Nullable<Uuid>,
        owner_agency -> Nullable<Text>,
        due_on -> Nullable<Date>,
        done_on -> Nullable<Date>,
        outcome -> Nullable<Text>,
    }
}

diesel::table! {
    plan_goals (id) {
        id -> Uuid,
        plan_id -> Uuid,
        child_id -> Uuid,
        position -> Integer,
        what_needs_to_change -> Text,
        why -> Text,
        measure -> Nullable<Text>,
        baseline -> Nullable<Text>,
        target -> Nullable<Text>,
        status -> Text,
    }
}

diesel::table! {
    plans (id) {
        id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        kind -> Text,
        status -> Text,
        start_on -> Nullable<Date>,
        end_on -> Nullable<Date>,
        overall_aim -> Text,
        agreed_change_by -> Nullable<Date>,
        review_due_on -> Nullable<Date>,
        conference_id -> Nullable<Uuid>,
        initial_category -> Nullable<Text>,
        latest_category -> Nullable<Text>,
        number_of_previous_cpps -> Nullable<Integer>,
        parent_view -> Nullable<Text>,
        child_view -> Nullable<Text>,
        version -> Integer,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    relationships (id) {
        id -> Uuid,
        person_id -> Uuid,
        other_id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        parental_responsibility -> Text,
        main_carer -> Bool,
        from_on -> Date,
        to_on -> Nullable<Date>,
    }
}

diesel::table! {
    relay_state (singleton) {
        singleton -> Bool,
        last_seq -> BigInt,
        pruned_seq -> BigInt,
    }
}

diesel::table! {
    sight (subject_id, holder_id, source_id) {
        subject_id -> Uuid,
        holder_id -> Uuid,
        source_id -> Uuid,
        whole -> Bool,
        until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sight_links (child_id, subject_id, source_id) {
        child_id -> Uuid,
        subject_id -> Uuid,
        source_id -> Uuid,
    }
}

diesel::table! {
    unit_memberships (id) {
        id -> Uuid,
        unit_id -> Uuid,
        worker_id -> Uuid,
        role -> Text,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        fte -> Numeric,
        cover -> Bool,
    }
}

diesel::table! {
    units (id) {
        id -> Uuid,
        name -> Text,
        service -> Text,
        area_id -> Uuid,
        contact_point -> Nullable<Text>,
        active_from -> Date,
        active_to -> Nullable<Date>,
        capacity_cases -> Integer,
        version -> Integer,
    }
}

diesel::table! {
    worker_involvements (id) {
        id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        worker_id -> Uuid,
        capacity -> Text,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        change_reason -> Nullable<Text>,
        version -> Integer,
    }
}

diesel::table! {
    worker_posts (id) {
        id -> Uuid,
        worker_id -> Uuid,
        post -> Text,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    workers (id) {
        id -> Uuid,
        staff_no -> Text,
        name -> Text,
        email -> Text,
        sw_england_no -> Nullable<Text>,
        qualified -> Bool,
        active -> Bool,
        fte -> Numeric,
        agency_worker -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::joinable!(addresses -> persons (person_id));
diesel::joinable!(allocations -> case_transfers (transfer_id));
diesel::joinable!(allocations -> units (unit_id));
diesel::joinable!(allocations -> workers (created_by));
diesel::joinable!(areas -> workers (service_manager_id));
diesel::joinable!(cases -> children (child_id));
diesel::joinable!(children -> persons (id));
diesel::joinable!(conference_children -> conferences (conference_id));
diesel::joinable!(conference_children -> plans (plan_id));
diesel::joinable!(conference_invitations -> conferences (conference_id));
diesel::joinable!(conference_invitations -> persons (person_id));
diesel::joinable!(conference_invitations -> workers (worker_id));
diesel::joinable!(conference_moves -> conferences (conference_id));
diesel::joinable!(conference_moves -> workers (moved_by));
diesel::joinable!(conferences -> family_groups (family_id));
diesel::joinable!(family_members -> family_groups (family_id));
diesel::joinable!(family_members -> persons (person_id));
diesel::joinable!(idempotency_keys -> workers (worker_id));
diesel::joinable!(outbox -> cases (case_id));
diesel::joinable!(outbox -> workers (actor_id));
diesel::joinable!(plan_actions -> persons (owner_person_id));
diesel::joinable!(plan_actions -> workers (owner_worker_id));
diesel::joinable!(plans -> conferences (conference_id));
diesel::joinable!(unit_memberships -> units (unit_id));
diesel::joinable!(unit_memberships -> workers (worker_id));
diesel::joinable!(units -> areas (area_id));
diesel::joinable!(worker_involvements -> workers (worker_id));
diesel::joinable!(worker_posts -> workers (worker_id));

diesel::allow_tables_to_appear_in_same_query!(
    addresses,
    allocations,
    areas,
    case_transfers,
    cases,
    children,
    conference_children,
    conference_invitations,
    conference_moves,
    conferences,
    family_groups,
    family_members,
    idempotency_keys,
    outbox,
    outbox_audience,
    persons,
    plan_actions,
    plan_goals,
    plans,
    relationships,
    relay_state,
    sight,
    sight_links,
    unit_memberships,
    units,
    worker_involvements,
    worker_posts,
    workers,
);

// Generated from a migrated database; a test compares it. To renew: HEARTH_TEST_BLESS=1 script/test schema

diesel::table! {
    access_denials (id) {
        id -> Uuid,
        person_id -> Uuid,
        worker_id -> Uuid,
        reason -> Text,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        created_by -> Uuid,
        version -> Integer,
    }
}

diesel::table! {
    access_restrictions (id) {
        id -> Uuid,
        person_id -> Uuid,
        reason -> Text,
        owner_id -> Uuid,
        allowed -> Array<Uuid>,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        created_by -> Uuid,
        version -> Integer,
    }
}

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
    adoption_steps (id) {
        id -> Uuid,
        plan_id -> Uuid,
        child_id -> Uuid,
        step -> Text,
        happened_on -> Date,
        reversal_reason -> Nullable<Text>,
        recorded_by -> Uuid,
        recorded_at -> Timestamptz,
    }
}

diesel::table! {
    agency_participants (id) {
        id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        agency -> Text,
        organisation -> Text,
        name -> Nullable<Text>,
        contact -> Nullable<Text>,
        joined_on -> Date,
        left_on -> Nullable<Date>,
        added_by -> Uuid,
        version -> Integer,
        created_at -> Timestamptz,
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
    assessments (id) {
        id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        status -> Text,
        started_on -> Date,
        review_on -> Nullable<Date>,
        author_id -> Uuid,
        child_seen_on -> Nullable<Date>,
        child_seen_alone -> Nullable<Bool>,
        not_seen_reason -> Nullable<Text>,
        wishes_feelings -> Nullable<Text>,
        analysis -> Nullable<Text>,
        factors -> Array<Text>,
        outcome -> Nullable<Text>,
        written_by -> Uuid,
        submitted_by -> Nullable<Uuid>,
        submitted_at -> Nullable<Timestamptz>,
        returned_reason -> Nullable<Text>,
        authorised_by -> Nullable<Uuid>,
        authorised_at -> Nullable<Timestamptz>,
        authorised_reason -> Nullable<Text>,
        version -> Integer,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> BigInt,
        at -> Timestamptz,
        worker_id -> Nullable<Uuid>,
        action -> Text,
        purpose -> Text,
        operation -> Array<Text>,
        operation_hash -> Nullable<Text>,
        request_id -> Nullable<Uuid>,
        process -> Uuid,
        subjects -> Array<Uuid>,
        records -> Array<Uuid>,
        asked -> Array<Uuid>,
        classes -> Array<Text>,
        codes -> Array<Text>,
        events -> Array<Uuid>,
        recipients -> Array<Uuid>,
    }
}

diesel::table! {
    audit_seals (seq) {
        seq -> BigInt,
        upto -> BigInt,
        entries -> BigInt,
        hash -> Bytea,
        sealed_at -> Timestamptz,
    }
}

diesel::table! {
    break_glass_uses (id) {
        id -> Uuid,
        child_id -> Uuid,
        worker_id -> Uuid,
        reason -> Text,
        explanation -> Text,
        started_at -> Timestamptz,
        ends_at -> Timestamptz,
        alerted -> Array<Uuid>,
        review_due_on -> Date,
        reviewed_by -> Nullable<Uuid>,
        reviewed_at -> Nullable<Timestamptz>,
        finding -> Nullable<Text>,
        review_note -> Nullable<Text>,
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
        response_reason -> Nullable<Text>,
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
        safe_at_home -> Nullable<Text>,
    }
}

diesel::table! {
    change_evidence (id) {
        id -> Uuid,
        goal_id -> Uuid,
        lineage_id -> Uuid,
        plan_id -> Uuid,
        child_id -> Uuid,
        observed_on -> Date,
        source -> Text,
        strength -> Text,
        sustained_since -> Nullable<Date>,
        text -> Text,
        recorded_by -> Uuid,
        recorded_at -> Timestamptz,
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
    conference_attendances (id) {
        id -> Uuid,
        sitting_id -> Uuid,
        conference_id -> Uuid,
        invitation_id -> Uuid,
        person_id -> Nullable<Uuid>,
        attended -> Text,
        recorded_by -> Uuid,
        recorded_at -> Timestamptz,
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
        participation -> Nullable<Text>,
        enquiry_id -> Nullable<Uuid>,
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
        report_requested_at -> Nullable<Timestamptz>,
        report_received_at -> Nullable<Timestamptz>,
        report_shared_at -> Nullable<Timestamptz>,
        exclusion -> Nullable<Text>,
        exclusion_reason -> Nullable<Text>,
        excluded_by -> Nullable<Uuid>,
        excluded_at -> Nullable<Timestamptz>,
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
    conference_sittings (id) {
        id -> Uuid,
        conference_id -> Uuid,
        opened_at -> Timestamptz,
        opened_by -> Uuid,
        ended_at -> Nullable<Timestamptz>,
        outcome -> Nullable<Text>,
        quorate -> Nullable<Bool>,
        quorum_exception -> Nullable<Text>,
        interim_plan -> Nullable<Text>,
    }
}

diesel::table! {
    conference_steps (id) {
        id -> Uuid,
        conference_id -> Uuid,
        step -> Text,
        state_before -> Text,
        state_after -> Text,
        reason -> Nullable<Text>,
        taken_by -> Uuid,
        taken_at -> Timestamptz,
        version -> Integer,
    }
}

diesel::table! {
    conference_views (id) {
        id -> Uuid,
        sitting_id -> Uuid,
        conference_id -> Uuid,
        invitation_id -> Uuid,
        person_id -> Nullable<Uuid>,
        child_id -> Nullable<Uuid>,
        agrees -> Bool,
        text -> Text,
        category -> Nullable<Text>,
        recorded_by -> Uuid,
        recorded_at -> Timestamptz,
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
        outline_plan_sent_at -> Nullable<Timestamptz>,
        withdrawal_proposed_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    consultations (id) {
        id -> Uuid,
        contact_id -> Uuid,
        worker_id -> Uuid,
        scheduled_for -> Timestamptz,
        place -> Nullable<Text>,
        online -> Bool,
        state -> Text,
        note -> Nullable<Text>,
        recorded_by -> Nullable<Uuid>,
        recorded_at -> Nullable<Timestamptz>,
        version -> Integer,
    }
}

diesel::table! {
    contact_people (id) {
        id -> Uuid,
        contact_id -> Uuid,
        position -> Integer,
        kind -> Text,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        date_of_birth -> Nullable<Date>,
        expected_date_of_birth -> Nullable<Date>,
        sex -> Nullable<Text>,
        address -> Nullable<Text>,
        description -> Nullable<Text>,
        child_id -> Nullable<Uuid>,
        matched_by -> Nullable<Uuid>,
        matched_at -> Nullable<Timestamptz>,
        case_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    contacts (id) {
        id -> Uuid,
        contact_no -> BigInt,
        received_at -> Timestamptz,
        channel -> Text,
        source -> Text,
        caller_name -> Nullable<Text>,
        caller_contact -> Nullable<Text>,
        concern -> Text,
        consent -> Text,
        status -> Text,
        urgency -> Nullable<Text>,
        triaged_by -> Nullable<Uuid>,
        triaged_at -> Nullable<Timestamptz>,
        decision -> Nullable<Text>,
        decision_reason -> Nullable<Text>,
        decided_by -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
        referrer_informed_at -> Nullable<Timestamptz>,
        referrer_not_informed -> Nullable<Text>,
        taken_by -> Uuid,
        version -> Integer,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    ended_sessions (session) {
        session -> Text,
        ended_at -> Timestamptz,
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
    feed_reads (worker_id, unit_id) {
        worker_id -> Uuid,
        unit_id -> Uuid,
        seq -> BigInt,
        at -> Timestamptz,
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
    information_chases (id) {
        id -> Uuid,
        request_id -> Uuid,
        child_id -> Uuid,
        method -> Text,
        note -> Nullable<Text>,
        chased_by -> Uuid,
        chased_at -> Timestamptz,
    }
}

diesel::table! {
    information_requests (id) {
        id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        participant_id -> Uuid,
        enquiry_id -> Nullable<Uuid>,
        duty -> Text,
        questions -> Text,
        asked_by -> Uuid,
        asked_at -> Timestamptz,
        due_at -> Timestamptz,
        status -> Text,
        received_at -> Nullable<Timestamptz>,
        response -> Nullable<Text>,
        refused_at -> Nullable<Timestamptz>,
        refusal_reason -> Nullable<Text>,
        refused_by -> Nullable<Uuid>,
        escalated_to -> Nullable<Uuid>,
        withdrawn_reason -> Nullable<Text>,
        recorded_by -> Nullable<Uuid>,
        version -> Integer,
    }
}

diesel::table! {
    name_groups (name, leader) {
        name -> Text,
        leader -> Text,
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
        recorded_at -> Timestamptz,
        seq -> Nullable<BigInt>,
    }
}

diesel::table! {
    outbox_subjects (event_id, child_id) {
        event_id -> Uuid,
        child_id -> Uuid,
        seq -> Nullable<BigInt>,
    }
}

diesel::table! {
    particular_needs (id) {
        id -> Uuid,
        contact_id -> Nullable<Uuid>,
        contact_person_id -> Nullable<Uuid>,
        kind -> Text,
        answer -> Text,
        description -> Nullable<Text>,
        what_we_will_do -> Nullable<Text>,
        recorded_by -> Uuid,
        recorded_at -> Timestamptz,
        assessment_id -> Nullable<Uuid>,
        child_id -> Nullable<Uuid>,
        subject_id -> Uuid,
    }
}

diesel::table! {
    person_locks (person_id) {
        person_id -> Uuid,
        allowed -> Nullable<Array<Uuid>>,
        barred -> Nullable<Array<Uuid>>,
    }
}

diesel::table! {
    person_names (person_id, kind, key) {
        person_id -> Uuid,
        kind -> Text,
        key -> Text,
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
        other_names -> Array<Text>,
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
        version -> Integer,
        dropped_on -> Nullable<Date>,
        root_id -> Nullable<Uuid>,
        lineage_id -> Uuid,
    }
}

diesel::table! {
    plan_escalations (id) {
        id -> Uuid,
        plan_id -> Uuid,
        child_id -> Uuid,
        raised_at -> Timestamptz,
        raised_by -> Nullable<Uuid>,
        reason -> Text,
        choice -> Nullable<Text>,
        choice_reason -> Nullable<Text>,
        new_change_by -> Nullable<Date>,
        chosen_by -> Nullable<Uuid>,
        chosen_at -> Nullable<Timestamptz>,
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
        root_id -> Nullable<Uuid>,
        lineage_id -> Uuid,
        version -> Integer,
    }
}

diesel::table! {
    plan_reviews (id) {
        id -> Uuid,
        plan_id -> Uuid,
        child_id -> Uuid,
        due_on -> Nullable<Date>,
        held_on -> Date,
        chair_id -> Nullable<Uuid>,
        conference_id -> Nullable<Uuid>,
        participation -> Nullable<Text>,
        decisions -> Array<Text>,
        change_of_plan -> Bool,
        next_review_on -> Nullable<Date>,
        recorded_by -> Uuid,
        recorded_at -> Timestamptz,
    }
}

diesel::table! {
    plan_shares (id) {
        id -> Uuid,
        plan_id -> Uuid,
        child_id -> Uuid,
        person_id -> Nullable<Uuid>,
        agency_name -> Nullable<Text>,
        shared_on -> Date,
        method -> Text,
        shared_by -> Uuid,
    }
}

diesel::table! {
    plan_views (id) {
        id -> Uuid,
        plan_id -> Uuid,
        child_id -> Uuid,
        person_id -> Uuid,
        stance -> Text,
        words -> Text,
        said_on -> Date,
        recorded_by -> Uuid,
        recorded_at -> Timestamptz,
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
        revision -> Integer,
        previous_id -> Nullable<Uuid>,
        shared_at -> Nullable<Timestamptz>,
        end_reason -> Nullable<Text>,
        root_id -> Nullable<Uuid>,
        line_id -> Uuid,
        section_codes -> Array<Text>,
        section_texts -> Array<Text>,
        route -> Nullable<Text>,
        parallel_route -> Nullable<Text>,
        needs_assessed_on -> Nullable<Date>,
        extends_period -> Bool,
    }
}

diesel::table! {
    referrals (id) {
        id -> Uuid,
        contact_id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        received_on -> Date,
        source -> Text,
        category -> Text,
        decision -> Nullable<Text>,
        decision_reason -> Nullable<Text>,
        decided_by -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
        target_unit_id -> Nullable<Uuid>,
        re_referral -> Bool,
        previous_unit_id -> Nullable<Uuid>,
        created_by -> Uuid,
        created_at -> Timestamptz,
        version -> Integer,
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
    rights (worker_id, started_at) {
        worker_id -> Uuid,
        started_at -> Timestamptz,
        holders -> Array<Uuid>,
    }
}

diesel::table! {
    section47_enquiries (id) {
        id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        discussion_id -> Uuid,
        started_on -> Date,
        mode -> Text,
        lead_id -> Nullable<Uuid>,
        police_reference -> Nullable<Text>,
        child_seen_on -> Nullable<Date>,
        child_seen_alone -> Nullable<Bool>,
        interviewed -> Bool,
        medical -> Bool,
        status -> Text,
        outcome -> Nullable<Text>,
        findings -> Nullable<Text>,
        decided_by -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
        case_status_before -> Nullable<Text>,
        returned_reason -> Nullable<Text>,
        countersigned_by -> Nullable<Uuid>,
        countersigned_at -> Nullable<Timestamptz>,
        version -> Integer,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    sight (subject_id, holder_id, source_id, through_id) {
        subject_id -> Uuid,
        holder_id -> Uuid,
        source_id -> Uuid,
        whole -> Bool,
        until -> Nullable<Timestamptz>,
        through_id -> Uuid,
        allowed -> Nullable<Array<Uuid>>,
        barred -> Nullable<Array<Uuid>>,
        plans -> Bool,
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
    strategy_discussions (id) {
        id -> Uuid,
        meeting_id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        held_at -> Timestamptz,
        information_shared -> Text,
        decision -> Text,
        decision_reason -> Text,
        immediate_action -> Nullable<Text>,
        actions -> Array<Text>,
        absence_reason -> Nullable<Text>,
        recorded_by -> Uuid,
        recorded_at -> Timestamptz,
    }
}

diesel::table! {
    strategy_participants (id) {
        id -> Uuid,
        discussion_id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        position -> Integer,
        agency -> Text,
        organisation -> Nullable<Text>,
        name -> Text,
        role -> Nullable<Text>,
    }
}

diesel::table! {
    support_goals (request_id, position) {
        request_id -> Uuid,
        child_id -> Uuid,
        goal_id -> Uuid,
        position -> Integer,
    }
}

diesel::table! {
    support_requests (id) {
        id -> Uuid,
        case_id -> Uuid,
        child_id -> Uuid,
        worker_id -> Uuid,
        asked_for -> Text,
        status -> Text,
        requested_by -> Uuid,
        requested_at -> Timestamptz,
        answered_at -> Nullable<Timestamptz>,
        reason -> Nullable<Text>,
        involvement_id -> Nullable<Uuid>,
        ended_at -> Nullable<Timestamptz>,
        ended_by -> Nullable<Uuid>,
        outcome -> Nullable<Text>,
        version -> Integer,
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
        version -> Integer,
        reason_end -> Nullable<Text>,
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
    worker_logins (id) {
        id -> Uuid,
        issuer -> Text,
        subject -> Text,
        worker_id -> Uuid,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
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

diesel::joinable!(access_denials -> persons (person_id));
diesel::joinable!(access_restrictions -> persons (person_id));
diesel::joinable!(addresses -> persons (person_id));
diesel::joinable!(adoption_steps -> workers (recorded_by));
diesel::joinable!(agency_participants -> workers (added_by));
diesel::joinable!(allocations -> case_transfers (transfer_id));
diesel::joinable!(allocations -> units (unit_id));
diesel::joinable!(allocations -> workers (created_by));
diesel::joinable!(areas -> workers (service_manager_id));
diesel::joinable!(break_glass_uses -> children (child_id));
diesel::joinable!(cases -> children (child_id));
diesel::joinable!(change_evidence -> plan_goals (lineage_id));
diesel::joinable!(change_evidence -> workers (recorded_by));
diesel::joinable!(children -> persons (id));
diesel::joinable!(conference_attendances -> persons (person_id));
diesel::joinable!(conference_attendances -> workers (recorded_by));
diesel::joinable!(conference_children -> conferences (conference_id));
diesel::joinable!(conference_children -> plans (plan_id));
diesel::joinable!(conference_invitations -> conferences (conference_id));
diesel::joinable!(conference_invitations -> persons (person_id));
diesel::joinable!(conference_moves -> conferences (conference_id));
diesel::joinable!(conference_moves -> workers (moved_by));
diesel::joinable!(conference_sittings -> conferences (conference_id));
diesel::joinable!(conference_sittings -> workers (opened_by));
diesel::joinable!(conference_steps -> conferences (conference_id));
diesel::joinable!(conference_steps -> workers (taken_by));
diesel::joinable!(conference_views -> children (child_id));
diesel::joinable!(conference_views -> persons (person_id));
diesel::joinable!(conference_views -> workers (recorded_by));
diesel::joinable!(conferences -> family_groups (family_id));
diesel::joinable!(consultations -> contacts (contact_id));
diesel::joinable!(contact_people -> children (child_id));
diesel::joinable!(contact_people -> contacts (contact_id));
diesel::joinable!(contact_people -> workers (matched_by));
diesel::joinable!(family_members -> family_groups (family_id));
diesel::joinable!(family_members -> persons (person_id));
diesel::joinable!(feed_reads -> units (unit_id));
diesel::joinable!(feed_reads -> workers (worker_id));
diesel::joinable!(idempotency_keys -> workers (worker_id));
diesel::joinable!(information_chases -> workers (chased_by));
diesel::joinable!(outbox -> cases (case_id));
diesel::joinable!(outbox -> workers (actor_id));
diesel::joinable!(outbox_subjects -> children (child_id));
diesel::joinable!(particular_needs -> contact_people (contact_person_id));
diesel::joinable!(particular_needs -> contacts (contact_id));
diesel::joinable!(particular_needs -> workers (recorded_by));
diesel::joinable!(person_locks -> persons (person_id));
diesel::joinable!(person_names -> persons (person_id));
diesel::joinable!(plan_actions -> persons (owner_person_id));
diesel::joinable!(plan_actions -> workers (owner_worker_id));
diesel::joinable!(plan_reviews -> conferences (conference_id));
diesel::joinable!(plan_shares -> persons (person_id));
diesel::joinable!(plan_shares -> workers (shared_by));
diesel::joinable!(plan_views -> persons (person_id));
diesel::joinable!(plan_views -> workers (recorded_by));
diesel::joinable!(plans -> conferences (conference_id));
diesel::joinable!(referrals -> contacts (contact_id));
diesel::joinable!(rights -> workers (worker_id));
diesel::joinable!(strategy_discussions -> workers (recorded_by));
diesel::joinable!(support_goals -> plan_goals (goal_id));
diesel::joinable!(support_requests -> worker_involvements (involvement_id));
diesel::joinable!(unit_memberships -> units (unit_id));
diesel::joinable!(unit_memberships -> workers (worker_id));
diesel::joinable!(units -> areas (area_id));
diesel::joinable!(worker_involvements -> workers (worker_id));
diesel::joinable!(worker_logins -> workers (worker_id));
diesel::joinable!(worker_posts -> workers (worker_id));

diesel::allow_tables_to_appear_in_same_query!(
    access_denials,
    access_restrictions,
    addresses,
    adoption_steps,
    agency_participants,
    allocations,
    areas,
    assessments,
    audit_entries,
    audit_seals,
    break_glass_uses,
    case_transfers,
    cases,
    change_evidence,
    children,
    conference_attendances,
    conference_children,
    conference_invitations,
    conference_moves,
    conference_sittings,
    conference_steps,
    conference_views,
    conferences,
    consultations,
    contact_people,
    contacts,
    ended_sessions,
    family_groups,
    family_members,
    feed_reads,
    idempotency_keys,
    information_chases,
    information_requests,
    name_groups,
    outbox,
    outbox_audience,
    outbox_subjects,
    particular_needs,
    person_locks,
    person_names,
    persons,
    plan_actions,
    plan_escalations,
    plan_goals,
    plan_reviews,
    plan_shares,
    plan_views,
    plans,
    referrals,
    relationships,
    relay_state,
    rights,
    section47_enquiries,
    sight,
    sight_links,
    strategy_discussions,
    strategy_participants,
    support_goals,
    support_requests,
    unit_memberships,
    units,
    worker_involvements,
    worker_logins,
    worker_posts,
    workers,
);

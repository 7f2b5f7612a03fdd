select json_build_object('data', json_build_object('unit', (
    select json_build_object('name', u.name, 'allocations', json_build_object('nodes', coalesce(held.nodes, '[]')))
    from units u
    cross join lateral (
        select json_agg(json_build_object(
            'kind', a.kind, 'startedAt', a.started_at,
            'case', json_build_object(
                'id', 'Case:' || k.id, 'caseNo', k.case_no, 'status', k.status, 'version', k.version,
                'child', json_build_object(
                    'displayName', coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name,
                    'dateOfBirth', p.date_of_birth, 'families', coalesce(of_child.families, '[]')),
                'nextConference', next.conference,
                'currentPlans', coalesce(of_case.plans, '[]'))) order by a.started_at desc, a.id) as nodes
        from (
            select id, case_id, kind, started_at from allocations
            where unit_id = u.id and ended_at is null
            order by started_at desc, id limit 25) a
        join cases k on k.id = a.case_id
        join persons p on p.id = k.child_id
        left join lateral (
            select json_agg(json_build_object('name', g.name) order by m.from_on desc, g.id) as families
            from family_members m join family_groups g on g.id = m.family_id
            where m.person_id = k.child_id) of_child on true
        left join lateral (
            select json_build_object('type', c.type, 'scheduledFor', c.scheduled_for) as conference
            from conference_children cc join conferences c on c.id = cc.conference_id
            where cc.case_id = k.id and c.state in ('SCHEDULED', 'INVITED') and c.scheduled_for >= now()
            order by c.scheduled_for, c.id limit 1) next on true
        left join lateral (
            select json_agg(json_build_object(
                'kind', pl.kind, 'reviewDueOn', pl.review_due_on,
                'openActions', coalesce(of_plan.actions, '[]')) order by pl.id) as plans
            from plans pl
            left join lateral (
                select json_agg(json_build_object('text', o.text, 'dueOn', o.due_on)
                                order by o.due_on nulls last, o.id) as actions
                from (
                    select id, text, due_on from plan_actions
                    where plan_id = pl.id and done_on is null
                    order by due_on nulls last, id limit 5) o) of_plan on true
            where pl.case_id = k.id and pl.status in ('ACTIVE', 'ESCALATED')) of_case on true) held
    where u.id = $1)))::text

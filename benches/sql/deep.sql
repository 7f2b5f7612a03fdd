select json_build_object('data', json_build_object('node', (
    select json_build_object('name', g.name, 'children', coalesce((
        select json_agg(json_build_object(
            'displayName', coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name,
            'plans', json_build_object('nodes', coalesce(of_child.plans, '[]'))) order by m.from_on, m.id)
        from family_members m
        join children c on c.id = m.person_id
        join persons p on p.id = c.id
        left join lateral (
            select json_agg(json_build_object(
                'kind', pl.kind, 'status', pl.status,
                'openActions', coalesce(of_plan.actions, '[]')) order by pl.id desc) as plans
            from (
                select id, kind, status from plans where child_id = c.id
                order by id desc limit 5) pl
            left join lateral (
                select json_agg(json_build_object(
                    'text', o.text, 'dueOn', o.due_on,
                    'ownerWorker', case when w.id is not null then json_build_object('name', w.name) end)
                    order by o.due_on nulls last, o.id) as actions
                from (
                    select id, text, due_on, owner_worker_id from plan_actions
                    where plan_id = pl.id and done_on is null
                    order by due_on nulls last, id limit 10) o
                left join workers w on w.id = o.owner_worker_id) of_plan on true) of_child on true
        where m.family_id = g.id), '[]'))
    from family_groups g
    where g.id = $1)))::text

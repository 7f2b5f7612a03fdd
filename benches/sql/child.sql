select json_build_object('data', json_build_object('child', (
    select json_build_object(
        'id', 'Child:' || p.id,
        'displayName', coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name,
        'dateOfBirth', p.date_of_birth, 'sex', p.sex, 'version', p.version)
    from children c join persons p on p.id = c.id
    where c.id = $1)))::text

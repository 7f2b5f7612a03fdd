-- The limit in the lateral join keeps the planner from reading all children for the few hundred of one's own.
with mine as materialized (
    select distinct s.subject_id from sight s
    where s.holder_id = any ($1) and (s.until is null or s.until > now())
)
select json_build_object('data', json_build_object('children', json_build_object(
    'totalCount', coalesce(max(page.total), 0),
    'nodes', coalesce(json_agg(json_build_object(
        'id', 'Child:' || page.id,
        'displayName', coalesce(page.preferred_name, page.first_name) || ' ' || page.last_name,
        'dateOfBirth', page.date_of_birth, 'sex', page.sex) order by page.sort_name, page.id), '[]'))))::text
from (
    select p.*, count(*) over () as total
    from mine cross join lateral (
        select p.id, p.preferred_name, p.first_name, p.last_name, p.date_of_birth, p.sex, p.sort_name
        from children c join persons p on p.id = c.id
        where c.id = mine.subject_id limit 1) p
    order by p.sort_name, p.id limit 50) page

-- A membership names a person and a family: whoever may not see the family does not see that the person belongs to one.
create policy both_ends on family_members as restrictive for select to hearth_app
    using (exists (select from sight s where s.subject_id = family_id and s.whole));

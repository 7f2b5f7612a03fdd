//! People whom a test makes for itself, as an administrator.

use chrono::{DateTime, NaiveDate, Utc};
use tokio_postgres::Client;
use uuid::Uuid;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A grown-up.
pub async fn person(client: &Client, first: &str, last: &str) -> Uuid {
    let id = Uuid::now_v7();
    client
        .execute(
            "insert into persons (id, first_name, last_name, date_of_birth, sex) values ($1, $2, $3, '1990-05-05', 'F')",
            &[&id, &first, &last],
        )
        .await
        .unwrap();
    id
}

/// A child without a case: only the head of service sees it.
pub async fn child(client: &Client, first: &str, last: &str) -> Uuid {
    let id = person(client, first, last).await;
    client.execute("update persons set date_of_birth = '2018-05-05' where id = $1", &[&id]).await.unwrap();
    client.execute("insert into children (id) values ($1)", &[&id]).await.unwrap();
    id
}

/// Opens a case of a child, which nobody holds. Answers the case.
pub async fn open(client: &Client, child: Uuid) -> Uuid {
    let case = Uuid::now_v7();
    client
        .execute(
            "insert into cases (id, child_id, opened_on, status, primary_need) values ($1, $2, '2026-09-01', 'CIN', 'N1')",
            &[&case, &child],
        )
        .await
        .unwrap();
    case
}

/// Opens a case of a child, held by the unit with this number. Answers the case.
pub async fn hold(client: &Client, child: Uuid, unit: u32) -> Uuid {
    let (case, allocation) = (open(client, child).await, Uuid::now_v7());
    client
        .execute(
            "insert into allocations (id, case_id, child_id, unit_id, kind, started_at, reason_start)
             select $1, $2, $3, u.id, 'PRIMARY', '2026-09-02 09:00Z', 'New referral' from units u
             where u.name like '%Unit ' || $4::text",
            &[&allocation, &case, &child, &unit.to_string()],
        )
        .await
        .unwrap();
    case
}

/// A child whose case the unit with this number holds.
pub async fn held_child(client: &Client, unit: u32, first: &str, last: &str) -> Uuid {
    let child = child(client, first, last).await;
    hold(client, child, unit).await;
    child
}

/// A family group of these people: (person, first day, last day).
pub async fn family(client: &Client, members: &[(Uuid, &str, Option<&str>)]) -> Uuid {
    let family = Uuid::now_v7();
    client.execute("insert into family_groups (id, name) values ($1, 'Family')", &[&family]).await.unwrap();
    for (person, from, to) in members {
        client
            .execute(
                "insert into family_members (id, family_id, person_id, from_on, to_on) values ($1, $2, $3, $4, $5)",
                &[&Uuid::now_v7(), &family, person, &day(from), &to.map(day)],
            )
            .await
            .unwrap();
    }
    family
}

/// What one is to the other, and the other way round.
pub async fn related(client: &Client, one: (Uuid, &str), other: (Uuid, &str), to: Option<&str>) {
    for ((person, kind), (relative, _)) in [(one, other), (other, one)] {
        client
            .execute(
                "insert into relationships (id, person_id, other_id, type, from_on, to_on)
                 values ($1, $2, $3, $4, '2020-01-01', $5)",
                &[&Uuid::now_v7(), &person, &relative, &kind, &to.map(day)],
            )
            .await
            .unwrap();
    }
}

/// A worker who holds this post and belongs to no unit.
pub async fn with_post(client: &Client, post: &str) -> Uuid {
    let id = Uuid::now_v7();
    client
        .execute(
            "insert into workers (id, staff_no, name, email, qualified) values ($1, $2, 'Somebody Else', 'x@example.org', true)",
            &[&id, &id.to_string()],
        )
        .await
        .unwrap();
    client
        .execute(
            "insert into worker_posts (id, worker_id, post, started_at) values ($1, $2, $3, '2026-01-01Z')",
            &[&Uuid::now_v7(), &id, &post],
        )
        .await
        .unwrap();
    id
}

/// Gives a worker a part in a case. Answers the involvement.
pub async fn involve(client: &Client, case: Uuid, worker: Uuid, capacity: &str) -> Uuid {
    let id = Uuid::now_v7();
    client
        .execute(
            "insert into worker_involvements (id, case_id, child_id, worker_id, capacity, started_at)
             select $1, id, child_id, $3, $4, '2026-11-01Z' from cases where id = $2",
            &[&id, &case, &worker, &capacity],
        )
        .await
        .unwrap();
    id
}

/// An assessment of this case (as a global id) that somebody else than its author has authorised: the service stays involved.
pub async fn assessed(client: &Client, case: &str) {
    let made = client
        .execute(
            "with open as (
                 update assessments a set status = 'AUTHORISED', analysis = 'x', factors = '{16A}', outcome = 'CIN_PLAN',
                        not_seen_reason = 'x', submitted_by = a.author_id, submitted_at = '2026-11-18 08:00Z', authorised_by = h.id,
                        authorised_at = '2026-11-18 09:00Z', authorised_reason = 'x'
                 from workers h where 'Case:' || a.case_id = $1 and h.staff_no = 'HS-1' and a.status <> 'AUTHORISED'
                 returning a.id)
             insert into assessments (id, case_id, child_id, status, started_on, author_id, written_by, not_seen_reason, analysis, factors,
                                      outcome, submitted_by, submitted_at, authorised_by, authorised_at, authorised_reason)
             select gen_random_uuid(), c.id, c.child_id, 'AUTHORISED', c.opened_on, w.id, w.id, 'x', 'x', '{16A}', 'CIN_PLAN', w.id,
                    '2026-11-18 09:30Z', h.id, '2026-11-18 09:40Z', 'x'
             from cases c, workers w, workers h where 'Case:' || c.id = $1 and w.staff_no = 'U03-SW' and h.staff_no = 'HS-1'
               and (select count(*) from open) >= 0",
            &[&case],
        )
        .await
        .unwrap();
    assert_eq!(made, 1, "no case {case}");
}

/// An enquiry in each of these cases (as global ids) that called then for a conference which nobody has asked for yet.
pub async fn conference_called_for(client: &Client, cases: &[&str], decided_at: DateTime<Utc>) {
    let made = client
        .execute(
            "with discussed as (
                 insert into strategy_discussions (id, meeting_id, case_id, child_id, held_at, information_shared, decision,
                                                   decision_reason, recorded_by, recorded_at)
                 select gen_random_uuid(), gen_random_uuid(), c.id, c.child_id, '2026-11-18 09:30Z', 'x', 'S47_SINGLE', 'x', w.id,
                        '2026-11-18 09:40Z'
                 from cases c, workers w where 'Case:' || c.id = any ($1) and w.staff_no = 'U03-CSW'
                 returning id, case_id, child_id, recorded_by)
             insert into section47_enquiries (id, case_id, child_id, discussion_id, started_on, mode, lead_id, status, outcome,
                                              findings, decided_by, decided_at)
             select gen_random_uuid(), case_id, child_id, id, '2026-11-18', 'SINGLE', recorded_by, 'CONCLUDED',
                    'INITIAL_CONFERENCE', 'x', recorded_by, $2
             from discussed",
            &[&cases, &decided_at],
        )
        .await
        .unwrap();
    assert_eq!(made, cases.len() as u64, "not all of {cases:?}");
}

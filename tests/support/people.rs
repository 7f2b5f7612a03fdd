//! People whom a test makes for itself, as an administrator.

use chrono::NaiveDate;
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

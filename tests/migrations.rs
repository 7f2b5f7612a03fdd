//! What a migration makes of rows that are there when it runs.

use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::{self, Migrating, people};

/// A version of a plan as it was before the versions were one line.
async fn version(client: &Client, case: Uuid, revision: i32, previous: Option<Uuid>, status: &str) -> Uuid {
    let id = Uuid::now_v7();
    client
        .execute(
            "insert into plans (id, case_id, child_id, kind, status, start_on, end_on, revision, previous_id)
             select $1, id, child_id, 'CIN', $2, case when $2 <> 'DRAFT' then date '2026-10-01' end,
                 case when $2 = 'SUPERSEDED' then date '2026-11-01' end, $3, $4 from cases where id = $5",
            &[&id, &status, &revision, &previous, &case],
        )
        .await
        .unwrap();
    id
}

/// A goal of a plan, the same as `root` of the first version.
async fn goal(client: &Client, plan: Uuid, position: i32, root: Option<Uuid>) -> Uuid {
    let id = Uuid::now_v7();
    client
        .execute(
            "insert into plan_goals (id, plan_id, child_id, position, what_needs_to_change, root_id)
             select $1, id, child_id, $2, 'x', $3 from plans where id = $4",
            &[&id, &position, &root, &plan],
        )
        .await
        .unwrap();
    id
}

/// An action of a goal: what is to be done, and by which agency.
async fn action(client: &Client, goal: Uuid, text: &str, agency: &str) -> Uuid {
    let id = Uuid::now_v7();
    client
        .execute(
            "insert into plan_actions (id, goal_id, plan_id, child_id, text, owner_agency, due_on)
             select $1, id, plan_id, child_id, $2, $3, '2026-12-01' from plan_goals where id = $4",
            &[&id, &text, &agency, &goal],
        )
        .await
        .unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_a_revision_copied_is_known_again_and_one_that_nobody_can_tell_is_not() {
    let mut migrating = Migrating::start().await;
    migrating.until("20261130000010_plan_lines").await;
    let client = support::connect("postgres", &migrating.database).await;
    let child = people::child(&client, "Sam", "Line").await;
    let case = people::open(&client, child).await;
    let first = version(&client, case, 1, None, "SUPERSEDED").await;
    let second = version(&client, case, 2, Some(first), "ACTIVE").await;
    let draft = version(&client, case, 3, Some(second), "DRAFT").await;
    let root = goal(&client, first, 1, None).await;
    let other = goal(&client, first, 2, None).await;
    let kept = [
        action(&client, root, "Meets the family.", "School").await,
        action(&client, goal(&client, second, 1, Some(root)).await, "Meets the family.", "School").await,
    ];
    let (goal_two, goal_three) =
        (goal(&client, second, 2, Some(other)).await, goal(&client, draft, 2, Some(other)).await);
    let in_draft = goal(&client, draft, 1, Some(root)).await;
    let copy = action(&client, in_draft, "Meets the family.", "School").await;
    let mut alone = vec![kept[0]];
    // Worded anew, done by somebody else, for another goal, new.
    for (before, now) in [("Visits.", "Visits weekly."), ("Calls.", "Calls."), ("Writes.", "Other goal.")] {
        alone.push(action(&client, goal_two, before, "School").await);
        alone.push(action(&client, goal_three, now, "Health").await);
    }
    alone.push(action(&client, in_draft, "Writes.", "School").await);
    // Two that say the same: which of them was copied?
    for _ in 0..2 {
        alone.push(action(&client, goal_two, "Repairs the boiler.", "Housing").await);
    }
    alone.push(action(&client, goal_three, "Repairs the boiler.", "Housing").await);
    client.execute("update plan_actions set done_on = '2026-11-10' where id = $1", &[&kept[1]]).await.unwrap();
    migrating.finish().await;

    let lineage = async |id: Uuid| -> Uuid {
        client.query_one("select lineage_id from plan_actions where id = $1", &[&id]).await.unwrap().get(0)
    };
    assert_eq!([lineage(kept[1]).await, lineage(copy).await], [kept[0]; 2], "of the first version");
    for id in alone {
        assert_eq!(lineage(id).await, id);
    }
    let lines: Vec<Uuid> = client
        .query("select distinct line_id from plans", &[])
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(lines, [first]);
    // What another version took the place of is given up, and done once.
    let query = "select array_agg(dropped_on is not null order by id) from plan_actions where id = any ($1)";
    let dropped: Vec<bool> = client.query_one(query, &[&vec![kept[0], kept[1], copy]]).await.unwrap().get(0);
    assert_eq!(dropped, [true, false, false]);
}

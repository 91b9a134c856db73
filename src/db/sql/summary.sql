-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: summary_add
INSERT INTO deployment_summary (deployment_id) VALUES (?1);

-- Where the device of an order was counted, '' if nowhere, and where it belongs; no row if nothing has changed.
-- name: summary_differs
SELECT o.deployment_id, o.device_id, coalesce(s.state, '') AS was, @order_state(o) AS state, @order_category(o) AS category,
    iif(EXISTS (SELECT 1 FROM deployment d JOIN collection_member m ON m.collection_id = d.collection_id
        WHERE d.id = o.deployment_id AND m.device_id = o.device_id), 1, 0) AS is_member
FROM orders o LEFT JOIN deployment_device s ON s.deployment_id = o.deployment_id AND s.device_id = o.device_id
WHERE o.id = ?1 AND (s.order_id IS NULL OR s.order_id <> o.id OR s.state <> @order_state(o));

-- name: summary_put
INSERT INTO deployment_device (deployment_id, device_id, order_id, state, category) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (deployment_id, device_id) DO UPDATE SET order_id = ?3, state = ?4, category = ?5;

-- A device goes from one state to another; '' is: it is not there. ?4: it is a member of the deployment's collection.
-- name: summary_move
UPDATE deployment_summary SET
    n_begun = n_begun + iif(?2 = '', 1, 0) - iif(?3 = '', 1, 0),
    n_begun_members = n_begun_members + ?4 * (iif(?2 = '', 1, 0) - iif(?3 = '', 1, 0)),
    n_in_progress = n_in_progress - iif(?2 = 'in-progress', 1, 0) + iif(?3 = 'in-progress', 1, 0),
    n_restarting = n_restarting - iif(?2 = 'restarting', 1, 0) + iif(?3 = 'restarting', 1, 0),
    n_paused = n_paused - iif(?2 = 'paused', 1, 0) + iif(?3 = 'paused', 1, 0),
    n_succeeded = n_succeeded - iif(?2 = 'succeeded', 1, 0) + iif(?3 = 'succeeded', 1, 0),
    n_failed = n_failed - iif(?2 = 'failed', 1, 0) + iif(?3 = 'failed', 1, 0),
    n_cancelled = n_cancelled - iif(?2 = 'cancelled', 1, 0) + iif(?3 = 'cancelled', 1, 0),
    n_requirements_not_met = n_requirements_not_met - iif(?2 = 'requirements-not-met', 1, 0) + iif(?3 = 'requirements-not-met', 1, 0)
WHERE deployment_id = ?1;

-- A device comes into a collection or leaves it, ?3: 1 or -1; deployments to it that it has begun.
-- name: summary_member_moved
UPDATE deployment_summary SET n_begun_members = n_begun_members + ?3 WHERE deployment_id IN (
    SELECT s.deployment_id FROM deployment_device s JOIN deployment d ON d.id = s.deployment_id
    WHERE s.device_id = ?2 AND d.collection_id = ?1);

-- name: summary_of_device
SELECT s.deployment_id, s.state, iif(EXISTS (SELECT 1 FROM deployment d JOIN collection_member m ON m.collection_id = d.collection_id
    WHERE d.id = s.deployment_id AND m.device_id = s.device_id), 1, 0) AS is_member
FROM deployment_device s WHERE s.device_id = ?1;

-- What is counted wrong: none, ever. Looks at everything.
-- name: summary_wrong
SELECT 'The deployment', d.id FROM deployment d LEFT JOIN deployment_summary u ON u.deployment_id = d.id
WHERE u.deployment_id IS NULL
    OR u.n_begun <> (SELECT count(DISTINCT o.device_id) FROM orders o WHERE o.deployment_id = d.id)
    OR u.n_begun_members <> (SELECT count(DISTINCT o.device_id) FROM orders o JOIN collection_member m ON m.device_id = o.device_id
        WHERE o.deployment_id = d.id AND m.collection_id = d.collection_id)
    OR u.n_in_progress <> (SELECT count(*) FROM orders o WHERE o.deployment_id = d.id AND @is_latest(o) AND @order_state(o) = 'in-progress')
    OR u.n_restarting <> (SELECT count(*) FROM orders o WHERE o.deployment_id = d.id AND @is_latest(o) AND @order_state(o) = 'restarting')
    OR u.n_paused <> (SELECT count(*) FROM orders o WHERE o.deployment_id = d.id AND @is_latest(o) AND @order_state(o) = 'paused')
    OR u.n_succeeded <> (SELECT count(*) FROM orders o WHERE o.deployment_id = d.id AND @is_latest(o) AND @order_state(o) = 'succeeded')
    OR u.n_failed <> (SELECT count(*) FROM orders o WHERE o.deployment_id = d.id AND @is_latest(o) AND @order_state(o) = 'failed')
    OR u.n_cancelled <> (SELECT count(*) FROM orders o WHERE o.deployment_id = d.id AND @is_latest(o) AND @order_state(o) = 'cancelled')
    OR u.n_requirements_not_met <> (SELECT count(*) FROM orders o
        WHERE o.deployment_id = d.id AND @is_latest(o) AND @order_state(o) = 'requirements-not-met')
UNION ALL SELECT 'The collection', c.id FROM collection c
WHERE c.n_members <> (SELECT count(*) FROM collection_member m WHERE m.collection_id = c.id)
    OR c.n_computers <> (SELECT count(*) FROM collection_member m JOIN device v ON v.id = m.device_id
        WHERE m.collection_id = c.id AND v.kind = 'computer')
UNION ALL SELECT 'The order', o.id FROM orders o LEFT JOIN deployment_device s
    ON s.deployment_id = o.deployment_id AND s.device_id = o.device_id
WHERE @is_latest(o) AND (s.order_id IS NULL OR s.order_id <> o.id OR s.state <> @order_state(o) OR s.category <> @order_category(o));

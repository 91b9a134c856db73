-- SPDX-License-Identifier: GPL-3.0-or-later

-- What deployments come to, counted as it happens (docs/monitoring.md).

-- As many members as are computers.
ALTER TABLE collection ADD COLUMN n_computers INTEGER NOT NULL DEFAULT 0;
UPDATE collection SET n_computers = (SELECT count(*) FROM collection_member m JOIN device v ON v.id = m.device_id
    WHERE m.collection_id = collection.id AND v.kind = 'computer');

-- what the program of the step that ended last returned
ALTER TABLE orders ADD COLUMN exit_code INTEGER;

-- A device that has begun the deployment, and its latest order.
CREATE TABLE deployment_device (
    deployment_id TEXT NOT NULL REFERENCES deployment (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    order_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('in-progress', 'restarting', 'paused', 'succeeded', 'failed', 'cancelled', 'requirements-not-met')),
    category TEXT NOT NULL CHECK (category IN ('success', 'in-progress', 'error', 'requirements-not-met')),
    PRIMARY KEY (deployment_id, device_id)
) STRICT;
CREATE INDEX deployment_device_by_category ON deployment_device (deployment_id, category, device_id);
CREATE INDEX deployment_device_by_device ON deployment_device (device_id);
INSERT INTO deployment_device (deployment_id, device_id, order_id, state, category)
SELECT o.deployment_id, o.device_id, o.id,
    CASE WHEN o.is_cancelled <> 0 THEN 'cancelled' WHEN o.state = 'failed' AND o.error_id IN ('SLW-0441', 'SLW-0458') THEN 'requirements-not-met'
        WHEN o.state <> 'in-progress' THEN o.state WHEN o.is_paused <> 0 THEN 'paused' WHEN o.is_restarting <> 0 THEN 'restarting' ELSE o.state END,
    CASE WHEN o.state = 'in-progress' THEN 'in-progress' WHEN o.state = 'succeeded' THEN 'success' WHEN o.is_cancelled <> 0 THEN 'error'
        WHEN o.error_id IN ('SLW-0441', 'SLW-0458') THEN 'requirements-not-met' ELSE 'error' END
FROM orders o WHERE NOT EXISTS (SELECT 1 FROM orders x WHERE x.deployment_id = o.deployment_id AND x.device_id = o.device_id
    AND (x.created_us > o.created_us OR (x.created_us = o.created_us AND x.id > o.id)));

-- As many rows as deployment_device has of each state; n_begun_members: as many as are of members of the collection.
CREATE TABLE deployment_summary (
    deployment_id TEXT NOT NULL PRIMARY KEY REFERENCES deployment (id) ON DELETE CASCADE,
    n_begun INTEGER NOT NULL DEFAULT 0,
    n_begun_members INTEGER NOT NULL DEFAULT 0,
    n_in_progress INTEGER NOT NULL DEFAULT 0,
    n_restarting INTEGER NOT NULL DEFAULT 0,
    n_paused INTEGER NOT NULL DEFAULT 0,
    n_succeeded INTEGER NOT NULL DEFAULT 0,
    n_failed INTEGER NOT NULL DEFAULT 0,
    n_cancelled INTEGER NOT NULL DEFAULT 0,
    n_requirements_not_met INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO deployment_summary (deployment_id, n_begun, n_begun_members, n_in_progress, n_restarting, n_paused, n_succeeded, n_failed,
    n_cancelled, n_requirements_not_met)
SELECT d.id, (SELECT count(*) FROM deployment_device s WHERE s.deployment_id = d.id),
    (SELECT count(*) FROM deployment_device s JOIN collection_member m ON m.device_id = s.device_id
        WHERE s.deployment_id = d.id AND m.collection_id = d.collection_id),
    (SELECT count(*) FROM deployment_device s WHERE s.deployment_id = d.id AND s.state = 'in-progress'),
    (SELECT count(*) FROM deployment_device s WHERE s.deployment_id = d.id AND s.state = 'restarting'),
    (SELECT count(*) FROM deployment_device s WHERE s.deployment_id = d.id AND s.state = 'paused'),
    (SELECT count(*) FROM deployment_device s WHERE s.deployment_id = d.id AND s.state = 'succeeded'),
    (SELECT count(*) FROM deployment_device s WHERE s.deployment_id = d.id AND s.state = 'failed'),
    (SELECT count(*) FROM deployment_device s WHERE s.deployment_id = d.id AND s.state = 'cancelled'),
    (SELECT count(*) FROM deployment_device s WHERE s.deployment_id = d.id AND s.state = 'requirements-not-met')
FROM deployment d;

-- SPDX-License-Identifier: GPL-3.0-or-later

-- What a status message is by number, and a record of each step that ran (docs/monitoring.md).

ALTER TABLE status_message ADD COLUMN message_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE status_message ADD COLUMN severity TEXT NOT NULL DEFAULT 'info' CHECK (severity IN ('info', 'warning', 'error'));
ALTER TABLE status_message ADD COLUMN step_group TEXT NOT NULL DEFAULT '';
UPDATE status_message SET
    message_id = CASE state WHEN 'started' THEN 11140 WHEN 'restarting' THEN 11142 WHEN 'succeeded' THEN 11143 WHEN 'failed' THEN 11141
        WHEN 'cancelled' THEN 11141 WHEN 'step-succeeded' THEN 11134 WHEN 'step-failed' THEN 11135 WHEN 'step-skipped' THEN 11130
        WHEN 'step-started' THEN 60001 WHEN 'step-progress' THEN 60002 WHEN 'paused' THEN 60003 WHEN 'resumed' THEN 60004 ELSE 0 END,
    severity = CASE state WHEN 'failed' THEN 'error' WHEN 'step-failed' THEN 'error' WHEN 'cancelled' THEN 'warning' ELSE 'info' END;

-- number: from 1, in the order in which they began. output: the end of what its program wrote.
CREATE TABLE order_step (
    order_id TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    step INTEGER NOT NULL,
    step_name TEXT NOT NULL,
    step_type TEXT NOT NULL,
    step_group TEXT NOT NULL,
    environment TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'restarting', 'interrupted', 'succeeded', 'failed', 'skipped')),
    exit_code INTEGER,
    error_id TEXT,
    message TEXT NOT NULL DEFAULT '',
    output TEXT NOT NULL DEFAULT '',
    started_us INTEGER NOT NULL,
    ended_us INTEGER,
    PRIMARY KEY (order_id, number)
) STRICT;
CREATE INDEX order_step_by_start ON order_step (started_us);
-- What had ended before; the rest of each record comes with the next message.
INSERT INTO order_step (order_id, number, step, step_name, step_type, step_group, environment, state, exit_code, error_id, message, started_us, ended_us)
SELECT m.order_id, m.seq, m.step, m.step_name, m.step_type, '', m.environment, substr(m.state, 6), m.exit_code, m.error_id, m.message,
    coalesce((SELECT max(b.received_us) FROM status_message b
        WHERE b.order_id = m.order_id AND b.state = 'step-started' AND b.step = m.step AND b.seq < m.seq), m.received_us), m.received_us
FROM status_message m WHERE m.state IN ('step-succeeded', 'step-failed', 'step-skipped') AND m.step IS NOT NULL;

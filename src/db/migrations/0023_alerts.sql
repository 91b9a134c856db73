-- SPDX-License-Identifier: GPL-3.0-or-later

-- Alerts: what somebody should look at (docs/monitoring.md).

-- Less than so many per cent have succeeded so long after the deployment was made; 0: no alert
ALTER TABLE deployment ADD COLUMN alert_success_percent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deployment ADD COLUMN alert_after_s INTEGER NOT NULL DEFAULT 86400;

CREATE INDEX orders_lost ON orders (deployment_id) WHERE error_id IN ('SLW-0205', 'SLW-0209');
CREATE INDEX distribution_of_failed ON distribution (dp_id) WHERE state = 'failed';

-- is_over: what it was raised for is so no more; until then it is not raised again. changed_by: '' is the site itself.
CREATE TABLE alert (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('deployment-success', 'deployment-failed', 'lost-contact', 'distribution-point-silent', 'content-failed')),
    object TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('warning', 'error')),
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'acknowledged', 'closed')),
    is_over INTEGER NOT NULL DEFAULT 0,
    text TEXT NOT NULL,
    raised_us INTEGER NOT NULL,
    changed_us INTEGER NOT NULL,
    changed_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX alert_going ON alert (kind, object) WHERE is_over = 0;

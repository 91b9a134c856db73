-- SPDX-License-Identifier: GPL-3.0-or-later

-- Phased deployments (docs/phased-deployments.md): a task sequence for one collection after the other.
INSERT INTO counter (name, next) VALUES ('phased-deployment', 196609);

-- deleted_us: it is shown no more, and begins nothing; the deployments that it has made stay
CREATE TABLE phased_deployment (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    task_sequence_id TEXT NOT NULL REFERENCES task_sequence (id) ON DELETE CASCADE,
    is_suspended INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL,
    deleted_us INTEGER
) STRICT;
CREATE UNIQUE INDEX phased_deployment_by_name ON phased_deployment (name) WHERE deleted_us IS NULL;

-- One phase; number: from 1. terms: JSON, of the deployment that it makes. begin_after_percent, begin_after_devices: what of the phase before
-- must have succeeded, 0 of devices: the per cent counts. n_confirmed: to so many devices somebody has said yes. reached_us: since when enough
-- of the phase before has succeeded. tried_us: when the site last tried to begin it. deployment_id: NULL until it has begun.
CREATE TABLE phase (
    phased_deployment_id TEXT NOT NULL REFERENCES phased_deployment (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    collection_id TEXT NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    terms TEXT NOT NULL,
    begins TEXT NOT NULL CHECK (begins IN ('automatically', 'by-hand')),
    begin_after_percent INTEGER NOT NULL,
    begin_after_devices INTEGER NOT NULL,
    defer_days INTEGER NOT NULL,
    n_confirmed INTEGER,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'deferred', 'by-hand', 'stalled', 'blocked', 'begun')),
    reason TEXT NOT NULL DEFAULT '',
    reached_us INTEGER,
    tried_us INTEGER NOT NULL DEFAULT 0,
    begun_us INTEGER,
    deployment_id TEXT REFERENCES deployment (id) ON DELETE SET NULL,
    PRIMARY KEY (phased_deployment_id, number)
) STRICT;
CREATE UNIQUE INDEX phase_by_deployment ON phase (deployment_id);
CREATE INDEX phase_by_collection ON phase (collection_id);
CREATE INDEX phase_not_begun ON phase (phased_deployment_id, number) WHERE state <> 'begun';

-- A further kind of alert.
-- only sqlite
CREATE TABLE number_copy AS SELECT name, seq FROM sqlite_sequence WHERE name IN ('alert', 'alert_message');
CREATE TABLE alert_copy AS SELECT * FROM alert;
CREATE TABLE alert_message_copy AS SELECT * FROM alert_message;
DROP TABLE alert_message;
DROP TABLE alert;
CREATE TABLE alert (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('deployment-success', 'deployment-failed', 'lost-contact', 'distribution-point-silent', 'content-failed', 'phased-deployment')),
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
INSERT INTO alert (id, kind, object, severity, state, is_over, text, raised_us, changed_us, changed_by)
    SELECT id, kind, object, severity, state, is_over, text, raised_us, changed_us, changed_by FROM alert_copy;
CREATE TABLE alert_message (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    alert_id INTEGER NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    event TEXT NOT NULL CHECK (event IN ('raised', 'over')),
    channel TEXT NOT NULL CHECK (channel IN ('webhook', 'mail')),
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'given-up')),
    n_tries INTEGER NOT NULL DEFAULT 0,
    next_us INTEGER NOT NULL,
    why TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX alert_message_of_alert ON alert_message (alert_id);
CREATE INDEX alert_message_waiting ON alert_message (next_us) WHERE state = 'waiting';
INSERT INTO alert_message (id, alert_id, event, channel, state, n_tries, next_us, why)
    SELECT id, alert_id, event, channel, state, n_tries, next_us, why FROM alert_message_copy;
DELETE FROM sqlite_sequence WHERE name IN ('alert', 'alert_message');
INSERT INTO sqlite_sequence (name, seq) SELECT name, seq FROM number_copy;
DROP TABLE number_copy;
DROP TABLE alert_message_copy;
DROP TABLE alert_copy;
-- only postgresql
ALTER TABLE alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE alert ADD CONSTRAINT alert_kind_check CHECK (kind IN ('deployment-success', 'deployment-failed', 'lost-contact',
    'distribution-point-silent', 'content-failed', 'phased-deployment'));
-- both

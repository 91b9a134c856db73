-- SPDX-License-Identifier: GPL-3.0-or-later

-- A backup does not know what computers ran after it: since the site was restored then, devices do not begin the deployment; NULL: they may.
ALTER TABLE deployment ADD COLUMN held_us INTEGER;

-- That there was a restore, until the site has written it into the audit log.
CREATE TABLE restore_note (restored_us INTEGER NOT NULL PRIMARY KEY, n_held INTEGER NOT NULL) STRICT;

-- A further kind of alert.
-- only sqlite
CREATE TABLE number_copy AS SELECT name, seq FROM sqlite_sequence WHERE name IN ('alert', 'alert_message');
CREATE TABLE alert_copy AS SELECT * FROM alert;
CREATE TABLE alert_message_copy AS SELECT * FROM alert_message;
DROP TABLE alert_message;
DROP TABLE alert;
CREATE TABLE alert (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('deployment-success', 'deployment-failed', 'lost-contact', 'distribution-point-silent', 'content-failed', 'phased-deployment', 'deployment-held')),
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
    'distribution-point-silent', 'content-failed', 'phased-deployment', 'deployment-held'));
-- both

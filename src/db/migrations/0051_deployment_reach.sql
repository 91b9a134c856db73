-- SPDX-License-Identifier: GPL-3.0-or-later

-- Whether a required deployment wipes disks, NULL: nobody has looked since its task sequence was changed; and on how many devices it may
-- begin, NULL: on any number. What there is was confirmed, or was usual, for those that it has.
ALTER TABLE deployment ADD COLUMN is_high_risk INTEGER;
ALTER TABLE deployment ADD COLUMN confirmed_n INTEGER;
UPDATE deployment SET is_high_risk = 0 WHERE purpose <> 'required';
UPDATE deployment SET confirmed_n = (SELECT c.n_computers FROM collection c WHERE c.id = deployment.collection_id) WHERE purpose = 'required';
CREATE INDEX deployment_not_looked_at ON deployment (id) WHERE is_high_risk IS NULL;

-- Since when a device is a member; 0: longer than is known.
ALTER TABLE collection_member ADD COLUMN since_us INTEGER NOT NULL DEFAULT 0;

-- A further kind of alert.
-- only sqlite
CREATE TABLE number_copy AS SELECT name, seq FROM sqlite_sequence WHERE name IN ('alert', 'alert_message');
CREATE TABLE alert_copy AS SELECT * FROM alert;
CREATE TABLE alert_message_copy AS SELECT * FROM alert_message;
DROP TABLE alert_message;
DROP TABLE alert;
CREATE TABLE alert (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('deployment-success', 'deployment-failed', 'lost-contact', 'distribution-point-silent', 'content-failed', 'phased-deployment', 'deployment-held', 'deployment-not-confirmed')),
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
    'distribution-point-silent', 'content-failed', 'phased-deployment', 'deployment-held', 'deployment-not-confirmed'));
-- both

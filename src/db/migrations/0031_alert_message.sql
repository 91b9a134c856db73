-- SPDX-License-Identifier: GPL-3.0-or-later

-- What goes out about alerts, by web addresses and mail, until it was taken (docs/monitoring.md).
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

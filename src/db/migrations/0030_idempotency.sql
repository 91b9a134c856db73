-- SPDX-License-Identifier: GPL-3.0-or-later

-- What was answered to requests that have a name, so that they can be sent again. The name itself is not here: an answer that
-- has a secret in it can be read only by who knows the name.
CREATE TABLE idempotency (
    administrator_id TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    made_us INTEGER NOT NULL,
    PRIMARY KEY (administrator_id, key_hash)
) STRICT;
CREATE INDEX idempotency_by_time ON idempotency (made_us);

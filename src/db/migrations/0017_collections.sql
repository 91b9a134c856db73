-- SPDX-License-Identifier: GPL-3.0-or-later

-- Collections have rules; collection_member holds what follows from them, for the built-in ones too.

-- n_members: as many rows as collection_member has of it. evaluating_after: all devices up to this one have been evaluated
-- by its rules; NULL: no full evaluation is under way. evaluated_us: when the last one ended.
ALTER TABLE collection ADD COLUMN limiting_id TEXT REFERENCES collection (id);
ALTER TABLE collection ADD COLUMN n_members INTEGER NOT NULL DEFAULT 0;
ALTER TABLE collection ADD COLUMN evaluating_after TEXT;
ALTER TABLE collection ADD COLUMN evaluated_us INTEGER NOT NULL DEFAULT 0;
CREATE INDEX collection_by_limiting ON collection (limiting_id);
CREATE INDEX collection_evaluating ON collection (evaluating_after) WHERE evaluating_after IS NOT NULL;

CREATE TABLE collection_direct (
    collection_id TEXT NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    PRIMARY KEY (collection_id, device_id)
) STRICT;
CREATE INDEX collection_direct_by_device ON collection_direct (device_id);

CREATE TABLE collection_query (
    collection_id TEXT NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    filter TEXT NOT NULL,
    PRIMARY KEY (collection_id, name)
) STRICT;

CREATE TABLE collection_link (
    collection_id TEXT NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    other_id TEXT NOT NULL REFERENCES collection (id),
    is_exclude INTEGER NOT NULL,
    PRIMARY KEY (collection_id, other_id)
) STRICT;
CREATE INDEX collection_link_by_other ON collection_link (other_id);

-- Changed whenever rules do, so that what was made of them is not used any more.
CREATE TABLE collection_stamp (
    number INTEGER NOT NULL PRIMARY KEY,
    stamp TEXT NOT NULL
) STRICT;
INSERT INTO collection_stamp (number, stamp) VALUES (1, '');

-- What filters and rules ask for. kind: 'unknown-computer' are the records that stand for computers the site does not know yet.
ALTER TABLE device ADD COLUMN kind TEXT NOT NULL DEFAULT 'computer' CHECK (kind IN ('computer', 'unknown-computer'));
ALTER TABLE device ADD COLUMN is_blocked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN tpm TEXT;
ALTER TABLE device ADD COLUMN cpu TEXT;
ALTER TABLE device ADD COLUMN n_cpus INTEGER;
ALTER TABLE device ADD COLUMN memory_bytes INTEGER;
ALTER TABLE device ADD COLUMN n_disks INTEGER;
ALTER TABLE device ADD COLUMN disk_bytes INTEGER;
ALTER TABLE device ADD COLUMN agent_version TEXT;
CREATE INDEX device_by_seen ON device (seen_us, id);

CREATE TABLE device_part (
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('disk-model', 'nic-driver')),
    value TEXT NOT NULL,
    PRIMARY KEY (device_id, kind, value)
) STRICT;

INSERT INTO device (id, name, arch, is_unknown, is_imported, kind, created_us) VALUES
    ('unknown-x64', 'x64 Unknown Computer', 'x64', 1, 0, 'unknown-computer', 0),
    ('unknown-x86', 'x86 Unknown Computer', 'x86', 1, 0, 'unknown-computer', 0),
    ('unknown-arm64', 'arm64 Unknown Computer', 'arm64', 1, 0, 'unknown-computer', 0);

-- What was a member by an administrator's hand is so by a direct rule; whether the limiting collection lets it is found out
-- by a full evaluation.
INSERT INTO collection_direct (collection_id, device_id) SELECT collection_id, device_id FROM collection_member;
INSERT INTO collection_member (collection_id, device_id)
SELECT CASE is_unknown WHEN 0 THEN 'SLP10001' ELSE 'SLP10002' END, id FROM device;
UPDATE collection SET limiting_id = 'SLP10001', evaluating_after = '' WHERE rule = 'direct';
UPDATE collection SET n_members = (SELECT count(*) FROM collection_member m WHERE m.collection_id = collection.id);

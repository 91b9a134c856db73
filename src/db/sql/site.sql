-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: counter_take
UPDATE counter SET next = next + 1 WHERE name = ?1 AND next < ?2 RETURNING next - 1;

-- name: audit_add
INSERT INTO audit (time_us, who, action, object, detail) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: audit_list
SELECT id, time_us AS "time:time", who, action, object, detail FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: schema_version
SELECT max(number) FROM schema_migration;

-- name: role_seen
UPDATE role SET seen_us = ?2 WHERE name = ?1 AND coalesce(seen_us, 0) + 10000000 <= ?2;

-- name: role_list
SELECT name, seen_us AS "last_seen_at" FROM role ORDER BY name;

-- What the administrator may see.
-- name: site_counts
SELECT
    (SELECT count(*) FROM device v WHERE v.kind = 'computer' AND @may_device('device', 'read', v)) AS devices,
    (SELECT count(*) FROM collection c WHERE @may_collection('collection', 'read', c.id)) AS collections,
    (SELECT count(*) FROM package p WHERE p.kind = 'os-image' AND @may('os-image', 'read', p.id)) AS os_images,
    (SELECT count(*) FROM package p WHERE p.kind = 'boot-image' AND @may('boot-image', 'read', p.id)) AS boot_images,
    (SELECT count(*) FROM package p WHERE p.kind = 'os-upgrade-package' AND @may('os-upgrade-package', 'read', p.id)) AS os_upgrade_packages,
    (SELECT count(*) FROM package p WHERE p.kind = 'driver-package' AND @may('driver-package', 'read', p.id)) AS driver_packages,
    (SELECT count(*) FROM package p WHERE p.kind = 'package' AND @may('package', 'read', p.id)) AS packages,
    (SELECT count(*) FROM task_sequence t WHERE t.deleted_us IS NULL AND @may('task-sequence', 'read', t.id)) AS task_sequences,
    (SELECT count(*) FROM deployment d WHERE d.deleted_us IS NULL AND @may_collection('deployment', 'read', d.collection_id)) AS deployments;

-- name: migration_newest
SELECT coalesce(max(number), 0) FROM schema_migration;

-- name: migration_sum
SELECT sha256 FROM schema_migration WHERE number = ?1;

-- name: migration_record
INSERT INTO schema_migration (number, name, sha256, applied_at) VALUES (?1, ?2, ?3, datetime('now'))
ON CONFLICT (number) DO UPDATE SET sha256 = excluded.sha256, applied_at = excluded.applied_at;

-- name: migration_record (postgresql)
INSERT INTO schema_migration (number, name, sha256, applied_at)
VALUES (?1, ?2, ?3, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
ON CONFLICT (number) DO UPDATE SET sha256 = excluded.sha256, applied_at = excluded.applied_at;

-- How long it still has it.
-- name: lease_left
SELECT until_s - unixepoch() FROM lease WHERE name = ?1 AND holder = ?2 AND until_s > unixepoch();

-- By who has it, or when nobody has.
-- name: lease_take
INSERT INTO lease (name, holder, until_s) VALUES (?1, ?2, unixepoch() + ?3)
ON CONFLICT (name) DO UPDATE SET holder = ?2, until_s = unixepoch() + ?3
WHERE lease.holder = ?2 OR lease.until_s <= unixepoch();

-- name: lease_drop
DELETE FROM lease WHERE name = ?1 AND holder = ?2;

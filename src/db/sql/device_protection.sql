-- SPDX-License-Identifier: GPL-3.0-or-later

-- Which devices no required deployment begins on; ?1 of those that ask: adapters heard of before then do not count any more.

-- name: server_mac_seen
INSERT INTO distribution_point_mac (dp_id, mac, seen_us) VALUES (?1, ?2, ?3)
ON CONFLICT (dp_id, mac) DO UPDATE SET seen_us = excluded.seen_us
WHERE distribution_point_mac.seen_us + 3600000000 <= excluded.seen_us;

-- name: server_macs_forget
DELETE FROM distribution_point_mac WHERE seen_us <= ?1;

-- name: device_protect
UPDATE device SET is_protected = ?2 WHERE id = ?1;

-- name: device_protected
SELECT v.is_protected, EXISTS (SELECT 1 FROM device_mac a JOIN distribution_point_mac h ON h.mac = a.mac
    WHERE a.device_id = v.id AND h.seen_us > ?1)
FROM device v WHERE v.id = ?2;

-- name: server_mac_find
SELECT 1 FROM distribution_point_mac WHERE mac = ?2 AND seen_us > ?1 LIMIT 1;

-- name: device_protected_members
SELECT v.name FROM collection_member m JOIN device v ON v.id = m.device_id
WHERE m.collection_id = ?2 AND (v.is_protected <> 0 OR EXISTS (SELECT 1 FROM device_mac a
    JOIN distribution_point_mac h ON h.mac = a.mac WHERE a.device_id = v.id AND h.seen_us > ?1))
ORDER BY v.name LIMIT 6;

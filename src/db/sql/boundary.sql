-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: boundary_add
INSERT INTO boundary (id, name, kind, value, low, high, created_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: boundary_find
SELECT id FROM boundary WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC LIMIT 1;

-- name: boundary_drop
DELETE FROM boundary WHERE id = ?1;

-- name: boundary_list
SELECT b.id, b.name, b.kind, b.value,
    (SELECT json_group_array(g.name) FROM boundary_group_boundary x JOIN boundary_group g ON g.id = x.group_id
        WHERE x.boundary_id = b.id) AS "groups:json", b.created_us AS "created_at"
FROM boundary b WHERE b.id > ?1 ORDER BY b.id LIMIT ?2;

-- name: boundary_get
SELECT b.id, b.name, b.kind, b.value,
    (SELECT json_group_array(g.name) FROM boundary_group_boundary x JOIN boundary_group g ON g.id = x.group_id
        WHERE x.boundary_id = b.id) AS "groups:json", b.created_us AS "created_at"
FROM boundary b WHERE b.id = ?1;

-- name: boundary_group_add
INSERT INTO boundary_group (id, name, comment, created_us) VALUES (?1, ?2, ?3, ?4);

-- name: boundary_group_find
SELECT b.id, b.is_default FROM boundary_group b WHERE (b.id = ?1 OR b.name = ?1) AND @may('boundary-group', 'read', b.id)
ORDER BY b.id = ?1 DESC LIMIT 1;

-- name: boundary_group_list
SELECT g.id, g.name, g.comment, g.is_default,
    (SELECT count(*) FROM boundary_group_boundary x WHERE x.group_id = g.id) AS n_boundaries,
    (SELECT count(*) FROM boundary_group_dp x WHERE x.group_id = g.id) AS n_distribution_points,
    g.created_us AS "created_at"
FROM boundary_group g WHERE g.id > ?1 AND @may('boundary-group', 'read', g.id)
ORDER BY g.id LIMIT ?2;

-- name: boundary_group_get
SELECT g.id, g.name, g.comment, g.is_default,
    (SELECT count(*) FROM boundary_group_boundary x WHERE x.group_id = g.id) AS n_boundaries,
    (SELECT count(*) FROM boundary_group_dp x WHERE x.group_id = g.id) AS n_distribution_points,
    g.created_us AS "created_at"
FROM boundary_group g WHERE g.id = ?1;

-- name: boundary_group_set
UPDATE boundary_group SET name = coalesce(?2, name), comment = coalesce(?3, comment) WHERE id = ?1;

-- name: boundary_group_drop
DELETE FROM boundary_group WHERE id = ?1 AND is_default = 0;

-- name: boundary_group_boundaries
SELECT b.id, b.name, b.kind, b.value FROM boundary_group_boundary x JOIN boundary b ON b.id = x.boundary_id
WHERE x.group_id = ?1 ORDER BY b.id;

-- name: boundary_group_dps
SELECT d.id, d.name, d.url FROM boundary_group_dp x JOIN distribution_point d ON d.id = x.dp_id WHERE x.group_id = ?1 ORDER BY d.id;

-- name: boundary_group_neighbours
SELECT g.id, g.name, x.fallback_minutes FROM boundary_group_neighbour x JOIN boundary_group g ON g.id = x.neighbour_id
WHERE x.group_id = ?1 ORDER BY x.fallback_minutes IS NULL, x.fallback_minutes, g.id;

-- name: boundary_group_boundary_add
INSERT INTO boundary_group_boundary (group_id, boundary_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: boundary_group_boundary_drop
DELETE FROM boundary_group_boundary WHERE group_id = ?1 AND boundary_id = ?2;

-- name: boundary_group_dp_add
INSERT INTO boundary_group_dp (group_id, dp_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: boundary_group_dp_drop
DELETE FROM boundary_group_dp WHERE group_id = ?1 AND dp_id = ?2;

-- name: boundary_group_neighbour_put
INSERT INTO boundary_group_neighbour (group_id, neighbour_id, fallback_minutes) VALUES (?1, ?2, ?3)
ON CONFLICT (group_id, neighbour_id) DO UPDATE SET fallback_minutes = excluded.fallback_minutes;

-- name: boundary_group_neighbour_drop
DELETE FROM boundary_group_neighbour WHERE group_id = ?1 AND neighbour_id = ?2;

-- The groups of an address; ?1: 32 hex digits.
-- name: boundary_groups_of
SELECT DISTINCT g.id, g.name FROM boundary b JOIN boundary_group_boundary x ON x.boundary_id = b.id
JOIN boundary_group g ON g.id = x.group_id
WHERE b.low <= ?1 AND ?1 <= b.high AND g.is_default = 0 AND @may('boundary-group', 'read', g.id) ORDER BY g.id;

-- Every distribution point that an address may use, the best first. Tier 0: of its own groups, 1: of neighbours, by the
-- time of fallback, 2: of the default group. One that is in several places counts where it comes first. Nobody waits.
-- name: boundary_sources
WITH current (id) AS (
    SELECT DISTINCT x.group_id FROM boundary b JOIN boundary_group_boundary x ON x.boundary_id = b.id
        JOIN boundary_group g ON g.id = x.group_id
    WHERE b.low <= ?1 AND ?1 <= b.high AND g.is_default = 0),
reach (group_id, tier, minutes) AS (
    SELECT id, 0, 0 FROM current
    UNION ALL
    SELECT x.neighbour_id, 1, min(x.fallback_minutes) FROM boundary_group_neighbour x
        JOIN boundary_group g ON g.id = x.neighbour_id AND g.is_default = 0
    WHERE x.group_id IN (SELECT id FROM current) AND x.neighbour_id NOT IN (SELECT id FROM current)
        AND x.fallback_minutes IS NOT NULL
    GROUP BY x.neighbour_id
    UNION ALL
    SELECT g.id, 2, 0 FROM boundary_group g WHERE g.is_default <> 0 AND NOT EXISTS (SELECT 1 FROM current)
    UNION ALL
    SELECT g.id, 2, min(iif(x.group_id IS NULL, 120, x.fallback_minutes)) FROM boundary_group g CROSS JOIN current c
        LEFT JOIN boundary_group_neighbour x ON x.group_id = c.id AND x.neighbour_id = g.id
    WHERE g.is_default <> 0 GROUP BY g.id HAVING count(iif(x.group_id IS NULL, 120, x.fallback_minutes)) > 0)
SELECT d.id, d.name, d.url, d.is_own, d.is_disabled, d.is_own <> 0 OR coalesce(d.seen_us, 0) >= ?2 AS is_online,
    r.tier, r.minutes, g.id, g.name, CASE WHEN @may('distribution-point', 'read', d.id) THEN 1 ELSE 0 END AS is_dp_seen,
    CASE WHEN @may('boundary-group', 'read', g.id) THEN 1 ELSE 0 END AS is_group_seen
FROM reach r JOIN boundary_group g ON g.id = r.group_id JOIN boundary_group_dp x ON x.group_id = r.group_id
JOIN distribution_point d ON d.id = x.dp_id
ORDER BY r.tier, r.minutes, d.is_own, d.id, g.id;

-- name: boundary_dp_has
SELECT 1 FROM distribution_version v LEFT JOIN distribution d ON d.dp_id = v.dp_id AND d.package_id = v.package_id
WHERE v.dp_id = ?1 AND v.package_id = ?2 AND v.version = ?3 AND coalesce(d.work, '') <> 'remove';

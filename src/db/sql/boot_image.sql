-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: boot_default_heard
UPDATE default_boot_image SET flavour = ?2, kernel_version = ?3, agent_version = ?4, heard_us = ?5
WHERE arch = ?1 AND (heard_us = 0 OR flavour <> ?2 OR kernel_version <> ?3 OR agent_version <> ?4);

-- Whether it is to be made: it is not there, nobody deleted it, and it was not tried with the same since ?2.
-- name: boot_default_due
SELECT 1 FROM default_boot_image d
WHERE d.arch = ?1 AND d.is_deleted = 0 AND d.kernel_version <> ''
    AND (d.tried_us <= ?2 OR d.tried_for <> d.kernel_version || ' ' || d.agent_version)
    AND NOT EXISTS (SELECT 1 FROM package p WHERE p.kind = 'boot-image' AND p.arch = d.arch AND p.is_custom = 0);

-- name: boot_default_tried
UPDATE default_boot_image SET package_id = ?2, tried_us = ?3, tried_for = kernel_version || ' ' || agent_version
WHERE arch = ?1;

-- It was made when there was only a kernel for virtual machines.
-- name: boot_default_widen
UPDATE package SET flavour = 'generic' WHERE flavour = 'virtual' AND is_custom = 0
    AND id = (SELECT d.package_id FROM default_boot_image d WHERE d.arch = ?1);

-- name: boot_default_inputs
SELECT heard_us, kernel_version FROM default_boot_image WHERE arch = ?1;

-- name: boot_default_deleted
UPDATE default_boot_image SET is_deleted = 1 WHERE arch = ?1
    AND NOT EXISTS (SELECT 1 FROM package p WHERE p.kind = 'boot-image' AND p.arch = ?1 AND p.is_custom = 0);

-- Of each architecture the newest one that is not custom, or why there is none.
-- name: boot_default_list
SELECT d.arch, CASE WHEN @may('boot-image', 'read', p.id) THEN p.id END AS package_id,
    CASE WHEN p.id IS NOT NULL THEN p.state WHEN d.is_deleted <> 0 THEN 'deleted' WHEN d.heard_us = 0 THEN 'unknown'
        WHEN d.kernel_version = '' THEN 'missing' WHEN d.tried_us > 0 THEN 'failed' ELSE 'unknown' END AS state,
    CASE WHEN p.id IS NULL AND d.tried_us > 0 THEN coalesce((SELECT j.error_id || ': ' || j.error FROM job j
        WHERE json_extract(j.args, '$.package_id') = d.package_id AND j.kind = 'build-boot-image' AND j.state = 'failed'
        ORDER BY j.created_us DESC LIMIT 1), '') ELSE '' END AS text
FROM default_boot_image d
LEFT JOIN package p ON p.id = (SELECT max(x.id) FROM package x WHERE x.kind = 'boot-image' AND x.arch = d.arch AND x.is_custom = 0)
ORDER BY d.arch;

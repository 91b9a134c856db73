-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: boot_rule_get
SELECT is_password_asked, coalesce(password_hash, ''), menu_s, choice_s FROM boot_rule WHERE id = ?1;

-- name: boot_rule_show
SELECT id, is_password_asked, iif(password_hash IS NULL, 0, 1) AS "is_password_set", menu_s, choice_s, changed_us AS "changed_at"
FROM boot_rule WHERE id = ?1;

-- name: boot_rule_list
SELECT id, is_password_asked, iif(password_hash IS NULL, 0, 1) AS "is_password_set", menu_s, choice_s, changed_us AS "changed_at"
FROM boot_rule WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: boot_rule_set
INSERT INTO boot_rule (id, is_password_asked, menu_s, choice_s, changed_us) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (id) DO UPDATE SET is_password_asked = excluded.is_password_asked, menu_s = excluded.menu_s,
    choice_s = excluded.choice_s, changed_us = excluded.changed_us;

-- name: boot_rule_set_password
INSERT INTO boot_rule (id, password_hash, changed_us) VALUES (?1, ?2, ?3)
ON CONFLICT (id) DO UPDATE SET password_hash = excluded.password_hash, changed_us = excluded.changed_us;

-- name: boot_rule_drop
DELETE FROM boot_rule WHERE id = ?1;

-- name: boot_rule_owner
SELECT 1 FROM distribution_point WHERE id = ?1;

-- name: boot_gate_add
INSERT INTO boot_gate (device_id, dp_id, boot_image_id, is_password_needed, created_us) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: boot_gate_get
SELECT dp_id, boot_image_id, is_password_needed, n_wrong, deployment_id, variables_of FROM boot_gate WHERE device_id = ?1;

-- name: boot_gate_drop
DELETE FROM boot_gate WHERE device_id = ?1;

-- name: boot_gate_tried
UPDATE boot_gate SET n_wrong = n_wrong + 1 WHERE device_id = ?1;

-- name: boot_gate_pass
UPDATE boot_gate SET is_password_needed = 0, n_wrong = 0 WHERE device_id = ?1;

-- ?3: that whose variables are not to be asked for, '' for none.
-- name: boot_gate_choose
UPDATE boot_gate SET deployment_id = ?2, variables_of = ?3 WHERE device_id = ?1;

-- name: boot_gate_has_asked
UPDATE boot_gate SET variables_of = ?2 WHERE device_id = ?1;

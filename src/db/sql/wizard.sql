-- SPDX-License-Identifier: GPL-3.0-or-later

-- name: wizard_variable_add
INSERT INTO wizard_variable (device_id, deployment_id, name, value, is_secret) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: wizard_variable_drop
DELETE FROM wizard_variable WHERE device_id = ?1;

-- name: wizard_variable_drop_of_order
DELETE FROM wizard_variable WHERE device_id = (SELECT device_id FROM orders WHERE id = ?1);

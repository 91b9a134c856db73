-- SPDX-License-Identifier: GPL-3.0-or-later

-- What devices would begin, or go on with, by themselves. ?1: now
-- name: restore_hold
UPDATE deployment SET held_us = ?1 WHERE deleted_us IS NULL AND (purpose = 'required'
    OR EXISTS (SELECT 1 FROM orders o WHERE o.deployment_id = deployment.id AND o.state = 'in-progress'));

-- name: restore_suspend
UPDATE phased_deployment SET is_suspended = 1 WHERE deleted_us IS NULL;

-- name: restore_n_held
SELECT count(*) FROM deployment d WHERE @is_held(d);

-- name: restore_note_add
INSERT INTO restore_note (restored_us, n_held) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: restore_note_get
SELECT restored_us, n_held FROM restore_note ORDER BY restored_us LIMIT 1;

-- name: restore_note_drop
DELETE FROM restore_note WHERE restored_us = ?1;

-- SPDX-License-Identifier: GPL-3.0-or-later

-- The key of the device ?2 that the token ?1 is of.
-- name: client_key_of_token
SELECT k.public_key, k.is_client FROM device_key k WHERE k.device_id = ?2 AND k.public_key = (
    SELECT t.public_key FROM device_token t WHERE t.hash = ?1);

-- name: client_key_keep
UPDATE device_key SET is_client = 1, expires_us = ?2 WHERE public_key = ?1;

-- Those of systems that were there before.
-- name: client_key_replace
DELETE FROM device_key WHERE device_id = ?1 AND is_client <> 0 AND public_key <> ?2;

-- name: client_key_latest
SELECT max(expires_us) FROM device_key WHERE device_id = ?1 AND is_client <> 0 AND expires_us > ?2;

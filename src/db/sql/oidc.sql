-- SPDX-License-Identifier: GPL-3.0-or-later

-- Sign-ins that have begun. ?8: when they end.
-- name: oidc_login_add
INSERT INTO oidc_login (state_hash, secret_hash, flow, redirect_uri, address, interval_s, next_us, expires_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: oidc_login_find
SELECT flow, redirect_uri, interval_s, next_us FROM oidc_login WHERE state_hash = ?1 AND secret_hash = ?2 AND expires_us > ?3;

-- name: oidc_login_take
DELETE FROM oidc_login WHERE state_hash = ?1 AND secret_hash = ?2 AND expires_us > ?3;

-- name: oidc_login_wait
UPDATE oidc_login SET interval_s = ?2, next_us = ?3 WHERE state_hash = ?1;

-- How many are open from an address.
-- name: oidc_login_count
SELECT count(*) FROM oidc_login WHERE address = ?1 AND expires_us > ?2;

-- The oldest make way, if ?1 others are kept.
-- name: oidc_login_make_room
DELETE FROM oidc_login WHERE state_hash IN (SELECT o.state_hash FROM oidc_login o ORDER BY o.expires_us DESC, o.state_hash LIMIT 100 OFFSET ?1);

-- name: oidc_login_expire
DELETE FROM oidc_login WHERE expires_us <= ?1;

-- Whom the provider calls ?1.
-- name: oidc_user
SELECT id, is_disabled, coalesce(account_id, '') FROM administrator WHERE kind = 'oidc-user' AND external_name = ?1;

-- Whether a group of this name is granted something.
-- name: oidc_group_may
SELECT 1 FROM administrator a JOIN administrator_grant g ON g.administrator_id = a.id
WHERE a.kind = 'oidc-group' AND a.external_name = ?1 AND a.is_disabled = 0 LIMIT 1;

-- name: oidc_member_add
INSERT INTO administrator_member (administrator_id, group_id) SELECT ?1, a.id FROM administrator a
WHERE a.kind = 'oidc-group' AND a.external_name = ?2 ON CONFLICT DO NOTHING;

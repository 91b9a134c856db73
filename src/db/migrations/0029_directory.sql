-- SPDX-License-Identifier: GPL-3.0-or-later

-- Administrators whose passwords and groups somebody else has: docs/security-roles.md

-- 'local', 'directory-user' or 'directory-group'
ALTER TABLE administrator ADD COLUMN kind TEXT NOT NULL DEFAULT 'local';
-- a group's distinguished name
ALTER TABLE administrator ADD COLUMN external_name TEXT;
-- which account of the directory it is, whatever that is called; put down at the first sign-in
ALTER TABLE administrator ADD COLUMN account_id TEXT;
-- when the directory last said that he may sign in
ALTER TABLE administrator ADD COLUMN checked_us INTEGER;
CREATE UNIQUE INDEX administrator_by_external_name ON administrator (kind, external_name);

-- The groups that somebody was in when the directory was last asked.
CREATE TABLE administrator_member (
    administrator_id TEXT NOT NULL REFERENCES administrator (id) ON DELETE CASCADE,
    group_id TEXT NOT NULL REFERENCES administrator (id) ON DELETE CASCADE,
    PRIMARY KEY (administrator_id, group_id)
) STRICT;
CREATE INDEX administrator_member_by_group ON administrator_member (group_id);

-- SPDX-License-Identifier: GPL-3.0-or-later

-- Who may what: administrators, what they sign in with, security roles, security scopes.

INSERT INTO counter (name, next) VALUES ('administrator', 2), ('security-role', 1), ('security-scope', 1);

CREATE TABLE administrator (
    id TEXT NOT NULL PRIMARY KEY,
    -- in lower case
    name TEXT NOT NULL UNIQUE,
    comment TEXT NOT NULL DEFAULT '',
    -- Argon2id, as libsodium writes it; NULL: no password is good
    password TEXT,
    is_disabled INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL,
    seen_us INTEGER
) STRICT;
-- Whoever has the first one-time token.
INSERT INTO administrator (id, name, comment, created_us) VALUES
    ('AD00001', 'administrator', 'Made with the site', 0);

-- kind: 'one-time', 'api', or 'session' of a browser
CREATE TABLE access_token (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    administrator_id TEXT NOT NULL REFERENCES administrator (id) ON DELETE CASCADE,
    name TEXT NOT NULL DEFAULT '',
    -- what it is good for, of what its administrator may: words like 'device.read', separated by blanks; '*': all
    permissions TEXT NOT NULL DEFAULT '*',
    -- of the second half of a session's secret, which a browser cannot be made to send
    csrf_hash TEXT,
    created_us INTEGER NOT NULL,
    used_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX access_token_by_administrator ON access_token (administrator_id);
CREATE INDEX access_token_by_expiry ON access_token (expires_us);
INSERT INTO access_token (id, hash, kind, administrator_id, name, created_us, used_us, expires_us)
    SELECT id, hash, kind, 'AD00001', name, created_us, created_us, expires_us FROM admin_token;
DROP TABLE admin_token;

-- Failed attempts to sign in: 'name:…' of an account, whether there is one or not, 'address:…' of a client.
CREATE TABLE login_failure (
    subject TEXT NOT NULL PRIMARY KEY,
    n_failures INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL
) STRICT;
CREATE INDEX login_failure_by_time ON login_failure (last_us);

CREATE TABLE security_role (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    comment TEXT NOT NULL DEFAULT '',
    is_builtin INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL
) STRICT;

-- '*' as class or verb stands for all of them.
CREATE TABLE security_role_permission (
    role_id TEXT NOT NULL REFERENCES security_role (id) ON DELETE CASCADE,
    class TEXT NOT NULL,
    verb TEXT NOT NULL,
    PRIMARY KEY (role_id, class, verb)
) STRICT;

CREATE TABLE security_scope (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    comment TEXT NOT NULL DEFAULT '',
    is_builtin INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL
) STRICT;
INSERT INTO security_scope (id, name, comment, is_builtin, created_us) VALUES
    ('SLP00ALL', 'All', 'Everything; no object is assigned to it', 1, 0),
    ('SLP00UNA', 'Default', 'Every object that is in no other scope', 1, 0);

-- An object without a row is in the scope Default.
CREATE TABLE security_scope_object (
    object_id TEXT NOT NULL,
    scope_id TEXT NOT NULL REFERENCES security_scope (id) ON DELETE CASCADE,
    PRIMARY KEY (object_id, scope_id)
) STRICT;
CREATE INDEX security_scope_object_by_scope ON security_scope_object (scope_id, object_id);

-- A role for what is in a scope or a collection. target_id: id of either
CREATE TABLE administrator_grant (
    administrator_id TEXT NOT NULL REFERENCES administrator (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES security_role (id),
    target_id TEXT NOT NULL,
    PRIMARY KEY (administrator_id, role_id, target_id)
) STRICT;
CREATE INDEX administrator_grant_by_target ON administrator_grant (target_id);
CREATE INDEX administrator_grant_by_role ON administrator_grant (role_id);

-- The others are put there by the program, and this one's permissions too.
INSERT INTO security_role (id, name, is_builtin, created_us) VALUES ('SLP0001R', 'Full Administrator', 1, 0);
INSERT INTO administrator_grant (administrator_id, role_id, target_id) VALUES ('AD00001', 'SLP0001R', 'SLP00ALL');

-- SPDX-License-Identifier: GPL-3.0-or-later

-- Sign-ins at an OpenID provider that have begun: docs/security-roles.md. What has to stay secret is with who signs in; here
-- are SHA-256 of it.

CREATE TABLE oidc_login (
    state_hash TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL,
    -- 'code' or 'device'
    flow TEXT NOT NULL,
    -- of 'code'
    redirect_uri TEXT NOT NULL,
    address TEXT NOT NULL,
    -- of 'device': how often may be asked, and when the next time
    interval_s INTEGER NOT NULL,
    next_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX oidc_login_by_expiry ON oidc_login (expires_us);
CREATE INDEX oidc_login_by_address ON oidc_login (address);

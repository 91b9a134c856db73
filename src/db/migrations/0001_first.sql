-- SPDX-License-Identifier: GPL-3.0-or-later
-- Times are microseconds since 1970 UTC. Forward only: this file is never changed after a release.

CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT;
INSERT INTO counter (name, next) VALUES ('object', 1), ('collection', 65539), ('deployment', 131073);

CREATE TABLE device (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    smbios_uuid TEXT,
    serial TEXT NOT NULL DEFAULT '',
    manufacturer TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    asset_tag TEXT NOT NULL DEFAULT '',
    firmware TEXT NOT NULL DEFAULT '',
    arch TEXT NOT NULL DEFAULT '',
    secure_boot INTEGER,
    inventory TEXT,
    -- it came as an unknown computer and no deployment has succeeded on it yet
    is_unknown INTEGER NOT NULL,
    is_imported INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    seen_us INTEGER
) STRICT;
CREATE INDEX device_by_smbios_uuid ON device (smbios_uuid);

CREATE TABLE device_mac (
    mac TEXT NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX device_mac_by_device ON device_mac (device_id);

CREATE TABLE collection (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    comment TEXT NOT NULL DEFAULT '',
    -- 'all-systems' and 'all-unknown' have their members by rule, not by row
    rule TEXT NOT NULL CHECK (rule IN ('direct', 'all-systems', 'all-unknown')),
    created_us INTEGER NOT NULL
) STRICT;
INSERT INTO collection (id, name, comment, rule, created_us) VALUES
    ('SLP10001', 'All Systems', 'Every known device', 'all-systems', unixepoch() * 1000000),
    ('SLP10002', 'All Unknown Computers', 'Computers that the site does not know yet', 'all-unknown', unixepoch() * 1000000);

CREATE TABLE collection_member (
    collection_id TEXT NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    PRIMARY KEY (collection_id, device_id)
) STRICT;
CREATE INDEX collection_member_by_device ON collection_member (device_id);

CREATE TABLE package (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('os-image', 'boot-image')),
    name TEXT NOT NULL,
    version TEXT NOT NULL DEFAULT '',
    comment TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('importing', 'building', 'ready', 'failed')),
    arch TEXT NOT NULL DEFAULT '',
    flavour TEXT NOT NULL DEFAULT '',
    kernel_version TEXT NOT NULL DEFAULT '',
    agent_version TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL,
    ready_us INTEGER
) STRICT;

CREATE TABLE package_index (
    package_id TEXT NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    arch TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    file_count INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    PRIMARY KEY (package_id, number)
) STRICT;

CREATE TABLE package_file (
    package_id TEXT NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (package_id, name)
) STRICT;

CREATE TABLE task_sequence (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    boot_image_id TEXT REFERENCES package (id),
    xml TEXT NOT NULL,
    n_steps INTEGER NOT NULL,
    steps TEXT NOT NULL,
    applies_image INTEGER NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE task_sequence_package (
    task_sequence_id TEXT NOT NULL REFERENCES task_sequence (id) ON DELETE CASCADE,
    package_id TEXT NOT NULL REFERENCES package (id),
    PRIMARY KEY (task_sequence_id, package_id)
) STRICT;

CREATE TABLE deployment (
    id TEXT NOT NULL PRIMARY KEY,
    task_sequence_id TEXT NOT NULL REFERENCES task_sequence (id),
    collection_id TEXT NOT NULL REFERENCES collection (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('required', 'available')),
    is_cancelled INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX deployment_by_collection ON deployment (collection_id);

CREATE TABLE orders (
    id TEXT NOT NULL PRIMARY KEY,
    deployment_id TEXT NOT NULL REFERENCES deployment (id),
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('in-progress', 'succeeded', 'failed')),
    environment TEXT NOT NULL CHECK (environment IN ('boot-image', 'full-os')),
    -- it said that it restarts, 1: into the installed system, 2: into the boot image, and has not been heard since
    is_restarting INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    deadline_us INTEGER NOT NULL,
    heard_us INTEGER NOT NULL,
    started_us INTEGER,
    restarted_us INTEGER,
    ended_us INTEGER,
    last_seq INTEGER NOT NULL DEFAULT 0,
    step INTEGER,
    n_steps INTEGER,
    step_name TEXT NOT NULL DEFAULT '',
    step_type TEXT NOT NULL DEFAULT '',
    percent INTEGER,
    rate_bytes_per_s INTEGER,
    error_id TEXT,
    message TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX orders_by_device ON orders (device_id, state);
CREATE INDEX orders_by_deployment ON orders (deployment_id, device_id);
CREATE UNIQUE INDEX orders_one_in_progress ON orders (device_id) WHERE state = 'in-progress';

CREATE TABLE status_message (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    order_id TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL,
    step INTEGER,
    n_steps INTEGER,
    step_name TEXT NOT NULL,
    step_type TEXT NOT NULL,
    environment TEXT NOT NULL,
    percent INTEGER,
    rate_bytes_per_s INTEGER,
    exit_code INTEGER,
    error_id TEXT,
    message TEXT NOT NULL,
    time_us INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    UNIQUE (order_id, seq)
) STRICT;

CREATE TABLE boot_ticket (
    hash TEXT NOT NULL PRIMARY KEY,
    mac TEXT NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX boot_ticket_by_expiry ON boot_ticket (expires_us);

CREATE TABLE boot_event (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    mac TEXT NOT NULL,
    time_us INTEGER NOT NULL,
    -- 'decision', or what the client did: 'tftp', 'offer-sent', 'registered' ...
    event TEXT NOT NULL,
    answer TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    stage TEXT NOT NULL DEFAULT '',
    client TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX boot_event_by_mac ON boot_event (mac, id);

CREATE TABLE device_token (
    hash TEXT NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX device_token_by_expiry ON device_token (expires_us);

CREATE TABLE device_log (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    device_id TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    received_us INTEGER NOT NULL,
    time_us INTEGER NOT NULL,
    component TEXT NOT NULL,
    severity TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX device_log_by_device ON device_log (device_id, id);

CREATE TABLE admin_token (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('one-time', 'api')),
    name TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    time_us INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
-- only sqlite
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
-- only postgresql
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the % log is append-only', TG_TABLE_NAME; END $$;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit EXECUTE FUNCTION refuse_change();
-- both

CREATE TABLE job (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    package_id TEXT REFERENCES package (id) ON DELETE SET NULL,
    args TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed')),
    percent INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    error_id TEXT,
    error TEXT,
    n_claims INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL,
    heard_us INTEGER,
    ended_us INTEGER
) STRICT;
CREATE INDEX job_by_state ON job (state, created_us);

CREATE TABLE role (
    name TEXT NOT NULL PRIMARY KEY,
    seen_us INTEGER
) STRICT;
INSERT INTO role (name) VALUES ('site'), ('dp'), ('pxe');

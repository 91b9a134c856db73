-- SPDX-License-Identifier: GPL-3.0-or-later

-- Content versions: what a package had becomes its version 1. A table whose keys change is made anew from a copy. Dropping
-- `package` deletes its rows first, which would empty what refers to it by CASCADE or SET NULL, so that is copied too; the
-- other references are found whole again when the transaction ends.
-- only sqlite
PRAGMA defer_foreign_keys = ON;

CREATE TABLE package_copy AS SELECT * FROM package;
CREATE TABLE package_index_copy AS SELECT * FROM package_index;
CREATE TABLE package_file_copy AS SELECT * FROM package_file;
CREATE TABLE job_copy AS SELECT * FROM job;
DROP TABLE job;
DROP TABLE package_file;
DROP TABLE package_index;
DROP TABLE package;
-- only postgresql
-- The first slipwayd that knew PostgreSQL made its schema from nothing, so there is nothing to copy.
DROP TABLE job, package_file, package_index, package CASCADE;
-- both

CREATE TABLE package (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('os-image', 'os-upgrade-package', 'boot-image', 'driver-package', 'package')),
    name TEXT NOT NULL,
    version TEXT NOT NULL DEFAULT '',
    comment TEXT NOT NULL DEFAULT '',
    -- where an update reads from, on the server; empty: it was uploaded or built
    source_path TEXT NOT NULL DEFAULT '',
    priority TEXT NOT NULL DEFAULT 'medium' CHECK (priority IN ('high', 'medium', 'low')),
    keep_versions INTEGER NOT NULL DEFAULT 2,
    -- 'ready' as soon as there is a current version, whatever becomes of an update
    state TEXT NOT NULL CHECK (state IN ('importing', 'building', 'ready', 'failed')),
    -- 0: none yet
    current_version INTEGER NOT NULL DEFAULT 0,
    -- the site does not build it anew by itself
    is_custom INTEGER NOT NULL DEFAULT 0,
    arch TEXT NOT NULL DEFAULT '',
    flavour TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX package_by_name ON package (kind, name COLLATE NOCASE);

CREATE TABLE content_version (
    package_id TEXT NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('making', 'ready', 'failed', 'removed')),
    size_bytes INTEGER NOT NULL DEFAULT 0,
    new_bytes INTEGER NOT NULL DEFAULT 0,
    file_count INTEGER NOT NULL DEFAULT 0,
    kernel_version TEXT NOT NULL DEFAULT '',
    agent_version TEXT NOT NULL DEFAULT '',
    -- kernel and agent that the site ordered a rebuild for; empty: somebody asked for the version
    built_for TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL,
    ready_us INTEGER,
    PRIMARY KEY (package_id, number)
) STRICT;
CREATE UNIQUE INDEX content_version_one_making ON content_version (package_id) WHERE state = 'making';

-- part: the index of an OS image, 0 for anything else
CREATE TABLE content_manifest (
    package_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    part INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (package_id, version, part),
    FOREIGN KEY (package_id, version) REFERENCES content_version (package_id, number) ON DELETE CASCADE
) STRICT;
CREATE INDEX content_manifest_by_manifest ON content_manifest (manifest);

CREATE TABLE package_index (
    package_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    arch TEXT NOT NULL,
    languages TEXT NOT NULL DEFAULT '',
    default_language TEXT NOT NULL DEFAULT '',
    build TEXT NOT NULL DEFAULT '',
    edition TEXT NOT NULL DEFAULT '',
    size_bytes INTEGER NOT NULL,
    file_count INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    -- NULL: it was imported before this was looked at
    has_unix_data INTEGER,
    is_windows INTEGER,
    PRIMARY KEY (package_id, version, number),
    FOREIGN KEY (package_id, version) REFERENCES content_version (package_id, number) ON DELETE CASCADE
) STRICT;

CREATE TABLE package_file (
    package_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (package_id, version, name),
    FOREIGN KEY (package_id, version) REFERENCES content_version (package_id, number) ON DELETE CASCADE
) STRICT;

CREATE TABLE job (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    dp_id TEXT NOT NULL DEFAULT 'DP00001',
    package_id TEXT REFERENCES package (id) ON DELETE SET NULL,
    -- of the package; 0: of none
    version INTEGER NOT NULL DEFAULT 0,
    args TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    -- not handed out before this time
    due_us INTEGER NOT NULL DEFAULT 0,
    percent INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    rate_bytes_per_s INTEGER NOT NULL DEFAULT 0,
    result TEXT,
    error_id TEXT,
    error TEXT,
    n_claims INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL,
    heard_us INTEGER,
    ended_us INTEGER
) STRICT;
CREATE INDEX job_by_state ON job (state, dp_id, created_us);
CREATE INDEX job_by_package ON job (package_id, created_us);

-- Which version an order has got: it stays on the distribution points until the order is over.
CREATE TABLE order_content (
    order_id TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    package_id TEXT NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    PRIMARY KEY (order_id, package_id)
) STRICT;
CREATE INDEX order_content_by_package ON order_content (package_id, version);

-- only sqlite
INSERT INTO package (id, kind, name, version, comment, state, current_version, arch, flavour, created_us)
SELECT id, kind, name, version, comment, state, state = 'ready', arch, flavour, created_us FROM package_copy;

INSERT INTO content_version (package_id, number, state, size_bytes, new_bytes, file_count, kernel_version, agent_version,
    created_us, ready_us)
SELECT p.id, 1, CASE p.state WHEN 'ready' THEN 'ready' WHEN 'failed' THEN 'failed' ELSE 'making' END,
    coalesce((SELECT sum(size_bytes) FROM package_index_copy WHERE package_id = p.id),
        (SELECT sum(size_bytes) FROM package_file_copy WHERE package_id = p.id), 0),
    coalesce((SELECT sum(size_bytes) FROM package_index_copy WHERE package_id = p.id),
        (SELECT sum(size_bytes) FROM package_file_copy WHERE package_id = p.id), 0),
    coalesce((SELECT sum(file_count) FROM package_index_copy WHERE package_id = p.id),
        (SELECT count(*) FROM package_file_copy WHERE package_id = p.id)),
    p.kernel_version, p.agent_version, p.created_us, p.ready_us
FROM package_copy p;

INSERT INTO package_index (package_id, version, number, name, description, arch, size_bytes, file_count, manifest,
    has_unix_data, is_windows)
SELECT package_id, 1, number, name, description, arch, size_bytes, file_count, manifest, has_unix_data, is_windows
FROM package_index_copy;

INSERT INTO content_manifest (package_id, version, part, manifest, size_bytes)
SELECT package_id, 1, number, manifest, size_bytes FROM package_index_copy;

INSERT INTO package_file (package_id, version, name, size_bytes, sha256)
SELECT package_id, 1, name, size_bytes, sha256 FROM package_file_copy;

INSERT INTO job (id, kind, package_id, version, args, state, percent, message, error_id, error, n_claims, created_us,
    heard_us, ended_us)
SELECT id, kind, package_id, 1, args, state, percent, message, error_id, error, n_claims, created_us, heard_us, ended_us
FROM job_copy;

INSERT INTO order_content (order_id, package_id, version)
SELECT o.id, p.id, 1 FROM orders o JOIN deployment d ON d.id = o.deployment_id JOIN task_sequence t ON t.id = d.task_sequence_id
JOIN package p ON p.id = t.boot_image_id OR EXISTS (
    SELECT 1 FROM task_sequence_package x WHERE x.task_sequence_id = t.id AND x.package_id = p.id)
WHERE o.state = 'in-progress' AND p.current_version = 1;

DROP TABLE job_copy;
DROP TABLE package_file_copy;
DROP TABLE package_index_copy;
DROP TABLE package_copy;
-- only postgresql
ALTER TABLE task_sequence ADD FOREIGN KEY (boot_image_id) REFERENCES package (id);
ALTER TABLE task_sequence_package ADD FOREIGN KEY (package_id) REFERENCES package (id);
-- What SQLite gives every table: the order in which rows came.
ALTER TABLE job ADD COLUMN rowid bigint GENERATED ALWAYS AS IDENTITY;

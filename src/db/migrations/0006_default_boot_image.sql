-- SPDX-License-Identifier: GPL-3.0-or-later

-- The boot images that the site makes without being asked, one for each architecture.

-- is_deleted: an administrator wants none. flavour, kernel_version, agent_version: what the distribution point could
-- build it of when it said so last (heard_us; 0: never); '' if there is no kernel. package_id, tried_for, tried_us: what
-- was made, of which kernel and agent, and when.
CREATE TABLE default_boot_image (
    arch TEXT NOT NULL PRIMARY KEY,
    is_deleted INTEGER NOT NULL DEFAULT 0,
    heard_us INTEGER NOT NULL DEFAULT 0,
    flavour TEXT NOT NULL DEFAULT '',
    kernel_version TEXT NOT NULL DEFAULT '',
    agent_version TEXT NOT NULL DEFAULT '',
    package_id TEXT NOT NULL DEFAULT '',
    tried_for TEXT NOT NULL DEFAULT '',
    tried_us INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO default_boot_image (arch) VALUES ('x64'), ('x86');

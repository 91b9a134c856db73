-- SPDX-License-Identifier: GPL-3.0-or-later

-- Over how many days devices get it, each at a moment of its own.
ALTER TABLE deployment ADD COLUMN available_over_days INTEGER NOT NULL DEFAULT 0;

-- Whether content may come from distribution points of neighbour boundary groups, and of the default group.
ALTER TABLE deployment ADD COLUMN may_use_neighbours INTEGER NOT NULL DEFAULT 1;
ALTER TABLE deployment ADD COLUMN may_use_default_group INTEGER NOT NULL DEFAULT 1;

-- SPDX-License-Identifier: GPL-3.0-or-later

-- The groups around the step that was reported last.

ALTER TABLE orders ADD COLUMN step_group TEXT NOT NULL DEFAULT '';

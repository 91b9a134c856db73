-- SPDX-License-Identifier: GPL-3.0-or-later

-- Whether who works at a device sees how far a task sequence is that was begun in the installed system.
ALTER TABLE deployment ADD COLUMN is_progress_shown INTEGER NOT NULL DEFAULT 1;

-- SPDX-License-Identifier: GPL-3.0-or-later
-- From when to when a deployment holds, for whom, when it is due, and what becomes of it when it was run.

ALTER TABLE deployment ADD COLUMN comment TEXT NOT NULL DEFAULT '';
ALTER TABLE deployment ADD COLUMN make_available_to TEXT NOT NULL DEFAULT 'clients-media-and-pxe'
    CHECK (make_available_to IN ('clients', 'clients-media-and-pxe', 'media-and-pxe', 'media-and-pxe-hidden'));
-- "2026-11-22T22:00" of the site's own place, or with a Z of UTC; '': at once, and never
ALTER TABLE deployment ADD COLUMN available_from TEXT NOT NULL DEFAULT '';
ALTER TABLE deployment ADD COLUMN expires TEXT NOT NULL DEFAULT '';
-- JSON: a list of schedules and "as-soon-as-possible"
ALTER TABLE deployment ADD COLUMN assignments TEXT NOT NULL DEFAULT '[]';
ALTER TABLE deployment ADD COLUMN rerun TEXT NOT NULL DEFAULT 'always'
    CHECK (rerun IN ('never', 'always', 'if-failed', 'if-succeeded'));
ALTER TABLE deployment ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal' CHECK (priority IN ('high', 'normal', 'low'));
ALTER TABLE deployment ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0;
-- it is shown no more, and reaches nobody; its orders stay for the history of their devices
ALTER TABLE deployment ADD COLUMN deleted_us INTEGER;
UPDATE deployment SET assignments = '["as-soon-as-possible"]' WHERE purpose = 'required';

-- the administrator wants it forgotten: a required deployment may begin anew
ALTER TABLE orders ADD COLUMN is_cleared INTEGER NOT NULL DEFAULT 0;

-- SPDX-License-Identifier: GPL-3.0-or-later

-- When and where to the devices of a deployment get content.

ALTER TABLE deployment ADD COLUMN content_option TEXT NOT NULL DEFAULT 'stream'
    CHECK (content_option IN ('download-when-needed', 'download-all-first', 'stream'));

-- SPDX-License-Identifier: GPL-3.0-or-later

-- What the request was called by which something was done; NULL where none was, and in what is older.
ALTER TABLE audit_record ADD COLUMN request_id TEXT;

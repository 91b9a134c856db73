-- SPDX-License-Identifier: GPL-3.0-or-later

-- What an image can be applied to. NULL: it was imported before this was looked at.
ALTER TABLE package_index ADD COLUMN has_unix_data INTEGER;
ALTER TABLE package_index ADD COLUMN is_windows INTEGER;

-- SPDX-License-Identifier: GPL-3.0-or-later

-- What a deleted deployment was made to, where that collection is gone: it belongs to the one that limited that now, and its orders stay.
ALTER TABLE deployment ADD COLUMN former_collection TEXT;

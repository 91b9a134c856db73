-- SPDX-License-Identifier: GPL-3.0-or-later

-- What one site server at a time does: who it is, and until when, in seconds by the clock of the database.
CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until_s INTEGER NOT NULL
) STRICT;

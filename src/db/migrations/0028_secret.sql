-- SPDX-License-Identifier: GPL-3.0-or-later

-- Keys of the site's own, which no answer ever has in it.
CREATE TABLE secret (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

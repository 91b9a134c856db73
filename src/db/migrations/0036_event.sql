-- SPDX-License-Identifier: GPL-3.0-or-later

-- What has changed, for who follows it live (docs/api/events.md). id: the next number of event_head, taken in the transaction of the
-- change, so that numbers have the order of the commits. kind: of the thing; class: of the permission that shows it; change: 'created',
-- 'changed', 'deleted' or 'progress'; part: what of it, '' all of it; version: NULL if it has none; places: of what is gone, who
-- saw it: ids of collections, security scopes and administrators, each between blanks. Of those with the same merge_key there is one, the newest.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    time_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    object_id TEXT NOT NULL,
    change TEXT NOT NULL,
    action TEXT NOT NULL,
    part TEXT NOT NULL,
    version INTEGER,
    places TEXT NOT NULL,
    merge_key TEXT UNIQUE
) STRICT;

-- n: the newest number; gone: up to which they are not kept any more
CREATE TABLE event_head (
    name TEXT PRIMARY KEY,
    n INTEGER NOT NULL,
    gone INTEGER NOT NULL
) STRICT;
INSERT INTO event_head (name, n, gone) VALUES ('event', 0, 0);

-- SPDX-License-Identifier: GPL-3.0-or-later

-- What a device registered of itself for conditions of task sequences: classes and variables (docs/protocol/sequencer.md).
CREATE TABLE machine_facts (
    device_id TEXT NOT NULL PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
    facts TEXT NOT NULL,
    registered_us INTEGER NOT NULL
) STRICT;

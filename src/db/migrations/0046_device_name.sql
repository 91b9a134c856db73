-- SPDX-License-Identifier: GPL-3.0-or-later

-- The order of names in lists of devices, in which letters are the same in either case.
CREATE INDEX device_by_lower_name ON device (lower(name COLLATE BINARY));

-- SPDX-License-Identifier: GPL-3.0-or-later

-- Which variables are hidden anywhere: what conditions compare them with is not shown.
CREATE INDEX collection_variable_hidden ON collection_variable (name) WHERE is_secret = 1;
CREATE INDEX device_variable_hidden ON device_variable (name) WHERE is_secret = 1;

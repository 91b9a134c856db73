-- SPDX-License-Identifier: GPL-3.0-or-later

-- After so many seconds without a word from a device that runs the deployment, contact with it is lost (docs/monitoring.md).
ALTER TABLE deployment ADD COLUMN lost_contact_s INTEGER NOT NULL DEFAULT 1800;

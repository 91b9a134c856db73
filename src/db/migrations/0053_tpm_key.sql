-- SPDX-License-Identifier: GPL-3.0-or-later

-- SHA-256 of the public area of the TPM's endorsement key, which the device has proven to have; NULL: it never has
ALTER TABLE device ADD COLUMN tpm_key TEXT;
CREATE UNIQUE INDEX device_by_tpm_key ON device (tpm_key);

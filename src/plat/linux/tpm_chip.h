/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A TPM 2.0 asked by tpm2-tss in this process: whoever asks waits as long as the TPM likes. plat/tpm.h asks in a process aside.
 */

#include "plat/tpm.h"

struct tpm_chip;

/* As tpm_open(), without its patience. */
int tpm_chip_open(const char *device, struct tpm_chip **ret);
void tpm_chip_free(struct tpm_chip *chip);

/* As those of plat/tpm.h. */
struct bytes tpm_chip_public(const struct tpm_chip *chip);
struct bytes tpm_chip_name(const struct tpm_chip *chip);
int tpm_chip_activate(struct tpm_chip *chip,
                      struct bytes blob,
                      struct bytes encrypted,
                      uint8_t ret[static TPM_SECRET_MAX_BYTES],
                      size_t *ret_len);

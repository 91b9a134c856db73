/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The TPM's key as a mark of this computer, shown to the site when it registers (docs/protocol/client-api.md, The TPM's key)
 *
 * Whatever is wrong with the TPM, the registration goes on without, and the log says so.
 */

#include <jansson.h>

struct runner;

/* Make the key, if there is a TPM 2.0; a chip may take most of a minute. Return: 0 or -errno. */
int tpm_proof_begin(struct runner *rn);

/**
 * tpm_proof_add() - have the TPM answer the site: "tpm_key" in a registration, in place of the one that it may have
 * @registration: what is to be sent
 * @challenge:    that of its other proof
 *
 * Return: 0, an outcome of link_json(), or -errno.
 */
int tpm_proof_add(struct runner *rn, json_t *registration, const json_t *challenge);

/* The TPM is needed no more. */
void tpm_proof_end(struct runner *rn);

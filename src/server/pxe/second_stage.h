/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which GRUB shim gets, and what is learnt from what happens to it: docs/protocol/boot.md, Secure Boot
 */

#include <stdbool.h>
#include <stdint.h>

#include "server/pxe/boot_clients.h"

#define SECOND_STAGE_MEMORY_US (24ULL * 60 * 60 * 1000 * 1000)

/**
 * second_stage_choose() - by what is known of the client
 * @client: NULL if nothing is
 * @local:  our address that shim asked
 * @why:    set to a fixed word for the log
 *
 * Return: SECOND_STAGE_SIGNED or SECOND_STAGE_SLIPWAY
 */
enum second_stage second_stage_choose(const struct boot_client *client,
                                      uint32_t local,
                                      uint64_t now_us,
                                      const char **why);

/**
 * second_stage_begin() - the client was switched on again
 *
 * Return: true if it follows that it had refused our GRUB: it got all of it and never started it.
 */
bool second_stage_begin(struct boot_client *client, uint64_t now_us);

/* Shim asks for MokManager: it has just refused what it was given. */
void second_stage_refuse(struct boot_client *client, uint64_t now_us);

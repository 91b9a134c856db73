/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/second_stage.h"

enum second_stage second_stage_choose(const struct boot_client *client,
                                      uint32_t local,
                                      uint64_t now_us,
                                      const char **why)
{
    if (!client) {
        *why = "unknown-client";
        return SECOND_STAGE_SLIPWAY;
    }
    if (client->needs_signed_until_us > now_us) {
        *why = "refused-before";
        return SECOND_STAGE_SIGNED;
    }
    if (client->site_says != SECURE_BOOT_UNKNOWN) {
        *why = client->site_says == SECURE_BOOT_ON ? "secure-boot-on" : "secure-boot-off";
        return client->site_says == SECURE_BOOT_ON ? SECOND_STAGE_SIGNED : SECOND_STAGE_SLIPWAY;
    }
    if (client->has_lease && client->next_server == local) {
        *why = "next-server-is-us";
        return SECOND_STAGE_SIGNED;
    }
    *why = client->has_lease ? "next-server-is-not-us" : "next-server-unknown";
    return SECOND_STAGE_SLIPWAY;
}

bool second_stage_begin(struct boot_client *client, uint64_t now_us)
{
    bool is_lost = client->is_served_whole && !client->is_grub_alive;
    bool is_refused = is_lost && client->served == SECOND_STAGE_SLIPWAY;

    if (is_refused)
        client->needs_signed_until_us = now_us + SECOND_STAGE_MEMORY_US;
    else if (is_lost) /* nor did the signed one work: what we had concluded was wrong */
        client->needs_signed_until_us = 0;

    client->served = SECOND_STAGE_NONE;
    client->is_served_whole = false;
    client->is_grub_alive = false;
    client->has_lease = false;
    client->next_server = 0;
    return is_refused;
}

void second_stage_refuse(struct boot_client *client, uint64_t now_us)
{
    client->needs_signed_until_us = now_us + SECOND_STAGE_MEMORY_US;
    client->served = SECOND_STAGE_SIGNED;
    client->is_served_whole = false;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/boot_clients.h"

#include <assert.h>
#include <string.h>

struct boot_client *boot_clients_find(struct boot_clients *clients,
                                      const uint8_t mac[static MAC_BYTES])
{
    for (size_t i = 0; i < BOOT_CLIENTS_MAX; i++) {
        struct boot_client *client = &clients->slots[i];

        if (client->seen_us != 0 && memcmp(client->mac, mac, MAC_BYTES) == 0)
            return client;
    }
    return NULL;
}

struct boot_client *boot_clients_find_address(struct boot_clients *clients, uint32_t address)
{
    struct boot_client *newest = NULL;

    if (address == 0)
        return NULL;
    for (size_t i = 0; i < BOOT_CLIENTS_MAX; i++) {
        struct boot_client *client = &clients->slots[i];

        if (client->seen_us != 0 && client->address == address &&
            (!newest || client->seen_us > newest->seen_us))
            newest = client;
    }
    return newest;
}

/* A free slot, or that of the client unseen for longest. */
static struct boot_client *make_room(struct boot_clients *clients)
{
    struct boot_client *oldest = &clients->slots[0];

    for (size_t i = 1; i < BOOT_CLIENTS_MAX; i++)
        if (clients->slots[i].seen_us < oldest->seen_us)
            oldest = &clients->slots[i];
    return oldest;
}

struct boot_client *
boot_clients_see(struct boot_clients *clients, const uint8_t mac[static MAC_BYTES], uint64_t now_us)
{
    struct boot_client *client = boot_clients_find(clients, mac);

    assert(now_us != 0);
    if (!client) {
        client = make_room(clients);
        *client = (struct boot_client){0};
        memcpy(client->mac, mac, MAC_BYTES);
    }
    client->seen_us = now_us;
    return client;
}

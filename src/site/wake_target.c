/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/wake_target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "site/boundary_sources.h"
#include "site/unknown.h"

enum {
    ADDRESS_BITS = 32,
    LOOPBACK = 127,
    MULTICAST = 224, /* and what is reserved behind it */
};

/* What an inventory says of addresses. */
struct known {
    const json_t *nics; /* borrowed */
    bool is_unicast_on;
};

static uint32_t host_bits(unsigned prefix_bits)
{
    return UINT32_MAX >> prefix_bits;
}

bool wake_address_parse(const char *text, struct wake_address *ret)
{
    const char *slash = strchr(text, '/');
    char address[INET_ADDRSTRLEN];
    struct in_addr in;
    uint64_t bits;
    uint32_t host;

    if (!slash || (size_t)(slash - text) >= sizeof(address))
        return false;
    (void)snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
    if (inet_pton(AF_INET, address, &in) != 1 ||
        !bytes_parse_u64(bytes_of(slash + 1), WAKE_PREFIX_MIN, WAKE_PREFIX_MAX, &bits))
        return false;
    *ret = (struct wake_address){.address = ntohl(in.s_addr), .prefix_bits = (unsigned)bits};
    host = ret->address & host_bits(ret->prefix_bits);
    return ret->address >> 24 != 0 && ret->address >> 24 != LOOPBACK &&
           ret->address >> 24 < MULTICAST && host != 0 && host != host_bits(ret->prefix_bits);
}

uint32_t wake_address_broadcast(const struct wake_address *address)
{
    return address->address | host_bits(address->prefix_bits);
}

/* @i-th address of an adapter of an inventory. Return: whether there is one to use. */
static bool read_address(const json_t *nic, size_t i, struct wake_address *ret)
{
    const char *text = json_string_value(json_array_get(json_object_get(nic, "addresses"), i));

    return i < WAKE_ADDRESSES_MAX && text && wake_address_parse(text, ret);
}

static int add_text(uint32_t address, json_t *dst)
{
    struct in_addr in = {.s_addr = htonl(address)};
    char text[INET_ADDRSTRLEN];

    (void)inet_ntop(AF_INET, &in, text, sizeof(text));
    if (json_array_size(dst) >= WAKE_PLACES_MAX)
        return 0;
    for (size_t i = 0; i < json_array_size(dst); i++)
        if (strcmp(json_string_value(json_array_get(dst, i)), text) == 0)
            return 0;
    return json_array_append_new(dst, json_string(text)) < 0 ? ERR(-ENOMEM) : 0;
}

static int add_of_nic(const struct known *known, const json_t *nic, json_t *dst)
{
    struct wake_address address;
    int r = 0;

    for (size_t i = 0; r == 0 && i < WAKE_ADDRESSES_MAX; i++) {
        if (!read_address(nic, i, &address))
            continue;
        r = add_text(wake_address_broadcast(&address), dst);
        if (r == 0 && known->is_unicast_on)
            r = add_text(address.address, dst);
    }
    return TRACE(r);
}

static bool has_mac(const json_t *nic, const char *mac)
{
    const char *text = json_string_value(json_object_get(nic, "mac"));
    uint8_t bytes[MAC_BYTES];
    char canonical[MAC_TEXT_MAX];

    if (!text || !mac_parse(bytes_of(text), bytes))
        return false;
    mac_put(canonical, bytes);
    return strcmp(canonical, mac) == 0;
}

/* Where its adapter was; else where any adapter of the device was; else everywhere that the sender is. */
static int put_places(const struct known *known, const char *mac, json_t *dst)
{
    size_t n = json_array_size(known->nics);
    int r = 0;

    for (size_t i = 0; r == 0 && i < n && i < WAKE_MACS_MAX; i++)
        if (has_mac(json_array_get(known->nics, i), mac))
            r = add_of_nic(known, json_array_get(known->nics, i), dst);
    for (size_t i = 0; r == 0 && json_array_size(dst) == 0 && i < n && i < WAKE_MACS_MAX; i++)
        r = add_of_nic(known, json_array_get(known->nics, i), dst);
    if (r == 0 && json_array_size(dst) == 0)
        r = json_array_append_new(dst, json_string(WAKE_EVERYWHERE)) < 0 ? ERR(-ENOMEM) : 0;
    return TRACE(r);
}

static int
add_target(const struct known *known, const char *device_id, const char *mac, json_t *dst)
{
    OWN(json_freep) json_t *places = json_array();
    int r = places ? put_places(known, mac, places) : ERR(-ENOMEM);

    if (r < 0)
        return TRACE(r);
    return json_array_append_new(
               dst, json_pack("{s:s,s:s,s:O}", "device_id", device_id, "mac", mac, "to", places)) <
                   0
               ? ERR(-ENOMEM)
               : 0;
}

static int
add_targets(struct site *site, const struct known *known, const char *device_id, json_t *dst)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(device_id), db_u64(WAKE_MACS_MAX));
    int r = db_select(site->db, SQL_WAKE_DEVICE_MACS, args, &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        r = add_target(known, device_id, db_get_text(&rows, 0), dst);
        if (r < 0)
            return TRACE(r);
    }
    return TRACE(r);
}

static int is_there(struct site *site, const char *dp_id, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(dp_id), db_u64(dp_online_since(site)));
    int r = db_first(site->db, SQL_WAKE_DP_IS_THERE, args, &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

/* The first usable address of the device. @ret: "" if there is none */
static void find_address(const json_t *nics, char ret[static INET_ADDRSTRLEN])
{
    struct wake_address address;

    ret[0] = '\0';
    for (size_t i = 0; i < json_array_size(nics) && i < WAKE_MACS_MAX; i++)
        for (size_t k = 0; k < WAKE_ADDRESSES_MAX; k++)
            if (read_address(json_array_get(nics, i), k, &address)) {
                struct in_addr in = {.s_addr = htonl(address.address)};

                (void)inet_ntop(AF_INET, &in, ret, INET_ADDRSTRLEN);
                return;
            }
}

static int
find_dp(struct site *site, const char *device_id, const json_t *nics, char ret[static DP_ID_MAX])
{
    char address[INET_ADDRSTRLEN];
    bool is_usable = false;
    int r = 0;

    find_address(nics, address);
    ret[0] = '\0';
    if (address[0])
        r = boundary_dp_of(site, address, ret);
    if (r < 0 || ret[0])
        return TRACE(r);
    r = unknown_dp(site, device_id, ret);
    if (r == 0)
        r = is_there(site, ret, &is_usable);
    if (r == 0 && !is_usable)
        (void)snprintf(ret, DP_ID_MAX, "%s", DP_OWN_ID);
    return TRACE(r);
}

static int read_inventory(struct site *site, const char *device_id, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_WAKE_DEVICE_INVENTORY, DB_ARGS(db_text(device_id)), &rows);

    *ret = r == DB_ROW ? json_loads(db_get_text(&rows, 0), 0, NULL) : NULL;
    return r < 0 ? TRACE(r) : 0;
}

int wake_target_find(struct site *site,
                     const char *device_id,
                     json_t **ret,
                     char ret_dp[static DP_ID_MAX])
{
    OWN(json_freep) json_t *inventory = NULL;
    OWN(json_freep) json_t *targets = json_array();
    struct known known = {.is_unicast_on = site->settings.is_wake_unicast_on};
    int r = targets ? read_inventory(site, device_id, &inventory) : ERR(-ENOMEM);

    known.nics = json_object_get(inventory, "nics");
    if (r == 0)
        r = add_targets(site, &known, device_id, targets);
    if (r == 0)
        r = find_dp(site, device_id, known.nics, ret_dp);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(targets);
    return 0;
}

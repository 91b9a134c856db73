/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * How long one device's change takes to be in its collections
 *
 * usage: bench_membership DEVICES COLLECTIONS CHANGES
 *
 * A site in memory; a quarter of the collections have a query rule, a quarter include another one, the rest have direct
 * rules. Prints one line of JSON; ends with 1 if a change took a second or longer.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "plat/clock.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/device_change.h"
#include "site/device_import.h"
#include "site/membership.h"
#include "site/site.h"

enum {
    CSV_LINES = DEVICE_IMPORT_LINES_MAX,
    CSV_MAX_BYTES = 4 * 1024 * 1024,
    GOAL_US = 1000000,
};

static void must(int r, const char *what)
{
    if (r == 0)
        return;
    (void)fprintf(stderr, "bench_membership: %s: %d\n", what, r);
    _Exit(1);
}

static void add_devices(struct site *site, uint64_t first, uint64_t n)
{
    OWN(buf_fini) struct buf csv = BUF_INIT(CSV_MAX_BYTES);
    OWN(json_freep) json_t *body = NULL;
    OWN(json_freep) json_t *answer = NULL;

    buf_adds(&csv, "name,mac\n");
    for (uint64_t i = first; i < first + n; i++)
        buf_addf(&csv,
                 "PC-%06u,52:54:00:%02x:%02x:%02x\n",
                 (unsigned)i,
                 (unsigned)(i >> 16) & 0xff,
                 (unsigned)(i >> 8) & 0xff,
                 (unsigned)i & 0xff);
    body = json_pack("{s:s}", "csv", buf_str(&csv));
    must(device_import_file(site, "bench", body, &answer), "import");
    must(json_is_true(json_object_get(answer, "is_imported")) ? 0 : 1, "import of all lines");
}

/* One of every four includes the one before, one has a query, two have a direct rule. */
static json_t *rule_of(unsigned i)
{
    if (i % 4 == 0)
        return json_pack("{s:s,s:s,s:o}",
                         "type",
                         "query",
                         "name",
                         "q",
                         "filter",
                         json_sprintf("name endswith '%03u' and is_blocked eq false", i % 1000));
    if (i % 4 == 1)
        return json_pack("{s:s,s:o}", "type", "include", "collection", json_sprintf("C%u", i - 1));
    return json_pack("{s:s,s:o}", "type", "direct", "device", json_sprintf("PC-%06u", i % 1000));
}

static void add_collection(struct site *site, unsigned i)
{
    OWN(json_freep) json_t *create = json_pack("{s:o}", "name", json_sprintf("C%u", i));
    OWN(json_freep) json_t *rule = rule_of(i);
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *answer = NULL;
    char name[16];

    (void)snprintf(name, sizeof(name), "C%u", i);
    must(collection_create(site, "bench", create, &made), "collection");
    must(collection_rule_add(site, "bench", name, rule, &answer), "rule");
}

static uint64_t change(struct site *site, unsigned device, unsigned n)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:o}", "name", json_sprintf("N-%u-%03u", n, n % 1000));
    OWN(json_freep) json_t *answer = NULL;
    char name[16];
    uint64_t begin_us = clock_monotonic_us();

    (void)snprintf(name, sizeof(name), "PC-%06u", device);
    must(device_change(site, "bench", name, body, &answer), "rename");
    return clock_monotonic_us() - begin_us;
}

static uint64_t argument(int argc, char **argv, int at, uint64_t usual)
{
    uint64_t n = usual;

    if (at < argc && !bytes_parse_u64(bytes_of(argv[at]), 1, 1000000, &n))
        must(1, "usage: bench_membership DEVICES COLLECTIONS CHANGES");
    return n;
}

static void fill(struct site *site, uint64_t n_devices, uint64_t n_collections)
{
    for (uint64_t i = 0; i < n_devices; i += CSV_LINES)
        add_devices(site, i, n_devices - i < CSV_LINES ? n_devices - i : CSV_LINES);
    for (unsigned i = 0; i < n_collections; i++)
        add_collection(site, i);
    for (uint64_t i = 0; i < n_devices / MEMBERSHIP_SLICE * 2 + 2; i++)
        must(membership_tick(site), "full evaluation");
}

int main(int argc, char **argv)
{
    uint64_t n_devices = argument(argc, argv, 1, 200000);
    uint64_t n_collections = argument(argc, argv, 2, 2000);
    uint64_t n_changes = argument(argc, argv, 3, 1000);
    struct site_settings settings = {.name = "bench", .addresses = "10.77.0.1", .pin = ""};
    struct site *site = NULL;
    uint64_t longest_us = 0;
    uint64_t sum_us = 0;

    must(site_open(":memory:", &settings, &site), "site");
    site->now_us = clock_wall_us();
    fill(site, n_devices, n_collections);
    for (unsigned i = 0; i < n_changes; i++) {
        uint64_t us = change(site, i % (unsigned)n_devices, i);

        sum_us += us;
        longest_us = us > longest_us ? us : longest_us;
    }
    (void)printf("{\"devices\": %llu, \"collections\": %llu, \"changes\": %llu, \"mean_us\": %llu,"
                 " \"longest_us\": %llu}\n",
                 (unsigned long long)n_devices,
                 (unsigned long long)n_collections,
                 (unsigned long long)n_changes,
                 (unsigned long long)(n_changes ? sum_us / n_changes : 0),
                 (unsigned long long)longest_us);
    site_free(site);
    return longest_us < GOAL_US ? 0 : 1;
}

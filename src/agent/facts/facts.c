/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/facts/facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/facts/parts.h"
#include "base/err.h"
#include "base/own.h"

enum {
    NAME_MAX_BYTES = 64,
};

DEFINE_FREEP(struct ts_table *, ts_table_free);

struct ts_instance *gather_add(struct gather *g, const char *class_name)
{
    return ts_class_add(g->table, ts_table_class(g->table, TS_CIMV2, class_name));
}

void gather_class(struct gather *g, const char *class_name)
{
    (void)ts_table_class(g->table, TS_CIMV2, class_name);
}

void gather_text(struct gather *g, struct ts_instance *i, const char *name, const char *text)
{
    if (text[0] != '\0')
        ts_instance_add_text(g->table, i, name, text);
    else
        ts_instance_add_null(g->table, i, name);
}

void gather_nulls(struct gather *g, struct ts_instance *i, const char *names)
{
    while (*names) {
        size_t len = strcspn(names, " ");
        char name[NAME_MAX_BYTES];

        (void)snprintf(name, sizeof(name), "%.*s", (int)len, names);
        ts_instance_add_null(g->table, i, name);
        names += len + (names[len] == ' ' ? 1 : 0);
    }
}

void gather_number(struct gather *g, struct ts_instance *i, const char *name, uint64_t number)
{
    ts_instance_add_number(g->table, i, name, number <= INT64_MAX ? (int64_t)number : INT64_MAX);
}

int facts_gather(const char *root, const struct machine *machine, struct ts_table **ret)
{
    OWN(ts_table_freep) struct ts_table *table = NULL;
    int r = ts_table_new(&table);

    if (r < 0)
        return TRACE(r);

    struct gather g = {.root = root, .machine = machine, .table = table};

    gather_smbios(&g);
    gather_system(&g);
    gather_disks(&g);
    gather_network(&g);
    gather_devices(&g);
    gather_storage(&g);
    gather_software(&g);
    if (ts_table_failed(table))
        return ERR(-ENOMEM);
    *ret = TAKE(table);
    return 0;
}

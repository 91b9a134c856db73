/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/facts/facts.h"
#include "agent/run/runner.h"
#include "agent/steps/package_manager.h"

enum {
    US_PER_S = 1000 * 1000,
    NS_PER_US = 1000,
    PACKAGE_NAME_MAX = 200,
};

/* Windows' paths are nobody's here. Versions are a thing of Windows' programs. */
static enum ts_known
find_path(void *ctx, const char *path, bool is_folder, struct ts_path_fact *ret)
{
    struct stat st;

    (void)ctx;
    if (path[0] != '/')
        return TS_NOT_TOLD;
    if (stat(path, &st) != 0 || S_ISDIR(st.st_mode) != is_folder)
        return TS_MISSING;
    *ret = (struct ts_path_fact){
        .version = "",
        .modified_us = (int64_t)st.st_mtim.tv_sec * US_PER_S + st.st_mtim.tv_nsec / NS_PER_US,
        .has_modified = true,
    };
    return TS_KNOWN;
}

/* The table is as of the last step: that one may have made disks and addresses. */
static const struct ts_class *find_class(void *ctx, const char *namespace_name, const char *name)
{
    struct runner *rn = ctx;

    if (!rn->table && facts_gather("", &rn->machine, &rn->table) < 0)
        return NULL;
    return ts_table_find(rn->table, namespace_name, name);
}

static bool is_package_name(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+-_:";
    size_t len = strlen(name);

    return len >= 2 && len < PACKAGE_NAME_MAX && strspn(name, letters) == len && name[0] != '-';
}

/* Of the running system, by its package manager; the boot image has none. */
static enum ts_known find_package(void *ctx, const char *name, struct ts_software_fact *ret)
{
    struct runner *rn = ctx;
    enum package_manager kind = package_manager_kind();
    char known_as[PACKAGE_NAME_MAX] = "";

    if (kind == PACKAGE_MANAGER_NONE || !is_package_name(name))
        return TS_NOT_TOLD;
    for (size_t i = 0; name[i] != '\0';
         i++) { /* names of dpkg have no capitals, those of rpm may */
        bool is_capital = kind == PACKAGE_MANAGER_APT && name[i] >= 'A' && name[i] <= 'Z';

        known_as[i] = (char)(is_capital ? name[i] + ('a' - 'A') : name[i]);
    }
    buf_clear(&rn->package_version);
    if (!package_manager_find(known_as, &rn->package_version))
        return TS_MISSING;
    ret->version = buf_str(&rn->package_version);
    return TS_KNOWN;
}

static const char *find_environment(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets any */
}

void runner_forget_answers(struct runner *rn)
{
    ts_table_free(rn->table);
    rn->table = NULL;
}

struct ts_facts runner_answers(struct runner *rn)
{
    return (struct ts_facts){.find_class = find_class,
                             .find_path = find_path,
                             .find_package = find_package,
                             .find_environment = find_environment,
                             .ctx = rn};
}

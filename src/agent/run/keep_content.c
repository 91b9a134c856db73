/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * SMSTSPreserveContent: packages that the boot image had put beside the state stay in the client's cache
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/run/journal.h"
#include "agent/run/runner.h"
#include "agent/run/target.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    CACHE_MODE = 0700,
    PATH_MAX_BYTES = 4096,
    NAME_BYTES = SHA256_TEXT_MAX - 1,
};

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

/* The name of a content, or of its manifest (agent/fetch/cache.h); what is not complete, and the lock, are not kept. */
static bool is_kept(const char *name)
{
    uint8_t id[SHA256_BYTES];

    return strlen(name) >= NAME_BYTES &&
           hex_parse((struct bytes){(const uint8_t *)name, NAME_BYTES}, SHA256_BYTES, id) &&
           (name[NAME_BYTES] == '\0' || strcmp(name + NAME_BYTES, ".manifest") == 0);
}

/* Return: how many, or -errno. */
static int move_all(const char *from, const char *to)
{
    OWN(closedirp) DIR *dir = opendir(from);
    const struct dirent *entry;
    int n = 0;

    if (!dir)
        return errno == ENOENT ? 0 : ERR(-errno);
    while ((entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): our own DIR */
        char old[PATH_MAX_BYTES];
        char new[PATH_MAX_BYTES];

        if (!is_kept(entry->d_name) ||
            snprintf(old, sizeof(old), "%s/%s", from, entry->d_name) >= (int)sizeof(old) ||
            snprintf(new, sizeof(new), "%s/%s", to, entry->d_name) >= (int)sizeof(new) ||
            file_exists(new)) /* the cache has it already */
            continue;
        if (rename(old, new) < 0)
            return ERR(-errno);
        n++;
    }
    return n;
}

void runner_keep_content(struct runner *rn)
{
    const char *root = runner_root(rn);
    char from[PATH_MAX_BYTES];
    char to[PATH_MAX_BYTES];
    int r;

    if (!root || !ts_vars_is_true(rn->state->vars, "SMSTSPreserveContent"))
        return;
    (void)snprintf(from, sizeof(from), "%s/" TARGET_STATE_FOLDER "/packages", root);
    (void)snprintf(to, sizeof(to), "%s/var/cache/slipway/packages", root);
    r = dir_make(to, CACHE_MODE);
    if (r == 0)
        r = move_all(from, to);
    if (r < 0)
        journal_write(rn->journal,
                      CMTRACE_WARNING,
                      "TSManager",
                      "Not all downloaded packages could be kept: %s",
                      strerrordesc_np(-r) ? strerrordesc_np(-r) : "unknown error");
}

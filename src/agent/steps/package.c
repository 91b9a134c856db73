/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/package.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/fetch/fetch.h"
#include "agent/run/target.h"
#include "agent/steps/content.h"
#include "agent/steps/notice.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/arch.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    WHAT_MAX = 160,
    MIB = 1024 * 1024,
    CACHE_MAX_MIB = 1 << 24,
    PATH_MAX_BYTES = 4096,
    NAME_MAX_BYTES = 256,
    FOLDER_MODE = 0755,
    RETRIES_MAX = 1000,
    RETRIES_DEFAULT = 2, /* as documented */
    RETRY_DELAY_S = 15,
    RETRY_DELAY_MAX_S = 24 * 60 * 60,
};

#define CACHE_IN_OS     "/var/cache/slipway/packages"
#define CACHE_ON_VOLUME TARGET_ROOT "/" TARGET_STATE_FOLDER "/packages"
#define CACHE_IN_MEMORY "/run/slipway/packages"

struct getting {
    struct step_context *c;
    const char *id;
    struct transfer_report report;
};

void package_options(struct step_context *c,
                     const struct order_content *content,
                     struct transfer_options *ret)
{
    const char *proxy = step_value(c, "SLWProxy");
    const char *no_proxy = step_value(c, "SLWNoProxy");

    *ret = (struct transfer_options){
        .proxy = proxy[0] != '\0' ? proxy : NULL,
        .no_proxy = no_proxy[0] != '\0' ? no_proxy : NULL,
    };
    ret->n_sources = order_sources_of(c->order, content, &ret->sources);
}

void package_log_bad_source(struct step_context *c, const struct transfer_bad *bad)
{
    c->log(c->ctx, "%s is %s at %s", bad->what, transfer_fault_text(bad->fault), bad->source);
}

void package_count(struct step_context *c,
                   const struct transfer_report *report,
                   uint64_t reused_bytes)
{
    if (report->source)
        (void)ts_vars_set(
            c->vars, "_SMSTSLastContentDownloadLocation", report->source, TS_BY_ENGINE);
    if (!c->traffic)
        return;
    c->traffic->downloaded_bytes += report->network.bytes;
    c->traffic->reused_bytes += reused_bytes;
}

bool package_is_retried(struct step_context *c, int outcome, unsigned *n_tries)
{
    const char *count = step_value(c, "SMSTSDownloadRetryCount");
    const char *delay = step_value(c, "SMSTSDownloadRetryDelay");
    uint64_t n_wanted = RETRIES_DEFAULT;
    uint64_t delay_s = RETRY_DELAY_S;

    (void)bytes_parse_u64(bytes_of(count), 0, RETRIES_MAX, &n_wanted);
    (void)bytes_parse_u64(bytes_of(delay), 0, RETRY_DELAY_MAX_S, &delay_s);
    if ((outcome != TRANSFER_E_CONTENT && outcome != TRANSFER_E_UNREACHABLE) ||
        *n_tries >= n_wanted)
        return false;
    (*n_tries)++;
    c->log(c->ctx,
           "The download failed; it is tried again in %" PRIu64 " seconds (%u of %" PRIu64 ")",
           delay_s,
           *n_tries,
           n_wanted);
    return notice_wait(c, (unsigned)delay_s, "Waiting to try the download again");
}

static void on_bad_source(void *ctx, const struct transfer_bad *bad)
{
    struct getting *g = ctx;

    package_log_bad_source(g->c, bad);
}

static bool tell(void *ctx, const struct transfer_progress *progress)
{
    struct getting *g = ctx;
    uint64_t percent =
        progress->total_bytes > 0 ? progress->done_bytes * 100 / progress->total_bytes : 0;
    char what[WHAT_MAX];

    (void)snprintf(what,
                   sizeof(what),
                   "Downloading package %s: %" PRIu64 " of %" PRIu64 " MiB",
                   g->id,
                   progress->done_bytes / MIB,
                   progress->total_bytes / MIB);
    return g->c->progress(g->c->ctx, (unsigned)percent, progress->rate_bytes_per_s, what);
}

uint64_t package_cache_bytes(struct step_context *c)
{
    uint64_t mib = CACHE_DEFAULT_BYTES / MIB;

    (void)bytes_parse_u64(bytes_of(step_value(c, "SLWCacheSize")), 1, CACHE_MAX_MIB, &mib);
    return mib * MIB;
}

static const char *cache_root(struct step_context *c)
{
    if (c->environment == STEP_IN_FULL_OS)
        return CACHE_IN_OS;
    if (c->target->root_device[0] != '\0' && target_mount(c->target) == 0)
        return CACHE_ON_VOLUME;
    return CACHE_IN_MEMORY;
}

static void fail(const struct getting *g, int outcome, struct step_result *ret)
{
    static const struct {
        int outcome;
        const char *error_id;
        const char *what;
    } failures[] = {
        {TRANSFER_E_CONTENT, "SLW-0301", "is bad"},
        {TRANSFER_E_UNREACHABLE, "SLW-0302", "does not arrive"},
        {TRANSFER_E_CANCELLED, "SLW-0406", "is not needed: the site has cancelled the deployment"},
        {FETCH_E_FULL, "SLW-0330", "does not fit on the disk"},
        {CACHE_E_TOO_LARGE, "SLW-0331", "does not fit into the cache"},
        {CACHE_E_CHANGED, "SLW-0332", "was changed on this computer"},
    };

    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (failures[i].outcome == outcome)
            (void)step_fail(ret,
                            failures[i].error_id,
                            "The content of package %s, for \"%s\", %s%s%s.",
                            g->id,
                            g->c->step_name,
                            failures[i].what,
                            g->report.why[0] != '\0' ? ": " : "",
                            g->report.why);
}

/* Also for the site: what a download was bound by. */
static void tell_end(const struct getting *g)
{
    const struct transfer_report *report = &g->report;
    char what[WHAT_MAX];

    if (report->network.bytes == 0)
        (void)snprintf(what, sizeof(what), "Package %s is on this computer already", g->id);
    else
        (void)snprintf(what,
                       sizeof(what),
                       "Package %s downloaded: %" PRIu64 " MiB in %" PRIu64 " ms; %s",
                       g->id,
                       report->write.bytes / MIB,
                       report->elapsed_us / 1000,
                       fetch_bound_by(report));
    (void)g->c->progress(g->c->ctx, 0, 0, what);
    g->c->log(g->c->ctx, "%s", what);
}

static int is_not_ordered(const struct step_context *c, const char *id, struct step_result *result)
{
    return step_fail(result,
                     "SLW-0333",
                     "The order holds no package \"%s\" for \"%s\". Check that the package is "
                     "there and that its content is on a distribution point.",
                     id,
                     c->step_name);
}

static void
set_options(struct getting *g, const struct order_content *content, struct transfer_options *ret)
{
    package_options(g->c, content, ret);
    ret->progress = tell;
    ret->bad_source = on_bad_source;
    ret->ctx = g;
}

int package_get_in(struct step_context *c,
                   const char *root,
                   const char *id,
                   struct step_result *result,
                   struct cache_use **ret)
{
    const struct order_content *content = order_find_content(c->order, id);
    OWN(cache_freep) struct cache *cache = NULL;
    OWN(shelf_freep) struct shelf *shelf = NULL;
    struct getting g = {.c = c, .id = id};
    struct transfer_options options;
    unsigned n_tries = 0;
    int r;

    *ret = NULL;
    if (!content || !content->has_manifest)
        return is_not_ordered(c, id, result);
    set_options(&g, content, &options);
    r = content_find(c, content->manifest, &shelf);
    if (r == 0 && shelf)
        shelf_offer(shelf, &options);
    if (r == 0)
        r = cache_new(root, package_cache_bytes(c), &cache);
    if (r == 0)
        do {
            r = cache_get(cache, &options, content->manifest, &g.report, ret);
            package_count(c, &g.report, 0);
        } while (r > 0 && package_is_retried(c, r, &n_tries));
    if (r == 0)
        tell_end(&g);
    else if (r > 0)
        fail(&g, r, result);
    return r < 0 ? TRACE(r) : 0;
}

int package_get(struct step_context *c,
                const char *id,
                struct step_result *result,
                struct cache_use **ret)
{
    return package_get_in(c, cache_root(c), id, result, ret);
}

int package_drop(struct step_context *c, const char *id)
{
    const struct order_content *content = order_find_content(c->order, id);
    OWN(cache_freep) struct cache *cache = NULL;
    int r;

    if (!content || !content->has_manifest)
        return 0;
    r = cache_new(cache_root(c), package_cache_bytes(c), &cache);
    return r < 0 ? TRACE(r) : TRACE(cache_drop(cache, content->manifest));
}

static int get_images(struct getting *g, const struct order_content *content, const char *folder)
{
    struct transfer_options options;
    char target[PATH_MAX_BYTES + NAME_MAX_BYTES];
    int r = 0;

    set_options(g, content, &options);
    for (size_t i = 0; r == 0 && i < content->n_indexes; i++) {
        (void)snprintf(
            target, sizeof(target), "%s/%" PRIu32 ".wim", folder, content->indexes[i].index);
        r = fetch_image_file(&options, content->indexes[i].manifest, target, &g->report);
    }
    return r < 0 ? TRACE(r) : r;
}

static int
get_boot_files(struct getting *g, const struct order_content *content, const char *folder)
{
    struct transfer_options options;
    OWN(buf_fini) struct buf target = BUF_INIT(PATH_MAX_BYTES);
    char path[PATH_MAX_BYTES];
    int r = 0;

    set_options(g, content, &options);
    for (size_t i = 0; r == 0 && i < content->n_files; i++) {
        const struct order_file *file = &content->files[i];

        if (!path_under(folder, file->name, &target))
            return TRANSFER_E_CONTENT;
        (void)snprintf(
            path, sizeof(path), "/boot/%s/" ARCH_NAME "/%s", content->package_id, file->name);
        r = fetch_file(&options,
                       &(struct fetch_file){path, file->size_bytes, file->sha256},
                       buf_str(&target),
                       &g->report);
    }
    return r < 0 ? TRACE(r) : r;
}

/* An operating system image or a boot image: several files, which appear together. */
static int get_several(struct getting *g, const struct order_content *content, const char *folder)
{
    char aside[PATH_MAX_BYTES];
    int n = snprintf(aside, sizeof(aside), "%s.part", folder);
    int r;

    if (n < 0 || n >= (int)sizeof(aside))
        return ERR(-ENAMETOOLONG);
    r = dir_remove(aside);
    if (r == 0)
        r = dir_make(aside, FOLDER_MODE);
    if (r == 0)
        r = content->n_indexes > 0 ? get_images(g, content, aside)
                                   : get_boot_files(g, content, aside);
    if (r == 0 && rename(aside, folder) < 0)
        r = ERR(-errno);
    return r < 0 ? TRACE(r) : r;
}

static int make_parent(const char *folder)
{
    char parent[PATH_MAX_BYTES];
    const char *slash = strrchr(folder, '/');

    if (!slash || slash == folder)
        return 0;
    if (snprintf(parent, sizeof(parent), "%.*s", (int)(slash - folder), folder) >=
        (int)sizeof(parent))
        return ERR(-ENAMETOOLONG);
    return TRACE(dir_make(parent, FOLDER_MODE));
}

int package_put_files(struct step_context *c,
                      const char *id,
                      const char *folder,
                      struct step_result *result)
{
    const struct order_content *content = order_find_content(c->order, id);
    OWN(shelf_freep) struct shelf *shelf = NULL;
    struct getting g = {.c = c, .id = id};
    struct transfer_options options;
    unsigned n_tries = 0;
    int r;

    if (!content || (!content->has_manifest && content->n_indexes + content->n_files == 0))
        return is_not_ordered(c, id, result);
    r = make_parent(folder);
    if (r == 0)
        r = dir_remove(folder);
    if (r < 0)
        return TRACE(r);
    set_options(&g, content, &options);
    r = content->has_manifest ? content_find(c, content->manifest, &shelf) : 0;
    if (r == 0 && shelf)
        shelf_offer(shelf, &options);
    if (r == 0)
        do {
            r = content->has_manifest ? fetch_tree(&options, content->manifest, folder, &g.report)
                                      : get_several(&g, content, folder);
            package_count(c, &g.report, 0);
        } while (r > 0 && package_is_retried(c, r, &n_tries));
    if (r == 0)
        tell_end(&g);
    else if (r > 0)
        fail(&g, r, result);
    return r < 0 ? TRACE(r) : 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/package.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/fetch/fetch.h"
#include "agent/run/target.h"
#include "agent/steps/content.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"

enum {
    WHAT_MAX = 160,
    MIB = 1024 * 1024,
    CACHE_MAX_MIB = 1 << 24,
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
    int r;

    *ret = NULL;
    if (!content || !content->has_manifest)
        return step_fail(result,
                         "SLW-0333",
                         "The order holds no package \"%s\" for \"%s\". Check that the package is "
                         "there and that its content is on a distribution point.",
                         id,
                         c->step_name);
    package_options(c, content, &options);
    options.progress = tell;
    options.bad_source = on_bad_source;
    options.ctx = &g;
    r = content_find(c, content->manifest, &shelf);
    if (r == 0 && shelf)
        shelf_offer(shelf, &options);
    if (r == 0)
        r = cache_new(root, package_cache_bytes(c), &cache);
    if (r == 0)
        r = cache_get(cache, &options, content->manifest, &g.report, ret);
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

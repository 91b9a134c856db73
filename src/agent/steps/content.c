/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/content.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/fetch/fetch.h"
#include "agent/fetch/seed.h"
#include "agent/run/machine.h"
#include "agent/run/order.h"
#include "agent/run/target.h"
#include "agent/steps/package.h"
#include "agent/steps/refresh.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/compare.h"
#include "ts/document.h"

enum {
    WHAT_MAX = 240,
    MIB = 1024 * 1024,
    INDEX_MAX = 256,
};

#define SHELF_IN_OS     "/" TARGET_STATE_FOLDER "/content"
#define SHELF_ON_VOLUME TARGET_ROOT "/" TARGET_STATE_FOLDER "/content"
#define SHELF_IN_MEMORY "/run/slipway/content"

static const char apply_os_type[] = "SMS_TaskSequence_ApplyOperatingSystemAction";
static const char apply_data_type[] = "SMS_TaskSequence_ApplyDataImageAction";

struct getting {
    struct step_context *c;
    const struct content_want *want;
    const char *root;
    struct transfer_report report;
    struct seed_report seed;
};

/* Where it is kept through a restart; NULL: there is no such place yet. */
static const char *lasting_root(const struct step_context *c)
{
    if (c->environment == STEP_IN_FULL_OS)
        return SHELF_IN_OS;
    return c->target->root_device[0] != '\0' && target_mount(c->target) == 0 ? SHELF_ON_VOLUME
                                                                             : NULL;
}

/* @ret: the shelf, if it is there and has the content. */
static int look(const char *root, const uint8_t *manifest, struct shelf **ret)
{
    OWN(shelf_freep) struct shelf *shelf = NULL;
    int r;

    if (!root || !file_exists(root))
        return 0;
    r = shelf_open(root, &shelf);
    if (r == 0 && shelf_has(shelf, manifest))
        *ret = TAKE(shelf);
    return TRACE(r);
}

/* There is a volume that was made for the image, or a step makes one before it is this one's turn. */
static bool has_new_volume(const struct step_context *c)
{
    return c->target->root_device[0] != '\0' ? !c->target->is_old : !c->is_disk_kept;
}

bool content_is_streamed(struct step_context *c)
{
    bool is_wanted =
        c->step->runs_from_net || ts_compare_text(step_value(c, "RunFromNet"), "true") == 0;

    return c->order->content_option == ORDER_STREAM || (is_wanted && has_new_volume(c));
}

int content_find(const struct step_context *c,
                 const uint8_t manifest[static SHA256_BYTES],
                 struct shelf **ret)
{
    int r;

    *ret = NULL;
    if (c->order->content_option == ORDER_STREAM)
        return 0;
    r = look(lasting_root(c), manifest, ret);
    if (r == 0 && !*ret)
        r = look(SHELF_IN_MEMORY, manifest, ret);
    return TRACE(r);
}

static bool tell(void *ctx, const struct transfer_progress *progress)
{
    struct getting *g = ctx;
    uint64_t percent =
        progress->total_bytes > 0 ? progress->done_bytes * 100 / progress->total_bytes : 0;
    char what[WHAT_MAX];

    (void)snprintf(what,
                   sizeof(what),
                   "Downloading %s: %" PRIu64 " of %" PRIu64 " MiB",
                   g->want->package->package_id,
                   progress->done_bytes / MIB,
                   progress->total_bytes / MIB);
    return g->c->progress(g->c->ctx, (unsigned)percent, progress->rate_bytes_per_s, what);
}

static bool tell_seeding(void *ctx, uint64_t read_bytes)
{
    const struct getting *g = ctx;
    char what[WHAT_MAX];

    (void)snprintf(what,
                   sizeof(what),
                   "Looking for content of %s on the disk: %" PRIu64 " MiB read",
                   g->want->package->package_id,
                   read_bytes / MIB);
    return g->c->progress(g->c->ctx, 0, 0, what);
}

static void on_bad_source(void *ctx, const struct transfer_bad *bad)
{
    struct getting *g = ctx;

    package_log_bad_source(g->c, bad);
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
        {FETCH_E_FULL, "SLW-0330", "has no room"},
    };

    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (failures[i].outcome == outcome)
            (void)step_fail(ret,
                            failures[i].error_id,
                            "The content of %s, which \"%s\" uses, %s%s%s%s.",
                            g->want->package->package_id,
                            g->c->step_name,
                            failures[i].what,
                            g->report.why[0] != '\0' ? ": " : "",
                            g->report.why,
                            outcome == FETCH_E_FULL && strcmp(g->root, SHELF_IN_MEMORY) == 0
                                ? ". There is no volume yet, so that is memory. Deploy with the "
                                  "content option stream or download-when-needed"
                                : "");
}

/* Also for the site: how much came, and how fast. */
static void tell_end(const struct getting *g)
{
    const struct transfer_report *report = &g->report;
    const struct seed_report *seed = &g->seed;
    char what[WHAT_MAX];

    (void)snprintf(what,
                   sizeof(what),
                   "%s downloaded: %" PRIu64 " MiB in %u packs in %" PRIu64 " ms",
                   g->want->package->package_id,
                   report->network.bytes / MIB,
                   report->n_packs,
                   report->elapsed_us / 1000);
    if (seed->elapsed_us > 0)
        (void)snprintf(what + strlen(what),
                       sizeof(what) - strlen(what),
                       "; %" PRIu64 " MiB in %u packs were on the disk, found in %" PRIu64 " ms",
                       seed->stored_bytes / MIB,
                       seed->n_packs,
                       seed->elapsed_us / 1000);
    (void)g->c->progress(g->c->ctx, 0, 0, what);
    g->c->log(g->c->ctx, "%s, to %s", what, g->root);
    if (seed->elapsed_us > 0)
        g->c->log(g->c->ctx,
                  "The old system: %" PRIu64 " files, %" PRIu64 " of them unreadable; %" PRIu64
                  " MiB read, %" PRIu64 " MiB hashed, %" PRIu64 " MiB found, %" PRIu64
                  " MiB of them in packs that have other things too; %u packs were not what the "
                  "chunk list says%s",
                  seed->n_files,
                  seed->n_unreadable,
                  seed->read_bytes / MIB,
                  seed->hashed_bytes / MIB,
                  seed->found_bytes / MIB,
                  seed->part_bytes / MIB,
                  seed->n_bad,
                  seed->is_full ? "; there was no room for more" : "");
}

static int download(struct getting *g, struct step_result *result, struct shelf **ret)
{
    bool has_old = g->c->environment == STEP_IN_BOOT_IMAGE && g->c->target->is_old;
    const struct seed_source source = {.root = has_old ? TARGET_ROOT : NULL,
                                       .skip = TARGET_STATE_FOLDER,
                                       .tell = tell_seeding,
                                       .ctx = g};
    OWN(shelf_freep) struct shelf *shelf = NULL;
    struct transfer_options options;
    unsigned n_tries = 0;
    int r = shelf_open(g->root, &shelf);

    if (r < 0)
        return TRACE(r);
    package_options(g->c, g->want->package, &options);
    options.progress = tell;
    options.bad_source = on_bad_source;
    options.ctx = g;
    shelf_set_reserve(shelf, g->want->reserve_bytes);
    do {
        r = seed_download(shelf, &options, g->want->manifest, &source, &g->report, &g->seed);
        package_count(g->c, &g->report, g->seed.stored_bytes);
    } while (r > 0 && package_is_retried(g->c, r, &n_tries));
    if (r == 0) {
        tell_end(g);
        *ret = TAKE(shelf);
    } else if (r > 0) {
        fail(g, r, result);
    }
    return r < 0 ? TRACE(r) : 0;
}

int content_provide(struct step_context *c,
                    const struct content_want *want,
                    struct step_result *result,
                    struct shelf **ret)
{
    struct getting g = {.c = c, .want = want};
    int r = content_find(c, want->manifest, ret);

    if (r < 0 || *ret || content_is_streamed(c))
        return TRACE(r);
    g.root = lasting_root(c);
    if (!g.root)
        g.root = SHELF_IN_MEMORY;
    return TRACE(download(&g, result, ret));
}

static const struct order_index *find_index(const struct order_content *content, uint64_t index)
{
    for (size_t i = 0; i < content->n_indexes; i++)
        if (content->indexes[i].index == index)
            return &content->indexes[i];
    return NULL;
}

/* What would be restored could not start. Return: whether it can be applied; if not, @ret was set. */
static bool fits(const struct step_context *c,
                 const struct order_index *image,
                 const char *id,
                 struct step_result *ret)
{
    bool is_too_wide = image->is_of_64_bits && !c->machine->is_64_bit;

    if (is_too_wide)
        (void)step_fail(ret,
                        "SLW-0458",
                        "Image %" PRIu32
                        " of %s is of a 64-bit system, and this computer's processor "
                        "has 32 bits. Choose an image of a 32-bit system.",
                        image->index,
                        id);
    else if (image->is_windows)
        (void)step_fail(ret,
                        "SLW-0319",
                        "Image %" PRIu32 " of %s is an image of Windows. Windows targets are not "
                        "supported by this version. Choose an image of a Linux system.",
                        image->index,
                        id);
    else if (image->has_no_unix_data)
        (void)step_fail(ret,
                        "SLW-0318",
                        "Image %" PRIu32 " of %s was captured without UNIX data (owners, modes, "
                        "devices): the system in it could not start. Capture it again with "
                        "\"wimlib-imagex capture DIR FILE --unix-data\" as root, and import that.",
                        image->index,
                        id);
    return !is_too_wide && !image->is_windows && !image->has_no_unix_data;
}

const struct order_index *content_choose_image(struct step_context *c, struct step_result *ret)
{
    const char *id = step_value(c, "ImagePackageID");
    bool is_data = strcmp(c->step->type, apply_data_type) == 0;
    const char *number = step_value(c, is_data ? "OSDDataImageIndex" : "OSDImageIndex");
    const struct order_content *content = order_find_content(c->order, id);
    const struct order_index *image = NULL;
    const char *const *sources;
    bool has_source = order_sources_of(c->order, content, &sources) > 0;
    uint64_t index = 1;

    if (number[0] != '\0' && !bytes_parse_u64(bytes_of(number), 1, INDEX_MAX, &index)) {
        (void)step_fail(
            ret, "SLW-0307", "\"%s\" is not an image index: 1 to %d.", number, INDEX_MAX);
        return NULL;
    }
    if (content && strcmp(content->kind, "os-image") == 0)
        image = find_index(content, index);
    if (!image || !has_source)
        (void)step_fail(ret,
                        "SLW-0307",
                        "The order holds no image %" PRIu64 " of operating system image \"%s\", or "
                        "names no source. Check the step's image and that its content is on a "
                        "distribution point.",
                        index,
                        id);
    if (!image || !has_source)
        return NULL;
    return is_data || fits(c, image, id, ret) ? image
                                              : NULL; /* what is not started fits anywhere */
}

/* Before the first step of a sequence that formats nothing: there may be a volume that can be used. */
static int find_old_volume(struct step_context *c)
{
    struct step_result ignored = {
        0}; /* without one there is memory, and the step says what is wrong */
    int r = 0;

    if (c->is_disk_kept && c->environment == STEP_IN_BOOT_IMAGE &&
        c->target->root_device[0] == '\0')
        r = refresh_adopt(c, &ignored);
    return r < 0 ? TRACE(r) : 0;
}

int content_get_ahead(struct step_context *c, struct step_result *result)
{
    OWN(shelf_freep) struct shelf *shelf = NULL;
    bool is_data = strcmp(c->step->type, apply_data_type) == 0;
    bool is_image = is_data || strcmp(c->step->type, apply_os_type) == 0;
    const char *id = step_value(c, is_image ? "ImagePackageID" : "PackageID");
    struct content_want want = {.package = order_find_content(c->order, id)};
    int r;

    if (is_image) {
        const struct order_index *image = content_choose_image(c, result);

        if (!image)
            return 0; /* @result says why */
        want.manifest = image->manifest;
        r = is_data ? 0 : find_old_volume(c);
        if (r < 0)
            return TRACE(r);
    } else {
        if (!want.package || !want.package->has_manifest)
            return 0;
        want.manifest = want.package->manifest;
    }
    return TRACE(content_provide(c, &want, result, &shelf));
}

static int
settle_one(struct step_context *c, const struct order_content *package, struct step_result *result)
{
    OWN(shelf_freep) struct shelf *from = NULL;
    OWN(shelf_freep) struct shelf *to = NULL;
    int r = look(SHELF_IN_MEMORY, package->manifest, &from);

    if (r < 0 || !from)
        return TRACE(r);
    r = shelf_open(SHELF_ON_VOLUME, &to);
    if (r == 0)
        r = shelf_copy(from, to, package->manifest);
    if (r == -ENOSPC || r == -EDQUOT)
        return step_fail(result,
                         "SLW-0330",
                         "The content of %s, which was downloaded before the start, has no room on "
                         "the volume %s.",
                         package->package_id,
                         c->target->root_device);
    return TRACE(r);
}

int content_settle(struct step_context *c, struct step_result *result)
{
    if (c->environment == STEP_IN_FULL_OS || c->order->content_option != ORDER_DOWNLOAD_ALL_FIRST ||
        !lasting_root(c))
        return 0;
    for (size_t i = 0; i < c->order->n_content && !result->error_id; i++) {
        int r =
            c->order->content[i].has_manifest ? settle_one(c, &c->order->content[i], result) : 0;

        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/refresh.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/run/machine.h"
#include "agent/run/order.h"
#include "agent/run/target.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "format/manifest/manifest.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    WHY_MAX_BYTES = 4096,
    WHAT_MAX = 160,
    TRIES = 2, /* to get a content that is what its name says */
    MIB = 1024 * 1024,
    PARTITIONS_MAX = 99,
    FOLDER_MODE = 0700,
};

struct verifying {
    struct step_context *c;
    const char *package_id;
    uint64_t all_bytes;
};

static void read_wish(struct step_context *c, struct target_wish *ret)
{
    const char *variable = step_value(c, "DestinationVariable");
    uint64_t disk = 0;
    uint64_t partition = 0;

    *ret = (struct target_wish){0};
    if (variable[0] != '\0')
        ret->device = ts_vars_get(c->vars, variable);
    ret->has_disk =
        bytes_parse_u64(bytes_of(step_value(c, "DestinationDisk")), 0, MACHINE_DISKS_MAX, &disk);
    (void)bytes_parse_u64(
        bytes_of(step_value(c, "DestinationPartition")), 1, PARTITIONS_MAX, &partition);
    ret->disk = (size_t)disk;
    ret->partition = (size_t)partition;
}

/* Folder, or link, or whatever has that name: nothing of an earlier run is believed. */
static int clear_own_folder(void)
{
    static const char path[] = TARGET_ROOT "/" TARGET_STATE_FOLDER;

    if (unlink(path) < 0 && errno != ENOENT) {
        int r = errno == EISDIR ? dir_remove(path) : ERR(-errno);

        if (r < 0)
            return TRACE(r);
    }
    return TRACE(dir_make(path, FOLDER_MODE));
}

static int fail_none(bool is_several, struct step_result *result)
{
    (void)step_fail(result,
                    "SLW-0308",
                    "There is no volume to apply the image to: none was formatted, and %s. Put "
                    "Format and Partition Disk before this step, or, to keep the partitions, "
                    "name the volume in its destination.",
                    is_several ? "several volumes hold an operating system"
                               : "no volume of the kind that is meant holds an operating system");
    return REFRESH_E_FAILED;
}

int refresh_adopt(struct step_context *c, struct step_result *result)
{
    struct target_wish wish;
    struct step_target found;
    int r;

    read_wish(c, &wish);
    r = target_find_system(c->machine, &wish, &found);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return fail_none(r == TARGET_E_SEVERAL, result);
    r = target_mount(&found);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return fail_none(false, result);
    *c->target = found;
    c->log(c->ctx,
           "The volume %s was not formatted and holds an operating system: it is refreshed",
           found.root_device);
    r = clear_own_folder();
    if (r == 0 && c->save)
        r = c->save(c->ctx);
    return TRACE(r);
}

int refresh_kept(struct step_context *c, struct empty_kept *ret, struct step_result *result)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    const char *const paths[] = {
        TARGET_STATE_FOLDER,
        ts_vars_get(c->vars, "OSDStateStorePath"),
        ts_vars_get(c->vars, "_SMSTSUserStatePath"),
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(paths) / sizeof(paths[0]); i++)
        r = empty_keep(ret, TARGET_ROOT, paths[i] ? paths[i] : "", &why);
    if (r <= 0)
        return TRACE(r);
    (void)step_fail(result,
                    "SLW-0305",
                    "The volume %s cannot be emptied: %s. It was left as it is.",
                    c->target->root_device,
                    buf_str(&why));
    return REFRESH_E_FAILED;
}

/* When the old system is gone there must be room for packs and image. Return: 0, 1 if not, or -errno. */
static int check_room(const struct empty_kept *kept, uint64_t size_bytes)
{
    struct statvfs st;
    uint64_t all;

    if (statvfs(TARGET_ROOT, &st) < 0)
        return ERR(-errno);
    all = (st.f_blocks - (st.f_bfree - st.f_bavail)) * st.f_frsize;
    return all >= empty_kept_bytes(kept, TARGET_ROOT) + size_bytes ? 0 : 1;
}

static bool tell(void *ctx, uint64_t done_bytes)
{
    const struct verifying *v = ctx;
    char what[WHAT_MAX];

    (void)snprintf(what,
                   sizeof(what),
                   "Checking %s before the old system is removed: %" PRIu64 " of %" PRIu64 " MiB",
                   v->package_id,
                   done_bytes / MIB,
                   v->all_bytes / MIB);
    return v->c->progress(
        v->c->ctx, v->all_bytes > 0 ? (unsigned)(done_bytes * 100 / v->all_bytes) : 0, 0, what);
}

/* Return: of shelf_verify(). */
static int verify(struct step_context *c, const struct content_want *want, struct shelf *shelf)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    struct verifying v = {.c = c, .package_id = want->package->package_id};
    int r = shelf_read_manifest(shelf, want->manifest, &manifest);

    if (r < 0)
        return TRACE(r);
    if (r > 0) {
        r = shelf_unseal(shelf, want->manifest);
        return r < 0 ? TRACE(r) : SHELF_E_WRONG;
    }
    for (size_t i = 0; i < manifest.n_packs; i++)
        v.all_bytes += manifest.packs[i].plain_bytes;
    return TRACE(shelf_verify(shelf, want->manifest, &manifest, tell, &v));
}

/* Return: 0, REFRESH_E_FAILED, or -errno. */
static int fail_verify(const struct step_context *c,
                       const struct content_want *want,
                       int outcome,
                       struct step_result *result)
{
    if (outcome < 0)
        return TRACE(outcome);
    if (outcome == TRANSFER_E_CANCELLED)
        (void)step_fail(result,
                        "SLW-0309",
                        "Applying %s was cancelled at the site. The volume %s was left as it is.",
                        want->package->package_id,
                        c->target->root_device);
    else
        (void)step_fail(result,
                        "SLW-0301",
                        "Content of %s is not what its name says, also when it was downloaded "
                        "again. The volume %s was left as it is. Validate the content of the "
                        "package on its distribution points, and check the disk.",
                        want->package->package_id,
                        c->target->root_device);
    return REFRESH_E_FAILED;
}

static int provide_checked(struct step_context *c,
                           const struct content_want *want,
                           struct step_result *result,
                           struct shelf **ret)
{
    OWN(shelf_freep) struct shelf *shelf = NULL;
    int r = SHELF_E_WRONG;

    for (unsigned i = 0; r == SHELF_E_WRONG && i < TRIES; i++) {
        shelf_freep(&shelf);
        shelf = NULL;
        r = content_provide(c, want, result, &shelf);
        if (r < 0)
            return TRACE(r);
        if (!shelf)
            return REFRESH_E_FAILED;
        r = verify(c, want, shelf);
    }
    if (r != 0)
        return TRACE(fail_verify(c, want, r, result));
    *ret = TAKE(shelf);
    return 0;
}

int refresh_provide(struct step_context *c,
                    const struct content_want *want,
                    uint64_t size_bytes,
                    struct step_result *result,
                    struct shelf **ret)
{
    OWN(empty_kept_fini) struct empty_kept kept = {0};
    OWN(shelf_freep) struct shelf *shelf = NULL;
    int r = refresh_kept(c, &kept, result); /* before anything is done */

    if (r == 0)
        r = content_settle(c, result); /* what is in memory only would not outlive a power cut */
    if (r == 0 && result->error_id)
        return REFRESH_E_FAILED;
    if (r == 0)
        r = provide_checked(c, want, result, &shelf);
    if (r != 0)
        return TRACE(r);
    r = check_room(&kept, size_bytes);
    if (r < 0)
        return TRACE(r);
    if (r > 0) {
        (void)step_fail(result,
                        "SLW-0330",
                        "The volume %s has no room for image and content of %s, not even without "
                        "the old system. It was left as it is.",
                        c->target->root_device,
                        want->package->package_id);
        return REFRESH_E_FAILED;
    }
    *ret = TAKE(shelf);
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Apply Data Image (SMS_TaskSequence_ApplyDataImageAction): the files of an image go onto a volume, and nothing starts
 * from there
 *
 * The step can be repeated: it deletes what is on the volume first, or, if it must not, writes the same files again.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "agent/run/machine.h"
#include "agent/run/order.h"
#include "agent/run/target.h"
#include "agent/steps/content.h"
#include "agent/steps/empty.h"
#include "agent/steps/image_stream.h"
#include "agent/steps/step.h"
#include "agent/steps/volumes.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "image/disk_format.h"
#include "image/disk_write.h"
#include "plat/file.h"
#include "ts/vars.h"

#define DATA_ROOT "/run/slipway/data"

enum {
    WHY_MAX_BYTES = 4096,
    FOLDER_MODE = 0700,
    PARTITION_MAX = 256,
    FLAGS = MS_NOATIME | MS_NODEV | MS_NOEXEC | MS_NOSUID,
};

struct job {
    struct step_context *c;
    const char *package_id;
    const struct order_index *image;
    struct shelf *shelf; /* owned; where it was downloaded to; NULL: it is streamed */
    struct volume volume;
    bool is_wiped;   /* what is on it goes first */
    bool is_target;  /* it is the operating system's */
    bool is_mounted; /* at DATA_ROOT */
};

static void job_fini(struct job *job)
{
    if (job->is_mounted)
        (void)umount(DATA_ROOT);
    shelf_free(job->shelf);
}

/* A partition that was there before, if the step names its numbers. Return: whether there is one with a file system. */
static bool find_old_partition(struct step_context *c, struct volume *ret)
{
    struct disk_content content;
    char path[DEVICE_PATH_MAX];

    *ret = (struct volume){0};
    if (step_value(c, "DestinationVariable")[0] != '\0' ||
        step_value(c, "DestinationLogicalDrive")[0] != '\0' ||
        !bytes_parse_u64(
            bytes_of(step_value(c, "DestinationDisk")), 0, MACHINE_DISKS_MAX, &ret->disk) ||
        !bytes_parse_u64(
            bytes_of(step_value(c, "DestinationPartition")), 1, PARTITION_MAX, &ret->partition) ||
        ret->disk >= c->machine->n_disks || c->machine->disks[ret->disk].is_removable)
        return false;
    (void)snprintf(path, sizeof(path), "/dev/%.32s", c->machine->disks[ret->disk].name);
    disk_partition_path(path, (size_t)ret->partition, ret->device, sizeof(ret->device));
    if (disk_read_content(ret->device, &content) != 0)
        return false;
    (void)snprintf(ret->uuid, sizeof(ret->uuid), "%s", content.uuid);
    return true;
}

/* Where the step says, or the next available partition. Return: 0, 1 if @ret was set, or -errno. */
static int choose_volume(struct job *job, struct step_result *ret)
{
    struct step_context *c = job->c;
    int r = volumes_destination(c, &job->volume, ret);

    if (r == VOLUMES_E_NONE && ret->error_id && find_old_partition(c, &job->volume)) {
        *ret = (struct step_result){0};
        r = 0;
    }
    if (r < 0 || ret->error_id)
        return r < 0 ? TRACE(r) : 1;
    if (r == VOLUMES_E_NONE) {
        r = volumes_next(c->vars, c->target, &job->volume);
        if (r == 0)
            r = volumes_locate(c->machine, &job->volume);
    }
    if (r < 0)
        return TRACE(r);
    if (r > 0) {
        (void)step_fail(ret,
                        "SLW-0459",
                        "No partition is available for image %" PRIu32
                        " of %s: let Format and Partition Disk make one more, or name a "
                        "destination",
                        job->image->index,
                        job->package_id);
        return 1;
    }
    job->is_target =
        job->volume.uuid[0] != '\0' && strcmp(job->volume.uuid, c->target->root_uuid) == 0;
    return 0;
}

static int fail_volume(const struct job *job, const char *what, struct step_result *ret)
{
    (void)step_fail(ret,
                    "SLW-0459",
                    "%s, the destination of image %" PRIu32 " of %s, %s. Nothing was written",
                    job->volume.device,
                    job->image->index,
                    job->package_id,
                    what);
    return 1;
}

/* NTFS cannot be mounted: its file system is made anew. Return: 0, 1 if @ret was set, or -errno. */
static int make_anew(struct job *job, const struct disk_content *old, struct step_result *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    struct disk_partition partition = {.wish = {.file_system = DISK_FS_NTFS, .is_quick = true}};
    struct disk_content content;
    int r;

    (void)snprintf(partition.device, sizeof(partition.device), "%s", job->volume.device);
    (void)snprintf(partition.wish.label, sizeof(partition.wish.label), "%.32s", old->label);
    r = disk_make_file_system(&partition, &why);
    if (r == 0)
        r = disk_read_content(job->volume.device, &content);
    if (r < 0)
        return TRACE(r);
    if (r > 0) {
        (void)step_fail(
            ret, "SLW-0456", "%s got no file system: %s", job->volume.device, buf_str(&why));
        return 1;
    }
    (void)snprintf(job->volume.uuid, sizeof(job->volume.uuid), "%s", content.uuid);
    r = volumes_replace(job->c->vars, &job->volume);
    if (r >= 0)
        r = job->c->save ? job->c->save(job->c->ctx) : 0;
    return r < 0 ? TRACE(r) : 0;
}

/* Return: 0, 1 if @ret was set, or -errno. */
static int empty_folder(const struct job *job, struct step_result *ret)
{
    OWN(empty_kept_fini) struct empty_kept kept = {0};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    int r = empty_volume(job->c, DATA_ROOT, &kept, &why);

    if (r < 0)
        buf_adds(&why, strerrordesc_np(-r));
    if (r == 0)
        return 0;
    if (r == EMPTY_E_STOPPED) {
        (void)step_fail(ret,
                        "SLW-0406",
                        "the deployment was cancelled while the volume %s was emptied",
                        job->volume.device);
        return 1;
    }
    (void)step_fail(ret,
                    "SLW-0305",
                    "Could not empty the volume %s before applying %s: %s.",
                    job->volume.device,
                    job->package_id,
                    buf_str(&why));
    return 1;
}

/* Return: 0, 1 if @ret was set, or -errno. */
static int
mount_volume(struct job *job, const struct disk_content *content, struct step_result *ret)
{
    /* FAT knows no owners: what is set is not refused */
    const char *options = strcmp(content->type, "vfat") == 0 ? "quiet,utf8" : NULL;
    int r = dir_make(DATA_ROOT, FOLDER_MODE);

    if (r < 0)
        return TRACE(r);
    if (mount(job->volume.device, DATA_ROOT, content->type, FLAGS, options) != 0) {
        char what[128];

        (void)snprintf(what,
                       sizeof(what),
                       "cannot be mounted as %s: %s",
                       content->type,
                       strerrordesc_np(errno));
        return fail_volume(job, what, ret);
    }
    job->is_mounted = true;
    return job->is_wiped ? TRACE(empty_folder(job, ret)) : 0;
}

/* @ret_path: of struct image_stream. Return: 0, 1 if @ret was set, or -errno. */
static int open_volume(struct job *job, const char **ret_path, struct step_result *ret)
{
    struct disk_content content;
    int r;

    if (job->is_target && job->is_wiped)
        return fail_volume(job,
                           "is the volume of the operating system: choose another one, or do not "
                           "have its content deleted",
                           ret);
    if (job->is_target) {
        *ret_path = TARGET_ROOT;
        r = target_mount(job->c->target);
        return r <= 0 ? TRACE(r) : fail_volume(job, "cannot be mounted", ret);
    }
    if (disk_read_content(job->volume.device, &content) != 0)
        return fail_volume(job, "has no file system that is known here", ret);
    if (strcmp(content.type, "ntfs") == 0) {
        *ret_path = job->volume.device;
        return job->is_wiped ? TRACE(make_anew(job, &content, ret)) : 0;
    }
    *ret_path = DATA_ROOT;
    return TRACE(mount_volume(job, &content, ret));
}

/* Before anything is deleted it is here in full, unless it is streamed. Return: 0, 1 if @ret was set, or -errno. */
static int provide(struct job *job, struct step_result *ret)
{
    const struct content_want want = {
        .package = order_find_content(job->c->order, job->package_id),
        .manifest = job->image->manifest,
        .reserve_bytes = job->is_target ? job->image->size_bytes : 0,
    };
    int r = content_provide(job->c, &want, ret, &job->shelf);

    return r < 0 ? TRACE(r) : ret->error_id != NULL;
}

static int apply(struct job *job, const char *path, struct step_result *ret)
{
    int r = image_stream_run(&(struct image_stream){.c = job->c,
                                                    .package_id = job->package_id,
                                                    .image = job->image,
                                                    .path = path,
                                                    .device = job->volume.device,
                                                    .shelf = job->shelf,
                                                    .may_lose = true},
                             ret);

    if (r < 0 || ret->error_id)
        return TRACE(r);
    job->volume.has_data = true; /* no longer available */
    r = volumes_replace(job->c->vars, &job->volume);
    return r < 0 ? TRACE(r) : 0;
}

int step_apply_data_run(struct step_context *c, struct step_result *ret)
{
    OWN(job_fini) struct job job = {.c = c};
    const char *path = NULL;
    int r;

    *ret = (struct step_result){0};
    job.image = content_choose_image(c, ret);
    if (!job.image)
        return 0;
    job.package_id = step_value(c, "ImagePackageID");
    job.is_wiped =
        !bytes_eq_nocase(bytes_of(step_value(c, "OSDWipeDestinationPartition")), "false");
    r = choose_volume(&job, ret);
    if (r == 0)
        r = provide(&job, ret);
    if (r == 0)
        r = open_volume(&job, &path, ret);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    c->log(c->ctx,
           "Image %" PRIu32 " of %s goes to %s%s",
           job.image->index,
           job.package_id,
           job.volume.device,
           job.is_wiped ? ", whose content is deleted" : "");
    return TRACE(apply(&job, path, ret));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/restart.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/fetch/fetch.h"
#include "agent/run/order.h"
#include "agent/run/restart_parts.h"
#include "agent/run/target.h"
#include "agent/steps/inside.h"
#include "agent/steps/package.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "image/boot_text.h"
#include "plat/arch.h"
#include "plat/file.h"
#include "ts/vars.h"

/* What this computer was booted with, kept for the full operating system, which has a line of its own */
#define ARGUMENTS_FILE BOOT_MENU_FOLDER "/arguments"

static const char *const file_names[] = {"vmlinuz", "initrd.img"};

static const char *root_of(const struct step_context *c)
{
    return c->environment == STEP_IN_FULL_OS ? "" : TARGET_ROOT;
}

static const struct order_file *find_file(const struct order_content *content, const char *name)
{
    for (size_t i = 0; i < content->n_files; i++)
        if (strcmp(content->files[i].name, name) == 0)
            return &content->files[i];
    return NULL;
}

static int fetch_one(struct step_context *c,
                     const struct order_content *content,
                     const char *root,
                     const char *name,
                     struct buf *why)
{
    const struct order_file *file = find_file(content, name);
    struct transfer_options options;
    struct transfer_report report;
    char path[256];
    char target[PATH_MAX];

    if (!file) {
        buf_addf(why, "the order's boot image %s has no file %s", content->package_id, name);
        return RESTART_E_NO_BOOT_IMAGE;
    }
    package_options(c, content, &options);
    (void)snprintf(path, sizeof(path), "/boot/%s/" ARCH_NAME "/%s", content->package_id, name);
    (void)snprintf(target, sizeof(target), "%s" RESTART_BOOT_FOLDER "/%s", root, name);
    int r = fetch_file(
        &options,
        &(struct fetch_file){.path = path, .size_bytes = file->size_bytes, .sha256 = file->sha256},
        target,
        &report);

    if (r < 0)
        return TRACE(r);
    if (r > 0)
        buf_adds(why, report.why);
    return r > 0 ? RESTART_E_CONTENT : 0;
}

/* In the boot image the line of this start; in the full OS the one that Setup kept. */
static int read_arguments(const struct step_context *c, struct buf *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(RESTART_CMDLINE_MAX);
    const char *path = c->environment == STEP_IN_FULL_OS ? ARGUMENTS_FILE : "/proc/cmdline";
    int r = file_read(path, &text);

    if (r < 0)
        return TRACE(r);
    if (r != 0)
        return RESTART_E_NOT_BOOTABLE;
    boot_text_again(buf_str(&text), ret);
    return ret->failed ? ERR(-ENOMEM) : 0;
}

int restart_keep_arguments(void)
{
    OWN(buf_fini) struct buf text = BUF_INIT(RESTART_CMDLINE_MAX);
    OWN(buf_fini) struct buf kept = BUF_INIT(RESTART_CMDLINE_MAX);
    OWN(fd_closep) int root = -1;
    int r = file_read("/proc/cmdline", &text);

    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-ENOENT);
    boot_text_again(buf_str(&text), &kept);
    if (kept.failed)
        return ERR(-ENOMEM);
    r = inside_open(TARGET_ROOT, &root);
    return r < 0 ? TRACE(r)
                 : TRACE(inside_write(root,
                                      &ARGUMENTS_FILE[1], /* relative */
                                      buf_bytes(&kept),
                                      (struct inside_mode){.bits = 0600}));
}

int restart_put_boot_image(struct step_context *c, const char *root, struct buf *why)
{
    OWN(buf_fini) struct buf arguments = BUF_INIT(RESTART_CMDLINE_MAX);
    OWN(buf_fini) struct buf menu = BUF_INIT(BOOT_TEXT_MAX);
    const struct order_content *content =
        c->order->boot_image_id ? order_find_content(c->order, c->order->boot_image_id) : NULL;
    char path[PATH_MAX];

    if (!content) {
        buf_adds(why, "the order names no boot image");
        return RESTART_E_NO_BOOT_IMAGE;
    }
    (void)snprintf(path, sizeof(path), "%s" RESTART_BOOT_FOLDER, root);
    int r = dir_make(path, 0700);

    for (size_t i = 0; r == 0 && i < sizeof(file_names) / sizeof(file_names[0]); i++)
        r = fetch_one(c, content, root, file_names[i], why);
    if (r != 0)
        return TRACE(r);
    r = read_arguments(c, &arguments);
    if (r != 0) {
        if (r > 0)
            buf_addf(why, "the boot image's arguments are not in " ARGUMENTS_FILE);
        return TRACE(r);
    }
    boot_text_once(buf_str(&arguments), &menu);
    if (menu.failed)
        return ERR(-ENOMEM);
    /* The switch comes last, when what it loads is there */
    (void)snprintf(path, sizeof(path), "%s" BOOT_ONCE_FILE, root);
    return TRACE(file_write(path, buf_bytes(&menu), 0600));
}

int restart_to_boot_image_prepare(struct step_context *c, struct buf *why)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s" BOOT_MENU_FOLDER "/grub.cfg", root_of(c));
    if (!file_exists(path)) {
        buf_adds(why, "the volume has no boot loader yet: Setup has not run");
        return RESTART_E_NOT_BOOTABLE;
    }
    return TRACE(restart_put_boot_image(c, root_of(c), why));
}

int restart_prepare(struct step_context *c, struct buf *why)
{
    int r = restart_to_boot_image_prepare(c, why);

    if (r == RESTART_E_NOT_BOOTABLE && c->environment == STEP_IN_BOOT_IMAGE)
        r = 0;
    if (r == 0 && restart_uefi_is_wanted(c)) {
        buf_clear(why);
        r = restart_uefi_stage(c, why);
    }
    return r < 0 ? TRACE(r) : r;
}

int restart_take_boot_image(const char *root)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s" RESTART_BOOT_FOLDER, root);
    if (!file_exists(path))
        return 0;
    (void)snprintf(path, sizeof(path), "%s" BOOT_ONCE_FILE, root);
    if (unlink(path) != 0 && errno != ENOENT)
        return ERR(-errno);
    (void)snprintf(path, sizeof(path), "%s" RESTART_BOOT_FOLDER, root);

    int r = dir_remove(path);

    return r < 0 ? TRACE(r) : RESTART_SWITCHED_BACK;
}

int restart_to_boot_image_done(const struct step_target *target)
{
    if (!target->is_mounted)
        return 0;

    int staged = restart_uefi_done(target);
    int r = staged < 0 ? staged : restart_take_boot_image(TARGET_ROOT);

    return r < 0 ? TRACE(r) : r > 0 ? r : staged;
}

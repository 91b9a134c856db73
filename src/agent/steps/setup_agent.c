/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/setup_parts.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/steps/inside.h"
#include "agent/steps/return_code.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "image/boot_text.h"
#include "image/disk_write.h"
#include "plat/file.h"

#define BUNDLE       "/usr/lib/slipway" /* made by bootimage/build.sh */
#define SYSTEMD_UNIT "/etc/systemd/system/slipway-agent.service"
#define SYSTEMD_LINK "/etc/systemd/system/multi-user.target.wants/slipway-agent.service"
#define INIT_SCRIPT  "/etc/init.d/slipway-agent"
#define OPENRC_LINK  "/etc/runlevels/default/slipway-agent"
#define SYSV_LINK    "/etc/rc%c.d/S99slipway-agent"

enum {
    BUNDLE_FILE_MAX = 256 * 1024 * 1024,
    FSTAB_MAX = 1024 * 1024,
};

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static bool exists(const char *root, const char *path)
{
    char full[PATH_MAX];
    struct stat st;

    return snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full) &&
           lstat(full, &st) == 0;
}

/* @path begins with '/', as in the running system. */
static int write_text(int root, const char *path, const char *text, unsigned bits)
{
    return TRACE(inside_write(root, path + 1, bytes_of(text), (struct inside_mode){.bits = bits}));
}

static int make_link(int root, const char *path, const char *to)
{
    return TRACE(inside_link(root, path + 1, to));
}

static int copy_file(const char *from, int root, const char *to)
{
    OWN(buf_fini) struct buf content = BUF_INIT(BUNDLE_FILE_MAX);
    struct stat st;
    int r = file_read(from, &content);

    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-ENOENT);
    if (stat(from, &st) != 0)
        return ERR(-errno);
    return TRACE(inside_write(
        root, to + 1, buf_bytes(&content), (struct inside_mode){.bits = st.st_mode & 0755}));
}

/* The plain files of one folder; what lies deeper is for another call. */
static int copy_files(const char *folder, int root)
{
    OWN(closedirp) DIR *dir = opendir(folder);
    char path[PATH_MAX];
    const struct dirent *entry;
    struct stat st;
    int r = 0;

    if (!dir)
        return ERR(-errno);
    while (r == 0 && (entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe): own DIR */
        if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path))
            return ERR(-ENAMETOOLONG);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
            r = copy_file(path, root, path);
    }
    return TRACE(r);
}

static int install_sysv(int root)
{
    char link[64];
    int r = write_text(root, INIT_SCRIPT, boot_text_sysv_script(), 0755);

    for (char level = '2'; r == 0 && level <= '5'; level++) {
        (void)snprintf(link, sizeof(link), SYSV_LINK, level);
        r = make_link(root, link, "../init.d/slipway-agent");
    }
    return TRACE(r);
}

/* Return: 0; 1: an init system that is not known here; -errno. */
static int install_service(struct step_context *c, int root)
{
    int r;

    if (inside_exists(root, "usr/lib/systemd/systemd") ||
        inside_exists(root, "lib/systemd/systemd")) {
        c->log(c->ctx, "The operating system has systemd");
        r = write_text(root, SYSTEMD_UNIT, boot_text_systemd_unit(), 0644);
        return r != 0 ? TRACE(r) : TRACE(make_link(root, SYSTEMD_LINK, SYSTEMD_UNIT));
    }
    if (inside_exists(root, "sbin/openrc-run") || inside_exists(root, "usr/sbin/openrc-run")) {
        c->log(c->ctx, "The operating system has OpenRC");
        r = write_text(root, INIT_SCRIPT, boot_text_openrc_script(), 0755);
        return r != 0 ? TRACE(r) : TRACE(make_link(root, OPENRC_LINK, INIT_SCRIPT));
    }
    if (inside_exists(root, "etc/init.d") && inside_exists(root, "etc/rc2.d")) {
        c->log(c->ctx, "The operating system has SysV init");
        return TRACE(install_sysv(root));
    }
    return 1;
}

bool setup_has_service(const char *root)
{
    return exists(root, BUNDLE "/slipway-agent") &&
           (exists(root, SYSTEMD_LINK) || exists(root, OPENRC_LINK) ||
            exists(root, "/etc/rc2.d/S99slipway-agent"));
}

static int write_fstab(struct step_context *c, int root)
{
    OWN(buf_fini) struct buf old = BUF_INIT(FSTAB_MAX);
    OWN(buf_fini) struct buf text = BUF_INIT(FSTAB_MAX);
    struct disk_content content;
    int r = disk_read_content(c->target->root_device, &content);

    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    r = inside_read(root, "etc/fstab", &old);
    if (r < 0)
        return TRACE(r);
    boot_text_fstab(
        buf_bytes(&old), c->target->root_uuid, content.type, c->target->esp_uuid, &text);
    if (text.failed)
        return ERR(-ENOMEM);
    if (c->target->esp_uuid[0] != '\0') {
        r = inside_make_dir(root, "boot/efi", (struct inside_mode){.bits = 0700});
        if (r < 0)
            return TRACE(r);
    }
    return TRACE(write_text(root, "/etc/fstab", buf_str(&text), 0644));
}

static int fail_write(struct step_result *ret, const char *what, int r)
{
    char text[128];

    (void)step_fail_with(
        ret,
        return_code_of_errno(-r, RETURN_UNSPECIFIED),
        "SLW-0463",
        "%s could not be written to the volume (error %d, %s): look whether the disk is "
        "full or broken",
        what,
        -r,
        strerror_r(-r, text, sizeof(text)));
    return 1;
}

int setup_agent(struct step_context *c, struct step_result *ret)
{
    OWN(fd_closep) int root = -1;
    int r = inside_open(TARGET_ROOT, &root);

    if (r == 0)
        r = write_fstab(c, root);
    if (r < 0)
        return fail_write(ret, "The file system table /etc/fstab", r);
    c->log(c->ctx, "Copying the agent to " BUNDLE);
    r = copy_files(BUNDLE, root);
    if (r == 0)
        r = copy_files(BUNDLE "/lib", root);
    if (r < 0)
        return fail_write(ret, "The agent", r);
    r = install_service(c, root);
    if (r < 0)
        return fail_write(ret, "The agent's service", r);
    if (r > 0) {
        (void)step_fail(ret,
                        "SLW-0461",
                        "The operating system has neither systemd, OpenRC nor SysV init: the agent "
                        "could not be started in it. Use an image of a Linux distribution");
        return 1;
    }
    return 0;
}

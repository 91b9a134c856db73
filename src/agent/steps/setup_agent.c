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
#define UNIT_FOLDER  "/etc/systemd/system/"
#define WANTS_FOLDER "/etc/systemd/system/multi-user.target.wants/"
#define INIT_FOLDER  "/etc/init.d/"
#define LEVEL_FOLDER "/etc/runlevels/default/"
#define SYSV_LINK    "/etc/rc%c.d/S99%s"
#define OLD_IDENTITY "/var/lib/slipway/client/client.json"

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

/* What is installed for each of the init systems. */
struct service {
    const char *name;
    const char *(*unit)(void);
    const char *(*openrc)(void);
    const char *(*sysv)(void);
};

/* The one that goes on with the task sequence, and the one that stays when it is over (docs/clients.md) */
static const struct service services[] = {
    {"slipway-agent", boot_text_systemd_unit, boot_text_openrc_script, boot_text_sysv_script},
    {"slipway-client",
     boot_text_client_unit,
     boot_text_client_openrc_script,
     boot_text_client_sysv_script},
};

enum {
    N_SERVICES = sizeof(services) / sizeof(services[0]),
    SERVICE_PATH_MAX = 128,
};

static int install_systemd(int root, const struct service *service)
{
    char unit[SERVICE_PATH_MAX];
    char link[SERVICE_PATH_MAX];
    int r;

    (void)snprintf(unit, sizeof(unit), UNIT_FOLDER "%s.service", service->name);
    (void)snprintf(link, sizeof(link), WANTS_FOLDER "%s.service", service->name);
    r = write_text(root, unit, service->unit(), 0644);
    return r != 0 ? TRACE(r) : TRACE(make_link(root, link, unit));
}

static int install_openrc(int root, const struct service *service)
{
    char script[SERVICE_PATH_MAX];
    char link[SERVICE_PATH_MAX];
    int r;

    (void)snprintf(script, sizeof(script), INIT_FOLDER "%s", service->name);
    (void)snprintf(link, sizeof(link), LEVEL_FOLDER "%s", service->name);
    r = write_text(root, script, service->openrc(), 0755);
    return r != 0 ? TRACE(r) : TRACE(make_link(root, link, script));
}

static int install_sysv(int root, const struct service *service)
{
    char script[SERVICE_PATH_MAX];
    char to[SERVICE_PATH_MAX];
    char link[SERVICE_PATH_MAX];
    int r;

    (void)snprintf(script, sizeof(script), INIT_FOLDER "%s", service->name);
    (void)snprintf(to, sizeof(to), "../init.d/%s", service->name);
    r = write_text(root, script, service->sysv(), 0755);
    for (char level = '2'; r == 0 && level <= '5'; level++) {
        (void)snprintf(link, sizeof(link), SYSV_LINK, level, service->name);
        r = make_link(root, link, to);
    }
    return TRACE(r);
}

static int install_all(int root, int (*install)(int root, const struct service *service))
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < N_SERVICES; i++)
        r = install(root, &services[i]);
    return TRACE(r);
}

/* Return: 0; 1: an init system that is not known here; -errno. */
static int install_services(struct step_context *c, int root)
{
    if (inside_exists(root, "usr/lib/systemd/systemd") ||
        inside_exists(root, "lib/systemd/systemd")) {
        c->log(c->ctx, "The operating system has systemd");
        return TRACE(install_all(root, install_systemd));
    }
    if (inside_exists(root, "sbin/openrc-run") || inside_exists(root, "usr/sbin/openrc-run")) {
        c->log(c->ctx, "The operating system has OpenRC");
        return TRACE(install_all(root, install_openrc));
    }
    if (inside_exists(root, "etc/init.d") && inside_exists(root, "etc/rc2.d")) {
        c->log(c->ctx, "The operating system has SysV init");
        return TRACE(install_all(root, install_sysv));
    }
    return 1;
}

bool setup_has_service(const char *root)
{
    return exists(root, BUNDLE "/slipway-agent") &&
           (exists(root, WANTS_FOLDER "slipway-agent.service") ||
            exists(root, LEVEL_FOLDER "slipway-agent") ||
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
    r = inside_remove(root, &OLD_IDENTITY[1]); /* of the computer that the image is of */
    if (r == 0)
        r = copy_files(BUNDLE, root);
    if (r == 0)
        r = copy_files(BUNDLE "/lib", root);
    if (r < 0)
        return fail_write(ret, "The agent", r);
    r = install_services(c, root);
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

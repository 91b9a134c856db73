/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "agent/run/journal.h"
#include "agent/run/journal_old.h"
#include "agent/run/runner.h"
#include "agent/run/target.h"
#include "agent/steps/network_folder.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/log.h"

enum {
    FINAL_LOG_MODE = 0600,
    LOG_FOLDER_MODE = 0755,
    LOG_MAX_BYTES = 32 * 1024 * 1024,
};

/* The service that Setup installed starts no more. Best effort: without a state it does nothing. */
static void disable_service(const char *root)
{
    static const char *const links[] = {
        "etc/systemd/system/multi-user.target.wants/slipway-agent.service",
        "etc/runlevels/default/slipway-agent",
        "etc/rc2.d/S99slipway-agent",
        "etc/rc3.d/S99slipway-agent",
        "etc/rc4.d/S99slipway-agent",
        "etc/rc5.d/S99slipway-agent",
    };

    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        OWN(buf_fini) struct buf path = BUF_INIT(4096);

        buf_addf(&path, "%s/%s", root, links[i]);
        (void)unlink(buf_str(&path));
    }
}

/* To its place for good. A log that is not there is none. */
static int keep_log(const char *root, const char *name)
{
    OWN(buf_fini) struct buf log = BUF_INIT(LOG_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(4096);
    int r;

    buf_addf(&path, "%s/%s/Logs/%s", root, TARGET_STATE_FOLDER, name);
    r = file_read(buf_str(&path), &log);
    if (r != 0)
        return r == FILE_E_MISSING ? 0 : TRACE(r);
    buf_clear(&path);
    buf_addf(&path, "%s/var/log/slipway/%s", root, name);
    return TRACE(file_write(buf_str(&path), buf_bytes(&log), FINAL_LOG_MODE));
}

/* The old files first. */
static int keep_logs(const char *root)
{
    OWN(buf_fini) struct buf path = BUF_INIT(4096);
    struct journal_old list;
    int r;

    buf_addf(&path, "%s/" TARGET_STATE_FOLDER "/Logs/smsts.log", root);
    r = journal_old_list(buf_str(&path), &list);
    for (size_t i = 0; r == 0 && i < list.n; i++)
        r = keep_log(root, list.files[i].name);
    return r == 0 ? TRACE(keep_log(root, "smsts.log")) : TRACE(r);
}

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static bool is_last(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "Logs") == 0 ||
           strcmp(name, strrchr(TARGET_STATE_FILE, '/') + 1) == 0;
}

/* What steps had put there: packages, content, programs. Log and state stay. */
static int remove_rest(const char *folder)
{
    OWN(closedirp) DIR *dir = opendir(folder);

    if (!dir)
        return ERR(-errno);
    for (;;) {
        OWN(buf_fini) struct buf path = BUF_INIT(4096);
        const struct dirent *entry;

        errno = 0;
        entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */
        if (!entry)
            return errno == 0 ? 0 : ERR(-errno);
        if (is_last(entry->d_name))
            continue;
        buf_addf(&path, "%s/%s", folder, entry->d_name);
        if (unlink(buf_str(&path)) < 0) {
            int r = errno == EISDIR ? dir_remove(buf_str(&path)) : ERR(-errno);

            if (r < 0)
                return TRACE(r);
        }
    }
}

/* While the state is there, the next start does again what a power cut has undone: so it is the last to go. */
static int remove_folder(const char *root)
{
    OWN(buf_fini) struct buf path = BUF_INIT(4096);
    OWN(buf_fini) struct buf state = BUF_INIT(4096);
    int r;

    buf_addf(&state, "%s/%s", root, TARGET_STATE_FILE);
    buf_addf(&path, "%s/%s", root, TARGET_STATE_FOLDER);
    r = remove_rest(buf_str(&path));
    if (r < 0)
        return TRACE(r);
    sync();
    buf_adds(&path, "/Logs");
    r = dir_remove(buf_str(&path));
    if (r < 0)
        return TRACE(r);
    if (unlink(buf_str(&state)) < 0 && errno != ENOENT)
        return ERR(-errno);
    buf_clear(&path);
    buf_addf(&path, "%s/%s", root, TARGET_STATE_FOLDER);
    return TRACE(dir_remove(buf_str(&path)));
}

int runner_clean_up(struct runner *rn)
{
    const char *root = runner_root(rn);
    OWN(buf_fini) struct buf path = BUF_INIT(4096);
    int r;

    network_folder_disconnect_all();
    (void)journal_attach(rn->journal, NULL);
    buf_addf(&path, "%s/var/log/slipway", root);
    r = dir_make(buf_str(&path), LOG_FOLDER_MODE);
    if (r == 0)
        r = keep_logs(root);
    if (r < 0)
        return TRACE(r);
    runner_keep_content(rn);
    r = runner_keep_client(rn);
    if (r == 0)
        r = remove_folder(root);
    if (r < 0)
        return TRACE(r);
    disable_service(root);
    sync();
    log_info("The task sequence has left the disk", "log=/var/log/slipway/smsts.log");
    return 0;
}

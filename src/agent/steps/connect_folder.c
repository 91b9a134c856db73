/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>

#include "agent/steps/connections.h"
#include "agent/steps/network_folder.h"
#include "agent/steps/network_reach.h"
#include "agent/steps/return_code.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/network_folder.h"
#include "ts/vars.h"

enum {
    TARGET_MAX_BYTES = 4096,
    NAME_MAX_BYTES = 64,
};

/* SLWNetworkFolder, and SLWNetworkFolderZ of a drive: where it is. */
static int tell(struct step_context *c, const char *drive, const char *target)
{
    char name[NAME_MAX_BYTES];
    int r = ts_vars_set(c->vars, "SLWNetworkFolder", target, TS_BY_ENGINE);

    if (r >= 0 && ts_drive_letter(drive) != '\0') {
        (void)snprintf(name, sizeof(name), "SLWNetworkFolder%c", ts_drive_letter(drive));
        r = ts_vars_set(c->vars, name, target, TS_BY_ENGINE);
    }
    return r < 0 ? TRACE(r) : 0;
}

/* So that it is there again after a restart. Return: 0, or -errno; @ret may be a failure. */
static int keep(struct step_context *c, const struct connection *one, struct step_result *ret)
{
    int r = c->connections ? connections_keep(c->connections, one) : 0;

    if (r <= 0)
        return TRACE(r);
    return step_fail(ret,
                     "SLW-0448",
                     "\"%.200s\" is not kept: a task sequence may connect %d folders",
                     one->path,
                     (int)CONNECTIONS_MAX);
}

/* Connect To Network Folder */
int step_connect_folder_run(struct step_context *c, struct step_result *ret)
{
    const char *path = step_value(c, "SMSConnectNetworkFolderPath");
    const char *drive = step_value(c, "SMSConnectNetworkFolderDriveLetter");
    const char *account = step_value(c, "SMSConnectNetworkFolderAccount");
    OWN(buf_fini) struct buf target = BUF_INIT(TARGET_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(STEP_MESSAGE_MAX);
    struct ts_network_folder folder;
    int r;

    *ret = (struct step_result){0};
    if (!ts_network_folder_parse(path, &folder))
        return step_fail_with(ret,
                              RETURN_PARAMETER,
                              "SLW-0448",
                              "\"%.200s\" is no network folder: write \\\\SERVER\\SHARE for SMB or "
                              "SERVER:/PATH for NFS",
                              path);
    if (!network_folder_target(&folder, drive, &target))
        return step_fail_with(
            ret,
            RETURN_PARAMETER,
            "SLW-0448",
            "\"%.64s\" is neither a drive letter (D to Z but X) nor a path to mount at",
            drive);

    const struct connection connection = {.path = path,
                                          .target = buf_str(&target),
                                          .account = account,
                                          .password =
                                              step_value(c, "SMSConnectNetworkFolderPassword")};

    c->log(c->ctx,
           "Connecting %s to %s%s%s",
           path,
           buf_str(&target),
           account[0] != '\0' ? " as " : "",
           account);
    r = network_folder_connect(c, &connection, &why);
    if (r == NETWORK_FOLDER_E_CANCELLED)
        return step_fail(ret, "SLW-0406", "\"%.200s\" was not connected: %s", path, buf_str(&why));
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return step_fail_with(ret,
                              network_folder_code(r),
                              "SLW-0448",
                              "\"%.200s\" cannot be connected: %s",
                              path,
                              buf_str(&why));
    r = keep(c, &connection, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    return TRACE(tell(c, drive, buf_str(&target)));
}

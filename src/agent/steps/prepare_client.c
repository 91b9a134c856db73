/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Prepare ConfigMgr Client for Capture (SMS_TaskSequence_PrepareSMSClientAction)
 *
 * What earlier task sequences left goes here. Agent, service and state of this one are needed until its end; Capture
 * Operating System Image leaves them out.
 */

#include "agent/steps/generalize.h"
#include "agent/steps/inside.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

int step_prepare_client_run(struct step_context *c, struct step_result *ret)
{
    OWN(fd_closep) int root = -1;
    int r = inside_open("/", &root);

    *ret = (struct step_result){0};
    if (r == 0)
        r = generalize_client(root);
    if (r < 0)
        return step_fail(ret,
                         "SLW-0480",
                         "what earlier task sequences left on this computer could not be removed "
                         "(error %d): look whether its disk is full or broken",
                         -r);
    c->log(c->ctx, "What earlier task sequences left is removed");
    return 0;
}

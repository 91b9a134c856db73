/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A refresh: an image is applied to a volume that holds an old system and was not formatted (docs/protocol/content.md)
 *
 *     the volume is chosen, and the state is on it
 *     the image's packs are on it: what the old system has of them from there, the rest downloaded, all of them checked
 *     the old system goes, but for what is protected
 *
 * Interrupted anywhere it is done again from the beginning, with what is there.
 */

#include <stdint.h>

#include "agent/fetch/shelf.h"
#include "agent/steps/content.h"
#include "agent/steps/empty.h"
#include "agent/steps/step.h"
#include "base/buf.h"

/* Outcome of the functions below, beside 0: @result is set as a failure */
enum {
    REFRESH_E_FAILED = 1,
};

/**
 * refresh_adopt() - make the volume with the old system the target, mounted, with the state on it
 *
 * It is the one that the step names (DestinationDisk and DestinationPartition, or DestinationVariable), or else the
 * only one with a system. What an earlier task sequence left of its own on it goes.
 */
int refresh_adopt(struct step_context *c, struct step_result *result);

/* What must outlive the emptying: the folder of the task sequence, and the user state. @ret: empty_kept_fini() */
int refresh_kept(struct step_context *c, struct empty_kept *ret, struct step_result *result);

/**
 * refresh_provide() - the whole image on the volume, each pack compared with its name
 * @size_bytes: of the image; there must be room for it when the old system is gone
 * @ret: owned by the caller, shelf_free()
 */
int refresh_provide(struct step_context *c,
                    const struct content_want *want,
                    uint64_t size_bytes,
                    struct step_result *result,
                    struct shelf **ret);

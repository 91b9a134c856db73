/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Content that is downloaded before it is used, as the deployment's content option says (docs/protocol/content.md)
 *
 * It lies on a shelf (agent/fetch/shelf.h): in _SMSTaskSequence/content on the volume, or in memory while there is no
 * volume. When the task sequence is over it goes with that folder.
 */

#include <stdint.h>

#include "agent/fetch/shelf.h"
#include "agent/steps/step.h"
#include "base/text.h"

struct order_content;
struct order_index;

struct content_want {
    const struct order_content *package;
    const uint8_t *manifest; /* SHA256_BYTES */
    uint64_t reserve_bytes;  /* that must stay free beside it, for what is made of it */
};

/* Whether content is used from the distribution point as it arrives: the deployment says so, or the step ("Access content
   directly from the distribution point"). Only downloaded content can take the place of an old system. */
bool content_is_streamed(struct step_context *c);

/**
 * content_find() - the shelf that has all of a content
 * @ret: owned by the caller, shelf_free(); NULL: none has
 */
int content_find(const struct step_context *c,
                 const uint8_t manifest[static SHA256_BYTES],
                 struct shelf **ret);

/**
 * content_provide() - the shelf that has it; it is downloaded if none has
 * @ret: owned by the caller, shelf_free(); NULL if @result was set as a failure, and if the order is streamed
 *
 * Return: 0 or -errno.
 */
int content_provide(struct step_context *c,
                    const struct content_want *want,
                    struct step_result *result,
                    struct shelf **ret);

/**
 * content_get_ahead() - download what a step uses before the first step is run
 * @c: as the step will be run
 * @result: untouched, or a failure
 */
int content_get_ahead(struct step_context *c, struct step_result *result);

/* What was downloaded into memory and is needed later moves to the volume, which lives through a restart. */
int content_settle(struct step_context *c, struct step_result *result);

/* The image that Apply Operating System Image or Apply Data Image applies. Return: NULL if @ret was set as a failure. */
const struct order_index *content_choose_image(struct step_context *c, struct step_result *ret);

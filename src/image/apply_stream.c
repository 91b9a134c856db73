/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "format/pwm/pwm.h"
#include "image/apply_path.h"
#include "image/apply_uses.h"
#include "image/wim_apply.h"

enum {
    READ_BYTES = 256 * 1024,
};

struct applied {
    const struct apply_target *target;
    struct buf *why;
    struct pwm_splitter splitter;
    struct buf resource; /* the metadata, as it comes */
    struct metadata image;
    struct apply_uses uses;
    bool has_image;  /* and the target was begun */
    bool is_in_blob; /* that somebody uses */
};

static void applied_fini(struct applied *a)
{
    if (a->has_image)
        a->target->stop(a->target->ctx);
    buf_fini(&a->resource);
    apply_uses_fini(&a->uses);
    metadata_fini(&a->image);
}

/* Its threads may be saying at this moment why they failed: they end first, and what they said is not the reason. */
static void end_target(struct applied *a)
{
    if (a->has_image)
        a->target->stop(a->target->ctx);
    a->has_image = false;
    buf_clear(a->why);
}

static int refuse(struct applied *a, const char *what)
{
    end_target(a);
    buf_adds(a->why, what);
    return WIM_APPLY_E_STREAM;
}

static int begin_metadata(struct applied *a)
{
    return a->splitter.size_bytes <= METADATA_MAX_BYTES
               ? 0
               : refuse(a, "The image has too much metadata");
}

static int end_metadata(struct applied *a)
{
    int r;

    if (a->resource.failed)
        return ERR(-ENOMEM);
    r = metadata_parse(buf_bytes(&a->resource), &a->image);
    if (r == METADATA_E_MALFORMED)
        return refuse(a, "The image's metadata is damaged");
    if (r < 0)
        return TRACE(r);
    buf_fini(&a->resource);
    r = apply_uses_init(&a->image, &a->uses);
    if (r < 0)
        return TRACE(r);
    a->has_image = true;
    return TRACE(a->target->begin(a->target->ctx, &a->image));
}

static int begin_blob(struct applied *a)
{
    struct apply_blob blob = {.size_bytes = a->splitter.size_bytes};

    if (!a->has_image)
        return refuse(a, "The stream has contents before it has the image's metadata");
    switch (apply_uses_find(&a->uses, a->splitter.sha1, &blob)) {
    case 0:
        a->is_in_blob = true;
        return TRACE(a->target->blob_begin(a->target->ctx, &blob));
    case APPLY_USES_E_TWICE:
        return refuse(a, "The stream has the same contents twice");
    default:
        return 0; /* nobody misses what nobody uses */
    }
}

static int begin_resource(struct applied *a)
{
    switch (a->splitter.part) {
    case PWM_METADATA:
        return TRACE(begin_metadata(a));
    case PWM_BLOB:
        return TRACE(begin_blob(a));
    case PWM_OTHER:
    default:
        return 0;
    }
}

static int end_resource(struct applied *a)
{
    if (a->splitter.part == PWM_METADATA)
        return TRACE(end_metadata(a));
    if (!a->is_in_blob)
        return 0;
    a->is_in_blob = false;
    return TRACE(a->target->blob_end(a->target->ctx));
}

static int take_bytes(struct applied *a, struct bytes bytes)
{
    if (a->splitter.part == PWM_METADATA)
        buf_add(&a->resource, bytes);
    if (a->is_in_blob)
        return TRACE(a->target->blob_piece(a->target->ctx, bytes));
    return 0;
}

static int take_piece(struct applied *a, const struct pwm_piece *piece)
{
    int r = 0;

    if (piece->is_head_end)
        r = begin_resource(a);
    else if (!piece->is_head)
        r = take_bytes(a, piece->bytes);
    if (r == 0 && piece->ends_unit)
        r = end_resource(a);
    return TRACE(r);
}

static int take(struct applied *a, struct bytes src)
{
    int r = 0;

    while (r == 0 && src.len > 0) {
        struct pwm_piece piece;

        if (pwm_next(&a->splitter, &src, &piece) != 0)
            return refuse(a, "The stream is not an uncompressed pipable WIM");
        r = take_piece(a, &piece);
    }
    return TRACE(r);
}

static int finish(struct applied *a)
{
    const struct apply_use *missing;

    if (!pwm_is_complete(&a->splitter) || !a->has_image)
        return refuse(a, "The stream ends early");
    missing = apply_uses_missing(&a->uses);
    if (missing) {
        end_target(a);
        buf_adds(a->why, "The stream does not have the contents of ");
        apply_path(&a->image, missing->inode, a->why);
        return WIM_APPLY_E_STREAM;
    }
    return TRACE(a->target->finish(a->target->ctx));
}

int apply_stream(int fd, const struct apply_target *target, struct buf *why)
{
    OWN(applied_fini)
    struct applied a = {.target = target, .why = why, .resource = BUF_INIT(METADATA_MAX_BYTES)};
    OWN(freep) uint8_t *room = malloc(READ_BYTES);

    if (!room)
        return ERR(-ENOMEM);
    pwm_init(&a.splitter);
    for (;;) {
        ssize_t n = read(fd, room, READ_BYTES);
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return TRACE(finish(&a));
        r = take(&a, (struct bytes){room, (size_t)n});
        if (r != 0)
            return TRACE(r);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/capture/capture.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/capture/publish.h"
#include "agent/capture/sender.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "format/pack/cut.h"
#include "format/pack/names.h"
#include "format/recipe/recipe.h"
#include "image/wim_capture.h"
#include "image/wim_describe.h"
#include "plat/digest.h"

enum {
    WINDOW_BYTES = 4 * CUT_MAX_BYTES,
};

struct capture {
    const struct capture_options *options; /* borrowed */
    struct sender *sender;                 /* owned */
    struct cut cut;
    uint8_t *window; /* owned; WINDOW_BYTES: bytes of the unit that are not cut yet */
    size_t window_len;
    struct names seen; /* chunks that were handed in */
    struct buf rows;   /* owned; of the recipe */
    struct sender_counts sent;
    uint64_t size_bytes;
    uint64_t n_chunks;
    unsigned told_percent;
    int outcome; /* that ended the stream */
};

static void capture_fini(struct capture *capture)
{
    sender_free(capture->sender);
    free(capture->window);
    names_fini(&capture->seen);
    buf_fini(&capture->rows);
}

static int add_row(struct capture *capture, const struct recipe_chunk *chunk)
{
    uint8_t room[RECIPE_ROW_BYTES];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};

    if (capture->n_chunks == RECIPE_MAX_CHUNKS)
        return CAPTURE_E_TOO_LARGE;
    recipe_put_chunk(&dst, chunk);
    buf_add(&capture->rows, (struct bytes){room, sizeof(room)});
    capture->n_chunks++;
    capture->size_bytes += chunk->size_bytes;
    return capture->rows.failed ? ERR(-ENOMEM) : 0;
}

/* Return: 0, CAPTURE_E_..., or -errno. */
static int add_chunk(struct capture *capture, struct bytes plain)
{
    struct recipe_chunk chunk = {.size_bytes = (uint32_t)plain.len};
    uint64_t number;
    int r = digest_sha256(plain, chunk.sha256);

    if (r == 0)
        r = add_row(capture, &chunk);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (names_get(&capture->seen, chunk.sha256, &number))
        return 0;
    r = names_put(&capture->seen, chunk.sha256, 0);
    if (r < 0)
        return TRACE(r);
    r = sender_put(capture->sender, &chunk, plain);
    return r <= 0 ? TRACE(r) : CAPTURE_E_SITE;
}

/* Cut off every chunk whose end is known. */
static int cut_window(struct capture *capture, bool is_end)
{
    struct bytes rest = {capture->window, capture->window_len};

    for (;;) {
        size_t len = cut_next(&capture->cut, rest, is_end);
        struct bytes plain;
        int r;

        if (len == 0 || !bytes_take(&rest, len, &plain))
            break;
        r = add_chunk(capture, plain);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    if (rest.len > 0)
        memmove(capture->window, rest.ptr, rest.len);
    capture->window_len = rest.len;
    return 0;
}

static void tell(struct capture *capture, unsigned percent)
{
    if (capture->options->tell && percent != capture->told_percent)
        capture->options->tell(capture->options->ctx, percent);
    capture->told_percent = percent;
}

static int feed(void *ctx, struct bytes piece, unsigned percent)
{
    struct capture *capture = ctx;

    tell(capture, percent);
    while (piece.len > 0 && capture->outcome == 0) {
        size_t room = WINDOW_BYTES - capture->window_len;
        struct bytes part;

        (void)bytes_take(&piece, piece.len < room ? piece.len : room, &part);
        memcpy(capture->window + capture->window_len, part.ptr, part.len);
        capture->window_len += part.len;
        if (capture->window_len == WINDOW_BYTES)
            capture->outcome = cut_window(capture, false);
    }
    return capture->outcome;
}

static int end_unit(void *ctx)
{
    struct capture *capture = ctx;

    capture->outcome = cut_window(capture, true);
    return capture->outcome;
}

static char *describe(const struct wim_image *image, uint64_t new_bytes)
{
    json_t *info = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b}",
                             "name",
                             image->name,
                             "description",
                             image->description,
                             "arch",
                             image->arch,
                             "languages",
                             image->languages,
                             "default_language",
                             image->default_language,
                             "build",
                             image->build,
                             "edition",
                             image->edition,
                             "file_count",
                             (json_int_t)image->file_count,
                             "new_bytes",
                             (json_int_t)new_bytes,
                             "has_unix_data",
                             (int)image->has_unix_data,
                             "is_windows",
                             (int)image->is_windows);
    char *text = info ? json_dumps(info, JSON_COMPACT) : NULL;

    json_decref(info);
    return text;
}

/* Everything is sent. Return: 0, CAPTURE_E_..., or -errno. */
static int read_tree(struct capture *capture, struct buf *why, struct wim_image *ret)
{
    const struct capture_options *options = capture->options;
    const struct wim_sink sink = {feed, end_unit, capture};
    int r = wim_capture(options->source, options->name, &sink, why, ret);

    if (r == WIM_CAPTURE_E_SOURCE)
        return CAPTURE_E_SOURCE;
    if (r < 0)
        return TRACE(r);
    r = r == 0 ? sender_end(capture->sender, &capture->sent) : capture->outcome;
    if (r == SENDER_E_FAILED || r == CAPTURE_E_SITE) {
        buf_adds(why, sender_why(capture->sender));
        return CAPTURE_E_SITE;
    }
    return r < 0 ? TRACE(r) : r;
}

int capture_run(const struct capture_options *options, struct capture_result *ret, struct buf *why)
{
    OWN(capture_fini)
    struct capture capture = {
        .options = options,
        .rows = BUF_INIT((size_t)RECIPE_MAX_CHUNKS * RECIPE_ROW_BYTES),
        .window = malloc(WINDOW_BYTES),
    };
    OWN(wim_image_fini) struct wim_image image = {0};
    OWN(freep) char *info = NULL;
    int r;

    if (!capture.window)
        return ERR(-ENOMEM);
    cut_init(&capture.cut);
    r = sender_new(&options->http, &capture.sender);
    if (r == 0)
        r = read_tree(&capture, why, &image);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    info = describe(&image, capture.sent.new_bytes);
    if (!info)
        return ERR(-ENOMEM);
    *ret = (struct capture_result){
        .size_bytes = capture.size_bytes,
        .n_chunks = capture.n_chunks,
        .new_bytes = capture.sent.new_bytes,
        .sent_bytes = capture.sent.sent_bytes,
    };
    r = publish_recipe(options, bytes_of(info), buf_bytes(&capture.rows), ret, why);
    return r < 0 ? TRACE(r) : r;
}

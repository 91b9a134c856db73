/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/capture/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/capture/publish.h"
#include "base/err.h"
#include "base/own.h"
#include "format/recipe/recipe.h"
#include "image/folder_capture.h"
#include "image/wim_capture.h"
#include "image/wim_describe.h"

enum {
    RUN_E_LOST = 64, /* of run_once() beside CAPTURE_E_...: what was sent is not there */
    RUNS_MAX = 3,    /* if the site loses what it was sent */
    TELL_BYTES = 8 * 1024 * 1024,
    US_PER_TENTH = 100 * 1000,
};

struct capture {
    const struct capture_options *options; /* borrowed */
    const struct capture_volume *volume;   /* borrowed */
    uint64_t before_bytes;                 /* of other volumes */
    struct sender *sender;                 /* owned */
    uint64_t told_bytes;
    uint64_t put_bytes;
    uint64_t
        head_at; /* chunks before those of the stream's beginning; both 0: they came in order */
    uint64_t tail_at; /* chunks before those of its end */
    int outcome;      /* of the sender, that ended the stream */
};

static void capture_fini(struct capture *capture)
{
    sender_free(capture->sender);
}

static int take_room(void *ctx, size_t n, uint8_t **ret)
{
    struct capture *capture = ctx;

    capture->outcome = sender_room(capture->sender, n, ret);
    return capture->outcome;
}

static int put(void *ctx, size_t n)
{
    struct capture *capture = ctx;
    const struct capture_options *options = capture->options;

    capture->put_bytes += n;
    if (options->tell && capture->put_bytes - capture->told_bytes >= TELL_BYTES) {
        capture->told_bytes = capture->put_bytes;
        options->tell(options->ctx, capture->before_bytes + capture->put_bytes);
    }
    capture->outcome = sender_put(capture->sender, n);
    return capture->outcome;
}

static int end_unit(void *ctx)
{
    struct capture *capture = ctx;

    capture->outcome = sender_end_unit(capture->sender);
    return capture->outcome;
}

static void turn(void *ctx, enum blob_stream_part part)
{
    struct capture *capture = ctx;

    if (part == BLOB_STREAM_HEAD)
        capture->head_at = sender_position(capture->sender);
    if (part == BLOB_STREAM_TAIL)
        capture->tail_at = sender_position(capture->sender);
}

/* Of a stream that somebody else writes. */
static int feed(void *ctx, struct bytes piece, unsigned percent)
{
    (void)percent;
    while (piece.len > 0) {
        struct bytes part;
        uint8_t *room;

        (void)bytes_take(&piece, piece.len < SENDER_ROOM_MAX ? piece.len : SENDER_ROOM_MAX, &part);
        if (take_room(ctx, part.len, &room) != 0)
            return -1;
        memcpy(room, part.ptr, part.len);
        if (put(ctx, part.len) != 0)
            return -1;
    }
    return 0;
}

/* Whose fault the sender's outcome is. */
static int explain(const struct capture *capture, int r, struct buf *why)
{
    switch (r) {
    case SENDER_E_FAILED:
        buf_adds(why, sender_why(capture->sender));
        return CAPTURE_E_SITE;
    case SENDER_E_STOPPED:
        return CAPTURE_E_STOPPED;
    case SENDER_E_LARGE:
        return CAPTURE_E_TOO_LARGE;
    default:
        return TRACE(r);
    }
}

/* Return: 0, CAPTURE_E_..., or -errno. */
static int read_folder(struct capture *capture, struct buf *why, struct wim_image *ret)
{
    const struct capture_volume *volume = capture->volume;
    const struct blob_sink sink = {take_room, put, end_unit, turn, SENDER_ROOM_MAX, capture};
    int r = folder_capture(volume->source, volume->name, volume->filter, &sink, why, ret);

    if (r == FOLDER_CAPTURE_E_SOURCE)
        return CAPTURE_E_SOURCE;
    return r == FOLDER_CAPTURE_E_STOPPED ? explain(capture, capture->outcome, why) : TRACE(r);
}

/* Return: 0, CAPTURE_E_..., or -errno. */
static int read_volume(struct capture *capture, struct buf *why, struct wim_image *ret)
{
    const struct capture_volume *volume = capture->volume;
    const struct wim_sink sink = {feed, end_unit, capture};
    int r = wim_capture(volume->source, volume->name, volume->filter, &sink, why, ret);

    if (r == WIM_CAPTURE_E_SOURCE)
        return CAPTURE_E_SOURCE;
    return r == WIM_IMPORT_E_CANCELLED ? explain(capture, capture->outcome, why) : TRACE(r);
}

static char *
describe(const struct capture_volume *volume, const struct wim_image *image, uint64_t new_bytes)
{
    json_t *info = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b}",
                             "name",
                             image->name,
                             "description",
                             volume->description ? volume->description : image->description,
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

/* The rows in the order of the stream. */
static int put_in_order(const struct capture *capture, struct bytes rows, struct buf *ret)
{
    struct bytes blobs;
    struct bytes head;

    (void)bytes_take(&rows, (size_t)capture->head_at * RECIPE_ROW_BYTES, &blobs);
    (void)bytes_take(
        &rows, (size_t)(capture->tail_at - capture->head_at) * RECIPE_ROW_BYTES, &head);
    buf_clear(ret);
    buf_add(ret, head);
    buf_add(ret, blobs);
    buf_add(ret, rows);
    return ret->failed ? ERR(-ENOMEM) : 0;
}

/* One time through the tree. Return: 0, RUN_E_LOST, CAPTURE_E_..., or -errno. */
static int run_once(struct capture *capture,
                    struct wim_image *ret_image,
                    struct sender_counts *ret_counts,
                    struct buf *ret_rows,
                    struct buf *why)
{
    const struct capture_options *options = capture->options;
    const struct sender_options sending = {
        .http = options->http, .is_stopped = options->is_stopped, .ctx = options->ctx};
    struct bytes rows;
    struct stat st;
    int r;

    if (stat(capture->volume->source, &st) < 0) {
        buf_adds(why, strerrordesc_np(errno));
        return CAPTURE_E_SOURCE;
    }
    r = sender_new(&sending, &capture->sender);
    if (r < 0)
        return TRACE(r);
    r = S_ISDIR(st.st_mode) ? read_folder(capture, why, ret_image)
                            : read_volume(capture, why, ret_image);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    r = sender_end(capture->sender, ret_counts, &rows);
    if (r == SENDER_E_LOST)
        return RUN_E_LOST;
    if (r != 0)
        return explain(capture, r, why);
    return TRACE(put_in_order(capture, rows, ret_rows));
}

static void add_counts(struct sender_counts *sum, const struct sender_counts *more)
{
    sum->n_chunks += more->n_chunks;
    sum->size_bytes += more->size_bytes;
    sum->new_bytes += more->new_bytes;
    sum->sent_bytes += more->sent_bytes;
    sum->n_processors = more->n_processors;
    sum->n_threads = more->n_threads;
    sum->wall_us += more->wall_us;
    sum->full_us += more->full_us;
    sum->work_us += more->work_us;
    sum->site_us += more->site_us;
    sum->idle_us += more->idle_us;
    sum->processor_us += more->processor_us;
}

/* The recipe of a volume. */
static int put_recipe(const struct capture_volume *volume,
                      const struct wim_image *image,
                      uint64_t new_bytes,
                      struct bytes rows,
                      struct buf *ret)
{
    OWN(freep) char *info = describe(volume, image, new_bytes);
    uint8_t room[RECIPE_HEAD_BYTES];
    struct sink head = {.ptr = room, .cap = sizeof(room)};

    if (!info)
        return ERR(-ENOMEM);
    recipe_put_head(&head,
                    &(struct recipe_head){.info_bytes = (uint32_t)strlen(info),
                                          .n_chunks = (uint32_t)(rows.len / RECIPE_ROW_BYTES)});
    buf_add(ret, (struct bytes){room, sizeof(room)});
    buf_adds(ret, info);
    buf_add(ret, rows);
    return ret->failed ? ERR(-ENOMEM) : 0;
}

/* All of a volume, once more if the site loses what it was sent. Return: 0, CAPTURE_E_..., or -errno. */
static int run_volume(const struct capture_options *options,
                      const struct capture_volume *volume,
                      struct sender_counts *counts,
                      struct buf *ret_recipe,
                      struct buf *why)
{
    OWN(buf_fini) struct buf rows = BUF_INIT((size_t)RECIPE_MAX_CHUNKS * RECIPE_ROW_BYTES);
    OWN(wim_image_fini) struct wim_image image = {0};
    uint64_t new_before = counts->new_bytes;
    uint64_t size_before = counts->size_bytes;
    int r = RUN_E_LOST;

    for (unsigned i = 0; r == RUN_E_LOST && i < RUNS_MAX; i++) {
        OWN(capture_fini)
        struct capture capture = {
            .options = options, .volume = volume, .before_bytes = size_before};
        struct sender_counts once = {0};

        wim_image_fini(&image);
        r = run_once(&capture, &image, &once, &rows, why);
        add_counts(counts, &once);
        if (r == RUN_E_LOST) { /* it comes once more */
            counts->size_bytes = size_before;
            counts->n_chunks -= once.n_chunks;
        }
    }
    if (r == RUN_E_LOST) {
        buf_adds(why, "the distribution point loses again and again what it was sent");
        return CAPTURE_E_SITE;
    }
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    return TRACE(
        put_recipe(volume, &image, counts->new_bytes - new_before, buf_bytes(&rows), ret_recipe));
}

int capture_run(const struct capture_options *options, struct capture_result *ret, struct buf *why)
{
    OWN(buf_fini) struct buf recipe = BUF_INIT((size_t)RECIPE_MAX_CHUNKS * RECIPE_ROW_BYTES);
    struct publication publication = {.capture_id = ""};
    int r = options->order_id ? publish_begin(options, &publication, why) : 0;

    ret->was_there = publication.is_published;
    for (size_t i = 0; r == 0 && !publication.is_published && i < options->n_volumes; i++)
        r = run_volume(options, &options->volumes[i], &ret->counts, &recipe, why);
    if (r == 0)
        r = publish(options, &publication, buf_bytes(&recipe), ret, why);
    return r < 0 ? TRACE(r) : r;
}

/* Who waits for nobody is what all wait for. */
static const char *find_bound(const struct sender_counts *counts)
{
    uint64_t processors_us = counts->wall_us * counts->n_processors;

    if (counts->full_us * 4 < counts->wall_us)
        return "reading";
    return counts->work_us * 2 > processors_us ? "the processor" : "the network and the site";
}

static void put_seconds(struct buf *dst, const char *before, uint64_t us, const char *behind)
{
    uint64_t tenths = us / US_PER_TENTH;

    buf_addf(dst, "%s%" PRIu64 ".%" PRIu64 " s%s", before, tenths / 10, tenths % 10, behind);
}

void capture_put_stages(const struct sender_counts *counts, struct buf *ret)
{
    uint64_t read_us = counts->wall_us > counts->full_us ? counts->wall_us - counts->full_us : 0;

    put_seconds(ret, "", counts->wall_us, "");
    buf_addf(ret, ", bound by %s: ", find_bound(counts));
    put_seconds(ret, "reading, hashing and cutting ", read_us, " and ");
    put_seconds(ret, "waiting ", counts->full_us, "; ");
    buf_addf(ret, "%u threads on %u processors: ", counts->n_threads, counts->n_processors);
    put_seconds(ret, "compressing ", counts->work_us, ", ");
    put_seconds(ret, "waiting for a processor ", counts->processor_us, ", ");
    put_seconds(ret, "for the site ", counts->site_us, ", ");
    put_seconds(ret, "for something to send ", counts->idle_us, "");
}

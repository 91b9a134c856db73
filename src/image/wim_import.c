/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_import.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wimlib.h>

#include "base/err.h"
#include "base/own.h"
#include "format/pwm/pwm.h"
#include "image/wim.h"
#include "image/wim_parts.h"
#include "plat/file.h"

enum {
    PIPE_BYTES = 1024 * 1024,
    PIECE_BYTES = 256 * 1024,
    PATH_TEXT_MAX = 64, /* of a place in the XML */
    LANGUAGES_MAX = 64,
    SAID_MAX = 8192, /* more than wim.h keeps */
    WALK_FOUND = -1, /* of a callback: nothing more to see; no code of wimlib is negative */
};

struct wim_import {
    WIMStruct *wim; /* owned */
    struct wim_image images[WIM_MAX_IMAGES];
    size_t n_images;
};

static void wim_freep(WIMStruct **wim)
{
    wimlib_free(*wim);
}

void wim_import_free(struct wim_import *import)
{
    if (!import)
        return;
    for (size_t i = 0; i < import->n_images; i++) {
        free(import->images[i].name);
        free(import->images[i].description);
        free(import->images[i].languages);
        free(import->images[i].default_language);
        free(import->images[i].edition);
        free(import->images[i].build);
    }
    wimlib_free(import->wim);
    free(import);
}

/*
 * What wimlib cannot do with a file is the file's fault, also if memory does not suffice: a table that says it is huge
 * would be believed.
 */
static int bad(int code, struct buf *why)
{
    if (code == WIMLIB_ERR_UNEXPECTED_END_OF_FILE || code == WIMLIB_ERR_READ)
        buf_adds(why, "it is not whole: ");
    if (code == WIMLIB_ERR_NOMEM)
        buf_adds(why, "it wants more memory than an import may take: ");
    wim_explain(code, why);
    return code == WIMLIB_ERR_WIM_IS_ENCRYPTED ? WIM_IMPORT_E_ENCRYPTED : WIM_IMPORT_E_BAD;
}

/* PROCESSOR_ARCHITECTURE_... of Windows, as WIM files use it. */
static const char *arch_name(const char *number)
{
    static const char *const names[][2] = {
        {"0", "x86"}, {"5", "arm"}, {"9", "x64"}, {"12", "arm64"}};

    for (size_t i = 0; number && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(number, names[i][0]) == 0)
            return names[i][1];
    return "";
}

/* Whole characters of UTF-8, at most WIM_TEXT_MAX bytes. */
static char *copy_text(const char *text)
{
    size_t len = strnlen(text, WIM_TEXT_MAX + 1);

    if (len > WIM_TEXT_MAX)
        len = WIM_TEXT_MAX;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return strndup(text, len);
}

static char *copy_property(const WIMStruct *wim, int index, const char *name)
{
    const char *text = wimlib_get_image_property(wim, index, name);

    return copy_text(text ? text : "");
}

/* What lies at these places of the XML, until one is not there. @names: ends with NULL */
static char *
join_properties(const WIMStruct *wim, int index, const char *const *names, char separator)
{
    OWN(buf_fini) struct buf all = BUF_INIT(WIM_TEXT_MAX);
    const char separators[] = {separator, '\0'};

    for (size_t i = 0; names[i]; i++) {
        const char *text = wimlib_get_image_property(wim, index, names[i]);

        if (!text || all.len + strlen(text) + 1 > WIM_TEXT_MAX)
            break;
        buf_adds(&all, all.len > 0 ? separators : "");
        buf_adds(&all, text);
    }
    return all.failed ? NULL : copy_text(buf_str(&all));
}

/* "10.0.20348.1129"; fewer numbers if the file has no more. */
static char *copy_build(const WIMStruct *wim, int index)
{
    static const char *const names[] = {"WINDOWS/VERSION/MAJOR",
                                        "WINDOWS/VERSION/MINOR",
                                        "WINDOWS/VERSION/BUILD",
                                        "WINDOWS/VERSION/SPBUILD",
                                        NULL};

    return join_properties(wim, index, names, '.');
}

static char *copy_languages(const WIMStruct *wim, int index)
{
    char texts[LANGUAGES_MAX][PATH_TEXT_MAX];
    const char *names[LANGUAGES_MAX + 1] = {NULL};

    for (size_t i = 0; i < LANGUAGES_MAX; i++) {
        (void)snprintf(texts[i], PATH_TEXT_MAX, "WINDOWS/LANGUAGES/LANGUAGE[%zu]", i + 1);
        names[i] = texts[i];
    }
    return join_properties(wim, index, names, ' ');
}

static uint64_t number_property(const WIMStruct *wim, int index, const char *name)
{
    const char *text = wimlib_get_image_property(wim, index, name);
    uint64_t n = 0;

    if (text)
        (void)bytes_parse_u64(bytes_of(text), 0, UINT64_MAX, &n);
    return n;
}

struct walk { /* through everything in an image */
    bool has_unix_data;
    bool has_bad_name; /* one that would be a path where it is written */
};

static int look_for_unix_data(const struct wimlib_dir_entry *entry, void *ctx)
{
    struct walk *walk = ctx;

    walk->has_unix_data = walk->has_unix_data || entry->unix_mode != 0;
    walk->has_bad_name = entry->filename && strchr(entry->filename, '/');
    return walk->has_bad_name ? WALK_FOUND : 0;
}

static int look_at_entry(const struct wimlib_dir_entry *entry, void *ctx)
{
    (void)entry;
    (void)ctx;
    return WALK_FOUND;
}

/* Reads the image's metadata. Return: 0, or a code of wimlib. */
static int find_kind(WIMStruct *wim, int index, struct wim_image *ret, struct walk *ret_walk)
{
    int r = wimlib_iterate_dir_tree(wim,
                                    index,
                                    WIMLIB_WIM_ROOT_PATH,
                                    WIMLIB_ITERATE_DIR_TREE_FLAG_RECURSIVE,
                                    look_for_unix_data,
                                    ret_walk);

    if (r != 0 && r != WALK_FOUND)
        return r;
    ret->has_unix_data = ret_walk->has_unix_data;
    if (wimlib_get_image_property(wim, index, "WINDOWS/ARCH")) {
        ret->is_windows = true;
        return 0;
    }
    r = wimlib_iterate_dir_tree(wim, index, "/Windows/System32", 0, look_at_entry, NULL);
    ret->is_windows = r == WALK_FOUND;
    return r == WALK_FOUND || r == WIMLIB_ERR_PATH_DOES_NOT_EXIST ? 0 : r;
}

static int read_image(const WIMStruct *wim, uint32_t index, struct wim_image *ret)
{
    int i = (int)index;

    ret->index = index;
    ret->name = copy_property(wim, i, "NAME");
    ret->description = copy_property(wim, i, "DESCRIPTION");
    ret->languages = copy_languages(wim, i);
    ret->default_language = copy_property(wim, i, "WINDOWS/LANGUAGES/DEFAULT");
    ret->edition = copy_property(wim, i, "WINDOWS/EDITIONID");
    ret->build = copy_build(wim, i);
    ret->file_count = number_property(wim, i, "FILECOUNT");
    ret->size_bytes = number_property(wim, i, "TOTALBYTES");
    (void)snprintf(ret->arch,
                   sizeof(ret->arch),
                   "%s",
                   arch_name(wimlib_get_image_property(wim, i, "WINDOWS/ARCH")));
    if (!ret->name || !ret->description || !ret->languages || !ret->default_language ||
        !ret->edition || !ret->build)
        return ERR(-ENOMEM);
    return 0;
}

/* The file, and all its parts. */
static int open_file(const char *path, WIMStruct **ret, struct buf *why)
{
    OWN(wim_freep) WIMStruct *wim = NULL;
    int r = wimlib_open_wim(path, WIMLIB_OPEN_FLAG_CHECK_INTEGRITY, &wim);

    if (r != 0)
        return bad(r, why);
    r = wim_parts_add(wim, path, why);
    if (r < 0)
        return TRACE(r);
    if (r != 0)
        return r == WIM_PARTS_E_MISSING ? WIM_IMPORT_E_PART : WIM_IMPORT_E_BAD;
    *ret = TAKE(wim);
    return 0;
}

/*
 * Whether wimlib leaves out files of the image: those named "..", those that are there twice. It says so in no other
 * way. What else it warns about, such as the folders with two names of some old images, is no reason to refuse one.
 */
static bool is_something_left_out(struct buf *why)
{
    static const char *const said_of_files[] = {"Ignoring file named",
                                                "Ignoring unnamed file",
                                                "Ignoring duplicate file",
                                                "Ignoring filename",
                                                "Ignoring children"};
    OWN(buf_fini) struct buf said = BUF_INIT(SAID_MAX);

    (void)wim_messages_take(&said);
    for (size_t i = 0; i < sizeof(said_of_files) / sizeof(said_of_files[0]); i++) {
        const char *at = strstr(buf_str(&said), said_of_files[i]);

        if (!at)
            continue;
        buf_adds(why, "not all of its files can be kept: ");
        buf_add(why, (struct bytes){(const uint8_t *)at, strcspn(at, "\n")});
        return true;
    }
    return false;
}

/* Whether all of it can be kept. Return: 0 or WIM_IMPORT_E_... */
static int check_image(WIMStruct *wim, struct wim_image *image, struct buf *why)
{
    struct walk walk = {0};
    int r = find_kind(wim, (int)image->index, image, &walk);

    if (r != 0)
        return bad(r, why);
    if (walk.has_bad_name) {
        buf_adds(why, "it holds a file whose name has a slash in it");
        return WIM_IMPORT_E_BAD;
    }
    return is_something_left_out(why) ? WIM_IMPORT_E_BAD : 0;
}

static int
read_images(struct wim_import *import, const struct wimlib_wim_info *info, struct buf *why)
{
    uint32_t n_images = info->image_count;
    int r = wim_start(); /* what was said about the file as a whole is no reason to refuse it */

    if (r < 0)
        return TRACE(r);
    if (n_images == 0 || n_images > WIM_MAX_IMAGES) {
        buf_addf(why, "it holds %u images; 1 to %d are allowed", n_images, WIM_MAX_IMAGES);
        return WIM_IMPORT_E_BAD;
    }
    for (uint32_t i = 1; i <= n_images; i++) {
        struct wim_image *image = &import->images[import->n_images++];

        r = read_image(import->wim, i, image);

        if (r < 0)
            return TRACE(r);
        image->is_boot_image = i == info->boot_index;
        r = check_image(import->wim, image, why);
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

int wim_import_new(const char *path, struct wim_import **ret, struct buf *why)
{
    OWN(wim_import_freep) struct wim_import *import = calloc(1, sizeof(*import));
    struct wimlib_wim_info info;
    int r = wim_start();

    if (r < 0)
        return TRACE(r);
    if (!import)
        return ERR(-ENOMEM);
    r = open_file(path, &import->wim, why);
    if (r != 0)
        return TRACE(r);
    r = wimlib_get_wim_info(import->wim, &info);
    if (r != 0)
        return bad(r, why);
    r = read_images(import, &info, why);
    if (r != 0)
        return TRACE(r);
    *ret = TAKE(import);
    return 0;
}

size_t wim_import_count(const struct wim_import *import)
{
    return import->n_images;
}

const struct wim_image *wim_import_get(const struct wim_import *import, size_t i)
{
    return &import->images[i];
}

/* What the thread that runs wimlib needs, and what it says. */
struct writer {
    WIMStruct *wim;
    int fd; /* owned by the thread: closing it is the end of the stream */
    _Atomic unsigned percent;
    int code; /* of wimlib; read after pthread_join() */
};

static enum wimlib_progress_status
on_progress(enum wimlib_progress_msg msg, union wimlib_progress_info *info, void *ctx)
{
    struct writer *writer = ctx;

    if (msg == WIMLIB_PROGRESS_MSG_WRITE_STREAMS && info->write_streams.total_bytes > 0)
        writer->percent =
            (unsigned)(info->write_streams.completed_bytes * 100 / info->write_streams.total_bytes);
    return WIMLIB_PROGRESS_STATUS_CONTINUE;
}

static void *run_writer(void *ctx)
{
    struct writer *writer = ctx;
    sigset_t pipe_signal;

    /* a reader that went away is an error of write(), not the end of the process */
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    writer->code = wimlib_write_to_fd(writer->wim,
                                      writer->fd,
                                      WIMLIB_ALL_IMAGES,
                                      WIMLIB_WRITE_FLAG_PIPABLE | WIMLIB_WRITE_FLAG_RETAIN_GUID |
                                          WIMLIB_WRITE_FLAG_NO_CHECK_INTEGRITY,
                                      1);
    fd_closep(&writer->fd);
    return NULL;
}

/* A new uncompressed WIM in memory that refers to one image of the file. */
static int copy_image(struct wim_import *import,
                      const struct wim_image *image,
                      WIMStruct **ret,
                      struct buf *why)
{
    /* the file's GUID would be random, and the stream would not be the same twice */
    static const struct wimlib_wim_info fixed = {.guid = "Slipway\0OS image"};
    OWN(wim_freep) WIMStruct *wim = NULL;
    int r = wimlib_create_new_wim(WIMLIB_COMPRESSION_TYPE_NONE, &wim);

    if (r == 0)
        r = wimlib_set_wim_info(wim, &fixed, WIMLIB_CHANGE_GUID);
    if (r == 0)
        r = wimlib_export_image(import->wim,
                                (int)image->index,
                                wim,
                                NULL,
                                NULL,
                                image->is_boot_image ? WIMLIB_EXPORT_FLAG_BOOT : 0);
    if (r != 0)
        return bad(r, why);
    *ret = TAKE(wim);
    return 0;
}

/* Return: 0, WIM_IMPORT_E_CANCELLED, or -errno. */
static int hand_over(struct pwm_splitter *splitter,
                     struct bytes src,
                     const struct wim_sink *sink,
                     unsigned percent)
{
    while (src.len > 0) {
        struct pwm_piece piece;

        if (pwm_next(splitter, &src, &piece) != 0)
            return ERR(-EPROTO); /* wimlib writes another format than we know */
        if (sink->feed(sink->ctx, piece.bytes, percent) != 0)
            return WIM_IMPORT_E_CANCELLED;
        if (piece.ends_unit && sink->cut(sink->ctx) != 0)
            return WIM_IMPORT_E_CANCELLED;
    }
    return 0;
}

static int pump(int fd, const struct wim_sink *sink, const struct writer *writer)
{
    OWN(freep) uint8_t *piece = malloc(PIECE_BYTES);
    struct pwm_splitter splitter;

    if (!piece)
        return ERR(-ENOMEM);
    pwm_init(&splitter);
    for (;;) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return 0;
        r = hand_over(&splitter, (struct bytes){piece, (size_t)n}, sink, writer->percent);
        if (r != 0)
            return TRACE(r);
    }
}

int wim_import_stream(struct wim_import *import,
                      const struct wim_image *image,
                      const struct wim_sink *sink,
                      struct buf *why)
{
    OWN(wim_freep) WIMStruct *wim = NULL;
    OWN(fd_closep) int from = -1;
    struct writer writer = {.fd = -1};
    pthread_t thread;
    int ends[2];
    int r = wim_start();

    if (r < 0)
        return TRACE(r);
    r = copy_image(import, image, &wim, why);
    if (r != 0)
        return r;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return ERR(-errno);
    from = ends[0];
    writer.fd = ends[1];
    writer.wim = wim;
    (void)fcntl(from, F_SETPIPE_SZ, PIPE_BYTES); /* a smaller pipe is only slower */
    wimlib_register_progress_function(wim, on_progress, &writer);
    if (pthread_create(&thread, NULL, run_writer, &writer) != 0) {
        fd_closep(&writer.fd);
        return ERR(-EAGAIN);
    }
    r = pump(from, sink, &writer);
    fd_closep(&from); /* ends a writer that is not done */
    (void)pthread_join(thread, NULL);
    if (r != 0)
        return r;
    return writer.code == 0 ? 0 : bad(writer.code, why);
}

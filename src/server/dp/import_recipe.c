/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/import_recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "format/recipe/recipe.h"
#include "plat/file.h"
#include "server/dp/content_store.h"
#include "store/intake.h"
#include "store/store.h"

enum {
    BLOCK_ROWS = 4096,
    TEXT_MAX = 1024, /* as of a text of a WIM */
    LAST_PERCENT = 99,
};

/* The file: one image behind the other. */
struct recipe {
    int fd; /* owned */
    uint64_t size_bytes;
    uint64_t done_bytes; /* of the images before this one */
    struct recipe_head head;
    json_t *info;    /* owned; of this one */
    json_t *indexes; /* owned; those before */
    json_int_t image_bytes;
    json_int_t new_bytes;
};

static void recipe_fini(struct recipe *recipe)
{
    fd_closep(&recipe->fd);
    json_decref(recipe->info);
    json_decref(recipe->indexes);
}

/* Return: how many bytes there were, at most @max; or -errno. */
static ssize_t read_full(int fd, uint8_t *dst, size_t max)
{
    size_t len = 0;

    while (len < max) {
        ssize_t n = read(fd, dst + len, max - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static int refuse(const struct intake_source *source, const char *why)
{
    worker_fail("SLW-0364",
                "%s is not the recipe of a captured image that this server can use: %s. Capture "
                "again with an agent of this server's version.",
                buf_str(&source->name),
                why);
    return INTAKE_JOB_E_TOLD;
}

/* A description that has what an image has, and nothing else. */
static bool is_info_good(const json_t *info)
{
    static const char *const texts[] = {
        "name", "description", "arch", "languages", "default_language", "build", "edition"};
    static const char *const counts[] = {"file_count", "new_bytes"};
    static const char *const truths[] = {"has_unix_data", "is_windows"};
    const size_t n_texts = sizeof(texts) / sizeof(texts[0]);
    const size_t n_counts = sizeof(counts) / sizeof(counts[0]);
    const size_t n_truths = sizeof(truths) / sizeof(truths[0]);

    for (size_t i = 0; i < n_texts; i++) {
        const json_t *text = json_object_get(info, texts[i]);

        if (!json_is_string(text) || json_string_length(text) > TEXT_MAX)
            return false;
    }
    for (size_t i = 0; i < n_counts; i++)
        if (!json_is_integer(json_object_get(info, counts[i])) ||
            json_integer_value(json_object_get(info, counts[i])) < 0)
            return false;
    for (size_t i = 0; i < n_truths; i++)
        if (!json_is_boolean(json_object_get(info, truths[i])))
            return false;
    return json_object_size(info) == n_texts + n_counts + n_truths;
}

/* Return: 0, INTAKE_JOB_E_TOLD, or -errno. */
static int read_info(const struct intake_source *source, struct recipe *recipe)
{
    OWN(freep) uint8_t *text = malloc(recipe->head.info_bytes);
    ssize_t n;

    if (!text)
        return ERR(-ENOMEM);
    n = read_full(recipe->fd, text, recipe->head.info_bytes);
    if (n < 0)
        return TRACE((int)n);
    if ((size_t)n == recipe->head.info_bytes)
        recipe->info = json_loadb((const char *)text, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
    return is_info_good(recipe->info) ? 0 : refuse(source, "its description is not valid");
}

/* Return: 0, IMPORT_RECIPE_E_OTHER, or -errno. */
static int open_recipe(const struct intake_source *source, struct recipe *ret)
{
    struct stat st;

    if (source->is_folder)
        return IMPORT_RECIPE_E_OTHER;
    ret->fd = open(buf_str(&source->path), O_RDONLY | O_CLOEXEC);
    if (ret->fd < 0 || fstat(ret->fd, &st) < 0)
        return ERR(-errno);
    ret->size_bytes = (uint64_t)st.st_size;
    ret->indexes = json_array();
    return ret->indexes ? 0 : ERR(-ENOMEM);
}

/* What the next image is. Return: 0, IMPORT_RECIPE_E_OTHER, INTAKE_JOB_E_TOLD, or -errno. */
static int begin_image(const struct intake_source *source, struct recipe *recipe)
{
    bool is_first = json_array_size(recipe->indexes) == 0;
    uint8_t head[RECIPE_HEAD_BYTES];
    ssize_t n = read_full(recipe->fd, head, sizeof(head));
    int r;

    if (n < 0)
        return TRACE((int)n);
    r = recipe_parse_head((struct bytes){head, (size_t)n}, &recipe->head);
    if (r == RECIPE_E_OTHER && is_first)
        return IMPORT_RECIPE_E_OTHER;
    if (r != 0)
        return refuse(source, "its head is not valid");
    if (recipe_file_bytes(&recipe->head) > recipe->size_bytes - recipe->done_bytes)
        return refuse(source, "it is not as long as it says");
    if (json_array_size(recipe->indexes) == RECIPE_MAX_IMAGES)
        return refuse(source, "it has too many images");
    json_decref(recipe->info);
    recipe->info = NULL;
    return TRACE(read_info(source, recipe));
}

static int fail_missing(const struct recipe_chunk *chunk)
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){chunk->sha256, SHA256_BYTES});
    worker_fail("SLW-0363",
                "The content store does not have the chunk %s, which the captured image needs. "
                "Capture again: only what is missing is sent.",
                name);
    return INTAKE_JOB_E_TOLD;
}

/* Return: 0, INTAKE_JOB_E_TOLD, or -errno. */
static int add_rows(const struct intake_source *source, struct bytes rows, struct intake *intake)
{
    while (rows.len > 0) {
        struct recipe_chunk chunk;
        int r;

        if (!recipe_take_chunk(&rows, &chunk))
            return refuse(source, "one of its rows names no chunk");
        r = intake_chunk(intake, chunk.sha256, chunk.size_bytes);
        if (r == STORE_E_MISSING)
            return fail_missing(&chunk);
        if (r != 0)
            return TRACE(intake_job_fail(r, "the image"));
    }
    return 0;
}

/* Return: 0, INTAKE_JOB_E_TOLD, or -errno. */
static int add_all(struct worker *worker,
                   const struct intake_source *source,
                   const struct recipe *recipe,
                   struct intake *intake)
{
    OWN(freep) uint8_t *block = malloc((size_t)BLOCK_ROWS * RECIPE_ROW_BYTES);
    uint32_t left = recipe->head.n_chunks;

    if (!block)
        return ERR(-ENOMEM);
    while (left > 0) {
        uint32_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        ssize_t len = read_full(recipe->fd, block, (size_t)n * RECIPE_ROW_BYTES);
        int r;

        if (len < 0)
            return TRACE((int)len);
        if ((size_t)len != (size_t)n * RECIPE_ROW_BYTES)
            return refuse(source, "it is cut off");
        r = add_rows(source, (struct bytes){block, (size_t)len}, intake);
        if (r != 0)
            return TRACE(r);
        left -= n;
        worker_tell(worker,
                    (unsigned)((recipe->done_bytes + recipe_file_bytes(&recipe->head) -
                                (uint64_t)left * RECIPE_ROW_BYTES) *
                               LAST_PERCENT / recipe->size_bytes),
                    "Importing the captured image");
    }
    return 0;
}

/* @new_bytes of a captured image are what was sent for it, which only the agent knows: it says so itself. */
static int end_image(struct recipe *recipe, const struct intake *intake, const uint8_t *id)
{
    struct intake_counts counts = intake_counts(intake);
    json_int_t number = (json_int_t)json_array_size(recipe->indexes) + 1;
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){id, SHA256_BYTES});
    recipe->new_bytes += json_integer_value(json_object_get(recipe->info, "new_bytes"));
    recipe->image_bytes += (json_int_t)counts.size_bytes;
    recipe->done_bytes += recipe_file_bytes(&recipe->head);
    (void)json_object_del(recipe->info, "new_bytes");
    if (json_object_set_new(recipe->info, "index", json_integer(number)) != 0 ||
        json_object_set_new(
            recipe->info, "size_bytes", json_integer((json_int_t)counts.size_bytes)) != 0 ||
        json_object_set_new(recipe->info, "manifest", json_string(name)) != 0 ||
        json_array_append(recipe->indexes, recipe->info) != 0)
        return ERR(-ENOMEM);
    return 0;
}

/* Return: 0, INTAKE_JOB_E_TOLD, or -errno. */
static int add_image(struct worker *worker,
                     const struct intake_source *source,
                     struct recipe *recipe,
                     struct store *store)
{
    OWN(intake_freep) struct intake *intake = NULL;
    uint8_t id[SHA256_BYTES];
    int r = intake_new(store, MANIFEST_OS_IMAGE_INDEX, &intake);

    if (r == 0)
        r = add_all(worker, source, recipe, intake);
    if (r != 0)
        return TRACE(r);
    r = intake_end(intake, id);
    if (r != 0)
        return TRACE(intake_job_fail(r, "the image"));
    return TRACE(end_image(recipe, intake, id));
}

int import_recipe(struct worker *worker, const struct intake_source *source)
{
    OWN(recipe_fini) struct recipe recipe = {.fd = -1};
    OWN(store_freep) struct store *store = NULL;
    int r = open_recipe(source, &recipe);

    if (r == 0)
        r = begin_image(source, &recipe);
    if (r == 0)
        r = content_store_open(worker, true, &store);
    while (r == 0) {
        r = add_image(worker, source, &recipe, store);
        if (r == 0 && recipe.done_bytes == recipe.size_bytes)
            break;
        if (r == 0)
            r = begin_image(source, &recipe);
    }
    if (r != 0)
        return TRACE(r);
    return TRACE(worker_succeed(json_pack("{s:O, s:I, s:I}",
                                          "indexes",
                                          recipe.indexes,
                                          "size_bytes",
                                          recipe.image_bytes,
                                          "new_bytes",
                                          recipe.new_bytes)));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/order.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"

enum {
    CHILDREN_MAX = 256,
    TEXT_MAX_BYTES = 1024,
    XML_MAX_BYTES = 16 * 1024 * 1024,
    CONTENT_MAX = 256,
    INDEXES_MAX = 1024,
    FILES_MAX = 64,
    SOURCES_MAX = 32,
    SECRETS_MAX = 4096,
    ATTEMPT_MAX = 1000,
    FAILED_WAIT_MAX_S = 24 * 60 * 60,
};

#define US_PER_S UINT64_C(1000000)

/* Where we are, and the first thing that was wrong. */
struct reader {
    struct buf *why;
    int r; /* 0, ORDER_E_MALFORMED or -ENOMEM */
};

static void malformed(struct reader *rd, const char *field)
{
    if (rd->r != 0)
        return;
    rd->r = ORDER_E_MALFORMED;
    buf_addf(rd->why, "%s is missing or not what it should be", field);
}

/* A copy of a text field, owned by the caller; NULL once something is wrong. */
static char *read_text(struct reader *rd, const json_t *object, const char *field, size_t max)
{
    const json_t *value = json_object_get(object, field);
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    if (!text || len > max || strlen(text) != len) {
        malformed(rd, field);
        return NULL;
    }

    char *copy = strdup(text);

    if (!copy)
        rd->r = ERR(-ENOMEM);
    return copy;
}

static uint64_t
read_number(struct reader *rd, const json_t *object, const char *field, uint64_t max)
{
    const json_t *value = json_object_get(object, field);
    json_int_t n = json_integer_value(value);

    if (!json_is_integer(value) || n < 0 || (uint64_t)n > max) {
        malformed(rd, field);
        return 0;
    }
    return (uint64_t)n;
}

static void read_hash(struct reader *rd, const json_t *object, const char *field, uint8_t *ret)
{
    const char *text = json_string_value(json_object_get(object, field));

    if (!text || !hex_parse(bytes_of(text), SHA256_BYTES, ret))
        malformed(rd, field);
}

/* Room for @n, or NULL with the error set. */
static void *make(struct reader *rd, size_t n, size_t size)
{
    void *items = calloc(n > 0 ? n : 1, size);

    if (!items)
        rd->r = ERR(-ENOMEM);
    return items;
}

static bool is_of_64_bits(const char *arch)
{
    return arch && (strcmp(arch, "x64") == 0 || strcmp(arch, "arm64") == 0);
}

static void read_indexes(struct reader *rd, const json_t *list, struct order_content *content)
{
    size_t n = json_array_size(list);

    if (n > INDEXES_MAX) {
        malformed(rd, "indexes");
        return;
    }
    content->indexes = make(rd, n, sizeof(*content->indexes));
    for (size_t i = 0; i < n && rd->r == 0; i++) {
        const json_t *item = json_array_get(list, i);
        struct order_index *index = &content->indexes[i];

        index->index = (uint32_t)read_number(rd, item, "index", UINT32_MAX);
        index->size_bytes = read_number(rd, item, "size_bytes", INT64_MAX);
        read_hash(rd, item, "manifest", index->manifest);
        index->has_no_unix_data = json_is_false(json_object_get(item, "has_unix_data"));
        index->is_windows = json_is_true(json_object_get(item, "is_windows"));
        index->is_of_64_bits = is_of_64_bits(json_string_value(json_object_get(item, "arch")));
        content->n_indexes = i + 1;
    }
}

/* A file is put below a folder of that name: it must be a plain name. */
static bool is_file_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && !strchr(name, '/') && !strchr(name, '\\') &&
           strlen(name) < 128;
}

static void read_files(struct reader *rd, json_t *list, struct order_content *content)
{
    const char *name;
    json_t *item;

    if (json_object_size(list) > FILES_MAX) {
        malformed(rd, "files");
        return;
    }
    content->files = make(rd, json_object_size(list), sizeof(*content->files));
    json_object_foreach(list, name, item)
    {
        if (rd->r != 0)
            return;

        struct order_file *file = &content->files[content->n_files];

        if (!is_file_name(name)) {
            malformed(rd, "files");
            return;
        }
        file->name = strdup(name);
        if (!file->name) {
            rd->r = ERR(-ENOMEM);
            return;
        }
        content->n_files++;
        file->size_bytes = read_number(rd, item, "size", INT64_MAX);
        read_hash(rd, item, "sha256", file->sha256);
    }
}

/* @ret, @ret_n: as far as they were read, also once something is wrong */
static void read_sources(struct reader *rd, const json_t *list, char ***ret, size_t *ret_n)
{
    size_t n = json_array_size(list);
    char **texts;

    if (!json_is_array(list) || n > SOURCES_MAX) {
        malformed(rd, "sources");
        return;
    }
    texts = make(rd, n, sizeof(*texts));
    *ret = texts;
    for (size_t i = 0; texts && i < n && rd->r == 0; i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (!text || strlen(text) > TEXT_MAX_BYTES ||
            (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)) {
            malformed(rd, "sources");
            return;
        }
        texts[i] = strdup(text);
        if (!texts[i])
            rd->r = ERR(-ENOMEM);
        *ret_n = i + 1;
    }
}

static void read_one_content(struct reader *rd,
                             const char *package_id,
                             const json_t *item,
                             struct order_content *ret)
{
    ret->package_id = strdup(package_id);
    if (!ret->package_id) {
        rd->r = ERR(-ENOMEM);
        return;
    }
    ret->kind = read_text(rd, item, "kind", TEXT_MAX_BYTES);
    if (json_object_get(item, "name"))
        ret->name = read_text(rd, item, "name", TEXT_MAX_BYTES);
    else
        ret->name = strdup("");
    if (json_object_get(item, "indexes"))
        read_indexes(rd, json_object_get(item, "indexes"), ret);
    if (json_object_get(item, "files"))
        read_files(rd, json_object_get(item, "files"), ret);
    ret->has_manifest = json_object_get(item, "manifest") != NULL;
    if (ret->has_manifest) {
        read_hash(rd, item, "manifest", ret->manifest);
        ret->size_bytes = read_number(rd, item, "size_bytes", INT64_MAX);
    }
    ret->has_sources = json_object_get(item, "sources") != NULL;
    if (ret->has_sources)
        read_sources(rd, json_object_get(item, "sources"), &ret->sources, &ret->n_sources);
}

static void read_content(struct reader *rd, json_t *object, struct order *order)
{
    const char *package_id;
    json_t *item;

    if (!json_is_object(object) || json_object_size(object) > CONTENT_MAX) {
        malformed(rd, "content");
        return;
    }
    order->content = make(rd, json_object_size(object), sizeof(*order->content));
    json_object_foreach(object, package_id, item)
    {
        if (rd->r != 0)
            return;

        struct order_content *content = &order->content[order->n_content++];

        read_one_content(rd, package_id, item, content);
        if (rd->r == 0 && content->kind && strcmp(content->kind, "boot-image") == 0 &&
            !order->boot_image_id) {
            order->boot_image_id = strdup(package_id);
            if (!order->boot_image_id)
                rd->r = ERR(-ENOMEM);
        }
    }
}

static void read_variables(struct reader *rd, json_t *object, struct order *order)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object)) {
        malformed(rd, "variables");
        return;
    }
    json_object_foreach(object, name, value) if (!json_is_string(value) ||
                                                 strlen(json_string_value(value)) !=
                                                     json_string_length(value))
        malformed(rd, "variables");
    order->variables = json_incref(object);
}

/* Absent if none is. */
static void read_secrets(struct reader *rd, const json_t *list, struct order *order)
{
    size_t n = json_array_size(list);

    if ((list && !json_is_array(list)) || n > SECRETS_MAX) {
        malformed(rd, "secret_variables");
        return;
    }
    order->secrets = make(rd, n, sizeof(*order->secrets));
    for (size_t i = 0; i < n && rd->r == 0; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (!name || name[0] == '\0' || strlen(name) > TEXT_MAX_BYTES) {
            malformed(rd, "secret_variables");
            return;
        }
        order->secrets[i] = strdup(name);
        if (!order->secrets[i])
            rd->r = ERR(-ENOMEM);
        order->n_secrets = i + 1;
    }
}

/* Absent if the sequence runs no other. */
static void read_children(struct reader *rd, const json_t *list, struct order *order)
{
    size_t n = json_array_size(list);

    if ((list && !json_is_array(list)) || n > CHILDREN_MAX) {
        malformed(rd, "task_sequence.children");
        return;
    }
    order->children = make(rd, n, sizeof(*order->children));
    for (size_t i = 0; i < n && rd->r == 0; i++) {
        const json_t *item = json_array_get(list, i);
        struct order_child *child = &order->children[order->n_children++];

        child->id = read_text(rd, item, "id", TEXT_MAX_BYTES);
        child->xml = read_text(rd, item, "xml", XML_MAX_BYTES);
        child->is_disabled = json_is_true(json_object_get(item, "is_disabled"));
    }
}

static void read_purpose(struct reader *rd, const json_t *json, struct order *order)
{
    const char *purpose = json_string_value(json_object_get(json, "purpose"));

    if (!purpose || (strcmp(purpose, "required") != 0 && strcmp(purpose, "available") != 0))
        malformed(rd, "purpose");
    else
        order->is_required = strcmp(purpose, "required") == 0;
}

/* A site that does not say means streaming. */
static void read_content_option(struct reader *rd, const json_t *json, struct order *order)
{
    static const char *const words[ORDER_CONTENT_OPTION_COUNT] = {
        [ORDER_STREAM] = "stream",
        [ORDER_DOWNLOAD_WHEN_NEEDED] = "download-when-needed",
        [ORDER_DOWNLOAD_ALL_FIRST] = "download-all-first",
    };
    const json_t *value = json_object_get(json, "content_option");
    const char *text = json_string_value(value);

    if (!value)
        return;
    for (size_t i = 0; text && i < ORDER_CONTENT_OPTION_COUNT; i++)
        if (strcmp(text, words[i]) == 0) {
            order->content_option = (enum order_content_option)i;
            return;
        }
    malformed(rd, "content_option");
}

static void read_order(struct reader *rd, const json_t *json, struct order *order)
{
    const json_t *ts = json_object_get(json, "task_sequence");
    uint8_t uuid[UUID_BYTES];

    order->order_id = read_text(rd, json, "order_id", TEXT_MAX_BYTES);
    /* it becomes part of a URL */
    if (order->order_id && !uuid_parse(bytes_of(order->order_id), uuid))
        malformed(rd, "order_id");
    order->deployment_id = read_text(rd, json, "deployment_id", TEXT_MAX_BYTES);
    order->device_id = read_text(rd, json, "device_id", TEXT_MAX_BYTES);
    order->device_name = read_text(rd, json, "device_name", TEXT_MAX_BYTES);
    order->task_sequence_id = read_text(rd, ts, "id", TEXT_MAX_BYTES);
    order->task_sequence_name = read_text(rd, ts, "name", TEXT_MAX_BYTES);
    order->task_sequence_xml = read_text(rd, ts, "xml", XML_MAX_BYTES);
    read_children(rd, json_object_get(ts, "children"), order);
    read_purpose(rd, json, order);
    read_content_option(rd, json, order);
    order->is_progress_shown = !json_is_false(json_object_get(json, "is_progress_shown"));
    order->attempt = (unsigned)read_number(rd, json, "attempt", ATTEMPT_MAX);
    order->deadline_us = read_number(rd, json, "deadline_us", INT64_MAX);
    order->failed_wait_us = read_number(rd, json, "failed_wait_s", FAILED_WAIT_MAX_S) * US_PER_S;
    read_variables(rd, json_object_get(json, "variables"), order);
    read_secrets(rd, json_object_get(json, "secret_variables"), order);
    read_content(rd, json_object_get(json, "content"), order);
    read_sources(rd, json_object_get(json, "sources"), &order->sources, &order->n_sources);
}

DEFINE_FREEP(struct order *, order_free);

int order_parse(const json_t *json, struct order **ret, struct buf *why)
{
    OWN(order_freep) struct order *order = calloc(1, sizeof(*order));
    struct reader rd = {.why = why};

    if (!order)
        return ERR(-ENOMEM);
    read_order(&rd, json, order);
    if (rd.r < 0)
        return TRACE(rd.r);
    if (rd.r > 0)
        return rd.r;
    order->raw = json_deep_copy(json);
    if (!order->raw)
        return ERR(-ENOMEM);
    order->mirror = json_incref(json_object_get(order->raw, "mirror"));
    (void)json_object_del(order->raw, "mirror");
    *ret = TAKE(order);
    return 0;
}

static void free_content(struct order_content *content)
{
    for (size_t i = 0; i < content->n_files; i++)
        free(content->files[i].name);
    for (size_t i = 0; i < content->n_sources; i++)
        free(content->sources[i]);
    free(content->sources);
    free(content->files);
    free(content->indexes);
    free(content->package_id);
    free(content->kind);
    free(content->name);
}

void order_free(struct order *order)
{
    if (!order)
        return;
    for (size_t i = 0; i < order->n_content; i++)
        free_content(&order->content[i]);
    for (size_t i = 0; i < order->n_sources; i++)
        free(order->sources[i]);
    for (size_t i = 0; i < order->n_children; i++) {
        free(order->children[i].id);
        free(order->children[i].xml);
    }
    for (size_t i = 0; i < order->n_secrets; i++)
        free(order->secrets[i]);
    free(order->secrets);
    free(order->children);
    free(order->content);
    free(order->sources);
    free(order->order_id);
    free(order->deployment_id);
    free(order->device_id);
    free(order->device_name);
    free(order->task_sequence_id);
    free(order->task_sequence_name);
    free(order->task_sequence_xml);
    free(order->boot_image_id);
    json_decref(order->variables);
    json_decref(order->mirror);
    json_decref(order->raw);
    free(order);
}

const struct order_content *order_find_content(const struct order *order, const char *package_id)
{
    for (size_t i = 0; i < order->n_content; i++)
        if (strcmp(order->content[i].package_id, package_id) == 0)
            return &order->content[i];
    return NULL;
}

size_t order_sources_of(const struct order *order,
                        const struct order_content *content,
                        const char *const **ret)
{
    const bool is_own = content && content->has_sources;

    *ret = (const char *const *)(is_own ? content->sources : order->sources);
    return is_own ? content->n_sources : order->n_sources;
}

bool order_has_32_bits(const struct order *order)
{
    size_t n_images = 0;

    for (size_t i = 0; i < order->n_content; i++)
        for (size_t k = 0; k < order->content[i].n_indexes; k++, n_images++)
            if (!order->content[i].indexes[k].is_of_64_bits)
                return true;
    return n_images == 0;
}

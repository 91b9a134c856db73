/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/content.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/commands.h"
#include "cli/image_parts.h"
#include "cli/operation.h"
#include "cli/sending.h"

enum {
    PATH_MAX_BYTES = 1024,
    DELETE_CHAR = 0x7f,
    NUMBER_MAX = 1000000,
};

/* Where content comes from. Both NULL: from where it came before. */
struct source {
    const char *const *files; /* of this machine, to be sent: parts of one */
    size_t n_files;
    const char *path;    /* on the server */
    const char *indexes; /* "1,3": of an image's file only these; NULL: all */
};

const char *content_place(const char *noun)
{
    static const struct {
        const char *noun;
        const char *place;
    } places[] = {
        {"os-image", "/os-images"},
        {"boot-image", "/boot-images"},
        {"upgrade-package", "/os-upgrade-packages"},
        {"driver-package", "/driver-packages"},
        {"package", "/packages"},
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (strcmp(places[i].noun, noun) == 0)
            return places[i].place;
    return "/content";
}

static bool put_text(struct session *s, json_t *body, const char *name, const char *text)
{
    if (!text || json_object_set_new(body, name, json_string(text)) == 0)
        return true;
    return session_fail(s, ARGS_EXIT_USAGE, "SLW-0704", "%s: the text is not UTF-8", name);
}

static bool check_source(struct session *s, const struct source *source)
{
    if (source->n_files > 0 && source->path)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "give a file or --source, not both: the one is sent, the other is on "
                            "the server");
    if (source->path && source->path[0] != '/')
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "--source %s: it must be an absolute path, on the server",
                            source->path);
    return true;
}

/* "upload_id", after the file was sent, or "source_path". */
static bool put_indexes(struct session *s, const char *list, json_t *body)
{
    struct bytes rest = bytes_of(list ? list : "");
    json_t *indexes = list ? json_array() : NULL;

    if (list && json_object_set_new(body, "indexes", indexes) < 0)
        return session_fail_errno(s, "--indexes", -ENOMEM);
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.ptr, ',', rest.len);
        struct bytes number = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
        uint64_t n;

        if (!bytes_parse_u64(number, 1, NUMBER_MAX, &n))
            return session_fail(
                s, ARGS_EXIT_USAGE, NULL, "--indexes %s: not numbers from 1, like 1,3", list);
        (void)json_array_append_new(indexes, json_integer((json_int_t)n));
        rest = (struct bytes){rest.ptr + number.len, rest.len - number.len};
        rest = rest.len > 0 ? (struct bytes){rest.ptr + 1, rest.len - 1} : rest;
    }
    return true;
}

/* @body: gets "upload_id", and "part_upload_ids" of the other parts of a split image. */
static bool send_parts(struct session *s, const struct source *source, json_t *body)
{
    OWN(freep) struct image_parts *parts = malloc(sizeof(*parts));
    json_t *others = json_array();
    char id[UPLOAD_NOTE_ID_MAX];

    if (!parts || json_object_set_new(body, "part_upload_ids", others) < 0)
        return session_fail_errno(s, source->files[0], -ENOMEM);
    if (!image_parts_find(s, source->files, source->n_files, parts))
        return false;
    for (size_t i = 0; i < parts->n; i++) {
        if (!sending_file(s, parts->paths[i], id))
            return false;
        if (i == 0 ? !put_text(s, body, "upload_id", id)
                   : json_array_append_new(others, json_string(id)) < 0)
            return session_fail_errno(s, parts->paths[i], -ENOMEM);
    }
    if (parts->n == 1)
        (void)json_object_del(body, "part_upload_ids");
    return true;
}

/* Files are not sent to try something, and without them the rest cannot be tried. */
static bool tell_parts(struct session *s, const struct source *source)
{
    OWN(freep) struct image_parts *parts = malloc(sizeof(*parts));

    if (!parts)
        return session_fail_errno(s, source->files[0], -ENOMEM);
    if (!image_parts_find(s, source->files, source->n_files, parts))
        return false;
    for (size_t i = 0; i < parts->n; i++) {
        OWN(buf_fini) struct buf safe = BUF_INIT(PATH_MAX_BYTES);

        if (!sending_can(s, parts->paths[i]))
            return false;
        output_put_safe(&safe, parts->paths[i], strlen(parts->paths[i]));
        (void)fprintf(stderr, "slipway: only tried, this would be sent: %s\n", buf_str(&safe));
    }
    return session_end_try(s);
}

static bool put_source(struct session *s, const struct source *source, json_t *body)
{
    if (!put_indexes(s, source->indexes, body))
        return false;
    if (source->n_files == 0)
        return put_text(s, body, "source_path", source->path);
    return s->is_dry ? tell_parts(s, source) : send_parts(s, source, body);
}

/* What was sent is in use now. */
static void forget_sent(struct session *s, const struct source *source)
{
    OWN(freep) struct image_parts *parts = malloc(sizeof(*parts));

    if (!parts || source->n_files == 0 ||
        !image_parts_find(s, source->files, source->n_files, parts))
        return;
    for (size_t i = 0; i < parts->n; i++)
        sending_forget(s, parts->paths[i]);
}

/* Send what is to be sent, and begin. @ret: what the site says */
static bool
begin(struct session *s, const char *path, const struct source *source, json_t *body, json_t **ret)
{
    if (!put_source(s, source, body) || !session_call(s, "POST", path, json_incref(body), ret))
        return false;
    forget_sent(s, source);
    return true;
}

bool content_print(struct session *s, const char *place, const char *id)
{
    static const struct output_column fields[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Kind", "kind", OUTPUT_TEXT},
        {"Name", "name", OUTPUT_TEXT},
        {"Version", "version", OUTPUT_TEXT},
        {"Comment", "comment", OUTPUT_TEXT},
        {"Source", "source_path", OUTPUT_TEXT},
        {"Priority", "priority", OUTPUT_TEXT},
        {"Architecture", "arch", OUTPUT_TEXT},
        {"Flavour", "flavour", OUTPUT_TEXT},
        {"Custom", "is_custom", OUTPUT_TEXT},
        {"Prestart command", "prestart_command", OUTPUT_TEXT},
        {"State", "state", OUTPUT_TEXT},
        {"Content version", "current_version", OUTPUT_TEXT},
        {"Versions kept", "keep_versions", OUTPUT_TEXT},
        {"Kernel", "kernel_version", OUTPUT_TEXT},
        {"Agent", "agent_version", OUTPUT_TEXT},
        {"Size", "size_bytes", OUTPUT_BYTES},
        {"Files", "file_count", OUTPUT_TEXT},
        {"Manifest", "manifest", OUTPUT_TEXT},
        {"Created (UTC)", "created_at", OUTPUT_TIME},
        {"Updated (UTC)", "updated_at", OUTPUT_TIME},
        {0},
    };
    static const struct output_column indexes[] = {
        {"INDEX", "index", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"DESCRIPTION", "description", OUTPUT_TEXT},
        {"ARCH", "arch", OUTPUT_TEXT},
        {"LANGUAGES", "languages", OUTPUT_TEXT},
        {"BUILD", "build", OUTPUT_TEXT},
        {"EDITION", "edition", OUTPUT_TEXT},
        {"SIZE", "size_bytes", OUTPUT_BYTES},
        {"FILES", "file_count", OUTPUT_TEXT},
        {"MANIFEST", "manifest", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column files[] = {
        {"FILE", "name", OUTPUT_TEXT},
        {"SIZE", "size_bytes", OUTPUT_BYTES},
        {"SHA-256", "sha256", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *content = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&path, id);
    return session_get(s, &content, "%s/%s", place, buf_str(&path)) &&
           session_print_fields(s, content, fields) &&
           session_print_part(s, "Indexes", output_at(content, "indexes"), indexes) &&
           session_print_part(s, "Files", output_at(content, "files"), files);
}

bool content_show(struct session *s, const struct args *args)
{
    return session_open(s) &&
           content_print(s, content_place(args->command->noun), args->operands[0]);
}

bool content_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"KIND", "kind", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"VERSION", "version", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"CONTENT", "current_version", OUTPUT_TEXT},
        {"SIZE", "size_bytes", OUTPUT_BYTES},
        {"UPDATED (UTC)", "updated_at", OUTPUT_TIME},
        {0},
    };

    return session_show_list(s, content_place(args->command->noun), columns);
}

/* "/content/ID", or more behind it. */
static void put_path(struct buf *dst, const char *id, const char *more)
{
    buf_adds(dst, "/content/");
    session_escape(dst, id);
    buf_adds(dst, more);
}

bool content_find(struct session *s, const struct args *args, json_t **ret)
{
    OWN(buf_fini) struct buf name = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&name, args->operands[0]);
    return session_get(s, ret, "%s/%s", content_place(args->command->noun), buf_str(&name));
}

bool content_delete(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *content = NULL;

    if (!session_open(s) || !content_find(s, args, &content))
        return false;
    put_path(&path, output_text(content, "id"), "");
    return session_delete(s, buf_str(&path), "");
}

static bool update(struct session *s, const struct args *args, const struct source *source)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *content = NULL;
    OWN(session_json_freep) json_t *begun = NULL;
    OWN(session_json_freep) json_t *body = json_object();
    const char *id;

    /* whether there is such a thing before the file, which may be large */
    if (!check_source(s, source) || !session_open(s) || !content_find(s, args, &content))
        return false;
    id = output_text(content, "id");
    put_path(&path, id, "/versions");
    return begin(s, buf_str(&path), source, body, &begun) &&
           operation_follow(s, output_text(begun, "operation_id")) &&
           content_print(s, content_place(args->command->noun), id);
}

bool content_update(struct session *s, const struct args *args)
{
    return update(s, args, &(struct source){.path = args_get(args, "source")});
}

bool content_update_file(struct session *s, const struct args *args)
{
    bool is_image = strcmp(args->command->noun, "os-image") == 0;

    return update(s,
                  args,
                  &(struct source){
                      .files = args->operands + 1,
                      .n_files = args->n_operands - 1,
                      .path = args_get(args, "source"),
                      .indexes = is_image ? args_get(args, "indexes") : NULL,
                  });
}

bool content_rebuild(struct session *s, const struct args *args)
{
    return update(s, args, &(struct source){0});
}

static bool make_request(struct session *s, const struct args *args, const char *name, json_t *body)
{
    return put_text(s, body, "name", name) &&
           put_text(s, body, "version", args_get(args, "version")) &&
           put_text(s, body, "comment", args_get(args, "comment")) &&
           put_text(s, body, "priority", args_get(args, "priority"));
}

static bool is_line(const char *text)
{
    while ((unsigned char)*text >= ' ' && *text != DELETE_CHAR)
        text++;
    return *text == '\0';
}

/* Before a large file is sent for nothing; the site has the last word on these, too. */
static bool check_texts(struct session *s, const json_t *body)
{
    static const struct {
        const char *name;
        size_t min;
        size_t max;
    } texts[] = {{"name", 1, 50}, {"version", 0, 32}, {"comment", 0, 127}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = output_text(body, texts[i].name);
        size_t n = 0;

        for (const char *at = text; *at; at++)
            n += ((unsigned char)*at & 0xc0) != 0x80; /* of a character the first byte */
        if (json_object_get(body, texts[i].name) && (n < texts[i].min || !is_line(text)))
            return session_fail(s,
                                ARGS_EXIT_USAGE,
                                "SLW-0704",
                                "the %s must be a line of %zu to %zu characters",
                                texts[i].name,
                                texts[i].min,
                                texts[i].max);
        if (n > texts[i].max)
            return session_fail(s,
                                ARGS_EXIT_USAGE,
                                "SLW-0704",
                                "the %s has %zu characters: %zu at most",
                                texts[i].name,
                                n,
                                texts[i].max);
    }
    return true;
}

static bool check_free(struct session *s, const char *place, const json_t *body)
{
    OWN(session_json_freep) json_t *rows = NULL;
    const char *name = output_text(body, "name");

    if (!session_list(s, place, &rows))
        return false;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (strcasecmp(output_text(row, "name"), name) == 0 &&
            strcmp(output_text(row, "version"), output_text(body, "version")) == 0)
            return session_fail(s,
                                ARGS_EXIT_CONFLICT,
                                "SLW-0130",
                                "%s has the name \"%s\" and this version already; choose another "
                                "name or version, or update that one",
                                output_text(row, "id"),
                                name);
    }
    return true;
}

static bool
create(struct session *s, const struct args *args, const char *name, const struct source *source)
{
    OWN(session_json_freep) json_t *content = NULL;
    OWN(session_json_freep) json_t *body = json_object();
    const char *place = content_place(args->command->noun);

    if (source->n_files == 0 && !source->path)
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "what it is made from is missing: a file or --source");
    return make_request(s, args, name, body) && check_texts(s, body) && check_source(s, source) &&
           session_open(s) && (source->n_files == 0 || check_free(s, place, body)) &&
           begin(s, place, source, body, &content) &&
           operation_follow(s, output_text(content, "operation_id")) &&
           content_print(s, place, output_text(content, "id"));
}

bool content_add_file(struct session *s, const struct args *args)
{
    return create(s,
                  args,
                  args_get(args, "name"),
                  &(struct source){
                      .files = args->operands,
                      .n_files = args->n_operands,
                      .path = args_get(args, "source"),
                      .indexes = args_get(args, "indexes"),
                  });
}

bool content_create(struct session *s, const struct args *args)
{
    return create(s, args, args->operands[0], &(struct source){.path = args_get(args, "source")});
}

bool content_create_file(struct session *s, const struct args *args)
{
    const char *file = args_get(args, "file");

    return create(s,
                  args,
                  args->operands[0],
                  &(struct source){
                      .files = &file,
                      .n_files = file ? 1 : 0,
                      .path = args_get(args, "source"),
                  });
}

bool content_versions(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"VERSION", "version", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"CURRENT", "is_current", OUTPUT_TEXT},
        {"SIZE", "size_bytes", OUTPUT_BYTES},
        {"NEW", "new_bytes", OUTPUT_BYTES},
        {"FILES", "file_count", OUTPUT_TEXT},
        {"KERNEL", "kernel_version", OUTPUT_TEXT},
        {"ORDERS", "n_orders", OUTPUT_TEXT},
        {"CREATED (UTC)", "created_at", OUTPUT_TIME},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"CAUSE", "error", OUTPUT_TEXT},
        {0},
    };
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args->operands[0], "/versions");
    return session_show_list(s, buf_str(&path), columns);
}

static bool put_number(struct session *s, json_t *body, const char *name, const char *text)
{
    uint64_t n;

    if (!text)
        return true;
    if (!bytes_parse_u64(bytes_of(text), 1, NUMBER_MAX, &n))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "\"%s\" is not a number from 1", text);
    return json_object_set_new(body, name, json_integer((json_int_t)n)) == 0 ||
           session_fail_errno(s, name, -ENOMEM);
}

bool content_rollback(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *body = json_object();

    put_path(&path, args->operands[0], "/rollback");
    return put_number(s, body, "version", args->operands[1]) && session_open(s) &&
           session_call(s, "POST", buf_str(&path), json_incref(body), NULL) &&
           content_print(s, "/content", args->operands[0]);
}

/* @option, @member: what only this command changes */
static bool
change(struct session *s, const struct args *args, const char *option, const char *member)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *body = json_object();
    const char *place = content_place(args->command->noun);

    put_path(&path, args->operands[0], "");
    if (!make_request(s, args, args_get(args, "name"), body) ||
        !put_text(s, body, member, args_get(args, option)) ||
        !put_number(s, body, "keep_versions", args_get(args, "keep")))
        return false;
    if (json_object_size(body) == 0)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "what is to be changed is missing");
    return session_open(s) && session_call(s, "PATCH", buf_str(&path), json_incref(body), NULL) &&
           content_print(s, place, args->operands[0]);
}

bool content_set(struct session *s, const struct args *args)
{
    return change(s, args, "source", "source_path");
}

bool content_set_boot_image(struct session *s, const struct args *args)
{
    return change(s, args, "prestart-command", "prestart_command");
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/object.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "cli/output.h"
#include "cli/yaml_read.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 4096,
    WHY_MAX_BYTES = 4096,
    FOLDERS_MAX = 4, /* one below the other */
    DOCUMENTS_MAX = 300000,
};

static bool check_all(struct session *s, const char *path, const json_t *documents)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    const struct object_kind *kind;

    for (size_t i = 0; i < json_array_size(documents); i++) {
        json_t *document = json_array_get(documents, i);

        if (!json_is_object(document))
            buf_adds(&why, "it is no mapping");
        else if (object_check(document, &kind, &why))
            continue;
        return session_fail(
            s, ARGS_EXIT_FAILURE, "SLW-0716", "%s: document %zu: %s", path, i + 1, buf_str(&why));
    }
    return true;
}

/* A file that is a list of documents is as good as one with "---" between them. */
static void take_lists_apart(json_t *documents)
{
    for (size_t i = 0; i < json_array_size(documents); i++) {
        OWN(session_json_freep) json_t *list = NULL;

        if (!json_is_array(json_array_get(documents, i)))
            continue;
        list = json_incref(json_array_get(documents, i));
        (void)json_array_remove(documents, i);
        for (size_t k = 0; k < json_array_size(list); k++)
            (void)json_array_insert(documents, i + k, json_array_get(list, k));
    }
}

static bool read_file(struct session *s, const char *path, json_t *documents)
{
    OWN(buf_fini) struct buf text = BUF_INIT(YAML_READ_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    OWN(session_json_freep) json_t *read = NULL;
    int r = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text);

    if (r < 0)
        return session_fail_errno(s, path, r);
    if (r > 0)
        return session_fail(s,
                            ARGS_EXIT_FAILURE,
                            "SLW-0704",
                            "%s is %s",
                            path,
                            r == FILE_E_TOO_LARGE ? "too large" : "not there");
    r = yaml_read(buf_bytes(&text), &read, &why);
    if (r < 0)
        return session_fail_errno(s, path, r);
    if (r > 0)
        return session_fail(s, ARGS_EXIT_FAILURE, "SLW-0716", "%s: %s", path, buf_str(&why));
    take_lists_apart(read);
    if (!check_all(s, path, read))
        return false;
    if (json_array_size(documents) + json_array_size(read) > DOCUMENTS_MAX)
        return session_fail(
            s, ARGS_EXIT_FAILURE, "SLW-0716", "%s: more than %d documents", path, DOCUMENTS_MAX);
    return json_array_extend(documents, read) == 0;
}

static bool is_document_file(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

static int is_wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void entries_free(struct dirent **entries, int n)
{
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
}

static bool add_path(struct session *s, const char *path, unsigned depth, json_t *paths);

static bool add_folder(struct session *s, const char *path, unsigned depth, json_t *paths)
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, is_wanted, alphasort);
    bool is_ok = n >= 0 || session_fail_errno(s, path, -errno);

    for (int i = 0; i < n && is_ok; i++) {
        OWN(buf_fini) struct buf below = BUF_INIT(PATH_MAX_BYTES);

        buf_addf(&below, "%s/%s", path, entries[i]->d_name);
        is_ok = add_path(s, buf_str(&below), depth, paths);
    }
    entries_free(entries, n);
    return is_ok;
}

static bool add_path(struct session *s, const char *path, unsigned depth, json_t *paths)
{
    struct stat st;
    const bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

    if (is_folder && depth < FOLDERS_MAX)
        return add_folder(s, path, depth + 1, paths);
    if (is_folder || (depth > 0 && !is_document_file(path)))
        return true;
    /* a name that is no UTF-8 is read by nobody, and is told */
    return json_array_append_new(paths, json_string(path)) == 0 ||
           session_fail_errno(s, path, -EILSEQ);
}

bool object_files_list(struct session *s, const char *path, json_t **ret)
{
    OWN(session_json_freep) json_t *paths = json_array();

    if (!add_path(s, path, 0, paths))
        return false;
    *ret = TAKE(paths);
    return true;
}

/* Names that a document's thing needs among those of its own kind. */
static bool needs(const json_t *document, const struct object_kind *kind, const char *name)
{
    const char *key;
    json_t *value;

    if (strcmp(output_text(document, "limiting"), name) == 0)
        return true;
    if (!kind->has_sequence)
        return false;
    json_object_foreach(json_object_get(document, "content"), key, value)
    {
        if (strcmp(output_text(value, "name"), name) == 0 &&
            object_kind_find(output_text(value, "kind")) == kind)
            return true;
    }
    return false;
}

/* Whether one that is not null, but for the one at @at itself, is needed by that. */
static bool waits(const json_t *left, size_t at, const struct object_kind *kind)
{
    const json_t *document = json_array_get(left, at);

    for (size_t i = 0; i < json_array_size(left); i++) {
        const json_t *other = json_array_get(left, i);

        if (i != at && json_is_object(other) && needs(document, kind, output_text(other, "name")))
            return true;
    }
    return false;
}

/* Move those that wait for none to @sorted; with @is_circle, the first whatever it waits for. Return: how many. */
static size_t
move_ready(json_t *left, const struct object_kind *kind, bool is_circle, json_t *sorted)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(left); i++) {
        json_t *document = json_array_get(left, i);

        if (!json_is_object(document) || (!is_circle && waits(left, i, kind)))
            continue;
        (void)json_array_append(sorted, document);
        (void)json_array_set_new(left, i, json_null());
        n++;
        if (is_circle)
            break;
    }
    return n;
}

static bool is_ordered(const struct object_kind *kind)
{
    for (const struct object_field *f = kind->fields; f->name; f++)
        if (strcmp(f->name, "limiting") == 0)
            return true;
    return kind->has_sequence;
}

/* Those of one kind, what another needs first; in a circle, as they stand. */
static void take_kind(json_t *documents, const struct object_kind *kind, json_t *sorted)
{
    OWN(session_json_freep) json_t *left = json_array();
    size_t i;
    json_t *document;

    json_array_foreach(documents, i, document)
    {
        if (object_kind_find(output_text(document, "kind")) == kind)
            (void)json_array_append(is_ordered(kind) ? left : sorted, document);
    }
    for (size_t n = json_array_size(left); n > 0;) {
        size_t n_moved = move_ready(left, kind, false, sorted);

        n -= n_moved > 0 ? n_moved : move_ready(left, kind, true, sorted);
    }
}

bool object_files_read(struct session *s, const char *path, json_t **ret)
{
    OWN(session_json_freep) json_t *paths = NULL;
    OWN(session_json_freep) json_t *documents = json_array();
    OWN(session_json_freep) json_t *sorted = json_array();

    if (!object_files_list(s, path, &paths))
        return false;
    for (size_t i = 0; i < json_array_size(paths); i++)
        if (!read_file(s, json_string_value(json_array_get(paths, i)), documents))
            return false;
    if (json_array_size(documents) == 0)
        return session_fail(s, ARGS_EXIT_FAILURE, "SLW-0716", "%s: there is no document", path);
    for (const struct object_kind *k = object_kinds; k->kind; k++)
        take_kind(documents, k, sorted);
    *ret = TAKE(sorted);
    return true;
}

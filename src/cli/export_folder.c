/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/export_folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/object.h"
#include "cli/yaml.h"
#include "plat/file.h"

enum {
    TEXT_MAX_BYTES = 64 * 1024 * 1024,
    NAME_MAX_BYTES = 4096,
    PATH_MAX_BYTES = 8192,
    FILE_NAME_MAX_BYTES = 200,
};

/* "Lab 1/2" is the file "Lab-1-2". */
static void put_file_name(struct buf *dst, const json_t *document)
{
    const char *name = output_text(document, "name");
    OWN(buf_fini) struct buf both = BUF_INIT(NAME_MAX_BYTES);

    if (output_text(document, "distribution_point")[0]) {
        buf_addf(&both, "distribution-point-%s", output_text(document, "distribution_point"));
        name = buf_str(&both);
    } else if (!name[0]) {
        buf_addf(&both,
                 "%s-%s",
                 output_text(document, "task_sequence"),
                 output_text(document, "collection"));
        name = buf_str(&both);
    }
    for (size_t n = 0; name[n] && n < FILE_NAME_MAX_BYTES; n++)
        buf_addf(dst, "%c", strchr("/\\:*?\"<>| .", name[n]) ? '-' : name[n]);
}

/* @plan: "Collection/Lab-1.yaml" -> document; what would be the same file is told apart by a number. */
static bool plan_one(struct session *s, json_t *plan, json_t *document)
{
    OWN(buf_fini) struct buf stem = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_addf(&stem, "%s/", output_text(document, "kind"));
    put_file_name(&stem, document);
    buf_addf(&path, "%s.yaml", buf_str(&stem));
    for (unsigned n = 1; json_object_get(plan, buf_str(&path)); n++) {
        buf_clear(&path);
        buf_addf(&path, "%s~%u.yaml", buf_str(&stem), n);
    }
    return json_object_set(plan, buf_str(&path), document) == 0 ||
           session_fail_errno(s, buf_str(&path), -EILSEQ);
}

static bool plan_all(struct session *s, const json_t *documents, json_t *plan)
{
    for (size_t i = 0; i < json_array_size(documents); i++)
        if (!plan_one(s, plan, json_array_get(documents, i)))
            return false;
    return true;
}

/* Whether @name has the form of a file of an export: "KIND/NAME.yaml". */
static bool is_export_file(const char *folder, const char *name)
{
    const size_t len = strlen(name);
    const char *slash = strchr(name, '/');
    OWN(buf_fini) struct buf kind = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    if (!slash || strchr(slash + 1, '/') || len < strlen(".yaml") ||
        strcmp(name + len - strlen(".yaml"), ".yaml") != 0)
        return false;
    buf_add(&kind, (struct bytes){(const uint8_t *)name, (size_t)(slash - name)});
    return object_kind_find(buf_str(&kind)) && path_under(folder, name, &path);
}

/* @text: {"files": ["Collection/Lab-1.yaml", ...]}. @ret: a set of them. */
static bool parse_list(const char *folder, const struct buf *text, json_t *ret)
{
    OWN(session_json_freep) json_t *read = json_loadb(buf_str(text), text->len, 0, NULL);
    const json_t *files = json_object_get(read, "files");

    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *name = json_string_value(json_array_get(files, i));

        if (!name || !is_export_file(folder, name))
            return false;
        (void)json_object_set_new(ret, name, json_true());
    }
    return json_is_array(files);
}

/* @ret: the files of former exports as a set; empty if there was none */
static bool read_list(struct session *s, const char *folder, json_t *ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    int r;

    buf_addf(&path, "%s/" EXPORT_FOLDER_LIST, folder);
    r = file_read(buf_str(&path), &text);
    if (r < 0)
        return session_fail_errno(s, buf_str(&path), r);
    if (r == FILE_E_MISSING || (r == 0 && parse_list(folder, &text, ret)))
        return true;
    return session_fail(
        s,
        ARGS_EXIT_CONFLICT,
        "SLW-0719",
        "%s is no list of the files of an export; remove it, or name another folder",
        buf_str(&path));
}

/* What somebody else put there would be applied together with the export. */
static bool
check_others(struct session *s, const char *folder, const json_t *plan, const json_t *listed)
{
    OWN(session_json_freep) json_t *paths = NULL;
    const char *first = NULL;
    size_t n = 0;

    if (!object_files_list(s, folder, &paths))
        return false;
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const char *name =
            json_string_value(json_array_get(paths, i)) + strlen(folder) + strlen("/");

        if (json_object_get(plan, name) || json_object_get(listed, name))
            continue;
        first = first ? first : name;
        n++;
    }
    return n == 0 || session_fail(s,
                                  ARGS_EXIT_CONFLICT,
                                  "SLW-0719",
                                  "%s: %zu documents in it are of no export of the site as it is, "
                                  "the first is %s; remove them, or name another folder",
                                  folder,
                                  n,
                                  first);
}

/* The files of both sets. */
static bool write_list(struct session *s, const char *folder, json_t *plan, json_t *listed)
{
    OWN(session_json_freep) json_t *set = json_copy(plan);
    OWN(session_json_freep) json_t *files = json_array();
    OWN(session_json_freep) json_t *list = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(freep) char *text = NULL;
    const char *name;
    json_t *value;
    int r;

    if (listed)
        (void)json_object_update(set, listed);
    json_object_foreach(set, name, value)(void) json_array_append_new(files, json_string(name));
    list = json_pack("{s:O}", "files", files);
    text = json_dumps(list, JSON_INDENT(2));
    buf_addf(&path, "%s/" EXPORT_FOLDER_LIST, folder);
    r = text ? file_write(buf_str(&path), bytes_of(text), 0644) : -ENOMEM;
    return r == 0 || session_fail_errno(s, buf_str(&path), r);
}

static bool write_one(struct session *s, const char *folder, const char *name, json_t *document)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    int r;

    buf_addf(&path, "%s/%s", folder, output_text(document, "kind"));
    r = dir_make(buf_str(&path), 0755);
    buf_clear(&path);
    buf_addf(&path, "%s/%s", folder, name);
    yaml_put(&text, document);
    if (r == 0)
        r = file_write(buf_str(&path), buf_bytes(&text), 0644);
    return r == 0 || session_fail_errno(s, buf_str(&path), r);
}

static bool write_all(struct session *s, const char *folder, json_t *plan)
{
    const char *name;
    json_t *document;

    json_object_foreach(plan, name, document)
    {
        if (!write_one(s, folder, name, document))
            return false;
    }
    return true;
}

/* Remove a file of a former export; what is a link, or behind one, is not its file. @ret_is_gone: whether there was one */
static bool remove_one(struct session *s, const char *folder, const char *name, bool *ret_is_gone)
{
    OWN(buf_fini) struct buf kind = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct stat st;
    int r;

    *ret_is_gone = false;
    buf_addf(&kind, "%s/%.*s", folder, (int)strcspn(name, "/"), name);
    buf_addf(&path, "%s/%s", folder, name);
    if (lstat(buf_str(&kind), &st) != 0 || !S_ISDIR(st.st_mode) ||
        lstat(buf_str(&path), &st) != 0 || !S_ISREG(st.st_mode))
        return true;
    if (unlink(buf_str(&path)) != 0)
        return session_fail_errno(s, buf_str(&path), -errno);
    *ret_is_gone = true;
    r = dir_sync(buf_str(&kind));
    return r == 0 || session_fail_errno(s, buf_str(&kind), r);
}

static bool remove_former(struct session *s, const char *folder, json_t *plan, json_t *listed)
{
    const char *name;
    json_t *value;
    size_t n = 0;

    json_object_foreach(listed, name, value)
    {
        bool is_gone = false;

        if (!json_object_get(plan, name) && !remove_one(s, folder, name, &is_gone))
            return false;
        n += is_gone;
    }
    if (n > 0)
        (void)fprintf(stderr,
                      "slipway: %zu files of a former export were removed: the site has no such "
                      "things, or does not show them\n",
                      n);
    return true;
}

bool export_folder_write(struct session *s, const char *folder, const json_t *documents)
{
    OWN(session_json_freep) json_t *plan = json_object();
    OWN(session_json_freep) json_t *listed = json_object();
    int r = dir_make(folder, 0755);

    if (r < 0)
        return session_fail_errno(s, folder, r);
    return plan_all(s, documents, plan) && read_list(s, folder, listed) &&
           check_others(s, folder, plan, listed) && write_list(s, folder, plan, listed) &&
           write_all(s, folder, plan) && remove_former(s, folder, plan, listed) &&
           write_list(s, folder, plan, NULL);
}

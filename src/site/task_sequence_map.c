/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "site/content.h"
#include "site/fields.h"
#include "site/task_sequence_parts.h"
#include "ts/container.h"
#include "ts/edit.h"

enum {
    WHY_MAX_BYTES = 1024,
};

static bool is_wanted(const struct task_sequence_mapped *m, const char *id)
{
    return m->wanted_boot_image && m->wanted_boot_image[0] && strcmp(m->wanted_boot_image, id) == 0;
}

/**
 * find_old() - which reference an administrator means
 * @text: its id, or the name that its file gives it
 * @ret:  the id; borrowed; NULL: it refers to nothing that is called so
 */
static int find_old(struct site *site,
                    const struct task_sequence_mapped *m,
                    const char *text,
                    const char **ret)
{
    const char *id;
    json_t *name;

    *ret = is_wanted(m, text) || ts_refers_to(*m->doc, text) ? text : NULL;
    if (*ret)
        return 0;
    json_object_foreach(m->names, id, name)
    {
        if (!bytes_eq_nocase(bytes_of(json_string_value(name)), text) ||
            (!is_wanted(m, id) && !ts_refers_to(*m->doc, id)))
            continue;
        if (*ret)
            return refuse(site,
                          REFUSAL_AMBIGUOUS,
                          "Both %.64s and %.64s are called \"%.100s\"; give the id.",
                          *ret,
                          id,
                          text);
        *ret = id;
    }
    return 0;
}

/* What an administrator calls by id or name: content, or a task sequence. */
static int find_new(struct site *site, const char *text, char id[static SITE_ID_MAX])
{
    int r = content_find(site, CONTENT_FIND_ANY, text, id);

    if (r != SITE_E_REFUSED || site->refusal.id != REFUSAL_MISSING)
        return TRACE(r);
    r = content_find(site, CONTENT_FIND_TASK_SEQUENCES, text, id);
    if (r == SITE_E_REFUSED && site->refusal.id == REFUSAL_MISSING)
        return refuse(
            site,
            REFUSAL_MISSING,
            "There is no content and no task sequence \"%.100s\" to take the place of another.",
            text);
    return TRACE(r);
}

static int
map_one(struct site *site, const char *from, const char *to, struct task_sequence_mapped *m)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    struct ts_document *mapped = NULL;
    char id[SITE_ID_MAX];
    int r = 0;

    if (is_wanted(m, from))
        r = content_find(site, CONTENT_BOOT_IMAGE, to, m->boot_image_id);
    if (r != 0 || !ts_refers_to(*m->doc, from))
        return TRACE(r);
    r = find_new(site, to, id);
    if (r == 0)
        r = ts_edit_map(*m->doc, &(struct ts_mapping){from, id}, 1, &mapped, &why);
    if (r != 0)
        return TRACE(r);
    ts_document_free(*m->doc);
    *m->doc = mapped;
    return 0;
}

int task_sequence_map(struct site *site,
                      json_t *map,
                      struct task_sequence_mapped *mapped,
                      bool *used)
{
    const char *from;
    json_t *to;
    size_t i = 0;

    json_object_foreach(map, from, to)
    {
        const char *old = NULL;
        int r;

        if (!json_is_string(to))
            return refuse(site, REFUSAL_INVALID, "map wants texts.");
        r = find_old(site, mapped, from, &old);
        if (r == 0 && old)
            r = map_one(site, old, json_string_value(to), mapped);
        if (r != 0)
            return TRACE(r);
        used[i] = used[i] || old;
        i++;
    }
    return 0;
}

int task_sequence_refuse_unused(struct site *site, json_t *map, const bool *used)
{
    const char *from;
    json_t *to;
    size_t i = 0;

    json_object_foreach(map, from, to)
    {
        if (!used[i++])
            return refuse(site,
                          REFUSAL_MISSING,
                          "Nothing here refers to \"%.100s\", by id or by name.",
                          from);
    }
    return 0;
}

/* Among what it is looked for first. */
static unsigned kind_of(const struct ts_imports *imports, const char *id)
{
    enum ts_export_kind kind = ts_imports_kind_of(imports, id);
    const char *word = kind == TS_EXPORT_APPLICATION ? "package" : ts_export_word(kind);

    for (unsigned i = 0; i < N_CONTENT_KINDS; i++)
        if (strcmp(content_kind_name((enum content_kind)i), word) == 0)
            return i;
    return kind == TS_EXPORT_SEQUENCE ? CONTENT_FIND_TASK_SEQUENCES : CONTENT_FIND_ANY;
}

/* What is called so here. Return: 0, SITE_E_REFUSED if it is not one thing, or -errno. */
static int
find_named(struct site *site, const struct content_wish *wish, char id[static SITE_ID_MAX])
{
    struct content_wish other = *wish;
    int r = content_find_named(site, wish, id);

    if (r != SITE_E_REFUSED || site->refusal.id != REFUSAL_MISSING ||
        wish->among != CONTENT_FIND_ANY)
        return TRACE(r);
    other.among = CONTENT_FIND_TASK_SEQUENCES;
    return TRACE(content_find_named(site, &other, id));
}

static int map_named(struct site *site,
                     const struct ts_imports *imports,
                     struct task_sequence_mapped *m,
                     const char *from,
                     const char *name,
                     json_t *ret)
{
    OWN(json_freep) json_t *row = NULL;
    char to[SITE_ID_MAX];
    struct content_wish wish = {
        .among = is_wanted(m, from) ? (unsigned)CONTENT_BOOT_IMAGE : kind_of(imports, from),
        .name = name,
        .version = ts_imports_version_of(imports, from),
    };
    int r = rows_one(site->db, SQL_TASK_SEQUENCE_REFERENCE, DB_ARGS(db_text(from)), &row);

    if (r < 0 || (row && !is_wanted(m, from)))
        return TRACE(r); /* it is here */
    r = find_named(site, &wish, to);
    if (r == SITE_E_REFUSED && site->refusal.id == REFUSAL_MISSING &&
        wish.among != CONTENT_FIND_ANY && !is_wanted(m, from)) {
        wish.among = CONTENT_FIND_ANY; /* what a file says of kinds may be a guess */
        r = find_named(site, &wish, to);
    }
    if (r == SITE_E_REFUSED && site->refusal.id == REFUSAL_MISSING)
        return 0; /* it stays missing, which is told with its name */
    if (r == 0)
        r = map_one(site, from, to, m);
    if (r == 0 && json_array_append_new(
                      ret, json_pack("{s:s,s:s,s:s}", "id", from, "name", name, "to", to)) < 0)
        r = ERR(-ENOMEM);
    return TRACE(r);
}

int task_sequence_map_names(struct site *site,
                            const struct ts_imports *imports,
                            struct task_sequence_mapped *mapped,
                            json_t *ret)
{
    const char *id;
    json_t *name;

    json_object_foreach(mapped->names, id, name)
    {
        bool is_sibling = imports && ts_imports_find(imports, id);
        bool is_mapped = is_wanted(mapped, id) && mapped->boot_image_id[0] != '\0';
        int r = 0;

        if (!is_sibling && !is_mapped && json_string_value(name)[0] != '\0' &&
            (is_wanted(mapped, id) || ts_refers_to(*mapped->doc, id)))
            r = map_named(site, imports, mapped, id, json_string_value(name), ret);
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

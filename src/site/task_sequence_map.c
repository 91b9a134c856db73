/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "site/content.h"
#include "site/task_sequence_parts.h"
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

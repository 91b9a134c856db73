/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/report_json.h"

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/diff.h"
#include "ts/document.h"
#include "ts/secret_names.h"
#include "ts/show.h"
#include "ts/tree.h"

DEFINE_FREEP(struct ts_secret_names *, ts_secret_names_free);

enum {
    SENTENCE_MAX_BYTES = 8192,
    LINES_MAX_BYTES = 8 * 1024 * 1024, /* of a script */
};

int ts_steps_json(const struct ts_document *doc, json_t **ret)
{
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    json_t *list;
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    if (ts_tree_read(ts_document_tree(doc), &tree) < 0)
        return ERR(-ENOMEM);
    list = json_array();
    for (size_t i = 0; i < tree.n; i++) {
        const struct ts_tree_item *item = &tree.items[i];

        if (item->step == TS_NO_ITEM)
            continue;
        (void)json_array_append_new(list,
                                    json_pack("{s:i,s:s,s:s,s:s,s:b}",
                                              "index",
                                              item->step,
                                              "name",
                                              item->name,
                                              "path",
                                              item->path,
                                              "type",
                                              item->type,
                                              "is_enabled",
                                              (int)ts_step_is_enabled(&steps[item->step])));
    }
    *ret = list;
    return list ? 0 : ERR(-ENOMEM);
}

struct showing {
    json_t *list; /* borrowed */
    const struct ts_tree_item *item;
};

static int show_setting(void *ctx, const struct ts_shown *setting)
{
    const struct showing *showing = ctx;
    json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}",
                            "item",
                            showing->item->is_group ? "group" : "step",
                            "path",
                            showing->item->path,
                            "name",
                            setting->name,
                            "label",
                            setting->label,
                            "value",
                            setting->value,
                            "is_secret",
                            (int)setting->is_secret);

    return json_array_append_new(showing->list, row) == 0 ? 0 : ERR(-ENOMEM);
}

int ts_properties_json(const struct ts_document *doc, json_t **ret)
{
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    OWN(ts_secret_names_freep) struct ts_secret_names *names = NULL;
    json_t *list = json_array();
    int r = ts_tree_read(ts_document_tree(doc), &tree);

    if (r == 0)
        r = ts_secret_names_new(doc, NULL, &names);
    for (size_t i = 0; r == 0 && i < tree.n; i++)
        r = ts_show(names, &tree.items[i], show_setting, &(struct showing){list, &tree.items[i]});
    if (r == 0 && list) {
        *ret = list;
        return 0;
    }
    json_decref(list);
    return r < 0 ? TRACE(r) : ERR(-ENOMEM);
}

static json_t *put_change(const struct ts_change *change)
{
    OWN(buf_fini) struct buf sentence = BUF_INIT(SENTENCE_MAX_BYTES);
    OWN(buf_fini) struct buf lines = BUF_INIT(LINES_MAX_BYTES);
    bool has_item = change->path[0] != '\0' || change->old_path[0] != '\0';

    ts_change_put(change, &sentence);
    ts_change_put_lines(change, &lines);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:s}",
                     "change",
                     ts_change_name(change->kind),
                     "item",
                     has_item ? (change->is_group ? "group" : "step") : "task-sequence",
                     "path",
                     change->path,
                     "old_path",
                     change->old_path,
                     "type",
                     change->type,
                     "property",
                     change->name,
                     "from",
                     change->from,
                     "to",
                     change->to,
                     "is_secret",
                     ts_change_is_secret(change),
                     "text",
                     buf_str(&sentence),
                     "lines",
                     buf_str(&lines));
}

int ts_changes_json(const struct ts_changes *changes, json_t **ret)
{
    json_t *list = json_array();

    for (size_t i = 0; i < changes->n; i++)
        (void)json_array_append_new(list, put_change(&changes->items[i]));
    *ret = json_pack("{s:o}", "changes", list);
    return *ret ? 0 : ERR(-ENOMEM);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/sequence_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "cli/output.h"
#include "cli/sequence_choose.h"
#include "ts/container.h"
#include "ts/container_put.h"
#include "ts/diag.h"
#include "ts/diff.h"
#include "ts/document.h"
#include "ts/edit.h"
#include "ts/report_json.h"
#include "ts/secret.h"
#include "ts/sequence.h"
#include "ts/validate.h"
#include "ts/yaml_form.h"

enum {
    ID_MAX_BYTES = 32,
    REFERENCES_MAX = 4096, /* of one task sequence */
    EXPORT_MAX_BYTES = 16 * 1024 * 1024,
};

DEFINE_FREEP(struct ts_document *, ts_document_free);

bool sequence_file_has_login(const struct session *s)
{
    struct credentials known = {0};
    bool has_site = credentials_load(&s->env, &known) != CREDENTIALS_E_MISSING;

    credentials_fini(&known);
    return has_site;
}

/* Another task sequence of the same file. */
static struct ts_document *find_sibling(void *ctx, const char *id)
{
    const struct ts_import *sibling = ts_imports_find(ctx, id);
    struct ts_document *copy = NULL;

    if (sibling && ts_document_copy(sibling->doc, &copy) < 0)
        return NULL; /* as if it were not there, which is not told here */
    return copy;
}

/* As the site has it (docs/api/openapi.yaml, Diagnostic). @sequence: its name; NULL: there is only one */
static bool add_findings(json_t *list, const struct ts_diags *diags, const char *sequence)
{
    for (size_t i = 0; i < diags->n; i++) {
        const struct ts_diag *diag = &diags->items[i];
        json_t *item = json_pack("{s:s,s:i,s:i,s:s,s:s,s:s}",
                                 "severity",
                                 diag->severity == TS_ERROR ? "error" : "warning",
                                 "line",
                                 (int)diag->line,
                                 "column",
                                 (int)diag->column,
                                 "step",
                                 diag->path,
                                 "error_id",
                                 diag->id,
                                 "message",
                                 diag->message);

        if (sequence)
            (void)json_object_set_new(item, "sequence", json_string(sequence));
        if (json_array_append_new(list, item) < 0)
            return false;
    }
    return true;
}

/* @is_named: which one it is has to be said: the file has others, of which some may be unreadable */
static bool validate_one(json_t *list,
                         struct ts_imports *imports,
                         const struct ts_import *item,
                         bool is_named,
                         bool *ret_is_valid)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    const struct ts_site_facts facts = {
        .sequence = find_sibling,
        .ctx = imports,
        .is_partial = true,
        .own_id = item->id[0] ? item->id : NULL,
    };

    if (ts_validate_at(item->doc, &facts, &diags) < 0)
        return false;
    *ret_is_valid = *ret_is_valid && !ts_diags_has_error(&diags);
    return add_findings(list, &diags, is_named ? (item->name[0] ? item->name : item->id) : NULL);
}

static json_t *verdict(json_t *list, bool is_valid)
{
    return json_pack("{s:b,s:b,s:O,s:[]}",
                     "is_valid",
                     (int)is_valid,
                     "are_references_checked",
                     0,
                     "diagnostics",
                     list,
                     "missing");
}

/* Of one of the sequences only. */
static bool validate_chosen(struct session *s,
                            const char *name,
                            struct ts_imports *imports,
                            const struct ts_import *item,
                            json_t **ret)
{
    OWN(session_json_freep) json_t *list = json_array();
    bool is_valid = true;

    if (list && validate_one(list, imports, item, imports->n > 1, &is_valid))
        *ret = verdict(list, is_valid);
    return *ret || session_fail_errno(s, name, -ENOMEM);
}

bool sequence_file_validate(struct session *s, const char *name, struct bytes file, json_t **ret)
{
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(session_json_freep) json_t *list = json_array();
    int r = ts_container_read(file, &imports, &diags);
    bool is_valid = r == 0;
    bool is_done = r >= 0 && list && add_findings(list, &diags, NULL);

    for (size_t i = 0; is_done && i < imports.n;
         i++) /* also if others of an export cannot be read */
        is_done =
            validate_one(list, &imports, &imports.items[i], imports.n > 1 || r != 0, &is_valid);
    if (is_done)
        *ret = verdict(list, is_valid);
    return (is_done && *ret) || session_fail_errno(s, name, r < 0 ? r : -ENOMEM);
}

/* What the .zip is made of. */
struct packing {
    struct ts_export items[TS_IMPORTS_MAX];
    struct ts_document *docs[TS_IMPORTS_MAX]; /* owned */
    char ids[TS_IMPORTS_MAX][ID_MAX_BYTES];
    struct ts_export_reference *references[TS_IMPORTS_MAX]; /* owned */
    size_t n;
};

static void packing_freep(struct packing **p)
{
    struct packing *packing = *p;

    for (size_t i = 0; packing && i < packing->n; i++) {
        ts_document_free(packing->docs[i]);
        free(packing->references[i]);
    }
    free(packing);
}

static bool is_listed(const struct ts_export_reference *references, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(references[i].id, id) == 0)
            return true;
    return false;
}

/* A package, if the file does not say. */
static enum ts_export_kind kind_of(const struct ts_imports *imports, const char *id)
{
    enum ts_export_kind kind = ts_imports_kind_of(imports, id);

    if (ts_imports_find(imports, id))
        return TS_EXPORT_SEQUENCE;
    return kind == TS_EXPORT_UNKNOWN ? TS_EXPORT_PACKAGE : kind;
}

/* What the file says of what @item refers to. */
static size_t find_references(const struct ts_imports *imports,
                              const struct ts_import *item,
                              struct ts_export_reference *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < imports->n_references && n < REFERENCES_MAX; i++) {
        const struct ts_reference *reference = &imports->references[i];
        bool is_boot_image = strcmp(reference->id, item->boot_image_id) == 0;

        if ((!is_boot_image && !ts_refers_to(item->doc, reference->id)) ||
            is_listed(ret, n, reference->id))
            continue;
        ret[n++] = (struct ts_export_reference){
            .kind = is_boot_image ? TS_EXPORT_BOOT_IMAGE : kind_of(imports, reference->id),
            .id = reference->id,
            .name = reference->name,
            .version = reference->version,
        };
    }
    return n;
}

static bool is_plain(const char *id)
{
    return id[0] != '\0' && strlen(id) < ID_MAX_BYTES &&
           id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")] == '\0';
}

static bool
pack_one(struct packing *p, const struct ts_imports *imports, const struct ts_import *item)
{
    size_t i = p->n++;
    size_t n;

    p->references[i] = calloc(REFERENCES_MAX, sizeof(*p->references[i]));
    if (!p->references[i] || ts_document_export(item->doc, &p->docs[i]) < 0)
        return false;
    if (is_plain(item->id))
        (void)snprintf(p->ids[i], ID_MAX_BYTES, "%s", item->id);
    else
        (void)snprintf(p->ids[i], ID_MAX_BYTES, "TS%06zu", i + 1);
    n = find_references(imports, item, p->references[i]);
    p->items[i] = (struct ts_export){
        .id = p->ids[i],
        .name = item->name,
        .description = item->description,
        .boot_image_id = item->boot_image_id,
        .is_disabled = item->is_disabled,
        .object = item->object,
        .doc = p->docs[i],
        .references = p->references[i],
        .n_references = n,
    };
    return true;
}

/* @has_all: not only what the main one runs */
static bool
put_zip(const struct ts_imports *imports, size_t main_one, bool has_all, struct buf *ret)
{
    OWN(packing_freep) struct packing *p = calloc(1, sizeof(*p));
    bool is_packed[TS_IMPORTS_MAX] = {false};
    bool is_done = p && pack_one(p, imports, &imports->items[main_one]);
    size_t i = 0;

    is_packed[main_one] = true;
    while (is_done && i < imports->n) {
        bool is_wanted = has_all;

        for (size_t k = 0; k < imports->n; k++)
            is_wanted |= is_packed[k] && sequence_runs(imports, k, i);
        if (!is_wanted || is_packed[i]) {
            i++;
            continue;
        }
        is_packed[i] = true;
        is_done = pack_one(p, imports, &imports->items[i]);
        i = 0; /* one before it may be what this one runs */
    }
    return is_done && ts_container_put(p->items, p->n, ret) == 0;
}

/* Return: 0, TS_E_MALFORMED: it has no canonical form, or -errno. */
static int put(const struct ts_imports *imports,
               size_t main_one,
               bool has_all,
               const char *format,
               struct buf *ret)
{
    OWN(ts_document_freep) struct ts_document *safe = NULL;
    int r;

    if (strcmp(format, "zip") == 0)
        return put_zip(imports, main_one, has_all, ret) ? 0 : -ENOMEM;
    r = ts_document_export(imports->items[main_one].doc, &safe);
    if (r < 0)
        return r;
    return strcmp(format, "yaml") == 0 ? ts_yaml_put(safe, ret) : ts_document_put(safe, ret);
}

bool sequence_file_unreadable(struct session *s, const char *name, const struct ts_diags *diags)
{
    const struct ts_diag *first = diags->n > 0 ? &diags->items[0] : NULL;

    if (!first || first->line == 0)
        return session_fail(s,
                            ARGS_EXIT_FAILURE,
                            "SLW-0704",
                            "%s cannot be read: %s",
                            name,
                            first ? first->message : "there is nothing in it");
    return session_fail(s,
                        ARGS_EXIT_FAILURE,
                        "SLW-0704",
                        "%s cannot be read: line %u, column %u: %s",
                        name,
                        first->line,
                        first->column,
                        first->message);
}

/* @wanted: as for sequence_choose(). @ret: borrows from @imports */
static bool read_main(struct session *s,
                      const char *name,
                      struct bytes file,
                      const char *wanted,
                      struct ts_imports *imports,
                      const struct ts_import **ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    size_t main_one;
    int r = ts_container_read(file, imports, &diags);

    if (r > 0)
        (void)sequence_file_unreadable(s, name, &diags);
    else if (r < 0)
        (void)session_fail_errno(s, name, r);
    if (r != 0 || !sequence_choose(s, name, imports, wanted, &main_one))
        return false;
    *ret = &imports->items[main_one];
    return true;
}

bool sequence_file_show(
    struct session *s, const char *name, struct bytes file, const char *wanted, json_t **ret)
{
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(session_json_freep) json_t *steps = NULL;
    OWN(session_json_freep) json_t *properties = NULL;
    OWN(session_json_freep) json_t *findings = NULL;
    const struct ts_import *item;
    const char *own_name;

    if (!read_main(s, name, file, wanted, &imports, &item) ||
        !validate_chosen(s, name, &imports, item, &findings))
        return false;
    own_name = item->name[0] ? item->name : ts_document_name(item->doc);
    if (ts_steps_json(item->doc, &steps) == 0 && ts_properties_json(item->doc, &properties) == 0)
        *ret = json_pack("{s:s,s:s,s:s,s:s,s:i,s:b,s:O,s:O,s:O,s:[]}",
                         "id",
                         item->id,
                         "name",
                         own_name,
                         "description",
                         item->description,
                         "boot_image_id",
                         item->boot_image_id,
                         "n_steps",
                         (int)json_array_size(steps),
                         "is_disabled",
                         (int)item->is_disabled,
                         "steps",
                         steps,
                         "properties",
                         properties,
                         "diagnostics",
                         output_at(findings, "diagnostics"),
                         "missing");
    return *ret || session_fail_errno(s, name, -ENOMEM);
}

/* What a file says of itself; a bare <sequence> says nothing. */
static struct ts_about about_of(const struct ts_import *item)
{
    return (struct ts_about){
        .name = item->name,
        .description = item->description,
        .boot_image_id = item->boot_image_id,
        .is_disabled = item->is_disabled,
    };
}

bool sequence_file_diff(struct session *s,
                        const struct sequence_file *before,
                        const struct sequence_file *after,
                        json_t **ret)
{
    OWN(ts_imports_fini) struct ts_imports old_imports = {0};
    OWN(ts_imports_fini) struct ts_imports new_imports = {0};
    OWN(ts_changes_fini) struct ts_changes changes = {0};
    const struct ts_import *old_item;
    const struct ts_import *new_item;
    struct ts_about old_about;
    struct ts_about new_about;
    bool says_both;
    int r = 0;

    if (!read_main(s, before->name, before->content, before->wanted, &old_imports, &old_item) ||
        !read_main(s, after->name, after->content, after->wanted, &new_imports, &new_item))
        return false;
    old_about = about_of(old_item);
    new_about = about_of(new_item);
    says_both = old_item->name[0] != '\0' && new_item->name[0] != '\0';
    if (says_both)
        r = ts_diff_about(&old_about, &new_about, &changes);
    if (r == 0)
        r = ts_diff(old_item->doc, new_item->doc, &changes);
    if (r == 0)
        r = ts_changes_json(&changes, ret);
    return r == 0 || session_fail_errno(s, after->name, r);
}

bool sequence_file_convert(
    struct session *s, const char *name, struct bytes file, const char *wanted, const char *format)
{
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(EXPORT_MAX_BYTES);
    bool has_all = !wanted && strcmp(format, "zip") == 0; /* which can hold several */
    size_t main_one = 0;
    int r = ts_container_read(file, &imports, &diags);

    if (r > 0)
        return sequence_file_unreadable(s, name, &diags);
    if (r == 0 && !has_all && !sequence_choose(s, name, &imports, wanted, &main_one))
        return false;
    if (r == 0)
        r = put(&imports, main_one, has_all, format, &text);
    if (r > 0)
        return session_fail(s,
                            ARGS_EXIT_FAILURE,
                            "SLW-0704",
                            "%s has no canonical form, which YAML needs: convert it to XML",
                            name);
    if (r < 0 || text.failed)
        return session_fail_errno(s, name, r < 0 ? r : -ENOMEM);
    return session_write(s, &text);
}

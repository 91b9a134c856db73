/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/object.h"

#include <errno.h>
#include <string.h>

#include "base/own.h"
#include "cli/object_match.h"
#include "cli/output.h"

enum {
    PATH_MAX_BYTES = 4096,
    HTTP_NOT_FOUND = 404,
};

void object_site_fini(struct object_site *site)
{
    json_decref(site->names);
    site->names = NULL;
}

static const char *id_member(const struct object_kind *kind)
{
    return kind->id ? kind->id : "name";
}

void object_put_path(struct buf *dst, const char *place, const json_t *answer)
{
    buf_addf(dst, "/%s/", place);
    session_escape(dst, output_text(answer, "id"));
}

/* By what a change of it can tell that nobody else was faster. */
static void put_etag(const struct http_answer *answer, json_t *object)
{
    struct bytes etag;

    if (http_answer_header(answer, "ETag", &etag))
        (void)json_object_set_new(
            object, OBJECT_ETAG, json_stringn((const char *)etag.ptr, etag.len));
}

/* GET, which may find nothing: then @ret is NULL. */
static bool get_if_there(struct session *s, const char *path, json_t **ret)
{
    OWN(http_answer_fini) struct http_answer answer = {0};
    int r = session_try(s, "GET", path, NULL, &answer);

    *ret = NULL;
    if (r != 0)
        return session_no_answer(s, r);
    if (answer.status == HTTP_NOT_FOUND)
        return true;
    *ret = json_loadb(buf_str(&answer.body), answer.body.len, 0, NULL);
    if (answer.status < 400 && *ret) {
        put_etag(&answer, *ret);
        return true;
    }
    (void)session_problem(s, answer.status, *ret);
    json_decref(*ret);
    *ret = NULL;
    return false;
}

/* What the site makes itself, and what is no thing of its own any more. */
static bool is_left_out(const struct object_kind *kind, const json_t *row)
{
    return json_is_true(output_at(row, "is_builtin")) ||
           json_is_true(output_at(row, "is_default")) ||
           json_is_true(output_at(row, "is_unknown")) ||
           (kind->is_deployment && (json_is_true(output_at(row, "is_cancelled")) ||
                                    json_is_string(output_at(row, "phased_deployment_id"))));
}

bool object_list(struct object_site *site, const struct object_kind *kind, json_t **ret)
{
    OWN(session_json_freep) json_t *rows = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    if (kind->rule)
        return object_rule_list(site, kind, ret);
    buf_addf(&path, "/%s", kind->place);
    if (!session_list(site->session, buf_str(&path), &rows))
        return false;
    for (size_t i = json_array_size(rows); i-- > 0;)
        if (is_left_out(kind, json_array_get(rows, i)))
            (void)json_array_remove(rows, i);
    *ret = TAKE(rows);
    return true;
}

static bool is_same(const struct object_kind *kind, const json_t *row, const json_t *document)
{
    if (kind->rule && !kind->is_deployment)
        return object_rule_is_of(kind, row, document);
    if (!kind->is_deployment)
        return strcmp(output_text(row, id_member(kind)), output_text(document, "name")) == 0;
    return strcmp(output_text(row, "task_sequence_name"), output_text(document, "task_sequence")) ==
               0 &&
           strcmp(output_text(row, "collection_name"), output_text(document, "collection")) == 0;
}

static bool refuse_several(struct object_site *site, const json_t *document, const char *what_to_do)
{
    OWN(buf_fini) struct buf name = BUF_INIT(PATH_MAX_BYTES);

    object_put_name(&name, document);
    return session_fail(site->session,
                        ARGS_EXIT_CONFLICT,
                        "SLW-0712",
                        "%s: the site has more than one; %s",
                        buf_str(&name),
                        what_to_do);
}

/* The documents about what is called as @document. @ret_at: which of them it is */
static json_t *documents_like(const struct object_site *site,
                              const struct object_kind *kind,
                              const json_t *document,
                              size_t *ret_at)
{
    json_t *list = json_array();

    *ret_at = 0;
    for (size_t i = 0; i < json_array_size(site->documents); i++) {
        json_t *one = json_array_get(site->documents, i);

        if (object_kind_find(output_text(one, "kind")) != kind ||
            strcmp(output_text(one, "task_sequence"), output_text(document, "task_sequence")) !=
                0 ||
            strcmp(output_text(one, "collection"), output_text(document, "collection")) != 0)
            continue;
        if (one == document)
            *ret_at = json_array_size(list);
        (void)json_array_append(list, one);
    }
    if (json_array_size(list) == 0)
        (void)json_array_append_new(list, json_deep_copy(document));
    return list;
}

/* Deployments have no name: they are told apart by what is said of them. @rows: those of @document's task sequence and collection */
static bool choose(struct object_site *site,
                   const struct object_kind *kind,
                   const json_t *rows,
                   const json_t *document,
                   json_t **ret)
{
    OWN(session_json_freep) json_t *things = json_array();
    size_t at = 0;
    size_t found = 0;
    OWN(session_json_freep) json_t *documents = documents_like(site, kind, document, &at);

    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *thing = NULL;

        if (!object_read(site, kind, json_array_get(rows, i), &thing))
            return false;
        (void)json_array_append_new(things, thing);
    }
    switch (object_match(kind, things, documents, at, &found)) {
    case OBJECT_MATCH_ONE:
        *ret = json_incref(json_array_get(rows, found));
        return true;
    case OBJECT_MATCH_NONE:
        return true;
    case OBJECT_MATCH_SEVERAL:
        return refuse_several(site,
                              document,
                              "which of them the document changes is told by its comment, or "
                              "delete all but one");
    case OBJECT_MATCH_NO_MEMORY:
    default:
        return session_fail_errno(site->session, "comparing", -ENOMEM);
    }
}

static bool find_in_list(struct object_site *site,
                         const struct object_kind *kind,
                         const json_t *document,
                         json_t **ret)
{
    OWN(session_json_freep) json_t *rows = NULL;
    bool is_deployment = kind->is_deployment && !kind->rule;

    *ret = NULL;
    if (!object_list(site, kind, &rows))
        return false;
    for (size_t i = json_array_size(rows); i-- > 0;)
        if (!is_same(kind, json_array_get(rows, i), document))
            (void)json_array_remove(rows, i);
    if (is_deployment)
        return choose(site, kind, rows, document, ret);
    if (json_array_size(rows) > 1)
        return refuse_several(site, document, "delete all but one");
    if (json_array_size(rows) == 1)
        *ret = json_incref(json_array_get(rows, 0));
    return true;
}

bool object_find(struct object_site *site,
                 const struct object_kind *kind,
                 const json_t *document,
                 json_t **ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    if (kind->is_listed_only || kind->is_deployment)
        return find_in_list(site, kind, document, ret);
    buf_addf(&path, "/%s/", kind->place);
    session_escape(&path, output_text(document, "name"));
    return get_if_there(site->session, buf_str(&path), ret);
}

bool object_get(struct object_site *site, const struct object_kind *kind, json_t *row, json_t **ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    if (kind->is_listed_only || kind->is_deployment) {
        *ret = json_incref(row);
        return true;
    }
    object_put_path(&path, kind->place, row);
    return get_if_there(site->session, buf_str(&path), ret);
}

/* @ret: the name of the thing with this id, owned; NULL: there is none. */
static bool name_of_id(struct object_site *site, const char *place, const char *id, json_t **ret)
{
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *known;

    *ret = NULL;
    if (!id[0])
        return true;
    buf_addf(&path, "/%s/", place);
    session_escape(&path, id);
    if (!site->names)
        site->names = json_object();
    known = json_object_get(site->names, buf_str(&path));
    if (!known) {
        if (!get_if_there(site->session, buf_str(&path), &answer))
            return false;
        known = output_at(answer, "name");
        (void)json_object_set(site->names, buf_str(&path), known ? known : json_null());
    }
    *ret = json_is_string(known) ? json_incref(known) : NULL;
    return true;
}

static bool says_nothing(const json_t *value)
{
    return (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) || json_is_false(value);
}

static bool read_field(struct object_site *site,
                       const struct object_field *field,
                       const json_t *answer,
                       json_t *document)
{
    json_t *value = output_at(answer, field->member ? field->member : field->name);

    if (!value || json_is_null(value))
        return true;
    if (field->place) {
        if (!name_of_id(
                site, field->place, json_is_string(value) ? json_string_value(value) : "", &value))
            return false;
    } else {
        value = field->value ? field->value(value) : json_incref(value);
    }
    if (value && (field->is_exact || !says_nothing(value)))
        (void)json_object_set(document, field->name, value);
    json_decref(value);
    return true;
}

/* The items as the site has them; they may stand in the answer already. */
static bool get_items(struct object_site *site,
                      const struct object_kind *kind,
                      const struct object_part *part,
                      const json_t *answer,
                      json_t **ret)
{
    OWN(session_json_freep) json_t *got = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *items = part->list ? output_at(answer, part->list) : NULL;

    if (!items) {
        object_put_path(&path, kind->place, answer);
        buf_adds(&path, part->list ? "" : part->path);
        if (!session_call(site->session, "GET", buf_str(&path), NULL, &got))
            return false;
        items = output_at(got, part->list ? part->list : "items");
    }
    *ret = json_incref(items);
    return true;
}

static bool read_part(struct object_site *site,
                      const struct object_kind *kind,
                      const struct object_part *part,
                      const json_t *answer,
                      json_t *document)
{
    OWN(session_json_freep) json_t *items = NULL;
    OWN(session_json_freep) json_t *list = json_array();

    if (!get_items(site, kind, part, answer, &items))
        return false;
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = part->item(json_array_get(items, i));

        if (json_is_true(json_object_get(item, "is_secret")))
            site->n_secrets++;
        (void)json_array_append_new(list, item);
    }
    return json_array_size(list) == 0 || json_object_set(document, part->name, list) == 0;
}

bool object_read(struct object_site *site,
                 const struct object_kind *kind,
                 const json_t *answer,
                 json_t **ret)
{
    OWN(session_json_freep) json_t *document = json_pack("{s:s}", "kind", kind->kind);

    if (!kind->is_deployment)
        (void)json_object_set(document, "name", output_at(answer, id_member(kind)));
    for (const struct object_field *f = kind->fields; f->name; f++)
        if (!read_field(site, f, answer, document))
            return false;
    for (const struct object_part *p = kind->parts; p && p->name; p++)
        if (!read_part(site, kind, p, answer, document))
            return false;
    if (kind->has_sequence && !object_sequence_read(site, answer, document))
        return false;
    *ret = TAKE(document);
    return true;
}

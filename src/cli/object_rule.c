/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Rules that the site has for itself, for distribution points and for deployments: nobody makes them, they are set and inherited
 */

#include "cli/object.h"

#include <string.h>

#include "base/own.h"
#include "cli/output.h"

enum {
    PATH_MAX_BYTES = 4096,
};

static bool is_any_set(const struct object_kind *kind, const json_t *row)
{
    for (const struct object_field *f = kind->fields; f->name; f++) {
        const json_t *value = f->is_exact ? json_object_get(row, f->name) : NULL;

        if (value && !json_is_null(value))
            return true;
    }
    return false;
}

static bool get(struct session *s, const char *place, const char *id, json_t **ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_addf(&path, "/%s/", place);
    session_escape(&path, id);
    return session_call(s, "GET", buf_str(&path), NULL, ret);
}

/* What a rule of another kind is about is not told. @ret: whether it is of this one */
static bool
put_owner(struct object_site *site, const struct object_kind *kind, json_t *row, bool *ret)
{
    OWN(session_json_freep) json_t *owner = NULL;
    const char *id = output_text(row, "id");
    const bool is_dp = strncmp(id, "DP", 2) == 0;
    const bool is_site = strcmp(id, OBJECT_RULE_SITE) == 0;

    *ret = kind->is_deployment ? !is_dp && !is_site : is_dp || is_site;
    if (!*ret)
        return true;
    if (is_site)
        return json_object_set_new(row, "name", json_string(OBJECT_RULE_SITE)) == 0;
    if (!get(site->session, is_dp ? "distribution-points" : "deployments", id, &owner))
        return false;
    if (is_dp)
        return json_object_set(row, "distribution_point_name", output_at(owner, "name")) == 0;
    *ret = !json_is_true(output_at(owner, "is_cancelled")) &&
           !json_is_string(output_at(owner, "phased_deployment_id"));
    return json_object_set(row, "task_sequence_name", output_at(owner, "task_sequence_name")) ==
               0 &&
           json_object_set(row, "collection_name", output_at(owner, "collection_name")) == 0;
}

static bool list_single(struct object_site *site, const struct object_kind *kind, json_t **ret)
{
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_addf(&path, "/%s", kind->place);
    if (!session_call(site->session, "GET", buf_str(&path), NULL, &answer))
        return false;
    (void)json_object_set_new(answer, "name", json_string(OBJECT_RULE_SITE));
    *ret = json_pack("[O]", answer);
    return *ret != NULL;
}

bool object_rule_list(struct object_site *site, const struct object_kind *kind, json_t **ret)
{
    OWN(session_json_freep) json_t *rows = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    if (kind->rule == OBJECT_RULE_SINGLE)
        return list_single(site, kind, ret);
    buf_addf(&path, "/%s", kind->place);
    if (!session_list(site->session, buf_str(&path), &rows))
        return false;
    for (size_t i = json_array_size(rows); i-- > 0;) {
        json_t *row = json_array_get(rows, i);
        bool is_ours =
            is_any_set(kind, row); /* of one that has a password alone nothing can be told */

        if (is_ours && !put_owner(site, kind, row, &is_ours))
            return false;
        if (!is_ours)
            (void)json_array_remove(rows, i);
    }
    *ret = TAKE(rows);
    return true;
}

/* @ret: the id that the request goes to, of what the document names */
static bool put_id(struct object_site *site,
                   const struct object_kind *kind,
                   const json_t *wanted,
                   struct buf *ret)
{
    OWN(session_json_freep) json_t *owner = NULL;
    const char *dp = output_text(wanted, "distribution_point");

    if (kind->is_deployment) {
        if (!object_find(site, object_kind_find("Deployment"), wanted, &owner))
            return false;
        if (!owner)
            return session_fail(
                site->session, ARGS_EXIT_NOT_FOUND, NULL, "there is no such deployment");
    } else if (dp[0] && !get(site->session, "distribution-points", dp, &owner)) {
        return false;
    }
    session_escape(ret, owner ? output_text(owner, "id") : OBJECT_RULE_SITE);
    return true;
}

bool object_rule_apply(struct object_site *site,
                       const struct object_kind *kind,
                       const json_t *answer,
                       const json_t *wanted)
{
    OWN(session_json_freep) json_t *body = json_object();
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    for (const struct object_field *f = kind->fields; f->name; f++) {
        json_t *value = f->is_exact ? json_object_get(wanted, f->name) : NULL;

        if (value)
            (void)json_object_set(body, f->name, value);
    }
    if (json_object_size(body) == 0)
        return true; /* it is all as it is */
    if (kind->rule == OBJECT_RULE_SINGLE)
        buf_addf(&path, "/%s", kind->place);
    else if (answer)
        object_put_path(&path, kind->place, answer);
    else {
        buf_addf(&path, "/%s/", kind->place);
        if (!put_id(site, kind, wanted, &path))
            return false;
    }
    return session_call(site->session, "PATCH", buf_str(&path), TAKE(body), NULL);
}

bool object_rule_is_of(const struct object_kind *kind, const json_t *row, const json_t *document)
{
    const char *dp = output_text(document, "distribution_point");
    const char *name = output_text(document, "name");

    if (kind->rule == OBJECT_RULE_SINGLE)
        return strcmp(name, OBJECT_RULE_SITE) == 0;
    if (dp[0])
        return strcmp(output_text(row, "distribution_point_name"), dp) == 0;
    return strcmp(
               output_text(row, output_text(row, "name")[0] ? "name" : "distribution_point_name"),
               name) == 0;
}

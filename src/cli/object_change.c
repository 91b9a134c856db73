/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/object.h"

#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/output.h"

enum {
    PATH_MAX_BYTES = 8192,
    NAME_MAX_BYTES = 2048,
};

/* One object that is worked on. */
struct work {
    struct object_site *site;
    const struct object_kind *kind;
    const json_t *wanted;
    const char *confirm;
    struct buf name;
};

static void work_fini(struct work *w)
{
    buf_fini(&w->name);
}

static bool fail(struct work *w, const char *error_id, const char *why, const char *what)
{
    return session_fail(w->site->session,
                        ARGS_EXIT_CONFLICT,
                        error_id,
                        "%s: %s%s",
                        buf_str(&w->name),
                        what ? what : "",
                        why);
}

static bool put_confirm(struct work *w, json_t *body)
{
    uint64_t n = 0;

    if (!w->confirm)
        return true;
    if (!bytes_parse_u64(bytes_of(w->confirm), 0, UINT32_MAX, &n))
        return session_fail(
            w->site->session, ARGS_EXIT_USAGE, NULL, "--confirm must be a number of devices");
    return json_object_set_new(body, "confirm_devices", json_integer((json_int_t)n)) == 0;
}

/* A new deployment names its task sequence by the id. */
static bool put_deployment(struct work *w, json_t *body)
{
    OWN(session_json_freep) json_t *sequence = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_adds(&path, "/task-sequences/");
    session_escape(&path, output_text(w->wanted, "task_sequence"));
    if (!session_call(w->site->session, "GET", buf_str(&path), NULL, &sequence))
        return false;
    (void)json_object_del(body, "task_sequence");
    (void)json_object_set(body, "task_sequence_id", output_at(sequence, "id"));
    return put_confirm(w, body);
}

/* What POST takes is what the site answers, but for the names of a few members. */
static bool put_fields(struct work *w, json_t *body)
{
    if (!w->kind->is_deployment)
        (void)json_object_set(
            body, w->kind->id ? w->kind->id : "name", json_object_get(w->wanted, "name"));
    for (const struct object_field *f = w->kind->fields; f->name; f++) {
        json_t *value = json_object_get(w->wanted, f->name);
        const char *name =
            f->is_fixed && f->member && !f->value && !w->kind->is_deployment ? f->member : f->name;

        if (value && !json_is_null(value))
            (void)json_object_set(body, name, value);
    }
    if (w->kind->is_deployment)
        return put_deployment(w, body);
    return !w->kind->is_confirmed || put_confirm(w, body);
}

/* Members that only a thing that is there can be given, by its kind; they follow in a PATCH. */
static const char *const later[] = {
    "is_disabled", "is_blocked", "block_reason", "is_protected", "variable_priority"};

static void leave_for_later(json_t *body)
{
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        (void)json_object_del(body, later[i]);
}

static bool create(struct work *w)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *body = json_object();

    if (w->kind->made_by && json_object_get(w->wanted, "source_path") == NULL) {
        json_decref(body);
        return fail(w, "SLW-0713", w->kind->made_by, "its files are in no document; first: ");
    }
    if (!put_fields(w, body)) {
        json_decref(body);
        return false;
    }
    if (!w->kind->is_deployment)
        leave_for_later(body);
    buf_addf(&path, "/%s", w->kind->place);
    return session_call(w->site->session, "POST", buf_str(&path), body, NULL);
}

static bool change_fields(struct work *w, const json_t *answer, const json_t *changes)
{
    OWN(session_json_freep) json_t *body = json_object();
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *place = w->kind->change_place ? w->kind->change_place : w->kind->place;

    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        const char *member = output_text(change, "member");
        json_t *wanted = json_object_get(change, "wanted");

        if (!wanted || strcmp(member, "document") == 0)
            continue;
        if (json_is_true(json_object_get(change, "is_fixed")))
            return fail(
                w, "SLW-0714", " cannot be changed; delete it and apply the document anew", member);
        if (json_is_null(wanted))
            (void)json_object_set_new(body, member, json_string(""));
        else
            (void)json_object_set(body, member, wanted);
    }
    if (json_object_size(body) == 0)
        return true;
    if (w->kind->has_sequence && json_object_get(body, "boot_image")) {
        (void)json_object_set(body, "boot_image_id", json_object_get(body, "boot_image"));
        (void)json_object_del(body, "boot_image");
    }
    object_put_path(&path, place, answer);
    /* the ETag is that of the place where we looked */
    return (w->kind->change_place ||
            session_if_match(w->site->session, output_text(answer, OBJECT_ETAG))) &&
           session_call(w->site->session, "PATCH", buf_str(&path), TAKE(body), NULL);
}

static const struct object_part *part_of(const struct object_kind *kind, const char *name)
{
    for (const struct object_part *p = kind->parts; p && p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

static bool remove_item(struct work *w,
                        const struct object_part *part,
                        const json_t *answer,
                        const json_t *item)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    object_put_path(&path, w->kind->place, answer);
    buf_adds(&path, part->path);
    object_put_key(&path, part, item);
    return session_call(w->site->session, "DELETE", buf_str(&path), NULL, NULL);
}

static bool
add_item(struct work *w, const struct object_part *part, const json_t *answer, json_t *item)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    object_put_path(&path, w->kind->place, answer);
    buf_adds(&path, part->path);
    return session_call(w->site->session,
                        "POST",
                        buf_str(&path),
                        part->body ? json_pack("{s:O}", part->body, item) : json_incref(item),
                        NULL);
}

static bool change_part(struct work *w, const json_t *answer, const json_t *change)
{
    const struct object_part *part = part_of(w->kind, output_text(change, "member"));
    const char *operation = output_text(change, "operation");
    json_t *item = json_object_get(change, "item");

    if (!part)
        return true;
    if (strcmp(operation, "missing-secret") == 0) {
        w->site->n_missing++;
        (void)fail(w,
                   "SLW-0715",
                   ": its value is secret and stands in no document; set it by hand",
                   output_text(item, "name"));
        return true;
    }
    if (strcmp(operation, "remove") == 0)
        return remove_item(w, part, answer, item);
    if (strcmp(operation, "change") == 0 && !part->is_replaced &&
        !remove_item(w, part, answer, item))
        return false;
    return add_item(w, part, answer, item);
}

bool object_apply(struct object_site *site,
                  const struct object_kind *kind,
                  const json_t *answer,
                  const json_t *wanted,
                  const json_t *changes,
                  const char *confirm)
{
    OWN(work_fini)
    struct work w = {.site = site,
                     .kind = kind,
                     .wanted = wanted,
                     .confirm = confirm,
                     .name = BUF_INIT(NAME_MAX_BYTES)};

    object_put_name(&w.name, wanted);
    if (kind->rule)
        return object_rule_apply(site, kind, answer, wanted);
    if (!answer && kind->has_sequence)
        return object_sequence_apply(site, NULL, wanted);
    if (!answer)
        return create(&w);
    if (!change_fields(&w, answer, changes))
        return false;
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);

        if (json_object_get(change, "operation") && !change_part(&w, answer, change))
            return false;
        if (kind->has_sequence && strcmp(output_text(change, "member"), "document") == 0 &&
            !object_sequence_apply(site, answer, wanted))
            return false;
    }
    return true;
}

bool object_delete(struct object_site *site, const struct object_kind *kind, const json_t *answer)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const bool is_content = kind->change_place && strcmp(kind->change_place, "content") == 0;

    object_put_path(&path, is_content ? "content" : kind->place, answer);
    if (is_content) /* the ETag is that of the place where we looked */
        return session_delete(site->session, buf_str(&path), "");
    return session_if_match(site->session, output_text(answer, OBJECT_ETAG)) &&
           session_call(site->session, "DELETE", buf_str(&path), NULL, NULL);
}

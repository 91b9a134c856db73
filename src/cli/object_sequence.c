/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/object.h"

#include <string.h>

#include "base/own.h"
#include "cli/output.h"

/*
 * A task sequence names content and other sequences by ids, which another site gives to other things. So a document
 * carries what they are:
 *
 *     content: {SLP00002: {kind: OsImage, name: Debian 12}}
 *
 * and the ids of the site that it is applied to take their place in the text.
 */

enum {
    ID_LEN = 8, /* three letters or digits of the site, five hexadecimal digits */
    SITE_LEN = 3,
    PATH_MAX_BYTES = 4096,
    TEXT_MAX_BYTES = 16 * 1024 * 1024,
};

static bool is_upper_or_digit(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
    return is_upper_or_digit(c) || (c >= 'a' && c <= 'z') || c == '_';
}

/* Whether an id stands at @at, which is a place behind @text's begin. */
static bool is_id(const char *text, const char *at)
{
    if (at > text && is_word(at[-1]))
        return false;
    for (size_t i = 0; i < ID_LEN; i++) {
        const bool is_ok =
            i < SITE_LEN ? is_upper_or_digit(at[i]) : is_upper_or_digit(at[i]) && at[i] <= 'F';

        if (!is_ok)
            return false;
    }
    return !is_word(at[ID_LEN]);
}

/* What a thing the text names is; {} if the site does not have it. */
static bool find_content(struct object_site *site, const char *id, json_t *content)
{
    for (const struct object_kind *k = object_kinds; k->kind; k++) {
        OWN(session_json_freep) json_t *answer = NULL;
        OWN(session_json_freep) json_t *by_id = NULL;

        if (!(k->change_place && strcmp(k->change_place, "content") == 0) && !k->has_sequence)
            continue;
        by_id = json_pack("{s:s}", "name", id);
        if (!object_find(site, k, by_id, &answer))
            return false;
        if (!answer || strcmp(output_text(answer, "id"), id) != 0)
            continue;
        return json_object_set_new(
                   content,
                   id,
                   json_pack("{s:s, s:O}", "kind", k->kind, "name", output_at(answer, "name"))) ==
               0;
    }
    return true;
}

static bool read_content(struct object_site *site, const char *text, json_t *document)
{
    OWN(session_json_freep) json_t *content = json_object();

    for (const char *at = text; *at; at++) {
        char id[ID_LEN + 1] = "";

        if (!is_id(text, at))
            continue;
        memcpy(id, at, ID_LEN);
        if (!json_object_get(content, id) && !find_content(site, id, content))
            return false;
        at += ID_LEN - 1;
    }
    return json_object_size(content) == 0 || json_object_set(document, "content", content) == 0;
}

bool object_sequence_read(struct object_site *site, const json_t *answer, json_t *document)
{
    OWN(http_answer_fini) struct http_answer text = {0};
    OWN(session_json_freep) json_t *problem = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    int r;

    buf_addf(&path, "/task-sequences/");
    session_escape(&path, output_text(answer, "id"));
    buf_adds(&path, "/yaml");
    r = session_try(site->session, "GET", buf_str(&path), NULL, &text);
    if (r != 0)
        return session_no_answer(site->session, r);
    if (text.status != 200) {
        problem = json_loadb(buf_str(&text.body), text.body.len, 0, NULL);
        return session_problem(site->session, text.status, problem);
    }
    return json_object_set_new(document, "document", json_string(buf_str(&text.body))) == 0 &&
           read_content(site, buf_str(&text.body), document);
}

/* The id that this site gave to what the document calls @old; @old itself if it has no such thing. */
static bool
local_id(struct object_site *site, const json_t *content, const char *old, char ret[ID_LEN + 1])
{
    OWN(session_json_freep) json_t *answer = NULL;
    const json_t *entry = json_object_get(content, old);
    const struct object_kind *kind = object_kind_find(output_text(entry, "kind"));

    memcpy(ret, old, ID_LEN + 1);
    if (!entry || !kind)
        return true;
    if (!object_find(site, kind, entry, &answer))
        return false;
    if (strlen(output_text(answer, "id")) == ID_LEN)
        memcpy(ret, output_text(answer, "id"), ID_LEN + 1);
    return true;
}

static bool put_document(struct object_site *site, const json_t *wanted, struct buf *dst)
{
    const json_t *content = json_object_get(wanted, "content");
    const char *text = output_text(wanted, "document");

    for (const char *at = text; *at; at++) {
        char old[ID_LEN + 1] = "";
        char id[ID_LEN + 1];

        if (!is_id(text, at)) {
            buf_addf(dst, "%c", *at);
            continue;
        }
        memcpy(old, at, ID_LEN);
        if (!local_id(site, content, old, id))
            return false;
        buf_adds(dst, id);
        at += ID_LEN - 1;
    }
    return true;
}

bool object_sequence_compare(struct object_site *site,
                             const json_t *answer,
                             const json_t *wanted,
                             json_t *changes)
{
    OWN(session_json_freep) json_t *differences = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *list;

    if (!json_object_get(wanted, "document"))
        return true;
    if (!put_document(site, wanted, &text))
        return false;
    buf_addf(&path, "/task-sequences/");
    session_escape(&path, output_text(answer, "id"));
    buf_adds(&path, "/diff");
    if (!session_call(site->session,
                      "POST",
                      buf_str(&path),
                      json_pack("{s:s}", "xml", buf_str(&text)),
                      &differences))
        return false;
    list = output_at(differences, "changes");
    return json_array_size(list) == 0 ||
           json_array_append_new(
               changes, json_pack("{s:s, s:O}", "member", "document", "changes", list)) == 0;
}

bool object_sequence_apply(struct object_site *site, const json_t *answer, const json_t *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *body;

    if (!json_object_get(wanted, "document"))
        return session_fail(
            site->session,
            ARGS_EXIT_USAGE,
            NULL,
            "TaskSequence \"%s\": the site does not have it, and \"document\" is missing",
            output_text(wanted, "name"));
    if (!put_document(site, wanted, &text))
        return false;
    body = json_pack("{s:s, s:s, s:O*, s:s*}",
                     "xml",
                     buf_str(&text),
                     "name",
                     output_text(wanted, "name"),
                     "boot_image_id",
                     json_object_get(wanted, "boot_image"),
                     "into",
                     answer ? output_text(answer, "id") : NULL);
    return session_call(site->session, "POST", "/task-sequences", body, NULL);
}

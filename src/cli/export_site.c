/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>

#include "base/own.h"
#include "cli/export_folder.h"
#include "cli/object.h"
#include "cli/session.h"
#include "cli/yaml.h"

enum {
    TEXT_MAX_BYTES = 64 * 1024 * 1024,
    NAME_MAX_BYTES = 4096,
    SAFE_MAX_BYTES = 4 * NAME_MAX_BYTES,
};

static bool read_all(struct object_site *site, const struct object_kind *kind, json_t *documents)
{
    OWN(session_json_freep) json_t *rows = NULL;

    if (!object_list(site, kind, &rows))
        return false;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        OWN(session_json_freep) json_t *answer = NULL;
        json_t *document = NULL;

        if (!object_get(site, kind, json_array_get(rows, i), &answer))
            return false;
        if (!answer)
            continue; /* deleted meanwhile */
        if (!object_read(site, kind, answer, &document))
            return false;
        (void)json_array_append_new(documents, document);
    }
    return true;
}

/* Which they are, without what is in them. */
static bool print_names(struct session *s, const json_t *documents)
{
    static const struct output_column columns[] = {
        {"KIND", "kind", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *rows = json_array();

    for (size_t i = 0; i < json_array_size(documents); i++) {
        const json_t *document = json_array_get(documents, i);
        OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);

        buf_adds(&name, output_text(document, "name"));
        if (name.len == 0)
            object_put_name(&name, document);
        if (json_array_append_new(
                rows,
                json_pack(
                    "{s:s, s:s}", "kind", output_text(document, "kind"), "name", buf_str(&name))) <
            0)
            return session_fail_errno(s, "the result", -ENOMEM);
    }
    return session_print_list(s, rows, columns);
}

static bool print_documents(struct session *s, json_t *documents)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    size_t i;
    json_t *document;

    if (s->format == ARGS_FORMAT_JSON)
        return session_print_list(s, documents, NULL);
    if (s->format == ARGS_FORMAT_CSV || s->format == ARGS_FORMAT_NAME)
        return print_names(s, documents);
    json_array_foreach(documents, i, document)
    {
        buf_adds(&text, i > 0 ? "---\n" : "");
        yaml_put(&text, document);
    }
    return session_write(s, &text);
}

static bool get_one(struct object_site *site,
                    const struct object_kind *kind,
                    const char *name,
                    json_t *documents)
{
    OWN(session_json_freep) json_t *wanted = json_pack("{s:s}", "name", name);
    OWN(session_json_freep) json_t *answer = NULL;
    json_t *document = NULL;

    if (kind->is_deployment)
        return session_fail(site->session,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "a deployment has no name; get all of them: slipway get Deployment");
    if (!object_find(site, kind, wanted, &answer))
        return false;
    if (!answer)
        return session_fail(
            site->session, ARGS_EXIT_NOT_FOUND, NULL, "there is no %s \"%s\"", kind->kind, name);
    return object_read(site, kind, answer, &document) &&
           json_array_append_new(documents, document) == 0;
}

bool site_get(struct session *s, const struct args *args)
{
    OWN(object_site_fini) struct object_site site = {.session = s};
    OWN(session_json_freep) json_t *documents = json_array();
    const struct object_kind *kind = object_kind_find(args->operands[0]);
    OWN(buf_fini) struct buf why = BUF_INIT(NAME_MAX_BYTES);

    if (!kind) {
        OWN(session_json_freep)
        json_t *wrong = json_pack("{s:s}", "kind", args->operands[0]);

        (void)object_check(wrong, &kind, &why);
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "%s", buf_str(&why));
    }
    if (!session_open(s))
        return false;
    return (args->n_operands > 1 ? get_one(&site, kind, args->operands[1], documents)
                                 : read_all(&site, kind, documents)) &&
           print_documents(s, documents);
}

/* Deployments are known again by what is said of them. */
static bool is_told_apart(const json_t *document)
{
    const struct object_kind *kind = object_kind_find(output_text(document, "kind"));

    return kind->is_deployment && !kind->rule;
}

/* Things that documents cannot tell apart: apply will ask to delete all but one. */
static void warn_of_same(const json_t *documents)
{
    OWN(session_json_freep) json_t *seen = json_object();

    for (size_t i = 0; i < json_array_size(documents); i++) {
        OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);
        OWN(buf_fini) struct buf safe = BUF_INIT(SAFE_MAX_BYTES);
        json_int_t n;

        if (is_told_apart(json_array_get(documents, i)))
            continue;
        object_put_name(&name, json_array_get(documents, i));
        n = json_integer_value(json_object_get(seen, buf_str(&name))) + 1;
        (void)json_object_set_new(seen, buf_str(&name), json_integer(n));
        if (n != 2) /* each is told once */
            continue;
        output_put_safe(&safe, buf_str(&name), name.len);
        (void)fprintf(stderr,
                      "slipway: %s: the site has more than one, and slipway apply will refuse "
                      "them; delete all but one (SLW-0712)\n",
                      buf_str(&safe));
    }
}

bool site_export(struct session *s, const struct args *args)
{
    OWN(object_site_fini) struct object_site site = {.session = s};
    OWN(session_json_freep) json_t *documents = json_array();
    const char *folder = args_get(args, "folder");

    if (!session_open(s))
        return false;
    for (const struct object_kind *k = object_kinds; k->kind; k++)
        if (!read_all(&site, k, documents))
            return false;
    if (folder ? !export_folder_write(s, folder, documents) : !print_documents(s, documents))
        return false;
    warn_of_same(documents);
    if (site.n_secrets > 0)
        (void)fprintf(
            stderr,
            "slipway: the values of %zu secret variables are not in it, nor any password\n",
            site.n_secrets);
    return true;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/simulate_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "cli/sequence.h"
#include "cli/sequence_choose.h"
#include "cli/sequence_file.h"
#include "plat/file.h"
#include "ts/container.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/engine_vars.h"
#include "ts/facts.h"
#include "ts/vars.h"

enum {
    PATH_MAX_BYTES = 1024,
    WHY_MAX_BYTES = 1024,
    STATUS_OK = 200,
};

void simulate_sequences_fini(struct simulate_sequences *sequences)
{
    for (size_t i = 0; i < sequences->n; i++) {
        free(sequences->ids[i]);
        ts_document_free(sequences->documents[i]);
    }
    free(sequences->name);
    free(sequences->id);
    free(sequences->boot_image_id);
    *sequences = (struct simulate_sequences){0};
}

/* Takes over @doc. */
static bool add(struct session *s,
                struct simulate_sequences *ret,
                const char *id,
                bool is_disabled,
                struct ts_document *doc)
{
    char *copy = strdup(id);

    if (!copy || ret->n == SIMULATE_SEQUENCES_MAX) {
        free(copy);
        ts_document_free(doc);
        return session_fail(s, ARGS_EXIT_FAILURE, "SLW-0704", "there are too many task sequences");
    }
    ret->ids[ret->n] = copy;
    ret->documents[ret->n] = doc;
    ret->children[ret->n++] = (struct ts_child){copy, doc, is_disabled};
    return true;
}

static bool read_file(struct session *s, const char *path, size_t max, struct buf *ret)
{
    int r;

    *ret = BUF_INIT(max);
    r = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, ret);
    if (r < 0)
        return session_fail_errno(s, path, r);
    return r == 0 ||
           session_fail(s,
                        ARGS_EXIT_FAILURE,
                        "SLW-0704",
                        r == FILE_E_TOO_LARGE ? "%s is larger than %zu bytes" : "%s is not there",
                        path,
                        max);
}

static bool
read_container(struct session *s, const char *what, struct bytes text, struct ts_imports *ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    int r = ts_container_read(text, ret, &diags);

    if (r < 0)
        return session_fail_errno(s, what, r);
    if (r > 0)
        return sequence_file_unreadable(s, what, &diags);
    return true;
}

static bool
load_file(struct session *s, const char *path, const char *wanted, struct simulate_sequences *ret)
{
    OWN(buf_fini) struct buf text = {0};
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    struct ts_import *own;
    size_t main_one;

    if (!read_file(s, path, TS_FILE_MAX_BYTES, &text) ||
        !read_container(s, path, buf_bytes(&text), &imports) ||
        !sequence_choose(s, path, &imports, wanted, &main_one))
        return false;
    own = &imports.items[main_one];
    ret->document = own->doc;
    ret->name = strdup(own->name);
    ret->id = strdup(own->id);
    ret->boot_image_id = strdup(own->boot_image_id);
    ret->is_disabled = own->is_disabled;
    for (size_t i = 0; i < imports.n; i++) {
        struct ts_import *item = &imports.items[i];

        if (!add(s, ret, item->id, item->is_disabled, TAKE(item->doc)))
            return false;
    }
    return true;
}

/* What the site says of a sequence beside its document. @escaped_id: as it stands in a path */
static bool load_properties(struct session *s,
                            const char *escaped_id,
                            bool is_main,
                            struct simulate_sequences *ret,
                            bool *ret_is_disabled)
{
    OWN(session_json_freep) json_t *json = NULL;

    if (!session_get(s, &json, "/task-sequences/%s", escaped_id))
        return false;
    *ret_is_disabled = json_is_true(output_at(json, "is_disabled"));
    if (!is_main)
        return true;
    ret->name = strdup(output_text(json, "name"));
    ret->id = strdup(output_text(json, "id"));
    ret->boot_image_id = strdup(output_text(json, "boot_image_id"));
    ret->is_disabled = *ret_is_disabled;
    return true;
}

/* @is_main: it must be there. A child that is not there is missing in the simulation as well. */
static bool
load_one(struct session *s, const char *id, bool is_main, struct simulate_sequences *ret)
{
    OWN(http_answer_fini) struct http_answer answer = {0};
    OWN(buf_fini) struct buf escaped_id = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *problem = NULL;
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    bool is_disabled;
    int r;

    session_escape(&escaped_id, id);
    buf_addf(&path, "/task-sequences/%s/xml", buf_str(&escaped_id));
    r = session_try(s, "GET", buf_str(&path), NULL, &answer);
    if (r != 0)
        return session_no_answer(s, r);
    if (answer.status != STATUS_OK && !is_main)
        return true;
    if (answer.status != STATUS_OK) {
        problem = json_loadb(buf_str(&answer.body), answer.body.len, 0, NULL);
        return session_problem(s, answer.status, problem);
    }
    if (!read_container(s, id, buf_bytes(&answer.body), &imports) ||
        !load_properties(s, buf_str(&escaped_id), is_main, ret, &is_disabled))
        return false;
    if (is_main)
        ret->document = imports.items[0].doc;
    return add(s, ret, id, is_disabled, TAKE(imports.items[0].doc));
}

static bool has_child(const struct simulate_sequences *sequences, const char *id)
{
    for (size_t i = 0; i < sequences->n; i++)
        if (strcmp(sequences->children[i].id, id) == 0)
            return true;
    return false;
}

static bool load_children(struct session *s, struct simulate_sequences *ret)
{
    for (size_t i = 0; i < ret->n; i++) { /* grows as more are found */
        size_t n;
        const struct ts_step *steps = ts_document_steps(ret->children[i].document, &n);

        for (size_t k = 0; k < n; k++) {
            const char *id = ts_step_child(&steps[k]);

            if (id && id[0] != '\0' && !has_child(ret, id) && !load_one(s, id, false, ret))
                return false;
        }
    }
    return true;
}

bool simulate_load(struct session *s,
                   const char *source,
                   const char *wanted,
                   struct simulate_sequences *ret)
{
    if (strcmp(source, "-") == 0 || file_exists(source))
        return load_file(s, source, wanted, ret);
    if (sequence_names_file(source))
        return session_fail(s, ARGS_EXIT_FAILURE, "SLW-0704", "%s is not there", source);
    return sequence_choose_from_file(s, wanted) && session_open(s) &&
           load_one(s, source, true, ret) && load_children(s, ret);
}

bool simulate_set_engine(struct session *s,
                         const struct simulate_sequences *sequences,
                         struct ts_facts_file *file)
{
    const struct ts_facts facts = ts_table_facts(file->table);
    struct ts_engine_start start = {
        .is_full_os = file->environment == TS_RUN_IN_FULL_OS,
        .keeps_values = true,
        .package_id = sequences->id,
        .package_name = sequences->name,
        .boot_image_id = sequences->boot_image_id,
    };
    int r;

    for (size_t i = 0; i < sequences->n; i++)
        start.is_os_deployment |= ts_engine_is_os_deployment(sequences->documents[i]);
    r = ts_engine_set(&start, file->vars);
    if (r == 0)
        r = ts_engine_set_machine(&facts, file->vars);
    return r == 0 || session_fail_errno(s, "simulating", r);
}

bool simulate_read_facts(struct session *s, const char *path, struct ts_facts_file *ret)
{
    OWN(buf_fini) struct buf text = {0};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    int r;

    if (!read_file(s, path, TS_FACTS_MAX_BYTES, &text))
        return false;
    r = ts_facts_parse(buf_bytes(&text), ret, &why);
    if (r < 0)
        return session_fail_errno(s, path, r);
    return r == 0 || session_fail(s,
                                  ARGS_EXIT_FAILURE,
                                  "SLW-0704",
                                  "%s is not a file of facts: %s",
                                  path,
                                  buf_str(&why));
}

bool simulate_no_facts(struct session *s, struct ts_facts_file *ret)
{
    int r = ts_vars_new(&ret->vars);

    if (r == 0)
        r = ts_table_new(&ret->table);
    return r == 0 || session_fail_errno(s, "simulating", r);
}

/* What its collections and itself give it. The value of a secret one is not known here. @asked: as simulate_device_facts() has it */
static bool
put_settings(struct session *s, const char *escaped_id, struct ts_vars *vars, json_t *asked)
{
    OWN(session_json_freep) json_t *list = NULL;
    const json_t *items;
    int r = 0;

    if (!session_get(s, &list, "/devices/%s/effective-variables", escaped_id))
        return false;
    items = output_at(list, "items");
    for (size_t i = 0; r == 0 && i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const char *name = output_text(item, "name");
        bool is_secret = json_is_true(output_at(item, "is_secret"));

        if (json_is_true(output_at(item, "is_asked"))) {
            r = json_array_append(asked, output_at(item, "name")) == 0 ? 0 : -ENOMEM;
            continue;
        }
        r = ts_vars_set(vars, name, is_secret ? "***" : output_text(item, "value"), TS_BY_SITE);
        if (r == 0 && is_secret)
            r = ts_vars_set_secret(vars, name);
        r = r > 0 ? 0 : r; /* the device leaves it out too */
    }
    return r == 0 || session_fail_errno(s, "simulating", r);
}

bool simulate_device_facts(struct session *s,
                           const char *device,
                           struct ts_facts_file *ret,
                           json_t *asked)
{
    OWN(session_json_freep) json_t *json = NULL;
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    int r;

    session_escape(&id, device);
    if (!session_open(s) || !session_get(s, &json, "/devices/%s/facts", buf_str(&id)))
        return false;
    r = ts_facts_read(json, ret, &why);
    if (r < 0)
        return session_fail_errno(s, "simulating", r);
    if (r > 0)
        return session_fail(s,
                            ARGS_EXIT_FAILURE,
                            "SLW-0704",
                            "what the site knows of %s are no facts: %s",
                            device,
                            buf_str(&why));
    return put_settings(s, buf_str(&id), ret->vars, asked);
}

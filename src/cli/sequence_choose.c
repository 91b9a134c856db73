/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/sequence_choose.h"

#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "cli/session.h"
#include "ts/document.h"
#include "ts/sequence.h"

enum {
    LIST_MAX_BYTES = 2048,
};

bool sequence_runs(const struct ts_imports *imports, size_t i, size_t k)
{
    const char *id = imports->items[k].id;
    size_t n;
    const struct ts_step *steps = ts_document_steps(imports->items[i].doc, &n);

    for (size_t j = 0; id[0] != '\0' && j < n; j++)
        if (ts_step_child(&steps[j]) && strcmp(ts_step_child(&steps[j]), id) == 0)
            return true;
    return false;
}

static bool is_nested(const struct ts_imports *imports, size_t i)
{
    for (size_t k = 0; k < imports->n; k++)
        if (k != i && sequence_runs(imports, k, i))
            return true;
    return false;
}

static const char *name_of(const struct ts_import *item)
{
    return item->name[0] ? item->name : ts_document_name(item->doc);
}

static bool is_meant(const struct ts_imports *imports, size_t i, const char *wanted)
{
    const struct ts_import *item = &imports->items[i];

    if (!wanted)
        return imports->n == 1 || !is_nested(imports, i);
    return strcmp(item->id, wanted) == 0 || strcmp(name_of(item), wanted) == 0;
}

/* "Client (CHQ00001), Server (CHQ00002)", as many as fit. */
static void put_list(const struct ts_imports *imports, struct buf *ret)
{
    for (size_t i = 0; i < imports->n; i++) {
        OWN(buf_fini) struct buf one = BUF_INIT(LIST_MAX_BYTES);
        const struct ts_import *item = &imports->items[i];

        buf_addf(&one, "%s%s", i > 0 ? ", " : "", name_of(item)[0] ? name_of(item) : "(no name)");
        if (item->id[0])
            buf_addf(&one, " (%s)", item->id);
        if (one.failed || ret->len + one.len > LIST_MAX_BYTES) {
            buf_adds(ret, ", ...");
            return;
        }
        buf_adds(ret, buf_str(&one));
    }
}

bool sequence_choose(struct session *s,
                     const char *file,
                     const struct ts_imports *imports,
                     const char *wanted,
                     size_t *ret)
{
    OWN(buf_fini) struct buf list = BUF_INIT(LIST_MAX_BYTES + 16);
    size_t n = 0;

    for (size_t i = 0; i < imports->n; i++) {
        if (!is_meant(imports, i, wanted))
            continue;
        *ret = i;
        n++;
    }
    if (n == 1)
        return true;
    put_list(imports, &list);
    if (wanted)
        return session_fail(
            s,
            ARGS_EXIT_FAILURE,
            "SLW-0717",
            "%s has %s task sequence \"%s\" but: %s; say one of these with --sequence",
            file,
            n == 0 ? "no" : "more than one",
            wanted,
            buf_str(&list));
    return session_fail(s,
                        ARGS_EXIT_FAILURE,
                        "SLW-0717",
                        "%s has several task sequences: %s; say which with --sequence NAME|ID",
                        file,
                        buf_str(&list));
}

bool sequence_choose_from_file(struct session *s, const char *wanted)
{
    return !wanted || session_fail(s,
                                   ARGS_EXIT_USAGE,
                                   "SLW-0701",
                                   "--sequence says which of a file is meant, but this is no file");
}

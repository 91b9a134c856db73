/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/edit.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ts/diag.h"
#include "ts/diff.h"
#include "ts/document.h"
#include "ts/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    HEAD_BYTES = 4,
};

static const struct ts_assignment assignments[] = {
    {"name", "n"},
    {"condition", "A equals 1"},
    {"condition", ""},
    {"timeout", "3"},
    {"package", "SLP00001"},
    {"OSDPartitions0Size", "7"},
    {"description", ""},
};

/* A document has no changes to itself, one with other settings can be told from it, and both have an export. */
static void check(const struct ts_document *before, const struct ts_document *after)
{
    OWN(ts_changes_fini) struct ts_changes none = {0};
    OWN(ts_changes_fini) struct ts_changes changes = {0};
    OWN(ts_document_freep) struct ts_document *safe = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)1024 * 1024);

    if (ts_diff(after, after, &none) != 0 || none.n != 0 || ts_diff(before, after, &changes) != 0)
        abort();
    for (size_t i = 0; i < changes.n; i++)
        ts_change_put(&changes.items[i], &text);
    if (ts_document_export(after, &safe) != 0)
        abort();
}

/* The first bytes say what to do; the rest is a document. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_document_freep) struct ts_document *edited = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(4096);
    char path[] = "1.1";
    char target[] = "1";

    if (size < HEAD_BYTES ||
        ts_document_parse((struct bytes){data + HEAD_BYTES, size - HEAD_BYTES}, &doc, &diags) != 0)
        return 0;
    path[0] = (char)('1' + data[1] % 4);
    path[1] = data[1] & 64 ? '.' : '\0';
    path[2] = (char)('1' + data[1] / 4 % 4);
    target[0] = (char)('1' + data[2] % 4);

    struct ts_operation op = {
        .kind = (enum ts_operation_kind)(data[0] % (TS_OP_DISABLE + 1)),
        .path = path,
        .where = (enum ts_where)(data[3] % 4),
        .target = data[2] & 64 ? target : "",
        .type = data[3] & 64 ? "group" : "Run Command Line",
        .assignments = &assignments[data[3] / 4 % (sizeof(assignments) / sizeof(assignments[0]))],
        .n_assignments = 1,
    };
    int r = ts_edit(doc, &op, &edited, &why);

    if (r < 0 || (r > 0 && why.len == 0))
        abort();
    check(doc, r == 0 ? edited : doc);
    return 0;
}

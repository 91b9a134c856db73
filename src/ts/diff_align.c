/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "ts/diff_parts.h"
#include "ts/document.h"

enum {
    CELLS_MAX = 1000000, /* of the table of what is left between the ends */
};

/* A group or step of the two groups that are compared. */
struct row {
    int item;
    uint64_t settings; /* a number that is the same for the same settings */
};

struct rows {
    struct row *rows; /* owned */
    size_t n;
};

static void rows_fini(struct rows *rows)
{
    free(rows->rows);
}

struct alignment {
    struct ts_comparison *c;
    struct rows before;
    struct rows after;
    bool is_strict; /* settings count, not the name alone */
};

static void alignment_fini(struct alignment *a)
{
    rows_fini(&a->before);
    rows_fini(&a->after);
}

/* FNV-1a, 64 bits. */
static uint64_t number_of(const xmlNode *node)
{
    OWN(buf_fini) struct buf text = BUF_INIT(4 * (size_t)TS_XML_MAX_BYTES);
    uint64_t number = UINT64_C(0xcbf29ce484222325);
    struct bytes bytes;

    ts_diff_put_settings(node, &text);
    bytes = buf_bytes(&text);
    for (size_t i = 0; i < bytes.len; i++)
        number = (number ^ bytes.ptr[i]) * UINT64_C(0x100000001b3);
    return number;
}

static bool read_rows(const struct ts_side *side, int parent, bool is_strict, struct rows *ret)
{
    const struct ts_tree *tree = &side->tree;
    size_t n = 0;

    for (int i = parent + 1; i < ts_tree_end(tree, parent); i = tree->items[i].end)
        n++;
    ret->rows = calloc(n + 1, sizeof(*ret->rows));
    for (int i = parent + 1; ret->rows && ret->n < n; i = tree->items[i].end)
        ret->rows[ret->n++] = (struct row){i, is_strict ? number_of(tree->items[i].node) : 0};
    return ret->rows;
}

/* Whether the two are the same one, or may be. */
static bool is_alike(const struct alignment *a, size_t i, size_t k)
{
    const struct row *before = &a->before.rows[i];
    const struct row *after = &a->after.rows[k];
    const struct ts_tree_item *x = &a->c->before.tree.items[before->item];
    const struct ts_tree_item *y = &a->c->after.tree.items[after->item];

    if (a->c->before.match[before->item] != TS_NO_ITEM ||
        a->c->after.match[after->item] != TS_NO_ITEM)
        return a->c->before.match[before->item] == after->item;
    return before->settings == after->settings && x->is_group == y->is_group &&
           strcmp(x->type, y->type) == 0 && strcmp(x->name, y->name) == 0;
}

static void pair(const struct alignment *a, size_t i, size_t k)
{
    a->c->before.match[a->before.rows[i].item] = a->after.rows[k].item;
    a->c->after.match[a->after.rows[k].item] = a->before.rows[i].item;
}

/* A longest run that is in both, in the same order: of the rows from @from on before @n_before and @n_after. */
static void align_middle(const struct alignment *a, size_t from, size_t n_before, size_t n_after)
{
    size_t width = n_after - from + 1;
    size_t height = n_before - from + 1;
    OWN(freep) uint16_t *lengths = NULL;

    if (width > CELLS_MAX / height || height > UINT16_MAX)
        return; /* another sequence, and not worth the time */
    lengths = calloc(height * width, sizeof(*lengths));
    if (!lengths) {
        a->c->is_out_of_memory = true;
        return;
    }
    for (size_t i = height - 1; i-- > 0;) {
        for (size_t k = width - 1; k-- > 0;) {
            uint16_t down = lengths[(i + 1) * width + k];
            uint16_t right = lengths[i * width + k + 1];

            lengths[i * width + k] = is_alike(a, from + i, from + k)
                                         ? (uint16_t)(lengths[(i + 1) * width + k + 1] + 1)
                                         : (down > right ? down : right);
        }
    }
    for (size_t i = 0, k = 0; i + 1 < height && k + 1 < width;) {
        if (is_alike(a, from + i, from + k))
            pair(a, from + i++, from + k++);
        else if (lengths[(i + 1) * width + k] >= lengths[i * width + k + 1])
            i++;
        else
            k++;
    }
}

static void align(const struct alignment *a)
{
    size_t n_before = a->before.n;
    size_t n_after = a->after.n;
    size_t from = 0;

    for (; from < n_before && from < n_after && is_alike(a, from, from); from++)
        pair(a, from, from);
    for (; n_before > from && n_after > from && is_alike(a, n_before - 1, n_after - 1); n_after--)
        pair(a, --n_before, n_after - 1);
    align_middle(a, from, n_before, n_after);
}

void ts_diff_align(struct ts_comparison *c, int before, int after, bool is_strict)
{
    OWN(alignment_fini) struct alignment a = {.c = c, .is_strict = is_strict};

    if (read_rows(&c->before, before, is_strict, &a.before) &&
        read_rows(&c->after, after, is_strict, &a.after))
        align(&a);
    else
        c->is_out_of_memory = true;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "site/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct filter_property properties[] = {
    {"name", FILTER_TEXT, false, 0},
    {"mac", FILTER_TEXT, true, 0},
    {"n", FILTER_NUMBER, false, 0},
    {"is_x", FILTER_TRUTH, false, 0},
    {"at", FILTER_TIME, false, 0},
    {0},
};

/* @ctx: whether the thing has anything at all. */
static bool get(const void *ctx, unsigned property, size_t n, struct filter_value *ret)
{
    if (!*(const bool *)ctx || n >= 2)
        return false;
    *ret = (struct filter_value){properties[property].type, n + 1, bytes_of(n ? "Ab'" : "")};
    return true;
}

/*
 * What is wrong is so at a place in the text; what is right has an answer for what has everything and what has nothing,
 * and "not" around it makes the contrary of it.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(filter_freep) struct filter *filter = NULL;
    OWN(filter_freep) struct filter *contrary = NULL;
    OWN(freep) char *text = NULL;
    struct filter_error error = {0};
    int r = filter_parse((struct bytes){data, size}, properties, &filter, &error);

    if (r == FILTER_E_SYNTAX && (error.column == 0 || error.column > size + 1 || !error.what[0]))
        abort();
    if (r != 0 || size > FILTER_MAX_BYTES - 6)
        return 0;
    text = malloc(size + 6);
    if (!text)
        return 0;
    memcpy(text, "not (", 5);
    memcpy(text + 5, data, size);
    text[size + 5] = ')';
    r = filter_parse((struct bytes){(uint8_t *)text, size + 6}, properties, &contrary, &error);
    if (r != 0)
        return 0; /* it is too deep now */
    for (int i = 0; i < 2; i++) {
        bool has_values = i == 1;

        if (filter_match(filter, get, &has_values) == filter_match(contrary, get, &has_values))
            abort();
    }
    return 0;
}

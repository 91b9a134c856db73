/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <assert.h>
#include <string.h>

#include "site/filter.h"

static uint8_t fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* -1, 0, 1; @b is folded already. */
static int compare_text(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < n; i++) {
        uint8_t c = fold(a.ptr[i]);

        if (c != b.ptr[i])
            return c < b.ptr[i] ? -1 : 1;
    }
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

static int compare(const struct filter_value *a, const struct filter_value *b)
{
    if (b->type == FILTER_TEXT)
        return compare_text(a->text, b->text);
    return a->n == b->n ? 0 : a->n < b->n ? -1 : 1;
}

static bool is_at(struct bytes text, size_t at, struct bytes part)
{
    return compare_text((struct bytes){text.ptr + at, part.len}, part) == 0;
}

static bool contains(struct bytes text, struct bytes part)
{
    for (size_t at = 0; part.len <= text.len && at <= text.len - part.len; at++)
        if (is_at(text, at, part))
            return true;
    return false;
}

static bool fits_part(enum filter_op op, struct bytes text, struct bytes part)
{
    if (part.len > text.len)
        return false;
    if (op == FILTER_STARTS_WITH)
        return is_at(text, 0, part);
    if (op == FILTER_ENDS_WITH)
        return is_at(text, text.len - part.len, part);
    return contains(text, part);
}

/* One value of the thing with one of the filter; "ne" is asked as "eq". */
static bool fits(enum filter_op op, const struct filter_value *a, const struct filter_value *b)
{
    switch (op) {
    case FILTER_GT:
        return compare(a, b) > 0;
    case FILTER_GE:
        return compare(a, b) >= 0;
    case FILTER_LT:
        return compare(a, b) < 0;
    case FILTER_LE:
        return compare(a, b) <= 0;
    case FILTER_STARTS_WITH:
    case FILTER_ENDS_WITH:
    case FILTER_CONTAINS:
        return fits_part(op, a->text, b->text);
    case FILTER_EQ:
    case FILTER_NE:
    case FILTER_IN:
    default:
        return compare(a, b) == 0;
    }
}

static bool fits_any(const struct filter *filter,
                     const struct filter_term *term,
                     const struct filter_value *value)
{
    for (size_t i = 0; i < term->n_values; i++)
        if (fits(term->op, value, &filter->values[term->first_value + i]))
            return true;
    return false;
}

static bool match_term(const struct filter *filter,
                       const struct filter_term *term,
                       filter_get *get,
                       const void *ctx)
{
    bool is_many = filter->properties[term->property].is_many;
    bool is_null = filter->values[term->first_value].type == FILTER_NULL;
    struct filter_value value;
    bool is_fit = false;
    size_t n = 0;

    while (!is_fit && (n == 0 || is_many) && get(ctx, term->property, n, &value)) {
        is_fit = !is_null && fits_any(filter, term, &value);
        if (is_null)
            return term->op == FILTER_NE;
        n++;
    }
    if (is_null)
        return term->op == FILTER_EQ;
    return term->op == FILTER_NE ? !is_fit : is_fit;
}

bool filter_match(const struct filter *filter, filter_get *get, const void *ctx)
{
    bool stack[FILTER_TERMS_MAX] = {false};
    size_t n = 0;

    for (size_t i = 0; i < filter->n_postfix; i++) {
        const struct filter_token *token = &filter->postfix[i];

        if (token->kind == FILTER_TOKEN_TERM) {
            stack[n++] = match_term(filter, &filter->terms[token->term], get, ctx);
            continue;
        }
        if (token->kind == FILTER_TOKEN_NOT) {
            stack[n - 1] = !stack[n - 1];
            continue;
        }
        n--;
        stack[n - 1] =
            token->kind == FILTER_TOKEN_AND ? stack[n - 1] && stack[n] : stack[n - 1] || stack[n];
    }
    assert(n == 1);
    return stack[0];
}

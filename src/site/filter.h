/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The filter language of lists and of collections' query rules (docs/collections.md)
 *
 *     OWN(filter_freep) struct filter *filter = NULL;
 *     r = filter_parse(bytes_of(text), device_properties, &filter, &error);
 *     ...
 *     if (filter_match(filter, get_value, device))
 *
 * Pure: text and values in, truth out. Nothing here recurses, and everything is bounded before it is allocated.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

enum {
    FILTER_MAX_BYTES = 4096,
    FILTER_TERMS_MAX = 64,
    FILTER_VALUES_MAX = 512, /* of all terms; of one: */
    FILTER_IN_MAX = 256,
    FILTER_DEPTH_MAX = 32, /* open parentheses and "not" at once */
    FILTER_PROPERTIES_MAX = 64,
    FILTER_ERROR_MAX = 160,
};

/* Outcome of filter_parse() beside 0 */
enum {
    FILTER_E_SYNTAX = 1,
};

enum filter_type {
    FILTER_NULL, /* of values only */
    FILTER_TEXT,
    FILTER_NUMBER, /* at most INT64_MAX */
    FILTER_TRUTH,
    FILTER_TIME, /* microseconds since 1970 */
};

struct filter_value {
    enum filter_type type;
    uint64_t n;        /* number, time, or 0 and 1 */
    struct bytes text; /* of a filter: ASCII letters in lower case */
};

/* What a filter may name; an array of them ends with .name == NULL. */
struct filter_property {
    const char *name;
    enum filter_type type;
    bool is_many; /* has any number of values */
    int column;   /* whatever the list makes of it: an enum db_part */
};

enum filter_op {
    FILTER_EQ,
    FILTER_NE,
    FILTER_GT,
    FILTER_GE,
    FILTER_LT,
    FILTER_LE,
    FILTER_IN,
    FILTER_STARTS_WITH,
    FILTER_ENDS_WITH,
    FILTER_CONTAINS,
};

struct filter_term {
    unsigned property; /* index into the properties */
    enum filter_op op;
    size_t first_value; /* in filter->values */
    size_t n_values;    /* 1 but for FILTER_IN */
};

enum filter_token_kind {
    FILTER_TOKEN_TERM,
    FILTER_TOKEN_NOT,
    FILTER_TOKEN_AND,
    FILTER_TOKEN_OR,
    FILTER_TOKEN_OPEN,
    FILTER_TOKEN_CLOSE,
};

struct filter_token {
    enum filter_token_kind kind;
    unsigned term; /* of FILTER_TOKEN_TERM */
};

/* A filter that is right: read it, or match by it. */
struct filter {
    const struct filter_property *properties; /* borrowed */
    struct filter_term *terms;                /* owned, as all below */
    size_t n_terms;
    struct filter_value *values; /* their texts are in @text */
    size_t n_values;
    struct filter_token *infix; /* as it was written */
    size_t n_infix;
    struct filter_token *postfix; /* without parentheses, operators behind their operands */
    size_t n_postfix;
    uint64_t properties_used; /* bit i: property i is named */
    char *text;
};

struct filter_error {
    size_t column; /* from 1, in bytes */
    char what[FILTER_ERROR_MAX];
};

/**
 * filter_parse() - read a filter
 * @properties: at most FILTER_PROPERTIES_MAX; borrowed by the filter
 * @ret:        owned by the caller
 * @ret_error:  set with FILTER_E_SYNTAX
 *
 * Return: 0, FILTER_E_SYNTAX, or -ENOMEM.
 */
int filter_parse(struct bytes src,
                 const struct filter_property *properties,
                 struct filter **ret,
                 struct filter_error *ret_error);

void filter_free(struct filter *filter);
DEFINE_FREEP(struct filter *, filter_free);

/**
 * filter_get - one of the values of a property
 * @property: index into the properties
 * @n:        which of several, from 0; only 0 unless the property is_many
 * @ret:      untouched if there is none
 *
 * Return: whether there is such a value.
 */
typedef bool filter_get(const void *ctx, unsigned property, size_t n, struct filter_value *ret);

/* Does the thing behind @get fit? Never fails: every filter has an answer for everything. */
bool filter_match(const struct filter *filter, filter_get *get, const void *ctx);

/* "2026-10-01" or "2026-10-01T12:30:00Z" in microseconds since 1970. Return: whether it is that. */
bool filter_parse_time(struct bytes src, uint64_t *ret);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The words of a filter; for filter.c
 */

#include "base/bytes.h"
#include "site/filter.h"

enum filter_lex_kind {
    FILTER_LEX_END,
    FILTER_LEX_WORD, /* of letters, digits, '_' and '.' */
    FILTER_LEX_NUMBER,
    FILTER_LEX_TIME,
    FILTER_LEX_TEXT, /* with its quotes */
    FILTER_LEX_OPEN,
    FILTER_LEX_CLOSE,
    FILTER_LEX_COMMA,
    FILTER_LEX_WRONG, /* a character that begins nothing, or a text without an end */
};

struct filter_lex {
    enum filter_lex_kind kind;
    struct bytes text; /* borrowed from the source */
    size_t column;     /* from 1 */
};

/* The word at *@at, behind white space; *@at is moved behind it, except behind the end. */
struct filter_lex filter_lex_next(struct bytes src, size_t *at);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/filter.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "site/filter_lex.h"

enum {
    PENDING_MAX = 3 * (FILTER_DEPTH_MAX + 1), /* between two "(" at most one "or" and one "and" */
    SHOWN_MAX = 40,
};

struct parser {
    struct bytes src;
    size_t at;
    struct filter_lex lex; /* the word in hand */
    struct filter *filter; /* being made; room for what the length of the text allows */
    size_t text_len;
    struct filter_token pending[PENDING_MAX]; /* operators and "(" whose operand is being read */
    size_t n_pending;
    size_t depth; /* of "(" and "not" among them */
    struct filter_error *error;
};

__attribute__((format(printf, 3, 4))) static int
wrong(struct parser *p, size_t column, const char *format, ...)
{
    va_list args;

    p->error->column = column;
    va_start(args, format);
    (void)vsnprintf(p->error->what, sizeof(p->error->what), format, args);
    va_end(args);
    return FILTER_E_SYNTAX;
}

static int shown_len(struct bytes text)
{
    return text.len < SHOWN_MAX ? (int)text.len : SHOWN_MAX;
}

static void next(struct parser *p)
{
    p->lex = filter_lex_next(p->src, &p->at);
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->lex.kind == FILTER_LEX_WORD && bytes_eq(p->lex.text, bytes_of(word));
}

static int wants(struct parser *p, const char *what)
{
    if (p->lex.kind == FILTER_LEX_END)
        return wrong(p, p->lex.column, "the filter ends where %s is wanted", what);
    if (p->lex.kind == FILTER_LEX_WRONG && p->lex.text.ptr[0] == '\'')
        return wrong(p, p->lex.column, "the text that begins here has no end (')");
    return wrong(p, p->lex.column, "%s is wanted here", what);
}

/* Take a word of one kind. */
static int expect(struct parser *p, enum filter_lex_kind kind, const char *what)
{
    if (p->lex.kind != kind)
        return wants(p, what);
    next(p);
    return 0;
}

static int read_property(struct parser *p, unsigned *ret)
{
    const struct filter_property *properties = p->filter->properties;

    if (p->lex.kind != FILTER_LEX_WORD)
        return wants(p, "the name of a property, \"not\" or \"(\"");
    for (unsigned i = 0; properties[i].name; i++) {
        if (!bytes_eq(p->lex.text, bytes_of(properties[i].name)))
            continue;
        *ret = i;
        p->filter->properties_used |= UINT64_C(1) << i;
        next(p);
        return 0;
    }
    return wrong(p,
                 p->lex.column,
                 "there is no property \"%.*s\"",
                 shown_len(p->lex.text),
                 (const char *)p->lex.text.ptr);
}

/* Without its quotes, and folded. */
static struct bytes keep_text(struct parser *p, struct bytes quoted)
{
    char *begin = p->filter->text + p->text_len;
    size_t n = 0;

    for (size_t i = 1; i + 1 < quoted.len; i++) {
        uint8_t c = quoted.ptr[i];

        begin[n++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        if (c == '\'')
            i++;
    }
    p->text_len += n;
    return (struct bytes){(const uint8_t *)begin, n};
}

/* The word in hand as a value, whatever type the property has. */
static int read_raw(struct parser *p, struct filter_value *ret)
{
    struct bytes text = p->lex.text;

    *ret = (struct filter_value){.type = FILTER_NULL};
    if (p->lex.kind == FILTER_LEX_TEXT) {
        ret->type = FILTER_TEXT;
        ret->text = keep_text(p, text);
        return 0;
    }
    if (p->lex.kind == FILTER_LEX_NUMBER) {
        ret->type = FILTER_NUMBER;
        if (!bytes_parse_u64(text, 0, INT64_MAX, &ret->n))
            return wrong(p, p->lex.column, "the number is too large");
        return 0;
    }
    if (p->lex.kind == FILTER_LEX_TIME) {
        ret->type = FILTER_TIME;
        if (!filter_parse_time(text, &ret->n))
            return wrong(
                p,
                p->lex.column,
                "this is neither a whole number nor a time; write 12 or 2026-10-01T00:00:00Z");
        return 0;
    }
    if (is_word(p, "null"))
        return 0;
    if (!is_word(p, "true") && !is_word(p, "false"))
        return wants(p, "a value (a text in single quotes, a number, a time, true, false, null)");
    ret->type = FILTER_TRUTH;
    ret->n = is_word(p, "true") ? 1 : 0;
    return 0;
}

static bool fits_type(enum filter_type type, struct filter_value *value)
{
    if (type == FILTER_TIME && value->type == FILTER_TEXT) {
        uint8_t upper[32];

        if (value->text.len > sizeof(upper))
            return false;
        for (size_t i = 0; i < value->text.len; i++) {
            uint8_t c = value->text.ptr[i];

            upper[i] = c == 't' ? 'T' : c == 'z' ? 'Z' : c;
        }
        value->type = FILTER_TIME;
        return filter_parse_time((struct bytes){upper, value->text.len}, &value->n);
    }
    return value->type == type;
}

static bool fits_op(enum filter_op op, enum filter_type type, bool is_null)
{
    if (op == FILTER_EQ || op == FILTER_NE)
        return true;
    if (is_null)
        return false;
    if (op == FILTER_STARTS_WITH || op == FILTER_ENDS_WITH || op == FILTER_CONTAINS)
        return type == FILTER_TEXT;
    return op == FILTER_IN || type != FILTER_TRUTH;
}

static const char *type_name(enum filter_type type)
{
    switch (type) {
    case FILTER_TEXT:
        return "a text in single quotes";
    case FILTER_NUMBER:
        return "a number";
    case FILTER_TIME:
        return "a time";
    case FILTER_TRUTH:
    case FILTER_NULL:
    default:
        return "true or false";
    }
}

/* An address is compared as the site writes it. @text: in filter->text, the last that was kept there */
static void make_canonical(struct parser *p, struct bytes *text)
{
    uint8_t mac[MAC_BYTES];
    char canonical[MAC_TEXT_MAX];

    if (!mac_parse(*text, mac))
        return;
    mac_put(canonical, mac);
    p->text_len -= text->len;
    memcpy(p->filter->text + p->text_len, canonical, strlen(canonical));
    *text = (struct bytes){(const uint8_t *)p->filter->text + p->text_len, strlen(canonical)};
    p->text_len += text->len;
}

static bool is_of_addresses(const struct filter_property *property, enum filter_op op)
{
    return (strcmp(property->name, "mac") == 0 || strcmp(property->name, "macs") == 0) &&
           (op == FILTER_EQ || op == FILTER_NE || op == FILTER_IN);
}

static int read_value(struct parser *p, struct filter_term *term)
{
    const struct filter_property *property = &p->filter->properties[term->property];
    struct filter_value value;
    size_t column = p->lex.column;
    int r;

    if (p->filter->n_values >= FILTER_VALUES_MAX)
        return wrong(p, column, "there are more than %d values", FILTER_VALUES_MAX);
    if (term->n_values >= FILTER_IN_MAX)
        return wrong(p, column, "there are more than %d values in one list", FILTER_IN_MAX);
    r = read_raw(p, &value);
    if (r != 0)
        return r;
    if (!fits_op(term->op, property->type, value.type == FILTER_NULL))
        return wrong(p, column, "this operator does not fit \"%s\" and this value", property->name);
    if (value.type != FILTER_NULL && !fits_type(property->type, &value))
        return wrong(p, column, "\"%s\" wants %s", property->name, type_name(property->type));
    if (value.type == FILTER_TEXT && is_of_addresses(property, term->op))
        make_canonical(p, &value.text);
    p->filter->values[p->filter->n_values++] = value;
    term->n_values++;
    next(p);
    return 0;
}

static int read_list(struct parser *p, struct filter_term *term)
{
    int r = expect(p, FILTER_LEX_OPEN, "\"(\"");

    while (r == 0) {
        r = read_value(p, term);
        if (r != 0 || p->lex.kind != FILTER_LEX_COMMA)
            break;
        next(p);
    }
    return r != 0 ? r : expect(p, FILTER_LEX_CLOSE, "\",\" or \")\"");
}

static bool find_op(const struct parser *p, bool is_function, enum filter_op *ret)
{
    static const char *const names[] = {
        [FILTER_EQ] = "eq",
        [FILTER_NE] = "ne",
        [FILTER_GT] = "gt",
        [FILTER_GE] = "ge",
        [FILTER_LT] = "lt",
        [FILTER_LE] = "le",
        [FILTER_IN] = "in",
        [FILTER_STARTS_WITH] = "startswith",
        [FILTER_ENDS_WITH] = "endswith",
        [FILTER_CONTAINS] = "contains",
    };

    for (size_t i = is_function ? FILTER_STARTS_WITH : 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_word(p, names[i])) {
            *ret = (enum filter_op)i;
            return true;
        }
    return false;
}

/* contains(model, 'Book') */
static int read_function(struct parser *p, struct filter_term *term)
{
    int r;

    next(p);
    r = expect(p, FILTER_LEX_OPEN, "\"(\"");
    if (r == 0)
        r = read_property(p, &term->property);
    if (r == 0)
        r = expect(p, FILTER_LEX_COMMA, "\",\"");
    if (r == 0)
        r = read_value(p, term);
    return r != 0 ? r : expect(p, FILTER_LEX_CLOSE, "\")\"");
}

static int read_comparison(struct parser *p, struct filter_term *term)
{
    int r = read_property(p, &term->property);

    if (r != 0)
        return r;
    if (!find_op(p, false, &term->op))
        return wants(p, "eq, ne, gt, ge, lt, le, in, startswith, endswith or contains");
    next(p);
    return term->op == FILTER_IN ? read_list(p, term) : read_value(p, term);
}

static void emit(struct filter *filter, struct filter_token token)
{
    filter->postfix[filter->n_postfix++] = token;
}

static void write_down(struct filter *filter, enum filter_token_kind kind)
{
    filter->infix[filter->n_infix++] = (struct filter_token){.kind = kind};
}

static int read_term(struct parser *p)
{
    struct filter *filter = p->filter;
    struct filter_term term = {.first_value = filter->n_values};
    struct filter_token token = {FILTER_TOKEN_TERM, (unsigned)filter->n_terms};
    int r;

    if (filter->n_terms >= FILTER_TERMS_MAX)
        return wrong(p, p->lex.column, "there are more than %d comparisons", FILTER_TERMS_MAX);
    r = find_op(p, true, &term.op) ? read_function(p, &term) : read_comparison(p, &term);
    if (r != 0)
        return r;
    filter->terms[filter->n_terms++] = term;
    filter->infix[filter->n_infix++] = token;
    emit(filter, token);
    return 0;
}

static int push(struct parser *p, enum filter_token_kind kind)
{
    bool is_deeper = kind == FILTER_TOKEN_OPEN || kind == FILTER_TOKEN_NOT;

    if (is_deeper && p->depth >= FILTER_DEPTH_MAX)
        return wrong(p, p->lex.column, "more than %d \"(\" and \"not\" are open", FILTER_DEPTH_MAX);
    p->depth += is_deeper;
    p->pending[p->n_pending++] = (struct filter_token){.kind = kind};
    write_down(p->filter, kind);
    next(p);
    return 0;
}

/* What is pending and binds as tightly as @kind or tighter has its operands now. */
static void settle(struct parser *p, enum filter_token_kind kind)
{
    while (p->n_pending > 0 && p->pending[p->n_pending - 1].kind <= kind) {
        struct filter_token token = p->pending[--p->n_pending];

        p->depth -= token.kind == FILTER_TOKEN_NOT;
        emit(p->filter, token);
    }
}

/* @ret: whether an operand was read whole; otherwise another word before one was. */
static int read_operand(struct parser *p, bool *ret)
{
    *ret = false;
    if (is_word(p, "not"))
        return push(p, FILTER_TOKEN_NOT);
    if (p->lex.kind == FILTER_LEX_OPEN)
        return push(p, FILTER_TOKEN_OPEN);
    *ret = true;
    return read_term(p);
}

/* @ret: whether an operand must follow. */
static int read_operator(struct parser *p, bool *ret)
{
    enum filter_token_kind kind = is_word(p, "and") ? FILTER_TOKEN_AND : FILTER_TOKEN_OR;

    *ret = is_word(p, "and") || is_word(p, "or");
    if (*ret) {
        settle(p, kind);
        return push(p, kind);
    }
    if (p->lex.kind != FILTER_LEX_CLOSE)
        return wants(p, "\"and\" or \"or\"");
    settle(p, FILTER_TOKEN_OR);
    if (p->n_pending == 0)
        return wrong(p, p->lex.column, "there is no \"(\" for this \")\"");
    p->n_pending--;
    p->depth--;
    write_down(p->filter, FILTER_TOKEN_CLOSE);
    next(p);
    return 0;
}

static int read_all(struct parser *p)
{
    bool wants_operand = true;
    int r = 0;

    next(p);
    while (r == 0 && (wants_operand || p->lex.kind != FILTER_LEX_END)) {
        bool answer = false;

        r = wants_operand ? read_operand(p, &answer) : read_operator(p, &answer);
        wants_operand = wants_operand ? !answer : answer;
    }
    if (r != 0)
        return r;
    settle(p, FILTER_TOKEN_OR);
    return p->n_pending > 0 ? wrong(p, p->lex.column, "a \")\" is missing at the end") : 0;
}

/* Each token and each value is at least one byte of text. */
static int make_room(struct filter *filter, size_t len)
{
    size_t n_terms = len < FILTER_TERMS_MAX ? len : FILTER_TERMS_MAX;
    size_t n_values = len < FILTER_VALUES_MAX ? len : FILTER_VALUES_MAX;

    filter->terms = calloc(n_terms + 1, sizeof(*filter->terms));
    filter->values = calloc(n_values + 1, sizeof(*filter->values));
    filter->infix = calloc(len + 1, sizeof(*filter->infix));
    filter->postfix = calloc(len + 1, sizeof(*filter->postfix));
    filter->text = calloc(2 * len + 1, 1); /* an address may be written without what separates it */
    if (!filter->terms || !filter->values || !filter->infix || !filter->postfix || !filter->text)
        return ERR(-ENOMEM);
    return 0;
}

int filter_parse(struct bytes src,
                 const struct filter_property *properties,
                 struct filter **ret,
                 struct filter_error *ret_error)
{
    OWN(filter_freep) struct filter *filter = NULL;
    struct parser parser = {.src = src, .error = ret_error};
    int r;

    if (src.len > FILTER_MAX_BYTES)
        return wrong(
            &parser, FILTER_MAX_BYTES + 1, "the filter is longer than %d bytes", FILTER_MAX_BYTES);
    filter = calloc(1, sizeof(*filter));
    if (!filter)
        return ERR(-ENOMEM);
    filter->properties = properties;
    r = make_room(filter, src.len);
    if (r < 0)
        return TRACE(r);
    parser.filter = filter;
    r = read_all(&parser);
    if (r != 0)
        return r;
    *ret = TAKE(filter);
    return 0;
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    free(filter->terms);
    free(filter->values);
    free(filter->infix);
    free(filter->postfix);
    free(filter->text);
    free(filter);
}

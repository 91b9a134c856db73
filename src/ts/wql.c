/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/wql.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/compare.h"
#include "ts/wql_tree.h"

const char *const wql_operators[WQL_N_OPERATORS] = {
    [WQL_EQUAL] = "=",
    [WQL_NOT_EQUAL] = "<>",
    [WQL_LESS] = "<",
    [WQL_LESS_EQUAL] = "<=",
    [WQL_GREATER] = ">",
    [WQL_GREATER_EQUAL] = ">=",
};

enum token {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_TEXT,
    TOKEN_NUMBER,
    TOKEN_SYMBOL, /* one of the operators, or ( ) * , */
    TOKEN_BAD,
};

struct parser {
    const char *next; /* behind the token */
    enum token token;
    struct buf text; /* of the token */
    struct ts_query *query;
    struct buf *why;
    unsigned depth;
    int r; /* 0, TS_WQL_E_MALFORMED or -ENOMEM; nothing is read once it is set */
};

DEFINE_FREEP(struct ts_query *, ts_query_free);

void ts_query_free(struct ts_query *query)
{
    if (!query)
        return;
    for (size_t i = 0; i < query->n_selected; i++)
        free(query->selected[i]);
    free(query->selected);
    for (size_t i = 0; i < query->n_nodes; i++) {
        free(query->nodes[i].property);
        free(query->nodes[i].literal.text);
    }
    free(query->nodes);
    free(query->class_name);
    free(query);
}

const char *ts_query_class(const struct ts_query *query)
{
    return query->class_name;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void malformed(struct parser *p, const char *what)
{
    if (p->r != 0)
        return;
    p->r = TS_WQL_E_MALFORMED;
    buf_addf(p->why, "%s", what);
    if (p->token != TOKEN_END)
        buf_addf(p->why, ", at \"%.32s\"", buf_str(&p->text));
}

static void no_memory(struct parser *p)
{
    if (p->r == 0)
        p->r = ERR(-ENOMEM);
}

static void add_char(struct parser *p, char c)
{
    buf_add(&p->text, (struct bytes){(const uint8_t *)&c, 1});
}

/* Behind the opening quote. A backslash stands before a quote or a backslash; before others it is itself. */
static void read_text(struct parser *p, char quote)
{
    p->token = TOKEN_TEXT;
    while (*p->next != quote) {
        if (*p->next == '\\' && p->next[1] != '\0' && strchr("\\\"'", p->next[1]))
            p->next++;
        if (*p->next == '\0') {
            p->token = TOKEN_BAD;
            return;
        }
        add_char(p, *p->next++);
    }
    p->next++;
}

static void read_number(struct parser *p)
{
    p->token = TOKEN_NUMBER;
    do
        add_char(p, *p->next++);
    while (is_digit(*p->next) || *p->next == '.');
}

static void read_symbol(struct parser *p)
{
    char c = *p->next++;

    p->token = strchr("=<>!()*,", c) ? TOKEN_SYMBOL : TOKEN_BAD;
    add_char(p, c);
    if ((c == '<' || c == '>' || c == '!') && (*p->next == '=' || (c == '<' && *p->next == '>')))
        add_char(p, *p->next++);
}

static void advance(struct parser *p)
{
    p->next += strspn(p->next, " \t\r\n");
    buf_clear(&p->text);

    char c = *p->next;

    if (c == '\0') {
        p->token = TOKEN_END;
    } else if (is_letter(c)) {
        p->token = TOKEN_WORD;
        while (is_letter(*p->next) || is_digit(*p->next) || *p->next == '.')
            add_char(p, *p->next++);
    } else if (c == '"' || c == '\'') {
        p->next++;
        read_text(p, c);
    } else if (is_digit(c) || ((c == '-' || c == '+') && is_digit(p->next[1]))) {
        read_number(p);
    } else {
        read_symbol(p);
    }
    if (p->text.failed)
        no_memory(p);
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token == TOKEN_WORD && ts_compare_text(buf_str(&p->text), word) == 0;
}

static bool is_symbol(const struct parser *p, const char *symbol)
{
    return p->token == TOKEN_SYMBOL && strcmp(buf_str(&p->text), symbol) == 0;
}

static bool accept_word(struct parser *p, const char *word)
{
    if (p->r != 0 || !is_word(p, word))
        return false;
    advance(p);
    return true;
}

static bool accept_symbol(struct parser *p, const char *symbol)
{
    if (p->r != 0 || !is_symbol(p, symbol))
        return false;
    advance(p);
    return true;
}

static char *copy_token(struct parser *p)
{
    size_t size = p->text.len + 1;
    char *copy = malloc(size);

    if (copy)
        memcpy(copy, buf_str(&p->text), size);
    else
        no_memory(p);
    return copy;
}

static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"select",
                                           "from",
                                           "where",
                                           "and",
                                           "or",
                                           "not",
                                           "like",
                                           "is",
                                           "null",
                                           "isa",
                                           "true",
                                           "false"};

    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (ts_compare_text(name, reserved[i]) == 0)
            return true;
    return false;
}

/* A name of a property or class; "Win32_X.Name" is Name. NULL if the token is none. */
static char *take_name(struct parser *p, const char *what)
{
    const char *dot = strrchr(buf_str(&p->text), '.');
    const char *name = dot ? dot + 1 : buf_str(&p->text);
    char *copy = NULL;

    if (p->r == 0 && (p->token != TOKEN_WORD || !is_letter(*name) || is_reserved(name)))
        malformed(p, what);
    if (p->r != 0)
        return NULL;
    copy = copy_token(p);
    if (copy)
        memmove(copy, copy + (name - buf_str(&p->text)), strlen(name) + 1);
    advance(p);
    return copy;
}

/* Its index; 0 after a failure, when nobody looks any more. Takes over what @node owns. */
static size_t add_node(struct parser *p, struct wql_node node)
{
    OWN(freep) char *property = node.property;
    OWN(freep) char *text = node.literal.text;
    struct ts_query *q = p->query;

    if (p->r == 0 && q->n_nodes == TS_WQL_MAX_NODES)
        malformed(p, "it has too many comparisons");
    if (p->r != 0)
        return 0;

    struct wql_node *grown = realloc(q->nodes, (q->n_nodes + 1) * sizeof(*grown));

    if (!grown) {
        no_memory(p);
        return 0;
    }
    q->nodes = grown;
    node.property = TAKE(property);
    node.literal.text = TAKE(text);
    grown[q->n_nodes] = node;
    return q->n_nodes++;
}

/* "-1", "2.50" */
static bool parse_real(const char *text, double *ret)
{
    bool is_negative = *text == '-';
    double scale = 1;

    *ret = 0;
    text += is_negative ? 1 : 0;
    for (; is_digit(*text); text++)
        *ret = *ret * 10 + (*text - '0');
    if (*text++ != '.')
        return false;
    for (; is_digit(*text); text++)
        *ret += (*text - '0') * (scale /= 10);
    if (is_negative)
        *ret = -*ret;
    return *text == '\0';
}

static bool take_literal(struct parser *p, struct wql_literal *ret)
{
    const char *text = buf_str(&p->text);

    *ret = (struct wql_literal){.kind = WQL_TEXT};
    if (p->r != 0)
        return false;
    if (is_word(p, "true") || is_word(p, "false")) {
        ret->kind = WQL_BOOLEAN;
        ret->integer = is_word(p, "true");
    } else if (p->token == TOKEN_NUMBER) {
        const char *digits = *text == '+' ? text + 1 : text;

        if (ts_parse_integer(digits, &ret->integer))
            ret->kind = WQL_INTEGER;
        else if (parse_real(digits, &ret->real))
            ret->kind = WQL_REAL;
        else
            malformed(p, "a number is expected");
    } else if (p->token != TOKEN_TEXT) {
        malformed(p, "a value is expected");
    }
    if (p->r == 0)
        ret->text = copy_token(p);
    advance(p);
    return p->r == 0;
}

static bool take_operator(struct parser *p, enum wql_operator *ret)
{
    for (unsigned op = 0; op < WQL_N_OPERATORS; op++) {
        *ret = (enum wql_operator)op;
        if (accept_symbol(p, wql_operators[op]))
            return true;
    }
    *ret = WQL_NOT_EQUAL;
    return accept_symbol(p, "!=");
}

/* "5 < Size" is "Size > 5" */
static enum wql_operator mirror(enum wql_operator op)
{
    static const enum wql_operator mirrored[WQL_N_OPERATORS] = {
        [WQL_EQUAL] = WQL_EQUAL,
        [WQL_NOT_EQUAL] = WQL_NOT_EQUAL,
        [WQL_LESS] = WQL_GREATER,
        [WQL_LESS_EQUAL] = WQL_GREATER_EQUAL,
        [WQL_GREATER] = WQL_LESS,
        [WQL_GREATER_EQUAL] = WQL_LESS_EQUAL,
    };

    return mirrored[op];
}

/* Behind the property: "is null", "like ...", "isa ...", or an operator and a value. */
static void parse_tail(struct parser *p, struct wql_node *node)
{
    if (accept_word(p, "is")) {
        node->kind = WQL_IS_NULL;
        node->is_inverted = accept_word(p, "not");
        if (!accept_word(p, "null"))
            malformed(p, "\"null\" is expected behind \"is\"");
        return;
    }
    node->is_inverted = accept_word(p, "not");
    if (accept_word(p, "like")) {
        node->kind = WQL_LIKE;
        (void)take_literal(p, &node->literal);
        return;
    }
    if (node->is_inverted) {
        malformed(p, "\"like\" is expected behind \"not\"");
    } else if (accept_word(p, "isa")) {
        node->kind = WQL_ISA;
        (void)take_literal(p, &node->literal);
    } else if (!take_operator(p, &node->op)) {
        malformed(p, "a comparison is expected");
    } else if ((node->op == WQL_EQUAL || node->op == WQL_NOT_EQUAL) && accept_word(p, "null")) {
        node->kind = WQL_IS_NULL;
        node->is_inverted = node->op == WQL_NOT_EQUAL;
    } else {
        (void)take_literal(p, &node->literal);
    }
}

static size_t parse_comparison(struct parser *p)
{
    struct wql_node node = {.kind = WQL_COMPARE};
    bool is_value_first = p->token == TOKEN_TEXT || p->token == TOKEN_NUMBER ||
                          is_word(p, "true") || is_word(p, "false");

    if (!is_value_first) {
        node.property = take_name(p, "a property is expected");
        if (p->r == 0)
            parse_tail(p, &node);
        return add_node(p, node);
    }
    if (take_literal(p, &node.literal) && !take_operator(p, &node.op))
        malformed(p, "a comparison is expected");
    node.op = mirror(node.op);
    node.property = take_name(p, "a property is expected");
    return add_node(p, node);
}

static size_t parse_or(struct parser *p);

static size_t parse_not(struct parser *p)
{
    size_t inner = 0;

    if (p->depth == TS_WQL_MAX_DEPTH)
        malformed(p, "it is nested too deeply");
    if (p->r != 0)
        return 0;
    p->depth++;
    if (accept_word(p, "not")) {
        inner = parse_not(p);
        inner = add_node(p, (struct wql_node){.kind = WQL_NOT, .left = inner});
    } else if (accept_symbol(p, "(")) {
        inner = parse_or(p);
        if (!accept_symbol(p, ")"))
            malformed(p, "\")\" is expected");
    } else {
        inner = parse_comparison(p);
    }
    p->depth--;
    return inner;
}

static size_t parse_and(struct parser *p)
{
    size_t left = parse_not(p);

    while (accept_word(p, "and")) {
        size_t right = parse_not(p);

        left = add_node(p, (struct wql_node){.kind = WQL_AND, .left = left, .right = right});
    }
    return left;
}

/* The depth is bounded by TS_WQL_MAX_DEPTH. */
static size_t parse_or(struct parser *p)
{
    size_t left = parse_and(p);

    while (accept_word(p, "or")) {
        size_t right = parse_and(p);

        left = add_node(p, (struct wql_node){.kind = WQL_OR, .left = left, .right = right});
    }
    return left;
}

static void parse_selected(struct parser *p)
{
    struct ts_query *q = p->query;

    if (accept_symbol(p, "*"))
        return;
    do {
        char **grown = realloc(q->selected, (q->n_selected + 1) * sizeof(char *));
        char *name = grown ? take_name(p, "a property or * is expected behind \"select\"") : NULL;

        if (grown)
            q->selected = grown;
        else
            no_memory(p);
        if (name)
            grown[q->n_selected++] = name;
    } while (accept_symbol(p, ","));
}

static void parse_query(struct parser *p)
{
    advance(p);
    if (!accept_word(p, "select")) {
        malformed(p, "a query begins with \"select\"");
        return;
    }
    parse_selected(p);
    if (!accept_word(p, "from"))
        malformed(p, "\"from\" is expected");
    p->query->class_name = take_name(p, "a class is expected behind \"from\"");
    if (accept_word(p, "where"))
        (void)parse_or(p);
    if (p->r == 0 && p->token != TOKEN_END)
        malformed(p, "the query should end here");
}

int ts_query_parse(const char *text, struct ts_query **ret, struct buf *why)
{
    OWN(ts_query_freep) struct ts_query *query = NULL;

    if (strlen(text) > TS_WQL_MAX_BYTES) {
        buf_addf(why, "the query is longer than %d characters", (int)TS_WQL_MAX_BYTES);
        return TS_WQL_E_MALFORMED;
    }
    query = calloc(1, sizeof(*query));
    if (!query)
        return ERR(-ENOMEM);

    struct parser p = {
        .next = text, .text = BUF_INIT(TS_WQL_MAX_BYTES), .query = query, .why = why};

    parse_query(&p);
    buf_fini(&p.text);
    if (p.r != 0)
        return p.r < 0 ? TRACE(p.r) : p.r;
    *ret = TAKE(query);
    return 0;
}

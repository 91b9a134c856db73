/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Reports of the site: a table of what there is, or CSV page by page, however long it is
 */

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 2048,
    COLUMNS_MAX = 32,
    TITLE_MAX = 40,
    PAGE = 1000,
};

static void put_query(struct buf *dst, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addf(dst, "&%s=", name);
    session_escape(dst, value);
}

/* The next page. @after: cursor, "" for the first */
static bool get_page(struct session *s, const struct args *args, const char *after, json_t **ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_adds(&path, "/reports/");
    session_escape(&path, args->operands[0]);
    buf_addf(&path, "?limit=%d", PAGE);
    put_query(&path, "after", after[0] ? after : NULL);
    put_query(&path, "deployment", args_get(args, "deployment"));
    put_query(&path, "device", args_get(args, "device"));
    put_query(&path, "days", args_get(args, "days"));
    return session_get(s, ret, "%s", buf_str(&path));
}

static void put_csv_text(struct buf *dst, const char *text)
{
    buf_adds(dst, text[0] && strchr("=+-@\t\r", text[0]) ? "\"'" : "\"");
    for (; *text; text++) {
        if (*text == '"')
            buf_adds(dst, "\"");
        buf_add(dst, (struct bytes){(const uint8_t *)text, 1});
    }
    buf_adds(dst, "\"");
}

static void put_csv_line(struct buf *dst, const json_t *columns, const json_t *item)
{
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const char *name = json_string_value(json_array_get(columns, i));
        const json_t *value = item ? json_object_get(item, name ? name : "") : NULL;

        buf_adds(dst, i > 0 ? "," : "");
        if (!item)
            buf_adds(dst, name ? name : "");
        else if (json_is_integer(value))
            buf_addf(dst, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else if (json_is_boolean(value))
            buf_adds(dst, json_is_true(value) ? "yes" : "no");
        else if (json_is_string(value))
            put_csv_text(dst, json_string_value(value));
    }
    buf_adds(dst, "\r\n");
}

static bool write_csv(struct session *s, const json_t *page, bool is_first)
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
    const json_t *columns = json_object_get(page, "columns");
    const json_t *items = json_object_get(page, "items");

    if (is_first)
        put_csv_line(&text, columns, NULL);
    for (size_t i = 0; i < json_array_size(items); i++)
        put_csv_line(&text, columns, json_array_get(items, i));
    return session_write(s, &text);
}

static char title_char(char c)
{
    if (c == '_')
        return ' ';
    if (c >= 'a' && c <= 'z')
        return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[c - 'a'];
    return c;
}

/* "n_devices" -> "N DEVICES" */
static void put_title(const char *name, char ret[static TITLE_MAX])
{
    (void)snprintf(ret, TITLE_MAX, "%s", name);
    for (char *c = ret; *c; c++)
        *c = title_char(*c);
}

static bool print_table(struct session *s, const json_t *page, json_t *rows)
{
    char titles[COLUMNS_MAX][TITLE_MAX];
    struct output_column columns[COLUMNS_MAX + 1] = {0};
    const json_t *names = json_object_get(page, "columns");

    for (size_t i = 0; i < json_array_size(names) && i < COLUMNS_MAX; i++) {
        const char *name = json_string_value(json_array_get(names, i));

        put_title(name ? name : "", titles[i]);
        columns[i] = (struct output_column){titles[i], name ? name : "", OUTPUT_TEXT};
    }
    return session_print_list(s, rows, columns);
}

static bool show(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *rows = json_array();
    OWN(session_json_freep) json_t *page = NULL;
    char after[PATH_MAX_BYTES] = "";
    bool is_csv = args_get(args, "csv") != NULL;
    bool is_first = true;

    for (;;) {
        session_json_freep(&page);
        page = NULL;
        if (!get_page(s, args, after, &page))
            return false;
        if (is_csv && !write_csv(s, page, is_first))
            return false;
        if (!is_csv)
            (void)json_array_extend(rows, json_object_get(page, "items"));
        is_first = false;
        if (!json_is_string(json_object_get(page, "next")))
            break;
        (void)snprintf(after, sizeof(after), "%s", output_text(page, "next"));
    }
    return is_csv || print_table(s, page, rows);
}

bool report_show(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"REPORT", "name", OUTPUT_TEXT},
        {"WHAT", "title", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *list = NULL;

    if (!session_open(s))
        return false;
    if (args->n_operands > 0)
        return show(s, args);
    return session_get(s, &list, "/reports") &&
           session_print_list(s, json_object_get(list, "items"), columns);
}

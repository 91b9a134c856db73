/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "server/site/list_parts.h"
#include "site/csv_write.h"

/*
 * The whole list is written page by page into a file without a name, and sent from there: memory holds one page, what fails in
 * the middle is a problem and not half a file, and all of it is of one moment.
 */

enum {
    PATH_MAX_BYTES = 512,
    TEXT_MAX_BYTES = 64 * 1024 * 1024, /* of a page of the handler */
    FILE_MAX_BYTES = 1024 * 1024 * 1024,
};

static int open_file(const struct listing *l)
{
    char path[PATH_MAX_BYTES];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/site", l->api->options->state_folder);
    fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    return fd < 0 ? ERR(-errno) : fd;
}

/* Names that are asked for, in that order; those of the report; or all that have a place in a cell. Owned by the caller. */
static json_t *columns_of(const struct listing *l)
{
    const json_t *own = json_object_get(l->answer, "columns");
    OWN(json_freep) json_t *columns = json_array();

    if (own)
        return json_deep_copy(own);
    for (const char *at = l->fields; at && *at;) {
        size_t n;

        at += strspn(at, " ,");
        n = strcspn(at, " ,");
        if (n > 0 && json_array_append_new(columns, json_stringn(at, n)) < 0)
            return NULL;
        at += n;
    }
    for (const struct filter_property *p = l->permission->list->items; !l->fields && p->name; p++)
        if (json_array_append_new(columns, json_string(p->name)) < 0)
            return NULL;
    return TAKE(columns);
}

static int write_page(const struct listing *l, const json_t *columns, bool is_first, int fd)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    const json_t *items = list_answered(l);

    if (is_first)
        csv_put_names(&text, columns);
    for (size_t i = 0; i < json_array_size(items); i++)
        if (!l->filter || list_filter_match(l->filter, json_array_get(items, i)))
            csv_put_item(&text, columns, json_array_get(items, i));
    return text.failed ? ERR(-ENOMEM) : TRACE(fd_write_all(fd, buf_bytes(&text)));
}

static int write_all(struct listing *l, int fd)
{
    OWN(json_freep) json_t *columns = NULL;
    char after[CURSOR_TEXT_MAX] = "";
    bool is_over = false;

    while (!is_over) {
        bool is_first = !columns;
        int r = list_check_long(l);

        if (r == 0)
            r = list_ask(l, after, ROWS_LIMIT_MAX);
        if (r == 0 && !l->is_answered && is_first)
            columns = columns_of(l);
        if (r == 0 && !l->is_answered)
            r = columns ? write_page(l, columns, is_first, fd) : ERR(-ENOMEM);
        if (r != 0 || l->is_answered)
            return TRACE(r);
        l->n_looks += json_array_size(list_answered(l));
        if (lseek(fd, 0, SEEK_CUR) > FILE_MAX_BYTES)
            return refuse(l->api->site,
                          REFUSAL_TOO_LONG,
                          "As CSV it has more than 1 GiB. Ask for less of it.");
        is_over = list_is_end(l, after);
        if (!is_over)
            (void)snprintf(
                after, sizeof(after), "%s", json_string_value(json_object_get(l->answer, "next")));
    }
    return 0;
}

int list_reply_csv(struct listing *l)
{
    OWN(fd_closep) int fd = -1;
    int given;
    int r;

    if (l->order.n_keys > 0 || http_query(l->x, "limit") || http_query(l->x, "after"))
        return refuse_parameter(
            l->api->site,
            "format",
            "\"format\" csv is the whole list as it comes: without \"order_by\", \"limit\" and \"after\".");
    fd = open_file(l);
    if (fd < 0)
        return fd;
    r = write_all(l, fd);
    if (r != 0 || l->is_answered)
        return TRACE(r);
    given = fd;
    fd = -1;
    return TRACE(http_reply_file(l->x, 200, "text/csv; charset=utf-8", given));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
    MESSAGE_MAX_BYTES = 1024,
    GROW = 16,
};

static void item_fini(struct ts_diag *item)
{
    free(item->message);
    free(item->path);
}

void ts_diags_fini(struct ts_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++)
        item_fini(&diags->items[i]);
    free(diags->items);
    *diags = (struct ts_diags){0};
}

__attribute__((format(printf, 1, 0))) static char *format_message(const char *format, va_list args)
{
    char *text = malloc(MESSAGE_MAX_BYTES);

    if (text && vsnprintf(text, MESSAGE_MAX_BYTES, format, args) < 0)
        text[0] = '\0';
    if (text)
        text_make_utf8(text); /* what it quotes may be cut */
    return text;
}

static bool has_room(struct ts_diags *diags)
{
    if (diags->n % GROW != 0)
        return true;

    struct ts_diag *grown = realloc(diags->items, (diags->n + GROW) * sizeof(*grown));

    if (grown)
        diags->items = grown;
    return grown;
}

/* @message: taken over; NULL: there was no memory */
static void append(struct ts_diags *diags,
                   enum ts_severity severity,
                   const struct ts_diag_place *place,
                   char *message)
{
    const char *from = place->path ? place->path : "";
    size_t size = strlen(from) + 1;
    char *path = message && has_room(diags) ? malloc(size) : NULL;

    if (!path) {
        diags->is_cut = true;
        free(message);
        return;
    }
    memcpy(path, from, size);
    diags->items[diags->n++] =
        (struct ts_diag){severity, place->line, place->column, message, place->id, path};
}

__attribute__((format(printf, 1, 2))) static char *make_message(const char *format, ...)
{
    va_list args;
    char *message;

    va_start(args, format);
    message = format_message(format, args);
    va_end(args);
    return message;
}

/* What there is no room for is told by the last one, which is as bad as the worst of them. */
static void count_more(struct ts_diags *diags, enum ts_severity severity)
{
    static const struct ts_diag_place nowhere = {.id = "SLW-0171"};

    if (diags->n == TS_DIAGS_MAX)
        append(diags,
               TS_WARNING,
               &nowhere,
               make_message("there are more than %d findings: correct these, and look again",
                            (int)TS_DIAGS_MAX));
    diags->is_cut = true;
    if (severity == TS_ERROR)
        diags->items[diags->n - 1].severity = TS_ERROR;
}

__attribute__((format(printf, 4, 0))) static void add(struct ts_diags *diags,
                                                      enum ts_severity severity,
                                                      const struct ts_diag_place *place,
                                                      const char *format,
                                                      va_list args)
{
    if (diags->n >= TS_DIAGS_MAX)
        count_more(diags, severity);
    else
        append(diags, severity, place, format_message(format, args));
}

void ts_diags_add(struct ts_diags *diags,
                  enum ts_severity severity,
                  unsigned line,
                  unsigned column,
                  const char *format,
                  ...)
{
    va_list args;

    va_start(args, format);
    add(diags, severity, &(struct ts_diag_place){"SLW-0170", NULL, line, column}, format, args);
    va_end(args);
}

void ts_diags_add_at(struct ts_diags *diags,
                     enum ts_severity severity,
                     const struct ts_diag_place *place,
                     const char *format,
                     ...)
{
    va_list args;

    va_start(args, format);
    add(diags, severity, place, format, args);
    va_end(args);
}

bool ts_diags_prefix(struct ts_diags *diags, size_t first, const char *part)
{
    for (size_t i = first; i < diags->n; i++) {
        char *message = make_message("%.200s: %s", part, diags->items[i].message);

        if (!message)
            return false;
        free(diags->items[i].message);
        diags->items[i].message = message;
    }
    return true;
}

void ts_diags_keep(struct ts_diags *diags, const char *id)
{
    size_t n = 0;

    for (size_t i = 0; i < diags->n; i++) {
        if (strcmp(diags->items[i].id, id) == 0)
            diags->items[n++] = diags->items[i];
        else
            item_fini(&diags->items[i]);
    }
    diags->n = n;
}

static bool is_before(const struct ts_diag *a, const struct ts_diag *b)
{
    unsigned line_a = a->line - 1; /* 0, no one place, comes last */
    unsigned line_b = b->line - 1;

    return line_a != line_b ? line_a < line_b : a->column < b->column;
}

void ts_diags_sort(struct ts_diags *diags, size_t first)
{
    for (size_t i = first; i < diags->n; i++) {
        struct ts_diag moving = diags->items[i];
        size_t k = i;

        for (; k > first && is_before(&moving, &diags->items[k - 1]); k--)
            diags->items[k] = diags->items[k - 1];
        diags->items[k] = moving;
    }
}

bool ts_diags_has_error(const struct ts_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++)
        if (diags->items[i].severity == TS_ERROR)
            return true;
    return false;
}

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

void ts_diags_fini(struct ts_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++) {
        free(diags->items[i].message);
        free(diags->items[i].path);
    }
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
    if (diags->n == TS_DIAGS_MAX)
        return false;
    if (diags->n % GROW != 0)
        return true;

    struct ts_diag *grown = realloc(diags->items, (diags->n + GROW) * sizeof(*grown));

    if (grown)
        diags->items = grown;
    return grown;
}

__attribute__((format(printf, 4, 0))) static void add(struct ts_diags *diags,
                                                      enum ts_severity severity,
                                                      const struct ts_diag_place *place,
                                                      const char *format,
                                                      va_list args)
{
    const char *from = place->path ? place->path : "";
    size_t size = strlen(from) + 1;
    char *message = has_room(diags) ? format_message(format, args) : NULL;
    char *path = message ? malloc(size) : NULL;

    if (!path) {
        diags->is_cut = true;
        free(message);
        return;
    }
    memcpy(path, from, size);
    diags->items[diags->n++] =
        (struct ts_diag){severity, place->line, place->column, message, place->id, path};
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

bool ts_diags_has_error(const struct ts_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++)
        if (diags->items[i].severity == TS_ERROR)
            return true;
    return false;
}

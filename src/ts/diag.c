/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MESSAGE_MAX_BYTES = 1024,
    GROW = 16,
};

void ts_diags_fini(struct ts_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++)
        free(diags->items[i].message);
    free(diags->items);
    *diags = (struct ts_diags){0};
}

__attribute__((format(printf, 1, 0))) static char *format_message(const char *format, va_list args)
{
    char *text = malloc(MESSAGE_MAX_BYTES);

    if (text && vsnprintf(text, MESSAGE_MAX_BYTES, format, args) < 0)
        text[0] = '\0';
    return text;
}

void ts_diags_add(struct ts_diags *diags,
                  enum ts_severity severity,
                  unsigned line,
                  unsigned column,
                  const char *format,
                  ...)
{
    if (diags->n == TS_DIAGS_MAX) {
        diags->is_cut = true;
        return;
    }
    if (diags->n % GROW == 0) {
        struct ts_diag *grown = realloc(diags->items, (diags->n + GROW) * sizeof(*grown));

        if (!grown) {
            diags->is_cut = true;
            return;
        }
        diags->items = grown;
    }

    va_list args;

    va_start(args, format);

    char *message = format_message(format, args);

    va_end(args);
    if (!message) {
        diags->is_cut = true;
        return;
    }
    diags->items[diags->n++] = (struct ts_diag){severity, line, column, message};
}

bool ts_diags_has_error(const struct ts_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++)
        if (diags->items[i].severity == TS_ERROR)
            return true;
    return false;
}

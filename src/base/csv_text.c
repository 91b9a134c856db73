/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/csv_text.h"

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

#define FORMULA "=+-@\t\r"

void csv_put_inside(struct buf *dst, const char *text, bool is_first)
{
    if (is_first && text[0] && strchr(FORMULA, text[0]))
        buf_adds(dst, "'");
    for (; *text; text++) {
        if (*text == '"')
            buf_adds(dst, "\"");
        buf_add(dst, (struct bytes){(const uint8_t *)text, 1});
    }
}

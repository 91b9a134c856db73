/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/script_text.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/own.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the editor stores of a text is that text. */
static void check_source(const char *text)
{
    OWN(buf_fini) struct buf source = BUF_INIT((size_t)1024 * 1024);
    OWN(buf_fini) struct buf again = BUF_INIT((size_t)1024 * 1024);

    if (!ts_script_source(text, &source) ||
        ts_script_text(buf_str(&source), &again) != (source.len > 0) ||
        strcmp(buf_str(&again), text) != 0)
        abort();
}

/* It does not differ from itself, and of two every line is told that is not in both. */
static void check_diff(const char *text)
{
    OWN(buf_fini) struct buf none = BUF_INIT((size_t)1024 * 1024);
    OWN(buf_fini) struct buf all = BUF_INIT((size_t)8 * 1024 * 1024);

    ts_script_put_diff(text, text, &none);
    ts_script_put_diff("one\ntwo\nthree\n", text, &all);
    if (none.len > 0 || none.failed || all.failed)
        abort();
    if (!strstr(text, "two") && !strstr(buf_str(&all), "- two\n"))
        abort();
}

/* All UTF-8 without a NUL is a text; what else is one is so in UTF-16. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf source = BUF_INIT((size_t)1024 * 1024);
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)1024 * 1024);
    struct bytes bytes = {data, size};

    base64_put(&source, bytes);
    if (source.failed)
        abort();
    if (!ts_script_text(buf_str(&source), &text)) {
        if (size > 0 && !memchr(data, '\0', size) && text_is_utf8(bytes))
            abort();
        return 0;
    }
    if (!text_is_utf8(buf_bytes(&text)))
        abort();
    check_source(buf_str(&text));
    check_diff(buf_str(&text));
    return 0;
}

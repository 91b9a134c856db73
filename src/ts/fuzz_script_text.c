/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/script_text.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any bytes have a text; it does not differ from itself, and of two every line is told that is not in both. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf source = BUF_INIT((size_t)1024 * 1024);
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)1024 * 1024);
    OWN(buf_fini) struct buf none = BUF_INIT((size_t)1024 * 1024);
    OWN(buf_fini) struct buf all = BUF_INIT((size_t)8 * 1024 * 1024);

    base64_put(&source, (struct bytes){data, size});
    if (source.failed || ts_script_text(buf_str(&source), &text) != (size > 0))
        abort();
    ts_script_put_diff(buf_str(&text), buf_str(&text), &none);
    ts_script_put_diff("one\ntwo\nthree\n", buf_str(&text), &all);
    if (none.len > 0 || none.failed || all.failed)
        abort();
    if (!strstr(buf_str(&text), "two") && !strstr(buf_str(&all), "- two\n"))
        abort();
    return 0;
}

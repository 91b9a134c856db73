/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/cmtrace/log_settings.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is in the file, what comes of it is within the limits, and the same file means the same twice. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_settings s;
    struct log_settings again;

    log_settings_init(&s);
    log_settings_parse((struct bytes){data, size}, &s);
    if (s.max_bytes < LOG_SETTINGS_BYTES_MIN || s.max_bytes > LOG_SETTINGS_BYTES_MAX ||
        s.n_old > LOG_SETTINGS_OLD_MAX || s.least < CMTRACE_INFORMATION || s.least > CMTRACE_ERROR)
        abort();
    again = s;
    log_settings_parse((struct bytes){data, size}, &again);
    if (again.max_bytes != s.max_bytes || again.n_old != s.n_old || again.least != s.least)
        abort();
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "cli/redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken has the state that is waited for, and each parameter once. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(http_values_fini) struct http_values values = {.n = 0};

    if (redirect_parse((struct bytes){data, size}, 1, "s", &values) != 0)
        return 0;
    if (strcmp(http_values_find(&values, "state"), "s") != 0)
        abort();
    for (size_t i = 0; i < values.n; i++)
        if (http_values_find(&values, values.names[i]) != values.values[i])
            abort();
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/yaml_read.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/own.h"
#include "cli/session.h"
#include "cli/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    TEXT_MAX_BYTES = 64 * 1024 * 1024,
};

/* What is read is text that says why not, or values that are written and read as the same ones. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(session_json_freep) json_t *values = NULL;
    OWN(session_json_freep) json_t *again = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    int r = yaml_read((struct bytes){data, size}, &values, &why);

    if (r == 1 && why.len == 0)
        abort();
    if (r != 0 || json_array_size(values) == 0)
        return 0;
    yaml_put(&text, json_array_get(values, 0));
    if (yaml_read(buf_bytes(&text), &again, &why) != 0 ||
        !json_equal(json_array_get(values, 0), json_array_get(again, 0)))
        abort();
    return 0;
}

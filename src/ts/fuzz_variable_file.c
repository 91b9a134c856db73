/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/variable_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "ts/vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    WHY_MAX = 4096,
};

/* What is told was said by the file, in UTF-8, and is no name of the engine's. */
static void check(void *ctx, const char *name, const char *value)
{
    const struct bytes *file = ctx;

    if (name[0] == '_' || name[0] == '\0' || strchr(name, '=') || !text_is_utf8(bytes_of(value)))
        abort();
    if (strcmp(value, "***") != 0 && value[0] != '\0' &&
        !memmem(file->ptr, file->len, value, strlen(value)))
        abort();
}

/* Whatever a script leaves there, the variables stay within what a step may do. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    struct bytes file = {data, size};
    const char *name;
    const char *value;
    size_t total = 0;
    int r;

    if (ts_vars_new(&vars) != 0 || ts_vars_set(vars, "_SMSTSMake", "kept", TS_BY_ENGINE) != 0)
        abort();
    r = ts_variable_file_apply(file, vars, check, &file, &why);
    if (r < 0 || (r > 0) != (why.len > 0))
        abort();
    for (size_t i = 0; ts_vars_at(vars, i, &name, &value, NULL); i++)
        if (name[0] != '_' && value[0] != '\0')
            total += strlen(name) + strlen(value);
    if (total > TS_VARS_ENVIRONMENT_MAX || strcmp(ts_vars_get(vars, "_SMSTSMake"), "kept") != 0)
        abort();
    return 0;
}

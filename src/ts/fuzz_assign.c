/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/assign.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/own.h"
#include "ts/document.h"
#include "ts/vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    TEXT_MAX = 64 * 1024,
};

static void told(void *ctx, const char *name, const char *value)
{
    size_t *n = ctx;

    (void)value;
    if (name[0] == '_') /* the engine's names are not for rules */
        abort();
    (*n)++;
}

/* Any rules: they are applied or refused with a reason, and nothing of the engine's is set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(TS_ASSIGN_TEXT_MAX);
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    size_t n = 0;
    int r;

    buf_add(&text, (struct bytes){data, size});
    if (text.failed || ts_vars_new(&vars) != 0 ||
        ts_vars_set(vars, "_SMSTSMake", "Dell Inc.", TS_BY_ENGINE) != 0)
        return 0;

    const struct ts_variable rules = {
        .name = "OSDSetDynamicVariablesRules", .property = "Rules", .text = buf_str(&text)};
    const struct ts_step step = {.type = "SMS_TaskSequence_SetDynamicVariablesAction",
                                 .variables = &rules,
                                 .n_variables = 1};

    r = ts_assign(&step, vars, NULL, told, &n, &why);
    if (r > 0 && why.len == 0)
        abort();
    return 0;
}

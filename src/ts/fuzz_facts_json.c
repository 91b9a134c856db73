/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/facts_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ts/facts.h"
#include "ts/vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct ts_table *, ts_table_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

/* What was read can be written and read again, and then is written the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf why = BUF_INIT(4096);
    OWN(buf_fini) struct buf text = BUF_INIT(TS_FACTS_MAX_BYTES);
    OWN(buf_fini) struct buf second = BUF_INIT(TS_FACTS_MAX_BYTES);
    struct ts_facts_file file;
    struct ts_facts_file again;

    if (ts_facts_parse((struct bytes){data, size}, &file, &why) != 0)
        return 0;

    OWN(ts_table_freep) struct ts_table *table = file.table;
    OWN(ts_vars_freep) struct ts_vars *vars = file.vars;

    if (ts_facts_put(&file, &text) != 0 || ts_facts_parse(buf_bytes(&text), &again, &why) != 0)
        abort();

    OWN(ts_table_freep) struct ts_table *table_again = again.table;
    OWN(ts_vars_freep) struct ts_vars *vars_again = again.vars;

    if (ts_facts_put(&again, &second) != 0 || strcmp(buf_str(&text), buf_str(&second)) != 0)
        abort();
    return 0;
}

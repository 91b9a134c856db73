/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/facts_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ts/facts.h"
#include "ts/vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    BOUND = 256,
};

static void file_fini(struct ts_facts_file *file)
{
    ts_table_free(file->table);
    ts_vars_free(file->vars);
}

/* Classes go until the rest fits, or until there is none left. */
static void check_bound(const struct ts_facts_file *file)
{
    json_t *json = NULL;
    json_t *classes;

    if (ts_facts_json(file, &json) != 0 || ts_facts_bound(json, BOUND) < 0)
        abort();
    classes = json_object_get(json, "classes");
    if (json_object_size(classes) > 0 && json_dumpb(json, NULL, 0, JSON_COMPACT) > BOUND)
        abort();
    json_decref(json);
}

/* What was read can be written and read again, and then is written the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf why = BUF_INIT(4096);
    OWN(buf_fini) struct buf text = BUF_INIT(TS_FACTS_MAX_BYTES);
    OWN(buf_fini) struct buf second = BUF_INIT(TS_FACTS_MAX_BYTES);
    OWN(file_fini) struct ts_facts_file file = {0};
    OWN(file_fini) struct ts_facts_file again = {0};

    if (ts_facts_parse((struct bytes){data, size}, &file, &why) != 0)
        return 0;

    if (ts_facts_put(&file, &text) != 0 || ts_facts_parse(buf_bytes(&text), &again, &why) != 0)
        abort();

    if (ts_facts_put(&again, &second) != 0 || strcmp(buf_str(&text), buf_str(&second)) != 0)
        abort();
    check_bound(&file);
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/err.h"
#include "base/own.h"
#include "site/task_sequence_parts.h"

enum {
    HIDDEN_MAX = 10000, /* names */
};

int task_sequence_note_secrets(struct site *site, struct ts_document *doc)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_VARIABLE_HIDDEN_NAMES, DB_ARGS(db_u64(HIDDEN_MAX)), &rows);

    while (r == DB_ROW) {
        r = ts_document_note_secret(doc, db_get_text(&rows, 0));
        r = r < 0 ? r : db_next(&rows);
    }
    return r < 0 ? TRACE(r) : 0;
}

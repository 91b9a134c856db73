/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/secret.h"

#include <errno.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "plat/random.h"

enum {
    KEY_TEXT_BYTES = 2 * SITE_KEY_BYTES + 1,
};

int secret_make(struct site *site, const char *name)
{
    uint8_t key[SITE_KEY_BYTES];
    char text[KEY_TEXT_BYTES];

    random_bytes(key, sizeof(key));
    hex_put(text, (struct bytes){key, sizeof(key)});
    return TRACE(db_must(site->db, SQL_SECRET_ADD, DB_ARGS(db_text(name), db_text(text))));
}

int secret_load(struct site *site, const char *name, uint8_t ret[static SITE_KEY_BYTES])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_SECRET_GET, DB_ARGS(db_text(name)), &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-ENOKEY);
    return hex_parse(bytes_of(db_get_text(&rows, 0)), SITE_KEY_BYTES, ret) ? 0 : ERR(-EBADMSG);
}

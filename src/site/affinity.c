/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/affinity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/csv.h"
#include "site/device.h"
#include "site/fields.h"

enum {
    COLUMN_USER,
    COLUMN_DEVICE,
    COLUMNS,
};

bool affinity_user_is_good(const char *user)
{
    size_t len = strlen(user);

    if (len == 0 || len > AFFINITY_USER_MAX_BYTES || user[0] == ' ' || user[len - 1] == ' ')
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)user[i] < ' ' || user[i] == 0x7f || user[i] == ',')
            return false;
    return true;
}

static int refuse_user(struct site *site, const char *user)
{
    return refuse(site,
                  REFUSAL_INVALID,
                  "\"%.100s\" is no user: at most %d bytes without commas, control characters and "
                  "blanks at the ends.",
                  user,
                  AFFINITY_USER_MAX_BYTES);
}

static int check_room(struct site *site, const char *device_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DEVICE_USER_COUNT, DB_ARGS(db_text(device_id)), &rows);

    if (r == DB_ROW && db_get_u64(&rows, 0) >= AFFINITY_DEVICE_MAX)
        return refuse(
            site, REFUSAL_INVALID, "A device has at most %d primary users.", AFFINITY_DEVICE_MAX);
    return r < 0 ? TRACE(r) : 0;
}

/* Who is one already stays one, as he became it. A request for the same is over. */
static int assign(
    struct site *site, const char *who, const char *device_id, const char *user, const char *source)
{
    uint64_t n = 0;
    int r = check_room(site, device_id);

    if (r == 0)
        r = db_run(
            site->db,
            SQL_DEVICE_USER_ADD,
            DB_ARGS(db_text(device_id), db_text(user), db_text(source), db_u64(site->now_us)),
            &n);
    if (r == 0)
        r = db_run(site->db,
                   SQL_DEVICE_USER_REQUEST_DROP,
                   DB_ARGS(db_text(device_id), db_text(user)),
                   NULL);
    if (r != 0 || n == 0)
        return r < 0 ? TRACE(r) : r;
    return TRACE(site_audit(site, who, "device.add-user", device_id, user));
}

int affinity_list(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *items = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    int r = device_find(site, which, id);

    if (r == 0)
        r = rows_array(site->db, SQL_DEVICE_USER_LIST, DB_ARGS(db_text(id)), &items);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:O}", "items", items);
    return *ret ? 0 : ERR(-ENOMEM);
}

int affinity_add(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"user", FIELD_LINE, true, 1, AFFINITY_USER_MAX_BYTES, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *user = field_text(body, "user", "");
    char id[ACCESS_DEVICE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0 && !affinity_user_is_good(user))
        return refuse_user(site, user);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = device_find(site, which, id);
    if (r == 0)
        r = assign(site, who, id, user, "administrator");
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(affinity_list(site, id, ret)) : TRACE(r);
}

int affinity_remove(struct site *site, const char *who, const char *which, const char *user)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    uint64_t n = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = device_find(site, which, id);
    if (r == 0)
        r = db_run(site->db, SQL_DEVICE_USER_DROP, DB_ARGS(db_text(id), db_text(user)), &n);
    if (r == 0 && n == 0)
        return refuse(site, REFUSAL_MISSING, "\"%.100s\" is no primary user of it.", user);
    if (r == 0)
        r = site_audit(site, who, "device.remove-user", id, user);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

/* What is wrong with a line, as the refusal in hand says. */
static int note_error(struct site *site, size_t line, json_t *errors)
{
    json_t *error = json_pack("{s:I,s:s,s:s}",
                              "line",
                              (json_int_t)line,
                              "error_id",
                              refusal_error_id(site->refusal.id),
                              "detail",
                              site->refusal.detail);

    return json_array_append_new(errors, error) < 0 ? ERR(-ENOMEM) : 0;
}

static int import_row(struct site *site, const char *who, const struct csv *csv)
{
    const char *user = csv_field(csv, COLUMN_USER);
    char id[ACCESS_DEVICE_ID_MAX];
    int r;

    if (csv->n_fields != COLUMNS)
        return refuse(site, REFUSAL_INVALID, "A line has two fields: user and device.");
    if (!affinity_user_is_good(user))
        return refuse_user(site, user);
    r = device_find(site, csv_field(csv, COLUMN_DEVICE), id);
    return r == 0 ? TRACE(assign(site, who, id, user, "file")) : TRACE(r);
}

static bool is_heading(const struct csv *csv)
{
    return csv->line == 1 && strcasecmp(csv_field(csv, COLUMN_USER), "user") == 0 &&
           strcasecmp(csv_field(csv, COLUMN_DEVICE), "device") == 0;
}

/* @ret_n: lines that were done. */
static int
import_all(struct site *site, const char *who, struct bytes text, json_t *errors, size_t *ret_n)
{
    OWN(csv_fini) struct csv csv = {.rest = text};
    size_t n_lines = 0;
    int row;

    while ((row = csv_next(&csv)) != 0) {
        int r = 0;

        if (row == CSV_E_WRONG)
            r = refuse(site, REFUSAL_INVALID, "This is no CSV from this line on.");
        else if (++n_lines > AFFINITY_LINES_MAX)
            r = refuse(site, REFUSAL_INVALID, "A file has at most %d lines.", AFFINITY_LINES_MAX);
        else if (!is_heading(&csv))
            r = import_row(site, who, &csv);
        if (r < 0)
            return TRACE(r);
        if (r > 0 && note_error(site, csv.line, errors) < 0)
            return ERR(-ENOMEM);
        if (r == 0 && !is_heading(&csv))
            (*ret_n)++;
        if (row == CSV_E_WRONG || n_lines > AFFINITY_LINES_MAX ||
            json_array_size(errors) >= AFFINITY_ERRORS_MAX)
            break;
    }
    return 0;
}

int affinity_import(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"csv", FIELD_TEXT, true, 0, AFFINITY_CSV_MAX_BYTES, NULL},
        {"validate_only", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *errors = json_array();
    bool is_wanted = !field_bool(body, "validate_only");
    size_t n = 0;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = import_all(site, who, bytes_of(field_text(body, "csv", "")), errors, &n);
    if (r == 0 && is_wanted && json_array_size(errors) == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:I,s:b,s:O}",
                     "n_users",
                     (json_int_t)n,
                     "is_imported",
                     (int)(is_wanted && json_array_size(errors) == 0),
                     "errors",
                     errors);
    return *ret ? 0 : ERR(-ENOMEM);
}

int affinity_mode_get(struct site *site, const char *unused, json_t **ret)
{
    (void)unused;
    return TRACE(rows_one(site->db, SQL_AFFINITY_MODE_GET, DB_NO_ARGS, ret));
}

int affinity_mode_set(
    struct site *site, const char *who, const char *unused, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"mode", FIELD_CHOICE, true, 0, 0, "none|pending|automatic"},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *mode = field_text(body, "mode", "");
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = db_must(site->db, SQL_AFFINITY_MODE_SET, DB_ARGS(db_text(mode)));
    if (r == 0)
        r = site_audit(site, who, "affinity.mode", "site", mode);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(affinity_mode_get(site, unused, ret)) : TRACE(r);
}

int affinity_requests(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_DEVICE_USER_REQUEST_LIST, args, page, ret));
}

int affinity_decide(
    struct site *site, const char *who, const char *which, const char *user, bool is_approved)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    uint64_t n = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = device_find(site, which, id);
    if (r == 0)
        r = db_run(site->db, SQL_DEVICE_USER_REQUEST_DROP, DB_ARGS(db_text(id), db_text(user)), &n);
    if (r == 0 && n == 0)
        return refuse(site, REFUSAL_MISSING, "Nobody asked for \"%.100s\" as its user.", user);
    if (r == 0 && is_approved)
        r = assign(site, who, id, user, "request");
    if (r == 0)
        r = site_audit(site, who, is_approved ? "affinity.approve" : "affinity.deny", id, user);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

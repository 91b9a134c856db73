/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "plat/random.h"
#include "site/content.h"
#include "site/fields.h"
#include "site/job.h"
#include "site/rows.h"
#include "ts/compare.h"
#include "ts/diag.h"
#include "ts/document.h"

#define CAPTURE_TYPE  "SMS_TaskSequence_CaptureSystemImageAction"
#define VARIABLE_TYPE "SMS_TaskSequence_SetVariableAction"
#define DESTINATION   "OSDCaptureDestination"
#define CHUNKS_PATH   "/api/v1/captures/chunks"
#define PACKS_PATH    "/api/v1/captures/packs/"
#define UPLOADS_PATH  "/api/v1/uploads/"

enum {
    PATTERN_MAX_BYTES = 64 * 1024,
};

DEFINE_FREEP(struct ts_document *, ts_document_free);

struct row {
    char id[UUID_TEXT_MAX];
    char package_id[SITE_ID_MAX];
    char operation_id[UUID_TEXT_MAX];
};

static struct row row_of(const struct db_rows *rows)
{
    struct row row;

    (void)snprintf(row.id, sizeof(row.id), "%s", db_get_text(rows, 0));
    (void)snprintf(row.package_id, sizeof(row.package_id), "%s", db_get_text(rows, 1));
    (void)snprintf(row.operation_id, sizeof(row.operation_id), "%s", db_get_text(rows, 2));
    return row;
}

/* "Debian of %OSDComputerName%" → "Debian of *" */
static void put_pattern(const char *text, struct buf *ret)
{
    while (*text) {
        const char *end = *text == '%' ? strchr(text + 1, '%') : NULL;

        buf_addf(ret, "%c", end ? '*' : *text);
        text = end ? end + 1 : text + 1;
    }
}

static bool is_named(const struct ts_step *step, const char *variable, const char *name)
{
    OWN(buf_fini) struct buf pattern = BUF_INIT(PATTERN_MAX_BYTES);
    const struct ts_variable *said = ts_step_variable(step, variable);

    if (!said)
        return false;
    put_pattern(said->text, &pattern);
    return !pattern.failed && ts_is_like(name, buf_str(&pattern));
}

static bool sets_destination(const struct ts_step *step)
{
    const struct ts_variable *said = ts_step_variable(step, "VariableName");

    return strcmp(step->type, VARIABLE_TYPE) == 0 && said &&
           ts_compare_text(said->text, DESTINATION) == 0;
}

struct right { /* of an order, from all of its task sequences */
    const char *name;
    bool captures;
    bool is_name_good;
};

/* Does the task sequence capture, and could it call the image so? */
static void look_at_steps(const struct ts_document *doc, struct right *right)
{
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    for (size_t i = 0; i < n; i++) {
        if (!ts_step_is_enabled(&steps[i]))
            continue;
        if (strcmp(steps[i].type, CAPTURE_TYPE) == 0) {
            right->captures = true;
            right->is_name_good |= is_named(&steps[i], DESTINATION, right->name);
        } else if (sets_destination(&steps[i])) {
            right->is_name_good |= is_named(&steps[i], "VariableValue", right->name);
        }
    }
}

static int look_at(const char *xml, struct right *right)
{
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    int r = ts_document_parse(bytes_of(xml), &doc, &ignored);

    if (r == 0)
        look_at_steps(doc, right);
    return r < 0 ? TRACE(r) : 0;
}

/* Those that Run Task Sequence runs. */
static int look_at_children(struct site *site, const char *order_id, struct right *right)
{
    OWN(json_freep) json_t *children = NULL;
    const json_t *child;
    size_t i;
    int r = rows_array(site->db, SQL_ORDER_CHILDREN, DB_ARGS(db_text(order_id)), &children);

    if (r < 0)
        return TRACE(r);
    json_array_foreach(children, i, child)
    {
        r = field_bool(child, "is_disabled") ? 0 : look_at(field_text(child, "xml", ""), right);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

static int check_right(struct site *site, const char *device_id, const json_t *body)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct right right = {.name = field_text(body, "name", "")};
    const char *order_id = field_text(body, "order_id", "");
    int r = db_first(site->db, SQL_ORDER_DOCUMENT, DB_ARGS(db_text(device_id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW || strcmp(db_get_text(&rows, 0), order_id) != 0)
        return refuse(site,
                      REFUSAL_ORDER_MISSING,
                      "The order \"%.100s\" is not in progress on this device.",
                      order_id);
    r = look_at(db_get_text(&rows, 9), &right);
    if (r == 0)
        r = look_at_children(site, order_id, &right);
    if (r < 0)
        return TRACE(r);
    if (!right.captures || !right.is_name_good)
        return refuse(site,
                      REFUSAL_CAPTURE,
                      "The task sequence %s has no step that is enabled and captures into an OS "
                      "image called \"%.100s\".",
                      db_get_text(&rows, 7),
                      right.name);
    return 0;
}

/* Before anything is read and sent. */
static int check_name(struct site *site, const json_t *body)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    const char *name = field_text(body, "name", "");
    const char *version = field_text(body, "version", "");
    int r = db_first(site->db,
                     SQL_PACKAGE_SAME_NAME,
                     DB_ARGS(db_text("os-image"), db_text(name), db_text(version), db_text("")),
                     &rows);

    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW)
        return refuse(site,
                      REFUSAL_DUPLICATE,
                      "The OS image %s has the name \"%s\"%s%s already. A capture makes a new one: "
                      "give the step another target or version, or delete that image.",
                      db_get_text(&rows, 0),
                      name,
                      version[0] ? " and the version " : "",
                      version);
    return 0;
}

static int put_answer(struct site *site, const struct row *row, json_t **ret)
{
    OWN(json_freep) json_t *operation = NULL;
    const char *state = "open";
    int r = row->operation_id[0] ? operation_get(site, row->operation_id, &operation) : 0;

    if (r < 0)
        return TRACE(r);
    if (operation) {
        const char *job = field_text(operation, "state", "");

        state = strcmp(job, "succeeded") == 0                                 ? "ready"
                : strcmp(job, "failed") == 0 || strcmp(job, "cancelled") == 0 ? "failed"
                                                                              : "importing";
    } else if (row->operation_id[0]) {
        state = "ready"; /* it ended well long ago, or the order would have */
    }
    *ret = json_pack("{s:s,s:s,s:s,s:s,s:s}",
                     "capture_id",
                     row->id,
                     "state",
                     state,
                     "package_id",
                     row->package_id,
                     "error_id",
                     field_text(operation, "error_id", ""),
                     "error",
                     field_text(operation, "error", ""));
    return *ret ? 0 : ERR(-ENOMEM);
}

static int
find(struct site *site, enum db_sql sql, struct db_args args, struct row *ret, bool *ret_is_there)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, sql, args, &rows);

    if (r < 0)
        return TRACE(r);
    *ret_is_there = r == DB_ROW;
    if (*ret_is_there)
        *ret = row_of(&rows);
    return 0;
}

static int add(struct site *site, const char *device_id, const json_t *body, struct row *row)
{
    const char *order_id = field_text(body, "order_id", "");
    int r;

    random_uuid(row->id, site->now_us);
    r = db_must(site->db,
                SQL_DEVICE_CAPTURE_ADD,
                DB_ARGS(db_text(row->id),
                        db_text(order_id),
                        db_text(field_text(body, "name", "")),
                        db_text(field_text(body, "version", "")),
                        db_text(field_text(body, "comment", "")),
                        db_u64(site->now_us)));
    return r < 0 ? TRACE(r)
                 : TRACE(site_audit(
                       site, device_id, "capture.begin", order_id, field_text(body, "name", "")));
}

static int begin_again(struct site *site, const json_t *body, struct row *row)
{
    row->package_id[0] = row->operation_id[0] = '\0';
    return TRACE(db_must(site->db,
                         SQL_DEVICE_CAPTURE_BEGIN_AGAIN,
                         DB_ARGS(db_text(row->id),
                                 db_text(field_text(body, "name", "")),
                                 db_text(field_text(body, "version", "")),
                                 db_text(field_text(body, "comment", "")))));
}

int device_capture_begin(struct site *site, const char *device_id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"order_id", FIELD_UUID, true, 0, 0, NULL},
        {"name", FIELD_NAME, true, 1, CONTENT_NAME_MAX, NULL},
        {"version", FIELD_LINE, false, 0, CONTENT_VERSION_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, CONTENT_COMMENT_MAX, NULL},
        {0},
    };
    OWN(json_freep) json_t *answer = NULL;
    struct row row = {0};
    bool is_there = false;
    int r = fields_check(site, body, fields, true, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = check_right(site, device_id, body);
    if (r == 0)
        r = find(site,
                 SQL_DEVICE_CAPTURE_OF_ORDER,
                 DB_ARGS(db_text(field_text(body, "order_id", ""))),
                 &row,
                 &is_there);
    if (r == 0 && is_there)
        r = put_answer(site, &row, &answer);
    if (r != 0)
        return TRACE(r);
    if (!is_there || strcmp(field_text(answer, "state", ""), "failed") == 0 ||
        row.operation_id[0] == '\0') {
        r = check_name(site, body);
        if (r == 0)
            r = is_there ? begin_again(site, body, &row) : add(site, device_id, body, &row);
    }
    return r != 0 ? TRACE(r) : TRACE(put_answer(site, &row, ret));
}

/* A capture of the device, whose order goes on. */
static int
must_find(struct site *site, const char *device_id, const char *id, struct db_rows *ret_rows)
{
    int r = db_first(
        site->db, SQL_DEVICE_CAPTURE_GET, DB_ARGS(db_text(id), db_text(device_id)), ret_rows);

    if (r < 0)
        return TRACE(r);
    return r == DB_ROW
               ? 0
               : refuse(site,
                        REFUSAL_CAPTURE_MISSING,
                        "This device has begun no capture \"%.100s\", or its order is over.",
                        id);
}

int device_capture_get(struct site *site, const char *device_id, const char *id, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct row row;
    int r = must_find(site, device_id, id, &rows);

    if (r != 0)
        return TRACE(r);
    row = row_of(&rows);
    db_rows_fini(&rows);
    rows = (struct db_rows){0};
    return TRACE(put_answer(site, &row, ret));
}

static int publish(struct site *site, const char *device_id, struct row *row, const json_t *body)
{
    OWN(json_freep) json_t *package = NULL;
    int r = content_create(site, CONTENT_OS_IMAGE, device_id, body, &package);

    if (r != 0)
        return TRACE(r);
    (void)snprintf(row->package_id, sizeof(row->package_id), "%s", field_text(package, "id", ""));
    (void)snprintf(row->operation_id,
                   sizeof(row->operation_id),
                   "%s",
                   field_text(package, "operation_id", ""));
    return TRACE(
        db_must(site->db,
                SQL_DEVICE_CAPTURE_PUBLISHED,
                DB_ARGS(db_text(row->id), db_text(row->package_id), db_text(row->operation_id))));
}

int device_capture_publish(struct site *site, const char *device_id, const char *id, json_t **ret)
{
    OWN(json_freep) json_t *body = NULL;
    struct row row;
    {
        OWN(db_rows_fini) struct db_rows rows = {0};
        int r = must_find(site, device_id, id, &rows);

        if (r != 0)
            return TRACE(r);
        row = row_of(&rows);
        body = json_pack("{s:s,s:s,s:s,s:s}",
                         "name",
                         db_get_text(&rows, 3),
                         "version",
                         db_get_text(&rows, 4),
                         "comment",
                         db_get_text(&rows, 5),
                         "upload_id",
                         row.id);
    }
    if (!body)
        return ERR(-ENOMEM);
    if (row.operation_id[0] == '\0') {
        int r = publish(site, device_id, &row, body);

        if (r != 0)
            return TRACE(r);
    }
    return TRACE(put_answer(site, &row, ret));
}

/* Nothing that could be read in two ways: 64 digits, or exactly the id. */
static bool is_allowed(const char *capture_id, const char *method, const char *path)
{
    static const char *const of_uploads[] = {"PUT", "PATCH", "HEAD", "DELETE"};
    uint8_t name[SHA256_BYTES];

    if (strcmp(method, "POST") == 0)
        return strcmp(path, CHUNKS_PATH) == 0;
    if (strcmp(method, "PUT") == 0 && strncmp(path, PACKS_PATH, strlen(PACKS_PATH)) == 0)
        return hex_parse(bytes_of(path + strlen(PACKS_PATH)), SHA256_BYTES, name);
    for (size_t i = 0; i < sizeof(of_uploads) / sizeof(of_uploads[0]); i++)
        if (strcmp(method, of_uploads[i]) == 0)
            return strncmp(path, UPLOADS_PATH, strlen(UPLOADS_PATH)) == 0 &&
                   strcmp(path + strlen(UPLOADS_PATH), capture_id) == 0;
    return false;
}

int device_capture_authorize(struct site *site,
                             const char *device_id,
                             const char *method,
                             const char *path)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DEVICE_CAPTURE_OPEN, DB_ARGS(db_text(device_id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW || !is_allowed(db_get_text(&rows, 0), method, path))
        return refuse(
            site,
            REFUSAL_CAPTURE,
            "A device may send only what belongs to the capture that its order has begun.");
    return 0;
}

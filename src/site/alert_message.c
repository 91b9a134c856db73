/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/alert_message.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "site/rows.h"

#define MINUTE_US    (UINT64_C(60) * 1000000)
#define PAUSE_MAX_US (60 * MINUTE_US)

enum {
    SUBJECT_MAX = 120, /* bytes of the alert's text in it */
};

int alert_message_add(struct site *site)
{
    const bool is_set[] = {site->settings.has_alert_webhook, site->settings.has_alert_mail};
    static const char *const names[] = {"webhook", "mail"};
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(is_set) / sizeof(is_set[0]); i++)
        if (is_set[i])
            r = db_must(
                site->db, SQL_ALERT_MESSAGE_ADD, DB_ARGS(db_u64(site->now_us), db_text(names[i])));
    return TRACE(r);
}

/* As much as there is room for, and never a part of a letter. */
static void copy_text(char *dst, size_t cap, const char *src)
{
    size_t n = strlen(src);

    if (n >= cap) {
        n = cap - 1;
        while (n > 0 && ((unsigned char)src[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(dst, src, n);
    dst[n] = '\0';
}

static void read_message(const struct db_rows *rows, struct alert_message *ret)
{
    ret->id = db_get_u64(rows, 0);
    ret->is_mail = strcmp(db_get_text(rows, 1), "mail") == 0;
    ret->is_over = strcmp(db_get_text(rows, 2), "over") == 0;
    ret->n_tries = db_get_u64(rows, 3) + 1;
    ret->number = db_get_u64(rows, 4);
    ret->raised_us = db_get_u64(rows, 5);
    ret->changed_us = db_get_u64(rows, 6);
    copy_text(ret->kind, sizeof(ret->kind), db_get_text(rows, 7));
    copy_text(ret->object, sizeof(ret->object), db_get_text(rows, 8));
    copy_text(ret->severity, sizeof(ret->severity), db_get_text(rows, 9));
    copy_text(ret->text, sizeof(ret->text), db_get_text(rows, 10));
}

static int find_next(struct site *site, struct alert_message *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_ALERT_MESSAGE_NEXT, DB_ARGS(db_u64(site->now_us)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return 1;
    read_message(&rows, ret);
    return 0;
}

int alert_message_take(struct site *site, struct alert_message *ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = find_next(site, ret);

    if (r != 0)
        return TRACE(r);
    /* another site server may have taken it in between */
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = find_next(site, ret);
    if (r == 0)
        r = db_must(site->db,
                    SQL_ALERT_MESSAGE_TAKEN,
                    DB_ARGS(db_u64(ret->id), db_u64(site->now_us + ALERT_MESSAGE_TAKEN_US)));
    return r != 0 ? TRACE(r) : TRACE(db_commit(&tx));
}

/* A minute, twice as long each time, and an hour at most. */
static uint64_t pause_after(uint64_t n_tries)
{
    uint64_t pause = n_tries > 6 ? PAUSE_MAX_US : MINUTE_US << (n_tries > 0 ? n_tries - 1 : 0);

    return pause < PAUSE_MAX_US ? pause : PAUSE_MAX_US;
}

int alert_message_end(struct site *site, const struct alert_message *message, const char *why)
{
    const char *failed = message->n_tries < ALERT_MESSAGE_TRIES ? "waiting" : "given-up";
    const char *state = why ? failed : "sent";

    return TRACE(db_must(site->db,
                         SQL_ALERT_MESSAGE_ENDED,
                         DB_ARGS(db_u64(message->id),
                                 db_text(state),
                                 db_u64(site->now_us + pause_after(message->n_tries)),
                                 db_text(why ? why : ""))));
}

int alert_message_put_json(const struct alert_message *message,
                           const char *site_name,
                           struct buf *dst)
{
    OWN(json_freep) json_t *body = NULL;
    OWN(freep) char *text = NULL;
    char raised[CLOCK_TEXT_MAX];
    char changed[CLOCK_TEXT_MAX];

    clock_put_rfc3339(raised, message->raised_us);
    clock_put_rfc3339(changed, message->changed_us);
    body = json_pack("{s:I,s:s,s:s,s:{s:I,s:s,s:s,s:s,s:s,s:s,s:s}}",
                     "message",
                     (json_int_t)message->id,
                     "event",
                     message->is_over ? "alert.over" : "alert.raised",
                     "site",
                     site_name,
                     "alert",
                     "number",
                     (json_int_t)message->number,
                     "kind",
                     message->kind,
                     "object",
                     message->object,
                     "severity",
                     message->severity,
                     "text",
                     message->text,
                     "raised_at",
                     raised,
                     "changed_at",
                     changed);
    text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (!text)
        return ERR(-ENOMEM);
    buf_adds(dst, text);
    return dst->failed ? ERR(-ENOBUFS) : 0;
}

/* Names of things come from outside: what would begin another line becomes a space. */
static void put_line(struct buf *dst, const char *text, size_t max)
{
    size_t n = strlen(text);

    if (n > max) {
        n = max;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            buf_adds(dst, " ");
        else
            buf_add(dst, (struct bytes){(const uint8_t *)&text[i], 1});
    }
}

void alert_message_put_subject(const struct alert_message *message,
                               const char *site_name,
                               struct buf *dst)
{
    buf_adds(dst, "[");
    put_line(dst, site_name, SUBJECT_MAX);
    buf_addf(dst, "] %s: ", message->is_over ? "over" : message->severity);
    put_line(dst, message->text, SUBJECT_MAX);
}

void alert_message_put_text(const struct alert_message *message,
                            const char *site_name,
                            struct buf *dst)
{
    char raised[CLOCK_TEXT_MAX];
    char changed[CLOCK_TEXT_MAX];

    clock_put_rfc3339(raised, message->raised_us);
    clock_put_rfc3339(changed, message->changed_us);
    put_line(dst, message->text, ALERT_MESSAGE_TEXT_MAX);
    buf_adds(dst, "\r\n\r\nSite: ");
    put_line(dst, site_name, SUBJECT_MAX);
    buf_addf(dst,
             "\r\nAlert: %" PRIu64 ", %s, %s\r\nAbout: %s\r\nRaised: %s\r\n",
             message->number,
             message->kind,
             message->severity,
             message->object,
             raised);
    if (message->is_over)
        buf_addf(dst, "Over: %s\r\n", changed);
    else
        buf_addf(dst, "\r\nSeen: slipway alert acknowledge %" PRIu64 "\r\n", message->number);
}

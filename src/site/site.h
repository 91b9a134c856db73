/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The domain: what the site knows and by which rules it changes. No HTTP here, no clock, no log
 *
 * Every rule takes the site, whose now_us its caller has set to the time to go by. Besides 0 and -errno there is
 * one outcome for all of them, SITE_E_REFUSED: what was asked is against a rule, nothing was changed, and
 * site->refusal says why, with a public error id.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "site/directory.h"
#include "site/oidc.h"
#include "site/principal.h"
#include "site/refusal.h"

struct collection_graph;
struct db;
struct zone;

enum {
    SITE_E_REFUSED = 1,
    SITE_ID_MAX = 16, /* "SLP00001" and the NUL */
    SITE_HOLDER_MAX = 40,
    SITE_KEY_BYTES = 32,
    AUDIT_CLASS_MAX = 32,
    SITE_PASSED_OVER_MAX = 128,
};

#define SITE_CODE "SLP"

/* All borrowed for the life of the site. */
struct site_settings {
    const char *name;
    const char *organization; /* what computers show; NULL: nothing */
    const char
        *addresses; /* under which clients reach us, the best one first, separated by spaces */
    unsigned http_port;
    unsigned https_port;
    const char *pin; /* 64 hex digits */
    bool is_unknown_computers_on;
    uint64_t order_life_us;
    uint64_t deployment_usual_size; /* over it a high-risk deployment must be confirmed; 0: none */
    uint64_t deployment_max_size;   /* over it it is refused; 0: none */
    uint64_t events_kept;           /* events that are no progress; 0: EVENT_KEPT_MAX */
    unsigned wake_port;             /* of magic packets; 0: 9 */
    unsigned client_poll_min;    /* minutes between two questions of a client; 0: CLIENT_POLL_MIN */
    unsigned wake_packets_per_s; /* of a distribution point; 0: 50 */
    bool is_wake_unicast_on;     /* also to the last address of an adapter */
    bool is_protection_warning;  /* what is protected may be wiped when that was confirmed */
    struct directory_settings directory;
    struct oidc_settings oidc;
    bool has_alert_webhook; /* alerts go out by it */
    bool has_alert_mail;    /* the same */
};

/* What a request is about to change; audit_before(). */
struct audit_note {
    const char *class; /* NULL: nothing is known */
    char id[PRINCIPAL_OBJECT_MAX];
    char *was;    /* owned */
    char *places; /* owned; who saw it, if it is to be deleted; src/site/event.h */
    char of_content[AUDIT_CLASS_MAX]; /* of content that is to be deleted: its class */
};

/* That an administrator's token is in use. */
struct site_token_use {
    char token_id[PRINCIPAL_TOKEN_ID_MAX]; /* "": nothing was used */
    char administrator_id[PRINCIPAL_ID_MAX];
};

struct site {
    struct db *db;     /* owned */
    struct zone *zone; /* of its own place; owned; NULL: UTC */
    struct site_settings settings;
    uint64_t now_us;               /* microseconds since 1970 UTC */
    uint64_t alerts_us;            /* when it was last looked for alerts */
    char wake_turn[SITE_ID_MAX];   /* deployment whose devices were looked at last; "": none */
    char gather_turn[SITE_ID_MAX]; /* deployment whose devices were gathered last */
    char passed_over[SITE_PASSED_OVER_MAX]; /* by the last site_tick(); "": nothing */
    json_t
        *n_answers; /* owned; to requests with a name, kept by this process: {administrator: n} */
    uint64_t answer_bytes;   /* of them, since all that is kept was last counted */
    bool is_answers_trimmed; /* it was once */
    uint64_t events_us;      /* when old events were last dropped */
    struct refusal refusal;
    struct principal principal; /* of the request in hand */
    struct audit_note audit;    /* the same */
    struct site_token_use
        use; /* what a reader would have noted; whoever has the reader sees to it */
    char holder
        [SITE_HOLDER_MAX]; /* this process among those on the same database; src/site/lease.h */
    uint8_t cursor_key[SITE_KEY_BYTES]; /* if there is one; src/site/cursor.h */
    bool has_cursor_key;
    uint8_t challenge_key[SITE_KEY_BYTES]; /* if there is one; src/site/challenge.h */
    bool has_challenge_key;
    uint64_t directory_rests_until_us; /* it has not answered; of clock_monotonic_us() */
    json_t *
        directory_unsure; /* owned; src/site/directory_login.c: {administrator: until when}; or NULL */
    char directory_group_why[DIRECTORY_WHY_MAX]; /* what the log has of a group; "": nothing */
    struct collection_graph *collections;        /* owned; src/site/collection_graph.h */
};

/* Outcomes of site_open() beside 0 */
enum {
    SITE_E_NEWER = 2,   /* the database is from a newer program */
    SITE_E_CHANGED = 3, /* its schema is not what this program made */
    SITE_E_IN_USE = 4,  /* another process has it */
};

/**
 * site_open() - open or make the database at @path
 * @settings: copied; the texts are borrowed
 */
int site_open(const char *path, const struct site_settings *settings, struct site **ret);
void site_free(struct site *site);

/**
 * site_open_reader() - the same site for another thread, which can only look
 *
 * Rules that would change something are -EROFS. To be freed before the one that site_open() gave.
 */
int site_open_reader(const char *path, const struct site_settings *settings, struct site **ret);

/**
 * site_tick() - what time does: tokens and tickets end, silent devices fail, stale jobs are handed out again, the
 * write-ahead log is moved into the database; at least once a second
 *
 * One object that something is the matter with, as one whose row cannot be read, keeps no other from its turn: site->passed_over
 * names the first of them, for the log.
 *
 * Of several site servers on one database one does it, the holder of a lease (src/site/lease.h); the others each only
 * what is about themselves.
 */
int site_tick(struct site *site);

/* For what site_tick() does: that @what of the object @id could not be done, and the others go on. */
void site_passed_over(struct site *site, const char *what, const char *id);

/* Kinds of ids, each with a range of its own. */
enum site_id {
    SITE_ID_OBJECT,     /* packages and task sequences: SLP00001 */
    SITE_ID_COLLECTION, /* SLP10001 */
    SITE_ID_DEPLOYMENT, /* SLP20001 */
    SITE_ID_PHASED,     /* SLP30001 */
};
int site_take_id(struct site *site, enum site_id kind, char ret[static SITE_ID_MAX]);

/* Append to the audit log. @who: an administrator's token, a device or a role; never a secret. */
int site_audit(
    struct site *site, const char *who, const char *action, const char *object, const char *detail);

/* A role of the site has called; kept to ten seconds, so that a call is not a write. */
int site_role_seen(struct site *site, const char *role);

/* Version of the schema, counts, roles and open operations, for GET /status. @ret: owned by the caller. */
int site_status(struct site *site, json_t **ret);

static inline void json_freep(json_t **p)
{
    json_decref(*p);
}

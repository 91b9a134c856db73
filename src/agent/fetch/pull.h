/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What every transfer of a fetch shares: the sources, when to try again, when to give up, whom to tell
 */

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/fetch/fetch.h"
#include "base/bytes.h"

struct pull {
    const struct fetch_options *options;
    struct fetch_report *report;
    struct fetch_progress progress;
    uint64_t begun_us;
    uint64_t moved_us;    /* when something last arrived or was delivered */
    uint64_t pause_us;    /* the last pause; 0 after something arrived */
    uint64_t retry_at_us; /* no transfer begins before */
    uint64_t told_us;
    uint64_t told_bytes;
    bool is_cancelled;
};

/* What became of one transfer */
enum pull_verdict {
    PULL_DONE,    /* status 200, all bytes */
    PULL_BROKEN,  /* worth another try: no connection, cut off, stalled, the server is in trouble */
    PULL_REFUSED, /* the source answered that it does not have it, or with too much */
};

void pull_init(struct pull *pull, const struct fetch_options *options, struct fetch_report *report);
void pull_fini(struct pull *pull); /* completes the report */

/* Something arrived or was delivered: patience starts anew. */
void pull_moved(struct pull *pull);

/* A transfer broke: the next may begin at retry_at_us. */
void pull_broke(struct pull *pull);

/* Whether nothing has moved for too long. */
bool pull_is_over(const struct pull *pull);

/* Tell people, if it is time. Return: false when they have cancelled. */
bool pull_tell(struct pull *pull);

/* A handle with everything set but the URL and where the bytes go; owned by the caller. NULL: -ENOMEM */
CURL *pull_new_transfer(const struct pull *pull);

/**
 * pull_aim() - set what to ask for
 * @n_tries: transfers of the same thing before: each goes to the next source
 * @path: "/content/..."
 *
 * Return: the source; borrowed. NULL if the URL is too long.
 */
const char *pull_aim(const struct pull *pull, CURL *curl, unsigned n_tries, const char *path);

enum pull_verdict pull_judge(CURL *curl, CURLcode code);

/* Say why it failed; kept in the report. */
__attribute__((format(printf, 2, 3))) void pull_why(struct pull *pull, const char *format, ...);

struct pull_taker {                             /* where the bytes of a whole transfer go */
    int (*begin)(void *ctx);                    /* from the start; 0 or -errno */
    int (*take)(void *ctx, struct bytes piece); /* 0; 1: more than there may be; or -errno */
    int (*end)(void *ctx);                      /* 0: right; 1: not what was asked for; or -errno */
    void *ctx;
};

/**
 * pull_get() - one transfer at a time, again and again until it is right or hopeless
 * @path: of the URL
 * @what: for people, "manifest 0123…"
 *
 * Return: as fetch_file().
 */
int pull_get(struct pull *pull, const char *path, const char *what, const struct pull_taker *taker);

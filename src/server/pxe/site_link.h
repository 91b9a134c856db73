/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The role's questions to the site, on run/roles.sock, asked in the thread pool so that the loop never waits
 *
 * Bounded: at most SITE_ASKS_MAX questions are in flight, SITE_LINK_THREADS of them at the site, where they share commits. Each waits
 * for SITE_ASK_TIMEOUT_US at most, otherwise it is not asked, and ends within as much again; events wait in a queue of
 * SITE_EVENTS_MAX and the oldest are dropped. One thread (the loop's) calls all of this.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/text.h"
#include "rt/http_client.h"
#include "server/pxe/boot_clients.h"

enum {
    SITE_ASKS_MAX = 1024,
    SITE_LINK_THREADS = 32,
    SITE_EVENTS_MAX = 256,
    SITE_ASK_TIMEOUT_US = 3 * 1000 * 1000,
    SITE_ASK_EXTRA_BYTES = 1024, /* of the asker's own, carried along */
    SITE_TEXT_MAX = 256,
    SITE_INTERFACE_MAX = 16,
};

enum site_ask_stage {
    SITE_ASK_DISCOVER,
    SITE_ASK_REQUEST,
    SITE_ASK_CONFIG,
};

/* POST /api/v1/internal/boot-decisions: docs/protocol/boot.md. Addresses are numbers in host byte order. */
struct site_ask {
    uint8_t mac[MAC_BYTES];
    uint8_t uuid[UUID_BYTES];
    bool has_uuid;
    bool is_http;
    bool is_ipxe;
    uint16_t arch;
    enum site_ask_stage stage;
    uint32_t server_address;
    uint32_t relay; /* 0: none */
    char interface[SITE_INTERFACE_MAX];
    uint64_t key; /* questions with the same MAC, stage and key are one, while it is in flight */
};

struct site_decision {
    bool
        is_away; /* the site was not asked in time, did not answer, or not sensibly: nothing below holds */
    bool is_offer; /* otherwise silence */
    enum secure_boot secure_boot;
    char reason[SITE_TEXT_MAX]; /* printable, for the log; the others too */
    char text[SITE_TEXT_MAX];
    char file[SITE_TEXT_MAX]; /* "" if there is none */
    char url[SITE_TEXT_MAX];
    const char *config; /* borrowed for the call; NULL if there is none */
};

struct site_link;

/**
 * site_answer - called once for each accepted question
 * @extra: the asker's bytes, at an address good for any type
 */
typedef void site_answer(void *ctx,
                         const struct site_ask *ask,
                         const void *extra,
                         const struct site_decision *decision);

struct site_link_options {
    uv_loop_t *loop;           /* borrowed */
    const char *socket_path;   /* copied */
    struct http_tokens tokens; /* .put NULL: none are shown */
    uint64_t timeout_us;       /* 0: SITE_ASK_TIMEOUT_US */
    site_answer *answer;
    void *ctx;
};

/* Before the loop's thread pool is used at all: as many threads as questions may be at the site. Return: 0 or -errno. */
int site_link_size_pool(void);

int site_link_new(const struct site_link_options *options, struct site_link **ret);

/* Drop what waits; what is in flight ends by itself and is not answered. Memory goes when the loop has run out. */
void site_link_stop(struct site_link *link);

/* Outcomes of site_link_ask() beside 0 */
enum {
    SITE_LINK_E_BUSY = 1, /* SITE_ASKS_MAX are in flight: the client asks again by itself */
    SITE_LINK_E_SAME = 2, /* that very question is in flight; its answer will do */
};

/**
 * site_link_ask() - ask
 * @extra: copied; at most SITE_ASK_EXTRA_BYTES
 */
int site_link_ask(struct site_link *link,
                  const struct site_ask *ask,
                  const void *extra,
                  size_t extra_len);

/**
 * site_link_report() - tell the site what a client did; best effort
 * @event: a fixed word
 */
void site_link_report(struct site_link *link,
                      const uint8_t mac[static MAC_BYTES],
                      const char *event,
                      const char *detail);

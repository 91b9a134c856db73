/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Who captures into a file of a network folder: one computer at a time
 *
 * The claim is a file beside it, made exclusively, which every server does in the same way; locks are not, and a server
 * forgets them. It says which computer it is, and is renewed: one that gives no sign of life for a while has lost it
 * (docs/protocol/capture.md, One computer at a time).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    CAPTURE_CLAIM_RENEW_S = 60,
    CAPTURE_CLAIM_STALE_S = 15 * 60,
    CAPTURE_CLAIM_ID_MAX = 33,
    CAPTURE_CLAIM_TEXT_MAX = 128, /* of each text, with its NUL */
};

/* What the file says. */
struct capture_holder {
    char device_id[CAPTURE_CLAIM_TEXT_MAX];
    char device_name[CAPTURE_CLAIM_TEXT_MAX];
    char claim[CAPTURE_CLAIM_ID_MAX]; /* another one each time that it is taken; hexadecimal */
};

/* Return: whether it is one. */
bool capture_holder_parse(struct bytes text, struct capture_holder *ret);

struct capture_claim_options {
    const char *path; /* "…/NAME.lock"; borrowed for as long as the claim is */
    const char *device_id;
    const char *device_name;
    bool is_forced;    /* taken from another computer, whatever it does */
    uint64_t renew_us; /* how often */
    uint64_t stale_s;  /* by the server's clock */
};

/* Outcomes beside 0; @why is a sentence */
enum {
    CAPTURE_CLAIM_E_HELD = 1,   /* another computer has it, and lives */
    CAPTURE_CLAIM_E_TARGET = 2, /* as the system says it */
};

struct capture_claim;

/**
 * capture_claim_take() - be the one who writes
 *
 * Our own, of a run before, is taken over at once; that of another computer when it is stale. From then on a thread renews it.
 *
 * Return: 0, an outcome, or -errno.
 */
int capture_claim_take(const struct capture_claim_options *options,
                       struct capture_claim **ret,
                       struct buf *why);

/* Whether another computer has taken it meanwhile, as far as is known; from any thread. NULL: not. */
bool capture_claim_is_lost(const struct capture_claim *claim);

/* Look, now. Return: whether it is ours. */
bool capture_claim_renew(struct capture_claim *claim);

/**
 * capture_claim_end() - it is renewed no more
 * @is_released: and anybody may write; else this computer, and others when it is stale
 */
void capture_claim_end(struct capture_claim *claim, bool is_released);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The state on the target disk: docs/protocol/state.md
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/run/link.h"
#include "agent/steps/connections.h"
#include "agent/steps/step.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "ts/debugger.h"

struct order;
struct ts_vars;

enum {
    STATE_MAX_BYTES = 32 * 1024 * 1024,
    STATE_ERROR_ID_MAX = 16,
    STATE_SEQ_GAP = 100000, /* after a start, numbers that may have been used are left out */
};

enum state_result {
    STATE_UNDECIDED,
    STATE_SUCCEEDED,
    STATE_FAILED,
};

struct state {
    struct order *order;      /* owned */
    struct link_options site; /* URLs and pin */
    bool has_key;
    uint8_t key[SIGNATURE_KEY_BYTES]; /* the secret half of the device's */
    uint64_t seq;                     /* the next status has at least this number */
    enum step_environment phase;      /* where next_step is to run */
    size_t next_step;
    bool is_running;           /* next_step had been begun */
    bool is_continued;         /* next_step restarted on purpose, and goes on */
    bool has_applied_os;       /* an operating system image has been applied */
    unsigned n_starts;         /* how often next_step has been begun */
    unsigned n_cuts;           /* how often the machine went down in it; not by a restart of ours */
    unsigned n_missed_boots;   /* starts of the boot image while phase was the full OS */
    struct ts_vars *vars;      /* owned */
    struct step_target target; /* only what identifies it */
    enum state_result result;
    char error_id[STATE_ERROR_ID_MAX]; /* of a failure */
    char message[STEP_MESSAGE_MAX];
    int exit_code; /* of the step that failed, or what is documented for the failure */
    uint64_t started_us;
    struct step_traffic traffic;
    struct connections connections; /* by Connect To Network Folder */
    struct ts_debugger debugger;
    bool is_paused;          /* the site has it wait */
    uint64_t pause_until_us; /* 0: without end */
};

/* Outcome of state_parse() beside 0 */
enum {
    STATE_E_MALFORMED = 1,
};

/* Without order and variables; they are given to it. */
int state_new(struct state **ret);
void state_free(struct state *state);

/* Where the site is and our key there, for the boot image that the disk starts and for the installed system. */
void state_set_site(struct state *state, const struct link *link);

/**
 * state_parse() - read state.json
 * @why: on STATE_E_MALFORMED, what is wrong
 */
int state_parse(struct bytes text, struct state **ret, struct buf *why);

/* The text of state.json, appended. */
int state_put(const struct state *state, struct buf *ret);

/* Part of it: "site", with the key. state_read_site() sets only those. */
bool state_read_site(const json_t *site, struct state *state);
json_t *state_site_json(const struct state *state);

/* Part of it, for the mirror: "phase", "next" and what goes with them. */
bool state_read_next(const json_t *json, struct state *state);
json_t *state_next_json(const struct state *state);

/**
 * state_write() - durably, and whole or not at all
 * @root: of the volume: "/run/slipway/target", or "" in the installed operating system
 */
int state_write(const struct state *state, const char *root);

/* A step of this type has succeeded: is there now an operating system that the sequence ends in? What was captured has
   served its purpose, and nobody waits for it to start. */
void state_note_success(struct state *state, const char *type);

/* What to do with a state that was found, by the table of docs/protocol/state.md. */
enum state_resume {
    STATE_GO_ON,         /* with next_step; is_begun if it is running or continued */
    STATE_REPORT,        /* the result is there: report it, and be done */
    STATE_FAIL_STEP,     /* next_step was interrupted and cannot be repeated: SLW-0412 */
    STATE_FAIL_NO_BOOT,  /* the disk did not boot: SLW-0413 */
    STATE_RESTART_TO_OS, /* the disk did not boot: once more */
};

/**
 * state_resume() - decide
 * @here: the environment that was started
 * @is_repeatable: of next_step's type
 * @retry_count: of next_step: so often it may be begun again although it is not repeatable
 */
enum state_resume state_resume(const struct state *state,
                               enum step_environment here,
                               bool is_repeatable,
                               unsigned retry_count);

/* How often the machine may go down in a step of a type that is repeatable. @retry_count: of the step */
unsigned state_cuts_max(const char *type, unsigned retry_count);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the files of the runner share; nobody else includes it
 */

#include "agent/run/debug.h"
#include "agent/run/machine.h"
#include "agent/run/run.h"
#include "agent/run/state.h"
#include "ts/facts.h"
#include "ts/sequence.h"

struct journal;
struct report;
struct report_status;
struct wizard;

enum {
    PROBLEM_MAX = 1024,
};

enum {
    RUNNER_OUTPUT_MAX_BYTES = 256 * 1024,
    RUNNER_VERSION_MAX_BYTES = 512,
};

struct runner {
    const struct run_options *options;
    const struct run_platform *platform;
    struct screen *screen; /* borrowed */
    struct machine machine;
    struct journal *journal; /* owned, as all below */
    struct link *link;
    struct tpm *tpm; /* while it registers; NULL: none */
    struct state *state;
    struct report *report;
    struct ts_document *document;
    struct ts_child *children; /* that it runs */
    struct ts_document **child_documents;
    size_t n_children;
    struct ts_sequence *sequence;
    struct debug debug;
    struct ts_facts facts;      /* what conditions may ask */
    struct ts_table *table;     /* of facts; owned; NULL: to be gathered when somebody asks */
    struct buf package_version; /* of the last answer about a package */
    size_t n_steps;             /* instructions of the sequence */
    size_t current;             /* index of the one that is running, for progress */
    char group[1024];           /* of a step that is told of */
    char component[64];         /* of the log, for lines of a step */
    struct buf output;          /* the end of what the step's last program wrote */
    bool goes_off;              /* the restart at hand is one that somebody else does */
    bool is_holding;            /* the site knows that we wait */
    uint64_t asked_us;          /* monotonic: when it was last asked what it wants */
    uint64_t ask_again_us;      /* for an order, while there is none; 0: as the platform does */
    uint64_t n_asks_max;        /* so often again; 0: without end */
    char windows[TARGET_DEVICE_MAX]; /* where one is installed; "" if none is */
    char waits_for[256];             /* an unknown computer, before it has an order; "" */
    uint64_t
        choose_until_us; /* monotonic: when the first of the list begins by itself; 0: it is not shown */
    bool has_chosen;       /* from the list, or time did: nobody is asked again */
    size_t n_skipped;      /* of the list, before those that are shown */
    struct wizard *wizard; /* while variables are asked for; owned */
};

/* Outcomes of the functions below beside 0 */
enum {
    RUNNER_E_FAILED = 1,  /* a problem was shown; the machine waits, then restarts */
    RUNNER_E_RESTART = 2, /* restart now */
    RUNNER_E_OVER = 3,    /* the site ended the order; shown; touch nothing more */
    RUNNER_E_NOT_OURS = 4,
    RUNNER_E_OFF = 5, /* a problem was shown; the machine is switched off */
};

/* connect.c: with the network up and the site's clock, registered, and with an order in the state. */
int runner_connect(struct runner *rn, struct order **ret_order);
int runner_wait_for_site(struct runner *rn);

/**
 * runner_wait_unknown() - waiting.c: one turn of an unknown computer that must not begin yet
 * @waiting: what the site said (docs/protocol/client-api.md, 202)
 *
 * Return: 0: ask the site again; RUNNER_E_FAILED: it is denied, or nobody decided in time; or -errno.
 */
int runner_wait_unknown(struct runner *rn, const json_t *waiting);

/**
 * runner_ask_password(), runner_ask_choice() - asking.c: one turn of what the site wants to be asked on the screen
 * @waiting: what the site said (docs/protocol/client-api.md, 202)
 *
 * Return: 0: ask the site again; RUNNER_E_OFF: too many wrong passwords; RUNNER_E_RESTART: none was to be chosen; or -errno.
 */
int runner_ask_password(struct runner *rn, const json_t *waiting);
int runner_ask_choice(struct runner *rn, const json_t *waiting);

/* asking_variables.c: one turn of the page for variables without a value. Return: 0: ask the site again; or -errno. */
int runner_ask_variables(struct runner *rn, const json_t *waiting);

/**
 * runner_run_prestart() - prestart.c: the boot image's prestart command, with the consoles to itself
 * @waiting: what the site said (docs/protocol/client-api.md, 202)
 *
 * Return: 0: ask the site again; RUNNER_E_FAILED: it has failed, or the site does not take what it has set; or -errno.
 */
int runner_run_prestart(struct runner *rn, const json_t *waiting);

/* connect.c: one call that is repeated while the site is away or busy. @ret: owned by the caller. Return: 0, RUNNER_E_FAILED or -errno. */
int runner_put_patiently(
    struct runner *rn, const char *path, json_t *body, unsigned *ret_status, json_t **ret);

/* failed_page.c: what has failed stays on the screen, with whom to ask, for 900 s, SMSTSErrorDialogTimeout or until Enter is pressed. */
void runner_wait_failed(struct runner *rn);

/* failed_page.c: the same before there is an order, or anything was written. Return: whether somebody wants to go back to the list. */
bool runner_wait_previous(struct runner *rn, uint64_t us);

/* previous.c: what has failed is shown no more, and nothing begins by itself. */
void runner_go_back(struct runner *rn);

/**
 * runner_check_content() - previous.c: whether an available order can begin: all that it wants can be had
 * @ret_is_refused: it cannot; the site and the screen have heard of it, and somebody went back to the list: ask for an order again
 *
 * Return: 0; RUNNER_E_RESTART: nobody went back; or -errno.
 */
int runner_check_content(struct runner *rn, const struct order *order, bool *ret_is_refused);

/* asking.c: the screen says that the computer is switched off, so long. */
void runner_wait_off(struct runner *rn);

/* waiting.c: how long one question to the site, or to who sits there, waits for its answer */
uint64_t runner_turn_us(const struct runner *rn);

/* waiting.c: what it waits for, in the log once and not at every turn */
void runner_note_waiting(struct runner *rn, const char *text);

/* waiting.c: its code, its list and its question are shown no more. */
void runner_end_waiting(struct runner *rn);

/* facts.c: the built-in variables of this start, after runner_prepare(); the order's own stay as they are. */
int runner_set_facts(struct runner *rn);

/* Look for an installed Windows, if this is the boot image. */
void runner_find_windows(struct runner *rn);

/* answers.c: what conditions may ask of this computer. */
struct ts_facts runner_answers(struct runner *rn);
void runner_forget_answers(struct runner *rn);

/* clean_up.c: in the full OS, when all is told: nothing is left but the log, at its final place. */
int runner_clean_up(struct runner *rn);

/* full_os.c: the state on the disk, or a new one for the client's order. Return: 0, RUNNER_E_NOT_OURS: neither; RUNNER_E_FAILED or -errno. */
int runner_load_state(struct runner *rn);

/* run.c: no disk has a state of the order, which is in it; but the site may have been told one. */
int runner_begin_fresh(struct runner *rn);

/* keep_client.c: in the full OS, before the state goes: who we are stays, so that the site has a client there. */
int runner_keep_client(struct runner *rn);

/* keep_content.c: packages that are to stay (SMSTSPreserveContent) go to the client's cache; best effort. */
void runner_keep_content(struct runner *rn);

/* log_settings.c: SMSTS.ini and variables say how much of the log is written and kept; they may have changed. Best effort. */
void runner_set_log(struct runner *rn);

/* second_restart.c: after a restart into the installed system, the time in which something else may restart it again
   (SMSTSWaitForSecondReboot). Return: 0 or RUNNER_E_OVER. */
int runner_wait_for_second_restart(struct runner *rn);

/* prepare.c: the order's task sequences, for a fresh state or the one that was found. */
int runner_prepare(struct runner *rn);
int runner_set_globals(struct runner *rn); /* for a new run */
void runner_forget_documents(struct runner *rn);
/* Whether it is enabled, and formats a disk; @step may be NULL. */
bool runner_is_format(const struct ts_step *step);
/* Whether an enabled step formats a disk, whatever the conditions say when it is its turn. */
bool runner_has_format(const struct runner *rn);

/* post_action.c: the command of SMSTSPostAction is started, when all else is done, and not waited for. */
void runner_post_action(struct runner *rn);

/* run_steps.c */
int runner_run_steps(struct runner *rn);
void runner_place_journal(struct runner *rn);

/* folders.c: after a restart, what Connect To Network Folder had connected is connected again; a folder that cannot be is told
   of in the log, and whatever needs it fails. Return: 0 or -errno. */
int runner_connect_folders(struct runner *rn);

/* get_ahead.c: what all enabled steps use is downloaded, if the order says so. */
int runner_get_ahead(struct runner *rn);

/* @index: of the instruction that it is about. */
void runner_fill_status(struct runner *rn,
                        const char *state,
                        size_t index,
                        struct report_status *ret);

/* hold.c: what the site wants. While that is to wait, it is asked again, at most every two seconds; that a pause begins and
   ends is told to the site and on the screen */
enum step_wish runner_wish(struct runner *rn);

/* hold.c: a status about the instruction that is at hand, in the log and on the screen too */
void runner_tell(struct runner *rn, const char *state, const char *message);

/* hold.c: the site has the state too, if it answers: docs/protocol/state.md, The mirror */
void runner_mirror(struct runner *rn);

/* hold.c: wait as long as the site wants that, and the order is not over */
void runner_hold(struct runner *rn);

/* hold.c: after a start, what the state says, and then what the site says if it answers */
void runner_remember_wish(struct runner *rn);

/* hold.c: the last words of an order that was cancelled, to the site and on the screen. Return: 0 or -errno. */
int runner_end_cancelled(struct runner *rn);

/* run_type.c: what a step, or what is done beside it, tells of how far it is. Return: whether it is to go on. */
bool runner_progress(void *ctx, unsigned percent, uint64_t rate_bytes_per_s, const char *what);

/* run_type.c: a step that begins, on the screen, as TSProgressInfoLevel and TSDisableProgressUI want it. */
void runner_show_step(struct runner *rn, const struct ts_step *step);

/* run_type.c: after Format and Partition Disk there is a new volume; it is mounted, and the log is kept there. Return: 0 or -errno. */
int runner_follow_target(struct runner *rn);

/* run_type.c: a step, as its type runs it. */
void runner_run_type(struct runner *rn, const struct ts_step *step, struct step_result *ret);

/* What a step sees of the runner. */
void runner_fill_context(struct runner *rn, const struct ts_step *step, struct step_context *ret);

/* A failure that ends the sequence before a step is run; the site hears of it with the end. */
void runner_remember_failure(struct runner *rn, const char *error_id, const char *message);
/* The same of a step that has failed. */
void runner_remember_result(struct runner *rn, const struct step_result *result);
int runner_save(struct runner *rn);

/* The disk may start its own system again. Not before: after a power cut the steps go on here. */
int runner_leave_boot_image(struct runner *rn);

/* The boot image started although the disk should have: the disk gets its turn. The site has to know, or a firmware that
   asks the network first gets the boot image again and again. */
int runner_restart_into_disk(struct runner *rn);

const char *runner_root(const struct runner *rn); /* NULL: no volume is mounted */

/* Show what is wrong and what to do, and log it. Return: RUNNER_E_FAILED. */
__attribute__((format(printf, 4, 5))) int runner_problem(
    struct runner *rn, const char *error_id, const char *remedy, const char *format, ...);

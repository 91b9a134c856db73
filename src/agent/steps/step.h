/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A task sequence step, as the agent's runner and the step types see each other
 *
 * One file per step type; steps.c holds all of them in one table. A step reads its settings with
 * step_value(), does its work on the target, and says how it went in a step_result. It does not write
 * the state, report to the site or print: the runner does.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "rt/http_client.h"

struct ts_facts;     /* ts/ */
struct ts_step;      /* ts/ */
struct ts_vars;      /* ts/ */
struct order;        /* agent/run/order.h: what the site ordered, with content and sources */
struct machine;      /* agent/run/machine.h: who this computer is */
struct link_options; /* agent/run/link.h: where the site is */
struct connections;  /* agent/steps/connections.h */

enum step_environment {
    STEP_IN_BOOT_IMAGE = 1, /* runIn WinPE */
    STEP_IN_FULL_OS = 2,    /* runIn FullOS */
};

enum {
    DEVICE_PATH_MAX = 64,
    STEP_MESSAGE_MAX = 512,      /* as people see it, without secrets */
    STEP_MESSAGE_RAW_MAX = 8192, /* as a step makes it */
    STEP_PERCENT_UNKNOWN = 255,  /* of progress: it goes on, and nobody knows how far it is */
};

/* The volume that is being made. All empty until Format and Partition Disk has run, or until a volume with an old
   system was chosen to be refreshed (agent/steps/refresh.h). */
struct step_target {
    char disk[DEVICE_PATH_MAX]; /* "/dev/vda" */
    char disk_serial[128];      /* "" if the disk has none */
    uint64_t disk_size_bytes;
    char root_device[DEVICE_PATH_MAX]; /* "/dev/vda2" */
    char root_uuid[64];                /* of the file system */
    char esp_device[DEVICE_PATH_MAX];  /* "" on a BIOS machine */
    char esp_uuid[64];
    bool is_gpt;
    bool is_old;     /* it was not formatted by this run, and holds what was there before */
    bool is_mounted; /* root_device at TARGET_ROOT, the ESP at TARGET_ESP */
};

/* Content of the whole order so far, as it is stored at a distribution point. For the site. */
struct step_traffic {
    uint64_t downloaded_bytes; /* over the network */
    uint64_t reused_bytes;     /* found on the old disk, and so not downloaded */
};

#define TARGET_ROOT "/run/slipway/target"
#define TARGET_ESP  "/run/slipway/esp"

enum step_wish {
    STEP_GO_ON,
    STEP_WAIT,
    STEP_END,
};

enum step_then {
    STEP_THEN_GO_ON,
    STEP_THEN_RESTART_TO_OS, /* restart into the installed OS; the sequence goes on there */
    STEP_THEN_RESTART_TO_BOOT_IMAGE,
};

struct step_result {
    int exit_code;        /* of the command or action; 0 is success */
    const char *error_id; /* "SLW-0451"; NULL: it went well; a literal */
    char message
        [STEP_MESSAGE_RAW_MAX]; /* on failure: what was tried, on what, what happened, what to
                                           do. May quote secrets until step_result_mask() */
    bool is_message_cut;        /* there was more of it */
    enum step_then then;
    bool
        is_off; /* with a restart, in the full OS: it is switched off, and goes on when somebody switches it on */
    bool is_same_step_again; /* with a restart: this step goes on in the other environment */
};

struct step_context {
    const struct ts_step *step;
    struct ts_vars *vars;
    const struct ts_facts *facts; /* what conditions may ask; NULL: nothing */
    const struct order *order;
    const struct machine *machine;
    const struct link_options
        *site;                 /* for the few steps that speak to it themselves; may be NULL */
    struct http_tokens tokens; /* ours there; never shown. Any thread may ask */
    struct step_target *target;
    struct connections
        *connections; /* what Connect To Network Folder connects is added; NULL: nobody keeps it */
    struct step_traffic *traffic; /* what a step fetches is added; NULL: nobody counts */
    struct buf
        *output; /* gets the end of what the step's last program wrote; NULL: nobody keeps it */
    enum step_environment environment;
    const char *step_name;

    /* Tell people how far it is. @percent 0 to 100 or STEP_PERCENT_UNKNOWN, @rate in bytes per second, 0 unknown; @what may be NULL. Cheap: the
       runner forwards at most one a second. Returns false when the site has cancelled the order: the
       step then stops as soon as it safely can. While the site has the computer wait, it does not return. */
    bool (*progress)(void *ctx, unsigned percent, uint64_t rate_bytes_per_s, const char *what);
    /* For a step that can stand still by itself: what the site wants. It is asked again while that is to wait; to be called
       about once a second. */
    enum step_wish (*wish)(void *ctx);
    /* A line for smsts.log. Never a secret. */
    __attribute__((format(printf, 2, 3))) void (*log)(void *ctx, const char *format, ...);
    /* The target is another volume now: the state is on it, durably, when this returns 0. NULL: nobody keeps one. */
    int (*save)(void *ctx);
    void *ctx; /* for all three */

    bool is_disk_kept; /* no enabled step of the sequence formats a disk */

    struct step_strings
        *strings; /* what step_value() returned; begins as NULL, step_context_fini() */
};

struct step_type {
    const char *type;      /* "SMS_TaskSequence_RunCommandLineAction" */
    unsigned environments; /* of enum step_environment */
    bool is_repeatable;    /* may be run again from its beginning after a power cut in its middle */

    /**
     * run - do it
     *
     * Return: 0 with @ret set (also when the step failed), or -errno for what nobody planned for.
     */
    int (*run)(struct step_context *c, struct step_result *ret);
};

/**
 * step_value() - a setting of the step: the step's own variable of that name, with %VAR% expanded,
 * overridden by a task sequence variable of the same name if there is one
 * @name: of the variable ("OSDImageIndex") or of the property ("ImageIndex"). A variable that the step
 *        has as a hidden argument ("CommandLine") is not overridden
 *
 * Return: "" if there is none; borrowed until the step ends.
 */
const char *step_value(struct step_context *c, const char *name);

/* Release what step_value() returned; by whoever made @c, when the step has ended. */
void step_context_fini(struct step_context *c);

/* Fill @ret as a failure, with the exit code that is documented for it (agent/steps/return_code.h). @format as in printf.
   Return: 0, so that a step can `return step_fail(...)`. */
__attribute__((format(printf, 3, 4))) int
step_fail(struct step_result *ret, const char *error_id, const char *format, ...);

/* The same with an exit code that says more. */
__attribute__((format(printf, 4, 5))) int
step_fail_with(struct step_result *ret, int code, const char *error_id, const char *format, ...);

/**
 * step_result_mask() - make a failure's message what everybody may see
 * @vars: whose secret values are replaced
 *
 * First masked, then cut to STEP_MESSAGE_MAX, so that no cut leaves a part of a secret. By the runner, before it shows, tells or keeps
 * the message.
 */
void step_result_mask(struct step_result *result, const struct ts_vars *vars);

/* The table; NULL: no such step type. */
const struct step_type *step_type_find(const char *type);

/* One run function per file of this folder. */
int step_format_disk_run(struct step_context *c, struct step_result *ret);
int step_apply_os_run(struct step_context *c, struct step_result *ret);
int step_apply_data_run(struct step_context *c, struct step_result *ret);
int step_apply_network_run(struct step_context *c, struct step_result *ret);
int step_apply_settings_run(struct step_context *c, struct step_result *ret);
int step_setup_run(struct step_context *c, struct step_result *ret);
int step_run_command_run(struct step_context *c, struct step_result *ret);
int step_set_variable_run(struct step_context *c, struct step_result *ret);
int step_set_dynamic_variables_run(struct step_context *c, struct step_result *ret);
int step_restart_run(struct step_context *c, struct step_result *ret);
int step_check_readiness_run(struct step_context *c, struct step_result *ret);
int step_download_content_run(struct step_context *c, struct step_result *ret);
int step_run_power_shell_run(struct step_context *c, struct step_result *ret);
int step_install_package_run(struct step_context *c, struct step_result *ret);
int step_install_application_run(struct step_context *c, struct step_result *ret);
int step_install_updates_run(struct step_context *c, struct step_result *ret);
int step_windows_only_run(struct step_context *c, struct step_result *ret);
int step_connect_folder_run(struct step_context *c, struct step_result *ret);
int step_join_run(struct step_context *c, struct step_result *ret);
int step_capture_settings_run(struct step_context *c, struct step_result *ret);
int step_capture_network_run(struct step_context *c, struct step_result *ret);
int step_prepare_client_run(struct step_context *c, struct step_result *ret);
int step_prepare_os_run(struct step_context *c, struct step_result *ret);
int step_capture_system_image_run(struct step_context *c, struct step_result *ret);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The life of the agent, from the start of the boot image to the report of the installed system
 *
 *     boot image: inventory, network, clock, registration, order, state; then the steps
 *     full OS:    state, site, the rest of the steps; then the report, and nothing is left behind
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/run/link.h"
#include "agent/run/target.h"
#include "agent/steps/step.h"
#include "base/buf.h"

struct client_identity; /* agent/run/client_identity.h */
struct connection;      /* agent/steps/connections.h */
struct machine;
struct screen;
struct tpm;

/* What the runner asks of this computer. run_platform() is the real thing; tests bring their own. */
struct run_platform {
    int (*collect)(struct machine *ret); /* agent/run/machine.h */
    int (*network_up)(const struct machine *machine,
                      char *ret_interface,
                      size_t cap,
                      struct buf *why);
    int (*set_clock)(uint64_t wall_us); /* plat/clock.h */
    int (*open_tpm)(const char *device,
                    uint64_t patience_us,
                    struct tpm **ret);        /* plat/tpm.h; may be NULL: nobody looks */
    int (*mount)(struct step_target *target); /* agent/run/target.h */
    int (*unmount)(struct step_target *target);
    int (*find_state)(const struct machine *machine,
                      const char *order_id,
                      struct step_target *ret,
                      struct buf *ret_state);
    /* Of the full OS: the volume that it runs from (agent/run/target.h). May be NULL: nobody knows. */
    void (*find_running)(const struct machine *machine, struct step_target *ret);
    /* Of the boot image: an installed Windows (agent/run/target.h). May be NULL: nobody looks. */
    bool (*find_windows)(const struct machine *machine, char ret[static TARGET_DEVICE_MAX]);
    const struct step_type *(*find_type)(const char *type);      /* agent/steps/step.h */
    int (*boot_image_is_back)(const struct step_target *target); /* agent/run/restart.h */
    /* For a restart that no step prepares; an outcome says why it cannot be. NULL: nothing to prepare. */
    int (*prepare_boot_image)(struct step_context *c, struct buf *why);
    /* What a step uses, before the first is run, if the order says so (agent/steps/content.h). May be NULL. */
    int (*get_ahead)(struct step_context *c, struct step_result *ret);
    /* A folder of Connect To Network Folder, after a restart (agent/steps/network_reach.h). May be NULL. */
    int (*connect_folder)(struct step_context *c,
                          const struct connection *connection,
                          struct buf *why);
    bool (*is_folder_connected)(const char *target);
    int (*settle)(const char *root);     /* agent/run/target.h, after each step; may be NULL */
    void (*state_is_written)(void *ctx); /* after each write; may be NULL */
    void *ctx;
    const char *target_root;       /* where the volume is mounted in the boot image */
    const char *full_os_root;      /* "": the installed operating system's own root */
    const char *journal_path;      /* the log in memory */
    const char *log_settings_path; /* SMSTS.ini, below the system's root; NULL: there is none */
    uint64_t poll_us;              /* between two questions to a site that has nothing for us */
    uint64_t off_us;      /* how long a problem is shown before the computer is switched off */
    uint64_t patience_us; /* how long network and site may be away */
    uint64_t folder_patience_us; /* and a network folder, after a restart */
    uint64_t failed_wait_us;     /* after a failure before there is an order, which says how long */
};

struct run_options {
    bool is_full_os;
    const struct client_identity
        *client; /* of the full OS, with what the site has just ordered: it is begun if there is */
    const json_t *client_order; /* no state. NULL: the state alone counts */
    struct link_options site;   /* of the boot image; in the full OS the state says it */
    const char *ticket;         /* "" */
    bool is_from_disk; /* the disk was told to start this boot image: the state knows who we are */
    const char *boot_image; /* "SLP00001"; "" */
    const char *version;    /* of the agent */
    const struct run_platform *platform;
    struct screen *screen;
};

/* How it ended. */
enum run_end {
    RUN_RESTART,  /* restart the computer now */
    RUN_FINISHED, /* in the full OS: everything is done, or there was nothing to do */
    RUN_FAILED,   /* in the full OS: the same, but the task sequence has failed */
    RUN_NOT_OURS, /* boot image: nothing to do here; start from the disk */
    RUN_OFF,      /* switch the computer off now */
    RUN_UNREPORTED, /* in the full OS: done, but the site does not know it; try again at the next start */
};

/* Return: 0 with @ret set, or -errno for what nobody planned for. */
int run_agent(const struct run_options *options, enum run_end *ret);

const struct run_platform *run_platform(void);

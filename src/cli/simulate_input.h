/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* What a simulation is made of; for cli/simulate.c */

#include "cli/session.h"
#include "ts/facts_json.h"
#include "ts/sequence.h"

enum {
    SIMULATE_SEQUENCES_MAX = 256,
};

/* The sequence, and those it runs. */
struct simulate_sequences {
    struct ts_document *document; /* borrowed from the children, as it may be one of them */
    char *name;                   /* of it, and its id and boot image; owned; NULL: not known */
    char *id;
    char *boot_image_id;
    bool is_disabled; /* nothing would begin it */
    struct ts_child children[SIMULATE_SEQUENCES_MAX];
    char *ids[SIMULATE_SEQUENCES_MAX]; /* owned, as all below */
    struct ts_document *documents[SIMULATE_SEQUENCES_MAX];
    size_t n;
};

/* For OWN(). */
void simulate_sequences_fini(struct simulate_sequences *sequences);

/* From a file if @source is one, otherwise from the site, with all that it runs. @wanted: which of a file, as for sequence_choose() */
bool simulate_load(struct session *s,
                   const char *source,
                   const char *wanted,
                   struct simulate_sequences *ret);

/* A facts file. @ret: its members are owned by the caller. */
bool simulate_read_facts(struct session *s, const char *path, struct ts_facts_file *ret);

/* Facts from what the site knows of a device. @asked: an array; gets the names of the variables that are asked for on its screen */
bool simulate_device_facts(struct session *s,
                           const char *device,
                           struct ts_facts_file *ret,
                           json_t *asked);

/* The variables that the engine would have set at the start; what has a value keeps it. */
bool simulate_set_engine(struct session *s,
                         const struct simulate_sequences *sequences,
                         struct ts_facts_file *file);

/* Neither: nothing is known but the variables. */
bool simulate_no_facts(struct session *s, struct ts_facts_file *ret);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* Which of several values of a variable counts: by where it comes from */

#include <stdbool.h>
#include <stddef.h>

struct ts_vars;

/* A later one wins. What the run itself sets comes after all of them. */
enum ts_source {
    TS_FROM_COLLECTION,
    TS_FROM_DEVICE,
    TS_FROM_MEDIA,
    TS_FROM_PRESTART, /* the prestart command, and what was entered in the wizard */
    TS_N_SOURCES,
};

struct ts_setting {
    enum ts_source source;
    unsigned priority; /* of the collection: the higher wins; 0 otherwise */
    const char *name;
    const char *value; /* "" deletes what an earlier one has set */
    bool is_secret;
};

/**
 * ts_settings_apply() - give the variables their values before a run
 * @settings: in any order; of equal ones the later in the array wins
 * @ret_refused: the first whose name or value cannot be; NULL if all could. The others are applied
 *
 * A name that one of them calls secret is secret, whoever gives the value. Return: 0 or -ENOMEM.
 */
int ts_settings_apply(const struct ts_setting *settings,
                      size_t n,
                      struct ts_vars *vars,
                      const struct ts_setting **ret_refused);

/**
 * ts_settings_expand() - the %NAME% in the values that a run begins with
 *
 * Those of other variables, through several of them; a circle ends. What is not set when the run begins stays as it is, and
 * so does a value that would become too long. The engine's variables are not touched. What is made of a secret is one.
 *
 * Return: 0 or -ENOMEM.
 */
int ts_settings_expand(struct ts_vars *vars);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of the table of step types; for ts/step_types.c
 */

#include "ts/step_types.h"

/* name, variable, label, then the kind and what else is known of it */
#define PROPERTY(n, v, l, ...) \
    { \
        .name = (n), .variable = (v), .label = (l), .kind = __VA_ARGS__ \
    }

extern const struct ts_step_type ts_step_types_general[];
extern const size_t n_ts_step_types_general;
extern const struct ts_step_type ts_step_types_software[];
extern const size_t n_ts_step_types_software;
extern const struct ts_step_type ts_step_types_disks[];
extern const size_t n_ts_step_types_disks;
extern const struct ts_step_type ts_step_types_state[]; /* and drivers */
extern const size_t n_ts_step_types_state;
extern const struct ts_step_type ts_step_types_images[];
extern const size_t n_ts_step_types_images;
extern const struct ts_step_type ts_step_types_settings[];
extern const size_t n_ts_step_types_settings;

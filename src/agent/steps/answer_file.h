/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The answer file of Apply Operating System Image: on Linux, what cloud-init reads when the system starts for the first
 * time (its data source NoCloud)
 */

#include "agent/steps/step.h"

struct answer_file {
    const char *folder;   /* of the package */
    const char *name;     /* of the file in it; becomes user-data */
    const char *instance; /* what cloud-init is to know this deployment by */
    const char *host;     /* the computer's name; "": none is said */
};

/* Outcomes of answer_file_write() beside 0 */
enum {
    ANSWER_FILE_E_MISSING = 1,    /* the package has no such file */
    ANSWER_FILE_E_NO_READER = 2,  /* the image has no cloud-init */
    ANSWER_FILE_E_TOO_LARGE = 3,  /* more than 1 MiB */
    ANSWER_FILE_E_NO_ANSWERS = 4, /* it is none that cloud-init reads */
};

/**
 * answer_file_write() - into the volume, with meta-data, network-config and vendor-data that lie beside it
 * @root: inside_open()
 *
 * Without a network-config the network is that of Apply Network Settings, and cloud-init leaves it alone.
 *
 * Return: 0, an outcome, or -errno.
 */
int answer_file_write(int root, const struct answer_file *file);

/**
 * answer_file_apply() - that of the step, if it names one
 * @ret: a failure (SLW-0486, or why the package did not come)
 *
 * An answer file of Windows has no effect, which is logged.
 *
 * Return: 0 or -errno.
 */
int answer_file_apply(struct step_context *c, struct step_result *ret);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a setting of a step must look like to be of use on Linux, beyond its kind (ts/step_types.h)
 *
 * The steps ask the same before they do anything, so that validate finds what they would refuse.
 */

#include <stdbool.h>

enum ts_form {
    TS_FORM_ANY,
    TS_FORM_HOST_NAME,      /* one label (RFC 1123) */
    TS_FORM_DOMAIN,         /* a DNS name: it goes on a command line */
    TS_FORM_WORKGROUP,      /* as NetBIOS takes it */
    TS_FORM_ACCOUNT,        /* whom a program runs as: "eva", "LAB\eva" */
    TS_FORM_USER,           /* an account that is made */
    TS_FORM_LINE,           /* no line break */
    TS_FORM_NETWORK_FOLDER, /* ts/network_folder.h, as the next two */
    TS_FORM_MOUNT_POINT,
    TS_FORM_CAPTURE_TARGET,
    TS_FORM_FOLDER,     /* begins with '/' */
    TS_FORM_VOLUME,     /* "D:" or a device: one that Format and Partition Disk has made */
    TS_FORM_MAC,        /* base/text.h */
    TS_FORM_PARAMETERS, /* ts/script_words.h */
    TS_N_FORMS,
};

/* Whether @text, which is not empty, has this form. */
bool ts_form_fits(enum ts_form form, const char *text);

/* What is expected, behind "is no": "host name: letters, digits and '-', at most 63". */
const char *ts_form_words(enum ts_form form);

/* The public id of the step's failure. */
const char *ts_form_error_id(enum ts_form form);

/* Whether Windows would take more than that, such as another kind of path. */
bool ts_form_is_of_linux(enum ts_form form);

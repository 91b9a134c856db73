/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What is wrong with a task sequence: findings for people, with the place in the file
 */

#include <stdbool.h>
#include <stddef.h>

enum ts_severity {
    TS_WARNING, /* it may run, but hardly as meant */
    TS_ERROR,   /* it cannot run, or cannot be read */
};

struct ts_diag {
    enum ts_severity severity;
    unsigned line;   /* of the XML, from 1; 0: no one place */
    unsigned column; /* from 1; 0 unknown */
    char *message;   /* owned; UTF-8; one English sentence: what is wrong, and what to do */
    const char *id;  /* "SLW-0175", static; "" if it has none */
    char *path;      /* owned; of the step or group it is about; "" if it is about none */
};

/* Where a finding belongs. */
struct ts_diag_place {
    const char *id;   /* static */
    const char *path; /* copied; NULL: none */
    unsigned line;
    unsigned column;
};

enum {
    TS_DIAGS_MAX = 1024,
};

struct ts_diags {
    struct ts_diag *items; /* owned */
    size_t n;
    bool is_cut; /* there were more than TS_DIAGS_MAX, which a last one says, or memory ran out */
};

/* Start with {0}. May be called twice. Fits OWN(). */
void ts_diags_fini(struct ts_diags *diags);

/* For what reads documents: the finding has the id SLW-0170. */
__attribute__((format(printf, 5, 6))) void ts_diags_add(struct ts_diags *diags,
                                                        enum ts_severity severity,
                                                        unsigned line,
                                                        unsigned column,
                                                        const char *format,
                                                        ...);

__attribute__((format(printf, 4, 5))) void ts_diags_add_at(struct ts_diags *diags,
                                                           enum ts_severity severity,
                                                           const struct ts_diag_place *place,
                                                           const char *format,
                                                           ...);

/* Say of the findings from @first on in which file of several they are: "@part: message". Return: false without memory. */
bool ts_diags_prefix(struct ts_diags *diags, size_t first, const char *part);

/* Let go of the findings with another id than @id. */
void ts_diags_keep(struct ts_diags *diags, const char *id);

/* In the order of the document, from the finding @first on; those of one place stay as they are. */
void ts_diags_sort(struct ts_diags *diags, size_t first);

/* Whether one of them, or one that there was no room for, is a TS_ERROR. */
bool ts_diags_has_error(const struct ts_diags *diags);

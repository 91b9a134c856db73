/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Every documented step type in one table: names, properties, variables, limits, where it may run
 *
 * The reader, validate, show, diff, edit, the YAML spelling and the steps themselves ask this table; a
 * type that is not in it is kept as it is and treated as unknown.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ts/step_forms.h"

enum ts_property_kind {
    TS_KIND_TEXT,
    TS_KIND_NUMBER,
    TS_KIND_BOOL,        /* "true" or "false", in any case */
    TS_KIND_CHOICE,      /* one of choices */
    TS_KIND_PACKAGE,     /* id of content: OS image, package, driver package, ... */
    TS_KIND_APPLICATION, /* "ScopeId_.../Application_..." */
    TS_KIND_SEQUENCE,    /* id of another task sequence */
    TS_KIND_SECRET,      /* a password, PIN or key: masked everywhere, never exported */
    TS_KIND_PRODUCT_KEY, /* masked and not exported, like a secret */
    TS_KIND_VARIABLE,    /* name of a task sequence variable */
    TS_KIND_CODES,       /* integers with spaces between them */
    TS_KIND_VERSION,     /* "10.0.16299" */
    TS_KIND_SCRIPT,      /* Base64 of UTF-16LE text with a byte order mark */
    TS_KIND_RULES,       /* the XML of dynamic variables as text */
    TS_KIND_LIST,        /* how many elements an array has, or its values with commas */
};

enum ts_platform {
    TS_PLATFORM_LINUX = 1,
    TS_PLATFORM_WINDOWS = 2,
    TS_PLATFORM_BOTH = 3,
};

struct ts_property {
    const char
        *name; /* "ImageIndex", as in the attribute property; '#' stands for an array's index */
    const char *variable; /* "OSDImageIndex", as in the attribute name; '#' likewise */
    const char *label;    /* as people read it: "Image index" */
    enum ts_property_kind kind;
    bool is_required;
    bool is_hidden;      /* written with hidden="true": an argument, not for the environment */
    bool is_for_windows; /* it means nothing on Linux: the agent and validate say so */
    bool is_elsewhere;   /* a variable that the step obeys, but that its XML does not hold */
    bool is_supplied; /* device or collection often have it: that it is missing is only a warning */
    bool is_assigned; /* of a variable's name: the step sets it, so it is no read-only one */
    bool is_part;     /* of a partition, which is read as a whole (ts/partitions.h) */
    enum ts_form form; /* what a text must look like; ts/step_forms.h */
    const char
        *needed_if; /* when it must be set: "OSDJoinType=0", "A&!B": another variable of the step
                              has this value, is set, is not set; NULL: is_required says all */
    const char *default_text; /* what holds if it is not given; NULL: nothing */
    const char *choices;      /* "WinPE|HD" for TS_KIND_CHOICE, else NULL */
    const char *content;      /* "os-image", ... for TS_KIND_PACKAGE; NULL: "package" */
    int64_t min;              /* of a number; of a text's length in characters */
    int64_t max;              /* 0 with min 0: no limit of its own */
};

enum ts_category {
    TS_CATEGORY_GENERAL,
    TS_CATEGORY_SOFTWARE,
    TS_CATEGORY_DISKS,
    TS_CATEGORY_USER_STATE,
    TS_CATEGORY_IMAGES,
    TS_CATEGORY_DRIVERS,
    TS_CATEGORY_SETTINGS,
};

struct ts_step_type {
    const char *type;         /* "SMS_TaskSequence_RebootAction" */
    const char *display_name; /* "Restart Computer" */
    enum ts_category category;
    unsigned run_in;           /* of enum ts_run_in: where the type may run at all */
    enum ts_platform platform; /* TS_PLATFORM_WINDOWS: fails as documented on Linux */
    bool is_legacy;            /* no longer documented, but in exports */
    const char *success_codes; /* of a new step: "0" or "0 3010" */
    unsigned retry_count;      /* of a new step */
    const char *command;       /* template of <action>, see docs/protocol/task-sequence.md */
    const char
        *documented; /* anchor in the documentation of task sequence steps; "" for a legacy one */
    const struct ts_property *properties; /* in the order they are written */
    size_t n_properties;
};

enum {
    TS_STEP_TYPES_MAX = 64,
};

/* One after the other, at most TS_STEP_TYPES_MAX, the types of a category together; NULL behind the last. */
const struct ts_step_type *ts_step_type_at(size_t i);

/* By class name or by display name, case ignored; NULL if it is none of ours. */
const struct ts_step_type *ts_step_type_find(const char *type);

/**
 * ts_property_find() - by property name or variable name, case ignored
 * @name: "ImageIndex", "OSDImageIndex" or, of an array, "OSDPartitions0Size"
 *
 * Return: NULL if the type has none of that name.
 */
const struct ts_property *ts_property_find(const struct ts_step_type *type, const char *name);

/* Which kind of content a value of @property, which may be NULL, names: "os-image", "package", ...; "" if it may be any, or none. */
const char *ts_property_content(const struct ts_property *property);

/* Whether a value of @property, or of one so named in an unknown step, must never be shown. */
bool ts_property_is_secret(const struct ts_property *property);
bool ts_name_is_secret(const char *name);

/* Whether @text asks for something that has no effect on Linux. @property may be NULL; "", "false", "0" and the default
   ask for nothing. */
bool ts_property_is_in_vain(const struct ts_property *property, const char *text);

/* "General", "Software", ... */
const char *ts_category_name(enum ts_category category);
/* "text", "number", "yes or no", ... */
const char *ts_kind_name(enum ts_property_kind kind);

/* Whether @name is @pattern, in which '#' stands for one or more digits; case ignored. */
bool ts_pattern_matches(const char *pattern, const char *name);

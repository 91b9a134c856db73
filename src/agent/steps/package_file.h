/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * slipway.json in the folder of a package: its programs, and the application that it is (docs/steps.md)
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"

#define PACKAGE_FILE_NAME "slipway.json"

enum {
    PACKAGE_FILE_MAX_BYTES = 256 * 1024,
    PACKAGE_FILE_MAX_DEPTH = 16, /* rules within rules */
    PACKAGE_LIST_MAX = 64,       /* elements of a list in it */
};

/* Outcomes beside 0 */
enum {
    PACKAGE_FILE_E_MISSING = 1,
    PACKAGE_FILE_E_MALFORMED = 2,
};

/* What is run. All borrowed from the file. */
struct package_program {
    const char *command;     /* a line for /bin/sh; NULL: */
    const json_t *packages;  /* an array of names and files for the system's package manager */
    const char *start_in;    /* "": the package's folder */
    const json_t *successes; /* an array of exit codes; NULL: 0, 3010 and 1641 */
    unsigned timeout_s;      /* 0: none */
};

struct package_application {
    const char *name;    /* borrowed, as all here */
    const char *version; /* "" if it has none */
    struct package_program install;
    const json_t *requirements; /* rules (agent/steps/rules.h); NULL: none */
    const json_t *detection;    /* the same; there is at least one */
    const json_t *dependencies; /* ids of packages; NULL: none */
};

/**
 * package_file_parse() - read and check
 * @ret: owned by the caller, json_decref(); set on 0 only
 * @why: what is wrong, appended
 *
 * Unknown members are refused: a rule that is passed over would be a rule that holds.
 *
 * Return: 0, PACKAGE_FILE_E_MALFORMED or -ENOMEM.
 */
int package_file_parse(struct bytes text, json_t **ret, struct buf *why);

/* The file in the folder @folder. Return: the same, PACKAGE_FILE_E_MISSING, or -errno. */
int package_file_read(const char *folder, json_t **ret, struct buf *why);

/* A program by its name, in which capitals count. Return: whether there is one. */
bool package_file_program(const json_t *file, const char *name, struct package_program *ret);

/* Return: whether the package is an application. */
bool package_file_application(const json_t *file, struct package_application *ret);

/* Its codes of success as words, appended: "0 3010 1641". */
void package_program_put_successes(const struct package_program *program, struct buf *ret);

/* Whether a program that ended so has done its work. */
bool package_program_is_success(const struct package_program *program, int code);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A task sequence as a document: Configuration Manager's <sequence version="3.10"> (and 3.00)
 *
 *     r = ts_document_parse(xml, &doc, &diags);
 *
 * The document keeps the XML tree it was made from: what is written back is equal to what was read,
 * unknown step types, attributes and elements included. The structs below are a view of it for those
 * who run or check a sequence; they are borrowed from the document and never change.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct ts_condition; /* ts/condition.h */
struct ts_diags;     /* ts/diag.h */
struct ts_document;
struct ts_group;

enum {
    TS_XML_MAX_BYTES = 2 * 1024 * 1024, /* as UTF-8: what a site keeps */
    TS_XML_MAX_NODES = 200000,          /* elements and attributes */
    TS_XML_MAX_ATTRIBUTES = 256,        /* of one element, with the namespaces that hold there */
    TS_XML_MAX_DEPTH = 64,              /* elements within elements */
    TS_STEPS_MAX = 10000,
    /* characters; of version 3.10 only: MDT has no such limits */
    TS_NAME_MAX = 100,        /* of a group or step */
    TS_DESCRIPTION_MAX = 256, /* of a group or step */
    TS_VARIABLE_NAME_MAX = 256,
    TS_TIMEOUT_MAX_S = 999 * 60,
    TS_RETRIES_MAX = 99,
};

/* Where a step may run: attribute runIn. */
enum ts_run_in {
    TS_RUN_IN_BOOT_IMAGE = 1, /* "WinPE" */
    TS_RUN_IN_FULL_OS = 2,    /* "FullOS" */
    TS_RUN_IN_BOTH = 3,       /* "WinPEandFullOS", and when there is no attribute */
};

struct ts_variable {
    const char *name;
    const char *property; /* "" if not given */
    const char *text;     /* may be "" */
    bool is_hidden;       /* an argument of the step, not for the environment */
};

/* What groups and steps have in common. */
struct ts_item {
    const char *name;        /* may be "" */
    const char *description; /* may be "" */
    bool is_disabled;
    bool continues_on_error;
    const struct ts_condition *condition; /* NULL: none, which means true */
    const struct ts_group *parent;        /* NULL: at the top */
    unsigned line;                        /* of its start tag, from 1 */
    unsigned column;                      /* where the start tag ends; 0: unknown */
};

/* A group is a range of steps: no matter how deep, they follow one another. */
struct ts_group {
    struct ts_item item;
    size_t first_step;
    size_t end_step; /* one behind the last; equal to first_step if it is empty */
};

struct ts_step {
    struct ts_item item;
    const char *type;   /* "SMS_TaskSequence_SetVariableAction"; "" in an MDT step without a type */
    const char *action; /* the command line; may be "" or stale: variables count */
    const char *start_in;      /* "" if not given */
    const char *success_codes; /* "0 3010"; "0" if not given */
    unsigned run_in;           /* of enum ts_run_in */
    unsigned timeout_s;        /* 0: none */
    unsigned retry_count;      /* how often it may be begun again after an unexpected restart */
    bool runs_from_net; /* attribute runFromNet: its image is used from the distribution point */
    const struct ts_variable *variables; /* defaultVarList */
    size_t n_variables;
    size_t index; /* depth first, groups not counted, disabled ones counted */
};

/* Outcome of ts_document_parse() beside 0 */
enum {
    TS_E_MALFORMED = 1, /* not a task sequence, or over a limit; the diagnostics say what */
};

/**
 * ts_document_parse() - read a task sequence
 * @xml:   UTF-8 or UTF-16 with or without a byte order mark; the root element is <sequence>. A DOCTYPE
 *         is refused, nothing is ever fetched, no entity but XML's own five is known
 * @ret:   owned by the caller; set on 0 only
 * @diags: what was found; errors on TS_E_MALFORMED. Unknown step types are not an error here. If it is no more than that
 *         names are too long, what else ts_validate() finds in it is told as well
 *
 * Return: 0, TS_E_MALFORMED, or -ENOMEM.
 */
int ts_document_parse(struct bytes xml, struct ts_document **ret, struct ts_diags *diags);

/* The same for a text that was made of something else: its findings are there. @places: ts/xml.h */
struct ts_xml_places;
int ts_document_parse_at(struct bytes xml,
                         const struct ts_xml_places *places,
                         struct ts_document **ret,
                         struct ts_diags *diags);
void ts_document_free(struct ts_document *doc);

/* An equal document. @ret: owned by the caller. Return: 0 or -ENOMEM. */
int ts_document_copy(const struct ts_document *doc, struct ts_document **ret);

/**
 * ts_document_put() - write it back: UTF-8, an equal document
 * @ret: the text is appended; its max bounds it, and failed says if it did not fit
 */
int ts_document_put(const struct ts_document *doc, struct buf *ret);

/**
 * ts_document_canonical() - write it in canonical form: Canonical XML 1.0 with comments
 * @ret: appended to, as by ts_document_put()
 *
 * Two documents are equal if their canonical forms are. Return: 0, TS_E_MALFORMED if there is none (a
 * relative namespace name), or -ENOMEM.
 */
int ts_document_canonical(const struct ts_document *doc, struct buf *ret);

/* "3.10"; name and description of the root element, which only MDT writes, "" otherwise. */
const char *ts_document_version(const struct ts_document *doc);
const char *ts_document_name(const struct ts_document *doc);
const char *ts_document_description(const struct ts_document *doc);

/* All steps, depth first. */
const struct ts_step *ts_document_steps(const struct ts_document *doc, size_t *ret_n);

/* All groups, in the order of their start tags. */
const struct ts_group *const *ts_document_groups(const struct ts_document *doc, size_t *ret_n);

/* Somebody else, the site, calls this variable secret: what conditions compare it with is not shown (ts/secret_names.h). It is no part of the
   document: copies do not have it. Return: 0 or -ENOMEM. */
int ts_document_note_secret(struct ts_document *doc, const char *name);

/* Those names. */
const char *const *ts_document_noted_secrets(const struct ts_document *doc, size_t *ret_n);

/* globalVarList */
const struct ts_variable *ts_document_globals(const struct ts_document *doc, size_t *ret_n);

/**
 * ts_document_packages() - ids of the packages that the sequence refers to, each once: those of the
 * referenceList, and those that enabled steps name (ImagePackageID, PackageID, ...)
 * @ret_n: how many
 *
 * Return: borrowed from @doc; "SLP00002", in the order of their first mention.
 */
const char *const *ts_document_packages(const struct ts_document *doc, size_t *ret_n);

/**
 * ts_step_variable() - the step's own variable, by name or by property, letters' case ignored
 *
 * Return: NULL if it has none.
 */
const struct ts_variable *ts_step_variable(const struct ts_step *step, const char *name);

/* The type that it runs as: one without a type, but with a command in <action>, is a Run Command Line; MDT writes plain commands so.
   "" if there is no command either. */
const char *ts_step_runs_as(const struct ts_step *step);

/* The command line in <action>: all of it, or what stands behind "smsswd.exe /run:PACKAGE". May be "". */
const char *ts_step_action_command(const struct ts_step *step);

/* Whether a command line begins with Windows Script Host (cscript, wscript), which Linux does not have. */
bool ts_command_is_of_script_host(const char *command);

/* Whether the step and all groups around it are enabled. */
bool ts_step_is_enabled(const struct ts_step *step);

/* Whether @code (as the process or action ended) is among the step's success codes. */
bool ts_step_is_success(const struct ts_step *step, int64_t code);

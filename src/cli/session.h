/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One run of the program: the connection, the results and the errors
 *
 * A function that returns bool has reported its failure when it returns false.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/args.h"
#include "cli/credentials.h"
#include "cli/output.h"
#include "rt/http_client.h"

#define SESSION_API "/api/v1"

enum {
    SESSION_ETAG_MAX = 128,
};

struct session {
    struct credentials_env env;
    struct credentials site;
    struct http_client *client; /* owned; NULL until session_open() */
    enum args_format format;    /* ARGS_FORMAT_TABLE also where is_wide */
    bool is_wide;               /* tables and fields show all there is */
    enum args_exit exit_code;
    bool is_out_terminal; /* standard output */
    bool is_err_terminal; /* standard error */
    bool has_colour;      /* is_out_terminal, and NO_COLOR is not set */
    char match
        [SESSION_ETAG_MAX]; /* the ETag of what the next request changes; "": whatever is there */
    bool has_cursor;        /* is_out_terminal, and it can move its cursor */
    const char *about;      /* what errors begin with: the document in hand; NULL: nothing */
    const char *request_id; /* what its requests are called; NULL: the site names each */
    bool is_dry;            /* what changes something is only tried */
    bool has_made;          /* what was tried would have made something, which is not there */
    bool is_over;           /* so the rest cannot be tried: it ends here, and well */
};

/* For OWN(). */
void session_fini(struct session *s);

void session_init(struct session *s, enum args_format format);

/* Whether --output is one that fits what is no list and no single thing; if not, that is reported. */
bool session_wants_value(struct session *s);

/**
 * session_fail() - report an error
 * @error_id: "SLW-0702", or NULL
 * @format:   what was tried, on what, what happened, what to do; escaped as a whole for the terminal
 *
 * Return: false, always.
 */
__attribute__((format(printf, 4, 5))) bool session_fail(
    struct session *s, enum args_exit exit_code, const char *error_id, const char *format, ...);

/* The same for an -errno nobody planned for. */
bool session_fail_errno(struct session *s, const char *doing, int r);

/* The exit code for an HTTP status of 400 or more. */
enum args_exit session_exit_of(unsigned status);

/* Report an answer of the site that says no. @problem may be NULL. */
bool session_problem(struct session *s, unsigned status, const json_t *problem);

/* Report why there was no answer: an outcome of http_client_call(), or -errno. */
bool session_no_answer(struct session *s, int r);

/* Connect (s->client) to the site in s->site, without looking for credentials. */
bool session_connect(struct session *s);

/* Load the credentials and connect; nothing if that is done. */
bool session_open(struct session *s);

/**
 * session_try() - one request, nothing reported
 * @path: below /api/v1
 * @body: borrowed; NULL: none
 * @ret:  http_answer_fini(); set on 0
 *
 * Return: as http_client_call().
 */
int session_try(struct session *s,
                const char *method,
                const char *path,
                const json_t *body,
                struct http_answer *ret);

/**
 * session_call() - one request that must succeed
 * @path: below /api/v1
 * @body: taken over; NULL: none
 * @ret:  owned by the caller; NULL if the answer has no body; may be NULL if it is of no interest
 *
 * A POST has a name of its own, so that it can be sent again, and is, when the connection breaks. With --dry-run what is
 * no GET is tried, and said to the person.
 */
bool session_call(
    struct session *s, const char *method, const char *path, json_t *body, json_t **ret);

/* The next request changes only what has this ETag; "" or NULL: whatever it has. */
bool session_if_match(struct session *s, const char *etag);

/* The next request changes what is at @path now, or nothing; also who may not look at it may perhaps change it. */
bool session_match_now(struct session *s, const char *path);

/* DELETE of what is at @path now. @query: what goes behind the path, "?force=true"; "": nothing */
bool session_delete(struct session *s, const char *path, const char *query);

/* What follows needs what was only tried; said to the person. Return: false, for the caller to end with; the exit code is 0. */
bool session_end_try(struct session *s);

/* GET below /api/v1 with a formatted path, whose parts session_escape() has encoded. */
__attribute__((format(printf, 3, 4))) bool
session_get(struct session *s, json_t **ret, const char *path, ...);

/* Every page of a list. @ret: an array, owned by the caller. */
bool session_list(struct session *s, const char *path, json_t **ret);

/* Percent-encode one segment or value. */
void session_escape(struct buf *dst, const char *text);

/* Print a list, or one value with its fields, as --output wants. */
bool session_print_list(struct session *s, json_t *rows, const struct output_column *columns);
bool session_print_fields(struct session *s, json_t *value, const struct output_column *columns);

/* Get every page of a list, and print it. */
bool session_show_list(struct session *s, const char *path, const struct output_column *columns);

/* Only if --output is table: a heading and a table; nothing for no rows. */
bool session_print_part(struct session *s,
                        const char *heading,
                        const json_t *rows,
                        const struct output_column *columns);

/* Write text to standard output as it is. */
bool session_write(struct session *s, const struct buf *text);

/* Fits OWN() for a json_t *. */
void session_json_freep(json_t **value);

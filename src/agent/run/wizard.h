/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The page of the wizard on which variables that have no value yet are typed (docs/protocol/client-api.md, "state": "variables")
 *
 * One is asked for after the other. An empty line keeps what is there and goes on, "<" goes back, "-" takes away what was typed.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct wizard;

/* Outcomes of wizard_take() beside -errno */
enum wizard_outcome {
    WIZARD_GOES_ON,
    WIZARD_DONE,    /* all was asked for and confirmed */
    WIZARD_BACK,    /* before the first one */
    WIZARD_NO_TEXT, /* not UTF-8: it is asked for again */
};

/**
 * wizard_new() - begin with the first variable
 * @waiting: what the site said
 *
 * Return: 0 or -ENOMEM.
 */
int wizard_new(const json_t *waiting, struct wizard **ret);
void wizard_free(struct wizard *wizard); /* what was typed is wiped */

/* Whether the site still asks for the same. */
bool wizard_fits(const struct wizard *wizard, const json_t *waiting);

/* A line that was typed. */
int wizard_take(struct wizard *wizard, const char *typed);

/* Confirmed too early: the site does not take a value. The last one is asked for again. */
void wizard_reopen(struct wizard *wizard);

/* Whether the one that is being asked for is secret, and not to be shown. */
bool wizard_is_secret(const struct wizard *wizard);

/* How many lines the page has, and line @i of it: a variable and its value, "***" of a secret one. */
size_t wizard_n_lines(const struct wizard *wizard);
void wizard_put_line(const struct wizard *wizard, size_t i, char *dst, size_t cap);

/* The one that is being asked for; wizard_n_lines() at the end. */
size_t wizard_at(const struct wizard *wizard);
void wizard_put_question(const struct wizard *wizard, char *dst, size_t cap);

/* {"deployment_id", "variables"} for the site; owned by the caller. NULL: no memory. */
json_t *wizard_answer(const struct wizard *wizard);

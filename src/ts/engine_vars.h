/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Every documented variable of the engine: what becomes of it here
 *
 * docs/protocol/sequencer.md has the same table for people; tools/check_variables.py compares the two.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct ts_document;
struct ts_facts;
struct ts_vars;

enum ts_engine_kind {
    TS_ENGINE_SET,    /* the engine gives it its value; steps and conditions read it */
    TS_ENGINE_OBEYED, /* a sequence or an administrator gives it its value, and that has its effect */
    TS_ENGINE_NO_EFFECT, /* documented, and neither set nor read */
};

struct ts_engine_var {
    const char *name;
    enum ts_engine_kind kind;
    const char *text; /* what it is, or why it has no effect; for people, one line */
};

/* In the order of the table; NULL behind the last. */
const struct ts_engine_var *ts_engine_var_at(size_t i);

/* Letters' case does not matter; NULL if it is none of these. */
const struct ts_engine_var *ts_engine_var_find(const char *name);

/* When the content of an order gets to the computer. */
enum ts_engine_content {
    TS_ENGINE_STREAM,
    TS_ENGINE_DOWNLOAD_WHEN_NEEDED,
    TS_ENGINE_DOWNLOAD_ALL_FIRST,
};

/* What the engine knows when a run starts. A text that is NULL is not known: its variable stays as it is. */
struct ts_engine_start {
    bool is_full_os;
    bool is_os_deployment; /* ts_engine_is_os_deployment() of the sequence or of one that it runs */
    bool is_user_started;  /* a person chose it */
    bool keeps_values;     /* a variable that has a value keeps it */
    enum ts_engine_content content;
    const char *package_id; /* "SLP00003"; its first letters are the site code */
    const char *package_name;
    const char *deployment_id;
    const char *boot_image_id;
    const char *client_id;
    const char *management_point; /* "https://10.77.0.1:443" */
    const char *time_zone;        /* of _SMSTSTimezone */
};

/**
 * ts_engine_set() - the variables of a start
 *
 * A value that is too long is left out. Return: 0 or -ENOMEM.
 */
int ts_engine_set(const struct ts_engine_start *start, struct ts_vars *vars);

/* Make, model, serial number, asset tag, UUID, MAC addresses, IPv4 addresses and gateways, as far as the facts can tell.
   A variable that has a value keeps it. Return: 0 or -ENOMEM. */
int ts_engine_set_machine(const struct ts_facts *facts, struct ts_vars *vars);

/* Whether a step of it makes or captures an operating system. */
bool ts_engine_is_os_deployment(const struct ts_document *doc);

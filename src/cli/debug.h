/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The debugger's end at the administrator: docs/protocol/debugger.md
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct session;

struct debugging {
    struct session *s;
    const char *path; /* below the API; borrowed, as is */
    const char *log_path;
    json_int_t after; /* id of the last message that was read */
    uint64_t number;  /* of the last command */
    uint64_t told_us; /* monotonic: when it was last said that the device is awaited */
    bool is_stopped;  /* the device waits for commands */
    bool is_over;     /* the task sequence is */
    bool is_shell_over;
    json_t *place;  /* owned; the last "stopped"; NULL: none yet */
    json_t *answer; /* owned; of the command with that number, whole; NULL: not yet */
};

/* A line as a message without its number. Return: NULL with @why set: not a command. @ret: owned by the caller */
json_t *debug_parse_line(const char *line, struct buf *why);

/* What people read of an answer, or of where it stopped. */
void debug_put_answer(struct buf *dst, const json_t *answer);
void debug_put_place(struct buf *dst, const json_t *place);

/* Send @message (taken over; NULL: nothing) and read what came. Return: false if that failed; it is reported. */
bool debug_exchange(struct debugging *d, json_t *message);

/* deployment_device.c: a device's smsts.log; @path: below the API; @is_kept: not asked for, but what has come before */
bool device_log_print(struct session *s, const char *path, bool is_kept);

/* debug_shell.c: the terminal becomes that of a shell on the device. */
bool debug_run_shell(struct debugging *d);

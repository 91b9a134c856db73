/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a person in front of the machine sees
 *
 * Every console of the kernel gets it: a virtual terminal is painted as one page, a serial line gets a
 * plain line per change.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    SCREEN_TEXT_MAX = 256,
    SCREEN_OUTPUTS_MAX = 8,
    SCREEN_LINES_MAX = 14,   /* of a list; a page of 24 has no more room */
    SCREEN_TYPED_MAX = 4096, /* with the NUL; a terminal of the kernel takes no longer line */
};

struct screen;

struct screen_output {
    int fd;       /* borrowed */
    bool is_page; /* a terminal that understands cursor movements; otherwise lines */
};

enum screen_field {
    SCREEN_MACHINE, /* name, MAC address, serial number */
    SCREEN_SITE,
    SCREEN_SEQUENCE, /* the task sequence */
    SCREEN_GROUP,    /* "Install Operating System/Drivers" */
    SCREEN_STEP,     /* "2 of 8: Apply Operating System Image" */
    SCREEN_STATUS,   /* what is going on */
    SCREEN_CODE,     /* by which an administrator knows this computer */
    SCREEN_PROBLEM,  /* error id and cause */
    SCREEN_REMEDY,   /* what to do */
    SCREEN_QUESTION, /* what is to be typed */
    SCREEN_FIELDS,
};

/* On outputs given by the caller; may be none. */
int screen_new(const struct screen_output *outputs, size_t n, struct screen **ret);

/* On every console of the kernel. */
int screen_new_on_consoles(struct screen **ret);
void screen_free(struct screen *screen);

/* Set a field, "" to empty it; shown at once if it changed. Control characters become '?'. */
__attribute__((format(printf, 3, 4))) void
screen_set(struct screen *screen, enum screen_field field, const char *format, ...);

/* What is to be chosen from, or looked at, one a line; @n 0: nothing. Of more than SCREEN_LINES_MAX the last ones are left out.
   @label: what it is, where there are only lines, and those that are new are said */
void screen_set_list(struct screen *screen, const char *label, const char *const *lines, size_t n);

/* Whether what is typed stays dark, as a password does; then it is forgotten as soon as it was read, too. */
void screen_hide_typing(struct screen *screen, bool is_hidden);

/* Whether the group, the step and its progress are shown. They are remembered meanwhile. */
void screen_show_progress(struct screen *screen, bool is_shown);

/* Progress of the step; @percent above 100: not known; @rate in bytes per second, 0 unknown. Shown at most once a second, on lines at every
   tenth percent, and @what once a step, or every 30 seconds if the percent is not known. */
void screen_progress(struct screen *screen, unsigned percent, uint64_t rate, const char *what);

/**
 * screen_read_line() - wait for a line that is typed on any console
 * @ret: without the line end, control characters and blanks at both ends; cut to @cap - 1 bytes
 *
 * What was typed before the time is over and has no line end yet is kept for the next call.
 * Return: whether there is a line.
 */
bool screen_read_line(struct screen *screen, uint64_t timeout_us, char *ret, size_t cap);

/**
 * screen_lend() - whether a program has the consoles
 *
 * Then they show what screen_put() is given, and what is typed is had by screen_take(), each key as it comes. Afterwards the page is there again.
 */
void screen_lend(struct screen *screen, bool is_lent);
void screen_put(struct screen *screen, struct bytes text);

/* What was typed on any console, without waiting; wiped by the caller. Return: how many bytes. */
size_t screen_take(struct screen *screen, char *dst, size_t cap);

/**
 * screen_wait_key() - wait for the Enter key on any console
 *
 * Return: whether it was pressed before @timeout_us were over.
 */
bool screen_wait_key(struct screen *screen, uint64_t timeout_us);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The computer of test_run.c: what its disk and its steps are, and one start of it in a process of its own
 */

#include <stdbool.h>

enum {
    TEST_RUN_KILLED = 9, /* how a start ends */
    TEST_RUN_RESTART = 20,
    TEST_RUN_FINISHED = 21,
    TEST_RUN_OFF = 22,
};

enum {
    TEST_RUN_PATH_MAX = 96,
};

struct test_run { /* files of the test, all below its folder */
    char folder[64];
    char volume[TEST_RUN_PATH_MAX]; /* the disk */
    char state_path[160];           /* on it */
    char socket_path[TEST_RUN_PATH_MAX];
    char journal_path[TEST_RUN_PATH_MAX];
    char ran_path[TEST_RUN_PATH_MAX];     /* what the steps did, one word a step */
    char reports_path[TEST_RUN_PATH_MAX]; /* what the site was told */
    char pause_path[TEST_RUN_PATH_MAX];   /* while it exists, the site has the computer wait */
    char cancel_path[TEST_RUN_PATH_MAX];  /* while it exists, the site cancels */
    char forget_path[TEST_RUN_PATH_MAX];  /* while it exists, the site does not know the token */
    char nothing_path[TEST_RUN_PATH_MAX]; /* while it exists, nothing is deployed */
    char trouble_path[TEST_RUN_PATH_MAX]; /* while it exists, the site takes no status */
    char old_path[TEST_RUN_PATH_MAX]; /* while it exists, the first step chooses an old volume */
    char watch_path
        [TEST_RUN_PATH_MAX]; /* while it exists, it is noted when the disk gets its own start back */
    char ahead_path
        [TEST_RUN_PATH_MAX]; /* while it exists, all content comes first; "no": and cannot */
    char drive_path
        [TEST_RUN_PATH_MAX]; /* while it exists, the first step connects a folder; "no": later nobody can */
    char off_path
        [TEST_RUN_PATH_MAX]; /* while it exists, the last step has the computer switched off */
    char break_path
        [TEST_RUN_PATH_MAX]; /* while it exists, Setup fails, and the disk takes nothing any more */
};

extern struct test_run test_run;

/* From power on to the end of one start. @die_at: the power goes at this write of the state; 0: never. Return: how it ended. */
int test_run_start(bool is_full_os, unsigned die_at);

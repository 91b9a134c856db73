/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The directory is asked again, in a thread that nobody waits for, about administrators who have signed in
 */

#include "server/site/api.h"

struct directory_watch;

int directory_watch_new(struct site *site, struct directory_watch **ret);

/* Waits for what is being asked. */
void directory_watch_free(struct directory_watch *watch);

struct directory_answer;

/* To the log, once: that a group which is granted something cannot be looked at. */
void directory_say_group(struct site *site, const struct directory_answer *answer);

/* Each second: put down what was answered, and ask about whom it is time to. */
int directory_watch_tick(struct directory_watch *watch);

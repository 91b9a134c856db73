/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What everybody who is signed in at the installed system is to know
 */

#include <stdbool.h>

struct step_context;

/**
 * notice_give() - a message to all terminals, if there is a program that does so (wall)
 * @message:   values of secret variables are masked
 * @seconds:   until it happens
 *
 * In the boot image nobody is signed in, and the screen says it: nothing happens. Nor does a failure matter.
 */
void notice_give(struct step_context *c, const char *message, unsigned seconds);

/**
 * notice_wait() - wait so long, and say what for
 * @what: for the progress line
 *
 * Return: whether the site has not cancelled the order meanwhile.
 */
bool notice_wait(struct step_context *c, unsigned seconds, const char *what);

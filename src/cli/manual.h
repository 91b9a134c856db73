/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Manual pages, a page per noun, from the table of commands
 */

#include "base/buf.h"
#include "cli/args.h"

/**
 * manual_put() - the page slipway-NOUN(1), for man
 *
 * Return: 0, or 1: there is no such noun.
 */
int manual_put(struct buf *dst, const struct args_command *table, const char *noun);

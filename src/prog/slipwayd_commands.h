/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What slipwayd does besides being the server: join, extract, migrate-database, backup, restore
 */

#include <stdbool.h>

/**
 * slipwayd_command() - run a command, if the first argument names one
 * @ret: its exit status
 *
 * Return: whether it does.
 */
bool slipwayd_command(int argc, char **argv, int *ret);

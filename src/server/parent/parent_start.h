/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What slipwayd does when it is not one of its own roles
 */

#include <stdbool.h>

/**
 * parent_start() - read the configuration, find the state folder, and run the server until SIGTERM
 * @state_folder: made if it is missing
 * @config_file:  NULL: the default one, which need not exist
 * @is_dry:       only check, and say what would be done
 *
 * Return: an exit status of the program, see parent/failure.h; a failure has been printed.
 */
int parent_start(const char *state_folder, const char *config_file, bool is_dry);

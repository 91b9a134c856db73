/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * slipway-agent capture
 */

/**
 * capture_command() - do what the command line says
 * @argv: behind "capture"
 *
 * Return: the process's exit code; what went wrong was written to standard error.
 */
int capture_command(int argc, char **argv, const char *user_agent);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A secret that the site has for another server, in a file that is not for everybody
 */

enum {
    SECRET_FILE_MAX_BYTES = 1024,
};

/**
 * secret_file_read() - the first line of a file of mode 0600 or 0640
 * @ret: wiped by the caller
 *
 * Return: NULL; or why not, in words for the log.
 */
const char *secret_file_read(const char *path, char ret[static SECRET_FILE_MAX_BYTES]);

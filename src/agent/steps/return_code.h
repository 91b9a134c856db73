/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What _SMSTSLastActionRetCode, smsts.log and the status say of a failure, as Configuration Manager's steps do
 *
 * People and sequences know these numbers; the public error id says more.
 */

#define RETURN_CODE(hex) ((int)(hex))

enum {
    RETURN_UNSPECIFIED = RETURN_CODE(0x80004005),
    RETURN_NOT_FOUND = RETURN_CODE(0x80070002),
    RETURN_NO_VOLUME = RETURN_CODE(0x8007000F),
    RETURN_UNSUPPORTED = RETURN_CODE(0x80070032),
    RETURN_PARAMETER = RETURN_CODE(0x80070057),
    RETURN_DISK_FULL = RETURN_CODE(0x80070070),
    RETURN_NO_ELEMENT = RETURN_CODE(0x80070490),
    RETURN_CANCELLED = RETURN_CODE(0x800704C7),
    RETURN_LOGON = RETURN_CODE(0x8007052E),
    RETURN_TIMED_OUT = RETURN_CODE(0x800705B4),
    RETURN_NAME_NOT_RESOLVED = RETURN_CODE(0x80072EE7),
    RETURN_CANNOT_CONNECT = RETURN_CODE(0x80072EFD),
    RETURN_HASH_MISMATCH = RETURN_CODE(0x80091007),
    RETURN_NO_SCRIPT_HOST = RETURN_CODE(0x87D00320),
    RETURN_NOT_DETECTED = RETURN_CODE(0x87D00324),
    RETURN_NOT_READY = 4316,
};

enum {
    RETURN_CODE_TEXT_MAX = 16,
};

/* Of a failure whose step does not know better; RETURN_UNSPECIFIED for what is not in the table. */
int return_code_of(const char *error_id);

/* Of a call of the system that ended with @error (ENOSPC, ...); @otherwise if there is none documented for that. */
int return_code_of_errno(int error, int otherwise);

/* "0x80070002", or "3010" of a program. */
void return_code_put(char dst[static RETURN_CODE_TEXT_MAX], int code);

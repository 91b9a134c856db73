/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/return_code.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *error_id;
    int code;
} codes[] = {
    {"SLW-0301", RETURN_HASH_MISMATCH},  {"SLW-0302", RETURN_CANNOT_CONNECT},
    {"SLW-0307", RETURN_NO_ELEMENT},     {"SLW-0308", RETURN_NO_VOLUME},
    {"SLW-0309", RETURN_CANCELLED},      {"SLW-0318", RETURN_UNSUPPORTED},
    {"SLW-0319", RETURN_UNSUPPORTED},    {"SLW-0330", RETURN_DISK_FULL},
    {"SLW-0331", RETURN_DISK_FULL},      {"SLW-0332", RETURN_HASH_MISMATCH},
    {"SLW-0333", RETURN_NOT_FOUND},      {"SLW-0401", RETURN_UNSUPPORTED},
    {"SLW-0402", RETURN_PARAMETER},      {"SLW-0405", RETURN_UNSUPPORTED},
    {"SLW-0406", RETURN_CANCELLED},      {"SLW-0407", RETURN_PARAMETER},
    {"SLW-0408", RETURN_PARAMETER},      {"SLW-0409", RETURN_UNSUPPORTED},
    {"SLW-0415", RETURN_NO_VOLUME},      {"SLW-0416", RETURN_NOT_FOUND},
    {"SLW-0425", RETURN_LOGON},          {"SLW-0431", RETURN_TIMED_OUT},
    {"SLW-0432", RETURN_NOT_FOUND},      {"SLW-0433", RETURN_PARAMETER},
    {"SLW-0434", RETURN_NO_ELEMENT},     {"SLW-0436", RETURN_NO_VOLUME},
    {"SLW-0437", RETURN_PARAMETER},      {"SLW-0438", RETURN_PARAMETER},
    {"SLW-0439", RETURN_PARAMETER},      {"SLW-0440", RETURN_PARAMETER},
    {"SLW-0441", RETURN_NOT_READY},      {"SLW-0442", RETURN_PARAMETER},
    {"SLW-0444", RETURN_NOT_FOUND},      {"SLW-0445", RETURN_NOT_FOUND},
    {"SLW-0450", RETURN_NO_VOLUME},      {"SLW-0451", RETURN_NO_VOLUME},
    {"SLW-0452", RETURN_DISK_FULL},      {"SLW-0454", RETURN_PARAMETER},
    {"SLW-0458", RETURN_UNSUPPORTED},    {"SLW-0459", RETURN_NO_VOLUME},
    {"SLW-0460", RETURN_NOT_FOUND},      {"SLW-0461", RETURN_UNSUPPORTED},
    {"SLW-0462", RETURN_NOT_FOUND},      {"SLW-0455", RETURN_NO_VOLUME},
    {"SLW-0456", RETURN_NO_VOLUME},      {"SLW-0457", RETURN_NO_VOLUME},
    {"SLW-0464", RETURN_NOT_FOUND},      {"SLW-0466", RETURN_NO_VOLUME},
    {"SLW-0468", RETURN_PARAMETER},      {"SLW-0480", RETURN_UNSUPPORTED},
    {"SLW-0482", RETURN_CANNOT_CONNECT}, {"SLW-0483", RETURN_NOT_FOUND},
    {"SLW-0435", RETURN_PARAMETER},      {"SLW-0486", RETURN_PARAMETER},
    {"SLW-0418", RETURN_CANCELLED},      {"SLW-0446", RETURN_NOT_DETECTED},
    {"SLW-0718", RETURN_UNSUPPORTED},
};

int return_code_of(const char *error_id)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strcmp(codes[i].error_id, error_id) == 0)
            return codes[i].code;
    return RETURN_UNSPECIFIED;
}

int return_code_of_errno(int error, int otherwise)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return RETURN_DISK_FULL;
    case ENOENT:
        return RETURN_NOT_FOUND;
    case ENODEV:
    case ENXIO:
        return RETURN_NO_VOLUME;
    case EOPNOTSUPP:
        return RETURN_UNSUPPORTED;
    default:
        return otherwise;
    }
}

void return_code_put(char dst[static RETURN_CODE_TEXT_MAX], int code)
{
    if (code < 0)
        (void)snprintf(dst, RETURN_CODE_TEXT_MAX, "0x%08X", (unsigned)code);
    else
        (void)snprintf(dst, RETURN_CODE_TEXT_MAX, "%d", code);
}

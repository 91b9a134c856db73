/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Time zones: the names of Windows, as task sequences have them, and those of the IANA database
 */

#include <stdbool.h>

struct ts_time_zone {
    const char *name;  /* of the IANA database: "Asia/Kolkata" */
    const char *older; /* its name in older systems, NULL if it had no other */
};

/**
 * ts_time_zone_of() - the IANA name
 * @name: "W. Europe Standard Time", or an IANA name, in any case
 * @ret: literals, or @name itself if it is no name that is known here, but of the form of one: "Area/City". It is safe
 *       as a path
 *
 * Return: whether it is one.
 */
bool ts_time_zone_of(const char *name, struct ts_time_zone *ret);

/* Whether it is in the tables. */
bool ts_time_zone_is_known(const char *name);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Time zones: the names of Windows, as task sequences have them, and those of the IANA database
 */

/**
 * time_zone_of() - the IANA name
 * @name: "W. Europe Standard Time", or an IANA name, which comes back as it is
 *
 * Return: NULL if it is neither.
 */
const char *time_zone_of(const char *name);

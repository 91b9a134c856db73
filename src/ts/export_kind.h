/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a task sequence may refer to, as an export of Configuration Manager calls it
 */

enum ts_export_kind {
    TS_EXPORT_PACKAGE,
    TS_EXPORT_DRIVER_PACKAGE,
    TS_EXPORT_SEQUENCE,
    TS_EXPORT_OS_IMAGE,
    TS_EXPORT_BOOT_IMAGE,
    TS_EXPORT_OS_UPGRADE_PACKAGE,
    TS_EXPORT_APPLICATION,
    TS_EXPORT_UNKNOWN,
};

/* "SMS_ImagePackage": its class, and the folder of its object in a .zip. "" if it is unknown. */
const char *ts_export_class(enum ts_export_kind kind);
enum ts_export_kind ts_export_kind_of_class(const char *name);

/* "257": PackageType. "" if it has none. */
const char *ts_export_number(enum ts_export_kind kind);
enum ts_export_kind ts_export_kind_of_number(const char *number);

/* "os-image": what the site calls it. "" if it is unknown. */
const char *ts_export_word(enum ts_export_kind kind);
/* Of a word that is none: a package. */
enum ts_export_kind ts_export_kind_of_word(const char *word);

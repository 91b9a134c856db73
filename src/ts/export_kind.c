/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/export_kind.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"

static const struct {
    const char *class;
    const char *number;
    const char *word;
} kinds[] = {
    [TS_EXPORT_PACKAGE] = {"SMS_Package", "0", "package"},
    [TS_EXPORT_DRIVER_PACKAGE] = {"SMS_DriverPackage", "3", "driver-package"},
    [TS_EXPORT_SEQUENCE] = {"SMS_TaskSequencePackage", "4", "task-sequence"},
    [TS_EXPORT_OS_IMAGE] = {"SMS_ImagePackage", "257", "os-image"},
    [TS_EXPORT_BOOT_IMAGE] = {"SMS_BootImagePackage", "258", "boot-image"},
    [TS_EXPORT_OS_UPGRADE_PACKAGE] = {"SMS_OperatingSystemInstallPackage",
                                      "259",
                                      "os-upgrade-package"},
    [TS_EXPORT_APPLICATION] = {"SMS_Application", "", "application"},
    [TS_EXPORT_UNKNOWN] = {"", "", ""},
};

const char *ts_export_class(enum ts_export_kind kind)
{
    return kinds[kind].class;
}

enum ts_export_kind ts_export_kind_of_class(const char *name)
{
    for (size_t i = 0; i < TS_EXPORT_UNKNOWN; i++)
        if (bytes_eq_nocase(bytes_of(name), kinds[i].class))
            return (enum ts_export_kind)i;
    return bytes_eq_nocase(bytes_of(name), "SMS_ApplicationLatest") ? TS_EXPORT_APPLICATION
                                                                    : TS_EXPORT_UNKNOWN;
}

const char *ts_export_number(enum ts_export_kind kind)
{
    return kinds[kind].number;
}

enum ts_export_kind ts_export_kind_of_number(const char *number)
{
    for (size_t i = 0; number[0] != '\0' && i < TS_EXPORT_UNKNOWN; i++)
        if (strcmp(number, kinds[i].number) == 0)
            return (enum ts_export_kind)i;
    return TS_EXPORT_UNKNOWN;
}

const char *ts_export_word(enum ts_export_kind kind)
{
    return kinds[kind].word;
}

enum ts_export_kind ts_export_kind_of_word(const char *word)
{
    for (size_t i = 0; word[0] != '\0' && i < TS_EXPORT_UNKNOWN; i++)
        if (strcmp(word, kinds[i].word) == 0)
            return (enum ts_export_kind)i;
    return TS_EXPORT_PACKAGE;
}

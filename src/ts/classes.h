/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The classes of WMI that somebody fills, and what they are derived from
 */

#include <stdbool.h>

#define TS_CIMV2     "root\\cimv2"
#define TS_TPM       "root\\cimv2\\Security\\MicrosoftTpm"
#define TS_BITLOCKER "root\\cimv2\\Security\\MicrosoftVolumeEncryption"
#define TS_STORAGE   "root\\Microsoft\\Windows\\Storage"
#define TS_WMI       "root\\wmi"

/* Case and the kind of slash do not matter, nor a "\\.\" in front. */
bool ts_is_same_namespace(const char *a, const char *b);

/* Whether the agent on Linux fills this class, or the one that it stands for, as far as Linux can tell. */
bool ts_class_is_gathered(const char *namespace_name, const char *name);

/**
 * ts_class_of_base() - the one class that is derived from this one
 * @name: "CIM_ComputerSystem"
 *
 * Return: "Win32_ComputerSystem"; NULL if there is none, or several: their instances differ.
 */
const char *ts_class_of_base(const char *namespace_name, const char *name);

/* Whether it is that class or derived from it. */
bool ts_class_is_a(const char *name, const char *base);

/* What it is derived from directly; "" if that is not known, or nothing. */
const char *ts_class_superclass(const char *name);

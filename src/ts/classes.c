/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/classes.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "ts/compare.h"

enum {
    BASES_MAX = 6,
};

#define ELEMENT  "CIM_LogicalElement", "CIM_ManagedSystemElement"
#define DEVICE   "CIM_LogicalDevice", ELEMENT
#define PHYSICAL "CIM_PhysicalElement", "CIM_ManagedSystemElement"

static const struct known_class {
    const char *name;
    const char *namespace_name;
    const char *bases[BASES_MAX]; /* the nearest first; as far as somebody asks for them */
} classes[] = {
    {"Win32_BIOS", TS_CIMV2, {"CIM_BIOSElement", "CIM_SoftwareElement", ELEMENT}},
    {"Win32_BaseBoard", TS_CIMV2, {"CIM_Card", "CIM_PhysicalPackage", PHYSICAL}},
    {"Win32_Battery", TS_CIMV2, {"CIM_Battery", DEVICE}},
    {"Win32_CDROMDrive", TS_CIMV2, {"CIM_CDROMDrive", "CIM_MediaAccessDevice", DEVICE}},
    {"Win32_ComputerSystem",
     TS_CIMV2,
     {"CIM_UnitaryComputerSystem", "CIM_ComputerSystem", "CIM_System", ELEMENT}},
    {"Win32_ComputerSystemProduct", TS_CIMV2, {"CIM_Product"}},
    {"Win32_DiskDrive", TS_CIMV2, {"CIM_DiskDrive", "CIM_MediaAccessDevice", DEVICE}},
    {"Win32_DiskPartition", TS_CIMV2, {"CIM_DiskPartition", "CIM_StorageExtent", DEVICE}},
    {"Win32_EncryptableVolume", TS_BITLOCKER, {NULL}},
    {"Win32_IDEController", TS_CIMV2, {"CIM_Controller", DEVICE}},
    {"Win32_LogicalDisk", TS_CIMV2, {"CIM_LogicalDisk", "CIM_StorageExtent", DEVICE}},
    {"Win32_NetworkAdapter", TS_CIMV2, {"CIM_NetworkAdapter", DEVICE}},
    {"Win32_NetworkAdapterConfiguration", TS_CIMV2, {"CIM_Setting"}},
    {"Win32_OperatingSystem", TS_CIMV2, {"CIM_OperatingSystem", ELEMENT}},
    {"Win32_PhysicalMemory", TS_CIMV2, {"CIM_PhysicalMemory", "CIM_Chip", PHYSICAL}},
    {"Win32_PnPEntity", TS_CIMV2, {DEVICE}},
    {"Win32_Processor", TS_CIMV2, {"CIM_Processor", DEVICE}},
    {"Win32_Product", TS_CIMV2, {"CIM_Product"}},
    {"Win32_SCSIController", TS_CIMV2, {"CIM_SCSIController", "CIM_Controller", DEVICE}},
    {"Win32_Service", TS_CIMV2, {"Win32_BaseService", "CIM_Service", ELEMENT}},
    {"Win32_SoundDevice", TS_CIMV2, {DEVICE}},
    {"Win32_SystemEnclosure", TS_CIMV2, {"CIM_Chassis", "CIM_PhysicalPackage", PHYSICAL}},
    {"Win32_TimeZone", TS_CIMV2, {"CIM_Setting"}},
    {"Win32_Tpm", TS_TPM, {NULL}},
    {"Win32_USBController", TS_CIMV2, {"CIM_USBController", "CIM_Controller", DEVICE}},
    {"Win32_VideoController",
     TS_CIMV2,
     {"CIM_PCVideoController", "CIM_VideoController", "CIM_Controller", DEVICE}},
    {"Win32_Volume", TS_CIMV2, {"CIM_StorageVolume", "CIM_StorageExtent", DEVICE}},
    {"MSFT_Disk", TS_STORAGE, {"MSFT_StorageObject"}},
    {"MSFT_PhysicalDisk", TS_STORAGE, {"MSFT_StorageFaultDomain", "MSFT_StorageObject"}},
    {"MS_SystemInformation", TS_WMI, {NULL}},
};

static unsigned char fold(char c)
{
    unsigned char u = c == '/' ? '\\' : (unsigned char)c;

    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

/* Behind "\\.\" or "\\", which say which computer. */
static const char *skip_computer(const char *name)
{
    if (fold(name[0]) != '\\')
        return name;
    while (fold(name[0]) == '\\')
        name++;
    if (name[0] == '.' && fold(name[1]) == '\\')
        name += 2;
    return name;
}

bool ts_is_same_namespace(const char *a, const char *b)
{
    a = skip_computer(a);
    b = skip_computer(b);
    for (; *a && fold(*a) == fold(*b); a++)
        b++;
    if (*a == '\0' && fold(*b) == '\\') /* one at the end */
        b++;
    else if (*b == '\0' && fold(*a) == '\\')
        a++;
    return *a == '\0' && *b == '\0';
}

static const struct known_class *find(const char *name)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (ts_compare_text(classes[i].name, name) == 0)
            return &classes[i];
    return NULL;
}

static bool is_in(const struct known_class *c, const char *namespace_name)
{
    return ts_is_same_namespace(namespace_name[0] != '\0' ? namespace_name : TS_CIMV2,
                                c->namespace_name);
}

static bool is_derived(const struct known_class *c, const char *base)
{
    for (size_t i = 0; i < BASES_MAX && c->bases[i]; i++)
        if (ts_compare_text(c->bases[i], base) == 0)
            return true;
    return false;
}

const char *ts_class_of_base(const char *namespace_name, const char *name)
{
    const char *found = NULL;

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (!is_in(&classes[i], namespace_name) || !is_derived(&classes[i], name))
            continue;
        if (found)
            return NULL;
        found = classes[i].name;
    }
    return found;
}

bool ts_class_is_gathered(const char *namespace_name, const char *name)
{
    const struct known_class *c = find(name);

    return c ? is_in(c, namespace_name) : ts_class_of_base(namespace_name, name) != NULL;
}

/* Of a class that is not in the table: "CIM_X" is what "Win32_X" is derived from. */
static bool is_namesake(const char *name, const char *base)
{
    static const char own[] = "Win32_";
    static const char cim[] = "CIM_";

    return strncmp(name, own, sizeof(own) - 1) == 0 && strlen(base) >= sizeof(cim) &&
           bytes_eq_nocase((struct bytes){(const uint8_t *)base, sizeof(cim) - 1}, cim) &&
           ts_compare_text(name + sizeof(own) - 1, base + sizeof(cim) - 1) == 0;
}

bool ts_class_is_a(const char *name, const char *base)
{
    const struct known_class *c = find(name);

    return ts_compare_text(name, base) == 0 || (c ? is_derived(c, base) : is_namesake(name, base));
}

const char *ts_class_superclass(const char *name)
{
    const struct known_class *c = find(name);

    return c && c->bases[0] ? c->bases[0] : "";
}

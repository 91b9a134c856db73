/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/facts/parts.h"
#include "agent/run/sysfs.h"
#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "format/smbios/smbios.h"

enum {
    DMI_MAX = 1024 * 1024,
    TYPE_BIOS = 0,
    TYPE_SYSTEM = 1,
    TYPE_BOARD = 2,
    TYPE_ENCLOSURE = 3,
    TYPE_PROCESSOR = 4,
    TYPE_OEM_STRINGS = 11,
    TYPE_MEMORY = 17,
    TYPE_SECURITY = 24,
    TYPE_END = 127,
    CHASSIS_MASK = 0x7f, /* the other bit: there is a lock */
    ARCHITECTURE_X64 = 9,
    BITS_OF_X64 = 64,
    CPU_STATUS_MASK = 7,
    PROCESSOR_CENTRAL = 3, /* Win32_Processor.ProcessorType */
    MEMORY_IN_KB = 0x8000,
    MEMORY_IS_EXTENDED = 0x7fff,
    MEMORY_UNKNOWN = 0xffff,
    KB = 1024,
    MB = 1024 * 1024,
    ENTRY_VERSION_2 = 6, /* where the version is, behind "_SM_" */
    ENTRY_VERSION_3 = 7, /* the same, behind "_SM3_" */
};

/* A string of the structure as a property. */
static void put_text(struct gather *g,
                     struct ts_instance *i,
                     const char *name,
                     const struct smbios_structure *s,
                     size_t offset)
{
    char text[SMBIOS_TEXT_MAX];

    smbios_text(s, offset, text);
    gather_text(g, i, name, text);
}

/* "01/31/2024" as a CIM date */
static void put_date(struct gather *g, struct ts_instance *i, const struct smbios_structure *s)
{
    char text[SMBIOS_TEXT_MAX];
    char date[32] = "";

    smbios_text(s, 8, text);
    if (strlen(text) == 10 && text[2] == '/' && text[5] == '/')
        (void)snprintf(
            date, sizeof(date), "%.4s%.2s%.2s000000.000000+000", text + 6, text, text + 3);
    gather_text(g, i, "ReleaseDate", date);
}

static void put_bios(struct gather *g, const struct smbios_structure *s)
{
    struct ts_instance *i = gather_add(g, "Win32_BIOS");
    char version[SMBIOS_TEXT_MAX];

    smbios_text(s, 5, version);
    put_text(g, i, "Manufacturer", s, 4);
    gather_text(g, i, "SMBIOSBIOSVersion", version);
    gather_text(g, i, "Version", version);
    gather_text(g, i, "Name", version);
    gather_text(g, i, "Caption", version);
    ts_instance_add_array(g->table, i, "BIOSVersion");
    if (version[0] != '\0')
        ts_instance_add_text(g->table, i, "BIOSVersion", version);
    put_date(g, i, s);
    gather_number(g, i, "SystemBiosMajorVersion", smbios_number(s, 0x14, 1));
    gather_number(g, i, "SystemBiosMinorVersion", smbios_number(s, 0x15, 1));
    ts_instance_add_boolean(g->table, i, "PrimaryBIOS", true);
    ts_instance_add_boolean(g->table, i, "SMBIOSPresent", true);
    gather_text(g, i, "SerialNumber", g->machine->serial);
    gather_number(g, i, "EmbeddedControllerMajorVersion", smbios_number(s, 0x16, 1));
    gather_number(g, i, "EmbeddedControllerMinorVersion", smbios_number(s, 0x17, 1));
    gather_text(g, i, "Description", version);
    gather_text(g, i, "SoftwareElementID", version);
    gather_text(g, i, "Status", "OK");
    gather_nulls(g,
                 i,
                 "BuildNumber CurrentLanguage IdentificationCode InstallDate LanguageEdition "
                 "OtherTargetOS TargetOperatingSystem");
}

static void put_product(struct gather *g, const struct smbios_structure *s)
{
    struct ts_instance *i = gather_add(g, "Win32_ComputerSystemProduct");
    char uuid[UUID_TEXT_MAX] = "";

    for (size_t k = 0; g->machine->uuid[k] != '\0' && k < UUID_TEXT_MAX - 1; k++)
        uuid[k] = (char)(g->machine->uuid[k] >= 'a' ? g->machine->uuid[k] - ('a' - 'A')
                                                    : g->machine->uuid[k]);
    put_text(g, i, "Vendor", s, 4);
    put_text(g, i, "Name", s, 5);
    put_text(g, i, "Version", s, 6);
    put_text(g, i, "IdentifyingNumber", s, 7);
    put_text(g, i, "SKUNumber", s, 0x19);
    gather_text(g, i, "UUID", uuid);
    gather_text(g, i, "Caption", "Computer System Product");
    gather_text(g, i, "Description", "Computer System Product");
}

/* What Win32_ComputerSystem has of the same structure. */
static void put_system(struct gather *g, const struct smbios_structure *s)
{
    struct ts_instance *i = gather_add(g, "Win32_ComputerSystem");

    put_text(g, i, "Manufacturer", s, 4);
    put_text(g, i, "Model", s, 5);
    put_text(g, i, "SystemSKUNumber", s, 0x19);
    put_text(g, i, "SystemFamily", s, 0x1a);
    gather_number(g, i, "WakeUpType", smbios_number(s, 0x18, 1));
    put_product(g, s);
}

static void put_board(struct gather *g, const struct smbios_structure *s)
{
    struct ts_instance *i = gather_add(g, "Win32_BaseBoard");

    put_text(g, i, "Manufacturer", s, 4);
    put_text(g, i, "Product", s, 5);
    put_text(g, i, "Version", s, 6);
    put_text(g, i, "SerialNumber", s, 7);
    gather_text(g, i, "Name", "Base Board");
    gather_text(g, i, "Tag", "Base Board");
    gather_text(g, i, "Caption", "Base Board");
    gather_text(g, i, "Description", "Base Board");
    gather_text(g, i, "Status", "OK");
    ts_instance_add_boolean(g->table, i, "HostingBoard", true);
    ts_instance_add_boolean(g->table, i, "PoweredOn", true);
    gather_nulls(g, i, "Model PartNumber SKU OtherIdentifyingInfo");
}

static void put_enclosure(struct gather *g, const struct smbios_structure *s)
{
    struct ts_instance *i = gather_add(g, "Win32_SystemEnclosure");
    unsigned chassis = (unsigned)smbios_number(s, 5, 1);

    if (g->chassis == 0)
        g->chassis = chassis & CHASSIS_MASK;
    ts_instance_add_array(g->table, i, "ChassisTypes");
    gather_number(g, i, "ChassisTypes", chassis & CHASSIS_MASK);
    ts_instance_add_boolean(g->table, i, "LockPresent", (chassis & ~(unsigned)CHASSIS_MASK) != 0);
    put_text(g, i, "Manufacturer", s, 4);
    put_text(g, i, "Version", s, 6);
    put_text(g, i, "SerialNumber", s, 7);
    put_text(g, i, "SMBIOSAssetTag", s, 8);
    gather_text(g, i, "Name", "System Enclosure");
    gather_text(g, i, "Tag", "System Enclosure 0");
    gather_text(g, i, "Caption", "System Enclosure");
    gather_text(g, i, "Description", "System Enclosure");
    gather_number(g, i, "SecurityStatus", smbios_number(s, 0x0c, 1));
    gather_nulls(g, i, "Model PartNumber SKU SecurityBreach Status");
}

/* EDX and EAX of CPUID 1, as Windows writes them. */
static uint64_t processor_id(const struct smbios_structure *s)
{
    return smbios_number(s, 0x0c, 4) << 32 | smbios_number(s, 0x08, 4);
}

static void put_processor(struct gather *g, const struct smbios_structure *s, unsigned index)
{
    struct ts_instance *i = gather_add(g, "Win32_Processor");
    char id[32];

    (void)snprintf(id, sizeof(id), "CPU%u", index);
    gather_text(g, i, "DeviceID", id);
    gather_text(g, i, "Name", g->machine->cpu);
    put_text(g, i, "Manufacturer", s, 7);
    put_text(g, i, "SocketDesignation", s, 4);
    gather_number(g, i, "Family", smbios_number(s, 6, 1));
    gather_number(g, i, "ExtClock", smbios_number(s, 0x12, 2));
    gather_number(g, i, "MaxClockSpeed", smbios_number(s, 0x14, 2));
    gather_number(g, i, "CurrentClockSpeed", smbios_number(s, 0x16, 2));
    gather_number(g, i, "NumberOfCores", smbios_number(s, 0x23, 1));
    gather_number(g, i, "NumberOfLogicalProcessors", smbios_number(s, 0x25, 1));
    gather_number(g, i, "AddressWidth", BITS_OF_X64);
    gather_number(g, i, "DataWidth", BITS_OF_X64);
    gather_number(g, i, "Architecture", ARCHITECTURE_X64);
    gather_text(g, i, "Role", "CPU");
    gather_number(g, i, "ProcessorType", PROCESSOR_CENTRAL);
    gather_number(g, i, "NumberOfEnabledCore", smbios_number(s, 0x24, 1));
    gather_number(g, i, "ThreadCount", smbios_number(s, 0x25, 1));
    gather_number(g, i, "UpgradeMethod", smbios_number(s, 0x19, 1));
    gather_number(g, i, "CpuStatus", smbios_number(s, 0x18, 1) & CPU_STATUS_MASK);
    gather_text(g, i, "Caption", g->machine->cpu);
    gather_text(g, i, "Description", g->machine->cpu);
    gather_text(g, i, "Status", "OK");
    put_text(g, i, "SerialNumber", s, 0x20);
    put_text(g, i, "AssetTag", s, 0x21);
    put_text(g, i, "PartNumber", s, 0x22);
    gather_nulls(g,
                 i,
                 "L2CacheSize L3CacheSize Level Revision Stepping Version LoadPercentage UniqueId "
                 "VoltageCaps CurrentVoltage");
    (void)snprintf(id, sizeof(id), "%016" PRIX64, processor_id(s));
    gather_text(g, i, "ProcessorId", id);
}

/* Bytes; 0: the slot is empty or nobody knows. */
static uint64_t memory_bytes(const struct smbios_structure *s)
{
    uint64_t size = smbios_number(s, 0x0c, 2);

    if (size == MEMORY_UNKNOWN)
        return 0;
    if (size == MEMORY_IS_EXTENDED)
        return smbios_number(s, 0x1c, 4) * MB;
    return size & MEMORY_IN_KB ? (size & ~(uint64_t)MEMORY_IN_KB) * KB : size * MB;
}

static void put_memory(struct gather *g, const struct smbios_structure *s, unsigned index)
{
    struct ts_instance *i;
    char tag[32];

    if (memory_bytes(s) == 0)
        return;
    i = gather_add(g, "Win32_PhysicalMemory");
    (void)snprintf(tag, sizeof(tag), "Physical Memory %u", index);
    gather_text(g, i, "Tag", tag);
    gather_number(g, i, "Capacity", memory_bytes(s));
    gather_number(g, i, "Speed", smbios_number(s, 0x15, 2));
    gather_number(g, i, "SMBIOSMemoryType", smbios_number(s, 0x12, 1));
    gather_number(g, i, "FormFactor", smbios_number(s, 0x0e, 1));
    put_text(g, i, "DeviceLocator", s, 0x10);
    put_text(g, i, "BankLabel", s, 0x11);
    put_text(g, i, "Manufacturer", s, 0x17);
    put_text(g, i, "SerialNumber", s, 0x18);
    put_text(g, i, "PartNumber", s, 0x1a);
    put_text(g, i, "AssetTag", s, 0x19);
    gather_number(g, i, "TotalWidth", smbios_number(s, 0x08, 2));
    gather_number(g, i, "DataWidth", smbios_number(s, 0x0a, 2));
    gather_number(g, i, "TypeDetail", smbios_number(s, 0x13, 2));
    gather_number(g, i, "ConfiguredClockSpeed", smbios_number(s, 0x20, 2));
    gather_number(g, i, "ConfiguredVoltage", smbios_number(s, 0x26, 2));
    gather_text(g, i, "Name", "Physical Memory");
    gather_text(g, i, "Caption", "Physical Memory");
    gather_text(g, i, "Description", "Physical Memory");
    gather_nulls(g, i, "Model SKU Status HotSwappable Removable InterleavePosition MemoryType");
}

static void put_version(struct gather *g)
{
    OWN(buf_fini) struct buf entry = BUF_INIT(SYS_FILE_MAX);
    const struct ts_class *c = ts_table_find(g->table, TS_CIMV2, "Win32_BIOS");
    size_t at = 0;

    sys_read(g->root, "sys/firmware/dmi/tables/smbios_entry_point", &entry);
    if (entry.len > ENTRY_VERSION_3 + 1 && memcmp(entry.ptr, "_SM3_", 5) == 0)
        at = ENTRY_VERSION_3;
    else if (entry.len > ENTRY_VERSION_2 + 1 && memcmp(entry.ptr, "_SM_", 4) == 0)
        at = ENTRY_VERSION_2;
    if (at == 0 || !c || c->n_instances == 0)
        return;
    gather_number(g, c->instances[0], "SMBIOSMajorVersion", (uint8_t)entry.ptr[at]);
    gather_number(g, c->instances[0], "SMBIOSMinorVersion", (uint8_t)entry.ptr[at + 1]);
}

/* A property of the first instance of a class, under another name. */
static void copy_property(struct gather *g,
                          struct ts_instance *to,
                          const char *name,
                          const char *class_name,
                          const char *property)
{
    const struct ts_class *c = ts_table_find(g->table, TS_CIMV2, class_name);

    gather_text(
        g, to, name, c && c->n_instances > 0 ? ts_instance_text(c->instances[0], property) : "");
}

/* The same strings once more, where drivers' tools look for them. */
static void put_information(struct gather *g)
{
    static const struct {
        const char *name;
        const char *class_name;
        const char *property;
    } properties[] = {
        {"SystemManufacturer", "Win32_ComputerSystem", "Manufacturer"},
        {"SystemProductName", "Win32_ComputerSystem", "Model"},
        {"SystemFamily", "Win32_ComputerSystem", "SystemFamily"},
        {"SystemSKU", "Win32_ComputerSystem", "SystemSKUNumber"},
        {"SystemVersion", "Win32_ComputerSystemProduct", "Version"},
        {"BaseBoardManufacturer", "Win32_BaseBoard", "Manufacturer"},
        {"BaseBoardProduct", "Win32_BaseBoard", "Product"},
        {"BaseBoardVersion", "Win32_BaseBoard", "Version"},
        {"BIOSVendor", "Win32_BIOS", "Manufacturer"},
        {"BIOSVersion", "Win32_BIOS", "SMBIOSBIOSVersion"},
    };
    struct ts_instance *i =
        ts_class_add(g->table, ts_table_class(g->table, TS_WMI, "MS_SystemInformation"));

    for (size_t k = 0; k < sizeof(properties) / sizeof(properties[0]); k++)
        copy_property(g, i, properties[k].name, properties[k].class_name, properties[k].property);
}

/* The instance of the computer, which type 1 began; NULL: there was none. */
static struct ts_instance *computer(const struct gather *g)
{
    const struct ts_class *c = ts_table_find(g->table, TS_CIMV2, "Win32_ComputerSystem");

    return c && c->n_instances > 0 ? c->instances[0] : NULL;
}

static void put_oem_strings(struct gather *g, const struct smbios_structure *s)
{
    struct ts_instance *i = computer(g);
    struct bytes rest = s->strings;
    struct bytes string;

    if (!i)
        return;
    ts_instance_add_array(g->table, i, "OEMStringArray");
    while (bytes_take_cstr(&rest, &string) && string.len > 0) {
        char text[SMBIOS_TEXT_MAX];

        sys_copy_line(text, sizeof(text), string);
        ts_instance_add_text(g->table, i, "OEMStringArray", text);
    }
}

/* Passwords of the firmware: 0 none, 1 set, 2 not possible, 3 unknown; two bits each. */
static void put_security(struct gather *g, const struct smbios_structure *s)
{
    struct ts_instance *i = computer(g);
    uint64_t settings = smbios_number(s, 4, 1);

    if (!i)
        return;
    gather_number(g, i, "PowerOnPasswordStatus", settings >> 6 & 3);
    gather_number(g, i, "KeyboardPasswordStatus", settings >> 4 & 3);
    gather_number(g, i, "AdminPasswordStatus", settings >> 2 & 3);
    gather_number(g, i, "FrontPanelResetStatus", settings & 3);
}

static void put_structure(struct gather *g, const struct smbios_structure *s, unsigned index)
{
    switch (s->type) {
    case TYPE_BIOS:
        put_bios(g, s);
        break;
    case TYPE_SYSTEM:
        put_system(g, s);
        break;
    case TYPE_BOARD:
        put_board(g, s);
        break;
    case TYPE_ENCLOSURE:
        put_enclosure(g, s);
        break;
    case TYPE_PROCESSOR:
        put_processor(g, s, index);
        break;
    case TYPE_MEMORY:
        put_memory(g, s, index);
        break;
    case TYPE_OEM_STRINGS:
        put_oem_strings(g, s);
        break;
    case TYPE_SECURITY:
        put_security(g, s);
        break;
    default:
        break;
    }
}

void gather_smbios(struct gather *g)
{
    static const char *const classes[] = {"Win32_BIOS",
                                          "Win32_BaseBoard",
                                          "Win32_ComputerSystem",
                                          "Win32_ComputerSystemProduct",
                                          "Win32_PhysicalMemory",
                                          "Win32_Processor",
                                          "Win32_SystemEnclosure"};
    OWN(buf_fini) struct buf text = BUF_INIT(DMI_MAX);
    unsigned counts[TYPE_END] = {0};
    struct smbios_structure s;
    struct bytes table;

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        gather_class(g, classes[i]);
    sys_read(g->root, "sys/firmware/dmi/tables/DMI", &text);
    table = buf_bytes(&text);
    while (smbios_take(&table, &s) && s.type != TYPE_END) {
        bool is_single =
            s.type < TYPE_PROCESSOR; /* a second board or enclosure is a part of the first */

        if (s.type < TYPE_END && (!is_single || counts[s.type] == 0))
            put_structure(g, &s, counts[s.type]);
        if (s.type < TYPE_END)
            counts[s.type]++;
    }
    put_version(g);
    put_information(g);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What an inventory says of a computer whose agent registered no facts. */

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/machine_facts.h"
#include "ts/facts.h"
#include "ts/facts_json.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_table *, ts_table_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* An instance of a class of root\cimv2. */
static struct ts_instance *instance(struct ts_table *table, const char *class_name)
{
    return ts_class_add(table, ts_table_class(table, TS_CIMV2, class_name));
}

static void put(struct ts_table *table, struct ts_instance *i, const char *name, const char *text)
{
    if (text[0] != '\0')
        ts_instance_add_text(table, i, name, text);
    else
        ts_instance_add_null(table, i, name);
}

static void put_number(struct ts_table *table,
                       struct ts_instance *i,
                       const char *name,
                       const json_t *from,
                       const char *member)
{
    ts_instance_add_number(table, i, name, json_integer_value(json_object_get(from, member)));
}

static void put_system(struct ts_table *table, const json_t *inventory)
{
    const json_t *smbios = json_object_get(inventory, "smbios");
    struct ts_instance *system = instance(table, "Win32_ComputerSystem");
    struct ts_instance *product = instance(table, "Win32_ComputerSystemProduct");

    put(table, system, "Manufacturer", text_in(smbios, "manufacturer"));
    put(table, system, "Model", text_in(smbios, "model"));
    put_number(table, system, "TotalPhysicalMemory", inventory, "memory_bytes");
    put_number(table, system, "NumberOfLogicalProcessors", inventory, "n_cpus");
    put(table, system, "SystemType", "x64-based PC");
    put(table, product, "Vendor", text_in(smbios, "manufacturer"));
    put(table, product, "Name", text_in(smbios, "model"));
    put(table, product, "IdentifyingNumber", text_in(smbios, "serial"));
    put(table, product, "UUID", text_in(smbios, "uuid"));
    put(table, instance(table, "Win32_BIOS"), "SerialNumber", text_in(smbios, "serial"));
    put(table,
        instance(table, "Win32_SystemEnclosure"),
        "SMBIOSAssetTag",
        text_in(smbios, "asset_tag"));
    put(table, instance(table, "Win32_Processor"), "Name", text_in(inventory, "cpu"));
}

static void put_disks(struct ts_table *table, const json_t *disks)
{
    for (size_t i = 0; i < json_array_size(disks); i++) {
        const json_t *disk = json_array_get(disks, i);
        struct ts_instance *drive = instance(table, "Win32_DiskDrive");

        ts_instance_add_number(table, drive, "Index", (int64_t)i);
        put(table, drive, "Model", text_in(disk, "model"));
        put(table, drive, "SerialNumber", text_in(disk, "serial"));
        put_number(table, drive, "Size", disk, "size_bytes");
        put_number(table, drive, "BytesPerSector", disk, "sector_bytes");
    }
}

static void put_parts(struct ts_table *table, const json_t *inventory)
{
    const json_t *nics = json_object_get(inventory, "nics");
    struct ts_class *tpms = ts_table_class(table, TS_TPM, "Win32_Tpm");
    const char *tpm = text_in(inventory, "tpm");

    put_disks(table, json_object_get(inventory, "disks"));
    for (size_t i = 0; i < json_array_size(nics); i++) {
        struct ts_instance *nic = instance(table, "Win32_NetworkAdapterConfiguration");

        ts_instance_add_number(table, nic, "Index", (int64_t)i);
        put(table, nic, "MACAddress", text_in(json_array_get(nics, i), "mac"));
    }
    if (tpm[0] != '\0' && strcmp(tpm, "none") != 0) {
        struct ts_instance *i = ts_class_add(table, tpms);

        ts_instance_add_text(
            table, i, "SpecVersion", strcmp(tpm, "2.0") == 0 ? "2.0, 0, 1.38" : "1.2, 2, 3");
        ts_instance_add_boolean(table, i, "IsEnabled_InitialValue", true);
    }
}

static int put_variables(struct ts_vars *vars, const json_t *inventory)
{
    const json_t *smbios = json_object_get(inventory, "smbios");
    const json_t *macs = json_object_get(inventory, "macs");
    const char *firmware = text_in(inventory, "firmware");
    OWN(buf_fini) struct buf list = BUF_INIT(TS_VAR_VALUE_MAX);
    int r;

    for (size_t i = 0; i < json_array_size(macs) && json_is_string(json_array_get(macs, i)); i++)
        buf_addf(&list, "%s%s", i > 0 ? "," : "", json_string_value(json_array_get(macs, i)));

    const char *const values[][2] = {
        {"_SMSTSMake", text_in(smbios, "manufacturer")},
        {"_SMSTSModel", text_in(smbios, "model")},
        {"_SMSTSSerialNumber", text_in(smbios, "serial")},
        {"_SMSTSAssetTag", text_in(smbios, "asset_tag")},
        {"_SMSTSUUID", text_in(smbios, "uuid")},
        {"_SMSTSMacAddresses", buf_str(&list)},
        {"_SMSTSBootUEFI", strcmp(firmware, "uefi") == 0 ? "true" : "false"},
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        r = ts_vars_set(vars, values[i][0], values[i][1], TS_BY_ENGINE);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

int machine_facts_of_inventory(const json_t *inventory, json_t **ret)
{
    OWN(ts_table_freep) struct ts_table *table = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    int r = ts_table_new(&table);

    if (r == 0)
        r = ts_vars_new(&vars);
    if (r == 0 && json_is_object(inventory)) {
        put_system(table, inventory);
        put_parts(table, inventory);
        r = put_variables(vars, inventory);
    }
    if (r == 0 && ts_table_failed(table))
        r = -ENOMEM;
    if (r < 0)
        return TRACE(r);

    const struct ts_facts_file file = {table, vars, 0};

    return TRACE(ts_facts_json(&file, ret));
}

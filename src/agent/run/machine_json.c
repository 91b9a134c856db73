/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/machine.h"

#include <errno.h>

#include "base/err.h"
#include "base/own.h"

static json_t *mac_json(const uint8_t mac[static MAC_BYTES])
{
    char text[MAC_TEXT_MAX];

    mac_put(text, mac);
    return json_string(text);
}

/* Each of these returns NULL when memory is out; json_pack() then fails as a whole. */
static json_t *disks_json(const struct machine *machine)
{
    json_t *disks = json_array();

    for (size_t i = 0; i < machine->n_disks; i++) {
        const struct machine_disk *disk = &machine->disks[i];

        if (json_array_append_new(disks,
                                  json_pack("{ss ss ss sI si sb}",
                                            "name",
                                            disk->name,
                                            "model",
                                            disk->model,
                                            "serial",
                                            disk->serial,
                                            "size_bytes",
                                            (json_int_t)disk->size_bytes,
                                            "sector_bytes",
                                            (int)disk->sector_bytes,
                                            "is_removable",
                                            (int)disk->is_removable)) != 0) {
            json_decref(disks);
            return NULL;
        }
    }
    return disks;
}

static json_t *nics_json(const struct machine *machine)
{
    json_t *nics = json_array();

    for (size_t i = 0; i < machine->n_nics; i++) {
        const struct machine_nic *nic = &machine->nics[i];

        if (json_array_append_new(nics,
                                  json_pack("{ss so ss sb}",
                                            "name",
                                            nic->name,
                                            "mac",
                                            mac_json(nic->mac),
                                            "driver",
                                            nic->driver,
                                            "has_link",
                                            (int)nic->has_link)) != 0) {
            json_decref(nics);
            return NULL;
        }
    }
    return nics;
}

static json_t *macs_json(const struct machine *machine)
{
    json_t *macs = json_array();

    for (size_t i = 0; i < machine->n_nics; i++) {
        if (json_array_append_new(macs, mac_json(machine->nics[i].mac)) != 0) {
            json_decref(macs);
            return NULL;
        }
    }
    return macs;
}

static const char *tpm_word(enum machine_tpm tpm)
{
    switch (tpm) {
    case MACHINE_TPM_1_2:
        return "1.2";
    case MACHINE_TPM_2_0:
        return "2.0";
    case MACHINE_TPM_NONE:
    default:
        return "none";
    }
}

int machine_to_json(const struct machine *machine, json_t **ret)
{
    OWN(json_decrefp)
    json_t *smbios = json_pack("{ss ss ss ss ss}",
                               "uuid",
                               machine->uuid,
                               "serial",
                               machine->serial,
                               "manufacturer",
                               machine->manufacturer,
                               "model",
                               machine->model,
                               "asset_tag",
                               machine->asset_tag);
    json_t *json = json_pack("{so so sO ss sb ss ss si sI so so ss}",
                             "macs",
                             macs_json(machine),
                             "boot_mac",
                             machine->has_boot_mac ? mac_json(machine->boot_mac) : json_null(),
                             "smbios",
                             smbios,
                             "firmware",
                             machine->is_uefi ? "uefi" : "bios",
                             "secure_boot",
                             (int)machine->is_secure_boot,
                             "arch",
                             machine->is_64_bit ? "x64" : "x86",
                             "cpu",
                             machine->cpu,
                             "n_cpus",
                             (int)machine->n_cpus,
                             "memory_bytes",
                             (json_int_t)machine->memory_bytes,
                             "disks",
                             disks_json(machine),
                             "nics",
                             nics_json(machine),
                             "tpm",
                             tpm_word(machine->tpm));

    if (!json)
        return ERR(-ENOMEM);
    *ret = json;
    return 0;
}

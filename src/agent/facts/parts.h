/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* The parts of gathering; for agent/facts/ only. Each fills the classes it is named after. */

#include <stdint.h>

#include "agent/run/machine.h"
#include "ts/facts.h"

struct gather {
    const char *root;
    const struct machine *machine;
    struct ts_table *table;
    unsigned chassis; /* SMBIOS type of the enclosure; 0 unknown; set by the first of these: */
};

void gather_smbios(
    struct gather *g); /* BIOS, BaseBoard, SystemEnclosure, Processor, PhysicalMemory, ... */
void gather_system(struct gather *g);  /* ComputerSystem, OperatingSystem, TimeZone, Battery, Tpm */
void gather_disks(struct gather *g);   /* DiskDrive, DiskPartition, LogicalDisk, Volume */
void gather_network(struct gather *g); /* NetworkAdapter, NetworkAdapterConfiguration */
void gather_devices(struct gather *g); /* PnPEntity, VideoController, USBController, ... */
void gather_storage(
    struct gather *g); /* behind disks: MSFT_Disk, EncryptableVolume, CDROMDrive, ... */
void gather_software(struct gather *g);                      /* Product, Service; packages */
void gather_domain(struct gather *g, struct ts_instance *i); /* of ComputerSystem */

/* An instance of a class of root\cimv2, which is made if need be. */
struct ts_instance *gather_add(struct gather *g, const char *class_name);

/* The class, even if it will have no instance. */
void gather_class(struct gather *g, const char *class_name);

/* Text, or null if it is empty. */
void gather_text(struct gather *g, struct ts_instance *i, const char *name, const char *text);
/* Null for each of these, separated by spaces: what Windows has and nobody here can tell. */
void gather_nulls(struct gather *g, struct ts_instance *i, const char *names);
void gather_number(struct gather *g, struct ts_instance *i, const char *name, uint64_t number);

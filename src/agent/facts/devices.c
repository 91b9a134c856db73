/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>

#include "agent/facts/parts.h"
#include "agent/run/sysfs.h"

#define PCI_FOLDER "sys/bus/pci/devices"

enum {
    ID_MAX = 32,
    DEVICES_MAX = 1024,
};

struct pci {
    char vendor[ID_MAX]; /* "8086", as all below: hexadecimal, in capitals */
    char device[ID_MAX];
    char subsystem_vendor[ID_MAX];
    char subsystem_device[ID_MAX];
    char revision[ID_MAX];
    char class_code[ID_MAX]; /* "030000" */
};

/* "0x8086" as "8086", as Windows writes it. */
static void
read_id(const struct gather *g, const char *name, const char *file, char dst[static ID_MAX])
{
    char text[ID_MAX];
    size_t n = 0;

    sys_line(g->root, PCI_FOLDER, name, file, text, sizeof(text));
    for (const char *p = strncmp(text, "0x", 2) == 0 ? text + 2 : text; *p != '\0'; p++)
        dst[n++] = (char)(*p >= 'a' && *p <= 'f' ? *p - ('a' - 'A') : *p);
    dst[n] = '\0';
}

static void read_pci(const struct gather *g, const char *name, struct pci *ret)
{
    read_id(g, name, "vendor", ret->vendor);
    read_id(g, name, "device", ret->device);
    read_id(g, name, "subsystem_vendor", ret->subsystem_vendor);
    read_id(g, name, "subsystem_device", ret->subsystem_device);
    read_id(g, name, "revision", ret->revision);
    read_id(g, name, "class", ret->class_code);
}

/* What Windows calls the class of such a device; "" if nothing of its own. */
static const char *pnp_class(const struct pci *pci)
{
    static const struct {
        const char *code;
        const char *name;
    } classes[] = {{"01", "SCSIAdapter"},
                   {"02", "Net"},
                   {"03", "Display"},
                   {"04", "MEDIA"},
                   {"0C03", "USB"},
                   {"06", "System"}};

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strncmp(pci->class_code, classes[i].code, strlen(classes[i].code)) == 0)
            return classes[i].name;
    return "";
}

static void put_video(struct gather *g, const char *id)
{
    struct ts_instance *i = gather_add(g, "Win32_VideoController");

    gather_text(g, i, "PNPDeviceID", id);
    ts_instance_add_null(g->table, i, "Name");
    ts_instance_add_null(g->table, i, "AdapterRAM");
    ts_instance_add_null(g->table, i, "DriverVersion");
}

static void put_device(struct gather *g, const char *name)
{
    struct ts_instance *i;
    struct pci pci;
    char id[6 * ID_MAX + 64];
    char short_id[2 * ID_MAX + 32];

    read_pci(g, name, &pci);
    if (pci.vendor[0] == '\0')
        return;
    (void)snprintf(short_id, sizeof(short_id), "PCI\\VEN_%s&DEV_%s", pci.vendor, pci.device);
    (void)snprintf(id,
                   sizeof(id),
                   "%s&SUBSYS_%s%s&REV_%s",
                   short_id,
                   pci.subsystem_device,
                   pci.subsystem_vendor,
                   pci.revision);
    i = gather_add(g, "Win32_PnPEntity");
    gather_text(g, i, "DeviceID", id);
    gather_text(g, i, "PNPDeviceID", id);
    gather_text(g, i, "PNPClass", pnp_class(&pci));
    ts_instance_add_array(g->table, i, "HardwareID");
    gather_text(g, i, "HardwareID", id);
    gather_text(g, i, "HardwareID", short_id);
    gather_number(g, i, "ConfigManagerErrorCode", 0);
    ts_instance_add_null(g->table, i, "Name");
    ts_instance_add_null(g->table, i, "Manufacturer");
    if (strncmp(pci.class_code, "03", 2) == 0)
        put_video(g, id);
}

void gather_devices(struct gather *g)
{
    struct dirent **names = NULL;
    int n = sys_list(g->root, PCI_FOLDER, &names);

    gather_class(g, "Win32_PnPEntity");
    gather_class(g, "Win32_VideoController");
    for (int i = 0; i < n && i < DEVICES_MAX; i++)
        if (names[i]->d_name[0] != '.')
            put_device(g, names[i]->d_name);
    sys_free_names(&names, n);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>

#include "agent/facts/parts.h"
#include "agent/run/sysfs.h"

#define PCI_FOLDER "sys/bus/pci/devices"
#define USB_FOLDER "sys/bus/usb/devices"

enum {
    ID_MAX = 32,
    NAME_MAX_BYTES = 128,
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
static void read_id(const struct gather *g,
                    const char *folder,
                    const char *name,
                    const char *file,
                    char dst[static ID_MAX])
{
    char text[ID_MAX];
    size_t n = 0;

    sys_line(g->root, folder, name, file, text, sizeof(text));
    for (const char *p = strncmp(text, "0x", 2) == 0 ? text + 2 : text; *p != '\0'; p++)
        dst[n++] = (char)(*p >= 'a' && *p <= 'f' ? *p - ('a' - 'A') : *p);
    dst[n] = '\0';
}

static void read_pci(const struct gather *g, const char *name, struct pci *ret)
{
    read_id(g, PCI_FOLDER, name, "vendor", ret->vendor);
    read_id(g, PCI_FOLDER, name, "device", ret->device);
    read_id(g, PCI_FOLDER, name, "subsystem_vendor", ret->subsystem_vendor);
    read_id(g, PCI_FOLDER, name, "subsystem_device", ret->subsystem_device);
    read_id(g, PCI_FOLDER, name, "revision", ret->revision);
    read_id(g, PCI_FOLDER, name, "class", ret->class_code);
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

/* Who made it, for the makers that conditions ask about; "" for all others: the list of all is not in a boot image. */
static const char *maker_of(const char *vendor)
{
    static const struct {
        const char *id;
        const char *name;
    } makers[] = {
        {"1002", "Advanced Micro Devices, Inc."},
        {"1022", "Advanced Micro Devices, Inc."},
        {"10DE", "NVIDIA"},
        {"10EC", "Realtek"},
        {"1234", "QEMU"},
        {"1414", "Microsoft"},
        {"144D", "Samsung"},
        {"14E4", "Broadcom"},
        {"15AD", "VMware"},
        {"15B7", "SanDisk"},
        {"168C", "Qualcomm Atheros"},
        {"17CB", "Qualcomm"},
        {"1AF4", "Red Hat, Inc."},
        {"1B36", "Red Hat, Inc."},
        {"8086", "Intel Corporation"},
        {"80EE", "VirtualBox"},
    };

    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
        if (strcmp(makers[i].id, vendor) == 0)
            return makers[i].name;
    return "";
}

/* The class of its own that a device has beside PnPEntity; NULL if none. */
static const char *own_class(const struct pci *pci)
{
    static const struct {
        const char *code;
        const char *name;
    } classes[] = {
        {"0101", "Win32_IDEController"},
        {"0106", "Win32_IDEController"}, /* AHCI: so does Windows */
        {"01", "Win32_SCSIController"},
        {"03", "Win32_VideoController"},
        {"0401", "Win32_SoundDevice"},
        {"0403", "Win32_SoundDevice"},
        {"0C03", "Win32_USBController"},
    };

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strncmp(pci->class_code, classes[i].code, strlen(classes[i].code)) == 0)
            return classes[i].name;
    return NULL;
}

static void put_own_class(struct gather *g, const struct pci *pci, const char *id, const char *name)
{
    const char *class_name = own_class(pci);
    struct ts_instance *i;

    if (!class_name)
        return;
    i = gather_add(g, class_name);
    gather_text(g, i, "DeviceID", id);
    gather_text(g, i, "PNPDeviceID", id);
    gather_text(g, i, "Name", name);
    gather_text(g, i, "Caption", name);
    gather_text(g, i, "Status", "OK");
    if (strncmp(pci->class_code, "03", 2) != 0) {
        gather_text(g, i, "Manufacturer", maker_of(pci->vendor));
        return;
    }
    gather_text(g, i, "AdapterCompatibility", maker_of(pci->vendor));
    ts_instance_add_null(g->table, i, "VideoProcessor");
    ts_instance_add_null(g->table, i, "AdapterRAM");
    ts_instance_add_null(g->table, i, "DriverVersion");
    ts_instance_add_null(g->table, i, "CurrentHorizontalResolution");
    ts_instance_add_null(g->table, i, "CurrentVerticalResolution");
}

/* What every device has. @short_id: without revision or serial number */
static void put_entity(struct gather *g,
                       const char *id,
                       const char *short_id,
                       const char *name,
                       const char *maker,
                       const char *class_name)
{
    struct ts_instance *i = gather_add(g, "Win32_PnPEntity");

    gather_text(g, i, "DeviceID", id);
    gather_text(g, i, "PNPDeviceID", id);
    gather_text(g, i, "PNPClass", class_name);
    ts_instance_add_array(g->table, i, "HardwareID");
    gather_text(g, i, "HardwareID", id);
    gather_text(g, i, "HardwareID", short_id);
    gather_number(g, i, "ConfigManagerErrorCode", 0);
    gather_text(g, i, "Status", "OK");
    gather_text(g, i, "Name", name);
    gather_text(g, i, "Caption", name);
    gather_text(g, i, "Manufacturer", maker);
    ts_instance_add_null(g->table, i, "Service");
}

static void put_pci(struct gather *g, const char *name)
{
    struct pci pci;
    char id[6 * ID_MAX + 64];
    char short_id[2 * ID_MAX + 32];
    char title[NAME_MAX_BYTES + 2 * ID_MAX] = "";

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
    if (maker_of(pci.vendor)[0] != '\0')
        (void)snprintf(title,
                       sizeof(title),
                       "%s %s [%s:%s]",
                       maker_of(pci.vendor),
                       pnp_class(&pci),
                       pci.vendor,
                       pci.device);
    put_entity(g, id, short_id, title, maker_of(pci.vendor), pnp_class(&pci));
    put_own_class(g, &pci, id, title);
}

/* An interface of a device has no ids of its own, and is left out. */
static void put_usb(struct gather *g, const char *name)
{
    char vendor[ID_MAX];
    char product[ID_MAX];
    char serial[NAME_MAX_BYTES];
    char title[NAME_MAX_BYTES];
    char maker[NAME_MAX_BYTES];
    char id[2 * ID_MAX + NAME_MAX_BYTES + 32];
    char short_id[2 * ID_MAX + 32];

    read_id(g, USB_FOLDER, name, "idVendor", vendor);
    read_id(g, USB_FOLDER, name, "idProduct", product);
    if (vendor[0] == '\0')
        return;
    sys_line(g->root, USB_FOLDER, name, "serial", serial, sizeof(serial));
    sys_line(g->root, USB_FOLDER, name, "product", title, sizeof(title));
    sys_line(g->root, USB_FOLDER, name, "manufacturer", maker, sizeof(maker));
    (void)snprintf(short_id, sizeof(short_id), "USB\\VID_%s&PID_%s", vendor, product);
    (void)snprintf(id, sizeof(id), "%s\\%s", short_id, serial[0] != '\0' ? serial : name);
    put_entity(g, id, short_id, title, maker, "USB");
}

static void
each_device(struct gather *g, const char *folder, void (*put)(struct gather *g, const char *name))
{
    struct dirent **names = NULL;
    int n = sys_list(g->root, folder, &names);

    for (int i = 0; i < n && i < DEVICES_MAX; i++)
        if (names[i]->d_name[0] != '.')
            put(g, names[i]->d_name);
    sys_free_names(&names, n);
}

void gather_devices(struct gather *g)
{
    static const char *const classes[] = {"Win32_PnPEntity",
                                          "Win32_VideoController",
                                          "Win32_IDEController",
                                          "Win32_SCSIController",
                                          "Win32_SoundDevice",
                                          "Win32_USBController"};

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        gather_class(g, classes[i]);
    each_device(g, PCI_FOLDER, put_pci);
    each_device(g, USB_FOLDER, put_usb);
}

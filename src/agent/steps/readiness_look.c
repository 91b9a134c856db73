/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "agent/run/machine.h"
#include "agent/run/sysfs.h"
#include "agent/run/target.h"
#include "agent/steps/readiness.h"
#include "agent/steps/step.h"
#include "base/bytes.h"
#include "base/own.h"
#include "ts/facts.h"

enum {
    MIB = 1024 * 1024,
    CPUINFO_MAX_BYTES = 4 * 1024 * 1024,
    KHZ_PER_MHZ = 1000,
    DRIVE_FIXED = 3,        /* Win32_LogicalDisk.DriveType */
    STATUS_DISCHARGING = 1, /* Win32_Battery.BatteryStatus */
    LINE_MAX_BYTES = 128,
    BITS_32 = 32,
    BITS_64 = 64,
};

static const struct ts_class *ask(const struct step_context *c, const char *name)
{
    return c->facts && c->facts->find_class ? c->facts->find_class(c->facts->ctx, TS_CIMV2, name)
                                            : NULL;
}

static uint64_t number_of(const struct ts_instance *i, const char *name)
{
    const struct ts_property *p = ts_instance_find(i, name);
    uint64_t n = 0;

    if (!p || p->n_values == 0)
        return 0;
    if (p->values[0].kind == TS_SCALAR_NUMBER)
        return p->values[0].number > 0 ? (uint64_t)p->values[0].number : 0;
    if (p->values[0].text) /* WMI gives numbers of 64 bits as text */
        (void)bytes_parse_u64(bytes_of(p->values[0].text), 0, UINT64_MAX, &n);
    return n;
}

static uint64_t greatest(const struct ts_class *c, const char *name)
{
    uint64_t most = 0;

    for (size_t i = 0; c && i < c->n_instances; i++) {
        uint64_t n = number_of(c->instances[i], name);

        most = n > most ? n : most;
    }
    return most;
}

/* The modules, whose sizes are round; what the kernel has left of them counts if nobody lists the modules. */
static uint64_t find_memory(const struct step_context *c)
{
    const struct ts_class *modules = ask(c, "Win32_PhysicalMemory");
    const uint64_t usable = greatest(ask(c, "Win32_ComputerSystem"), "TotalPhysicalMemory");
    uint64_t sum = 0;

    for (size_t i = 0; modules && i < modules->n_instances; i++)
        sum += number_of(modules->instances[i], "Capacity");
    return (sum > usable ? sum : usable) / MIB;
}

/* "cpu MHz		: 2900.000" */
static uint64_t speed_now(const char *root)
{
    static const char name[] = "\ncpu MHz";
    OWN(buf_fini) struct buf text = BUF_INIT(CPUINFO_MAX_BYTES);
    const char *line;
    uint64_t mhz = 0;

    sys_read(root, "proc/cpuinfo", &text);
    line = strstr(buf_str(&text), name);
    if (!line)
        return 0;
    line += sizeof(name) - 1;
    line += strspn(line, "\t :");
    (void)bytes_parse_u64(
        (struct bytes){(const uint8_t *)line, strspn(line, "0123456789")}, 0, UINT32_MAX, &mhz);
    return mhz;
}

static uint64_t find_speed(const char *root, const struct step_context *c)
{
    const uint64_t candidates[] = {
        greatest(ask(c, "Win32_Processor"), "MaxClockSpeed"),
        sys_number(root, "sys/devices/system/cpu/cpu0", "cpufreq", "cpuinfo_max_freq") /
            KHZ_PER_MHZ,
        speed_now(root),
    };
    uint64_t most = 0;

    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++)
        most = candidates[i] > most ? candidates[i] : most;
    return most;
}

static uint64_t find_disk(const struct step_context *c)
{
    const struct ts_class *volumes = ask(c, "Win32_LogicalDisk");
    const struct ts_class *disks = ask(c, "Win32_DiskDrive");
    uint64_t most = 0;

    for (size_t i = 0; volumes && i < volumes->n_instances; i++) {
        const uint64_t n = number_of(volumes->instances[i], "FreeSpace");

        if (number_of(volumes->instances[i], "DriveType") == DRIVE_FIXED && n > most)
            most = n;
    }
    for (size_t i = 0; disks && i < disks->n_instances; i++) {
        const struct ts_instance *disk = disks->instances[i];
        const uint64_t n = number_of(disk, "Size");

        if (number_of(disk, "Partitions") == 0 && n > most &&
            strncmp(ts_instance_text(disk, "MediaType"), "Fixed", 5) == 0)
            most = n;
    }
    if (c->environment == STEP_IN_BOOT_IMAGE) { /* which mounts no volume before it needs it */
        const uint64_t n = target_most_free(c->machine);

        most = n > most ? n : most;
    }
    return most / MIB;
}

/* By its edition if the distribution has editions; where somebody can sign in on a screen it is a client. Without
   either nobody has said what the computer is for. */
static void look_at_kind(const char *root, struct readiness *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    bool has_edition;

    sys_read(root, "etc/os-release", &text);
    has_edition = strstr(buf_str(&text), "VARIANT_ID=") != NULL;
    ret->is_server = strstr(buf_str(&text), "VARIANT_ID=server") ||
                     strstr(buf_str(&text), "VARIANT_ID=\"server\"");
    ret->has_no_kind =
        !has_edition && !sys_exists(root, "etc/systemd", "system", "display-manager.service");
}

static void look_at_os(const char *root, const struct step_context *c, struct readiness *ret)
{
    const struct ts_class *systems = ask(c, "Win32_OperatingSystem");
    struct utsname name = {0};

    ret->has_os = c->environment == STEP_IN_FULL_OS;
    look_at_kind(root, ret);
    if (uname(&name) == 0)
        ret->os_bits = strstr(name.machine, "64") ? BITS_64 : BITS_32;
    if (!systems || systems->n_instances == 0)
        return;
    (void)snprintf(ret->os_version,
                   sizeof(ret->os_version),
                   "%.*s",
                   READINESS_TEXT_MAX - 1,
                   ts_instance_text(systems->instances[0], "Version"));
    ret->os_language = number_of(systems->instances[0], "OSLanguage");
}

/* A supply from outside is connected; or there is none to be seen, and no battery that is being emptied. */
static bool is_on_mains(const char *root, const struct step_context *c)
{
    static const char folder[] = "sys/class/power_supply";
    const struct ts_class *batteries = ask(c, "Win32_Battery");
    struct dirent **names = NULL;
    int n = sys_list(root, folder, &names);
    bool has_supply = false;
    bool is_online = false;

    for (int i = 0; i < n; i++) {
        char type[LINE_MAX_BYTES];

        sys_line(root, folder, names[i]->d_name, "type", type, sizeof(type));
        if (strcmp(type, "Mains") != 0 && strncmp(type, "USB", 3) != 0)
            continue;
        has_supply |= strcmp(type, "Mains") == 0;
        is_online |= sys_number(root, folder, names[i]->d_name, "online") > 0;
    }
    sys_free_names(&names, n);
    if (is_online || has_supply)
        return is_online;
    for (size_t i = 0; batteries && i < batteries->n_instances; i++)
        if (number_of(batteries->instances[i], "BatteryStatus") == STATUS_DISCHARGING)
            return false;
    return true;
}

/* Interfaces with hardware behind them. */
static void look_at_network(const char *root, struct readiness *ret)
{
    static const char folder[] = "sys/class/net";
    struct dirent **names = NULL;
    int n = sys_list(root, folder, &names);

    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name;

        if (name[0] == '.' || !sys_exists(root, folder, name, "device") ||
            sys_number(root, folder, name, "carrier") == 0)
            continue;
        ret->has_network = true;
        ret->is_wired |= !sys_exists(root, folder, name, "wireless") &&
                         !sys_exists(root, folder, name, "phy80211");
    }
    sys_free_names(&names, n);
}

void readiness_look(const char *root, const struct step_context *c, struct readiness *ret)
{
    *ret = (struct readiness){
        .memory_mib = find_memory(c),
        .speed_mhz = find_speed(root, c),
        .disk_mib = find_disk(c),
        .is_on_mains = is_on_mains(root, c),
        .is_uefi = c->machine->is_uefi,
        .has_tpm_2 = c->machine->tpm == MACHINE_TPM_2_0,
    };
    look_at_os(root, c, ret);
    look_at_network(root, ret);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/facts/parts.h"
#include "agent/run/sysfs.h"
#include "base/buf.h"
#include "base/own.h"

enum {
    CPUINFO_MAX = 4 * 1024 * 1024,
    OS_LINUX = 36, /* CIM_OperatingSystem.OSType */
    KB = 1024,
    S_PER_MIN = 60,
    LCID_EN_US = 1033,
    LOCALE_LEN = 5, /* "de_DE" */
    PC_DESKTOP = 1, /* Win32_ComputerSystem.PCSystemType */
    PC_MOBILE = 2,
    PC_SERVER = 4,
    TEXT_MAX = 256,
};

static unsigned pc_system_type(unsigned chassis)
{
    static const unsigned mobile[] = {8, 9, 10, 11, 14, 30, 31, 32};
    static const unsigned server[] = {17, 23, 28, 29};

    for (size_t i = 0; i < sizeof(mobile) / sizeof(mobile[0]); i++)
        if (mobile[i] == chassis)
            return PC_MOBILE;
    for (size_t i = 0; i < sizeof(server) / sizeof(server[0]); i++)
        if (server[i] == chassis)
            return PC_SERVER;
    return PC_DESKTOP;
}

static void read_host_name(const struct gather *g, char dst[static TEXT_MAX])
{
    sys_line(g->root, "proc/sys", "kernel", "hostname", dst, TEXT_MAX);
}

/* The instance that SMBIOS has begun, or a new one. */
static struct ts_instance *find_system(struct gather *g)
{
    const struct ts_class *c = ts_table_find(g->table, TS_CIMV2, "Win32_ComputerSystem");
    struct ts_instance *i = c && c->n_instances > 0 ? c->instances[0] : NULL;

    if (!i) {
        i = gather_add(g, "Win32_ComputerSystem");
        gather_text(g, i, "Manufacturer", g->machine->manufacturer);
        gather_text(g, i, "Model", g->machine->model);
    }
    return i;
}

static bool is_virtual(const struct gather *g)
{
    OWN(buf_fini) struct buf text = BUF_INIT(CPUINFO_MAX);

    sys_read(g->root, "proc/cpuinfo", &text);
    return strstr(buf_str(&text), " hypervisor") != NULL;
}

static void put_computer(struct gather *g)
{
    static const char *const of_firmware[] = {"AdminPasswordStatus",
                                              "FrontPanelResetStatus",
                                              "KeyboardPasswordStatus",
                                              "OEMStringArray",
                                              "PowerOnPasswordStatus",
                                              "SystemFamily",
                                              "SystemSKUNumber",
                                              "WakeUpType"};
    struct ts_instance *i = find_system(g);
    const struct ts_class *processors = ts_table_find(g->table, TS_CIMV2, "Win32_Processor");
    size_t n_sockets = processors ? processors->n_instances : 0;
    char name[TEXT_MAX];

    read_host_name(g, name);
    gather_text(g, i, "Name", name);
    gather_text(g, i, "Caption", name);
    gather_text(g, i, "DNSHostName", name);
    gather_domain(g, i);
    gather_number(g, i, "TotalPhysicalMemory", g->machine->memory_bytes);
    gather_number(g, i, "NumberOfProcessors", n_sockets > 0 ? n_sockets : 1);
    gather_number(g, i, "NumberOfLogicalProcessors", g->machine->n_cpus);
    gather_number(g, i, "PCSystemType", pc_system_type(g->chassis));
    gather_number(g, i, "PCSystemTypeEx", pc_system_type(g->chassis));
    gather_text(g, i, "SystemType", "x64-based PC");
    gather_text(g, i, "BootupState", "Normal boot");
    ts_instance_add_boolean(g->table, i, "HypervisorPresent", is_virtual(g));
    gather_text(g, i, "Description", "AT/AT COMPATIBLE");
    gather_text(g, i, "Status", "OK");
    ts_instance_add_boolean(g->table, i, "BootROMSupported", true);
    ts_instance_add_boolean(g->table, i, "NetworkServerModeEnabled", true);
    gather_nulls(
        g,
        i,
        "UserName PrimaryOwnerName PrimaryOwnerContact Roles ChassisSKUNumber CurrentTimeZone "
        "DaylightInEffect AutomaticManagedPagefile InstallDate");
    for (size_t k = 0; k < sizeof(of_firmware) / sizeof(of_firmware[0]); k++)
        if (!ts_instance_find(i, of_firmware[k]))
            ts_instance_add_null(g->table, i, of_firmware[k]);
}

/* The value of "NAME=value" or NAME="value" in a file of such lines. */
static void
read_setting(const struct gather *g, const char *path, const char *name, char dst[static TEXT_MAX])
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    size_t len = strlen(name);

    dst[0] = '\0';
    sys_read(g->root, path, &text);
    for (const char *line = buf_str(&text); *line != '\0';) {
        size_t n = strcspn(line, "\n");

        if (n > len && strncmp(line, name, len) == 0 && line[len] == '=') {
            const char *value = line + len + 1;
            size_t size = n - len - 1;

            if (size >= 2 && *value == '"' && value[size - 1] == '"') {
                value++;
                size -= 2;
            }
            sys_copy_line(dst, TEXT_MAX, (struct bytes){(const uint8_t *)value, size});
        }
        line += n + (line[n] == '\n' ? 1 : 0);
    }
}

/* "de_DE.UTF-8"; "" when it is set to none. */
static void read_locale(const struct gather *g, char dst[static TEXT_MAX])
{
    read_setting(g, "etc/locale.conf", "LANG", dst);
    if (dst[0] == '\0')
        read_setting(g, "etc/default/locale", "LANG", dst);
}

/* Of the locale that the system is set to; en-US when it is set to none. */
static unsigned find_language(const struct gather *g)
{
    static const struct {
        const char *locale;
        unsigned lcid;
    } languages[] = {
        {"cs_CZ", 1029}, {"da_DK", 1030}, {"de_DE", 1031}, {"el_GR", 1032}, {"en_US", 1033},
        {"fi_FI", 1035}, {"fr_FR", 1036}, {"he_IL", 1037}, {"hu_HU", 1038}, {"it_IT", 1040},
        {"ja_JP", 1041}, {"ko_KR", 1042}, {"nl_NL", 1043}, {"nb_NO", 1044}, {"pl_PL", 1045},
        {"pt_BR", 1046}, {"ro_RO", 1048}, {"ru_RU", 1049}, {"hr_HR", 1050}, {"sk_SK", 1051},
        {"sv_SE", 1053}, {"th_TH", 1054}, {"tr_TR", 1055}, {"uk_UA", 1058}, {"sl_SI", 1060},
        {"et_EE", 1061}, {"lv_LV", 1062}, {"lt_LT", 1063}, {"zh_TW", 1028}, {"zh_CN", 2052},
        {"de_CH", 2055}, {"en_GB", 2057}, {"es_MX", 2058}, {"fr_BE", 2060}, {"nl_BE", 2067},
        {"pt_PT", 2070}, {"es_ES", 3082}, {"en_AU", 3081}, {"de_AT", 3079}, {"fr_CA", 3084},
        {"en_CA", 4105}, {"fr_CH", 4108}, {"en_IE", 6153}, {"bg_BG", 1026}, {"ar_SA", 1025},
    };
    char locale[TEXT_MAX];

    read_locale(g, locale);
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
        if (strncmp(locale, languages[i].locale, strlen(languages[i].locale)) == 0)
            return languages[i].lcid;
    return LCID_EN_US;
}

/* "MemTotal:  123 kB" of /proc/meminfo, in kB */
static uint64_t read_memory(const struct gather *g, const char *name)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    const char *line;
    uint64_t n = 0;

    sys_read(g->root, "proc/meminfo", &text);
    line = strstr(buf_str(&text), name);
    if (!line)
        return 0;
    line += strlen(name);
    line += strspn(line, ": \t");
    (void)bytes_parse_u64(
        (struct bytes){(const uint8_t *)line, strspn(line, "0123456789")}, 0, UINT64_MAX, &n);
    return n;
}

/* A moment as CIM writes it, with the offset of local time. */
static void put_time(struct gather *g, struct ts_instance *i, const char *name, time_t when)
{
    char text[64];
    char date[32];
    struct tm local;
    int offset_min;

    if (!localtime_r(&when, &local) || strftime(date, sizeof(date), "%Y%m%d%H%M%S", &local) == 0)
        return;
    offset_min = (int)(local.tm_gmtoff / S_PER_MIN);
    (void)snprintf(text,
                   sizeof(text),
                   "%s.000000%c%03d",
                   date,
                   offset_min < 0 ? '-' : '+',
                   offset_min < 0 ? -offset_min : offset_min);
    gather_text(g, i, name, text);
}

static time_t uptime_s(const struct gather *g)
{
    char text[TEXT_MAX];
    uint64_t n = 0;

    sys_line(g->root, "proc", ".", "uptime", text, sizeof(text));
    (void)bytes_parse_u64(
        (struct bytes){(const uint8_t *)text, strspn(text, "0123456789")}, 0, INT32_MAX, &n);
    return (time_t)n;
}

/* "0407", and "de-DE" in a list. */
static void put_languages(struct gather *g, struct ts_instance *i)
{
    char locale[TEXT_MAX] = "";
    char text[TEXT_MAX];

    (void)snprintf(text, sizeof(text), "%04x", find_language(g));
    gather_text(g, i, "Locale", text);
    read_locale(g, locale);
    if (strlen(locale) < LOCALE_LEN || locale[2] != '_')
        (void)snprintf(locale, sizeof(locale), "en_US");
    locale[2] = '-';
    locale[LOCALE_LEN] = '\0';
    ts_instance_add_array(g->table, i, "MUILanguages");
    ts_instance_add_text(g->table, i, "MUILanguages", locale);
}

static void put_system(struct gather *g)
{
    struct ts_instance *i = gather_add(g, "Win32_OperatingSystem");
    time_t now = time(NULL);
    char text[TEXT_MAX];

    read_setting(g, "etc/os-release", "PRETTY_NAME", text);
    gather_text(g, i, "Caption", text[0] != '\0' ? text : "Linux");
    read_setting(g, "etc/os-release", "VERSION_ID", text);
    gather_text(g, i, "Version", text);
    read_setting(g, "etc/os-release", "NAME", text);
    gather_text(g, i, "Manufacturer", text);
    read_host_name(g, text);
    gather_text(g, i, "CSName", text);
    gather_number(g, i, "OSType", OS_LINUX);
    gather_text(g, i, "OSArchitecture", "64-bit");
    gather_number(g, i, "OSLanguage", find_language(g));
    gather_number(g, i, "TotalVisibleMemorySize", g->machine->memory_bytes / KB);
    gather_number(g, i, "FreePhysicalMemory", read_memory(g, "MemAvailable"));
    ts_instance_add_boolean(g->table, i, "Primary", true);
    ts_instance_add_boolean(g->table, i, "PortableOperatingSystem", false);
    ts_instance_add_boolean(g->table, i, "Distributed", false);
    gather_text(g, i, "Status", "OK");
    put_languages(g, i);
    gather_nulls(
        g,
        i,
        "BuildType InstallDate SerialNumber RegisteredUser Organization CodeSet CountryCode "
        "BootDevice SystemDevice OtherTypeDescription Description Name "
        "DataExecutionPrevention_Available EncryptionLevel");
    put_time(g, i, "LocalDateTime", now);
    put_time(g, i, "LastBootUpTime", now - uptime_s(g));
    /* what only Windows has: a query about it selects nothing */
    ts_instance_add_null(g->table, i, "BuildNumber");
    ts_instance_add_null(g->table, i, "ProductType");
    ts_instance_add_null(g->table, i, "OperatingSystemSKU");
    ts_instance_add_null(g->table, i, "OSProductSuite");
    ts_instance_add_null(g->table, i, "SuiteMask");
    ts_instance_add_null(g->table, i, "ServicePackMajorVersion");
    ts_instance_add_null(g->table, i, "CSDVersion");
    ts_instance_add_null(g->table, i, "SystemDrive");
    ts_instance_add_null(g->table, i, "SystemDirectory");
    ts_instance_add_null(g->table, i, "WindowsDirectory");
}

static void put_time_zone(struct gather *g)
{
    struct ts_instance *i = gather_add(g, "Win32_TimeZone");
    time_t now = time(NULL);
    struct tm local;

    if (!localtime_r(&now, &local))
        return;
    ts_instance_add_number(g->table, i, "Bias", local.tm_gmtoff / S_PER_MIN);
    gather_text(g, i, "StandardName", local.tm_zone ? local.tm_zone : "");
    gather_text(g, i, "Caption", local.tm_zone ? local.tm_zone : "");
}

/* Win32_Battery.BatteryStatus */
static unsigned battery_status(const char *word)
{
    static const struct {
        const char *word;
        unsigned status;
    } words[] = {{"Discharging", 1}, {"Not charging", 2}, {"Full", 3}, {"Charging", 6}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].status;
    return 2; /* on mains, or unknown */
}

static void put_battery(struct gather *g, const char *name)
{
    static const char folder[] = "sys/class/power_supply";
    struct ts_instance *i;
    char text[TEXT_MAX];

    sys_line(g->root, folder, name, "type", text, sizeof(text));
    if (strcmp(text, "Battery") != 0)
        return;
    sys_line(g->root, folder, name, "scope", text, sizeof(text));
    if (strcmp(text, "Device") == 0) /* of a mouse or a headset */
        return;
    i = gather_add(g, "Win32_Battery");
    gather_text(g, i, "DeviceID", name);
    sys_line(g->root, folder, name, "model_name", text, sizeof(text));
    gather_text(g, i, "Name", text);
    gather_text(g, i, "Caption", "Internal Battery");
    sys_line(g->root, folder, name, "status", text, sizeof(text));
    gather_number(g, i, "BatteryStatus", battery_status(text));
    gather_number(g, i, "EstimatedChargeRemaining", sys_number(g->root, folder, name, "capacity"));
}

static void put_batteries(struct gather *g)
{
    struct dirent **names = NULL;
    int n = sys_list(g->root, "sys/class/power_supply", &names);

    gather_class(g, "Win32_Battery");
    for (int i = 0; i < n; i++)
        if (names[i]->d_name[0] != '.')
            put_battery(g, names[i]->d_name);
    sys_free_names(&names, n);
}

static void put_tpm(struct gather *g)
{
    struct ts_class *c = ts_table_class(g->table, TS_TPM, "Win32_Tpm");
    struct ts_instance *i;

    if (g->machine->tpm == MACHINE_TPM_NONE)
        return;
    i = ts_class_add(g->table, c);
    gather_text(
        g, i, "SpecVersion", g->machine->tpm == MACHINE_TPM_2_0 ? "2.0, 0, 1.38" : "1.2, 2, 3");
    /* the kernel shows only what the firmware has enabled */
    ts_instance_add_boolean(g->table, i, "IsEnabled_InitialValue", true);
    ts_instance_add_boolean(g->table, i, "IsActivated_InitialValue", true);
    ts_instance_add_null(g->table, i, "IsOwned_InitialValue");
    ts_instance_add_null(g->table, i, "ManufacturerIdTxt");
    ts_instance_add_null(g->table, i, "ManufacturerVersion");
}

void gather_system(struct gather *g)
{
    put_computer(g);
    put_system(g);
    put_time_zone(g);
    put_batteries(g);
    put_tpm(g);
}

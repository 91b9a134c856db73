/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/facts/facts.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/run/machine.h"
#include "base/buf.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/facts.h"
#include "ts/wql.h"

DEFINE_FREEP(struct ts_table *, ts_table_free);
DEFINE_FREEP(struct ts_query *, ts_query_free);

static char root[] = "/tmp/slipway-test-XXXXXX";

/* A laptop: BIOS, system, board, enclosure, one processor, one of two memory slots filled. */
static const char dmi[] =
    "\x00\x18\x00\x00\x01\x02\x00\xe8\x03\x00\0\0\0\0\0\0\0\0\0\0\x01\x07\0\0"
    "LENOVO\0N1MET56W\0"
    "05/14/2019\0\0"
    "\x01\x1b\x01\x00\x01\x02\x03\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x06\x05\x06"
    "LENOVO\0"
    "20HMS0AB00\0ThinkPad X270\0PF0ABCDE\0LENOVO_MT_20HM\0ThinkPad X270\0\0"
    "\x02\x08\x02\x00\x01\x02\x03\x04"
    "LENOVO\0"
    "20HM\0SDK0\0L1HF\0\0"
    "\x03\x09\x03\x00\x01\x8a\x00\x02\x03"
    "LENOVO\0PF0ABCDE\0No Asset Information\0\0"
    "\x04\x28\x04\x00\x01\x03\xc6\x02\0\0\0\0\0\0\0\0\0\0\x64\0\xf0\x0a\x28\x0a\0\0\0\0\0\0\0\0\0\0\0\x02\x02\x04\0\0"
    "U3E1\0GenuineIntel\0\0"
    "\x11\x1b\x05\x00\0\0\0\0\0\0\0\0\x00\x20\x0d\0\x01\x02\x1a\0\0\x60\x09\x03\0\0\x04"
    "ChannelA\0BANK 0\0Samsung\0M471A1K43BB1\0\0"
    "\x11\x1b\x06\x00\0\0\0\0\0\0\0\0\x00\x00\x0d\0\x01\x02\x1a\0\0\x60\x09\0\0\0\0"
    "ChannelB\0BANK 2\0\0"
    "\x0b\x05\x08\x00\x02"
    "the first\0the second\0\0"
    "\x18\x05\x09\x00\x06\0\0"
    "\x7f\x04\x07\x00\0";

static void put_bytes(const char *path, struct bytes content)
{
    char full[512];

    (void)snprintf(full, sizeof(full), "%s/%s", root, path);
    char *slash = strrchr(full, '/');

    *slash = '\0';
    assert_int_equal(dir_make(full, 0700), 0);
    *slash = '/';
    assert_int_equal(file_write(full, content, 0600), 0);
}

static void put(const char *path, const char *text)
{
    put_bytes(path, bytes_of(text));
}

/* The beginning of a device. */
static void put_head(const char *path, size_t at, const char *signature)
{
    uint8_t head[1024] = {0};

    for (size_t i = 0; signature[i] != '\0'; i++)
        head[at + i] = (uint8_t)signature[i];
    put_bytes(path, (struct bytes){head, sizeof(head)});
}

static int make_tree(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    put_bytes("sys/firmware/dmi/tables/DMI", (struct bytes){(const uint8_t *)dmi, sizeof(dmi)});
    put_bytes("sys/firmware/dmi/tables/smbios_entry_point",
              (struct bytes){(const uint8_t *)"_SM3_\0\x18\x03\x01\0\0\0", 12});
    put("sys/block/sda/size", "1000215216\n");
    put("sys/block/sda/removable", "0\n");
    put("sys/block/sda/queue/logical_block_size", "512\n");
    put("sys/block/sda/device/model", "SAMSUNG MZVLW512\n");
    put("sys/block/sda/sda1/partition", "1\n");
    put("sys/class/block/sda1/size", "2048\n");
    put("sys/class/block/sda1/start", "2048\n");
    put("sys/class/net/eth0/address", "52:54:00:77:00:ab\n");
    put("sys/class/net/eth0/type", "1\n");
    put("sys/class/net/eth0/carrier", "1\n");
    put("sys/class/net/eth0/speed", "1000\n");
    put("sys/class/net/eth0/device/x", "");
    put("sys/class/power_supply/BAT0/type", "Battery\n");
    put("sys/class/power_supply/BAT0/status", "Discharging\n");
    put("sys/class/power_supply/BAT0/capacity", "80\n");
    put("sys/class/power_supply/AC/type", "Mains\n");
    put("sys/class/tpm/tpm0/tpm_version_major", "2\n");
    put("sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n");
    put("sys/bus/pci/devices/0000:00:02.0/device", "0x591b\n");
    put("sys/bus/pci/devices/0000:00:02.0/subsystem_vendor", "0x17aa\n");
    put("sys/bus/pci/devices/0000:00:02.0/subsystem_device", "0x2245\n");
    put("sys/bus/pci/devices/0000:00:02.0/revision", "0x04\n");
    put("sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n");
    put("sys/block/sda/queue/rotational", "0\n");
    put("sys/block/sda/queue/physical_block_size", "4096\n");
    put("sys/block/sr0/device/vendor", "QEMU\n");
    put("sys/block/sr0/device/model", "QEMU DVD-ROM\n");
    put("sys/block/sr0/size", "0\n");
    put_head("dev/sda", 512, "EFI PART");
    put_head("dev/sda1", 3, "-FVE-FS-");
    put("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
    put("sys/bus/pci/devices/0000:01:00.0/device", "0x1c82\n");
    put("sys/bus/pci/devices/0000:01:00.0/class", "0x030200\n");
    put("sys/bus/usb/devices/1-1/idVendor", "046d\n");
    put("sys/bus/usb/devices/1-1/idProduct", "c31c\n");
    put("sys/bus/usb/devices/1-1/product", "USB Keyboard\n");
    put("sys/bus/usb/devices/1-1/manufacturer", "Logitech\n");
    put("sys/bus/usb/devices/1-1:1.0/bInterfaceClass", "03\n");
    put("etc/sssd/sssd.conf", "[sssd]\ndomains = lab.example.org\n");
    put("var/lib/dpkg/status",
        "Package: nginx\nStatus: install ok installed\nMaintainer: A B <a@b.example>\n"
        "Version: 1.22.1-9\nDescription: a\n Version: 9\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
        "Package: last\nStatus: install ok installed\nVersion: 2");
    put("usr/lib/systemd/systemd", "");
    put("usr/lib/systemd/system/ssh.service", "");
    put("usr/lib/systemd/system/getty@.service", "");
    put("usr/lib/systemd/system/idle.service", "");
    put("etc/systemd/system/multi-user.target.wants/ssh.service", "");
    put("sys/fs/cgroup/system.slice/ssh.service/cgroup.procs", "1\n");
    put("proc/sys/kernel/hostname", "lab-1\n");
    put("proc/cpuinfo", "processor\t: 0\nmodel name\t: A CPU\nflags\t: fpu hypervisor\n");
    put("proc/meminfo", "MemTotal:        8388608 kB\nMemAvailable: 1000 kB\n");
    put("proc/mounts", "/dev/sda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n");
    put("proc/net/route",
        "Iface\tDestination\tGateway\neth0\t00000000\t0100A8C0\t0003\neth0\t0000A8C0\t00000000\t1\n");
    put("etc/os-release",
        "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n");
    put("etc/default/locale", "LANG=de_DE.UTF-8\n");
    put("etc/resolv.conf",
        "# a\nsearch lab.example.org example.org\nnameserver 192.168.0.2\nnameserver 192.168.0.3\n");
    return 0;
}

static int drop_tree(void **state)
{
    (void)state;
    return dir_remove(root);
}

static struct ts_table *gather(void)
{
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));
    struct ts_table *table = NULL;

    assert_non_null(machine);
    assert_int_equal(machine_collect_from(root, machine), 0);
    assert_int_equal(facts_gather(root, machine, &table), 0);
    return table;
}

/* How many instances a query selects; -1: it cannot be answered. */
static int run(const struct ts_table *table, const char *text)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(ts_query_freep) struct ts_query *query = NULL;
    size_t n;

    assert_int_equal(ts_query_parse(text, &query, &why), 0);

    const char *space = strstr(text, "Win32_Tpm")                 ? TS_TPM
                        : strstr(text, "MSFT_")                   ? TS_STORAGE
                        : strstr(text, "MS_SystemInformation")    ? TS_WMI
                        : strstr(text, "Win32_EncryptableVolume") ? TS_BITLOCKER
                                                                  : TS_CIMV2;
    const struct ts_class *c = ts_table_find(table, space, ts_query_class(query));

    return c && ts_query_count(query, c, &n, &why) == 0 ? (int)n : -1;
}

static void facts_have_the_names_units_and_spellings_of_windows(void **state)
{
    (void)state;
    static const char *const true_ones[] = {
        "select * from Win32_ComputerSystem where Manufacturer = 'LENOVO' and Model like '20HM%'",
        "select * from Win32_ComputerSystem where PCSystemType = 2 and TotalPhysicalMemory > 8000000000",
        "select * from Win32_ComputerSystem where Name = 'LAB-1' and HypervisorPresent = true",
        "select * from Win32_ComputerSystem where SystemSKUNumber like 'LENOVO_MT_20HM%'",
        "select * from Win32_ComputerSystemProduct where Version like '%X270' and IdentifyingNumber = 'PF0ABCDE'",
        "select * from Win32_BIOS where SMBIOSBIOSVersion = 'N1MET56W' and ReleaseDate > '20190513'",
        "select * from Win32_BIOS where SMBIOSMajorVersion = 3 and SMBIOSMinorVersion = 1",
        "select * from Win32_BaseBoard where Product = '20HM'",
        "select * from Win32_SystemEnclosure where ChassisTypes = '10' and LockPresent = true",
        "select * from Win32_Processor where MaxClockSpeed >= 2800 and NumberOfCores = 2 and AddressWidth = 64",
        "select * from Win32_PhysicalMemory where Capacity = 8589934592 and Speed = 2400",
        "select * from Win32_OperatingSystem where OSLanguage = '1031' and Caption like '%Debian%'",
        "select * from Win32_DiskDrive where Index = 0 and Size = 512110190592 and Partitions = 1",
        "select * from Win32_DiskPartition where DiskIndex = 0 and StartingOffset = 1048576",
        "select * from Win32_LogicalDisk where DriveType = 3 and FileSystem = 'EXT4' and FreeSpace > 0",
        "select * from Win32_Volume where Capacity > 0",
        "select * from Win32_NetworkAdapter where NetConnectionStatus = 2 and Speed = 1000000000",
        "select * from Win32_NetworkAdapterConfiguration where MACAddress = '52:54:00:77:00:AB'",
        "select * from Win32_NetworkAdapterConfiguration where DefaultIPGateway = '192.168.0.1'",
        "select * from Win32_Battery where BatteryStatus = 1 and EstimatedChargeRemaining > 50",
        "select * from Win32_Tpm where SpecVersion like '2.0%' and IsEnabled_InitialValue = true",
        "select * from Win32_PnPEntity where DeviceID like 'PCI\\\\VEN_8086&DEV_591B&SUBSYS_224517AA%'",
        "select * from Win32_VideoController where PNPDeviceID like '%VEN_8086%'",
        "select * from Win32_TimeZone where Bias > -1000",
        "select * from MSFT_Disk where PartitionStyle = 2 and IsBoot = true and BusType = 1 and Number = 0",
        "select * from MSFT_PhysicalDisk where MediaType = 4 and PhysicalSectorSize = 4096",
        "select * from Win32_EncryptableVolume where ProtectionStatus = 2",
        "select * from Win32_CDROMDrive where Name like '%DVD%' and MediaLoaded = false",
        "select * from MS_SystemInformation where SystemSKU like 'LENOVO_MT_%' and BaseBoardProduct = '20HM'",
        "select * from Win32_ComputerSystem where PartOfDomain = true and Domain = 'lab.example.org' and DomainRole = 1",
        "select * from Win32_PnPEntity where DeviceID like 'USB\\\\VID_046D&PID_C31C%' and Manufacturer = 'Logitech'",
        "select * from Win32_VideoController where Name like '%NVIDIA%'",
        "select * from Win32_Product where Name = 'nginx' and Version like '1.22%'",
        "select * from Win32_Product where Name = 'last' and Version = '2'",
        "select * from Win32_Service where Name = 'ssh' and State = 'Running' and StartMode = 'Auto'",
        "select * from Win32_Service where Name = 'idle' and Started = false and StartMode = 'Manual'",
        "select * from Win32_Processor where ProcessorId is not null and ProcessorType = 3",
        "select * from Win32_NetworkAdapterConfiguration where DNSDomain = 'lab.example.org'",
        "select * from Win32_NetworkAdapterConfiguration where DNSServerSearchOrder = '192.168.0.3'",
        "select * from Win32_NetworkAdapterConfiguration where DNSDomainSuffixSearchOrder = 'example.org'",
        "select * from Win32_OperatingSystem where MUILanguages = 'de-DE' and Locale = '0407'",
        "select * from Win32_ComputerSystem where AdminPasswordStatus = 1 and PowerOnPasswordStatus = 0",
        "select * from Win32_ComputerSystem where OEMStringArray like '%second%' and WakeUpType = 6",
        "select * from Win32_BIOS where EmbeddedControllerMajorVersion = 0 and Status = 'OK'",
        "select * from Win32_DiskDrive where TotalSectors = 1000215216 and Signature is null",
        "select * from Win32_PhysicalMemory where PartNumber like 'M471%' and Name = 'Physical Memory'",
    };
    OWN(ts_table_freep) struct ts_table *table = gather();

    for (size_t i = 0; i < sizeof(true_ones) / sizeof(true_ones[0]); i++)
        if (run(table, true_ones[i]) != 1)
            fail_msg("%s: %d", true_ones[i], run(table, true_ones[i]));
}

static void what_only_windows_has_selects_nothing(void **state)
{
    (void)state;
    OWN(ts_table_freep) struct ts_table *table = gather();

    assert_int_equal(run(table, "select * from Win32_OperatingSystem where BuildNumber >= 19041"),
                     0);
    assert_int_equal(run(table, "select * from Win32_OperatingSystem where not ProductType = 1"),
                     0);
    assert_int_equal(run(table, "select * from Win32_Nothing"), -1);
}

static void every_class_that_is_said_to_be_gathered_is(void **state)
{
    (void)state;
    OWN(ts_table_freep) struct ts_table *table = gather();
    const struct ts_class *c;
    size_t n = 0;

    for (; (c = ts_table_at(table, n)); n++)
        if (strcmp(c->namespace_name, TS_OF_OURS) != 0 &&
            !ts_class_is_gathered(c->namespace_name, c->name))
            fail_msg("%s", c->name);
    assert_int_equal(n, 31); /* with the list of software */
}

static void packages_that_are_gone_and_templates_of_services_are_left_out(void **state)
{
    (void)state;
    OWN(ts_table_freep) struct ts_table *table = gather();
    struct ts_facts facts = ts_table_facts(table);
    struct ts_software_fact fact = {""};

    assert_int_equal(run(table, "select * from Win32_Product"), 2);
    assert_int_equal(run(table, "select * from Win32_Service"), 2);
    assert_int_equal(facts.find_package(table, "nginx", &fact), TS_KNOWN);
    assert_string_equal(fact.version, "1.22.1-9");
    assert_int_equal(facts.find_package(table, "gone", &fact), TS_MISSING);
}

static void an_empty_tree_gives_facts_all_the_same(void **state)
{
    (void)state;
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));
    OWN(ts_table_freep) struct ts_table *table = NULL;

    assert_int_equal(facts_gather("/nothing", machine, &table), 0);
    assert_int_equal(run(table, "select * from Win32_ComputerSystem"), 1);
    assert_int_equal(run(table, "select * from Win32_Battery"), 0);
    assert_int_equal(run(table, "select * from Win32_Product"), -1);
    assert_int_equal(run(table, "select * from Win32_Service"), -1);
    assert_int_equal(
        run(table,
            "select * from Win32_ComputerSystem where PartOfDomain = false and Domain = 'WORKGROUP'"),
        1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_have_the_names_units_and_spellings_of_windows),
        cmocka_unit_test(what_only_windows_has_selects_nothing),
        cmocka_unit_test(every_class_that_is_said_to_be_gathered_is),
        cmocka_unit_test(packages_that_are_gone_and_templates_of_services_are_left_out),
        cmocka_unit_test(an_empty_tree_gives_facts_all_the_same),
    };

    return cmocka_run_group_tests(tests, make_tree, drop_tree);
}

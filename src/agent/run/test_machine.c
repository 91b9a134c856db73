/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/machine.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

static char root[] = "/tmp/slipway-test-XXXXXX";

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

static void put_disk(const char *name, const char *size, const char *removable)
{
    static const char *const files[] = {"size", "removable", "queue/logical_block_size"};
    const char *values[] = {size, removable, "512\n"};
    char path[256];

    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "sys/block/%s/%s", name, files[i]);
        put(path, values[i]);
    }
    (void)snprintf(path, sizeof(path), "sys/block/%s/device/model", name);
    put(path, "  A model \n");
}

static int make_tree(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    put_disk("sda", "16777216\n", "1\n");
    put_disk("sdb", "8388608\n", "0\n");
    put_bytes("sys/block/sdb/device/vpd_pg80",
              (struct bytes){(const uint8_t *)"\0\x80\0\x06 SN-1\n", 10});
    put_disk("vda", "2097152\n", "0\n");
    put("sys/block/vda/serial", "lab");
    put_disk("sr0", "100\n", "1\n");
    put_disk("loop0", "100\n", "0\n");
    put_disk("mmcblk0boot0", "8192\n", "0\n");
    put_disk("sdc", "0\n", "0\n"); /* a card reader without a card */
    put("sys/class/net/eth0/address", "52:54:00:77:00:01\n");
    put("sys/class/net/eth0/type", "1\n");
    put("sys/class/net/eth0/carrier", "1\n");
    put("sys/class/net/eth0/device/x", "");
    put("sys/class/net/lo/address", "00:00:00:00:00:00\n");
    put("sys/class/net/lo/type", "772\n");
    put("sys/class/net/wlan0/address", "52:54:00:77:00:02\n");
    put("sys/class/net/wlan0/type", "1\n");
    put("sys/class/net/wlan0/device/x", "");
    put("sys/class/net/wlan0/wireless/x", "");
    put("proc/cpuinfo",
        "processor\t: 0\nmodel name\t: A CPU\nflags\t\t: fpu vme lm\n\nprocessor\t: 1\nmodel name\t: B\n");
    put("proc/meminfo", "MemTotal:        1024 kB\nMemFree: 1 kB\n");
    put("sys/class/tpm/tpm0/tpm_version_major", "2\n");
    put_bytes("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
              (struct bytes){(const uint8_t *)"\6\0\0\0\1", 5});
    put("proc/cmdline", "quiet slipway.mac=52:54:00:77:00:01 slipway.site=https://a:1 x\n");
    return 0;
}

static int drop_tree(void **state)
{
    (void)state;
    return dir_remove(root);
}

static void collect_lists_fixed_disks_first_and_nothing_that_is_no_disk(void **state)
{
    (void)state;
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));

    assert_int_equal(machine_collect_from(root, machine), 0);
    assert_int_equal(machine->n_disks, 3);
    assert_string_equal(machine->disks[0].name, "sdb");
    assert_string_equal(machine->disks[0].serial, "SN-1");
    assert_string_equal(machine->disks[0].model, "A model");
    assert_true(machine->disks[0].size_bytes == (uint64_t)8388608 * 512);
    assert_string_equal(machine->disks[1].name, "vda");
    assert_string_equal(machine->disks[1].serial, "lab");
    assert_string_equal(machine->disks[2].name, "sda");
    assert_true(machine->disks[2].is_removable);
}

/* A disk as sysfs has it: a link into the tree of the buses. */
static void put_disk_at(const char *place, const char *name)
{
    static const char *const files[] = {"size", "removable", "device/model"};
    static const char *const values[] = {"8388608\n", "0\n", "A model\n"};
    char path[256];
    char link[512];

    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "numbers/sys/devices/%s/%s/%s", place, name, files[i]);
        put(path, values[i]);
    }
    (void)snprintf(link, sizeof(link), "%s/numbers/sys/block", root);
    assert_int_equal(dir_make(link, 0700), 0);
    (void)snprintf(link, sizeof(link), "%s/numbers/sys/block/%s", root, name);
    (void)snprintf(path, sizeof(path), "../devices/%s/%s", place, name);
    assert_int_equal(symlink(path, link), 0);
}

static void disk_numbers_follow_the_place_and_not_who_was_found_first(void **state)
{
    (void)state;
    static const char *const expected[] = {"sdb", "sda", "nvme1n1"};
    static const char *const transports[] = {"sata", "sata", "nvme"};
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));
    char path[512];

    put_disk_at("pci0000:00/0000:00:1f.2/ata10/host9/block", "sda");
    put_disk_at("pci0000:00/0000:00:1f.2/ata2/host1/block", "sdb");
    put_disk_at("pci0000:01/0000:01:00.0/nvme/nvme1", "nvme1n1");
    put_disk_at("LNXSYSTM:00/ACPI0012:00/ndbus0/region0/block",
                "pmem0"); /* a RAM disk that booted */
    put_disk_at("pci0000:02/mmc0:aaaa/block", "mmcblk0");
    put("numbers/sys/devices/pci0000:02/mmc0:aaaa/block/mmcblk0/device/type", "SD\n");
    put_disk_at("virtual/nvme-subsystem/nvme-subsys0", "nvme0c0n1");
    put("numbers/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0c0n1/hidden", "1\n");
    (void)snprintf(path, sizeof(path), "%s/numbers", root);
    assert_int_equal(machine_collect_from(path, machine), 0);
    assert_int_equal(machine->n_disks, 4);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(machine->disks[i].name, expected[i]);
        assert_string_equal(machine->disks[i].transport, transports[i]);
    }
    assert_string_equal(machine->disks[3].transport, "mmc");
    assert_string_equal(machine->disks[3].name, "mmcblk0");
    assert_true(machine->disks[3].is_removable);
}

static void collect_lists_wired_interfaces_with_hardware(void **state)
{
    (void)state;
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));

    assert_int_equal(machine_collect_from(root, machine), 0);
    assert_int_equal(machine->n_nics, 1);
    assert_string_equal(machine->nics[0].name, "eth0");
    assert_true(machine->nics[0].has_link);
    assert_true(machine->has_boot_mac);
    assert_memory_equal(machine->boot_mac, machine->nics[0].mac, MAC_BYTES);
}

static void collect_reads_cpu_memory_firmware_and_tpm(void **state)
{
    (void)state;
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));

    assert_int_equal(machine_collect_from(root, machine), 0);
    assert_string_equal(machine->cpu, "A CPU");
    assert_int_equal(machine->n_cpus, 2);
    assert_int_equal(machine->memory_bytes, 1024 * 1024);
    assert_true(machine->is_uefi);
    assert_true(machine->is_secure_boot);
    assert_int_equal(machine->tpm, MACHINE_TPM_2_0);
}

static void collect_of_an_empty_tree_is_empty(void **state)
{
    (void)state;
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));

    assert_int_equal(machine_collect_from("/nonexistent", machine), 0);
    assert_int_equal(machine->n_disks, 0);
    assert_int_equal(machine->n_nics, 0);
    assert_false(machine->is_uefi);
    assert_false(machine->has_boot_mac);
}

static void json_has_every_field_of_the_registration(void **state)
{
    (void)state;
    static const char *const names[] = {
        "macs",
        "boot_mac",
        "smbios",
        "firmware",
        "secure_boot",
        "arch",
        "cpu",
        "n_cpus",
        "memory_bytes",
        "disks",
        "nics",
        "tpm",
    };
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));
    json_t *json = NULL;

    assert_int_equal(machine_collect_from(root, machine), 0);
    assert_int_equal(machine_to_json(machine, &json), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_non_null(json_object_get(json, names[i]));
    assert_int_equal(json_object_size(json), sizeof(names) / sizeof(names[0]));
    assert_string_equal(json_string_value(json_object_get(json, "boot_mac")), "52:54:00:77:00:01");
    assert_int_equal(json_array_size(json_object_get(json, "disks")), 3);
    json_decref(json);
}

static void an_adapter_has_the_addresses_of_this_moment(void **state)
{
    (void)state;
    json_t *nics = json_pack("[{s:s},{s:s}]", "name", "lo", "name", "nosuch0");
    const json_t *own;

    assert_non_null(nics);
    assert_int_equal(machine_add_addresses(nics), 0);
    own = json_object_get(json_array_get(nics, 0), "addresses");
    assert_string_equal(json_string_value(json_array_get(own, 0)), "127.0.0.1/8");
    own = json_object_get(json_array_get(nics, 1), "addresses");
    assert_true(json_is_array(own));
    assert_int_equal(json_array_size(own), 0);
    json_decref(nics);
}

/* The sanitizer sees whether anything is left. */
static void an_adapter_without_a_name_has_none(void **state)
{
    (void)state;
    json_t *nics = json_pack("[{s:s}]", "mac", "52:54:00:77:00:01");

    assert_non_null(nics);
    assert_int_equal(machine_add_addresses(nics), 0);
    assert_null(json_object_get(json_array_get(nics, 0), "addresses"));
    json_decref(nics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collect_lists_fixed_disks_first_and_nothing_that_is_no_disk),
        cmocka_unit_test(disk_numbers_follow_the_place_and_not_who_was_found_first),
        cmocka_unit_test(collect_lists_wired_interfaces_with_hardware),
        cmocka_unit_test(collect_reads_cpu_memory_firmware_and_tpm),
        cmocka_unit_test(collect_of_an_empty_tree_is_empty),
        cmocka_unit_test(json_has_every_field_of_the_registration),
        cmocka_unit_test(an_adapter_has_the_addresses_of_this_moment),
        cmocka_unit_test(an_adapter_without_a_name_has_none),
    };

    return cmocka_run_group_tests(tests, make_tree, drop_tree);
}

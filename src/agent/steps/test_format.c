/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/format_parts.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/run/machine.h"
#include "agent/steps/volumes.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/vars.h"

#define GIB ((uint64_t)1024 * 1024 * 1024)
#define MIB ((uint64_t)1024 * 1024)

static bool go_on(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    (void)ctx;
    (void)percent;
    (void)rate;
    (void)what;
    return true;
}

__attribute__((format(printf, 2, 3))) static void to_nobody(void *ctx, const char *format, ...)
{
    (void)ctx;
    (void)format;
}

static const struct ts_step step = {.type = "SMS_TaskSequence_PartitionDiskAction"};

static struct machine machine;
static struct step_target target;

static int set_up(void **state)
{
    struct ts_vars *vars = NULL;

    machine = (struct machine){.n_disks = 4};
    machine.disks[0] = (struct machine_disk){.name = "nvme0n1",
                                             .serial = "S1",
                                             .size_bytes = 256 * GIB,
                                             .sector_bytes = 512,
                                             .transport = "nvme"};
    machine.disks[1] = (struct machine_disk){.name = "sda",
                                             .serial = "WD-7",
                                             .size_bytes = 2000 * GIB,
                                             .sector_bytes = 4096,
                                             .transport = "sata"};
    machine.disks[2] = (struct machine_disk){.name = "sdb",
                                             .serial = "WD-8",
                                             .size_bytes = 4000 * GIB,
                                             .sector_bytes = 4096,
                                             .transport = "sata"};
    machine.disks[3] = (struct machine_disk){.name = "sdc",
                                             .serial = "WD-9",
                                             .size_bytes = 16 * GIB,
                                             .transport = "usb",
                                             .is_removable = true};
    target = (struct step_target){0};
    if (ts_vars_new(&vars) != 0)
        return -1;
    *state = vars;
    return 0;
}

static int tear_down(void **state)
{
    ts_vars_free(*state);
    return 0;
}

static void set(struct ts_vars *vars, const char *name, const char *value)
{
    assert_int_equal(ts_vars_set(vars, name, value, TS_BY_SEQUENCE), 0);
}

static struct step_context context(struct ts_vars *vars)
{
    return (struct step_context){.step = &step,
                                 .vars = vars,
                                 .machine = &machine,
                                 .target = &target,
                                 .environment = STEP_IN_BOOT_IMAGE,
                                 .step_name = "f",
                                 .progress = go_on,
                                 .log = to_nobody};
}

/* The name of the disk, or the id of the failure, or "none". */
static const char *chosen(struct ts_vars *vars)
{
    struct step_context c = context(vars);
    struct step_result result = {0};
    const struct machine_disk *disk = format_choose_disk(&c, &result);

    step_context_fini(&c);
    assert_false(disk && result.error_id);
    if (disk)
        return disk->name;
    return result.error_id ? result.error_id : "none";
}

static void a_disk_is_chosen_by_number_and_by_a_variable_that_holds_one(void **state)
{
    struct ts_vars *vars = *state;

    assert_string_equal(chosen(vars), "nvme0n1");
    set(vars, "OSDDiskIndex", "2");
    assert_string_equal(chosen(vars), "sdb");
    set(vars, "OSDDiskIndexVariable", "Which");
    assert_string_equal(chosen(vars), "SLW-0450"); /* it is not there: no other disk instead */
    set(vars, "Which", "1");
    assert_string_equal(chosen(vars), "sda");
    set(vars, "Which", "3"); /* removable */
    assert_string_equal(chosen(vars), "SLW-0450");
    set(vars, "Which", "10001");
    assert_string_equal(chosen(vars), "SLW-0450");
}

static void a_disk_is_chosen_by_serial_transport_and_size_before_its_number(void **state)
{
    struct ts_vars *vars = *state;

    set(vars, "OSDDiskIndex", "0");
    set(vars, "OSDDiskSerial", "wd-*");
    assert_string_equal(chosen(vars), "sda");
    set(vars, "OSDDiskPrefer", "largest");
    assert_string_equal(chosen(vars), "sdb");
    set(vars, "OSDDiskPrefer", "Only");
    assert_string_equal(chosen(vars), "SLW-0450");
    set(vars, "OSDDiskMaximumSize", "3000000");
    assert_string_equal(chosen(vars), "sda");
    set(vars, "OSDDiskTransport", "NVMe");
    assert_string_equal(chosen(vars), "SLW-0450");
    set(vars, "OSDDiskSerial", "");
    assert_string_equal(chosen(vars), "nvme0n1");
    set(vars, "OSDDiskTransport", "usb"); /* never */
    assert_string_equal(chosen(vars), "SLW-0454");
}

static void an_optional_step_does_nothing_without_its_disk(void **state)
{
    struct ts_vars *vars = *state;

    set(vars, "OSDDiskOptional", "true");
    set(vars, "OSDDiskIndex", "7");
    assert_string_equal(chosen(vars), "none");
    set(vars, "OSDDiskSerial", "absent");
    assert_string_equal(chosen(vars), "none");
    set(vars, "OSDDiskPrefer", "best");
    assert_string_equal(chosen(vars), "SLW-0454");
}

/* NULL, or the id of the failure. */
static const char *
planned(struct ts_vars *vars, size_t disk, bool is_for_os, struct disk_layout *layout)
{
    struct step_context c = context(vars);
    struct step_result result = {0};
    bool is_planned = format_plan(&c, &machine.disks[disk], is_for_os, layout, &result);

    step_context_fini(&c);
    assert_int_equal(is_planned, result.error_id == NULL);
    return result.error_id;
}

static void ntfs_is_ext4_on_the_volume_of_the_operating_system_only(void **state)
{
    struct ts_vars *vars = *state;
    OWN(freep) struct disk_layout *layout = calloc(1, sizeof(*layout));

    assert_non_null(layout);
    set(vars, "OSDPartitionStyle", "MBR");
    set(vars, "OSDPartitions0Type", "PRIMARY");
    set(vars, "OSDPartitions0FileSystem", "NTFS");
    set(vars, "OSDPartitions0Size", "499");
    set(vars, "OSDPartitions0Bootable", "true");
    set(vars, "OSDPartitions1Type", "PRIMARY");
    set(vars, "OSDPartitions1FileSystem", "NTFS");
    set(vars, "OSDPartitions1Size", "100");
    set(vars, "OSDPartitions1SizeUnits", "%");
    assert_null(planned(vars, 0, true, layout));
    assert_int_equal(layout->partitions[0].wish.file_system, DISK_FS_NTFS);
    assert_int_equal(layout->partitions[1].wish.file_system, DISK_FS_EXT4);
    assert_null(planned(vars, 1, false, layout));
    assert_int_equal(layout->partitions[1].wish.file_system, DISK_FS_NTFS);
    assert_int_equal(layout->sector_bytes, 4096);
}

static void a_uefi_computer_starts_from_gpt_with_an_efi_partition_only(void **state)
{
    struct ts_vars *vars = *state;
    OWN(freep) struct disk_layout *layout = calloc(1, sizeof(*layout));

    assert_non_null(layout);
    machine.is_uefi = true;
    set(vars, "OSDPartitions0Type", "Primary");
    set(vars, "OSDPartitions0FileSystem", "ext4");
    assert_string_equal(planned(vars, 0, true, layout), "SLW-0454");
    assert_null(planned(vars, 1, false, layout)); /* data */
    set(vars, "OSDGPTBootDisk", "true");
    assert_null(planned(vars, 0, true, layout));
    assert_int_equal(layout->partitions[0].wish.type, DISK_TYPE_EFI);
    set(vars, "OSDPartitionStyle", "MBR");
    assert_string_equal(planned(vars, 0, true, layout), "SLW-0454");
    set(vars, "OSDPartitionStyle", "APM");
    assert_string_equal(planned(vars, 0, true, layout), "SLW-0454");
}

static void names_are_cut_between_characters(void **state)
{
    struct ts_vars *vars = *state;
    OWN(freep) struct disk_layout *layout = calloc(1, sizeof(*layout));
    char name[128] = "";

    assert_non_null(layout);
    for (size_t i = 0; i < 40; i++)
        memcpy(name + 2 * i, "\xc3\xbc", 3);
    set(vars, "OSDPartitions0Type", "Primary");
    set(vars, "OSDPartitions0FileSystem", "ext4");
    set(vars, "OSDPartitions0VolumeName", name);
    assert_null(planned(vars, 0, true, layout));
    assert_int_equal(strlen(layout->partitions[0].wish.label), 72);
}

static void drives_are_the_next_free_letters_and_go_with_their_disk(void **state)
{
    struct ts_vars *vars = *state;
    struct volume v = {.disk = 0, .partition = 1, .device = "/dev/nvme0n1p1", .uuid = "a"};

    assert_int_equal(volumes_add(vars, &v, true), 0);
    assert_int_equal(v.letter, 'C');
    v = (struct volume){.disk = 1, .partition = 1, .device = "/dev/sda1", .uuid = "b"};
    assert_int_equal(volumes_add(vars, &v, true), 0);
    v = (struct volume){.disk = 0, .partition = 2, .device = "/dev/nvme0n1p2", .uuid = "c"};
    assert_int_equal(volumes_add(vars, &v, false), 0);
    assert_int_equal(v.letter, 0);
    assert_int_equal(volumes_find(vars, "d:", &v), 0);
    assert_string_equal(v.device, "/dev/sda1");
    assert_int_equal(volumes_find(vars, "/dev/nvme0n1p2", &v), 0);
    assert_int_equal(volumes_find_number(vars, 0, 2, &v), 0);
    assert_int_equal(volumes_find(vars, "", &v), VOLUMES_E_NONE);
    assert_int_equal(volumes_find(vars, "E:", &v), VOLUMES_E_NONE);
    assert_int_equal(volumes_forget(vars, 0), 0);
    assert_int_equal(volumes_find(vars, "C:", &v), VOLUMES_E_NONE);
    assert_int_equal(volumes_find(vars, "D:\\", &v), 0);
    assert_false(volumes_at(vars, 1, &v));
    for (const char *letter = "CEFGHIJKLMNOPQRSTUVWYZ"; *letter != '\0'; letter++) {
        v = (struct volume){.disk = 2, .partition = 1, .device = "/dev/sdb1"};
        assert_int_equal(volumes_add(vars, &v, true), 0);
        assert_int_equal(v.letter, *letter);
    }
    assert_int_equal(volumes_add(vars, &v, true), 0);
    assert_int_equal(v.letter, 0);
}

static void the_next_available_volume_is_lettered_has_no_data_and_is_not_of_the_system(void **state)
{
    struct ts_vars *vars = *state;
    const struct step_target to = {.root_uuid = "root", .esp_uuid = "esp"};
    struct volume v = {.partition = 1, .device = "/dev/sda1", .uuid = "esp"};

    assert_int_equal(volumes_next(vars, &to, &v), VOLUMES_E_NONE);
    v = (struct volume){.partition = 1, .device = "/dev/sda1", .uuid = "esp"};
    assert_int_equal(volumes_add(vars, &v, true), 0);
    v = (struct volume){.partition = 2, .device = "/dev/sda2", .uuid = "root"};
    assert_int_equal(volumes_add(vars, &v, true), 0);
    v = (struct volume){.partition = 3, .device = "/dev/sda3", .uuid = "swap"};
    assert_int_equal(volumes_add(vars, &v, false), 0);
    v = (struct volume){.partition = 4, .device = "/dev/sda4"};
    assert_int_equal(volumes_add(vars, &v, true), 0);
    assert_int_equal(volumes_next(vars, &to, &v), VOLUMES_E_NONE);
    for (unsigned i = 5; i <= 6; i++) {
        v = (struct volume){.partition = i, .device = "/dev/sda5", .uuid = "data"};
        assert_int_equal(volumes_add(vars, &v, true), 0);
    }
    assert_int_equal(volumes_next(vars, &to, &v), 0);
    assert_int_equal(v.partition, 5);
    v.has_data = true;
    assert_int_equal(volumes_replace(vars, &v), 0);
    assert_int_equal(volumes_next(vars, &to, &v), 0);
    assert_int_equal(v.partition, 6);
    v.has_data = true;
    assert_int_equal(volumes_replace(vars, &v), 0);
    assert_int_equal(volumes_next(vars, &to, &v), VOLUMES_E_NONE);
    v = (struct volume){.partition = 9, .device = "/dev/sda9"};
    assert_int_equal(volumes_replace(vars, &v), VOLUMES_E_NONE);
}

static void a_volume_that_is_not_on_the_disks_is_not_located(void **state)
{
    (void)state;
    struct volume v = {.device = "/dev/nonexistent1", .uuid = "a", .partition = 1};

    assert_int_equal(volumes_locate(&machine, &v), VOLUMES_E_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_disk_is_chosen_by_number_and_by_a_variable_that_holds_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_disk_is_chosen_by_serial_transport_and_size_before_its_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_optional_step_does_nothing_without_its_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            ntfs_is_ext4_on_the_volume_of_the_operating_system_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_uefi_computer_starts_from_gpt_with_an_efi_partition_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_cut_between_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            drives_are_the_next_free_letters_and_go_with_their_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_next_available_volume_is_lettered_has_no_data_and_is_not_of_the_system,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            a_volume_that_is_not_on_the_disks_is_not_located, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/partitions.h"

#include "ts/test_ts.h"
#include "ts/values.h"

/* Names and texts, one after the other; ends with NULL. */
static const char *get(void *ctx, const char *name)
{
    for (const char *const *pair = ctx; *pair; pair += 2)
        if (strcmp(pair[0], name) == 0)
            return pair[1];
    return "";
}

#define VARIABLES(...) ((const char *[]){__VA_ARGS__, NULL})

static void a_partition_is_read_from_its_variables(void **state)
{
    (void)state;
    const struct ts_values values = {get,
                                     VARIABLES("OSDPartitions1Type",
                                               "primary",
                                               "OSDPartitions1FileSystem",
                                               "EXT4",
                                               "OSDPartitions1Size",
                                               "2",
                                               "OSDPartitions1SizeUnits",
                                               "GB",
                                               "OSDPartitions1VolumeName",
                                               "root",
                                               "OSDPartitions1QuickFormat",
                                               "false",
                                               "OSDPartitions1VolumeLetterVariable",
                                               "OSDisk")};
    OWN(buf_fini) struct buf why = BUF_INIT(512);
    struct disk_wish wish;

    assert_false(ts_partition_exists(&values, 0));
    assert_true(ts_partition_exists(&values, 1));
    assert_int_equal(ts_partition_read(&values, 1, &wish, &why), 0);
    assert_int_equal(wish.type, DISK_TYPE_PRIMARY);
    assert_int_equal(wish.file_system, DISK_FS_EXT4);
    assert_int_equal(wish.unit, DISK_SIZE_BYTES);
    assert_int_equal(wish.size, (uint64_t)2 * 1024 * 1024 * 1024);
    assert_false(wish.is_quick);
    assert_string_equal(wish.label, "root");
    assert_string_equal(wish.variable, "OSDisk");
}

static void what_makes_no_sense_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *text;
        const char *bad; /* NULL: it is taken */
    } cases[] = {
        {"OSDPartitions0Type", "Secondary", "Type"},
        {"OSDPartitions0FileSystem", "ext3", "FileSystem"},
        {"OSDPartitions0FileSystem", "vfat", NULL},
        {"OSDPartitions0Size", "0", "Size"},
        {"OSDPartitions0Size", "1.5", "Size"},
        {"OSDPartitions0SizeUnits", "TB", "Size"},
        {"OSDPartitions0SizeUnits", "Percent", NULL},
        {"OSDPartitions0VolumeLetterVariable", "_x", "VolumeLetterVariable"},
        {"OSDPartitions0VolumeLetterVariable", "a b", "VolumeLetterVariable"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ts_values values = {get,
                                         VARIABLES(cases[i].name,
                                                   cases[i].text,
                                                   "OSDPartitions0Type",
                                                   "Primary",
                                                   "OSDPartitions0Size",
                                                   "100")};
        OWN(buf_fini) struct buf why = BUF_INIT(512);
        struct disk_wish wish;
        int r = ts_partition_read(&values, 0, &wish, &why);

        assert_int_equal(r,
                         !cases[i].bad                       ? 0
                         : strcmp(cases[i].bad, "Type") == 0 ? TS_PARTITION_E_TYPE
                                                             : TS_PARTITION_E_MALFORMED);
        if (cases[i].bad && !strstr(buf_str(&why), cases[i].bad))
            fail_msg("%s: %s", cases[i].text, buf_str(&why));
    }
}

static void the_style_is_the_steps_or_the_firmwares(void **state)
{
    (void)state;
    const struct ts_values none = {get, VARIABLES("OSDDiskType", "BASIC")};
    const struct ts_values kind = {get, VARIABLES("OSDDiskType", "gpt")};
    const struct ts_values both = {get,
                                   VARIABLES("OSDDiskType", "GPT", "OSDPartitionStyle", "mbr")};
    const struct ts_values odd = {get, VARIABLES("OSDPartitionStyle", "APM")};
    OWN(buf_fini) struct buf why = BUF_INIT(512);
    enum disk_style style;

    assert_int_equal(ts_partition_style(&none, false, &style, &why), 0);
    assert_int_equal(style, DISK_STYLE_MBR);
    assert_int_equal(ts_partition_style(&none, true, &style, &why), 0);
    assert_int_equal(style, DISK_STYLE_GPT);
    assert_int_equal(ts_partition_style(&kind, false, &style, &why), 0);
    assert_int_equal(style, DISK_STYLE_GPT);
    assert_int_equal(ts_partition_style(&both, true, &style, &why), 0);
    assert_int_equal(style, DISK_STYLE_MBR);
    assert_int_equal(ts_partition_style(&odd, true, &style, &why), TS_PARTITION_E_MALFORMED);
    assert_non_null(strstr(buf_str(&why), "APM"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_is_read_from_its_variables),
        cmocka_unit_test(what_makes_no_sense_is_named),
        cmocka_unit_test(the_style_is_the_steps_or_the_firmwares),
    };

    return cmocka_run_group_tests_name("ts/partitions", tests, NULL, NULL);
}

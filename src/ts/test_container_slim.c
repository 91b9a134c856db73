/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/container_slim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <archive.h>
#include <archive_entry.h>

#include "ts/container.h"
#include "ts/test_ts.h"

#define OBJECT(id, name) \
    "<INSTANCE CLASSNAME=\"SMS_TaskSequencePackage\"><PROPERTY NAME=\"Name\"><VALUE>" name \
    "</VALUE></PROPERTY><PROPERTY NAME=\"PackageID\"><VALUE>" id \
    "</VALUE></PROPERTY><PROPERTY NAME=\"Sequence\"><VALUE><![CDATA[<sequence version=\"3.00\"/>]]></VALUE>" \
    "</PROPERTY></INSTANCE>"

enum {
    CONTENT_BYTES = 1024 * 1024,
    ZIP_MAX_BYTES = 4 * 1024 * 1024,
    SLIM_MAX_BYTES = 64 * 1024,
};

struct part {
    const char *name;
    const char *text; /* NULL: CONTENT_BYTES that do not compress */
};

static uint8_t zip_place[ZIP_MAX_BYTES];
static uint8_t noise[CONTENT_BYTES];

/* How much of the .zip was asked for. */
struct reading {
    struct bytes file;
    uint64_t n_read;
    bool is_broken;
};

static int64_t read_at(void *ctx, uint64_t offset, void *dst, size_t cap)
{
    struct reading *reading = ctx;
    size_t rest = offset < reading->file.len ? reading->file.len - (size_t)offset : 0;
    size_t n = rest < cap ? rest : cap;

    if (reading->is_broken)
        return -1;
    memcpy(dst, reading->file.ptr + (n > 0 ? offset : 0), n);
    reading->n_read += n;
    return (int64_t)n;
}

static struct bytes pack(const struct part *parts, size_t n)
{
    struct archive *zip = archive_write_new();
    size_t used = 0;
    uint32_t seed = 1;

    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)((seed = seed * 1664525U + 1013904223U) >> 24);
    assert_int_equal(archive_write_set_format_zip(zip), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(zip, zip_place, sizeof(zip_place), &used),
                     ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *entry = archive_entry_new();
        struct bytes text =
            parts[i].text ? bytes_of(parts[i].text) : (struct bytes){noise, sizeof(noise)};

        archive_entry_set_pathname(entry, parts[i].name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, (la_int64_t)text.len);
        assert_int_equal(archive_write_header(zip, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(zip, text.ptr, text.len), text.len);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_free(zip), ARCHIVE_OK);
    return (struct bytes){zip_place, used};
}

static int slim(struct reading *reading, struct buf *ret, struct ts_diags *diags)
{
    const struct ts_container_source source = {
        .read_at = read_at, .ctx = reading, .size_bytes = reading->file.len};

    return ts_container_slim(&source, ret, diags);
}

static const struct part parts[] = {
    {"[Content_Types].xml", "<Types/>"},
    {"SMS_Package/ABC00007/CONTENT/a/first.bin", NULL},
    {"SMS_TaskSequencePackage/ABC00001/object.xml", OBJECT("ABC00001", "One")},
    {"SMS_Package/ABC00007/object.xml",
     "<INSTANCE CLASSNAME=\"SMS_Package\"><PROPERTY NAME=\"PackageID\"><VALUE>ABC00007</VALUE></PROPERTY>"
     "<PROPERTY NAME=\"Name\"><VALUE>Tools</VALUE></PROPERTY></INSTANCE>"},
    {"SMS_Package/ABC00007/CONTENT/second.xml", NULL},
    {"thumbnail.png", NULL},
};

static void content_is_passed_over_and_all_else_is_read_as_before(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf slimmed = BUF_INIT(SLIM_MAX_BYTES);
    OWN(ts_imports_fini) struct ts_imports before = {0};
    OWN(ts_imports_fini) struct ts_imports after = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct reading reading = {.file = pack(parts, sizeof(parts) / sizeof(parts[0]))};

    assert_true(reading.file.len > 2 * sizeof(noise));
    assert_int_equal(slim(&reading, &slimmed, &diags), 0);
    assert_int_equal(diags.n, 0);
    assert_true(reading.n_read < 2 * sizeof(noise));
    assert_int_equal(ts_container_read(reading.file, &before, &diags), 0);
    assert_int_equal(ts_container_read(buf_bytes(&slimmed), &after, &diags), 0);
    assert_int_equal(after.n, 1);
    assert_string_equal(after.items[0].name, "One");
    assert_int_equal(after.n_content_files, 2);
    assert_int_equal(after.n_references, before.n_references);
    for (size_t i = 0; i < before.n_references; i++) {
        assert_string_equal(after.references[i].id, before.references[i].id);
        assert_string_equal(after.references[i].name, before.references[i].name);
        assert_int_equal(after.references[i].n_files, before.references[i].n_files);
        assert_int_equal(after.references[i].is_package, before.references[i].is_package);
    }
}

static void what_does_not_fit_is_an_error(void **state)
{
    (void)state;
    struct reading reading = {.file = pack(parts, sizeof(parts) / sizeof(parts[0]))};

    for (size_t max = 0; max < 200; max += 50) {
        OWN(buf_fini) struct buf slimmed = BUF_INIT(max);
        OWN(ts_diags_fini) struct ts_diags diags = {0};

        assert_int_equal(slim(&reading, &slimmed, &diags), -ENOMEM);
    }
}

static void a_bomb_is_refused_with_its_name(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf slimmed = BUF_INIT(SLIM_MAX_BYTES);
    OWN(buf_fini) struct buf bomb = BUF_INIT(TS_PART_MAX_BYTES + 2);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct reading reading = {0};

    for (size_t i = 0; i <= TS_PART_MAX_BYTES; i++)
        buf_adds(&bomb, " ");

    const struct part bombs[] = {{"SMS_TaskSequencePackage/A/object.xml", buf_str(&bomb)}};

    reading.file = pack(bombs, 1);
    assert_int_equal(slim(&reading, &slimmed, &diags), TS_E_MALFORMED);
    assert_string_equal(diags.items[0].id, "SLW-0171");
    assert_non_null(strstr(diags.items[0].message, "SMS_TaskSequencePackage/A/object.xml"));
}

static void what_is_no_zip_or_was_cut_has_a_reason(void **state)
{
    (void)state;
    struct bytes file = pack(parts, sizeof(parts) / sizeof(parts[0]));
    const struct bytes bad[] = {
        bytes_of(""), bytes_of("<sequence/>"), bytes_of("PK\3\4"), {file.ptr, 300}};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(buf_fini) struct buf slimmed = BUF_INIT(SLIM_MAX_BYTES);
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        struct reading reading = {.file = bad[i]};

        assert_int_equal(slim(&reading, &slimmed, &diags), TS_E_MALFORMED);
        assert_true(ts_diags_has_error(&diags));
    }
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf slimmed = BUF_INIT(SLIM_MAX_BYTES);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct reading reading = {.file = pack(parts, 2), .is_broken = true};

    assert_int_equal(slim(&reading, &slimmed, &diags), TS_E_MALFORMED);
    assert_true(ts_diags_has_error(&diags));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_passed_over_and_all_else_is_read_as_before),
        cmocka_unit_test(what_does_not_fit_is_an_error),
        cmocka_unit_test(a_bomb_is_refused_with_its_name),
        cmocka_unit_test(what_is_no_zip_or_was_cut_has_a_reason),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/steps/test_bench.h"
#include "plat/file.h"
#include "tests/dp.h"

enum {
    CONTENT_BYTES = 100000,
};

/* A package and an OS image on a real distribution point, which is reached as a proxy. */
struct library {
    struct dp *dp;
    struct step_bench *b;
    struct order_content content[2];
    struct order_index index;
    char *sources[1];
    char folder[128];
};

static void library_free(struct library *l)
{
    step_bench_free(l->b);
    dp_stop(l->dp);
    free(l);
}
DEFINE_FREEP(struct library *, library_free);

static struct library *library_new(const char *variables)
{
    static char package[] = "SLP00012";
    static char image[] = "SLP00002";
    static char kind[] = "package";
    static char image_kind[] = "os-image";
    static char source[] = "http://dp0";
    struct manifest_entry entry = {
        MANIFEST_REGULAR, 0755, CONTENT_BYTES, 0, (char[]){"run.sh"}, NULL};
    struct library *l = calloc(1, sizeof(*l));
    char proxy[64];

    assert_non_null(l);
    l->dp = dp_start();
    assert_non_null(l->dp);
    dp_put_content(l->dp, 1, CONTENT_BYTES, false);
    l->index = (struct order_index){.index = 3, .size_bytes = CONTENT_BYTES};
    memcpy(l->index.manifest, l->dp->manifest_id, SHA256_BYTES);
    dp_put_tree(l->dp, &entry, 1);
    l->content[0] = (struct order_content){
        .package_id = package, .kind = kind, .size_bytes = CONTENT_BYTES, .has_manifest = true};
    memcpy(l->content[0].manifest, l->dp->manifest_id, SHA256_BYTES);
    l->content[1] = (struct order_content){
        .package_id = image, .kind = image_kind, .indexes = &l->index, .n_indexes = 1};
    l->sources[0] = source;
    l->b = step_bench_new("DownloadPackageContentAction", "", variables);
    l->b->order = (struct order){
        .content = l->content, .n_content = 2, .sources = l->sources, .n_sources = 1};
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", dp_start_proxy(l->dp));
    step_bench_set(l->b, "SLWProxy", proxy);
    step_bench_set(l->b, "SMSTSDownloadRetryDelay", "0");
    (void)snprintf(l->folder, sizeof(l->folder), "%s/down", l->dp->root);
    step_bench_set(l->b, "Folder", l->folder);
    return l;
}

static uint64_t size_of(const char *folder, const char *name)
{
    OWN(buf_fini) struct buf path = BUF_INIT(4096);
    struct stat st;

    buf_addf(&path, "%s/%s", folder, name);
    return stat(buf_str(&path), &st) == 0 ? (uint64_t)st.st_size : 0;
}

#define CUSTOM \
    STEP_VARIABLE("OSDDownloadDestinationLocationType", "Custom") \
    STEP_VARIABLE("OSDDownloadDestinationPath", "%Folder%")
#define INTO(name) STEP_VARIABLE("OSDDownloadDestinationVariable", name)

static void packages_and_images_get_to_a_path_of_ones_own(void **state)
{
    (void)state;
    OWN(library_freep)
    struct library *l = library_new(
        CUSTOM INTO("Got") STEP_VARIABLE("OSDDownloadDownloadPackages", "SLP00012,SLP00002"));
    char path[512];

    assert_null(step_bench_run(l->b));
    (void)snprintf(path, sizeof(path), "%s/SLP00012", l->folder);
    assert_string_equal(step_bench_get(l->b, "Got01"), path);
    assert_int_equal(size_of(path, "run.sh"), CONTENT_BYTES);
    (void)snprintf(path, sizeof(path), "%s/SLP00002", l->folder);
    assert_string_equal(step_bench_get(l->b, "Got02"), path);
    assert_int_equal(size_of(path, "3.wim"), CONTENT_BYTES);

    /* again: what the step has made is replaced */
    (void)snprintf(path, sizeof(path), "%s/SLP00012/old", l->folder);
    assert_int_equal(file_write(path, bytes_of("x"), 0600), 0);
    assert_null(step_bench_run(l->b));
    assert_false(file_exists(path));
}

static void the_array_of_the_editor_names_packages_too(void **state)
{
    (void)state;
    OWN(library_freep)
    struct library *l = library_new(CUSTOM INTO("Got") STEP_VARIABLE(
        "OSDPackage0PackageId", "SLP00012") STEP_VARIABLE("OSDPackage1PackageId", "SLP00002"));

    assert_null(step_bench_run(l->b));
    assert_int_equal(size_of(step_bench_get(l->b, "Got02"), "3.wim"), CONTENT_BYTES);
}

static void what_fails_is_left_out_and_the_others_follow_unless_it_is_told_otherwise(void **state)
{
    (void)state;
    static const char list[] =
        CUSTOM INTO("Got") STEP_VARIABLE("OSDDownloadDownloadPackages", "SLP00099, SLP00012");
    OWN(library_freep) struct library *l = library_new(list);
    char strict[1024];

    assert_null(step_bench_run(l->b));
    assert_string_equal(step_bench_get(l->b, "Got01"), "");
    assert_int_equal(size_of(step_bench_get(l->b, "Got02"), "run.sh"), CONTENT_BYTES);
    assert_non_null(strstr(buf_str(&l->b->log), "SLW-0333"));

    l->content[0].has_manifest = false; /* now neither can be had */
    assert_string_equal(step_bench_run(l->b), "SLW-0333");
    (void)snprintf(strict,
                   sizeof(strict),
                   "%s" STEP_VARIABLE("OSDDownloadContinueDownloadOnError", "false"),
                   list);

    OWN(library_freep) struct library *other = library_new(strict);

    assert_string_equal(step_bench_run(other->b), "SLW-0333");
    assert_string_equal(step_bench_get(other->b, "Got02"), "");
}

static void a_folder_of_somebody_else_is_not_replaced(void **state)
{
    (void)state;
    OWN(library_freep)
    struct library *l =
        library_new(CUSTOM STEP_VARIABLE("OSDDownloadContinueDownloadOnError", "false")
                        STEP_VARIABLE("OSDDownloadDownloadPackages", "SLP00012"));
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/SLP00012", l->folder);
    assert_int_equal(dir_make(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/SLP00012/letters", l->folder);
    assert_int_equal(file_write(path, bytes_of("x"), 0600), 0);
    assert_string_equal(step_bench_run(l->b), "SLW-0443");
    assert_true(file_exists(path));
}

static void damaged_content_is_refused(void **state)
{
    (void)state;
    OWN(library_freep)
    struct library *l =
        library_new(CUSTOM INTO("Got") STEP_VARIABLE("OSDDownloadContinueDownloadOnError", "false")
                        STEP_VARIABLE("OSDDownloadDownloadPackages", "SLP00002"));

    l->index.manifest[0] ^= 1; /* no such manifest there */
    assert_string_equal(step_bench_run(l->b), "SLW-0301");
    assert_string_equal(step_bench_get(l->b, "Got01"), "");
    assert_int_equal(size_of(l->folder, "SLP00002/3.wim"), 0);
}

static void settings_that_cannot_be_are_told(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        STEP_VARIABLE("OSDDownloadDestinationLocationType", "Moon"),
        STEP_VARIABLE("OSDDownloadDestinationLocationType", "Custom"),
        STEP_VARIABLE("OSDDownloadDestinationLocationType", "Custom")
            STEP_VARIABLE("OSDDownloadDestinationPath", "here"),
        CUSTOM,
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        OWN(library_freep) struct library *l = library_new(wrong[i]);

        assert_string_equal(step_bench_run(l->b), "SLW-0442");
    }

    OWN(library_freep)
    struct library *l = library_new(STEP_VARIABLE("OSDDownloadDestinationLocationType", "CCMCache")
                                        STEP_VARIABLE("OSDDownloadDownloadPackages", "SLP00012"));

    l->b->c.environment = STEP_IN_BOOT_IMAGE;
    assert_string_equal(step_bench_run(l->b), "SLW-0442");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packages_and_images_get_to_a_path_of_ones_own),
        cmocka_unit_test(the_array_of_the_editor_names_packages_too),
        cmocka_unit_test(what_fails_is_left_out_and_the_others_follow_unless_it_is_told_otherwise),
        cmocka_unit_test(a_folder_of_somebody_else_is_not_replaced),
        cmocka_unit_test(damaged_content_is_refused),
        cmocka_unit_test(settings_that_cannot_be_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

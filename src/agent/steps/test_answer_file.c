/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/answer_file.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "agent/steps/inside.h"
#include "agent/steps/test_bench.h"
#include "plat/file.h"

#define SEED    "var/lib/cloud/seed/nocloud/"
#define LEFT_TO "etc/cloud/cloud.cfg.d/99-slipway.cfg"

static char folder[64];
static const struct inside_mode plain = {0644, 0, 0};

static int new_folder(const char *name, char *ret_path, size_t cap)
{
    int root = -1;

    (void)snprintf(ret_path, cap, "%s/%s", folder, name);
    assert_int_equal(dir_make(ret_path, 0755), 0);
    assert_int_equal(inside_open(ret_path, &root), 0);
    return root;
}

static void put(int root, const char *path, const char *text)
{
    assert_int_equal(inside_write(root, path, bytes_of(text), plain), 0);
}

static void file_is(int root, const char *path, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(inside_read(root, path, &text), 0);
    assert_string_equal(buf_str(&text), wanted);
}

static int apply(int volume, const char *package, const char *name)
{
    return answer_file_write(
        volume,
        &(struct answer_file){
            .folder = package, .name = name, .instance = "order-7", .host = "pc-7"});
}

static void answers_are_laid_where_cloud_init_looks(void **state)
{
    (void)state;
    char path[128];
    char other[128];
    OWN(fd_closep) int package = new_folder("package", path, sizeof(path));
    OWN(fd_closep) int volume = new_folder("volume", other, sizeof(other));

    put(package, "debian/answers.yaml", "#cloud-config\npackages: [nano]\n");
    put(volume, "usr/bin/cloud-init", "");
    assert_int_equal(apply(volume, path, "debian\\answers.yaml"), 0);
    file_is(volume, SEED "user-data", "#cloud-config\npackages: [nano]\n");
    file_is(volume, SEED "meta-data", "instance-id: order-7\nlocal-hostname: pc-7\n");
    assert_true(inside_exists(volume, LEFT_TO));
    assert_false(inside_exists(volume, SEED "network-config"));
}

static void what_lies_beside_it_goes_with_it(void **state)
{
    (void)state;
    char path[128];
    char other[128];
    OWN(fd_closep) int package = new_folder("package-2", path, sizeof(path));
    OWN(fd_closep) int volume = new_folder("volume-2", other, sizeof(other));

    put(package, "user-data", "#!/bin/sh\ntrue\n");
    put(package, "meta-data", "instance-id: own\n");
    put(package, "network-config", "version: 2\n");
    put(package, "vendor-data", "#cloud-config\n");
    put(volume, "usr/bin/cloud-init", "");
    assert_int_equal(apply(volume, path, "user-data"), 0);
    file_is(volume, SEED "meta-data", "instance-id: own\n");
    file_is(volume, SEED "network-config", "version: 2\n");
    file_is(volume, SEED "vendor-data", "#cloud-config\n");
    file_is(volume, LEFT_TO, "# Written by Slipway\n# The network is that of network-config\n");
}

static void what_cannot_be_used_is_told(void **state)
{
    (void)state;
    char path[128];
    char other[128];
    OWN(fd_closep) int package = new_folder("package-3", path, sizeof(path));
    OWN(fd_closep) int volume = new_folder("volume-3", other, sizeof(other));

    put(package, "text", "hello\n");
    put(package, "user-data", "#cloud-config\n");
    assert_int_equal(apply(volume, path, "none"), ANSWER_FILE_E_MISSING);
    assert_int_equal(apply(volume, path, "../package-2/user-data"), ANSWER_FILE_E_MISSING);
    assert_int_equal(apply(volume, path, "text"), ANSWER_FILE_E_NO_ANSWERS);
    assert_int_equal(apply(volume, path, "user-data"), ANSWER_FILE_E_NO_READER);
    assert_false(inside_exists(volume, SEED "user-data"));
}

static void an_answer_file_of_windows_is_logged_and_not_used(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new("ApplyOperatingSystemAction",
                                          "",
                                          STEP_VARIABLE("ConfigFilePackage", "SLP00009")
                                              STEP_VARIABLE("OSDConfigFileName", "unattend.xml"));

    assert_int_equal(answer_file_apply(&b->c, &b->result), 0);
    assert_null(b->result.error_id);
    assert_string_equal(
        buf_str(&b->log),
        "OSDConfigFileName unattend.xml has no meaning on Linux and is not used: it is "
        "an answer file of Windows\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_laid_where_cloud_init_looks),
        cmocka_unit_test(what_lies_beside_it_goes_with_it),
        cmocka_unit_test(what_cannot_be_used_is_told),
        cmocka_unit_test(an_answer_file_of_windows_is_logged_and_not_used),
    };

    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-answers-XXXXXX");
    if (!mkdtemp(folder))
        return 1;

    int n_failed = cmocka_run_group_tests_name("agent/steps/answer_file", tests, NULL, NULL);

    (void)dir_remove(folder);
    return n_failed;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/cloud_init.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/steps/inside.h"
#include "base/own.h"
#include "plat/file.h"

#define SETTINGS "etc/cloud/cloud.cfg.d/99-slipway-settings.cfg"
#define NETWORK  "etc/cloud/cloud.cfg.d/99-slipway.cfg"

static char folder[64];
static int volume = -1;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-cloud-init.XXXXXX");
    assert_non_null(mkdtemp(folder));
    return inside_open(folder, &volume);
}

static int tear_down(void **state)
{
    (void)state;
    fd_closep(&volume);
    return dir_remove(folder);
}

static void add_cloud_init(void)
{
    const struct inside_mode program = {0755, 0, 0};

    assert_int_equal(inside_write(volume, "usr/bin/cloud-init", bytes_of(""), program), 0);
}

static void expect(const char *path, const char *words, bool is_there)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(inside_read(volume, path, &text), 0);
    if ((strstr(buf_str(&text), words) != NULL) != is_there)
        fail_msg("%s: %s", path, buf_str(&text));
}

static void an_image_without_cloud_init_gets_nothing(void **state)
{
    (void)state;
    assert_int_equal(cloud_init_keep_settings(volume, true), 0);
    assert_int_equal(cloud_init_keep_network(volume), 0);
    assert_int_equal(cloud_init_note_answer(volume, true), 0);
    assert_false(inside_exists(volume, "etc"));
}

static void name_hosts_and_a_language_that_was_set_are_kept(void **state)
{
    (void)state;
    add_cloud_init();
    assert_int_equal(cloud_init_keep_settings(volume, false), 0);
    expect(SETTINGS, "\npreserve_hostname: true\n", true);
    expect(SETTINGS, "\nmanage_etc_hosts: false\n", true);
    expect(SETTINGS, "locale", false);
    assert_int_equal(cloud_init_keep_settings(volume, true), 0);
    expect(SETTINGS, "\nlocale: false\n", true);
}

static void the_network_is_that_of_the_step(void **state)
{
    (void)state;
    add_cloud_init();
    assert_int_equal(cloud_init_keep_network(volume), 0);
    expect(NETWORK, "\nnetwork: {config: disabled}\n", true);
}

static void unless_the_answer_file_has_its_own(void **state)
{
    (void)state;
    add_cloud_init();
    assert_int_equal(cloud_init_note_answer(volume, true), 0);
    assert_int_equal(cloud_init_keep_network(volume), 0);
    expect(NETWORK, "disabled", false);
    assert_int_equal(cloud_init_note_answer(volume, false), 0);
    expect(NETWORK, "disabled", true);
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(an_image_without_cloud_init_gets_nothing),
        HERE(name_hosts_and_a_language_that_was_set_are_kept),
        HERE(the_network_is_that_of_the_step),
        HERE(unless_the_answer_file_has_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

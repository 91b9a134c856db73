/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    TEXT_MAX_BYTES = 16 * 1024,
};

#define NOW_US 1795253525000000u /* 2026-11-21T09:32:05Z */

#define WAITING \
    "{\"device_id\": \"3\", \"device_name\": \"PC3\", \"state\": \"waiting\", \"step\": 0, \"n_steps\": 0," \
    " \"step_name\": \"\", \"percent\": 0, \"rate_bytes_per_s\": 0, \"attempt\": 0, \"started_at\": null}"
#define RUNNING \
    "{\"device_id\": \"1\", \"device_name\": \"PC1\", \"state\": \"in-progress\", \"step\": 2, \"n_steps\": 8," \
    " \"step_name\": \"Apply Operating System Image\", \"percent\": 50, \"rate_bytes_per_s\": 9000000," \
    " \"attempt\": 1, \"started_at\": \"2026-11-21T09:30:05Z\", \"finished_at\": null," \
    " \"activity\": \"waits\"}"
#define SUCCEEDED \
    "{\"device_id\": \"1\", \"device_name\": \"PC1\", \"state\": \"succeeded\", \"step\": 7, \"n_steps\": 8," \
    " \"step_name\": \"Setup\", \"percent\": 100, \"attempt\": 1," \
    " \"downloaded_bytes\": 12000000, \"reused_bytes\": 118000000," \
    " \"started_at\": \"2026-11-21T09:30:05Z\", \"finished_at\": \"2026-11-21T09:31:05Z\"}"
#define FAILED \
    "{\"device_id\": \"2\", \"device_name\": \"PC\\u001b2\", \"state\": \"failed\", \"step\": 2, \"n_steps\": 8," \
    " \"step_name\": \"Apply\", \"percent\": 41, \"attempt\": 1, \"error_id\": \"SLW-0301\"," \
    " \"cause\": \"chunk is damaged\"," \
    " \"started_at\": \"2026-11-21T09:30:05Z\", \"finished_at\": \"2026-11-21T09:31:05Z\"}"
#define DEPLOYMENT(devices) \
    "{\"id\": \"SLP20001\", \"task_sequence_name\": \"TS\", \"collection_name\": \"Lab\"," \
    " \"purpose\": \"required\"," \
    " \"counts\": {\"succeeded\": 1, \"failed\": 1, \"in_progress\": 0}, \"devices\": [" devices \
    "]}"

static const struct watch_view wide = {.width = 140, .height = 24, .now_us = NOW_US};

static json_t *load(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    assert_non_null(value);
    return value;
}

static unsigned lines_of(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void screen_shows_step_bar_rate_and_time_of_a_running_device(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *deployment = load(DEPLOYMENT(RUNNING));

    assert_int_equal(watch_put_screen(&text, deployment, &wide), 3);
    json_decref(deployment);
    assert_string_equal(buf_str(&text),
                        "SLP20001: TS to Lab (required)\n"
                        "PC1               in-progress  3/8    Apply Operating System Image      "
                        "[########--------]  50 %  9.0 MB/s  2 m 00 s  waits\n"
                        "1 of 1 succeeded, 1 failed\n");
}

static void screen_lets_waiting_devices_come_last(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *deployment = load(DEPLOYMENT(WAITING "," RUNNING));

    (void)watch_put_screen(&text, deployment, &wide);
    json_decref(deployment);
    assert_true(strstr(buf_str(&text), "PC1") < strstr(buf_str(&text), "PC3"));
}

static void screen_counts_its_lines_and_stays_within_the_terminal(void **state)
{
    (void)state;
    json_t *deployment = load(DEPLOYMENT(WAITING "," RUNNING "," FAILED "," WAITING "," WAITING));

    for (unsigned height = 5; height < 12; height++) {
        for (unsigned width = 1; width < 130; width += 7) {
            OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
            const struct watch_view view = {.width = width, .height = height, .now_us = NOW_US};
            unsigned n = watch_put_screen(&text, deployment, &view);

            assert_int_equal(n, lines_of(buf_str(&text)));
            assert_true(n < height);
            assert_true(strcspn(buf_str(&text), "\n") <= width);
        }
    }
    json_decref(deployment);
}

static void screen_has_colour_only_if_wanted_and_nothing_of_the_devices_own(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf plain = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf coloured = BUF_INIT(TEXT_MAX_BYTES);
    struct watch_view view = wide;
    json_t *deployment = load(DEPLOYMENT(FAILED));

    (void)watch_put_screen(&plain, deployment, &view);
    view.has_colour = true;
    (void)watch_put_screen(&coloured, deployment, &view);
    json_decref(deployment);
    assert_null(strchr(buf_str(&plain), '\x1b'));
    assert_non_null(strstr(buf_str(&plain), "SLW-0301: chunk is damaged"));
    assert_non_null(strstr(buf_str(&coloured), "\x1b[31mPC\\x1b2"));
}

static void a_step_behind_the_last_is_the_last(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *deployment =
        load("{\"devices\": [{\"device_name\": \"PC1\", \"state\": \"succeeded\", \"step\": 6,"
             " \"n_steps\": 6}], \"counts\": {\"succeeded\": 1}}");

    (void)watch_put_screen(&text, deployment, &wide);
    json_decref(deployment);
    assert_non_null(strstr(buf_str(&text), " 6/6 "));
}

static void changes_are_told_once_each(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf first = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf same = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf last = BUF_INIT(TEXT_MAX_BYTES);
    json_t *running = load(DEPLOYMENT(RUNNING "," WAITING));
    json_t *done = load(DEPLOYMENT(SUCCEEDED "," WAITING));

    watch_put_changes(&first, NULL, running, NOW_US);
    watch_put_changes(&same, running, running, NOW_US);
    watch_put_changes(&last, running, done, NOW_US);
    json_decref(running);
    json_decref(done);
    assert_string_equal(
        buf_str(&first),
        "2026-11-21T09:32:05Z PC1 in-progress 3/8 Apply Operating System Image after "
        "2 m 00 s\n"
        "2026-11-21T09:32:05Z PC3 waiting\n");
    assert_string_equal(buf_str(&same), "");
    assert_string_equal(
        buf_str(&last),
        "2026-11-21T09:32:05Z PC1 succeeded 8/8 Setup after 1 m 00 s, 12.0 MB from the "
        "network and 118.0 MB from the old disk\n");
}

static void result_is_known_when_every_device_is_done(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum watch_result result;
    } cases[] = {
        {DEPLOYMENT(""), WATCH_GOING},
        {DEPLOYMENT(WAITING), WATCH_GOING},
        {DEPLOYMENT(SUCCEEDED "," RUNNING), WATCH_GOING},
        {DEPLOYMENT(FAILED "," WAITING), WATCH_GOING},
        {DEPLOYMENT(SUCCEEDED), WATCH_SUCCEEDED},
        {DEPLOYMENT(SUCCEEDED "," FAILED), WATCH_PARTIAL},
        {DEPLOYMENT(FAILED), WATCH_PARTIAL},
        {"{}", WATCH_GOING},
        {"{\"is_cancelled\": true, \"devices\": []}", WATCH_PARTIAL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *deployment = load(cases[i].json);

        assert_int_equal(watch_result(deployment), cases[i].result);
        json_decref(deployment);
    }
}

static void summary_names_each_failed_device_and_why(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *deployment = load(DEPLOYMENT(SUCCEEDED "," FAILED));

    watch_put_summary(&text, deployment);
    json_decref(deployment);
    assert_string_equal(buf_str(&text),
                        "1 of 2 succeeded, 1 failed\n"
                        "PC\\x1b2 failed in step 3/8 Apply: SLW-0301: chunk is damaged\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(screen_shows_step_bar_rate_and_time_of_a_running_device),
        cmocka_unit_test(screen_lets_waiting_devices_come_last),
        cmocka_unit_test(screen_counts_its_lines_and_stays_within_the_terminal),
        cmocka_unit_test(screen_has_colour_only_if_wanted_and_nothing_of_the_devices_own),
        cmocka_unit_test(a_step_behind_the_last_is_the_last),
        cmocka_unit_test(changes_are_told_once_each),
        cmocka_unit_test(result_is_known_when_every_device_is_done),
        cmocka_unit_test(summary_names_each_failed_device_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

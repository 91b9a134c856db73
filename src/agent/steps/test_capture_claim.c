/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/capture_claim.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

enum {
    HOUR_S = 3600,
    NEVER_US = 1000 * 1000 * 1000,
    N_AT_ONCE = 8,
};

static char folder[] = "/tmp/slipway-test-claim-XXXXXX";
static char path[64];

static struct capture_claim_options of(const char *device)
{
    return (struct capture_claim_options){.path = path,
                                          .device_id = device,
                                          .device_name = device,
                                          .renew_us = NEVER_US,
                                          .stale_s = CAPTURE_CLAIM_STALE_S};
}

static int
take(const struct capture_claim_options *options, struct capture_claim **ret, const char *said)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    int r = capture_claim_take(options, ret, &why);

    assert_true(r >= 0);
    if (!strstr(buf_str(&why), said))
        fail_msg("%s", buf_str(&why));
    return r;
}

static void make_old(const char *file)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - HOUR_S}};

    assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
}

static size_t count_files(void)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, NULL, NULL);

    assert_true(n >= 2);
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return (size_t)n - 2; /* "." and ".." */
}

static void another_computer_is_refused_while_the_first_is_alive(void **state)
{
    (void)state;
    const struct capture_claim_options one = of("PC-1");
    const struct capture_claim_options other = of("PC-2");
    struct capture_claim *first;
    struct capture_claim *second;

    assert_int_equal(take(&one, &first, ""), 0);
    assert_int_equal(take(&other, &second, "PC-1 captures into it"), CAPTURE_CLAIM_E_HELD);
    assert_true(capture_claim_renew(first));
    assert_int_equal(count_files(), 1);
    capture_claim_end(first, true);
    assert_int_equal(count_files(), 0);
    assert_int_equal(take(&other, &second, ""), 0);
    capture_claim_end(second, true);
}

static void a_computer_goes_on_with_what_it_had_itself(void **state)
{
    (void)state;
    const struct capture_claim_options one = of("PC-1");
    struct capture_claim *before;
    struct capture_claim *after;

    assert_int_equal(take(&one, &before, ""), 0);
    capture_claim_end(before, false); /* as a power cut leaves it */
    assert_int_equal(count_files(), 1);
    assert_int_equal(take(&one, &after, ""), 0);
    capture_claim_end(after, true);
    assert_int_equal(count_files(), 0);
}

static void what_gives_no_sign_of_life_is_taken_over_and_lost(void **state)
{
    (void)state;
    const struct capture_claim_options one = of("PC-1");
    const struct capture_claim_options other = of("PC-2");
    struct capture_claim *asleep;
    struct capture_claim *awake;

    assert_int_equal(take(&one, &asleep, ""), 0);
    make_old(path);
    assert_int_equal(take(&other, &awake, ""), 0);
    assert_false(capture_claim_is_lost(asleep)); /* it does not know it yet */
    assert_false(capture_claim_renew(asleep));
    assert_true(capture_claim_renew(awake));
    capture_claim_end(asleep, true); /* which it must not remove */
    assert_int_equal(count_files(), 1);
    assert_true(capture_claim_renew(awake));
    capture_claim_end(awake, true);
    assert_int_equal(count_files(), 0);
}

static void a_sign_of_life_is_one_by_the_servers_clock(void **state)
{
    (void)state;
    const struct capture_claim_options one = of("PC-1");
    const struct capture_claim_options other = of("PC-2");
    struct capture_claim *first;
    struct capture_claim *second;

    assert_int_equal(take(&one, &first, ""), 0);
    make_old(path);
    assert_true(capture_claim_renew(first));
    assert_int_equal(take(&other, &second, "PC-1"), CAPTURE_CLAIM_E_HELD);
    capture_claim_end(first, true);
}

static void the_thread_renews_it(void **state)
{
    (void)state;
    struct capture_claim_options one = of("PC-1");
    struct capture_claim *claim;
    struct stat st;

    one.renew_us = 1000;
    assert_int_equal(take(&one, &claim, ""), 0);
    make_old(path);
    do /* for as long as it takes: the test's own limit ends it */
        assert_int_equal(stat(path, &st), 0);
    while (st.st_mtime < time(NULL) - HOUR_S / 2);
    assert_int_equal(unlink(path), 0);
    while (stat(path, &st) != 0) /* it comes again */
        continue;
    capture_claim_end(claim, true);
    assert_int_equal(count_files(), 0);
}

static void who_says_so_takes_it_from_a_computer_that_lives(void **state)
{
    (void)state;
    const struct capture_claim_options one = of("PC-1");
    struct capture_claim_options other = of("PC-2");
    struct capture_claim *first;
    struct capture_claim *second;

    other.is_forced = true;
    assert_int_equal(take(&one, &first, ""), 0);
    assert_int_equal(take(&other, &second, ""), 0);
    assert_false(capture_claim_renew(first));
    capture_claim_end(first, true);
    assert_true(capture_claim_renew(second));
    capture_claim_end(second, true);
}

static void a_file_that_says_nothing_is_somebodys_until_it_is_old(void **state)
{
    (void)state;
    const struct capture_claim_options one = of("PC-1");
    struct capture_claim *claim;

    assert_int_equal(file_write(path, bytes_of("what is this"), 0600), 0);
    assert_int_equal(take(&one, &claim, "another computer captures"), CAPTURE_CLAIM_E_HELD);
    make_old(path);
    assert_int_equal(take(&one, &claim, ""), 0);
    capture_claim_end(claim, true);
    assert_int_equal(count_files(), 0);
}

static void who_went_down_while_it_took_over_does_not_keep_others_out(void **state)
{
    (void)state;
    static const char holder[] =
        "{\"device_id\":\"PC-9\",\"device_name\":\"PC-9\",\"claim\":\"%032d\",\"turn\":\"0\"}";
    const struct capture_claim_options one = of("PC-1");
    struct capture_claim *claim;
    char text[128];
    char aside[128];

    (void)snprintf(text, sizeof(text), holder, 7);
    (void)snprintf(aside, sizeof(aside), "%s.%032d", path, 7);
    assert_int_equal(file_write(path, bytes_of(text), 0600), 0);
    make_old(path);
    assert_int_equal(file_write(aside, bytes_of(text), 0600), 0);
    assert_int_equal(take(&one, &claim, "just now"), CAPTURE_CLAIM_E_HELD);
    make_old(aside);
    assert_int_equal(take(&one, &claim, ""), 0);
    capture_claim_end(claim, true);
    assert_int_equal(count_files(), 0);
}

struct rival {
    pthread_t thread;
    char name[16];
    struct capture_claim *claim; /* NULL: refused */
    pthread_barrier_t *start;
};

static void *compete(void *ctx)
{
    struct rival *rival = ctx;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct capture_claim_options options = of(rival->name);

    (void)pthread_barrier_wait(rival->start);
    if (capture_claim_take(&options, &rival->claim, &why) != 0)
        rival->claim = NULL;
    return NULL;
}

/* All at once, for a file that nobody has, or one that a dead computer left. */
static void let_compete(bool is_left)
{
    const struct capture_claim_options dead = of("dead");
    struct rival rivals[N_AT_ONCE] = {0};
    struct capture_claim *old;
    pthread_barrier_t start;
    size_t n = 0;

    if (is_left) {
        assert_int_equal(take(&dead, &old, ""), 0);
        capture_claim_end(old, false);
        make_old(path);
    }
    assert_int_equal(pthread_barrier_init(&start, NULL, N_AT_ONCE), 0);
    for (int i = 0; i < N_AT_ONCE; i++) {
        (void)snprintf(rivals[i].name, sizeof(rivals[i].name), "PC-%d", i);
        rivals[i].start = &start;
        assert_int_equal(pthread_create(&rivals[i].thread, NULL, compete, &rivals[i]), 0);
    }
    for (int i = 0; i < N_AT_ONCE; i++)
        assert_int_equal(pthread_join(rivals[i].thread, NULL), 0);
    (void)pthread_barrier_destroy(&start);
    for (int i = 0; i < N_AT_ONCE; i++)
        if (rivals[i].claim && ++n > 0) {
            assert_true(capture_claim_renew(rivals[i].claim));
            capture_claim_end(rivals[i].claim, true);
        }
    assert_int_equal(n, 1);
    assert_int_equal(count_files(), 0);
}

static void of_many_at_once_one_gets_it(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        let_compete(false);
        let_compete(true);
    }
}

static void what_is_no_holder_is_told_from_one(void **state)
{
    (void)state;
    static const char good[] =
        "{\"device_id\":\"d\",\"device_name\":\"PC\",\"claim\":\"0123456789abcdef0123456789abcdef\"}";
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"device_id\":\"d\",\"device_name\":\"PC\",\"claim\":\"../../0123456789abcdef0123456789\"}",
        "{\"device_id\":\"d\",\"device_name\":\"PC\",\"claim\":\"0123\"}",
        "{\"device_id\":\"d\",\"device_name\":\"P\\nC\",\"claim\":\"0123456789abcdef0123456789abcdef\"}",
        "{\"device_id\":7,\"device_name\":\"PC\",\"claim\":\"0123456789abcdef0123456789abcdef\"}"};
    struct capture_holder holder;

    assert_true(capture_holder_parse(bytes_of(good), &holder));
    assert_string_equal(holder.device_name, "PC");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(capture_holder_parse(bytes_of(bad[i]), &holder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_computer_is_refused_while_the_first_is_alive),
        cmocka_unit_test(a_computer_goes_on_with_what_it_had_itself),
        cmocka_unit_test(what_gives_no_sign_of_life_is_taken_over_and_lost),
        cmocka_unit_test(a_sign_of_life_is_one_by_the_servers_clock),
        cmocka_unit_test(the_thread_renews_it),
        cmocka_unit_test(who_says_so_takes_it_from_a_computer_that_lives),
        cmocka_unit_test(a_file_that_says_nothing_is_somebodys_until_it_is_old),
        cmocka_unit_test(who_went_down_while_it_took_over_does_not_keep_others_out),
        cmocka_unit_test(of_many_at_once_one_gets_it),
        cmocka_unit_test(what_is_no_holder_is_told_from_one),
    };
    int n_failed;

    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof(path), "%s/a.wim.lock", folder);
    n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)dir_remove(folder);
    return n_failed;
}

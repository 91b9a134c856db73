/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Whatever happens to the site while a content version becomes the current one, at whichever system call: the database
 * opens, the package has one whole version or the other, what was acknowledged holds, and the same again succeeds
 */

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "plat/file.h"
#include "site/content_fixture.h"
#include "site/content_version.h"
#include "site/fields.h"
#include "site/job.h"
#include "tests/inject.h"

enum {
    CALLS_MAX = 500,
    DATABASE_MAX_BYTES = 8 * 1024 * 1024,
};

struct world {
    char folder[64];
    char path[80];
    char package[SITE_ID_MAX];
    char job[UUID_TEXT_MAX]; /* which makes version 2 */
    struct buf database;     /* owned; as it was when everything was fine */
};

static int open_site(const struct world *w, struct site **ret)
{
    static const struct site_settings settings = {.name = "Lab",
                                                  .addresses = "10.77.0.1",
                                                  .http_port = 80,
                                                  .https_port = 443,
                                                  .pin = FIXTURE_SHA256,
                                                  .order_life_us = FIXTURE_MINUTE_US};
    int r = site_open(w->path, &settings, ret);

    if (r == 0)
        (*ret)->now_us = FIXTURE_START_US;
    return r;
}

/* The distribution point has made version 2. */
static int do_publish(void *ctx)
{
    OWN(fixture_freep) struct site *site = NULL;
    OWN(json_freep)
    json_t *body = json_pack("{s:s, s:{s:s, s:i, s:i, s:i}}",
                             "state",
                             "succeeded",
                             "result",
                             "manifest",
                             SHA_B,
                             "size_bytes",
                             8,
                             "file_count",
                             2,
                             "new_bytes",
                             3);
    OWN(json_freep) json_t *answer = NULL;
    struct world *w = ctx;

    if (open_site(w, &site) != 0)
        return 1;
    return job_report(site, JOB_OWN_DP, w->job, body, &answer) == 0 ? 0 : 1;
}

/* Version 1 is to be the current one again. */
static int do_roll_back(void *ctx)
{
    OWN(fixture_freep) struct site *site = NULL;
    OWN(json_freep) json_t *body = json_pack("{s:i}", "version", 1);
    OWN(json_freep) json_t *answer = NULL;
    struct world *w = ctx;
    int r;

    if (open_site(w, &site) != 0)
        return 1;
    r = content_rollback(site, "test", w->package, body, &answer);
    return r == 0 || (r == SITE_E_REFUSED && site->refusal.id == REFUSAL_VERSION) ? 0 : 1;
}

static void begin_anew(const struct world *w)
{
    assert_int_equal(dir_remove(w->folder), 0);
    assert_int_equal(dir_make(w->folder, 0700), 0);
    assert_int_equal(file_write(w->path, buf_bytes(&w->database), 0600), 0);
}

struct operation {
    int (*attempt)(void *ctx);
    unsigned before; /* the current version */
    unsigned after;
    unsigned min_calls; /* it cannot do with fewer */
};

/* The current version; asserts that it is whole. */
static unsigned current(const struct world *w)
{
    static const char *const manifests[] = {"", SHA_A, SHA_B};
    OWN(fixture_freep) struct site *site = NULL;
    uint64_t version = 0;

    assert_int_equal(open_site(w, &site), 0);
    assert_int_equal(content_current_version(site, w->package, &version), 0);
    assert_in_range(version, 1, 2);
    fixture_assert_current(site, w->package, (unsigned)version, manifests[version]);
    return (unsigned)version;
}

static void try_every_call(struct world *w, const struct operation *op, enum inject fault)
{
    unsigned nth = 1;

    for (; nth < CALLS_MAX; nth++) {
        struct inject_outcome outcome = {0};
        bool is_killed;
        unsigned version;

        begin_anew(w);
        assert_int_equal(inject_run(op->attempt, w, fault, nth, &outcome), 0);
        is_killed = fault == INJECT_KILL && outcome.was_met;
        assert_int_equal(WIFSIGNALED(outcome.status), is_killed);
        if (!is_killed)
            assert_in_range(WEXITSTATUS(outcome.status), 0, 1);
        version = current(w);
        if (!is_killed && WEXITSTATUS(outcome.status) == 0)
            assert_int_equal(version, op->after);
        else
            assert_true(version == op->before || version == op->after);
        assert_int_equal(op->attempt(w), 0);
        assert_int_equal(current(w), op->after);
        if (!outcome.was_met)
            break;
    }
    assert_in_range(nth, op->min_calls, CALLS_MAX - 1);
}

static void try_every_fault(struct world *w, const struct operation *op)
{
    try_every_call(w, op, INJECT_KILL);
    try_every_call(w, op, INJECT_EIO);
    try_every_call(w, op, INJECT_FULL);
}

static void keep_database(struct world *w)
{
    buf_fini(&w->database);
    w->database = BUF_INIT(DATABASE_MAX_BYTES);
    assert_int_equal(file_read(w->path, &w->database), 0);
}

static void a_version_that_becomes_ready_is_the_current_one_or_is_made_still(void **state)
{
    static const struct operation op = {do_publish, 1, 2, 8};

    try_every_fault(*state, &op);
}

static void a_version_that_is_gone_back_to_is_the_current_one_or_not_yet(void **state)
{
    static const struct operation op = {do_roll_back, 2, 1, 4};
    struct world *w = *state;

    assert_int_equal(do_publish(w), 0);
    keep_database(w);
    try_every_fault(w, &op);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct site *site = NULL;

    if (!w)
        return -1;
    *state = w;
    (void)snprintf(w->folder,
                   sizeof(w->folder),
                   "%s/slipway-publish-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(w->folder))
        return -1;
    (void)snprintf(w->path, sizeof(w->path), "%s/slipway.db", w->folder);
    assert_int_equal(open_site(w, &site), 0);
    fixture_create_package(site, w->package);
    assert_int_equal(fixture_update(site, w->package, "{}"), 0);
    fixture_claim(site, w->job);
    site_free(site);
    keep_database(w);
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    int r = dir_remove(w->folder);

    buf_fini(&w->database);
    free(w);
    return r;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_version_that_becomes_ready_is_the_current_one_or_is_made_still, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_version_that_is_gone_back_to_is_the_current_one_or_not_yet, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/directory_watch.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "rt/log.h"
#include "rt/work_pool.h"
#include "site/directory_login.h"

enum watch_state {
    WATCH_IDLE,
    WATCH_ASKING, /* all but the state is the other thread's */
    WATCH_ANSWERED,
};

struct directory_watch {
    struct site *site;      /* borrowed; touched by the thread that ticks alone */
    struct work_pool *pool; /* owned */
    struct directory_settings settings;
    struct directory_due due[DIRECTORY_DUE_MAX]; /* owned */
    size_t n;
    atomic_int state;
    bool is_failing;              /* the directory; said once */
    char unsure_id[NAMED_ID_MAX]; /* about whom it could not say anything last; said once */
};

DEFINE_FREEP(struct directory_watch *, directory_watch_free);

int directory_watch_new(struct site *site, struct directory_watch **ret)
{
    OWN(directory_watch_freep) struct directory_watch *watch = calloc(1, sizeof(*watch));
    int r;

    if (!watch)
        return ERR(-ENOMEM);
    watch->site = site;
    watch->settings = site->settings.directory;
    r = work_pool_new(&watch->pool);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(watch);
    return 0;
}

void directory_say_group(struct site *site, const struct directory_answer *answer)
{
    if (answer->outcome != DIRECTORY_RIGHT || !answer->why[0] ||
        strcmp(site->directory_group_why, answer->why) == 0)
        return;
    (void)snprintf(site->directory_group_why, sizeof(site->directory_group_why), "%s", answer->why);
    log_warning("a group of the directory gives nobody anything", "why=\"%s\"", answer->why);
}

static void forget(struct directory_watch *watch)
{
    for (size_t i = 0; i < watch->n; i++)
        directory_due_fini(&watch->due[i]);
    watch->n = 0;
    atomic_store(&watch->state, WATCH_IDLE);
}

void directory_watch_free(struct directory_watch *watch)
{
    if (!watch)
        return;
    work_pool_free(watch->pool); /* first: its thread has the rest */
    forget(watch);
    free(watch);
}

/* One that does not answer is not asked about the others too: they stay as they are. What it cannot say of one is his alone. */
static void ask(void *arg)
{
    struct directory_watch *watch = arg;
    bool is_down = false;

    for (size_t i = 0; i < watch->n; i++) {
        struct directory_due *due = &watch->due[i];

        if (!is_down)
            directory_ask(&watch->settings, &due->question, &due->answer);
        is_down = due->answer.outcome == DIRECTORY_DOWN;
    }
}

static void end(void *arg)
{
    struct directory_watch *watch = arg;

    atomic_store(&watch->state, WATCH_ANSWERED);
}

/* What fails each time is said when it begins and when it is over. */
static void say(struct directory_watch *watch)
{
    const struct directory_due *down = NULL;
    bool was_failing = watch->is_failing;

    for (size_t i = 0; !down && i < watch->n; i++)
        down = watch->due[i].answer.outcome == DIRECTORY_DOWN ? &watch->due[i] : NULL;
    watch->is_failing = down != NULL;
    if (down && !was_failing)
        log_warning("the directory could not be asked about administrators who are signed in",
                    "why=\"%s\" error_id=SLW-0194",
                    down->answer.why);
    if (!down && was_failing)
        log_info("the directory answers again", "about=%s", watch->due[0].id);
}

static void say_one(struct directory_watch *watch, const struct directory_due *due)
{
    directory_say_group(watch->site, &due->answer);
    if (due->answer.outcome != DIRECTORY_CANNOT_SAY)
        return;
    if (strcmp(watch->unsure_id, due->id) != 0)
        log_warning("the directory cannot say whether somebody may still sign in",
                    "about=%s why=\"%s\" error_id=SLW-0194",
                    due->id,
                    due->answer.why);
    (void)snprintf(watch->unsure_id, sizeof(watch->unsure_id), "%s", due->id);
}

static int put_down(struct directory_watch *watch)
{
    int ret = 0;

    if (watch->n > 0)
        say(watch);
    for (size_t i = 0; i < watch->n; i++) {
        int r = directory_apply_due(watch->site, &watch->due[i]);

        say_one(watch, &watch->due[i]);
        ret = ret < 0 ? ret : r;
    }
    forget(watch);
    return TRACE(ret);
}

static int begin(struct directory_watch *watch)
{
    const struct work work = {.run = ask, .arg = watch, .done = end, .ctx = watch};
    int r = directory_find_due(watch->site, watch->due, &watch->n);

    if (r == 0 && watch->n > 0) {
        atomic_store(&watch->state, WATCH_ASKING);
        r = work_pool_submit(watch->pool, &work);
    }
    if (r < 0)
        forget(watch);
    return TRACE(r);
}

int directory_watch_tick(struct directory_watch *watch)
{
    int r = 0;

    if (atomic_load(&watch->state) == WATCH_ANSWERED)
        r = put_down(watch);
    if (r == 0 && atomic_load(&watch->state) == WATCH_IDLE)
        r = begin(watch);
    return TRACE(r);
}

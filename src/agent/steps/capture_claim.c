/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/capture_claim.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "plat/random.h"

enum {
    FILE_MAX = 4096,
    FILE_MODE = 0644,
    TRIES_MAX = 4, /* while others make it and remove it */
    CLAIM_BYTES = (CAPTURE_CLAIM_ID_MAX - 1) / 2,
    US_PER_S = 1000 * 1000,
    NS_PER_US = 1000,
};

/* Beside the outcomes of the header */
enum {
    E_AGAIN = 3, /* it is not what it was a moment ago */
};

struct capture_claim {
    struct capture_claim_options options;
    struct capture_holder holder; /* ourselves */
    uint64_t turn;                /* how often it was renewed; under the mutex */
    bool is_ended;                /* under the mutex, with the condition */
    atomic_bool is_lost;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
};

static void claim_free(struct capture_claim *claim)
{
    if (!claim)
        return;
    (void)pthread_cond_destroy(&claim->condition);
    (void)pthread_mutex_destroy(&claim->mutex);
    free(claim);
}

DEFINE_FREEP(struct capture_claim *, claim_free);

static bool get_text(const json_t *json, const char *field, size_t cap, char *ret)
{
    const json_t *value = json_object_get(json, field);
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    if (!text || len >= cap || strlen(text) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ')
            return false;
    memcpy(ret, text, len + 1);
    return true;
}

bool capture_holder_parse(struct bytes text, struct capture_holder *ret)
{
    OWN(json_decrefp) json_t *json = NULL;
    uint8_t claim[CLAIM_BYTES];

    if (text.len > FILE_MAX)
        return false;
    json = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    return get_text(json, "device_id", sizeof(ret->device_id), ret->device_id) &&
           get_text(json, "device_name", sizeof(ret->device_name), ret->device_name) &&
           get_text(json, "claim", sizeof(ret->claim), ret->claim) &&
           hex_parse(bytes_of(ret->claim), sizeof(claim), claim);
}

static int fail(int error, struct buf *why)
{
    buf_adds(why, strerrordesc_np(error));
    return CAPTURE_CLAIM_E_TARGET;
}

/* The same number of bytes each time: nobody ever reads half of one. */
static int put_text(const struct capture_claim *claim, struct buf *ret)
{
    OWN(json_decrefp) json_t *json = NULL;
    OWN(freep) char *text = NULL;
    char turn[24];

    (void)snprintf(turn, sizeof(turn), "%020llu", (unsigned long long)claim->turn);
    json = json_pack("{s:s, s:s, s:s, s:s}",
                     "device_id",
                     claim->holder.device_id,
                     "device_name",
                     claim->holder.device_name,
                     "claim",
                     claim->holder.claim,
                     "turn",
                     turn);
    text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    if (!text)
        return ERR(-ENOMEM);
    buf_adds(ret, text);
    return ret->failed ? ERR(-ENOMEM) : 0;
}

/* Return: 0 when it is durable, or a negative errno. */
static int write_text(int fd, const struct capture_claim *claim)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX);
    int r = put_text(claim, &text);

    if (r < 0)
        return TRACE(r);
    for (size_t at = 0; at < text.len;) {
        ssize_t n = pwrite(fd, buf_bytes(&text).ptr + at, text.len - at, (off_t)at);

        if (n < 0 && errno != EINTR)
            return -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

/* A new file that says who we are. @ret_time_s: when that was, by the server's clock; may be NULL. Return: 0 or a negative errno. */
static int create(const struct capture_claim *claim, const char *path, int64_t *ret_time_s)
{
    OWN(fd_closep)
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    struct stat st = {0};
    int r;

    if (fd < 0)
        return -errno;
    r = write_text(fd, claim);
    if (r == 0 && fstat(fd, &st) < 0)
        r = -errno;
    if (r < 0)
        (void)unlink(path);
    else if (ret_time_s)
        *ret_time_s = st.st_mtime;
    return r;
}

/* Who has it: all empty if the file does not say it. Return: 0 or a negative errno. */
static int read_holder(int fd, struct capture_holder *ret, int64_t *ret_time_s)
{
    uint8_t text[FILE_MAX];
    struct stat st = {0};
    ssize_t n;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EEXIST;
    n = pread(fd, text, sizeof(text), 0);
    if (n < 0)
        return -errno;
    *ret_time_s = st.st_mtime;
    if (!capture_holder_parse((struct bytes){text, (size_t)n}, ret))
        *ret = (struct capture_holder){0};
    return 0;
}

static int look(const char *path, struct capture_holder *ret, int64_t *ret_time_s)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    return fd < 0 ? -errno : read_holder(fd, ret, ret_time_s);
}

/* The time of the server, whose files ours are compared with. */
static int find_now(const struct capture_claim *claim, int64_t *ret_s)
{
    char path[PATH_MAX];
    int r;

    (void)snprintf(path, sizeof(path), "%s.%s", claim->options.path, claim->holder.claim);
    r = create(claim, path, ret_s);
    if (r == 0)
        (void)unlink(path);
    return r;
}

static int held(const struct capture_holder *holder, int64_t age_s, struct buf *why)
{
    buf_addf(why,
             "%s captures into it, and gave the last sign of life %lld seconds ago",
             holder->device_name[0] != '\0' ? holder->device_name : "another computer",
             (long long)(age_s > 0 ? age_s : 0));
    return CAPTURE_CLAIM_E_HELD;
}

/*
 * In the place of @old. Who makes the file with the name of that claim may replace it: it gets the name of the claim then, so
 * that whoever comes later finds another claim there. Return: 0, E_AGAIN, an outcome, or -errno.
 */
static int replace(const struct capture_claim *claim,
                   const struct capture_holder *old,
                   int64_t now_s,
                   struct buf *why)
{
    const char *path = claim->options.path;
    struct capture_holder holder = {0};
    char aside[PATH_MAX];
    int64_t time_s = 0;
    int r;

    (void)snprintf(
        aside, sizeof(aside), "%s.%s", path, old->claim[0] != '\0' ? old->claim : "unknown");
    r = create(claim, aside, NULL);
    if (r == -EEXIST) { /* which takes a moment, unless somebody went down in it */
        if (look(aside, &holder, &time_s) == 0 &&
            (strcmp(holder.device_id, claim->holder.device_id) == 0 ||
             now_s - time_s > (int64_t)claim->options.stale_s))
            (void)unlink(aside);
        return E_AGAIN;
    }
    if (r < 0)
        return fail(-r, why);
    r = look(path, &holder, &time_s);
    if (r < 0 || strcmp(holder.claim, old->claim) != 0) {
        (void)unlink(aside);
        return E_AGAIN;
    }
    if (rename(aside, path) < 0) {
        r = fail(errno, why);
        (void)unlink(aside);
        return r;
    }
    return 0;
}

/* Once. Return: 0, E_AGAIN, an outcome, or -errno. */
static int try_to_take(const struct capture_claim *claim, struct buf *why)
{
    const struct capture_claim_options *options = &claim->options;
    struct capture_holder holder = {0};
    int64_t time_s = 0;
    int64_t now_s = 0;
    int r = create(claim, options->path, NULL);

    if (r != -EEXIST)
        return r == 0 ? 0 : fail(-r, why);
    r = look(options->path, &holder, &time_s);
    if (r == -ENOENT)
        return E_AGAIN;
    if (r == 0)
        r = find_now(claim, &now_s);
    if (r < 0)
        return fail(-r, why);
    if (!options->is_forced && strcmp(holder.device_id, options->device_id) != 0 &&
        now_s - time_s <= (int64_t)options->stale_s)
        return held(&holder, now_s - time_s, why);
    return TRACE(replace(claim, &holder, now_s, why));
}

bool capture_claim_is_lost(const struct capture_claim *claim)
{
    return claim && atomic_load(&claim->is_lost);
}

/* With the mutex. What the server does not answer is no loss: it is asked again. */
static void renew(struct capture_claim *claim)
{
    OWN(fd_closep)
    int fd = open(claim->options.path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct capture_holder holder = {0};
    int64_t time_s = 0;

    if (fd < 0 && errno == ENOENT) /* somebody has removed it */
        (void)create(claim, claim->options.path, NULL);
    if (fd < 0 || read_holder(fd, &holder, &time_s) < 0)
        return;
    if (strcmp(holder.claim, claim->holder.claim) != 0) {
        atomic_store(&claim->is_lost, true);
        return;
    }
    claim->turn++;
    (void)write_text(fd,
                     claim); /* into what was read: what takes its place by now stays as it is */
}

bool capture_claim_renew(struct capture_claim *claim)
{
    (void)pthread_mutex_lock(&claim->mutex);
    renew(claim);
    (void)pthread_mutex_unlock(&claim->mutex);
    return !capture_claim_is_lost(claim);
}

static struct timespec after(uint64_t us)
{
    struct timespec ret;

    (void)clock_gettime(CLOCK_MONOTONIC, &ret);
    us += (uint64_t)ret.tv_nsec / NS_PER_US;
    ret.tv_sec += (time_t)(us / US_PER_S);
    ret.tv_nsec = (long)(us % US_PER_S * NS_PER_US);
    return ret;
}

static void *keep_alive(void *ctx)
{
    struct capture_claim *claim = ctx;

    (void)pthread_mutex_lock(&claim->mutex);
    while (!claim->is_ended && !capture_claim_is_lost(claim)) {
        struct timespec until = after(claim->options.renew_us);

        if (pthread_cond_timedwait(&claim->condition, &claim->mutex, &until) == ETIMEDOUT)
            renew(claim);
    }
    (void)pthread_mutex_unlock(&claim->mutex);
    return NULL;
}

static int claim_new(const struct capture_claim_options *options, struct capture_claim **ret)
{
    struct capture_claim *claim = calloc(1, sizeof(*claim));
    uint8_t id[CLAIM_BYTES];
    pthread_condattr_t attributes;

    if (!claim)
        return ERR(-ENOMEM);
    claim->options = *options;
    random_bytes(id, sizeof(id));
    hex_put(claim->holder.claim, (struct bytes){id, sizeof(id)});
    (void)snprintf(
        claim->holder.device_id, sizeof(claim->holder.device_id), "%s", options->device_id);
    (void)snprintf(
        claim->holder.device_name, sizeof(claim->holder.device_name), "%s", options->device_name);
    text_make_utf8(claim->holder.device_name);
    (void)pthread_mutex_init(&claim->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&claim->condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    *ret = claim;
    return 0;
}

int capture_claim_take(const struct capture_claim_options *options,
                       struct capture_claim **ret,
                       struct buf *why)
{
    OWN(claim_freep) struct capture_claim *claim = NULL;
    int r = claim_new(options, &claim);

    if (!claim)
        return TRACE(r);
    r = E_AGAIN;
    for (unsigned i = 0; r == E_AGAIN && i < TRIES_MAX; i++)
        r = try_to_take(claim, why);
    if (r == E_AGAIN) {
        buf_adds(why, "another computer begins to capture into it just now");
        return CAPTURE_CLAIM_E_HELD;
    }
    if (r != 0)
        return TRACE(r);
    r = pthread_create(&claim->thread, NULL, keep_alive, claim);
    if (r != 0) {
        (void)unlink(options->path);
        return ERR(-r);
    }
    *ret = TAKE(claim);
    return 0;
}

void capture_claim_end(struct capture_claim *claim, bool is_released)
{
    if (!claim)
        return;
    (void)pthread_mutex_lock(&claim->mutex);
    claim->is_ended = true;
    (void)pthread_cond_signal(&claim->condition);
    (void)pthread_mutex_unlock(&claim->mutex);
    (void)pthread_join(claim->thread, NULL);
    if (is_released) {
        renew(claim); /* whose is it? */
        if (!capture_claim_is_lost(claim))
            (void)unlink(claim->options.path);
    }
    claim_free(claim);
}

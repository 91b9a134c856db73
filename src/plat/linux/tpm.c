/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The TPM is asked by a process aside, as a TPM may take minutes, or never answer, and whoever waits for its driver cannot be stopped.
 * That process ends when the socket to it is closed; one that does not is left to itself.
 */

#include "plat/tpm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "plat/linux/tpm_chip.h"

enum {
    US_PER_MS = 1000,
    END_PATIENCE_US = 2 * 1000 * 1000,
};

/* What the two say to one another, a packet each. */
struct hello {
    int outcome;
    size_t public_len;
    size_t name_len;
    uint8_t public[TPM_PUBLIC_MAX_BYTES];
    uint8_t name[TPM_NAME_MAX_BYTES];
};

struct question {
    size_t blob_len;
    size_t encrypted_len;
    uint8_t blob[TPM_BLOB_MAX_BYTES];
    uint8_t encrypted[TPM_BLOB_MAX_BYTES];
};

struct reply {
    int outcome;
    size_t len;
    uint8_t secret[TPM_SECRET_MAX_BYTES];
};

struct tpm {
    pid_t pid;
    int fd; /* owned */
    uint64_t patience_us;
    bool is_lost; /* it did not answer in time */
    struct hello hello;
};

static bool say(int fd, const void *what, size_t len)
{
    return send(fd, what, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool hear(int fd, void *dst, size_t len)
{
    ssize_t n;

    do
        n = recv(fd, dst, len, 0);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

/* Return: whether something has come, or the other end is gone. */
static bool wait_for(int fd, uint64_t patience_us)
{
    uint64_t until_us = clock_monotonic_us() + patience_us;
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    int n;

    do {
        uint64_t now_us = clock_monotonic_us();

        n = poll(&wanted, 1, now_us < until_us ? (int)((until_us - now_us) / US_PER_MS) + 1 : 0);
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

/* One answer of the process aside. Return: whether it has come. */
static bool take_answer(struct tpm *tpm, void *dst, size_t len)
{
    tpm->is_lost = !wait_for(tpm->fd, tpm->patience_us);
    return !tpm->is_lost && hear(tpm->fd, dst, len);
}

static void answer(struct tpm_chip *chip, int fd)
{
    struct question question;

    while (hear(fd, &question, sizeof(question))) {
        struct reply reply = {0};

        reply.outcome =
            tpm_chip_activate(chip,
                              (struct bytes){question.blob, question.blob_len},
                              (struct bytes){question.encrypted, question.encrypted_len},
                              reply.secret,
                              &reply.len);
        if (!say(fd, &reply, sizeof(reply)))
            return;
    }
}

/* What tpm2-tss says on standard error is nobody's, and as this process may stay longer than we do it keeps nothing open. */
static void let_go(int fd)
{
    int nobody = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (nobody >= 0)
        (void)dup2(nobody, STDERR_FILENO);
    (void)close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
    (void)close_range((unsigned)fd + 1, ~0U, 0);
}

/* The process aside. */
static _Noreturn void serve(const char *device, int fd)
{
    struct hello hello = {0};
    struct tpm_chip *chip = NULL;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    let_go(fd);
    hello.outcome = tpm_chip_open(device, &chip);
    if (hello.outcome == 0) {
        hello.public_len = tpm_chip_public(chip).len;
        memcpy(hello.public, tpm_chip_public(chip).ptr, hello.public_len);
        hello.name_len = tpm_chip_name(chip).len;
        memcpy(hello.name, tpm_chip_name(chip).ptr, hello.name_len);
    }
    if (say(fd, &hello, sizeof(hello)) && hello.outcome == 0)
        answer(chip, fd);
    tpm_chip_free(chip);
    _exit(0);
}

void tpm_free(struct tpm *tpm)
{
    if (!tpm)
        return;
    if (tpm->pid > 0) {
        (void)shutdown(tpm->fd, SHUT_WR);
        if (tpm->is_lost || !wait_for(tpm->fd, END_PATIENCE_US))
            (void)kill(tpm->pid, SIGKILL);
        (void)waitpid(tpm->pid, NULL, wait_for(tpm->fd, END_PATIENCE_US) ? 0 : WNOHANG);
    }
    fd_closep(&tpm->fd);
    free(tpm);
}

DEFINE_FREEP(struct tpm *, tpm_free);

static int start(struct tpm *tpm, const char *device)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        return ERR(-errno);
    tpm->fd = fds[0];
    tpm->pid = fork();
    if (tpm->pid == 0) {
        (void)close(fds[0]);
        serve(device, fds[1]);
    }
    (void)close(fds[1]);
    return tpm->pid > 0 ? 0 : ERR(-errno);
}

int tpm_open(const char *device, uint64_t patience_us, struct tpm **ret)
{
    OWN(tpm_freep) struct tpm *tpm = NULL;
    int r;

    if (access(device, R_OK | W_OK) != 0)
        return TPM_E_NONE;
    tpm = calloc(1, sizeof(*tpm));
    if (!tpm)
        return ERR(-ENOMEM);
    tpm->fd = -1;
    tpm->patience_us = patience_us;
    r = start(tpm, device);
    if (r < 0)
        return TRACE(r);
    if (!take_answer(tpm, &tpm->hello, sizeof(tpm->hello)))
        return TPM_E_NONE;
    if (tpm->hello.outcome != 0)
        return TRACE(tpm->hello.outcome);
    *ret = TAKE(tpm);
    return 0;
}

struct bytes tpm_public(const struct tpm *tpm)
{
    return (struct bytes){tpm->hello.public, tpm->hello.public_len};
}

struct bytes tpm_name(const struct tpm *tpm)
{
    return (struct bytes){tpm->hello.name, tpm->hello.name_len};
}

int tpm_activate(struct tpm *tpm,
                 struct bytes blob,
                 struct bytes encrypted,
                 uint8_t ret[static TPM_SECRET_MAX_BYTES],
                 size_t *ret_len)
{
    struct question question = {.blob_len = blob.len, .encrypted_len = encrypted.len};
    struct reply reply;
    int outcome;

    if (blob.len > sizeof(question.blob) || encrypted.len > sizeof(question.encrypted))
        return TPM_E_REFUSED;
    memcpy(question.blob, blob.ptr, blob.len);
    memcpy(question.encrypted, encrypted.ptr, encrypted.len);
    if (!say(tpm->fd, &question, sizeof(question)) || !take_answer(tpm, &reply, sizeof(reply)))
        return TPM_E_NONE;
    outcome = reply.outcome;
    if (outcome == 0) {
        memcpy(ret, reply.secret, reply.len);
        *ret_len = reply.len;
    }
    explicit_bzero(&reply, sizeof(reply));
    return TRACE(outcome);
}

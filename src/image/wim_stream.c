/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "format/pwm/pwm.h"
#include "plat/file.h"

enum {
    PIPE_BYTES = 1024 * 1024,
    PIECE_BYTES = 256 * 1024,
};

/* What the thread that runs wimlib needs, and what it says. */
struct writer {
    WIMStruct *wim;
    int fd; /* owned by the thread: closing it is the end of the stream */
    _Atomic unsigned percent;
    int code; /* of wimlib; read after pthread_join() */
};

static enum wimlib_progress_status
on_progress(enum wimlib_progress_msg msg, union wimlib_progress_info *info, void *ctx)
{
    struct writer *writer = ctx;

    if (msg == WIMLIB_PROGRESS_MSG_WRITE_STREAMS && info->write_streams.total_bytes > 0)
        writer->percent =
            (unsigned)(info->write_streams.completed_bytes * 100 / info->write_streams.total_bytes);
    return WIMLIB_PROGRESS_STATUS_CONTINUE;
}

static void *run_writer(void *ctx)
{
    struct writer *writer = ctx;
    sigset_t pipe_signal;

    /* a reader that went away is an error of write(), not the end of the process */
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    writer->code = wimlib_write_to_fd(writer->wim,
                                      writer->fd,
                                      WIMLIB_ALL_IMAGES,
                                      WIMLIB_WRITE_FLAG_PIPABLE | WIMLIB_WRITE_FLAG_RETAIN_GUID |
                                          WIMLIB_WRITE_FLAG_NO_CHECK_INTEGRITY,
                                      1);
    fd_closep(&writer->fd);
    return NULL;
}

/* Return: 0, WIM_IMPORT_E_CANCELLED, or -errno. */
static int hand_over(struct pwm_splitter *splitter,
                     struct bytes src,
                     const struct wim_sink *sink,
                     unsigned percent)
{
    while (src.len > 0) {
        struct pwm_piece piece;

        if (pwm_next(splitter, &src, &piece) != 0)
            return ERR(-EPROTO); /* wimlib writes another format than we know */
        if (sink->feed(sink->ctx, piece.bytes, percent) != 0)
            return WIM_IMPORT_E_CANCELLED;
        if (piece.ends_unit && sink->cut(sink->ctx) != 0)
            return WIM_IMPORT_E_CANCELLED;
    }
    return 0;
}

static int pump(int fd, const struct wim_sink *sink, const struct writer *writer)
{
    OWN(freep) uint8_t *piece = malloc(PIECE_BYTES);
    struct pwm_splitter splitter;

    if (!piece)
        return ERR(-ENOMEM);
    pwm_init(&splitter);
    for (;;) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return 0;
        r = hand_over(&splitter, (struct bytes){piece, (size_t)n}, sink, writer->percent);
        if (r != 0)
            return TRACE(r);
    }
}

int wim_stream(WIMStruct *wim, const struct wim_sink *sink, int *ret_code)
{
    OWN(fd_closep) int from = -1;
    struct writer writer = {.wim = wim, .fd = -1};
    pthread_t thread;
    int ends[2];
    int r;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return ERR(-errno);
    from = ends[0];
    writer.fd = ends[1];
    (void)fcntl(from, F_SETPIPE_SZ, PIPE_BYTES); /* a smaller pipe is only slower */
    wimlib_register_progress_function(wim, on_progress, &writer);
    if (pthread_create(&thread, NULL, run_writer, &writer) != 0) {
        fd_closep(&writer.fd);
        return ERR(-EAGAIN);
    }
    r = pump(from, sink, &writer);
    fd_closep(&from); /* ends a writer that is not done */
    (void)pthread_join(thread, NULL);
    *ret_code = writer.code;
    return r < 0 ? TRACE(r) : r;
}

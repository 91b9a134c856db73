/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#include <wimlib.h>

#include "base/err.h"
#include "base/own.h"
#include "image/apply_folder.h"
#include "image/apply_stream.h"
#include "image/wim.h"
#include "plat/file.h"

enum {
    DRAIN_BYTES = 16 * 1024,
};

static int outcome_of(int code)
{
    switch (code) {
    case WIMLIB_ERR_NOMEM:
        return ERR(-ENOMEM);
    case WIMLIB_ERR_READ:
    case WIMLIB_ERR_UNEXPECTED_END_OF_FILE:
    case WIMLIB_ERR_INVALID_PIPABLE_WIM:
    case WIMLIB_ERR_NOT_PIPABLE:
    case WIMLIB_ERR_NOT_A_WIM_FILE:
    case WIMLIB_ERR_INVALID_HEADER:
    case WIMLIB_ERR_INVALID_METADATA_RESOURCE:
    case WIMLIB_ERR_INVALID_RESOURCE_HASH:
    case WIMLIB_ERR_INVALID_IMAGE:
    case WIMLIB_ERR_XML:
        return WIM_APPLY_E_STREAM;
    default:
        return WIM_APPLY_E_TARGET;
    }
}

/* The image is complete before the stream is: its table and XML come last. */
static int drain(int fd)
{
    uint8_t rest[DRAIN_BYTES];

    for (;;) {
        ssize_t n = read(fd, rest, sizeof(rest));

        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return ERR(-errno);
    }
}

static int apply_to_volume(int fd, const char *target, struct buf *why)
{
    int r = wim_start();

    if (r < 0)
        return TRACE(r);

    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* wimlib closes what it reads from */

    if (own < 0)
        return ERR(-errno);
    r = wimlib_extract_image_from_pipe_with_progress(own,
                                                     "1",
                                                     target,
                                                     WIMLIB_EXTRACT_FLAG_STRICT_ACLS |
                                                         WIMLIB_EXTRACT_FLAG_STRICT_TIMESTAMPS |
                                                         WIMLIB_EXTRACT_FLAG_NTFS,
                                                     NULL,
                                                     NULL);

    size_t n_said = wim_messages_take(why);

    if (r != 0 && n_said == 0)
        buf_adds(why, wimlib_get_error_string((enum wimlib_error_code)r));
    if (r != 0)
        return outcome_of(r);
    if (n_said > 0)
        return WIM_APPLY_E_LOST;
    return TRACE(drain(fd));
}

static int apply_to_folder(int fd, int root, struct buf *why)
{
    OWN(apply_folder_freep) struct apply_folder *folder = NULL;
    struct apply_target target;
    int r = apply_folder_new(root, why, &folder);

    if (r < 0)
        return TRACE(r);
    target = apply_folder_target(folder);
    return TRACE(apply_stream(fd, &target, why));
}

int wim_apply(int fd, const char *target, struct buf *why)
{
    OWN(fd_closep) int root = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (root >= 0)
        return TRACE(apply_to_folder(fd, root, why));
    if (errno != ENOTDIR) {
        buf_addf(why, "%s cannot be opened", target);
        return WIM_APPLY_E_TARGET;
    }
    return TRACE(apply_to_volume(fd, target, why)); /* a file or a device is one */
}

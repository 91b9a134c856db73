/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "plat/file.h"

const char *secret_file_read(const char *path, char ret[static SECRET_FILE_MAX_BYTES])
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) != 0)
        return strerrordesc_np(errno);
    if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IWGRP | S_IRWXO)) != 0)
        return "it is no file for the site's user alone: its mode must be 0600 or 0640";
    n = read(fd, ret, SECRET_FILE_MAX_BYTES - 1);
    if (n < 0)
        return strerrordesc_np(errno);
    ret[n] = '\0';
    ret[strcspn(ret, "\r\n")] = '\0';
    return ret[0] ? NULL : "it is empty";
}

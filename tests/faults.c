/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The linker's names (--wrap) are not ours to choose. NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *ptr, size_t size);
char *__real_strdup(const char *text);
int __real_open(const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);
int __real_mkdir(const char *path, mode_t mode);
ssize_t __real_write(int fd, const void *src, size_t len);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_mkdir(const char *path, mode_t mode);
ssize_t __wrap_write(int fd, const void *src, size_t len);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);

static atomic_bool is_armed;
static enum fault armed;
static atomic_uint calls; /* since it was armed */
static unsigned fatal_call;

void faults_arm(enum fault fault, unsigned nth)
{
    armed = fault;
    fatal_call = nth;
    calls = 0;
    is_armed = true;
}

bool faults_disarm(void)
{
    bool was_met = is_armed && calls >= fatal_call;

    is_armed = false;
    return was_met;
}

static bool is_out_of_memory(void)
{
    return is_armed && armed == FAULT_MEMORY && atomic_fetch_add(&calls, 1) + 1 == fatal_call;
}

/* Also sets errno. */
static bool is_disk_over(void)
{
    if (!is_armed || armed == FAULT_MEMORY || atomic_fetch_add(&calls, 1) + 1 < fatal_call)
        return false;
    if (armed == FAULT_LIFE)
        (void)kill(getpid(), SIGKILL);
    errno = armed == FAULT_DISK ? EIO : ENOSPC;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return is_out_of_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_out_of_memory() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
    return is_out_of_memory() ? NULL : __real_realloc(ptr, size);
}

char *__wrap_strdup(const char *text)
{
    return is_out_of_memory() ? NULL : __real_strdup(text);
}

int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;

    va_start(args, flags);
    if (flags & O_CREAT)
        mode = va_arg(args, mode_t);
    va_end(args);
    if ((flags & O_CREAT) && is_disk_over())
        return -1;
    return __real_open(path, flags, mode);
}

/* What open() is called where files may be large. */
int __wrap_open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;

    va_start(args, flags);
    if (flags & O_CREAT)
        mode = va_arg(args, mode_t);
    va_end(args);
    if ((flags & O_CREAT) && is_disk_over())
        return -1;
    return __real_open64(path, flags, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return is_disk_over() ? -1 : __real_mkdir(path, mode);
}

ssize_t __wrap_write(int fd, const void *src, size_t len)
{
    return is_disk_over() ? -1 : __real_write(fd, src, len);
}

int __wrap_fsync(int fd)
{
    return is_disk_over() ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return is_disk_over() ? -1 : __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
    return is_disk_over() ? -1 : __real_unlink(path);
}
/* NOLINTEND(bugprone-reserved-identifier) */

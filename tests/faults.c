/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
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
int __real_mkdir(const char *path, mode_t mode);
ssize_t __real_write(int fd, const void *src, size_t len);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_open(const char *path, int flags, ...);
int __wrap_mkdir(const char *path, mode_t mode);
ssize_t __wrap_write(int fd, const void *src, size_t len);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

static bool is_armed;
static enum fault armed;
static unsigned calls_left; /* until the fault; 0: it has been met */

void faults_arm(enum fault fault, unsigned nth)
{
    is_armed = true;
    armed = fault;
    calls_left = nth;
}

bool faults_disarm(void)
{
    bool was_met = is_armed && calls_left == 0;

    is_armed = false;
    return was_met;
}

static bool is_out_of_memory(void)
{
    return is_armed && armed == FAULT_MEMORY && calls_left > 0 && --calls_left == 0;
}

/* Also sets errno. */
static bool is_disk_full(void)
{
    if (!is_armed || armed == FAULT_MEMORY)
        return false;
    if (calls_left > 0 && --calls_left > 0)
        return false;
    if (armed == FAULT_LIFE)
        (void)kill(getpid(), SIGKILL);
    errno = ENOSPC;
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
    if ((flags & O_CREAT) && is_disk_full())
        return -1;
    return __real_open(path, flags, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return is_disk_full() ? -1 : __real_mkdir(path, mode);
}

ssize_t __wrap_write(int fd, const void *src, size_t len)
{
    return is_disk_full() ? -1 : __real_write(fd, src, len);
}

int __wrap_fsync(int fd)
{
    return is_disk_full() ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return is_disk_full() ? -1 : __real_rename(from, to);
}
/* NOLINTEND(bugprone-reserved-identifier) */

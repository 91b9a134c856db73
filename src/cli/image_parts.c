/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/image_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "plat/file.h"

enum {
    HEADER_BYTES = 44,
    MAGIC_BYTES = 8,
    GUID_AT = 24,
    GUID_BYTES = 16,
    NUMBER_AT = 40,
    TOTAL_AT = 42,
};

struct part {
    uint8_t guid[GUID_BYTES];
    unsigned number; /* 1 also of what is no WIM */
    unsigned total;
};

static unsigned get_u16(const uint8_t *at)
{
    return (unsigned)at[0] | (unsigned)at[1] << 8;
}

static bool read_part(struct session *s, const char *path, struct part *ret)
{
    static const char magics[][MAGIC_BYTES] = {"MSWIM\0\0", "WLPWM\0\0"};
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t header[HEADER_BYTES];
    ssize_t n = fd < 0 ? -1 : pread(fd, header, sizeof(header), 0);
    bool is_wim;

    *ret = (struct part){.number = 1, .total = 1};
    if (n < 0)
        return session_fail_errno(s, path, -errno);
    is_wim = n == sizeof(header) && (memcmp(header, magics[0], MAGIC_BYTES) == 0 ||
                                     memcmp(header, magics[1], MAGIC_BYTES) == 0);
    if (!is_wim || get_u16(header + TOTAL_AT) < 2)
        return true;
    memcpy(ret->guid, header + GUID_AT, GUID_BYTES);
    ret->number = get_u16(header + NUMBER_AT);
    ret->total = get_u16(header + TOTAL_AT);
    return true;
}

static bool fail(struct session *s, const char *path, const char *why)
{
    return session_fail(s, ARGS_EXIT_FAILURE, "SLW-0709", "%s: %s", path, why);
}

/* "/a/b.swm", 2 -> "/a/b2.swm" */
static bool put_name(char dst[static IMAGE_PARTS_PATH_MAX], const char *first, unsigned number)
{
    const char *slash = strrchr(first, '/');
    const char *dot = strrchr(slash ? slash : first, '.');
    int stem = (int)(dot ? (size_t)(dot - first) : strlen(first));
    int n =
        number == 1
            ? snprintf(dst, IMAGE_PARTS_PATH_MAX, "%s", first)
            : snprintf(dst, IMAGE_PARTS_PATH_MAX, "%.*s%u%s", stem, first, number, dot ? dot : "");

    return n > 0 && n < IMAGE_PARTS_PATH_MAX;
}

/* Put a file where it belongs. @first: of the files, which says how many there are. */
static bool
place(struct session *s, const char *path, const struct part *first, struct image_parts *ret)
{
    struct part part;
    char *dst;

    if (!read_part(s, path, &part))
        return false;
    if (part.total != first->total || memcmp(part.guid, first->guid, GUID_BYTES) != 0)
        return fail(s, path, "it is no part of the same split image as the other files");
    if (part.number < 1 || part.number > part.total)
        return fail(s, path, "its header is damaged");
    dst = ret->paths[part.number - 1];
    if (dst[0] != '\0')
        return fail(s, path, "this part of the split image is given twice");
    if (snprintf(dst, IMAGE_PARTS_PATH_MAX, "%s", path) >= IMAGE_PARTS_PATH_MAX)
        return fail(s, path, "the path is too long");
    return true;
}

/* The others lie beside the first one. */
static bool
find_beside(struct session *s, const char *path, const struct part *first, struct image_parts *ret)
{
    char beside[IMAGE_PARTS_PATH_MAX];

    if (first->number != 1)
        return fail(
            s, path, "it is a part of a split image, but not the first one: name that one, or all");
    for (unsigned number = 1; number <= first->total; number++) {
        if (!put_name(beside, path, number))
            return fail(s, path, "the path is too long");
        if (!file_exists(beside))
            return fail(s,
                        beside,
                        "this part of the split image is missing: put it beside the first one, or "
                        "name all the parts");
        if (!place(s, beside, first, ret))
            return false;
    }
    return true;
}

bool image_parts_find(struct session *s,
                      const char *const *files,
                      size_t n,
                      struct image_parts *ret)
{
    struct part first;

    memset(ret, 0, sizeof(*ret));
    if (!read_part(s, files[0], &first))
        return false;
    if (first.total > IMAGE_PARTS_MAX)
        return fail(s, files[0], "the image is split into more than 64 parts: join them first");
    ret->n = first.total;
    if (n == 1)
        return find_beside(s, files[0], &first, ret);
    if (n != first.total)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            "SLW-0709",
                            "%zu files are given, but the image of %s has %u: name one image, and "
                            "if it is split its first part or all of them",
                            n,
                            files[0],
                            first.total);
    for (size_t i = 0; i < n; i++)
        if (!place(s, files[i], &first, ret))
            return false;
    return true;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_parts.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "image/wim.h"

static void wim_freep(WIMStruct **wim)
{
    wimlib_free(*wim);
}

/* "/a/b.swm", 2 -> "/a/b2.swm" */
static int put_part_path(const char *first, unsigned number, struct buf *ret)
{
    const char *slash = strrchr(first, '/');
    const char *dot = strrchr(slash ? slash : first, '.');
    size_t stem = dot ? (size_t)(dot - first) : strlen(first);

    buf_add(ret, (struct bytes){(const uint8_t *)first, stem});
    buf_addf(ret, "%u%s", number, dot ? dot : "");
    return ret->failed ? ERR(-ENAMETOOLONG) : 0;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Return: 0, WIM_PARTS_E_MISSING, or -errno. */
static int
check_part(const char *path, const struct wimlib_wim_info *first, unsigned number, struct buf *why)
{
    OWN(wim_freep) WIMStruct *part = NULL;
    struct wimlib_wim_info info = {0};
    int r = wimlib_open_wim(path, 0, &part);

    if (r == WIMLIB_ERR_NOMEM)
        return ERR(-ENOMEM);
    if (r != 0) {
        buf_addf(why, "part %u of %u, %s: ", number, first->total_parts, name_of(path));
        wim_explain(r, why);
        return WIM_PARTS_E_MISSING;
    }
    r = wimlib_get_wim_info(part, &info);
    if (r == 0 && memcmp(info.guid, first->guid, sizeof(info.guid)) == 0 &&
        info.part_number == number && info.total_parts == first->total_parts)
        return 0;
    buf_addf(why,
             "part %u of %u, %s: the file of this name is no part of the same image",
             number,
             first->total_parts,
             name_of(path));
    return WIM_PARTS_E_MISSING;
}

static int add_part(WIMStruct *wim,
                    const char *first_path,
                    const struct wimlib_wim_info *first,
                    unsigned number,
                    struct buf *why)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX);
    const char *paths[1];
    int r = put_part_path(first_path, number, &path);

    if (r < 0)
        return TRACE(r);
    r = check_part(buf_str(&path), first, number, why);
    if (r != 0)
        return TRACE(r);
    paths[0] = buf_str(&path);
    r = wimlib_reference_resource_files(wim, paths, 1, 0, WIMLIB_OPEN_FLAG_CHECK_INTEGRITY);
    if (r == 0)
        return 0;
    wim_explain(r, why);
    return r == WIMLIB_ERR_NOMEM ? ERR(-ENOMEM) : WIM_PARTS_E_BAD;
}

int wim_parts_add(WIMStruct *wim, const char *path, struct buf *why)
{
    struct wimlib_wim_info info;
    int r = wimlib_get_wim_info(wim, &info);

    if (r != 0)
        return ERR(-EINVAL);
    if (info.total_parts > 1 && info.part_number != 1) {
        buf_addf(why,
                 "%s is part %u of %u: name the first part",
                 name_of(path),
                 info.part_number,
                 info.total_parts);
        return WIM_PARTS_E_MISSING;
    }
    for (unsigned number = 2; number <= info.total_parts; number++) {
        r = add_part(wim, path, &info, number, why);
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

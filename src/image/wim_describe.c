/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_describe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "image/loader_arch.h"

enum {
    PATH_TEXT_MAX = 64, /* of a place in the XML */
    LANGUAGES_MAX = 64,
    WALK_FOUND = -1, /* of a callback: nothing more to see; no code of wimlib is negative */
};

void wim_image_fini(struct wim_image *image)
{
    free(image->name);
    free(image->description);
    free(image->languages);
    free(image->default_language);
    free(image->edition);
    free(image->build);
    *image = (struct wim_image){0};
}

/* PROCESSOR_ARCHITECTURE_... of Windows, as WIM files use it. */
static const char *arch_name(const char *number)
{
    static const char *const names[][2] = {
        {"0", "x86"}, {"5", "arm"}, {"9", "x64"}, {"12", "arm64"}};

    for (size_t i = 0; number && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(number, names[i][0]) == 0)
            return names[i][1];
    return "";
}

/* Whole characters of UTF-8, at most WIM_TEXT_MAX bytes. */
static char *copy_text(const char *text)
{
    size_t len = strnlen(text, WIM_TEXT_MAX + 1);

    if (len > WIM_TEXT_MAX)
        len = WIM_TEXT_MAX;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return strndup(text, len);
}

static char *copy_property(const WIMStruct *wim, int index, const char *name)
{
    const char *text = wimlib_get_image_property(wim, index, name);

    return copy_text(text ? text : "");
}

/* What lies at these places of the XML, until one is not there. @names: ends with NULL */
static char *
join_properties(const WIMStruct *wim, int index, const char *const *names, char separator)
{
    OWN(buf_fini) struct buf all = BUF_INIT(WIM_TEXT_MAX);
    const char separators[] = {separator, '\0'};

    for (size_t i = 0; names[i]; i++) {
        const char *text = wimlib_get_image_property(wim, index, names[i]);

        if (!text || all.len + strlen(text) + 1 > WIM_TEXT_MAX)
            break;
        buf_adds(&all, all.len > 0 ? separators : "");
        buf_adds(&all, text);
    }
    return all.failed ? NULL : copy_text(buf_str(&all));
}

/* "10.0.20348.1129"; fewer numbers if the file has no more. */
static char *copy_build(const WIMStruct *wim, int index)
{
    static const char *const names[] = {"WINDOWS/VERSION/MAJOR",
                                        "WINDOWS/VERSION/MINOR",
                                        "WINDOWS/VERSION/BUILD",
                                        "WINDOWS/VERSION/SPBUILD",
                                        NULL};

    return join_properties(wim, index, names, '.');
}

static char *copy_languages(const WIMStruct *wim, int index)
{
    char texts[LANGUAGES_MAX][PATH_TEXT_MAX];
    const char *names[LANGUAGES_MAX + 1] = {NULL};

    for (size_t i = 0; i < LANGUAGES_MAX; i++) {
        (void)snprintf(texts[i], PATH_TEXT_MAX, "WINDOWS/LANGUAGES/LANGUAGE[%zu]", i + 1);
        names[i] = texts[i];
    }
    return join_properties(wim, index, names, ' ');
}

static uint64_t number_property(const WIMStruct *wim, int index, const char *name)
{
    const char *text = wimlib_get_image_property(wim, index, name);
    uint64_t n = 0;

    if (text)
        (void)bytes_parse_u64(bytes_of(text), 0, UINT64_MAX, &n);
    return n;
}

static int look_for_unix_data(const struct wimlib_dir_entry *entry, void *ctx)
{
    struct wim_walk *walk = ctx;

    walk->has_unix_data = walk->has_unix_data || entry->unix_mode != 0;
    walk->has_bad_name = entry->filename && strchr(entry->filename, '/');
    return walk->has_bad_name ? WALK_FOUND : 0;
}

struct look {
    WIMStruct *wim; /* borrowed */
    int index;
    int code; /* the first error of wimlib that is more than that the path is not there */
};

static int look_at_entry(const struct wimlib_dir_entry *entry, void *ctx)
{
    (void)entry;
    (void)ctx;
    return WALK_FOUND;
}

static bool has_in_wim(void *ctx, const char *path)
{
    struct look *look = ctx;
    int r = wimlib_iterate_dir_tree(look->wim, look->index, path, 0, look_at_entry, NULL);

    if (r > 0 && r != WIMLIB_ERR_PATH_DOES_NOT_EXIST && look->code == 0)
        look->code = r;
    return r == WALK_FOUND;
}

/* Windows has called its folders in several ways, and does not mind. */
static bool has_windows(struct look *look)
{
    static const char *const paths[] = {
        "/Windows/System32", "/WINDOWS/system32", "/WINDOWS/SYSTEM32", "/windows/system32"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (has_in_wim(look, paths[i]))
            return true;
    return false;
}

int wim_describe_kind(WIMStruct *wim, int index, struct wim_image *ret, struct wim_walk *ret_walk)
{
    int r = wimlib_iterate_dir_tree(wim,
                                    index,
                                    WIMLIB_WIM_ROOT_PATH,
                                    WIMLIB_ITERATE_DIR_TREE_FLAG_RECURSIVE,
                                    look_for_unix_data,
                                    ret_walk);

    if (r != 0 && r != WALK_FOUND)
        return r;
    ret->has_unix_data = ret_walk->has_unix_data;
    if (wimlib_get_image_property(wim, index, "WINDOWS/ARCH")) {
        ret->is_windows = true;
        return 0;
    }
    struct look look = {wim, index, 0};

    ret->is_windows = has_windows(&look);
    if (ret->arch[0] == '\0' && !ret->is_windows)
        (void)snprintf(ret->arch, sizeof(ret->arch), "%s", loader_arch(has_in_wim, &look));
    return look.code;
}

int wim_describe(const WIMStruct *wim, uint32_t index, struct wim_image *ret)
{
    int i = (int)index;
    const char *arch = arch_name(wimlib_get_image_property(wim, i, "WINDOWS/ARCH"));

    ret->index = index;
    ret->name = copy_property(wim, i, "NAME");
    ret->description = copy_property(wim, i, "DESCRIPTION");
    ret->languages = copy_languages(wim, i);
    ret->default_language = copy_property(wim, i, "WINDOWS/LANGUAGES/DEFAULT");
    ret->edition = copy_property(wim, i, "WINDOWS/EDITIONID");
    ret->build = copy_build(wim, i);
    ret->file_count = number_property(wim, i, "FILECOUNT");
    ret->size_bytes = number_property(wim, i, "TOTALBYTES");
    if (arch[0] != '\0') /* otherwise wim_describe_kind() may know */
        (void)snprintf(ret->arch, sizeof(ret->arch), "%s", arch);
    if (!ret->name || !ret->description || !ret->languages || !ret->default_language ||
        !ret->edition || !ret->build)
        return ERR(-ENOMEM);
    return 0;
}

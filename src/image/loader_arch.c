/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/loader_arch.h"

#include <stddef.h>
#include <stdio.h>

enum {
    PATH_TEXT_MAX = 96,
};

const char *loader_arch(bool (*has)(void *ctx, const char *path), void *ctx)
{
    static const char *const folders[] = {"/lib64", "/usr/lib64", "/lib", "/usr/lib"};
    static const struct {
        const char *name;
        const char *multiarch; /* Debian keeps the file itself there */
        const char *arch;
    } loaders[] = {
        {"ld-linux-x86-64.so.2", "x86_64-linux-gnu", "x64"},
        {"ld-musl-x86_64.so.1", NULL, "x64"},
        {"ld-linux-aarch64.so.1", "aarch64-linux-gnu", "arm64"},
        {"ld-musl-aarch64.so.1", NULL, "arm64"},
        {"ld-linux.so.2", "i386-linux-gnu", "x86"},
        {"ld-musl-i386.so.1", NULL, "x86"},
        {"ld-linux-armhf.so.3", "arm-linux-gnueabihf", "arm"},
    };
    char path[PATH_TEXT_MAX];

    for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++)
        for (size_t k = 0; k < sizeof(folders) / sizeof(folders[0]); k++) {
            (void)snprintf(path, sizeof(path), "%s/%s", folders[k], loaders[i].name);
            if (has(ctx, path))
                return loaders[i].arch;
            if (!loaders[i].multiarch)
                continue;
            (void)snprintf(
                path, sizeof(path), "%s/%s/%s", folders[k], loaders[i].multiarch, loaders[i].name);
            if (has(ctx, path))
                return loaders[i].arch;
        }
    return "";
}

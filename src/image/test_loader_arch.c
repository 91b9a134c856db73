/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/loader_arch.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct tree {
    const char *first;
    const char *second; /* or NULL */
};

static bool has(void *ctx, const char *path)
{
    const struct tree *tree = ctx;

    return strcmp(path, tree->first) == 0 || (tree->second && strcmp(path, tree->second) == 0);
}

static void the_loader_names_the_architecture(void **state)
{
    static const struct {
        struct tree tree;
        const char *arch;
    } cases[] = {
        {{"/lib64/ld-linux-x86-64.so.2", NULL}, "x64"},
        {{"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", NULL}, "x64"},
        {{"/lib/ld-musl-aarch64.so.1", NULL}, "arm64"},
        {{"/usr/lib/i386-linux-gnu/ld-linux.so.2", NULL}, "x86"},
        {{"/usr/lib/ld-linux.so.2", "/usr/lib64/ld-linux-x86-64.so.2"}, "x64"},
        {{"/lib/ld-linux-armhf.so.3", NULL}, "arm"},
        {{"/opt/ld-linux.so.2", NULL}, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tree tree = cases[i].tree;

        assert_string_equal(loader_arch(has, &tree), cases[i].arch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loader_names_the_architecture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/content_args.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "server/dp/worker.h"

enum {
    WORD_MAX = 32,
};

void content_args_fini(struct content_args *args)
{
    free(args->manifests);
    args->manifests = NULL;
}

/* Good as the name of a folder. */
static bool is_word(const char *text)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t len = strlen(text);

    return len > 0 && len <= WORD_MAX && strspn(text, good) == len;
}

int content_args_read_manifests(const json_t *list, uint8_t (**ret)[SHA256_BYTES], size_t *ret_n)
{
    size_t n = json_array_size(list);
    OWN(freep) uint8_t(*names)[SHA256_BYTES] = NULL;

    if (!json_is_array(list) || n > CONTENT_MANIFESTS_MAX)
        return 1;
    names = calloc(n > 0 ? n : 1, sizeof(*names));
    if (!names)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (!text || !hex_parse(bytes_of(text), SHA256_BYTES, names[i]))
            return 1;
    }
    *ret = TAKE(names);
    *ret_n = n;
    return 0;
}

int content_args_read(const json_t *args, struct content_args *ret)
{
    const json_t *boot = json_object_get(args, "boot");
    const char *package_id = json_string_value(json_object_get(args, "package_id"));
    const char *arch = json_string_value(json_object_get(boot, "arch"));
    int r = content_args_read_manifests(
        json_object_get(args, "manifests"), &ret->manifests, &ret->n_manifests);

    if (r < 0)
        return TRACE(r);
    if (r > 0 || !package_id || !is_word(package_id) ||
        (boot && !json_is_null(boot) && (!arch || !is_word(arch)))) {
        worker_fail("SLW-0316", "The job's arguments are not complete.");
        return 1;
    }
    ret->package_id = package_id;
    ret->boot_arch = arch;
    return 0;
}

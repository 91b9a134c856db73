/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "site/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 256,
};

/* Whoever does not know the key makes no challenge; the seeds, which were made with this one, are none with another. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[SITE_KEY_BYTES] = {"a key for the fuzzer alone"};
    static const uint8_t other[SITE_KEY_BYTES] = {1};
    uint8_t code[CHALLENGE_CODE_BYTES];
    char text[INPUT_MAX];
    uint64_t time_us;

    if (size >= sizeof(text))
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    (void)challenge_parse(key, text, &time_us, code);
    if (challenge_parse(other, text, &time_us, code))
        abort();
    return 0;
}

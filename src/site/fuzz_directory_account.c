/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "site/directory_account.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 2048,
};

/* Whatever a value is, the filter has one pair of parentheses of ours, and nothing else that means something. */
static void check_filter(const uint8_t *data, size_t size)
{
    char filter[DIRECTORY_FILTER_MAX] = "";

    if (!directory_put_match(filter, "uid", (struct bytes){data, size}))
        return;
    if (strncmp(filter, "(uid=", 5) != 0 || strcspn(filter + 1, "()*") != strlen(filter) - 2)
        abort();
    for (const char *at = strchr(filter, '\\'); at; at = strchr(at + 3, '\\'))
        if (strspn(at + 1, "0123456789abcdef") < 2)
            abort();
}

/* A name that was written once is written so again. */
static void check_name(const char *text)
{
    char once[DIRECTORY_DN_MAX];
    char twice[DIRECTORY_DN_MAX];

    if (directory_dn(text, once) && directory_dn(once, twice) && strcmp(once, twice) != 0)
        abort();
}

/* An account with this in every attribute is let in or kept out, at any time. */
static void check_account(const char *text)
{
    struct directory_account account = {.shadow_expire = ""};
    char *values = (char *)&account;

    for (size_t at = 0; at < sizeof(account); at += DIRECTORY_VALUE_MAX)
        memcpy(values + at, text, strnlen(text, DIRECTORY_VALUE_MAX - 1));
    (void)directory_why_not(&account, 0);
    (void)directory_why_not(&account, INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[INPUT_MAX];

    if (size >= sizeof(text))
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_filter(data, size);
    check_name(text);
    check_account(text);
    return 0;
}

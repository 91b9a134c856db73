/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/directory_account.h"

#include <ldap.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

/* userAccountControl */
#define IS_DISABLED (UINT64_C(1) << 1)
#define IS_NORMAL \
    (UINT64_C(1) << 9) /* of a person or service: not of a computer, not of another domain */

/* accountExpires: 100 ns since 1601 */
#define TICKS_PER_US     10
#define US_FROM_1601     (UINT64_C(11644473600) * 1000000)
#define NEVER_FROM_TICKS INT64_MAX

#define DAY_US       (UINT64_C(24) * 3600 * 1000000)
#define DAYS_MAX     1000000
#define DAYS_FOREVER 99999

#define LOCKED_FOREVER "000001010000Z"

static void dn_freep(LDAPDN *p)
{
    if (*p)
        ldap_dnfree(*p);
}

static void text_freep(char **p)
{
    if (*p)
        ldap_memfree(*p);
}

/* A number that cannot be read is not taken for "never". */
static bool has_ad_expired(const char *text, uint64_t now_us)
{
    uint64_t ticks = 0;

    if (!text[0])
        return false;
    if (!bytes_parse_u64(bytes_of(text), 0, UINT64_MAX, &ticks))
        return true;
    if (ticks == 0 || ticks >= NEVER_FROM_TICKS)
        return false;
    return ticks / TICKS_PER_US <= now_us + US_FROM_1601;
}

/* Return: whether there is such a number of days; less than nothing counts as none. */
static bool get_days(const char *text, uint64_t *ret)
{
    return text[0] && bytes_parse_u64(bytes_of(text), 0, DAYS_MAX, ret);
}

static const char *why_not_shadow(const struct directory_account *account, uint64_t now_us)
{
    uint64_t today = now_us / DAY_US;
    uint64_t expire = 0;
    uint64_t changed = 0;
    uint64_t max = 0;
    uint64_t inactive = 0;

    if (get_days(account->shadow_expire, &expire) && today >= expire)
        return "the account has expired (shadowExpire)";
    if (!get_days(account->shadow_last_change, &changed) || !get_days(account->shadow_max, &max) ||
        max >= DAYS_FOREVER)
        return NULL;
    (void)get_days(account->shadow_inactive, &inactive);
    return today > changed + max + inactive ? "the password has expired (shadowMax)" : NULL;
}

const char *directory_why_not(const struct directory_account *account, uint64_t now_us)
{
    const char *control = account->user_account_control;
    uint64_t flags = 0;

    if (control[0] && !bytes_parse_u64(bytes_of(control), 0, UINT32_MAX, &flags))
        return "userAccountControl is no number";
    if (control[0] && (flags & IS_DISABLED) != 0)
        return "the account is disabled (userAccountControl)";
    if (control[0] && (flags & IS_NORMAL) == 0)
        return "the account is no user's (userAccountControl)";
    if (has_ad_expired(account->account_expires, now_us))
        return "the account has expired (accountExpires)";
    if (bytes_eq_nocase(bytes_of(account->ns_account_lock), "true"))
        return "the account is disabled (nsAccountLock)";
    if (strcmp(account->pwd_locked_time, LOCKED_FOREVER) == 0)
        return "the account is disabled (pwdAccountLockedTime)";
    if (bytes_eq_nocase(bytes_of(account->pwd_reset), "true"))
        return "the password must be changed first (pwdReset)";
    return why_not_shadow(account, now_us);
}

bool directory_lower(const char *name, char *ret, size_t cap)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char small[] = "abcdefghijklmnopqrstuvwxyz";
    size_t n = strlen(name);

    if (n >= cap)
        return false;
    for (size_t i = 0; i <= n; i++) {
        const char *capital = name[i] != '\0' ? strchr(capitals, name[i]) : NULL;

        ret[i] = name[i];
        if (capital)
            ret[i] = small[capital - capitals];
    }
    return true;
}

bool directory_dn(const char *text, char ret[static DIRECTORY_DN_MAX])
{
    OWN(dn_freep) LDAPDN dn = NULL;
    OWN(text_freep) char *plain = NULL;

    if (!text[0] || strlen(text) >= DIRECTORY_DN_MAX)
        return false;
    if (ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || !dn || !dn[0])
        return false;
    if (ldap_dn2str(dn, &plain, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || !plain || !plain[0])
        return false;
    return directory_lower(plain, ret, DIRECTORY_DN_MAX);
}

/* What RFC 4515 gives a meaning to, and what is not plain ASCII, is written as its number. */
bool directory_put_match(char dst[static DIRECTORY_FILTER_MAX],
                         const char *attribute,
                         struct bytes value)
{
    static const char digits[] = "0123456789abcdef";
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.=@_-+";
    size_t at = strlen(dst);
    size_t need = strlen(attribute) + 3 + 3 * value.len;

    if (need >= DIRECTORY_FILTER_MAX - at)
        return false;
    at += (size_t)snprintf(dst + at, DIRECTORY_FILTER_MAX - at, "(%s=", attribute);
    for (size_t i = 0; i < value.len; i++) {
        uint8_t byte = value.ptr[i];

        if (byte != '\0' && strchr(plain, byte)) {
            dst[at++] = (char)byte;
            continue;
        }
        dst[at++] = '\\';
        dst[at++] = digits[byte >> 4];
        dst[at++] = digits[byte & 15];
    }
    dst[at++] = ')';
    dst[at] = '\0';
    return true;
}

void directory_plain(const char *text, char *ret, size_t cap)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (; *text; text++) {
        uint8_t byte = (uint8_t)*text;
        bool is_plain = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';

        if (at + (is_plain ? 1 : 4) >= cap)
            break;
        if (is_plain) {
            ret[at++] = (char)byte;
            continue;
        }
        ret[at++] = '\\';
        ret[at++] = 'x';
        ret[at++] = digits[byte >> 4];
        ret[at++] = digits[byte & 15];
    }
    ret[at] = '\0';
}

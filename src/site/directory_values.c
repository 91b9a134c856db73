/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/directory_values.h"

#include <string.h>

#include "base/own.h"
#include "site/directory_account.h"

static void values_freep(struct berval ***p)
{
    if (*p)
        ldap_value_free_len(*p);
}

static void text_freep(char **p)
{
    if (*p)
        ldap_memfree(*p);
}

size_t
directory_get_bytes(LDAP *ld, LDAPMessage *entry, const char *attribute, uint8_t *ret, size_t cap)
{
    OWN(values_freep) struct berval **values = ldap_get_values_len(ld, entry, attribute);

    if (!values || !values[0] || values[0]->bv_len > cap)
        return 0;
    memcpy(ret, values[0]->bv_val, values[0]->bv_len);
    return values[0]->bv_len;
}

void directory_get_text(LDAP *ld, LDAPMessage *entry, const char *attribute, char *ret, size_t cap)
{
    size_t n = directory_get_bytes(ld, entry, attribute, (uint8_t *)ret, cap - 1);

    if (memchr(ret, '\0', n))
        n = 0;
    ret[n] = '\0';
}

bool directory_get_dn(LDAP *ld, LDAPMessage *entry, char ret[static DIRECTORY_DN_MAX])
{
    OWN(text_freep) char *dn = ldap_get_dn(ld, entry);

    return dn && directory_dn(dn, ret);
}

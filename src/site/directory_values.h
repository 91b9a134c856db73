/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Values of an entry that a directory has sent
 */

#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "site/directory.h"

/* The first value; "" if there is none, or it is too long, or no text */
void directory_get_text(LDAP *ld, LDAPMessage *entry, const char *attribute, char *ret, size_t cap);

/* The same for what is no text. Return: how many bytes; 0 if there is none, or it is too long */
size_t
directory_get_bytes(LDAP *ld, LDAPMessage *entry, const char *attribute, uint8_t *ret, size_t cap);

/* As directory_dn() writes it. Return: whether it could be read. */
bool directory_get_dn(LDAP *ld, LDAPMessage *entry, char ret[static DIRECTORY_DN_MAX]);

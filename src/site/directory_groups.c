/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/directory_groups.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "site/directory_account.h"
#include "site/directory_values.h"
#include "site/site.h"

/* Active Directory follows groups in groups by itself. */
#define IN_CHAIN "member:1.2.840.113556.1.4.1941:"

enum {
    SID_MAX_BYTES = 68,
};

static void values_freep(struct berval ***p)
{
    if (*p)
        ldap_value_free_len(*p);
}

/* What Active Directory says about who is in what. */
struct tokens {
    struct berval **sids; /* owned; NULL: it does not say, or not to us */
};

static void tokens_fini(struct tokens *tokens)
{
    values_freep(&tokens->sids);
}

static int take_tokens(void *ctx, LDAP *ld, LDAPMessage *entry)
{
    struct tokens *tokens = ctx;

    tokens_fini(tokens);
    tokens->sids = ldap_get_values_len(ld, entry, "tokenGroups");
    return 0;
}

struct found_group {
    bool is_there;
    uint8_t sid[SID_MAX_BYTES];
    size_t sid_len;
};

static int take_group(void *ctx, LDAP *ld, LDAPMessage *entry)
{
    struct found_group *found = ctx;

    found->is_there = true;
    found->sid_len = directory_get_bytes(ld, entry, "objectSid", found->sid, sizeof(found->sid));
    return 0;
}

static bool has_sid(const struct tokens *tokens, const struct found_group *group)
{
    for (size_t i = 0; group->sid_len > 0 && tokens->sids[i]; i++)
        if (tokens->sids[i]->bv_len == group->sid_len &&
            memcmp(tokens->sids[i]->bv_val, group->sid, group->sid_len) == 0)
            return true;
    return false;
}

/* What the server says of the group alone, as of one in another domain: it gives nobody anything, and the others count. */
static bool is_of_group(int code)
{
    return code == LDAP_REFERRAL || code == LDAP_INVALID_DN_SYNTAX ||
           code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_NO_SUCH_OBJECT;
}

/* By all groups that the domain controller has found for him; if it keeps them to itself, by asking about this one. */
static int is_in_ad_group(struct directory_connection *connection,
                          const struct tokens *tokens,
                          const char *dn,
                          const char *group_dn,
                          bool *ret)
{
    static const char *const attributes[] = {"objectSid", NULL};
    char filter[DIRECTORY_FILTER_MAX] = "";
    struct found_group group = {.is_there = false};
    const struct directory_search search = {
        .base = group_dn,
        .scope = LDAP_SCOPE_BASE,
        .filter = filter,
        .attributes = attributes,
        .limit = 1,
    };
    int code;

    if (tokens->sids)
        (void)snprintf(filter, sizeof(filter), "(objectClass=group)");
    else if (!directory_put_match(filter, IN_CHAIN, bytes_of(dn)))
        return LDAP_FILTER_ERROR;
    code = directory_search(connection, &search, take_group, &group);
    *ret = code == 0 && group.is_there && (!tokens->sids || has_sid(tokens, &group));
    return code;
}

/* The first that cannot be looked at is told of; one that is not there is no mistake. */
static void note_group(struct directory_connection *connection,
                       const char *group_dn,
                       int code,
                       char why[static DIRECTORY_WHY_MAX])
{
    char plain[DIRECTORY_WHY_MAX / 3];
    char what[DIRECTORY_WHY_MAX / 2];

    if (code == LDAP_NO_SUCH_OBJECT || why[0])
        return;
    directory_plain(group_dn, plain, sizeof(plain));
    (void)snprintf(what, sizeof(what), "the group %s cannot be looked at", plain);
    directory_put_why(connection, what, code, why);
}

static int find_ad_groups(struct directory_connection *connection,
                          const char *dn,
                          json_t *wanted,
                          json_t *found,
                          char why[static DIRECTORY_WHY_MAX])
{
    static const char *const attributes[] = {"tokenGroups", NULL};
    const struct directory_search search = {
        .base = dn,
        .scope = LDAP_SCOPE_BASE,
        .filter = "(objectClass=*)",
        .attributes = attributes,
        .limit = 1,
    };
    OWN(tokens_fini) struct tokens tokens = {.sids = NULL};
    const char *id;
    json_t *group_dn;
    int code = directory_search(connection, &search, take_tokens, &tokens);

    if (code != 0)
        return code;
    json_object_foreach(wanted, id, group_dn)
    {
        bool is_in = false;

        if (code == 0)
            code = is_in_ad_group(connection, &tokens, dn, json_string_value(group_dn), &is_in);
        if (is_of_group(code)) {
            note_group(connection, json_string_value(group_dn), code, why);
            code = 0;
        }
        if (code == 0 && is_in && json_array_append_new(found, json_string(id)) < 0)
            code = LDAP_NO_MEMORY;
    }
    return code;
}

/* Groups as they are found, each once; those that have not been looked at yet are the last ones. */
static int take_group_dn(void *ctx, LDAP *ld, LDAPMessage *entry)
{
    json_t *dns = ctx;
    char dn[DIRECTORY_DN_MAX];

    if (!directory_get_dn(ld, entry, dn))
        return LDAP_INVALID_DN_SYNTAX;
    if (json_object_get(dns, dn))
        return 0;
    if (json_object_size(dns) >= DIRECTORY_GROUPS_MAX)
        return LDAP_SIZELIMIT_EXCEEDED;
    return json_object_set_new(dns, dn, json_false()) < 0 ? LDAP_NO_MEMORY : 0;
}

/* Groups that hold @member, whatever they call that. */
static int look_for_groups(struct directory_connection *connection,
                           const struct directory_settings *settings,
                           const struct directory_member *member,
                           json_t *dns)
{
    static const char *const attributes[] = {LDAP_NO_ATTRS, NULL};
    char filter[DIRECTORY_FILTER_MAX] = "(|";
    const struct directory_search search = {
        .base = settings->group_base,
        .scope = LDAP_SCOPE_SUBTREE,
        .filter = filter,
        .attributes = attributes,
        .limit = DIRECTORY_GROUPS_MAX,
    };
    size_t n;

    if (!directory_put_match(filter, "member", bytes_of(member->dn)) ||
        !directory_put_match(filter, "uniqueMember", bytes_of(member->dn)) ||
        (member->name && !directory_put_match(filter, "memberUid", bytes_of(member->name))))
        return LDAP_FILTER_ERROR;
    n = strlen(filter);
    if (n + 2 > sizeof(filter))
        return LDAP_FILTER_ERROR;
    (void)snprintf(filter + n, sizeof(filter) - n, ")");
    return directory_search(connection, &search, take_group_dn, dns);
}

/* @ret: owned by the caller; those that are not looked at yet, which counts as done now */
static json_t *take_new(json_t *dns)
{
    OWN(json_freep) json_t *ret = json_array();
    const char *dn;
    json_t *is_done;

    json_object_foreach(dns, dn, is_done)
    {
        if (json_is_false(is_done) && (!ret || json_array_append_new(ret, json_string(dn)) < 0))
            return NULL;
    }
    for (size_t i = 0; i < json_array_size(ret); i++)
        (void)json_object_set_new(dns, json_string_value(json_array_get(ret, i)), json_true());
    return TAKE(ret);
}

/* One step up from each group that is new. @ret: whether there was any */
static int look_above(struct directory_connection *connection,
                      const struct directory_settings *settings,
                      json_t *dns,
                      bool *ret)
{
    OWN(json_freep) json_t *new = take_new(dns);
    int code = new ? 0 : LDAP_NO_MEMORY;

    *ret = json_array_size(new) > 0;
    for (size_t i = 0; code == 0 && i < json_array_size(new); i++) {
        const struct directory_member group = {json_string_value(json_array_get(new, i)), NULL};

        code = look_for_groups(connection, settings, &group, dns);
    }
    return code;
}

static int find_ldap_groups(struct directory_connection *connection,
                            const struct directory_settings *settings,
                            const struct directory_member *member,
                            json_t *wanted,
                            json_t *found)
{
    OWN(json_freep) json_t *dns = json_object();
    bool is_more = true;
    const char *id;
    json_t *dn;
    int code = dns ? look_for_groups(connection, settings, member, dns) : LDAP_NO_MEMORY;

    for (int depth = 1; code == 0 && is_more && depth < DIRECTORY_DEPTH_MAX; depth++)
        code = look_above(connection, settings, dns, &is_more);
    json_object_foreach(wanted, id, dn)
    {
        if (code == 0 && json_object_get(dns, json_string_value(dn)) &&
            json_array_append_new(found, json_string(id)) < 0)
            code = LDAP_NO_MEMORY;
    }
    return code;
}

int directory_find_groups(struct directory_connection *connection,
                          const struct directory_settings *settings,
                          const struct directory_member *member,
                          json_t *wanted,
                          struct directory_answer *ret)
{
    OWN(json_freep) json_t *found = json_array();
    int code = LDAP_NO_MEMORY;

    if (found && json_object_size(wanted) == 0)
        code = 0;
    else if (found && settings->is_active_directory)
        code = find_ad_groups(connection, member->dn, wanted, found, ret->why);
    else if (found)
        code = find_ldap_groups(connection, settings, member, wanted, found);
    if (code == 0)
        ret->groups = TAKE(found);
    return code;
}

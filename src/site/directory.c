/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/directory.h"

#include <errno.h>
#include <ldap.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "plat/clock.h"
#include "site/directory_account.h"
#include "site/directory_connection.h"
#include "site/directory_groups.h"
#include "site/directory_values.h"
#include "site/secret_file.h"

enum {
    RAW_ID_MAX = 36,
    US_PER_S = 1000000,
};

#define NOT_REACHED \
    "it is not reached over TLS, with a certificate for the host in url that an authority in ca-file " \
    "has signed"

#define GUID "objectGUID"
#define UUID "entryUUID"

/* What is asked about an account, and where the value goes. */
static const struct {
    const char *name;
    size_t offset;
} account_attributes[] = {
    {"userAccountControl", offsetof(struct directory_account, user_account_control)},
    {"accountExpires", offsetof(struct directory_account, account_expires)},
    {"nsAccountLock", offsetof(struct directory_account, ns_account_lock)},
    {"pwdAccountLockedTime", offsetof(struct directory_account, pwd_locked_time)},
    {"pwdReset", offsetof(struct directory_account, pwd_reset)},
    {"shadowExpire", offsetof(struct directory_account, shadow_expire)},
    {"shadowLastChange", offsetof(struct directory_account, shadow_last_change)},
    {"shadowMax", offsetof(struct directory_account, shadow_max)},
    {"shadowInactive", offsetof(struct directory_account, shadow_inactive)},
};

enum {
    N_ACCOUNT = sizeof(account_attributes) / sizeof(account_attributes[0]),
};

/* The one account that a search may find. */
struct found_user {
    const char *name_attribute;
    char dn[DIRECTORY_DN_MAX];
    char name[DIRECTORY_NAME_MAX];
    char id[DIRECTORY_ID_MAX];
    struct directory_account account;
};

bool directory_is_on(const struct directory_settings *settings)
{
    return settings->urls && settings->urls[0];
}

void directory_question_fini(struct directory_question *question)
{
    json_decref(question->groups);
    question->groups = NULL;
}

void directory_answer_fini(struct directory_answer *answer)
{
    json_decref(answer->groups);
    answer->groups = NULL;
}

static int be_down(struct directory_answer *answer,
                   struct directory_connection *connection,
                   const char *what,
                   int code)
{
    answer->outcome = DIRECTORY_DOWN;
    directory_put_why(connection, what, code, answer->why);
    return -EIO;
}

/* What says nothing about other accounts: about them it may be asked at once. */
static bool is_of_account(int code)
{
    static const int all[] = {
        LDAP_SERVER_DOWN,
        LDAP_TIMEOUT,
        LDAP_CONNECT_ERROR,
        LDAP_UNAVAILABLE,
        LDAP_BUSY,
        LDAP_LOCAL_ERROR,
        LDAP_NO_MEMORY,
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] == code)
            return false;
    return true;
}

/* Those that have waited while it did not answer need not each wait as long again. Of clock_monotonic_us() */
static atomic_uint_least64_t silent_until_us;

static void note_silent(void)
{
    atomic_store(&silent_until_us, clock_monotonic_us() + DIRECTORY_REST_US);
}

/* It was reached, and then this. */
static int be_unsure(struct directory_answer *answer,
                     struct directory_connection *connection,
                     const char *what,
                     int code)
{
    (void)be_down(answer, connection, what, code);
    if (is_of_account(code))
        answer->outcome = DIRECTORY_CANNOT_SAY;
    if (code == LDAP_SERVER_DOWN || code == LDAP_TIMEOUT)
        note_silent();
    return -EIO;
}

static int be_wrong(struct directory_answer *answer, const char *why)
{
    answer->outcome = DIRECTORY_WRONG;
    (void)snprintf(answer->why, sizeof(answer->why), "%s", why);
    return -ENOENT;
}

static int connect_or_rest(const struct directory_settings *settings,
                           struct directory_connection *ret,
                           struct directory_answer *answer)
{
    int code = LDAP_SERVER_DOWN;

    if (clock_monotonic_us() < atomic_load(&silent_until_us))
        return be_down(answer, ret, "it did not answer a moment ago", code);
    code = directory_connect(settings, ret);
    if (code == 0)
        return 0;
    note_silent();
    return be_down(answer, ret, NOT_REACHED, code);
}

/* As the account that the site itself has there. */
static int open_service(const struct directory_settings *settings,
                        struct directory_connection *ret,
                        struct directory_answer *answer)
{
    char secret[SECRET_FILE_MAX_BYTES] = "";
    const char *why =
        settings->bind_dn[0] ? secret_file_read(settings->password_file, secret) : NULL;
    int code;
    int r;

    if (why) {
        answer->outcome = DIRECTORY_DOWN;
        (void)snprintf(answer->why, sizeof(answer->why), "[directory] password-file: %s", why);
        return -EIO;
    }
    r = connect_or_rest(settings, ret, answer);
    code = r == 0 && settings->bind_dn[0] ? directory_bind(ret, settings->bind_dn, secret) : 0;
    explicit_bzero(secret, sizeof(secret));
    if (r < 0)
        return r;
    if (code == LDAP_SERVER_DOWN || code == LDAP_TIMEOUT)
        note_silent();
    return code == 0 ? 0 : be_down(answer, ret, "the site's own account cannot sign in", code);
}

/* A text, or 16 bytes of Active Directory in hexadecimal digits. */
static void get_id(LDAP *ld, LDAPMessage *entry, char ret[static DIRECTORY_ID_MAX])
{
    uint8_t raw[RAW_ID_MAX];
    size_t n = directory_get_bytes(ld, entry, GUID, raw, sizeof(raw));

    if (n > 0)
        hex_put(ret, (struct bytes){raw, n});
    else
        directory_get_text(ld, entry, UUID, ret, DIRECTORY_ID_MAX);
}

static int take_user(void *ctx, LDAP *ld, LDAPMessage *entry)
{
    struct found_user *found = ctx;
    char name[DIRECTORY_NAME_MAX];

    if (!directory_get_dn(ld, entry, found->dn))
        return LDAP_INVALID_DN_SYNTAX;
    directory_get_text(ld, entry, found->name_attribute, name, sizeof(name));
    (void)directory_lower(name, found->name, sizeof(found->name));
    get_id(ld, entry, found->id);
    for (size_t i = 0; i < N_ACCOUNT; i++)
        directory_get_text(ld,
                           entry,
                           account_attributes[i].name,
                           (char *)&found->account + account_attributes[i].offset,
                           DIRECTORY_VALUE_MAX);
    return 0;
}

static int search_user(struct directory_connection *connection,
                       const struct directory_settings *settings,
                       const char *name,
                       struct found_user *ret)
{
    const char *attributes[N_ACCOUNT + 4] = {settings->user_attribute, GUID, UUID};
    char filter[DIRECTORY_FILTER_MAX] = "";
    const struct directory_search search = {
        .base = settings->user_base,
        .scope = LDAP_SCOPE_SUBTREE,
        .filter = filter,
        .attributes = attributes,
        .limit = 1,
    };

    for (size_t i = 0; i < N_ACCOUNT; i++)
        attributes[3 + i] = account_attributes[i].name;
    if (!directory_put_match(filter, settings->user_attribute, bytes_of(name)))
        return LDAP_FILTER_ERROR;
    return directory_search(connection, &search, take_user, ret);
}

static int find_user(struct directory_connection *connection,
                     const struct directory_settings *settings,
                     const struct directory_question *question,
                     struct found_user *ret,
                     struct directory_answer *answer)
{
    int code;
    const char *why;

    *ret = (struct found_user){.name_attribute = settings->user_attribute};
    code = search_user(connection, settings, question->name, ret);
    if (code == LDAP_SIZELIMIT_EXCEEDED)
        return be_wrong(answer, "several accounts have this name");
    if (code != 0)
        return be_unsure(answer, connection, "the account cannot be looked for", code);
    /* the directory may take for the same what is not: blanks, letters with accents */
    if (!ret->dn[0] || strcmp(ret->name, question->name) != 0)
        return be_wrong(answer, "there is no such account");
    why = directory_why_not(&ret->account, question->now_us);
    return why ? be_wrong(answer, why) : 0;
}

static bool is_refusal(int code)
{
    return code == LDAP_INVALID_CREDENTIALS || code == LDAP_UNWILLING_TO_PERFORM ||
           code == LDAP_CONSTRAINT_VIOLATION || code == LDAP_INAPPROPRIATE_AUTH ||
           code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_NO_SUCH_OBJECT;
}

/* On a connection of his own, so that the site's account stays signed in on the other one. */
static int check_password(const struct directory_settings *settings,
                          const struct directory_question *question,
                          const struct found_user *user,
                          uint64_t until_us,
                          struct directory_answer *answer)
{
    OWN(directory_disconnect) struct directory_connection own = {.until_us = until_us};
    int code;

    /* none at all would sign in nobody, which every directory lets pass */
    if (!question->password[0])
        return be_wrong(answer, "there was no password");
    code = directory_connect(settings, &own);
    if (code != 0) {
        note_silent();
        return be_down(answer, &own, NOT_REACHED, code);
    }
    code = directory_bind(&own, user->dn, question->password);
    if (code == 0)
        return 0;
    if (!is_refusal(code))
        return be_unsure(answer, &own, "the account cannot sign in", code);
    answer->outcome = DIRECTORY_WRONG;
    directory_put_why(&own, "the directory refused", code, answer->why);
    return -EACCES;
}

void directory_ask(const struct directory_settings *settings,
                   const struct directory_question *question,
                   struct directory_answer *ret)
{
    OWN(directory_disconnect)
    struct directory_connection service = {.until_us = clock_monotonic_us() +
                                                       (uint64_t)DIRECTORY_WAIT_ALL_S * US_PER_S};
    struct found_user user;
    int code;
    int r;

    *ret = (struct directory_answer){.outcome = DIRECTORY_DOWN};
    r = open_service(settings, &service, ret);
    if (r == 0)
        r = find_user(&service, settings, question, &user, ret);
    if (r == 0 && question->password)
        r = check_password(settings, question, &user, service.until_us, ret);
    if (r < 0)
        return;
    code = directory_find_groups(&service,
                                 settings,
                                 &(struct directory_member){user.dn, question->name},
                                 question->groups,
                                 ret);
    if (code == LDAP_SIZELIMIT_EXCEEDED) {
        (void)be_wrong(ret, "the account is in more groups than are looked at");
        return;
    }
    if (code != 0) {
        (void)be_unsure(ret, &service, "the groups cannot be looked for", code);
        return;
    }
    (void)snprintf(ret->account_id, sizeof(ret->account_id), "%s", user.id);
    ret->outcome = DIRECTORY_RIGHT;
}

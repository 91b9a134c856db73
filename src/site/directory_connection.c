/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/directory_connection.h"

#include <openldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "site/directory_account.h"
#include "site/directory_socket.h"

#define LDAPS "ldaps://"

enum {
    PAGE_ENTRIES = 500,
    US_PER_S = 1000000,
    URLS_MAX = 1024,
};

static void message_freep(LDAPMessage **p)
{
    if (*p)
        (void)ldap_msgfree(*p);
}

static void control_freep(LDAPControl **p)
{
    if (*p)
        ldap_control_free(*p);
}

static void controls_freep(LDAPControl ***p)
{
    if (*p)
        ldap_controls_free(*p);
}

static void url_freep(LDAPURLDesc **p)
{
    if (*p)
        ldap_free_urldesc(*p);
}

static void cookie_fini(struct berval *cookie)
{
    if (cookie->bv_val)
        ber_memfree(cookie->bv_val);
    *cookie = (struct berval){.bv_len = 0};
}

static void text_freep(char **p)
{
    if (*p)
        ldap_memfree(*p);
}

/* What is left, for the next answer. Return: LDAP_TIMEOUT if nothing is. */
static int set_wait(struct directory_connection *connection)
{
    uint64_t now_us = clock_monotonic_us();
    uint64_t left_us = connection->until_us > now_us ? connection->until_us - now_us : 0;
    struct timeval wait = {.tv_sec = DIRECTORY_WAIT_S};

    if (left_us == 0)
        return LDAP_TIMEOUT;
    if (left_us < (uint64_t)DIRECTORY_WAIT_S * US_PER_S)
        wait = (struct timeval){.tv_sec = (time_t)(left_us / US_PER_S),
                                .tv_usec = (suseconds_t)(left_us % US_PER_S)};
    return ldap_set_option(connection->ld, LDAP_OPT_TIMEOUT, &wait);
}

/* Whichever comes first, that or so many seconds from now. */
static uint64_t earlier(uint64_t until_us, unsigned seconds)
{
    uint64_t other_us = clock_monotonic_us() + (uint64_t)seconds * US_PER_S;

    return until_us < other_us ? until_us : other_us;
}

/* All that a configuration of libldap on this machine might say otherwise; whose authority is unknown is not talked to. */
static int set_options(LDAP *ld, const struct directory_settings *settings)
{
    static const int version = LDAP_VERSION3;
    static const int demand = LDAP_OPT_X_TLS_DEMAND;
    static const int tls = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
    static const int never = LDAP_DEREF_NEVER;
    static const int none = LDAP_NO_LIMIT;
    static const int client = 0;
    const struct {
        int option;
        const void *value;
    } options[] = {
        {LDAP_OPT_PROTOCOL_VERSION, &version},
        {LDAP_OPT_REFERRALS, LDAP_OPT_OFF},
        {LDAP_OPT_RESTART, LDAP_OPT_ON},
        {LDAP_OPT_DEREF, &never},
        {LDAP_OPT_SIZELIMIT, &none}, /* each search has its own */
        {LDAP_OPT_TIMELIMIT, &none},
        {LDAP_OPT_X_TLS_REQUIRE_CERT, &demand},
        {LDAP_OPT_X_TLS_PROTOCOL_MIN, &tls},
        {LDAP_OPT_X_TLS_CACERTDIR, NULL},
        {LDAP_OPT_X_TLS_CACERTFILE, settings->ca_file},
        {LDAP_OPT_X_TLS_NEWCTX, &client},
    };
    int code = 0;

    for (size_t i = 0; code == 0 && i < sizeof(options) / sizeof(options[0]); i++)
        code = ldap_set_option(ld, options[i].option, options[i].value);
    return code;
}

/* The socket is libldap's from here on, and the dog's until it is freed. */
static int open_socket(const LDAPURLDesc *server, const char *url, struct directory_connection *ret)
{
    OWN(fd_closep)
    int fd = directory_dial(server->lud_host,
                            (uint16_t)(server->lud_port > 0 ? server->lud_port : LDAP_PORT),
                            earlier(ret->until_us, DIRECTORY_WAIT_S));
    int code;

    if (fd < 0)
        return LDAP_SERVER_DOWN;
    if (directory_dog_new(fd, earlier(ret->until_us, DIRECTORY_WAIT_S), &ret->dog) < 0)
        return LDAP_NO_MEMORY;
    code = ldap_init_fd(fd, LDAP_PROTO_TCP, url, &ret->ld);
    if (code == 0)
        fd = -1;
    return code;
}

/* One server of several. */
static int connect_one(const struct directory_settings *settings,
                       const char *url,
                       struct directory_connection *ret)
{
    OWN(url_freep) LDAPURLDesc *server = NULL;
    bool is_ldaps = strncmp(url, LDAPS, strlen(LDAPS)) == 0;
    int code = ldap_url_parse(url, &server) == 0 ? 0 : LDAP_PARAM_ERROR;

    if (code == 0)
        code = open_socket(server, url, ret);
    if (code == 0)
        code = set_options(ret->ld, settings);
    if (code == 0)
        code = set_wait(ret);
    if (code == 0)
        code = is_ldaps ? ldap_install_tls(ret->ld) : ldap_start_tls_s(ret->ld, NULL, NULL);
    /* by hand and not by trust: nothing is said on what is not TLS */
    if (code == 0 && ldap_tls_inplace(ret->ld) == 0)
        code = LDAP_CONNECT_ERROR;
    if (code == 0)
        directory_dog_wait_until(ret->dog, ret->until_us); /* it was there for this server alone */
    return code;
}

int directory_connect(const struct directory_settings *settings, struct directory_connection *ret)
{
    char urls[URLS_MAX + 1];
    char *at = urls;
    int code = LDAP_PARAM_ERROR;

    (void)snprintf(urls, sizeof(urls), "%s", settings->urls);
    for (char *url = strsep(&at, " "); url && code != 0; url = strsep(&at, " ")) {
        directory_disconnect(ret);
        code = connect_one(settings, url, ret);
    }
    return code;
}

/* The dog first: the number of a closed socket may be another one's soon. */
void directory_disconnect(struct directory_connection *connection)
{
    directory_dog_free(connection->dog);
    connection->dog = NULL;
    if (connection->ld)
        (void)ldap_unbind_ext_s(connection->ld, NULL, NULL);
    connection->ld = NULL;
}

int directory_bind(struct directory_connection *connection, const char *dn, const char *password)
{
    OWN(freep) char *copy = strdup(password);
    struct berval secret = {.bv_len = strlen(password), .bv_val = copy};
    int code = copy ? set_wait(connection) : LDAP_NO_MEMORY;

    if (code == 0)
        code = ldap_sasl_bind_s(connection->ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
    if (copy)
        explicit_bzero(copy, strlen(copy));
    return code;
}

/* The entries of a page. @n: how many there were so far */
static int take_entries(struct directory_connection *connection,
                        LDAPMessage *found,
                        int limit,
                        int *n,
                        int (*each)(void *ctx, LDAP *ld, LDAPMessage *entry),
                        void *ctx)
{
    LDAP *ld = connection->ld;
    int code = 0;

    for (LDAPMessage *entry = ldap_first_entry(ld, found); entry && code == 0;
         entry = ldap_next_entry(ld, entry)) {
        if (++*n > limit)
            return LDAP_SIZELIMIT_EXCEEDED;
        code = each(ctx, ld, entry);
    }
    return code;
}

/* Where the next page begins; an empty cookie: there is none */
static int take_cookie(LDAP *ld, LDAPMessage *found, struct berval *cookie)
{
    OWN(controls_freep) LDAPControl **controls = NULL;
    OWN(text_freep) char *why = NULL;
    LDAPControl *page;
    ber_int_t estimate = 0;
    int result = 0;
    int code = ldap_parse_result(ld, found, &result, NULL, &why, NULL, &controls, 0);

    cookie_fini(cookie);
    if (code == 0 && result != 0)
        code = result;
    page = code == 0 ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL) : NULL;
    return page ? ldap_parse_pageresponse_control(ld, page, &estimate, cookie) : code;
}

static int ask_page(struct directory_connection *connection,
                    const struct directory_search *search,
                    struct berval *cookie,
                    LDAPMessage **ret)
{
    OWN(control_freep) LDAPControl *page = NULL;
    LDAPControl *controls[] = {NULL, NULL};
    struct timeval wait = {.tv_sec = DIRECTORY_WAIT_S};
    /* libldap takes char ** for history's sake and changes nothing */
    char **attributes;
    int code = set_wait(connection);

    memcpy(&attributes, &search->attributes, sizeof(attributes));
    /* a whole page or more is left to the pages: servers refuse a limit above their own */
    if (code == 0)
        code = ldap_create_page_control(connection->ld, PAGE_ENTRIES, cookie, 0, &page);
    controls[0] = page;
    if (code != 0)
        return code;
    return ldap_search_ext_s(connection->ld,
                             search->base,
                             search->scope,
                             search->filter,
                             attributes,
                             0,
                             controls,
                             NULL,
                             &wait,
                             search->limit < PAGE_ENTRIES ? search->limit + 1 : LDAP_NO_LIMIT,
                             ret);
}

int directory_search(struct directory_connection *connection,
                     const struct directory_search *search,
                     int (*each)(void *ctx, LDAP *ld, LDAPMessage *entry),
                     void *ctx)
{
    OWN(cookie_fini) struct berval cookie = {.bv_len = 0};
    int n = 0;
    int code;

    do {
        OWN(message_freep) LDAPMessage *found = NULL;

        code = ask_page(connection, search, &cookie, &found);
        if (code == 0)
            code = take_entries(connection, found, search->limit, &n, each, ctx);
        if (code == 0)
            code = take_cookie(connection->ld, found, &cookie);
    } while (code == 0 && cookie.bv_len > 0);
    return code;
}

void directory_put_why(struct directory_connection *connection,
                       const char *what,
                       int code,
                       char ret[static DIRECTORY_WHY_MAX])
{
    OWN(text_freep) char *said = NULL;
    char plain[DIRECTORY_WHY_MAX / 2] = "";

    if (connection->dog && directory_dog_has_bitten(connection->dog))
        code = LDAP_TIMEOUT;
    if (connection->ld)
        (void)ldap_get_option(connection->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, (void *)&said);
    directory_plain(said ? said : "", plain, sizeof(plain));
    (void)snprintf(ret,
                   DIRECTORY_WHY_MAX,
                   "%s: %s%s%s",
                   what,
                   ldap_err2string(code),
                   plain[0] ? ": " : "",
                   plain);
}

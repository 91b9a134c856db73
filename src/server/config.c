/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    NAME_MAX_BYTES = 64,
    ADDRESSES_MAX_BYTES = 1024,
    ADDRESS_MAX_BYTES = 253, /* of a host name, RFC 1035 */
};

DEFINE_FREEP(struct ifaddrs *, freeifaddrs);

static int default_name(struct server_config *config)
{
    char name[NAME_MAX_BYTES + 1] = "";

    if (gethostname(name, sizeof(name) - 1) != 0)
        return ERR(-errno);

    char *copy = strdup(name[0] != '\0' ? name : "slipway");

    if (!copy)
        return ERR(-ENOMEM);
    free(config->site_name);
    config->site_name = copy;
    return 0;
}

static void add_address(const struct ifaddrs *interface, struct buf *ret)
{
    char text[INET_ADDRSTRLEN];
    struct sockaddr_in address;

    if (!interface->ifa_addr || interface->ifa_addr->sa_family != AF_INET)
        return;
    if ((interface->ifa_flags & IFF_LOOPBACK) != 0 || (interface->ifa_flags & IFF_UP) == 0)
        return;
    memcpy(&address, interface->ifa_addr, sizeof(address));
    if (inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text)))
        buf_addf(ret, "%s%s", ret->len > 0 ? " " : "", text);
}

static int default_organization(struct server_config *config)
{
    char *copy = strdup(config->site_name);

    if (!copy)
        return ERR(-ENOMEM);
    free(config->organization);
    config->organization = copy;
    return 0;
}

/* A host without a network still serves itself. */
static int default_addresses(struct server_config *config)
{
    OWN(freeifaddrsp) struct ifaddrs *interfaces = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(ADDRESSES_MAX_BYTES);

    if (getifaddrs(&interfaces) != 0)
        return ERR(-errno);
    for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next)
        add_address(i, &text);
    if (text.len == 0)
        buf_adds(&text, "127.0.0.1");

    char *copy = buf_take(&text);

    if (!copy)
        return ERR(-ENOMEM);
    free(config->addresses);
    config->addresses = copy;
    return 0;
}

/* What goes into a certificate, URLs and nginx.conf: letters, digits, '.' and '-', nothing to quote. */
static bool are_addresses(const char *list)
{
    size_t len = 0;

    for (const char *at = list; *at != '\0'; at++) {
        bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');

        len = *at == ' ' ? 0 : len + 1;
        if (*at != ' ' && !is_letter && !(*at >= '0' && *at <= '9') && *at != '.' && *at != '-')
            return false;
        if (len > ADDRESS_MAX_BYTES)
            return false;
    }
    return true;
}

static bool are_ip_addresses(const char *list)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr ignored;

    for (const char *at = list; *at != '\0';) {
        size_t len = strcspn(at, " ");

        if (len >= sizeof(address))
            return false;
        memcpy(address, at, len);
        address[len] = '\0';
        if (inet_pton(AF_INET, address, &ignored) != 1 &&
            inet_pton(AF_INET6, address, &ignored) != 1)
            return false;
        at += len + strspn(at + len, " ");
    }
    return true;
}

/* Return: 0; 1 with @why. */
static int
check_load_balancers(const char *file, const struct server_config *config, struct buf *why)
{
    if (!are_ip_addresses(config->load_balancers)) {
        buf_addf(why, "%s: [site] load-balancers: these must be IP addresses, no names", file);
        return 1;
    }
    if (config->load_balancers[0] != '\0' && (config->load_balancer_port == config->http_port ||
                                              config->load_balancer_port == config->https_port)) {
        buf_addf(
            why, "%s: [site] load-balancer-port must differ from http-port and https-port", file);
        return 1;
    }
    return 0;
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Words that each have one '@', and nothing that would end an address in a mail. */
static bool are_mail_addresses(const char *list)
{
    unsigned n_at = 0;

    for (const char *at = list;; at++) {
        if (*at == ' ' || *at == '\0') {
            if (n_at != 1)
                return false;
            n_at = 0;
        }
        if (*at == '\0')
            return true;
        n_at += *at == '@';
        if ((unsigned char)*at < 0x20 || *at == 0x7f || strchr("<>,;\"()\\", *at))
            return false;
    }
}

/* Return: 0; 1 with @why. */
static int check_alerts(const char *file, const struct server_config *config, struct buf *why)
{
    const char *wrong = NULL;

    if (config->alert_webhook[0] != '\0' && !begins_with(config->alert_webhook, "https://"))
        wrong = "webhook: a web address begins with https://";
    else if (config->alert_mail_server[0] != '\0' &&
             !begins_with(config->alert_mail_server, "smtp://") &&
             !begins_with(config->alert_mail_server, "smtps://"))
        wrong = "mail-server: a mail server begins with smtp:// or smtps://";
    else if (config->alert_mail_server[0] != '\0' &&
             (strchr(config->alert_mail_from, ' ') || !are_mail_addresses(config->alert_mail_from)))
        wrong = "mail-from: there must be a mail address, NAME@DOMAIN";
    else if (config->alert_mail_server[0] != '\0' && !are_mail_addresses(config->alert_mail_to))
        wrong = "mail-to: there must be mail addresses, NAME@DOMAIN";
    if (wrong)
        buf_addf(why, "%s: [alerts] %s", file, wrong);
    return wrong ? 1 : 0;
}

static bool is_database(const char *address)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncmp(address, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

/* Schemes, hosts and ports, and nothing else that libldap would understand in a URL. */
static bool are_directory_urls(const char *list)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    static const char *const schemes[] = {"ldaps://", "ldap://"};

    while (*list != '\0') {
        size_t n = 0;

        for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
            if (strncmp(list, schemes[i], strlen(schemes[i])) == 0)
                n = strlen(schemes[i]);
        if (n == 0 || strspn(list + n, letters) == 0)
            return false;
        list += n + strspn(list + n, letters);
        if (*list != '\0' && *list != ' ')
            return false;
        list += *list == ' ' ? 1 : 0;
    }
    return true;
}

static bool is_attribute(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] ==
           '\0';
}

/* What is wrong with [directory]; NULL: nothing, or there is none */
static const char *why_no_directory(const struct server_config *config)
{
    bool is_ad = config->directory_kind == 1;

    if (config->directory_urls[0] == '\0')
        return NULL;
    if (!are_directory_urls(config->directory_urls))
        return "url: a server is ldaps://HOST or ldap://HOST, with or without :PORT";
    if (!is_attribute(config->directory_user_attribute))
        return "user-attribute: the name of an attribute has only letters, digits and -";
    if (config->directory_ca_file[0] == '\0' || config->directory_user_base[0] == '\0')
        return "with url, ca-file and user-base must be given";
    if (!is_ad && config->directory_group_base[0] == '\0')
        return "with url, group-base must be given, unless it is an active-directory";
    if (config->directory_bind_dn[0] != '\0' && config->directory_password_file[0] == '\0')
        return "with bind-dn, password-file must be given";
    return NULL;
}

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; *at != '\0';) {
        size_t n = strcspn(at, " ");

        if (n == len && strncmp(at, word, len) == 0)
            return true;
        at += n + strspn(at + n, " ");
    }
    return false;
}

/* https://, a host, and nothing that no address has. */
static bool is_issuer(const char *url)
{
    static const char scheme[] = "https://";

    if (!begins_with(url, scheme) || strcspn(url + strlen(scheme), "/:") == 0 ||
        strpbrk(url, "?#@\"\\<> "))
        return false;
    for (const char *at = url; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            return false;
    return true;
}

static bool are_pages(const char *list)
{
    for (const char *at = list; *at != '\0';) {
        size_t n = strcspn(at, " ");

        if (!begins_with(at, "https://") || memchr(at, '#', n))
            return false;
        at += n + strspn(at + n, " ");
    }
    return true;
}

/* What is wrong with [oidc]; NULL: nothing, or there is none */
static const char *why_no_oidc(const struct server_config *config)
{
    if (config->oidc_issuer[0] == '\0')
        return NULL;
    if (!is_issuer(config->oidc_issuer))
        return "issuer: a provider is https://HOST, with or without :PORT and a path";
    if (config->oidc_client_id[0] == '\0')
        return "with issuer, client-id must be given";
    if (!are_pages(config->oidc_redirect_uris))
        return "redirect-uri: a page begins with https:// and has no #";
    if (!has_word(config->oidc_scopes, "openid"))
        return "scopes: openid must be among them";
    return NULL;
}

static int default_attribute(struct server_config *config)
{
    if (config->directory_user_attribute[0] != '\0')
        return 0;
    free(config->directory_user_attribute);
    config->directory_user_attribute =
        strdup(config->directory_kind == 1 ? "sAMAccountName" : "uid");
    return config->directory_user_attribute ? 0 : ERR(-ENOMEM);
}

int server_config_parse(const char *file,
                        struct bytes text,
                        struct server_config *ret,
                        struct buf *why)
{
    int r = config_parse(server_config_keys, file, text, ret, why);

    if (r != 0)
        return TRACE(r);
    if (!are_addresses(ret->addresses)) {
        buf_addf(why,
                 "%s: [site] address: an address or a host name has only letters, digits, . and -",
                 file);
        return 1;
    }
    if (ret->database[0] != '\0' && !is_database(ret->database)) {
        buf_addf(why, "%s: [site] database: an address begins with postgresql://", file);
        return 1;
    }
    if (why_no_directory(ret)) {
        buf_addf(why, "%s: [directory] %s", file, why_no_directory(ret));
        return 1;
    }
    if (why_no_oidc(ret)) {
        buf_addf(why, "%s: [oidc] %s", file, why_no_oidc(ret));
        return 1;
    }
    r = default_attribute(ret);
    if (r < 0)
        return TRACE(r);
    if (ret->http_port == ret->https_port) {
        buf_addf(why, "%s: [site] http-port and https-port must differ", file);
        return 1;
    }
    r = check_load_balancers(file, ret, why);
    if (r == 0)
        r = check_alerts(file, ret, why);
    if (r != 0)
        return r;
    if (ret->site_name[0] == '\0') {
        r = default_name(ret);
        if (r < 0)
            return TRACE(r);
    }
    if (ret->organization[0] == '\0') {
        r = default_organization(ret);
        if (r < 0)
            return TRACE(r);
    }
    if (ret->addresses[0] == '\0')
        return TRACE(default_addresses(ret));
    return 0;
}

void server_config_fini(struct server_config *config)
{
    config_fini(server_config_keys, config);
}

int server_config_read(const char *file, bool is_optional, struct buf *ret, struct buf *why)
{
    int r = file_read(file, ret);

    if (r < 0) {
        buf_addf(why, "%s: cannot be read: %s", file, strerrordesc_np(-r));
        return 1;
    }
    if (r == FILE_E_TOO_LARGE) {
        buf_addf(why, "%s: larger than %d bytes", file, SERVER_CONFIG_MAX_BYTES);
        return 1;
    }
    if (r == FILE_E_MISSING && !is_optional) {
        buf_addf(why, "%s: there is no such file", file);
        return 1;
    }
    if (memchr(buf_str(ret), '\0', ret->len)) {
        buf_addf(why, "%s: this is not a text", file);
        return 1;
    }
    return 0;
}

/* A password that stands in the address itself; one that libpq takes from a file does not. */
static bool has_password(const char *address)
{
    const char *user = strstr(address, "://");
    const char *at = user ? strchr(user, '@') : NULL;

    if (strstr(address, "password="))
        return true;
    return at && memchr(user + 3, ':', (size_t)(at - user - 3));
}

int server_config_check_mode(const char *file, const struct server_config *config, struct buf *why)
{
    struct stat st;
    bool is_secret = config->alert_webhook_secret[0] || config->alert_mail_password[0] ||
                     has_password(config->database);

    if (!is_secret || stat(file, &st) != 0 || (st.st_mode & S_IRWXO) == 0)
        return 0;
    buf_addf(
        why,
        "%s: a password or secret is in it, and everybody on this host can read it: make its mode 0640 or 0600",
        file);
    return 1;
}

int server_config_load(const char *file,
                       bool is_optional,
                       struct server_config *ret,
                       struct buf *why)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SERVER_CONFIG_MAX_BYTES);
    int r = server_config_read(file, is_optional, &text, why);

    if (r != 0)
        return TRACE(r);
    return TRACE(server_config_parse(file, buf_bytes(&text), ret, why));
}

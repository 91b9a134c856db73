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
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    NAME_MAX_BYTES = 64,
    ADDRESSES_MAX_BYTES = 1024,
    KERNEL_ROOTS_MAX_BYTES = 4096,
    X86_ROOT_MAX_BYTES = 1024,
    DATABASE_MAX_BYTES = 1024,
    DIRECTORY_TEXT_MAX_BYTES = 1024,
    DIRECTORY_ATTRIBUTE_MAX_BYTES = 64,
    ADDRESS_MAX_BYTES = 253, /* of a host name, RFC 1035 */
};

#define AT(field) offsetof(struct server_config, field)

const struct config_key server_config_keys[] = {
    {"site",
     "name",
     CONFIG_TEXT,
     AT(site_name),
     1,
     NAME_MAX_BYTES,
     NULL,
     NULL,
     "Name of the site, shown to administrators and devices. Default: the host's name."},
    {"site",
     "organization",
     CONFIG_TEXT,
     AT(organization),
     1,
     NAME_MAX_BYTES,
     NULL,
     NULL,
     "Name of the organization, which a computer shows while a task sequence runs (_SMSTSOrgName). Default: the site's name."},
    {"site",
     "address",
     CONFIG_LIST,
     AT(addresses),
     1,
     ADDRESSES_MAX_BYTES,
     NULL,
     NULL,
     "Addresses or host names under which clients reach this server, the best one first. Default: all "
     "IPv4 addresses of this host but those of the loopback interface."},
    {"site",
     "http-port",
     CONFIG_U64,
     AT(http_port),
     1,
     65535,
     NULL,
     "80",
     "TCP port for boot files and content. Firmware knows only 80."},
    {"site",
     "https-port",
     CONFIG_U64,
     AT(https_port),
     1,
     65535,
     NULL,
     "443",
     "TCP port for the API."},
    {"site",
     "load-balancers",
     CONFIG_LIST,
     AT(load_balancers),
     1,
     ADDRESSES_MAX_BYTES,
     NULL,
     NULL,
     "IP addresses of the load balancers in front of several site servers. They connect to load-balancer-port and say there by the "
     "PROXY protocol for whom; what anybody else says so is not believed. Default: none, and nothing listens there."},
    {"site",
     "load-balancer-port",
     CONFIG_U64,
     AT(load_balancer_port),
     1,
     65535,
     NULL,
     "8443",
     "TCP port for the API as load balancers pass it on, with TLS, behind a header of the PROXY protocol."},
    {"site",
     "unknown-computers",
     CONFIG_BOOL,
     AT(is_unknown_computers_on),
     0,
     0,
     NULL,
     "no",
     "Whether computers that the site does not know may boot and get what is deployed to All Unknown "
     "Computers."},
    {"site",
     "order-hours",
     CONFIG_U64,
     AT(order_hours),
     1,
     168,
     NULL,
     "12",
     "Hours a device has for one deployment; one that takes longer has failed."},
    {"site",
     "database",
     CONFIG_TEXT,
     AT(database),
     1,
     DATABASE_MAX_BYTES,
     NULL,
     NULL,
     "Address of a PostgreSQL database, postgresql://USER:PASSWORD@HOST/NAME and what else libpq knows. It is made "
     "beforehand, empty, in the encoding UTF8, and owned by the user. Default: SQLite, in the state folder."},
    {"site",
     "requests-per-second",
     CONFIG_U64,
     AT(requests_per_s),
     0,
     100000,
     NULL,
     "200",
     "Requests that an administrator may make in a second, with all his tokens; ten times as many at once after a "
     "pause. 0: no limit. Devices do not count."},
    {"site",
     "address-requests-per-second",
     CONFIG_U64,
     AT(address_requests_per_s),
     0,
     100000,
     NULL,
     "1000",
     "Requests of administrators, also of those who are not signed in, that may come from one address in a second. 0: "
     "no limit."},
    {"site",
     "deployment-usual-size",
     CONFIG_U64,
     AT(deployment_usual_size),
     0,
     1000000,
     NULL,
     "100",
     "A required deployment of an operating system to more devices than this must be confirmed with their "
     "number. 0: none need be."},
    {"site",
     "deployment-max-size",
     CONFIG_U64,
     AT(deployment_max_size),
     0,
     1000000,
     NULL,
     "0",
     "A required deployment of an operating system to more devices than this is refused. 0: none is."},
    {"directory",
     "url",
     CONFIG_LIST,
     AT(directory_urls),
     1,
     DIRECTORY_TEXT_MAX_BYTES,
     NULL,
     NULL,
     "Servers of a directory that knows administrators, ldaps://HOST or ldap://HOST, with :PORT if need be; the next is asked where one is not reached. The second kind is used with StartTLS, or not at all. Default: there is no directory."},
    {"directory",
     "ca-file",
     CONFIG_TEXT,
     AT(directory_ca_file),
     1,
     DIRECTORY_TEXT_MAX_BYTES,
     NULL,
     NULL,
     "Certificates of the authorities that may have signed theirs, below /etc, as PEM. No other is believed."},
    {"directory",
     "kind",
     CONFIG_CHOICE,
     AT(directory_kind),
     0,
     0,
     "ldap|active-directory",
     "ldap",
     "How it says whose groups are whose, and what keeps an account out."},
    {"directory",
     "bind-dn",
     CONFIG_TEXT,
     AT(directory_bind_dn),
     1,
     DIRECTORY_TEXT_MAX_BYTES,
     NULL,
     NULL,
     "Account of the site that may look for accounts and groups. Default: the directory is asked by nobody."},
    {"directory",
     "password-file",
     CONFIG_TEXT,
     AT(directory_password_file),
     1,
     DIRECTORY_TEXT_MAX_BYTES,
     NULL,
     NULL,
     "Holds its password, below /etc, readable for the user or group of the role site, and for nobody else."},
    {"directory",
     "user-base",
     CONFIG_TEXT,
     AT(directory_user_base),
     1,
     DIRECTORY_TEXT_MAX_BYTES,
     NULL,
     NULL,
     "Below which entry the accounts of administrators are."},
    {"directory",
     "user-attribute",
     CONFIG_TEXT,
     AT(directory_user_attribute),
     1,
     DIRECTORY_ATTRIBUTE_MAX_BYTES,
     NULL,
     NULL,
     "Which of their attributes is the name one signs in with. Default: uid; sAMAccountName of active-directory."},
    {"directory",
     "group-base",
     CONFIG_TEXT,
     AT(directory_group_base),
     1,
     DIRECTORY_TEXT_MAX_BYTES,
     NULL,
     NULL,
     "Below which entry groups in groups are looked for; not needed for active-directory."},
    {"directory",
     "check-seconds",
     CONFIG_U64,
     AT(directory_check_s),
     1,
     86400,
     NULL,
     "300",
     "How often the directory is asked again about each administrator of it who has a token or session: after that time a group that he left gives him nothing any more."},
    {"directory",
     "trust-minutes",
     CONFIG_U64,
     AT(directory_trust_minutes),
     1,
     10080,
     NULL,
     "60",
     "How long what it said is good while it does not answer; then its administrators are out until it does."},
    {"pxe",
     "enabled",
     CONFIG_BOOL,
     AT(is_pxe_on),
     0,
     0,
     NULL,
     "yes",
     "Whether this server answers computers that boot from the network."},
    {"pxe",
     "interfaces",
     CONFIG_LIST,
     AT(pxe_interfaces),
     1,
     ADDRESSES_MAX_BYTES,
     NULL,
     NULL,
     "Network interfaces on which it does. Default: all."},
    {"pxe",
     "dhcp-port",
     CONFIG_U64,
     AT(pxe_dhcp_port),
     1,
     65535,
     NULL,
     "67",
     "UDP port for ProxyDHCP. Firmware knows only 67."},
    {"pxe",
     "boot-server-port",
     CONFIG_U64,
     AT(pxe_boot_server_port),
     1,
     65535,
     NULL,
     "4011",
     "UDP port for requests to the boot server. Firmware knows only 4011."},
    {"pxe",
     "tftp-port",
     CONFIG_U64,
     AT(pxe_tftp_port),
     1,
     65535,
     NULL,
     "69",
     "UDP port for TFTP. Firmware knows only 69."},
    {"dp",
     "enabled",
     CONFIG_BOOL,
     AT(is_dp_on),
     0,
     0,
     NULL,
     "yes",
     "Whether this server imports and keeps content."},
    {"boot-image",
     "kernel-root",
     CONFIG_LIST,
     AT(boot_image_kernel_roots),
     1,
     KERNEL_ROOTS_MAX_BYTES,
     NULL,
     "/",
     "Folders that hold boot/vmlinuz-* and lib/modules of the kernels that boot images are made from: / for the "
     "installed ones, or where a kernel package was unpacked. The first that has the flavour is used."},
    {"boot-image",
     "x86-root",
     CONFIG_TEXT,
     AT(boot_image_x86_root),
     1,
     X86_ROOT_MAX_BYTES,
     NULL,
     SLIPWAY_X86_ROOT,
     "The folder that tools/make-x86-root has made, from which boot images for 32-bit computers are built. Without it "
     "there is none for them."},
    {"log",
     "level",
     CONFIG_CHOICE,
     AT(log_level),
     0,
     0,
     "error|warning|info|debug", /* in the order of enum log_level */
     "info",
     "The most detailed lines to log."},
    {.name = NULL},
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
    r = default_attribute(ret);
    if (r < 0)
        return TRACE(r);
    if (ret->http_port == ret->https_port) {
        buf_addf(why, "%s: [site] http-port and https-port must differ", file);
        return 1;
    }
    r = check_load_balancers(file, ret, why);
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

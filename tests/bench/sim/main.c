/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * slipway-sim: plays thousands of agents, DHCP, TFTP and HTTP Boot clients against a running site, in one thread
 *
 *     slipway-sim agents --site ADDRESS:PORT --pin HEX --roles SOCKET --count N [--first N] [--at-once N] [--rate N]
 *                        [--seconds N] [--renew SECONDS] [--acknowledged FILE]
 *     slipway-sim storm  --interface NAME --network ADDRESS --boot-file FILE --count N [--site ADDRESS:PORT --pin HEX]
 *                        [--first N] [--spread SECONDS] [--tftp-each N] [--limit SECONDS]
 *
 * agents: each registers with a ticket that it gets on the roles' socket, begins the task sequence that is deployed to it, and
 * then reports and asks, all together --rate times in a second (0: as fast as each is answered); it gets another token after
 * --renew seconds, as agents do after half of a token's life, which is what 0 stands for. storm: storm.h; without --site
 * the machines only boot. Prints one line of JSON. Exit status 1: something was lost, which was said.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "connection.h"
#include "plat/file.h"
#include "storm.h"
#include "traffic.h"

DEFINE_FREEP(SSL_CTX *, SSL_CTX_free);

enum {
    BOOT_FILE_MAX_BYTES = 256 * 1024 * 1024,
    HOST_MAX = 64,
    COUNT_MAX = 1000000,
    SECONDS_MAX = 86400,
    RATE_MAX = 1000000,
    EXIT_LOST = 1,
    EXIT_USAGE = 2,
};

#define US_PER_S 1000000ULL

enum choice {
    OPTION_SITE = 1,
    OPTION_PIN,
    OPTION_ROLES,
    OPTION_COUNT,
    OPTION_FIRST,
    OPTION_AT_ONCE,
    OPTION_RATE,
    OPTION_SECONDS,
    OPTION_RENEW,
    OPTION_ACKNOWLEDGED,
    OPTION_INTERFACE,
    OPTION_NETWORK,
    OPTION_BOOT_FILE,
    OPTION_SPREAD,
    OPTION_TFTP_EACH,
    OPTION_LIMIT,
};

static const struct option_row {
    const char *name;
    enum choice id;
    uint64_t min; /* of a number; max 0: a text */
    uint64_t max;
    uint64_t usual;
} rows[] = {
    {"site", OPTION_SITE, 0, 0, 0},
    {"pin", OPTION_PIN, 0, 0, 0},
    {"roles", OPTION_ROLES, 0, 0, 0},
    {"count", OPTION_COUNT, 1, COUNT_MAX, 100},
    {"first", OPTION_FIRST, 0, UINT32_MAX, 0},
    {"at-once", OPTION_AT_ONCE, 1, COUNT_MAX, 32},
    {"rate", OPTION_RATE, 0, RATE_MAX, 0},
    {"seconds", OPTION_SECONDS, 1, SECONDS_MAX, 10},
    {"renew", OPTION_RENEW, 0, SECONDS_MAX, 0},
    {"acknowledged", OPTION_ACKNOWLEDGED, 0, 0, 0},
    {"interface", OPTION_INTERFACE, 0, 0, 0},
    {"network", OPTION_NETWORK, 0, 0, 0},
    {"boot-file", OPTION_BOOT_FILE, 0, 0, 0},
    {"spread", OPTION_SPREAD, 0, SECONDS_MAX, 10},
    {"tftp-each", OPTION_TFTP_EACH, 0, COUNT_MAX, 4},
    {"limit", OPTION_LIMIT, 1, SECONDS_MAX, 300},
};

enum {
    N_ROWS = sizeof(rows) / sizeof(rows[0]),
};

struct given {
    const char *text[N_ROWS + 1]; /* by enum choice */
    uint64_t number[N_ROWS + 1];
};

/* What both need of the command line. */
struct target {
    struct place place;
    char host[HOST_MAX];
    uint8_t pin[SHA256_BYTES];
    SSL_CTX *tls; /* owned */
};

static int complain(const char *what, const char *of)
{
    (void)fprintf(stderr, "slipway-sim: --%s: %s\n", of, what);
    return EXIT_USAGE;
}

static int take_option(const struct option_row *row, struct given *ret)
{
    if (row->max > 0 &&
        !bytes_parse_u64(bytes_of(optarg), row->min, row->max, &ret->number[row->id]))
        return complain("this number cannot be used", row->name);
    ret->text[row->id] = optarg;
    return 0;
}

static int read_options(int argc, char **argv, struct given *ret)
{
    struct option known[N_ROWS + 1] = {0};
    int id;

    for (size_t i = 0; i < N_ROWS; i++) {
        known[i] = (struct option){
            .name = rows[i].name, .has_arg = required_argument, .val = (int)rows[i].id};
        ret->number[rows[i].id] = rows[i].usual;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    while ((id = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (id == '?' || take_option(&rows[id - 1], ret) != 0)
            return EXIT_USAGE;
    }
    return optind == argc ? 0 : complain("there is an argument too many", argv[optind]);
}

/* "10.77.0.1:443" */
static int read_target(const struct given *given, struct target *ret)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    const char *site = given->text[OPTION_SITE];
    const char *pin = given->text[OPTION_PIN];
    const char *colon = strrchr(site, ':');
    uint64_t port;

    if (!colon || !bytes_parse_u64(bytes_of(colon + 1), 1, UINT16_MAX, &port))
        return complain("it is to be ADDRESS:PORT", "site");
    (void)snprintf(ret->host, sizeof(ret->host), "%.*s", (int)(colon - site), site);
    if (inet_pton(AF_INET, ret->host, &to.sin_addr) != 1)
        return complain("it is to be ADDRESS:PORT", "site");
    if (!pin || !hex_parse(bytes_of(pin), SHA256_BYTES, ret->pin))
        return complain("it is to be the site's pin, 64 hex digits", "pin");
    ret->tls = connection_new_tls();
    if (!ret->tls)
        return complain("no memory", "site");
    to.sin_port = htons((uint16_t)port);
    ret->place = (struct place){
        .address_len = sizeof(to), .tls = ret->tls, .pin = ret->pin, .host = ret->host};
    memcpy(&ret->place.address, &to, sizeof(to));
    return 0;
}

static int report(const char *what, int r)
{
    if (r < 0)
        (void)fprintf(stderr, "slipway-sim: %s: %s\n", what, strerrordesc_np(-r));
    return r == 0 ? 0 : EXIT_LOST;
}

static int run_agents(const struct given *given)
{
    struct sockaddr_un roles = {.sun_family = AF_UNIX};
    struct target target = {0};
    OWN(SSL_CTX_freep) SSL_CTX *tls = NULL;
    struct place place = {.address_len = sizeof(roles), .host = "site"};
    const char *path = given->text[OPTION_ROLES];
    struct traffic_options options = {
        .roles = &place,
        .site = &target.place,
        .n_agents = given->number[OPTION_COUNT],
        .first = given->number[OPTION_FIRST],
        .n_at_once = given->number[OPTION_AT_ONCE],
        .rate_per_s = given->number[OPTION_RATE],
        .duration_us = given->number[OPTION_SECONDS] * US_PER_S,
        .renew_us = given->number[OPTION_RENEW] * US_PER_S,
        .ack_file = given->text[OPTION_ACKNOWLEDGED],
        .server = target.host,
    };
    int r;

    if (!given->text[OPTION_SITE])
        return complain("it is missing", "site");
    if (!path || strlen(path) >= sizeof(roles.sun_path))
        return complain("it is to be the path of run/roles.sock", "roles");
    r = read_target(given, &target);
    tls = target.tls;
    if (r != 0)
        return r;
    memcpy(roles.sun_path, path, strlen(path));
    memcpy(&place.address, &roles, sizeof(roles));
    return report("agents", traffic_run(&options));
}

static int run_storm(const struct given *given)
{
    OWN(buf_fini) struct buf boot_file = BUF_INIT(BOOT_FILE_MAX_BYTES);
    OWN(SSL_CTX_freep) SSL_CTX *tls = NULL;
    struct target target = {0};
    struct in_addr network;
    struct storm_options options = {
        .interface = given->text[OPTION_INTERFACE],
        .n_machines = given->number[OPTION_COUNT],
        .first = given->number[OPTION_FIRST],
        .spread_us = given->number[OPTION_SPREAD] * US_PER_S,
        .tftp_each = given->number[OPTION_TFTP_EACH],
        .limit_us = given->number[OPTION_LIMIT] * US_PER_S,
    };

    if (!options.interface)
        return complain("it is missing", "interface");
    if (!given->text[OPTION_NETWORK] ||
        inet_pton(AF_INET, given->text[OPTION_NETWORK], &network) != 1)
        return complain("it is to be the address of the first machine", "network");
    if (!given->text[OPTION_BOOT_FILE] || file_read(given->text[OPTION_BOOT_FILE], &boot_file) != 0)
        return complain("it cannot be read", "boot-file");
    if (given->text[OPTION_SITE] && read_target(given, &target) != 0)
        return EXIT_USAGE;
    tls = target.tls;
    options.site = tls ? &target.place : NULL;
    options.network = ntohl(network.s_addr);
    options.boot_file = buf_bytes(&boot_file);
    return report("storm", storm_run(&options));
}

/* Each client has descriptors of its own. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct given given = {0};
    int r;

    if (argc < 2 || (strcmp(argv[1], "agents") != 0 && strcmp(argv[1], "storm") != 0)) {
        (void)fprintf(stderr,
                      "usage: slipway-sim {agents|storm} OPTIONS; see tests/bench/sim/main.c\n");
        return EXIT_USAGE;
    }
    r = read_options(argc - 1, argv + 1, &given);
    if (r != 0)
        return r;
    raise_limit();
    (void)signal(SIGPIPE, SIG_IGN);
    return strcmp(argv[1], "storm") == 0 ? run_storm(&given) : run_agents(&given);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "rt/http_server.h"
#include "rt/log.h"
#include "server/role.h"
#include "server/site/alert_sender.h"
#include "server/site/api.h"
#include "server/site/commit.h"
#include "server/site/directory_watch.h"
#include "server/site/event_hub.h"
#include "server/site/guard.h"
#include "server/site/limit.h"
#include "server/site/readers.h"
#include "site/oidc_provider.h"

enum {
    SOCKET_MODE = 0660,
    PATH_MAX_BYTES = 512,
    HOUR_US_PER_MS = 3600 * 1000,
    US_PER_S = 1000000,
    DESCRIPTORS_WANTED =
        2048, /* connections and streams at their limits, and what is open anyhow */
};

DEFINE_FREEP(struct site *, site_free);
DEFINE_FREEP(struct http_server *, http_server_free);
DEFINE_FREEP(struct limit *, limit_free);
DEFINE_FREEP(struct readers *, readers_free);
DEFINE_FREEP(struct event_hub *, event_hub_free);
DEFINE_FREEP(struct directory_watch *, directory_watch_free);
DEFINE_FREEP(struct oidc_provider *, oidc_provider_free);
DEFINE_FREEP(struct alert_sender *, alert_sender_free);

/* For the signal handler alone: one role is one process. */
static struct http_server *running;

static void on_end_signal(int signal_number)
{
    (void)signal_number;
    if (running)
        http_server_stop(running);
}

/* Once a second: what fails each time, as on a full disk, is said when it begins and when it is over. */
static void tick(void *ctx)
{
    struct api *api = ctx;
    bool was_failing = api->is_tick_failing;

    api->site->now_us = clock_wall_us();
    api->is_tick_failing = readers_note_uses(api->readers, api->site) < 0;
    api->is_tick_failing |= site_tick(api->site) < 0;
    api->is_tick_failing |= directory_watch_tick(api->watch) < 0;
    api->is_tick_failing |= alert_sender_tick(api->alert_sender, api->site) < 0;
    if (api->is_tick_failing && !was_failing)
        log_error("what time does could not be done", "why=\"%s\"", db_why(api->site->db));
    if (!api->is_tick_failing && was_failing)
        log_info("what time does can be done again", "name=\"%s\"", api->site->settings.name);
    if (api->site->passed_over[0] && strcmp(api->site->passed_over, api->passed_over) != 0) {
        memcpy(api->passed_over, api->site->passed_over, sizeof(api->passed_over));
        log_error("something is passed over by what time does", "what=\"%s\"", api->passed_over);
    }
}

/* The pin, without the line's end. Return: 0 or -errno. */
static int read_pin(const struct role_options *options, struct buf *ret)
{
    char path[PATH_MAX_BYTES];
    int r;

    (void)snprintf(path, sizeof(path), "%s/keys/pin", options->state_folder);
    r = file_read(path, ret);
    if (r > 0)
        return ERR(-ENOENT);
    if (r < 0)
        return TRACE(r);
    if (ret->len < SHA256_TEXT_MAX - 1)
        return ERR(-EBADMSG);
    ret->ptr[SHA256_TEXT_MAX - 1] = '\0';
    return 0;
}

/* The first token goes to whoever started the server, and is kept nowhere. */
static int give_first_token(struct site *site, int fd)
{
    OWN(fd_closep) int owned_fd = fd;
    char token[TOKEN_TEXT_MAX];
    char line[TOKEN_TEXT_MAX + 1];
    int r;

    if (owned_fd < 0)
        return 0;
    site->now_us = clock_wall_us();
    r = access_first_token(site, token);
    if (r != 0)
        return r > 0 ? 0 : TRACE(r);
    (void)snprintf(line, sizeof(line), "%s\n", token);
    r = fd_write_all(owned_fd, bytes_of(line));
    explicit_bzero(token, sizeof(token));
    explicit_bzero(line, sizeof(line));
    return TRACE(r);
}

static int new_server(struct api *api,
                      const char *name,
                      const struct http_route *routes,
                      struct http_server **ret)
{
    char path[PATH_MAX_BYTES];
    struct http_server_options options = {
        .socket_path = path,
        .socket_mode = SOCKET_MODE,
        .routes = routes,
        .ctx = api,
        .guard = guard_handle,
        .batch = &commit_batch,
        .tick = routes == api_routes ? tick : NULL,
        .readers = readers_threads(api->readers),
        .is_for_readers = readers_may_have,
        .streams_max = routes == api_routes ? EVENT_FOLLOWERS_MAX : 0,
    };

    (void)snprintf(path, sizeof(path), "%s/run/%s", api->options->state_folder, name);
    return TRACE(http_server_new(&options, ret));
}

/* systemd gives enough (LimitNOFILE); a host without it may not. */
static void check_descriptors(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < DESCRIPTORS_WANTED)
        log_warning("few descriptors: when many follow events, others may find no answer",
                    "limit=%llu wanted=%d",
                    (unsigned long long)files.rlim_cur,
                    DESCRIPTORS_WANTED);
}

static int serve(struct api *api)
{
    OWN(oidc_provider_freep) struct oidc_provider *oidc = NULL; /* freed after the servers */
    OWN(http_server_freep) struct http_server *for_nginx = NULL;
    OWN(http_server_freep) struct http_server *for_roles = NULL;
    OWN(event_hub_freep) struct event_hub *event_hub = NULL; /* freed before the servers */
    OWN(readers_freep) struct readers *readers = NULL;       /* the same, and before who follows */
    OWN(directory_watch_freep) struct directory_watch *watch = NULL;
    OWN(alert_sender_freep) struct alert_sender *alert_sender = NULL;
    struct sigaction action = {.sa_handler = on_end_signal};
    int r = event_hub_new(api, &event_hub);

    api->event_hub = event_hub;
    if (r == 0)
        r = readers_new(api, &readers);
    api->readers = readers;
    if (r == 0)
        r = directory_watch_new(api->site, &watch);
    api->watch = watch;
    if (r == 0)
        r = oidc_provider_new(&api->site->settings.oidc, &oidc);
    api->oidc = oidc;
    if (r == 0)
        r = alert_sender_new(api->options->config, &alert_sender);
    api->alert_sender = alert_sender;
    if (r == 0)
        r = new_server(api, "api.sock", api_routes, &for_nginx);
    if (r == 0)
        r = new_server(api, "roles.sock", api_role_routes, &for_roles);
    if (r < 0)
        return TRACE(r);
    running = for_nginx;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    check_descriptors();
    log_info("ready", "name=\"%s\"", api->site->settings.name);
    r = http_server_run_all((struct http_server *const[]){for_nginx, for_roles}, 2);
    running = NULL;
    return TRACE(r);
}

static int open_site(const struct role_options *options,
                     const char *pin,
                     const char *database,
                     struct site **ret)
{
    const struct server_config *config = options->config;
    struct site_settings settings = {
        .name = config->site_name,
        .organization = config->organization,
        .addresses = config->addresses,
        .http_port = (unsigned)config->http_port,
        .https_port = (unsigned)config->https_port,
        .pin = pin,
        .is_unknown_computers_on = config->is_unknown_computers_on,
        .order_life_us = config->order_hours * HOUR_US_PER_MS * 1000,
        .deployment_usual_size = config->deployment_usual_size,
        .deployment_max_size = config->deployment_max_size,
        .wake_port = (unsigned)config->wake_port,
        .client_poll_min = (unsigned)config->client_poll_min,
        .wake_packets_per_s = (unsigned)config->wake_packets_per_s,
        .is_wake_unicast_on = config->is_wake_unicast_on,
        .is_protection_warning = config->deployment_protected == 1,
        .directory = {.urls = config->directory_urls,
                      .ca_file = config->directory_ca_file,
                      .bind_dn = config->directory_bind_dn,
                      .password_file = config->directory_password_file,
                      .user_base = config->directory_user_base,
                      .user_attribute = config->directory_user_attribute,
                      .group_base = config->directory_group_base,
                      .is_active_directory = config->directory_kind == 1,
                      .check_us = config->directory_check_s * US_PER_S,
                      .trust_us = config->directory_trust_minutes * 60 * US_PER_S},
        .oidc = {.issuer = config->oidc_issuer,
                 .client_id = config->oidc_client_id,
                 .secret_file = config->oidc_secret_file,
                 .ca_file = config->oidc_ca_file,
                 .redirect_uris = config->oidc_redirect_uris,
                 .scopes = config->oidc_scopes,
                 .groups_claim = config->oidc_groups_claim,
                 .name_claim = config->oidc_name_claim,
                 .trust_us = config->oidc_trust_minutes * 60 * US_PER_S},
        .has_alert_webhook = config->alert_webhook[0] != '\0',
        .has_alert_mail = config->alert_mail_server[0] != '\0',
    };

    return TRACE(site_open(database, &settings, ret));
}

/* Why the database cannot be used, as an exit status. */
static int report_open(int r)
{
    switch (r) {
    case SITE_E_NEWER:
        log_error("the database was made by a newer slipwayd", "%s", "error_id=SLW-0014");
        return ROLE_EXIT_SCHEMA;
    case SITE_E_CHANGED:
        log_error(
            "the database's schema is not what this slipwayd makes", "%s", "error_id=SLW-0014");
        return ROLE_EXIT_SCHEMA;
    case SITE_E_IN_USE:
        log_error("another process has the database open", "why=\"%s\"", db_why(NULL));
        return ROLE_EXIT_FAILED;
    default:
        log_error(
            "the database cannot be opened", "why=\"%s: %s\"", strerrordesc_np(-r), db_why(NULL));
        return r == -ENOSPC ? ROLE_EXIT_DISK_FULL : ROLE_EXIT_FAILED;
    }
}

int server_site_main(const struct role_options *options)
{
    OWN(buf_fini) struct buf pin = BUF_INIT(SHA256_TEXT_MAX + 1);
    OWN(site_freep) struct site *site = NULL;
    OWN(limit_freep) struct limit *limit = NULL;
    OWN(limit_freep) struct limit *address_limit = NULL;
    struct api api = {.options = options, .started_us = clock_monotonic_us()};
    char path[PATH_MAX_BYTES];
    int r = read_pin(options, &pin);

    (void)snprintf(path, sizeof(path), "%s/site/slipway.db", options->state_folder);
    api.database = options->config->database[0] != '\0' ? options->config->database : path;
    if (r < 0) {
        log_error("the key's pin cannot be read", "why=\"%s\"", strerrordesc_np(-r));
        return ROLE_EXIT_FAILED;
    }
    r = open_site(options, buf_str(&pin), api.database, &site);
    if (r != 0)
        return report_open(r);
    r = limit_new(options->config->requests_per_s, &limit);
    if (r == 0)
        r = limit_new(options->config->address_requests_per_s, &address_limit);
    api.site = site;
    api.limit = limit;
    api.address_limit = address_limit;
    if (r == 0)
        r = give_first_token(site, options->first_start_fd);
    if (r == 0)
        r = serve(&api);
    if (r < 0) {
        log_error("it cannot go on", "why=\"%s\"", strerrordesc_np(-r));
        return ROLE_EXIT_FAILED;
    }
    return ROLE_EXIT_DONE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/nginx_conf.h"

#include <stdio.h>
#include <string.h>

#include "server/parent/keys.h"
#include "server/parent/remote.h"

#define SITE_UPSTREAM "slipway_site_process"

enum {
    TARGET_MAX_BYTES = 4096,
};

bool nginx_conf_is_path_plain(const char *path)
{
    for (; *path != '\0'; path++)
        if ((unsigned char)*path < 0x20 || *path == 0x7f || strchr("\"'\\${};#", *path))
            return false;
    return true;
}

/* What is passed on to the site has connections that stay open; nginx gives them up before the site does, after 90 s. */
static void put_site_upstream(const char *state, struct buf *dst)
{
    buf_addf(dst,
             "    upstream " SITE_UPSTREAM " {\n"
             "        server \"unix:%s/run/api.sock\";\n"
             "        keepalive 64;\n"
             "        keepalive_requests 1000000;\n"
             "        keepalive_timeout 60s;\n"
             "    }\n",
             state);
}

/* Before the servers: processes, logs, limits, temporary files. */
static void put_frame(const char *state, struct buf *dst)
{
    buf_addf(dst,
             "# Written by slipwayd at each start: changes are lost.\n"
             "daemon off;\n"
             "worker_processes 2;\n"
             "worker_shutdown_timeout 2s;\n"
             "error_log stderr warn;\n"
             "pid \"%s/http/nginx.pid\";\n"
             "events {\n"
             "    worker_connections 4096;\n"
             "}\n"
             "http {\n"
             "    client_body_temp_path \"%s/http/body\";\n"
             "    proxy_temp_path \"%s/http/proxy\";\n"
             "    fastcgi_temp_path \"%s/http/fastcgi\";\n"
             "    uwsgi_temp_path \"%s/http/uwsgi\";\n"
             "    scgi_temp_path \"%s/http/scgi\";\n",
             state,
             state,
             state,
             state,
             state,
             state);
    buf_adds(dst,
             "    access_log off;\n"
             "    server_tokens off;\n"
             "    sendfile on;\n"
             "    sendfile_max_chunk 2m;\n"
             "    tcp_nopush on;\n"
             "    keepalive_timeout 75s;\n"
             "    keepalive_requests 10000;\n"
             "    client_header_timeout 15s;\n"
             "    client_body_timeout 30s;\n"
             "    send_timeout 30s;\n"
             "    reset_timedout_connection on;\n"
             "    client_max_body_size 1k;\n"
             "    large_client_header_buffers 4 8k;\n"
             "    limit_req_zone $binary_remote_addr zone=logins:1m rate=10r/s;\n"
             "    map $http_x_request_id $slipway_request_id {\n"
             "        \"~^[0-9A-Za-z._-]{1,64}$\" $http_x_request_id;\n"
             "        default $request_id;\n"
             "    }\n"
             "    merge_slashes on;\n"
             "    etag on;\n"
             "    default_type application/octet-stream;\n"
             "    types {\n"
             "        application/efi efi;\n"
             "        application/vnd.efi-img img;\n"
             "        application/json json;\n"
             "    }\n");
}

/* Boot images and content, straight from disk; only reading, no listing, no symbolic link outwards. */
static void put_files(const char *state, struct buf *dst)
{
    buf_addf(
        dst,
        "        disable_symlinks on from=\"%s/dp\";\n"
        "        location ~ \"^/boot/(.*/)?\\.\" {\n"
        "            return 404;\n"
        "        }\n"
        "        location /boot/ {\n"
        "            limit_except GET { deny all; }\n"
        "            alias \"%s/dp/boot/\";\n"
        "        }\n"
        "        location ~ \"^/content/(packs/[0-9a-f]{2}/[0-9a-f]{64}|(manifests|lists)/[0-9a-f]{64})$\" {\n"
        "            limit_except GET { deny all; }\n"
        "            add_header Cache-Control \"public, max-age=31536000, immutable\";\n"
        "            add_header X-Content-Type-Options nosniff;\n"
        "            alias \"%s/dp/content/$1\";\n"
        "        }\n",
        state,
        state,
        state);
}

static void put_http(const struct nginx_conf_options *options, struct buf *dst)
{
    buf_addf(dst,
             "    server {\n"
             "        listen %u default_server;\n"
             "        server_name _;\n",
             options->http_port);
    if (options->is_dp_on)
        put_files(options->state_folder, dst);
    buf_adds(dst,
             "        location / {\n"
             "            return 404;\n"
             "        }\n"
             "    }\n");
}

/* What every proxied location says; a header that is set in one would hide these in it. */
static void put_proxy_to(const char *target, struct buf *dst)
{
    buf_addf(dst, "            proxy_pass \"http://%s\";\n", target);
    buf_adds(dst,
             "            proxy_http_version 1.1;\n"
             "            proxy_set_header Host $host;\n"
             "            proxy_set_header Connection \"\";\n"
             "            proxy_set_header X-Real-IP $remote_addr;\n"
             "            proxy_set_header X-Request-Id $slipway_request_id;\n"
             "            proxy_set_header X-Forwarded-For $remote_addr;\n"
             "            proxy_set_header X-Forwarded-Proto https;\n"
             "            proxy_request_buffering on;\n"
             "            proxy_connect_timeout 5s;\n"
             "            proxy_read_timeout 60s;\n");
}

static void put_proxy_to_site(struct buf *dst)
{
    put_proxy_to(SITE_UPSTREAM, dst);
}

/* @socket: of the role dp */
static void put_proxy_to_dp(const char *socket, const char *state, struct buf *dst)
{
    char target[TARGET_MAX_BYTES];

    (void)snprintf(target, sizeof(target), "unix:%s/run/%s:", state, socket);
    put_proxy_to(target, dst);
}

static void put_uploads(const char *state, struct buf *dst)
{
    buf_adds(dst,
             "        location /api/v1/uploads {\n"
             "            auth_request /authorize;\n"
             "            client_max_body_size 9m;\n");
    put_proxy_to_dp("dp.sock", state, dst);
    buf_adds(dst,
             "        }\n"
             "        location /api/v1/captures {\n"
             "            auth_request /authorize;\n"
             "            client_max_body_size 6m;\n"
             "            client_body_buffer_size 6m;\n"); /* a pack needs no file on its way */
    put_proxy_to_dp("capture.sock", state, dst);
    buf_adds(dst,
             "        }\n"
             "        location = /authorize {\n"
             "            internal;\n"
             /* the body is not passed on, but its size is judged here too */
             "            client_max_body_size 9m;\n"
             "            proxy_pass_request_body off;\n"
             "            proxy_set_header Content-Length \"\";\n"
             "            proxy_set_header X-Original-Method $request_method;\n"
             "            proxy_set_header X-Original-URI $request_uri;\n");
    buf_adds(dst,
             "            proxy_pass \"http://" SITE_UPSTREAM "/api/v1/internal/authorize\";\n");
    buf_adds(dst,
             "            proxy_http_version 1.1;\n"
             "            proxy_method GET;\n"
             "            proxy_set_header Host $host;\n"
             "            proxy_set_header Connection \"\";\n"
             "            proxy_set_header X-Real-IP $remote_addr;\n"
             "            proxy_set_header X-Forwarded-For $remote_addr;\n"
             "            proxy_connect_timeout 5s;\n"
             "            proxy_read_timeout 10s;\n"
             "        }\n");
}

/* Files for an administrator, made by jobs; ranges, so that a download can be gone on with. */
static void put_exports(const char *state, struct buf *dst)
{
    buf_addf(
        dst,
        "        location ~ \"^/api/v1/exports/([0-9a-f-]+)$\" {\n"
        "            limit_except GET { deny all; }\n"
        "            auth_request /authorize;\n"
        "            add_header X-Content-Type-Options nosniff;\n"
        "            add_header Cache-Control \"private, no-store\";\n"
        "            error_page 404 @no_export;\n"
        "            alias \"%s/dp/exports/$1\";\n"
        "        }\n"
        "        location @no_export {\n"
        "            internal;\n"
        "            default_type application/problem+json;\n"
        "            return 404 '{\"type\":\"urn:slipway:error:SLW-0325\",\"error_id\":\"SLW-0325\","
        "\"title\":\"There is no such export\",\"status\":404,\"detail\":\"It was never made, or is "
        "older than 24 hours. Export the content again.\"}';\n"
        "        }\n",
        state);
}

/* What the roles of a remote distribution point ask; the site wants its token for each. */
static void put_remote_roles(struct buf *dst)
{
    static const struct {
        const char *prefix;
        const char *body_max;
    } places[] = {
        {"/api/v1/internal/dp/", "1m"},
        {"/api/v1/internal/boot-", "64k"},
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        buf_addf(dst,
                 "        location %s {\n"
                 "            client_max_body_size %s;\n",
                 places[i].prefix,
                 places[i].body_max);
        put_proxy_to_site(dst);
        buf_adds(dst, "        }\n");
    }
}

/* Beside the other port. Who connects to it is believed only if it is one of them, whatever its header says. */
static void put_load_balancers(const struct nginx_conf_options *options, struct buf *dst)
{
    const char *at = options->load_balancers ? options->load_balancers : "";

    if (*at == '\0')
        return;
    buf_addf(dst,
             "        listen %u ssl http2 proxy_protocol;\n"
             "        real_ip_header proxy_protocol;\n",
             options->load_balancer_port);
    while (*at != '\0') {
        size_t len = strcspn(at, " ");

        buf_addf(dst, "        set_real_ip_from %.*s;\n", (int)len, at);
        at += len + strspn(at + len, " ");
    }
}

/* Who is not signed in yet has work done for him: a password is dear to check. */
static void put_logins(struct buf *dst)
{
    static const char *const places[] = {"= /api/v1/logins", "/api/v1/oidc/"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        buf_addf(dst,
                 "        location %s {\n"
                 "            client_max_body_size 64k;\n"
                 "            limit_req zone=logins burst=100 nodelay;\n"
                 "            limit_req_status 429;\n"
                 "            error_page 429 @too_many;\n",
                 places[i]);
        put_proxy_to_site(dst);
        buf_adds(dst, "        }\n");
    }
    buf_adds(
        dst,
        "        location @too_many {\n"
        "            internal;\n"
        "            default_type application/problem+json;\n"
        "            add_header Retry-After 1 always;\n"
        "            add_header X-Request-Id $slipway_request_id always;\n"
        "            return 429 "
        "'{\"type\":\"urn:slipway:error:SLW-0124\",\"error_id\":\"SLW-0124\","
        "\"title\":\"Too many requests\",\"status\":429,\"detail\":\"This address has tried to sign "
        "in too often in a second. Wait a little.\",\"request_id\":\"$slipway_request_id\"}';\n"
        "        }\n");
}

static void put_https(const struct nginx_conf_options *options, struct buf *dst)
{
    const char *state = options->state_folder;

    buf_addf(dst,
             "    server {\n"
             "        listen %u ssl http2 default_server;\n"
             "        server_name _;\n"
             "        ssl_certificate \"%s/keys/site.crt\";\n"
             "        ssl_certificate_key \"%s/keys/site.key\";\n"
             "        ssl_protocols TLSv1.2 TLSv1.3;\n"
             "        ssl_session_cache shared:tls:2m;\n"
             "        ssl_session_tickets off;\n",
             options->https_port,
             state,
             state);
    put_load_balancers(options, dst);
    if (options->is_dp_on) {
        put_files(state, dst);
        put_uploads(state, dst);
        put_exports(state, dst);
    }
    put_remote_roles(dst);
    put_logins(dst);
    buf_adds(dst,
             "        location /api/v1/internal {\n"
             "            return 404;\n"
             "        }\n"
             "        location /api/v1/client/ {\n"
             "            client_max_body_size 256k;\n");
    put_proxy_to_site(dst);
    buf_adds(dst,
             "        }\n"
             "        location /api/v1/client/orders {\n"
             "            client_max_body_size 5m;\n");
    put_proxy_to_site(dst);
    buf_adds(dst,
             "        }\n"
             "        location = /api/v1/events {\n"
             "            limit_except GET { deny all; }\n"
             "            proxy_buffering off;\n"
             "            gzip off;\n");
    put_proxy_to_site(dst);
    buf_adds(dst,
             "        }\n"
             "        location /api/ {\n"
             "            client_max_body_size 17m;\n");
    put_proxy_to_site(dst);
    buf_adds(dst,
             "        }\n"
             "        location / {\n"
             "            return 404;\n"
             "        }\n"
             "    }\n");
}

/* Where the site is: by its address, or by its name, which is then looked up again and again. */
static void put_site(const struct nginx_conf_options *options, struct buf *dst)
{
    const struct remote *site = options->remote;

    if (!site->is_name || options->resolvers[0] == '\0') {
        buf_addf(dst, "            proxy_pass \"https://%s:%u\";\n", site->host, site->port);
        return;
    }
    buf_addf(dst,
             "            resolver %s valid=60s ipv6=off;\n"
             "            set $slipway_site \"%s:%u\";\n"
             "            proxy_pass \"https://$slipway_site\";\n",
             options->resolvers,
             site->host,
             site->port);
}

/* What the roles of a remote distribution point ask, with their token, passed on to the site, which must have the pinned certificate. */
static void put_roles(const struct nginx_conf_options *options, struct buf *dst)
{
    const char *state = options->state_folder;

    buf_addf(dst,
             "    server {\n"
             "        listen \"unix:%s/run/roles/roles.sock\";\n"
             "        server_name _;\n"
             "        client_max_body_size 256k;\n"
             "        location ~ \"^/api/v1/internal/(dp/|boot-decisions$|boot-events$)\" {\n",
             state);
    put_site(options, dst);
    buf_addf(dst,
             "            proxy_ssl_verify on;\n"
             "            proxy_ssl_verify_depth 1;\n"
             "            proxy_ssl_trusted_certificate \"%s/keys/site.crt\";\n"
             "            proxy_ssl_name " KEYS_SITE_NAME ";\n"
             "            proxy_ssl_protocols TLSv1.2 TLSv1.3;\n",
             state);
    buf_adds(dst,
             "            proxy_http_version 1.1;\n"
             "            proxy_set_header Host $proxy_host;\n"
             "            proxy_set_header Connection \"\";\n"
             "            proxy_connect_timeout 5s;\n"
             "            proxy_send_timeout 15s;\n"
             "            proxy_read_timeout 15s;\n"
             "        }\n"
             "        location / {\n"
             "            return 404;\n"
             "        }\n"
             "    }\n");
}

void nginx_conf_put(const struct nginx_conf_options *options, struct buf *dst)
{
    put_frame(options->state_folder, dst);
    if (!options->remote)
        put_site_upstream(options->state_folder, dst);
    put_http(options, dst);
    if (options->remote)
        put_roles(options, dst);
    else
        put_https(options, dst);
    buf_adds(dst, "}\n");
}

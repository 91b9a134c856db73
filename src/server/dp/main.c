/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The role dp: takes uploads, and runs the jobs that turn them into content
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "rt/http_server.h"
#include "rt/log.h"
#include "server/dp/captures.h"
#include "server/dp/jobs.h"
#include "server/dp/uploads.h"
#include "server/dp/worker.h"
#include "server/role.h"
#include "store/store.h"

enum {
    PATH_MAX_BYTES = 4096,
    SOCKET_MODE = 0660,
    CREATE_MAX_BYTES = 4096,
};

static struct http_server *the_server; /* for the signal handler */

DEFINE_FREEP(struct http_server *, http_server_free);

static const struct http_route routes[] = {
    {"POST", "/api/v1/uploads", CREATE_MAX_BYTES, uploads_create},
    {"PUT", "/api/v1/uploads/{id}", CREATE_MAX_BYTES, uploads_create_named},
    {"PATCH", "/api/v1/uploads/{id}", UPLOAD_PART_MAX_BYTES, uploads_add_part},
    {"HEAD", "/api/v1/uploads/{id}", 0, uploads_get_offset},
    {"DELETE", "/api/v1/uploads/{id}", 0, uploads_drop},
    {.method = NULL},
};

/* On a socket of its own: what an agent sends while it captures. */
static const struct http_route capture_routes[] = {
    {"POST", "/api/v1/captures/chunks", CAPTURES_ASK_MAX_BYTES, captures_find_chunks},
    {"PUT", "/api/v1/captures/packs/{name}", PACK_STORED_MAX_BYTES, captures_put_pack},
    {.method = NULL},
};

static void on_signal(int number)
{
    (void)number;
    http_server_stop(the_server);
}

static void tick(void *ctx)
{
    uploads_expire(ctx);
}

static void tick_captures(void *ctx)
{
    captures_rest(ctx);
}

/* What a worker that was killed left behind goes; nobody else writes now. Return: 0, STORE_E_FORMAT, or -errno. */
static int clean_up(const char *state_folder)
{
    OWN(store_freep) struct store *store = NULL;
    char path[PATH_MAX_BYTES];
    int r;

    (void)snprintf(path, sizeof(path), "%s/dp/content", state_folder);
    r = store_new(path, &store);
    if (r == STORE_E_FORMAT) {
        log_error("dp: the content store is of another format", "error_id=SLW-0360 path=%s", path);
        return STORE_E_FORMAT;
    }
    if (r < 0)
        return TRACE(r);
    r = store_clean(store);
    return r < 0 ? TRACE(r) : TRACE(worker_clean_up(state_folder));
}

static int serve(const struct role_options *options)
{
    OWN(uploads_freep) struct uploads *uploads = NULL;
    OWN(captures_freep) struct captures *captures = NULL;
    OWN(http_server_freep) struct http_server *server = NULL;
    OWN(http_server_freep) struct http_server *capture_server = NULL;
    OWN(jobs_stopp) struct jobs *jobs = NULL;
    struct sigaction action = {.sa_handler = on_signal};
    char path[PATH_MAX_BYTES];
    char capture_path[PATH_MAX_BYTES];
    struct http_server_options http = {
        .socket_path = path,
        .socket_mode = SOCKET_MODE,
        .routes = routes,
        .tick = tick,
    };
    struct http_server_options capture_http = {
        .socket_path = capture_path,
        .socket_mode = SOCKET_MODE,
        .routes = capture_routes,
        .tick = tick_captures,
    };
    int r = uploads_new(options->state_folder, &uploads);

    if (r == 0)
        r = captures_new(options->state_folder, &captures);
    (void)snprintf(path, sizeof(path), "%s/run/dp.sock", options->state_folder);
    (void)snprintf(capture_path, sizeof(path), "%s/run/capture.sock", options->state_folder);
    http.ctx = uploads;
    capture_http.ctx = captures;
    if (r == 0)
        r = http_server_new(&http, &server);
    if (r == 0)
        r = http_server_new(&capture_http, &capture_server);
    if (r < 0)
        return TRACE(r);
    the_server = server;
    if (sigaction(SIGTERM, &action, NULL) < 0)
        return ERR(-errno);
    r = jobs_start(options, jobs_usual_pace, &jobs);
    if (r < 0)
        return TRACE(r);
    return TRACE(http_server_run_all((struct http_server *const[]){server, capture_server}, 2));
}

int server_dp_main(const struct role_options *options)
{
    int r = clean_up(options->state_folder);

    if (r == STORE_E_FORMAT)
        return ROLE_EXIT_STORE;
    if (r == 0)
        r = serve(options);
    if (r < 0)
        log_error("dp: cannot go on", "error=\"%s\"", strerrordesc_np(-r));
    return r < 0 ? ROLE_EXIT_FAILED : ROLE_EXIT_DONE;
}

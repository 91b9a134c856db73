/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the handlers share: who calls, and how an outcome of src/site becomes an answer
 *
 *     static int get_device(void *ctx, struct http_exchange *x)
 *     {
 *         struct api *api = ctx;
 *         json_t *device = NULL;
 *         int r = api_begin_admin(api, x);
 *
 *         if (r == 0)
 *             r = device_get(api->site, http_param(x, "id"), &device);
 *         return api_finish(api, x, r, 200, device);
 *     }
 */

#include <jansson.h>
#include <stdint.h>

#include "rt/http_server.h"
#include "server/role.h"
#include "site/access.h"
#include "site/dp.h"
#include "site/rows.h"
#include "site/site.h"

#define API_SESSION_COOKIE "__Host-slipway"

struct directory_watch;
struct oidc_provider;
struct limit;
struct alert_sender;
struct event_hub;
struct readers;

/* Machines that sign-ins wait for, of http_defer_is_remote(). */
enum api_remote {
    API_REMOTE_DIRECTORY,
    API_REMOTE_PROVIDER,
};

/* A handler is called for its answer alone, which is not sent. */
struct api_capture {
    const char *after; /* of a list: where it goes on, as its rule knows it */
    unsigned limit;    /* of a list: in place of what the query says */
    bool is_by_name;   /* of a list: in the order of names */
    int r;             /* as api_finish() was told */
    unsigned status;
    json_t *value; /* owned; set with r == 0 */
};

struct api {
    struct site *site;                      /* owned by main() */
    const struct role_options *options;     /* borrowed */
    uint64_t started_us;                    /* monotonic */
    const char *database;                   /* its address; borrowed */
    struct readers *readers;                /* borrowed */
    struct directory_watch *watch;          /* borrowed */
    struct oidc_provider *oidc;             /* borrowed */
    struct limit *limit;                    /* of administrators; borrowed */
    struct limit *address_limit;            /* borrowed */
    struct alert_sender *alert_sender;      /* borrowed; NULL: there is none */
    struct event_hub *event_hub;            /* borrowed; NULL: there is none yet */
    bool is_reader;                         /* one of them; otherwise the writer's */
    bool is_tick_failing;                   /* of the last site_tick() */
    char passed_over[SITE_PASSED_OVER_MAX]; /* by site_tick(), as the log has it already */
    bool is_failed;                         /* the request in hand: nothing of it is to be kept */
    bool is_tried;                          /* the same; its outcome alone is wanted */
    struct api_capture *capture;            /* borrowed; NULL: answers are sent */
    char who[ACCESS_WHO_MAX];               /* of the request in hand: an administrator or a role */
    char dp_id[DP_ID_MAX];                  /* of the request in hand, if a role makes it */
    char device_id[ACCESS_DEVICE_ID_MAX];   /* of the request in hand, if a device makes it */
};

/* Outcome beside 0 of the functions below: the answer has been sent. */
enum {
    API_E_ANSWERED = 100,
    API_CAPTURE_NOTHING =
        101, /* of a capture: the handler waits for something, or has answered by itself */
};

/* The beginning of every handler: sets the time, and checks who calls. Outcomes as of src/site. */
int api_begin(struct api *api);
int api_begin_admin(struct api *api, struct http_exchange *x);  /* the guard has set api->who */
int api_begin_device(struct api *api, struct http_exchange *x); /* sets api->device_id */

/*
 * Sets api->who, "dp", "pxe" or "site", and api->dp_id. Who came through nginx is a remote distribution point and has its
 * token; the site's own roles are known by the kernel.
 */
int api_begin_role(struct api *api, struct http_exchange *x);

/* The token of the header Authorization, or NULL. */
const char *api_bearer(struct http_exchange *x);

/* The body as JSON. Return: 0 or API_E_ANSWERED. */
int api_body(struct http_exchange *x, json_t **ret);

/* Call a handler, and give what it would answer. @capture: set up; its value is the caller's. Return: 0 or -errno. */
int api_capture(struct api *api,
                struct http_exchange *x,
                http_handler *handle,
                struct api_capture *capture);

/* The part of a list that the query asks for. @is_log: see struct page. */
int api_page(struct api *api, struct http_exchange *x, bool is_log, struct page *ret);

/**
 * api_finish() - the end of every handler
 * @r:     what the rules returned
 * @value: taken over; the answer when @r is 0, NULL for an empty one
 */
int api_finish(struct api *api, struct http_exchange *x, int r, unsigned status, json_t *value);

/* The routes of the two sockets; both end with .method == NULL. */
extern const struct http_route api_routes[];      /* run/api.sock: nginx */
extern const struct http_route api_role_routes[]; /* run/roles.sock: the roles */

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/capture/publish.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/capture/site_call.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/upload.h"

enum {
    POLL_US = 500 * 1000,
    RETRY_US = 250 * 1000,
    PATH_MAX_BYTES = 256,
    ID_MAX = 64,
    ANSWER_MAX_BYTES = 1024 * 1024,
};

DEFINE_FREEP(struct http_client *, http_client_free);

static void json_freep(json_t **json)
{
    json_decref(*json);
}

/* One call with JSON both ways. Return: 0, CAPTURE_E_SITE, CAPTURE_E_STOPPED, or -errno. */
static int ask(const struct site *site,
               const char *method,
               const char *path,
               json_t *body, /* taken over; NULL: none */
               struct buf *why,
               json_t **ret)
{
    OWN(json_freep) json_t *owned = body;
    OWN(freep) char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
    OWN(buf_fini) struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);
    struct site_request request = {method, path, {0}, NULL};
    int r;

    if (owned && !text)
        return ERR(-ENOMEM);
    if (text) {
        request.body = bytes_of(text);
        request.content_type = "application/json";
    }
    r = site_call(site, &request, why, &answer);
    if (r == SITE_E_STOPPED)
        return CAPTURE_E_STOPPED;
    if (r != 0)
        return r < 0 ? TRACE(r) : CAPTURE_E_SITE;
    *ret = json_loadb(buf_str(&answer), answer.len, 0, NULL);
    if (*ret)
        return 0;
    buf_adds(why, "the site's answer is not JSON");
    return CAPTURE_E_SITE;
}

/* A text of an answer. Return: 0 or CAPTURE_E_SITE */
static int take_text(const json_t *answer, const char *name, struct buf *why, char *ret, size_t cap)
{
    const char *text = json_string_value(json_object_get(answer, name));

    if (text && strlen(text) < cap) {
        (void)snprintf(ret, cap, "%s", text);
        return 0;
    }
    buf_addf(why, "the site's answer has no \"%s\"", name);
    return CAPTURE_E_SITE;
}

/* The recipe as a file in memory. */
static int make_file(struct bytes recipe, int *ret)
{
    OWN(fd_closep) int fd = memfd_create("recipe", MFD_CLOEXEC);
    int r;

    if (fd < 0)
        return ERR(-errno);
    r = fd_write_all(fd, recipe);
    if (r < 0)
        return TRACE(r);
    *ret = fd;
    fd = -1;
    return 0;
}

static void ignore_progress(void *ctx, uint64_t done_bytes)
{
    (void)ctx;
    (void)done_bytes;
}

/* @id: of the upload that the site gave; "": any. Return: 0, CAPTURE_E_SITE, CAPTURE_E_STOPPED, or -errno. */
static int send_file(const struct site *site,
                     int fd,
                     uint64_t size,
                     const char *id,
                     struct buf *why,
                     char ret_id[ID_MAX])
{
    OWN(json_freep) json_t *answer = NULL;
    char path[PATH_MAX_BYTES] = "/api/v1/uploads";
    struct upload upload = {
        .client = site->client,
        .path = path,
        .fd = fd,
        .size_bytes = size,
        .part_bytes = UPLOAD_PART_BYTES,
        .retry_us = RETRY_US,
        .on_progress = ignore_progress,
    };
    int r;

    if (id[0] != '\0')
        (void)snprintf(path, sizeof(path), "/api/v1/uploads/%s", id);
    r = ask(site,
            id[0] != '\0' ? "PUT" : "POST",
            path,
            json_pack("{s:s, s:I}", "name", "capture.recipe", "size_bytes", (json_int_t)size),
            why,
            &answer);

    if (r == 0)
        r = take_text(answer, "id", why, ret_id, ID_MAX);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    (void)snprintf(path, sizeof(path), "/api/v1/uploads/%s", ret_id);
    r = upload_run(&upload);
    http_answer_fini(&upload.answer);
    if (r <= 0)
        return TRACE(r);
    buf_addf(why, "the recipe could not be uploaded (status %u)", upload.status);
    return CAPTURE_E_SITE;
}

/* Return: 0 with the id of the operation, CAPTURE_E_SITE, or -errno. */
static int begin_import(const struct site *site,
                        const struct capture_options *options,
                        const char *upload_id,
                        struct capture_result *ret,
                        struct buf *why,
                        char ret_operation[ID_MAX])
{
    OWN(json_freep) json_t *answer = NULL;
    const char *id = options->package_id;
    char path[PATH_MAX_BYTES] = "/api/v1/os-images";
    json_t *body = id ? json_pack("{s:s}", "upload_id", upload_id)
                      : json_pack("{s:s, s:s, s:s*}",
                                  "name",
                                  options->name,
                                  "upload_id",
                                  upload_id,
                                  "version",
                                  options->version);
    int r;

    if (!body)
        return ERR(-ENOMEM);
    if (id)
        (void)snprintf(path, sizeof(path), "/api/v1/content/%s/versions", id);
    r = ask(site, "POST", path, body, why, &answer);
    if (r == 0)
        r = take_text(answer, "operation_id", why, ret_operation, ID_MAX);
    if (r == 0 && id)
        (void)snprintf(ret->package_id, sizeof(ret->package_id), "%s", id);
    else if (r == 0)
        r = take_text(answer, "id", why, ret->package_id, sizeof(ret->package_id));
    return r < 0 ? TRACE(r) : r;
}

/* Return: 0 when the operation has succeeded, CAPTURE_E_SITE, or -errno. */
static int await(const struct site *site, const char *operation_id, struct buf *why)
{
    char path[PATH_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "/api/v1/operations/%s", operation_id);
    for (;;) {
        OWN(json_freep) json_t *operation = NULL;
        const char *state = "";
        const char *error = "";
        const char *error_id = "";
        int r = ask(site, "GET", path, NULL, why, &operation);

        if (r != 0)
            return r < 0 ? TRACE(r) : r;
        (void)json_unpack(
            operation, "{s?s, s?s, s?s}", "state", &state, "error", &error, "error_id", &error_id);
        if (strcmp(state, "succeeded") == 0)
            return 0;
        if (strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0) {
            buf_addf(why, "%s: the import %s: %s", error_id, state, error);
            return CAPTURE_E_SITE;
        }
        if (site_sleep(site, POLL_US) != 0)
            return CAPTURE_E_STOPPED;
    }
}

/* What was begun at the site is ended; whether that is heard or not. @operation_id: "": none yet */
static void clean_up(const struct site *site, const char *upload_id, const char *operation_id)
{
    struct site patient = {.client = site->client};
    OWN(buf_fini) struct buf why = BUF_INIT(ANSWER_MAX_BYTES);
    char path[PATH_MAX_BYTES];
    struct site_request request = {"DELETE", path, {0}, NULL};

    if (operation_id[0] != '\0') {
        request = (struct site_request){"POST", path, bytes_of("{}"), "application/json"};
        (void)snprintf(path, sizeof(path), "/api/v1/operations/%s/cancellation", operation_id);
        (void)site_call(&patient, &request, &why, NULL);
    } else if (upload_id[0] != '\0') {
        (void)snprintf(path, sizeof(path), "/api/v1/uploads/%s", upload_id);
        (void)site_call(&patient, &request, &why, NULL);
    }
}

/* The upload becomes an OS image or a version of one. Return: as publish(). */
static int publish_upload(const struct site *site,
                          const struct capture_options *options,
                          int fd,
                          uint64_t size,
                          struct capture_result *ret,
                          struct buf *why)
{
    char upload_id[ID_MAX] = "";
    char operation_id[ID_MAX] = "";
    int r = send_file(site, fd, size, "", why, upload_id);

    if (r == 0)
        r = site_is_stopped(site) ? CAPTURE_E_STOPPED
                                  : begin_import(site, options, upload_id, ret, why, operation_id);
    if (r == 0)
        r = await(site, operation_id, why);
    if (r == CAPTURE_E_STOPPED)
        clean_up(site, upload_id, operation_id);
    return r < 0 ? TRACE(r) : r;
}

/* Return: 0 when it is an OS image, CAPTURE_E_SITE, CAPTURE_E_STOPPED, or -errno. */
static int await_capture(const struct site *site,
                         const char *capture_id,
                         struct capture_result *ret,
                         struct buf *why)
{
    char path[PATH_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "/api/v1/client/captures/%s", capture_id);
    for (;;) {
        OWN(json_freep) json_t *capture = NULL;
        const char *state = "";
        const char *error = "";
        const char *error_id = "";
        int r = ask(site, "GET", path, NULL, why, &capture);

        if (r != 0)
            return r < 0 ? TRACE(r) : r;
        (void)json_unpack(
            capture, "{s?s, s?s, s?s}", "state", &state, "error", &error, "error_id", &error_id);
        if (strcmp(state, "ready") == 0)
            return take_text(capture, "package_id", why, ret->package_id, sizeof(ret->package_id));
        if (strcmp(state, "importing") != 0) {
            buf_addf(why, "%s: the import has failed: %s", error_id, error);
            return CAPTURE_E_SITE;
        }
        if (site_sleep(site, POLL_US) != 0)
            return CAPTURE_E_STOPPED;
    }
}

/* Return: as publish(). */
static int publish_capture(const struct site *site,
                           const struct publication *publication,
                           int fd,
                           uint64_t size,
                           struct capture_result *ret,
                           struct buf *why)
{
    OWN(json_freep) json_t *answer = NULL;
    char path[PATH_MAX_BYTES];
    char id[ID_MAX];
    int r = 0;

    (void)snprintf(
        path, sizeof(path), "/api/v1/client/captures/%s/publication", publication->capture_id);
    if (!publication->is_published) {
        r = send_file(site, fd, size, publication->capture_id, why, id);
        if (r == 0)
            r = ask(site, "POST", path, json_object(), why, &answer);
    }
    if (r == 0)
        r = await_capture(site, publication->capture_id, ret, why);
    return r < 0 ? TRACE(r) : r;
}

int publish_begin(const struct capture_options *options, struct publication *ret, struct buf *why)
{
    OWN(http_client_freep) struct http_client *client = NULL;
    OWN(json_freep) json_t *answer = NULL;
    struct site site = {.is_stopped = options->is_stopped, .ctx = options->ctx};
    char state[ID_MAX] = "";
    int r = http_client_new(&options->http, &client);

    site.client = client;
    if (r == 0)
        r = ask(&site,
                "POST",
                "/api/v1/client/captures",
                json_pack("{s:s, s:s, s:s, s:s}",
                          "order_id",
                          options->order_id,
                          "name",
                          options->name,
                          "version",
                          options->version ? options->version : "",
                          "comment",
                          options->comment ? options->comment : ""),
                why,
                &answer);
    if (r == 0)
        r = take_text(answer, "capture_id", why, ret->capture_id, sizeof(ret->capture_id));
    if (r == 0)
        r = take_text(answer, "state", why, state, sizeof(state));
    ret->is_published = r == 0 && strcmp(state, "open") != 0;
    return r < 0 ? TRACE(r) : r;
}

int publish(const struct capture_options *options,
            const struct publication *publication,
            struct bytes recipe,
            struct capture_result *ret,
            struct buf *why)
{
    OWN(http_client_freep) struct http_client *client = NULL;
    OWN(fd_closep) int fd = -1;
    struct site site = {.is_stopped = options->is_stopped, .ctx = options->ctx};
    int r = http_client_new(&options->http, &client);

    site.client = client;
    if (r == 0)
        r = make_file(recipe, &fd);
    if (r < 0)
        return TRACE(r);
    r = options->order_id ? publish_capture(&site, publication, fd, recipe.len, ret, why)
                          : publish_upload(&site, options, fd, recipe.len, ret, why);
    return r < 0 ? TRACE(r) : r;
}

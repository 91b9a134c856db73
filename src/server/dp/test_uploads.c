/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/uploads.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/text.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "rt/http_client.h"
#include "tests/faults.h"

enum {
    CREATE_MAX_BYTES = 4096,
    US_PER_S = 1000 * 1000,
    DAY_S = 24 * 60 * 60,
};

static const struct http_route routes[] = {
    {"POST", "/api/v1/uploads", CREATE_MAX_BYTES, uploads_create},
    {"PATCH", "/api/v1/uploads/{id}", UPLOAD_PART_MAX_BYTES, uploads_add_part},
    {"HEAD", "/api/v1/uploads/{id}", 0, uploads_get_offset},
    {"DELETE", "/api/v1/uploads/{id}", 0, uploads_drop},
    {.method = NULL},
};

struct fixture {
    char state[64];
    char socket[80];
    struct uploads *uploads;
    struct http_server *server;
    pthread_t thread;
    struct http_client *client;
};

static void *serve(void *ctx)
{
    struct fixture *f = ctx;

    return http_server_run(f->server) == 0 ? f : NULL;
}

static int start(struct fixture *f)
{
    struct http_server_options options = {
        .socket_path = f->socket,
        .socket_mode = 0600,
        .routes = routes,
    };
    struct http_client_options client = {.base_url = "http://dp", .unix_socket = f->socket};

    if (uploads_new(f->state, &f->uploads) != 0)
        return -1;
    options.ctx = f->uploads;
    if (http_server_new(&options, &f->server) != 0 || http_client_new(&client, &f->client) != 0)
        return -1;
    return pthread_create(&f->thread, NULL, serve, f);
}

static void stop(struct fixture *f)
{
    void *ended;

    http_client_free(f->client);
    http_server_stop(f->server);
    assert_int_equal(pthread_join(f->thread, &ended), 0);
    assert_ptr_equal(ended, f);
    http_server_free(f->server);
    uploads_free(f->uploads);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    (void)snprintf(f->state, sizeof(f->state), "/tmp/slipway-test-uploads-XXXXXX");
    if (!mkdtemp(f->state))
        return -1;
    (void)snprintf(f->socket, sizeof(f->socket), "%s/dp.sock", f->state);
    *state = f;
    return start(f);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    (void)faults_disarm();
    stop(f);

    int r = dir_remove(f->state);

    free(f);
    return r;
}

/* An answer is a status, and an error id or an offset. */
struct said {
    unsigned status;
    char error_id[16];
    uint64_t offset;
};

static struct said
ask(struct fixture *f, const char *method, const char *path, struct bytes body, const char *type)
{
    OWN(http_answer_fini) struct http_answer answer = {.status = 0};
    OWN(json_decrefp) json_t *problem = NULL;
    struct said said = {.offset = UINT64_MAX};
    struct bytes offset;
    const char *error_id;

    assert_int_equal(http_client_call(f->client, method, path, body, type, &answer), 0);
    said.status = answer.status;
    if (http_answer_header(&answer, "Upload-Offset", &offset))
        assert_true(bytes_parse_u64(offset, 0, UINT64_MAX, &said.offset));
    if (answer.body.len > 0)
        problem = json_loadb(buf_str(&answer.body), answer.body.len, 0, NULL);
    error_id = json_string_value(json_object_get(problem, "error_id"));
    (void)snprintf(said.error_id, sizeof(said.error_id), "%s", error_id ? error_id : "");
    return said;
}

static struct said post(struct fixture *f, const char *body)
{
    return ask(f, "POST", "/api/v1/uploads", bytes_of(body), "application/json");
}

static void create(struct fixture *f, unsigned size, char ret_id[UUID_TEXT_MAX])
{
    OWN(json_decrefp) json_t *body = json_pack("{s:s, s:i}", "name", "a.wim", "size_bytes", size);
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status = 0;

    assert_int_equal(http_client_json(f->client, "POST", "/api/v1/uploads", body, &status, &answer),
                     0);
    assert_int_equal(status, 201);
    (void)snprintf(ret_id, UUID_TEXT_MAX, "%s", json_string_value(json_object_get(answer, "id")));
    assert_int_equal(strlen(ret_id), UUID_TEXT_MAX - 1);
}

static struct said on_upload(struct fixture *f, const char *method, const char *id)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "/api/v1/uploads/%s", id);
    return ask(f, method, path, bytes_of(""), NULL);
}

static struct said add(struct fixture *f, const char *id, unsigned offset, struct bytes part)
{
    char path[96];
    char header[48];

    (void)snprintf(path, sizeof(path), "/api/v1/uploads/%s", id);
    (void)snprintf(header, sizeof(header), "Upload-Offset: %u", offset);
    assert_int_equal(http_client_next_header(f->client, header), 0);
    return ask(f, "PATCH", path, part, "application/octet-stream");
}

static void assert_said(struct said said, unsigned status, const char *error_id)
{
    assert_int_equal(said.status, status);
    assert_string_equal(said.error_id, error_id);
}

static void data_path(const struct fixture *f, const char *id, char dst[160])
{
    (void)snprintf(dst, 160, "%s/dp/staging/uploads/%s.data", f->state, id);
}

static void parts_in_order_become_the_file(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf path = BUF_INIT(256);
    OWN(buf_fini) struct buf content = BUF_INIT(64);
    char id[UUID_TEXT_MAX];
    struct said said;

    create(f, 11, id);
    assert_int_equal(uploads_find(f->state, id, &path), UPLOADS_E_INCOMPLETE);
    said = add(f, id, 0, bytes_of("hello "));
    assert_said(said, 204, "");
    assert_int_equal(said.offset, 6);
    assert_int_equal(add(f, id, 6, bytes_of("world")).offset, 11);
    assert_int_equal(uploads_find(f->state, id, &path), 0);
    assert_int_equal(file_read(buf_str(&path), &content), 0);
    assert_string_equal(buf_str(&content), "hello world");
}

static void a_part_at_the_wrong_place_is_told_the_right_one(void **state)
{
    struct fixture *f = *state;
    char id[UUID_TEXT_MAX];
    struct said said;

    create(f, 11, id);
    assert_int_equal(add(f, id, 0, bytes_of("hello ")).status, 204);
    said = add(f, id, 0, bytes_of("hello "));
    assert_said(said, 409, "SLW-0311");
    assert_int_equal(said.offset, 6);
    said = add(f, id, 7, bytes_of("orld"));
    assert_said(said, 409, "SLW-0311");
    assert_int_equal(said.offset, 6);
}

static void a_part_without_an_offset_is_refused(void **state)
{
    struct fixture *f = *state;
    char id[UUID_TEXT_MAX];

    create(f, 11, id);
    assert_said(on_upload(f, "PATCH", id), 400, "SLW-0312");
}

static void a_part_beyond_the_end_is_refused_and_nothing_of_it_kept(void **state)
{
    struct fixture *f = *state;
    char id[UUID_TEXT_MAX];

    create(f, 5, id);
    assert_said(add(f, id, 0, bytes_of("hello!")), 400, "SLW-0312");
    assert_int_equal(on_upload(f, "HEAD", id).offset, 0);
}

static void a_part_of_more_than_eight_mib_is_too_large(void **state)
{
    struct fixture *f = *state;
    OWN(freep) uint8_t *part = calloc(1, UPLOAD_PART_MAX_BYTES + 1);
    char id[UUID_TEXT_MAX];

    assert_non_null(part);
    create(f, 2 * UPLOAD_PART_MAX_BYTES, id);
    assert_int_equal(add(f, id, 0, (struct bytes){part, UPLOAD_PART_MAX_BYTES + 1}).status, 413);
    assert_int_equal(on_upload(f, "HEAD", id).offset, 0);
    assert_int_equal(add(f, id, 0, (struct bytes){part, UPLOAD_PART_MAX_BYTES}).offset,
                     UPLOAD_PART_MAX_BYTES);
}

static void a_request_that_is_wrong_makes_no_upload(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "{\"name\": \"a\"}",
        "{\"size_bytes\": 1}",
        "{\"name\": \"a\", \"size_bytes\": 0}",
        "{\"name\": \"a\", \"size_bytes\": -1}",
        "{\"name\": \"a\", \"size_bytes\": \"1\"}",
        "{\"name\": \"a\", \"size_bytes\": 17592186044417}",
        "{\"name\": \"a\", \"size_bytes\": 1, \"more\": 1}",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_said(post(f, bad[i]), 400, "SLW-0312");
}

static void a_file_that_no_disk_has_room_for_is_refused_at_once(void **state)
{
    assert_said(post(*state, "{\"name\": \"a\", \"size_bytes\": 17592186044416}"), 507, "SLW-0313");
}

/* Each system call that needs room, one after the other. */
static void a_disk_that_fills_up_is_said_and_the_part_can_be_sent_again(void **state)
{
    struct fixture *f = *state;
    char id[UUID_TEXT_MAX];

    create(f, 5, id);
    for (unsigned nth = 1; nth <= 2; nth++) {
        faults_arm(FAULT_SPACE, nth);
        assert_said(add(f, id, 0, bytes_of("hello")), 507, "SLW-0313");
        assert_true(faults_disarm());
        assert_int_equal(on_upload(f, "HEAD", id).offset, 0);
    }
    assert_int_equal(add(f, id, 0, bytes_of("hello")).offset, 5);

    faults_arm(FAULT_SPACE, 1);
    assert_said(post(f, "{\"name\": \"a\", \"size_bytes\": 1}"), 507, "SLW-0313");
    assert_true(faults_disarm());
}

static void an_upload_goes_on_after_a_restart(void **state)
{
    struct fixture *f = *state;
    char id[UUID_TEXT_MAX];

    create(f, 11, id);
    assert_int_equal(add(f, id, 0, bytes_of("hello ")).status, 204);
    stop(f);
    assert_int_equal(start(f), 0);
    assert_int_equal(on_upload(f, "HEAD", id).offset, 6);
    assert_int_equal(add(f, id, 6, bytes_of("world")).offset, 11);
}

static void set_age(const struct fixture *f, const char *id, time_t age_s)
{
    time_t used_s = (time_t)(clock_wall_us() / US_PER_S) - age_s;
    struct timespec times[2] = {{.tv_sec = used_s}, {.tv_sec = used_s}};
    char path[160];

    data_path(f, id, path);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void an_upload_expires_24_hours_after_its_last_part(void **state)
{
    struct fixture *f = *state;
    char old[UUID_TEXT_MAX];
    char young[UUID_TEXT_MAX];

    create(f, 11, old);
    create(f, 11, young);
    set_age(f, old, DAY_S + 60);
    set_age(f, young, DAY_S - 60);
    uploads_expire(f->uploads);
    assert_said(on_upload(f, "DELETE", old), 404, "SLW-0310");
    assert_int_equal(on_upload(f, "HEAD", young).status, 204);
}

static void a_dropped_upload_is_gone(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf found = BUF_INIT(256);
    char id[UUID_TEXT_MAX];
    char path[160];

    create(f, 11, id);
    data_path(f, id, path);
    assert_true(file_exists(path));
    assert_said(on_upload(f, "DELETE", id), 204, "");
    assert_false(file_exists(path));
    assert_said(on_upload(f, "DELETE", id), 404, "SLW-0310");
    assert_said(add(f, id, 0, bytes_of("x")), 404, "SLW-0310");
    assert_int_equal(uploads_find(f->state, id, &found), UPLOADS_E_MISSING);
}

static void an_id_that_is_a_path_finds_nothing(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf found = BUF_INIT(256);

    assert_said(on_upload(f, "DELETE", "..%2F..%2Fx"), 404, "SLW-0310");
    assert_int_equal(uploads_find(f->state, "../../x", &found), UPLOADS_E_MISSING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_in_order_become_the_file),
        TEST(a_part_at_the_wrong_place_is_told_the_right_one),
        TEST(a_part_without_an_offset_is_refused),
        TEST(a_part_beyond_the_end_is_refused_and_nothing_of_it_kept),
        TEST(a_part_of_more_than_eight_mib_is_too_large),
        TEST(a_request_that_is_wrong_makes_no_upload),
        TEST(a_file_that_no_disk_has_room_for_is_refused_at_once),
        TEST(a_disk_that_fills_up_is_said_and_the_part_can_be_sent_again),
        TEST(an_upload_goes_on_after_a_restart),
        TEST(an_upload_expires_24_hours_after_its_last_part),
        TEST(a_dropped_upload_is_gone),
        TEST(an_id_that_is_a_path_finds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

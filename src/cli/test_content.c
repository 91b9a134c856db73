/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "rt/http_server.h"

enum {
    WORDS_MAX = 16,
    CALLS_MAX = 32,
    TEXT_MAX_BYTES = 256,
    BODY_MAX_BYTES = 4096,
    UPLOAD_MAX_BYTES = 1 << 20,
    EXPORT_BYTES = 500,
    PART_BYTES = 48,
};

/* A site with one content, SLP00002, that notes what is asked of it. */
struct fake {
    char folder[TEXT_MAX_BYTES];
    char url[TEXT_MAX_BYTES + 16];
    char file[TEXT_MAX_BYTES + 16];
    struct http_server *server;
    pthread_t thread;
    char calls[CALLS_MAX][TEXT_MAX_BYTES]; /* "POST /api/v1/content/SLP00002/versions {...}" */
    unsigned n_calls;
    const char *operation_state;
    char uploaded[32]; /* offset of the last upload */
    bool is_refusing;  /* to make content */
    uint8_t export[EXPORT_BYTES];
};

static void note(struct fake *fake, struct http_exchange *x)
{
    struct bytes body = http_body(x);
    const char *type = http_header(x, "Content-Type");
    bool is_json = type && strcmp(type, "application/json") == 0;

    assert_true(fake->n_calls < CALLS_MAX);
    (void)snprintf(fake->calls[fake->n_calls++],
                   TEXT_MAX_BYTES,
                   "%s %s%s%.*s",
                   http_method(x),
                   http_path(x) + strlen("/api/v1"),
                   is_json ? " " : "",
                   is_json ? (int)body.len : 0,
                   (const char *)body.ptr);
}

static int give_content(void *ctx, struct http_exchange *x)
{
    const struct fake *fake = ctx;

    note(ctx, x);
    if (fake->is_refusing && strcmp(http_method(x), "POST") == 0)
        return http_reply_problem(x, 409, "SLW-0130", "There is one", "%s", "");
    return http_reply_json(x,
                           strcmp(http_method(x), "POST") == 0 ? 202 : 200,
                           json_pack("{s:s,s:s,s:s,s:s}",
                                     "id",
                                     "SLP00002",
                                     "name",
                                     "Debian",
                                     "version",
                                     "12",
                                     "operation_id",
                                     "o1"));
}

static int give_list(void *ctx, struct http_exchange *x)
{
    note(ctx, x);
    return http_reply_json(x,
                           200,
                           json_pack("{s:[{s:s,s:s,s:s}],s:n}",
                                     "items",
                                     "id",
                                     "SLP00002",
                                     "name",
                                     "Debian",
                                     "version",
                                     "12",
                                     "next"));
}

static int give_operation(void *ctx, struct http_exchange *x)
{
    struct fake *fake = ctx;
    uint8_t hash[SHA256_BYTES];
    char hex[SHA256_TEXT_MAX];

    note(ctx, x);
    assert_int_equal(digest_sha256((struct bytes){fake->export, EXPORT_BYTES}, hash), 0);
    hex_put(hex, (struct bytes){hash, sizeof(hash)});
    return http_reply_json(x,
                           200,
                           json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:s,s:i,s:s}}",
                                     "id",
                                     "o1",
                                     "kind",
                                     "import-tree",
                                     "package_id",
                                     "SLP00002",
                                     "state",
                                     fake->operation_state,
                                     "error_id",
                                     "SLW-0134",
                                     "result",
                                     "export_id",
                                     "e1",
                                     "size_bytes",
                                     EXPORT_BYTES,
                                     "sha256",
                                     hex));
}

static int begin(void *ctx, struct http_exchange *x)
{
    note(ctx, x);
    return http_reply_json(x, 202, json_pack("{s:s,s:i}", "operation_id", "o1", "version", 2));
}

static int done(void *ctx, struct http_exchange *x)
{
    note(ctx, x);
    return http_reply_empty(x, 204);
}

static int find_upload(void *ctx, struct http_exchange *x)
{
    const struct fake *fake = ctx;

    note(ctx, x);
    assert_int_equal(http_add_header(x, "Upload-Offset", fake->uploaded), 0);
    return http_reply_empty(x, 204);
}

static int begin_upload(void *ctx, struct http_exchange *x)
{
    note(ctx, x);
    return http_reply_json(x, 201, json_pack("{s:s}", "id", "u1"));
}

static int take_part(void *ctx, struct http_exchange *x)
{
    char offset[32];

    note(ctx, x);
    struct fake *fake = ctx;

    (void)snprintf(offset, sizeof(offset), "%zu", http_body(x).len);
    memcpy(fake->uploaded, offset, sizeof(fake->uploaded));
    assert_int_equal(http_add_header(x, "Upload-Offset", offset), 0);
    return http_reply_empty(x, 204);
}

static int give_export(void *ctx, struct http_exchange *x)
{
    struct fake *fake = ctx;

    note(ctx, x);
    assert_string_equal(http_header(x, "Range"), "bytes=0-499");
    return http_reply_bytes(
        x, 206, "application/octet-stream", (struct bytes){fake->export, EXPORT_BYTES});
}

static const struct http_route routes[] = {
    {"GET", "/api/v1/os-images", 0, give_list},
    {"POST", "/api/v1/os-images", BODY_MAX_BYTES, give_content},
    {"GET", "/api/v1/os-images/{id}", 0, give_content},
    {"POST", "/api/v1/packages", BODY_MAX_BYTES, give_content},
    {"GET", "/api/v1/packages/{id}", 0, give_content},
    {"GET", "/api/v1/content/{id}", 0, give_content},
    {"PATCH", "/api/v1/content/{id}", BODY_MAX_BYTES, give_content},
    {"DELETE", "/api/v1/content/{id}", 0, done},
    {"POST", "/api/v1/content/{id}/versions", BODY_MAX_BYTES, begin},
    {"POST", "/api/v1/content/{id}/rollback", BODY_MAX_BYTES, give_content},
    {"POST", "/api/v1/content/{id}/exports", BODY_MAX_BYTES, begin},
    {"GET", "/api/v1/operations/{id}", 0, give_operation},
    {"POST", "/api/v1/operations/{id}/cancellation", BODY_MAX_BYTES, give_operation},
    {"POST", "/api/v1/uploads", BODY_MAX_BYTES, begin_upload},
    {"PATCH", "/api/v1/uploads/{id}", UPLOAD_MAX_BYTES, take_part},
    {"HEAD", "/api/v1/uploads/{id}", 0, find_upload},
    {"GET", "/api/v1/exports/{id}", 0, give_export},
    {0},
};

static void *serve(void *arg)
{
    struct fake *fake = arg;

    (void)http_server_run(fake->server);
    return NULL;
}

static void set_env(const char *name, const char *value)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the test's only other thread is not there yet */
    assert_int_equal(setenv(name, value, 1), 0);
}

static int start(void **state)
{
    struct fake *fake = calloc(1, sizeof(*fake));
    char socket[TEXT_MAX_BYTES + 8];

    assert_non_null(fake);
    fake->operation_state = "succeeded";
    (void)snprintf(fake->folder, sizeof(fake->folder), "/tmp/test_content.XXXXXX");
    assert_non_null(mkdtemp(fake->folder));
    (void)snprintf(socket, sizeof(socket), "%s/sock", fake->folder);
    (void)snprintf(fake->url, sizeof(fake->url), "unix:%s", socket);
    (void)snprintf(fake->file, sizeof(fake->file), "%s/a.wim", fake->folder);
    set_env("SLIPWAY_URL", fake->url);
    set_env("SLIPWAY_TOKEN", "t");
    set_env("XDG_CACHE_HOME", fake->folder);
    set_env("XDG_CONFIG_HOME", fake->folder);
    const struct http_server_options options = {
        .socket_path = socket, .socket_mode = 0600, .routes = routes, .ctx = fake};

    assert_int_equal(http_server_new(&options, &fake->server), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
    *state = fake;
    return 0;
}

static int stop(void **state)
{
    struct fake *fake = *state;

    http_server_stop(fake->server);
    assert_int_equal(pthread_join(fake->thread, NULL), 0);
    http_server_free(fake->server);
    assert_int_equal(dir_remove(fake->folder), 0);
    free(fake);
    return 0;
}

/* argv has never been const, though nobody writes to it. */
static char *const *words_of(const char *const words[])
{
    union {
        const char *const *from;
        char *const *to;
    } view = {.from = words};

    return view.to;
}

/* Run the program; what it prints is of no interest. Return: its exit code. */
static enum args_exit run(const char *const words[])
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int out = dup(STDOUT_FILENO);
    int err = dup(STDERR_FILENO);
    enum args_exit r;
    int n = 0;

    while (words[n])
        n++;
    (void)fflush(stdout);
    assert_true(nowhere >= 0 && out >= 0 && err >= 0);
    assert_true(dup2(nowhere, STDOUT_FILENO) >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
    r = commands_main(n, words_of(words));
    (void)fflush(stdout);
    assert_true(dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0);
    (void)close(nowhere);
    (void)close(out);
    (void)close(err);
    return r;
}

#define RUN(...) run((const char *const[WORDS_MAX]){"slipway", __VA_ARGS__, NULL})

/* What was asked, one after the other; ends with NULL. */
static void assert_calls(struct fake *fake, const char *const *want)
{
    unsigned n = 0;

    for (; want[n]; n++) {
        assert_true(n < fake->n_calls);
        assert_string_equal(fake->calls[n], want[n]);
    }
    assert_int_equal(fake->n_calls, n);
}

#define ASSERT_CALLS(fake, ...) \
    assert_calls((fake), (const char *const[CALLS_MAX + 1]){__VA_ARGS__, NULL})

static void package_create_names_a_folder_of_the_server(void **state)
{
    struct fake *fake = *state;

    assert_int_equal(
        RUN("package", "create", "Tools", "--source", "/srv/tools", "--priority", "high"), 0);
    ASSERT_CALLS(
        fake,
        "POST /packages {\"name\":\"Tools\",\"priority\":\"high\",\"source_path\":\"/srv/tools\"}",
        "GET /operations/o1",
        "GET /packages/SLP00002");
}

static void a_source_is_absolute_and_one_is_enough(void **state)
{
    struct fake *fake = *state;

    assert_int_equal(RUN("package", "create", "Tools", "--source", "tools"), ARGS_EXIT_USAGE);
    assert_int_equal(RUN("os-image", "add", "--name", "N"), ARGS_EXIT_USAGE);
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", "N", "--source", "/a"),
                     ARGS_EXIT_USAGE);
    assert_int_equal(RUN("content", "set", "SLP00002"), ARGS_EXIT_USAGE);
    assert_int_equal(RUN("content", "set", "SLP00002", "--keep", "none"), ARGS_EXIT_USAGE);
    assert_int_equal(RUN("content", "rollback", "SLP00002", "first"), ARGS_EXIT_USAGE);
    for (unsigned i = 0; i < fake->n_calls; i++)
        assert_int_equal(strncmp(fake->calls[i], "GET ", 4), 0);
}

static void os_image_add_sends_the_file_first(void **state)
{
    struct fake *fake = *state;

    assert_int_equal(file_write(fake->file, bytes_of("MSWIM"), 0600), 0);
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", "Debian", "--version", "13"), 0);
    ASSERT_CALLS(fake,
                 "GET /os-images",
                 "POST /uploads {\"name\":\"a.wim\",\"size_bytes\":5}",
                 "PATCH /uploads/u1",
                 "POST /os-images {\"name\":\"Debian\",\"version\":\"13\",\"upload_id\":\"u1\"}",
                 "GET /operations/o1",
                 "GET /os-images/SLP00002");
}

static void os_image_add_sends_nothing_for_a_name_that_is_taken(void **state)
{
    struct fake *fake = *state;

    assert_int_equal(file_write(fake->file, bytes_of("MSWIM"), 0600), 0);
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", "Debian", "--version", "12"),
                     ARGS_EXIT_CONFLICT);
    ASSERT_CALLS(fake, "GET /os-images");
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", "DEBIAN", "--version", "12"),
                     ARGS_EXIT_CONFLICT);
}

/* Part @number of two. */
static void put_part(const char *path, char number)
{
    char header[PART_BYTES] = "MSWIM";

    header[40] = number;
    header[42] = 2;
    assert_int_equal(
        file_write(path, (struct bytes){(const uint8_t *)header, sizeof(header)}, 0600), 0);
}

static void all_parts_of_a_split_image_are_sent(void **state)
{
    static const char made[] = "POST /os-images {\"name\":\"N\",\"part_upload_ids\":[\"u1\"],"
                               "\"upload_id\":\"u1\"}";
    struct fake *fake = *state;
    char second[sizeof(fake->file) + 1];

    (void)snprintf(second, sizeof(second), "%s/a2.wim", fake->folder);
    put_part(fake->file, 1);
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", "N"), ARGS_EXIT_FAILURE);
    put_part(second, 2);
    assert_int_equal(RUN("os-image", "add", second, fake->file, "--name", "N"), 0);
    ASSERT_CALLS(fake,
                 "GET /os-images",
                 "GET /os-images",
                 "POST /uploads {\"name\":\"a.wim\",\"size_bytes\":48}",
                 "PATCH /uploads/u1",
                 "POST /uploads {\"name\":\"a2.wim\",\"size_bytes\":48}",
                 "PATCH /uploads/u1",
                 made,
                 "GET /operations/o1",
                 "GET /os-images/SLP00002");
}

static void what_was_sent_is_not_sent_again_until_it_is_used(void **state)
{
    struct fake *fake = *state;

    assert_int_equal(file_write(fake->file, bytes_of("MSWIM"), 0600), 0);
    fake->is_refusing = true;
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", "N"), ARGS_EXIT_CONFLICT);
    fake->is_refusing = false;
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", "N"), 0);
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", "N"), 0);
    ASSERT_CALLS(fake,
                 "GET /os-images",
                 "POST /uploads {\"name\":\"a.wim\",\"size_bytes\":5}",
                 "PATCH /uploads/u1",
                 "POST /os-images {\"name\":\"N\",\"upload_id\":\"u1\"}",
                 "GET /os-images",
                 "HEAD /uploads/u1",
                 "POST /os-images {\"name\":\"N\",\"upload_id\":\"u1\"}",
                 "GET /operations/o1",
                 "GET /os-images/SLP00002",
                 "GET /os-images",
                 "POST /uploads {\"name\":\"a.wim\",\"size_bytes\":5}",
                 "PATCH /uploads/u1",
                 "POST /os-images {\"name\":\"N\",\"upload_id\":\"u1\"}",
                 "GET /operations/o1",
                 "GET /os-images/SLP00002");
}

static void nothing_is_sent_for_a_name_that_cannot_be_one(void **state)
{
    struct fake *fake = *state;
    char name[102] = "";

    for (size_t i = 0; i < 100; i++)
        name[i] = i % 2 == 0 ? '\xc3' : '\xa4';
    put_part(fake->file, 1);
    assert_int_equal(file_write(fake->file, bytes_of("MSWIM"), 0600), 0);
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", name), 0);
    fake->n_calls = 0;
    name[100] = 'a';
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", name), ARGS_EXIT_USAGE);
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", ""), ARGS_EXIT_USAGE);
    assert_int_equal(RUN("os-image", "add", fake->file, "--name", "a\nb"), ARGS_EXIT_USAGE);
    assert_int_equal(fake->n_calls, 0);
}

static void update_is_asked_of_the_kind_that_the_noun_says(void **state)
{
    struct fake *fake = *state;

    assert_int_equal(RUN("package", "update", "Debian"), 0);
    ASSERT_CALLS(fake,
                 "GET /packages/Debian",
                 "POST /content/SLP00002/versions {}",
                 "GET /operations/o1",
                 "GET /packages/SLP00002");
}

static void an_operation_that_was_cancelled_is_a_failure(void **state)
{
    struct fake *fake = *state;

    fake->operation_state = "cancelled";
    assert_int_equal(RUN("os-image", "update", "SLP00002", "--source", "/srv/a.wim"),
                     ARGS_EXIT_FAILURE);
    ASSERT_CALLS(fake,
                 "GET /os-images/SLP00002",
                 "POST /content/SLP00002/versions {\"source_path\":\"/srv/a.wim\"}",
                 "GET /operations/o1");
}

static void delete_looks_at_the_kind_first(void **state)
{
    struct fake *fake = *state;

    assert_int_equal(RUN("os-image", "delete", "SLP00002"), 0);
    ASSERT_CALLS(
        fake, "GET /os-images/SLP00002", "GET /content/SLP00002", "DELETE /content/SLP00002");
}

static void rollback_and_set_change_what_is_given(void **state)
{
    struct fake *fake = *state;

    assert_int_equal(RUN("content", "rollback", "SLP00002", "1"), 0);
    assert_int_equal(RUN("content", "set", "SLP00002", "--keep", "3", "--comment", ""), 0);
    ASSERT_CALLS(fake,
                 "POST /content/SLP00002/rollback {\"version\":1}",
                 "GET /content/SLP00002",
                 "PATCH /content/SLP00002 {\"comment\":\"\",\"keep_versions\":3}",
                 "GET /content/SLP00002");
}

static void export_writes_the_file_that_the_site_made(void **state)
{
    struct fake *fake = *state;
    OWN(buf_fini) struct buf got = BUF_INIT(EXPORT_BYTES);

    for (size_t i = 0; i < EXPORT_BYTES; i++)
        fake->export[i] = (uint8_t)i;
    assert_int_equal(
        RUN("os-image", "export", "SLP00002", fake->file, "--index", "1", "--compress", "lzms"), 0);
    ASSERT_CALLS(
        fake,
        "GET /os-images/SLP00002",
        "POST /content/SLP00002/exports {\"compress\":\"lzms\",\"is_solid\":false,\"indexes\":[1]}",
        "GET /operations/o1",
        "GET /operations/o1",
        "GET /exports/e1");
    assert_int_equal(file_read(fake->file, &got), 0);
    assert_int_equal(got.len, EXPORT_BYTES);
    assert_memory_equal(got.ptr, fake->export, EXPORT_BYTES);
}

static void nothing_is_exported_to_where_no_file_can_be(void **state)
{
    struct fake *fake = *state;

    fake->n_calls = 0;
    assert_int_equal(RUN("os-image", "export", "SLP00002", "/nowhere/a.wim"), ARGS_EXIT_FAILURE);
    assert_int_equal(RUN("content", "prestage", "SLP00002", "/tmp"), ARGS_EXIT_FAILURE);
    assert_int_equal(fake->n_calls, 0);
}

#define WITH_SITE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SITE(package_create_names_a_folder_of_the_server),
        WITH_SITE(a_source_is_absolute_and_one_is_enough),
        WITH_SITE(os_image_add_sends_the_file_first),
        WITH_SITE(os_image_add_sends_nothing_for_a_name_that_is_taken),
        WITH_SITE(all_parts_of_a_split_image_are_sent),
        WITH_SITE(what_was_sent_is_not_sent_again_until_it_is_used),
        WITH_SITE(nothing_is_sent_for_a_name_that_cannot_be_one),
        WITH_SITE(update_is_asked_of_the_kind_that_the_noun_says),
        WITH_SITE(an_operation_that_was_cancelled_is_a_failure),
        WITH_SITE(delete_looks_at_the_kind_first),
        WITH_SITE(rollback_and_set_change_what_is_given),
        WITH_SITE(export_writes_the_file_that_the_site_made),
        WITH_SITE(nothing_is_exported_to_where_no_file_can_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What workers do with a store, run here as they are in their processes */

#include "server/dp/worker.h"

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
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "format/pack/pack.h"
#include "format/recipe/recipe.h"
#include "plat/file.h"
#include "plat/random.h"
#include "server/dp/extract.h"
#include "server/dp/prestage.h"
#include "store/intake.h"
#include "store/store.h"

enum {
    BIG_BYTES = 9 * 1024 * 1024, /* more than a pack */
    LINES_MAX_BYTES = 64 * 1024,
    ARCHIVE_MAX_BYTES = 16 * 1024 * 1024,
    TAR_BLOCK = 512,
};

/* A state folder with a tree of two files in its store, and another one without content. */
struct fixture {
    char root[64];
    char state[80];
    char other[80];
    uint8_t id[SHA256_BYTES];
    char name[SHA256_TEXT_MAX];
    uint8_t *big; /* owned */
    json_t *last; /* owned; last line of the last worker */
};

static void make_folders(const char *state)
{
    static const char *const names[] = {"dp/content", "dp/boot", "dp/staging", "dp/exports"};
    char path[160];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", state, names[i]);
        assert_int_equal(dir_make(path, 0755), 0);
    }
}

static struct store *open_store(const char *state)
{
    struct store *store;
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/dp/content", state);
    assert_int_equal(store_new(path, &store), 0);
    return store;
}

static void put_tree(struct fixture *f)
{
    static char big_name[] = "vmlinuz";
    static char folder_name[] = "sub";
    static char small_name[] = "sub/empty";
    const struct manifest_entry entries[] = {
        {MANIFEST_FOLDER, 0755, 0, 0, folder_name, NULL},
        {MANIFEST_REGULAR, 0644, 0, 0, small_name, NULL},
        {MANIFEST_REGULAR, 0644, BIG_BYTES, 0, big_name, NULL},
    };
    OWN(store_freep) struct store *store = open_store(f->state);
    OWN(intake_freep) struct intake *intake = NULL;

    random_bytes(f->big, BIG_BYTES);
    assert_int_equal(store_begin(store), 0);
    assert_int_equal(intake_new(store, MANIFEST_TREE, &intake), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(intake_entry(intake, &entries[i]), 0);
    assert_int_equal(intake_feed(intake, (struct bytes){f->big, BIG_BYTES}), 0);
    assert_int_equal(intake_end(intake, f->id), 0);
    hex_put(f->name, (struct bytes){f->id, SHA256_BYTES});
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    f->big = malloc(BIG_BYTES);
    (void)snprintf(f->root, sizeof(f->root), "/tmp/slipway-test-content-XXXXXX");
    if (!f->big || !mkdtemp(f->root))
        return -1;
    (void)snprintf(f->state, sizeof(f->state), "%s/a", f->root);
    (void)snprintf(f->other, sizeof(f->other), "%s/b", f->root);
    make_folders(f->state);
    make_folders(f->other);
    put_tree(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    int r = dir_remove(f->root);

    json_decref(f->last);
    free(f->big);
    free(f);
    return r;
}

/* Standard output goes to a file meanwhile. */
static int begin_listening(const struct fixture *f)
{
    char path[160];
    int kept = dup(STDOUT_FILENO);

    (void)fflush(stdout);
    (void)snprintf(path, sizeof(path), "%s/lines", f->root);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(kept >= 0 && fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
    (void)close(fd);
    return kept;
}

static void end_listening(struct fixture *f, int kept)
{
    OWN(buf_fini) struct buf lines = BUF_INIT(LINES_MAX_BYTES);
    char path[160];
    const char *last;

    (void)fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    (void)close(kept);
    (void)snprintf(path, sizeof(path), "%s/lines", f->root);
    assert_int_equal(file_read(path, &lines), 0);
    assert_true(lines.len > 0);
    lines.ptr[lines.len - 1] = '\0';
    last = strrchr(lines.ptr, '\n');
    json_decref(f->last);
    f->last = json_loads(last ? last + 1 : lines.ptr, 0, NULL);
}

/* @args: taken over. Return: the result; NULL if it failed. */
static json_t *run(struct fixture *f, const char *state, int (*what)(struct worker *), json_t *args)
{
    struct worker worker = {.state_folder = state, .args = args, .said = BUF_INIT(1024)};
    int kept = begin_listening(f);
    int r = what(&worker);

    end_listening(f, kept);
    buf_fini(&worker.said);
    json_decref(args);
    assert_int_equal(r, 0);
    return json_object_get(f->last, "result");
}

static json_t *args_of(const struct fixture *f, const char *arch)
{
    json_t *boot = arch ? json_pack("{s:s}", "arch", arch) : json_null();

    return json_pack("{s:s, s:i, s:[s], s:[s], s:o}",
                     "package_id",
                     "SLP00001",
                     "version",
                     1,
                     "manifests",
                     f->name,
                     "sources",
                     "http://192.0.2.1",
                     "boot",
                     boot);
}

static const char *error_of(const struct fixture *f)
{
    const char *id = json_string_value(json_object_get(f->last, "error_id"));

    return id ? id : "";
}

/* The file of the first pack of the tree. */
static void find_pack(const struct fixture *f, const char *state, char dst[STORE_PATH_MAX])
{
    OWN(store_freep) struct store *store = open_store(state);
    OWN(manifest_fini) struct manifest manifest = {.n_packs = 0};

    assert_int_equal(store_get_manifest(store, f->id, &manifest), 0);
    assert_true(manifest.n_packs > 1);
    store_pack_path(store, manifest.packs[0].sha256, dst);
}

static void damage(const char *path, off_t at)
{
    OWN(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;

    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x55;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void validate_finds_nothing_where_nothing_is_wrong(void **state)
{
    struct fixture *f = *state;
    json_t *result = run(f, f->state, worker_validate, args_of(f, NULL));

    assert_int_equal(json_array_size(json_object_get(result, "bad")), 0);
    assert_true(json_integer_value(json_object_get(result, "checked_bytes")) > BIG_BYTES);
}

static void validate_names_a_bad_pack_and_sets_it_aside(void **state)
{
    struct fixture *f = *state;
    char path[STORE_PATH_MAX];
    json_t *result;

    find_pack(f, f->state, path);
    assert_int_equal(chmod(path, 0644), 0);
    damage(path, 1000);
    result = run(f, f->state, worker_validate, args_of(f, NULL));
    assert_int_equal(json_array_size(json_object_get(result, "bad")), 1);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(result, "bad"), 0), "pack")),
                        strrchr(path, '/') + 1);
    assert_false(file_exists(path));
}

static void validate_names_a_manifest_that_is_missing(void **state)
{
    struct fixture *f = *state;
    json_t *result = run(f, f->other, worker_validate, args_of(f, NULL));
    const json_t *bad = json_array_get(json_object_get(result, "bad"), 0);

    assert_string_equal(json_string_value(json_object_get(bad, "manifest")), f->name);
    assert_true(json_is_null(json_object_get(bad, "pack")));
}

static void replicate_of_what_is_here_fetches_nothing_and_lays_out_boot_files(void **state)
{
    struct fixture *f = *state;
    json_t *result = run(f, f->state, worker_replicate, args_of(f, "x64"));
    OWN(buf_fini) struct buf got = BUF_INIT(BIG_BYTES);
    char path[160];
    struct stat st;

    assert_int_equal(json_integer_value(json_object_get(result, "fetched_bytes")), 0);
    assert_true(json_integer_value(json_object_get(result, "present_bytes")) > BIG_BYTES);
    (void)snprintf(path, sizeof(path), "%s/dp/boot/SLP00001/x64/vmlinuz", f->state);
    assert_int_equal(file_read(path, &got), 0);
    assert_int_equal(got.len, BIG_BYTES);
    assert_memory_equal(got.ptr, f->big, BIG_BYTES);
    (void)snprintf(path, sizeof(path), "%s/dp/boot/SLP00001/x64/sub/empty", f->state);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 0);
}

static void remove_takes_the_boot_files_with_it_where_it_is_told_to(void **state)
{
    struct fixture *f = *state;
    char path[160];

    assert_non_null(run(f, f->state, worker_replicate, args_of(f, "x64")));
    assert_non_null(run(f, f->state, worker_remove, args_of(f, NULL)));
    (void)snprintf(path, sizeof(path), "%s/dp/boot/SLP00001/x64/vmlinuz", f->state);
    assert_true(file_exists(path));
    assert_non_null(run(f, f->state, worker_remove, args_of(f, "x64")));
    (void)snprintf(path, sizeof(path), "%s/dp/boot/SLP00001", f->state);
    assert_false(file_exists(path));
    assert_non_null(run(f, f->state, worker_remove, args_of(f, "x64"))); /* again does no harm */
}

static void collect_removes_what_was_removed_before(void **state)
{
    struct fixture *f = *state;
    char path[STORE_PATH_MAX];
    json_t *result;

    find_pack(f, f->state, path);
    result = run(f, f->state, worker_collect, json_pack("{s:i}", "grace_s", 0));
    assert_int_equal(json_integer_value(json_object_get(result, "removed_packs")), 0);
    assert_non_null(run(f, f->state, worker_remove, args_of(f, NULL)));
    result = run(f, f->state, worker_collect, json_pack("{s:i}", "grace_s", 0));
    assert_true(json_integer_value(json_object_get(result, "removed_packs")) > 1);
    assert_false(file_exists(path));
}

static void collect_drops_the_manifests_that_it_is_told(void **state)
{
    struct fixture *f = *state;
    char path[STORE_PATH_MAX];
    json_t *args = args_of(f, NULL);

    find_pack(f, f->state, path);
    assert_int_equal(json_object_set_new(args, "grace_s", json_integer(86400)), 0);
    (void)json_incref(args);
    assert_int_equal(json_integer_value(json_object_get(run(f, f->state, worker_collect, args),
                                                        "removed_manifests")),
                     0); /* they are too young */
    assert_int_equal(json_object_set_new(args, "grace_s", json_integer(0)), 0);
    assert_true(json_integer_value(json_object_get(run(f, f->state, worker_collect, args),
                                                   "removed_manifests")) > 0);
    assert_false(file_exists(path));
}

static void collect_beside_somebody_who_adds_says_so(void **state)
{
    struct fixture *f = *state;
    OWN(store_freep) struct store *store = open_store(f->state);

    assert_int_equal(store_begin(store), 0);
    assert_null(run(f, f->state, worker_collect, json_pack("{s:i}", "grace_s", 0)));
    assert_string_equal(error_of(f), "SLW-0361");
}

static void jobs_with_odd_arguments_fail_and_touch_nothing(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "{}",
        "{\"package_id\": \"SLP00001\", \"manifests\": [\"12\"]}",
        "{\"package_id\": \"../x\", \"manifests\": []}",
        "{\"package_id\": \"SLP00001\", \"manifests\": [], \"boot\": {\"arch\": \"..\"}}",
        "{\"package_id\": \"SLP00001\", \"manifests\": [], \"boot\": {}}",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(run(f, f->state, worker_remove, json_loads(bad[i], 0, NULL)));
        assert_string_equal(error_of(f), "SLW-0316");
        assert_null(run(f, f->state, worker_validate, json_loads(bad[i], 0, NULL)));
        assert_null(run(f, f->state, worker_replicate, json_loads(bad[i], 0, NULL)));
    }
}

/* A file of prestaged content, made of the fixture's tree. */
/* What is in the store of @f as a recipe, with @info, and one row more that is not in it if @is_bad. */
static void put_recipe(const struct fixture *f, const char *info, bool is_bad, char dst[160])
{
    OWN(store_freep) struct store *store = open_store(f->state);
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(buf_fini) struct buf file = BUF_INIT(LINES_MAX_BYTES);
    OWN(buf_fini) struct buf plain = BUF_INIT(PACK_MAX_BYTES);
    OWN(pack_fini) struct pack pack = {0};
    uint8_t room[RECIPE_ROW_BYTES];
    struct sink head = {.ptr = room, .cap = sizeof(room)};
    struct recipe_head numbers = {.info_bytes = (uint32_t)strlen(info)};

    assert_int_equal(store_get_manifest(store, f->id, &manifest), 0);
    assert_int_equal(store_get_pack(store, &manifest.packs[0], &plain), 0);
    assert_int_equal(pack_parse(buf_bytes(&plain), &pack), 0);
    numbers.n_chunks = (uint32_t)pack.n_chunks + (is_bad ? 1 : 0);
    recipe_put_head(&head, &numbers);
    buf_add(&file, (struct bytes){room, head.len});
    buf_adds(&file, info);
    for (size_t i = 0; i < numbers.n_chunks; i++) {
        struct sink row = {.ptr = room, .cap = sizeof(room)};
        struct recipe_chunk chunk = {.size_bytes = 7};

        if (i < pack.n_chunks) {
            memcpy(chunk.sha256, pack.chunks[i].sha256, SHA256_BYTES);
            chunk.size_bytes = pack.chunks[i].size_bytes;
        }
        recipe_put_chunk(&row, &chunk);
        buf_add(&file, (struct bytes){room, row.len});
    }
    assert_false(file.failed);
    (void)snprintf(dst, 160, "%s/capture.recipe", f->root);
    assert_int_equal(file_write(dst, buf_bytes(&file), 0644), 0);
}

static const char info_good[] =
    "{\"name\":\"N\",\"description\":\"\",\"arch\":\"\",\"languages\":\"\",\"default_language\":\"\","
    "\"build\":\"\",\"edition\":\"\",\"file_count\":3,\"new_bytes\":42,\"has_unix_data\":true,"
    "\"is_windows\":false}";

static void a_recipe_of_what_is_there_becomes_a_manifest(void **state)
{
    struct fixture *f = *state;
    OWN(store_freep) struct store *store = open_store(f->state);
    OWN(manifest_fini) struct manifest manifest = {0};
    char path[160];
    uint8_t id[SHA256_BYTES];
    const json_t *index;
    const json_t *result;

    put_recipe(f, info_good, false, path);
    result = run(f, f->state, worker_import_os_image, json_pack("{s:s}", "source_path", path));
    assert_non_null(result);
    assert_int_equal(json_integer_value(json_object_get(result, "new_bytes")), 42);
    index = json_array_get(json_object_get(result, "indexes"), 0);
    assert_string_equal(json_string_value(json_object_get(index, "name")), "N");
    assert_int_equal(json_integer_value(json_object_get(index, "index")), 1);
    assert_true(hex_parse(
        bytes_of(json_string_value(json_object_get(index, "manifest"))), SHA256_BYTES, id));
    assert_int_equal(store_get_manifest(store, id, &manifest), 0);
    assert_int_equal(manifest.kind, MANIFEST_OS_IMAGE_INDEX);
    assert_int_equal(manifest.size_bytes, json_integer_value(json_object_get(index, "size_bytes")));
    assert_int_equal(manifest.n_packs, 1);
    assert_int_equal(manifest.n_runs, 1);
}

static void a_recipe_with_a_chunk_that_is_missing_adds_nothing(void **state)
{
    struct fixture *f = *state;
    char path[160];

    put_recipe(f, info_good, true, path);
    assert_null(run(f, f->state, worker_import_os_image, json_pack("{s:s}", "source_path", path)));
    assert_string_equal(error_of(f), "SLW-0363");
}

static void recipes_behind_one_another_are_indexes_of_one_image(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    char path[160];
    const json_t *result;

    put_recipe(f, info_good, false, path);
    assert_int_equal(file_read(path, &text), 0);
    assert_int_equal(file_read(path, &text), 0);
    assert_int_equal(file_write(path, buf_bytes(&text), 0600), 0);
    result = run(f, f->state, worker_import_os_image, json_pack("{s:s}", "source_path", path));
    assert_int_equal(json_array_size(json_object_get(result, "indexes")), 2);
    assert_int_equal(json_integer_value(json_object_get(result, "new_bytes")), 84);
}

static void a_recipe_that_is_not_whole_or_says_too_little_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[160];

    put_recipe(f, info_good, false, path);
    assert_int_equal(truncate(path, 300), 0);
    assert_null(run(f, f->state, worker_import_os_image, json_pack("{s:s}", "source_path", path)));
    assert_string_equal(error_of(f), "SLW-0364");
    put_recipe(f, "{\"name\":\"N\"}", false, path);
    assert_null(run(f, f->state, worker_import_os_image, json_pack("{s:s}", "source_path", path)));
    assert_string_equal(error_of(f), "SLW-0364");
}

static void put_prestaged(struct fixture *f, char dst[160])
{
    json_t *args = json_pack("{s:[{s:s, s:i, s:[s, s]}]}",
                             "packages",
                             "package_id",
                             "SLP00001",
                             "version",
                             1,
                             "manifests",
                             f->name,
                             f->name); /* twice: once is enough */
    const json_t *result = run(f, f->state, worker_prestage_export, args);
    const char *id = json_string_value(json_object_get(result, "export_id"));
    struct stat st;

    assert_non_null(id);
    (void)snprintf(dst, 160, "%s/dp/exports/%s", f->state, id);
    assert_int_equal(stat(dst, &st), 0);
    assert_int_equal(st.st_size, json_integer_value(json_object_get(result, "size_bytes")));
    assert_true(st.st_size < BIG_BYTES + 100 * 1024);
}

static int extract_it(struct fixture *f, const char *path)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    int kept = begin_listening(f);
    int r = extract(f->other, fd, path);

    end_listening(f, kept);
    return r;
}

static void extract_gives_what_prestage_took_and_skips_what_is_there(void **state)
{
    struct fixture *f = *state;
    char path[160];

    put_prestaged(f, path);
    assert_int_equal(extract_it(f, path), 0);
    assert_int_equal(json_array_size(json_object_get(
                         run(f, f->other, worker_validate, args_of(f, NULL)), "bad")),
                     0);
    assert_int_equal(extract_it(f, path), 0);
}

static void extract_of_a_file_that_is_cut_anywhere_is_told_and_never_half_a_content(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf all = BUF_INIT(ARCHIVE_MAX_BYTES);
    char path[160];

    put_prestaged(f, path);
    assert_int_equal(file_read(path, &all), 0);
    for (size_t len = 0; len < all.len - (size_t)4 * TAR_BLOCK; len += 700 * 1024 + 1) {
        assert_int_equal(file_write(path, (struct bytes){(const uint8_t *)all.ptr, len}, 0600), 0);
        assert_int_equal(extract_it(f, path), 1);

        OWN(store_freep) struct store *store = open_store(f->other);
        OWN(manifest_fini) struct manifest manifest = {.n_packs = 0};

        assert_int_equal(store_get_manifest(store, f->id, &manifest), STORE_E_MISSING);
    }
}

static void extract_leaves_out_a_damaged_pack_and_what_needs_it_and_keeps_the_rest(void **state)
{
    struct fixture *f = *state;
    OWN(store_freep) struct store *store = open_store(f->other);
    OWN(store_freep) struct store *source = open_store(f->state);
    OWN(manifest_fini) struct manifest manifest = {.n_packs = 0};
    char path[160];

    put_prestaged(f, path);
    assert_int_equal(store_get_manifest(source, f->id, &manifest), 0);
    damage(path, (off_t)4 * TAR_BLOCK + 1000); /* of the first pack */
    assert_int_equal(extract_it(f, path), 1);
    assert_false(store_has_pack(store, &manifest.packs[0]));
    assert_true(store_has_pack(store, &manifest.packs[1]));
}

static void extract_refuses_what_is_no_prestaged_content(void **state)
{
    struct fixture *f = *state;
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/file", f->root);
    assert_int_equal(file_write(path, bytes_of("anything at all"), 0600), 0);
    assert_int_equal(extract_it(f, path), 1);
}

static void names_of_members_are_read_as_they_are_written_and_no_other(void **state)
{
    (void)state;
    uint8_t sha256[SHA256_BYTES];
    uint8_t got[SHA256_BYTES];
    char name[PRESTAGE_NAME_MAX];
    static const char *const odd[] = {"", "packs/", "../x", "packs/00/0", "/etc/passwd"};

    for (unsigned i = 0; i < SHA256_BYTES; i++)
        sha256[i] = (uint8_t)(0xa0 + i);
    prestage_name_put(PRESTAGE_PACK, sha256, name);
    assert_int_equal(prestage_name_read(name, got), PRESTAGE_PACK);
    assert_memory_equal(got, sha256, sizeof(got));
    name[6] = 'b'; /* in another pack's folder */
    assert_int_equal(prestage_name_read(name, got), PRESTAGE_OTHER);
    prestage_name_put(PRESTAGE_MANIFEST, sha256, name);
    assert_int_equal(prestage_name_read(name, got), PRESTAGE_MANIFEST);
    assert_int_equal(prestage_name_read(PRESTAGE_HEAD_NAME, got), PRESTAGE_HEAD);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        assert_int_equal(prestage_name_read(odd[i], got), PRESTAGE_OTHER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(validate_finds_nothing_where_nothing_is_wrong),
        TEST(validate_names_a_bad_pack_and_sets_it_aside),
        TEST(validate_names_a_manifest_that_is_missing),
        TEST(replicate_of_what_is_here_fetches_nothing_and_lays_out_boot_files),
        TEST(remove_takes_the_boot_files_with_it_where_it_is_told_to),
        TEST(collect_removes_what_was_removed_before),
        TEST(collect_drops_the_manifests_that_it_is_told),
        TEST(collect_beside_somebody_who_adds_says_so),
        TEST(jobs_with_odd_arguments_fail_and_touch_nothing),
        TEST(extract_gives_what_prestage_took_and_skips_what_is_there),
        TEST(extract_of_a_file_that_is_cut_anywhere_is_told_and_never_half_a_content),
        TEST(extract_leaves_out_a_damaged_pack_and_what_needs_it_and_keeps_the_rest),
        TEST(extract_refuses_what_is_no_prestaged_content),
        TEST(a_recipe_of_what_is_there_becomes_a_manifest),
        TEST(a_recipe_with_a_chunk_that_is_missing_adds_nothing),
        TEST(recipes_behind_one_another_are_indexes_of_one_image),
        TEST(a_recipe_that_is_not_whole_or_says_too_little_is_refused),
        cmocka_unit_test(names_of_members_are_read_as_they_are_written_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/export_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

enum {
    FOLDER_MAX_BYTES = 64,
    PATH_MAX_BYTES = 256,
    TEXT_MAX_BYTES = 4096,
};

#define DEPLOYMENT \
    "{\"kind\": \"Deployment\", \"task_sequence\": \"Install\", \"collection\": \"Lab 1\"}"
#define COLLECTION "{\"kind\": \"Collection\", \"name\": \"Lab 1\"}"

static char folder[FOLDER_MAX_BYTES];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/test_export_folder.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static bool is_there(const char *name)
{
    char path[PATH_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return file_exists(path);
}

static void put(const char *name, const char *text)
{
    char path[PATH_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(file_write(path, bytes_of(text), 0644), 0);
}

/* Export these documents; @exit_code: what the program would end with. */
static void export(const char *json, enum args_exit exit_code)
{
    OWN(session_fini) struct session s;
    OWN(session_json_freep) json_t *documents = json_loads(json, 0, NULL);

    session_init(&s, ARGS_FORMAT_TABLE);
    assert_non_null(documents);
    assert_int_equal(export_folder_write(&s, folder, documents), exit_code == ARGS_EXIT_OK);
    assert_int_equal(s.exit_code, exit_code);
}

static void what_the_site_has_no_more_is_gone_from_the_folder(void **state)
{
    (void)state;
    export("[" COLLECTION ", " DEPLOYMENT ", " DEPLOYMENT "]", ARGS_EXIT_OK);
    assert_true(is_there("Collection/Lab-1.yaml"));
    assert_true(is_there("Deployment/Install-Lab-1.yaml"));
    assert_true(is_there("Deployment/Install-Lab-1~1.yaml"));
    put("README.md", "ours");
    export("[" COLLECTION "]", ARGS_EXIT_OK);
    assert_true(is_there("Collection/Lab-1.yaml"));
    assert_false(is_there("Deployment/Install-Lab-1.yaml"));
    assert_false(is_there("Deployment/Install-Lab-1~1.yaml"));
    assert_true(is_there("README.md"));
}

static void a_folder_with_other_documents_is_refused_and_stays_as_it_is(void **state)
{
    (void)state;
    export("[" COLLECTION ", " DEPLOYMENT "]", ARGS_EXIT_OK);
    put("Deployment/by-hand.yml", "kind: Deployment\n");
    put("Collection/Lab-1.yaml", "as it was");
    export("[" COLLECTION "]", ARGS_EXIT_CONFLICT);
    assert_true(is_there("Deployment/by-hand.yml"));
    assert_true(is_there("Deployment/Install-Lab-1.yaml"));
    {
        char path[PATH_MAX_BYTES];
        OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

        (void)snprintf(path, sizeof(path), "%s/Collection/Lab-1.yaml", folder);
        assert_int_equal(file_read(path, &text), 0);
        assert_string_equal(buf_str(&text), "as it was");
    }
}

static void an_export_of_which_there_is_no_list_is_no_former_one(void **state)
{
    (void)state;
    export("[" COLLECTION ", " DEPLOYMENT "]", ARGS_EXIT_OK);
    {
        char path[PATH_MAX_BYTES];

        (void)snprintf(path, sizeof(path), "%s/" EXPORT_FOLDER_LIST, folder);
        assert_int_equal(unlink(path), 0);
    }
    export("[" COLLECTION "]", ARGS_EXIT_CONFLICT);
    assert_true(is_there("Deployment/Install-Lab-1.yaml"));
    export("[" COLLECTION ", " DEPLOYMENT "]", ARGS_EXIT_OK);
}

static void an_export_that_was_ended_is_finished_by_the_next(void **state)
{
    (void)state;
    export("[" COLLECTION ", " DEPLOYMENT "]", ARGS_EXIT_OK);
    /* as it is between the list and the files: this one was not written, the other not yet removed */
    put(EXPORT_FOLDER_LIST,
        "{\"files\": [\"Collection/Lab-1.yaml\", \"Collection/New.yaml\", "
        "\"Deployment/Install-Lab-1.yaml\"]}");
    export("[" COLLECTION "]", ARGS_EXIT_OK);
    assert_false(is_there("Deployment/Install-Lab-1.yaml"));
}

static void a_list_that_names_other_files_is_refused(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "{\"files\": [\"../x.yaml\"]}",
        "{\"files\": [\"Deployment/../../x.yaml\"]}",
        "{\"files\": [\"Deployment/...yaml\", \"README.md\"]}",
        "{\"files\": [\"docs/x.yaml\"]}",
        "{\"files\": [1]}",
        "{}",
        "",
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        put(EXPORT_FOLDER_LIST, lists[i]);
        export("[" COLLECTION "]", ARGS_EXIT_CONFLICT);
        assert_false(is_there("Collection"));
    }
}

static void what_is_behind_a_link_is_not_removed(void **state)
{
    (void)state;
    char target[PATH_MAX_BYTES];
    char link[PATH_MAX_BYTES];

    (void)snprintf(target, sizeof(target), "%s/.elsewhere", folder);
    (void)snprintf(link, sizeof(link), "%s/Deployment", folder);
    assert_int_equal(dir_make(target, 0755), 0);
    assert_int_equal(symlink(target, link), 0);
    put(".elsewhere/x.yaml", "ours");
    put(EXPORT_FOLDER_LIST, "{\"files\": [\"Deployment/x.yaml\"]}");
    export("[" COLLECTION "]", ARGS_EXIT_OK);
    assert_true(is_there(".elsewhere/x.yaml"));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_the_site_has_no_more_is_gone_from_the_folder),
        IN_FOLDER(a_folder_with_other_documents_is_refused_and_stays_as_it_is),
        IN_FOLDER(an_export_of_which_there_is_no_list_is_no_former_one),
        IN_FOLDER(an_export_that_was_ended_is_finished_by_the_next),
        IN_FOLDER(a_list_that_names_other_files_is_refused),
        IN_FOLDER(what_is_behind_a_link_is_not_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

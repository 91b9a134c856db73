/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "plat/file.h"

static char folder[32];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/test_state_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void lock_is_held_by_one(void **state)
{
    (void)state;
    OWN(fd_closep) int first = -1;
    OWN(fd_closep) int second = -1;
    pid_t owner = 0;

    assert_int_equal(state_lock(folder, &first, &owner), 0);
    assert_int_equal(state_lock(folder, &second, &owner), STATE_E_LOCKED);
    assert_int_equal(owner, getpid());
    fd_closep(&first);
    assert_int_equal(state_lock(folder, &second, &owner), 0);
}

/* Everything belongs to the caller, as without root. */
static struct users caller(void)
{
    struct users users = {.roles_gid = getgid()};

    for (unsigned i = 0; i < N_CHILDREN; i++) {
        users.uids[i] = getuid();
        users.gids[i] = getgid();
    }
    return users;
}

static unsigned mode_of(const char *name)
{
    char path[64];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & (S_IFMT | 07777);
}

static void make_lays_out_the_folders_twice_alike(void **state)
{
    (void)state;
    struct users users = caller();
    const char *failed;

    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(state_make(folder, &users, false, &failed), 0);
        assert_int_equal(mode_of("site"), S_IFDIR | 0700);
        assert_int_equal(mode_of("keys"), S_IFDIR | 0755);
        assert_int_equal(mode_of("dp/staging"), S_IFDIR | 0700);
        assert_int_equal(mode_of("run/roles"), S_IFDIR | 02750);
        assert_int_equal(mode_of("run/api.sock") & S_IFMT, S_IFLNK);
    }
}

static void make_gives_the_roles_a_socket_of_nginx_where_there_is_no_site(void **state)
{
    (void)state;
    struct users users = caller();
    const char *failed;

    assert_int_equal(state_make(folder, &users, true, &failed), 0);
    assert_int_equal(mode_of("run/roles"), S_IFDIR | 02750);
    if (geteuid() == 0) {
        struct stat st;
        char path[64];

        users.uids[CHILD_HTTP] = 61704;
        (void)snprintf(path, sizeof(path), "%s/run/roles", folder);
        assert_int_equal(state_make(folder, &users, true, &failed), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_uid, 61704);
    }
}

/* It would say that the API can be called before it can. */
static void make_removes_the_socket_of_a_server_that_was_killed(void **state)
{
    (void)state;
    struct users users = caller();
    const char *failed;
    char left[64];

    (void)snprintf(left, sizeof(left), "%s/run/api/api.sock", folder);
    assert_int_equal(state_make(folder, &users, false, &failed), 0);
    assert_int_equal(file_write(left, bytes_of("x"), 0600), 0);
    assert_int_equal(state_make(folder, &users, false, &failed), 0);
    assert_false(file_exists(left));
}

static void make_gives_away_nothing_behind_a_symbolic_link(void **state)
{
    (void)state;
    struct users users = caller();
    const char *failed;
    char boot[64];
    char away[64];

    (void)snprintf(boot, sizeof(boot), "%s/dp/boot", folder);
    (void)snprintf(away, sizeof(away), "%s/away", folder);
    assert_int_equal(state_make(folder, &users, false, &failed), 0);
    assert_int_equal(rmdir(boot), 0);
    assert_int_equal(dir_make(away, 0711), 0);
    assert_int_equal(symlink(away, boot), 0);
    assert_true(state_make(folder, &users, false, &failed) < 0);
    assert_string_equal(failed, "boot");
    assert_int_equal(mode_of("away"), S_IFDIR | 0711);
    assert_int_equal(unlink(boot), 0);
}

static void users_go_to_a_role_and_come_back(void **state)
{
    (void)state;
    const struct users users = {.uids = {0, 61702, UINT32_MAX, 4, 5}};
    static const char *const bad[] = {"",
                                      "1",
                                      "1,2,3,4",
                                      "1,2,3,4,",
                                      "1,2,3,4,5,6",
                                      "1,,3,4,5",
                                      "1,2,3,4,4294967296",
                                      "1,2,3,4,-1",
                                      "a,2,3,4,5"};
    OWN(buf_fini) struct buf text = BUF_INIT(64);
    uint32_t got[N_CHILDREN];

    users_put(&users, &text);
    assert_string_equal(buf_str(&text), "0,61702,4294967295,4,5");
    assert_true(users_parse(buf_bytes(&text), got));
    assert_memory_equal(got, users.uids, sizeof(got));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(users_parse(bytes_of(bad[i]), got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock_is_held_by_one),
        cmocka_unit_test(make_lays_out_the_folders_twice_alike),
        cmocka_unit_test(make_gives_the_roles_a_socket_of_nginx_where_there_is_no_site),
        cmocka_unit_test(make_removes_the_socket_of_a_server_that_was_killed),
        cmocka_unit_test(make_gives_away_nothing_behind_a_symbolic_link),
        cmocka_unit_test(users_go_to_a_role_and_come_back),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/network_folder.h"

#include <netinet/in.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/steps/join.h"
#include "agent/steps/network_reach.h"
#include "agent/steps/test_bench.h"
#include "base/own.h"
#include "ts/network_folder.h"

static void a_drive_is_a_folder_below_run_and_a_path_is_itself(void **state)
{
    (void)state;
    static const struct ts_network_folder f = {.host = "server", .share = "/export/x"};
    static const struct {
        const char *drive;
        const char *target; /* NULL: refused */
    } cases[] = {
        {"Z:", NETWORK_FOLDER_ROOT "/Z"},
        {"d", NETWORK_FOLDER_ROOT "/D"},
        {"", NETWORK_FOLDER_ROOT "/server-export-x"},
        {"/mnt/data", "/mnt/data"},
        {"X:", NULL},
        {"x", NULL},
        {"ZZ", NULL},
        {"Z:\\x", NULL},
        {"1:", NULL},
        {"/", NULL},
        {"/mnt/../etc", NULL},
        {"C:", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf target = BUF_INIT(4096);

        assert_int_equal(network_folder_target(&f, cases[i].drive, &target),
                         cases[i].target != NULL);
        if (cases[i].target)
            assert_string_equal(buf_str(&target), cases[i].target);
    }
}

static void the_step_tells_what_is_wrong_and_not_the_password(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new(
        "ConnectNetworkFolderAction",
        "",
        STEP_VARIABLE("SMSConnectNetworkFolderPath", "\\\\no-such-host.invalid\\share")
            STEP_VARIABLE("SMSConnectNetworkFolderAccount", "LAB\\eva")
                STEP_VARIABLE("SMSConnectNetworkFolderPassword", "hidden-1"));
    OWN(step_bench_freep)
    struct step_bench *odd = step_bench_new(
        "ConnectNetworkFolderAction", "", STEP_VARIABLE("SMSConnectNetworkFolderPath", "here"));

    assert_string_equal(step_bench_run(b), "SLW-0448");
    assert_non_null(strstr(b->result.message, "no-such-host.invalid"));
    assert_null(strstr(b->result.message, "hidden-1"));
    assert_null(strstr(buf_str(&b->log), "hidden-1"));
    assert_string_equal(step_bench_run(odd), "SLW-0448");
}

/* On a port of its own, with room for @n connections that nobody takes. @ret: where it listens. */
static int listen_on_loopback(int n, struct sockaddr_in *ret, struct ts_network_folder *ret_folder)
{
    socklen_t len = sizeof(*ret);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(bind(fd, (const struct sockaddr *)ret, sizeof(*ret)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &len), 0);
    assert_int_equal(listen(fd, n), 0);
    *ret_folder = (struct ts_network_folder){.kind = TS_NETWORK_NFS, .host = "127.0.0.1"};
    (void)snprintf(ret_folder->port, sizeof(ret_folder->port), "%u", ntohs(ret->sin_port));
    return fd;
}

static void a_server_that_answers_or_refuses_is_there(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new("ConnectNetworkFolderAction", "", "");
    OWN(buf_fini) struct buf why = BUF_INIT(512);
    struct ts_network_folder folder;
    struct sockaddr_in address;
    int fd = listen_on_loopback(8, &address, &folder);

    assert_int_equal(network_folder_reach(&b->c, &folder, &why), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(network_folder_reach(&b->c, &folder, &why), 0);
    (void)snprintf(folder.host, sizeof(folder.host), "no-such-host.invalid");
    assert_int_equal(network_folder_reach(&b->c, &folder, &why), NETWORK_FOLDER_E_NAME);
    assert_non_null(strstr(buf_str(&why), "no-such-host.invalid"));
}

/* Its queue is full: it neither answers nor refuses. */
static void who_waits_for_a_server_that_does_not_answer_is_cancelled_at_once(void **state)
{
    (void)state;
    OWN(step_bench_freep) struct step_bench *b = NULL;
    char variable[256];
    struct ts_network_folder folder;
    struct sockaddr_in address;
    int fd = listen_on_loopback(0, &address, &folder);
    int fillers[4];

    for (size_t i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (const struct sockaddr *)&address, sizeof(address));
    }
    (void)snprintf(variable,
                   sizeof(variable),
                   STEP_VARIABLE("SMSConnectNetworkFolderPath", "nfs://127.0.0.1:%s/export"),
                   folder.port);
    b = step_bench_new("ConnectNetworkFolderAction", "", variable);
    b->is_cancelled = true;
    assert_string_equal(step_bench_run(b), "SLW-0406");
    for (size_t i = 0; i < 4; i++)
        (void)close(fillers[i]);
    assert_int_equal(close(fd), 0);
}

static void a_workgroup_is_set_in_the_global_section_and_nowhere_else(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {
        {"", "[global]\n   workgroup = LABS\n"},
        {"[global]\n  Work Group = OLD\n  server role = x\n[share]\nworkgroup = y\n",
         "[global]\n   workgroup = LABS\n  server role = x\n[share]\nworkgroup = y\n"},
        {"# first\n[share]\npath = /x\n",
         "# first\n[share]\npath = /x\n[global]\n   workgroup = LABS\n"},
        {"[GLOBAL]\nworkgroupx = 1", "[GLOBAL]\n   workgroup = LABS\nworkgroupx = 1\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf config = BUF_INIT(4096);

        join_set_workgroup(cases[i].before, "LABS", &config);
        assert_string_equal(buf_str(&config), cases[i].after);
    }
}

static void joining_needs_names_an_account_and_a_program(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        STEP_VARIABLE("OSDJoinType", "2"),
        STEP_VARIABLE("OSDJoinType", "1") STEP_VARIABLE("OSDJoinWorkgroupName", "a b"),
        STEP_VARIABLE("OSDJoinType", "0") STEP_VARIABLE("OSDJoinDomainName", "--help"),
        STEP_VARIABLE("OSDJoinType", "0") STEP_VARIABLE("OSDJoinDomainName", "example.org"),
        STEP_VARIABLE("OSDJoinType", "0") STEP_VARIABLE("OSDJoinDomainName", "example.org")
            STEP_VARIABLE("OSDJoinAccount", "EXAMPLE\\joiner"),
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        OWN(step_bench_freep)
        struct step_bench *b = step_bench_new("JoinDomainWorkgroupAction", "", wrong[i]);

        assert_string_equal(step_bench_run(b), "SLW-0449");
        assert_int_equal(b->result.then, STEP_THEN_GO_ON);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drive_is_a_folder_below_run_and_a_path_is_itself),
        cmocka_unit_test(the_step_tells_what_is_wrong_and_not_the_password),
        cmocka_unit_test(a_server_that_answers_or_refuses_is_there),
        cmocka_unit_test(who_waits_for_a_server_that_does_not_answer_is_cancelled_at_once),
        cmocka_unit_test(a_workgroup_is_set_in_the_global_section_and_nowhere_else),
        cmocka_unit_test(joining_needs_names_an_account_and_a_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

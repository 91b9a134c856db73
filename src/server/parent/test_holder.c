/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/holder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "plat/file.h"

static const char table[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:0050 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 111 1\n"
    "   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1\n"
    "   2: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1\n"
    "   3: 00000000000000000000000000000000:0045 00000000000000000000000000000000:0000 07 "
    "00000000:00000000 00:00000000 00000000     0        0 333 2 0000000000000000 0\n";

static void find_inode_reads_the_kernels_table(void **state)
{
    (void)state;
    uint64_t inode = 0;

    assert_true(holder_find_inode(bytes_of(table), 80, true, &inode));
    assert_int_equal(inode, 222);
    assert_true(holder_find_inode(bytes_of(table), 80, false, &inode));
    assert_int_equal(inode, 111);
    assert_true(holder_find_inode(bytes_of(table), 69, false, &inode));
    assert_int_equal(inode, 333);
    assert_false(holder_find_inode(bytes_of(table), 81, false, &inode));
    assert_false(holder_find_inode(bytes_of(table), 443, true, &inode)); /* of nobody any more */
}

static void find_inode_stays_inside_every_prefix(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(table); len++) {
        uint8_t *exact = malloc(len + 1);
        uint64_t inode;

        assert_non_null(exact);
        memcpy(exact, table, len);
        (void)holder_find_inode((struct bytes){exact, len}, 65535, false, &inode);
        free(exact);
    }
}

static void find_names_the_process_itself(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    OWN(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct holder holder;

    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        skip(); /* no loopback interface here */
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    assert_true(holder_find(false, ntohs(address.sin_port), &holder));
    assert_int_equal(holder.pid, getpid());
    assert_string_not_equal(holder.name, "");
}

static void works_in_compares_folders(void **state)
{
    (void)state;
    assert_true(holder_works_in(getpid(), "."));
    assert_false(holder_works_in(getpid(), "/proc"));
    assert_false(holder_works_in(getpid(), "/nonexistent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_inode_reads_the_kernels_table),
        cmocka_unit_test(find_inode_stays_inside_every_prefix),
        cmocka_unit_test(find_names_the_process_itself),
        cmocka_unit_test(works_in_compares_folders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

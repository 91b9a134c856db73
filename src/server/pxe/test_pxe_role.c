/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The whole role on the loopback interface, beside a site that is played by two route handlers. */

#include "server/pxe/pxe_role.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "plat/clock.h"
#include "plat/file.h"
#include "proto/dhcp/dhcp_packet.h"
#include "rt/http_server.h"
#include "rt/log.h"

enum {
    PATH_BYTES = 256,
    STEP_US = 5000,
    PATIENCE_STEPS = 600,
    PATIENCE_US = 3000 * 1000,
    SILENCE_US = 60 * 1000,
    BODY_MAX_BYTES = 4096,
};

#define OFFERED "SLP00001/x64/shimx64.efi"

static char folder[] = "/tmp/slipway-test-XXXXXX";
static pid_t site_pid;
static pid_t role_pid;
static int boot_server_fd;
static int tftp_fd;

/* Machines whose address ends in 02 get silence, the others an offer or their menu. */
static int decide(void *ctx, struct http_exchange *x)
{
    json_t *ask;
    const char *mac;
    const char *stage;
    bool is_silent;
    bool is_config;

    (void)ctx;
    if (http_body_json(x, &ask) != 0)
        return 0;
    mac = json_string_value(json_object_get(ask, "mac"));
    stage = json_string_value(json_object_get(ask, "stage"));
    is_silent = mac && strcmp(mac, "52:54:00:77:00:02") == 0;
    is_config = stage && strcmp(stage, "config") == 0;
    json_decref(ask);
    return http_reply_json(x,
                           200,
                           json_pack("{s:s, s:s, s:s, s:s?, s:n, s:s?}",
                                     "answer",
                                     is_silent ? "silence" : "offer",
                                     "reason",
                                     "test",
                                     "text",
                                     "",
                                     "file",
                                     is_silent ? NULL : OFFERED,
                                     "url",
                                     "config",
                                     is_config && !is_silent ? "MENU\n" : NULL));
}

static int note(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    return http_reply_empty(x, 204);
}

static void play_site(const char *socket_path)
{
    static const struct http_route routes[] = {
        {"POST", "/api/v1/internal/boot-decisions", BODY_MAX_BYTES, decide},
        {"POST", "/api/v1/internal/boot-events", BODY_MAX_BYTES, note},
        {NULL, NULL, 0, NULL},
    };
    struct http_server_options options = {
        .socket_path = socket_path, .socket_mode = 0600, .routes = routes};
    struct http_server *server;

    _exit(http_server_new(&options, &server) == 0 && http_server_run(server) == 0 ? 0 : 1);
}

static int open_socket(void)
{
    const int on = 1;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

static void play_role(void)
{
    char none[] = "";
    struct server_config config = {.pxe_interfaces = none};
    struct role_options options = {
        .config = &config,
        .state_folder = folder,
        .first_start_fd = -1,
        .dhcp_fd = -1,
        .boot_server_fd = boot_server_fd,
        .tftp_fd = tftp_fd,
        .lease_fd = -1,
    };

    log_init("pxe", LOG_LEVEL_ERROR);
    _exit(server_pxe_main(&options));
}

static int start(void **state)
{
    char path[PATH_BYTES];

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/dp/boot", folder);
    assert_int_equal(dir_make(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/run", folder);
    assert_int_equal(dir_make(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/run/roles.sock", folder);
    boot_server_fd = open_socket();
    tftp_fd = open_socket();

    site_pid = fork();
    if (site_pid == 0)
        play_site(path);
    for (unsigned i = 0; i < PATIENCE_STEPS && !file_exists(path); i++)
        clock_sleep_us(STEP_US);
    role_pid = fork();
    if (role_pid == 0)
        play_role();
    return 0;
}

static int end(void **state)
{
    (void)state;
    (void)kill(site_pid, SIGKILL);
    (void)waitpid(site_pid, NULL, 0);
    if (role_pid != 0) { /* the last test did not come to ending it */
        (void)kill(role_pid, SIGKILL);
        (void)waitpid(role_pid, NULL, 0);
    }
    (void)close(boot_server_fd);
    (void)close(tftp_fd);
    return dir_remove(folder);
}

/* Send @packet to the role's socket @to and wait for one answer. Return: its length, or -1 for silence. */
static ssize_t
exchange(int to, const void *packet, size_t len, uint64_t timeout_us, uint8_t *dst, size_t cap)
{
    struct sockaddr_in name;
    socklen_t name_len = sizeof(name);
    struct timeval timeout = {(time_t)(timeout_us / 1000000), (suseconds_t)(timeout_us % 1000000)};
    int fd = open_socket();
    ssize_t got;

    assert_int_equal(getsockname(to, (struct sockaddr *)&name, &name_len), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
    assert_int_equal(sendto(fd, packet, len, 0, (struct sockaddr *)&name, name_len), (ssize_t)len);
    got = recv(fd, dst, cap, 0);
    (void)close(fd);
    return got;
}

static ssize_t
ask_boot_server(uint8_t machine, const char *class, uint64_t timeout_us, struct dhcp_packet *ret)
{
    struct dhcp_packet question = {
        .op = DHCP_OP_REQUEST,
        .htype = 1,
        .hlen = 6,
        .xid = 0x1234,
        .ciaddr = INADDR_LOOPBACK,
        .chaddr = {0x52, 0x54, 0, 0x77, 0, machine},
    };
    uint8_t raw[DHCP_PACKET_MAX_BYTES];
    struct sink sink = {.ptr = raw, .cap = sizeof(raw)};
    ssize_t len;

    assert_true(dhcp_packet_set_u8(&question, DHCP_OPTION_TYPE, DHCP_TYPE_REQUEST));
    assert_true(dhcp_packet_set(&question, DHCP_OPTION_CLASS, bytes_of(class)));
    assert_true(
        dhcp_packet_set(&question, DHCP_OPTION_ARCH, (struct bytes){(const uint8_t *)"\0\7", 2}));
    assert_true(dhcp_packet_put(&sink, &question));
    len = exchange(boot_server_fd, raw, sink.len, timeout_us, raw, sizeof(raw));
    if (len > 0)
        assert_int_equal(dhcp_packet_parse((struct bytes){raw, (size_t)len}, ret), 0);
    return len;
}

static void boot_client_is_answered_with_what_the_site_says(void **state)
{
    struct dhcp_packet packet;

    (void)state;
    assert_true(ask_boot_server(1, "PXEClient", PATIENCE_US, &packet) > 0);
    assert_int_equal(packet.op, DHCP_OP_REPLY);
    assert_int_equal(packet.xid, 0x1234);
    assert_int_equal(packet.yiaddr, 0);
    assert_int_equal(packet.siaddr, INADDR_LOOPBACK);
    assert_string_equal((const char *)packet.file, OFFERED);
}

static void ordinary_client_and_one_the_site_does_not_want_hear_nothing(void **state)
{
    struct dhcp_packet packet;

    (void)state;
    assert_int_equal(ask_boot_server(1, "udhcp 1.35.0", SILENCE_US, &packet), -1);
    assert_int_equal(ask_boot_server(2, "PXEClient", SILENCE_US, &packet), -1);
}

static void assert_file(const char *name, const char *content)
{
    uint8_t raw[600];
    char request[PATH_BYTES];
    int len = snprintf(request, sizeof(request), "%c%c%s%coctet%c", 0, 1, name, 0, 0);
    ssize_t got;

    assert_true(len > 0);
    got = exchange(tftp_fd, request, (size_t)len, PATIENCE_US, raw, sizeof(raw));
    assert_true(got >= 4);
    assert_memory_equal(raw, "\0\3\0\1", 4); /* DATA, block 1 */
    assert_int_equal(got - 4, strlen(content));
    assert_memory_equal(raw + 4, content, strlen(content));
}

static void loaders_get_their_configuration(void **state)
{
    (void)state;
    assert_file("grub/grub.cfg",
                "configfile (tftp,127.0.0.1)/grub/device/${net_default_mac}.cfg\n");
    assert_file("/grub/device/52:54:00:77:00:01.cfg", "MENU\n");
    assert_file("ipxe/52:54:00:77:00:01.ipxe", "MENU\n");
}

static void machine_the_site_does_not_want_goes_on_to_its_next_boot_device(void **state)
{
    (void)state;
    assert_file("grub/device/52:54:00:77:00:02.cfg", "exit\n");
    assert_file("ipxe/52:54:00:77:00:02.ipxe", "#!ipxe\nexit\n");
}

static void unknown_names_are_refused_at_once(void **state)
{
    static const char request[] = "\0\1revocations_sku.efi\0octet";
    uint8_t raw[600];

    (void)state;
    assert_true(exchange(tftp_fd, request, sizeof(request), PATIENCE_US, raw, sizeof(raw)) > 4);
    assert_memory_equal(raw, "\0\5\0\1", 4); /* ERROR, file not found */
}

static void sigterm_ends_the_role_cleanly(void **state)
{
    int status = -1;

    (void)state;
    assert_int_equal(kill(role_pid, SIGTERM), 0);
    assert_int_equal(waitpid(role_pid, &status, 0), role_pid);
    role_pid = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ROLE_EXIT_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_client_is_answered_with_what_the_site_says),
        cmocka_unit_test(ordinary_client_and_one_the_site_does_not_want_hear_nothing),
        cmocka_unit_test(loaders_get_their_configuration),
        cmocka_unit_test(machine_the_site_does_not_want_goes_on_to_its_next_boot_device),
        cmocka_unit_test(unknown_names_are_refused_at_once),
        cmocka_unit_test(sigterm_ends_the_role_cleanly),
    };

    return cmocka_run_group_tests(tests, start, end);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/generalize.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/steps/capture_network.h"
#include "agent/steps/capture_parts.h"
#include "agent/steps/inside.h"
#include "agent/steps/inside_tree.h"
#include "agent/steps/registration.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    TEXT_MAX_BYTES = 4096,
    PATH_MAX_BYTES = 256,
};

static char folder[64]; /* "outside" lies beside the volume in it */
static int root;

static int make_volume(void **state)
{
    char path[PATH_MAX_BYTES];

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-generalize-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/volume", folder);
    if (mkdir(path, 0755) < 0 || inside_open(path, &root) != 0)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/outside", folder);
    return file_write(path, bytes_of("untouched"), 0644);
}

static int remove_volume(void **state)
{
    (void)state;
    (void)close(root);
    return dir_remove(folder);
}

static void put(const char *path, const char *text)
{
    assert_int_equal(inside_write(root, path, bytes_of(text), (struct inside_mode){.bits = 0640}),
                     0);
}

static void assert_text(const char *path, const char *text)
{
    OWN(buf_fini) struct buf found = BUF_INIT(TEXT_MAX_BYTES);

    assert_int_equal(inside_read(root, path, &found), 0);
    assert_string_equal(buf_str(&found), text);
}

static void what_only_one_computer_may_have_is_removed(void **state)
{
    static const char *const gone[] = {
        "etc/ssh/ssh_host_rsa_key",
        "etc/ssh/ssh_host_mldsa_key",
        "etc/ssh/ssh_host_mldsa_key.pub",
        "var/lib/dbus/machine-id",
        "var/lib/systemd/random-seed",
        "etc/hostname",
        "var/lib/dhcp/dhclient.eth0.leases",
        "var/lib/NetworkManager/secret_key",
        "etc/systemd/network/10-slipway-0.network",
        "etc/NetworkManager/system-connections/slipway-0.nmconnection",
        "etc/udev/rules.d/70-persistent-net.rules",
        "var/lib/cloud/instances/i-0/sem/config_ssh",
        "var/log/journal/0123/system.journal",
        "var/log/syslog.1",
        "var/log/syslog.2.gz",
    };
    static const char *const kept[] = {
        "etc/ssh/sshd_config",
        "etc/systemd/network/80-of-a-person.network",
        "etc/NetworkManager/system-connections/office.nmconnection",
        "etc/udev/rules.d/99-of-a-person.rules",
        "var/lib/dpkg/status",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        put(gone[i], "x");
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        put(kept[i], "kept");
    put("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    put("var/log/apt/history.log", "Start-Date: yesterday\n");
    put("etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\treference\n10.0.0.1\tother\n");
    for (unsigned times = 0; times < 2; times++) {
        assert_int_equal(generalize_system(root), 0);
        for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
            if (inside_exists(root, gone[i]))
                fail_msg("%s is still there", gone[i]);
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
            assert_text(kept[i], "kept");
        assert_text("etc/machine-id", "");
        assert_text("var/log/apt/history.log", "");
        assert_text("etc/hosts", "127.0.0.1\tlocalhost\n10.0.0.1\tother\n");
        assert_true(inside_exists(root, "var/log/journal"));
    }
}

static void an_empty_volume_is_general_already(void **state)
{
    (void)state;
    assert_int_equal(generalize_system(root), 0);
    assert_int_equal(generalize_client(root), 0);
    assert_null(generalize_find_domain(root));
}

static void host_keys_are_made_anew_where_there_is_a_server_for_them(void **state)
{
    (void)state;
    put("usr/bin/ssh-keygen", "x");
    put("usr/sbin/sshd", "x");
    assert_int_equal(generalize_identity(root), 0);
    assert_true(inside_exists(root, "etc/systemd/system/slipway-ssh-keys.service"));
}

static void addresses_that_a_person_wrote_stay(void **state)
{
    (void)state;
    put("etc/network/interfaces", "# my own\niface eth0 inet static\n");
    assert_int_equal(generalize_system(root), 0);
    assert_text("etc/network/interfaces", "# my own\niface eth0 inet static\n");
}

static void links_lead_nowhere_outside(void **state)
{
    OWN(buf_fini) struct buf found = BUF_INIT(TEXT_MAX_BYTES);
    char path[PATH_MAX_BYTES];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/outside", folder);
    assert_int_equal(inside_link(root, "var/log/a.log", path), 0);
    assert_int_equal(inside_link(root, "var/log/b.1", folder), 0);
    assert_int_equal(inside_link(root, "var/lib/dhcp", folder), 0);
    assert_int_equal(inside_link(root, "var/lib/cloud/up", "../../../.."), 0);
    assert_int_equal(generalize_system(root), 0);
    assert_int_equal(file_read(path, &found), 0);
    assert_string_equal(buf_str(&found), "untouched");
    assert_false(inside_exists(root, "var/lib/cloud/up"));
}

static void a_member_of_a_domain_is_known(void **state)
{
    (void)state;
    put("etc/krb5.keytab", "x");
    assert_non_null(generalize_find_domain(root));
}

static void what_is_left_out_of_an_image_is_matched_by_pattern(void **state)
{
    OWN(capture_exclusions_fini) struct capture_exclusions os = {0};
    OWN(capture_exclusions_fini) struct capture_exclusions data = {0};
    static const struct {
        const char *path;
        bool of_os;
        bool of_data;
    } cases[] = {
        {"/_SMSTaskSequence", true, true},
        {"/lost+found", true, true},
        {"/home/lost+found", false, false},
        {"/tmp", false, false},
        {"/tmp/x", true, false},
        {"/tmp/.X11-unix", true, false},
        {"/boot/slipway", true, false},
        {"/etc/rc3.d/S99slipway-agent", true, false},
        {"/srv/big", true, true},
        {"/srv", false, false},
        {"/home/a/x.iso", true, true},
        {"/home/a/b/x.iso", false, false},
        {"/etc", false, false},
    };

    (void)state;
    assert_int_equal(capture_exclusions_new(" /srv/*;;\n/home/*/*.iso;", true, &os), 0);
    assert_int_equal(capture_exclusions_new("/srv/*\r\n \\home\\*\\*.iso", false, &data), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (capture_is_left_out(&os, cases[i].path) != cases[i].of_os ||
            capture_is_left_out(&data, cases[i].path) != cases[i].of_data)
            fail_msg("%s", cases[i].path);
    }
}

static void who_a_system_is_registered_for_is_kept_as_it_was_said(void **state)
{
    OWN(buf_fini) struct buf found = BUF_INIT(TEXT_MAX_BYTES);

    (void)state;
    assert_int_equal(registration_read(root, REGISTRATION_USER, &found), 0);
    assert_string_equal(buf_str(&found), "");
    put("etc/machine-info", "LOCATION=\"Cellar\"\nREGISTERED_USER=old\n");
    assert_int_equal(registration_read(root, REGISTRATION_USER, &found), 0);
    assert_string_equal(buf_str(&found), "old");
    assert_int_equal(registration_write(root, REGISTRATION_USER, "J. \"$HOME\" O`B\\"), 0);
    assert_int_equal(registration_write(root, REGISTRATION_ORGANIZATION, "Corner & Sons"), 0);
    assert_text("etc/machine-info",
                "LOCATION=\"Cellar\"\nREGISTERED_USER=\"J. \\\"\\$HOME\\\" O\\`B\\\\\"\n"
                "REGISTERED_ORGANIZATION=\"Corner & Sons\"\n");
    buf_clear(&found);
    assert_int_equal(registration_read(root, REGISTRATION_USER, &found), 0);
    assert_string_equal(buf_str(&found), "J. \"$HOME\" O`B\\");
}

static void a_domain_counts_before_a_workgroup(void **state)
{
    OWN(buf_fini) struct buf name = BUF_INIT(TEXT_MAX_BYTES);
    bool is_domain = false;

    (void)state;
    assert_int_equal(capture_network_find_membership(root, &is_domain, &name), 0);
    assert_string_equal(buf_str(&name), "");
    put("etc/samba/smb.conf", "[global]\n  Workgroup = LAB\n");
    assert_int_equal(capture_network_find_membership(root, &is_domain, &name), 0);
    assert_string_equal(buf_str(&name), "LAB");
    assert_false(is_domain);
    buf_clear(&name);
    put("etc/sssd/sssd.conf", "[sssd]\ndomains = corp.example.com, other\n");
    assert_int_equal(capture_network_find_membership(root, &is_domain, &name), 0);
    assert_string_equal(buf_str(&name), "corp.example.com");
    assert_true(is_domain);
}

static void adapters_become_the_variables_that_are_applied(void **state)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    struct network_settings settings = {.n_adapters = 2};
    struct ts_adapter *fixed = &settings.adapters[0];
    struct ts_words dns = {.n = 0};

    (void)state;
    capture_network_read_resolv_conf(
        "# x\nnameserver 10.0.0.2\nnameserver fe80::1\nsearch a.example b.example\n",
        &dns,
        &settings.search);
    *fixed = (struct ts_adapter){
        .mac = "52:54:00:00:00:01", .name = "eth0", .dns = dns, .prefixes = {24, 9}};
    fixed->addresses = (struct ts_words){{"10.0.0.5", "10.128.0.5"}, 2};
    capture_network_read_routes("Iface\tDestination\tGateway\neth0\t00000000\t0100000A\t0003\n"
                                "eth1\t00000000\t0200000A\t0003\neth0\t0000000A\t00000000\t1\n",
                                "eth0",
                                &fixed->gateways);
    settings.adapters[1] =
        (struct ts_adapter){.mac = "52:54:00:00:00:02", .name = "eth1", .is_dhcp = true};
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(capture_network_put(&settings, vars), 0);
    assert_string_equal(ts_vars_get(vars, "OSDAdapterCount"), "2");
    assert_string_equal(ts_vars_get(vars, "OSDAdapter0EnableDHCP"), "false");
    assert_string_equal(ts_vars_get(vars, "OSDAdapter0MacAddress"), "52:54:00:00:00:01");
    assert_string_equal(ts_vars_get(vars, "OSDAdapter0IPAddressList"), "10.0.0.5,10.128.0.5");
    assert_string_equal(ts_vars_get(vars, "OSDAdapter0SubnetMask"), "255.255.255.0,255.128.0.0");
    assert_string_equal(ts_vars_get(vars, "OSDAdapter0Gateways"), "10.0.0.1");
    assert_string_equal(ts_vars_get(vars, "OSDAdapter0DNSServerList"), "10.0.0.2");
    assert_string_equal(ts_vars_get(vars, "OSDAdapter1EnableDHCP"), "true");
    assert_string_equal(ts_vars_get(vars, "OSDAdapter1IPAddressList"), "");
    assert_string_equal(ts_vars_get(vars, "OSDDNSSuffixSearchOrder"), "a.example,b.example");
}

/* What the kernel would say of an address. */
static size_t put_message(uint8_t *dst, unsigned index, unsigned flags, const char *address)
{
    struct {
        struct nlmsghdr head;
        struct ifaddrmsg message;
        struct rtattr attribute;
        uint8_t address[4];
    } m = {.head = {.nlmsg_len = sizeof(m), .nlmsg_type = RTM_NEWADDR},
           .message = {.ifa_family = AF_INET,
                       .ifa_prefixlen = 16,
                       .ifa_flags = (uint8_t)flags,
                       .ifa_index = index},
           .attribute = {.rta_len = sizeof(struct rtattr) + 4, .rta_type = IFA_LOCAL}};

    assert_int_equal(inet_pton(AF_INET, address, m.address), 1);
    memcpy(dst, &m, sizeof(m));
    return sizeof(m);
}

static void an_address_that_is_lent_is_of_dhcp(void **state)
{
    struct ts_adapter fixed = {.is_dhcp = false};
    struct ts_adapter lent = {.is_dhcp = false};
    uint8_t bytes[256];
    size_t len = put_message(bytes, 2, IFA_F_PERMANENT, "10.1.0.5");

    (void)state;
    len += put_message(bytes + len, 3, 0, "10.2.0.5");
    capture_network_add_addresses((struct bytes){bytes, len}, 2, &fixed);
    capture_network_add_addresses((struct bytes){bytes, len}, 3, &lent);
    assert_int_equal(fixed.addresses.n, 1);
    assert_string_equal(fixed.addresses.items[0], "10.1.0.5");
    assert_int_equal(fixed.prefixes[0], 16);
    assert_false(fixed.is_dhcp);
    assert_true(lent.is_dhcp);
    for (size_t n = 0; n < len; n++) { /* whatever is cut off is not read */
        struct ts_adapter any = {.is_dhcp = false};

        capture_network_add_addresses((struct bytes){bytes, n}, 3, &any);
        assert_int_equal(any.addresses.n, 0);
    }
}

static void addresses_of_ipv6_that_somebody_has_set_are_captured_too(void **state)
{
    (void)state;
    struct {
        struct nlmsghdr head;
        struct ifaddrmsg message;
        struct rtattr attribute;
        uint8_t address[16];
    } m = {.head = {.nlmsg_len = sizeof(m), .nlmsg_type = RTM_NEWADDR},
           .message = {.ifa_family = AF_INET6,
                       .ifa_prefixlen = 64,
                       .ifa_flags = IFA_F_PERMANENT,
                       .ifa_scope = RT_SCOPE_UNIVERSE,
                       .ifa_index = 2},
           .attribute = {.rta_len = sizeof(struct rtattr) + 16, .rta_type = IFA_ADDRESS}};
    static const char routes[] =
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "20010db8000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n"
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "fe800000000000000000000000000002 00000400 00000001 00000000 00450003     eth0\n"
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "20010db8000000000000000000000003 00000400 00000001 00000000 00000003     eth1\n"
        "20010db8000000000000000000000000 40 00000000000000000000000000000000 00 "
        "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"
        "00000000000000000000000000000000 00 short\n";
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    struct network_settings settings = {.n_adapters = 1};
    struct ts_adapter *adapter = &settings.adapters[0];
    uint8_t bytes[256];
    size_t len = put_message(bytes, 2, IFA_F_PERMANENT, "10.1.0.5");

    assert_int_equal(inet_pton(AF_INET6, "2001:db8::5", m.address), 1);
    memcpy(bytes + len, &m, sizeof(m));
    len += sizeof(m);
    m.message.ifa_flags = 0; /* a router's */
    memcpy(bytes + len, &m, sizeof(m));
    len += sizeof(m);
    m.message.ifa_flags = IFA_F_PERMANENT;
    m.message.ifa_scope = RT_SCOPE_LINK;
    memcpy(bytes + len, &m, sizeof(m));
    len += sizeof(m);
    capture_network_add_addresses((struct bytes){bytes, len}, 2, adapter);
    capture_network_read_routes_v6(routes, "eth0", &adapter->gateways);
    assert_false(adapter->is_dhcp);
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(capture_network_put(&settings, vars), 0);
    assert_string_equal(ts_vars_get(vars, "OSDAdapter0IPAddressList"), "10.1.0.5,2001:db8::5");
    assert_string_equal(ts_vars_get(vars, "OSDAdapter0SubnetMask"), "255.255.0.0,64");
    assert_string_equal(ts_vars_get(vars, "OSDAdapter0Gateways"), "2001:db8::1");
}

static void a_keytab_tells_the_domain_of_a_computer(void **state)
{
    (void)state;
    /* a hole, the key of a service, that of the computer */
    static const uint8_t keytab[] = "\x05\x02\xff\xff\xff\xfcxxxx"
                                    "\x00\x00\x00\x0e\x00\x02\x00\x03LAB\x00\x05host$"
                                    "\x00\x00\x00\x19\x00\x01\x00\x0fLAB.EXAMPLE.ORG\x00\x04PC1$";
    const size_t len = sizeof(keytab) - 1;
    OWN(buf_fini) struct buf name = BUF_INIT(1024);

    for (size_t i = 0; i < len; i++) { /* whatever is cut off, nothing is made up */
        buf_clear(&name);
        capture_network_read_keytab((struct bytes){keytab, i}, &name);
        assert_int_equal(name.len, 0);
    }
    capture_network_read_keytab((struct bytes){keytab, len}, &name);
    assert_string_equal(buf_str(&name), "lab.example.org");
}

static void a_realm_that_is_no_domain_is_passed_over(void **state)
{
    (void)state;
    static const uint8_t keytab[] = "\x05\x02"
                                    "\x00\x00\x00\x11\x00\x01\x00\x07LAB\nX=1\x00\x04PC1$"
                                    "\x00\x00\x00\x0d\x00\x01\x00\x03LAB\x00\x04PC1$";
    OWN(buf_fini) struct buf name = BUF_INIT(1024);

    capture_network_read_keytab((struct bytes){keytab, sizeof(keytab) - 1}, &name);
    assert_string_equal(buf_str(&name), "lab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_ipv6_that_somebody_has_set_are_captured_too),
        cmocka_unit_test(a_keytab_tells_the_domain_of_a_computer),
        cmocka_unit_test(a_realm_that_is_no_domain_is_passed_over),
        cmocka_unit_test_setup_teardown(
            what_only_one_computer_may_have_is_removed, make_volume, remove_volume),
        cmocka_unit_test_setup_teardown(
            an_empty_volume_is_general_already, make_volume, remove_volume),
        cmocka_unit_test_setup_teardown(
            host_keys_are_made_anew_where_there_is_a_server_for_them, make_volume, remove_volume),
        cmocka_unit_test_setup_teardown(
            addresses_that_a_person_wrote_stay, make_volume, remove_volume),
        cmocka_unit_test_setup_teardown(links_lead_nowhere_outside, make_volume, remove_volume),
        cmocka_unit_test_setup_teardown(a_member_of_a_domain_is_known, make_volume, remove_volume),
        cmocka_unit_test_setup_teardown(
            who_a_system_is_registered_for_is_kept_as_it_was_said, make_volume, remove_volume),
        cmocka_unit_test_setup_teardown(
            a_domain_counts_before_a_workgroup, make_volume, remove_volume),
        cmocka_unit_test(adapters_become_the_variables_that_are_applied),
        cmocka_unit_test(an_address_that_is_lent_is_of_dhcp),
        cmocka_unit_test(what_is_left_out_of_an_image_is_matched_by_pattern),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/apply_network.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/steps/inside.h"
#include "agent/steps/test_bench.h"
#include "plat/file.h"

static char folder[64];
static const struct inside_mode plain = {0644, 0, 0};

/* A volume of its own, with these empty files, up to NULL. */
static int new_volume(const char *name, const char *const *files, char *ret_path, size_t cap)
{
    int root = -1;

    (void)snprintf(ret_path, cap, "%s/%s", folder, name);
    assert_int_equal(dir_make(ret_path, 0755), 0);
    assert_int_equal(inside_open(ret_path, &root), 0);
    for (; *files; files++)
        assert_int_equal(inside_write(root, *files, bytes_of(""), plain), 0);
    return root;
}

static void file_is(int root, const char *path, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(inside_read(root, path, &text), 0);
    assert_string_equal(buf_str(&text), wanted);
}

/* A static one with all that there is, and one with DHCP and name servers of its own. */
static struct network_settings *two_adapters(void)
{
    struct network_settings *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->n_adapters = 2;
    s->boot_resolv_conf = "/nothing";

    struct ts_adapter *a = &s->adapters[0];

    (void)snprintf(a->mac, sizeof(a->mac), "52:54:00:00:00:01");
    (void)snprintf(a->name, sizeof(a->name), "eth0");
    ts_words_add(&a->addresses, "10.0.0.5");
    ts_words_add(&a->addresses, "2001:db8::5");
    a->prefixes[0] = 24;
    a->prefixes[1] = 64;
    ts_words_add(&a->gateways, "10.0.0.1");
    ts_words_add(&a->gateways, "10.0.0.2");
    ts_words_add(&a->gateways, "2001:db8::1");
    a->metrics[1] = 50;
    ts_words_add(&a->dns, "10.0.0.53");
    ts_words_add(&a->dns, "2001:db8::53");
    ts_words_add(&a->search, "lab.example.org");
    a = &s->adapters[1];
    a->is_dhcp = true;
    (void)snprintf(a->mac, sizeof(a->mac), "52:54:00:00:00:02");
    (void)snprintf(a->name, sizeof(a->name), "eth1");
    ts_words_add(&a->dns, "10.0.0.54");
    return s;
}

static struct network_settings *all_adapters(void)
{
    struct network_settings *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->n_adapters = 1;
    s->adapters[0].is_dhcp = true;
    s->boot_resolv_conf = "/nothing";
    (void)snprintf(s->names[0], TS_ADAPTER_NAME_MAX, "eth0");
    (void)snprintf(s->names[1], TS_ADAPTER_NAME_MAX, "eth1");
    s->n_names = 2;
    return s;
}

#define FILES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NETWORKD   "usr/lib/systemd/system/systemd-networkd.service"
#define WAITER     "usr/lib/systemd/systemd-networkd-wait-online"
#define WAIT_FILE  "etc/systemd/system/systemd-networkd-wait-online.service.d/10-slipway.conf"

static void write_for(const char *path, const struct network_settings *s, const char *wanted)
{
    const char *how = "";

    assert_int_equal(network_write(path, s, &how), 0);
    assert_string_equal(how, wanted);
}

static void networkd_gets_all_settings(void **state)
{
    (void)state;
    OWN(freep) struct network_settings *s = two_adapters();
    char path[128];
    OWN(fd_closep)
    int root = new_volume("networkd", FILES(NETWORKD, WAITER), path, sizeof(path));

    write_for(path, s, "systemd-networkd");
    file_is(root,
            "etc/systemd/network/10-slipway-0.network",
            "# Written by Slipway\n[Match]\nMACAddress=52:54:00:00:00:01\n\n[Network]\nDHCP=no\n"
            "Address=10.0.0.5/24\nAddress=2001:db8::5/64\nDNS=10.0.0.53\nDNS=2001:db8::53\n"
            "Domains=lab.example.org\n\n[Route]\nGateway=10.0.0.1\n\n[Route]\nGateway=10.0.0.2\n"
            "Metric=50\n\n[Route]\nGateway=2001:db8::1\nMetric=1026\n");
    file_is(root,
            "etc/systemd/network/10-slipway-1.network",
            "# Written by Slipway\n[Match]\nMACAddress=52:54:00:00:00:02\n\n[Network]\nDHCP=yes\n"
            "DNS=10.0.0.54\n\n[DHCPv4]\nUseDNS=no\n\n[DHCPv6]\nUseDNS=no\n\n[IPv6AcceptRA]\n"
            "UseDNS=no\n");
    file_is(root,
            "etc/resolv.conf",
            "nameserver 10.0.0.53\nnameserver 2001:db8::53\nnameserver 10.0.0.54\n"
            "search lab.example.org\n");
    assert_true(
        inside_exists(root, "etc/systemd/system/multi-user.target.wants/systemd-networkd.service"));
    assert_false(inside_exists(root, WAIT_FILE));
}

static void a_second_time_replaces_the_files_of_the_first(void **state)
{
    (void)state;
    OWN(freep) struct network_settings *two = two_adapters();
    OWN(freep) struct network_settings *all = all_adapters();
    char path[128];
    OWN(fd_closep)
    int root = new_volume("twice", FILES(NETWORKD, WAITER), path, sizeof(path));

    write_for(path, two, "systemd-networkd");
    write_for(path, all, "systemd-networkd");
    assert_false(inside_exists(root, "etc/systemd/network/10-slipway-1.network"));
    file_is(root,
            "etc/systemd/network/10-slipway-0.network",
            "# Written by Slipway\n[Match]\nType=ether\nName=en* eth*\n\n[Network]\nDHCP=yes\n");
    file_is(root,
            WAIT_FILE,
            "# Written by Slipway\n[Service]\nExecStart=\nExecStart=/" WAITER " --any\n");
    write_for(path, two, "systemd-networkd");
    assert_false(inside_exists(root, WAIT_FILE));
}

static void network_manager_gets_all_settings(void **state)
{
    (void)state;
    OWN(freep) struct network_settings *s = two_adapters();
    OWN(freep) struct network_settings *all = all_adapters();
    char path[128];
    OWN(fd_closep)
    int root = new_volume("manager", FILES("usr/sbin/NetworkManager"), path, sizeof(path));

    write_for(path, s, "NetworkManager");
    file_is(root,
            "etc/NetworkManager/system-connections/slipway-0.nmconnection",
            "# Written by Slipway\n[connection]\nid=slipway-0\ntype=ethernet\n\n[ethernet]\n"
            "mac-address=52:54:00:00:00:01\n\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24\n"
            "gateway=10.0.0.1\nroute1=0.0.0.0/0,10.0.0.2,50\ndns=10.0.0.53;\n"
            "dns-search=lab.example.org;\n\n[ipv6]\nmethod=manual\naddress1=2001:db8::5/64\n"
            "gateway=2001:db8::1\nroute-metric=1026\ndns=2001:db8::53;\n");
    file_is(root,
            "etc/NetworkManager/system-connections/slipway-1.nmconnection",
            "# Written by Slipway\n[connection]\nid=slipway-1\ntype=ethernet\n\n[ethernet]\n"
            "mac-address=52:54:00:00:00:02\n\n[ipv4]\nmethod=auto\ndns=10.0.0.54;\n"
            "ignore-auto-dns=true\n\n[ipv6]\nmethod=auto\nignore-auto-dns=true\n");
    write_for(path, all, "NetworkManager");
    file_is(root,
            "etc/NetworkManager/system-connections/slipway-0.nmconnection",
            "# Written by Slipway\n[connection]\nid=slipway-0\ntype=ethernet\nmulti-connect=3\n\n"
            "[ethernet]\n\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n");
    assert_false(
        inside_exists(root, "etc/NetworkManager/system-connections/slipway-1.nmconnection"));
}

static void netplan_gets_all_settings(void **state)
{
    (void)state;
    OWN(freep) struct network_settings *s = two_adapters();
    OWN(freep) struct network_settings *all = all_adapters();
    char path[128];
    OWN(fd_closep)
    int root =
        new_volume("netplan", FILES("usr/sbin/netplan", "etc/netplan/x"), path, sizeof(path));

    write_for(path, s, "netplan");
    file_is(
        root,
        "etc/netplan/90-slipway.yaml",
        "# Written by Slipway\nnetwork:\n  version: 2\n  ethernets:\n    slipway0:\n      match:\n"
        "        macaddress: \"52:54:00:00:00:01\"\n      dhcp4: false\n      addresses:\n"
        "        - \"10.0.0.5/24\"\n        - \"2001:db8::5/64\"\n      routes:\n"
        "        - to: \"0.0.0.0/0\"\n          via: \"10.0.0.1\"\n"
        "        - to: \"0.0.0.0/0\"\n          via: \"10.0.0.2\"\n          metric: 50\n"
        "        - to: \"::/0\"\n          via: \"2001:db8::1\"\n          metric: 1026\n"
        "      nameservers:\n        addresses: [\"10.0.0.53\", \"2001:db8::53\"]\n"
        "        search: [\"lab.example.org\"]\n"
        "    slipway1:\n      match:\n        macaddress: \"52:54:00:00:00:02\"\n      dhcp4: true\n"
        "      dhcp4-overrides:\n        use-dns: false\n"
        "      nameservers:\n        addresses: [\"10.0.0.54\"]\n");
    write_for(path, all, "netplan");
    file_is(
        root,
        "etc/netplan/90-slipway.yaml",
        "# Written by Slipway\nnetwork:\n  version: 2\n  ethernets:\n    slipway0:\n      match:\n"
        "        name: \"e*\"\n      optional: true\n      dhcp4: true\n");
}

static void ifupdown_gets_all_settings(void **state)
{
    (void)state;
    OWN(freep) struct network_settings *s = two_adapters();
    OWN(freep) struct network_settings *all = all_adapters();
    char path[128];
    OWN(fd_closep)
    int root = new_volume("ifupdown",
                          FILES("usr/sbin/ifup",
                                "lib/ifupdown/x",
                                "etc/dhcp/dhclient-enter-hooks.d/debug",
                                "etc/dhcpcd.conf"),
                          path,
                          sizeof(path));

    write_for(path, s, "ifupdown");
    file_is(
        root,
        "etc/network/interfaces",
        "# Written by Slipway\nauto lo\niface lo inet loopback\n\n"
        "auto mac/52:54:00:00:00:01=slipway0\niface slipway0 inet static\n    address 10.0.0.5/24\n"
        "    gateway 10.0.0.1\n    up ip route add default via 10.0.0.2 dev $IFACE metric 50\n"
        "iface slipway0 inet6 static\n    address 2001:db8::5/64\n    gateway 2001:db8::1\n"
        "    metric 1026\n    dns-nameservers 10.0.0.53 2001:db8::53\n    dns-search lab.example.org\n\n"
        "auto mac/52:54:00:00:00:02=slipway1\niface slipway1 inet dhcp\n"
        "    dns-nameservers 10.0.0.54\n");
    assert_true(inside_exists(root, "etc/dhcp/dhclient-enter-hooks.d/slipway"));
    file_is(root, "etc/dhcpcd.conf", "\n# Written by Slipway\nnohook resolv.conf\n");
    write_for(path, all, "ifupdown");
    file_is(root,
            "etc/network/interfaces",
            "# Written by Slipway\nauto lo\niface lo inet loopback\n\nauto /en*=slipway0 "
            "/eth*=slipway0\niface slipway0 inet dhcp\n");
    assert_false(inside_exists(root, "etc/dhcp/dhclient-enter-hooks.d/slipway"));
    file_is(root, "etc/dhcpcd.conf", "");
}

static void an_ifup_that_knows_no_patterns_gets_the_names_of_the_kernel(void **state)
{
    (void)state;
    OWN(freep) struct network_settings *s = two_adapters();
    OWN(freep) struct network_settings *all = all_adapters();
    char path[128];
    OWN(fd_closep)
    int root =
        new_volume("alpine", FILES("sbin/ifup", "usr/share/udhcpc/default"), path, sizeof(path));
    OWN(buf_fini) struct buf text = BUF_INIT(4096);

    write_for(path, s, "ifupdown");
    assert_int_equal(inside_read(root, "etc/network/interfaces", &text), 0);
    assert_non_null(strstr(buf_str(&text), "\nauto eth1\niface eth1 inet dhcp\n"));
    file_is(root, "etc/udhcpc/udhcpc.conf", "# Written by Slipway\nRESOLV_CONF=\"no\"\n");
    write_for(path, all, "ifupdown");
    file_is(root,
            "etc/network/interfaces",
            "# Written by Slipway\nauto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet "
            "dhcp\n\nauto eth1\niface eth1 inet dhcp\n");
    assert_false(inside_exists(root, "etc/udhcpc/udhcpc.conf"));
}

static void an_image_with_nothing_that_manages_a_network_is_told(void **state)
{
    (void)state;
    OWN(freep) struct network_settings *s = all_adapters();
    char path[128];
    OWN(fd_closep) int root = new_volume("nothing", FILES("etc/hostname"), path, sizeof(path));
    const char *how = "";

    assert_true(root >= 0);
    assert_int_equal(network_write(path, s, &how), NETWORK_WRITE_E_NONE);
}

static void give_machine(struct step_bench *b)
{
    b->machine.n_nics = 2;
    for (size_t i = 0; i < 2; i++) {
        b->machine.nics[i].mac[0] = 2;
        b->machine.nics[i].mac[5] = (uint8_t)(i + 1);
        (void)snprintf(b->machine.nics[i].name, sizeof(b->machine.nics[i].name), "eth%zu", i);
    }
    b->machine.has_boot_mac = true;
    memcpy(b->machine.boot_mac, b->machine.nics[1].mac, MAC_BYTES);
}

static const char *
read_settings(const char *variables, struct network_settings *ret, struct step_result *result)
{
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new("ApplyNetworkSettingsAction", "", variables);

    give_machine(b);
    *result = (struct step_result){0};
    network_read(&b->c, ret, result);
    return result->error_id;
}

static void no_adapter_listed_means_dhcp_on_all(void **state)
{
    (void)state;
    OWN(freep) struct network_settings *s = calloc(1, sizeof(*s));
    struct step_result result;

    assert_null(read_settings(STEP_VARIABLE("OSDDNSDomain", "example.org"), s, &result));
    assert_int_equal(s->n_adapters, 1);
    assert_string_equal(s->adapters[0].mac, "");
    assert_true(s->adapters[0].is_dhcp);
    assert_string_equal(s->adapters[0].search.items[0], "example.org");
    assert_int_equal(s->n_names, 2);
}

static void adapters_are_found_by_address_name_or_order(void **state)
{
    (void)state;
    OWN(freep) struct network_settings *s = calloc(1, sizeof(*s));
    struct step_result result;

    assert_null(read_settings(STEP_VARIABLE("OSDAdapterCount", "2")
                                  STEP_VARIABLE("OSDAdapter1Name", "eth0"),
                              s,
                              &result));
    assert_int_equal(s->n_adapters, 2);
    assert_string_equal(s->adapters[0].mac, "02:00:00:00:00:02"); /* booted from */
    assert_string_equal(s->adapters[1].mac, "02:00:00:00:00:01");
    assert_string_equal(s->adapters[1].name, "eth0");
    assert_null(read_settings(STEP_VARIABLE("OSDAdapterCount", "1")
                                  STEP_VARIABLE("OSDAdapter0MacAddress", "02-00-00-00-00-01"),
                              s,
                              &result));
    assert_string_equal(s->adapters[0].mac, "02:00:00:00:00:01");
    assert_string_equal(read_settings(STEP_VARIABLE("OSDAdapterCount", "3"), s, &result),
                        "SLW-0433"); /* there is no third */
}

static void wrong_addresses_are_refused_with_their_variable(void **state)
{
    (void)state;
    OWN(freep) struct network_settings *s = calloc(1, sizeof(*s));
    struct step_result result;

    assert_string_equal(read_settings(STEP_VARIABLE("OSDAdapterCount", "1") STEP_VARIABLE(
                                          "OSDAdapter0EnableDHCP", "false")
                                          STEP_VARIABLE("OSDAdapter0IPAddressList", "10.0.0.256"),
                                      s,
                                      &result),
                        "SLW-0433");
    assert_non_null(strstr(result.message, "OSDAdapter0IPAddressList"));
    assert_string_equal(read_settings(STEP_VARIABLE("OSDAdapterCount", "99"), s, &result),
                        "SLW-0433");
    assert_string_equal(read_settings(STEP_VARIABLE("OSDDNSDomain", "a b!"), s, &result),
                        "SLW-0433");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networkd_gets_all_settings),
        cmocka_unit_test(a_second_time_replaces_the_files_of_the_first),
        cmocka_unit_test(network_manager_gets_all_settings),
        cmocka_unit_test(netplan_gets_all_settings),
        cmocka_unit_test(ifupdown_gets_all_settings),
        cmocka_unit_test(an_ifup_that_knows_no_patterns_gets_the_names_of_the_kernel),
        cmocka_unit_test(an_image_with_nothing_that_manages_a_network_is_told),
        cmocka_unit_test(no_adapter_listed_means_dhcp_on_all),
        cmocka_unit_test(adapters_are_found_by_address_name_or_order),
        cmocka_unit_test(wrong_addresses_are_refused_with_their_variable),
    };

    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-network-XXXXXX");
    if (!mkdtemp(folder))
        return 1;

    int n_failed = cmocka_run_group_tests_name("agent/steps/apply_network", tests, NULL, NULL);

    (void)dir_remove(folder);
    return n_failed;
}

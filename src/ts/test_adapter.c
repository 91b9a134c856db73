/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/adapter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

/* Name and value, one behind the other, up to NULL. */
static const char *get(void *ctx, const char *name)
{
    for (const char **v = ctx; *v; v += 2)
        if (strcmp(v[0], name) == 0)
            return v[1];
    return "";
}

static int read_adapter(const char **variables, struct ts_adapter *ret)
{
    const struct ts_values source = {get, variables};
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    int r = ts_adapter_read(&source, 0, ret, &why);

    assert_int_equal(r != 0, why.len > 0);
    return r;
}

#define VARIABLES(...) ((const char *[]){__VA_ARGS__, NULL})
#define STATIC         "OSDAdapter0EnableDHCP", "false"

static void an_adapter_of_which_nothing_is_said_has_dhcp(void **state)
{
    (void)state;
    struct ts_adapter a;

    assert_int_equal(read_adapter(VARIABLES("x", "y"), &a), 0);
    assert_true(a.is_dhcp);
    assert_int_equal(read_adapter(VARIABLES("OSDAdapter0DNSServerList", "192.0.2.53"), &a), 0);
    assert_string_equal(a.dns.items[0], "192.0.2.53");
}

static void addresses_of_both_kinds_have_masks_or_bits(void **state)
{
    (void)state;
    struct ts_adapter a;

    assert_int_equal(read_adapter(VARIABLES(STATIC,
                                            "OSDAdapter0IPAddressList",
                                            "192.0.2.5, 2001:db8::5",
                                            "OSDAdapter0SubnetMask",
                                            "255.255.255.0,64",
                                            "OSDAdapter0Gateways",
                                            "192.0.2.1,192.0.2.2,fe80::1",
                                            "OSDAdapter0GatewayCostMetric",
                                            "10,automatic"),
                                  &a),
                     0);
    assert_false(a.is_dhcp);
    assert_int_equal(a.addresses.n, 2);
    assert_string_equal(a.addresses.items[1], "2001:db8::5");
    assert_int_equal(a.prefixes[0], 24);
    assert_int_equal(a.prefixes[1], 64);
    assert_int_equal(a.gateways.n, 3);
    assert_int_equal(a.metrics[0], 10);
    assert_int_equal(a.metrics[1], 0);
    assert_int_equal(
        read_adapter(VARIABLES(STATIC, "OSDAdapter0IPAddressList", "192.0.2.5/26;2001:db8::5/56"),
                     &a),
        0);
    assert_int_equal(a.prefixes[0], 26);
    assert_int_equal(a.prefixes[1], 56);
    assert_string_equal(a.addresses.items[0], "192.0.2.5");
}

static void addresses_of_ipv6_have_many_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_one;
    } cases[] = {
        {"::", true},
        {"::1", true},
        {"fe80::", true},
        {"2001:db8:0:0:0:0:0:5", true},
        {"2001:DB8::192.0.2.5", true},
        {"1:2:3:4:5:6:7::", true},
        {"1:2:3:4:5:6:7", false},
        {"1:2:3:4:5:6:7:8:9", false},
        {"1:2:3:4:5:6:7:8::", false},
        {"1::2::3", false},
        {"1:", false},
        {":1", false},
        {":::", false},
        {"12345::", false},
        {"fe80::1%eth0", false},
        {"::192.0.2", false},
        {"::192.0.2.256", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ts_adapter a;

        assert_int_equal(read_adapter(VARIABLES("OSDAdapter0DNSServerList", cases[i].text), &a),
                         cases[i].is_one ? 0 : TS_ADAPTER_E_MALFORMED);
    }
}

static void what_makes_no_sense_is_told_from_what_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *value;
        int outcome;
    } cases[] = {
        {"OSDAdapter0IPAddressList", "", TS_ADAPTER_E_MISSING},
        {"OSDAdapter0SubnetMask", "", TS_ADAPTER_E_MISSING},
        {"OSDAdapter0IPAddressList", "192.0.2", TS_ADAPTER_E_MALFORMED},
        {"OSDAdapter0IPAddressList", "192.0.2.5/33", TS_ADAPTER_E_MALFORMED},
        {"OSDAdapter0SubnetMask", "255.0.255.0", TS_ADAPTER_E_MALFORMED},
        {"OSDAdapter0SubnetMask", "255.255.255.0,24", TS_ADAPTER_E_MALFORMED},
        {"OSDAdapter0Gateways", "gateway", TS_ADAPTER_E_MALFORMED},
        {"OSDAdapter0GatewayCostMetric", "-1", TS_ADAPTER_E_MALFORMED},
        {"OSDAdapter0DNSServerList", "ns.example.org", TS_ADAPTER_E_MALFORMED},
        {"OSDAdapter0MacAddress", "52:54", TS_ADAPTER_E_MALFORMED},
    };
    struct ts_adapter a;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(read_adapter(VARIABLES(STATIC,
                                                cases[i].name,
                                                cases[i].value,
                                                "OSDAdapter0IPAddressList",
                                                "192.0.2.5",
                                                "OSDAdapter0SubnetMask",
                                                "255.255.255.0"),
                                      &a),
                         cases[i].outcome);
}

static void suffixes_are_those_of_the_adapter_then_those_of_all(void **state)
{
    (void)state;
    const struct ts_values source = {get,
                                     VARIABLES("OSDAdapter1DNSDomain",
                                               "lab.example.org",
                                               "OSDDNSDomain",
                                               "example.org",
                                               "OSDDNSSuffixSearchOrder",
                                               "Example.Org,example.com")};
    struct ts_words words;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);

    assert_int_equal(ts_adapter_read_search(&source, 1, &words, &why), 0);
    assert_int_equal(words.n, 3);
    assert_string_equal(words.items[0], "lab.example.org");
    assert_string_equal(words.items[2], "example.com");
    assert_int_equal(ts_adapter_read_search(&source, SIZE_MAX, &words, &why), 0);
    assert_int_equal(words.n, 2);
}

static void adapters_are_counted_by_either_variable(void **state)
{
    (void)state;
    const struct ts_values one = {get, VARIABLES("OSDAdapterCount", "2")};
    const struct ts_values other = {get, VARIABLES("OSDAdapter", "40")};
    const struct ts_values none = {get, VARIABLES("x", "y")};

    assert_int_equal(ts_adapter_count(&one), 2);
    assert_int_equal(ts_adapter_count(&other), 40);
    assert_int_equal(ts_adapter_count(&none), 0);
}

static void masks_are_read(void **state)
{
    (void)state;
    unsigned n = 0;

    assert_true(ts_prefix_of_mask("255.255.255.0", &n));
    assert_int_equal(n, 24);
    assert_true(ts_prefix_of_mask("255.255.255.255", &n));
    assert_int_equal(n, 32);
    assert_false(ts_prefix_of_mask("255.0.255.0", &n));
    assert_false(ts_prefix_of_mask("0.0.0.0", &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_adapter_of_which_nothing_is_said_has_dhcp),
        cmocka_unit_test(addresses_of_both_kinds_have_masks_or_bits),
        cmocka_unit_test(addresses_of_ipv6_have_many_forms),
        cmocka_unit_test(what_makes_no_sense_is_told_from_what_is_missing),
        cmocka_unit_test(suffixes_are_those_of_the_adapter_then_those_of_all),
        cmocka_unit_test(adapters_are_counted_by_either_variable),
        cmocka_unit_test(masks_are_read),
    };

    return cmocka_run_group_tests_name("ts/adapter", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/dhcp/pxe_dialogue.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#define LOCAL     0x0a4d0001u /* 10.77.0.1 */
#define OTHER     0x0a4d0002u
#define STATION   0x0a4d0853u
#define BROADCAST 0xffffffffu
#define SHIM      "SLP00001/x64/shimx64.efi"

/* Options as captured from real firmware, QEMU 7.2: docs/quirks.md. */
#define CAPTURED_IPXE \
    "350101390205c05d0200005e030102013c20505845436c69656e743a417263683a30303030303a554e44493a" \
    "3030323030314d04695058453717010306070c0f111a2b3c4243778081828384858687afcbaf30b105011af4" \
    "1000eb030100001701012201011301011101012701011901012901011001022101011501011801011201013d" \
    "070152540077000261110000000000000000000000000000000000ff"
#define CAPTURED_OVMF \
    "350101390205c037230102030405060c0d0f111216171c28292a2b3233363a3b3c4243618081828384858687" \
    "611100000000000000000000000000000000005e030103005d0200073c20505845436c69656e743a41726368" \
    "3a30303030373a554e44493a303033303030ff"
#define CAPTURED_OVMF_HTTP \
    "350101390205c0371b0102030405060c0d0f111216171c28292a2b3233363a3b3cf343616111000000000000" \
    "00000000000000000000005e030103005d0200103c2148545450436c69656e743a417263683a30303031363a" \
    "554e44493a303033303030ff"
#define CAPTURED_OVMF_REQUEST /* to its DHCP server, on 67 */ \
    "35010336040a4d000232040a4d08533902ff0037230102030405060c0d0f111216171c28292a2b3233363a3b" \
    "3c4243618081828384858687611100000000000000000000000000000000005e030103005d0200073c205058" \
    "45436c69656e743a417263683a30303030373a554e44493a303033303030ff"
#define CAPTURED_OVMF_4011 \
    "35010337230102030405060c0d0f111216171c28292a2b3233363a3b3c4243618081828384858687390205c0" \
    "3c20505845436c69656e743a417263683a30303030373a554e44493a3030333030305d0200075e0301030061" \
    "110000000000000000000000000000000000ff"
#define CAPTURED_UDHCPC \
    "3501013902024037070103060c0f1c2a3c0c756468637020312e33352e303d0701525400770001ff"

struct raw {
    uint8_t ptr[DHCP_PACKET_MAX_BYTES];
    size_t len;
};

/* A packet of 52:54:00:77:00:01 with @options in hexadecimal. */
static struct raw make(const char *options, uint16_t flags, uint32_t ciaddr)
{
    struct raw raw = {.len = 240 + strlen(options) / 2};
    struct sink sink = {.ptr = raw.ptr, .cap = 28};

    sink_u32be(&sink, 0x01010600);
    sink_u32be(&sink, 0x7640ecae);
    sink_u16be(&sink, 4);
    sink_u16be(&sink, flags);
    sink_u32be(&sink, ciaddr);
    memcpy(raw.ptr + 28, (const uint8_t[]){0x52, 0x54, 0, 0x77, 0, 1}, 6);
    memcpy(raw.ptr + 236, (const uint8_t[]){0x63, 0x82, 0x53, 0x63}, 4);
    assert_true(hex_parse(bytes_of(options), strlen(options) / 2, raw.ptr + 240));
    return raw;
}

static struct bytes view(const struct raw *raw)
{
    return (struct bytes){raw->ptr, raw->len};
}

static int read_at(const char *options, uint16_t port, struct pxe_question *ret)
{
    struct raw raw = make(options, 0x8000, 0);

    return pxe_question_read(view(&raw), port, LOCAL, ret);
}

/* The answer to @question, read back. */
static struct pxe_target answer(const struct pxe_question *question,
                                const char *boot,
                                struct pxe_target peer,
                                struct dhcp_packet *ret)
{
    uint8_t raw[PXE_ANSWER_MAX_BYTES];
    struct sink sink = {.ptr = raw, .cap = sizeof(raw)};
    struct pxe_target to;

    assert_int_equal(pxe_answer_put(question, &(struct pxe_decision){boot}, peer, &sink, &to), 0);
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, sink.len}, ret), 0);
    assert_int_equal(ret->op, DHCP_OP_REPLY);
    assert_int_equal(ret->yiaddr, 0);
    assert_int_equal(ret->xid, question->xid);
    assert_memory_equal(ret->chaddr, question->chaddr, DHCP_CHADDR_BYTES);
    return to;
}

static void assert_option(const struct dhcp_packet *packet, uint8_t code, const char *hex)
{
    uint8_t want[256];
    struct bytes value;
    size_t len = strlen(hex) / 2;

    assert_true(hex_parse(bytes_of(hex), len, want));
    assert_true(dhcp_packet_get(packet, code, &value));
    assert_true(bytes_eq(value, (struct bytes){want, len}));
}

static void assert_text_option(const struct dhcp_packet *packet, uint8_t code, const char *text)
{
    struct bytes value;

    assert_true(dhcp_packet_get(packet, code, &value));
    assert_true(bytes_eq(value, bytes_of(text)));
}

static const struct pxe_target from_nowhere = {0, PXE_PORT_CLIENT};

static void captured_clients_are_understood(void **state)
{
    static const struct {
        const char *options;
        uint16_t port;
        enum pxe_stage stage;
        bool is_http;
        bool is_ipxe;
        uint16_t arch;
    } cases[] = {
        {CAPTURED_IPXE, 67, PXE_STAGE_DISCOVER, false, true, 0},
        {CAPTURED_OVMF, 67, PXE_STAGE_DISCOVER, false, false, 7},
        {CAPTURED_OVMF_HTTP, 67, PXE_STAGE_DISCOVER, true, false, 16},
        {CAPTURED_OVMF_4011, 4011, PXE_STAGE_REQUEST, false, false, 7},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pxe_question question;

        assert_int_equal(read_at(cases[i].options, cases[i].port, &question), 0);
        assert_int_equal(question.stage, cases[i].stage);
        assert_int_equal(question.is_http, cases[i].is_http);
        assert_int_equal(question.is_ipxe, cases[i].is_ipxe);
        assert_int_equal(question.arch, cases[i].arch);
        assert_int_equal(question.max_bytes, 1472 - 28);
        assert_false(question.has_uuid); /* all zeros */
        assert_int_equal(question.echo_uuid_len, 17);
        assert_memory_equal(question.mac, "\x52\x54\x00\x77\x00\x01", 6);
    }
}

static void captured_packets_that_are_none_of_our_business_are_left_alone(void **state)
{
    struct pxe_question question;
    struct raw reply = make(CAPTURED_OVMF, 0, 0);

    (void)state;
    assert_int_equal(read_at(CAPTURED_UDHCPC, 67, &question), PXE_E_NOT_PXE);
    assert_int_equal(read_at(CAPTURED_OVMF_REQUEST, 67, &question), PXE_E_NOT_OURS);
    assert_int_equal(read_at(CAPTURED_OVMF, 4011, &question), PXE_E_NOT_OURS);
    reply.ptr[0] = DHCP_OP_REPLY;
    assert_int_equal(pxe_question_read(view(&reply), 67, LOCAL, &question), PXE_E_NOT_OURS);
}

static void request_on_67_is_ours_only_if_it_names_us(void **state)
{
    struct pxe_question question;

    (void)state;
    /* 53 REQUEST, 60 PXEClient, 93 arch 7, and 54 */
    assert_int_equal(read_at("3501033c09505845436c69656e745d02000736040a4d0001ff", 67, &question),
                     0);
    assert_int_equal(question.stage, PXE_STAGE_REQUEST);
    assert_int_equal(read_at("3501033c09505845436c69656e745d02000736040a4d0002ff", 67, &question),
                     PXE_E_NOT_OURS);
    assert_int_equal(read_at("3501033c09505845436c69656e745d020007ff", 67, &question),
                     PXE_E_NOT_OURS);
    assert_int_equal(read_at("3501033c09505845436c69656e745d02000736040a4d0002ff", 4011, &question),
                     PXE_E_NOT_OURS);
    assert_int_equal(read_at("3501083c09505845436c69656e745d020007ff", 67, &question), 0);
    assert_int_equal(read_at("3501073c09505845436c69656e745d020007ff", 67, &question),
                     PXE_E_NOT_OURS);
    assert_int_equal(read_at("3c09505845436c69656e745d020007ff", 67, &question), PXE_E_NOT_OURS);
}

static void client_without_class_or_architecture_is_no_boot_client(void **state)
{
    struct pxe_question question;

    (void)state;
    assert_int_equal(read_at("3501015d020007ff", 67, &question), PXE_E_NOT_PXE);
    assert_int_equal(read_at("3501013c09505845436c69656e74ff", 67, &question), PXE_E_NOT_PXE);
    assert_int_equal(read_at("3501013c08505845436c69656e5d020007ff", 67, &question), PXE_E_NOT_PXE);
    assert_int_equal(read_at("3501013c09505845436c69656e745d0107ff", 67, &question), PXE_E_NOT_PXE);
    /* of several architectures the first counts */
    assert_int_equal(read_at("3501013c09505845436c69656e745d0400070009ff", 67, &question), 0);
    assert_int_equal(question.arch, 7);
}

static void only_ethernet_is_answered(void **state)
{
    struct pxe_question question;
    struct raw raw = make(CAPTURED_OVMF, 0, 0);

    (void)state;
    raw.ptr[1] = 6;
    assert_int_equal(pxe_question_read(view(&raw), 67, LOCAL, &question), PXE_E_HARDWARE);
    raw.ptr[1] = 1;
    raw.ptr[2] = 8;
    assert_int_equal(pxe_question_read(view(&raw), 67, LOCAL, &question), PXE_E_HARDWARE);
}

static void ipxe_is_known_by_user_class_or_by_its_option(void **state)
{
    static const struct {
        const char *options;
        bool is_ipxe;
    } cases[] = {
        {"3501013c09505845436c69656e745d0200074d0469505845ff", true},
        {"3501013c09505845436c69656e745d0200074d050469505845ff", true},
        {"3501013c09505845436c69656e745d020007af00ff", true},
        {"3501013c09505845436c69656e745d0200074d0467505845ff", false},
        {"3501013c09505845436c69656e745d020007ff", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pxe_question question;

        assert_int_equal(read_at(cases[i].options, 67, &question), 0);
        assert_int_equal(question.is_ipxe, cases[i].is_ipxe);
    }
}

static void uuid_is_turned_into_the_order_of_its_text(void **state)
{
    struct pxe_question question;
    char text[UUID_TEXT_MAX];

    (void)state;
    assert_int_equal(read_at("3501013c09505845436c69656e745d0200076111003322110055447766"
                             "8899aabbccddeeffff",
                             67,
                             &question),
                     0);
    assert_true(question.has_uuid);
    uuid_put(text, question.uuid);
    assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");

    /* all ones name no machine; another type or size is echoed, but is no UUID */
    assert_int_equal(read_at("3501013c09505845436c69656e745d020007611100ffffffffffffffff"
                             "ffffffffffffffffff",
                             67,
                             &question),
                     0);
    assert_false(question.has_uuid);
    assert_int_equal(read_at("3501013c09505845436c69656e745d020007610201aaff", 67, &question), 0);
    assert_false(question.has_uuid);
    assert_int_equal(question.echo_uuid_len, 2);
}

static void offer_for_pxe_holds_everything_and_no_address(void **state)
{
    struct pxe_question question;
    struct dhcp_packet packet;
    struct pxe_target to;

    (void)state;
    assert_int_equal(read_at(CAPTURED_OVMF, 67, &question), 0);
    to = answer(&question, SHIM, from_nowhere, &packet);
    assert_int_equal(to.address, BROADCAST);
    assert_int_equal(to.port, 68);
    assert_int_equal(packet.flags, 0x8000);
    assert_int_equal(packet.siaddr, LOCAL);
    assert_string_equal((const char *)packet.file, SHIM);
    assert_option(&packet, 53, "02");
    assert_option(&packet, 54, "0a4d0001");
    assert_text_option(&packet, 60, "PXEClient");
    assert_option(&packet, 43, "060108ff");
    assert_text_option(&packet, 66, "10.77.0.1");
    assert_text_option(&packet, 67, SHIM);
    assert_option(&packet, 97, "0000000000000000000000000000000000");
}

static void offer_is_this_very_packet(void **state)
{
    struct pxe_question question;
    uint8_t want[320];
    uint8_t raw[PXE_ANSWER_MAX_BYTES];
    struct sink sink = {.ptr = raw, .cap = sizeof(raw)};
    struct pxe_target to;
    static const char head[] =
        "020106007640ecae0000800000000000000000000a4d000100000000525400770001";
    static const char options[] = "63825363350102"
                                  "2b04060108ff"
                                  "36040a4d0001"
                                  "3c09505845436c69656e74"
                                  "420931302e37372e302e31"
                                  "43026162"
                                  "61110000000000000000000000000000000000"
                                  "ff";

    (void)state;
    memset(want, 0, sizeof(want));
    assert_true(hex_parse(bytes_of(head), strlen(head) / 2, want));
    want[108] = 'a';
    want[109] = 'b';
    assert_true(hex_parse(bytes_of(options), strlen(options) / 2, want + 236));
    assert_int_equal(read_at(CAPTURED_OVMF, 67, &question), 0);
    assert_int_equal(
        pxe_answer_put(&question, &(struct pxe_decision){"ab"}, from_nowhere, &sink, &to), 0);
    assert_int_equal(sink.len, 236 + strlen(options) / 2);
    assert_memory_equal(raw, want, sink.len);
}

static void offer_for_http_boot_has_the_url_and_nothing_of_pxe(void **state)
{
    static const char url[] = "http://10.77.0.1/boot/SLP00001/x64/ramdisk.img";
    struct pxe_question question;
    struct dhcp_packet packet;

    (void)state;
    assert_int_equal(read_at(CAPTURED_OVMF_HTTP, 67, &question), 0);
    (void)answer(&question, url, from_nowhere, &packet);
    assert_text_option(&packet, 60, "HTTPClient");
    assert_text_option(&packet, 67, url);
    assert_int_equal(packet.file[0], 0);
    assert_false(packet.has[43]);
    assert_false(packet.has[66]);
}

static void answer_on_4011_goes_back_where_the_question_came_from(void **state)
{
    struct raw raw = make(CAPTURED_OVMF_4011, 0, STATION);
    struct pxe_question question;
    struct dhcp_packet packet;
    struct pxe_target to;

    (void)state;
    assert_int_equal(pxe_question_read(view(&raw), 4011, LOCAL, &question), 0);
    assert_int_equal(question.client_address, STATION);
    to = answer(&question, SHIM, (struct pxe_target){STATION, 4011}, &packet);
    assert_int_equal(to.address, STATION);
    assert_int_equal(to.port, 4011);
    assert_int_equal(packet.ciaddr, STATION);
    assert_option(&packet, 53, "05");
    assert_string_equal((const char *)packet.file, SHIM);
}

static void boot_item_is_repeated_in_the_ack(void **state)
{
    struct pxe_question question;
    struct dhcp_packet packet;

    (void)state;
    assert_int_equal(
        read_at("3501033c09505845436c69656e745d0200002b07470480000000ffff", 4011, &question), 0);
    assert_true(question.has_boot_item);
    (void)answer(&question, "a", (struct pxe_target){STATION, 68}, &packet);
    assert_option(&packet, 43, "060108470480000000ff");

    /* garbage in option 43 is no reason to stay silent */
    assert_int_equal(read_at("3501033c09505845436c69656e745d0200002b024709ff", 4011, &question), 0);
    assert_false(question.has_boot_item);
}

static void answer_through_a_relay_goes_to_the_relay_with_its_option(void **state)
{
    struct raw raw = make("3501013c09505845436c69656e745d0200075206010465746830ff", 0, 0);
    struct pxe_question question;
    struct dhcp_packet packet;
    struct pxe_target to;
    struct bytes option;

    (void)state;
    memcpy(raw.ptr + 24, (const uint8_t[]){10, 78, 0, 1}, 4);
    assert_int_equal(pxe_question_read(view(&raw), 67, LOCAL, &question), 0);
    assert_int_equal(question.relay, 0x0a4e0001);
    to = answer(&question, SHIM, (struct pxe_target){0x0a4e0001, 67}, &packet);
    assert_int_equal(to.address, 0x0a4e0001);
    assert_int_equal(to.port, 67);
    assert_int_equal(packet.giaddr, 0x0a4e0001);
    assert_true(dhcp_packet_get(&packet, 82, &option));
    assert_int_equal(option.len, 6);
    assert_memory_equal(option.ptr,
                        "\x01\x04"
                        "eth0",
                        6);
}

static void client_with_an_address_is_answered_there(void **state)
{
    struct raw raw = make("3501083c09505845436c69656e745d020007ff", 0, STATION);
    struct pxe_question question;
    struct dhcp_packet packet;
    struct pxe_target to;

    (void)state;
    assert_int_equal(pxe_question_read(view(&raw), 67, LOCAL, &question), 0);
    to = answer(&question, SHIM, (struct pxe_target){STATION, 68}, &packet);
    assert_int_equal(to.address, STATION);
    assert_int_equal(to.port, 68);
}

static void answer_is_never_larger_than_the_client_takes(void **state)
{
    enum {
        LONGEST_BOOT = 266, /* beside 278 other bytes and two heads of two: 548 */
    };
    char boot[LONGEST_BOOT + 32] = {0};
    struct pxe_question question;

    (void)state;
    assert_int_equal(read_at("3501013c09505845436c69656e745d020007ff", 67, &question), 0);
    assert_int_equal(question.max_bytes, 548);
    for (size_t len = 1; len < sizeof(boot); len++) {
        uint8_t raw[PXE_ANSWER_MAX_BYTES];
        struct sink sink = {.ptr = raw, .cap = sizeof(raw)};
        struct pxe_target to;
        int r;

        boot[len - 1] = 'b';
        r = pxe_answer_put(&question, &(struct pxe_decision){boot}, from_nowhere, &sink, &to);
        assert_int_equal(r, len <= LONGEST_BOOT ? 0 : PXE_E_TOO_LARGE);
    }
}

static void option_57_bounds_the_answer_from_both_sides(void **state)
{
    static const struct {
        const char *options;
        size_t max_bytes;
    } cases[] = {
        {"3501013c09505845436c69656e745d02000739020001ff", 548},
        {"3501013c09505845436c69656e745d02000739020240ff", 548},
        {"3501013c09505845436c69656e745d02000739020241ff", 549},
        {"3501013c09505845436c69656e745d0200073902ffffff", PXE_ANSWER_MAX_BYTES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pxe_question question;

        assert_int_equal(read_at(cases[i].options, 67, &question), 0);
        assert_int_equal(question.max_bytes, cases[i].max_bytes);
    }
}

static void answer_fits_or_says_so_at_every_capacity(void **state)
{
    struct pxe_question question;

    (void)state;
    assert_int_equal(read_at(CAPTURED_OVMF, 67, &question), 0);
    for (size_t cap = 0; cap <= 400; cap++) {
        uint8_t raw[401];
        struct sink sink = {.ptr = raw, .cap = cap};
        struct pxe_target to;
        int r;

        raw[cap] = 0xa5;
        r = pxe_answer_put(&question, &(struct pxe_decision){SHIM}, from_nowhere, &sink, &to);
        assert_int_equal(r, cap < 323 ? PXE_E_TOO_LARGE : 0);
        assert_int_equal(raw[cap], 0xa5);
    }
}

static void every_prefix_of_a_question_is_survived(void **state)
{
    struct raw raw = make(CAPTURED_IPXE, 0, 0);
    unsigned n_read = 0;

    (void)state;
    for (size_t len = 0; len <= raw.len; len++) {
        struct pxe_question question;

        n_read += pxe_question_read((struct bytes){raw.ptr, len}, 67, LOCAL, &question) == 0;
    }
    assert_true(n_read > 0);
}

static void lease_is_read_from_an_ack_only(void **state)
{
    struct raw raw = make("350105ff", 0, 0);
    struct pxe_lease lease;

    (void)state;
    memcpy(raw.ptr + 16, (const uint8_t[]){10, 77, 8, 83, 10, 77, 0, 2}, 8);
    assert_false(pxe_lease_read(view(&raw), &lease)); /* a request */
    raw.ptr[0] = DHCP_OP_REPLY;
    assert_true(pxe_lease_read(view(&raw), &lease));
    assert_int_equal(lease.address, STATION);
    assert_int_equal(lease.next_server, OTHER);
    assert_memory_equal(lease.mac, "\x52\x54\x00\x77\x00\x01", 6);
    raw.ptr[242] = DHCP_TYPE_OFFER;
    assert_false(pxe_lease_read(view(&raw), &lease));
    raw.ptr[242] = DHCP_TYPE_ACK;
    memset(raw.ptr + 16, 0, 4); /* ours, or the answer to an INFORM */
    assert_false(pxe_lease_read(view(&raw), &lease));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_clients_are_understood),
        cmocka_unit_test(captured_packets_that_are_none_of_our_business_are_left_alone),
        cmocka_unit_test(request_on_67_is_ours_only_if_it_names_us),
        cmocka_unit_test(client_without_class_or_architecture_is_no_boot_client),
        cmocka_unit_test(only_ethernet_is_answered),
        cmocka_unit_test(ipxe_is_known_by_user_class_or_by_its_option),
        cmocka_unit_test(uuid_is_turned_into_the_order_of_its_text),
        cmocka_unit_test(offer_for_pxe_holds_everything_and_no_address),
        cmocka_unit_test(offer_is_this_very_packet),
        cmocka_unit_test(offer_for_http_boot_has_the_url_and_nothing_of_pxe),
        cmocka_unit_test(answer_on_4011_goes_back_where_the_question_came_from),
        cmocka_unit_test(boot_item_is_repeated_in_the_ack),
        cmocka_unit_test(answer_through_a_relay_goes_to_the_relay_with_its_option),
        cmocka_unit_test(client_with_an_address_is_answered_there),
        cmocka_unit_test(answer_is_never_larger_than_the_client_takes),
        cmocka_unit_test(option_57_bounds_the_answer_from_both_sides),
        cmocka_unit_test(answer_fits_or_says_so_at_every_capacity),
        cmocka_unit_test(every_prefix_of_a_question_is_survived),
        cmocka_unit_test(lease_is_read_from_an_ack_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

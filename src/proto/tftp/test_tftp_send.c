/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/tftp/tftp_send.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    ANY_SIZE = 100000,
    MTU_BLOCK = 1468,
};

static struct tftp_opts options(uint64_t blksize, uint64_t windowsize)
{
    return (struct tftp_opts){
        .asked = 1u << TFTP_OPT_BLKSIZE | 1u << TFTP_OPT_WINDOWSIZE | 1u << TFTP_OPT_TSIZE,
        .value = {blksize, 0, 0, windowsize},
    };
}

static const struct tftp_opts no_options = {.value = {512, 0, 0, 1}};

static struct tftp_send begin(struct tftp_opts opts, uint64_t size_bytes)
{
    struct tftp_send t;

    tftp_send_init(&t, &opts, &(struct tftp_send_limits){.block_bytes = MTU_BLOCK}, size_bytes, 0);
    return t;
}

static void ack(struct tftp_send *t, uint64_t block, uint64_t now_us)
{
    const uint8_t packet[] = {0, TFTP_ACK, (uint8_t)(block >> 8), (uint8_t)block};

    tftp_send_feed(t, (struct bytes){packet, sizeof(packet)}, now_us);
}

static void error(struct tftp_send *t, uint8_t code, uint64_t now_us)
{
    const uint8_t packet[] = {0, TFTP_ERROR, 0, code, 'n', 'o', 0};

    tftp_send_feed(t, (struct bytes){packet, sizeof(packet)}, now_us);
}

/* What it sent until it wants to wait or is done. */
struct burst {
    unsigned n_packets;
    uint64_t first; /* block; 0: none */
    uint64_t last;
    size_t last_len;
    uint8_t control[TFTP_SEND_CONTROL_MAX]; /* the last packet that was not DATA */
    size_t control_len;
    uint64_t deadline_us;
    bool is_done;
};

static struct burst poll_all(struct tftp_send *t, uint64_t now_us)
{
    struct burst b = {0};

    for (;;) {
        uint8_t packet[TFTP_SEND_CONTROL_MAX];
        struct sink out = {.ptr = packet, .cap = sizeof(packet)};
        struct tftp_send_step step = {0};
        enum tftp_send_want want = tftp_send_poll(t, now_us, &out, &step);

        b.is_done = want == TFTP_SEND_DONE;
        b.deadline_us = step.deadline_us;
        if (want == TFTP_SEND_WAIT || want == TFTP_SEND_DONE)
            return b;
        b.n_packets++;
        if (want == TFTP_SEND_EMIT) {
            memcpy(b.control, packet, out.len);
            b.control_len = out.len;
            continue;
        }
        b.last = step.offset / t->opts.value[TFTP_OPT_BLKSIZE] + 1;
        b.last_len = step.len;
        if (b.first == 0)
            b.first = b.last;
        assert_int_equal(packet[2] << 8 | packet[3], b.last & 0xffff);
    }
}

static void assert_blocks(struct burst b, uint64_t first, uint64_t last)
{
    assert_int_equal(b.first, first);
    assert_int_equal(b.last, last);
    assert_int_equal(b.n_packets, last - first + 1);
}

static void assert_silent(struct burst b)
{
    assert_int_equal(b.n_packets, 0);
    assert_false(b.is_done);
}

static void without_options_the_first_packet_is_block_1(void **state)
{
    (void)state;
    struct tftp_send t = begin(no_options, 513);

    assert_blocks(poll_all(&t, 0), 1, 1);
    ack(&t, 1, 1);

    struct burst b = poll_all(&t, 1);

    assert_blocks(b, 2, 2);
    assert_int_equal(b.last_len, 1);
    ack(&t, 2, 2);
    assert_true(poll_all(&t, 2).is_done);
    assert_int_equal(tftp_send_result(&t), TFTP_SEND_FINISHED);
    assert_int_equal(tftp_send_acked_bytes(&t), 513);
}

static void a_file_of_whole_blocks_ends_with_an_empty_one(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 512, 1024};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct tftp_send t = begin(no_options, sizes[i]);

        assert_int_equal(t.n_blocks, sizes[i] / 512 + 1);
        for (uint64_t block = 1; block < t.n_blocks; block++) {
            assert_int_equal(poll_all(&t, 0).last_len, 512);
            ack(&t, block, 0);
        }
        assert_int_equal(poll_all(&t, 0).last_len, 0);
        ack(&t, t.n_blocks, 0);
        assert_int_equal(tftp_send_result(&t), TFTP_SEND_FINISHED);
    }
}

static void the_oack_grants_no_more_than_fits(void **state)
{
    (void)state;
    static const uint64_t asked_and_granted[][4] = {
        /* block and window asked, granted */
        {8, 1, 8, 1},
        {1468, 64, 1468, 64},
        {1469, 65, 1468, 64},
        {65464, 65535, 1468, 64},
        {512, 4, 512, 4},
    };

    for (size_t i = 0; i < sizeof(asked_and_granted) / sizeof(asked_and_granted[0]); i++) {
        const uint64_t *v = asked_and_granted[i];
        struct tftp_send t = begin(options(v[0], v[1]), ANY_SIZE);
        struct burst b = poll_all(&t, 0);
        struct tftp_opts said;

        assert_int_equal(b.n_packets, 1);
        assert_int_equal(b.control[1], TFTP_OACK);
        (void)tftp_opts_parse((struct bytes){b.control + 2, b.control_len - 2}, &said);
        assert_int_equal(said.value[TFTP_OPT_BLKSIZE], v[2]);
        assert_int_equal(said.value[TFTP_OPT_WINDOWSIZE], v[3]);
        assert_int_equal(said.value[TFTP_OPT_TSIZE], ANY_SIZE);
    }
}

static void a_window_of_large_blocks_is_bounded_in_bytes(void **state)
{
    (void)state;
    struct tftp_opts opts = options(65464, 64);
    struct tftp_send t;

    tftp_send_init(&t, &opts, &(struct tftp_send_limits){.block_bytes = 65464}, ANY_SIZE, 0);
    assert_int_equal(t.opts.value[TFTP_OPT_BLKSIZE], 65464);
    assert_int_equal(t.opts.value[TFTP_OPT_WINDOWSIZE], 2);
}

static void nothing_follows_the_oack_until_it_is_acknowledged(void **state)
{
    (void)state;
    struct tftp_send t = begin(options(1000, 4), ANY_SIZE);

    assert_int_equal(poll_all(&t, 0).n_packets, 1);
    ack(&t, 1, 1);
    assert_silent(poll_all(&t, 1));
    ack(&t, 0, 2);
    assert_blocks(poll_all(&t, 2), 1, 4);
    ack(&t, 4, 3);
    assert_blocks(poll_all(&t, 3), 5, 8);
}

static void a_short_ack_sends_again_from_the_first_missing_block(void **state)
{
    (void)state;
    struct tftp_send t = begin(options(1000, 8), ANY_SIZE);

    (void)poll_all(&t, 0);
    ack(&t, 0, 100);
    assert_blocks(poll_all(&t, 100), 1, 8);
    ack(&t, 3, 200);
    assert_blocks(poll_all(&t, 200), 4, 11);
    ack(&t, 3, 300); /* the client saw another block behind the gap: it has been answered already */
    assert_silent(poll_all(&t, 300));
    ack(&t, 11, 400);
    assert_blocks(poll_all(&t, 400), 12, 19);
}

static void a_repeated_ack_a_round_trip_later_means_that_the_first_block_was_lost(void **state)
{
    (void)state;
    struct tftp_send t = begin(options(1000, 8), ANY_SIZE);

    (void)poll_all(&t, 0);
    ack(&t, 0, 1000);
    assert_blocks(poll_all(&t, 1000), 1, 8);
    ack(&t, 0, 1999); /* too soon to be an answer to block 1 */
    assert_silent(poll_all(&t, 1999));
    ack(&t, 0, 2000);
    assert_blocks(poll_all(&t, 2000), 1, 8);
    ack(&t, 0, 3000); /* once is enough; from here the deadline repairs it */
    assert_silent(poll_all(&t, 3000));
}

static void duplicated_acks_do_not_raise_the_sorcerers_apprentice(void **state)
{
    (void)state;
    struct tftp_send t = begin(no_options, ANY_SIZE);

    (void)poll_all(&t, 0);
    ack(&t, 1, 10);
    assert_blocks(poll_all(&t, 10), 2, 2);
    for (uint64_t now_us = 20; now_us < 900000; now_us += 10000) {
        ack(&t, 1, now_us);
        assert_silent(poll_all(&t, now_us));
    }
    ack(&t, 2, 900000);
    assert_blocks(poll_all(&t, 900000), 3, 3);
    ack(&t, 1, 900001); /* late, from long ago */
    assert_silent(poll_all(&t, 900001));
}

static void acks_of_what_was_never_sent_are_ignored(void **state)
{
    (void)state;
    struct tftp_send t = begin(options(1000, 4), ANY_SIZE);

    (void)poll_all(&t, 0);
    ack(&t, 0, 1);
    assert_blocks(poll_all(&t, 1), 1, 4);
    ack(&t, 5, 2);
    ack(&t, 65535, 3);
    assert_silent(poll_all(&t, 3));
    assert_int_equal(t.acked, 0);
}

static void it_backs_off_and_gives_up(void **state)
{
    (void)state;
    static const uint64_t waits_s[] = {1, 2, 4, 8, 8, 8, 8};
    struct tftp_send t = begin(no_options, ANY_SIZE);
    uint64_t now_us = 0;

    (void)poll_all(&t, 0);
    ack(&t, 1, 0);
    for (size_t i = 0; i < sizeof(waits_s) / sizeof(waits_s[0]); i++) {
        struct burst b = poll_all(&t, now_us);

        assert_blocks(b, 2, 2);
        assert_int_equal(b.deadline_us, now_us + waits_s[i] * 1000000);
        assert_silent(poll_all(&t, b.deadline_us - 1));
        now_us = b.deadline_us;
    }
    assert_true(poll_all(&t, now_us).is_done);
    assert_int_equal(tftp_send_result(&t), TFTP_SEND_UNANSWERED);
}

static void it_gives_up_sooner_on_who_never_answered(void **state)
{
    (void)state;
    struct tftp_send t = begin(options(1468, 64), ANY_SIZE);
    unsigned n_packets = 0;
    struct burst b = {0};

    do {
        b = poll_all(&t, b.deadline_us);
        n_packets += b.n_packets;
    } while (!b.is_done);
    assert_int_equal(n_packets, 1 + TFTP_SEND_RETRIES_UNPROVEN_MAX);
    assert_int_equal(tftp_send_result(&t), TFTP_SEND_UNANSWERED);
}

static void the_timeout_option_sets_the_rhythm(void **state)
{
    (void)state;
    struct tftp_opts opts = {.asked = 1u << TFTP_OPT_TIMEOUT, .value = {512, 3, 0, 1}};
    struct tftp_send t = begin(opts, ANY_SIZE);

    assert_int_equal(poll_all(&t, 0).deadline_us, 3000000);
    assert_int_equal(poll_all(&t, 3000000).deadline_us, 6000000);
    opts.value[TFTP_OPT_TIMEOUT] = TFTP_SEND_TIMEOUT_MAX_S + 1;
    t = begin(opts, ANY_SIZE);
    assert_blocks(
        poll_all(&t, 0), 1, 1); /* not granted; nothing else was asked, so there is no OACK */
}

static void a_client_that_only_wanted_the_size_is_not_a_failure(void **state)
{
    (void)state;
    struct tftp_send t = begin(options(1468, 4), ANY_SIZE);

    (void)poll_all(&t, 0);
    error(&t, TFTP_ERROR_OPTIONS, 1);
    assert_true(poll_all(&t, 1).is_done);
    assert_int_equal(tftp_send_result(&t), TFTP_SEND_SIZE_ONLY);
}

static void an_error_in_the_middle_ends_it(void **state)
{
    (void)state;
    struct tftp_send t = begin(no_options, ANY_SIZE);

    (void)poll_all(&t, 0);
    ack(&t, 1, 1);
    (void)poll_all(&t, 1);
    error(&t, TFTP_ERROR_FULL, 2);

    struct burst b = poll_all(&t, 2);

    assert_true(b.is_done);
    assert_int_equal(b.n_packets, 0); /* an ERROR is never answered */
    assert_int_equal(tftp_send_result(&t), TFTP_SEND_REFUSED);
    assert_string_equal(t.error_text, "no");
}

static void a_lost_last_ack_is_told_from_a_lost_client(void **state)
{
    (void)state;
    struct tftp_send t = begin(no_options, 100);
    struct burst b = {0};

    do
        b = poll_all(&t, b.deadline_us);
    while (!b.is_done);
    assert_int_equal(tftp_send_result(&t), TFTP_SEND_UNCONFIRMED);
}

static void a_failure_of_ours_is_told_to_the_client_once(void **state)
{
    (void)state;
    struct tftp_send t = begin(no_options, ANY_SIZE);

    (void)poll_all(&t, 0);
    tftp_send_fail(&t, TFTP_ERROR_OTHER, "the disk is gone");

    struct burst b = poll_all(&t, 1);

    assert_true(b.is_done);
    assert_int_equal(b.n_packets, 1);
    assert_int_equal(b.control[1], TFTP_ERROR);
    assert_string_equal((const char *)b.control + TFTP_HEADER_BYTES, "the disk is gone");
    assert_int_equal(tftp_send_result(&t), TFTP_SEND_FAILED);
}

static void every_prefix_of_a_packet_is_harmless(void **state)
{
    (void)state;
    static const uint8_t packet[] = {0, TFTP_ACK, 0, 1};

    for (size_t len = 0; len < sizeof(packet); len++) {
        struct tftp_send t = begin(no_options, ANY_SIZE);

        (void)poll_all(&t, 0);
        tftp_send_feed(&t, (struct bytes){packet, len}, 1);
        assert_int_equal(t.acked, 0);
        assert_int_equal(tftp_send_result(&t), TFTP_SEND_RUNNING);
    }
}

static void more_blocks_than_16_bits_count(void **state)
{
    (void)state;
    static const uint64_t windows[] = {1, 7, 64};

    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        struct tftp_send t = begin(options(8, windows[i]), 8 * UINT64_C(140000) + 3);
        struct burst b;

        (void)poll_all(&t, 0);
        ack(&t, 0, 0);
        while (!(b = poll_all(&t, 0)).is_done) {
            assert_int_equal(b.first, t.acked + 1);
            ack(&t, b.last, 0);
        }
        assert_int_equal(tftp_send_result(&t), TFTP_SEND_FINISHED);
        assert_int_equal(t.acked, 140001);
        assert_int_equal(tftp_send_acked_bytes(&t), t.size_bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_the_first_packet_is_block_1),
        cmocka_unit_test(a_file_of_whole_blocks_ends_with_an_empty_one),
        cmocka_unit_test(the_oack_grants_no_more_than_fits),
        cmocka_unit_test(a_window_of_large_blocks_is_bounded_in_bytes),
        cmocka_unit_test(nothing_follows_the_oack_until_it_is_acknowledged),
        cmocka_unit_test(a_short_ack_sends_again_from_the_first_missing_block),
        cmocka_unit_test(a_repeated_ack_a_round_trip_later_means_that_the_first_block_was_lost),
        cmocka_unit_test(duplicated_acks_do_not_raise_the_sorcerers_apprentice),
        cmocka_unit_test(acks_of_what_was_never_sent_are_ignored),
        cmocka_unit_test(it_backs_off_and_gives_up),
        cmocka_unit_test(it_gives_up_sooner_on_who_never_answered),
        cmocka_unit_test(the_timeout_option_sets_the_rhythm),
        cmocka_unit_test(a_client_that_only_wanted_the_size_is_not_a_failure),
        cmocka_unit_test(an_error_in_the_middle_ends_it),
        cmocka_unit_test(a_lost_last_ack_is_told_from_a_lost_client),
        cmocka_unit_test(a_failure_of_ours_is_told_to_the_client_once),
        cmocka_unit_test(every_prefix_of_a_packet_is_harmless),
        cmocka_unit_test(more_blocks_than_16_bits_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/order.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char order_text[] =
    "{\"order_id\": \"0190f5b0-0000-7000-8000-000000000001\", \"deployment_id\": \"SLP20001\","
    " \"device_id\": \"d1\", \"device_name\": \"pc-1\", \"attempt\": 2, \"deadline_us\": 5,"
    " \"purpose\": \"required\", \"task_sequence\": {\"id\": \"SLP00003\", \"name\": \"ts\","
    " \"xml\": \"<sequence version='3.10'/>\", \"children\": [{\"id\": \"SLP00009\","
    " \"xml\": \"<x/>\", \"is_disabled\": true}]}, \"variables\": {\"A\": \"b\"}, \"secret_variables\": [\"A\"],"
    " \"content\": {\"SLP00002\": {\"kind\": \"os-image\", \"name\": \"n\", \"indexes\":"
    " [{\"index\": 1, \"manifest\": \"" HASH "\", \"size_bytes\": 7},"
    " {\"index\": 2, \"manifest\": \"" HASH "\", \"size_bytes\": 7, \"has_unix_data\": false,"
    " \"is_windows\": true}]},"
    " \"SLP00001\": {\"kind\": \"boot-image\", \"files\": {\"vmlinuz\": {\"size\": 9,"
    " \"sha256\": \"" HASH "\"}}}}, \"sources\": [\"http://10.77.0.1\"], \"failed_wait_s\": 900}";

DEFINE_FREEP(struct order *, order_free);

static int parse(const json_t *json, struct order **ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    int r = order_parse(json, ret, &why);

    assert_int_equal(r == ORDER_E_MALFORMED, why.len > 0);
    return r;
}

static void an_image_is_applied_to_linux_unless_the_site_says_what_hinders(void **state)
{
    (void)state;
    OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
    OWN(order_freep) struct order *order = NULL;
    const struct order_index *indexes;

    assert_int_equal(parse(json, &order), 0);
    indexes = order_find_content(order, "SLP00002")->indexes;
    assert_false(indexes[0].has_no_unix_data);
    assert_false(indexes[0].is_windows);
    assert_true(indexes[1].has_no_unix_data);
    assert_true(indexes[1].is_windows);
}

static void parse_copies_every_field(void **state)
{
    (void)state;
    OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
    OWN(order_freep) struct order *order = NULL;

    assert_int_equal(parse(json, &order), 0);
    assert_string_equal(order->order_id, "0190f5b0-0000-7000-8000-000000000001");
    assert_string_equal(order->task_sequence_xml, "<sequence version='3.10'/>");
    assert_int_equal(order->n_children, 1);
    assert_string_equal(order->children[0].id, "SLP00009");
    assert_string_equal(order->children[0].xml, "<x/>");
    assert_true(order->children[0].is_disabled);
    assert_int_equal(order->n_secrets, 1);
    assert_string_equal(order->secrets[0], "A");
    assert_string_equal(order->boot_image_id, "SLP00001");
    assert_int_equal(order->attempt, 2);
    assert_true(order->is_required);
    assert_int_equal(order->failed_wait_us, 900 * 1000000);
    assert_int_equal(order->n_content, 2);
    assert_int_equal(order_find_content(order, "SLP00002")->indexes[0].size_bytes, 7);
    assert_int_equal(order_find_content(order, "SLP00002")->indexes[0].manifest[1], 0x11);
    assert_string_equal(order_find_content(order, "SLP00001")->files[0].name, "vmlinuz");
    assert_null(order_find_content(order, "SLP00009"));
    assert_string_equal(order->sources[0], "http://10.77.0.1");
    assert_true(json_equal(order->raw, json));
}

static void an_order_is_for_32_bits_unless_each_system_is_known_to_be_wider(void **state)
{
    (void)state;
    OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
    OWN(order_freep) struct order *order = NULL;
    json_t *image = json_object_get(json_object_get(json, "content"), "SLP00002");
    json_t *indexes = json_object_get(image, "indexes");
    json_t *index = json_array_get(indexes, 0);
    static const char *const archs[] = {"", "x86", "x64"};

    assert_int_equal(parse(json, &order), 0);
    assert_true(order_has_32_bits(order));
    while (json_array_size(indexes) > 1)
        (void)json_array_remove(indexes, 1);
    for (size_t i = 0; i < 3; i++) {
        order_free(TAKE(order));
        assert_int_equal(json_object_set_new(index, "arch", json_string(archs[i])), 0);
        assert_int_equal(parse(json, &order), 0);
        assert_int_equal(order_has_32_bits(order), strcmp(archs[i], "x64") != 0);
    }
    order->n_content = 0;
    assert_true(order_has_32_bits(order));
    order->n_content = 2;
}

static void progress_is_shown_unless_the_site_says_otherwise(void **state)
{
    (void)state;
    OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
    OWN(order_freep) struct order *order = NULL;

    assert_int_equal(parse(json, &order), 0);
    assert_true(order->is_progress_shown);
    order_free(TAKE(order));
    assert_int_equal(json_object_set_new(json, "is_progress_shown", json_false()), 0);
    assert_int_equal(parse(json, &order), 0);
    assert_false(order->is_progress_shown);
}

static void content_is_streamed_unless_the_site_says_otherwise(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum order_content_option option;
    } cases[] = {{"stream", ORDER_STREAM},
                 {"download-when-needed", ORDER_DOWNLOAD_WHEN_NEEDED},
                 {"download-all-first", ORDER_DOWNLOAD_ALL_FIRST}};
    OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
    OWN(order_freep) struct order *order = NULL;

    assert_int_equal(parse(json, &order), 0);
    assert_int_equal(order->content_option, ORDER_STREAM);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        order_free(TAKE(order));
        (void)json_object_set_new(json, "content_option", json_string(cases[i].text));
        assert_int_equal(parse(json, &order), 0);
        assert_int_equal(order->content_option, cases[i].option);
    }
    order_free(TAKE(order));
    (void)json_object_set_new(json, "content_option", json_string("sometimes"));
    assert_int_equal(parse(json, &order), ORDER_E_MALFORMED);
}

static void a_package_is_where_the_site_says_and_else_where_the_order_says(void **state)
{
    (void)state;
    OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
    OWN(order_freep) struct order *order = NULL;
    json_t *image = json_object_get(json_object_get(json, "content"), "SLP00002");
    const char *const *sources = NULL;

    assert_int_equal(
        json_object_set_new(
            image, "sources", json_pack("[s,s]", "http://10.0.0.2:8080", "http://10.0.0.1")),
        0);
    assert_int_equal(parse(json, &order), 0);
    assert_int_equal(order_sources_of(order, order_find_content(order, "SLP00002"), &sources), 2);
    assert_string_equal(sources[0], "http://10.0.0.2:8080");
    assert_string_equal(sources[1], "http://10.0.0.1");
    assert_int_equal(order_sources_of(order, order_find_content(order, "SLP00001"), &sources), 1);
    assert_string_equal(sources[0], "http://10.77.0.1");
    assert_int_equal(order_sources_of(order, NULL, &sources), 1);
}

static void a_package_with_a_folder_has_its_manifest(void **state)
{
    (void)state;
    OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
    OWN(order_freep) struct order *order = NULL;
    json_t *content = json_object_get(json, "content");
    const struct order_content *package;

    assert_int_equal(json_object_set_new(content,
                                         "SLP00012",
                                         json_pack("{s:s,s:s,s:s,s:i}",
                                                   "kind",
                                                   "package",
                                                   "name",
                                                   "Tools",
                                                   "manifest",
                                                   HASH,
                                                   "size_bytes",
                                                   1234)),
                     0);
    assert_int_equal(parse(json, &order), 0);
    package = order_find_content(order, "SLP00012");
    assert_true(package->has_manifest);
    assert_int_equal(package->size_bytes, 1234);
    assert_false(order_find_content(order, "SLP00002")->has_manifest);
    assert_int_equal(
        json_object_set_new(json_object_get(content, "SLP00012"), "manifest", json_string("0123")),
        0);
    order_free(TAKE(order));
    assert_int_equal(parse(json, &order), ORDER_E_MALFORMED);
}

static void a_package_that_is_nowhere_has_no_source(void **state)
{
    (void)state;
    OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
    OWN(order_freep) struct order *order = NULL;
    json_t *image = json_object_get(json_object_get(json, "content"), "SLP00002");
    const char *const *sources = NULL;

    assert_int_equal(json_object_set_new(image, "sources", json_array()), 0);
    assert_int_equal(parse(json, &order), 0);
    assert_int_equal(order_sources_of(order, order_find_content(order, "SLP00002"), &sources), 0);
}

static void parse_refuses_a_source_that_is_no_url(void **state)
{
    (void)state;
    OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
    OWN(order_freep) struct order *order = NULL;
    json_t *image = json_object_get(json_object_get(json, "content"), "SLP00002");

    assert_int_equal(
        json_object_set_new(image, "sources", json_pack("[s,s]", "http://a", "file:///etc")), 0);
    assert_int_equal(parse(json, &order), ORDER_E_MALFORMED);
    assert_null(order);
}

static void parse_refuses_an_order_without_any_one_of_its_fields(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "order_id",
        "deployment_id",
        "device_id",
        "device_name",
        "attempt",
        "deadline_us",
        "purpose",
        "task_sequence",
        "variables",
        "content",
        "sources",
        "failed_wait_s",
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
        OWN(order_freep) struct order *order = NULL;

        assert_int_equal(json_object_del(json, fields[i]), 0);
        assert_int_equal(parse(json, &order), ORDER_E_MALFORMED);
        assert_null(order);
    }
}

static void parse_refuses_names_that_would_leave_their_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"../vmlinuz", "..", "a/b", "", ".hidden", "a\\b"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
        OWN(order_freep) struct order *order = NULL;
        json_t *boot = json_object_get(json_object_get(json, "content"), "SLP00001");
        json_t *files = json_object_get(boot, "files");

        assert_int_equal(json_object_set(files, names[i], json_object_get(files, "vmlinuz")), 0);
        assert_int_equal(parse(json, &order), ORDER_E_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_for_32_bits_unless_each_system_is_known_to_be_wider),
        cmocka_unit_test(parse_copies_every_field),
        cmocka_unit_test(progress_is_shown_unless_the_site_says_otherwise),
        cmocka_unit_test(content_is_streamed_unless_the_site_says_otherwise),
        cmocka_unit_test(a_package_is_where_the_site_says_and_else_where_the_order_says),
        cmocka_unit_test(a_package_with_a_folder_has_its_manifest),
        cmocka_unit_test(a_package_that_is_nowhere_has_no_source),
        cmocka_unit_test(parse_refuses_a_source_that_is_no_url),
        cmocka_unit_test(an_image_is_applied_to_linux_unless_the_site_says_what_hinders),
        cmocka_unit_test(parse_refuses_an_order_without_any_one_of_its_fields),
        cmocka_unit_test(parse_refuses_names_that_would_leave_their_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_packages.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

static struct ts_document *parse(const char *text)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct ts_document *doc = NULL;

    assert_int_equal(ts_document_parse(bytes_of(text), &doc, &diags), 0);
    return doc;
}

#define SETS(name, value) \
    "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"x\"><defaultVarList><variable name=\"VariableName\" " \
    "property=\"VariableName\" hidden=\"true\">" name \
    "</variable><variable name=\"VariableValue\" " \
    "property=\"VariableValue\" hidden=\"true\">" value "</variable></defaultVarList></step>"
#define INSTALLS(type, base) \
    "<step type=\"SMS_TaskSequence_Install" type "Action\" name=\"x\"><defaultVarList>" \
    "<variable name=\"BaseVariableName\" property=\"BaseVariableName\" hidden=\"true\">" base \
    "</variable></defaultVarList></step>"

static void packages_that_the_document_puts_into_a_list_are_packages_too(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse(
        "<sequence version=\"3.10\">" SETS("Tool001", "SLP00021:Install")
            SETS("TOOL002", "SLP00022:x") SETS("Tool03", "SLP00023:x") SETS("App01", "SLP00024")
                SETS("App001", "SLP00025") SETS("App02", "Editor") SETS("Other001", "SLP00026:x")
                    SETS("Tool003", "%Id%:x") INSTALLS("Software", "Tool")
                        INSTALLS("Application", "App") "</sequence>");
    size_t n;
    const char *const *packages = ts_document_packages(doc, &n);

    assert_int_equal(n, 3);
    assert_string_equal(packages[0], "SLP00021");
    assert_string_equal(packages[1], "SLP00022");
    assert_string_equal(packages[2], "SLP00024");
}

/* With the base names in the order in which they stand, among many others. */
static void the_list_of_a_package_is_found_whatever_others_there_are(void **state)
{
    (void)state;
    enum {
        N = 300,
    };
    OWN(buf_fini) struct buf text = BUF_INIT(TS_XML_MAX_BYTES);
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    const char *const *packages;
    size_t n;

    buf_adds(&text,
             "<sequence version=\"3.10\">" INSTALLS("Software", "") INSTALLS("Software", "List"));
    for (unsigned i = 0; i < N; i++) {
        unsigned k = i * 7919 % 1000;

        buf_addf(&text, INSTALLS("Software", "%s%03ux") "", i % 2 ? "list" : "LIST", k);
        buf_addf(&text, SETS("%s%03uX%03u", "SLP%05X:Install"), i % 3 ? "LisT" : "list", k, i, k);
        buf_addf(&text, SETS("%03ux%03u", "SLP0FFFF:Install"), k, i); /* no list begins so */
        buf_addf(&text, SETS("list%03ux%02u", "SLP0FFFE:Install"), k, i % 100);
        buf_addf(&text, SETS("list%03uxx%03u", "SLP0FFFD:Install"), k, i);
    }
    buf_adds(&text, SETS("001", "SLP0FFFC:Install") "</sequence>");
    doc = parse(buf_str(&text));
    packages = ts_document_packages(doc, &n);
    assert_int_equal(n, N);
    for (unsigned i = 0; i < N; i++) {
        char id[TS_PACKAGE_ID_MAX];

        (void)snprintf(id, sizeof(id), "SLP%05X", i * 7919 % 1000);
        assert_string_equal(packages[i], id);
    }
}

static void an_id_is_left_where_it_stands_first(void **state)
{
    (void)state;
    const char *ids[] = {"SLP00002", "SLP00001", "SLP00002", "SLP00003", "SLP00001", "SLP00002"};
    size_t n = 6;

    assert_int_equal(ts_packages_once(ids, &n), 0);
    assert_int_equal(n, 3);
    assert_string_equal(ids[0], "SLP00002");
    assert_string_equal(ids[1], "SLP00001");
    assert_string_equal(ids[2], "SLP00003");
    n = 0;
    assert_int_equal(ts_packages_once(ids, &n), 0);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packages_that_the_document_puts_into_a_list_are_packages_too),
        cmocka_unit_test(the_list_of_a_package_is_found_whatever_others_there_are),
        cmocka_unit_test(an_id_is_left_where_it_stands_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

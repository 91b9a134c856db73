/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/cmtrace/log_settings.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct log_settings parse(const char *ini)
{
    struct log_settings s;

    log_settings_init(&s);
    log_settings_parse(bytes_of(ini), &s);
    return s;
}

static void the_section_logging_is_read(void **state)
{
    (void)state;
    struct log_settings s = parse("\xef\xbb\xbf; of ours\r\n[Other]\r\nLOGMAXSIZE=20000\r\n"
                                  "[logging]\r\n LogMaxSize = 1000000 \r\nLOGMAXHISTORY=5\r\n"
                                  "LOGLEVEL=2\r\nDEBUGLOGGING=0\r\n[More]\r\nLOGMAXHISTORY=1\r\n");

    assert_int_equal(s.max_bytes, 1000000);
    assert_int_equal(s.n_old, 5);
    assert_int_equal(s.least, CMTRACE_WARNING);
}

static void what_a_file_does_not_say_stays_as_it_is(void **state)
{
    (void)state;
    struct log_settings s =
        parse("[Logging]\nLOGMAXSIZE=lots\nLOGMAXHISTORY=10\nLOGLEVEL=4\n"
              "LOGMAXSIZE=9999\nLOGMAXSIZE=99999999\nDEBUGLOGGING=maybe\nno line");

    assert_int_equal(s.max_bytes, LOG_SETTINGS_BYTES_DEFAULT);
    assert_int_equal(s.n_old, LOG_SETTINGS_OLD_DEFAULT);
    assert_int_equal(s.least, CMTRACE_INFORMATION);
}

static void levels_are_those_of_the_client(void **state)
{
    (void)state;
    assert_int_equal(parse("[Logging]\nLOGLEVEL=0").least, CMTRACE_INFORMATION);
    assert_int_equal(parse("[Logging]\nLOGLEVEL=1").least, CMTRACE_INFORMATION);
    assert_int_equal(parse("[Logging]\nLOGLEVEL=2").least, CMTRACE_WARNING);
    assert_int_equal(parse("[Logging]\nLOGLEVEL=3").least, CMTRACE_ERROR);
    assert_int_equal(parse("[Logging]\nLOGLEVEL=3\nDEBUGLOGGING=1").least, CMTRACE_INFORMATION);
    assert_int_equal(parse("[Logging]\nLOGMAXHISTORY=0").n_old, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_section_logging_is_read),
        cmocka_unit_test(what_a_file_does_not_say_stays_as_it_is),
        cmocka_unit_test(levels_are_those_of_the_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

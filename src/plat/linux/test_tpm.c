/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A TPM in a process, swtpm, who makes credentials for it without one, and the programs of tpm2-tools, which do the same. */

#include "plat/tpm.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "plat/linux/swtpm.h"
#include "plat/process.h"
#include "plat/random.h"
#include "plat/tpm_credential.h"

enum {
    FILE_MAX = 4096,
    TOOL_US = 60 * 1000 * 1000,
    TCTI_MAX = 64,
    CREDENTIAL_VERSION = 1, /* of a file of tpm2-tools */
    PAUSE_US = 1000,
};

static const uint8_t credential_magic[] = {0xba, 0xdc, 0xc0, 0xde};

static struct tpm_credential credential_for(const struct swtpm *m, const uint8_t *secret)
{
    struct tpm_credential credential;

    assert_int_equal(tpm_name(m->tpm).len, TPM_CREDENTIAL_NAME_BYTES);
    assert_int_equal(
        tpm_credential_make(tpm_public(m->tpm), tpm_name(m->tpm).ptr, secret, &credential), 0);
    return credential;
}

static int try(struct swtpm *m, const struct tpm_credential *credential, uint8_t *ret, size_t *len)
{
    return tpm_activate(m->tpm,
                        (struct bytes){credential->blob, sizeof(credential->blob)},
                        (struct bytes){credential->encrypted, sizeof(credential->encrypted)},
                        ret,
                        len);
}

static void a_credential_is_opened_by_its_tpm_alone(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm ours = swtpm_start();
    OWN(swtpm_stop) struct swtpm other = swtpm_start();
    uint8_t secret[TPM_CREDENTIAL_SECRET_BYTES];
    uint8_t found[TPM_SECRET_MAX_BYTES];
    struct tpm_credential credential;
    size_t len = 0;

    random_bytes(secret, sizeof(secret));
    credential = credential_for(&ours, secret);
    assert_int_equal(try(&ours, &credential, found, &len), 0);
    assert_int_equal(len, sizeof(secret));
    assert_memory_equal(found, secret, sizeof(secret));
    assert_int_equal(try(&other, &credential, found, &len), TPM_E_REFUSED);
    assert_int_equal(try(&ours, &credential, found, &len), 0); /* again, nothing is used up */
}

static void a_credential_that_was_changed_or_is_for_another_name_is_refused(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm m = swtpm_start();
    uint8_t secret[TPM_CREDENTIAL_SECRET_BYTES] = {1};
    uint8_t found[TPM_SECRET_MAX_BYTES];
    uint8_t name[TPM_CREDENTIAL_NAME_BYTES];
    struct tpm_credential good = credential_for(&m, secret);
    struct tpm_credential bad = good;
    size_t len = 0;

    for (size_t i = 0; i < sizeof(bad.blob); i += 9) {
        bad = good;
        bad.blob[i] ^= 1;
        assert_int_equal(try(&m, &bad, found, &len), TPM_E_REFUSED);
    }
    bad = good;
    bad.encrypted[100] ^= 1;
    assert_int_equal(try(&m, &bad, found, &len), TPM_E_REFUSED);
    memcpy(name, tpm_name(m.tpm).ptr, sizeof(name));
    name[5] ^= 1;
    assert_int_equal(tpm_credential_make(tpm_public(m.tpm), name, secret, &bad), 0);
    assert_int_equal(try(&m, &bad, found, &len), TPM_E_REFUSED);
    assert_int_equal(try(&m, &good, found, &len), 0);
}

static void the_key_is_the_same_each_time_and_another_one_in_another_tpm(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm m = swtpm_start();
    OWN(swtpm_stop) struct swtpm other = swtpm_start();
    uint8_t before[TPM_PUBLIC_MAX_BYTES];
    size_t len = tpm_public(m.tpm).len;

    memcpy(before, tpm_public(m.tpm).ptr, len);
    tpm_free(m.tpm);
    m.tpm = NULL;
    assert_int_equal(tpm_open(m.device, SWTPM_PATIENCE_US, &m.tpm), 0);
    assert_int_equal(tpm_public(m.tpm).len, len);
    assert_memory_equal(tpm_public(m.tpm).ptr, before, len);
    assert_memory_not_equal(tpm_public(other.tpm).ptr, before, len);
}

static void only_a_public_area_of_the_template_is_taken(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm m = swtpm_start();
    struct bytes public = tpm_public(m.tpm);
    struct bytes modulus;
    uint8_t copy[TPM_PUBLIC_MAX_BYTES] = {0};

    assert_true(tpm_credential_parse(public, &modulus));
    assert_int_equal(modulus.len, 256);
    for (size_t len = 0; len < public.len; len++) {
        uint8_t *exact = malloc(len + 1);

        assert_non_null(exact);
        memcpy(exact, public.ptr, len);
        assert_false(tpm_credential_parse((struct bytes){exact, len}, &modulus));
        free(exact);
    }
    for (size_t i = 0; i < public.len - modulus.len; i++) {
        memcpy(copy, public.ptr, public.len);
        copy[i] ^= 1;
        assert_false(tpm_credential_parse((struct bytes){copy, public.len}, &modulus));
    }
}

static void where_there_is_no_tpm_there_is_none(void **state)
{
    (void)state;
    struct tpm *tpm = NULL;

    assert_int_equal(tpm_open("/nonexistent/tpmrm0", SWTPM_PATIENCE_US, &tpm), TPM_E_NONE);
    assert_null(tpm);
}

/* A program of tpm2-tools, in the TPM's folder. @argv: ends with NULL; room for two more. @tcti: where it finds the TPM. Return: its exit code */
static int run_tool(const struct swtpm *m, const char *tcti, const char **argv)
{
    OWN(buf_fini) struct buf output = BUF_INIT(FILE_MAX);
    struct process_result result;
    size_t n = 0;

    while (argv[n])
        n++;
    argv[n] = "-T";
    argv[n + 1] = tcti;
    assert_int_equal(process_run(
                         &(struct process_options){
                             .argv = argv,
                             .folder = m->folder,
                             .output = &output,
                             .timeout_us = TOOL_US,
                         },
                         &result),
                     0);
    if (result.exit_code != 0)
        print_message("%s: %s\n", argv[0], buf_str(&output));
    assert_int_equal(result.signal, 0);
    return result.exit_code;
}

#define TRY_TOOL(m, tcti, ...) run_tool(m, tcti, (const char *[]){__VA_ARGS__, NULL, NULL, NULL})
#define RUN_TOOL(...)          assert_int_equal(TRY_TOOL(__VA_ARGS__), 0)

/* Of this TPM. */
static void put_tcti(const struct swtpm *m, char ret[static TCTI_MAX])
{
    (void)snprintf(ret, TCTI_MAX, "device:%s", m->device);
}

static struct bytes read_result(const struct swtpm *m, const char *name, struct buf *dst)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/%s", m->folder, name);
    assert_int_equal(file_read(path, dst), 0);
    return buf_bytes(dst);
}

static void write_input(const struct swtpm *m, const char *name, struct bytes content)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/%s", m->folder, name);
    assert_int_equal(file_write(path, content, 0600), 0);
}

/* Both halves with their lengths, behind what says that it is such a file. */
static void put_file(const struct tpm_credential *credential, struct sink *dst)
{
    sink_bytes(dst, (struct bytes){credential_magic, sizeof(credential_magic)});
    sink_u32be(dst, CREDENTIAL_VERSION);
    sink_u16be(dst, sizeof(credential->blob));
    sink_bytes(dst, (struct bytes){credential->blob, sizeof(credential->blob)});
    sink_u16be(dst, sizeof(credential->encrypted));
    sink_bytes(dst, (struct bytes){credential->encrypted, sizeof(credential->encrypted)});
    assert_false(dst->full);
}

static void our_credential_is_opened_by_another_program(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm m = swtpm_new();
    char tcti[TCTI_MAX];
    OWN(buf_fini) struct buf public_file = BUF_INIT(FILE_MAX);
    OWN(buf_fini) struct buf name_file = BUF_INIT(FILE_MAX);
    OWN(buf_fini) struct buf found_file = BUF_INIT(FILE_MAX);
    struct bytes public;
    struct bytes name;
    struct bytes found;
    uint8_t secret[TPM_CREDENTIAL_SECRET_BYTES];
    uint8_t text[FILE_MAX];
    struct sink file = {.ptr = text, .cap = sizeof(text)};
    struct tpm_credential credential;

    put_tcti(&m, tcti);
    RUN_TOOL(&m, tcti, "tpm2_createek", "-G", "rsa", "-c", "ek.ctx", "-u", "ek.pub");
    RUN_TOOL(
        &m, tcti, "tpm2_createak", "-C", "ek.ctx", "-c", "ak.ctx", "-G", "ecc", "-n", "ak.name");
    RUN_TOOL(&m, tcti, "tpm2_flushcontext", "-t");
    public = read_result(&m, "ek.pub", &public_file);
    name = read_result(&m, "ak.name", &name_file);
    assert_int_equal(name.len, TPM_CREDENTIAL_NAME_BYTES);
    random_bytes(secret, sizeof(secret));
    assert_int_equal(
        tpm_credential_make(
            (struct bytes){public.ptr + 2, public.len - 2}, name.ptr, secret, &credential),
        0);
    put_file(&credential, &file);
    write_input(&m, "credential", (struct bytes){text, file.len});
    RUN_TOOL(&m, tcti, "tpm2_startauthsession", "--policy-session", "-S", "session");
    RUN_TOOL(&m, tcti, "tpm2_policysecret", "-S", "session", "-c", "e");
    RUN_TOOL(&m,
             tcti,
             "tpm2_activatecredential",
             "-C",
             "ek.ctx",
             "-c",
             "ak.ctx",
             "-i",
             "credential",
             "-o",
             "found",
             "-P",
             "session:session");
    found = read_result(&m, "found", &found_file);
    assert_int_equal(found.len, sizeof(secret));
    assert_memory_equal(found.ptr, secret, sizeof(secret));
}

static void the_credential_of_another_program_is_opened_by_us(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm m = swtpm_new();
    char tcti[TCTI_MAX];
    OWN(buf_fini) struct buf public_file = BUF_INIT(FILE_MAX);
    OWN(buf_fini) struct buf credential_file = BUF_INIT(FILE_MAX);
    struct bytes public;
    struct bytes file;
    uint8_t secret[TPM_CREDENTIAL_SECRET_BYTES];
    uint8_t found[TPM_SECRET_MAX_BYTES];
    char name[2 * TPM_NAME_MAX_BYTES + 1];
    struct tpm_credential theirs;
    size_t len = 0;

    put_tcti(&m, tcti);
    RUN_TOOL(&m, tcti, "tpm2_createek", "-G", "rsa", "-c", "ek.ctx", "-u", "ek.pub");
    RUN_TOOL(&m, tcti, "tpm2_flushcontext", "-t");
    assert_int_equal(tpm_open(m.device, SWTPM_PATIENCE_US, &m.tpm), 0);
    public = read_result(&m, "ek.pub", &public_file);
    assert_int_equal(public.len, 2 + tpm_public(m.tpm).len); /* it is the key that they know */
    assert_memory_equal(public.ptr + 2, tpm_public(m.tpm).ptr, tpm_public(m.tpm).len);
    random_bytes(secret, sizeof(secret));
    write_input(&m, "secret", (struct bytes){secret, sizeof(secret)});
    hex_put(name, tpm_name(m.tpm));
    RUN_TOOL(&m,
             "none",
             "tpm2_makecredential",
             "-e",
             "ek.pub",
             "-s",
             "secret",
             "-n",
             name,
             "-o",
             "credential");
    file = read_result(&m, "credential", &credential_file);
    assert_int_equal(file.len, 12 + sizeof(theirs.blob) + sizeof(theirs.encrypted));
    memcpy(theirs.blob, file.ptr + 10, sizeof(theirs.blob));
    memcpy(theirs.encrypted, file.ptr + 12 + sizeof(theirs.blob), sizeof(theirs.encrypted));
    assert_int_equal(try(&m, &theirs, found, &len), 0);
    assert_int_equal(len, sizeof(secret));
    assert_memory_equal(found, secret, sizeof(secret));
}

static void a_tpm_whose_owner_keeps_the_hierarchy_to_himself_is_none(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm m = swtpm_new();
    char tcti[TCTI_MAX];

    put_tcti(&m, tcti);
    RUN_TOOL(&m, tcti, "tpm2_changeauth", "-c", "e", "password");
    assert_int_equal(tpm_open(m.device, SWTPM_PATIENCE_US, &m.tpm), TPM_E_NONE);
    assert_null(m.tpm);
}

static void one_that_refuses_passwords_for_a_while_answers(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm m = swtpm_new();
    char tcti[TCTI_MAX];
    uint8_t secret[TPM_CREDENTIAL_SECRET_BYTES] = {1};
    uint8_t found[TPM_SECRET_MAX_BYTES];
    struct tpm_credential credential;
    size_t len = 0;

    put_tcti(&m, tcti);
    RUN_TOOL(&m,
             tcti,
             "tpm2_dictionarylockout",
             "--setup-parameters",
             "--max-tries=1",
             "--recovery-time=1000",
             "--lockout-recovery-time=1000");
    RUN_TOOL(&m, tcti, "tpm2_createprimary", "-C", "o", "-p", "right", "-c", "key.ctx");
    assert_int_not_equal(
        TRY_TOOL(&m, tcti, "tpm2_create", "-C", "key.ctx", "-P", "wrong", "-u", "u", "-r", "r"), 0);
    RUN_TOOL(&m, tcti, "tpm2_flushcontext", "-t");
    assert_int_not_equal(
        TRY_TOOL(&m, tcti, "tpm2_create", "-C", "key.ctx", "-P", "right", "-u", "u", "-r", "r"), 0);
    RUN_TOOL(&m, tcti, "tpm2_flushcontext", "-t");
    assert_int_equal(tpm_open(m.device, SWTPM_PATIENCE_US, &m.tpm), 0);
    credential = credential_for(&m, secret);
    assert_int_equal(try(&m, &credential, found, &len), 0);
    assert_memory_equal(found, secret, sizeof(secret));
}

static void a_tpm_that_says_nothing_is_none(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm m = swtpm_new();

    assert_int_equal(kill(m.pid, SIGSTOP), 0);
    assert_int_equal(tpm_open(m.device, PAUSE_US, &m.tpm), TPM_E_NONE);
    assert_null(m.tpm);
    assert_int_equal(kill(m.pid, SIGCONT), 0);
}

static void a_tpm_that_stops_to_answer_opens_nothing(void **state)
{
    (void)state;
    OWN(swtpm_stop) struct swtpm m = swtpm_start();
    uint8_t secret[TPM_CREDENTIAL_SECRET_BYTES] = {1};
    uint8_t found[TPM_SECRET_MAX_BYTES];
    struct tpm_credential credential = credential_for(&m, secret);
    size_t len = 0;

    assert_int_equal(kill(m.pid, SIGKILL), 0);
    fd_closep(&m.fds[0]);
    assert_int_equal(try(&m, &credential, found, &len), TPM_E_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_credential_is_opened_by_its_tpm_alone),
        cmocka_unit_test(a_credential_that_was_changed_or_is_for_another_name_is_refused),
        cmocka_unit_test(the_key_is_the_same_each_time_and_another_one_in_another_tpm),
        cmocka_unit_test(only_a_public_area_of_the_template_is_taken),
        cmocka_unit_test(where_there_is_no_tpm_there_is_none),
        cmocka_unit_test(our_credential_is_opened_by_another_program),
        cmocka_unit_test(the_credential_of_another_program_is_opened_by_us),
        cmocka_unit_test(a_tpm_whose_owner_keeps_the_hierarchy_to_himself_is_none),
        cmocka_unit_test(one_that_refuses_passwords_for_a_while_answers),
        cmocka_unit_test(a_tpm_that_says_nothing_is_none),
        cmocka_unit_test(a_tpm_that_stops_to_answer_opens_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

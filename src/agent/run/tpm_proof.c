/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/tpm_proof.h"

#include <errno.h>
#include <string.h>

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "agent/run/run.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/tpm.h"

enum {
    HTTP_CREATED = 201,
    HTTP_SERVER_ERROR = 500,
    PATIENCE_US = 90 * 1000 * 1000, /* an old chip takes half of it */
};

static void go_on_without(struct runner *rn, const char *why)
{
    journal_write(rn->journal,
                  CMTRACE_WARNING,
                  "Registration",
                  "%s: the site knows this computer by its other marks",
                  why);
}

int tpm_proof_begin(struct runner *rn)
{
    int r;

    if (rn->machine.tpm != MACHINE_TPM_2_0 || !rn->platform->open_tpm)
        return 0;
    screen_set(rn->screen, SCREEN_STATUS, "Asking the TPM for its key");
    r = rn->platform->open_tpm("/dev/tpmrm0", PATIENCE_US, &rn->tpm);
    if (r > 0)
        go_on_without(rn, "The TPM gives no endorsement key, or takes too long");
    return r < 0 ? TRACE(r) : 0;
}

void tpm_proof_end(struct runner *rn)
{
    tpm_free(rn->tpm);
    rn->tpm = NULL;
}

static bool put_hex(json_t *object, const char *name, struct bytes src)
{
    char text[2 * TPM_PUBLIC_MAX_BYTES + 1];

    if (src.len > TPM_PUBLIC_MAX_BYTES)
        return false;
    hex_put(text, src);
    return json_object_set_new(object, name, json_string(text)) == 0;
}

/* @dst: room for TPM_BLOB_MAX_BYTES. Return: whether there is something, and it has room. */
static bool read_hex(const json_t *object, const char *name, uint8_t *dst, struct bytes *ret)
{
    const char *text = json_string_value(json_object_get(object, name));
    size_t len = text ? strlen(text) / 2 : 0;

    *ret = (struct bytes){dst, len};
    return len > 0 && len <= TPM_BLOB_MAX_BYTES && hex_parse(bytes_of(text), len, dst);
}

/* Return: of tpm_activate(); TPM_E_REFUSED too if there is no credential in the answer. */
static int open_credential(struct tpm *tpm,
                           const json_t *answer,
                           uint8_t ret[static TPM_SECRET_MAX_BYTES],
                           size_t *ret_len)
{
    uint8_t texts[2][TPM_BLOB_MAX_BYTES];
    struct bytes blob;
    struct bytes encrypted;

    if (!read_hex(answer, "blob", texts[0], &blob) ||
        !read_hex(answer, "encrypted", texts[1], &encrypted))
        return TPM_E_REFUSED;
    return TRACE(tpm_activate(tpm, blob, encrypted, ret, ret_len));
}

/* @shown: {"public", "name"} */
static int
add_secret(struct runner *rn, json_t *registration, json_t *shown, const json_t *credential)
{
    uint8_t secret[TPM_SECRET_MAX_BYTES];
    size_t len = 0;
    int r = open_credential(rn->tpm, credential, secret, &len);
    bool is_put = r == 0 && put_hex(shown, "secret", (struct bytes){secret, len}) &&
                  json_object_set(registration, "tpm_key", shown) == 0;

    explicit_bzero(secret, sizeof(secret));
    if (r > 0)
        go_on_without(rn, "The TPM does not open what the site made for it");
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    return is_put ? 0 : ERR(-ENOMEM);
}

int tpm_proof_add(struct runner *rn, json_t *registration, const json_t *challenge)
{
    OWN(json_decrefp) json_t *shown = json_object();
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status = 0;
    int r;

    (void)json_object_del(registration, "tpm_key");
    if (!rn->tpm)
        return 0;
    if (!put_hex(shown, "public", tpm_public(rn->tpm)) ||
        !put_hex(shown, "name", tpm_name(rn->tpm)) ||
        json_object_set_new(shown, "challenge", json_deep_copy(challenge)) != 0)
        return ERR(-ENOMEM);
    r = link_json(rn->link, "POST", "/api/v1/client/tpm-credentials", shown, &status, &answer);
    if (r == 0 && status >= HTTP_SERVER_ERROR)
        r = LINK_E_AWAY;
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    (void)json_object_del(shown, "challenge");
    if (status == HTTP_CREATED)
        return TRACE(add_secret(rn, registration, shown, answer));
    go_on_without(rn, "The site makes no credential for the TPM's key");
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/linux/tpm_chip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tcti_device.h>

#include "base/err.h"
#include "base/own.h"

enum {
    EK_BITS = 2048,
    EK_UNIQUE_BYTES = 256,
    AES_BITS = 128,
};

struct tpm_chip {
    ESYS_CONTEXT *esys;      /* owned */
    TSS2_TCTI_CONTEXT *tcti; /* owned */
    ESYS_TR ek;              /* owned, or ESYS_TR_NONE */
    ESYS_TR beside;          /* the same; the object whose name credentials are for */
    uint8_t public[TPM_PUBLIC_MAX_BYTES];
    size_t public_len;
    uint8_t name[TPM_NAME_MAX_BYTES];
    size_t name_len;
};

/* PolicySecret(TPM_RH_ENDORSEMENT), of the profile. */
static const uint8_t ek_policy[] = {
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};

static TPM2B_PUBLIC ek_template(void)
{
    TPM2B_PUBLIC t = {.publicArea = {.type = TPM2_ALG_RSA, .nameAlg = TPM2_ALG_SHA256}};

    t.publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
                                    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    t.publicArea.authPolicy.size = sizeof(ek_policy);
    memcpy(t.publicArea.authPolicy.buffer, ek_policy, sizeof(ek_policy));
    t.publicArea.parameters.rsaDetail = (TPMS_RSA_PARMS){
        .symmetric = {.algorithm = TPM2_ALG_AES, .keyBits.aes = AES_BITS, .mode.aes = TPM2_ALG_CFB},
        .scheme.scheme = TPM2_ALG_NULL,
        .keyBits = EK_BITS,
    };
    t.publicArea.unique.rsa.size = EK_UNIQUE_BYTES;
    return t;
}

/* A key that signs, in the hierarchy that everybody may use; it is gone with the next start. It works while the TPM is locked, too. */
static TPM2B_PUBLIC beside_template(void)
{
    TPM2B_PUBLIC t = {.publicArea = {.type = TPM2_ALG_ECC, .nameAlg = TPM2_ALG_SHA256}};

    t.publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                                    TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_NODA;
    t.publicArea.parameters.eccDetail = (TPMS_ECC_PARMS){
        .symmetric.algorithm = TPM2_ALG_NULL,
        .scheme = {.scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256},
        .curveID = TPM2_ECC_NIST_P256,
        .kdf.scheme = TPM2_ALG_NULL,
    };
    return t;
}

/* @ret_public: may be NULL */
static bool create(struct tpm_chip *chip,
                   ESYS_TR hierarchy,
                   const TPM2B_PUBLIC *template,
                   ESYS_TR *ret,
                   TPM2B_PUBLIC **ret_public)
{
    const TPM2B_SENSITIVE_CREATE sensitive = {0};
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};

    return Esys_CreatePrimary(chip->esys,
                              hierarchy,
                              ESYS_TR_PASSWORD,
                              ESYS_TR_NONE,
                              ESYS_TR_NONE,
                              &sensitive,
                              template,
                              &outside,
                              &pcrs,
                              ret,
                              ret_public,
                              NULL,
                              NULL,
                              NULL) == TSS2_RC_SUCCESS;
}

static bool make_ek(struct tpm_chip *chip)
{
    const TPM2B_PUBLIC template = ek_template();
    TPM2B_PUBLIC *public = NULL;
    bool is_good = create(chip, ESYS_TR_RH_ENDORSEMENT, &template, &chip->ek, &public);

    if (is_good)
        is_good = Tss2_MU_TPMT_PUBLIC_Marshal(
                      &public->publicArea, chip->public, sizeof(chip->public), &chip->public_len) ==
                  TSS2_RC_SUCCESS;
    Esys_Free(public);
    return is_good;
}

static bool make_beside(struct tpm_chip *chip)
{
    const TPM2B_PUBLIC template = beside_template();
    TPM2B_NAME *name = NULL;
    bool is_good = create(chip, ESYS_TR_RH_NULL, &template, &chip->beside, NULL) &&
                   Esys_TR_GetName(chip->esys, chip->beside, &name) == TSS2_RC_SUCCESS &&
                   name->size <= sizeof(chip->name);

    if (is_good) {
        memcpy(chip->name, name->name, name->size);
        chip->name_len = name->size;
    }
    Esys_Free(name);
    return is_good;
}

static void flush(struct tpm_chip *chip, ESYS_TR object)
{
    if (object != ESYS_TR_NONE)
        (void)Esys_FlushContext(chip->esys, object);
}

void tpm_chip_free(struct tpm_chip *chip)
{
    if (!chip)
        return;
    if (chip->esys) {
        flush(chip, chip->ek);
        flush(chip, chip->beside);
        Esys_Finalize(&chip->esys);
    }
    if (chip->tcti)
        Tss2_Tcti_Finalize(chip->tcti);
    free(chip->tcti);
    free(chip);
}

DEFINE_FREEP(struct tpm_chip *, tpm_chip_free);

static int connect_to(const char *device, TSS2_TCTI_CONTEXT **ret)
{
    OWN(freep) TSS2_TCTI_CONTEXT *tcti = NULL;
    size_t size = 0;

    if (Tss2_Tcti_Device_Init(NULL, &size, device) != TSS2_RC_SUCCESS)
        return TPM_E_NONE;
    tcti = calloc(1, size);
    if (!tcti)
        return ERR(-ENOMEM);
    if (Tss2_Tcti_Device_Init(tcti, &size, device) != TSS2_RC_SUCCESS)
        return TPM_E_NONE;
    *ret = TAKE(tcti);
    return 0;
}

int tpm_chip_open(const char *device, struct tpm_chip **ret)
{
    OWN(tpm_chip_freep) struct tpm_chip *chip = calloc(1, sizeof(*chip));
    int r;

    if (!chip)
        return ERR(-ENOMEM);
    chip->ek = ESYS_TR_NONE;
    chip->beside = ESYS_TR_NONE;
    r = connect_to(device, &chip->tcti);
    if (r != 0)
        return TRACE(r);
    if (Esys_Initialize(&chip->esys, chip->tcti, NULL) != TSS2_RC_SUCCESS || !make_ek(chip) ||
        !make_beside(chip))
        return TPM_E_NONE;
    *ret = TAKE(chip);
    return 0;
}

struct bytes tpm_chip_public(const struct tpm_chip *chip)
{
    return (struct bytes){chip->public, chip->public_len};
}

struct bytes tpm_chip_name(const struct tpm_chip *chip)
{
    return (struct bytes){chip->name, chip->name_len};
}

/* The endorsement key may be used by who may use the hierarchy. */
static bool begin_session(struct tpm_chip *chip, ESYS_TR *ret)
{
    const TPMT_SYM_DEF symmetric = {.algorithm = TPM2_ALG_NULL};

    if (Esys_StartAuthSession(chip->esys,
                              ESYS_TR_NONE,
                              ESYS_TR_NONE,
                              ESYS_TR_NONE,
                              ESYS_TR_NONE,
                              ESYS_TR_NONE,
                              NULL,
                              TPM2_SE_POLICY,
                              &symmetric,
                              TPM2_ALG_SHA256,
                              ret) != TSS2_RC_SUCCESS) {
        *ret = ESYS_TR_NONE;
        return false;
    }
    return Esys_PolicySecret(chip->esys,
                             ESYS_TR_RH_ENDORSEMENT,
                             *ret,
                             ESYS_TR_PASSWORD,
                             ESYS_TR_NONE,
                             ESYS_TR_NONE,
                             NULL,
                             NULL,
                             NULL,
                             0,
                             NULL,
                             NULL) == TSS2_RC_SUCCESS;
}

static int activate(struct tpm_chip *chip,
                    const TPM2B_ID_OBJECT *blob,
                    const TPM2B_ENCRYPTED_SECRET *encrypted,
                    TPM2B_DIGEST **ret)
{
    ESYS_TR session = ESYS_TR_NONE;
    bool is_good = begin_session(chip, &session);
    TSS2_RC rc = TSS2_RC_SUCCESS;

    if (is_good)
        rc = Esys_ActivateCredential(chip->esys,
                                     chip->beside,
                                     chip->ek,
                                     ESYS_TR_PASSWORD,
                                     session,
                                     ESYS_TR_NONE,
                                     blob,
                                     encrypted,
                                     ret);
    if (!is_good || rc != TSS2_RC_SUCCESS)
        flush(chip, session); /* it ends by itself when it was used well */
    if (!is_good)
        return TPM_E_NONE;
    return rc == TSS2_RC_SUCCESS ? 0 : TPM_E_REFUSED;
}

int tpm_chip_activate(struct tpm_chip *chip,
                      struct bytes blob,
                      struct bytes encrypted,
                      uint8_t ret[static TPM_SECRET_MAX_BYTES],
                      size_t *ret_len)
{
    TPM2B_ID_OBJECT id = {.size = (UINT16)blob.len};
    TPM2B_ENCRYPTED_SECRET secret = {.size = (UINT16)encrypted.len};
    TPM2B_DIGEST *digest = NULL;
    int r;

    if (blob.len > sizeof(id.credential) || encrypted.len > sizeof(secret.secret))
        return TPM_E_REFUSED;
    memcpy(id.credential, blob.ptr, blob.len);
    memcpy(secret.secret, encrypted.ptr, encrypted.len);
    r = activate(chip, &id, &secret, &digest);
    if (r == 0 && digest->size > TPM_SECRET_MAX_BYTES)
        r = TPM_E_REFUSED;
    if (r == 0) {
        memcpy(ret, digest->buffer, digest->size);
        *ret_len = digest->size;
    }
    if (digest)
        explicit_bzero(digest->buffer, digest->size);
    Esys_Free(digest);
    return r;
}

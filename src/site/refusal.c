/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/refusal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "site/site.h"

enum {
    POINTER_MAX_BYTES = 256,
};

static const struct {
    const char *error_id;
    const char *title;
} refusals[N_REFUSALS] = {
    [REFUSAL_NOT_SIGNED_IN] = {"SLW-0101", "Not signed in"},
    [REFUSAL_INVALID] = {"SLW-0102", "A value is not allowed"},
    [REFUSAL_MISSING] = {"SLW-0103", "There is no such thing"},
    [REFUSAL_EXISTS] = {"SLW-0104", "It exists already"},
    [REFUSAL_TASK_SEQUENCE] = {"SLW-0105", "The task sequence has errors"},
    [REFUSAL_NOT_READY] = {"SLW-0106", "Content is not ready"},
    [REFUSAL_LOGIN] = {"SLW-0107", "The one-time token is not good"},
    [REFUSAL_BUILTIN] = {"SLW-0108", "A built-in collection has its members by rule"},
    [REFUSAL_NOT_A_ROLE] = {"SLW-0109", "For the site's own processes only"},
    [REFUSAL_NO_IDS] = {"SLW-0110", "All ids of this kind are used up"},
    [REFUSAL_FORBIDDEN] = {"SLW-0112", "Not permitted"},
    [REFUSAL_TOO_OFTEN] = {"SLW-0113", "Too many attempts to sign in"},
    [REFUSAL_PASSWORD] = {"SLW-0114", "Name or password is wrong"},
    [REFUSAL_LASTING] = {"SLW-0115", "What is built in stays as it is"},
    [REFUSAL_LAST_FULL] = {"SLW-0116", "Somebody must be able to everything"},
    [REFUSAL_CSRF] = {"SLW-0117", "The session's second secret is missing"},
    [REFUSAL_GRANTED] = {"SLW-0118", "The security role is granted to somebody"},
    [REFUSAL_SEQUENCE_USED] = {"SLW-0119", "The task sequence is in use"},
    [REFUSAL_TOO_LONG] = {"SLW-0120", "The list is too long to be put in order"},
    [REFUSAL_CURSOR] = {"SLW-0121", "The cursor is not one of this list"},
    [REFUSAL_CHANGED] = {"SLW-0122", "It has been changed meanwhile"},
    [REFUSAL_KEY_USED] = {"SLW-0123", "The Idempotency-Key is another request's"},
    [REFUSAL_TOO_BUSY] = {"SLW-0007", "Too busy"},
    [REFUSAL_STREAMS] = {"SLW-0240", "Too many event streams"},
    [REFUSAL_RATE] = {"SLW-0124", "Too many requests"},
    [REFUSAL_FILTER] = {"SLW-0140", "The filter is not right"},
    [REFUSAL_CIRCLE] = {"SLW-0141", "Collections would depend on one another in a circle"},
    [REFUSAL_COLLECTION_USED] = {"SLW-0142", "The collection is in use"},
    [REFUSAL_NOT_TO_FILL] = {"SLW-0164", "Who is in the collection is not yours to say"},
    [REFUSAL_WOULD_WIPE] = {"SLW-0165", "A deployment would wipe disks that nobody has confirmed"},
    [REFUSAL_COUNTING] = {"SLW-0166", "The members of the collection are being found"},
    [REFUSAL_DIRECTORY_DOWN] = {"SLW-0194", "The directory does not answer"},
    [REFUSAL_NO_PASSWORD] = {"SLW-0195", "There is no password here"},
    [REFUSAL_DUPLICATE] = {"SLW-0130", "Content of this kind has this name and version already"},
    [REFUSAL_BUSY] = {"SLW-0131", "A content version is being made"},
    [REFUSAL_IN_USE] = {"SLW-0132", "It is in use"},
    [REFUSAL_NO_SOURCE] = {"SLW-0133", "There is no source to make it from"},
    [REFUSAL_ARCH] = {"SLW-0135", "This architecture cannot be built here"},
    [REFUSAL_VERSION] = {"SLW-0136", "The content version cannot be used"},
    [REFUSAL_JOB_OVER] = {"SLW-0137", "The operation is over"},
    [REFUSAL_KIND] = {"SLW-0138", "This kind of content has no such operation"},
    [REFUSAL_AMBIGUOUS] = {"SLW-0139", "Several have this name"},
    [REFUSAL_DP_TOKEN] = {"SLW-0150", "The distribution point's token is not good"},
    [REFUSAL_JOIN_TOKEN] = {"SLW-0151", "The token for joining is not good"},
    [REFUSAL_DP_HAS_CONTENT] = {"SLW-0152", "The distribution point has content"},
    [REFUSAL_NOT_DISTRIBUTED] = {"SLW-0153", "Content is on no distribution point"},
    [REFUSAL_OWN_DP] = {"SLW-0154", "Not with the site's own distribution point"},
    [REFUSAL_NOTHING_RUNS] = {"SLW-0156", "There is nothing to cancel"},
    [REFUSAL_NO_ORDER] = {"SLW-0160", "The task sequence does not run there"},
    [REFUSAL_ORDER_WISH] = {"SLW-0161", "The task sequence is cancelled"},
    [REFUSAL_NO_DEBUG] = {"SLW-0162", "Debugging is not enabled"},
    [REFUSAL_DEBUG_COLLECTION] = {"SLW-0163", "Too many devices for debugging"},
    [REFUSAL_NOT_DEPLOYABLE] = {"SLW-0187", "The task sequence cannot be deployed"},
    [REFUSAL_EDIT] = {"SLW-0188", "The task sequence cannot be changed like this"},
    [REFUSAL_DISABLED] = {"SLW-0189", "The task sequence is disabled"},
    [REFUSAL_VARIABLE] = {"SLW-0190", "The variable cannot be set"},
    [REFUSAL_HIGH_RISK] = {"SLW-0191", "The deployment is too great a risk"},
    [REFUSAL_CONFIRM] = {"SLW-0192", "The deployment must be confirmed"},
    [REFUSAL_PROTECTED] = {"SLW-0196", "The collection has protected devices"},
    [REFUSAL_PHASED] = {"SLW-0253", "The phased deployment does not stand that way"},
    [REFUSAL_TICKET] = {"SLW-0201", "No valid boot ticket"},
    [REFUSAL_DEVICE_TOKEN] = {"SLW-0202", "The device's token is not good"},
    [REFUSAL_ORDER_OVER] = {"SLW-0203", "The order is over"},
    [REFUSAL_SUCCESS_NOT_IN_OS] = {"SLW-0207",
                                   "Success was reported from outside the installed system"},
    [REFUSAL_CLIENT_INVALID] = {"SLW-0208", "The device sent something malformed"},
    [REFUSAL_BLOCKED] = {"SLW-0231", "The device is blocked"},
    [REFUSAL_WOKEN] = {"SLW-0263", "It was woken a moment ago"},
    [REFUSAL_NO_MAC] = {"SLW-0264", "The device has no MAC address of its own"},
    [REFUSAL_DEVICE_KEY] = {"SLW-0250", "The device's key is not good"},
    [REFUSAL_PROOF] = {"SLW-0251", "The proof of a key is not good"},
    [REFUSAL_NO_KEY] = {"SLW-0252", "The agent has no key"},
    [REFUSAL_TPM_KEY] = {"SLW-0254", "The device has another TPM than before"},
    [REFUSAL_ORDER_MISSING] = {"SLW-0210", "The device has no such order"},
    [REFUSAL_COMPUTER_NAME] = {"SLW-0212", "The computer cannot have this name"},
    [REFUSAL_NO_NAME_WANTED] = {"SLW-0213", "No name is asked for"},
    [REFUSAL_UNKNOWN_CODE] = {"SLW-0214", "The code is another computer's"},
    [REFUSAL_REQUEST_OVER] = {"SLW-0215", "The unknown computer's request is over"},
    [REFUSAL_BOOT_PASSWORD] = {"SLW-0216", "The boot password is wrong"},
    [REFUSAL_BOOT_TRIES] = {"SLW-0217", "Too many wrong boot passwords"},
    [REFUSAL_NOT_ASKED] = {"SLW-0218", "The computer is not asked for this"},
    [REFUSAL_CHOICE] = {"SLW-0219", "The deployment cannot be chosen"},
    [REFUSAL_PREFERRED] = {"SLW-0223", "The preferred deployment cannot begin"},
    [REFUSAL_CAPTURE] = {"SLW-0220", "The device may not capture this"},
    [REFUSAL_CLIENT_DEPLOYMENT] = {"SLW-0222", "The client cannot begin the deployment"},
    [REFUSAL_CAPTURE_MISSING] = {"SLW-0221", "The device has no such capture"},
    [REFUSAL_OIDC_DOWN] = {"SLW-0232", "The OpenID provider does not answer"},
    [REFUSAL_OIDC_STATE] = {"SLW-0233", "There is no such sign-in"},
    [REFUSAL_OIDC_REFUSED] = {"SLW-0234", "The OpenID provider's answer lets nobody in"},
    [REFUSAL_OIDC_OFF] = {"SLW-0235", "There is no sign-in of this kind here"},
    [REFUSAL_OIDC_REDIRECT] = {"SLW-0236", "The browser may not be sent there"},
};

__attribute__((format(printf, 3, 0))) static int
put(struct site *site, enum refusal_id id, const char *format, va_list args)
{
    json_decref(site->refusal.more);
    site->refusal.more = NULL;
    site->refusal.id = id;
    site->refusal.retry_after_s = 0;
    (void)vsnprintf(site->refusal.detail, sizeof(site->refusal.detail), format, args);
    text_make_utf8(site->refusal.detail); /* what it quotes may be cut */
    return SITE_E_REFUSED;
}

/* Where it is wrong. A place that cannot be said is left out. */
static void put_place(struct site *site, const char *kind, const char *place)
{
    site->refusal.more =
        json_pack("{s:[{s:s,s:s}]}", "errors", kind, place, "detail", site->refusal.detail);
}

int refuse(struct site *site, enum refusal_id id, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)put(site, id, format, args);
    va_end(args);
    return SITE_E_REFUSED;
}

int refuse_parameter(struct site *site, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)put(site, REFUSAL_INVALID, format, args);
    va_end(args);
    put_place(site, "parameter", name);
    return SITE_E_REFUSED;
}

int refuse_header(struct site *site, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)put(site, REFUSAL_INVALID, format, args);
    va_end(args);
    put_place(site, "header", name);
    return SITE_E_REFUSED;
}

/* RFC 6901: '~' and '/' within a name are written otherwise. */
static void put_pointer(const char *name, char *dst, size_t cap)
{
    size_t n = 0;

    dst[n++] = '/';
    for (; *name && n + 3 < cap; name++) {
        if (*name == '~' || *name == '/') {
            dst[n++] = '~';
            dst[n++] = *name == '~' ? '0' : '1';
        } else {
            dst[n++] = *name;
        }
    }
    dst[n] = '\0';
}

int refuse_member(struct site *site, enum refusal_id id, const char *name, const char *format, ...)
{
    char pointer[POINTER_MAX_BYTES];
    va_list args;

    va_start(args, format);
    (void)put(site, id, format, args);
    va_end(args);
    put_pointer(name, pointer, sizeof(pointer));
    put_place(site, "pointer", pointer);
    return SITE_E_REFUSED;
}

const char *refusal_error_id(enum refusal_id id)
{
    return refusals[id].error_id;
}

const char *refusal_title(enum refusal_id id)
{
    return refusals[id].title;
}

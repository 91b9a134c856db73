/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/oidc_http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "site/directory_account.h"

DEFINE_FREEP(struct curl_slist *, curl_slist_free_all);
DEFINE_FREEP(CURL *, curl_easy_cleanup);

bool oidc_is_https(const char *url)
{
    static const char scheme[] = "https://";
    size_t len = strlen(url);

    if (strncmp(url, scheme, strlen(scheme)) != 0 || len >= OIDC_URI_MAX ||
        strcspn(url + strlen(scheme), "/?#@") == 0 || strpbrk(url, "#@\"\\<>"))
        return false;
    for (const char *at = url; *at; at++)
        if (*at <= ' ' || *at > '~')
            return false;
    return true;
}

void oidc_put_parameter(struct buf *dst, const char *name, const char *value)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    buf_addf(dst, "%s%s=", dst->len > 0 ? "&" : "", name);
    for (; *value; value++) {
        if (strchr(plain, *value))
            buf_addf(dst, "%c", *value);
        else
            buf_addf(dst, "%%%02X", (unsigned)(unsigned char)*value);
    }
}

/* Return: less than was given ends the transfer. */
static size_t take(const char *bytes, size_t size, size_t n, void *ctx)
{
    struct buf *dst = ctx;
    size_t len = size * n;

    if (len > OIDC_ANSWER_MAX_BYTES - dst->len)
        return 0;
    buf_add(dst, (struct bytes){(const uint8_t *)bytes, len});
    return len;
}

static void set_up(CURL *curl, const struct oidc_request *request, struct buf *ret, char *why)
{
    (void)curl_easy_setopt(curl, CURLOPT_URL, request->url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)OIDC_CONNECT_S);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(request->timeout_us / 1000 + 1));
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "slipway");
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    if (request->ca_file && request->ca_file[0])
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
    if (request->form) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->form->len);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, buf_str(request->form));
    }
    if (request->user) {
        (void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        (void)curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
        (void)curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
    }
}

int oidc_call(const struct oidc_request *request,
              unsigned *ret_status,
              struct buf *ret,
              char why[static OIDC_WHY_MAX])
{
    OWN(curl_easy_cleanupp) CURL *curl = curl_easy_init();
    OWN(curl_slist_free_allp)
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    char error[CURL_ERROR_SIZE] = "";
    CURLcode done = CURLE_OUT_OF_MEMORY;
    long status = 0;

    if (curl && headers) {
        set_up(curl, request, ret, error);
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        done = curl_easy_perform(curl);
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    *ret_status = (unsigned)status;
    if (done == CURLE_OK)
        return 0;
    directory_plain(error[0] ? error : curl_easy_strerror(done), why, OIDC_WHY_MAX);
    return 1;
}

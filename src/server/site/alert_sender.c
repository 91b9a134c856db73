/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/alert_sender.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "rt/log.h"
#include "rt/work_pool.h"
#include "site/alert_message.h"

#define US_PER_S UINT64_C(1000000)

enum {
    CONNECT_SECONDS = 10,
    ALL_SECONDS = 30,
    BODY_MAX_BYTES = 16384,
    HEADER_MAX_BYTES = 512,
    ADDRESS_MAX_BYTES = 320,
    WHY_MAX_BYTES = 512,
    DATE_MAX_BYTES = 64,
    N_HEADERS = 6,
};

enum state {
    IDLE,
    SENDING, /* the thread has it */
    SENT,    /* or not: see why */
};

struct alert_sender {
    const struct server_config *config; /* borrowed */
    struct work_pool *pool;             /* owned */
    _Atomic bool is_ending;             /* the one in hand is let go; it is sent again later */
    _Atomic enum state state;           /* says who may touch what is below */
    struct alert_message message;
    char why[WHY_MAX_BYTES]; /* "": it was taken */
};

DEFINE_FREEP(struct curl_slist *, curl_slist_free_all);
DEFINE_FREEP(curl_mime *, curl_mime_free);
DEFINE_FREEP(CURL *, curl_easy_cleanup);
DEFINE_FREEP(struct alert_sender *, alert_sender_free);

static size_t forget(const char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes;
    (void)ctx;
    return size * n;
}

/* Return: false without memory; the list stays as it was. */
static bool add(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);

    if (longer)
        *list = longer;
    return longer != NULL;
}

/* Called at least once a second. Return: whether to let go. */
static int look_for_end(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct alert_sender *sender = ctx;

    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(&sender->is_ending) ? 1 : 0;
}

static void set_common(
    struct alert_sender *sender, CURL *curl, const char *protocols, const char *ca_file, char *why)
{
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_end);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, sender);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ALL_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, forget);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    if (ca_file[0] != '\0')
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
}

static void perform(struct alert_sender *sender, CURL *curl, const char *why)
{
    CURLcode done = curl_easy_perform(curl);
    long status = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (done != CURLE_OK)
        (void)snprintf(sender->why,
                       sizeof(sender->why),
                       "%s",
                       why[0] != '\0' ? why : curl_easy_strerror(done));
    else if (status < 200 || status > 299)
        (void)snprintf(sender->why, sizeof(sender->why), "it answered with status %ld", status);
}

/* Time and HMAC-SHA256 of "TIME.BODY": who has the secret knows that it is ours, and not an old one sent again. */
static bool sign(const char *secret, const struct buf *body, struct curl_slist **headers)
{
    crypto_auth_hmacsha256_state state;
    unsigned char tag[crypto_auth_hmacsha256_BYTES];
    char hex[2 * sizeof(tag) + 1];
    char line[HEADER_MAX_BYTES];
    char header[HEADER_MAX_BYTES];
    int n = snprintf(header, sizeof(header), "%" PRIu64 ".", clock_wall_us() / US_PER_S);

    (void)crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    (void)crypto_auth_hmacsha256_update(
        &state, (const unsigned char *)header, (unsigned long long)n);
    (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)body->ptr, body->len);
    (void)crypto_auth_hmacsha256_final(&state, tag);
    (void)sodium_bin2hex(hex, sizeof(hex), tag, sizeof(tag));
    header[n - 1] = '\0';
    (void)snprintf(line, sizeof(line), "X-Slipway-Signature: t=%.32s,sha256=%s", header, hex);
    return add(headers, line);
}

static void send_webhook(struct alert_sender *sender)
{
    const struct server_config *config = sender->config;
    OWN(buf_fini) struct buf body = BUF_INIT(BODY_MAX_BYTES);
    OWN(curl_slist_free_allp) struct curl_slist *headers = NULL;
    OWN(curl_easy_cleanupp) CURL *curl = curl_easy_init();
    char why[CURL_ERROR_SIZE] = "";

    if (!curl || alert_message_put_json(&sender->message, config->site_name, &body) < 0 ||
        !add(&headers, "Content-Type: application/json") ||
        (config->alert_webhook_secret[0] != '\0' &&
         !sign(config->alert_webhook_secret, &body, &headers))) {
        (void)snprintf(sender->why, sizeof(sender->why), "there is no memory");
        return;
    }
    set_common(sender, curl, "https", config->alert_webhook_ca, why);
    (void)curl_easy_setopt(curl, CURLOPT_URL, config->alert_webhook);
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "slipway");
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.len);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, buf_str(&body));
    perform(sender, curl, why);
}

/* A server on this host may have no certificate; to any other nothing goes without TLS. */
static bool is_loopback(const char *url)
{
    static const char *const names[] = {"smtp://127.0.0.1", "smtp://localhost", "smtp://[::1]"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = strlen(names[i]);

        if (strncmp(url, names[i], n) == 0 && (url[n] == '\0' || url[n] == ':' || url[n] == '/'))
            return true;
    }
    return false;
}

/* Each word between angle brackets, as SMTP has them. */
static bool add_addresses(struct curl_slist **list, const char *addresses)
{
    for (const char *at = addresses; *at != '\0';) {
        char address[ADDRESS_MAX_BYTES];
        size_t n = strcspn(at, " ");

        (void)snprintf(address, sizeof(address), "<%.*s>", (int)n, at);
        if (!add(list, address))
            return false;
        at += n + strspn(at + n, " ");
    }
    return true;
}

/* RFC 2047, in words of one line each; curl folds nothing itself. */
static void put_encoded_subject(struct buf *dst, const struct buf *subject)
{
    enum {
        WORD_BYTES = 42, /* 56 letters of Base64 */
    };
    const char *text = buf_str(subject);
    size_t at = 0;

    buf_adds(dst, "Subject:");
    while (at < subject->len) {
        char word[sodium_base64_ENCODED_LEN(WORD_BYTES, sodium_base64_VARIANT_ORIGINAL)];
        size_t n = subject->len - at < WORD_BYTES ? subject->len - at : WORD_BYTES;

        while (n < subject->len - at && n > 1 && ((unsigned char)text[at + n] & 0xc0) == 0x80)
            n--;
        (void)sodium_bin2base64(word,
                                sizeof(word),
                                (const unsigned char *)text + at,
                                n,
                                sodium_base64_VARIANT_ORIGINAL);
        buf_addf(dst, "%s=?UTF-8?B?%s?=", at == 0 ? " " : "\r\n ", word);
        at += n;
    }
}

/* RFC 5322 */
static void put_date(struct buf *dst)
{
    const time_t now = (time_t)(clock_wall_us() / US_PER_S);
    char text[DATE_MAX_BYTES] = "";
    struct tm parts;

    if (gmtime_r(&now, &parts))
        (void)strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &parts);
    buf_addf(dst, "Date: %s", text);
}

static void put_recipients(struct buf *dst, const char *addresses)
{
    buf_adds(dst, "To: ");
    for (const char *at = addresses; *at != '\0';) {
        size_t n = strcspn(at, " ");

        buf_addf(dst, "%s%.*s", at == addresses ? "" : ",\r\n ", (int)n, at);
        at += n + strspn(at + n, " ");
    }
}

static bool make_headers(const struct alert_sender *sender, struct curl_slist **ret)
{
    const struct server_config *config = sender->config;
    const char *host = strchr(config->alert_mail_from, '@');
    OWN(buf_fini) struct buf subject = BUF_INIT(BODY_MAX_BYTES);
    struct buf lines[N_HEADERS];
    bool is_ok = true;

    for (size_t i = 0; i < N_HEADERS; i++)
        lines[i] = BUF_INIT(BODY_MAX_BYTES);
    alert_message_put_subject(&sender->message, config->site_name, &subject);
    put_encoded_subject(&lines[0], &subject);
    put_date(&lines[1]);
    put_recipients(&lines[2], config->alert_mail_to);
    buf_addf(&lines[3], "From: %s", config->alert_mail_from);
    buf_addf(&lines[4],
             "Message-ID: <slipway.%" PRIu64 ".%" PRIu64 "%s>",
             sender->message.id,
             sender->message.raised_us,
             host ? host : "@localhost");
    buf_adds(&lines[5], "Auto-Submitted: auto-generated");
    for (size_t i = 0; i < N_HEADERS; i++) {
        is_ok = is_ok && !lines[i].failed && add(ret, buf_str(&lines[i]));
        buf_fini(&lines[i]);
    }
    return is_ok && !subject.failed;
}

static bool make_text(const struct alert_sender *sender, curl_mime *mime)
{
    OWN(buf_fini) struct buf text = BUF_INIT(BODY_MAX_BYTES);
    curl_mimepart *part = curl_mime_addpart(mime);

    alert_message_put_text(&sender->message, sender->config->site_name, &text);
    return part && !text.failed && curl_mime_data(part, buf_str(&text), text.len) == CURLE_OK &&
           curl_mime_type(part, "text/plain; charset=utf-8") == CURLE_OK &&
           curl_mime_encoder(part, "base64") == CURLE_OK;
}

static void set_mail(const struct server_config *config, CURL *curl)
{
    char from[ADDRESS_MAX_BYTES];

    (void)snprintf(from, sizeof(from), "<%s>", config->alert_mail_from);
    (void)curl_easy_setopt(curl, CURLOPT_URL, config->alert_mail_server);
    (void)curl_easy_setopt(curl,
                           CURLOPT_USE_SSL,
                           is_loopback(config->alert_mail_server) ? (long)CURLUSESSL_TRY
                                                                  : (long)CURLUSESSL_ALL);
    (void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
    if (config->alert_mail_user[0] == '\0')
        return;
    (void)curl_easy_setopt(curl, CURLOPT_USERNAME, config->alert_mail_user);
    (void)curl_easy_setopt(curl, CURLOPT_PASSWORD, config->alert_mail_password);
}

static void send_mail(struct alert_sender *sender)
{
    const struct server_config *config = sender->config;
    OWN(curl_slist_free_allp) struct curl_slist *headers = NULL;
    OWN(curl_slist_free_allp) struct curl_slist *recipients = NULL;
    OWN(curl_easy_cleanupp) CURL *curl = curl_easy_init();
    OWN(curl_mime_freep) curl_mime *mime = curl ? curl_mime_init(curl) : NULL;
    char why[CURL_ERROR_SIZE] = "";

    if (!mime || !make_text(sender, mime) || !make_headers(sender, &headers) ||
        !add_addresses(&recipients, config->alert_mail_to)) {
        (void)snprintf(sender->why, sizeof(sender->why), "there is no memory");
        return;
    }
    set_common(sender, curl, "smtp,smtps", config->alert_mail_ca, why);
    set_mail(config, curl);
    (void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime);
    perform(sender, curl, why);
}

static void run(void *arg)
{
    struct alert_sender *sender = arg;

    sender->why[0] = '\0';
    if (sender->message.is_mail)
        send_mail(sender);
    else
        send_webhook(sender);
}

static void done(void *ctx)
{
    struct alert_sender *sender = ctx;

    atomic_store(&sender->state, SENT);
}

int alert_sender_new(const struct server_config *config, struct alert_sender **ret)
{
    OWN(alert_sender_freep) struct alert_sender *sender = NULL;
    int r;

    *ret = NULL;
    if (config->alert_webhook[0] == '\0' && config->alert_mail_server[0] == '\0')
        return 0;
    sender = calloc(1, sizeof(*sender));
    if (!sender)
        return ERR(-ENOMEM);
    sender->config = config;
    r = work_pool_new(&sender->pool);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(sender);
    return 0;
}

void alert_sender_free(struct alert_sender *sender)
{
    if (!sender)
        return;
    atomic_store(&sender->is_ending, true);
    work_pool_free(sender->pool);
    free(sender);
}

static int end(struct alert_sender *sender, struct site *site)
{
    const struct alert_message *message = &sender->message;
    const char *why = sender->why[0] != '\0' ? sender->why : NULL;

    if (why)
        log_warning(message->n_tries < ALERT_MESSAGE_TRIES
                        ? "what is to be known about an alert could not be sent"
                        : "what is to be known about an alert was given up",
                    "alert=%" PRIu64 " by=%s try=%" PRIu64 " why=\"%s\"",
                    message->number,
                    message->is_mail ? "mail" : "webhook",
                    message->n_tries,
                    why);
    return TRACE(alert_message_end(site, message, why));
}

static int begin(struct alert_sender *sender, struct site *site)
{
    const struct work work = {.run = run, .arg = sender, .done = done, .ctx = sender};
    int r = alert_message_take(site, &sender->message);

    if (r != 0)
        return r > 0 ? 0 : TRACE(r);
    atomic_store(&sender->state, SENDING);
    r = work_pool_submit(sender->pool, &work);
    if (r < 0)
        atomic_store(&sender->state, IDLE); /* its time to be tried again comes */
    return TRACE(r);
}

int alert_sender_tick(struct alert_sender *sender, struct site *site)
{
    enum state state;
    int r = 0;

    if (!sender)
        return 0;
    state = atomic_load(&sender->state);
    if (state == SENDING)
        return 0;
    if (state == SENT) {
        r = end(sender, site);
        atomic_store(&sender->state, IDLE);
    }
    return r < 0 ? TRACE(r) : TRACE(begin(sender, site));
}

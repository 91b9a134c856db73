/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/oidc.h"
#include "cli/password.h"
#include "cli/pin.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "plat/file.h"

enum {
    TOKEN_MAX_BYTES = 1024,
    LINE_MAX_BYTES = 1024,
};

static bool is_unix(const char *url)
{
    return strncmp(url, "unix:", strlen("unix:")) == 0;
}

static bool fail_no_answerer(struct session *s, int r, const char *what, const char *instead)
{
    if (r == TERMINAL_E_CANCELLED)
        return session_fail(s, ARGS_EXIT_FAILURE, NULL, "cancelled");
    return session_fail(s,
                        ARGS_EXIT_USAGE,
                        "SLW-0707",
                        "there is no terminal to ask for %s; give %s",
                        what,
                        instead);
}

/* Show the pin of whoever answers and let a person compare it. */
static bool confirm_pin(struct session *s)
{
    OWN(buf_fini) struct buf question = BUF_INIT(LINE_MAX_BYTES);
    OWN(buf_fini) struct buf answer = BUF_INIT(LINE_MAX_BYTES);
    char hex[SHA256_TEXT_MAX];
    int r = pin_fetch(s->site.url, s->site.pin);

    if (r < 0)
        return session_fail_errno(s, s->site.url, r);
    if (r == PIN_E_UNREACHABLE)
        return session_fail(
            s,
            ARGS_EXIT_UNREACHABLE,
            "SLW-0702",
            "nobody speaks TLS at %s; check the address and that slipwayd runs there",
            s->site.url);
    hex_put(hex, (struct bytes){s->site.pin, SHA256_BYTES});
    buf_addf(&question,
             "The key of %s has the pin\n    %s\n"
             "Compare it with what slipwayd printed (or the file keys/pin of the site).\n"
             "Is it the same? [yes/no] ",
             s->site.url,
             hex);
    r = terminal_ask(buf_str(&question), false, &answer);
    if (r < 0)
        return session_fail_errno(s, "the terminal", r);
    if (r != 0)
        return fail_no_answerer(s, r, "the pin", "it as --pin HEX");
    if (strcmp(buf_str(&answer), "yes") != 0)
        return session_fail(
            s, ARGS_EXIT_FAILURE, "SLW-0703", "the pin was not confirmed; nothing was sent");
    s->site.has_pin = true;
    return true;
}

static bool find_pin(struct session *s, const char *pin)
{
    if (is_unix(s->site.url))
        return true;
    if (!pin)
        return confirm_pin(s);
    if (!hex_parse(bytes_of(pin), SHA256_BYTES, s->site.pin))
        return session_fail(
            s, ARGS_EXIT_USAGE, "SLW-0701", "--pin wants 64 hexadecimal digits, not \"%s\"", pin);
    s->site.has_pin = true;
    return true;
}

static void cut_white_space(struct buf *text)
{
    size_t start = strspn(buf_str(text), " \t\r\n");
    size_t len = strcspn(buf_str(text) + start, " \t\r\n");

    if (!text->ptr)
        return;
    memmove(text->ptr, text->ptr + start, len);
    text->ptr[len] = '\0';
    text->len = len;
}

static bool read_token(struct session *s, const char *file, struct buf *ret)
{
    int r;

    if (file) {
        r = file_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, ret);
        if (r < 0)
            return session_fail_errno(s, file, r);
        if (r != 0)
            return session_fail(
                s, ARGS_EXIT_FAILURE, "SLW-0704", "%s is not there or is not a token", file);
    } else {
        r = terminal_ask("One-time token: ", true, ret);
        if (r < 0)
            return session_fail_errno(s, "the terminal", r);
        if (r != 0)
            return fail_no_answerer(
                s, r, "the token", "it as --token-file FILE (- is standard input)");
    }
    cut_white_space(ret);
    if (ret->len == 0)
        return session_fail(s, ARGS_EXIT_USAGE, "SLW-0704", "the token is empty");
    return true;
}

static bool set_text(struct session *s, char **dst, const char *text)
{
    free(*dst);
    *dst = strdup(text);
    return *dst || session_fail_errno(s, "login", -ENOMEM);
}

static bool exchange_token(struct session *s, const char *token, json_t **ret)
{
    json_t *body = json_pack("{s:s}", "token", token);

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, "SLW-0704", "the token is not text");
    return session_call(s, "POST", "/logins", body, ret);
}

static bool exchange_password(struct session *s, const struct args *args, json_t **ret)
{
    OWN(password_wipe) struct buf password = BUF_INIT(PASSWORD_ASK_MAX_BYTES);
    OWN(buf_fini) struct buf question = BUF_INIT(LINE_MAX_BYTES);
    const char *user = args_get(args, "user");
    json_t *body;

    buf_addf(&question, "Password of %s: ", user);
    if (!password_read(s, args_get(args, "password"), buf_str(&question), false, &password))
        return false;
    body = json_pack("{s:s,s:s}", "user", user, "password", buf_str(&password));
    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, "SLW-0704", "the name or the password is not text");
    return session_call(s, "POST", "/logins", body, ret);
}

static bool sign_in(struct session *s, const struct args *args, json_t **ret)
{
    OWN(password_wipe) struct buf token = BUF_INIT(TOKEN_MAX_BYTES);

    if (args_get(args, "oidc"))
        return oidc_sign_in(s, args_get(args, "device") != NULL, ret);
    if (args_get(args, "user"))
        return exchange_password(s, args, ret);
    if (args_get(args, "password"))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "--password wants --user");
    return read_token(s, args_get(args, "token-file"), &token) &&
           exchange_token(s, buf_str(&token), ret);
}

/* One way to sign in at a time. */
static bool check_ways(struct session *s, const struct args *args)
{
    bool is_oidc = args_get(args, "oidc") != NULL;

    if (is_oidc && (args_get(args, "user") || args_get(args, "token-file")))
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "--oidc goes with neither --user nor --token-file");
    if (!is_oidc && args_get(args, "device"))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "--device wants --oidc");
    return true;
}

bool site_login(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *login = NULL;
    const struct output_column columns[] = {
        {"Site", "url", OUTPUT_TEXT},
        {"Expires", "expires_at", OUTPUT_TIME},
        {0},
    };
    int r;

    if (!check_ways(s, args) || !set_text(s, &s->site.url, args->operands[0]))
        return false;
    if (s->site.url[strlen(s->site.url) - (s->site.url[0] != '\0')] == '/')
        s->site.url[strlen(s->site.url) - 1] = '\0'; /* what one copies from a browser */
    if (!credentials_url_is_fit(s->site.url))
        return session_connect(s); /* which says why */
    if (!find_pin(s, args_get(args, "pin")) || !session_connect(s))
        return false;
    if (!sign_in(s, args, &login))
        return false;
    if (!output_text(login, "token")[0])
        return session_no_answer(s, -EBADMSG);
    if (!set_text(s, &s->site.token, output_text(login, "token")))
        return false;
    r = credentials_save(&s->env, &s->site);
    if (r < 0)
        return session_fail_errno(s, "the credentials file", r);
    (void)json_object_del(login, "token");
    if (json_object_set_new(login, "url", json_string(s->site.url)) < 0)
        return session_fail_errno(s, "login", -ENOMEM);
    return session_print_fields(s, login, columns);
}

static bool forget(struct session *s)
{
    OWN(buf_fini) struct buf path = BUF_INIT(LINE_MAX_BYTES);

    if (!credentials_path(&s->env, &path))
        return true;
    if (unlink(buf_str(&path)) < 0 && errno != ENOENT)
        return session_fail_errno(s, buf_str(&path), -errno);
    return true;
}

bool site_logout(struct session *s, const struct args *args)
{
    bool is_revoked = true;

    (void)args;
    if (!session_open(s))
        return false;
    if (s->site.token)
        is_revoked = session_call(s, "DELETE", "/logins/current", NULL, NULL);
    /* An unreachable site does not keep anybody from forgetting; the exit code tells. */
    return forget(s) && is_revoked;
}

bool site_status(struct session *s, const struct args *args)
{
    static const struct output_column fields[] = {
        {"Site", "site_name", OUTPUT_TEXT},
        {"Organization", "organization", OUTPUT_TEXT},
        {"Site code", "site_code", OUTPUT_TEXT},
        {"Version", "version", OUTPUT_TEXT},
        {"Schema", "schema_version", OUTPUT_TEXT},
        {"Up", "uptime_ms", OUTPUT_SPAN},
        {"Devices", "counts.devices", OUTPUT_TEXT},
        {"Collections", "counts.collections", OUTPUT_TEXT},
        {"OS images", "counts.os_images", OUTPUT_TEXT},
        {"Boot images", "counts.boot_images", OUTPUT_TEXT},
        {"Upgrade packages", "counts.os_upgrade_packages", OUTPUT_TEXT},
        {"Driver packages", "counts.driver_packages", OUTPUT_TEXT},
        {"Packages", "counts.packages", OUTPUT_TEXT},
        {"Task sequences", "counts.task_sequences", OUTPUT_TEXT},
        {"Deployments", "counts.deployments", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column roles[] = {
        {"ROLE", "name", OUTPUT_TEXT},
        {"LAST SEEN (UTC)", "last_seen_at", OUTPUT_TIME},
        {0},
    };
    static const struct output_column operations[] = {
        {"OPERATION", "id", OUTPUT_TEXT},
        {"KIND", "kind", OUTPUT_TEXT},
        {"PACKAGE", "package_id", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"%", "percent", OUTPUT_TEXT},
        {"DOING", "message", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column boot_images[] = {
        {"BOOT IMAGE", "arch", OUTPUT_TEXT},
        {"ID", "package_id", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"WHAT TO DO", "text", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *status = NULL;
    json_int_t uptime_ms;

    (void)args;
    if (!session_open(s) || !session_get(s, &status, "/status"))
        return false;
    uptime_ms = (json_int_t)output_u64(status, "uptime_s") * 1000;
    if (s->format == ARGS_FORMAT_TABLE &&
        json_object_set_new(status, "uptime_ms", json_integer(uptime_ms)) < 0)
        return session_fail_errno(s, "the result", -ENOMEM);
    return session_print_fields(s, status, fields) &&
           session_print_part(s, "Roles", output_at(status, "roles"), roles) &&
           session_print_part(s, "Boot images", output_at(status, "boot_images"), boot_images) &&
           session_print_part(s, "Running", output_at(status, "operations"), operations);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <string.h>

#include "base/own.h"
#include "cli/names.h"
#include "cli/session.h"
#include "cli/week_rules.h"

enum {
    PATH_MAX_BYTES = 2048,
    WHY_MAX_BYTES = 1024,
};

static const struct output_column fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Name", "name", OUTPUT_TEXT},
    {"Comment", "comment", OUTPUT_TEXT},
    {"The site's own", "is_own", OUTPUT_TEXT},
    {"Online", "is_online", OUTPUT_TEXT},
    {"Disabled", "is_disabled", OUTPUT_TEXT},
    {"URL", "url", OUTPUT_TEXT},
    {"Version", "version", OUTPUT_TEXT},
    {"Free", "free_bytes", OUTPUT_BYTES},
    {"Of", "total_bytes", OUTPUT_BYTES},
    {"Drive space reserve", "reserve_bytes", OUTPUT_BYTES},
    {"Packages", "n_packages", OUTPUT_TEXT},
    {"Failed", "n_failed", OUTPUT_TEXT},
    {"Last seen (UTC)", "last_seen_at", OUTPUT_TIME},
    {"Created (UTC)", "created_at", OUTPUT_TIME},
    {0},
};

bool dp_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"ONLINE", "is_online", OUTPUT_TEXT},
        {"DISABLED", "is_disabled", OUTPUT_TEXT},
        {"PACKAGES", "n_packages", OUTPUT_TEXT},
        {"FAILED", "n_failed", OUTPUT_TEXT},
        {"FREE", "free_bytes", OUTPUT_BYTES},
        {"URL", "url", OUTPUT_TEXT},
        {"LAST SEEN (UTC)", "last_seen_at", OUTPUT_TIME},
        {0},
    };

    (void)args;
    return session_show_list(s, "/distribution-points", columns);
}

static bool print(struct session *s, json_t *dp)
{
    static const struct output_column sources[] = {
        {"ID", "distribution_point_id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"PRIORITY", "priority", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column schedule[] = {
        {"DAYS", "days", OUTPUT_TEXT},
        {"FROM HOUR", "from_hour", OUTPUT_TEXT},
        {"TO HOUR", "to_hour", OUTPUT_TEXT},
        {"ALLOWED", "allow", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column rates[] = {
        {"DAYS", "days", OUTPUT_TEXT},
        {"FROM HOUR", "from_hour", OUTPUT_TEXT},
        {"TO HOUR", "to_hour", OUTPUT_TEXT},
        {"PER SECOND", "bytes_per_s", OUTPUT_BYTES},
        {0},
    };
    static const struct output_column content[] = {
        {"CONTENT", "package_id", OUTPUT_TEXT},
        {"NAME", "package_name", OUTPUT_TEXT},
        {"VERSION", "version", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"%", "percent", OUTPUT_TEXT},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"MESSAGE", "message", OUTPUT_TEXT},
        {"NEXT TRY (UTC)", "next_try_at", OUTPUT_TIME},
        {0},
    };

    return session_print_fields(s, dp, fields) &&
           session_print_part(s, "Sources", output_at(dp, "sources"), sources) &&
           session_print_part(s, "Schedule", output_at(dp, "schedule"), schedule) &&
           session_print_part(s, "Rate limits", output_at(dp, "rate_limits"), rates) &&
           session_print_part(s, "Validation", output_at(dp, "validation_schedule"), schedule) &&
           session_print_part(s, "Content", output_at(dp, "content"), content);
}

bool dp_show(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *dp = NULL;
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&id, args->operands[0]);
    return session_open(s) && session_get(s, &dp, "/distribution-points/%s", buf_str(&id)) &&
           print(s, dp);
}

bool dp_create_token(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"Token", "token", OUTPUT_TEXT},
        {"Good until (UTC)", "expires_at", OUTPUT_TIME},
        {0},
    };
    OWN(session_json_freep) json_t *token = NULL;
    json_t *body = json_pack("{s:s}", "name", args->operands[0]);

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "the name is not UTF-8");
    if (!session_open(s)) {
        json_decref(body);
        return false;
    }
    return session_call(s, "POST", "/distribution-point-tokens", body, &token) &&
           session_print_fields(s, token, columns);
}

/* An option with rules for the hours of the week. */
static bool put_rules(struct session *s,
                      const struct args *args,
                      const char *option,
                      enum week_rules_value value,
                      json_t *body)
{
    static const char *const members[] = {
        [WEEK_RULES_ALLOW] = "schedule",
        [WEEK_RULES_RATE] = "rate_limits",
        [WEEK_RULES_NOTHING] = "validation_schedule",
    };
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    const char *text = args_get(args, option);
    json_t *rules = NULL;

    if (!text)
        return true;
    if (!week_rules_parse(text, value, &rules, &why))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "--%s: %s", option, buf_str(&why));
    return json_object_set_new(body, members[value], rules) == 0;
}

static bool put_reserve(struct session *s, const struct args *args, json_t *body)
{
    const char *text = args_get(args, "reserve");
    uint64_t n;

    if (!text)
        return true;
    if (!size_parse(text, &n))
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "--reserve %s: it should look like 500M or 20G", text);
    return json_object_set_new(body, "reserve_bytes", json_integer((json_int_t)n)) == 0;
}

/* "DP00003,north": the first is asked first; "none": only the site. */
static bool put_sources(const struct args *args, json_t *body)
{
    const char *text = args_get(args, "sources");
    OWN(session_json_freep) json_t *names = NULL;
    json_t *sources;

    if (!text)
        return true;
    sources = json_array();
    names = strcmp(text, "none") == 0 ? json_array() : names_split(text);
    for (size_t i = 0; i < json_array_size(names); i++)
        (void)json_array_append_new(sources,
                                    json_pack("{s:O,s:i}",
                                              "distribution_point",
                                              json_array_get(names, i),
                                              "priority",
                                              (int)i + 1));
    return json_object_set_new(body, "sources", sources) == 0;
}

static bool put_properties(struct session *s, const struct args *args, json_t *body)
{
    static const char *const texts[] = {"name", "comment"};
    const char *disabled = args_get(args, "disabled");

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = args_get(args, texts[i]);

        if (text && json_object_set_new(body, texts[i], json_string(text)) < 0)
            return session_fail(s, ARGS_EXIT_USAGE, NULL, "--%s is not UTF-8", texts[i]);
    }
    if (disabled)
        (void)json_object_set_new(body, "is_disabled", json_boolean(strcmp(disabled, "yes") == 0));
    return put_reserve(s, args, body) && put_sources(args, body) &&
           put_rules(s, args, "schedule", WEEK_RULES_ALLOW, body) &&
           put_rules(s, args, "rate-limit", WEEK_RULES_RATE, body) &&
           put_rules(s, args, "validation", WEEK_RULES_NOTHING, body);
}

bool dp_set(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *dp = NULL;
    OWN(session_json_freep) json_t *body = json_object();
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_adds(&path, "/distribution-points/");
    session_escape(&path, args->operands[0]);
    if (!put_properties(s, args, body))
        return false;
    if (json_object_size(body) == 0)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "nothing to set is given");
    return session_open(s) && session_call(s, "PATCH", buf_str(&path), json_incref(body), &dp) &&
           print(s, dp);
}

bool dp_remove(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_adds(&path, "/distribution-points/");
    session_escape(&path, args->operands[0]);
    return session_open(s) &&
           session_delete(s, buf_str(&path), args_get(args, "force") ? "?force=true" : "");
}

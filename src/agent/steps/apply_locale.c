/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/apply_locale.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/steps/inside.h"
#include "agent/steps/program.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/locales.h"
#include "ts/vars.h"

enum {
    TEXT_MAX_BYTES = 256 * 1024,
    ARCHIVE_NAMES_MAX = 4 * 1024 * 1024, /* the beginning of an archive, where its names are */
    MAKE_TIMEOUT_S = 900,
    LIST_MAX_BYTES = 1024,
};

#define LOCALES_VARIABLE "_SLWLocales" /* what Setup is to make, with spaces between them */
#define FOLDER           "usr/lib/locale"
#define GENERATED_LIST   "etc/locale.gen"

static const struct inside_mode public_file = {0644, 0, 0};

/* What the step asks for. */
struct wanted {
    struct ts_locale ui; /* each with the name "" if it is not set */
    struct ts_locale fallback;
    struct ts_locale user;
    struct ts_locale system;
};

static bool is_set(const struct ts_locale *locale)
{
    return locale->name[0] != '\0';
}

static int read_wanted(struct step_context *c, struct wanted *ret, struct step_result *result)
{
    const struct {
        const char *variable;
        struct ts_locale *locale;
    } settings[] = {
        {"OSDWindowsSettingsUILanguage", &ret->ui},
        {"OSDWindowsSettingsUILanguageFallback", &ret->fallback},
        {"OSDWindowsSettingsUserLocale", &ret->user},
        {"OSDWindowsSettingsSystemLocale", &ret->system},
    };

    *ret = (struct wanted){.ui = {.name = ""}};
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        const char *text = step_value(c, settings[i].variable);

        if (text[0] != '\0' && !ts_locale_of(text, settings[i].locale))
            return step_fail(result,
                             "SLW-0439",
                             "%s \"%.64s\" is no language that is known: it is written like de-DE",
                             settings[i].variable,
                             text);
    }
    return 0;
}

/* In the archive of all locales, or as a folder of its own. */
static bool is_installed(int root, const struct ts_locale *locale)
{
    OWN(fd_closep) int folder = -1;
    OWN(fd_closep) int archive = -1;
    OWN(buf_fini) struct buf names = BUF_INIT(ARCHIVE_NAMES_MAX + TEXT_MAX_BYTES);
    char path[128];
    uint8_t piece[16 * 1024];
    ssize_t n;

    (void)snprintf(path, sizeof(path), FOLDER "/%s", locale->installed);
    if (inside_exists(root, path))
        return true;
    if (inside_open_folder(root, FOLDER, &folder) != 0)
        return false;
    archive = openat(folder, "locale-archive", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    while (archive >= 0 && names.len < ARCHIVE_NAMES_MAX &&
           (n = read(archive, piece, sizeof(piece))) > 0)
        buf_add(&names, (struct bytes){piece, (size_t)n});
    return names.len > 0 &&
           memmem(names.ptr, names.len, locale->installed, strlen(locale->installed) + 1);
}

/* A system without glibc (Alpine) takes any locale as it is. */
static bool needs_none(int root)
{
    return !inside_exists(root, FOLDER) && !inside_exists(root, "usr/sbin/locale-gen");
}

static bool can_make(int root, const struct ts_locale *locale)
{
    char source[128];

    (void)snprintf(source, sizeof(source), "usr/share/i18n/locales/%s", locale->language);
    return inside_exists(root, source) &&
           (inside_exists(root, "usr/sbin/locale-gen") || inside_exists(root, "usr/bin/localedef"));
}

/* A line of locale.gen, unless it is there. */
static int add_generated(int root, const struct ts_locale *locale)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    char line[2 * TS_LOCALE_MAX];
    int r = inside_read(root, GENERATED_LIST, &text);

    if (r < 0)
        return TRACE(r);
    (void)snprintf(line, sizeof(line), "\n%s UTF-8\n", locale->name);
    if (strstr(buf_str(&text), line))
        return 0;
    buf_adds(&text, text.len > 0 && buf_str(&text)[text.len - 1] == '\n' ? line + 1 : line);
    return TRACE(inside_write(root, GENERATED_LIST, buf_bytes(&text), public_file));
}

/* Make sure that @locale will be there; otherwise its name becomes "". */
static int provide(struct step_context *c, int root, struct ts_locale *locale, struct buf *list)
{
    if (!is_set(locale) || needs_none(root) || is_installed(root, locale))
        return 0;
    if (!can_make(root, locale)) {
        c->log(
            c->ctx,
            "Warning: the image has no locale %s and cannot make it: it is left out. Install the "
            "package of the language, or locales, in the image",
            locale->name);
        locale->name[0] = '\0';
        return 0;
    }
    c->log(c->ctx, "The image has no locale %s: Setup makes it", locale->name);
    if (!strstr(buf_str(list), locale->name))
        buf_addf(list, "%s%s", list->len > 0 ? " " : "", locale->name);
    return TRACE(add_generated(root, locale));
}

static void put_formats(struct buf *text, const struct ts_locale *user)
{
    static const char *const categories[] = {"LC_NUMERIC",
                                             "LC_TIME",
                                             "LC_MONETARY",
                                             "LC_PAPER",
                                             "LC_NAME",
                                             "LC_ADDRESS",
                                             "LC_TELEPHONE",
                                             "LC_MEASUREMENT",
                                             "LC_IDENTIFICATION"};

    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
        buf_addf(text, "%s=%s\n", categories[i], user->name);
}

/* LANG is the first of UI language, user locale and system locale; the others are what differs from it. */
static void put_settings(const struct wanted *w, struct buf *ret)
{
    const struct ts_locale *first = is_set(&w->ui)     ? &w->ui
                                    : is_set(&w->user) ? &w->user
                                                       : &w->system;

    if (!is_set(first))
        return;
    buf_addf(ret, "LANG=%s\n", first->name);
    if (is_set(&w->fallback))
        buf_addf(ret, "LANGUAGE=%s:%s\n", first->language, w->fallback.language);
    if (is_set(&w->user) && strcmp(w->user.name, first->name) != 0)
        put_formats(ret, &w->user);
    if (is_set(&w->system) && strcmp(w->system.name, first->name) != 0)
        buf_addf(ret, "LC_CTYPE=%s\n", w->system.name);
}

int locale_apply(struct step_context *c, int root, struct step_result *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(LIST_MAX_BYTES);
    OWN(buf_fini) struct buf list = BUF_INIT(LIST_MAX_BYTES);
    struct wanted w;
    int r = read_wanted(c, &w, ret);

    if (r < 0 || ret->error_id)
        return TRACE(r);
    r = provide(c, root, &w.ui, &list);
    if (r == 0)
        r = provide(c, root, &w.user, &list);
    if (r == 0)
        r = provide(c, root, &w.system, &list);
    if (r == 0)
        r = ts_vars_set(c->vars, LOCALES_VARIABLE, buf_str(&list), TS_BY_ENGINE);
    put_settings(&w, &text);
    if (r != 0 || text.len == 0)
        return r < 0 ? TRACE(r) : 0;
    /* both places where distributions look */
    r = inside_write(root, "etc/locale.conf", buf_bytes(&text), public_file);
    if (r == 0)
        r = inside_write(root, "etc/default/locale", buf_bytes(&text), public_file);
    c->log(c->ctx, "Language: %.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
    return TRACE(r);
}

/* The setting @key of a file of KEY=value lines; what else it has stays. */
static int write_setting(int root, const char *path, const char *key, const char *value)
{
    OWN(buf_fini) struct buf old = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf new = BUF_INIT(TEXT_MAX_BYTES);
    size_t key_len = strlen(key);
    int r = inside_read(root, path, &old);

    if (r < 0)
        return TRACE(r);
    for (const char *line = r == 0 ? buf_str(&old) : ""; *line;) {
        size_t len = strcspn(line, "\n");

        if (strncmp(line, key, key_len) != 0 || line[key_len] != '=')
            buf_addf(&new, "%.*s\n", (int)len, line);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    buf_addf(&new, "%s=%s\n", key, value);
    return TRACE(inside_write(root, path, buf_bytes(&new), public_file));
}

/* Quoted, for what a shell reads. */
static int write_quoted(int root, const char *path, const char *key, const char *value)
{
    char text[TS_KEYBOARD_MAX + 3];

    (void)snprintf(text, sizeof(text), "\"%s\"", value);
    return TRACE(write_setting(root, path, key, text));
}

int locale_apply_keyboard(struct step_context *c, int root, struct step_result *ret)
{
    static const char keyboard_file[] = "etc/default/keyboard"; /* Debian; others have the next */
    static const char console_file[] = "etc/vconsole.conf";
    const char *asked = step_value(c, "OSDWindowsSettingsInputLocale");
    struct ts_keyboard keyboard;
    int r;

    if (asked[0] == '\0')
        return 0;
    if (!ts_keyboard_of(asked, &keyboard))
        return step_fail(
            ret,
            "SLW-0439",
            "OSDWindowsSettingsInputLocale \"%.64s\" is no keyboard that is known: it is "
            "written like 0407:00000407 or de-DE",
            asked);
    r = write_quoted(root, keyboard_file, "XKBLAYOUT", keyboard.layouts);
    if (r == 0)
        r = write_quoted(root, keyboard_file, "XKBVARIANT", keyboard.variants);
    if (r == 0)
        r = write_quoted(root, keyboard_file, "XKBOPTIONS", keyboard.options);
    if (r == 0)
        r = write_setting(root, console_file, "KEYMAP", keyboard.keymap);
    if (r == 0)
        r = write_setting(root, console_file, "XKBLAYOUT", keyboard.layouts);
    c->log(c->ctx, "Keyboard: %s", keyboard.layouts);
    return TRACE(r);
}

/* Return: 0 if it went well; 1 if not; -errno. */
static int run(struct step_context *c, const char *const argv[], struct step_result *ret)
{
    const struct program program = {
        .argv = argv, .timeout_s = MAKE_TIMEOUT_S, .what = "Making the languages of the system"};
    int code = 0;
    int r = program_run(c, &program, &code, ret);

    return r < 0 ? TRACE(r) : code != 0 || ret->error_id;
}

/* One by one, where there is no list of them. */
static int make_each(struct step_context *c, const char *list, struct step_result *ret)
{
    int r = 0;

    while (r == 0 && *list) {
        char name[TS_LOCALE_MAX];
        struct ts_locale locale;
        size_t len = strcspn(list, " ");

        (void)snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : 0), list);
        if (ts_locale_of(name, &locale)) {
            const char *const argv[] = {
                "localedef", "-i", locale.language, "-f", "UTF-8", locale.name, NULL};

            r = run(c, argv, ret);
        }
        list += len + (list[len] == ' ' ? 1 : 0);
    }
    return TRACE(r);
}

int locale_make(struct step_context *c, struct step_result *ret)
{
    static const char *const generator[] = {"locale-gen", NULL};
    OWN(buf_fini) struct buf list = BUF_INIT(LIST_MAX_BYTES);
    int r;

    buf_adds(&list, ts_vars_get(c->vars, LOCALES_VARIABLE));
    if (list.len == 0)
        return 0;
    r = access("/usr/sbin/locale-gen", X_OK) == 0 ? run(c, generator, ret)
                                                  : make_each(c, buf_str(&list), ret);
    if (r < 0 || ret->error_id)
        return r < 0 ? TRACE(r) : 0;
    if (r > 0)
        c->log(c->ctx, "Warning: the languages %s could not be made", buf_str(&list));
    r = ts_vars_set(c->vars, LOCALES_VARIABLE, "", TS_BY_ENGINE);
    return r < 0 ? TRACE(r) : 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/principal.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/audit.h"
#include "site/object.h"
#include "site/permission.h"
#include "site/site.h"

enum {
    WORD_MAX = 64,
};

void principal_set(struct site *site, const struct principal *principal)
{
    site->principal = *principal;
    db_set_principal(site->db, principal->id);
}

void principal_clear(struct site *site)
{
    site->principal = (struct principal){.id = ""};
    audit_forget(site);
    db_set_principal(site->db, "");
}

static bool is_word_for(struct bytes word, const char *class, const char *verb)
{
    char exact[WORD_MAX];
    char any_verb[WORD_MAX];
    char any_class[WORD_MAX];

    (void)snprintf(exact, sizeof(exact), "%s.%s", class, verb);
    (void)snprintf(any_verb, sizeof(any_verb), "%s.*", class);
    (void)snprintf(any_class, sizeof(any_class), "*.%s", verb);
    return bytes_eq(word, bytes_of("*")) || bytes_eq(word, bytes_of(exact)) ||
           bytes_eq(word, bytes_of(any_verb)) || bytes_eq(word, bytes_of(any_class));
}

bool principal_words_allow(const char *words, const char *class, const char *verb)
{
    while (*words) {
        size_t n = strcspn(words, " ");

        if (is_word_for((struct bytes){(const uint8_t *)words, n}, class, verb))
            return true;
        words += n;
        words += strspn(words, " ");
    }
    return false;
}

bool principal_words_are_fit(const char *words)
{
    size_t n = strlen(words);

    return n > 0 && n < PRINCIPAL_PERMISSIONS_MAX && words[0] != ' ' &&
           words[strspn(words, "abcdefghijklmnopqrstuvwxyz-.* ")] == '\0';
}

/* "content" stands for all of these; for one thing, for what it is. */
static const char *const content_classes[] = {"os-image",
                                              "os-upgrade-package",
                                              "boot-image",
                                              "driver-package",
                                              "package",
                                              "task-sequence",
                                              NULL};

static int has_row(struct site *site, enum db_sql sql, struct db_args args, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, sql, args, &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

static bool is_one_of(const char *class, const char *const *classes)
{
    for (; *classes; classes++)
        if (strcmp(*classes, class) == 0)
            return true;
    return false;
}

static const char *const scoped_classes[] = {"os-image",
                                             "os-upgrade-package",
                                             "boot-image",
                                             "driver-package",
                                             "package",
                                             "task-sequence",
                                             "distribution-point",
                                             "distribution-point-group",
                                             "boundary-group",
                                             NULL};

/* What is granted for a collection alone makes nothing that belongs by scopes, and changes nothing of the whole site. */
static bool needs_scope(const char *class, const char *verb)
{
    static const char *const of_site[] = {
        "site", "boundary", "administrator", "security-role", "security-scope", NULL};

    return (strcmp(verb, "create") == 0 && is_one_of(class, scoped_classes)) ||
           (strcmp(verb, "read") != 0 && is_one_of(class, of_site));
}

static int may_any(struct site *site, const char *class, const char *verb, bool *ret)
{
    enum db_sql sql = needs_scope(class, verb) ? SQL_PRINCIPAL_MAY_BY_SCOPE : SQL_PRINCIPAL_MAY_ANY;

    *ret = principal_words_allow(site->principal.permissions, class, verb);
    return *ret ? TRACE(has_row(site, sql, DB_ARGS(db_text(class), db_text(verb)), ret)) : 0;
}

static int refuse_verb(struct site *site, const char *class, const char *verb)
{
    return refuse(site,
                  REFUSAL_FORBIDDEN,
                  "%s has no security role, or token, with the permission %s.%s for it.",
                  site->principal.name,
                  class,
                  verb);
}

int principal_check(struct site *site, const char *class, const char *verb)
{
    bool is_content = strcmp(class, "content") == 0;
    size_t n = is_content ? sizeof(content_classes) / sizeof(content_classes[0]) - 1 : 1;
    bool is_allowed = false;
    int r = 0;

    if (!site->principal.id[0])
        return 0;
    for (size_t i = 0; r == 0 && !is_allowed && i < n; i++)
        r = may_any(site, is_content ? content_classes[i] : class, verb, &is_allowed);
    if (r < 0)
        return TRACE(r);
    return is_allowed ? 0 : refuse_verb(site, class, verb);
}

static int content_class(struct site *site, const char *id, char ret[static WORD_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_CONTENT_CLASS, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    (void)snprintf(ret, WORD_MAX, "%s", r == DB_ROW ? db_get_text(&rows, 0) : "content");
    return 0;
}

/* How the things of a class come to be somebody's. */
static enum db_sql statement_of(const char *object_class)
{
    static const struct {
        const char *class;
        enum db_sql sql;
    } statements[] = {
        {"collection", SQL_PRINCIPAL_MAY_COLLECTION},
        {"deployment", SQL_PRINCIPAL_MAY_DEPLOYMENT},
        {"device", SQL_PRINCIPAL_MAY_DEVICE},
        {"operation", SQL_PRINCIPAL_MAY_OPERATION},
        {"phased-deployment", SQL_PRINCIPAL_MAY_PHASED},
    };

    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        if (strcmp(statements[i].class, object_class) == 0)
            return statements[i].sql;
    return SQL_PRINCIPAL_MAY_OBJECT;
}

int principal_check_object(struct site *site,
                           const char *class,
                           const char *verb,
                           const char *object_class,
                           const char *which)
{
    char id[PRINCIPAL_OBJECT_MAX];
    char of_content[WORD_MAX];
    bool is_allowed = false;
    int r = site->principal.id[0] ? object_find(site, object_class, which, id) : 1;

    if (r == OBJECT_E_UNSCOPED || !site->principal.id[0])
        return 0;
    if (r == 0 && strcmp(class, "content") == 0) {
        r = content_class(site, id, of_content);
        class = of_content;
    }
    if (r != 0)
        return TRACE(r);
    if (!principal_words_allow(site->principal.permissions, class, verb))
        return refuse_verb(site, class, verb);
    r = has_row(site,
                statement_of(object_class),
                DB_ARGS(db_text(class), db_text(verb), db_text(id)),
                &is_allowed);
    if (r < 0)
        return TRACE(r);
    return is_allowed ? 0 : refuse_verb(site, class, verb);
}

int principal_made(struct site *site, const char *id)
{
    const struct permission *operation = site->principal.operation;

    if (!site->principal.id[0] || !operation)
        return 0;
    return TRACE(
        db_must(site->db,
                SQL_PRINCIPAL_SCOPE_NEW,
                DB_ARGS(db_text(id), db_text(operation->class), db_text(operation->verb))));
}

int principal_made_collection(struct site *site, const char *id, const char *limiting_id)
{
    if (!site->principal.id[0])
        return 0;
    return TRACE(
        db_must(site->db, SQL_PRINCIPAL_GRANT_NEW, DB_ARGS(db_text(id), db_text(limiting_id))));
}

int principal_check_fill(struct site *site, const char *collection_id)
{
    bool is_allowed = false;
    int r = principal_check_object(site, "collection", "modify", "collection", collection_id);

    if (r != 0 || !site->principal.id[0])
        return TRACE(r);
    r = has_row(site, SQL_PRINCIPAL_MAY_FILL, DB_ARGS(db_text(collection_id)), &is_allowed);
    if (r < 0)
        return TRACE(r);
    if (!is_allowed)
        return refuse(site,
                      REFUSAL_NOT_TO_FILL,
                      "%s may not do to every device of the limiting collection what he may do in "
                      "the collection %s.",
                      site->principal.name,
                      collection_id);
    return 0;
}

static bool is_wanted(const char *class, const char *verb, const char *has_class, const char *has)
{
    bool is_class = strcmp(class, "*") == 0 || strcmp(class, has_class) == 0 ||
                    (strcmp(has_class, "content") == 0 && is_one_of(class, content_classes));

    return is_class && (strcmp(verb, "*") == 0 || strcmp(verb, has) == 0);
}

static bool is_wanted_by(const char *class, const char *verb, const struct permission *p)
{
    if (is_wanted(class, verb, p->class, p->verb))
        return true;
    for (size_t i = 0; i < PERMISSION_ALSO_MAX && p->also[i].class; i++)
        if (is_wanted(class, verb, p->also[i].class, p->also[i].verb))
            return true;
    return false;
}

bool principal_permission_is_known(const char *text)
{
    char class[WORD_MAX];
    size_t n = strcspn(text, ".");

    if (n >= sizeof(class) || text[n] != '.')
        return false;
    memcpy(class, text, n);
    class[n] = '\0';
    if (strcmp(class, "content") == 0)
        return false;
    if (strcmp(text + n + 1, "set-scope") == 0) /* src/site/security_scope.c wants it */
        return strcmp(class, "*") == 0 || is_one_of(class, scoped_classes);
    for (const struct permission *p = permissions; p->method; p++)
        if (is_wanted_by(class, text + n + 1, p))
            return true;
    return false;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a site consists of, as documents in files: docs/site-as-files.md
 *
 * A document is {"kind": KIND, "name": NAME, members...}. Members that stand in it are what is wanted; others stay
 * as they are. What other things are called in it are names, never ids, so that it fits another site as well.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "cli/session.h"

struct object_kind;

/* One member that is changed as a whole. */
struct object_field {
    const char *name;   /* in the document; NULL ends the list */
    const char *member; /* what the site answers it as; NULL: the same name */
    const char *
        place; /* the site answers an id of something there ("collections"); NULL: the value itself */
    json_t *(*value)(
        const json_t *answer); /* of the answered value, owned; NULL: the value itself */
    bool is_fixed;             /* the site takes it when the thing is created, and never again */
    bool is_exact; /* false, "" and nothing are three: of a rule, nothing is to be inherited */
};

#define OBJECT_RULE_SITE "site" /* what the rule of the site itself is called */

/* Rules are not made, but set: object_rule.c */
enum object_rule {
    OBJECT_RULE_NONE,
    OBJECT_RULE_LIST,   /* one of the site, and of each distribution point or deployment */
    OBJECT_RULE_SINGLE, /* one, of the site */
};

/* One member that is a list, whose items come and go one by one. */
struct object_part {
    const char *name; /* in the document; NULL ends the list */
    const char *path; /* of a request below the thing: "/rules" */
    const char *
        list; /* where the items are: NULL: GET at @path, else this member of the thing's own answer */
    const char *
        body; /* an item is a text: the member that a request has it as; NULL: an item is an object */
    const char *
        key; /* of an item that is an object: members with '/' between them, "a|b": the one it has */
    json_t *(*item)(
        const json_t
            *answer); /* an item as the document has it, owned; NULL: it has no place there */
    bool is_replaced; /* adding one that is there replaces it */
};

struct object_kind {
    const char *kind; /* NULL ends the table */
    const char *place;
    const char *id; /* the member that is the thing's name; NULL: "name" */
    const struct object_field *fields;
    const struct object_part *parts;
    const char *
        made_by; /* how it comes to be, when a document cannot make it; NULL: a document makes it */
    const char *change_place; /* where PATCH goes; NULL: @place; "": it cannot be changed */
    bool is_listed_only;      /* the site has no answer about one of them */
    bool is_kept;             /* no document deletes it */
    bool has_sequence;        /* "document" is a task sequence */
    bool is_confirmed;        /* a new one may wipe many disks */
    bool is_deployment;       /* its name is made of those of its task sequence and collection */
    enum object_rule rule;
};

/* In the order in which one needs the other. */
extern const struct object_kind object_kinds[];

/* By its name, in any case of letters; NULL: there is none. */
const struct object_kind *object_kind_find(const char *kind);

/**
 * object_check() - whether a document can be understood
 * @why: on false: what is wrong
 */
bool object_check(json_t *document, const struct object_kind **ret, struct buf *why);

/* Name of the thing a document is about, for people: "Collection Lab". */
void object_put_name(struct buf *dst, const json_t *document);

/**
 * object_compare() - what is to be done so that @is becomes @wanted
 * @is: as object_read() gives it
 *
 * Return: an array, owned; NULL: no memory. Its items are
 *     {"member", "is", "wanted"}               a field
 *     {"member", "operation", "item"}          an item of a list: add, remove or change
 * "is_fixed" stands in a field that cannot be changed; a secret that is wanted without its value and is not there has
 * "operation": "missing-secret".
 */
json_t *object_compare(const struct object_kind *kind, const json_t *is, const json_t *wanted);

/* The end of the path of a request about an item: "/query/Old%20ones". */
void object_put_key(struct buf *dst, const struct object_part *part, const json_t *item);

/* What is asked more than once in one run: names of ids. */
/* Member of what the site answers about one thing: its ETag. */
#define OBJECT_ETAG "etag"

struct object_site {
    struct session *session;
    const json_t *
        documents; /* all that are compared or applied, to tell apart what has no name; NULL: one alone. Borrowed */
    json_t *names;    /* "collections/SLP10001" -> name; owned */
    size_t n_secrets; /* that were left out of what was read */
    size_t n_missing; /* that a document wants and nobody has; each was told */
};

/* For OWN(). */
void object_site_fini(struct object_site *site);

/**
 * object_list() - all things of a kind that a document can stand for; what is built in is left out
 * @ret: an array of what the site answers, owned
 */
bool object_list(struct object_site *site, const struct object_kind *kind, json_t **ret);

/**
 * object_find() - one thing, as the site answers it
 * @document: has what tells it from others
 * @ret:      owned; NULL: there is none
 */
bool object_find(struct object_site *site,
                 const struct object_kind *kind,
                 const json_t *document,
                 json_t **ret);

/* A row of object_list() with everything the site answers about the thing. @ret: owned; NULL: it is gone. */
bool object_get(struct object_site *site,
                const struct object_kind *kind,
                json_t *row,
                json_t **ret);

/* @answer (of object_find() or object_get()) as a document, owned by the caller. */
bool object_read(struct object_site *site,
                 const struct object_kind *kind,
                 const json_t *answer,
                 json_t **ret);

/**
 * object_apply() - create or change a thing; a secret that is missing is told and counted, and the rest is done
 * @answer:  as object_find(); NULL: it is created
 * @changes: as object_compare()
 * @confirm: of a deployment: as deployment create --confirm; NULL: none
 */
bool object_apply(struct object_site *site,
                  const struct object_kind *kind,
                  const json_t *answer,
                  const json_t *wanted,
                  const json_t *changes,
                  const char *confirm);

/* Delete the thing @answer is about. */
bool object_delete(struct object_site *site, const struct object_kind *kind, const json_t *answer);

/* Below /api/v1: the thing itself. */
void object_put_path(struct buf *dst, const char *place, const json_t *answer);

/**
 * object_files_read() - the documents of a file, of "-", or of every .yaml, .yml and .json below a folder
 * @ret: an array of documents in the order of their kinds, each checked; owned
 */
bool object_files_read(struct session *s, const char *path, json_t **ret);

/**
 * object_files_list() - the paths of the files that object_files_read() reads
 * @ret: an array of texts, each beginning with @path; owned
 */
bool object_files_list(struct session *s, const char *path, json_t **ret);

/* object_sequence.c: the task sequence of a document, by the names of what it uses. */

/* @document gets the members "document" and "content". */
bool object_sequence_read(struct object_site *site, const json_t *answer, json_t *document);

/* Whether the site's sequence differs from the one that is wanted; what does is appended to @changes. */
bool object_sequence_compare(struct object_site *site,
                             const json_t *answer,
                             const json_t *wanted,
                             json_t *changes);

/* object_rule.c: object_list() and object_apply() of rules, and whether a row is what a document is about. */
bool object_rule_list(struct object_site *site, const struct object_kind *kind, json_t **ret);
bool object_rule_apply(struct object_site *site,
                       const struct object_kind *kind,
                       const json_t *answer,
                       const json_t *wanted);
bool object_rule_is_of(const struct object_kind *kind, const json_t *row, const json_t *document);

/* A new sequence (@answer: NULL), or a new version. */
bool object_sequence_apply(struct object_site *site, const json_t *answer, const json_t *wanted);

/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The words of a command: parameters of a script, as people write them
 */

#include <stdbool.h>
#include <stddef.h>

enum {
    TS_SCRIPT_WORDS_MAX = 128,
    TS_SCRIPT_WORDS_MAX_BYTES = 64 * 1024,
};

/* An argument vector with the texts in it. */
struct ts_script_words {
    const char *words[TS_SCRIPT_WORDS_MAX +
                      1]; /* ends with NULL; borrowed from @texts and from who added them */
    size_t n;
    char texts[TS_SCRIPT_WORDS_MAX_BYTES]; /* for ts_script_words_split() */
    size_t n_used;
};

/* One character of a word that is being made behind the others. Return: false if there is no room. */
bool ts_script_words_put(struct ts_script_words *w, char character);

/* A word behind the others; borrowed. Return: false if there are too many. */
bool ts_script_words_add(struct ts_script_words *w, const char *word);

/**
 * ts_script_words_split() - parameters as people write them: 'one word' "another" third
 *
 * Nothing is replaced in them, and a quote that stands twice within quotes of its kind is one.
 *
 * Return: false if a quote does not end, or there are too many.
 */
bool ts_script_words_split(struct ts_script_words *w, const char *text);

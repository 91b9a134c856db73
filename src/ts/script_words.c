/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/script_words.h"

#include <string.h>

bool ts_script_words_add(struct ts_script_words *w, const char *word)
{
    if (w->n == TS_SCRIPT_WORDS_MAX)
        return false;
    w->words[w->n++] = word;
    w->words[w->n] = NULL;
    return true;
}

bool ts_script_words_put(struct ts_script_words *w, char character)
{
    if (w->n_used == sizeof(w->texts))
        return false;
    w->texts[w->n_used++] = character;
    return true;
}

/* What stands between quotes; @text is behind the first. Return: behind the last; NULL: there is none. */
static const char *put_quoted(struct ts_script_words *w, const char *text, char quote)
{
    for (; *text != '\0'; text++) {
        if (*text == quote && text[1] != quote)
            return text + 1;
        if (*text == quote)
            text++;
        if (!ts_script_words_put(w, *text))
            return NULL;
    }
    return NULL;
}

bool ts_script_words_split(struct ts_script_words *w, const char *text)
{
    static const char spaces[] = " \t\r\n";

    for (text += strspn(text, spaces); *text != '\0'; text += strspn(text, spaces)) {
        const char *word = w->texts + w->n_used;

        while (text && *text != '\0' && !strchr(spaces, *text)) {
            if (*text == '\'' || *text == '"')
                text = put_quoted(w, text + 1, *text);
            else if (ts_script_words_put(w, *text))
                text++;
            else
                return false;
        }
        if (!text || !ts_script_words_put(w, '\0') || !ts_script_words_add(w, word))
            return false;
    }
    return true;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/password.h"

#include <string.h>

#include "base/own.h"
#include "cli/terminal.h"
#include "cli/values.h"

void password_wipe(struct buf *password)
{
    if (password->ptr)
        explicit_bzero(password->ptr, password->len);
    buf_fini(password);
}

static bool from_file(struct session *s, const char *from, struct buf *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(PASSWORD_ASK_MAX_BYTES);
    OWN(buf_fini) struct buf name = BUF_INIT(VALUES_NAME_MAX_BYTES);
    bool is_hidden = false;

    if (from[0] != '@' || from[1] == '@' || from[1] == '\0')
        return session_fail(
            s,
            ARGS_EXIT_USAGE,
            NULL,
            "everybody can read command lines: give the password as @FILE, or @- for standard input");
    buf_addf(&text, "password=%s", from);
    return values_read(s, buf_str(&text), &name, ret, &is_hidden);
}

static bool ask(struct session *s, const char *question, struct buf *ret)
{
    int r = terminal_ask(question, true, ret);

    if (r < 0)
        return session_fail_errno(s, "the terminal", r);
    if (r == TERMINAL_E_CANCELLED)
        return session_fail(s, ARGS_EXIT_FAILURE, NULL, "cancelled");
    if (r != 0)
        return session_fail(
            s,
            ARGS_EXIT_USAGE,
            "SLW-0707",
            "there is no terminal to ask for the password; give it as --password @FILE");
    return true;
}

bool password_read(
    struct session *s, const char *from, const char *question, bool is_new, struct buf *ret)
{
    OWN(password_wipe) struct buf again = BUF_INIT(PASSWORD_ASK_MAX_BYTES);

    if (from)
        return from_file(s, from, ret);
    if (!ask(s, question, ret))
        return false;
    if (!is_new)
        return true;
    if (!ask(s, "The same again: ", &again))
        return false;
    return strcmp(buf_str(ret), buf_str(&again)) == 0 ||
           session_fail(s, ARGS_EXIT_FAILURE, NULL, "these were two different passwords");
}

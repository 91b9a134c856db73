/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/password.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {
    PASSES = 3,
    MEMORY_BYTES = 32 * 1024 * 1024,
};

_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_STRBYTES, "a hash must fit");

struct password_work *password_work_new(void)
{
    return sodium_init() < 0 ? NULL : calloc(1, sizeof(struct password_work));
}

void password_work_run(void *arg)
{
    struct password_work *work = arg;

    if (work->directory) {
        work->question.password = work->given;
        directory_ask(work->directory, &work->question, &work->answer);
        work->question.password = NULL;
    } else if (work->given[0])
        work->is_good = crypto_pwhash_str_verify(work->hash, work->given, strlen(work->given)) == 0;
    if (work->wanted[0] && crypto_pwhash_str_alg(work->made,
                                                 work->wanted,
                                                 strlen(work->wanted),
                                                 PASSES,
                                                 MEMORY_BYTES,
                                                 crypto_pwhash_ALG_ARGON2ID13) != 0)
        work->made[0] = '\0';
}

void password_work_free(void *arg)
{
    struct password_work *work = arg;

    if (!work)
        return;
    directory_question_fini(&work->question);
    directory_answer_fini(&work->answer);
    explicit_bzero(work, sizeof(struct password_work));
    free(work);
}

/* Of 32 random bytes that nobody has; the salt and the costs are those of any other. */
const char *password_nobody(void)
{
    return "$argon2id$v=19$m=32768,t=3,p=1$kGYe+905bfflbRLIFBzD1A$"
           "qLRknZ7bRC1ziPv00ic1ODZ2EhIjfe4qXM2TTr0EN/I";
}

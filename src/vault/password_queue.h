/* password_queue.h - hashing of passwords on threads of its own, a few at a time.
 *
 * A flood of logins must take neither all memory nor the threads that serve: a queue has few
 * threads (so few times the memory of one hash), and a bounded number of waiting tasks; what is
 * beyond is refused at once with ERROR_RATE_LIMITED.
 *
 * Life: password_queue_new(), any number of password_queue_submit() from any thread,
 * password_queue_free() last, which finishes what waits.
 */
#pragma once

#include "vault/password.h"

typedef struct PasswordQueue PasswordQueue;

typedef struct {
    unsigned threads;  /* 0: two */
    unsigned waiting;  /* tasks that may wait; 0: 64 */
    PasswordCost cost; /* zero: the program's own */
} PasswordQueueOptions;

/* What came of it. Borrowed by the callback. */
typedef struct {
    bool matches;         /* the password belongs to the hash */
    const char *new_hash; /* of a right password whose hash is outdated, or of a new one; or NULL */
    const GError *error;  /* hashing failed */
} PasswordResult;

/* Called once, on a thread of the queue. */
typedef void (*PasswordDone)(void *data, const PasswordResult *result);

typedef struct {
    Secret *password; /* the queue takes its own reference */
    const char *hash; /* copied; NULL: of nobody, costs the same and matches never */
    bool make;        /* do not verify: make a hash of the password */
    PasswordDone done;
    void *data;
} PasswordTask;

/* options may be NULL. NULL with the error set when no thread can be started. */
PasswordQueue *password_queue_new(const PasswordQueueOptions *options,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void password_queue_free(PasswordQueue *queue); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PasswordQueue, password_queue_free)

/* False (ERROR_RATE_LIMITED) means that it was not taken and done will not be called. */
bool password_queue_submit(PasswordQueue *queue, const PasswordTask *task,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ask.h - one request of a run: rendered, answered from the cassette or else by the sender,
 * recorded.
 *
 * An ask is made when a reading wants a page and waits in the run's queue; the pump takes it from
 * there. It is gone when its reading has the answer.
 */
#pragma once

#include "collect/walk.h"

/* An answer as a Reading sees it; borrowed for the call. */
typedef struct {
    Outcome outcome;
    RespondThen then;
    const char *message;
    const char *url;
    GString **kept; /* projected body; may be taken (set to NULL). Empty: no body */
    const char *(*header)(void *data, const char *name);
    void *header_data;
    size_t size;
    bool replayed; /* from the cassette: nothing was waited for */
} Answer;

/* Takes the answer to what a reading asked. */
typedef void (*AskAnswered)(Reading *reading, const Answer *answer);

/* Renders the next request of a reading and queues it. A request that cannot be rendered is an
 * answer of its own (bad_request), given to the reading by the pump. */
void ask_next(Reading *reading, AskAnswered answered);

/* Works off queued asks: from the cassette, or by the sender. */
void ask_pump(Run *run);

/* Frees queued asks without answers. */
void ask_drop_all(Run *run);

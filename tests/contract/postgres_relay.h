/* postgres_relay.h - a network between a program and PostgreSQL that can lose things.
 *
 * Passes connections to 127.0.0.1:PORT of the server on. Armed, it looks for a word in what the
 * program says; the connection that says it is cut, before the server has heard it or after the
 * server has answered, once.
 */
#pragma once

typedef struct Relay Relay;

typedef enum {
    RELAY_WHOLE,          /* loses nothing */
    RELAY_REQUEST,        /* the server never hears it */
    RELAY_ANSWER,         /* the server has answered, the program does not hear that */
    RELAY_ANSWER_AND_ALL, /* so, and nobody gets through any more until relay_mend() */
} RelayLoss;

Relay *relay_new(int server_port);
void relay_free(Relay *relay);

int relay_port(const Relay *relay);
void relay_lose(Relay *relay, RelayLoss loss, const char *word);
void relay_mend(Relay *relay);

/* request.h - one request as the server hands it on: everything is borrowed for the call. */
#pragma once

#include <stddef.h>

typedef struct {
    const char *method;
    const char *target; /* path and query as sent */
    const char *body;   /* "" when there is none */
    size_t body_size;
    const char *(*header)(void *data, const char *name);
    void *data;
} ServiceRequest;

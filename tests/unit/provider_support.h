/* provider_support.h - small definitions and values for the tests of provider/. */
#pragma once

#include "provider/definition.h"
#include "provider/diagnostic.h"
#include "provider/value.h"

/* A definition that is right, made of parts that a test may replace: every NULL part is the
 * default one. Parts are YAML, indented as at the top of a file. */
typedef struct {
    const char *head;     /* assay, id, name ... hosts */
    const char *settings; /* with its key, like all below */
    const char *auth;
    const char *http;
    const char *identity;
    const char *calls;
    const char *evidence;
    const char *rest; /* webhooks, actions, schedule, setup: none */
} SupportParts;

/* The text of a definition. Caller frees. */
char *support_text(const SupportParts *parts);

/* Loads a definition that must be right. Owned by the caller. */
Definition *support_load(const SupportParts *parts);

/* AWS services of every protocol, and a definition over them: with its own calls and evidence where
 * these are NULL. Owned by the caller. */
extern const char support_services[];
Definition *support_aws(const char *calls, const char *evidence);

/* providers/github.yaml. Owned by the caller. */
Definition *support_github(void);

/* A value from JSON. Owned by the caller. */
Value support_value(const char *json);

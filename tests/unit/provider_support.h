/* provider_support.h - small definitions and values for the tests of provider/. */
#pragma once

#include "provider/definition.h"
#include "provider/diagnostic.h"
#include "provider/expr.h"
#include "provider/render.h"
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

/* A definition that renders, with its settings (JSON). */
typedef struct {
    Definition *definition;
    Render *render;
    Value settings;
} SupportRender;

/* Takes the definition. */
SupportRender support_render_new(Definition *definition, const char *values);
void support_render_clear(SupportRender *render);

/* The request of a call in an environment (JSON), which must become one. */
RenderedRequest support_rendered(SupportRender *render, const char *call, const char *env,
                                 const Page *page);

/* What an expression gave, in one text: "one 1", "none", "many [1,2]", "failed why". Caller
 * frees. */
char *support_outcome(const ExprResult *result);

/* A service of the definition, which must have it. */
const DefinitionService *support_service(const Definition *definition, const char *name);

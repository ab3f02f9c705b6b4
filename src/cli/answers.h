/* answers.h - what a person gave for a connection, and the questions for what is missing.
 *
 * Answers gathers --set and --credential, held against a definition: settings as they were given,
 * and the fields of one auth method as Credentials. Secrets come from files, the environment,
 * standard input or an echoless prompt; one that stands in the arguments is refused. Fields of the
 * auth method that are not secret may be given by --set like settings. The external id of an AWS
 * role is made here when it is not given, which is so when its trust policy is yet to be written;
 * with a server it is made there.
 */
#pragma once

#include "cli/prompt.h"
#include "connect/credentials.h"
#include "provider/definition.h"

typedef struct {
    const Definition *definition;
    const char *const *set;         /* "KEY=VALUE"; ends in NULL, or NULL */
    const char *const *credentials; /* "NAME=SOURCE"; ends in NULL, or NULL */
    const char *auth;               /* name of the auth method, or NULL */
    Prompt prompt;                  /* asked when it is a terminal; its input is read for "-" */
    bool external_id_there;         /* a server makes it */
} Questions;

typedef struct {
    const DefinitionAuth *auth;
    Json *settings; /* as given, not checked yet */
    Credentials *credentials;
    bool external_id_made; /* aws_role: none was given, so Assay has made one */
} Answers;

/* ERROR_USAGE and ERROR_CONFIGURATION say what is missing or wrong; no message holds a value. */
bool answers_init(Answers *answers, const Questions *questions,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void answers_clear(Answers *answers);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answers, answers_clear)

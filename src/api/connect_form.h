/* connect_form.h - what a connect request says, held against the provider's definition.
 *
 * Everything that is accepted becomes three things: settings, secrets of one auth method, and that
 * method. Accepted are names in camelCase and snake_case; `auth`, or `type` among the credentials,
 * or neither when the fields fit one method only; settings among the credentials (region, tenantId
 * ...), and fields that are not secret among the settings. The external id of an AWS role is made
 * here when it is not given.
 */
#pragma once

#include "api/call.h"
#include "connect/credentials.h"
#include "provider/definition.h"

typedef struct {
    const Definition *definition; /* borrowed from the registry */
    const DefinitionAuth *auth;
    Json *settings; /* as checked */
    Credentials *credentials;
    bool external_id_made;
} ConnectForm;

/* Says in the call what is wrong, with pointers; no message holds a value. */
bool connect_form_init(ConnectForm *form, Call *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same for an integration that is there, of this definition: settings that are not given are
 * those that it has (JSON text), and of these also what only the operator may set. */
bool connect_form_init_again(ConnectForm *form, Call *call, const Definition *definition,
                             const char *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void connect_form_clear(ConnectForm *form);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ConnectForm, connect_form_clear)

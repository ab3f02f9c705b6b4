/* whoami.h - who is at the other end: the definition's who-am-I call, used to test a connection
 * before anything is stored.
 */
#pragma once

#include "base/json.h"
#include "connect/sender.h"

#include <glib.h>
#include <stdbool.h>

/* Calls the definition's identity call and maps its reply; runs the client's loop until the answer
 * is there. *account_out is a JSON object with the members of the definition's reply (user,
 * accountId, arn, organizations). ERROR_AUTHENTICATION_FAILED reads "Invalid GitHub credentials";
 * other failures keep the code of their outcome. */
bool whoami_fetch(NetClient *client, Sender *sender, const Definition *definition,
                  const Json *settings, Json **account_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

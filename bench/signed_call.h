/* signed_call.h - a line of the AWS sandbox's log as a request that can be sent again.
 *
 * The log names operations ("POST iam:ListMFADevices?UserName=user-7"); services of the query
 * protocol are known here, which is what reading users and their devices needs.
 */
#pragma once

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>

typedef struct {
    const char *service; /* static */
    char *body;
} SignedCall;

/* NULL when the line is no call of a service that is known here. */
SignedCall *signed_call_new(const char *line);
void signed_call_free(SignedCall *call);

/* Signs calls with one access key, for one endpoint; the texts are copied. */
typedef struct CallSigner CallSigner;

CallSigner *call_signer_new(const char *key_id, const char *secret, GError **error);
void call_signer_free(CallSigner *signer);

/* All headers of a call to this URL, signed now. Owned by the caller. */
struct curl_slist *call_signer_headers(CallSigner *signer, const SignedCall *call, const char *url,
                                       GError **error);

/* fault.h - faults on demand: rules that bend, delay or replace the answers to chosen requests.
 *
 * A rule is a JSON object:
 *   match    glob of the path (* stands for any text); of path and query when it has a "?"
 *   method   "GET" (default: any)
 *   kind     one of the kinds below
 *   after    matching requests that pass unharmed first (default 0)
 *   times    how often the rule strikes then (default -1: for ever)
 *   delay_ms wait before the answer (any kind)
 *   status, body (text, or JSON), headers ({name: text}), fields ([name]), location, bytes, size,
 *   retry_after, reset_in, code: as the kind asks for
 *
 *   status         status (500), body, headers instead of the answer
 *   delay          nothing but delay_ms
 *   hold           no answer until it is released
 *   throttle       403 and "secondary rate limit" with retry_after seconds (1); with reset_in:
 *                  the announced limit, spent for so many seconds
 *   redirect       302 to location (a path is put behind the sandbox's URL)
 *   close          the connection is closed without an answer
 *   truncate       half of the body (or `bytes` of it), then the connection is closed
 *   broken_json    half of the body, with a length that fits
 *   slow_drip      `bytes` (1) of the body every delay_ms (50)
 *   endless        a body that never ends
 *   endless_pages  every page announces another one
 *   loop           every page announces itself as the next one
 *   deep           `size` (1,000,000) times "["
 *   nodes          `size` (1 MiB) bytes of {},
 *   huge_header    a header of `size` (1 MiB) bytes
 *   raw            body, written to the connection without a status line
 *   surrogate, big_int, wrong_types, missing_fields    the answer with `fields` damaged (mangle.h)
 *
 *   denied         the permission is missing        } in the service's own form
 *   expired        the credentials have expired     }
 *   code           status (400) and an error `code` with `body` as its message, likewise
 *
 * For AWS the path is the operation, as in "iam:ListMFADevices", or the permission it asks for;
 * with a "?" the parameters follow (aws.h). throttle is said in the service's form, and status
 * without a body is its internal error.
 *
 * The first rule that matches and still strikes is the one that counts. Faults are counted
 * references: a delayed answer keeps its rule when the table is cleared.
 */
#pragma once

#include "base/json.h"
#include "sandbox/reply.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Fault Fault;
typedef struct Faults Faults;

Faults *faults_new(void);
void faults_free(Faults *faults);
void faults_clear(Faults *faults);

/* Adds one rule; id_out is its number. ERROR_CONFIGURATION says what is wrong with it. */
bool faults_add(Faults *faults, const Json *rule, int64_t *id_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the rules of this kind ("hold") whose match is the given one, or all of that kind. */
void faults_remove(Faults *faults, const char *kind, const char *match);

/* {"faults": [{"id", "match", "kind", "seen", "struck"}]} */
Json *faults_describe(const Faults *faults);

/* The rule that strikes this request, with a reference for the caller, or NULL. alias is another
 * name of its path, or NULL. */
Fault *faults_strike(Faults *faults, const char *method, const char *target, const char *alias);
void fault_unref(Fault *fault);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fault, fault_unref)

/* What the rule asks for before and while the answer is made. */
unsigned fault_delay_ms(const Fault *fault);
bool fault_is_hold(const Fault *fault);
bool fault_is_loop(const Fault *fault);
bool fault_is_endless_pages(const Fault *fault);
bool fault_is_kind(const Fault *fault, const char *kind);
bool fault_matches(const Fault *fault, const char *match);

/* What the rule says of an error; 0, NULL and -1 when it does not. */
unsigned fault_status(const Fault *fault);
const char *fault_code(const Fault *fault);
const char *fault_body(const Fault *fault);
int64_t fault_retry_after(const Fault *fault);

/* Only the rule's headers. */
void fault_apply_headers(const Fault *fault, Reply *reply);

/* Bends the finished answer. now_ms is wall time. */
void fault_apply(const Fault *fault, const char *url, int64_t now_ms, Reply *reply);

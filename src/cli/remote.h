/* remote.h - an Assay that runs elsewhere: its API, spoken to with a token.
 *
 * With --server URL (else ASSAY_SERVER) a command asks that server instead of opening the data
 * directory of this machine; see `remote` in command.h. The token comes from --token SOURCE, else
 * ASSAY_TOKEN, which is overwritten and unset, else it is asked for without echo. It is sent in a
 * header of each attempt and stands nowhere else. Plain http is for servers on the loopback alone,
 * so that no token crosses a network in the clear.
 *
 * A Remote is one connection of one command, on the thread that made it. Reading is tried again as
 * net/retry.h says; whatever changes something is sent once.
 *
 * A problem document (RFC 9457) becomes an error of its code with its sentence, so that messages
 * and exit statuses are those of the same command on the data directory.
 */
#pragma once

#include "base/json.h"
#include "base/secmem.h"
#include "cli/arguments.h"

#include <glib.h>
#include <stdbool.h>

typedef struct Remote Remote;

/* Whether --server or ASSAY_SERVER names one. */
bool remote_is_wanted(const Arguments *arguments);
/* The same of a command line that was not looked at yet. */
bool remote_is_named(const char *const *vector);

/* ERROR_USAGE for an address or a token that cannot be; nothing is sent yet. */
Remote *remote_open(const Arguments *arguments, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void remote_free(Remote *remote);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Remote, remote_free)

/* Where the server is, for messages: "https://assay.example.com". */
const char *remote_address(const Remote *remote);

/* Asks as in another organization, by id or name, from now on; borrowed. */
void remote_enter(Remote *remote, const char *organization);

/* A parameter of a query; one whose value is NULL is left out. A table ends in {0}. */
typedef struct {
    const char *name;
    const char *value;
} RemoteField;

/* A path of the API with its one parameter, such as "/api/jobs/{id}/cancel". Caller frees. */
char *remote_path(const char *pattern, const char *value);

/* GET; query may be NULL. The caller owns the reply. */
Json *remote_get(Remote *remote, const char *path, const RemoteField *query,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All pages of a list as one array: the member of this name of each. */
Json *remote_list(Remote *remote, const char *path, const RemoteField *query, const char *member,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A request that changes something; body may be NULL. An answer without a body is an empty
 * object. */
Json *remote_send(Remote *remote, const char *method, const char *path, const Json *body,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A secret of a body: the member of this name of the object at `under` (NULL: of the body). */
typedef struct {
    const char *name;
    const Secret *value;
} RemoteSecret;

/* The same with secrets, which are put behind the other members of the body: those of `under`, an
 * object that the body lacks, or of the body itself when it is NULL. The text is wiped. secrets
 * ends in {0}. */
Json *remote_send_secrets(Remote *remote, const char *method, const char *path, const Json *body,
                          const char *under, const RemoteSecret *secrets,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* GET of something that may be large: the body as it came, with a NUL behind it. Caller frees. */
char *remote_body(Remote *remote, const char *path, const RemoteField *query, size_t *size_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Told of a job that is waited for: what its `progress` says. */
typedef void (*RemoteProgress)(const Json *report, void *data);

/* Waits until a job has ended or is parked, and gives the job. progress may be NULL. */
Json *remote_wait(Remote *remote, const char *job_id, RemoteProgress progress, void *data,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An integration by id or name. */
Json *remote_integration(Remote *remote, const char *id_or_name,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

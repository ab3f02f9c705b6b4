#include "cli/keys.h"

#include "base/text.h"
#include "cli/access.h"
#include "cli/key_check.h"
#include "cli/prompt.h"
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONSENT "export"

/* --- who may, and where to -------------------------------------------------------------------- */

static bool refuse(GError **error, ErrorCode code, const char *message) {
    g_set_error_literal(error, ASSAY_ERROR, code, message);
    return false;
}

/* The database's password or root's group do not make an owner. */
static bool is_owner(const Place *place, GError **error) {
    struct stat status;
    if (geteuid() == 0 || (stat(place->data_dir, &status) == 0 && status.st_uid == geteuid()))
        return true;
    return refuse(error, ERROR_PERMISSION_DENIED,
                  "only the owner of the data directory may export its key");
}

static bool may_be_shown(const CommandCall *call, const char *file, GError **error) {
    bool force = arguments_flag(call->arguments, "force");
    if (!file && call->output->json)
        return refuse(error, ERROR_USAGE, "with --json the key goes to a FILE: name one");
    if (!file && !force && !isatty(fileno(call->output->result)))
        return refuse(error, ERROR_USAGE,
                      "the key is not written into a pipe: name a FILE, or give --force");
    return true;
}

static bool consents(const CommandCall *call, GError **error) {
    g_autofree char *line = NULL;
    if (arguments_flag(call->arguments, "force"))
        return true;
    if (!prompt_possible(&prompt_standard))
        return refuse(error, ERROR_USAGE,
                      "nobody is there to be asked: run this on a terminal, or give --force");
    line = prompt_line(&prompt_standard,
                       "Whoever has this key and the database has every stored credential.\n"
                       "Type \"" CONSENT "\" to go on: ",
                       error);
    if (!line)
        return false;
    return strcmp(line, CONSENT) == 0 || refuse(error, ERROR_CANCELLED, "the key was not exported");
}

/* --- writing it ------------------------------------------------------------------------------- */

static bool fail_file(const char *file, GError **error) {
    int code = errno;
    g_set_error(error, ASSAY_ERROR, code == EEXIST ? ERROR_CONFLICT : ERROR_CONFIGURATION,
                "the key cannot be written into %s: %s; name another file", file, g_strerror(code));
    return false;
}

static bool write_file(const char *file, const char *digits, GError **error) {
    int descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return fail_file(file, error);
    size_t size = strlen(digits);
    bool ok = write(descriptor, digits, size) == (ssize_t)size && write(descriptor, "\n", 1) == 1 &&
              fsync(descriptor) == 0;
    if (!ok) {
        (void)fail_file(file, error);
        (void)unlink(file);
    }
    close(descriptor);
    return ok;
}

static bool write_key(const CommandCall *call, const Keyring *keyring, const char *file,
                      GError **error) {
    const Secret *key = keyring_kek(keyring);
    char *digits = text_hex(secret_bytes(key), secret_size(key));
    bool ok = !file || write_file(file, digits, error);
    if (!file)
        output_line(call->output, "%s", digits);
    secmem_free_text(digits);
    return ok;
}

/* --- the command ------------------------------------------------------------------------------ */

static bool note_work(DbUnit *unit, void *data, GError **error) {
    const char *key_id = data;
    AuditEntry entry = {.action = AUDIT_KEYS_EXPORTED,
                        .actor = session_actor(),
                        .target_kind = "key",
                        .target_id = key_id};
    return audit_add(unit, &entry, error);
}

static bool note(const Session *session, const char *key_id, GError **error) {
    const DbScope scope = {
        .organization = AUDIT_INSTALLATION, .actor = "cli", .role = "operator", .system = true};
    return db_run(session_db(session), &scope, DB_WRITE, note_work, (void *)(uintptr_t)key_id,
                  error);
}

static bool is_right(Session *session, const Keyring *keyring, GError **error) {
    g_auto(KeyCheck) check = {0};
    return key_check_run(session_db(session), keyring, &check, error) &&
           key_check_judge(&check, error);
}

static void tell(const CommandCall *call, const char *key_id, const char *file) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "keyId", key_id);
    json_put_string(json, "file", file);
    output_json(call->output, json);
    if (file)
        output_line(call->output, "The key %s is in %s.", key_id, file);
    output_note(call->output, "Keep it away from the database and its backups. ENCRYPTION_KEY_FILE "
                              "names it to Assay.");
}

/* The record comes first: what is not written down does not leave. */
static bool run(CommandCall *call, GError **error) {
    const char *file =
        arguments_words(call->arguments) > 0 ? arguments_word(call->arguments, 0) : NULL;
    if (!may_be_shown(call, file, error))
        return false;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_INSTALLATION, error);
    if (!session || !is_owner(session_place(session), error))
        return false;
    const Keyring *keyring = session_keyring(session, error);
    if (!keyring || !is_right(session, keyring, error) || !consents(call, error) ||
        !note(session, keyring_id(keyring), error) || !write_key(call, keyring, file, error))
        return false;
    tell(call, keyring_id(keyring), file);
    return true;
}

static const Option options[] = {
    {"force", OPTION_FLAG, NULL, "do not ask, and write into a pipe as well"}, {0}};

const Command keys_export_command = {
    .name = "keys export",
    .summary = "write the encryption key out, to be kept elsewhere",
    .usage = "[FILE] [--force]",
    .about =
        "Whoever loses the key loses every stored credential, and no backup holds it. The key\n"
        "is written into a new FILE (mode 0600), or shown on the terminal, for the owner of\n"
        "the data directory only. It is asked for first, and stands in the audit log.",
    .examples = "assay keys export /media/safe/assay.key\n"
                "assay keys export --force > /dev/printer",
    .options = options,
    .most = 1,
    .run = run,
};

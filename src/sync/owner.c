#include "sync/owner.h"

#include "base/error.h"
#include "base/id.h"
#include "store/budget.h"
#include "store/job_claim.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_SUFFIX ".lock"
#define OWNER_ID_MAX 512

struct Owner {
    char *id;
    char *path;
    int descriptor;
};

static char *run_dir(const char *data_dir) {
    return g_build_filename(data_dir, "run", NULL);
}

static bool fail_errno(GError **error, const char *what, const char *path) {
    g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "cannot %s %s: %s", what, path,
                g_strerror(errno));
    return false;
}

static bool lock(int descriptor) {
    int failed;
    do
        failed = flock(descriptor, LOCK_EX);
    while (failed != 0 && errno == EINTR);
    return failed == 0;
}

/* Between open and flock the file looks dead to others, who may remove it; then it is made anew. */
static int open_locked(const char *path, GError **error) {
    for (;;) {
        int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor < 0) {
            fail_errno(error, "make the lock file", path);
            return -1;
        }
        struct stat status;
        if (!lock(descriptor) || fstat(descriptor, &status) != 0) {
            fail_errno(error, "lock", path);
            close(descriptor);
            return -1;
        }
        if (status.st_nlink > 0)
            return descriptor;
        close(descriptor);
    }
}

bool owner_new(const char *data_dir, Owner **owner_out, GError **error) {
    g_autofree char *dir = run_dir(data_dir);
    if (g_mkdir_with_parents(dir, 0700) != 0)
        return fail_errno(error, "make the folder", dir);
    g_autofree char *uuid = id_new();
    g_autofree char *name = g_strconcat(uuid, LOCK_SUFFIX, NULL);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    int descriptor = open_locked(path, error);
    if (descriptor < 0)
        return false;
    g_autoptr(Owner) owner = g_new0(Owner, 1);
    owner->id = g_strdup_printf("%s:%s", g_get_host_name(), uuid);
    owner->path = g_steal_pointer(&path);
    owner->descriptor = descriptor;
    ssize_t size = (ssize_t)strlen(owner->id);
    if (write(descriptor, owner->id, (size_t)size) != size)
        return fail_errno(error, "write the lock file", owner->path);
    *owner_out = g_steal_pointer(&owner);
    return true;
}

void owner_free(Owner *owner) {
    if (!owner)
        return;
    (void)g_unlink(owner->path);
    close(owner->descriptor);
    g_free(owner->path);
    g_free(owner->id);
    g_free(owner);
}

const char *owner_id(const Owner *owner) {
    return owner->id;
}

/* A lock that can be taken has no living owner; it is held while its leases are let go, so that an
 * owner that is about to take it finds its file gone and makes it anew. -1: alive, or gone. */
static int take_dead(const char *path) {
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    if (descriptor < 0 || (flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
                           fstat(descriptor, &status) == 0 && status.st_nlink > 0))
        return descriptor;
    close(descriptor);
    return -1;
}

static bool release_work(DbUnit *unit, void *data, GError **error) {
    return job_release_owner(unit, data, NULL, error) && budget_holder_forget(unit, data, error);
}

/* The id stands in the file: the host's name may have changed since (containers). */
static bool release_leases(int descriptor, Db *db, GError **error) {
    static const DbScope system_scope = {.actor = "worker", .system = true};
    char id[OWNER_ID_MAX + 1];
    ssize_t size = pread(descriptor, id, OWNER_ID_MAX, 0);
    if (size <= 0)
        return true;
    id[size] = '\0';
    return db_run(db, &system_scope, DB_WRITE, release_work, id, error);
}

static bool release(const char *dir, const char *name, Db *db, GError **error) {
    g_autofree char *path = g_build_filename(dir, name, NULL);
    int descriptor = take_dead(path);
    if (descriptor < 0)
        return true;
    bool ok = release_leases(descriptor, db, error);
    if (ok)
        (void)g_unlink(path);
    close(descriptor);
    return ok;
}

bool owner_release_dead(const char *data_dir, Db *db, GError **error) {
    g_autofree char *path = run_dir(data_dir);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return true;
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, LOCK_SUFFIX) && !release(path, name, db, error))
            return false;
    return dir != NULL;
}

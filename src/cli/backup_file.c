#include "cli/backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING ".sha256"
#define MAGIC "SQLite format 3"
#define SUM_MAX 4096 /* bytes of a checksum file that are looked at */

bool backup_file_failed(const char *file, const char *what, GError **error) {
    int code = errno;
    g_set_error(error, ASSAY_ERROR, code == ENOENT ? ERROR_NOT_FOUND : ERROR_CONFIGURATION,
                "the backup %s cannot be %s: %s", file, what, g_strerror(code));
    return false;
}

bool backup_file_is_new(const char *file, GError **error) {
    g_autofree char *sum = g_strconcat(file, ENDING, NULL);
    const char *taken = g_file_test(file, G_FILE_TEST_EXISTS)  ? file
                        : g_file_test(sum, G_FILE_TEST_EXISTS) ? sum
                                                               : NULL;
    if (!taken)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFLICT, "there is a file %s already: name another one",
                taken);
    return false;
}

/* --- summing up ------------------------------------------------------------------------------- */

static void digits(const uint8_t digest[DIGEST_SIZE], char out[DIGEST_HEX_SIZE]) {
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        g_snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static bool sum_up(const char *file, BackupSeal *seal, GError **error) {
    unsigned char buffer[64 * 1024];
    uint8_t digest[DIGEST_SIZE];
    g_autoptr(Digest) sum = digest_new();
    FILE *stream = fopen(file, "re");
    size_t got = 0;
    seal->size = 0;
    if (!stream)
        return backup_file_failed(file, "opened", error);
    while ((got = fread(buffer, 1, sizeof buffer, stream)) > 0) {
        digest_update(sum, buffer, got);
        seal->size += (int64_t)got;
    }
    bool ok = !ferror(stream) || backup_file_failed(file, "read", error);
    (void)fclose(stream);
    digest_finish(sum, digest);
    digits(digest, seal->sha256);
    return ok;
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool write_sum(const char *file, const BackupSeal *seal, GError **error) {
    g_autofree char *path = g_strconcat(file, ENDING, NULL);
    g_autofree char *name = g_path_get_basename(file);
    g_autofree char *line = g_strdup_printf("%s  %s\n", seal->sha256, name);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return backup_file_failed(path, "made", error);
    size_t size = strlen(line);
    bool ok = write(descriptor, line, size) == (ssize_t)size && fsync(descriptor) == 0;
    if (!ok) {
        (void)backup_file_failed(path, "written", error);
        (void)unlink(path);
    }
    close(descriptor);
    return ok;
}

static bool sync_file(const char *path, int flags) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | flags);
    bool ok = descriptor >= 0 && fsync(descriptor) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return ok;
}

/* link() fails when the name was taken meanwhile, where rename() would replace. */
bool backup_file_give_name(const char *draft, const char *file, GError **error) {
    g_autofree char *folder = g_path_get_dirname(file);
    bool ok = sync_file(draft, 0) && link(draft, file) == 0 && unlink(draft) == 0 &&
              sync_file(folder, O_DIRECTORY);
    return ok || backup_file_failed(file, "named", error);
}

char *backup_file_draft(const char *file) {
    return g_strdup_printf("%s.%d.part", file, (int)getpid());
}

bool backup_file_publish(const char *draft, const char *file, BackupSeal *seal_out,
                         GError **error) {
    if (!sum_up(draft, seal_out, error) || !write_sum(file, seal_out, error))
        return false;
    if (backup_file_give_name(draft, file, error))
        return true;
    g_autofree char *sum = g_strconcat(file, ENDING, NULL);
    (void)unlink(sum);
    return false;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The sum that FILE.sha256 tells; *told_out is NULL when there is no such file. */
static bool read_sum(const char *file, char **told_out, GError **error) {
    g_autofree char *path = g_strconcat(file, ENDING, NULL);
    char text[SUM_MAX] = {0};
    FILE *stream = fopen(path, "re");
    *told_out = NULL;
    if (!stream)
        return errno == ENOENT || backup_file_failed(path, "opened", error);
    size_t got = fread(text, 1, sizeof text - 1, stream);
    (void)fclose(stream);
    *told_out = g_strndup(text, MIN(got, strcspn(text, " \t\r\n")));
    return true;
}

static bool is_database(const char *file, GError **error) {
    char head[sizeof MAGIC] = {0};
    struct stat status;
    FILE *stream = stat(file, &status) == 0 ? fopen(file, "re") : NULL;
    if (!stream)
        return backup_file_failed(file, "opened", error);
    bool ok = S_ISREG(status.st_mode) && fread(head, sizeof head, 1, stream) == 1 &&
              memcmp(head, MAGIC, sizeof head) == 0;
    (void)fclose(stream);
    if (!ok)
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "%s is no backup of Assay: name a file that `assay backup` has made", file);
    return ok;
}

bool backup_file_verify(const char *file, bool *sealed_out, GError **error) {
    BackupSeal seal;
    g_autofree char *told = NULL;
    if (!is_database(file, error) || !read_sum(file, &told, error))
        return false;
    *sealed_out = told != NULL;
    if (!told)
        return true;
    if (!sum_up(file, &seal, error))
        return false;
    if (strcmp(seal.sha256, told) == 0)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO,
                "the backup %s is not what its checksum says: it was damaged or changed; take "
                "another one",
                file);
    return false;
}

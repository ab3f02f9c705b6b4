/* backup_file.h - the file of a backup and the checksum beside it.
 *
 * A backup is written under another name and gets its own when it is whole and on the disk. The
 * checksum is FILE.sha256, in the form of sha256sum(1).
 */
#pragma once

#include "base/digest.h"
#include "base/error.h"

typedef struct {
    char sha256[DIGEST_HEX_SIZE];
    int64_t size;
} BackupSeal;

/* ERROR_CONFLICT when FILE or FILE.sha256 is there. */
bool backup_file_is_new(const char *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sums the draft up, writes the checksum and gives the draft its name. */
bool backup_file_publish(const char *draft, const char *file, BackupSeal *seal_out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A name beside FILE that no other process uses meanwhile. Caller frees. */
char *backup_file_draft(const char *file);

/* Gives the draft, once it is on the disk, its name in one step. False when it is taken. */
bool backup_file_give_name(const char *draft, const char *file,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_CONFIGURATION when FILE is no backup, ERROR_CRYPTO when it is not what FILE.sha256 says.
 * *sealed_out: whether there is a checksum. */
bool backup_file_verify(const char *file, bool *sealed_out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sets the error from errno; false. */
bool backup_file_failed(const char *file, const char *what, GError **error);

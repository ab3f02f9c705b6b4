#include "cli/doctor_place.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define OTHERS (S_IRWXG | S_IRWXO)
#define MIB (1024LL * 1024)
#define ROOM_LEAST (100 * MIB)
#define ROOM_WANTED (1024 * MIB)

void doctor_directory(Examination *examination) {
    const char *dir = examination->place->data_dir;
    Checkup *checkup = examination->checkup;
    struct stat status;
    if (stat(dir, &status) != 0 || !S_ISDIR(status.st_mode))
        checkup_fail(checkup, "Run `assay init`, or name another directory with --data.",
                     "there is no directory %s", dir);
    else if (geteuid() != 0 && status.st_uid != geteuid())
        checkup_fail(checkup, "Run Assay as the owner of the directory, or give it to this user.",
                     "%s belongs to user %u", dir, (unsigned)status.st_uid);
    else if ((status.st_mode & OTHERS) != 0)
        checkup_warn(checkup, "Run: chmod 700 on the data directory.",
                     "%s may be used by others (mode %04o)", dir, status.st_mode & 07777);
    else
        checkup_ok(checkup, "%s, mode %04o", dir, status.st_mode & 07777);
}

/* --- files ------------------------------------------------------------------------------------ */

typedef struct {
    unsigned seen;
    unsigned open; /* to others */
    char *first;   /* of those */
} FileCount;

static void count_file(const char *dir, const char *name, FileCount *count) {
    g_autofree char *path = g_build_filename(dir, name, NULL);
    struct stat status;
    if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return;
    count->seen++;
    if ((status.st_mode & OTHERS) == 0)
        return;
    count->open++;
    if (!count->first)
        count->first = g_steal_pointer(&path);
}

void doctor_files(Examination *examination) {
    const char *place = examination->place->data_dir;
    g_autoptr(GDir) dir = g_dir_open(place, 0, NULL);
    FileCount count = {0};
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir))
        count_file(place, name, &count);
    if (count.open > 0)
        checkup_fail(examination->checkup, "Run: chmod 600 on the files of the data directory.",
                     "%u files may be used by others, such as %s", count.open, count.first);
    else if (dir)
        checkup_ok(examination->checkup, "%u files, for their owner only", count.seen);
    else if (g_file_test(place, G_FILE_TEST_EXISTS))
        checkup_fail(examination->checkup, "Give this user the right to read it.",
                     "%s cannot be read", place);
    g_free(count.first);
}

/* --- room ------------------------------------------------------------------------------------- */

void doctor_disk(Examination *examination) {
    static const char advice[] = "Free some space, or move the data directory to a larger disk.";
    const char *dir = examination->place->data_dir;
    Checkup *checkup = examination->checkup;
    struct statvfs disk;
    if (statvfs(dir, &disk) != 0) {
        if (errno != ENOENT)
            checkup_fail(checkup, "Give this user the right to use it.", "%s: %s", dir,
                         g_strerror(errno));
        return;
    }
    int64_t room = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
    long long shown = (long long)(room / MIB);
    if (room < ROOM_LEAST)
        checkup_fail(checkup, advice, "%lld MiB are left", shown);
    else if (room < ROOM_WANTED)
        checkup_warn(checkup, advice, "%lld MiB are left", shown);
    else if (disk.f_files > 0 && disk.f_favail == 0)
        checkup_fail(checkup, "Remove files: the file system has no more of them to give.",
                     "no file can be made any more");
    else
        checkup_ok(checkup, "%lld MiB are left", shown);
}

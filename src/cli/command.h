/* command.h - what a subcommand is: one constant row.
 *
 * The program (program.h) finds the row by its name, parses the options, calls run() and turns an
 * error into its printed form and its exit status. run() prints its result itself. A result that is
 * no error and yet not "done" (partly collected, say) is told by call->status.
 *
 * run() works on the data directory of this machine, remote() on a server (remote.h); both end in
 * the same objects, which are printed in the same way. A command without remote() belongs to one
 * machine (serve, restore ...) and refuses --server.
 */
#pragma once

#include "cli/arguments.h"
#include "cli/output.h"
#include "cli/remote.h"

/* Exit statuses that are no errors of the program. */
#define STATUS_DONE 0
#define STATUS_USAGE 2
#define STATUS_AUTHENTICATION 4
#define STATUS_PARTLY 5
#define STATUS_LATER 6

typedef struct Command Command;

typedef struct {
    const Arguments *arguments;
    const Output *output;
    const Command *const *commands; /* all there are; ends in NULL */
    int status;                     /* STATUS_DONE unless run() says otherwise */
} CommandCall;

struct Command {
    const char *name;      /* "evidence list" */
    const char *summary;   /* one line, without a full stop */
    const char *usage;     /* what stands behind the name */
    const char *about;     /* paragraphs, which help breaks into lines; or NULL */
    const char *examples;  /* lines that can be typed as they are */
    const Option *options; /* NULL: global ones only */
    size_t least;          /* words that must and may follow the name */
    size_t most;
    bool worker; /* run() starts a worker process: the program has it ready */
    bool (*run)(CommandCall *call, GError **error);
    bool (*remote)(CommandCall *call, Remote *remote, GError **error);
};

/* worker.h - the worker process: the child's side of sync/crew.h.
 *
 * It is this program, executed with the hidden subcommand "worker" and a socket as descriptor
 * WORKER_SOCKET. It says hello, does what it is asked one thing at a time, and ends when the socket
 * closes, in the middle of its work if need be: a worker whose parent is gone has nobody to work
 * for. Expressions are evaluated and credentials opened here only, under a limit on memory (not in
 * builds with a sanitizer, whose shadow memory does not fit).
 *
 * Messages, JSON unless said otherwise:
 *
 *   in   {"hello": {dataDir, databaseUrl, clockOffset, waitScale, key: bool,
 *        aws: {fields: [...], noMetadata: bool}, redis: bool, limits: {PROVIDER: "30/1m"}}}, then
 *        the key-encryption key as a secret frame when key is true, one secret frame for each of
 *        aws.fields, and the URL of Redis as one when redis is true
 *   out  {"ready": true}, or {"error": {code, message}}
 *   in   {"do": "test", provider, auth, settings, fields: [...]}, then one secret frame a field
 *   in   {"do": "run", organization, job}
 *   in   {"do": "work", jobs}: claims and runs what is due, at most so many jobs
 *   in   {"do": "exercise", definition, folder, golden: bool}
 *   in   {"stop": "after"} or {"stop": "now"}, while it works: no further job, or not even this one
 *        to its end (what was answered is kept, and the job is let go of)
 *   out  any number of {"progress": {...}}, then {"done": {...}} or {"error": {...}}
 *   out  for work also {"claimed": {organization, job, integration, attempt}} and {"ended":
 * {outcome, result, error}} for each job; done is {jobs, worn: bool}
 */
#pragma once

#define WORKER_SOCKET 3
#define WORKER_COMMAND "worker"

/* Address space of a worker, in bytes. */
#define WORKER_MEMORY_MAX (1536L * 1024 * 1024)

/* A worker that has used this much resident memory is to be replaced, in KiB. */
#define WORKER_WORN_KB (192L * 1024)

/* Runs until the socket closes. The exit status of the process. */
int worker_main(void);

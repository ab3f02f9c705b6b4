/* plan.h - the union of the read graphs of the evidence types of one run.
 *
 * A call that several evidence types share is made once: nodes of different types are one plan node
 * when call, parent, `where`, and mode (rows, collect, fold) are equal. A plan node lists the types
 * that use it and the node's index there. Parents come before children. A node's path, query and
 * `where` see the rows of its ancestors under the names of the type named in uses[0].
 *
 * Two nodes with the same call under the same parent that are read in different ways (one with a
 * `where`, one into an index) ask once as well: the second is an echo of the first, gets all its
 * answers, and its expressions count for what is kept of them.
 *
 * A node with an index becomes two plan nodes: the shared list, read once per row of its `once_per`
 * (or once per run), and the lookup under `for`, whose source is the shared one; read_plan_find()
 * gives the lookup. Where `once_per` is no ancestor of `for`, it is a root of one row, a side read.
 *
 * What the run's expressions read of a node's rows is known before it starts, so every plan node
 * carries a ScanPlan that keeps those members only (the call's own `keep` replaces it).
 */
#pragma once

#include "provider/definition.h"
#include "provider/diagnostic.h"

#define PLAN_NO_SOURCE (-1)

typedef struct {
    size_t type; /* index in ReadPlan.types */
    size_t node; /* index in that type's nodes */
} PlanUse;

typedef struct {
    const ReadNode *node; /* of uses[0] */
    const char *path;     /* names from the root, "repo/protection": part of the cassette's key */
    int parent;           /* index in ReadPlan.nodes, READ_NO_PARENT for a root */
    int source;  /* index of the shared list that this node looks up; PLAN_NO_SOURCE: none */
    int echo_of; /* index of the earlier node that asks for this one too; PLAN_NO_SOURCE: none */
    bool shared; /* the list of an index: rows go into the index, nothing is emitted */
    const size_t *children;
    size_t child_count;
    const PlanUse *uses;
    size_t use_count;
    const ScanPlan *scan; /* for scan_body(): redaction, and what is read of the answer; NULL for
                             lookups and for rows of an expression */
} PlanNode;

typedef struct {
    const EvidenceType *const *types;
    size_t type_count;
    const PlanNode *nodes;
    size_t node_count;
} ReadPlan;

/* The plan of these types. Owned by the caller, keeps a reference on the definition. */
ReadPlan *read_plan_new(const Definition *definition, const EvidenceType *const *types,
                        size_t type_count, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void read_plan_free(ReadPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReadPlan, read_plan_free)

/* The index of the plan node that type (index in the plan) uses as its node; never fails for valid
 * indexes. */
size_t read_plan_find(const ReadPlan *plan, size_t type, size_t node);

/* Reports calls whose `keep` hides a member that some expression reads, for definition_load.h. */
void read_plan_check(const Definition *definition, Diagnostics *diagnostics);

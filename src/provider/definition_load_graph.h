/* definition_load_graph.h - the read graph of one evidence type.
 *
 * Nodes come out with parents before their children. Refused are cycles, unknown calls and parents,
 * several roots, calls that look at rows which are not above them, and lists beside the chain that
 * makes rows.
 */
#pragma once

#include "provider/definition_read.h"

/* Reads `read` and `row_of` of the evidence type in node into type. False when the graph is too
 * wrong to go on with rows and checks. */
bool definition_load_graph(Loading *loading, const YamlNode *node, EvidenceType *type);

/* The nodes from the root to row_of, as bits. */
uint64_t definition_graph_chain(const EvidenceType *type);

#include "db/statement.h"
#include <stdlib.h>
#include <string.h>

static int compare_name(const void *name, const void *row) {
    return strcmp(name, ((const StatementText *)row)->name);
}

const StatementText *statement_find(const StatementCatalogue *catalogue, const char *name) {
    return bsearch(name, catalogue->statements, catalogue->statement_count, sizeof(StatementText),
                   compare_name);
}

int statement_parameter(const StatementText *statement, const char *name) {
    for (size_t i = 0; i < statement->parameter_count; i++) {
        if (strcmp(statement->parameters[i], name) == 0)
            return (int)i + 1;
    }
    return 0;
}

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
    return statement_parameter_behind(statement, name, 0);
}

int statement_parameter_behind(const StatementText *statement, const char *name, int last) {
    size_t count = statement->parameter_count;
    for (size_t i = 0; i < count; i++) {
        size_t place = ((size_t)last + i) % count;
        if (strcmp(statement->parameters[place], name) == 0)
            return (int)place + 1;
    }
    return 0;
}

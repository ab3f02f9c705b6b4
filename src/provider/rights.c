#include "provider/rights.h"

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#include <string.h>

#define SEPARATORS " \t\r\n,"
#define NAME_MAX_SIZE 256
#define NAMES_MAX 20000
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/*?-"

/* What one statement of a policy says; a list of names is one that allows. */
typedef struct {
    bool denies;
    bool limited;
    bool except; /* NotAction: all but the names */
    GPtrArray *names;
} Statement;

struct Rights {
    GPtrArray *statements;
    size_t name_count;
};

static void statement_free(void *pointer) {
    Statement *statement = pointer;
    g_ptr_array_unref(statement->names);
    g_free(statement);
}

void rights_free(Rights *rights) {
    if (rights == NULL)
        return;
    g_ptr_array_unref(rights->statements);
    g_free(rights);
}

static Statement *add_statement(Rights *rights) {
    Statement *statement = g_new0(Statement, 1);
    statement->names = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(rights->statements, statement);
    return statement;
}

static bool refuse(const char *what, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "the rights cannot be read: %s", what);
    return false;
}

static bool add_name(Rights *rights, Statement *statement, const char *name, GError **error) {
    if (name == NULL || name[0] == '\0' || name[strspn(name, NAME_CHARACTERS)] != '\0')
        return refuse("there is something in it that is no name", error);
    if (strlen(name) > NAME_MAX_SIZE || ++rights->name_count > NAMES_MAX) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                    "the rights have a name of more than %d bytes, or more than %d names",
                    NAME_MAX_SIZE, NAMES_MAX);
        return false;
    }
    g_ptr_array_add(statement->names, g_ascii_strdown(name, -1));
    return true;
}

/* --- lists of names --------------------------------------------------------------------------- */

static bool read_names(Rights *rights, Statement *statement, const Json *names, GError **error) {
    if (json_kind(names) == JSON_KIND_STRING)
        return add_name(rights, statement, json_text(names), error);
    if (json_kind(names) != JSON_KIND_ARRAY)
        return refuse("actions must be a text or an array of texts", error);
    for (size_t i = 0; i < json_count(names); i++)
        if (!add_name(rights, statement, json_text(json_item(names, i)), error))
            return false;
    return true;
}

static bool read_lines(Rights *rights, const char *text, GError **error) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    Statement *statement = add_statement(rights);
    for (char **line = lines; *line != NULL; line++) {
        (*line)[strcspn(*line, "#")] = '\0';
        g_auto(GStrv) words = g_strsplit_set(*line, SEPARATORS, -1);
        for (char **word = words; *word != NULL; word++)
            if (**word != '\0' && !add_name(rights, statement, *word, error))
                return false;
    }
    return statement->names->len > 0 || refuse("there is no name in it", error);
}

/* --- policy documents ------------------------------------------------------------------------- */

static bool is_everything(const Json *resource) {
    if (json_kind(resource) == JSON_KIND_STRING)
        return strcmp(json_text(resource), "*") == 0;
    for (size_t i = 0; json_kind(resource) == JSON_KIND_ARRAY && i < json_count(resource); i++)
        if (is_everything(json_item(resource, i)))
            return true;
    return false;
}

static bool read_effect(Statement *statement, const Json *json, GError **error) {
    const char *effect = json_member_string(json, "Effect", "");
    statement->denies = strcmp(effect, "Deny") == 0;
    if (!statement->denies && strcmp(effect, "Allow") != 0)
        return refuse("a statement's Effect is neither Allow nor Deny", error);
    if (json_member(json, "Principal") != NULL || json_member(json, "NotPrincipal") != NULL)
        return refuse("it is the policy of a resource; take one of a user or role", error);
    return true;
}

static bool read_statement(Rights *rights, const Json *json, GError **error) {
    Statement *statement = add_statement(rights);
    if (!read_effect(statement, json, error))
        return false;
    const Json *actions = json_member(json, "Action");
    const Json *others = json_member(json, "NotAction");
    if ((actions == NULL) == (others == NULL))
        return refuse("a statement needs either Action or NotAction", error);
    statement->except = others != NULL;
    statement->limited = !is_everything(json_member(json, "Resource")) ||
                         json_count(json_member(json, "Condition")) > 0;
    return read_names(rights, statement, others != NULL ? others : actions, error);
}

static bool read_policy(Rights *rights, const Json *json, GError **error) {
    const Json *statements = json_member(json, "Statement");
    if (json_kind(statements) == JSON_KIND_OBJECT)
        return read_statement(rights, statements, error);
    if (json_kind(statements) != JSON_KIND_ARRAY)
        return refuse("it is JSON, but no policy document and no array of names", error);
    for (size_t i = 0; i < json_count(statements); i++)
        if (!read_statement(rights, json_item(statements, i), error))
            return false;
    return true;
}

static bool read_json(Rights *rights, const char *text, size_t size, GError **error) {
    g_autoptr(GError) cause = NULL;
    g_autoptr(Json) json = json_parse(text, size, RIGHTS_MAX_SIZE, &cause);
    if (json == NULL)
        return refuse(cause->message, error);
    if (json_kind(json) == JSON_KIND_ARRAY)
        return read_names(rights, add_statement(rights), json, error);
    return read_policy(rights, json, error);
}

Rights *rights_new(const char *text, size_t size, GError **error) {
    if (size > RIGHTS_MAX_SIZE) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT, "the rights are more than %d bytes",
                    RIGHTS_MAX_SIZE);
        return NULL;
    }
    g_autoptr(Rights) rights = g_new0(Rights, 1);
    rights->statements = g_ptr_array_new_with_free_func(statement_free);
    if (!text_is_utf8(text, size)) {
        refuse("it is no text", error);
        return NULL;
    }
    g_autofree char *copy = g_strndup(text, size);
    char first = copy[strspn(copy, SEPARATORS)];
    bool read = first == '{' || first == '[' ? read_json(rights, text, size, error)
                                             : read_lines(rights, copy, error);
    return read ? g_steal_pointer(&rights) : NULL;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Whether a name fits a pattern with * and ?. Goes back to the last * only, so that no pattern
 * takes long. */
static bool fits(const char *pattern, const char *name) {
    const char *star = NULL;
    const char *from = NULL;
    while (*name != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            from = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star + 1;
            name = ++from;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

static bool speaks_of(const Statement *statement, const char *name) {
    bool named = false;
    for (guint i = 0; !named && i < statement->names->len; i++)
        named = fits(statement->names->pdata[i], name);
    return named != statement->except;
}

Right rights_find(const Rights *rights, const char *name) {
    g_autofree char *lower = g_ascii_strdown(name, -1);
    Right found = RIGHT_MISSING;
    Right most = RIGHT_HELD;
    for (guint i = 0; i < rights->statements->len; i++) {
        const Statement *statement = rights->statements->pdata[i];
        if (!speaks_of(statement, lower))
            continue;
        if (statement->denies)
            most = MIN(most, statement->limited ? RIGHT_LIMITED : RIGHT_MISSING);
        else
            found = MAX(found, statement->limited ? RIGHT_LIMITED : RIGHT_HELD);
    }
    return MIN(found, most);
}

static Right find_all(const Rights *rights, const DefinitionNeed *need) {
    Right least = RIGHT_HELD;
    for (size_t i = 0; i < need->count; i++)
        least = MIN(least, rights_find(rights, need->names[i]));
    return least;
}

Right rights_call(const Rights *rights, const DefinitionCall *call) {
    if (call == NULL || call->need_count == 0)
        return RIGHT_HELD;
    Right best = RIGHT_MISSING;
    for (size_t i = 0; i < call->need_count; i++)
        best = MAX(best, find_all(rights, &call->needs[i]));
    return best;
}

static bool may_read(const Rights *rights, const ReadNode *node, Right least) {
    bool may = rights_call(rights, node->call) >= least;
    for (size_t i = 0; i < node->first_count; i++)
        may = may && rights_call(rights, node->first[i]) >= least;
    return may;
}

uint64_t rights_unread(const Rights *rights, const EvidenceType *type, Right least) {
    uint64_t unread = 0;
    for (size_t i = 0; i < type->node_count; i++) {
        const ReadNode *node = &type->nodes[i];
        bool above = node->parent >= 0 && (unread >> node->parent & 1) != 0;
        bool list =
            node->index_on != NULL && node->index_per >= 0 && (unread >> node->index_per & 1) != 0;
        if (above || list || !may_read(rights, node, least))
            unread |= UINT64_C(1) << i;
    }
    return unread;
}

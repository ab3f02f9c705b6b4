#include "present/roll.h"

#include "present/people_object.h"

static Json *member_json(const void *row) {
    return member_object(row);
}

static Json *invitation_json(const void *row) {
    return invitation_object(row);
}

static Json *token_json(const void *row) {
    return token_access_object(row);
}

static Json *user_json(const void *row) {
    return user_object(row);
}

static Json *whole_token_json(const void *row) {
    return token_object(row);
}

static Json *organization_json(const void *row) {
    return organization_object(row);
}

const Roll member_roll = {"users", "userId", membership_list, member_json};
const Roll invitation_roll = {"invitations", "id", invitation_list, invitation_json};
const Roll token_roll = {"tokens", "id", api_token_list, token_json};
const Roll user_roll = {"users", "id", user_list, user_json};
const Roll whole_token_roll = {"tokens", "id", api_token_list_all, whole_token_json};
const Roll organization_roll = {"organizations", "id", organization_list, organization_json};

bool roll_work(DbUnit *unit, void *work, GError **error) {
    RollWork *wish = work;
    const Roll *roll = wish->roll;
    g_autoptr(GPtrArray) rows = NULL;
    g_clear_pointer(&wish->page, json_free);
    if (!roll->read(unit, wish->after, wish->limit, &rows, error))
        return false;
    Json *list = json_new_array();
    for (guint i = 0; i < rows->len; i++)
        json_add(list, roll->object(g_ptr_array_index(rows, i)));
    bool full = rows->len > 0 && (int64_t)rows->len == wish->limit;
    const Json *last = full ? json_item(list, rows->len - 1) : NULL;
    wish->page = json_new_object();
    json_put(wish->page, roll->name, list);
    json_put_string(wish->page, "nextCursor", json_member_string(last, roll->key, NULL));
    return true;
}

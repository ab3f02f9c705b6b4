/* aws_list.h - paged lists of AWS: sections of rows under one token, filtered by parameters.
 *
 *   "list": {"key": "Users", "of": "user", "row": {...}}          one section, or
 *   "lists": [{"key": "UserDetailList", "of": "user", "row": {...},
 *              "only": {"parameter": "Filter.member.*", "value": "User",
 *                       "required": false}}, ...]   required: not without the parameter
 *                                                 joined: one element with the section before
 *   "with": {...}      members beside the list
 *   "page": PAGING     instead of the service's; false: one page
 *   "filters": [{"parameter": "Scope", "field": "scope", "all": ["All"]},
 *               {"parameter": "StartTime", "field": "epoch", "compare": "from"},
 *               {"home": "home", "or": "multi", "parameter": "includeShadowTrails"}]
 *   "when": CONDITION  of rows
 *
 * A filter holds when its parameter (a glob) is absent, or when the field has one of its values;
 * compare: "from" at least, "until" at most that number. home: the field must be the region asked,
 * or the field "or" be true while the parameter is not "false".
 *
 * The token of a page is opaque; "key" may name the elements of XML ("DBInstances/DBInstance").
 */
#pragma once

#include "base/json.h"
#include "sandbox/aws_request.h"
#include "sandbox/aws_service.h"
#include "sandbox/template.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct AwsList AwsList;

/* json is the object that has list, page and so on. */
AwsList *aws_list_load(const Json *json, const AwsService *service, const TemplateScope *scope,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
void aws_list_free(AwsList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsList, aws_list_free)

typedef struct {
    const AwsRequest *request;
    Item *item; /* what the operation is about, or the root */
    const char *region;
    const Variables *variables;
    uint64_t page_max; /* rows of a page at most, whatever is asked; 0: no such bound */
    bool endless;      /* always announce another page */
    bool loop;         /* announce this page as the next one */
} AwsListCall;

/* Appends the members of the answer to out, or gives the kind of error. */
AwsErrorKind aws_list_render(const AwsList *list, const AwsListCall *call, GString *out);

/* Whether the item's field "home" is the region, or its field "or" true and allowed. */
typedef struct {
    FieldRef home;
    FieldRef otherwise;
    bool has_otherwise;
} AwsHome;

bool aws_home_load(const Json *json, const Collection *of, AwsHome *home_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool aws_home_holds(const AwsHome *home, Item *item, const char *region, bool allowed);

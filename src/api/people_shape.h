/* people_shape.h - the forms of the API's objects about people, tokens and the audit log
 * (present/people_object.h, present/audit_object.h), and of what is sent about access. */
#pragma once

#include "api/shape.h"

/* role, grants, integrations, periodFrom, periodUntil of objects; rows of a table of fields. */
#define ACCESS_FIELDS                                                                              \
    SHAPE_FIELD("role", STRING, SHAPE_REQUIRED, "See docs/roles.md.", .words = role_words),        \
        SHAPE_FIELD("grants", ARRAY, SHAPE_REQUIRED, NULL, .items = SHAPE_STRING),                 \
        SHAPE_FIELD("integrations", ARRAY, SHAPE_REQUIRED | SHAPE_NULLABLE,                        \
                    "What a scanner may see.", .items = SHAPE_STRING),                             \
        SHAPE_FIELD("periodFrom", TIME, SHAPE_REQUIRED | SHAPE_NULLABLE, "Of an auditor."),        \
        SHAPE_FIELD("periodUntil", TIME, SHAPE_REQUIRED | SHAPE_NULLABLE, NULL)

/* The same in requests (api/access_body.h). */
#define ACCESS_BODY_FIELDS                                                                         \
    SHAPE_FIELD("role", STRING, SHAPE_REQUIRED, "See docs/roles.md.", .words = role_words),        \
        SHAPE_FIELD("grants", ARRAY, 0, "credentials:read, for owners and admins.",                \
                    .items = SHAPE_STRING, .most = 10),                                            \
        SHAPE_FIELD("integrations", ARRAY, SHAPE_NULLABLE, "Ids of what a scanner may see.",       \
                    .items = SHAPE_ID, .most = 400),                                               \
        SHAPE_FIELD("periodFrom", TIME, SHAPE_NULLABLE, "Of an auditor."),                         \
        SHAPE_FIELD("periodUntil", TIME, SHAPE_NULLABLE, NULL)

extern const char *const role_words[];

extern const Shape entry_shape; /* answer of login, setup, joining and GET /api/session */
extern const Shape success_shape;
extern const Shape session_list_shape;
extern const Shape member_shape_of_api;
extern const Shape member_list_shape;
extern const Shape user_shape_of_api;
extern const Shape user_list_shape;
extern const Shape user_added_shape;
extern const Shape invitation_list_shape;
extern const Shape invited_shape;
extern const Shape offer_shape;
extern const Shape organization_shape;
extern const Shape organization_list_shape;
extern const Shape token_list_shape;
extern const Shape operator_token_list_shape;
extern const Shape token_made_shape;
extern const Shape audit_list_shape;
extern const Shape audit_proof_shape;
extern const Shape activity_list_shape;

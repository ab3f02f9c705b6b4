#include "api/people_shape.h"

#define REQ SHAPE_REQUIRED
#define MAYBE (SHAPE_REQUIRED | SHAPE_NULLABLE)
#define NEXT_CURSOR                                                                                \
    SHAPE_FIELD("nextCursor", STRING, MAYBE, "The cursor of the next page; null: there is none.")

const char *const role_words[] = {"owner", "admin", "member", "auditor", "scanner", NULL};
static const char *const statuses[] = {"active", "expired", "revoked", NULL};
static const char *const results[] = {"ok", "denied", "failed", NULL};
static const char *const kinds[] = {"user", "token", NULL};

static const ShapeField success_fields[] = {SHAPE_FIELD("success", BOOLEAN, REQ, NULL), {0}};
const Shape success_shape = {.name = "Success", .fields = success_fields};

/* --- who one is ------------------------------------------------------------------------------- */

static const ShapeField reach_fields[] = {
    SHAPE_FIELD("id", ID, REQ, NULL), SHAPE_FIELD("name", STRING, REQ, NULL), ACCESS_FIELDS, {0}};
static const Shape reach_shape = {.name = "OwnOrganization", .fields = reach_fields};

static const ShapeField entry_fields[] = {
    SHAPE_FIELD("kind", STRING, REQ, NULL, .words = kinds),
    SHAPE_FIELD("id", ID, REQ, "Of the user or token."),
    SHAPE_FIELD("name", STRING, REQ, "The e-mail address, or the token's name."),
    SHAPE_FIELD("operator", BOOLEAN, REQ, "Whether this is the installation's operator."),
    SHAPE_FIELD("csrfToken", STRING, MAYBE, "For X-CSRF-Token; null with a token."),
    SHAPE_FIELD("organizations", ARRAY, REQ, NULL, .of = &reach_shape),
    {0}};
const Shape entry_shape = {.name = "Caller", .fields = entry_fields};

static const ShapeField session_fields[] = {
    SHAPE_FIELD("id", ID, REQ, NULL),
    SHAPE_FIELD("address", STRING, REQ, "Where the login came from."),
    SHAPE_FIELD("agent", STRING, MAYBE, "What the browser calls itself."),
    SHAPE_FIELD("current", BOOLEAN, REQ, "Whether this request belongs to it."),
    SHAPE_FIELD("createdAt", TIME, REQ, NULL),
    SHAPE_FIELD("lastSeenAt", TIME, REQ, "Within a minute."),
    SHAPE_FIELD("expiresAt", TIME, REQ, NULL),
    {0}};
static const Shape session_shape = {.name = "Session", .fields = session_fields};
static const ShapeField session_list_fields[] = {
    SHAPE_FIELD("sessions", ARRAY, REQ, NULL, .of = &session_shape), NEXT_CURSOR, {0}};
const Shape session_list_shape = {.name = "SessionList", .fields = session_list_fields};

/* --- people ----------------------------------------------------------------------------------- */

static const ShapeField member_fields[] = {
    SHAPE_FIELD("userId", ID, REQ, NULL),
    SHAPE_FIELD("email", STRING, REQ, NULL),
    SHAPE_FIELD("name", STRING, REQ, NULL),
    ACCESS_FIELDS,
    SHAPE_FIELD("expiresAt", TIME, MAYBE, "When the membership ends."),
    SHAPE_FIELD("disabledAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("lastLoginAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("createdAt", TIME, REQ, NULL),
    {0}};
const Shape member_shape_of_api = {.name = "Member", .fields = member_fields};
static const ShapeField member_list_fields[] = {
    SHAPE_FIELD("users", ARRAY, REQ, NULL, .of = &member_shape_of_api), NEXT_CURSOR, {0}};
const Shape member_list_shape = {.name = "MemberList", .fields = member_list_fields};

static const ShapeField user_fields[] = {SHAPE_FIELD("id", ID, REQ, NULL),
                                         SHAPE_FIELD("email", STRING, REQ, NULL),
                                         SHAPE_FIELD("name", STRING, REQ, NULL),
                                         SHAPE_FIELD("hasPassword", BOOLEAN, REQ, NULL),
                                         SHAPE_FIELD("disabledAt", TIME, MAYBE, NULL),
                                         SHAPE_FIELD("lastLoginAt", TIME, MAYBE, NULL),
                                         SHAPE_FIELD("createdAt", TIME, REQ, NULL),
                                         {0}};
const Shape user_shape_of_api = {.name = "User", .fields = user_fields};
static const ShapeField user_list_fields[] = {
    SHAPE_FIELD("users", ARRAY, REQ, NULL, .of = &user_shape_of_api), NEXT_CURSOR, {0}};
const Shape user_list_shape = {.name = "UserList", .fields = user_list_fields};

static const ShapeField invitation_fields[] = {
    SHAPE_FIELD("id", ID, REQ, NULL),
    SHAPE_FIELD("email", STRING, REQ, NULL),
    ACCESS_FIELDS,
    SHAPE_FIELD("invitedBy", STRING, MAYBE,
                "A user's id; null: the command line, or a token of nobody."),
    SHAPE_FIELD("createdAt", TIME, REQ, NULL),
    SHAPE_FIELD("expiresAt", TIME, REQ, NULL),
    {0}};
static const Shape invitation_shape = {.name = "Invitation", .fields = invitation_fields};
static const ShapeField invitation_list_fields[] = {
    SHAPE_FIELD("invitations", ARRAY, REQ, NULL, .of = &invitation_shape), NEXT_CURSOR, {0}};
const Shape invitation_list_shape = {.name = "InvitationList", .fields = invitation_list_fields};
static const ShapeField invited_fields[] = {
    SHAPE_FIELD("invitation", OBJECT, REQ, NULL, .of = &invitation_shape),
    SHAPE_FIELD("link", STRING, REQ | SHAPE_SECRET, "Shown once; good for one use."),
    {0}};
const Shape invited_shape = {.name = "Invited", .fields = invited_fields};
static const ShapeField offer_fields[] = {
    SHAPE_FIELD("email", STRING, REQ, NULL),
    SHAPE_FIELD("organization", STRING, REQ, NULL),
    SHAPE_FIELD("role", STRING, REQ, NULL, .words = role_words),
    SHAPE_FIELD("expiresAt", TIME, REQ, NULL),
    SHAPE_FIELD("hasAccount", BOOLEAN, REQ, "Whether the present password is asked for."),
    {0}};
const Shape offer_shape = {.name = "InvitationOffer", .fields = offer_fields};

/* --- organizations ---------------------------------------------------------------------------- */

static const ShapeField organization_fields[] = {SHAPE_FIELD("id", ID, REQ, NULL),
                                                 SHAPE_FIELD("name", STRING, REQ, NULL),
                                                 SHAPE_FIELD("createdAt", TIME, REQ, NULL),
                                                 {0}};
const Shape organization_shape = {.name = "Organization", .fields = organization_fields};
static const ShapeField organization_list_fields[] = {
    SHAPE_FIELD("organizations", ARRAY, REQ, NULL, .of = &organization_shape), NEXT_CURSOR, {0}};
const Shape organization_list_shape = {.name = "OrganizationList",
                                       .fields = organization_list_fields};

static const ShapeField added_fields[] = {
    SHAPE_FIELD("user", OBJECT, REQ, NULL, .of = &user_shape_of_api),
    SHAPE_FIELD("organization", OBJECT, REQ, "Whose member the user is now.",
                .of = &organization_shape),
    SHAPE_FIELD("isNew", BOOLEAN, REQ, "false: the account was there before."),
    {0}};
const Shape user_added_shape = {.name = "UserAdded", .fields = added_fields};

/* --- tokens ----------------------------------------------------------------------------------- */

#define TOKEN_TIMES                                                                                \
    SHAPE_FIELD("createdBy", STRING, MAYBE, "A user's id; null: the command line or a token."),    \
        SHAPE_FIELD("createdAt", TIME, REQ, NULL), SHAPE_FIELD("expiresAt", TIME, MAYBE, NULL),    \
        SHAPE_FIELD("revokedAt", TIME, MAYBE, NULL), SHAPE_FIELD("lastUsedAt", TIME, MAYBE, NULL)
#define TOKEN_FACE                                                                                 \
    SHAPE_FIELD("id", ID, REQ, NULL), SHAPE_FIELD("name", STRING, REQ, NULL),                      \
        SHAPE_FIELD("hint", STRING, REQ, "Kind and last characters, to recognize it by."),         \
        SHAPE_FIELD("status", STRING, REQ, NULL, .words = statuses)

static const ShapeField token_fields[] = {TOKEN_FACE, ACCESS_FIELDS, TOKEN_TIMES, {0}};
static const Shape token_shape = {.name = "Token", .fields = token_fields};
static const ShapeField token_list_fields[] = {
    SHAPE_FIELD("tokens", ARRAY, REQ, NULL, .of = &token_shape), NEXT_CURSOR, {0}};
const Shape token_list_shape = {.name = "TokenList", .fields = token_list_fields};

static const ShapeField whole_fields[] = {
    TOKEN_FACE, SHAPE_FIELD("operator", BOOLEAN, REQ, NULL), TOKEN_TIMES, {0}};
static const Shape whole_shape = {.name = "WholeToken", .fields = whole_fields};
static const ShapeField whole_list_fields[] = {
    SHAPE_FIELD("tokens", ARRAY, REQ, NULL, .of = &whole_shape), NEXT_CURSOR, {0}};
const Shape operator_token_list_shape = {.name = "WholeTokenList", .fields = whole_list_fields};
static const ShapeField made_fields[] = {
    SHAPE_FIELD("token", STRING, REQ | SHAPE_SECRET, "Shown once."),
    SHAPE_FIELD("tokenInfo", OBJECT, REQ, NULL, .of = &whole_shape),
    {0}};
const Shape token_made_shape = {.name = "TokenMade", .fields = made_fields};

/* --- audit ------------------------------------------------------------------------------------ */

static const ShapeField actor_fields[] = {
    SHAPE_FIELD("kind", STRING, REQ, "user, token, cli or system."),
    SHAPE_FIELD("id", STRING, MAYBE, NULL),
    SHAPE_FIELD("name", STRING, MAYBE, "As it was then."),
    SHAPE_FIELD("address", STRING, MAYBE, NULL),
    SHAPE_FIELD("requestId", STRING, MAYBE, NULL),
    {0}};
static const Shape actor_shape = {.name = "AuditActor", .fields = actor_fields};
static const ShapeField target_fields[] = {SHAPE_FIELD("kind", STRING, REQ, NULL),
                                           SHAPE_FIELD("id", STRING, MAYBE, NULL),
                                           SHAPE_FIELD("name", STRING, MAYBE, NULL),
                                           {0}};
static const Shape target_shape = {.name = "AuditTarget", .fields = target_fields};
static const ShapeField audit_fields[] = {
    SHAPE_FIELD("id", ID, REQ, NULL),
    SHAPE_FIELD("organizationId", STRING, MAYBE, "null: of the installation."),
    SHAPE_FIELD("at", TIME, REQ, NULL),
    SHAPE_FIELD("action", STRING, REQ, NULL),
    SHAPE_FIELD("result", STRING, REQ, NULL, .words = results),
    SHAPE_FIELD("actor", OBJECT, REQ, NULL, .of = &actor_shape),
    SHAPE_FIELD("target", OBJECT, MAYBE, NULL, .of = &target_shape),
    SHAPE_FIELD("details", ANYTHING, MAYBE, NULL),
    SHAPE_FIELD("leafIndex", INTEGER, MAYBE, "In the sealed log; null: not sealed yet."),
    {0}};
static const Shape audit_shape = {.name = "AuditEntry", .fields = audit_fields};
static const ShapeField audit_list_fields[] = {
    SHAPE_FIELD("audit", ARRAY, REQ, NULL, .of = &audit_shape), NEXT_CURSOR, {0}};
const Shape audit_list_shape = {.name = "AuditList", .fields = audit_list_fields};

static const ShapeField proof_fields[] = {
    SHAPE_FIELD("leafIndex", INTEGER, REQ, NULL),
    SHAPE_FIELD("treeSize", INTEGER, REQ, NULL),
    SHAPE_FIELD("rootHash", STRING, REQ, NULL),
    SHAPE_FIELD("leafHash", STRING, REQ,
                "SHA-256(0x00 || 0x01 || SHA-256(salt || record)), as RFC 6962."),
    SHAPE_FIELD("salt", STRING, REQ, NULL),
    SHAPE_FIELD("path", ARRAY, REQ, "From the leaf's sibling upwards.", .items = SHAPE_STRING),
    SHAPE_FIELD("record", STRING, REQ, "The entry, byte for byte as it was hashed.", .most = 8192),
    {0}};
const Shape audit_proof_shape = {.name = "AuditProof", .fields = proof_fields};

static const ShapeField place_fields[] = {
    SHAPE_FIELD("kind", STRING, REQ, NULL), SHAPE_FIELD("id", STRING, MAYBE, NULL), {0}};
static const Shape place_shape = {.name = "ActivityTarget", .fields = place_fields};
static const ShapeField activity_fields[] = {
    SHAPE_FIELD("id", ID, REQ, "Of the audit entry."),
    SHAPE_FIELD("at", TIME, REQ, NULL),
    SHAPE_FIELD("action", STRING, REQ, NULL),
    SHAPE_FIELD("result", STRING, REQ, NULL, .words = results),
    SHAPE_FIELD("actor", STRING, REQ, NULL),
    SHAPE_FIELD("target", OBJECT, MAYBE, NULL, .of = &place_shape),
    SHAPE_FIELD("sentence", STRING, REQ, "For people."),
    {0}};
static const Shape activity_shape = {.name = "Activity", .fields = activity_fields};
static const ShapeField activity_list_fields[] = {
    SHAPE_FIELD("activity", ARRAY, REQ, NULL, .of = &activity_shape), NEXT_CURSOR, {0}};
const Shape activity_list_shape = {.name = "ActivityList", .fields = activity_list_fields};

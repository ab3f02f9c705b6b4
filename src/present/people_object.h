/* people_object.h - users, members, invitations, tokens and organizations as the API's objects.
 *
 * Organization: {id, name, createdAt}, and for a caller's own list {id, name, role}.
 * User: {id, email, name, hasPassword, disabledAt, lastLoginAt, createdAt}.
 * What one may (in members, invitations, tokens): role, grants: [...], integrations: [...] or null,
 * periodFrom, periodUntil.
 * Member: {userId, email, name, ..., expiresAt, disabledAt, lastLoginAt, createdAt}.
 * Invitation: {id, email, ..., invitedBy, createdAt, expiresAt}.
 * Token: {id, name, hint, status: active | expired | revoked, ..., createdBy, createdAt, expiresAt,
 * revokedAt, lastUsedAt}; as the operator sees it {..., operator} without what it may.
 * Session: {id, address, agent, current, createdAt, lastSeenAt, expiresAt}.
 *
 * No object has a hash or a token. Callers own what is returned.
 */
#pragma once

#include "base/json.h"
#include "store/api_token.h"
#include "store/invitation.h"
#include "store/membership.h"
#include "store/organization.h"
#include "store/user.h"
#include "store/user_session.h"

Json *organization_object(const Organization *organization);
Json *reach_object(const UserMembership *membership);
Json *user_object(const User *user);
Json *member_object(const Member *member);
Json *invitation_object(const Invitation *invitation);
Json *token_access_object(const ApiTokenAccess *access);
Json *token_object(const ApiToken *token);
/* current: the id of the session that asks, or NULL. */
Json *session_object(const UserSession *session, const char *current);

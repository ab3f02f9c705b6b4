/* setup.h - the one-time link by which the first user of an installation is made.
 *
 * `assay serve` on an installation without users makes a token (vault/ticket.h), stores its SHA-256
 * here and prints the link. A later start without users replaces it. Redeeming is part of the unit
 * that adds the first user and is won by one caller; with the first user the link is dead.
 */
#pragma once

#include "store/record.h"

#define SETUP_LIFE_MS (24 * 3600 * (int64_t)1000)

/* Stores the token's hash in place of an earlier one; *needed_out says whether the installation has
 * no users. Nothing is stored when it has. */
bool setup_offer(DbUnit *unit, const char *token_hash, bool *needed_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether this token would be taken now. */
bool setup_is_open(DbUnit *unit, const char *token_hash, bool *open_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Uses the token up, before the first user is inserted. ERROR_NOT_FOUND when it is wrong, used,
 * expired, or there are users. */
bool setup_redeem(DbUnit *unit, const char *token_hash, GError **error) G_GNUC_WARN_UNUSED_RESULT;

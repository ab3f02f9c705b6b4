/* memo.h - what the units of one transaction have found out, so that later ones need not.
 *
 * Facts are words about an organization. They hold for one era: the number that the driver gives is
 * another one with each transaction, and whenever a unit is rolled back in one (Driver.era). Used
 * by one thread, that of the writes. Only db/db.c uses this file; see db_knows().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct Memo Memo;

Memo *memo_new(void);
void memo_free(Memo *memo); /* NULL allowed */

/* All that was known in another era is forgotten before anything is looked up, added or removed. */
bool memo_has(Memo *memo, uint64_t era, const char *organization, const char *fact);
void memo_add(Memo *memo, uint64_t era, const char *organization, const char *fact);
void memo_remove(Memo *memo, uint64_t era, const char *organization, const char *fact);

/* unread.h - how a stored row says what of it could not be read.
 *
 * A row of an evidence document carries the member UNREAD_MEMBER when some of it is missing:
 *
 *     "_unread": {"fields": ["protected"], "reads": {"protection": "forbidden"}}
 *
 * fields: names of fields that are absent, mistyped, or rest on a read that was denied or cut
 * short; their values are null or must not be judged. reads: the nodes of the read graph that were
 * not read, with the outcome's name, or UNREAD_NOT_APPLICABLE where the definition says that the
 * customer's plan does not have it. Declared fields cannot begin with an underscore.
 */
#pragma once

#define UNREAD_MEMBER "_unread"
#define UNREAD_FIELDS "fields"
#define UNREAD_READS "reads"
#define UNREAD_NOT_APPLICABLE "not_applicable"

/* xml.h - XML answers as JSON text, by one rule (provider/markup inside).
 *
 * Old AWS protocols (query, ec2, rest-xml) answer in XML. Here it becomes JSON, so that the scan,
 * the projection and the expressions need to know one format only:
 *
 *   <A><B>1</B></A>            {"A": {"B": "1"}}: the root element is a member too
 *   text                       always a string, as it is written: "true", "0", "2024-01-01"
 *   member, item, entry        always an array in their parent: {"Users": {"member": [...]}}
 *   a name in lists            as these: "Rule" makes {"Rule": [...]} wherever it stands
 *   a pair in lists            "Buckets.Bucket": as "Bucket", but within <Buckets> only; and there
 *                              the array is never missing: <Buckets/> is {"Bucket": []}
 *   a name in maps             <SummaryMap><entry><key>K</key><value>V</value></entry>...: {"K": V}
 *   any other name repeated    an array, so that nothing is lost; a name that may come once or
 *                              often belongs into lists
 *   an empty element           of a list: no item, [] when there is no other; a root, a map or the
 *                              first of a pair: {} (blanks alone are empty, too); any other: "",
 *                              the text that it has
 *   attributes                 dropped, except xsi:type: {"@type": ...} first in an element that is
 *                              not text
 *   comments, instructions     dropped
 *
 * The empty root is an object because S3 answers <VersioningConfiguration/> for "never configured".
 * Members stand in the order in which their names came first.
 *
 * Hostile input: bytes, elements, depth and the size of the output are bounded; a document type
 * declaration is refused unread, so there are no entities but the five of XML itself; text is UTF-8
 * whatever the declaration says; text beside elements is refused, it is no answer of an API.
 *
 * A plan is immutable and may be shared between threads.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "provider/scan.h"

typedef struct XmlPlan XmlPlan;

/* lists and maps are NULL-terminated lists of names (lists also of pairs, see above) and may be
 * NULL. limits NULL: those of scan_default_limits; a value counts once for each element.
 * ERROR_CONFIGURATION for a text that is no name or pair. */
XmlPlan *xml_plan_new(const char *const *lists, const char *const *maps, const ScanLimits *limits,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
void xml_plan_free(XmlPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmlPlan, xml_plan_free)

/* Appends the JSON text of a document. On failure json_out is as it was:
 * ERROR_SERVICE_UNAVAILABLE when the document is malformed or cut short (OUTCOME_BROKEN),
 * ERROR_LIMIT when it passes a limit. Messages name the byte, never the text. */
bool xml_to_json(const XmlPlan *plan, const char *bytes, size_t size, GString *json_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where the first member of the root element stands in json_out: its key, quotes and all, and its
 * value, up to `end`. All 0 when that is not known: the root has none, or it is a list, or members
 * had to be brought together. */
typedef struct {
    size_t key;
    size_t value;
    size_t end;
} XmlMember;

/* As xml_to_json(). */
bool xml_to_json_telling(const XmlPlan *plan, const char *bytes, size_t size, GString *json_out,
                         XmlMember *first_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* scans.h - for scanners: what is to be scanned, that it was, and what was found.
 *
 * A scanner polls GET /api/integrations?status=active&due=true, which gives it what is due for ten
 * minutes (store/scan.h), posts assessments, and says that it is done. Somebody asks for a scan at
 * once with POST .../scan, which besides queues a sync when the provider has evidence types.
 */
#pragma once

#include "api/route.h"

extern const Route scan_routes[];

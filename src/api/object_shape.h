/* object_shape.h - the forms of the API's objects, as they are sent (present/, comply/overview.h).
 *
 * Request bodies stand beside the handlers that read them.
 */
#pragma once

#include "api/shape.h"

extern const Shape provider_shape;
extern const Shape provider_list_shape;
extern const Shape policy_shape;
extern const Shape integration_shape;
extern const Shape integration_list_shape;
extern const Shape job_shape_of_api;
extern const Shape job_list_shape;
extern const Shape queued_shape;
extern const Shape evidence_shape;
extern const Shape evidence_list_shape;
extern const Shape finding_list_shape;
extern const Shape framework_list_shape;
extern const Shape control_shape;
extern const Shape control_list_shape;
extern const Shape score_list_shape;
extern const Shape schedule_shape;
extern const Shape schedule_list_shape;
extern const Shape configuration_shape;

/* scan_shape.h - the bodies of scanners' requests and replies. */
#pragma once

#include "api/shape.h"

extern const Shape scan_asked_shape;
extern const Shape assessment_request_shape;
extern const Shape assessment_query;
extern const Shape assessment_shape;
extern const Shape assessment_list_shape;

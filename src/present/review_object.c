#include "present/review_object.h"

Json *review_object(const Review *review) {
    Json *json = json_new_object();
    json_put_string(json, "evidenceId", review->evidence_id);
    json_put_string(json, "reviewState", review->state);
    json_put_string(json, "reviewedBy", review->reviewer);
    json_put_time(json, "reviewedAt", review->reviewed_at);
    json_put_string(json, "note", review->note);
    return json;
}

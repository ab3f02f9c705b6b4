#include "present/evidence_object.h"

#include <string.h>

#define DIRECTNESS_API 1.0

static double freshness(const Evidence *evidence, int64_t now_ms) {
    int64_t whole = evidence->valid_until - evidence->valid_from;
    int64_t left = evidence->valid_until - now_ms;
    return whole > 0 ? CLAMP((double)left / (double)whole, 0.0, 1.0) : 0.0;
}

static double rounded(double value) {
    return (double)(int64_t)(value * 10000 + 0.5) / 10000;
}

double evidence_quality(const Evidence *evidence, int64_t now_ms) {
    return rounded(evidence->completeness * freshness(evidence, now_ms) * DIRECTNESS_API);
}

static void put_quality(Json *json, const Evidence *evidence, int64_t now_ms) {
    Json *parts = json_new_object();
    json_put_real(json, "quality", evidence_quality(evidence, now_ms));
    json_put_real(parts, "completeness", rounded(evidence->completeness));
    json_put_real(parts, "freshness", rounded(freshness(evidence, now_ms)));
    json_put_real(parts, "directness", DIRECTNESS_API);
    json_put(json, "qualityParts", parts);
}

static void put_review(Json *json, const Evidence *evidence, const Review *review) {
    json_put_string(json, "reviewState", evidence->review_state);
    json_put_string(json, "reviewedBy", review ? review->reviewer : NULL);
    json_put_time(json, "reviewedAt", review ? review->reviewed_at : 0);
    json_put_string(json, "reviewComment", review ? review->note : NULL);
}

bool evidence_object(const Evidence *evidence, const Review *review, int64_t now_ms,
                     Json **json_out, GError **error) {
    g_autoptr(Json) json =
        json_parse(evidence->record, strlen(evidence->record), EVIDENCE_RECORD_MAX, NULL);
    if (!json || json_kind(json) != JSON_KIND_OBJECT) {
        g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                    "the stored record of the evidence %s is damaged; restore a backup",
                    evidence->id);
        return false;
    }
    json_put_string(json, "sha256", evidence->data_sha256);
    json_put_int(json, "ledgerIndex", evidence->ledger_index);
    put_review(json, evidence, review);
    put_quality(json, evidence, now_ms);
    *json_out = g_steal_pointer(&json);
    return true;
}

#include "comply/evaluated.h"

#include <math.h>

static double two_digits(double value) {
    return round(value * 100.0) / 100.0;
}

double evaluated_control_confidence(const EvaluatedControl *control) {
    return two_digits(control->answer.confidence);
}

static Json *confidence_json(const ControlConfidence *parts) {
    Json *json = json_new_object();
    json_put_real(json, "coverage", two_digits(parts->coverage));
    json_put_real(json, "freshness", two_digits(parts->freshness));
    json_put_real(json, "completeness", two_digits(parts->completeness));
    json_put_real(json, "agreement", two_digits(parts->agreement));
    return json;
}

static Json *check_json(const EvaluatedCheck *check) {
    const ControlInput *input = &check->input;
    Json *json = json_new_object();
    json_put_string(json, "check", check->check_id);
    json_put_string(json, "title", check->title);
    json_put_string(json, "severity", check->severity);
    json_put_string(json, "evidenceType", check->evidence_type);
    json_put_string(json, "integrationId", check->integration_id);
    json_put_string(json, "integration", check->integration);
    json_put_string(json, "verdict", input->collected ? verdict_name(input->verdict) : NULL);
    json_put_string(json, "evidenceId", check->evidence_id);
    json_put_string(json, "reason", check->reason);
    json_put_time(json, "collectedAt", input->collected_at);
    json_put_time(json, "validUntil", input->valid_until);
    return json;
}

/* Adds the checks of one verdict; uncollected ones when verdict is VERDICTS. */
static void add_checks(Json *list, const EvaluatedControl *control, Verdict verdict) {
    for (size_t i = 0; i < control->check_count; i++) {
        const ControlInput *input = &control->checks[i].input;
        Verdict mine = input->collected ? input->verdict : VERDICTS;
        if (mine == verdict && json_count(list) < EVALUATE_CHECKS_MAX)
            json_add(list, check_json(&control->checks[i]));
    }
}

Json *evaluated_control_detail(const EvaluatedControl *control) {
    static const Verdict order[] = {VERDICT_FAIL, VERDICT_COULD_NOT_READ, VERDICTS, VERDICT_PASS,
                                    VERDICT_NOT_APPLICABLE};
    Json *checks = json_new_array();
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        add_checks(checks, control, order[i]);
    Json *json = json_new_object();
    json_put(json, "confidenceParts", confidence_json(&control->answer.parts));
    json_put(json, "checks", checks);
    json_put_int(json, "checkCount", (int64_t)control->check_count);
    return json;
}

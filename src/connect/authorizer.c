#include "connect/authorizer.h"

struct Authorizer {
    const AuthorizerMethods *methods;
    void *state;
};

Authorizer *authorizer_new(const AuthorizerMethods *methods, void *state) {
    Authorizer *authorizer = g_new0(Authorizer, 1);
    authorizer->methods = methods;
    authorizer->state = state;
    return authorizer;
}

void authorizer_free(Authorizer *authorizer) {
    if (!authorizer)
        return;
    authorizer->methods->free(authorizer->state);
    g_free(authorizer);
}

bool authorizer_authorize(Authorizer *authorizer, const AuthorizerAttempt *attempt,
                          NetHeaders *extra, AuthorizerStamp *stamp_out, GError **error) {
    AuthorizerStamp stamp = {0};
    if (!authorizer->methods->authorize(authorizer->state, attempt, extra, &stamp, error))
        return false;
    *stamp_out = stamp;
    return true;
}

bool authorizer_ready(Authorizer *authorizer) {
    return !authorizer->methods->ready || authorizer->methods->ready(authorizer->state);
}

void authorizer_observe(Authorizer *authorizer, const NetResponse *response) {
    if (authorizer->methods->observe)
        authorizer->methods->observe(authorizer->state, response);
}

AuthorizerRemedy authorizer_remedy(Authorizer *authorizer, const AuthorizerAnswer *answer) {
    if (!authorizer->methods->remedy)
        return REMEDY_NONE;
    return authorizer->methods->remedy(authorizer->state, answer);
}

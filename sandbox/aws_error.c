#include "sandbox/aws_error.h"

#include <string.h>

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

void aws_error_escape(const AwsService *service, const char *text, GString *out) {
    if (aws_protocol_is_xml(service->protocol)) {
        template_append_xml(out, text, strlen(text));
        return;
    }
    g_autoptr(GString) quoted = g_string_new(NULL);
    json_append_quoted(quoted, text, strlen(text));
    g_string_append_len(out, quoted->str + 1, (gssize)quoted->len - 2);
}

static void render_query(const AwsErrorReply *error, GString *out) {
    g_string_append_printf(out,
                           "<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type><Code>%s</Code>"
                           "<Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>",
                           error->service->name_space, error->status < 500 ? "Sender" : "Receiver",
                           error->code, error->message, error->request_id);
}

static void render_ec2(const AwsErrorReply *error, GString *out) {
    g_string_append_printf(out,
                           XML "<Response><Errors><Error><Code>%s</Code><Message>%s</Message>"
                               "</Error></Errors><RequestID>%s</RequestID></Response>",
                           error->code, error->message, error->request_id);
}

static void render_rest_xml(const AwsErrorReply *error, GString *out) {
    bool wrapped = strcmp(error->service->name, "s3control") == 0;
    g_string_append_printf(out, XML "%s<Error><Code>%s</Code><Message>%s</Message>",
                           wrapped ? "<ErrorResponse>" : "", error->code, error->message);
    if (error->bucket != NULL) {
        g_string_append_printf(out, "<BucketName>%s</BucketName>", error->bucket);
    }
    if (error->region != NULL) {
        g_string_append_printf(out, "<Region>%s</Region>", error->region);
    }
    g_string_append_printf(out, "%s<RequestId>%s</RequestId><HostId>c2FuZGJveA==</HostId>%s",
                           wrapped ? "</Error>" : "", error->request_id,
                           wrapped ? "</ErrorResponse>" : "</Error>");
}

static void render_json(const AwsErrorReply *error, GString *out) {
    const AwsService *service = error->service;
    const char *name = service->protocol == AWS_JSON ? "__type" : "Code";
    g_string_append_printf(out, "{\"%s\":\"%s%s\",\"%s\":\"%s\"}", name, service->error_prefix,
                           error->code, service->error_text, error->message);
}

void aws_error_render(const AwsErrorReply *error, Reply *reply) {
    static void (*const renders[AWS_PROTOCOLS])(const AwsErrorReply *, GString *) = {
        [AWS_QUERY] = render_query,    [AWS_EC2] = render_ec2,   [AWS_REST_XML] = render_rest_xml,
        [AWS_REST_JSON] = render_json, [AWS_JSON] = render_json,
    };
    reply->status = error->status;
    g_string_truncate(reply->body, 0);
    if (!error->bare) {
        renders[error->service->protocol](error, reply->body);
    }
    if (error->service->protocol == AWS_REST_JSON) {
        g_autofree char *type = g_strdup_printf("%s:http://internal.amazon.com/coral/%s/",
                                                error->code, error->service->name);
        reply_set(reply, "x-amzn-ErrorType", type);
    }
    if (error->region != NULL) {
        reply_set(reply, "x-amz-bucket-region", error->region);
    }
}

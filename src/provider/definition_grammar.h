/* definition_grammar.h - the closed grammar of provider definitions, format version 1. */
#pragma once

#include "provider/schema.h"

/* The type of a whole definition file. */
extern const SchemaType definition_grammar;

/* Names of credential schemes, in the order of the enumeration Scheme. Ends in NULL. */
extern const char *const definition_scheme_words[];
/* Units of headers, in the order of the enumeration HeaderUnit, without UNIT_COUNT. */
extern const char *const definition_unit_words[];
/* Severities, paging styles, input types and formats, limit scopes, in the order of their
 * enumerations. */
extern const char *const definition_severity_words[];
extern const char *const definition_page_words[];
extern const char *const definition_input_words[];
extern const char *const definition_format_words[];
extern const char *const definition_scope_words[];
extern const char *const definition_then_words[];
extern const char *const definition_decode_words[];
/* Protocols of AWS, in the order of AwsProtocol: the first, "none", cannot be written. */
extern const char *const definition_protocol_words[];

/* provider.h - which services are known, and what Assay reads of them. */
#pragma once

#include "cli/command.h"
#include "provider/registry.h"

extern const Command provider_list_command;
extern const Command provider_show_command;

/* The definitions of the binary and of the data directory, which need not exist. */
Registry *provider_registry(const Arguments *arguments, GError **error) G_GNUC_WARN_UNUSED_RESULT;

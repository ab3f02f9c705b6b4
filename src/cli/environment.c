#include "cli/environment.h"

#include <stddef.h>

const EnvironmentVariable environment_variables[] = {
    {"ASSAY_CONFIG", "The file of settings, unless --config names one: assay.yaml(5)."},
    {"ASSAY_DATA", "The data directory, unless --data names one."},
    {"ASSAY_SERVER", "The server that commands ask instead of opening a data directory, unless "
                     "--server names one."},
    {"ASSAY_TOKEN", "The token for that server, unless --token says where it is. It is overwritten "
                    "and unset when it has been read."},
    {"ASSAY_CA_FILE", "A PEM file of certificate authorities, for a server with a certificate of "
                      "one's own."},
    {"ENCRYPTION_KEY", "The key that everything secret is sealed under: 32 bytes, in base64 or "
                       "hexadecimal. It is overwritten and unset when it has been read."},
    {"ENCRYPTION_KEY_FILE", "The file that holds that key."},
    {"CREDENTIALS_DIRECTORY",
     "Set by systemd for its credentials; one that is called encryption_key is the key."},
    {"AWS_ACCESS_KEY_ID",
     "With AWS_SECRET_ACCESS_KEY and, if there is one, AWS_SESSION_TOKEN: the "
     "access key that roles of AWS are assumed by, when a connection has none."},
    {"AWS_SECRET_ACCESS_KEY", "See AWS_ACCESS_KEY_ID."},
    {"AWS_SESSION_TOKEN", "See AWS_ACCESS_KEY_ID."},
    {"AWS_EC2_METADATA_DISABLED", "When it is true, the machine's own role is not asked for."},
    {"XDG_DATA_HOME", "Where assay/ is the data directory, unless another one is named."},
    {"HOME", "Where .local/share/assay is, if XDG_DATA_HOME is not set."},
    {"NO_COLOR", "When it is set and not empty, nothing is coloured."},
    {"TERM", "When it is dumb, nothing is coloured and no progress is drawn."},
    {"OPENSSL_CONF", "OpenSSL's own configuration, as OPENSSL_MODULES."},
    {"OPENSSL_MODULES", "Where OpenSSL looks for its modules."},
    {NULL, NULL},
};

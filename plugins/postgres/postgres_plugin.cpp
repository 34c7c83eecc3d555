// PostgreSQL: pg_dump's custom format streamed out, pg_restore fed in one transaction, libpq for the rest.
#include "postgres_source.hpp"

#include <dbackup/plugin.hpp>

namespace {

constexpr dbackup::Option kOptions[] = {
    {.name = "host", .help = "Server, as seen from where the tools run; or the folder of its Unix socket.",
     .fallback = "localhost"},
    {.name = "port", .type = "integer", .help = "Port of the server.", .fallback = "5432",
     .minimum = 1, .maximum = 65535},
    {.name = "user", .help = "Role to log in as.", .required = true},
    {.name = "password", .help = "Password of the role.", .secret = true},
    {.name = "database", .type = "string_or_list",
     .help = "Databases to back up: a name, names separated by commas, or a list.", .fallback = ""},
    {.name = "options",
     .help = "More flags for pg_dump, separated by blanks; '…' and \"…\" group.", .fallback = ""},
    {.name = "restoreOptions",
     .help = "More flags for pg_restore, for example --no-comments or --no-security-labels.",
     .fallback = ""},
    {.name = "restoreOwnership", .type = "boolean",
     .help = "Restore owners and grants too; the roles must exist on the server.",
     .fallback = "false"},
    {.name = "sslMode", .type = "choice", .help = "How the connection is encrypted and checked.",
     .fallback = "prefer", .choices = "disable|allow|prefer|require|verify-ca|verify-full"},
    {.name = "sslRootCert", .type = "path",
     .help = "Certificates the server's is checked against, where the tools run."},
    {.name = "connectionMode", .type = "choice", .help = "Run the tools here or over SSH.",
     .fallback = "direct", .choices = "direct|ssh"},
    {.name = "sshHost", .help = "SSH server the tools run on."},
    {.name = "sshPort", .type = "integer", .help = "Port of the SSH server.", .fallback = "22",
     .minimum = 1, .maximum = 65535},
    {.name = "sshUsername", .help = "User on the SSH server."},
    {.name = "sshAuthType", .type = "choice", .help = "How to log in there.", .fallback = "password",
     .choices = "password|privateKey|agent"},
    {.name = "sshPassword", .help = "Password on the SSH server.", .secret = true},
    {.name = "sshPrivateKey", .type = "text", .help = "Private key for the SSH server.",
     .secret = true},
    {.name = "sshPassphrase", .help = "Passphrase of the private key.", .secret = true},
};

}  // namespace

DBACKUP_PLUGIN("org.dbackup.postgres", "PostgreSQL", DBACKUP_SDK_VERSION,
               dbackup::source<dbackup::postgres::PostgresSource>(
                   {.id = "postgres",
                    .name = "PostgreSQL",
                    .options = kOptions,
                    .credentials = {.primary = "USERNAME_PASSWORD", .ssh = "SSH_KEY"},
                    .group = "SQL"},
                   {.extension = "dump",
                    .list_databases = true,
                    .prepare_restore = true,
                    .restore_renamed = true,
                    .atomic_restore = true}))

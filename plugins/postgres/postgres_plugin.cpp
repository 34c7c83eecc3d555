// PostgreSQL: pg_dump's custom format streamed out, pg_restore fed in one transaction, libpq for
// the rest.
#include <dbackup/plugin.hpp>
#include <dbackup/ssh_options.hpp>

#include "postgres_source.hpp"

namespace {

constexpr std::array kOwnOptions{
    dbackup::Option{
        .name = "host",
        .help = "Server, as seen from where the tools run; or the folder of its Unix socket.",
        .fallback = "localhost"},
    dbackup::Option{.name = "port",
                    .type = "integer",
                    .help = "Port of the server.",
                    .fallback = "5432",
                    .minimum = 1,
                    .maximum = 65535},
    dbackup::Option{.name = "user", .help = "Role to log in as.", .required = true},
    dbackup::Option{.name = "password",
                    .help = "Password of the role. Without one the server must let it in without, "
                            "or a .pgpass file must exist.",
                    .secret = true},
    dbackup::Option{.name = "database",
                    .type = "string_or_list",
                    .help = "Databases to log in to when \"postgres\" and \"template1\" refuse. "
                            "Which ones are backed up, a job says.",
                    .fallback = ""},
    dbackup::Option{.name = "options",
                    .help = "More flags for pg_dump, separated by blanks; '…' and \"…\" group.",
                    .fallback = ""},
    dbackup::Option{
        .name = "restoreOptions",
        .help = "More flags for pg_restore, for example --no-comments or --no-security-labels.",
        .fallback = ""},
    dbackup::Option{.name = "restoreOwnership",
                    .type = "boolean",
                    .help = "Restore owners and grants too; the roles must exist on the server.",
                    .fallback = "false"},
    dbackup::Option{.name = "sslMode",
                    .type = "choice",
                    .help = "How the connection is encrypted and checked.",
                    .fallback = "prefer",
                    .choices = "disable|allow|prefer|require|verify-ca|verify-full"},
    dbackup::Option{.name = "sslRootCert",
                    .type = "path",
                    .help = "Certificates the server's is checked against, where the tools run."},
};

constexpr auto kOptions = dbackup::join_options(kOwnOptions, dbackup::kSshOptions);

}  // namespace

DBACKUP_PLUGIN("org.dbackup.postgres", "PostgreSQL", DBACKUP_SDK_VERSION,
               dbackup::source<dbackup::postgres::PostgresSource>(
                   {.id = "postgres",
                    .name = "PostgreSQL",
                    .options = kOptions,
                    .credentials = {.primary = "USERNAME_PASSWORD",
                                    .ssh = "SSH_KEY",
                                    .primary_optional = true},
                    .group = "SQL",
                    .ssh = dbackup::kSshByMode},
                   {.extension = "dump",
                    .list_databases = true,
                    .prepare_restore = true,
                    .tables = true,
                    .rows = true,
                    .restore_renamed = true,
                    .atomic_restore = true,
                    .cleanup_restore = true}))

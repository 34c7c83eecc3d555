// MySQL and MariaDB: the dump tool's SQL streamed out; on the way back read statement by statement
// and run through libmariadb. Two adapters, one class: what differs is found out from the server.
#include <dbackup/plugin.hpp>
#include <dbackup/ssh_options.hpp>

#include "mysql_source.hpp"

namespace {

constexpr std::array kOwnOptions{
    dbackup::Option{.name = "host",
                    .help = "Server, as seen from where the tools run; or the path of its Unix "
                            "socket, which begins with '/'.",
                    .fallback = "localhost"},
    dbackup::Option{.name = "port",
                    .type = "integer",
                    .help = "Port of the server.",
                    .fallback = "3306",
                    .minimum = 1,
                    .maximum = 65535},
    dbackup::Option{.name = "user", .help = "User to log in as.", .required = true},
    dbackup::Option{.name = "password", .help = "Password of the user.", .secret = true},
    dbackup::Option{.name = "database",
                    .type = "string_or_list",
                    .help =
                        "Kept for configurations that have it: which databases are backed up, a "
                        "job says; without a choice in the job, all but the server's own.",
                    .fallback = ""},
    dbackup::Option{.name = "options",
                    .help =
                        "More flags for the dump tool, separated by blanks; '…' and \"…\" group. "
                        "Values as --flag=value.",
                    .fallback = ""},
    dbackup::Option{.name = "disableSsl",
                    .type = "boolean",
                    .help = "Never encrypt the connection, whatever sslMode says.",
                    .fallback = "false"},
    dbackup::Option{.name = "sslMode",
                    .type = "choice",
                    .help =
                        "How the connection is encrypted and checked: prefer encrypts when the "
                        "server can, require always, verify-ca checks the certificate's origin, "
                        "verify-full its host name too.",
                    .fallback = "prefer",
                    .choices = "disable|prefer|require|verify-ca|verify-full"},
    dbackup::Option{.name = "sslRootCert",
                    .type = "path",
                    .help = "Certificates (PEM) the server's is checked against."},
    dbackup::Option{.name = "sslCert",
                    .type = "path",
                    .help = "Certificate (PEM) this client shows; needs sslKey."},
    dbackup::Option{.name = "sslKey",
                    .type = "path",
                    .help = "Private key (PEM) of sslCert, without a passphrase."},
    dbackup::Option{.name = "definers",
                    .type = "choice",
                    .help =
                        "On restore: strip gives views, routines, triggers and events to the user "
                        "who restores; keep leaves them to their definers, which needs the right "
                        "SET USER.",
                    .fallback = "strip",
                    .choices = "strip|keep"},
};

constexpr auto kOptions = dbackup::join_options(kOwnOptions, dbackup::kSshOptions);

constexpr dbackup::SourceCapabilities kCapabilities{.extension = "sql",
                                                    .list_databases = true,
                                                    .prepare_restore = true,
                                                    .tables = true,
                                                    .rows = true,
                                                    .restore_renamed = true,
                                                    .atomic_restore = true,
                                                    .cleanup_restore = true};

constexpr dbackup::CredentialSlots kCredentials{
    .primary = "USERNAME_PASSWORD", .ssh = "SSH_KEY", .primary_optional = true};

struct MysqlTag;
struct MariadbTag;

}  // namespace

DBACKUP_PLUGIN(
    "org.dbackup.mysql", "MySQL and MariaDB", DBACKUP_SDK_VERSION,
    dbackup::source<dbackup::mysql::MysqlSource, MysqlTag>({.id = "mysql",
                                                            .name = "MySQL",
                                                            .options = kOptions,
                                                            .credentials = kCredentials,
                                                            .group = "SQL",
                                                            .ssh = dbackup::kSshByMode},
                                                           kCapabilities),
    dbackup::source<dbackup::mysql::MysqlSource, MariadbTag>({.id = "mariadb",
                                                              .name = "MariaDB",
                                                              .options = kOptions,
                                                              .credentials = kCredentials,
                                                              .group = "SQL",
                                                              .ssh = dbackup::kSshByMode},
                                                             kCapabilities))

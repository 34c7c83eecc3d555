// Redis and Valkey: one protocol, one file format, one class; two adapters, so that each is found
// under its own name.
#include <dbackup/plugin.hpp>
#include <dbackup/ssh_options.hpp>

#include "redis_source.hpp"

namespace {

constexpr std::array kOwnOptions{
    dbackup::Option{.name = "mode",
                    .type = "choice",
                    .help = "One server, or the master that sentinels name.",
                    .fallback = "standalone",
                    .choices = "standalone|sentinel"},
    dbackup::Option{.name = "host",
                    .help = "Server, as seen from where the connection starts; not used in "
                            "sentinel mode.",
                    .fallback = "localhost"},
    dbackup::Option{.name = "port",
                    .type = "integer",
                    .help = "Port of the server.",
                    .fallback = "6379",
                    .minimum = 1,
                    .maximum = 65535},
    dbackup::Option{.name = "username",
                    .help = "ACL user; empty: the server's default user, or requirepass alone."},
    dbackup::Option{.name = "password", .help = "Password of the user.", .secret = true},
    dbackup::Option{.name = "database",
                    .type = "integer",
                    .help = "Database whose keys are shown when none is named. A backup always "
                            "holds all databases.",
                    .fallback = "0",
                    .minimum = 0,
                    .maximum = 15},
    dbackup::Option{.name = "tls",
                    .type = "boolean",
                    .help = "Encrypt the connection, also those to sentinels.",
                    .fallback = "false"},
    dbackup::Option{.name = "tlsVerify",
                    .type = "boolean",
                    .help = "Check the server's certificate and that it is made for \"host\".",
                    .fallback = "true"},
    dbackup::Option{.name = "tlsRootCert",
                    .type = "text",
                    .help = "Certificates the server's is checked against, as PEM text; empty: "
                            "those that DBackup's system trusts."},
    dbackup::Option{.name = "tlsClientCert",
                    .type = "text",
                    .help = "Certificate to show to the server, with its chain, as PEM text."},
    dbackup::Option{.name = "tlsClientKey",
                    .type = "text",
                    .help = "Private key of that certificate, as PEM text without a passphrase.",
                    .secret = true},
    dbackup::Option{.name = "sentinelMasterName",
                    .help = "Name under which the sentinels know the master; required in "
                            "sentinel mode."},
    dbackup::Option{.name = "sentinelNodes",
                    .type = "string_or_list",
                    .help = "Sentinels as host:port (26379 when missing), separated by commas or "
                            "as a list; asked in this order. Required in sentinel mode.",
                    .fallback = ""},
    dbackup::Option{.name = "sentinelUsername", .help = "ACL user on the sentinels."},
    dbackup::Option{.name = "sentinelPassword",
                    .help = "Password on the sentinels; empty: they ask for none.",
                    .secret = true},
    dbackup::Option{.name = "preferReplica",
                    .type = "boolean",
                    .help = "In sentinel mode, take backups from a replica when one is in step.",
                    .fallback = "false"},
    dbackup::Option{.name = "restoreMode",
                    .type = "choice",
                    .help = "replace-all: what the target holds is removed first; merge: keys of "
                            "the backup replace those of the same name, others stay.",
                    .fallback = "replace-all",
                    .choices = "replace-all|merge"},
    dbackup::Option{.name = "maxValueMiB",
                    .type = "integer",
                    .help = "Largest value of a key that a restore takes, in MiB as the backup "
                            "stores it: it is held in memory.",
                    .fallback = "512",
                    .minimum = 1,
                    .maximum = 4096},
    dbackup::Option{.name = "options",
                    .help = "Kept for configurations that have it; no program is run that could "
                            "take flags.",
                    .fallback = ""},
};

constexpr auto kOptions = dbackup::join_options(kOwnOptions, dbackup::kSshOptions);

constexpr dbackup::SourceCapabilities kCapabilities{.extension = "rdb",
                                                    .list_databases = true,
                                                    .prepare_restore = true,
                                                    .tables = true,
                                                    .rows = true,
                                                    .restore_renamed = true,
                                                    .atomic_restore = false,
                                                    .whole_instance = true,
                                                    .combinable = false};

constexpr dbackup::AdapterInfo info(const char* id, const char* name) {
  return {
      .id = id,
      .name = name,
      .options = kOptions,
      .credentials = {.primary = "USERNAME_PASSWORD", .ssh = "SSH_KEY", .primary_optional = true},
      .group = "NoSQL",
      .ssh = dbackup::kSshByMode};
}

struct Valkey;

}  // namespace

DBACKUP_PLUGIN("org.dbackup.redis", "Redis and Valkey", DBACKUP_SDK_VERSION,
               dbackup::source<dbackup::redis::RedisSource>(info("redis", "Redis"), kCapabilities),
               dbackup::source<dbackup::redis::RedisSource, Valkey>(info("valkey", "Valkey"),
                                                                    kCapabilities))

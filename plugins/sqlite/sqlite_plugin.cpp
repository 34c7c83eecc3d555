// SQLite: a consistent image of a live file, read through SQLite itself; restored beside and
// renamed.
#include <dbackup/plugin.hpp>

#include "sqlite_source.hpp"

namespace {

constexpr dbackup::Option kOptions[] = {
    {.name = "mode",
     .type = "choice",
     .help = "Is the file on this machine or behind SSH?",
     .fallback = "local",
     .choices = "local|ssh"},
    {.name = "path",
     .type = "path",
     .help = "Absolute path of the database file.",
     .required = true},
    {.name = "restoreCheck",
     .type = "choice",
     .help = "How thoroughly a backup is checked before it replaces the file.",
     .fallback = "full",
     .choices = "full|quick|none"},
    {.name = "sqliteBinaryPath",
     .help = "The sqlite3 program, for mode ssh.",
     .fallback = "sqlite3"},
    {.name = "host", .help = "SSH server the file is on."},
    {.name = "port",
     .type = "integer",
     .help = "Port of the SSH server.",
     .fallback = "22",
     .minimum = 1,
     .maximum = 65535},
    {.name = "username", .help = "User on the SSH server."},
    {.name = "authType",
     .type = "choice",
     .help = "How to log in there.",
     .fallback = "password",
     .choices = "password|privateKey|agent"},
    {.name = "password", .help = "Password on the SSH server.", .secret = true},
    {.name = "privateKey",
     .type = "text",
     .help = "Private key for the SSH server.",
     .secret = true},
    {.name = "passphrase", .help = "Passphrase of the private key.", .secret = true},
};

}  // namespace

DBACKUP_PLUGIN("org.dbackup.sqlite", "SQLite", DBACKUP_SDK_VERSION,
               dbackup::source<dbackup::sqlite::SqliteSource>({.id = "sqlite",
                                                               .name = "SQLite",
                                                               .options = kOptions,
                                                               .credentials = {.ssh = "SSH_KEY"},
                                                               .group = "Files"},
                                                              {.extension = "db",
                                                               .list_databases = true,
                                                               .prepare_restore = true,
                                                               .tables = true,
                                                               .rows = true,
                                                               .restore_renamed = true,
                                                               .atomic_restore = true,
                                                               .combinable = false,
                                                               .cleanup_restore = true}))

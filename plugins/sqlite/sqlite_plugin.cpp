// SQLite: a consistent image of a live file, read through SQLite itself; restored beside and
// renamed.
#include <dbackup/plugin.hpp>
#include <dbackup/ssh_options.hpp>

#include "sqlite_source.hpp"

namespace {

constexpr std::array kOwnOptions{
    dbackup::Option{.name = "mode",
                    .type = "choice",
                    .help = "Is the file on this machine or behind SSH? Over SSH "
                            "it is copied there to a temporary file first.",
                    .fallback = "local",
                    .choices = "local|ssh"},
    dbackup::Option{.name = "path",
                    .type = "path",
                    .help = "Absolute path of the database file.",
                    .required = true},
    dbackup::Option{.name = "restoreCheck",
                    .type = "choice",
                    .help = "How thoroughly a backup is checked before it replaces the file.",
                    .fallback = "full",
                    .choices = "full|quick|none"},
    dbackup::Option{.name = "sqliteBinaryPath",
                    .help = "The sqlite3 program, for mode ssh.",
                    .fallback = "sqlite3"},
};

constexpr auto kOptions = dbackup::join_options(kOwnOptions, dbackup::kBareSshOptions);

}  // namespace

DBACKUP_PLUGIN("org.dbackup.sqlite", "SQLite", DBACKUP_SDK_VERSION,
               dbackup::source<dbackup::sqlite::SqliteSource>({.id = "sqlite",
                                                               .name = "SQLite",
                                                               .options = kOptions,
                                                               .credentials = {.ssh = "SSH_KEY"},
                                                               .group = "Files",
                                                               .ssh = {.prefix = "",
                                                                       .option = "mode"}},
                                                              {.extension = "db",
                                                               .list_databases = true,
                                                               .prepare_restore = true,
                                                               .tables = true,
                                                               .rows = true,
                                                               .restore_renamed = true,
                                                               .atomic_restore = true,
                                                               .stages_locally = true,
                                                               .combinable = false,
                                                               .cleanup_restore = true}))

#include "base/settings_table.hpp"

#include <array>

namespace dbackup::host {
namespace {

using enum SettingType;

constexpr std::array kSettings{
    SettingRow{"server.address", Text, "127.0.0.1",
               "Address to listen on. The default keeps the server private to this machine until you decide otherwise."},
    SettingRow{"server.port", Integer, "3000", "Port to listen on; 0 takes any free one.", 0, 65535},
    SettingRow{"server.public_url", Text, "",
               "Address by which clients reach the server, for example https://backup.example.net; used in "
               "download links. Empty: taken from the request."},
    SettingRow{"server.reactor_threads", Integer, "2", "Threads that read and write sockets.", 1, 64},
    SettingRow{"server.quick_threads", Integer, "4", "Threads for answers that need the metadata only.", 1, 256},
    SettingRow{"server.slow_threads", Integer, "8",
               "Threads for answers that wait for an adapter, so that slow work never starves polling.", 1, 256},
    SettingRow{"server.max_connections", Integer, "1024",
               "Client connections at once. Each takes two descriptors.", 1, 100000},
    SettingRow{"server.shutdown_grace_seconds", Integer, "30",
               "How long a stopping server waits for running backups before it cancels them.", 0, 86400},
    SettingRow{"data.dir", Path, "/var/lib/dbackup",
               "Folder of the server: keys and metadata below private/, the cache of plugin descriptors. No "
               "backup data is ever staged here."},
    SettingRow{"encryption.key", Secret, "",
               "Master key, 64 hexadecimal characters. Prefer the environment or encryption.key_file: a "
               "configuration file is read by more eyes. Empty: private/master.key, made at the first start."},
    SettingRow{"encryption.key_file", Path, "", "File that holds the master key; readable by its owner only."},
    SettingRow{"metadata.url", Text, "",
               "sqlite:///path/file.db, or postgresql://… when several hosts share one set of metadata. Empty: "
               "SQLite in the data folder, which needs no other server."},
    SettingRow{"metadata.connections", Integer, "6", "Connections kept to the metadata database.", 2, 64},
    SettingRow{"plugins.dirs", List, "",
               "Further folders with plugins, beside the ones shipped with the program. Folders and files that "
               "others may write are refused."},
    SettingRow{"queue.max_concurrent_jobs", Integer, "1",
               "Backups, restores and verifications at once; the rest waits in order of arrival. One run "
               "already uses several cores.", 1, 10, "", "maxConcurrentJobs"},
    SettingRow{"queue.max_operations", Integer, "8",
               "Adapter processes at once for requests (listings, downloads, tests); more are answered 503.", 1, 256},
    SettingRow{"worker.address_space_mib", Integer, "4096",
               "Address space of one adapter process; a leaking plugin ends itself there. 0: unlimited.", 0, 1048576},
    SettingRow{"backup.confirm", Choice, "size",
               "After a destination committed: size compares the size it reports with the bytes hashed on the way; "
               "read reads everything back and compares the hash.", 0, 0, "size|read"},
    SettingRow{"system.timezone", Text, "UTC",
               "Time zone of file names and schedules (a name like Europe/Vienna).", 0, 0, "", "system.timezone"},
    SettingRow{"log.level", Choice, "info", "Least important lines that are still written.", 0, 0,
               "debug|info|warning|error"},
    SettingRow{"log.format", Choice, "text", "One line of text or one JSON object per entry, on standard error.", 0, 0,
               "text|json"},
    SettingRow{"rate_limits.enabled", Boolean, "true",
               "Limit requests per client address. Accepted already so that configurations stay valid; this "
               "version does not limit yet, so keep the server behind something that does."},
};

}  // namespace

std::span<const SettingRow> settings_table() noexcept { return kSettings; }

const SettingRow* find_setting(std::string_view key) noexcept {
  for (const auto& row : kSettings) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

}  // namespace dbackup::host

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
    SettingRow{"server.trusted_proxies", Text, "",
               "Addresses or networks (127.0.0.1, 10.0.0.0/8, fd00::/8), separated by commas, of proxies whose "
               "X-Forwarded-For is believed. Empty: nobody's is, since anybody can send it."},
    SettingRow{"tls.enabled", Boolean, "false",
               "Speak https. Off by default because the default address is this machine alone."},
    SettingRow{"tls.certificate_file", Path, "",
               "PEM file with the certificate and its chain. Empty: a self-signed one is made in private/ at first start."},
    SettingRow{"tls.key_file", Path, "", "PEM file with the private key of tls.certificate_file."},
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
    SettingRow{"ssh.host_keys", Choice, "trust-first",
               "Host keys of SSH servers that are not known yet: trust-first accepts and remembers the first one, strict "
               "refuses until one was entered, accept-any never compares. A known key that differs is always refused, "
               "except by accept-any; a fingerprint set at an adapter beats all of them.", 0, 0,
               "trust-first|strict|accept-any"},
    SettingRow{"backup.confirm", Choice, "size",
               "After a destination committed: size compares the size it reports with the bytes hashed on the way; "
               "read reads everything back and compares the hash.", 0, 0, "size|read"},
    SettingRow{"backup.post_upload_verify", Boolean, "false",
               "Read each backup back and compare its hash before it counts as stored, as backup.confirm: read does; jobs "
               "with skipVerification are exempt.", 0, 0, "", "backup.postUploadVerify"},
    SettingRow{"system.filename_pattern", Text, "{job_name}_yyyy-MM-dd_HH-mm-ss",
               "Name of a stored backup when neither its job nor a default template gives one.", 0, 200, "",
               "system.filenamePattern"},
    SettingRow{"system.timezone", Text, "UTC",
               "Time zone of file names and schedules (a name like Europe/Vienna).", 0, 0, "", "system.timezone"},
    SettingRow{"log.level", Choice, "info", "Least important lines that are still written.", 0, 0,
               "debug|info|warning|error"},
    SettingRow{"log.format", Choice, "text", "One line of text or one JSON object per entry, on standard error.", 0, 0,
               "text|json"},
    SettingRow{"rate_limits.enabled", Boolean, "true",
               "Limit requests per client address. Switch off only behind something else that limits."},
    SettingRow{"rate_limits.auth_points", Integer, "5", "Sign-in requests per window and client address.", 1, 1000,
               "", "rateLimit.auth.points"},
    SettingRow{"rate_limits.auth_duration", Integer, "60", "Seconds of that window.", 10, 3600, "",
               "rateLimit.auth.duration"},
    SettingRow{"rate_limits.api_points", Integer, "100", "Reading requests per window and client address.", 1, 10000,
               "", "rateLimit.api.points"},
    SettingRow{"rate_limits.api_duration", Integer, "60", "Seconds of that window.", 10, 3600, "",
               "rateLimit.api.duration"},
    SettingRow{"rate_limits.mutation_points", Integer, "20", "Changing requests per window and client address.", 1,
               1000, "", "rateLimit.mutation.points"},
    SettingRow{"rate_limits.mutation_duration", Integer, "60", "Seconds of that window.", 10, 3600, "",
               "rateLimit.mutation.duration"},
    SettingRow{"auth.self_registration", Boolean, "false",
               "Let anybody sign up. The first user always can, and becomes SuperAdmin; others then have no access "
               "until somebody puts them into a group."},
    SettingRow{"auth.session_duration_seconds", Integer, "604800", "Lifetime of a session and of its cookie.", 3600,
               7776000, "", "auth.sessionDuration"},
    SettingRow{"auth.disable_email_login", Boolean, "false", "Refuse signing in with a password."},
    SettingRow{"auth.disable_passkey_login", Boolean, "false", "Refuse signing in with a passkey.", 0, 0, "",
               "auth.disablePasskeyLogin"},
    SettingRow{"auth.allowed_origins", Text, "",
               "Further origins (https://host:port), separated by commas, from which browsers may send changes with "
               "a session cookie; the server's own address always may."},
    SettingRow{"auth.keys_follow_owner", Boolean, "false",
               "Cut an API key's permissions down to those its owner holds now. Off: a key keeps its own list, as "
               "existing installations expect."},
    SettingRow{"execution.stuck_timeout_minutes", Integer, "360",
               "A run without progress for that long is ended as Failed; 0: never.", 0, 10080, "",
               "execution.stuckTimeoutMinutes"},
    SettingRow{"audit.retention_days", Integer, "90", "How long the audit log is kept.", 1, 1825, "",
               "audit.retentionDays"},
    SettingRow{"storage.snapshot_retention_days", Integer, "90", "How long the sizes of destinations are kept.", 7,
               1825, "", "storage.snapshotRetentionDays"},
    SettingRow{"notification.log_retention_days", Integer, "90", "How long the notification log is kept.", 7, 1825, "",
               "notification.logRetentionDays"},
    SettingRow{"healthcheck.log_retention_days", Integer, "2", "How long results of health checks are kept.", 1, 365,
               "", "healthcheck.logRetentionDays"},
    SettingRow{"general.check_for_updates", Boolean, "true", "Look for newer releases.", 0, 0, "",
               "general.checkForUpdates"},
    SettingRow{"general.show_quick_setup", Boolean, "false", "For consoles: offer the guided set-up.", 0, 0, "",
               "general.showQuickSetup"},
    SettingRow{"general.instance_name", Text, "", "Name of this instance, at most 50 characters.", 0, 50, "",
               "general.instanceName"},
    SettingRow{"privacy.include_actor_in_metadata", Boolean, "true",
               "Name who started a backup in its side file.", 0, 0, "", "privacy.includeActorInMetadata"},
    SettingRow{"integrity.skip_passed", Boolean, "false", "Integrity checks skip backups that passed one.", 0, 0, "",
               "integrity.skipPassed"},
    SettingRow{"integrity.max_age_days", Integer, "0", "Integrity checks skip older backups; 0: none.", 0, 3650, "",
               "integrity.maxAgeDays"},
    SettingRow{"integrity.max_file_size_mb", Integer, "0", "Integrity checks skip larger backups; 0: none.", 0, 1000000,
               "", "integrity.maxFileSizeMb"},
    SettingRow{"integrity.scan_mode", Choice, "jobs",
               "Integrity checks look at what jobs wrote, or at everything on the destinations.", 0, 0,
               "jobs|destinations", "integrity.scanMode"},
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

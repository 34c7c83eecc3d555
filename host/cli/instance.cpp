#include "cli/instance.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kMasterKeyId = "master_key.id";

std::string metadata_url(const Settings& settings, const std::filesystem::path& data_dir) {
  const std::string url = settings.text("metadata.url");
  return url.empty() ? "sqlite://" + (private_folder(data_dir) / "metadata.db").string() : url;
}

SecretString key_from_settings(const Settings& settings) {
  const std::string value = settings.text("encryption.key");
  const std::string file = settings.text("encryption.key_file");
  if (!value.empty() || file.empty()) return SecretString{value};
  const UniqueFd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd) throw_errno(errno, "cannot read encryption.key_file \"" + file + "\"");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw_errno(errno, "cannot read \"" + file + "\"");
  if ((info.st_mode & 077) != 0) {
    throw Error(ErrorCode::PermissionDenied,
                "encryption.key_file \"" + file + "\" can be read by others: chmod 600 it");
  }
  std::string text(256, '\0');
  const ssize_t n = ::read(fd.get(), text.data(), text.size());
  if (n < 0) throw_errno(errno, "cannot read \"" + file + "\"");
  text.resize(static_cast<size_t>(n));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return SecretString{std::move(text)};
}

std::string stored_key_id(Database& database) {
  std::string id;
  database.read([&](Session& s) { id = SettingStore{}.get(s, kMasterKeyId).value_or(""); });
  return id;
}

}  // namespace

void add_instance_options(CLI::App& command, InstanceOptions& options) {
  command.add_option("-c,--config", options.config_file, "configuration file (YAML)")
      ->envname("DBACKUP_CONFIG");
  command.add_option("--data-dir", options.data_dir, "data directory, in place of the configured one");
}

Settings load_settings(const InstanceOptions& options) {
  auto environment = dbackup_environment();
  if (!options.data_dir.empty()) environment["DBACKUP_DATA_DIR"] = options.data_dir;
  return Settings::load({.file = options.config_file, .environment = std::move(environment)},
                        [](const std::string& warning) { log_warning(warning); });
}

Instance Instance::open(const InstanceOptions& options) {
  Instance out{.settings = load_settings(options)};
  out.data_dir = std::filesystem::absolute(out.settings.text("data.dir"));
  std::error_code failed;
  std::filesystem::create_directories(out.data_dir, failed);
  if (failed) {
    throw Error(ErrorCode::PermissionDenied, "cannot make the data directory \"" + out.data_dir.string() +
                                                 "\": " + failed.message() +
                                                 " (choose another with --data-dir or DBACKUP_DATA_DIR)");
  }
  ensure_private_folder(out.data_dir);
  out.database = Database::open({.url = metadata_url(out.settings, out.data_dir),
                                 .connections = static_cast<int>(out.settings.integer("metadata.connections"))});

  const std::string expected = stored_key_id(*out.database);
  const bool may_generate = expected.empty() && out.database->is_sqlite();
  try {
    out.master_key = load_master_key({.explicit_value = key_from_settings(out.settings),
                                      .data_dir = out.data_dir,
                                      .may_generate = may_generate});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::FailedPrecondition || expected.empty()) throw;
    throw Error(ErrorCode::FailedPrecondition,
                std::string(error.what()) + "; this metadata needs the master key with the id " + expected);
  }
  if (expected.empty()) {
    out.database->write([&](Session& s) {
      // Two first starts at once: the first one's key stays.
      if (!SettingStore{}.get(s, kMasterKeyId)) SettingStore{}.set(s, kMasterKeyId, out.master_key.id);
    });
  }
  const std::string current = stored_key_id(*out.database);
  if (current != out.master_key.id) {
    throw Error(ErrorCode::FailedPrecondition,
                "the master key has the id " + out.master_key.id + ", but this metadata was sealed with " +
                    current + ": start with the key that belongs to it");
  }
  out.box = std::make_unique<SecretBox>(out.master_key.bytes);
  return out;
}

UniqueFd lock_data_directory(const std::filesystem::path& data_dir) {
  ensure_private_folder(data_dir);
  const std::string path = (private_folder(data_dir) / "lock").string();
  UniqueFd fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!fd) throw_errno(errno, "cannot open the lock \"" + path + "\"");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      throw Error(ErrorCode::Unavailable, "another server already uses the data directory \"" +
                                              data_dir.string() + "\"");
    }
    throw_errno(errno, "cannot lock \"" + path + "\"");
  }
  return fd;
}

}  // namespace dbackup::host

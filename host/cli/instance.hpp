#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/settings.hpp"
#include "base/unique_fd.hpp"
#include "crypto/master_key.hpp"
#include "crypto/secret_box.hpp"
#include "store/database.hpp"

namespace CLI {
class App;
}

namespace dbackup::host {

/// Where to find the instance a command works on.
struct InstanceOptions {
  std::string config_file;  ///< "": DBACKUP_CONFIG, else none
  std::string data_dir;     ///< "": from the settings
};

/// Adds --config and --data-dir. `options` must live until the command runs.
void add_instance_options(CLI::App& command, InstanceOptions& options);

/// Settings from file and environment, with --data-dir laid over them.
Settings load_settings(const InstanceOptions& options);

/// An opened data directory: master key checked against the metadata, metadata migrated.
struct Instance {
  Settings settings;
  std::filesystem::path data_dir;
  std::unique_ptr<Database> database;
  MasterKey master_key;
  std::unique_ptr<SecretBox> box;

  /// Makes what is missing. A master key is only made when there is no metadata yet and it is embedded;
  /// its id is stored at first use. Throws Error{FailedPrecondition} naming the expected id when the key
  /// is missing or another one.
  static Instance open(const InstanceOptions& options);
};

/// The lock that one `serve` holds on its data directory. Throws Error{Unavailable} when another does.
UniqueFd lock_data_directory(const std::filesystem::path& data_dir);

}  // namespace dbackup::host

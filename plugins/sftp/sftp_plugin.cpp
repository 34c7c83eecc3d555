// Stores backups on an SSH server with the SFTP subsystem. The host opens the connection, checks
// the server's key and logs in; SFTP itself is spoken here (client.hpp), with many requests in
// flight. What a put or a list consists of: common/remote_storage.hpp.
#include <dbackup/plugin.hpp>
#include <dbackup/ssh_options.hpp>

#include "sftp_tree.hpp"

namespace {

constexpr std::array kOwnOptions{
    dbackup::Option{.name = "pathPrefix",
                    .help = "Folder on the server that holds the backups; it must exist. With a "
                            "leading slash as the account sees it, otherwise below the folder the "
                            "login begins in; empty: that folder itself.",
                    .fallback = ""},
    dbackup::Option{.name = "maxConcurrentFiles",
                    .type = "integer",
                    .help = "How many files a run may transfer at once; more than 8 count as 8. A backup is one file.",
                    .fallback = "4",
                    .minimum = 1},
};

constexpr auto kOptions = [] {
  auto options = dbackup::join_options(dbackup::kBareSshOptions, kOwnOptions);
  for (dbackup::Option& option : options) {
    const std::string_view name = option.name;
    if (name == "host" || name == "username") option.required = true;
  }
  return options;
}();

class SftpStorage final : public dbackup::plugins::RemoteStorage {
 public:
  explicit SftpStorage(const dbackup::Config& config)
      : RemoteStorage{"sftp"}, prefix_{config.text("pathPrefix")} {
    const std::string host = config.required("host");
    config.required("username");  // of use to the host alone
    const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    server_ = name + ":" + std::to_string(config.integer_or("port", 22));
    if (prefix_.find('\0') != std::string::npos) {
      throw dbackup::Error{dbackup::ErrorCode::InvalidArgument, "\"pathPrefix\" has a NUL byte"};
    }
  }

 private:
  std::unique_ptr<dbackup::plugins::RemoteTree> connect(const dbackup::Call& call) const override {
    return std::make_unique<dbackup::sftp::SftpTree>(call, server_, prefix_);
  }

  std::string prefix_;
  std::string server_;
};

}  // namespace

DBACKUP_PLUGIN("org.dbackup.sftp", "SFTP", DBACKUP_SDK_VERSION,
               dbackup::storage<SftpStorage>({.id = "sftp",
                                              .name = "SFTP (SSH)",
                                              .options = kOptions,
                                              .credentials = {.primary = "SSH_KEY",
                                                              .primary_optional = true},
                                              .group = "Network",
                                              .ssh = {.prefix = ""}},
                                             {.exclusive_commit = dbackup::ExclusiveCommit::Atomic,
                                              .ranged_get = true,
                                              .browse = true,
                                              .atomic_replace = true,
                                              .transfers_default = 4,
                                              .transfers_maximum = 8}))

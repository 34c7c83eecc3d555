// Stores backups on an FTP server, by libcurl: session.hpp holds the commands, listing.hpp the
// formats of lists. What a put or a list consists of: common/remote_storage.hpp.
#include <algorithm>
#include <dbackup/plugin.hpp>

#include "ftp_tree.hpp"

namespace {

using dbackup::Error;
using dbackup::ErrorCode;
using dbackup::ftp::FtpTree;
using dbackup::ftp::Tls;

constexpr dbackup::Option kOptions[] = {
    {.name = "host", .help = "FTP server.", .required = true},
    {.name = "port",
     .type = "integer",
     .help = "Port of the server; with implicit TLS, 21 means 990.",
     .fallback = "21",
     .minimum = 1,
     .maximum = 65535},
    {.name = "username", .help = "Account on the server.", .fallback = "anonymous"},
    {.name = "password", .help = "Password of the account.", .secret = true},
    {.name = "tls",
     .type = "boolean",
     .help = "Encrypt the connection (AUTH TLS). \"tlsMode\" says it in more detail.",
     .fallback = "false"},
    {.name = "tlsMode",
     .type = "choice",
     .help = "none, explicit (AUTH TLS on the usual port) or implicit (TLS from the first byte); "
             "unset: as \"tls\" says.",
     .choices = "none|explicit|implicit"},
    {.name = "tlsVerify",
     .type = "boolean",
     .help = "Check the server's certificate and its name.",
     .fallback = "true"},
    {.name = "caFile",
     .type = "path",
     .help =
         "PEM file with the certificates the server's is checked against; unset: the system's."},
    {.name = "pathPrefix",
     .help =
         "Folder on the server that holds the backups. With a leading slash as the account sees "
         "it, otherwise below the folder the login begins in; made when it does not exist.",
     .fallback = ""},
    {.name = "maxConcurrentFiles",
     .type = "integer",
     .help = "How many files a run may transfer at once; more than 4 count as 4. A backup is one file.",
     .fallback = "2",
     .minimum = 1},
};

constexpr dbackup::AdapterInfo kInfo{
    .id = "ftp",
    .name = "FTP / FTPS",
    .options = kOptions,
    .credentials = {.primary = "USERNAME_PASSWORD", .primary_optional = true},
    .group = "Network"};

constexpr dbackup::StorageCapabilities kCapabilities{
    .exclusive_commit = dbackup::ExclusiveCommit::Checked,
    .ranged_get = true,
    .browse = true,
    .transfers_default = 2,
    .transfers_maximum = 4};

/// Each of these becomes part of a line of commands.
std::string one_line(const dbackup::Config& config, const std::string& option) {
  std::string text = config.text(option);
  if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
    throw Error{ErrorCode::InvalidArgument, "\"" + option + "\" must be one line of text"};
  }
  return text;
}

Tls tls_mode(const dbackup::Config& config) {
  const std::string mode = config.text("tlsMode");
  if (mode.empty()) return config.flag_or("tls", false) ? Tls::Explicit : Tls::None;
  if (mode == "none") return Tls::None;
  if (mode == "explicit") return Tls::Explicit;
  if (mode == "implicit") return Tls::Implicit;
  throw Error{ErrorCode::InvalidArgument, "\"tlsMode\" must be none, explicit or implicit"};
}

class FtpStorage final : public dbackup::plugins::RemoteStorage {
 public:
  explicit FtpStorage(const dbackup::Config& config)
      : RemoteStorage{"ftp"}, prefix_{one_line(config, "pathPrefix")} {
    config.required("host");
    login_ = {.host = one_line(config, "host"),
              .port = config.integer_or("port", 21),
              .username = one_line(config, "username"),
              .password = one_line(config, "password"),
              .tls = tls_mode(config),
              .tls_verify = config.flag_or("tlsVerify", true),
              .ca_file = config.text("caFile")};
    const std::string folder = "/" + prefix_ + "/";
    for (const char* part : {"/../", "/./"}) {
      if (folder.find(part) != std::string::npos) {
        throw Error{ErrorCode::InvalidArgument, "\"pathPrefix\" must not have \".\" or \"..\""};
      }
    }
    if (login_.username.empty()) login_.username = "anonymous";
    if (login_.username == "anonymous" && login_.password.empty()) login_.password = "dbackup@";
    if (login_.tls == Tls::Implicit && login_.port == 21) login_.port = 990;
  }

 private:
  std::unique_ptr<dbackup::plugins::RemoteTree> connect(const dbackup::Call& call) const override {
    return std::make_unique<FtpTree>(call, login_, idle_, prefix_);
  }
  std::string test_note(const dbackup::plugins::RemoteTree& tree) const override {
    return dynamic_cast<const FtpTree&>(tree).lists_facts()
               ? ". The server supports MLSD"
               : ". The server does not support MLSD: times of files are taken from their names";
  }

  dbackup::ftp::Login login_;
  mutable std::unique_ptr<dbackup::ftp::Link> idle_;  // one call at a time, on any thread
  std::string prefix_;
};

}  // namespace

DBACKUP_PLUGIN("org.dbackup.ftp", "FTP", DBACKUP_SDK_VERSION,
               dbackup::storage<FtpStorage>(kInfo, kCapabilities))

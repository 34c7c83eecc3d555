// Stores backups on a WebDAV server, by libcurl and pugixml: session.hpp holds the requests,
// multistatus.hpp the answers. What a put or a list consists of: common/remote_storage.hpp.
#include <algorithm>
#include <common/percent_encoding.hpp>
#include <common/url_guard.hpp>
#include <dbackup/plugin.hpp>

#include "multistatus.hpp"
#include "webdav_tree.hpp"

namespace {

using dbackup::Error;
using dbackup::ErrorCode;

constexpr dbackup::Option kOptions[] = {
    {.name = "url",
     .type = "url",
     .help = "Address of the WebDAV folder, for example "
             "https://cloud.example.org/remote.php/dav/files/me.",
     .required = true},
    {.name = "username", .help = "Account on the server; empty: no login."},
    {.name = "password", .help = "Password of the account, or an app password.", .secret = true},
    {.name = "pathPrefix",
     .help = "Folder below \"url\" that holds the backups; made when it does not exist.",
     .fallback = ""},
    {.name = "tlsVerify",
     .type = "boolean",
     .help = "Check the server's certificate and its name.",
     .fallback = "true"},
    {.name = "caFile",
     .type = "path",
     .help =
         "PEM file with the certificates the server's is checked against; unset: the system's."},
    {.name = "maxConcurrentFiles",
     .type = "integer",
     .help = "How many files a run may transfer at once; more than 16 count as 16. A backup is one file.",
     .fallback = "4",
     .minimum = 1},
};

constexpr dbackup::AdapterInfo kInfo{
    .id = "webdav",
    .name = "WebDAV",
    .options = kOptions,
    .credentials = {.primary = "USERNAME_PASSWORD", .primary_optional = true},
    .group = "Network"};

constexpr dbackup::StorageCapabilities kCapabilities{
    // The server looks for the name and then moves: close together, but two steps.
    .exclusive_commit = dbackup::ExclusiveCommit::Checked,
    .ranged_get = true,
    .browse = true};

/// A URL as it was copied from somewhere, with blanks and letters that a URL has to encode.
std::string spelled(const std::string& url) {
  std::string out;
  for (const char c : url) {
    const bool encode = c == ' ' || static_cast<unsigned char>(c) >= 0x80;
    out += encode ? dbackup::plugins::percent_encoded_path({&c, 1}) : std::string(1, c);
  }
  return out;
}

class WebdavStorage final : public dbackup::plugins::RemoteStorage {
 public:
  explicit WebdavStorage(const dbackup::Config& config)
      : RemoteStorage{"webdav"}, prefix_{config.text("pathPrefix")} {
    login_ = {.url = spelled(config.required("url")),
              .username = config.text("username"),
              .password = config.text("password"),
              .tls_verify = config.flag_or("tlsVerify", true),
              .ca_file = config.text("caFile")};
    while (login_.url.ends_with('/')) login_.url.pop_back();
    dbackup::plugins::check_url(login_.url);
    if (login_.url.find('@') < login_.url.find('/', login_.url.find("://") + 3)) {
      throw Error{ErrorCode::InvalidArgument,
                  "\"url\" must not hold a login: use \"username\" and \"password\""};
    }
    if (login_.url.find_first_of("?#") != std::string::npos) {
      throw Error{ErrorCode::InvalidArgument, "\"url\" must not have a query or a fragment"};
    }
    if (login_.url.find("//", login_.url.find("://") + 3) != std::string::npos) {
      throw Error{ErrorCode::InvalidArgument, "\"url\" must not have empty parts (\"//\")"};
    }
    if (prefix_.find("//") != std::string::npos) {
      throw Error{ErrorCode::InvalidArgument, "\"pathPrefix\" must not have empty parts (\"//\")"};
    }
    const std::string folder = "/" + prefix_ + "/";
    if (folder.find("/../") != std::string::npos || folder.find("/./") != std::string::npos) {
      throw Error{ErrorCode::InvalidArgument, "\"pathPrefix\" must not have \".\" or \"..\""};
    }
  }

 private:
  std::unique_ptr<dbackup::plugins::RemoteTree> connect(const dbackup::Call& call) const override {
    return std::make_unique<dbackup::webdav::WebdavTree>(call, login_, idle_, prefix_);
  }

  dbackup::webdav::Login login_;
  mutable std::unique_ptr<dbackup::webdav::Link> idle_;  // one call at a time, on any thread
  std::string prefix_;
};

}  // namespace

DBACKUP_PLUGIN("org.dbackup.webdav", "WebDAV", DBACKUP_SDK_VERSION,
               dbackup::storage<WebdavStorage>(kInfo, kCapabilities))

#include "control/ssh_trust.hpp"

#include "base/error.hpp"
#include "base/id.hpp"
#include "base/logging.hpp"
#include "store/ssh_host_key_store.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kSetting = "ssh.host_keys";
constexpr int64_t kLargestPort = 65535;

}  // namespace

std::string host_key_host(const std::string& host) {
  std::string out = host;
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

protocol::SshTrust ssh_trust(const ControlContext& context, const protocol::SshUse& use,
                             const Json& config) {
  protocol::SshTrust out{.policy = context.live.now()->text(kSetting), .known = {}};
  const std::string host = host_key_host(get_string(config, use.member("host")).value_or(""));
  const int64_t port = get_int(config, use.member("port"), 1, kLargestPort).value_or(22);
  context.database.read([&](Session& session) {
    if (const auto key = SshHostKeyStore{}.find(session, host, port)) {
      out.known.push_back({.type = key->type, .fingerprint = key->fingerprint});
    }
  });
  return out;
}

void keep_host_key(const ControlContext& context, const Json& seen) noexcept {
  try {
    if (context.live.now()->text(kSetting) != "trust-first") return;
    const KnownHostKey key{.id = new_uuid(),
                           .host = host_key_host(require_string(seen, "host")),
                           .port = get_int(seen, "port", 1, kLargestPort).value_or(22),
                           .type = get_string(seen, "type").value_or(""),
                           .fingerprint = require_string(seen, "fingerprint"),
                           .origin = KnownHostKey::kFirstUse,
                           .created_at = context.clock.now_ms()};
    std::optional<KnownHostKey> kept;
    context.database.write([&](Session& session) {
      SshHostKeyStore{}.insert_first(session, key);
      kept = SshHostKeyStore{}.find(session, key.host, key.port);
    });
    if (kept && kept->fingerprint != key.fingerprint) {
      log_warning("security: " + key.host + ":" + std::to_string(key.port) +
                  " showed two host keys: " + kept->fingerprint + " is kept, and an operation that " +
                  "knew none accepted " + key.fingerprint +
                  "; somebody may have been reading along");
    }
  } catch (const std::exception& error) {
    try {
      log_warning(std::string{"an SSH host key cannot be kept: "} + error.what());
    } catch (...) {  // it will be seen again
    }
  }
}

}  // namespace dbackup::host

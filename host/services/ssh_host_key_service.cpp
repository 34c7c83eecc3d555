#include "services/ssh_host_key_service.hpp"

#include <algorithm>

#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "control/ssh_trust.hpp"
#include "services/audit_log.hpp"
#include "store/ssh_host_key_store.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kHashName = "SHA256:";
constexpr size_t kHashDigits = 43;  // of 32 bytes in base64 without its "="

/// As `ssh-keygen -l` shows it; a "=" at its end, which some programs write, does not count.
std::string checked_fingerprint(std::string text) {
  if (text.ends_with('=')) text.pop_back();
  const std::string_view digits =
      std::string_view{text}.substr(std::min(kHashName.size(), text.size()));
  const bool is_base64 = std::all_of(digits.begin(), digits.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  });
  if (!text.starts_with(kHashName) || digits.size() != kHashDigits || !is_base64) {
    throw Error(ErrorCode::InvalidArgument,
                "\"fingerprint\" must be SHA256: and 43 base64 digits, as ssh-keygen -l shows it");
  }
  return text;
}

Json details_of(const KnownHostKey& key) {
  return {{"sshHostKey", key.host + ":" + std::to_string(key.port)},
          {"fingerprint", key.fingerprint}};
}

}  // namespace

std::vector<KnownHostKey> SshHostKeyService::list() {
  std::vector<KnownHostKey> out;
  control_.context().database.read(
      [&](Session& session) { out = SshHostKeyStore{}.list(session); });
  return out;
}

KnownHostKey SshHostKeyService::set(const Principal& who, const std::string& host, int64_t port,
                                    const std::string& fingerprint) {
  if (host.empty() || host.find_first_of(std::string{" \t\r\n\0", 5}) != std::string::npos) {
    throw Error(ErrorCode::InvalidArgument, "\"host\" must be a name or an address");
  }
  const KnownHostKey key{.id = new_uuid(),
                         .host = host_key_host(host),
                         .port = port,
                         .type = "",
                         .fingerprint = checked_fingerprint(fingerprint),
                         .origin = KnownHostKey::kByHand,
                         .created_at = control_.context().clock.now_ms()};
  control_.context().database.write([&](Session& session) {
    SshHostKeyStore{}.replace(session, key);
    audit_.write(session, who, AuditAction::Create, AuditResource::System, key.id, details_of(key));
  });
  return key;
}

void SshHostKeyService::remove(const Principal& who, const std::string& id) {
  control_.context().database.write([&](Session& session) {
    const auto key = SshHostKeyStore{}.find(session, id);
    if (!key) throw Error(ErrorCode::NotFound, "host key not found");
    SshHostKeyStore{}.remove(session, id);
    audit_.write(session, who, AuditAction::Delete, AuditResource::System, id, details_of(*key));
  });
}

}  // namespace dbackup::host

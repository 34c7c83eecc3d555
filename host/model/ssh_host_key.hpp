#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"

namespace dbackup::host {

/// The one host key that is accepted from an SSH server.
struct KnownHostKey {
  std::string id;
  std::string host;  ///< as configured, in lower case
  int64_t port = 22;
  std::string type;         ///< "ssh-ed25519"; "" when only the fingerprint was entered
  std::string fingerprint;  ///< "SHA256:…"
  std::string origin;       ///< kFirstUse or kByHand
  TimeMs created_at = 0;

  static constexpr const char* kFirstUse = "first-use";
  static constexpr const char* kByHand = "by-hand";
};

}  // namespace dbackup::host

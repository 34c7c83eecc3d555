#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/ssh_host_key.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Host keys of SSH servers, one for each host and port. All functions: [any-thread] with their own
/// Session.
class SshHostKeyStore {
 public:
  /// By host and port.
  std::vector<KnownHostKey> list(Session& session) const;
  std::optional<KnownHostKey> find(Session& session, const std::string& id) const;
  std::optional<KnownHostKey> find(Session& session, const std::string& host, int64_t port) const;
  /// Keeps what is there already: the first one counts, whoever else saw another.
  void insert_first(Session& session, const KnownHostKey& key) const;
  /// Takes the place of what is there.
  void replace(Session& session, const KnownHostKey& key) const;
  bool remove(Session& session, const std::string& id) const;
};

}  // namespace dbackup::host

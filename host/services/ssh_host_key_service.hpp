#pragma once

#include <string>
#include <vector>

#include "model/principal.hpp"
#include "model/ssh_host_key.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

/// The keys that SSH servers are known by. [any-thread]
class SshHostKeyService {
 public:
  SshHostKeyService(ControlPlane& control, AuditLog& audit) : control_{control}, audit_{audit} {}

  std::vector<KnownHostKey> list();  ///< by host and port
  /// From now on the server at `host`:`port` must show the key with this fingerprint; takes the
  /// place of what was known of it. Throws Error{InvalidArgument} naming the field.
  KnownHostKey set(const Principal& who, const std::string& host, int64_t port,
                   const std::string& fingerprint);
  /// Forgets a key: the next one the server shows is its first. Throws Error{NotFound}.
  void remove(const Principal& who, const std::string& id);

 private:
  ControlPlane& control_;
  AuditLog& audit_;
};

}  // namespace dbackup::host

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/credential.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// An adapter that uses a credential.
struct CredentialUse {
  std::string config_id, name, adapter_id;
  bool is_ssh_slot = false;
};

class CredentialStore {
 public:
  std::vector<Credential> list(Session& session,
                               const std::string& type = "") const;  ///< newest first
  std::optional<Credential> find(Session& session, const std::string& id) const;
  std::optional<Credential> find_by_name(Session& session, const std::string& name) const;
  void insert(Session& session, const Credential& row) const;  ///< AlreadyExists: name taken
  void update(Session& session, const Credential& row) const;
  bool remove(Session& session, const std::string& id) const;
  /// By name; an adapter that uses it in both slots is there twice.
  std::vector<CredentialUse> uses(Session& session, const std::string& id) const;
};

}  // namespace dbackup::host

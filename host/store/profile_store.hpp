#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/nouns.hpp"
#include "store/database.hpp"

namespace dbackup::host {

class EncryptionProfileStore {
 public:
  std::vector<EncryptionProfile> list(Session& session, bool with_retired) const;  ///< by name
  std::optional<EncryptionProfile> find(Session& session, const std::string& id) const;
  void insert(Session& session,
              const EncryptionProfile& profile) const;  ///< AlreadyExists: name taken
  void update(Session& session, const EncryptionProfile& profile) const;
  void remove(Session& session, const std::string& id) const;  ///< identities go with it
};

class ApiKeyStore {
 public:
  std::vector<ApiKey> list(Session& session) const;  ///< newest first
  std::optional<ApiKey> find(Session& session, const std::string& id) const;
  std::optional<ApiKey> find_by_hash(Session& session, const std::string& hash) const;
  void insert(Session& session, const ApiKey& key) const;
  void update(Session& session, const ApiKey& key) const;
  bool remove(Session& session, const std::string& id) const;
  /// Returns how many.
  int64_t remove_of_user(Session& session, const std::string& user_id) const;
  void touch(Session& session, const std::string& id, TimeMs used_at) const;
};

/// Text pairs: settings stored through the API, and the program's own marks ("master_key.id").
class SettingStore {
 public:
  std::optional<std::string> get(Session& session, const std::string& key) const;
  std::vector<std::pair<std::string, std::string>> list(Session& session) const;
  void set(Session& session, const std::string& key, const std::string& value) const;
  void remove(Session& session, const std::string& key) const;
};

class IdempotencyStore {
 public:
  /// Records that a request is in flight; false (and `existing` filled) when the key is known.
  bool begin(Session& session, const IdempotentAnswer& request, IdempotentAnswer& existing) const;
  /// Sets status and answer, if they still are what `from` says; false when somebody else has the
  /// key.
  bool change(Session& session, const IdempotentAnswer& from, const IdempotentAnswer& to) const;
  /// A request that failed may be repeated; false as above.
  bool forget(Session& session, const IdempotentAnswer& request) const;
  void remove_older_than(Session& session, TimeMs limit) const;
};

}  // namespace dbackup::host

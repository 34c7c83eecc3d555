#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "model/nouns.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;
class Session;
struct BulkOutcome;
struct RegisteredAdapter;

/// An adapter configuration as callers may see it.
struct AdapterView {
  AdapterConfig row;   ///< sealed_config is of no use to anybody
  Json config;         ///< without secrets
  Json secret_status;  ///< {"password":true}
  bool supports_browse = false;
};

/// Adapter configurations: sources, destinations, channels. [any-thread]
class AdapterService {
 public:
  AdapterService(ControlPlane& control, AuditLog& audit) : control_{control}, audit_{audit} {}

  /// Newest first. `role` counts for storage alone; "" is any. Throws Error{InvalidArgument} for an
  /// unknown type, {PermissionDenied} without the type's read permission.
  std::vector<AdapterView> list(const Principal& who, const std::string& type,
                                const std::string& role);
  AdapterView get(const Principal& who, const std::string& id);  ///< NotFound, PermissionDenied

  /// `fields` as the published API names them: name, type, adapterId, config, metadata,
  /// primaryCredentialId, sshCredentialId, storageRole, defaultRetentionPolicyId.
  AdapterView create(const Principal& who, const Json& fields);
  /// `config` replaces the stored one; secrets that are missing or "" stay, null removes them.
  AdapterView update(const Principal& who, const std::string& id, const Json& fields);
  /// Throws Error{InvalidArgument, "in_use"} naming the jobs that use it.
  void remove(const Principal& who, const std::string& id);

  /// A copy with configuration, credentials and metadata; its health starts fresh. `name` "": "X
  /// (Copy)", …, unique within the type; `role` "": the same. Throws Error{AlreadyExists} when a
  /// given name is taken.
  AdapterView clone(const Principal& who, const std::string& id, const std::string& name,
                    const std::string& role);
  /// Deletes each as remove() does. Throws Error{NotFound} when none of them exists,
  /// {PermissionDenied} when the write permission of any of their types is missing.
  BulkOutcome remove_all(const Principal& who, const std::vector<std::string>& ids);

  std::vector<std::shared_ptr<const RegisteredAdapter>> types();

  /// For other services: no rights are checked.
  AdapterView view(const AdapterConfig& row) const;

 private:
  void erase(const Principal& who, const std::string& id);
  void apply(AdapterConfig& row, const Json& fields) const;
  void apply_config(AdapterConfig& row, const Json& fields, bool is_new) const;

  ControlPlane& control_;
  AuditLog& audit_;
};

/// The type of a descriptor's kind: "database", "storage", "notification".
std::string_view adapter_type_of(const RegisteredAdapter& adapter) noexcept;
/// Throws Error{NotFound}.
AdapterConfig require_adapter(Session& session, const std::string& id);

}  // namespace dbackup::host

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "model/credential.hpp"
#include "model/principal.hpp"
#include "services/bulk.hpp"
#include "store/credential_store.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

struct CredentialView {
  Credential row;
  Json secret_status = Json::object();  ///< {"password":true}
  int64_t usage_count = 0;
};

/// Logins that adapters share. Their secrets only come back through reveal(). [any-thread]
class CredentialService {
 public:
  CredentialService(ControlPlane& control, AuditLog& audit) : control_{control}, audit_{audit} {}

  /// Newest first. `type` "": all; an unknown one counts as that.
  std::vector<CredentialView> list(const std::string& type);
  CredentialView get(const std::string& id);  ///< NotFound
  /// `fields`: name, type, description, data. Throws Error: InvalidArgument naming the member of
  /// the payload, AlreadyExists for a taken name. Making an RSA key takes seconds.
  CredentialView create(const Principal& who, const Json& fields);
  /// `data` replaces the whole payload; the type is fixed.
  CredentialView update(const Principal& who, const std::string& id, const Json& fields);
  /// Throws Error{FailedPrecondition} while an adapter refers to it, naming the adapters.
  void remove(const Principal& who, const std::string& id);
  BulkOutcome remove_all(const Principal& who, const std::vector<std::string>& ids);
  std::vector<CredentialUse> usage(const std::string& id);  ///< NotFound
  /// The payload in clear. Written to the audit log before it is looked up.
  Json reveal(const Principal& who, const std::string& id, Credential& row);

 private:
  void apply_payload(Credential& row, const Json& data) const;
  CredentialView view(Session& session, const Credential& row) const;

  ControlPlane& control_;
  AuditLog& audit_;
};

}  // namespace dbackup::host

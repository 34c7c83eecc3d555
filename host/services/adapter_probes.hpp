#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "model/principal.hpp"
#include "services/server_files.hpp"

namespace dbackup::host {

class ControlPlane;
struct AdapterConfig;
struct RegisteredAdapter;
enum class SshNames;
namespace protocol {
struct AdapterRef;
struct SshRequest;
}

/// A configuration to try, stored or not.
struct ConnectionTest {
  std::string adapter_id;
  Json config = Json::object();
  std::string config_id;  ///< stored adapter that gives missing secrets; "": none
  std::string primary_credential_id, ssh_credential_id;  ///< laid over config; "": none
};
struct ConnectionTestResult {
  bool success = false;
  std::string message, version, edition;
};
struct AccessCheck {
  bool success = false;
  std::string message;  ///< why not
  std::vector<std::string> databases;
};
struct SnapshotCheck {
  bool supported = false;
  std::string message;
};

struct FolderListing {
  bool supported = false;
  std::string path;
  struct Folder {
    std::string name, path;
  };
  std::vector<Folder> folders;
};

/// How long a worker may take until its silence is the answer.
struct ProbeLimits {
  std::chrono::milliseconds test{10'000};
  std::chrono::milliseconds access{30'000};
  std::chrono::milliseconds list{60'000};
};

/// Questions to adapters that a person waits for: does this configuration work, and what lies
/// there? All block on a worker. Throws for what is wrong with the request itself; a negative
/// outcome of a test is a result. [any-thread]
class AdapterProbes {
 public:
  explicit AdapterProbes(ControlPlane& control, ProbeLimits limits = {})
      : control_{control}, limits_{limits} {}

  /// Tries the configuration. Where it works and the caller may write its kind, the adapter
  /// `config_id` remembers version, time and "Online".
  ConnectionTestResult test(const Principal& who, const ConnectionTest& test);
  /// Lists the databases it gives access to.
  AccessCheck access_check(const Principal& who, const ConnectionTest& test);
  /// Whether snapshots can be taken there. Throws Error{NotFound} for an unknown kind.
  SnapshotCheck check_snapshot(const Principal& who, const ConnectionTest& test);

  /// Names; empty when the kind cannot list. NotFound unless a database adapter.
  std::vector<std::string> databases(const std::string& id);
  /// The folders directly below `path` ("": the root) of a storage; supported false when the kind
  /// cannot tell. NotFound unless a storage adapter.
  FolderListing browse(const std::string& id, const std::string& path);
  /// Connects by SSH as `config` and the profile `credential_id` ("": none) say, runs a program and
  /// looks at the folder "backupPath" where one is given.
  /// Throws Error{PermissionDenied} for a stored login, or that of the server's agent, in the hands of
  /// somebody who may not write sources (storages, where `adapter_id` is one).
  ConnectionTestResult test_ssh(const Principal& who, const std::string& adapter_id,
                                const Json& config, const std::string& credential_id);
  /// One folder of such a machine, folders first. As test_ssh(); those who may write sources or
  /// storages may use stored logins.
  ServerFolder browse_ssh(const Principal& who, const Json& config,
                          const std::string& credential_id, const std::string& path);

 private:
  /// The kind, for a caller who may read its type. Throws Error{`unknown`} when there is none.
  std::shared_ptr<const RegisteredAdapter> kind(const Principal& who, const std::string& adapter_id,
                                                ErrorCode unknown) const;
  /// What a worker gets; with the stored adapter's secrets where they are missing and `who` may
  /// write adapters of its type. Throws Error{PermissionDenied} when credentials are named by
  /// somebody who may not: the address they would be sent to is the caller's choice.
  protocol::AdapterRef target(const Principal& who, const RegisteredAdapter& kind,
                              const ConnectionTest& test) const;
  /// `may_use_logins`: of the server, that is profiles and its agent's keys.
  protocol::SshRequest ssh_request(const Json& config, const std::string& credential_id,
                                   SshNames names, bool may_use_logins) const;
  std::vector<std::string> list(const protocol::AdapterRef& adapter,
                                std::chrono::milliseconds deadline, bool keeps_host_keys);
  void note_version(const Principal& who, const ConnectionTest& test, const RegisteredAdapter& kind,
                    const ConnectionTestResult& result);

  ControlPlane& control_;
  ProbeLimits limits_;
};

}  // namespace dbackup::host

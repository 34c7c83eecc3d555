#pragma once

#include "protocol/message.hpp"

/// The JSON of the messages; missing members keep their defaults, unknown ones are ignored.
namespace dbackup::host::protocol {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SshHostKey, type, fingerprint)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SshTrust, policy, known)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AdapterRef, plugin_path, adapter_id, config, ssh)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DescribeRequest, plugin_path)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DescribeResult, plugin_id, name, version, abi_major,
                                                abi_minor, adapters)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AdapterRequest, adapter)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TablesRequest, adapter, database)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RowsRequest, adapter, query)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BrowseRequest, adapter, path)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SshRequest, prefix, config, ssh, path)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PrivilegedLogin, user, password)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PrepareRestoreRequest, adapter, databases, privileged)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BackupDestination, id, name, adapter, token)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BackupRequest, execution_id, source, database,
                                                databases, source_options, compression, recipients, path_stem,
                                                extension, destinations, sidecar, mac_key,
                                                memory_bytes, confirm)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BackupDestinationResult, id, path, success, error_code,
                                                error, detail, confirmed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BackupResult, path, size, plain_size, sha256,
                                                engine_version, sidecar, destinations)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(StoredFile, storage, path, compression, sha256,
                                                index_sha256, identities)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DatabaseMapping, original_name, target_name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RestoreRequest, file, source, database, original_name,
                                                privileged, source_options, token, databases)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CleanupRestoreRequest, adapter, database, token,
                                                privileged)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ListRequest, adapter, prefix, sidecars)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(FetchRequest, file, unseal, offset, length)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PathRequest, adapter, path)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RemoveRequest, adapter, paths)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CleanupRequest, adapter, token)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(WriteSidecarRequest, adapter, path, content, token)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(NotifyRequest, adapter, event)

[[noreturn]] void throw_bad_body(const char* detail);

/// Reads a body; a member of the wrong type is Error{InvalidArgument}.
template <class T>
T body_as(const Json& body) {
  try {
    return body.get<T>();
  } catch (const Json::exception& error) {
    throw_bad_body(error.what());
  }
}
}  // namespace dbackup::host::protocol

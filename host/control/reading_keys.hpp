#pragma once

#include <string>
#include <vector>

#include "control/context.hpp"
#include "model/nouns.hpp"
#include "protocol/message.hpp"

namespace dbackup::host {

/// Identities to read `backup` with, in the order in which to try them: the given one, those of
/// `profile_override`, of the sidecar's profile, of all other profiles, retired ones included. Empty
/// for a backup whose name and sidecar say that it is not sealed.
/// Throws Error{NotFound} when `profile_override` names no profile, {FailedPrecondition,
/// "encryption_key_required"} when the backup is sealed and there is no identity at all.
std::vector<std::string> identities_for(const ControlContext& context, const StoredBackup& backup,
                                        const std::string& profile_override = "",
                                        const std::string& given_identity = "");

/// True when name or sidecar say that the stored bytes are sealed.
bool is_sealed(const StoredBackup& backup);

/// How a worker reads the backup: compression, expected hash and identities filled in.
protocol::StoredFile stored_file(const StoredBackup& backup, protocol::AdapterRef storage,
                                 std::vector<std::string> identities);

}  // namespace dbackup::host

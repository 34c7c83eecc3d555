#pragma once

#include <string>

#include "restorer.hpp"

namespace dbackup::redis {

/// Makes sure, without changing anything, that a restore could be done: the server is a master, no
/// node of a cluster, not loading, and lets the user run what `plan` needs. Throws Error saying why
/// not; where the server does not allow RESTORE, with the steps to put the backup in place by hand.
/// What only some backups need is in the answer; its newest_version is not asked for.
RestoreTarget check_restore(const Call& call, Client& client, const ServerInfo& info,
                            const RestorePlan& plan, const std::string& user);

/// The newest version of RDB payloads that the server takes; 0: cannot be known.
int newest_rdb_version(Client& client, const ServerInfo& info);

}  // namespace dbackup::redis

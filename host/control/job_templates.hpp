#pragma once

#include <string>
#include <vector>

#include "model/nouns.hpp"
#include "model/template.hpp"
#include "store/database.hpp"

/// What templates mean for a run: each is a live link, looked up when the run needs it.
namespace dbackup::host {

/// The job's naming template, else the default one, else `fallback`.
std::string name_pattern_of(Session& session, const Job& job, const std::string& fallback);

/// The linked policy, else the destination's own object unless that is empty, else the default
/// policy, else one that keeps all.
Json retention_in_force(Session& session, const JobDestination& destination);
/// Whether a retention object ever removes a backup.
bool removes_backups(const Json& retention);

/// Ids of the channels that hear of a run that ended as `status`, each once: those of the job's
/// templates by priority; without templates the job's own channels with its events; with neither
/// those of the default template.
std::vector<std::string> channels_of(Session& session, const Job& job, const std::string& status);

}  // namespace dbackup::host

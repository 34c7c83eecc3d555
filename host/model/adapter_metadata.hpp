#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace dbackup::host {

/// An adapter's metadata after a look that told the version of what is behind it; what else it
/// holds stays.
inline Json with_version(Json metadata, const std::string& version, const std::string& edition,
                         TimeMs now) {
  if (!metadata.is_object()) metadata = Json::object();
  metadata["engineVersion"] = version;
  metadata.erase("engineEdition");
  if (!edition.empty()) metadata["engineEdition"] = edition;
  metadata["lastCheck"] = format_iso8601(now);
  metadata["status"] = "Online";
  return metadata;
}

/// What people have written into it.
inline Json without_observations(Json metadata) {
  if (!metadata.is_object()) return Json::object();
  for (const char* key : {"engineVersion", "engineEdition", "lastCheck", "status"})
    metadata.erase(key);
  return metadata;
}

}  // namespace dbackup::host

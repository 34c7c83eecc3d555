#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/settings.hpp"
#include "model/notification_log.hpp"
#include "model/nouns.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// What a channel says it delivered: `text` of a `format` ("json", "html"). "": it does not say.
struct Rendering {
  std::string text, format;
};

/// The entry for `event`, handed to `channel` now. None of `secrets` gets into it, whatever the event or
/// the error quotes; of a URL not even what stands behind its host. `error` "": it arrived. Without a
/// rendering in JSON the event takes its place.
NotificationLog notification_entry(const AdapterConfig& channel, const std::vector<std::string>& secrets,
                                   const Json& event, const std::string& execution_id,
                                   const std::string& error, TimeMs now,
                                   const Rendering& rendering = {});

/// Drops entries older than "notification.log_retention_days" says; how many. See Sweep.
int64_t sweep_notification_log(Session& session, const Settings& settings, TimeMs now);

}  // namespace dbackup::host

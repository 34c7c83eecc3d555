#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "model/nouns.hpp"
#include "model/users.hpp"

namespace dbackup::host {

/// Events that are no run's, as channels are handed them: eventType, title, message, success,
/// color, badge?, timestamp, fields.

Json user_login_event(const User& user, const std::string& address, TimeMs now);
/// `by`: the name of who made the account; "": its own person.
Json user_created_event(const User& user, const std::string& by, TimeMs now);
/// Of a source or storage that has not answered `failures` times in a row.
Json connection_offline_event(const AdapterConfig& adapter, int64_t failures,
                              const std::string& error, TimeMs now);
/// `down`: for how long it did not answer, if that is known.
Json connection_online_event(const AdapterConfig& adapter, std::optional<TimeMs> down, TimeMs now);
Json db_version_event(const AdapterConfig& source, const std::string& before,
                      const std::string& after, const std::string& edition, TimeMs now);

/// Whether version `a` is older than `b`: compared number by number, "15.10" after "15.9".
bool is_older_version(const std::string& a, const std::string& b);

}  // namespace dbackup::host

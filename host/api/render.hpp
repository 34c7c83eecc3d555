#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"

/// The nouns as the published API shows them.
namespace dbackup::host {

struct AdapterView;
struct JobView;
struct ExecutionView;
struct Execution;
struct StoredFileView;
struct ApiKey;
struct ProfileView;
struct Principal;
struct HealthState;
struct RegisteredAdapter;

namespace render {

Json text_or_null(const std::string& text);
Json date_or_null(const std::optional<TimeMs>& time);
/// {"success":true,"data":…}
Json wrapped(Json data);

Json adapter(const AdapterView& view);
Json adapter_type(const RegisteredAdapter& adapter);
Json job(const JobView& view);
/// With `logs` only when asked for.
Json execution(const ExecutionView& view, bool with_logs, TimeMs now);
Json history_item(const Execution& execution);
Json stored_file(const StoredFileView& file);
Json api_key(const ApiKey& key);
Json encryption_profile(const ProfileView& view);
Json caller(const Principal& who);
Json health(const HealthState& state);

}  // namespace render
}  // namespace dbackup::host

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

/// The nouns as the published API shows them.
namespace dbackup::host {

struct AdapterView;
struct JobView;
struct ExecutionView;
struct Execution;
struct LogEntry;
struct StoredFileView;
struct ProfileView;
struct Template;
struct TemplateView;
struct HealthState;
struct RegisteredAdapter;

namespace render {

Json text_or_null(const std::string& text);
Json date_or_null(const std::optional<TimeMs>& time);
/// {"success":true,"data":…}
Json wrapped(Json data);

Json adapter(const AdapterView& view);
/// What only people change: without health, and without what looks at it left in the metadata.
Json adapter_without_observations(const AdapterView& view);
Json adapter_type(const RegisteredAdapter& adapter);
Json job(const JobView& view);
/// Text of a run as the contract shows it; `labels` its labels as JSON text, `logs` nullptr unless
/// asked for.
std::string execution_text(const Execution& run, const std::string& labels,
                           const std::vector<LogEntry>* logs, TimeMs now);
std::string log_entry_text(const LogEntry& entry);
Json history_item(const Execution& execution);
Json stored_file(const StoredFileView& file);
Json encryption_profile(const ProfileView& view);
Json template_row(const TemplateView& view);
/// As jobs show it: with the channels' adapters, which `adapter_of` gives by id.
Json notification_template(const Template& row,
                           const std::function<Json(const std::string&)>& adapter_of);
std::string health_text(const HealthState& state);

}  // namespace render
}  // namespace dbackup::host

#pragma once

#include "base/json.hpp"
#include "model/nouns.hpp"

namespace dbackup::host {

class Session;
class PluginRegistry;

/// Lays `fields` (named as in the published API) over `job`; what is missing stays. Checks every
/// value by itself. Throws Error{InvalidArgument} naming the field.
void apply_job_fields(Job& job, const Json& fields, TimeMs now);

/// Checks what the job refers to: sources, destinations, channels, profile, templates. Throws
/// Error{InvalidArgument} naming the field and the id.
void check_job_references(Session& session, const PluginRegistry& plugins, const Job& job);

/// Throws Error{Unimplemented} naming what this version cannot run; such a job can be stored.
void check_job_can_run(const Job& job);

/// True for ALWAYS, FAILURE_ONLY, SUCCESS_ONLY and SUCCESS|PARTIAL|FAILED in any selection.
bool is_notification_events(std::string_view text) noexcept;
/// True for "", NONE, and GZIP:n, LZ4:n, ZSTD:n with n from 0 to 22.
bool is_pg_compression(std::string_view text) noexcept;
/// An object of "mode" NONE, SIMPLE or SMART, or {}. Throws Error{InvalidArgument}.
void check_retention(const Json& retention, const std::string& where);

}  // namespace dbackup::host

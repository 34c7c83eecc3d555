#pragma once

#include "model/template.hpp"

namespace dbackup::host {

class Session;

/// Lays `fields` (named as in the published API) over `row`; what is missing stays. Checks every
/// value by itself. Throws Error{InvalidArgument} naming the field.
void apply_template_fields(Template& row, const Json& fields);
/// Throws Error{InvalidArgument} unless `fields` holds what a new row of the kind cannot do
/// without.
void require_template_fields(TemplateKind kind, const Json& fields);
/// Checks that channels are notification adapters. Throws Error{InvalidArgument} naming field and
/// id.
void check_template_references(Session& session, const Template& row);

/// True for SUCCESS, PARTIAL and FAILED in any selection, joined by |.
bool is_event_selection(std::string_view text) noexcept;
/// Throws Error{InvalidArgument} naming `field` for a pattern that names no file.
void check_name_pattern(std::string_view pattern, std::string_view field = "pattern");

}  // namespace dbackup::host

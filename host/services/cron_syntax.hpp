#pragma once

#include <string_view>

namespace dbackup::host {

/// Checks a schedule of five fields, or six with seconds first: lists, ranges, steps, names of
/// months and days, "*". Throws Error{InvalidArgument} that names the field which is wrong.
void check_cron_syntax(std::string_view expression);

}  // namespace dbackup::host

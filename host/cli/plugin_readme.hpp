#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"

namespace dbackup::host {

/// A page of Markdown with the option tables of a plugin's adapters filled in. Between the lines
/// "<!-- options ID -->" and "<!-- /options -->" stands what the descriptor of adapter ID says; the rest of
/// `page` stays as it is. Throws Error{InvalidArgument} for a block of an adapter that the plugin does not
/// have, a block without an end, and an adapter without a block.
std::string fill_option_tables(const std::string& page, const std::vector<Json>& descriptors);

}  // namespace dbackup::host

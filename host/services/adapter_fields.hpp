#pragma once

#include <string>

#include "base/error.hpp"
#include "base/json.hpp"
#include "model/nouns.hpp"
#include "protocol/descriptor.hpp"

/// What of an adapter's fields can be judged without asking anybody.
namespace dbackup::host {

/// The name: 1 to 100 characters, not only blanks. Throws Error{InvalidArgument}.
std::string checked_name(const Json& fields);
/// "config" as an object, sent as one or as its JSON text.
Json config_field(const Json& fields);
/// "metadata": an object; null when absent.
Json metadata_field(const Json& fields);
/// "DESTINATION" or "SOURCE" as the kind can serve it. Throws Error{InvalidArgument}.
std::string checked_role(const std::string& role, const protocol::AdapterDescriptor& descriptor);

}  // namespace dbackup::host

#pragma once

#include <string>

#include "api/http_message.hpp"

namespace dbackup::host {

/// Scheme, host and port under which the client reaches this server, without a slash at the end:
/// the configured address, else the request's Origin, else its Host.
std::string public_address(const HttpRequest& request, const std::string& configured,
                           bool is_https);

}  // namespace dbackup::host

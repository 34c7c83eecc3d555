#pragma once

#include <chrono>
#include <dbackup/call.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dbackup::plugins {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  /// Sent as they are; a name or value with a control character is Error{InvalidArgument}.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<std::string> body = {};
  /// For the whole exchange.
  std::chrono::milliseconds timeout{25'000};
};

struct HttpResponse {
  int status = 0;
  std::string reason;  ///< of the status line; "" where the protocol has none
  std::string body;    ///< at most the first 64 KiB
  /// The header of that name, whether in seconds or as a date.
  std::optional<std::chrono::seconds> retry_after = {};

  bool ok() const noexcept { return status >= 200 && status < 300; }
};

/// No connection was made: nothing of the request has left, so it may be sent again.
class NotConnected : public Error {
 public:
  using Error::Error;
};

/// Sends one request and waits for the answer, whatever its status. Follows no redirect, uses no
/// proxy and dials no address is_refused_address() names. Asks for cancellation ten times a second.
/// Throws Error: Unavailable (no connection: NotConnected where it was never made),
/// DeadlineExceeded, FailedPrecondition (TLS), PermissionDenied (refused address), InvalidArgument
/// (URL, header), Cancelled. No text repeats the URL or a header.
HttpResponse send(const Call& call, const HttpRequest& request);

/// The error for an answer that is not 2xx: "<service> returned <status>: <body or reason>", the
/// body cut to 300 characters and cleared of every text in `secrets`. Unavailable for what may pass
/// (408, 429, 5xx).
Error refusal(const std::string& service, const HttpResponse& response,
              const std::vector<std::string>& secrets = {});

/// Splits lines "Name: value" into headers; blank lines are skipped. Throws Error{InvalidArgument}
/// naming the number of a line that is no header.
std::vector<std::pair<std::string, std::string>> parse_header_lines(const std::string& lines);

}  // namespace dbackup::plugins

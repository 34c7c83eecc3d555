#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "address.hpp"

namespace dbackup::plugins::email {

struct Mail {
  Address from;
  std::vector<Address> to;
  std::string subject;  ///< UTF-8, on one line, of a few hundred characters
  std::string text;     ///< UTF-8
  std::string html;
};

/// The message as it goes behind DATA: multipart/alternative of RFC 2046, both parts
/// quoted-printable in UTF-8, lines of at most 78 characters ended by CR LF. Dots are not stuffed.
std::string mime_of(const Mail& mail, std::chrono::sys_seconds now);

/// "Sun, 09 Aug 2026 02:00:05 +0000", whatever the locale.
std::string rfc5322_date(std::chrono::sys_seconds when);
/// RFC 2045; line breaks of any kind become CR LF.
std::string quoted_printable(std::string_view text);

}  // namespace dbackup::plugins::email

#pragma once

#include <dbackup/config.hpp>
#include <string>
#include <vector>

namespace dbackup::plugins::email {

/// A mailbox of RFC 5322: "backup@example.net" or "DBackup <backup@example.net>".
struct Address {
  std::string name;     ///< "" none
  std::string mailbox;  ///< local@domain, ASCII

  /// As it stands in a header.
  std::string header() const;
  std::string domain() const { return mailbox.substr(mailbox.rfind('@') + 1); }
};

/// Throws Error{InvalidArgument} naming `option` for what is no address; line breaks and other
/// control characters are none anywhere.
Address parse_address(const std::string& text, const std::string& option);

/// The option "to": a string, with several addresses separated by commas, or a list of them. At
/// least one; each once.
std::vector<Address> parse_receivers(const Config& config);

}  // namespace dbackup::plugins::email

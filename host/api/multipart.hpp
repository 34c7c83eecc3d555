#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dbackup::host {

/// One part of a multipart/form-data body (RFC 7578).
struct FormPart {
  std::string name;  ///< of the field
  std::string
      file_name;  ///< as the client calls it: a name to show, never a path to open; may be ""
  std::string content_type;  ///< as sent, "" when it was not
  std::string_view data;     ///< inside the body it was parsed from
};

/// Splits `body`, whose media type with its boundary is `content_type`. The parts view `body`. At
/// most 32 parts with 4 KiB of header each. Throws Error{InvalidArgument} with what is malformed.
std::vector<FormPart> parse_multipart(std::string_view content_type, std::string_view body);

/// The part of that name. Throws Error{InvalidArgument} naming it when it is missing.
const FormPart& require_part(const std::vector<FormPart>& parts, std::string_view name);
/// The same; nullptr when it is missing.
const FormPart* find_part(const std::vector<FormPart>& parts, std::string_view name) noexcept;

}  // namespace dbackup::host

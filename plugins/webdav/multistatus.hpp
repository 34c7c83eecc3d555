#pragma once

#include <common/remote_storage.hpp>

namespace dbackup::webdav {

/// One response of a PROPFIND (RFC 4918, section 14.24).
struct Resource {
  std::string path;  ///< of its URL, percent-decoded, without a slash at the end; "" is "/"
  plugins::RemoteEntry entry;
};

/// Reads a multistatus document. Throws Error{Unavailable} when it is none: a cut answer, or a
/// page of something between.
std::vector<Resource> parse_multistatus(std::string_view xml);

/// The reverse of plugins::percent_encoded(); what is no escape stays as it is.
std::string percent_decode(std::string_view text);

/// The path of a URL or of an absolute path, without query and fragment, still encoded.
std::string_view path_of_url(std::string_view url);

/// Two resources are one when their paths differ only by a slash at the end.
std::string_view without_slash(std::string_view path);

}  // namespace dbackup::webdav

#include "api/static_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "api/byte_range.hpp"
#include "base/error.hpp"
#include "crypto/hash.hpp"

namespace dbackup::host {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string short_hash(std::string_view bytes) { return sha256_hex(bytes).substr(0, 32); }

/// An open file and its size; nullopt when there is none of that name.
std::optional<HttpRelay> opened(const std::string& path) {
  HttpRelay relay{UniqueFd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}};
  struct stat about {};
  if (!relay.source || ::fstat(relay.source.get(), &about) != 0 || !S_ISREG(about.st_mode))
    return std::nullopt;
  relay.length = static_cast<uint64_t>(about.st_size);
  return relay;
}

}  // namespace

bool accepts_encoding(std::string_view accept_encoding, std::string_view coding) noexcept {
  std::optional<bool> named, any;
  while (!accept_encoding.empty()) {
    const size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view item = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
    const size_t semicolon = std::min(item.find(';'), item.size());
    const std::string_view name = trimmed(item.substr(0, semicolon));
    const std::string_view weight = item.substr(semicolon);
    // "q=0", "q=0.0", "q=0.000": refused. Anything else, malformed or not, admits.
    const size_t value = weight.find('=');
    const bool refused =
        value != std::string_view::npos &&
        trimmed(weight.substr(value + 1)).find_first_not_of("0.") == std::string_view::npos;
    if (equal_ignoring_case(name, coding)) named = !refused;
    if (name == "*") any = !refused;
  }
  return named.value_or(any.value_or(false));
}

void StaticFiles::add(const std::string& name, std::string_view content,
                      std::string_view media_type) {
  files_[name] = {.content = content,
                  .media_type = media_type,
                  .is_known = true,
                  .version = short_hash(content)};
}

void StaticFiles::add_file(const std::string& name, std::string_view media_type) {
  files_[name] = {.media_type = media_type, .is_in_folder = true};
}

StaticFiles::File& StaticFiles::known(const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end()) throw Error(ErrorCode::NotFound, "no such file");
  File& file = found->second;
  const std::lock_guard lock{mutex_};
  if (file.is_known) return file;
  std::ifstream in{folder_ + "/" + name, std::ios::binary};
  if (in) {
    const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
    file.version = short_hash(bytes);
  }
  // What is missing may still be installed.
  file.is_known = file.version.has_value();
  return file;
}

std::optional<std::string> StaticFiles::version(const std::string& name) {
  return known(name).version;
}

HttpResponse StaticFiles::answer(const HttpRequest& request, const std::string& name) {
  const File& file = known(name);
  if (!file.version) throw Error(ErrorCode::NotFound, "the file is not installed");
  const std::string_view accepted = request.headers.get("Accept-Encoding");
  std::string coding;
  std::optional<HttpRelay> relay;
  if (file.is_in_folder) {
    for (const auto& [wanted, suffix] : {std::pair{"br", ".br"}, std::pair{"gzip", ".gz"}}) {
      if (relay || !accepts_encoding(accepted, wanted)) continue;
      relay = opened(folder_ + "/" + name + suffix);
      if (relay) coding = wanted;
    }
    if (!relay) relay = opened(folder_ + "/" + name);
    if (!relay) throw Error(ErrorCode::NotFound, "the file is not installed");
  }
  const std::string tag = "\"" + *file.version + (coding.empty() ? "" : "-" + coding) + "\"";
  const std::string* held = request.headers.find("If-None-Match");
  HttpResponse response;
  if (held != nullptr && matches_etag(*held, tag)) {
    response.status = 304;
  } else if (relay) {
    response = HttpResponse::relay(std::move(*relay), std::string{file.media_type});
  } else {
    response = HttpResponse::text(200, std::string{file.content}, std::string{file.media_type});
  }
  if (!coding.empty() && response.status == 200) response.headers.set("Content-Encoding", coding);
  if (file.is_in_folder) response.headers.set("Vary", "Accept-Encoding");
  response.headers.set("ETag", tag);
  // The address names the content, so it never changes under that address.
  const std::string* named = request.query_value("v");
  response.headers.set("Cache-Control", named != nullptr && *named == *file.version
                                            ? "public, max-age=31536000, immutable"
                                            : "no-cache");
  return response;
}

}  // namespace dbackup::host

#include "api/multipart.hpp"

#include <algorithm>
#include <optional>

#include "api/http_message.hpp"
#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kMostParts = 32;
constexpr size_t kMostHeaderBytes = 4096;
constexpr size_t kLongestBoundary = 70;  // RFC 2046 §5.1.1

[[noreturn]] void bad(const std::string& what) {
  throw Error(ErrorCode::InvalidArgument, "the request body is no valid form: " + what);
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Value of `name` among the parameters of a header value: `form-data; name="a"; filename="b"`.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  size_t at = header.find(';');
  while (at != std::string_view::npos && at < header.size()) {
    const size_t equals = header.find('=', ++at);
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = trimmed(header.substr(at, equals - at));
    std::string value;
    at = equals + 1;
    if (at < header.size() && header[at] == '"') {
      for (++at; at < header.size() && header[at] != '"'; ++at) {
        if (header[at] == '\\' && at + 1 < header.size()) ++at;
        value.push_back(header[at]);
      }
      if (at == header.size()) bad("a quoted parameter has no end");
      at = header.find(';', at);
    } else {
      const size_t end = std::min(header.find(';', at), header.size());
      value = trimmed(header.substr(at, end - at));
      at = end;
    }
    if (equal_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string boundary_of(std::string_view content_type) {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  if (!equal_ignoring_case(type, "multipart/form-data")) {
    throw Error(ErrorCode::InvalidArgument, "the request body must be multipart/form-data");
  }
  const auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kLongestBoundary)
    bad("it has no usable boundary");
  return *boundary;
}

void read_header(FormPart& part, std::string_view head) {
  bool is_named = false;
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head = end == std::string_view::npos ? std::string_view{} : head.substr(end + 2);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) bad("a header line of a part has no colon");
    const std::string_view name = trimmed(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (equal_ignoring_case(name, "Content-Type")) part.content_type = value;
    if (!equal_ignoring_case(name, "Content-Disposition")) continue;
    const auto field = parameter(value, "name");
    if (!field || !equal_ignoring_case(trimmed(value.substr(0, value.find(';'))), "form-data"))
      bad("a part is no form-data with a name");
    part.name = *field;
    part.file_name = parameter(value, "filename").value_or("");
    is_named = true;
  }
  if (!is_named) bad("a part has no Content-Disposition");
}

}  // namespace

std::vector<FormPart> parse_multipart(std::string_view content_type, std::string_view body) {
  const std::string delimiter = "--" + boundary_of(content_type);
  std::vector<FormPart> parts;
  // The first delimiter may stand at the very beginning; every other follows a line end.
  size_t at = body.starts_with(delimiter) ? 0 : body.find("\r\n" + delimiter);
  if (at == std::string_view::npos) bad("its boundary does not occur");
  if (at != 0) at += 2;
  for (;;) {
    at += delimiter.size();
    if (body.substr(at, 2) == "--") return parts;
    while (at < body.size() && (body[at] == ' ' || body[at] == '\t')) ++at;
    if (body.substr(at, 2) != "\r\n") bad("a boundary is not at the end of its line");
    at += 2;
    if (parts.size() == kMostParts) bad("it has more than 32 parts");
    const size_t end = body.substr(at, kMostHeaderBytes).find("\r\n\r\n");
    if (end == std::string_view::npos) bad("the header of a part has no end within 4 KiB");
    FormPart part;
    read_header(part, body.substr(at, end));
    // The line end before a delimiter belongs to the delimiter, so an empty part has none of its
    // own.
    const size_t data = at + end + 4;
    const size_t next = body.find("\r\n" + delimiter, data - 2);
    if (next == std::string_view::npos) bad("it ends before its last boundary");
    part.data = next < data ? std::string_view{} : body.substr(data, next - data);
    parts.push_back(std::move(part));
    at = next + 2;
  }
}

const FormPart* find_part(const std::vector<FormPart>& parts, std::string_view name) noexcept {
  const auto found =
      std::ranges::find_if(parts, [&](const FormPart& part) { return part.name == name; });
  return found == parts.end() ? nullptr : &*found;
}

const FormPart& require_part(const std::vector<FormPart>& parts, std::string_view name) {
  if (const FormPart* part = find_part(parts, name)) return *part;
  throw Error(ErrorCode::InvalidArgument, "\"" + std::string{name} + "\" is required");
}

}  // namespace dbackup::host

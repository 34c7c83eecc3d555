#include "api/cursor.hpp"

#include <charconv>

#include "api/page.hpp"
#include "base/encoding.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kMostLabels = 16;

std::optional<int64_t> number_of(std::string_view text) {
  int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string cursor_text(const Cursor& cursor) {
  return to_hex("1 " + std::to_string(cursor.page) + " " + std::to_string(cursor.after.started_at) +
                " " + cursor.after.id);
}

Cursor parse_cursor(const std::string& text) {
  const auto plain = from_hex(text);
  const std::string_view given = plain ? std::string_view{*plain} : std::string_view{};
  const size_t page_end = given.find(' ', 2);
  const size_t time_end =
      page_end == std::string_view::npos ? page_end : given.find(' ', page_end + 1);
  if (given.starts_with("1 ") && time_end != std::string_view::npos) {
    const auto page = number_of(given.substr(2, page_end - 2));
    const auto time = number_of(given.substr(page_end + 1, time_end - page_end - 1));
    const std::string_view id = given.substr(time_end + 1);
    if (page && *page > 0 && *page <= kMostPages && time && is_text(id))
      return {.after = {.started_at = *time, .id = std::string{id}}, .page = *page};
  }
  throw Error(ErrorCode::InvalidArgument,
              "query parameter \"cursor\" must be the \"nextCursor\" of an earlier answer");
}

std::vector<std::pair<std::string, std::string>> labels_of(const ApiRequest& request) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, text] : request.http.query) {
    if (name != "label" || text.empty()) continue;
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorCode::InvalidArgument,
                  "query parameter \"label\" must have the form name=value");
    }
    out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (out.size() > kMostLabels) {
    throw Error(ErrorCode::InvalidArgument, "query parameter \"label\" may be given at most " +
                                                std::to_string(kMostLabels) + " times");
  }
  return out;
}

}  // namespace dbackup::host

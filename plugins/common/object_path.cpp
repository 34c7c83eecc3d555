#include "common/object_path.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <dbackup/call.hpp>
#include <random>

namespace dbackup::plugins {
namespace {

constexpr size_t kLongestName = 255;
constexpr std::string_view kTemporaryPrefix = ".dbackup-";
constexpr std::string_view kTemporarySuffix = ".part";

void check_part(std::string_view part, std::string_view path) {
  const auto refuse = [&](const char* why) {
    throw Error{ErrorCode::InvalidArgument, "invalid path \"" + std::string{path} + "\": " + why};
  };
  if (part.empty()) refuse("an empty part");
  if (part == "." || part == "..") refuse("\".\" and \"..\" are not allowed");
  if (part.find('\0') != std::string_view::npos) refuse("a NUL byte");
  if (part.size() > kLongestName) refuse("a name over 255 bytes");
  if (is_temporary_name(part)) refuse("such names are kept for unfinished objects");
}

void check_parts(std::string_view path) {
  if (path.starts_with('/')) {
    throw Error{ErrorCode::InvalidArgument,
                "invalid path \"" + std::string{path} + "\": it must be relative"};
  }
  for (size_t start = 0; start <= path.size();) {
    const size_t slash = std::min(path.find('/', start), path.size());
    check_part(path.substr(start, slash - start), path);
    start = slash + 1;
  }
}

}  // namespace

std::string joined(const std::string& folder, std::string_view name) {
  std::string out = folder;
  if (!out.empty()) out += '/';
  return out.append(name);
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

ObjectPath parse_object_path(std::string_view path) {
  check_parts(path);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {{}, std::string{path}};
  return {std::string{path.substr(0, slash)}, std::string{path.substr(slash + 1)}};
}

std::string parse_folder_path(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (!path.empty()) check_parts(path);
  return std::string{path};
}

std::string temporary_name(const std::string& token, unsigned attempt) {
  std::string name{kTemporaryPrefix};
  name += token;
  if (attempt > 0) name += "." + std::to_string(attempt);
  return name.append(kTemporarySuffix);
}

bool is_temporary_name(std::string_view name) {
  return name.size() > kTemporaryPrefix.size() + kTemporarySuffix.size() &&
         name.starts_with(kTemporaryPrefix) && name.ends_with(kTemporarySuffix);
}

bool is_temporary_of(std::string_view name, const std::string& token) {
  // The dot after the token cannot be part of one, so "a" does not match what "ab" left.
  return is_temporary_name(name) && name.substr(kTemporaryPrefix.size()).starts_with(token + ".");
}

void check_token(const std::string& token) {
  const bool fits = !token.empty() && token.size() <= 100 && std::ranges::all_of(token, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  if (!fits) {
    throw Error{ErrorCode::InvalidArgument,
                "a token must be 1 to 100 letters, digits, \"-\" or \"_\""};
  }
}

bool can_be_named(const std::string& path) {
  try {
    (void)Json(path).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

std::string probe_path(const std::string& adapter_id) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y-%m-%d_%H-%M-%S", &utc);
  return ".dbackup/test/connection-test-" + adapter_id + "-" + stamp.data() + "-" +
         std::to_string(std::random_device{}());
}

}  // namespace dbackup::plugins

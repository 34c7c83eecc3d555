#include "settings.hpp"

#include <algorithm>
#include <charconv>

namespace dbackup::redis {
namespace {

constexpr int64_t kSentinelPort = 26379;
constexpr uint64_t kMebibyte = 1024 * 1024;

Error bad(const std::string& option, const std::string& must) {
  return Error{ErrorCode::InvalidArgument, "\"" + option + "\" " + must};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::optional<int64_t> number(std::string_view text) noexcept {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

/// "host", "host:port", "[::1]:port" or an IPv6 address without a port.
Address sentinel_address(std::string_view text) {
  Address out{.host = std::string{text}, .port = kSentinelPort};
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) throw bad("sentinelNodes", "has an address without \"]\"");
    out.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') throw bad("sentinelNodes", "must be host:port each");
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    port = text.substr(text.find(':'));
    out.host = text.substr(0, text.find(':'));
  }
  if (!port.empty()) {
    const auto value = number(port.substr(1));
    if (!value || *value < 1 || *value > 65535) {
      throw bad("sentinelNodes", "has no port from 1 to 65535 in \"" + std::string{text} + "\"");
    }
    out.port = *value;
  }
  if (out.host.empty()) throw bad("sentinelNodes", "must be host:port each");
  return out;
}

std::vector<Address> sentinel_nodes(const Config& config) {
  std::vector<Address> out;
  const auto add = [&](std::string_view text) {
    while (!text.empty()) {
      const size_t comma = std::min(text.find_first_of(",;\n"), text.size());
      const std::string_view item = trimmed(text.substr(0, comma));
      if (!item.empty()) out.push_back(sentinel_address(item));
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
  };
  if (!config.has("sentinelNodes")) return out;
  if (config.json().at("sentinelNodes").is_array()) {
    for (const std::string& item : config.list("sentinelNodes")) add(item);
  } else {
    add(config.text("sentinelNodes"));
  }
  return out;
}

/// A number or its text; whatever else stands there, such as a list, is 0.
int64_t database_of(const Config& config) {
  if (!config.has("database")) return 0;
  const Json& value = config.json().at("database");
  if (value.is_number_integer()) return std::max<int64_t>(value.get<int64_t>(), 0);
  return value.is_string() ? database_number(value.get<std::string>()).value_or(0) : 0;
}

}  // namespace

std::optional<int64_t> database_number(std::string_view name) noexcept {
  const bool all_digits =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!all_digits || name.size() > 5 || (name.size() > 1 && name.front() == '0')) return {};
  return number(name);
}

Settings Settings::from(const Config& config) {
  Settings out;
  out.server = {.host = config.text_or("host", "localhost"),
                .port = config.integer_or("port", 6379)};
  out.login = {.username = config.text("username"), .password = config.text("password")};
  out.tls = {.enabled = config.flag_or("tls", false),
             .verify = config.flag_or("tlsVerify", true),
             .root_cert = config.text("tlsRootCert"),
             .client_cert = config.text("tlsClientCert"),
             .client_key = config.text("tlsClientKey")};
  if (out.tls.client_cert.empty() != out.tls.client_key.empty()) {
    throw bad("tlsClientCert", "and \"tlsClientKey\" go together");
  }
  const std::string mode = config.text_or("mode", "standalone");
  if (mode != "standalone" && mode != "sentinel") {
    throw bad("mode", "must be standalone or sentinel");
  }
  out.by_sentinel = mode == "sentinel";
  out.master_name = config.text("sentinelMasterName");
  out.sentinels = sentinel_nodes(config);
  out.sentinel_login = {.username = config.text("sentinelUsername"),
                        .password = config.text("sentinelPassword")};
  if (out.by_sentinel && out.master_name.empty()) {
    throw bad("sentinelMasterName", "is required in sentinel mode");
  }
  if (out.by_sentinel && out.sentinels.empty()) {
    throw bad("sentinelNodes", "is required in sentinel mode");
  }
  out.prefer_replica = config.flag_or("preferReplica", false);
  const std::string restore = config.text_or("restoreMode", "replace-all");
  if (restore != "replace-all" && restore != "merge") {
    throw bad("restoreMode", "must be replace-all or merge");
  }
  out.restore_mode = restore == "merge" ? RestoreMode::Merge : RestoreMode::ReplaceAll;
  const int64_t most = config.integer_or("maxValueMiB", 512);
  if (most < 1 || most > 4096) throw bad("maxValueMiB", "must be 1 to 4096");
  out.max_value_bytes = static_cast<uint64_t>(most) * kMebibyte;
  out.database = database_of(config);
  out.has_options = !config.text("options").empty();
  return out;
}

}  // namespace dbackup::redis

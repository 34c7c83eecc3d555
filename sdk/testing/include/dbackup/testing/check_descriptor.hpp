#pragma once

#include <array>
#include <dbackup/testing/findings.hpp>
#include <set>
#include <string_view>

namespace dbackup::testing {
namespace detail {

inline bool is_one_of(std::string_view value, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), value) != all.end();
}

inline bool fits(const Json& value, std::string_view type) {
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  if (type == "list") return value.is_array();
  if (type == "string_or_list") return value.is_string() || value.is_array();
  return value.is_string();
}

inline void check_option(const Json& option, std::set<std::string>& names, Report& report) {
  constexpr const char* kCheck = "descriptor.options";
  if (!report.expect(option.is_object() && option.contains("name") && option.at("name").is_string(),
                     kCheck, "an option has no name")) {
    return;
  }
  const auto name = option.at("name").get<std::string>();
  const std::string subject = "option \"" + name + "\"";
  report.expect(names.insert(name).second, kCheck, subject + " is declared twice");
  report.expect(!name.empty() && name.front() != '$', kCheck,
                subject + ": names are not empty and do not begin with \"$\"");
  const std::string type = option.value("type", "");
  if (!report.expect(is_one_of(type, {"string", "integer", "boolean", "choice", "path", "url",
                                      "text", "list", "string_or_list"}),
                     kCheck, subject + " has the unknown type \"" + type + "\"")) {
    return;
  }
  report.expect(!option.value("help", "").empty(), kCheck, subject + " has no help text");
  const Json choices = option.value("choices", Json::array());
  report.expect((type == "choice") == !choices.empty(), kCheck,
                subject + ": exactly the type \"choice\" has choices");
  if (option.contains("default")) {
    const Json& value = option.at("default");
    report.expect(fits(value, type), kCheck, subject + ": its default does not fit its type");
    report.expect(
        type != "choice" || std::find(choices.begin(), choices.end(), value) != choices.end(),
        kCheck, subject + ": its default is none of its choices");
    if (value.is_number_integer()) {
      const auto number = value.get<int64_t>();
      report.expect(number >= option.value("minimum", INT64_MIN) &&
                        number <= option.value("maximum", INT64_MAX),
                    kCheck, subject + ": its default is outside its range");
    }
    report.expect(!option.value("secret", false), kCheck, subject + ": a secret has no default");
  }
  // Names that hold secrets in every adapter there is; the flag decides about sealing and
  // redaction.
  if (is_one_of(name, {"password", "token", "secret", "secretKey", "secretAccessKey", "apiKey",
                       "passphrase", "privateKey", "clientSecret", "refreshToken", "authHeader",
                       "authToken", "appToken", "botToken", "accessToken", "webhookUrl"})) {
    report.expect(option.value("secret", false), kCheck, subject + " must be marked as secret");
  }
}

/// A flag of the descriptor and the function it speaks of must be there together.
inline void check_flag(const Json& capabilities, const char* flag, bool offered, Report& report) {
  const bool declared = capabilities.value(flag, false);
  report.expect(declared == offered, "descriptor.capabilities",
                std::string{"capability \""} + flag + "\" is " + (declared ? "" : "not ") +
                    "declared, but its function is " + (offered ? "" : "not ") + "offered");
}

#define DBACKUP_CHECK_OFFERED(type, table, member)         \
  report.expect(DBACKUP_HAS(type, table, member), "table", \
                "the function \"" #member "\" is missing")

inline void check_source_table(const dbackup_source* table, const Json& capabilities,
                               Report& report) {
  DBACKUP_CHECK_OFFERED(dbackup_source, table, open);
  DBACKUP_CHECK_OFFERED(dbackup_source, table, close);
  DBACKUP_CHECK_OFFERED(dbackup_source, table, test);
  DBACKUP_CHECK_OFFERED(dbackup_source, table, dump);
  DBACKUP_CHECK_OFFERED(dbackup_source, table, restore);
  check_flag(capabilities, "listDatabases", DBACKUP_HAS(dbackup_source, table, list_databases),
             report);
  check_flag(capabilities, "prepareRestore", DBACKUP_HAS(dbackup_source, table, prepare_restore),
             report);
  check_flag(capabilities, "cleanupRestore", DBACKUP_HAS(dbackup_source, table, cleanup_restore),
             report);
  check_flag(capabilities, "tables", DBACKUP_HAS(dbackup_source, table, tables), report);
  check_flag(capabilities, "rows", DBACKUP_HAS(dbackup_source, table, rows), report);
  const std::string extension = capabilities.value("extension", "");
  report.expect(!extension.empty() && extension.find_first_of("./ ") == std::string::npos,
                "descriptor.capabilities", "\"extension\" must be a bare suffix such as \"dump\"");
}

inline void check_storage_table(const dbackup_storage* table, const Json& capabilities,
                                Report& report) {
  DBACKUP_CHECK_OFFERED(dbackup_storage, table, open);
  DBACKUP_CHECK_OFFERED(dbackup_storage, table, close);
  DBACKUP_CHECK_OFFERED(dbackup_storage, table, test);
  DBACKUP_CHECK_OFFERED(dbackup_storage, table, ping);
  DBACKUP_CHECK_OFFERED(dbackup_storage, table, put);
  DBACKUP_CHECK_OFFERED(dbackup_storage, table, get);
  DBACKUP_CHECK_OFFERED(dbackup_storage, table, list);
  DBACKUP_CHECK_OFFERED(dbackup_storage, table, stat);
  DBACKUP_CHECK_OFFERED(dbackup_storage, table, remove);
  DBACKUP_CHECK_OFFERED(dbackup_storage, table, cleanup);
  check_flag(capabilities, "browse", DBACKUP_HAS(dbackup_storage, table, browse), report);
  report.expect(is_one_of(capabilities.value("exclusiveCommit", ""), {"atomic", "checked"}),
                "descriptor.capabilities", "\"exclusiveCommit\" must be \"atomic\" or \"checked\"");
}

inline void check_notifier_table(const dbackup_notifier* table, Report& report) {
  DBACKUP_CHECK_OFFERED(dbackup_notifier, table, open);
  DBACKUP_CHECK_OFFERED(dbackup_notifier, table, close);
  DBACKUP_CHECK_OFFERED(dbackup_notifier, table, test);
  DBACKUP_CHECK_OFFERED(dbackup_notifier, table, send);
}

#undef DBACKUP_CHECK_OFFERED

/// open() must refuse a configuration without one of its required options, in words.
template <class Table>
void check_refused_configs(const dbackup_adapter& adapter, const Table& table, Report& report) {
  const Json descriptor = descriptor_of(adapter);
  const auto refused = [&](const Json& config, const std::string& what) {
    Outcome outcome;
    const auto instance = Instance<Table>::open(table, config, outcome);
    if (report.expect_failure(outcome, "open", what)) {
      report.expect(outcome.status == DBACKUP_INVALID_ARGUMENT, "open",
                    what + " should give code 3 (invalid argument), but gave " + outcome.text());
    }
  };
  for (const Json& option : descriptor.value("options", Json::array())) {
    if (!option.is_object() || !option.value("required", false) || !option.contains("name"))
      continue;
    const auto name = option.at("name").get<std::string>();
    Json config = report.options().config.is_object() ? report.options().config : Json::object();
    config.erase(name);
    refused(config, "open() without the required option \"" + name + "\"");
  }
  FakeCall call;
  void* self = nullptr;
  const Outcome outcome = judge(call, table.open(borrow("[1,"), call.raw(), &self), false);
  if (!report.expect_failure(outcome, "open", "open() with a configuration that is no JSON")) {
    table.close(self);
  }
}

}  // namespace detail

/// The static checks: entry of the table, descriptor, capabilities. True when the table can be
/// used.
inline bool check_descriptor(const dbackup_adapter& adapter, Report& report) {
  constexpr const char* kCheck = "descriptor";
  const auto usable = [&](bool holds, const std::string& sentence) {
    return report.expect(holds, kCheck, sentence);
  };
  if (!usable(adapter.struct_size >= sizeof(dbackup_adapter),
              "the adapter's struct_size is too small") ||
      !usable(adapter.id != nullptr && *adapter.id != '\0', "the adapter has no id") ||
      !usable(adapter.get_extension != nullptr, "get_extension is missing")) {
    return false;
  }
  const Json descriptor = descriptor_of(adapter);
  if (!usable(descriptor.is_object(), "the descriptor is not a JSON object")) return false;
  const std::string_view id{adapter.id};
  usable(
      id.size() <= 64 && id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == id.npos,
      "the id \"" + std::string{id} + "\" must be 1 to 64 of a-z 0-9 -");
  usable(descriptor.value("id", "") == id, "the descriptor's id differs from the adapter's");
  usable(!descriptor.value("name", "").empty(), "the adapter has no name for people");
  const Json options = descriptor.value("options", Json::array());
  std::set<std::string> names;
  for (const Json& option : options) detail::check_option(option, names, report);
  const Json capabilities = descriptor.value("capabilities", Json::object());
  usable(adapter.get_extension("dbackup.no-such-extension/1") == nullptr,
         "get_extension() must give NULL for an id it does not know");

  static constexpr std::array kKinds{"", "source", "storage", "notifier"};
  static constexpr std::array kIds{"", DBACKUP_EXT_SOURCE, DBACKUP_EXT_STORAGE,
                                   DBACKUP_EXT_NOTIFIER};
  if (!usable(adapter.kind >= 1 && adapter.kind <= 3, "the adapter is of no known kind"))
    return false;
  usable(descriptor.value("kind", "") == kKinds[adapter.kind],
         "the descriptor's kind differs from the adapter's");
  const void* table = adapter.get_extension(kIds[adapter.kind]);
  if (!usable(table != nullptr, std::string{"the adapter does not offer "} + kIds[adapter.kind])) {
    return false;
  }
  if (adapter.kind == DBACKUP_KIND_SOURCE) {
    detail::check_source_table(static_cast<const dbackup_source*>(table), capabilities, report);
  } else if (adapter.kind == DBACKUP_KIND_STORAGE) {
    detail::check_storage_table(static_cast<const dbackup_storage*>(table), capabilities, report);
  } else {
    detail::check_notifier_table(static_cast<const dbackup_notifier*>(table), report);
  }
  return report.count("table") == 0;
}

}  // namespace dbackup::testing

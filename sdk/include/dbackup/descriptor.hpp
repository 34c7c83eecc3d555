#pragma once

#include <dbackup/call.hpp>

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup {

/// One option of an adapter. One table per adapter: the host's validation, the REST schema, redaction
/// and the adapter's page of documentation all read it; the plugin gets a configuration that fits it.
struct Option {
  const char* name = "";
  /// "string", "integer", "boolean", "choice", "path", "url", "text" (several lines), "list" (strings),
  /// "string_or_list".
  const char* type = "string";
  const char* help = "";
  /// Default as text ("5432", "true"); nullptr: no default.
  const char* fallback = nullptr;
  bool required = false;
  /// Sealed at rest, never returned by the API, never logged.
  bool secret = false;
  /// For "choice": the values, separated by "|".
  const char* choices = nullptr;
  /// For "integer": the range.
  int64_t minimum = INT64_MIN;
  int64_t maximum = INT64_MAX;
};

/// Slots for credential profiles (USERNAME_PASSWORD, SSH_KEY, ACCESS_KEY, TOKEN, SMTP, WEBHOOK, OAUTH).
struct CredentialSlots {
  const char* primary = nullptr;
  const char* ssh = nullptr;
  bool primary_optional = false;  ///< the adapter can run without a profile in the primary slot
};

/// Says that the adapter's programs and connections can be on another machine behind SSH, and which
/// options hold that login: Host, Port, Username, AuthType, Password, PrivateKey, Passphrase and HostKey
/// behind `prefix`, or the same words in lower case first ("host", "authType") where it is "". The host
/// does the rest: Exec and reach() then work there.
struct SshUse {
  const char* prefix = nullptr;  ///< nullptr: never by SSH
  const char* option = nullptr;  ///< by SSH when this option says "ssh"; nullptr: always
};
inline constexpr SshUse kSshByMode{.prefix = "ssh", .option = "connectionMode"};

/// What every adapter declares.
struct AdapterInfo {
  const char* id;    ///< the REST API's adapterId
  const char* name;  ///< for people
  std::span<const Option> options;
  CredentialSlots credentials = {};
  const char* group = "";
  bool beta = false;
  SshUse ssh = {};
};

/// What a source declares beside that. Each flag must agree with the functions the class offers.
struct SourceCapabilities {
  const char* extension;       ///< of a dump of one database, without a dot ("dump", "sql", "db")
  bool list_databases = false;
  bool prepare_restore = false;
  bool tables = false;
  bool rows = false;
  bool restore_renamed = false;  ///< can restore under another name
  bool atomic_restore = false;   ///< a failed restore leaves the target as it was
  bool stages_locally = false;   ///< its tool insists on a whole file: the run reports it
  /// A dump holds every database of the server: none is chosen, and dump and restore get "".
  bool whole_instance = false;
  bool combinable = true;        ///< may share a job with directory sources
  bool cleanup_restore = false;  ///< can remove what a killed restore left
};

enum class ExclusiveCommit { Atomic, Checked };

struct StorageCapabilities {
  ExclusiveCommit exclusive_commit = ExclusiveCommit::Checked;
  bool ranged_get = false;
  bool browse = false;
  const char* native_checksum = "";  ///< "sha256", "md5" or none
  bool retain_until = false;
  bool atomic_replace = false;  ///< put with `replace`
  bool links = false;
  const char* roles = "DESTINATION|SOURCE";
  int transfers_default = 4;
  int transfers_maximum = 16;
};

namespace detail {

inline Json split_choices(std::string_view text) {
  Json out = Json::array();
  while (!text.empty()) {
    const size_t bar = text.find('|');
    out.push_back(std::string{text.substr(0, bar)});
    text = bar == std::string_view::npos ? std::string_view{} : text.substr(bar + 1);
  }
  return out;
}

inline Json option_json(const Option& option) {
  const std::string_view type = option.type;
  Json out{{"name", option.name}, {"type", option.type}, {"help", option.help},
           {"required", option.required}, {"secret", option.secret}};
  if (option.fallback != nullptr) {
    if (type == "integer") {
      out["default"] = std::stoll(option.fallback);
    } else if (type == "boolean") {
      out["default"] = std::string_view{option.fallback} == "true";
    } else {
      out["default"] = option.fallback;
    }
  }
  if (option.choices != nullptr) out["choices"] = split_choices(option.choices);
  if (option.minimum != INT64_MIN) out["minimum"] = option.minimum;
  if (option.maximum != INT64_MAX) out["maximum"] = option.maximum;
  return out;
}

inline Json base_descriptor(const char* kind, const AdapterInfo& info) {
  Json options = Json::array();
  for (const Option& option : info.options) options.push_back(option_json(option));
  Json credentials = Json::object();
  if (info.credentials.primary != nullptr) credentials["primary"] = info.credentials.primary;
  if (info.credentials.ssh != nullptr) credentials["ssh"] = info.credentials.ssh;
  if (info.credentials.primary_optional) credentials["primaryOptional"] = true;
  Json out{{"kind", kind},        {"id", info.id},     {"name", info.name},
           {"group", info.group}, {"beta", info.beta}, {"options", std::move(options)},
           {"credentials", std::move(credentials)}};
  if (info.ssh.prefix != nullptr) {
    out["ssh"] = {{"prefix", info.ssh.prefix}};
    if (info.ssh.option != nullptr) out["ssh"]["option"] = info.ssh.option;
  }
  return out;
}

inline Json capabilities_json(const SourceCapabilities& c) {
  return {{"extension", c.extension},
          {"listDatabases", c.list_databases},
          {"prepareRestore", c.prepare_restore},
          {"tables", c.tables},
          {"rows", c.rows},
          {"restoreRenamed", c.restore_renamed},
          {"atomicRestore", c.atomic_restore},
          {"stagesLocally", c.stages_locally},
          {"wholeInstance", c.whole_instance},
          {"combinable", c.combinable},
          {"cleanupRestore", c.cleanup_restore}};
}

inline Json capabilities_json(const StorageCapabilities& c) {
  return {{"exclusiveCommit", c.exclusive_commit == ExclusiveCommit::Atomic ? "atomic" : "checked"},
          {"rangedGet", c.ranged_get},
          {"browse", c.browse},
          {"nativeChecksum", c.native_checksum},
          {"retainUntil", c.retain_until},
          {"atomicReplace", c.atomic_replace},
          {"links", c.links},
          {"roles", split_choices(c.roles)},
          {"transfersDefault", c.transfers_default},
          {"transfersMaximum", c.transfers_maximum}};
}

}  // namespace detail
}  // namespace dbackup

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup::host {

enum class SettingOrigin { Default, Stored, File, Environment };

struct SettingSources {
  std::string file;  ///< YAML; "" = none
  /// Variables DBACKUP_…; tests hand in their own.
  std::map<std::string, std::string> environment;
};

/// The settings in force: environment over YAML over what the API stored over the default. Every key is a
/// row of settings_table(). Not thread-safe while stored values change; a copy is cheap.
class Settings {
 public:
  /// Throws Error{InvalidArgument} with file, line and what was expected for an unknown key or a bad value.
  /// An unknown DBACKUP_* variable is only a warning, given to `warn`.
  static Settings load(const SettingSources& sources,
                       const std::function<void(const std::string&)>& warn = {});

  std::string text(std::string_view key) const;
  long long integer(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;
  SettingOrigin origin(std::string_view key) const;

  /// A value stored through the API, under its stored key; weaker than file and environment, which pin.
  /// Throws Error{InvalidArgument} when the value does not fit.
  void set_stored(const std::string& stored_key, const std::string& value);

 private:
  struct Value {
    std::string text;
    SettingOrigin origin = SettingOrigin::Default;
  };
  const Value& value(std::string_view key) const;
  std::map<std::string, Value, std::less<>> values_;
};

/// DBACKUP_* of this process' environment.
std::map<std::string, std::string> dbackup_environment();

/// config/dbackup.yaml: every key commented out, with its default and its reason.
std::string render_default_yaml();

}  // namespace dbackup::host

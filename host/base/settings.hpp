#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
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
  /// What the API stored is gone: the default is in force again, unless file or environment pin the key.
  void forget_stored(const std::string& stored_key);

 private:
  struct Value {
    std::string text;
    SettingOrigin origin = SettingOrigin::Default;
  };
  const Value& value(std::string_view key) const;
  std::map<std::string, Value, std::less<>> values_;
};

/// The settings of a running server, which the API may change. Readers take a snapshot, so that what they
/// read belongs together. [any-thread]
class LiveSettings {
 public:
  explicit LiveSettings(Settings settings) : current_{std::make_shared<const Settings>(std::move(settings))} {}

  std::shared_ptr<const Settings> now() const {
    const std::lock_guard lock{mutex_};
    return current_;
  }
  /// `change` works on a copy, which is in force once it returned; nothing changes when it throws.
  void update(const std::function<void(Settings&)>& change) {
    const std::lock_guard lock{mutex_};
    auto next = std::make_shared<Settings>(*current_);
    change(*next);
    current_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Settings> current_;
};

/// DBACKUP_* of this process' environment.
std::map<std::string, std::string> dbackup_environment();

/// config/dbackup.yaml: every key commented out, with its default and its reason.
std::string render_default_yaml();

}  // namespace dbackup::host

#include "control/stored_settings.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/settings_table.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {

void apply_stored_settings(Settings& settings,
                           const std::vector<std::pair<std::string, std::string>>& stored) {
  for (const auto& [key, value] : stored) {
    try {
      settings.set_stored(key, value);
    } catch (const Error& error) {
      log_warning("a stored setting is ignored: " + std::string(error.what()));
    }
  }
}

void StoredSettings::refresh() {
  std::vector<std::pair<std::string, std::string>> stored;
  context_.database.read([&](Session& session) { stored = SettingStore{}.list(session); });
  // The program's own marks, which change all the time, are no settings.
  std::erase_if(stored, [](const auto& pair) {
    return std::ranges::none_of(settings_table(), [&](const SettingRow& row) {
      return !row.stored_key.empty() && row.stored_key == pair.first;
    });
  });
  std::ranges::sort(stored);
  if (stored == seen_) return;
  context_.live.update([&](Settings& settings) {
    for (const auto& row : settings_table()) {
      const auto has_key = [&](const auto& pair) { return pair.first == row.stored_key; };
      if (!row.stored_key.empty() && std::ranges::none_of(stored, has_key))
        settings.forget_stored(std::string{row.stored_key});
    }
    apply_stored_settings(settings, stored);
  });
  seen_ = std::move(stored);
}

}  // namespace dbackup::host

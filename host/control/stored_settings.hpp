#pragma once

#include <string>
#include <utility>
#include <vector>

#include "control/context.hpp"

namespace dbackup::host {

/// Lays what the API stored over the settings of this process. A value that does not fit is left out,
/// with a warning.
void apply_stored_settings(Settings& settings,
                           const std::vector<std::pair<std::string, std::string>>& stored);

/// Keeps the live settings in step with the store, which other hosts change as well. [one thread]
class StoredSettings {
 public:
  explicit StoredSettings(const ControlContext& context) : context_{context} {}
  /// Reads the store; changes the live settings when something differs from the look before.
  void refresh();

 private:
  const ControlContext& context_;
  std::vector<std::pair<std::string, std::string>> seen_;  ///< at the start: what the process began with
};

}  // namespace dbackup::host

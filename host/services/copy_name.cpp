#include "services/copy_name.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kLongestName = 100;  // characters

/// Cut at a character's border.
std::string first_characters(const std::string& text, size_t count) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (begins && count-- == 0) break;
  }
  return text.substr(0, at);
}

}  // namespace

std::string copy_name(const std::string& original,
                      const std::function<bool(const std::string& name)>& is_taken) {
  for (int number = 1;; ++number) {
    const std::string suffix = number == 1 ? " (Copy)" : " (Copy " + std::to_string(number) + ")";
    std::string name = first_characters(original, kLongestName - suffix.size()) + suffix;
    if (!is_taken(name)) return name;
  }
}

}  // namespace dbackup::host

#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace dbackup::host {

/// Overwrites the characters in a way the compiler may not remove.
void wipe(std::string& text) noexcept;

/// A secret in memory: overwritten when it goes, never printed by accident (no stream operator, no
/// implicit conversion). Not a defence against a debugger.
class SecretString {
 public:
  SecretString() = default;
  explicit SecretString(std::string value) : value_{std::move(value)} {}
  SecretString(const SecretString&) = default;
  SecretString(SecretString&& other) noexcept : value_{other.value_} { wipe(other.value_); }
  SecretString& operator=(const SecretString& other) {
    if (this != &other) {
      wipe(value_);
      value_ = other.value_;
    }
    return *this;
  }
  SecretString& operator=(SecretString&& other) noexcept {
    if (this != &other) {
      wipe(value_);
      value_ = other.value_;
      wipe(other.value_);
    }
    return *this;
  }
  ~SecretString() { wipe(value_); }

  /// The secret itself. The name makes each use easy to find.
  std::string_view reveal() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }

 private:
  std::string value_;
};

}  // namespace dbackup::host

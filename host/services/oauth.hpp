#pragma once

#include <string>

namespace dbackup::host {

class ControlPlane;

/// Accounts that are reached by OAuth (model/oauth_kinds.hpp). No plugin of this version does so.
/// [any-thread]
class OAuthService {
 public:
  explicit OAuthService(ControlPlane& control) : control_{control} {}

  /// Throws Error{InvalidArgument} when no adapter of the kind is installed, else {Unimplemented}.
  [[noreturn]] void refuse(const std::string& kind) const;
  /// The same as a text for people.
  std::string refusal(const std::string& kind) const;

 private:
  ControlPlane& control_;
};

}  // namespace dbackup::host

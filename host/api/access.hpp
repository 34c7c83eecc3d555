#pragma once

#include <cstdint>
#include <string>

#include "model/permission.hpp"
#include "model/principal.hpp"

namespace dbackup::host {

/// Who may call a route. Has no default on purpose: a row of a route table without access does not
/// compile.
class Access {
 public:
  enum class Kind {
    Public,            ///< without credentials
    Optional,          ///< the same, but whoever has valid ones is known to the handler
    Authenticated,     ///< any caller with valid credentials
    SignedIn,          ///< a signed-in person, also one without a group
    SessionOnly,       ///< a signed-in person, never an API key
    SessionPermitted,  ///< the same, holding the permission
    Permitted,         ///< the holder of the permission, or of one of several
    AdapterRead,       ///< of the read permission of the adapter's type: the service checks which
    AdapterWrite,      ///< the same for its write permission
  };

  constexpr Access(Permission permission) noexcept
      : kind_{Kind::Permitted}, permissions_{bit(permission)} {}
  static constexpr Access anyone() noexcept { return Access{Kind::Public}; }
  static constexpr Access optional() noexcept { return Access{Kind::Optional}; }
  static constexpr Access authenticated() noexcept { return Access{Kind::Authenticated}; }
  static constexpr Access signed_in() noexcept { return Access{Kind::SignedIn}; }
  static constexpr Access session_only() noexcept { return Access{Kind::SessionOnly}; }
  static constexpr Access session_and(Permission permission) noexcept {
    Access access{permission};
    access.kind_ = Kind::SessionPermitted;
    return access;
  }
  static constexpr Access adapter_read() noexcept { return Access{Kind::AdapterRead}; }
  static constexpr Access adapter_write() noexcept { return Access{Kind::AdapterWrite}; }
  /// The holder of any of them.
  template <class... More>
  static constexpr Access either(Permission first, More... more) noexcept {
    Access access{first};
    access.permissions_ = (bit(first) | ... | bit(more));
    return access;
  }

  constexpr Kind kind() const noexcept { return kind_; }
  /// Needs no credentials.
  constexpr bool is_public() const noexcept {
    return kind_ == Kind::Public || kind_ == Kind::Optional;
  }
  /// Never opened by an API key.
  constexpr bool is_session_only() const noexcept {
    return kind_ == Kind::SignedIn || kind_ == Kind::SessionOnly || kind_ == Kind::SessionPermitted;
  }
  /// Open to a person without a group, who is nobody elsewhere.
  constexpr bool admits_groupless() const noexcept { return kind_ == Kind::SignedIn; }
  /// Whether `who` may knock at all; what depends on the object is left to the service.
  bool admits(const Principal& who) const noexcept;
  /// For messages and the documentation: "jobs:read".
  std::string describe() const;

 private:
  constexpr explicit Access(Kind kind) noexcept : kind_{kind} {}

  static constexpr uint64_t bit(Permission permission) noexcept {
    return uint64_t{1} << static_cast<unsigned>(permission);
  }

  Kind kind_;
  uint64_t permissions_ = 0;  ///< one bit each; any of them opens
};

}  // namespace dbackup::host

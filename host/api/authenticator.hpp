#pragma once

#include <optional>

#include "api/http_message.hpp"
#include "model/principal.hpp"
#include "services/api_key_verifier.hpp"
#include "services/session_verifier.hpp"

namespace dbackup::host {

/// One way to prove who asks. The dispatcher asks them in order; the first that answers wins.
/// [any-thread]
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// nullopt: the request carries no credentials of this kind. Throws Error{Unauthenticated} when
  /// it carries some that are not valid.
  virtual std::optional<Principal> authenticate(const HttpRequest& request) = 0;
};

/// `Authorization: Bearer <key>`; the scheme word counts as it is written.
class ApiKeyAuthenticator final : public Authenticator {
 public:
  explicit ApiKeyAuthenticator(ApiKeyVerifier& verifier) : verifier_{verifier} {}
  std::optional<Principal> authenticate(const HttpRequest& request) override;

 private:
  ApiKeyVerifier& verifier_;
};

/// The cookie of a sign-in. One that is not valid any more counts as none.
class SessionAuthenticator final : public Authenticator {
 public:
  explicit SessionAuthenticator(SessionVerifier& verifier) : verifier_{verifier} {}
  std::optional<Principal> authenticate(const HttpRequest& request) override;

 private:
  SessionVerifier& verifier_;
};

}  // namespace dbackup::host

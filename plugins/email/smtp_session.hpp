#pragma once

#include <dbackup/call.hpp>
#include <string>
#include <vector>

namespace dbackup::plugins::email {

enum class Security {
  None,      ///< never TLS
  Ssl,       ///< TLS from the first byte
  StartTls,  ///< nothing is said before the connection is upgraded
};

struct SmtpServer {
  std::string host;
  int port = 587;
  Security security = Security::StartTls;
  bool verify = true;          ///< the certificate's chain and name
  std::string ca_certificate;  ///< PEM; "": the system's
  std::string user, password;  ///< both or no sign-in
};

/// Sends one message (as mime_of() makes it) in a session of its own. Every receiver is named to
/// the server; the message goes to those it takes. Blocks for up to 24 s; asks for cancellation ten
/// times a second. Throws Error unless the message was taken for all of them: Unauthenticated (535
/// and its like), Unavailable (no connection, 4xx), FailedPrecondition (refused; TLS or sign-in not
/// to be had), DeadlineExceeded, Cancelled. Messages hold the server's words, and say which
/// receivers it refused and whether the others got the message.
void send_mail(const Call& call, const SmtpServer& server, const std::string& from,
               const std::vector<std::string>& to, const std::string& message);

}  // namespace dbackup::plugins::email

#pragma once

#include <memory>

#include "api/http_transport.hpp"
#include "crypto/certificate.hpp"

namespace dbackup::host {

/// The TLS side of a listener: TLS 1.2 and 1.3, HTTP/1.1, the certificate in force. [any-thread]
class TlsListener {
 public:
  /// Throws Error{InvalidArgument} when the pair cannot be used.
  explicit TlsListener(const CertificatePair& pair);
  ~TlsListener();
  TlsListener(const TlsListener&) = delete;
  TlsListener& operator=(const TlsListener&) = delete;

  /// For connections accepted from now on; those under way keep what they began with. Throws as the
  /// constructor does, and changes nothing then.
  void replace(const CertificatePair& pair);

  /// The byte path of one accepted socket, which it does not own.
  std::unique_ptr<HttpTransport> accept(int socket) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dbackup::host

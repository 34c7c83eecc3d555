#pragma once

#include <openssl/ssl.h>

#include <dbackup/error.hpp>
#include <memory>
#include <string>

#include "settings.hpp"

namespace dbackup::redis {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* raw) const noexcept {
    Free(raw);
  }
};
using TlsContext = std::unique_ptr<SSL_CTX, Deleter<&SSL_CTX_free>>;
using TlsSession = std::unique_ptr<SSL, Deleter<&SSL_free>>;

/// A session that checks, unless told otherwise, that the far side is `host`: the name or address
/// it is configured under, which is not always the one that is dialled. Not yet tied to a socket;
/// the handshake is the caller's. Throws Error{InvalidArgument} for certificates that cannot be
/// read.
TlsSession make_tls_session(const TlsSettings& settings, const std::string& host);

/// What OpenSSL has to say about the last failure on this thread; takes it off its queue.
std::string tls_reason();

/// The error for a failed handshake with `where`.
Error tls_handshake_error(const SSL* session, const std::string& where);

}  // namespace dbackup::redis

#include "tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

namespace dbackup::redis {
namespace {

using Bio = std::unique_ptr<BIO, Deleter<&BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<&X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;

Bio memory(const std::string& text) {
  Bio out{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  if (out == nullptr) throw std::bad_alloc{};
  return out;
}

Error unreadable(const char* option, const char* what) {
  return Error{ErrorCode::InvalidArgument,
               "\"" + std::string{option} + "\" is not " + what + " in PEM form: " + tls_reason()};
}

/// A key with a passphrase is refused instead of asked for on a terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

void trust(SSL_CTX* context, const std::string& pem) {
  if (pem.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
      throw Error{ErrorCode::FailedPrecondition,
                  "the system's trusted certificates cannot be read: " + tls_reason()};
    }
    return;
  }
  const Bio text = memory(pem);
  int count = 0;
  while (const Certificate one{PEM_read_bio_X509(text.get(), nullptr, &no_passphrase, nullptr)}) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get());  // takes its own reference
    ++count;
  }
  if (count == 0) throw unreadable("tlsRootCert", "a certificate");
  ERR_clear_error();  // the end of the text is an error to the reader
}

void show(SSL_CTX* context, const TlsSettings& settings) {
  if (settings.client_cert.empty()) return;
  const Bio text = memory(settings.client_cert);
  const Certificate own{PEM_read_bio_X509(text.get(), nullptr, &no_passphrase, nullptr)};
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1) {
    throw unreadable("tlsClientCert", "a certificate");
  }
  while (Certificate next{PEM_read_bio_X509(text.get(), nullptr, &no_passphrase, nullptr)}) {
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) throw std::bad_alloc{};
    static_cast<void>(next.release());  // the context's now
  }
  ERR_clear_error();
  const Bio key_text = memory(settings.client_key);
  const Key key{PEM_read_bio_PrivateKey(key_text.get(), nullptr, &no_passphrase, nullptr)};
  if (key == nullptr) {
    ERR_clear_error();
    throw Error{ErrorCode::InvalidArgument,
                "\"tlsClientKey\" is not a private key without a passphrase in PEM form"};
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    throw Error{ErrorCode::InvalidArgument,
                "\"tlsClientKey\" does not belong to \"tlsClientCert\": " + tls_reason()};
  }
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> buffer{};
  return inet_pton(AF_INET, host.c_str(), buffer.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer.data()) == 1;
}

}  // namespace

std::string tls_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "no reason given" : reason;
}

TlsSession make_tls_session(const TlsSettings& settings, const std::string& host) {
  ERR_clear_error();
  const TlsContext context{SSL_CTX_new(TLS_client_method())};
  if (context == nullptr) throw std::bad_alloc{};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Servers of this kind end a connection without saying goodbye; what is complete, the protocol
  // above knows.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  show(context.get(), settings);
  if (settings.verify) {
    trust(context.get(), settings.root_cert);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  TlsSession session{SSL_new(context.get())};  // holds the context
  if (session == nullptr) throw std::bad_alloc{};
  X509_VERIFY_PARAM* wanted = SSL_get0_param(session.get());
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool by_address = is_address(host);
  const int named = by_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                               : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
  const bool hinted = by_address || SSL_set_tlsext_host_name(session.get(), host.c_str()) == 1;
  if (named != 1 || !hinted) {
    throw Error{ErrorCode::InvalidArgument, "\"" + host + "\" is no name a certificate can have"};
  }
  return session;
}

Error tls_handshake_error(const SSL* session, const std::string& where) {
  const long verified = SSL_get_verify_result(session);
  if (verified != X509_V_OK) {
    ERR_clear_error();
    return Error{ErrorCode::FailedPrecondition, "the certificate of " + where + " is refused: " +
                                                    X509_verify_cert_error_string(verified)};
  }
  if (ERR_peek_last_error() == 0) {
    return Error{ErrorCode::Unavailable, where + " ended the connection during the TLS handshake"};
  }
  return Error{ErrorCode::FailedPrecondition,
               "cannot set up TLS with " + where + ": " + tls_reason()};
}

}  // namespace dbackup::redis

#include "api/tls.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string>

#include "base/error.hpp"
#include "crypto/openssl.hpp"

namespace dbackup::host {
namespace {

using openssl::Bio;
using openssl::Deleter;
using openssl::X509Ptr;
using Context = std::unique_ptr<SSL_CTX, Deleter<&SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Deleter<&SSL_free>>;

/// A record's payload, and the most that is encrypted ahead of the socket.
constexpr size_t kRecordBytes = 16 * 1024;
constexpr size_t kAheadBytes = 64 * 1024;

/// The library's wire is memory: what the reactor read goes in, what leaves is sent by us. So a
/// slow handshake holds one connection and nobody else's.
class TlsTransport final : public HttpTransport {
 public:
  TlsTransport(SSL_CTX* context, int socket) : socket_{socket}, ssl_{SSL_new(context)} {
    Bio in{BIO_new(BIO_s_mem())};
    Bio out{BIO_new(BIO_s_mem())};
    if (!ssl_ || !in || !out) throw std::bad_alloc{};
    in_ = in.get();
    out_ = out.get();
    SSL_set_bio(ssl_.get(), in.release(), out.release());
    SSL_set_accept_state(ssl_.get());
  }

  bool is_ready() const override { return SSL_is_init_finished(ssl_.get()) == 1; }

  std::optional<std::string_view> receive(std::string_view wire) override {
    if (!has_begun_ && !wire.empty()) {
      has_begun_ = true;
      // A handshake record begins with 22. Anything else is most likely plain HTTP: worth a word.
      if (wire.front() != '\x16') return refuse_plain();
    }
    ERR_clear_error();
    plain_.clear();
    if (BIO_write(in_, wire.data(), static_cast<int>(wire.size())) !=
        static_cast<int>(wire.size())) {
      return std::nullopt;
    }
    for (;;) {
      const size_t before = plain_.size();
      plain_.resize(before + kRecordBytes);
      size_t got = 0;
      const int result = SSL_read_ex(ssl_.get(), plain_.data() + before, kRecordBytes, &got);
      plain_.resize(before + got);
      if (result == 1) continue;
      const int error = SSL_get_error(ssl_.get(), result);
      if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_ZERO_RETURN) break;
      flush();  // the alert that says why
      return std::nullopt;
    }
    return plain_;
  }

  bool wants_flush() const override { return sent_ < pending_.size() || BIO_pending(out_) > 0; }

  Step flush() override {
    for (;;) {
      if (sent_ == pending_.size()) {
        pending_.clear();
        sent_ = 0;
        collect();
        if (pending_.empty()) return Step::Done;
      }
      const ssize_t n = ::send(socket_, pending_.data() + sent_, pending_.size() - sent_,
                               MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) {
        sent_ += static_cast<size_t>(n);
      } else if (n < 0 && errno == EINTR) {
        continue;
      } else {
        const bool passing = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS);
        return passing ? Step::Blocked : Step::Broken;
      }
    }
  }

  Step send(std::string_view plain, size_t& taken, bool more) override {
    while (!plain.empty()) {
      if (pending_.size() - sent_ >= kAheadBytes) {
        if (const Step step = flush(); step != Step::Done) return step;
      }
      ERR_clear_error();
      size_t written = 0;
      const size_t piece = std::min(plain.size(), kRecordBytes);
      if (SSL_write_ex(ssl_.get(), plain.data(), piece, &written) != 1) return Step::Broken;
      collect();
      taken += written;
      plain.remove_prefix(written);
    }
    // The piece that follows at once carries this one with it.
    return more && pending_.size() - sent_ < kAheadBytes ? Step::Done : flush();
  }

  void end_sending() override {
    ERR_clear_error();
    if (is_ready())
      SSL_shutdown(ssl_.get());  // close_notify: the end of the answer is no truncation
    flush();
    ::shutdown(socket_, SHUT_WR);
  }

 private:
  void collect() {
    const size_t size = BIO_ctrl_pending(out_);
    if (size == 0) return;
    const size_t before = pending_.size();
    pending_.resize(before + size);
    const int got = BIO_read(out_, pending_.data() + before, static_cast<int>(size));
    pending_.resize(before + static_cast<size_t>(std::max(got, 0)));
  }

  std::optional<std::string_view> refuse_plain() {
    constexpr std::string_view kAnswer =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n"
        "Content-Length: 56\r\n\r\n"
        R"({"success":false,"error":"this port speaks https alone"})";
    // Best effort: the connection ends whatever becomes of it.
    if (::send(socket_, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
      return std::nullopt;
    return std::nullopt;
  }

  int socket_;
  Connection ssl_;
  BIO* in_ = nullptr;  // both belong to ssl_
  BIO* out_ = nullptr;
  std::string plain_;
  std::string pending_;  // encrypted, not yet taken by the socket from sent_ on
  size_t sent_ = 0;
  bool has_begun_ = false;
};

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned int in_size, void*) {
  static const unsigned char kOffered[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kOffered, sizeof kOffered - 1, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Bio memory_bio(std::string_view text) {
  Bio bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  if (!bio) throw std::bad_alloc{};
  return bio;
}

Context make_context(const CertificatePair& pair) {
  const auto refuse = [](const char* what) {
    ERR_clear_error();
    throw Error(ErrorCode::InvalidArgument, std::string{"the TLS "} + what + " cannot be used");
  };
  Context context{SSL_CTX_new(TLS_server_method())};
  if (!context) openssl::throw_failure("cannot prepare TLS");
  SSL_CTX* const ctx = context.get();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_options(
      ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Of TLS 1.2 only what keeps recorded traffic closed when the key is lost later.
  SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(ctx, &choose_protocol, nullptr);
  const Bio chain = memory_bio(pair.certificate_pem);
  const X509Ptr own{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)};
  if (!own || SSL_CTX_use_certificate(ctx, own.get()) != 1) refuse("certificate");
  while (X509* further = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(ctx, further) == 1) continue;
    X509_free(further);
    refuse("certificate's chain");
  }
  const Bio key_text = memory_bio(pair.key_pem.reveal());
  const openssl::Pkey key{PEM_read_bio_PrivateKey(
      key_text.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr)};
  if (!key || SSL_CTX_use_PrivateKey(ctx, key.get()) != 1) refuse("key");
  ERR_clear_error();
  return context;
}

}  // namespace

struct TlsListener::State {
  mutable std::mutex mutex;
  Context context;
};

TlsListener::TlsListener(const CertificatePair& pair) : state_{std::make_unique<State>()} {
  state_->context = make_context(pair);
}

TlsListener::~TlsListener() = default;

void TlsListener::replace(const CertificatePair& pair) {
  Context next = make_context(pair);
  const std::lock_guard lock{state_->mutex};
  state_->context = std::move(next);
}

std::unique_ptr<HttpTransport> TlsListener::accept(int socket) const {
  const std::lock_guard lock{state_->mutex};
  // The connection holds a reference of its own to the context.
  return std::make_unique<TlsTransport>(state_->context.get(), socket);
}

}  // namespace dbackup::host

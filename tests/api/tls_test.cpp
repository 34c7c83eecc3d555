#include "api/tls.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "tests/api/http_test_server.hpp"
#include "tests/support/raw_http_client.hpp"

/// TLS through the real listener, with OpenSSL's own client at the other end.
namespace dbackup::test {
namespace {

using host::CertificatePair;
using host::TlsListener;

CertificatePair make_pair(const std::string& name) {
  return host::make_self_signed({name, "127.0.0.1"}, host::SystemClock{}.now_ms(), 30);
}

struct TlsServer {
  explicit TlsServer(host::HttpServerOptions options = quick_options())
      : listener{std::make_shared<TlsListener>(pair)}, server{with_tls(std::move(options))} {}

  host::HttpServerOptions with_tls(host::HttpServerOptions options) {
    options.transport = [tls = listener](int socket) { return tls->accept(socket); };
    return options;
  }

  CertificatePair pair = make_pair("first");
  std::shared_ptr<TlsListener> listener;
  TestServer server;
};

/// A blocking client that trusts `pair` alone.
class TlsClient {
 public:
  TlsClient(uint16_t port, const CertificatePair& pair, int max_version = 0) : tcp_{port} {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    BIO* bio =
        BIO_new_mem_buf(pair.certificate_pem.data(), static_cast<int>(pair.certificate_pem.size()));
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), certificate);
    X509_free(certificate);
    BIO_free(bio);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_security_level(context_.get(),
                               0);  // the server's rules are tested, not the client's
    if (max_version != 0) SSL_CTX_set_max_proto_version(context_.get(), max_version);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), tcp_.fd());
  }
  bool connect() {
    ERR_clear_error();
    return SSL_connect(ssl_.get()) == 1;
  }
  bool send(std::string_view text) {
    return SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) ==
           static_cast<int>(text.size());
  }
  /// Up to the server's close_notify; nullopt when it ends without one.
  std::optional<std::string> read_to_end() {
    std::string out;
    std::array<char, 65536> block{};
    for (;;) {
      ERR_clear_error();
      const int n = SSL_read(ssl_.get(), block.data(), static_cast<int>(block.size()));
      if (n > 0) {
        out.append(block.data(), static_cast<size_t>(n));
        continue;
      }
      if (SSL_get_error(ssl_.get(), n) == SSL_ERROR_ZERO_RETURN) return out;
      return std::nullopt;
    }
  }
  std::string ask(const std::string& path) {
    if (!send("GET " + path + " HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")) return "";
    return read_to_end().value_or("");
  }
  SSL* ssl() { return ssl_.get(); }
  RawHttpClient& tcp() { return tcp_; }

 private:
  RawHttpClient tcp_;
  std::unique_ptr<SSL_CTX, decltype([](SSL_CTX* p) { SSL_CTX_free(p); })> context_;
  std::unique_ptr<SSL, decltype([](SSL* p) { SSL_free(p); })> ssl_;
};

TEST(Tls, AnswersOverBothVersionsAndEndsWithCloseNotify) {
  TlsServer tls;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client{tls.server.port(), tls.pair, version};
    ASSERT_TRUE(client.connect());
    EXPECT_EQ(SSL_version(client.ssl()), version);
    EXPECT_NE(client.ask("/health").find("HTTP/1.1 200"), std::string::npos);
  }
}

TEST(Tls, RefusesVersionsBelowOneTwo) {
  TlsServer tls;
  TlsClient client{tls.server.port(), tls.pair, TLS1_1_VERSION};
  EXPECT_FALSE(client.connect());
}

TEST(Tls, CarriesManyRequestsOnOneConnection) {
  TlsServer tls;
  TlsClient client{tls.server.port(), tls.pair};
  ASSERT_TRUE(client.connect());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(client.send("GET /quick?id=" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n"));
  }
  ASSERT_TRUE(client.send("GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"));
  const std::string all = client.read_to_end().value_or("");
  size_t answers = 0;
  for (size_t at = all.find("HTTP/1.1 200"); at != std::string::npos;
       at = all.find("HTTP/1.1 200", at + 1)) {
    ++answers;
  }
  EXPECT_EQ(answers, 51u);
}

TEST(Tls, CarriesALargeDownloadWithoutTouchingAByte) {
  TlsServer tls;
  TlsClient client{tls.server.port(), tls.pair};
  ASSERT_TRUE(client.connect());
  constexpr size_t kSize = size_t{32} << 20;
  const std::string answer = client.ask("/relay?bytes=" + std::to_string(kSize) +
                                        "&length=" + std::to_string(kSize) + "&end=complete");
  const size_t body = answer.find("\r\n\r\n");
  ASSERT_NE(body, std::string::npos);
  ASSERT_EQ(answer.size() - body - 4, kSize);
  EXPECT_TRUE(std::string_view{answer}.substr(body + 4) == pattern(0, kSize));
}

TEST(Tls, TakesAHandshakeByteByByteWhileOthersAreServed) {
  TlsServer tls;
  TlsClient slow{tls.server.port(), tls.pair};
  // The client's first flight, caught in memory and sent in single bytes.
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(slow.ssl(), in, out);
  EXPECT_NE(SSL_connect(slow.ssl()), 1);
  std::string hello(static_cast<size_t>(BIO_ctrl_pending(out)), '\0');
  BIO_read(out, hello.data(), static_cast<int>(hello.size()));
  for (size_t i = 0; i < hello.size() - 1; ++i) ASSERT_TRUE(slow.tcp().send(hello.substr(i, 1)));
  TlsClient other{tls.server.port(), tls.pair};
  ASSERT_TRUE(other.connect());
  EXPECT_NE(other.ask("/health").find("200"), std::string::npos);
  ASSERT_TRUE(slow.tcp().send(hello.substr(hello.size() - 1)));
  while (!SSL_is_init_finished(slow.ssl())) {
    const std::string flight = slow.tcp().read_some(4096);
    ASSERT_FALSE(flight.empty());
    BIO_write(in, flight.data(), static_cast<int>(flight.size()));
    ERR_clear_error();
    SSL_connect(slow.ssl());
  }
  EXPECT_TRUE(SSL_is_init_finished(slow.ssl()));
}

TEST(Tls, EndsASilentHandshakeAtItsDeadline) {
  host::HttpServerOptions options = quick_options();
  options.deadlines.head = std::chrono::milliseconds{100};
  options.deadlines.idle = std::chrono::milliseconds{60'000};
  TlsServer tls{options};
  RawHttpClient silent{tls.server.port()};
  EXPECT_TRUE(silent.closed_by_peer());
  TlsClient ready{tls.server.port(), tls.pair};
  ASSERT_TRUE(ready.connect());
  RawHttpClient begun{tls.server.port()};
  ASSERT_TRUE(begun.send("\x16\x03\x01"));
  EXPECT_TRUE(begun.closed_by_peer());
  EXPECT_NE(ready.ask("/health").find("200"), std::string::npos)
      << "an idle client with its handshake done stays";
}

TEST(Tls, TellsPlainHttpThatThePortSpeaksHttps) {
  TlsServer tls;
  RawHttpClient client{tls.server.port()};
  const auto answer = client.ask(raw_get("/health"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_TRUE(answer->complete);
  EXPECT_NE(answer->body.find("https"), std::string::npos);
}

TEST(Tls, SurvivesGarbageAndClientsThatLeave) {
  TlsServer tls;
  for (int i = 0; i < 50; ++i) {
    RawHttpClient client{tls.server.port()};
    std::string garbage{"\x16\x03\x01\x02\x00", 5};
    for (int k = 0; k < 600; ++k) garbage.push_back(static_cast<char>((i * 131 + k * 7) & 0xff));
    client.send(garbage);
    if (i % 2 == 0) client.kill();
  }
  TlsClient client{tls.server.port(), tls.pair};
  ASSERT_TRUE(client.connect());
  EXPECT_NE(client.ask("/health").find("200"), std::string::npos);
}

TEST(Tls, ServesAReplacedCertificateToNewClientsAndKeepsTheOldConnections) {
  TlsServer tls;
  TlsClient before{tls.server.port(), tls.pair};
  ASSERT_TRUE(before.connect());
  const CertificatePair second = make_pair("second");
  tls.listener->replace(second);
  TlsClient after{tls.server.port(), second};
  EXPECT_TRUE(after.connect());
  TlsClient stale{tls.server.port(), tls.pair};
  EXPECT_FALSE(stale.connect()) << "trusts the old certificate alone";
  EXPECT_NE(before.ask("/health").find("200"), std::string::npos);
  EXPECT_NE(after.ask("/health").find("200"), std::string::npos);
  EXPECT_THROW(tls.listener->replace({second.certificate_pem, tls.pair.key_pem}), host::Error);
  TlsClient still{tls.server.port(), second};
  EXPECT_TRUE(still.connect()) << "what cannot be used changes nothing";
}

TEST(Tls, HoldsASlowReaderInBoundedMemory) {
  TlsServer tls;
  TlsClient client{tls.server.port(), tls.pair};
  ASSERT_TRUE(client.connect());
  const size_t before = resident_bytes();
  constexpr size_t kSize = size_t{64} << 20;
  ASSERT_TRUE(client.send("GET /relay?bytes=" + std::to_string(kSize) +
                          "&length=" + std::to_string(kSize) +
                          "&end=complete HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"));
  // Others are served while the reader takes nothing.
  for (int i = 0; i < 20; ++i) {
    TlsClient other{tls.server.port(), tls.pair};
    ASSERT_TRUE(other.connect());
    EXPECT_NE(other.ask("/health").find("200"), std::string::npos);
  }
#ifndef DBACKUP_SANITIZED
  EXPECT_LT(resident_bytes(), before + (size_t{24} << 20));
#else
  static_cast<void>(before);
#endif
  client.tcp().kill();
}

}  // namespace
}  // namespace dbackup::test

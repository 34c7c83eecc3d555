#include "crypto/aead.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <array>
#include <climits>

#include "base/error.hpp"
#include "crypto/openssl.hpp"

namespace dbackup::host {
namespace {

enum class Direction { Open = 0, Seal = 1 };  // OpenSSL's numbers

/// A cipher context of this thread, keyed for one message; the key is overwritten when that is
/// done.
class KeyedContext {
 public:
  KeyedContext(Aead cipher, Direction direction, std::string_view key, std::string_view nonce)
      : context_{of_this_thread(cipher, direction)} {
    openssl::check(EVP_CipherInit_ex2(context_, nullptr, openssl::u8(key.data()),
                                      openssl::u8(nonce.data()), -1, nullptr),
                   "cannot set a cipher's key");
  }
  KeyedContext(const KeyedContext&) = delete;
  KeyedContext& operator=(const KeyedContext&) = delete;
  ~KeyedContext() {
    static constexpr std::array<unsigned char, kAeadKeySize> kNoKey{};
    EVP_CipherInit_ex2(context_, nullptr, kNoKey.data(), kNoKey.data(), -1, nullptr);
  }

  EVP_CIPHER_CTX* get() const noexcept { return context_; }

 private:
  static EVP_CIPHER_CTX* of_this_thread(Aead cipher, Direction direction) {
    thread_local std::array<openssl::CipherCtx, 4> contexts;
    auto& slot = contexts[static_cast<size_t>(cipher) * 2 + static_cast<size_t>(direction)];
    if (!slot) {
      openssl::CipherCtx fresh{EVP_CIPHER_CTX_new()};
      if (!fresh) throw std::bad_alloc{};
      const EVP_CIPHER* const algorithm =
          cipher == Aead::Aes256Gcm ? openssl::aes_256_gcm() : openssl::chacha20_poly1305();
      openssl::check(EVP_CipherInit_ex2(fresh.get(), algorithm, nullptr, nullptr,
                                        static_cast<int>(direction), nullptr),
                     "cannot set up a cipher");
      slot = std::move(fresh);
    }
    return slot.get();
  }

  EVP_CIPHER_CTX* context_;
};

void check_sizes(std::string_view key, std::string_view nonce, size_t plain, size_t sealed,
                 size_t context) {
  if (key.size() != kAeadKeySize || nonce.size() != kAeadNonceSize ||
      sealed != plain + kAeadTagSize || sealed > INT_MAX || context > INT_MAX) {
    throw Error{ErrorCode::InvalidArgument, "a cipher's key, nonce or buffer has the wrong size"};
  }
}

/// Feeds bytes through the cipher; with `out` null they are authenticated only.
bool feed(EVP_CIPHER_CTX* context, unsigned char* out, const unsigned char* in, size_t size) {
  int done = 0;
  return size == 0 || EVP_CipherUpdate(context, out, &done, in, static_cast<int>(size)) == 1;
}

}  // namespace

void aead_seal(Aead cipher, std::string_view key, std::string_view nonce, std::string_view context,
               std::span<const std::byte> plain, std::span<std::byte> out) {
  check_sizes(key, nonce, plain.size(), out.size(), context.size());
  const KeyedContext keyed{cipher, Direction::Seal, key, nonce};
  unsigned char* const to = openssl::u8(out.data());
  int done = 0;
  const bool sealed =
      feed(keyed.get(), nullptr, openssl::u8(context.data()), context.size()) &&
      feed(keyed.get(), to, openssl::u8(plain.data()), plain.size()) &&
      EVP_CipherFinal_ex(keyed.get(), to + plain.size(), &done) == 1 &&
      EVP_CIPHER_CTX_ctrl(keyed.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, to + plain.size()) == 1;
  if (!sealed) openssl::throw_failure("cannot seal");
}

bool aead_open(Aead cipher, std::string_view key, std::string_view nonce, std::string_view context,
               std::span<const std::byte> sealed, std::span<std::byte> out) {
  check_sizes(key, nonce, out.size(), sealed.size(), context.size());
  const KeyedContext keyed{cipher, Direction::Open, key, nonce};
  // Copied, because the library wants it writable and because `out` may lie over `sealed`.
  std::array<unsigned char, kAeadTagSize> tag{};
  const auto stored_tag = sealed.last(kAeadTagSize);
  for (size_t i = 0; i < tag.size(); ++i) tag[i] = std::to_integer<unsigned char>(stored_tag[i]);
  openssl::check(EVP_CIPHER_CTX_ctrl(keyed.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()),
                 "cannot set a cipher's tag");

  std::array<unsigned char, EVP_MAX_BLOCK_LENGTH> rest{};  // both ciphers leave nothing for it
  int done = 0;
  const bool authentic =
      feed(keyed.get(), nullptr, openssl::u8(context.data()), context.size()) &&
      feed(keyed.get(), openssl::u8(out.data()), openssl::u8(sealed.data()), out.size()) &&
      EVP_CipherFinal_ex(keyed.get(), rest.data(), &done) == 1;
  if (!authentic) {
    OPENSSL_cleanse(out.data(), out.size());
    ERR_clear_error();
  }
  return authentic;
}

}  // namespace dbackup::host

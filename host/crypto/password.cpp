#include "crypto/password.hpp"

#include <sodium.h>

#include <algorithm>
#include <mutex>
#include <semaphore>
#include <thread>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr unsigned long long kPasses = 2;
constexpr size_t kMemoryBytes = size_t{19456} * 1024;

void ready() {
  static const int state = sodium_init();
  if (state < 0) throw Error(ErrorCode::Internal, "libsodium cannot be used on this machine");
}

class Turn {
 public:
  Turn() { turns().acquire(); }
  ~Turn() { turns().release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  static std::counting_semaphore<64>& turns() {
    static std::counting_semaphore<64> all{
        std::clamp<std::ptrdiff_t>(std::thread::hardware_concurrency() / 2, 1, 64)};
    return all;
  }
};

}  // namespace

std::string hash_password(const SecretString& password) {
  ready();
  const Turn turn;
  char out[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(out, password.reveal().data(), password.reveal().size(), kPasses,
                            kMemoryBytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw Error(ErrorCode::ResourceExhausted, "out of memory while hashing a password", {},
                "memory");
  }
  return out;
}

bool verify_password(const SecretString& password, const std::string& hash) {
  // Made once, of a password that nobody has.
  static const std::string nobody = hash_password(SecretString{"\x01nobody"});
  const bool is_known = hash.starts_with("$argon2id$");
  const std::string& compared = is_known ? hash : nobody;
  const Turn turn;
  const bool fits = crypto_pwhash_str_verify(compared.c_str(), password.reveal().data(),
                                             password.reveal().size()) == 0;
  return fits && is_known;
}

}  // namespace dbackup::host

#include "crypto/secret_box.hpp"

#include <algorithm>
#include <span>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kVersion = "v1:";
constexpr size_t kKeyIdLength = 16;
constexpr size_t kMasterKeyBytes = 32;

void check_master_key(const SecretString& key) {
  if (key.reveal().size() != kMasterKeyBytes) {
    throw Error{ErrorCode::InvalidArgument, "a master key has 32 bytes"};
  }
}

bool is_key_id(std::string_view text) {
  return text.size() == kKeyIdLength && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

[[noreturn]] void throw_damaged(std::string_view context) {
  throw Error{ErrorCode::DataLoss,
              "the stored secret of \"" + std::string{context} + "\" is damaged or was moved there",
              {},
              "secret_damaged"};
}

}  // namespace

std::string master_key_id(const SecretString& master_key) {
  check_master_key(master_key);
  const auto id = hkdf_sha256(master_key.reveal(), {}, "dbackup/master-key-id/1", kKeyIdLength / 2);
  return to_hex(id.reveal());
}

SecretBox::SecretBox(const SecretString& master_key)
    : key_id_{master_key_id(master_key)},
      key_{hkdf_sha256(master_key.reveal(), {}, "dbackup/secret-box/1", kAeadKeySize)} {}

std::string SecretBox::seal(std::string_view plaintext, std::string_view context) const {
  const std::string nonce = random_bytes(kAeadNonceSize);
  std::string bytes(kAeadNonceSize + plaintext.size() + kAeadTagSize, '\0');
  std::ranges::copy(nonce, bytes.begin());
  aead_seal(Aead::Aes256Gcm, key_.reveal(), nonce, context, std::as_bytes(std::span{plaintext}),
            std::as_writable_bytes(std::span{bytes}.subspan(kAeadNonceSize)));
  return std::string{kVersion} + key_id_ + ":" + to_base64_unpadded(bytes);
}

SecretString SecretBox::open(std::string_view sealed, std::string_view context) const {
  const auto wanted_key = key_id_of(sealed);
  if (!wanted_key) throw_damaged(context);
  if (*wanted_key != key_id_) {
    throw Error{ErrorCode::FailedPrecondition,
                "the stored secret of \"" + std::string{context} +
                    "\" was sealed with master key " + *wanted_key + ", not with " + key_id_,
                {},
                "master_key_mismatch"};
  }
  const auto bytes = from_base64_unpadded(sealed.substr(kVersion.size() + kKeyIdLength + 1));
  if (!bytes || bytes->size() < kAeadNonceSize + kAeadTagSize) throw_damaged(context);
  const std::span<const char> all{*bytes};
  std::string plain(bytes->size() - kAeadNonceSize - kAeadTagSize, '\0');
  if (!aead_open(Aead::Aes256Gcm, key_.reveal(), std::string_view{*bytes}.substr(0, kAeadNonceSize),
                 context, std::as_bytes(all.subspan(kAeadNonceSize)),
                 std::as_writable_bytes(std::span{plain}))) {
    throw_damaged(context);
  }
  SecretString secret{plain};
  wipe(plain);
  return secret;
}

std::optional<std::string> SecretBox::key_id_of(std::string_view sealed) {
  if (!sealed.starts_with(kVersion)) return std::nullopt;
  sealed.remove_prefix(kVersion.size());
  if (sealed.size() <= kKeyIdLength || sealed[kKeyIdLength] != ':') return std::nullopt;
  const auto id = sealed.substr(0, kKeyIdLength);
  if (!is_key_id(id)) return std::nullopt;
  return std::string{id};
}

}  // namespace dbackup::host

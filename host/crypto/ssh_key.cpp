#include "crypto/ssh_key.hpp"

#include <libssh/libssh.h>

#include <memory>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Key = std::unique_ptr<ssh_key_struct, Freed<&ssh_key_free>>;
using Text = std::unique_ptr<char, Freed<&ssh_string_free_char>>;

struct KeyType {
  const char* name;
  ssh_keytypes_e type;
  int bits;
};
constexpr KeyType kTypes[] = {{"ed25519", SSH_KEYTYPE_ED25519, 0},
                              {"rsa-4096", SSH_KEYTYPE_RSA, 4096},
                              {"ecdsa-p256", SSH_KEYTYPE_ECDSA, 256},
                              {"ecdsa-p384", SSH_KEYTYPE_ECDSA, 384}};

void ready() {
  static const int state = ssh_init();
  if (state != SSH_OK) throw Error(ErrorCode::Internal, "libssh cannot be used on this machine");
}

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

/// A key that wants a passphrase which is not given must fail, not ask the terminal.
int no_passphrase(const char*, char*, size_t, int, int, void*) { return -1; }

}  // namespace

SecretString generate_ssh_key(const std::string& type, const SecretString& passphrase) {
  ready();
  for (const KeyType& known : kTypes) {
    if (type != known.name) continue;
    ssh_key raw = nullptr;
    if (ssh_pki_generate(known.type, known.bits, &raw) != SSH_OK)
      throw Error(ErrorCode::Internal, "the SSH key could not be made");
    const Key key{raw};
    std::string secret{passphrase.reveal()};
    char* text = nullptr;
    const int done =
        ssh_pki_export_privkey_base64(key.get(), or_null(secret), nullptr, nullptr, &text);
    wipe(secret);
    const Text owned{text};
    if (done != SSH_OK || text == nullptr)
      throw Error(ErrorCode::Internal, "the SSH key could not be written");
    SecretString out{text};
    for (char* c = text; *c != '\0'; ++c) *c = '\0';
    return out;
  }
  throw Error(
      ErrorCode::InvalidArgument,
      "\"data.generate.keyType\" must be one of: ed25519, rsa-4096, ecdsa-p256, ecdsa-p384");
}

std::optional<SshPublicKey> ssh_public_key(const SecretString& private_key,
                                           const SecretString& passphrase,
                                           const std::string& comment) {
  ready();
  std::string text{private_key.reveal()};
  std::string secret{passphrase.reveal()};
  ssh_key raw = nullptr;
  const int read =
      ssh_pki_import_privkey_base64(text.c_str(), or_null(secret), &no_passphrase, nullptr, &raw);
  wipe(text);
  wipe(secret);
  const Key key{raw};
  if (read != SSH_OK) return std::nullopt;
  ssh_key raw_public = nullptr;
  if (ssh_pki_export_privkey_to_pubkey(key.get(), &raw_public) != SSH_OK) return std::nullopt;
  const Key public_key{raw_public};
  char* base64 = nullptr;
  if (ssh_pki_export_pubkey_base64(public_key.get(), &base64) != SSH_OK) return std::nullopt;
  const Text line{base64};
  unsigned char* hash = nullptr;
  size_t length = 0;
  if (ssh_get_publickey_hash(public_key.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != SSH_OK)
    return std::nullopt;
  const Text shown{ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length)};
  ssh_clean_pubkey_hash(&hash);
  if (!shown) return std::nullopt;
  // The kind of an ECDSA key names its curve, which ssh_key_type_to_char() leaves out.
  const char* kind = ssh_pki_key_ecdsa_name(public_key.get());
  if (kind == nullptr || ssh_key_type(public_key.get()) < SSH_KEYTYPE_ECDSA_P256 ||
      ssh_key_type(public_key.get()) > SSH_KEYTYPE_ECDSA_P521) {
    kind = ssh_key_type_to_char(ssh_key_type(public_key.get()));
  }
  return SshPublicKey{
      .line = std::string{kind} + " " + line.get() + (comment.empty() ? "" : " " + comment),
      .fingerprint = shown.get()};
}

}  // namespace dbackup::host

#include "crypto/age_header.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"

// The header text, lines ended by a single line feed:
//
//   age-encryption.org/v1
//   -> <type> <argument> …          printable characters, single blanks
//   <base64 of the body>            lines of 64 characters; the first shorter one, maybe empty,
//   ends the body
//   --- <base64 of 32 bytes>        HMAC of everything up to and including "---"

namespace dbackup::host {
namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1";
constexpr std::string_view kStanzaStart = "-> ";
constexpr std::string_view kMacStart = "---";
constexpr size_t kBodyColumns = 64;
constexpr size_t kMacSize = 32;
constexpr size_t kShareSize = 32;
constexpr size_t kWrappedKeySize = kAgeFileKeySize + kAeadTagSize;
constexpr std::string_view kX25519 = "X25519";
constexpr std::string_view kX25519Info = "age-encryption.org/v1/X25519";
/// Each wrapping key is used once, so its nonce may be constant.
constexpr std::string_view kZeroNonce{"\0\0\0\0\0\0\0\0\0\0\0\0", kAeadNonceSize};

[[noreturn]] void throw_damaged(const std::string& what, std::string_view reason = "age_header") {
  throw Error{ErrorCode::DataLoss, "the age header is damaged: " + what, {}, reason};
}

std::string header_mac(const SecretString& file_key, std::string_view text) {
  return hmac_sha256(hkdf_sha256(file_key.reveal(), {}, "header", kMacSize).reveal(), text);
}

SecretString wrapping_key(const SecretString& shared, std::string_view share,
                          const AgeRecipient& recipient) {
  std::string salt{share};
  salt += recipient.bytes();
  return hkdf_sha256(shared.reveal(), salt, kX25519Info, kAeadKeySize);
}

std::string make_stanza(const SecretString& file_key, const AgeRecipient& recipient) {
  const AgeIdentity ephemeral = AgeIdentity::generate();
  const auto share = ephemeral.recipient().bytes();
  const auto key = wrapping_key(x25519(ephemeral.bytes(), recipient.bytes()), share, recipient);
  std::string body(kWrappedKeySize, '\0');
  aead_seal(Aead::ChaCha20Poly1305, key.reveal(), kZeroNonce, {},
            std::as_bytes(std::span{file_key.reveal()}), std::as_writable_bytes(std::span{body}));
  // 32 bytes are 43 characters: shorter than a full line, so this one line ends the body.
  return "-> " + std::string{kX25519} + " " + to_base64_unpadded(share) + "\n" +
         to_base64_unpadded(body) + "\n";
}

/// The share of an X25519 stanza. Damage in any of them counts, also when another stanza would
/// open.
std::string share_of(const AgeStanza& stanza) {
  if (stanza.arguments.size() != 1) throw_damaged("an X25519 stanza has one argument");
  auto share = from_base64_unpadded(stanza.arguments.front());
  if (!share || share->size() != kShareSize) throw_damaged("an X25519 share has 32 bytes");
  if (stanza.body.size() != kWrappedKeySize)
    throw_damaged("an X25519 stanza has a body of 32 bytes");
  return std::move(*share);
}

std::optional<SecretString> unwrap(const AgeStanza& stanza, std::string_view share,
                                   const AgeIdentity& identity) try {
  const auto key = wrapping_key(x25519(identity.bytes(), share), share, identity.recipient());
  std::string file_key(kAgeFileKeySize, '\0');
  const bool opened =
      aead_open(Aead::ChaCha20Poly1305, key.reveal(), kZeroNonce, {},
                std::as_bytes(std::span{stanza.body}), std::as_writable_bytes(std::span{file_key}));
  if (!opened) return std::nullopt;
  SecretString secret{file_key};
  wipe(file_key);
  return secret;
} catch (const Error& error) {
  if (error.code() != ErrorCode::DataLoss) throw;
  throw_damaged(error.what());
}

}  // namespace

size_t AgeHeaderReader::feed(std::string_view bytes) {
  size_t taken = 0;
  while (state_ != State::Done && taken < bytes.size()) {
    const auto rest = bytes.substr(taken);
    const size_t end = rest.find('\n');
    const size_t count = end == std::string_view::npos ? rest.size() : end + 1;
    if (count > kAgeMaxHeaderSize - text_.size()) throw_damaged("it is longer than 64 KiB");
    text_ += rest.substr(0, count);
    taken += count;
    // What is no age file at all is refused at its first bytes, not after 64 KiB without a line
    // end.
    const auto line = std::string_view{text_}.substr(line_start_);
    if (state_ == State::Version &&
        !kVersionLine.starts_with(line.substr(0, kVersionLine.size()))) {
      throw_damaged("it does not start with \"age-encryption.org/v1\"");
    }
    if (end == std::string_view::npos) break;
    take_line(line.substr(0, line.size() - 1));
    line_start_ = text_.size();
  }
  return taken;
}

void AgeHeaderReader::take_line(std::string_view line) {
  switch (state_) {
    case State::Version:
      if (line != kVersionLine) throw_damaged("the version is not \"age-encryption.org/v1\"");
      state_ = State::StanzaOrMac;
      return;
    case State::StanzaOrMac:
      line.starts_with(kMacStart) ? take_mac(line) : take_stanza(line);
      return;
    case State::Body:
      take_body(line);
      return;
    case State::Done:
      return;
  }
}

void AgeHeaderReader::take_stanza(std::string_view line) {
  if (!line.starts_with(kStanzaStart)) throw_damaged("a stanza starts with \"-> \"");
  line.remove_prefix(kStanzaStart.size());
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c == ' ') {
      words.emplace_back();
    } else if (c >= 33 && c <= 126) {
      words.back() += c;
    } else {
      throw_damaged("a stanza has a character that is not printable");
    }
  }
  if (std::ranges::any_of(words, [](const auto& word) { return word.empty(); })) {
    throw_damaged("a stanza has an empty argument");
  }
  AgeStanza stanza;
  stanza.type = std::move(words.front());
  stanza.arguments.assign(std::make_move_iterator(words.begin() + 1),
                          std::make_move_iterator(words.end()));
  stanzas_.push_back(std::move(stanza));
  state_ = State::Body;
}

void AgeHeaderReader::take_body(std::string_view line) {
  if (line.size() > kBodyColumns) throw_damaged("a line of a stanza is longer than 64 characters");
  const auto bytes = from_base64_unpadded(line);
  if (!bytes) throw_damaged("the body of a stanza is not canonical base64");
  stanzas_.back().body += *bytes;
  if (line.size() < kBodyColumns) state_ = State::StanzaOrMac;
}

void AgeHeaderReader::take_mac(std::string_view line) {
  if (stanzas_.empty()) throw_damaged("it has no stanza");
  line.remove_prefix(kMacStart.size());
  const auto mac = line.starts_with(' ') ? from_base64_unpadded(line.substr(1)) : std::nullopt;
  if (!mac || mac->size() != kMacSize) throw_damaged("its MAC is not canonical base64 of 32 bytes");
  mac_ = *mac;
  state_ = State::Done;
}

std::string_view AgeHeaderReader::mac_input() const noexcept {
  const std::string_view text{text_};
  return text.substr(0, text.rfind(kMacStart) + kMacStart.size());
}

std::string make_age_header(const SecretString& file_key,
                            std::span<const AgeRecipient> recipients) {
  if (recipients.empty()) throw Error{ErrorCode::InvalidArgument, "sealing needs a recipient"};
  std::string text = std::string{kVersionLine} + "\n";
  for (const auto& recipient : recipients) text += make_stanza(file_key, recipient);
  text += kMacStart;
  text += " " + to_base64_unpadded(header_mac(file_key, text)) + "\n";
  if (text.size() > kAgeMaxHeaderSize) {
    throw Error{ErrorCode::InvalidArgument, "too many recipients for one file"};
  }
  return text;
}

SecretString open_age_header(const AgeHeaderReader& header,
                             std::span<const AgeIdentity> identities) {
  const auto& stanzas = header.stanzas();
  const bool passphrase =
      std::ranges::any_of(stanzas, [](const auto& stanza) { return stanza.type == "scrypt"; });
  if (passphrase && stanzas.size() > 1) throw_damaged("a passphrase stanza stands beside others");

  std::optional<SecretString> file_key;
  for (const auto& stanza : stanzas) {
    if (stanza.type != kX25519) continue;  // another kind of recipient, or grease
    const std::string share = share_of(stanza);
    for (const auto& identity : identities) {
      if (!file_key) file_key = unwrap(stanza, share, identity);
    }
  }
  if (!file_key) {
    throw Error{ErrorCode::FailedPrecondition, "none of the given identities opens this file",
                std::to_string(identities.size()) + " identities, " +
                    std::to_string(stanzas.size()) + " stanzas",
                "encryption_key_required"};
  }
  if (!constant_time_equal(header_mac(*file_key, header.mac_input()), header.mac())) {
    throw_damaged("its MAC does not fit", "age_header_mac");
  }
  return std::move(*file_key);
}

}  // namespace dbackup::host

#include "crypto/age_stream.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/id.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"

namespace dbackup::host {
namespace {

std::array<char, kAeadNonceSize> chunk_nonce(uint64_t index, bool last) {
  std::array<char, kAeadNonceSize> nonce{};
  for (size_t i = 0; i < sizeof index; ++i) {
    nonce[nonce.size() - 2 - i] = static_cast<char>((index >> (8 * i)) & 255);
  }
  nonce.back() = last ? 1 : 0;
  return nonce;
}

std::string_view view(const std::array<char, kAeadNonceSize>& nonce) {
  return {nonce.data(), nonce.size()};
}

/// Room for `size` more bytes at the end of `out`, grown in steps so that many chunks cost few
/// copies.
std::span<std::byte> extend(std::vector<std::byte>& out, size_t size) {
  const size_t before = out.size();
  out.resize(before + size);
  return std::span{out}.subspan(before);
}

}  // namespace

AgePayloadKey::AgePayloadKey(const SecretString& file_key, std::string_view nonce)
    : key_{hkdf_sha256(file_key.reveal(), nonce, "payload", kAeadKeySize)} {
  if (file_key.reveal().size() != kAgeFileKeySize || nonce.size() != kAgeNonceSize) {
    throw Error{ErrorCode::InvalidArgument, "an age file key and a payload nonce have 16 bytes"};
  }
}

void AgePayloadKey::seal_chunk(uint64_t index, bool last, std::span<const std::byte> plain,
                               std::span<std::byte> out) const {
  const bool right_size = last ? plain.size() <= kAgeChunkSize && (index == 0 || !plain.empty())
                               : plain.size() == kAgeChunkSize;
  if (!right_size)
    throw Error{ErrorCode::InvalidArgument, "a chunk has the wrong size for its place"};
  aead_seal(Aead::ChaCha20Poly1305, key_.reveal(), view(chunk_nonce(index, last)), {}, plain, out);
}

bool AgePayloadKey::open_chunk(uint64_t index, bool last, std::span<const std::byte> stored,
                               std::span<std::byte> out) const {
  // The format forbids these sizes, whatever their tag says.
  if (stored.size() < kAgeTagSize || stored.size() > kAgeStoredChunkSize) return false;
  if (!last && stored.size() != kAgeStoredChunkSize) return false;
  if (last && index > 0 && stored.size() == kAgeTagSize) return false;
  return aead_open(Aead::ChaCha20Poly1305, key_.reveal(), view(chunk_nonce(index, last)), {},
                   stored, out);
}

AgeSealer::AgeSealer(std::span<const AgeRecipient> recipients)
    : AgeSealer{SecretString{random_bytes(kAgeFileKeySize)}, random_bytes(kAgeNonceSize),
                recipients} {}

AgeSealer::AgeSealer(const SecretString& file_key, const std::string& nonce,
                     std::span<const AgeRecipient> recipients)
    : header_{make_age_header(file_key, recipients) + nonce}, key_{file_key, nonce} {
  pending_.reserve(kAgeChunkSize);
}

void AgeSealer::seal(std::span<const std::byte> plain, bool last, std::vector<std::byte>& out) {
  key_.seal_chunk(index_, last, plain, extend(out, plain.size() + kAgeTagSize));
  ++index_;
}

void AgeSealer::update(std::span<const std::byte> plain, std::vector<std::byte>& out) {
  if (finished_) throw Error{ErrorCode::Internal, "bytes after the end of a sealed stream"};
  // A full chunk is sealed only when a byte follows it: it could be the last, which is sealed
  // differently.
  if (!pending_.empty()) {
    const auto head = plain.first(std::min(plain.size(), kAgeChunkSize - pending_.size()));
    pending_.insert(pending_.end(), head.begin(), head.end());
    plain = plain.subspan(head.size());
    if (plain.empty()) return;
    seal(pending_, /*last=*/false, out);
    pending_.clear();
  }
  while (plain.size() > kAgeChunkSize) {
    seal(plain.first(kAgeChunkSize), /*last=*/false, out);
    plain = plain.subspan(kAgeChunkSize);
  }
  pending_.assign(plain.begin(), plain.end());
}

void AgeSealer::finish(std::vector<std::byte>& out) {
  if (finished_) throw Error{ErrorCode::Internal, "a sealed stream was ended twice"};
  finished_ = true;
  seal(pending_, /*last=*/true, out);
}

AgeOpener::AgeOpener(std::vector<AgeIdentity> identities) : identities_{std::move(identities)} {}

void AgeOpener::fail(const std::string& what, std::string_view reason) {
  failure_.emplace(ErrorCode::DataLoss, what, std::string{}, reason);
  throw *failure_;
}

std::optional<uint64_t> AgeOpener::header_size() const noexcept {
  if (!key_) return std::nullopt;
  return header_.text().size() + kAgeNonceSize;
}

std::span<const std::byte> AgeOpener::take_header(std::span<const std::byte> stored) try {
  const std::string_view bytes{reinterpret_cast<const char*>(stored.data()), stored.size()};
  size_t taken = 0;
  if (!header_.complete()) {
    taken = header_.feed(bytes);
    if (!header_.complete()) return {};
    file_key_ = open_age_header(header_, identities_);
    identities_.clear();
  }
  const auto nonce = bytes.substr(taken, kAgeNonceSize - nonce_.size());
  nonce_ += nonce;
  if (nonce_.size() == kAgeNonceSize) {
    key_.emplace(*file_key_, nonce_);
    file_key_.reset();
    pending_.reserve(kAgeStoredChunkSize);
  }
  return stored.subspan(taken + nonce.size());
} catch (const Error& error) {
  failure_ = error;
  throw;
}

bool AgeOpener::open(std::span<const std::byte> stored, bool last, std::vector<std::byte>& plain) {
  const size_t before = plain.size();
  const auto out = extend(plain, stored.size() - kAgeTagSize);
  if (!key_->open_chunk(index_, last, stored, out)) {
    plain.resize(before);
    return false;
  }
  ++index_;
  ended_ = last;
  return true;
}

void AgeOpener::open_full(std::span<const std::byte> stored, std::vector<std::byte>& plain) {
  // Only its tag tells whether a full chunk is the last one; a second try happens at most once a
  // file.
  if (open(stored, /*last=*/false, plain) || open(stored, /*last=*/true, plain)) return;
  fail("chunk " + std::to_string(index_) + " of the sealed file is damaged or in the wrong place",
       "age_payload");
}

void AgeOpener::update(std::span<const std::byte> stored, std::vector<std::byte>& plain) {
  if (failure_) throw Error{*failure_};
  if (finished_) throw Error{ErrorCode::Internal, "bytes after the end of an opened stream"};
  if (!key_) stored = take_header(stored);
  while (!stored.empty()) {
    if (ended_) fail("the sealed file goes on after its last chunk", "age_trailing_data");
    if (pending_.empty() && stored.size() >= kAgeStoredChunkSize) {
      open_full(stored.first(kAgeStoredChunkSize), plain);
      stored = stored.subspan(kAgeStoredChunkSize);
      continue;
    }
    const auto head = stored.first(std::min(stored.size(), kAgeStoredChunkSize - pending_.size()));
    pending_.insert(pending_.end(), head.begin(), head.end());
    stored = stored.subspan(head.size());
    if (pending_.size() < kAgeStoredChunkSize) return;
    open_full(pending_, plain);
    pending_.clear();
  }
}

void AgeOpener::finish(std::vector<std::byte>& plain) {
  if (failure_) throw Error{*failure_};
  if (finished_) throw Error{ErrorCode::Internal, "an opened stream was ended twice"};
  if (!key_) fail("the age header is cut", "age_header");
  if (!ended_) {
    if (pending_.empty())
      fail("the sealed file is cut: its last chunk is missing", "age_truncated");
    if (pending_.size() < kAgeTagSize || !open(pending_, /*last=*/true, plain)) {
      fail("the last chunk of the sealed file is damaged or cut", "age_truncated");
    }
  }
  finished_ = true;
}

}  // namespace dbackup::host

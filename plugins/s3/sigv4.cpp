#include "sigv4.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <dbackup/error.hpp>

#include "common/percent_encoding.hpp"

namespace dbackup::plugins::s3 {
namespace {

constexpr const char* kAlgorithm = "AWS4-HMAC-SHA256";

std::vector<unsigned char> digest(std::span<const std::byte> bytes, const EVP_MD* kind) {
  std::vector<unsigned char> out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, kind, nullptr) != 1) {
    throw Error{ErrorCode::Internal, "cannot compute a checksum"};
  }
  out.resize(size);
  return out;
}

std::vector<unsigned char> hmac(std::span<const unsigned char> key, std::string_view text) {
  std::vector<unsigned char> out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(),
           &size) == nullptr) {
    throw Error{ErrorCode::Internal, "cannot sign a request"};
  }
  out.resize(size);
  return out;
}

std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

/// Without blanks around, and with one where there are several.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

std::string hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string base64(std::span<const unsigned char> bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3), '\0');
  // Writes a NUL behind the end, which a string has.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(),
                  static_cast<int>(bytes.size()));
  return out;
}

std::vector<unsigned char> sha256(std::span<const std::byte> bytes) {
  return digest(bytes, EVP_sha256());
}

std::vector<unsigned char> md5(std::span<const std::byte> bytes) {
  return digest(bytes, EVP_md5());
}

std::string canonical_query(const Pairs& query) {
  Pairs encoded;
  for (const auto& [name, value] : query)
    encoded.emplace_back(percent_encoded(name), percent_encoded(value));
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string amz_date(std::chrono::system_clock::time_point at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> out{};
  std::strftime(out.data(), out.size(), "%Y%m%dT%H%M%SZ", &utc);
  return out.data();
}

std::string authorization(const Signable& request, const Credentials& credentials,
                          const std::string& region, const std::string& service) {
  Pairs headers = request.headers;
  std::ranges::sort(headers);
  std::string canonical =
      request.method + "\n" + request.path + "\n" + canonical_query(request.query) + "\n";
  std::string names;
  std::string date;
  for (const auto& [name, value] : headers) {
    canonical.append(name).append(":").append(trimmed(value)).append("\n");
    names.append(names.empty() ? "" : ";").append(name);
    if (name == "x-amz-date") date = value;
  }
  canonical.append("\n").append(names).append("\n").append(request.payload_hash);

  const std::string day = date.substr(0, 8);
  const std::string scope = day + "/" + region + "/" + service + "/aws4_request";
  const std::string to_sign =
      std::string{kAlgorithm} + "\n" + date + "\n" + scope + "\n" +
      hex(sha256(std::as_bytes(std::span{canonical.data(), canonical.size()})));
  auto key = hmac(bytes_of("AWS4" + credentials.secret_access_key), day);
  for (const std::string_view step :
       {std::string_view{region}, std::string_view{service}, std::string_view{"aws4_request"}}) {
    key = hmac(key, step);
  }
  return std::string{kAlgorithm} + " Credential=" + credentials.access_key_id + "/" + scope +
         ", SignedHeaders=" + names + ", Signature=" + hex(hmac(key, to_sign));
}

}  // namespace dbackup::plugins::s3
